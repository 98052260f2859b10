package ordering_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/audelor/halles/internal/calendar"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/ordering"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

// at is a time of the week of Tuesday 24 November 2026, local: shops of the tests are open from
// Monday to Saturday, 09:30–12:30 and 14:00–19:00.
func at(day, hour, minute int) time.Time {
	return time.Date(2026, 11, day, hour, minute, 0, 0, calendar.Paris)
}

// queued lists the messages that wait, in the order in which they were queued: "mail order_placed".
func (b *bench) queued(t *testing.T) string {
	t.Helper()
	return pgtest.Scan[string](t, b.Database, `select coalesce(string_agg(kind || ' ' || (args ->> 'template'), ', ' order by id), '') from river.river_job`)
}

func (b *bench) forget(t *testing.T) {
	t.Helper()
	b.Exec(t, `delete from river.river_job`)
}

// clock sets the time of all that follows.
func (b *bench) clock(now time.Time) { b.Now = func() time.Time { return now } }

func (b *bench) status(t *testing.T, id tenancy.ID) string {
	t.Helper()
	return pgtest.Scan[string](t, b.Database, `select status || coalesce(' ' || reason, '') from orders where commune_id = $1 and id = $2`, id.Commune, id.Row)
}

func (b *bench) escalated(t *testing.T, now time.Time) {
	t.Helper()
	b.clock(now)
	if err := b.Escalate(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// An order that nobody answers: the shop is told again after half an hour in which it was open,
// the hotline is to call after an hour, and after four the order is cancelled.
func TestUnansweredOrderEscalates(t *testing.T) {
	t.Parallel()
	b := setup(t)
	shop := fixture.Shop(t, b.Database, fixture.ShopOpts{})
	variant := fixture.Product(t, b.Database, shop, fixture.ProductOpts{Stock: 10}).Variants[0]
	merchant := fixture.Viewer(t, b.Database, identity.Merchant, shop)
	b.clock(at(23, 20, 0)) // Monday evening, closed
	orders, _ := b.place(t, b.visitor, basket(pickup(shop, variant)))
	id := orders[0].ID()
	answered, _ := b.place(t, b.visitor, basket(pickup(shop, variant)))
	if _, err := b.Do(t.Context(), merchant, ordering.Accept, ordering.ChangeInput{Order: answered[0].ID()}); err != nil {
		t.Fatal(err)
	}
	if got := b.queued(t); got != "mail shop_order_new, mail order_placed, mail shop_order_new, mail order_placed, mail order_accepted" {
		t.Errorf("queued %s", got)
	}
	b.forget(t)
	steps := func() string {
		return pgtest.Scan[string](t, b.Database, `select coalesce(string_agg(step, ' ' order by at, step), '') from order_escalations where order_id = $1`, id.Row)
	}
	for _, c := range []struct {
		now            time.Time
		steps, queued  string
		status, reason string
	}{
		{at(23, 23, 0), "", "", "PLACED", "at night"},
		{at(24, 9, 59), "", "", "PLACED", "29 minutes open"},
		{at(24, 10, 0), "REMINDED", "mail shop_order_reminder, text shop_order_reminder", "PLACED", "30 minutes"},
		{at(24, 10, 1), "REMINDED", "", "PLACED", "once only"},
		{at(24, 10, 30), "REMINDED CALL", "", "PLACED", "an hour"},
		{at(24, 14, 59), "REMINDED CALL", "", "PLACED", "3 h 59 open"},
		{at(24, 15, 0), "REMINDED CALL", "mail order_cancelled, mail shop_order_withdrawn", "CANCELLED NOT_ACKNOWLEDGED", "4 hours"},
		{at(24, 18, 0), "REMINDED CALL", "", "CANCELLED NOT_ACKNOWLEDGED", "it is over"},
	} {
		b.escalated(t, c.now)
		if got := steps(); got != c.steps {
			t.Errorf("%s: steps %q, want %q", c.reason, got, c.steps)
		}
		if got := b.queued(t); got != c.queued {
			t.Errorf("%s: queued %q, want %q", c.reason, got, c.queued)
		}
		if got := b.status(t, id); got != c.status {
			t.Errorf("%s: %s, want %s", c.reason, got, c.status)
		}
		b.forget(t)
	}
	if got := b.status(t, answered[0].ID()); got != "ACCEPTED" {
		t.Errorf("the answered order is %s", got)
	}
	if last := pgtest.Scan[string](t, b.Database, `select actor || ' ' || kind || ' ' || reason from order_events where order_id = $1 order by order_seq desc limit 1`, id.Row); last != "SYSTEM CANCELLED NOT_ACKNOWLEDGED" {
		t.Errorf("the event is %s", last)
	}
	if stock := pgtest.Scan[int](t, b.Database, `select stock from variants where id = $1`, variant.Row); stock != 9 || b.books(t) != 0 {
		t.Errorf("stock %d, %d books open", stock, b.books(t))
	}
}

// While a shop is closed for a day of its own, nobody is expected to answer.
func TestClosureStopsTheClock(t *testing.T) {
	t.Parallel()
	b := setup(t)
	shop := fixture.Shop(t, b.Database, fixture.ShopOpts{})
	b.clock(at(24, 9, 40))
	b.place(t, b.visitor, basket(pickup(shop, fixture.Product(t, b.Database, shop, fixture.ProductOpts{}).Variants[0])))
	b.Exec(t, `insert into closures (commune_id, id, shop_id, starts_at, ends_at, created_at) values ($1, $2, $3, $4, $5, $4)`,
		shop.Commune, tenancy.NewRow(), shop.Row, at(24, 10, 0), at(25, 0, 0))
	for _, c := range []struct {
		now  time.Time
		want int
	}{{at(24, 18, 0), 0}, {at(25, 9, 39), 0}, {at(25, 9, 40), 1}} {
		b.escalated(t, c.now)
		if n := pgtest.Scan[int](t, b.Database, `select count(*) from order_escalations`); n != c.want {
			t.Errorf("%s: %d steps, want %d", c.now, n, c.want)
		}
	}
}

// Where no hours are known all time counts, and a week is the end whatever the hours.
func TestUnansweredWithoutHours(t *testing.T) {
	t.Parallel()
	b := setup(t)
	none, sundays := fixture.Shop(t, b.Database, fixture.ShopOpts{}), fixture.Shop(t, b.Database, fixture.ShopOpts{})
	b.Exec(t, `delete from opening_hours where shop_id in ($1, $2)`, none.Row, sundays.Row)
	b.Exec(t, `insert into opening_hours (commune_id, shop_id, weekday, opens, closes) values ($1, $2, 7, 600, 660)`, sundays.Commune, sundays.Row)
	b.clock(at(24, 22, 0))
	var ids []tenancy.ID
	for _, shop := range []tenancy.ID{none, sundays} {
		orders, _ := b.place(t, b.visitor, basket(pickup(shop, fixture.Product(t, b.Database, shop, fixture.ProductOpts{}).Variants[0])))
		ids = append(ids, orders[0].ID())
	}
	b.escalated(t, at(25, 2, 0))
	if got := b.status(t, ids[0]) + ", " + b.status(t, ids[1]); got != "CANCELLED NOT_ACKNOWLEDGED, PLACED" {
		t.Error(got)
	}
	b.escalated(t, at(24+7, 21, 59))
	if got := b.status(t, ids[1]); got != "PLACED" {
		t.Error(got)
	}
	b.escalated(t, at(24+7, 22, 0))
	if got := b.status(t, ids[1]); got != "CANCELLED NOT_ACKNOWLEDGED" {
		t.Error(got)
	}
}

// The merchant's answer and the end of the wait race: one of them wins, and the stock says which.
func TestAnswerRacesTheEnd(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Crowd)
	shop := fixture.Shop(t, b.Database, fixture.ShopOpts{})
	variant := fixture.Product(t, b.Database, shop, fixture.ProductOpts{Stock: 1_000_000}).Variants[0]
	merchant := fixture.Viewer(t, b.Database, identity.Merchant, shop)
	races := longer(15, 1000)
	accepted := 0
	for range races {
		b.clock(at(24, 10, 0))
		orders, _ := b.place(t, b.visitor, basket(pickup(shop, variant)))
		id := orders[0].ID()
		b.clock(at(24, 18, 0))
		var wait sync.WaitGroup
		wait.Go(func() {
			if err := b.Escalate(t.Context()); err != nil {
				t.Error(err)
			}
		})
		wait.Go(func() {
			if _, err := b.Do(t.Context(), merchant, ordering.Accept, ordering.ChangeInput{Order: id}); err != nil {
				t.Error(err)
			}
		})
		wait.Wait()
		events := pgtest.Scan[string](t, b.Database, `select string_agg(kind, ' ' order by order_seq) from order_events where order_id = $1`, id.Row)
		switch events {
		case "PLACED ACCEPTED":
			accepted++
		case "PLACED CANCELLED":
		default:
			t.Fatalf("its life is %s", events)
		}
	}
	if stock := pgtest.Scan[int](t, b.Database, `select stock from variants where id = $1`, variant.Row); stock != 1_000_000-accepted || b.books(t) != 0 {
		t.Errorf("%d accepted, stock %d, %d books open", accepted, stock, b.books(t))
	}
}

// What is ready waits as long as the shop keeps it.
func TestUncollectedOrderEnds(t *testing.T) {
	t.Parallel()
	b := setup(t)
	week, twoDays := fixture.Shop(t, b.Database, fixture.ShopOpts{}), fixture.Shop(t, b.Database, fixture.ShopOpts{})
	b.Exec(t, `update fulfilments set kept_days = 2 where shop_id = $1`, twoDays.Row)
	merchant := fixture.Viewer(t, b.Database, identity.Merchant, week, twoDays)
	var ids []tenancy.ID
	b.clock(at(20, 10, 0))
	for _, shop := range []tenancy.ID{week, twoDays} {
		orders, _ := b.place(t, b.visitor, basket(pickup(shop, fixture.Product(t, b.Database, shop, fixture.ProductOpts{}).Variants[0])))
		for _, action := range []ordering.Action{ordering.Accept, ordering.MarkReady} {
			if _, err := b.Do(t.Context(), merchant, action, ordering.ChangeInput{Order: orders[0].ID()}); err != nil {
				t.Fatal(err)
			}
		}
		ids = append(ids, orders[0].ID())
	}
	b.forget(t)
	for _, c := range []struct {
		now  time.Time
		want string
	}{
		{at(22, 9, 59), "READY, READY"},
		{at(22, 10, 0), "READY, NO_SHOW NOT_COLLECTED"},
		{at(27, 10, 0), "NO_SHOW NOT_COLLECTED, NO_SHOW NOT_COLLECTED"},
	} {
		b.clock(c.now)
		if err := b.EndUncollected(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := b.status(t, ids[0]) + ", " + b.status(t, ids[1]); got != c.want {
			t.Errorf("%s: %s, want %s", c.now, got, c.want)
		}
	}
	if got := b.queued(t); got != strings.Repeat(", mail order_not_collected", 2)[2:] || b.books(t) != 0 {
		t.Errorf("queued %s, %d books open", got, b.books(t))
	}
}

// Keys and links go when they have expired, and old cursors with them; events stay.
func TestSweep(t *testing.T) {
	t.Parallel()
	b := setup(t)
	shop := fixture.Shop(t, b.Database, fixture.ShopOpts{})
	variant := fixture.Product(t, b.Database, shop, fixture.ProductOpts{}).Variants[0]
	began := at(1, 10, 0)
	for _, placed := range []time.Time{began, began.Add(time.Hour), began.Add(20 * 24 * time.Hour)} {
		b.clock(placed)
		b.place(t, b.visitor, basket(pickup(shop, variant)))
	}
	for _, c := range []struct {
		after               time.Duration
		keys, links, pruned int
	}{
		{time.Minute, 3, 3, 0},
		{72*time.Hour + time.Minute, 2, 3, 0},
		{30*24*time.Hour + 30*time.Minute, 0, 3, 1},
		{60*24*time.Hour + 30*time.Minute, 0, 2, 3},
	} {
		b.clock(began.Add(c.after))
		if err := b.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		keys, links := pgtest.Scan[int](t, b.Database, `select count(*) from idempotency_keys`), pgtest.Scan[int](t, b.Database, `select count(*) from guest_links`)
		pruned := pgtest.Scan[int](t, b.Database, `select pruned from stream_heads where commune_id = $1`, shop.Commune)
		if keys != c.keys || links != c.links || pruned != c.pruned {
			t.Errorf("after %s: %d keys, %d links, pruned to %d; want %d, %d, %d", c.after, keys, links, pruned, c.keys, c.links, c.pruned)
		}
	}
	if n := pgtest.Scan[int](t, b.Database, `select count(*) from order_events`); n != 3 {
		t.Errorf("%d events", n)
	}
}
