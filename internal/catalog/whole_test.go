package catalog_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/audelor/halles/internal/catalog"
	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/tenancy"
)

// What one statement reads of products, their shops and their variants is what three read, whoever asks:
// two products of a shop, one without variants, what is withheld, what is of another commune or of none.
func TestWholeProducts(t *testing.T) {
	t.Parallel()
	b := setup(t)
	other := fixture.Shop(t, b.Database, fixture.ShopOpts{Commune: fixture.Groix})
	closed := fixture.Shop(t, b.Database, fixture.ShopOpts{Status: directory.Draft})
	ids := []tenancy.ID{
		fixture.Product(t, b.Database, b.shop, fixture.ProductOpts{Variants: 3}).ID,
		fixture.Product(t, b.Database, b.shop, fixture.ProductOpts{}).ID,
		fixture.Product(t, b.Database, b.shop, fixture.ProductOpts{Status: "DRAFT", Variants: 2}).ID,
		fixture.Product(t, b.Database, other, fixture.ProductOpts{Variants: 2}).ID,
		fixture.Product(t, b.Database, closed, fixture.ProductOpts{}).ID,
		tenancy.NewID(tenancy.KindProduct, fixture.Lorient),
		fixture.Product(t, b.Database, b.shop, fixture.ProductOpts{}).ID,
	}
	b.Exec(t, `delete from stock_moves where variant_id in (select id from variants where product_id = $1)`, ids[6].Row)
	b.Exec(t, `delete from variants where product_id = $1`, ids[6].Row)
	d := &directory.Directory{DB: b.Database.DB, Communes: b.Communes}
	for name, v := range map[string]*identity.Viewer{
		"Visitor": fixture.Viewer(t, b.Database, identity.Visitor), "Merchant": b.merchant,
		"Agent": fixture.Viewer(t, b.Database, identity.Agent, ids[0]), "Admin": fixture.Viewer(t, b.Database, identity.Admin),
	} {
		for _, keys := range append([][]tenancy.ID{ids}, ids[:1], ids[2:3], ids[4:5], ids[5:6], ids[6:]) {
			want := &catalog.Whole{}
			var err error
			if want.Products, err = b.ProductsByIDs(t.Context(), v, keys); err != nil {
				t.Fatal(err)
			}
			if want.Variants, err = b.VariantsOf(t.Context(), v, keys); err != nil {
				t.Fatal(err)
			}
			for form, shops := range map[string]*directory.Directory{"cards": d.Cards(), "all": d} {
				if want.Shops, err = shops.OfProducts(t.Context(), v, keys); err != nil {
					t.Fatal(err)
				}
				got, err := b.ProductsWith(t.Context(), v, keys, shops, true)
				if diff := cmp.Diff(want, got); err != nil || diff != "" {
					t.Errorf("%s, %d products, %s: %v\n%s", name, len(keys), form, err, diff)
				}
			}
			got, err := b.ProductsWith(t.Context(), v, keys, nil, true)
			if want.Shops = map[tenancy.ID]*directory.Shop{}; err != nil || cmp.Diff(want, got) != "" {
				t.Errorf("%s, without shops: %v\n%s", name, err, cmp.Diff(want, got))
			}
		}
	}
}
