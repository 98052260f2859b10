package catalog_test

import (
	"testing"

	"github.com/audelor/halles/internal/catalog"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/page"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// bench is a catalogue on a database of the test's own, and a shop with its merchant.
type bench struct {
	*pgtest.Database
	*catalog.Catalog
	shop     tenancy.ID
	merchant *identity.Viewer
}

func setup(t testing.TB, with ...func(*pgtest.Database)) *bench {
	t.Helper()
	d := pgtest.New(t, with...)
	b := &bench{Database: d, Catalog: catalog.New(d.DB, tenancy.NewRegister(d.DB), page.NewSealer(fixture.Secret)), shop: fixture.Shop(t, d, fixture.ShopOpts{})}
	b.merchant = fixture.Viewer(t, d, identity.Merchant, b.shop)
	return b
}

func p[T any](v T) *T { return &v }

// book is a product to be, in sizes that differ.
func (b *bench) book(name string, values ...string) catalog.CreateProductInput {
	in := catalog.CreateProductInput{Shop: b.shop, Name: name, Category: catalog.CategoryID("librairie"), Publish: true}
	for _, v := range values {
		in.OptionName = p("Format")
		in.Variants = append(in.Variants, catalog.NewVariantInput{OptionValue: p(v), PriceCents: 1290, VatRate: 550, Stock: 10})
	}
	if len(values) == 0 {
		in.Variants = []catalog.NewVariantInput{{PriceCents: 1290, VatRate: 550, Stock: 10}}
	}
	return in
}

// create makes a product that must be made.
func (b *bench) create(t testing.TB, in catalog.CreateProductInput) *catalog.Product {
	t.Helper()
	made, err := b.Create(t.Context(), b.merchant, in)
	if err != nil || len(made.Refusals) > 0 {
		t.Fatalf("create %q: %v %+v", in.Name, err, made)
	}
	return made.Product
}

// variants are a product's, as the merchant sees them.
func (b *bench) variants(t testing.TB, product tenancy.ID) []*catalog.Variant {
	t.Helper()
	of, err := b.VariantsOf(t.Context(), b.merchant, []tenancy.ID{product})
	if err != nil {
		t.Fatal(err)
	}
	return of[product]
}

// codes are the refusals, in order.
func codes(refusals []catalog.Refusal) []catalog.RefusalCode {
	list := []catalog.RefusalCode{}
	for _, r := range refusals {
		list = append(list, r.Code)
	}
	return list
}

// found lists the names of the products that a text finds.
func (b *bench) found(t testing.TB, text string) []string {
	t.Helper()
	c, err := b.List(t.Context(), fixture.Viewer(t, b.Database, identity.Visitor), &catalog.ProductFilter{Text: &text}, 100, nil)
	if err != nil {
		t.Fatal(err)
	}
	names := []string{}
	for _, n := range c.Nodes() {
		names = append(names, n.Name)
	}
	return names
}

// ledgerOff counts variants whose stock is not the sum of their moves.
func (b *bench) ledgerOff(t testing.TB) int {
	t.Helper()
	return pgtest.Scan[int](t, b.Database, `select count(*) from variants v where v.stock <> coalesce(
		(select sum(m.quantity) from stock_moves m where m.commune_id = v.commune_id and m.variant_id = v.id), 0)`)
}
