package ordering_test

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/ordering"
	"github.com/audelor/halles/internal/pg/pgtest"
)

// An order moves to another slot by who may, while it may; both slots are right, the event is written
// and both sides are told.
func TestMove(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.at(t, "2020-11-09 08:00")
	shop := fixture.Shop(t, b.Database, fixture.ShopOpts{Slots: 1})
	book := fixture.Product(t, b.Database, shop, fixture.ProductOpts{})
	merchant, hotline := fixture.Viewer(t, b.Database, identity.Merchant, shop), fixture.Viewer(t, b.Database, identity.Hotline)
	agent, admin := fixture.Viewer(t, b.Database, identity.Agent, shop), fixture.Viewer(t, b.Database, identity.Admin)
	ten, eleven, noon := paris(t, "2020-11-09 10:00"), paris(t, "2020-11-09 11:00"), paris(t, "2020-11-09 12:00")
	placed, _ := b.place(t, b.visitor, basket(inSlot(ten, pickup(shop, book.Variants[0]))))
	b.place(t, b.visitor, basket(inSlot(eleven, pickup(shop, book.Variants[0]))))
	order := placed[0]
	guest := b.visitor.GuestOf(order.ID())
	version := order.Version
	for _, c := range []struct {
		name   string
		v      *identity.Viewer
		to     time.Time
		status ordering.Status // of the order, before
		want   string          // "" it moves; "=" it has the slot already
	}{
		{"Full", guest, eleven, ordering.Placed, "FULL"},
		{"Past", guest, paris(t, "2020-11-07 10:00"), ordering.Placed, "PAST"},
		{"OffTheGrid", guest, ten.Add(time.Minute), ordering.Placed, "NO_SUCH_SLOT"},
		{"TooSoon", guest, paris(t, "2020-11-09 09:30"), ordering.Placed, ""},
		{"Guest", guest, noon, ordering.Placed, ""},
		{"Again", guest, noon, ordering.Placed, "="},
		{"Hotline", hotline, ten, ordering.Placed, ""},
		{"Agent", agent, noon, ordering.Placed, "FORBIDDEN"},
		{"Admin", admin, noon, ordering.Placed, "FORBIDDEN"},
		{"GuestOfAnAccepted", guest, noon, ordering.Accepted, "ILLEGAL_TRANSITION"},
		{"Merchant", merchant, noon, ordering.Accepted, ""},
		{"MerchantOfAReady", merchant, ten, ordering.Ready, ""},
		{"MerchantOfACollected", merchant, noon, ordering.Collected, "ILLEGAL_TRANSITION"},
	} {
		b.Exec(t, `update orders set status = $2 where id = $1`, order.Row, string(c.status))
		b.Exec(t, `truncate river.river_job`)
		before := b.fingerprint(t)
		got, err := b.Move(t.Context(), c.v, ordering.MoveInput{Order: order.ID(), Slot: c.to})
		said := ""
		switch {
		case err != nil:
			if f := fault.Of(err); f != nil {
				said = string(f.Kind)
			} else {
				t.Fatalf("%s: %v", c.name, err)
			}
		case len(got.Refusals) > 0:
			said = string(got.Refusals[0].Code)
		}
		if c.want == "" || c.want == "=" {
			if said != "" || !got.Order.Slot().Start.Equal(c.to) || got.Order.Status != c.status {
				t.Fatalf("%s: %s %v", c.name, said, err)
			}
		} else if said != c.want {
			t.Errorf("%s: %q, want %s", c.name, said, c.want)
		}
		if c.want != "" {
			if b.fingerprint(t) != before {
				t.Errorf("%s: something changed", c.name)
			}
			continue
		}
		version++
		if got.Order.Version != version || pgtest.Scan[string](t, b.Database, `select kind || ' ' || status from order_events where order_id = $1 order by order_seq desc limit 1`, order.Row) != "MOVED "+string(c.status) {
			t.Errorf("%s: version %d, no event", c.name, got.Order.Version)
		}
		told := pgtest.Scan[int](t, b.Database, `select count(*) from river.river_job where args->>'template' in ('order_moved', 'shop_order_moved')`)
		if want := map[bool]int{true: 1, false: 2}[c.v == merchant]; told != want {
			t.Errorf("%s: %d are told, want %d", c.name, told, want)
		}
		if differ, over := b.overbooked(t); differ+over > 0 {
			t.Fatalf("%s: %d slots differ, %d overbooked", c.name, differ, over)
		}
	}
	if n := pgtest.Scan[int](t, b.Database, `select count(*) from audit_events where action = 'ORDER_MOVE'`); n != 1 {
		t.Errorf("%d entries of the hotline's move", n)
	}
	// The shop does not mind its own lead time; a guest does.
	b.at(t, "2020-11-09 09:45")
	b.Exec(t, `update orders set status = 'PLACED' where id = $1`, order.Row)
	half := paris(t, "2020-11-09 10:30")
	if got, err := b.Move(t.Context(), guest, ordering.MoveInput{Order: order.ID(), Slot: half}); err != nil || len(got.Refusals) != 1 || got.Refusals[0].Code != ordering.TooSoon || got.Refusals[0].Next == nil {
		t.Errorf("a guest, too soon: %v %v", err, got)
	}
	if got, err := b.Move(t.Context(), merchant, ordering.MoveInput{Order: order.ID(), Slot: half}); err != nil || len(got.Refusals) != 0 {
		t.Errorf("the shop, in a hurry: %v %v", err, got)
	}
}

// Orders that move, come and go at once leave every slot right, and wait in no circle.
func TestMovesDoNotOverbook(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Crowd)
	now := b.at(t, "2020-11-09 08:00")
	shop := fixture.Shop(t, b.Database, fixture.ShopOpts{Slots: 4})
	book := fixture.Product(t, b.Database, shop, fixture.ProductOpts{Stock: 10_000, Variants: 2})
	merchant := fixture.Viewer(t, b.Database, identity.Merchant, shop)
	slots := slotsFrom(t, b, shop, now)[:6]
	before := b.deadlocks(t)
	moves := longer(4, 200)
	together(16, func(i int) {
		r := rand.New(rand.NewPCG(uint64(i), 3))
		for range moves {
			order, _ := b.tried(t, b.visitor, basket(inSlot(slots[r.IntN(len(slots))], pickup(shop, book.Variants...))))
			if order == nil {
				continue // full
			}
			for range 2 {
				if _, err := b.Move(context.WithoutCancel(t.Context()), merchant, ordering.MoveInput{Order: order.ID(), Slot: slots[r.IntN(len(slots))]}); err != nil {
					t.Error(err)
				}
			}
			if r.IntN(8) > 0 {
				if _, err := b.Do(context.WithoutCancel(t.Context()), merchant, ordering.Reject, ordering.ChangeInput{Order: order.ID()}); err != nil {
					t.Error(err)
				}
			}
		}
	})
	differ, over := b.overbooked(t)
	moved := pgtest.Scan[int](t, b.Database, `select count(*) from order_events where kind = 'MOVED'`)
	if differ+over > 0 || b.books(t) > 0 || b.deadlocks(t) > before || moved == 0 {
		t.Errorf("%d slots differ from their orders, %d are overbooked, %d deadlocks, %d moves", differ, over, b.deadlocks(t)-before, moved)
	}
	t.Logf("%d moves among placing and rejecting: 0 overbooked, 0 deadlocks", moved)
}
