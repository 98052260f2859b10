package ordering_test

import (
	"context"
	"log/slog"
	"math/rand/v2"
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

// Nothing stays behind: not after the subscribers have left, not after the feed has stopped,
// which tells those who were still there.
func TestNothingStaysBehind(t *testing.T) { // not parallel: it counts goroutines
	d := pgtest.New(t)
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
	running := runtime.NumGoroutine()
	for range longer(100, 10_000) {
		ctx, cancel := context.WithCancel(t.Context())
		s, err := f.ShopOrders(ctx, v, []tenancy.ID{shop}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if rand.N(2) == 0 {
			next(t, s)
		}
		cancel()
	}
	for end := time.Now().Add(patience); runtime.NumGoroutine() > running+10 && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		if communes, seats := f.Followed(); communes == 0 && seats == 0 {
			break
		} else if time.Now().After(end) {
			t.Errorf("nobody reads, and %d communes are followed for %d seats", communes, seats)
			break
		}
	}
	if n := runtime.NumGoroutine(); n > running+10 { // the pools' own and the listener
		t.Errorf("%d goroutines, %d before", n, running)
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
