package ordering_test

import (
	"testing"
	"time"

	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/ordering"
)

// A process that knows a shop's calendar asks for it no more, and still the first order after a change
// is judged by the change: one that was committed, one that was under way when the calendar was read,
// and one that takes back what another did.
func TestKnownShops(t *testing.T) {
	t.Parallel()
	b := setup(t)
	shop := fixture.Shop(t, b.Database, fixture.ShopOpts{Modes: []directory.FulfilmentMode{directory.Pickup, directory.Delivery}})
	product := fixture.Product(t, b.Database, shop, fixture.ProductOpts{Stock: 100_000})
	place := func() ordering.RefusalCode {
		t.Helper()
		payload, err := b.Place(t.Context(), b.visitor, basket(pickup(shop, product.Variants...)))
		if err != nil {
			t.Fatal(err)
		}
		if r := payload.Results[0].Refusals; len(r) > 0 {
			return r[0].Code
		}
		return ""
	}
	count := b.Statements()
	if code := place(); code != "" {
		t.Fatal(code)
	}
	first := count()
	// The fixtures were changes themselves, and count as such while a transaction is under way that is older,
	// be it another test's.
	for end := time.Now().Add(time.Minute); ; {
		count = b.Statements()
		if code := place(); code != "" {
			t.Fatal(code)
		}
		n := count()
		if n == first-1 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("an order at a shop that is known takes %d statements, the first took %d", n, first)
		}
	}

	for _, c := range []struct {
		name, change, back string
		want               ordering.RefusalCode
	}{
		{"Closed", `insert into closures (commune_id, id, shop_id, starts_at, created_at) values ('` + shop.Commune + `', gen_random_uuid(), $1, now() - interval '1 hour', now())`, `delete from closures where shop_id = $1`, ordering.ShopInClosure},
		{"Paused", `insert into commune_settings (commune_id, version, paused_at, pause_text, updated_at) select commune_id, 1, now(), 'Travaux.', now() from shops where id = $1`, `update commune_settings set paused_at = null, pause_text = null where $1::uuid is not null`, ordering.OrdersPaused},
		{"Withdrawn", `update shops set status = 'SUSPENDED' where id = $1`, `update shops set status = 'PUBLISHED' where id = $1`, ordering.ShopUnavailable},
		{"Dearer", `update fulfilments set minimum_cents = 1000000 where shop_id = $1 and mode = 'PICKUP'`, `update fulfilments set minimum_cents = 0 where shop_id = $1 and mode = 'PICKUP'`, ordering.BelowMinimum},
		{"BySlot", `update fulfilments set slot_capacity = 1 where shop_id = $1 and mode = 'PICKUP'`, `update fulfilments set slot_capacity = null where shop_id = $1 and mode = 'PICKUP'`, ordering.SlotRequired},
	} {
		t.Run(c.name, func(t *testing.T) {
			b.Exec(t, c.change, shop.Row)
			if code := place(); code != c.want {
				t.Errorf("after the change: %q, want %q", code, c.want)
			}
			b.Exec(t, c.back, shop.Row)
			if code := place(); code != "" {
				t.Errorf("after it was taken back: %q", code)
			}
		})
	}

	// Begun before the calendar is read, with a number before many that are seen, and committed after.
	under, err := b.Migrate.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = under.Rollback(t.Context()) }()
	if _, err := under.Exec(t.Context(), `update fulfilments set minimum_cents = 1000000 where shop_id = $1 and mode = 'PICKUP'`, shop.Row); err != nil {
		t.Fatal(err)
	}
	fixture.Shop(t, b.Database, fixture.ShopOpts{}) // a change that is seen: all is read again
	for range 2 {
		if code := place(); code != "" {
			t.Fatal(code)
		}
	}
	if err := under.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if code := place(); code != ordering.BelowMinimum {
		t.Errorf("after a change that was under way: %q", code)
	}
}
