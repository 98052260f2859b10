package catalog_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/pg/pgtest"
)

// What the public sees of stock is "at most 5": the version moves with that, and not with each piece
// that is sold. A transaction notes a part once, and one that is rolled back notes nothing.
func TestChangesAreNoted(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	shop := fixture.Shop(t, d, fixture.ShopOpts{})
	product := fixture.Product(t, d, shop, fixture.ProductOpts{Stock: 50})
	variant := product.Variants[0]
	noted := func(do string, args ...any) []string {
		t.Helper()
		last := pgtest.Scan[int64](t, d, `select coalesce(max(id), 0) from published_changes`)
		tx, err := d.Migrate.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for sql := range strings.SplitSeq(do, ";") {
			sql = strings.ReplaceAll(strings.ReplaceAll(sql, "VARIANT", "'"+variant.Row.String()+"'"), "SHOP", "'"+shop.Row.String()+"'")
			if _, err := tx.Exec(t.Context(), sql); err != nil {
				t.Fatal(sql, err)
			}
		}
		if err := tx.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		return pgtest.Scan[[]string](t, d, `select array(select part || ' ' || commune_id from published_changes where id > $1 order by 1)`, last)
	}
	const stock = `update variants set stock = `
	profile, pieces := "PROFILE "+shop.Commune, "AVAILABILITY "+shop.Commune
	for _, c := range []struct {
		do   string
		want []string
	}{
		{stock + `49 where id = VARIANT`, nil},
		{stock + `5 where id = VARIANT`, nil},
		{stock + `4 where id = VARIANT`, []string{pieces}},
		{stock + `1 where id = VARIANT`, []string{pieces}},
		{stock + `0 where id = VARIANT`, []string{pieces}},
		{stock + `1 where id = VARIANT;` + stock + `0 where id = VARIANT`, []string{pieces}},
		{`update variants set price_cents = price_cents + 1 where id = VARIANT`, []string{profile}},
		{`update variants set price_cents = price_cents where id = VARIANT`, nil},
		{`update variants set paused = true where id = VARIANT`, []string{profile}},
		{`update variants set price_cents = price_cents + 1, stock = 3 where id = VARIANT; update shops set name = 'Autre nom' where id = SHOP`, []string{pieces, profile}},
		{`savepoint s; update variants set price_cents = 1 where id = VARIANT; rollback to s`, nil},
		{`savepoint s; update variants set price_cents = 1 where id = VARIANT; rollback to s; update variants set price_cents = 2 where id = VARIANT`, []string{profile}},
		{`update shops set name = name where id = SHOP`, nil},
		{`insert into slots (commune_id, shop_id, mode, starts_at, capacity) values ('` + shop.Commune + `', SHOP, 'PICKUP', '2030-01-01', 2)`, nil},
		{`update slots set booked = 1 where shop_id = SHOP`, nil},
		{`update slots set booked = 2 where shop_id = SHOP`, []string{pieces}},
		{`update slots set booked = 1 where shop_id = SHOP`, []string{pieces}},
		{`delete from slots where shop_id = SHOP`, nil},
		{`insert into closures (commune_id, id, shop_id, starts_at, created_at) values ('` + shop.Commune + `', gen_random_uuid(), SHOP, now(), now())`, []string{profile}},
		{`update communes set current_insee = '56098' where insee = '56069'`, []string{"PROFILE "}},
	} {
		if got := noted(c.do); !slices.Equal(got, c.want) {
			t.Errorf("%s\nnotes %q, want %q", c.do, got, c.want)
		}
	}
}
