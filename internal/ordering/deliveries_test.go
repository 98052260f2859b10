package ordering_test

import (
	"testing"
	"time"

	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/ordering"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

// What left for delivery is asked after once, a day later, and after three days is taken for
// delivered; what the shop answered is left alone.
func TestDeliveriesEnd(t *testing.T) {
	t.Parallel()
	b := setup(t)
	shop := fixture.Shop(t, b.Database, fixture.ShopOpts{Modes: []directory.FulfilmentMode{directory.Pickup, directory.Delivery}})
	variant := fixture.Product(t, b.Database, shop, fixture.ProductOpts{Stock: 10}).Variants[0]
	merchant := fixture.Viewer(t, b.Database, identity.Merchant, shop)
	b.clock(at(24, 10, 0))
	ids := map[string]tenancy.ID{}
	for _, name := range []string{"forgotten", "arrived", "called off"} {
		in := basket(pickup(shop, variant))
		in.Orders[0].Mode = directory.Delivery
		orders, _ := b.place(t, b.visitor, in)
		ids[name] = orders[0].ID()
		for _, a := range []ordering.Action{ordering.Accept, ordering.MarkReady, ordering.SendOut} {
			if answer, err := b.Do(t.Context(), merchant, a, ordering.ChangeInput{Order: ids[name]}); err != nil || len(answer.Refusals) > 0 {
				t.Fatal(err, answer)
			}
		}
	}
	b.forget(t)
	end := func(now time.Time) {
		t.Helper()
		b.clock(now)
		if err := b.EndDeliveries(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	end(at(25, 9, 59))
	if got := b.queued(t); got != "" {
		t.Errorf("queued before a day: %s", got)
	}
	if _, err := b.Do(t.Context(), merchant, ordering.Deliver, ordering.ChangeInput{Order: ids["arrived"]}); err != nil {
		t.Fatal(err)
	}
	end(at(25, 10, 0))
	end(at(25, 10, 10))
	if got := b.queued(t); got != "mail order_delivered, mail shop_delivery_open, mail shop_delivery_open" {
		t.Errorf("queued after a day: %s", got)
	}
	if _, err := b.Do(t.Context(), merchant, ordering.Cancel, ordering.ChangeInput{Order: ids["called off"], Reason: p(ordering.Unreachable)}); err != nil {
		t.Fatal(err)
	}
	b.forget(t)
	end(at(27, 9, 59))
	if got := b.status(t, ids["forgotten"]); got != "OUT_FOR_DELIVERY" {
		t.Errorf("a minute before three days: %s", got)
	}
	end(at(27, 10, 0))
	end(at(27, 10, 10))
	for name, want := range map[string]string{"forgotten": "DELIVERED", "arrived": "DELIVERED", "called off": "CANCELLED UNREACHABLE"} {
		if got := b.status(t, ids[name]); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if got := b.queued(t); got != "mail order_delivered" {
		t.Errorf("queued after three days: %s", got)
	}
	if last := pgtest.Scan[string](t, b.Database, `select actor || ' ' || kind from order_events where order_id = $1 order by order_seq desc limit 1`, ids["forgotten"].Row); last != "SYSTEM DELIVERED" {
		t.Errorf("the event is %s", last)
	}
	if stock := pgtest.Scan[int](t, b.Database, `select stock from variants where id = $1`, variant.Row); stock != 8 || b.books(t) != 0 {
		t.Errorf("stock %d, %d books open", stock, b.books(t))
	}
}
