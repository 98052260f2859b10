package ordering_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/audelor/halles/internal/calendar"
	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/ordering"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

// paris is a local time as an instant.
func paris(t testing.TB, local string) time.Time {
	t.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04", local, calendar.Paris)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// at has the clock stand still at a local time.
func (b *bench) at(t testing.TB, local string) time.Time {
	t.Helper()
	now := paris(t, local)
	b.Now = func() time.Time { return now }
	return now
}

// inSlot is pickup in the slot that begins at an instant.
func inSlot(start time.Time, s ordering.ShopBasket) ordering.ShopBasket {
	s.Slot = &start
	return s
}

// tried places a basket of one shop: its order, or why there is none.
func (b *bench) tried(t testing.TB, v *identity.Viewer, in ordering.PlaceInput) (*ordering.Order, []ordering.Refusal) {
	t.Helper()
	got, err := b.Place(context.WithoutCancel(t.Context()), v, in)
	if err != nil {
		t.Error(err)
		return nil, nil
	}
	order, err := got.Results[0].Order()
	if err != nil {
		t.Error(err)
	}
	return order, got.Results[0].Refusals
}

// A slot of five, a hundred customers at once, round after round: five have it, all others are told
// that it is full and which is the next; and places given back are taken again, no more.
func TestASlotIsNotOverbooked(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Crowd)
	now := b.at(t, "2020-11-02 08:00")
	shop := fixture.Shop(t, b.Database, fixture.ShopOpts{Slots: 5})
	book := fixture.Product(t, b.Database, shop, fixture.ProductOpts{Stock: 100_000})
	merchant := fixture.Viewer(t, b.Database, identity.Merchant, shop)
	const clients = 100
	rounds := longer(2, 200)
	slots := slotsFrom(t, b, shop, now)
	for round := range rounds {
		slot := slots[round%len(slots)]
		var placed, refused atomic.Int64
		orders := make([]*ordering.Order, clients)
		together(clients, func(i int) {
			order, refusals := b.tried(t, b.visitor, basket(inSlot(slot, pickup(shop, book.Variants[0]))))
			switch {
			case order != nil:
				placed.Add(1)
				orders[i] = order
				if got := order.Slot(); got == nil || !got.Start.Equal(slot) || got.End.Sub(got.Start) != 30*time.Minute {
					t.Errorf("the order is for %v", got)
				}
			case len(refusals) == 1 && refusals[0].Code == ordering.SlotFull && refusals[0].Next != nil && !refusals[0].Next.Start.Equal(slot):
				refused.Add(1)
			default:
				t.Errorf("refused otherwise: %+v", refusals)
			}
		})
		if placed.Load() != 5 || refused.Load() != clients-5 {
			t.Fatalf("round %d: %d placed, %d told that it is full", round, placed.Load(), refused.Load())
		}
		// All five are rejected twice over, at once: each place comes back once.
		together(clients, func(i int) {
			if o := orders[i]; o != nil {
				together(2, func(int) {
					if _, err := b.Do(context.WithoutCancel(t.Context()), merchant, ordering.Reject, ordering.ChangeInput{Order: o.ID(), Reason: p(ordering.TooBusy)}); err != nil {
						t.Error(err)
					}
				})
			}
		})
		if differ, over := b.overbooked(t); differ+over > 0 {
			t.Fatalf("round %d: %d slots differ from their orders, %d overbooked", round, differ, over)
		}
	}
	if n := b.books(t); n > 0 {
		t.Errorf("%d variants differ from their ledger", n)
	}
	if err := b.ReconcileSlots(t.Context()); err != nil {
		t.Error(err)
	}
	b.Exec(t, `update slots set booked = booked + 1 where starts_at = $1`, slots[0])
	if err := b.ReconcileSlots(t.Context()); err == nil || !strings.Contains(err.Error(), "1 slots differ") || !strings.Contains(err.Error(), "counts 1, its orders are 0") {
		t.Errorf("the difference is not told: %v", err)
	}
	t.Logf("%d rounds of %d clients: 0 overbooked", rounds, clients)

	// Slots go 400 days after they began, of two weeks in the long form, and no difference is made of it.
	b.Exec(t, `update slots set booked = booked - 1 where starts_at = $1`, slots[0])
	all := pgtest.Scan[int](t, b.Database, `select count(*) from slots`)
	for _, c := range []struct{ days, left int }{{399, all}, {416, 0}} {
		later := now.AddDate(0, 0, c.days)
		b.Now = func() time.Time { return later }
		if err := errors.Join(b.PruneSlots(t.Context()), b.ReconcileSlots(t.Context())); err != nil {
			t.Error(err)
		}
		if n := pgtest.Scan[int](t, b.Database, `select count(*) from slots`); n != c.left {
			t.Errorf("after %d days %d of %d slots are left", c.days, n, all)
		}
	}
}

