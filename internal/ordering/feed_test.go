package ordering_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/ordering"
	"github.com/audelor/halles/internal/page"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

// newFeed runs a feed as one server process would, with pools of its own, until the test ends.
func newFeed(t testing.TB, d *pgtest.Database, listenURL string, change ...func(*ordering.Feed)) *ordering.Feed {
	t.Helper()
	db, err := pg.Open(context.Background(), d.Options)
	if err != nil {
		t.Fatal(err)
	}
	f := ordering.NewFeed(db, listenURL, page.NewSealer(fixture.Secret), slog.New(slog.DiscardHandler))
	for _, c := range change {
		c(f)
	}
	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		_ = f.Run(ctx)
	}()
	t.Cleanup(func() {
		stop()
		<-stopped
		db.Close()
	})
	return f
}

// placed writes an order with its first event, as Place does last.
func placed(t testing.TB, d *pgtest.Database, shop tenancy.ID, customer *uuid.UUID) tenancy.ID {
	t.Helper()
	id := tenancy.NewID(tenancy.KindOrder, shop.Commune)
	err := pgx.BeginFunc(context.Background(), d.Migrate, func(tx pgx.Tx) error {
		_, err := tx.Exec(context.Background(), `
			insert into orders (commune_id, id, shop_id, number, channel, mode, status, version, customer_id, scope,
				idempotency_key, items_cents, delivery_cents, item_count, pickup_code, placed_at, updated_at)
			values ($1, $2, $3, $2::uuid::text, 'WEB', 'PICKUP', 'PLACED', 1, $4, 'test', $2::uuid::text, 100, 0, 1, upper(substr(md5($2::uuid::text), 1, 6)), now(), now())`,
			id.Commune, id.Row, shop.Row, customer)
		if err != nil {
			return err
		}
		return ordering.AppendEventTx(context.Background(), tx, &ordering.Event{
			CommuneID: id.Commune, OrderRow: id.Row, OrderSeq: 1, ShopRow: shop.Row,
			Kind: "PLACED", Status: ordering.Placed, Actor: ordering.ByCustomer, At: time.Now(),
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// moved changes an order's status, with its event.
func moved(t testing.TB, d *pgtest.Database, order tenancy.ID, to ordering.Status) {
	t.Helper()
	err := pgx.BeginFunc(context.Background(), d.Migrate, func(tx pgx.Tx) error {
		e := ordering.Event{CommuneID: order.Commune, OrderRow: order.Row, Kind: ordering.EventKind(to), Status: to, Actor: ordering.ByMerchant, At: time.Now()}
		err := tx.QueryRow(context.Background(), `
			update orders set status = $3, version = version + 1 where commune_id = $1 and id = $2 returning version, shop_id`,
			order.Commune, order.Row, to).Scan(&e.OrderSeq, &e.ShopRow)
		if err != nil {
			return err
		}
		return ordering.AppendEventTx(context.Background(), tx, &e)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// seen is an event as far as these tests compare it.
func seen(e *ordering.Event) string {
	return fmt.Sprintf("%s %04d %s %d %s", e.CommuneID, e.Seq, e.OrderRow, e.OrderSeq, e.Status)
}

// patience is how long anything may take, on whatever machine.
const patience = time.Minute

// next is the stream's next event.
func next(t testing.TB, s *ordering.Stream) *ordering.Event {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	e, ok := s.Next(ctx)
	switch {
	case ctx.Err() != nil:
		t.Fatal("no event comes")
	case !ok:
		t.Fatalf("the stream ended: %v", s.Err())
	}
	return e
}

// silent fails when the stream has something to say.
func silent(t testing.TB, s *ordering.Stream) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 150*time.Millisecond)
	defer cancel()
	if e, ok := s.Next(ctx); ok || ctx.Err() == nil {
		t.Fatalf("unexpected: %v, %v", e, ok)
	}
}

func wantFault(t testing.TB, err error, kind fault.Kind) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Errorf("got %v, want %s", err, kind)
	}
}

// wantEnd reads the stream out and compares why it ended.
func wantEnd(t testing.TB, s *ordering.Stream, kind fault.Kind) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for range s.Events(ctx) {
	}
	if ctx.Err() != nil {
		t.Fatal("the stream goes on")
	}
	wantFault(t, s.Err(), kind)
}

// What a second process changed arrives here: by NOTIFY alone, and where that is lost, by the poll.
func TestEventsCrossProcesses(t *testing.T) {
	t.Parallel()
	for name, listens := range map[string]bool{"ByNotify": true, "ByPollAlone": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := pgtest.New(t)
			url := ""
			if listens {
				url = d.URL(pg.Listen)
			}
			deaf := func(f *ordering.Feed) {
				if listens {
					f.PollNever()
				}
			}
			here, there := newFeed(t, d, url, deaf), newFeed(t, d, url, deaf)
			shop := fixture.Shop(t, d, fixture.ShopOpts{})
			v := fixture.Viewer(t, d, identity.Merchant, shop)
			s, err := here.ShopOrders(t.Context(), v, []tenancy.ID{shop}, nil)
			if err != nil {
				t.Fatal(err)
			}
			var took []time.Duration
			for range 5 { // the listener reads what it may have missed once, when it connects
				began := time.Now()
				order := placed(t, d, shop, nil)
				there.Wake(shop.Commune)
				if e := next(t, s); e.OrderID() != order {
					t.Fatalf("another order: %v", e)
				}
				took = append(took, time.Since(began))
			}
			slices.Sort(took)
			t.Logf("of 5, the middle one took %v, the longest %v", took[2], took[4])
		})
	}
}

// Each subscription starts with the present state and goes on without a seam.
func TestPresentStateThenEvents(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	f := newFeed(t, d, "")
	lorient, groix := fixture.Shop(t, d, fixture.ShopOpts{}), fixture.Shop(t, d, fixture.ShopOpts{Commune: fixture.Groix})
	other := fixture.Shop(t, d, fixture.ShopOpts{})
	v := fixture.Viewer(t, d, identity.Merchant, lorient, groix)
	first, done, second := placed(t, d, lorient, nil), placed(t, d, lorient, nil), placed(t, d, groix, nil)
	placed(t, d, other, nil)
	moved(t, d, done, ordering.Collected)
	moved(t, d, first, ordering.Accepted)
	shops := []tenancy.ID{lorient, groix}
	s, err := f.ShopOrders(t.Context(), v, shops, nil)
	if err != nil {
		t.Fatal(err)
	}
	// Open orders only, their last event only, the oldest event first, over both communes.
	one, two := next(t, s), next(t, s)
	if one.OrderID() != second || two.OrderID() != first || two.Status != ordering.Accepted {
		t.Errorf("present state: %s, %s", seen(one), seen(two))
	}
	placed(t, d, other, nil) // is not for this viewer
	moved(t, d, second, ordering.Accepted)
	f.Wake(fixture.Groix, fixture.Lorient)
	if e := next(t, s); e.OrderID() != second || e.OrderSeq != 2 {
		t.Errorf("then: %s", seen(e))
	}

	// Cut off amid the present state, the reader gets its rest, and what came since.
	moved(t, d, first, ordering.Ready)
	s, err = f.ShopOrders(t.Context(), v, shops, &one.Cursor)
	if err != nil {
		t.Fatal(err)
	}
	got := []string{seen(next(t, s)), seen(next(t, s)), seen(next(t, s))}
	want := pgtestStrings(t, d, `select commune_id || ' ' || lpad(seq::text, 4, '0') || ' ' || order_id || ' ' || order_seq || ' ' || status
		from order_events where (order_id = $1 and order_seq > 1) or (order_id = $2 and order_seq > 1) order by at`, first.Row, second.Row)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("resumed amid the present state: %s", diff)
	}
	silent(t, s)
}

