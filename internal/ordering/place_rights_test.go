package ordering_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

func TestRowLevelSecurityAlone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	shop, other := fixture.Shop(t, b.Database, fixture.ShopOpts{}), fixture.Shop(t, b.Database, fixture.ShopOpts{})
	product := fixture.Product(t, b.Database, shop, fixture.ProductOpts{Stock: 100})
	customer := fixture.Viewer(t, b.Database, identity.Customer)
	guests, payload := b.place(t, b.visitor, basket(pickup(shop, product.Variants[0])))
	customers, _ := b.place(t, customer, basket(pickup(shop, product.Variants[0])))
	viewers := map[string]struct {
		scope  pg.Scope
		orders int
	}{
		"TheGuest":           {b.guest(t, payload.GuestSecret).Scope(), 1},
		"AnotherGuest":       {b.visitor.GuestOf(tenancy.NewID(tenancy.KindOrder, fixture.Lorient)).Scope(), 0},
		"AForgedCommune":     {b.visitor.GuestOf(guests[0].ID()).Scope().In(fixture.Groix), 0},
		"TheCustomer":        {customer.Scope(), 1},
		"AnotherCustomer":    {fixture.Viewer(t, b.Database, identity.Customer).Scope(), 0},
		"TheMerchant":        {fixture.Viewer(t, b.Database, identity.Merchant, shop).Scope(), 2},
		"AnotherMerchant":    {fixture.Viewer(t, b.Database, identity.Merchant, other).Scope(), 0},
		"TheAgent":           {fixture.Viewer(t, b.Database, identity.Agent, shop).Scope(), 2},
		"AnotherAgent":       {fixture.Viewer(t, b.Database, identity.Agent, tenancy.NewID(tenancy.KindShop, fixture.Groix)).Scope(), 0},
		"NobodyInParticular": {pg.Scope{Role: pg.App}, 0},
	}
	for name, v := range viewers {
		for table, per := range map[string]int{"orders": 1, "order_lines": 1, "order_events": 1} {
			n, err := pg.SelectScalars[int](t.Context(), b.Database.DB, v.scope, `select count(*) from `+table)
			if err != nil {
				t.Fatal(err)
			}
			if n[0] != v.orders*per {
				t.Errorf("%s reads %d rows of %s, not %d", name, n[0], table, v.orders)
			}
		}
		contacts := v.orders
		if name == "TheAgent" {
			contacts = 0
		}
		if n, err := pg.SelectScalars[int](t.Context(), b.Database.DB, v.scope, `select count(*) from order_contacts`); err != nil || n[0] != contacts {
			t.Errorf("%s reads %v contacts, not %d: %v", name, n, contacts, err)
		}
		if v.orders == 0 || name == "TheAgent" {
			n, err := pg.SelectScalars[int](t.Context(), b.Database.DB, v.scope, `with u as (update orders set status = 'CANCELLED' returning 1) select count(*) from u`)
			if err != nil || n[0] != 0 {
				t.Errorf("%s changes %v orders: %v", name, n, err)
			}
		}
	}
	// Keys are their own scope's: neither a customer nor a merchant reads a guest's, and a guest only
	// with the key, which a session does not hold.
	for name, want := range map[string]int{"TheGuest": 0, "AnotherGuest": 0, "TheCustomer": 1, "AnotherCustomer": 0, "TheMerchant": 0, "TheAgent": 0} {
		n, err := pg.SelectScalars[int](t.Context(), b.Database.DB, viewers[name].scope, `select count(*) from idempotency_keys`)
		if err != nil || n[0] != want {
			t.Errorf("%s reads %v keys, not %d: %v", name, n, want, err)
		}
	}
	// Nobody writes what is not its own, nor a column that only placing may write.
	insert := `with x as (insert into orders (commune_id, id, shop_id, number, channel, mode, status, version, customer_id, scope, idempotency_key,
		items_cents, delivery_cents, item_count, pickup_code, placed_at, updated_at)
		select commune_id, gen_random_uuid(), '%s', 'FORGED00', channel, mode, status, version, '%s', scope, 'forged', items_cents, delivery_cents, item_count, 'CCC000', placed_at, updated_at
		from orders limit 1 returning 1) select count(*) from x`
	for name, sql := range map[string]string{
		"TheGuest":    fmt.Sprintf(insert, shop.Row, uuid.Nil),
		"TheCustomer": fmt.Sprintf(insert, shop.Row, uuid.Nil),
		"TheMerchant": fmt.Sprintf(insert, other.Row, uuid.Nil),
		"TheAgent":    fmt.Sprintf(insert, shop.Row, uuid.Nil),
	} {
		if _, err := pg.SelectScalars[int](t.Context(), b.Database.DB, viewers[name].scope, sql); pg.Code(err) != "42501" {
			t.Errorf("%s forged an order: %v", name, err)
		}
		for _, column := range []string{"items_cents = 0", "customer_id = null", "shop_id = shop_id", "pickup_code = 'CCC000'", "placed_at = now()"} {
			n, err := pg.SelectScalars[int](t.Context(), b.Database.DB, viewers[name].scope, `with u as (update orders set `+column+` returning 1) select count(*) from u`)
			if pg.Code(err) != "42501" && !(err == nil && n[0] == 0) {
				t.Errorf("%s may set %s of %v orders: %v", name, column, n, err)
			}
		}
	}
	// Who only reads an order writes nothing beside it.
	beside := map[string]string{
		"line":    `insert into order_lines select commune_id, order_id, 99, $1, name, option_value, quantity, unit_cents, vat_rate from order_lines limit 1`,
		"contact": `insert into order_contacts select commune_id, id, 'Mallory', $1::uuid::text, null from orders limit 1`,
		"event":   `insert into order_events select commune_id, 99, id, 99, shop_id, 'CANCELLED', 'CANCELLED', 'AGENT', $1::uuid::text, now() from orders limit 1`,
	}
	for name, tables := range map[string][]string{"TheAgent": {"line", "contact", "event"}, "TheMerchant": {"line", "contact"}} {
		for _, table := range tables {
			_, err := pg.SelectScalars[int](t.Context(), b.Database.DB, viewers[name].scope, `with x as (`+beside[table]+` returning 1) select count(*) from x`, uuid.Nil)
			if pg.Code(err) != "42501" {
				t.Errorf("%s writes a %s: %v", name, table, err)
			}
		}
	}
	// Nor does who places, beside another's order; its own it may.
	for name, orders := range map[string][2]uuid.UUID{"TheGuest": {guests[0].Row, customers[0].Row}, "TheCustomer": {customers[0].Row, guests[0].Row}} {
		for table, values := range map[string]string{
			"order_lines":    `$1, $2, 99, $3, 'x', '', 1, 1, 2000`,
			"order_contacts": `$1, $2, 'Mallory', $3::uuid::text, null`,
			"order_events":   `$1, 99, $2, 99, $3, 'CANCELLED', 'CANCELLED', 'CUSTOMER', null, now()`,
		} {
			for i, want := range []string{"23", "42501"} { // a key that is taken or unknown: the policy let it through
				_, err := pg.SelectScalars[int](t.Context(), b.Database.DB, viewers[name].scope, `with x as (insert into `+table+` values (`+values+`) returning 1) select count(*) from x`, fixture.Lorient, orders[i], uuid.Nil)
				if code := pg.Code(err); !strings.HasPrefix(code, want) && (err != nil || i > 0) {
					t.Errorf("%s writes into %s of %s order: %v", name, table, [...]string{"its own", "another's"}[i], err)
				}
			}
		}
	}
	for _, table := range []string{"orders", "order_lines", "order_events", "order_contacts", "idempotency_keys", "guest_links", "stock_moves"} {
		if _, err := b.Database.DB.Pool(pg.App).Exec(t.Context(), `delete from `+table); pg.Code(err) != "42501" {
			t.Errorf("halles_app may delete from %s: %v", table, err)
		}
	}
}
