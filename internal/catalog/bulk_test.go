package catalog_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/audelor/halles/internal/catalog"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/money"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

func TestRounding(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rounding catalog.Rounding
		cents    money.Cents
		by       money.BasisPoints
		want     money.Cents
	}{
		{catalog.ToCent, 1000, 550, 1055},
		{catalog.ToCent, 999, 50, 1004},
		{catalog.ToCent, 1, -9000, 1},
		{catalog.ToCent, 10, 500, 11},
		{catalog.ToFive, 1000, 123, 1010},
		{catalog.ToFive, 1000, 130, 1015},
		{catalog.ToTen, 1234, 0, 1230},
		{catalog.ToTen, 1235, 0, 1240},
		{catalog.ToEuro, 1250, 0, 1300},
		{catalog.ToEuro, 20, -5000, 100},
		{catalog.ToNinety, 1250, 0, 1290},
		{catalog.ToNinety, 1230, 0, 1190},
		{catalog.ToNinety, 10, 0, 90},
		{catalog.ToNinetyIX, 1250, 0, 1299},
		{catalog.ToNinetyIX, 1240, 0, 1199},
		{catalog.ToCent, 0, 10_000, 0},
	} {
		if got := catalog.Change(c.rounding, c.cents, c.by); got != c.want {
			t.Errorf("%s of %d by %d is %d, want %d", c.rounding, c.cents, c.by, got, c.want)
		}
	}
	steps := map[catalog.Rounding]struct{ step, end money.Cents }{
		catalog.ToCent: {1, 0}, catalog.ToFive: {5, 0}, catalog.ToTen: {10, 0}, catalog.ToEuro: {100, 0}, catalog.ToNinety: {100, 90}, catalog.ToNinetyIX: {100, 99},
	}
	rapid.Check(t, func(t *rapid.T) {
		r := rapid.SampledFrom([]catalog.Rounding{catalog.ToCent, catalog.ToFive, catalog.ToTen, catalog.ToEuro, catalog.ToNinety, catalog.ToNinetyIX}).Draw(t, "rounding")
		cents := money.Cents(rapid.Int64Range(1, 1e8).Draw(t, "cents"))
		by := money.BasisPoints(rapid.Int32Range(-9000, 100_000).Draw(t, "by"))
		got, exact := catalog.Change(r, cents, by), float64(cents)*(10_000+float64(by))/10_000
		rule := steps[r]
		if got <= 0 || got%rule.step != rule.end%rule.step {
			t.Fatalf("%d is no price of %s", got, r)
		}
		if off := float64(got) - exact; exact >= float64(rule.step) && (off > float64(rule.step)/2+1e-6 || off < -float64(rule.step)/2-1e-6) {
			t.Fatalf("%d is %f off %f, a step is %d", got, off, exact, rule.step)
		}
		if more := catalog.Change(r, cents+1, by); more < got {
			t.Fatalf("a dearer piece costs less: %d, %d", got, more)
		}
	})
}