// slotsFrom are the starts of the shop's pickup slots that can be booked.
func slotsFrom(t testing.TB, b *bench, shop tenancy.ID, now time.Time) []time.Time {
	t.Helper()
	calendars, err := directory.CalendarsIn(t.Context(), b.Database.DB, b.visitor.Scope(), []tenancy.ID{shop}, now)
	if err != nil {
		t.Fatal(err)
	}
	list, err := b.SlotsOf(calendars[shop], nil, directory.Pickup, nil, nil, 100)
	if err != nil {
		t.Fatal(err)
	}
	var open []time.Time
	for _, s := range list {
		if s.Refusal == nil {
			open = append(open, s.Start)
		}
	}
	return open
}

// Each slot that cannot be had is refused with its reason, in words that name the next one, and
// nothing changes.
func TestSlotRefusals(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.at(t, "2020-11-09 11:00") // Monday; Wednesday is Armistice Day
	shop := fixture.Shop(t, b.Database, fixture.ShopOpts{Slots: 1})
	other := fixture.Shop(t, b.Database, fixture.ShopOpts{})
	book, lamp := fixture.Product(t, b.Database, shop, fixture.ProductOpts{}), fixture.Product(t, b.Database, other, fixture.ProductOpts{})
	b.Exec(t, `update fulfilments set cut_off = 600 where shop_id = $1`, shop.Row) // 10:00
	b.Exec(t, `insert into opening_hours (commune_id, shop_id, weekday, opens, closes) values ($1, $2, 7, 560, 600)`, other.Commune, other.Row)
	b.Exec(t, `insert into closures (commune_id, id, shop_id, starts_at, ends_at, created_at) values ($1, $2, $3, $4, $5, $4)`,
		shop.Commune, tenancy.NewRow(), shop.Row, paris(t, "2020-11-13 00:00"), paris(t, "2020-11-14 00:00"))
	b.Exec(t, `insert into restrictions (commune_id, id, rank, title, starts_at, ends_at, naf_version, visitors, pickup, delivery, declared_as, declared_at)
		values ($1, $2, 'MAYOR', 'arrêté', $3, $4, 'REV2', true, false, true, 'ADMIN', $3)`, shop.Commune, tenancy.NewRow(), paris(t, "2020-11-14 00:00"), paris(t, "2020-11-14 12:00"))
	merchant := fixture.Viewer(t, b.Database, identity.Merchant, shop)
	if _, err := b.CloseSlot(t.Context(), merchant, ordering.SlotInput{Shop: shop, Mode: directory.Pickup, Start: paris(t, "2020-11-12 10:00")}); err != nil {
		t.Fatal(err)
	}
	b.place(t, b.visitor, basket(inSlot(paris(t, "2020-11-12 10:30"), pickup(shop, book.Variants[0]))))
	for name, c := range map[string]struct {
		basket ordering.ShopBasket
		code   ordering.RefusalCode
		next   string
	}{
		"None":           {pickup(shop, book.Variants[0]), ordering.SlotRequired, "2020-11-10 09:30"},
		"Past":           {inSlot(paris(t, "2020-11-09 09:30"), pickup(shop, book.Variants[0])), ordering.SlotPast, "2020-11-10 09:30"},
		"LongPast":       {inSlot(paris(t, "2020-01-09 09:30"), pickup(shop, book.Variants[0])), ordering.SlotPast, "2020-11-10 09:30"},
		"TooFar":         {inSlot(paris(t, "2021-11-09 09:30"), pickup(shop, book.Variants[0])), ordering.BeyondHorizon, "2020-11-10 09:30"},
		"CutOff":         {inSlot(paris(t, "2020-11-09 15:00"), pickup(shop, book.Variants[0])), ordering.PastCutOff, "2020-11-10 09:30"},
		"BetweenTwo":     {inSlot(paris(t, "2020-11-09 11:50"), pickup(other, lamp.Variants[0])), ordering.NoSuchSlot, "2020-11-09 12:00"},
		"TooSoon":        {inSlot(paris(t, "2020-11-09 11:30"), pickup(other, lamp.Variants[0])), ordering.TooSoon, "2020-11-09 12:00"},
		"OthersShops":    {inSlot(paris(t, "2020-11-15 09:20"), pickup(shop, book.Variants[0])), ordering.OutOfHours, "2020-11-16 09:30"},
		"OffTheGrid":     {inSlot(paris(t, "2020-11-10 09:31"), pickup(shop, book.Variants[0])), ordering.NoSuchSlot, "2020-11-10 10:00"},
		"AtNight":        {inSlot(paris(t, "2020-11-10 03:00"), pickup(shop, book.Variants[0])), ordering.OutOfHours, "2020-11-10 09:30"},
		"Holiday":        {inSlot(paris(t, "2020-11-11 10:00"), pickup(shop, book.Variants[0])), ordering.OnHoliday, "2020-11-12 09:30"},
		"InAClosure":     {inSlot(paris(t, "2020-11-13 10:00"), pickup(shop, book.Variants[0])), ordering.ShopInClosure, "2020-11-14 12:00"},
		"InARestriction": {inSlot(paris(t, "2020-11-14 10:00"), pickup(shop, book.Variants[0])), ordering.Restricted, "2020-11-14 12:00"},
		"ClosedSlot":     {inSlot(paris(t, "2020-11-12 10:00"), pickup(shop, book.Variants[0])), ordering.SlotClosed, "2020-11-12 11:00"},
		"Full":           {inSlot(paris(t, "2020-11-12 10:30"), pickup(shop, book.Variants[0])), ordering.SlotFull, "2020-11-12 11:00"},
	} {
		before := b.fingerprint(t)
		order, refusals := b.tried(t, b.visitor, basket(c.basket))
		if order != nil || len(refusals) != 1 || refusals[0].Code != c.code {
			t.Errorf("%s: %v %+v", name, order, refusals)
			continue
		}
		r := refusals[0]
		if r.Next == nil || !r.Next.Start.Equal(paris(t, c.next)) || !strings.Contains(r.Message, "Prochaine possibilité") || r.Path[len(r.Path)-1] != "slot" {
			t.Errorf("%s: %q at %v, next %v", name, r.Message, r.Path, r.Next)
		}
		if b.fingerprint(t) != before {
			t.Errorf("%s: something changed", name)
		}
		next := c.basket
		next.Slot = &r.Next.Start
		if order, refusals := b.tried(t, b.visitor, basket(next)); order == nil {
			t.Errorf("%s: the way on is refused: %+v", name, refusals)
		} else if _, err := b.Do(t.Context(), merchant, ordering.Reject, ordering.ChangeInput{Order: order.ID()}); err != nil && order.ShopID() == shop {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A slot takes what its shop says: the usual number, which changes with the shop's; its own; none
// when it is closed. Orders over it are told and stay.
func TestSlotCapacity(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.at(t, "2020-11-09 08:00")
	shop := fixture.Shop(t, b.Database, fixture.ShopOpts{Slots: 3})
	book := fixture.Product(t, b.Database, shop, fixture.ProductOpts{Stock: 100})
	merchant, stranger := fixture.Viewer(t, b.Database, identity.Merchant, shop), fixture.Viewer(t, b.Database, identity.Merchant, fixture.Shop(t, b.Database, fixture.ShopOpts{}))
	agent := fixture.Viewer(t, b.Database, identity.Agent, shop)
	slot := paris(t, "2020-11-10 10:00")
	book1 := func() *ordering.Order {
		order, _ := b.tried(t, b.visitor, basket(inSlot(slot, pickup(shop, book.Variants[0]))))
		return order
	}
	in := ordering.SlotInput{Shop: shop, Mode: directory.Pickup, Start: slot}
	capacity := func(n *int) *ordering.SlotPayload {
		t.Helper()
		got, err := b.SetSlotCapacity(t.Context(), merchant, ordering.SlotCapacityInput{Shop: shop, Mode: directory.Pickup, Start: slot, Capacity: n})
		if err != nil || len(got.Refusals) > 0 {
			t.Fatal(err, got)
		}
		return got
	}
	var orders []*ordering.Order
	for range 4 {
		orders = append(orders, book1())
	}
	if orders[2] == nil || orders[3] != nil {
		t.Fatalf("of a slot of three: %v", orders)
	}
	// Fewer: those placed last are told, and stay.
	if got := capacity(p(1)); len(got.Conflicts) != 2 || *got.Slot.Booked != 3 || *got.Slot.Capacity != 1 || got.Slot.Refusal == nil {
		t.Errorf("one place: %d conflicts, %+v", len(got.Conflicts), got.Slot)
	}
	// More than usual, and the usual number again.
	if capacity(p(4)); book1() == nil || book1() != nil {
		t.Error("a slot of four took another number than one more")
	}
	if got := capacity(nil); len(got.Conflicts) != 1 || *got.Slot.Capacity != 3 {
		t.Errorf("the usual number again: %+v", got)
	}
	// What is usual changes.
	b.Exec(t, `update fulfilments set slot_capacity = 5 where shop_id = $1`, shop.Row)
	if book1() == nil || book1() != nil {
		t.Error("a slot does not follow the usual number")
	}
	got, err := b.CloseSlot(t.Context(), merchant, in)
	if err != nil || len(got.Conflicts) != 5 || got.Slot.Refusal == nil || got.Slot.Refusal.Code != calendar.SlotClosed || book1() != nil {
		t.Errorf("closed: %v %+v", err, got)
	}
	affected, err := b.AffectedOf(t.Context(), merchant, []tenancy.ID{shop}, 10)
	if err != nil || len(affected[shop]) != 5 || affected[shop][0].Refusal.Code != calendar.SlotClosed {
		t.Errorf("affected by it: %v %v", err, affected[shop])
	}
	audited := func() int { return pgtest.Scan[int](t, b.Database, `select count(*) from audit_events`) }
	if got, err = b.ReopenSlot(t.Context(), agent, in); err != nil || got.Slot.Refusal == nil || got.Slot.Refusal.Code != calendar.Full || audited() != 1 {
		t.Errorf("opened again by an agent: %v %+v, %d entries", err, got, audited())
	}
	if _, err = b.ReopenSlot(t.Context(), agent, in); err != nil || audited() != 1 {
		t.Errorf("twice: %v, %d entries", err, audited())
	}
	for name, c := range map[string]struct {
		v    *identity.Viewer
		in   ordering.SlotInput
		want string
	}{
		"Stranger": {stranger, in, "FORBIDDEN"},
		"Visitor":  {b.visitor, in, "UNAUTHENTICATED"},
		"NoSlot":   {merchant, ordering.SlotInput{Shop: shop, Mode: directory.Pickup, Start: slot.Add(time.Minute)}, "NO_SUCH_SLOT"},
		"Past":     {merchant, ordering.SlotInput{Shop: shop, Mode: directory.Pickup, Start: paris(t, "2020-11-07 10:00")}, "PAST"},
		"NoMode":   {merchant, ordering.SlotInput{Shop: shop, Mode: directory.Delivery, Start: slot}, "MODE_NOT_OFFERED"},
	} {
		before := b.fingerprint(t)
		got, err := b.CloseSlot(t.Context(), c.v, c.in)
		said := ""
		if err == nil && len(got.Refusals) == 1 {
			said = string(got.Refusals[0].Code)
		}
		if err != nil {
			said = err.Error()
		}
		if !strings.Contains(strings.ToUpper(said), c.want) && !(err != nil && string(fault.Of(err).Kind) == c.want) || b.fingerprint(t) != before {
			t.Errorf("%s: %q", name, said)
		}
	}
	if differ, _ := b.overbooked(t); differ > 0 {
		t.Errorf("%d slots differ from their orders", differ)
	}
}

// A customer and a guest give their place back, also at a shop that is no longer published.
func TestAPlaceComesBack(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.at(t, "2020-11-09 08:00")
	shop := fixture.Shop(t, b.Database, fixture.ShopOpts{Slots: 2})
	book := fixture.Product(t, b.Database, shop, fixture.ProductOpts{})
	slot := paris(t, "2020-11-10 10:00")
	customer := fixture.Viewer(t, b.Database, identity.Customer)
	own, _ := b.place(t, customer, basket(inSlot(slot, pickup(shop, book.Variants[0]))))
	guests, _ := b.place(t, b.visitor, basket(inSlot(slot, pickup(shop, book.Variants[0]))))
	b.Exec(t, `update shops set status = 'SUSPENDED' where id = $1`, shop.Row)
	for v, order := range map[*identity.Viewer]*ordering.Order{customer: own[0], b.visitor.GuestOf(guests[0].ID()): guests[0]} {
		if got, err := b.Do(t.Context(), v, ordering.Cancel, ordering.ChangeInput{Order: order.ID(), Reason: p(ordering.ChangedMind)}); err != nil || len(got.Refusals) > 0 {
			t.Fatal(err, got)
		}
	}
	if booked := pgtest.Scan[int](t, b.Database, `select booked from slots`); booked != 0 {
		t.Errorf("%d places are still taken", booked)
	}
}
