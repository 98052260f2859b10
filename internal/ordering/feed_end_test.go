package ordering_test

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"os"
	"runtime"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/ordering"
	"github.com/audelor/halles/internal/page"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

// A hundred subscribers of a commune cost one reading per wake-up, not a hundred.
func TestOneTailForAllSubscribers(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	f := newFeed(t, d, "")
	shop := fixture.Shop(t, d, fixture.ShopOpts{})
	v := fixture.Viewer(t, d, identity.Merchant, shop)
	var streams []*ordering.Stream
	for range 100 {
		s, err := f.ShopOrders(t.Context(), v, []tenancy.ID{shop}, nil)
		if err != nil {
			t.Fatal(err)
		}
		streams = append(streams, s)
	}
	placed(t, d, shop, nil)
	f.Wake(shop.Commune)
	for _, s := range streams {
		next(t, s) // all have taken their seats
	}
	sent, began := d.Statements(), time.Now()
	const events = 5
	for range events {
		placed(t, d, shop, nil)
		f.Wake(shop.Commune)
		for _, s := range streams {
			next(t, s)
		}
	}
	// One reading and one NOTIFY for each, and each second the poll, with a reading of what it found.
	if n := sent(); n > 2*events+3*int(time.Since(began).Seconds()+1) {
		t.Errorf("%d statements for %d events to 100 subscribers", n, events)
	}
}

// held is what a process has.
type held struct{ goroutines, files, connections int }

func (h held) within(o held, n int) bool {
	return h.goroutines <= o.goroutines+n && h.files <= o.files+n && h.connections <= o.connections+n
}

// holds counts what the process has; where the system tells no files, none.
func holds(t testing.TB, d *pgtest.Database) held {
	t.Helper()
	files, _ := os.ReadDir("/proc/self/fd")
	return held{
		runtime.NumGoroutine(), len(files),
		pgtest.Scan[int](t, d, `select count(*) from pg_stat_activity where datname = current_database()`),
	}
}

// Nothing stays behind: not after the subscribers have left, not after the feed has stopped,
// which tells those who were still there.
func TestNothingStaysBehind(t *testing.T) { // not parallel: it counts goroutines
	d := pgtest.New(t, pgtest.Crowd)
	shop := fixture.Shop(t, d, fixture.ShopOpts{})
	v := fixture.Viewer(t, d, identity.Merchant, shop)
	placed(t, d, shop, nil)
	before := goleak.IgnoreCurrent()
	db, err := pg.Open(t.Context(), d.Options)
	if err != nil {
		t.Fatal(err)
	}
	f := ordering.NewFeed(db, d.URL(pg.Listen), page.NewSealer(fixture.Secret), slog.New(slog.DiscardHandler))
	ctx, stop := context.WithCancel(t.Context())
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		_ = f.Run(ctx)
	}()
	subscribeAndLeave := func(times int) {
		t.Helper()
		for range times {
			ctx, cancel := context.WithCancel(t.Context())
			s, err := f.ShopOrders(ctx, v, []tenancy.ID{shop}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if rand.N(2) == 0 {
				next(t, s)
				if !s.Settle(ctx) { // it sits at its commune's tail
					t.Fatal("more is to be read")
				}
			}
			cancel()
		}
	}
	subscribeAndLeave(20) // the pools have made their connections
	settled := func(from held) (now held) {
		for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
			if now = holds(t, d); now.within(from, 5) || time.Now().After(end) {
				return now
			}
		}
	}
	from := holds(t, d)
	cycles := longer(100, 10_000)
	subscribeAndLeave(cycles)
	to := settled(from)
	t.Logf("%d subscriptions: %+v before, %+v after", cycles, from, to)
	if !to.within(from, 5) {
		t.Error("something stays behind")
	}
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		if communes, seats := f.Followed(); communes == 0 && seats == 0 {
			break
		} else if time.Now().After(end) {
			t.Errorf("nobody reads, and %d communes are followed for %d seats", communes, seats)
			break
		}
	}
	s, err := f.ShopOrders(t.Context(), v, []tenancy.ID{shop}, nil)
	if err != nil {
		t.Fatal(err)
	}
	stop()
	<-stopped
	wantEnd(t, s, fault.Unavailable)
	_, err = f.ShopOrders(t.Context(), v, []tenancy.ID{shop}, nil)
	wantFault(t, err, fault.Unavailable)
	db.Close()
	if err := goleak.Find(before); err != nil {
		t.Error(err)
	}
}