func TestBulk(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var all []catalog.BulkProduct
	for i := range 5 {
		in := b.book(fmt.Sprintf("Livre %d", i), "Broché", "Poche")
		in.Variants[1].PriceCents = money.Cents(500 + i)
		all = append(all, catalog.BulkProduct{Product: b.create(t, in).ID(), Version: p(1)})
	}
	prices := func() string {
		return pgtest.Scan[string](t, b.Database, `select string_agg(price_cents::text, ' ' order by price_cents) from variants`)
	}
	foreign := fixture.Product(t, b.Database, fixture.Shop(t, b.Database, fixture.ShopOpts{Commune: fixture.Groix}), fixture.ProductOpts{Status: "DRAFT", PriceCents: 9999})
	before := prices()
	change := func(list []catalog.BulkProduct, by money.BasisPoints) *catalog.BulkPayload {
		t.Helper()
		got, err := b.ChangePrices(t.Context(), b.merchant, catalog.ChangePricesInput{Shop: b.shop, Products: list, By: by, Rounding: catalog.ToTen})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	// One that cannot be, and none is.
	stale := slices.Clone(all)
	stale[2].Version = p(7)
	got := change(append(stale, catalog.BulkProduct{Product: foreign.ID}, catalog.BulkProduct{Product: tenancy.NewID(tenancy.KindProduct, b.shop.Commune)}), 1000)
	if want := []catalog.RefusalCode{catalog.VersionConflict, catalog.UnknownProduct, catalog.UnknownProduct}; !slices.Equal(codes(got.Refusals), want) || len(got.Products) > 0 {
		t.Errorf("refused: %+v, want %v", got, want)
	}
	if r := got.Refusals[0]; *r.Version != 1 || !slices.Equal(r.Path, []string{"input", "products", "2", "version"}) {
		t.Errorf("the conflict: %+v", r)
	}
	if after := prices(); after != before {
		t.Errorf("prices %s, before %s", after, before)
	}
	got = change(all, 1000)
	if len(got.Refusals) > 0 || len(got.Products) != 5 || got.Products[4].Version != 2 || got.Products[4].ID != all[4].Product {
		t.Errorf("changed: %+v", got)
	}
	if after := prices(); after != "550 550 550 550 550 1420 1420 1420 1420 1420 9999" {
		t.Errorf("prices are %s", after)
	}
	b.Exec(t, `update variants set price_cents = 99000000 where option_value = 'Poche'`)
	if got := change([]catalog.BulkProduct{{Product: all[1].Product}}, 1000); !slices.Equal(codes(got.Refusals), []catalog.RefusalCode{catalog.PriceOutOfRange}) {
		t.Errorf("too dear: %+v", got)
	}
	moved, err := b.MoveProducts(t.Context(), b.merchant, catalog.MoveProductsInput{Shop: b.shop, Products: []catalog.BulkProduct{{Product: all[0].Product}}, Category: catalog.CategoryID("velo")})
	if err != nil || len(moved.Refusals) > 0 || len(b.found(t, "vélos")) != 1 {
		t.Errorf("moved: %v %+v, found %q", err, moved, b.found(t, "vélos"))
	}
	for i := range all {
		all[i].Version = nil
	}
	gone, err := b.ArchiveProducts(t.Context(), b.merchant, catalog.ArchiveProductsInput{Shop: b.shop, Products: all})
	if err != nil || len(gone.Refusals) > 0 || gone.Products[3].Version != 3 || len(b.found(t, "livre")) != 0 {
		t.Errorf("archived: %v %+v", err, gone)
	}
	if n := pgtest.Scan[int](t, b.Database, `select count(*) from variants where published`); n != 0 {
		t.Errorf("%d variants are still public", n)
	}
	if entries := pgtest.Scan[int](t, b.Database, `select count(*) from audit_events`); entries != 0 {
		t.Errorf("a merchant's own changes left %d entries in the audit log", entries)
	}
	admin := fixture.Viewer(t, b.Database, identity.Admin)
	if _, err := b.MoveProducts(t.Context(), admin, catalog.MoveProductsInput{Shop: b.shop, Products: all, Category: catalog.CategoryID("velo")}); err != nil {
		t.Error(err)
	}
	if entry := pgtest.Scan[string](t, b.Database, `select action || ' ' || object from audit_events`); entry != "PRODUCTS_MOVE "+b.shop.String() {
		t.Errorf("the log has %s", entry)
	}
}

// A change of a thousand products lets no order wait for a second.
func TestBulkHoldsNoStockLong(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Crowd)
	b.Exec(t, `insert into products (commune_id, id, shop_id, slug, name, category_id, status, published, created_at, updated_at)
		select $1, gen_random_uuid(), $2, 'p' || i, 'Produit ' || i, 'librairie', 'ACTIVE', true, now(), now() from generate_series(1, 1000) i`, b.shop.Commune, b.shop.Row)
	b.Exec(t, `insert into variants (commune_id, id, product_id, shop_id, position, sku, option_name, option_value, price_cents, vat_rate, stock, published)
		select commune_id, gen_random_uuid(), id, shop_id, k, slug || '-' || k, 'Taille', k::text, 1000, 550, 7, true from products, generate_series(1, 3) k`)
	b.Exec(t, `analyze products, variants, catalog_search`)
	rows, err := b.Migrate.Query(t.Context(), `select id from products`)
	if err != nil {
		t.Fatal(err)
	}
	var all []catalog.BulkProduct
	for rows.Next() {
		id := tenancy.ID{Kind: tenancy.KindProduct, Commune: b.shop.Commune}
		if err := rows.Scan(&id.Row); err != nil {
			t.Fatal(err)
		}
		all = append(all, catalog.BulkProduct{Product: id})
	}
	for name, do := range map[string]func() error{
		"Prices": func() error {
			_, err := b.ChangePrices(t.Context(), b.merchant, catalog.ChangePricesInput{Shop: b.shop, Products: all, By: 500, Rounding: catalog.ToFive})
			return err
		},
		"Archive": func() error {
			got, err := b.ArchiveProducts(t.Context(), b.merchant, catalog.ArchiveProductsInput{Shop: b.shop, Products: all})
			if err == nil && len(got.Products) != 1000 {
				err = fmt.Errorf("%d archived", len(got.Products))
			}
			return err
		},
	} {
		ctx, stop := context.WithCancel(t.Context())
		longest := make(chan time.Duration)
		go func() { // an order's own statement, again and again
			var most time.Duration
			for ctx.Err() == nil {
				start := time.Now()
				if _, err := b.Migrate.Exec(t.Context(), `update variants set stock = stock where id = (select max(id::text)::uuid from variants)`); err != nil {
					t.Error(err)
				}
				most = max(most, time.Since(start))
			}
			longest <- most
		}()
		start := time.Now()
		if err := do(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		took := time.Since(start)
		stop()
		waited := <-longest
		t.Logf("%s took %v, an order waited %v at most", name, took, waited)
		if waited > max(time.Second, took/2) { // on a busy machine all is slow: never the whole time at least
			t.Errorf("%s took %v: an order waited %v", name, took, waited)
		}
	}
}