func pgtestStrings(t testing.TB, d *pgtest.Database, sql string, args ...any) []string {
	t.Helper()
	rows, err := d.Migrate.Query(context.Background(), sql, args...)
	if err != nil {
		t.Fatal(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// An order is followed by its customer, its guest, its merchant and the commune's staff; for
// everybody else it is as unknown as one that never was, in the same words.
func TestWhoFollowsAnOrder(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	f := newFeed(t, d, "")
	shop, far := fixture.Shop(t, d, fixture.ShopOpts{}), fixture.Shop(t, d, fixture.ShopOpts{Commune: fixture.Groix})
	customer := fixture.Viewer(t, d, identity.Customer)
	order := placed(t, d, shop, &customer.Account)
	commune := func(insee string) tenancy.ID {
		return tenancy.ID{Kind: tenancy.KindCommune, Commune: insee}
	}
	visitor := fixture.Viewer(t, d, identity.Visitor)
	unknown := tenancy.NewID(tenancy.KindOrder, shop.Commune)
	for name, c := range map[string]struct {
		v    *identity.Viewer
		want error
	}{
		"Customer":       {customer, nil},
		"Guest":          {visitor.GuestOf(order), nil},
		"Merchant":       {fixture.Viewer(t, d, identity.Merchant, shop), nil},
		"Agent":          {fixture.Viewer(t, d, identity.Agent, commune(shop.Commune)), nil},
		"Hotline":        {fixture.Viewer(t, d, identity.Hotline), nil},
		"OtherCustomer":  {fixture.Viewer(t, d, identity.Customer), fault.NotFound},
		"OtherGuest":     {visitor.GuestOf(unknown), fault.NotFound},
		"OtherMerchant":  {fixture.Viewer(t, d, identity.Merchant, far), fault.NotFound},
		"AgentElsewhere": {fixture.Viewer(t, d, identity.Agent, commune(fixture.Groix)), fault.NotFound},
		"Visitor":        {visitor, fault.NotFound},
		"Analyst":        {fixture.Viewer(t, d, identity.Analyst), fault.NotFound},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		s, err := f.OrderUpdated(ctx, c.v, order, nil)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
		if c.want == nil {
			if e := next(t, s); e.OrderID() != order || e.Status != ordering.Placed {
				t.Errorf("%s: %v", name, e)
			}
		} else if errors.Is(c.want, fault.NotFound) {
			_, never := f.OrderUpdated(ctx, c.v, unknown, nil)
			if fault.Of(err).Message != fault.Of(never).Message {
				t.Errorf("%s: a foreign order answers %q, an unknown one %q", name, err, never)
			}
		}
		cancel()
	}

	merchant := fixture.Viewer(t, d, identity.Merchant, shop)
	_, err := f.ShopOrders(t.Context(), merchant, []tenancy.ID{shop, far}, nil)
	wantFault(t, err, fault.NotFound)
	_, err = f.ShopOrders(t.Context(), merchant, nil, nil)
	wantFault(t, err, fault.Invalid)
	_, err = f.ShopOrders(t.Context(), merchant, []tenancy.ID{order}, nil)
	wantFault(t, err, fault.Invalid)
	_, err = f.ShopOrders(t.Context(), customer, []tenancy.ID{shop}, nil)
	wantFault(t, err, fault.Forbidden)
	_, err = f.ShopOrders(t.Context(), visitor, []tenancy.ID{shop}, nil)
	wantFault(t, err, fault.Unauthenticated)
	agent := fixture.Viewer(t, d, identity.Agent, commune(fixture.Groix))
	_, err = f.CommuneActivity(t.Context(), agent, []tenancy.ID{commune(fixture.Groix), commune(fixture.Lorient)}, nil)
	wantFault(t, err, fault.NotFound)
	_, err = f.CommuneActivity(t.Context(), merchant, []tenancy.ID{commune(fixture.Groix)}, nil)
	wantFault(t, err, fault.Forbidden)
}

// A cursor resumes the subscription that gave it and no other, for the viewer that it was
// given to; one of another life of the log has expired.
func TestCursors(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	f := newFeed(t, d, "")
	shop, second := fixture.Shop(t, d, fixture.ShopOpts{}), fixture.Shop(t, d, fixture.ShopOpts{})
	v, w := fixture.Viewer(t, d, identity.Merchant, shop, second), fixture.Viewer(t, d, identity.Merchant, shop, second)
	order := placed(t, d, shop, nil)
	twin := placed(t, d, shop, nil)
	shops := []tenancy.ID{shop, second}
	s, err := f.ShopOrders(t.Context(), v, shops, nil)
	if err != nil {
		t.Fatal(err)
	}
	cursor := next(t, s).Cursor
	one, err := f.OrderUpdated(t.Context(), v, order, nil)
	if err != nil {
		t.Fatal(err)
	}
	orderCursor := next(t, one).Cursor

	if _, err = f.ShopOrders(t.Context(), v, []tenancy.ID{second, shop}, &cursor); err != nil {
		t.Errorf("the same shops in another order: %v", err)
	}
	for name, open := range map[string]func() (*ordering.Stream, error){
		"Forged": func() (*ordering.Stream, error) {
			c := "AAAA" + cursor[4:]
			return f.ShopOrders(t.Context(), v, shops, &c)
		},
		"Empty":          func() (*ordering.Stream, error) { c := ""; return f.ShopOrders(t.Context(), v, shops, &c) },
		"OtherArguments": func() (*ordering.Stream, error) { return f.ShopOrders(t.Context(), v, shops[:1], &cursor) },
		"OtherViewer":    func() (*ordering.Stream, error) { return f.ShopOrders(t.Context(), w, shops, &cursor) },
		"OtherField":     func() (*ordering.Stream, error) { return f.ShopOrders(t.Context(), v, shops, &orderCursor) },
		"OtherOrder":     func() (*ordering.Stream, error) { return f.OrderUpdated(t.Context(), v, twin, &orderCursor) },
	} {
		t.Run(name, func(t *testing.T) {
			_, err := open()
			wantFault(t, err, fault.Invalid)
		})
	}

	// A customer's cursors tell nothing of the commune's volume: the same after one order or thirty.
	for range 30 {
		placed(t, d, second, nil)
	}
	again, err := f.OrderUpdated(t.Context(), v, order, nil)
	if err != nil {
		t.Fatal(err)
	}
	if c := next(t, again).Cursor; c != orderCursor {
		t.Error("the cursor of an order's event changed with the orders of others")
	}

	t.Run("Pruned", func(t *testing.T) {
		d.Exec(t, `delete from order_events where commune_id = $1 and seq <= 5`, shop.Commune)
		d.Exec(t, `update stream_heads set pruned = 5 where commune_id = $1`, shop.Commune)
		_, err := f.ShopOrders(t.Context(), v, shops, &cursor)
		wantFault(t, err, fault.CursorExpired)
		moved(t, d, order, ordering.Accepted)
		moved(t, d, order, ordering.Ready)
		d.Exec(t, `delete from order_events where commune_id = $1 and order_id = $2 and order_seq = 2`, order.Commune, order.Row)
		_, err = f.OrderUpdated(t.Context(), v, order, &orderCursor)
		wantFault(t, err, fault.CursorExpired)
	})
	t.Run("Restored", func(t *testing.T) {
		s, err := f.ShopOrders(t.Context(), v, shops, nil)
		if err != nil {
			t.Fatal(err)
		}
		cursor := next(t, s).Cursor
		d.Exec(t, `update feed_epoch set epoch = gen_random_uuid()`)
		_, err = f.ShopOrders(t.Context(), v, shops, &cursor)
		wantFault(t, err, fault.CursorExpired)
		wantEnd(t, s, fault.CursorExpired) // who was reading is told, too
	})
}

// Numbers become visible in their order, and the present state joins what follows without a
// seam: whoever subscribes at any moment of a rush, with 8 writers in one commune, sees
// 1, 2, 3 … and never a hole. (Each order here has one event: the present state is the log.)
func TestNoHolesAndNoSeam(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t, pgtest.Crowd)
	f := newFeed(t, d, "")
	shop := fixture.Shop(t, d, fixture.ShopOpts{})
	v := fixture.Viewer(t, d, identity.Merchant, shop)
	const writers, each, subscribers = 8, 15, 12
	var writing, reading sync.WaitGroup
	for range writers {
		writing.Go(func() {
			for range each {
				placed(t, d, shop, nil)
				f.Wake(shop.Commune)
			}
		})
	}
	for range subscribers {
		s, err := f.ShopOrders(t.Context(), v, []tenancy.ID{shop}, nil)
		if err != nil {
			t.Fatal(err)
		}
		reading.Go(func() {
			for i := range writers * each {
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				e, ok := s.Next(ctx)
				cancel()
				if !ok || e.Seq != int64(i+1) {
					t.Errorf("event %d is %v (%v, %v)", i+1, e, s.Err(), ctx.Err())
					return
				}
			}
		})
		time.Sleep(5 * time.Millisecond) // apart, at whatever moment
	}
	writing.Wait()
	reading.Wait()
}
