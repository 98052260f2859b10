package ordering_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/ordering"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

// Readers that are cut off at any moment and resume at any process miss nothing and get nothing
// twice, while writers write in several communes, and while the listeners' connections are
// killed five times a second.
func TestResumeAfterCuts(t *testing.T) {
	t.Parallel()
	for name, kill := range map[string]bool{"Quiet": false, "ListenersKilled": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			resumeAfterCuts(t, kill)
		})
	}
}

func resumeAfterCuts(t *testing.T, kill bool) {
	d := pgtest.New(t)
	processes := []*ordering.Feed{newFeed(t, d, d.URL(pg.Listen)), newFeed(t, d, d.URL(pg.Listen))}
	var shops []tenancy.ID
	for _, c := range []string{fixture.Lorient, fixture.Lorient, fixture.Groix, fixture.Lanester} {
		shops = append(shops, fixture.Shop(t, d, fixture.ShopOpts{Commune: c}))
	}
	customer := fixture.Viewer(t, d, identity.Customer)
	followed := placed(t, d, shops[0], &customer.Account)
	for _, shop := range shops {
		placed(t, d, shop, nil)
	}
	merchant := fixture.Viewer(t, d, identity.Merchant, shops[0], shops[2])
	hotline := fixture.Viewer(t, d, identity.Hotline)
	communes := []tenancy.ID{{Kind: tenancy.KindCommune, Commune: fixture.Lorient}, {Kind: tenancy.KindCommune, Commune: fixture.Lanester}}

	stop, cuts := make(chan struct{}), longer(10, 100)
	var writers, readers sync.WaitGroup
	type story struct {
		name   string
		open   func(context.Context, *ordering.Feed, *string) (*ordering.Stream, error)
		where  string
		args   []any
		got    []string
		cursor *string
	}
	stories := []*story{
		{
			name: "shopOrders", where: "(commune_id, shop_id) in (($1::text, $2::uuid), ($3::text, $4::uuid))",
			args: []any{shops[0].Commune, shops[0].Row, shops[2].Commune, shops[2].Row},
			open: func(ctx context.Context, f *ordering.Feed, after *string) (*ordering.Stream, error) {
				return f.ShopOrders(ctx, merchant, []tenancy.ID{shops[0], shops[2]}, after)
			},
		},
		{
			name: "communeActivity", where: "commune_id in ($1, $2)", args: []any{fixture.Lorient, fixture.Lanester},
			open: func(ctx context.Context, f *ordering.Feed, after *string) (*ordering.Stream, error) {
				return f.CommuneActivity(ctx, hotline, communes, after)
			},
		},
		{
			name: "orderUpdated", where: "commune_id = $1 and order_id = $2", args: []any{followed.Commune, followed.Row},
			open: func(ctx context.Context, f *ordering.Feed, after *string) (*ordering.Stream, error) {
				return f.OrderUpdated(ctx, customer, followed, after)
			},
		},
	}
	// Each has its first event, the oldest of its list, before anything is written: the whole
	// list is then what a reader must have seen.
	read := func(st *story, ctx context.Context, more func() bool) {
		s, err := st.open(ctx, processes[rand.N(2)], st.cursor)
		if err != nil {
			if ctx.Err() == nil {
				t.Errorf("%s: %v", st.name, err)
			}
			return
		}
		for more() {
			e, ok := s.Next(ctx)
			if !ok {
				return
			}
			st.got = append(st.got, seen(e))
			st.cursor = &e.Cursor
		}
	}
	for _, st := range stories {
		ctx, cancel := context.WithCancel(t.Context())
		read(st, ctx, func() bool { return len(st.got) == 0 })
		cancel()
	}
	for i := range 4 {
		writers.Go(func() {
			var open []tenancy.ID
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				case <-time.After(time.Duration(rand.N(4)) * time.Millisecond):
				}
				var order tenancy.ID
				switch {
				case i == 0 && n%3 == 0:
					order = followed
					moved(t, d, order, []ordering.Status{ordering.Accepted, ordering.Ready}[rand.N(2)])
				case len(open) > 5:
					order = open[0]
					open = open[1:]
					moved(t, d, order, ordering.Accepted)
				default:
					order = placed(t, d, shops[rand.N(len(shops))], nil)
					open = append(open, order)
				}
				processes[rand.N(2)].Wake(order.Commune)
			}
		})
	}
	if kill {
		writers.Go(func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(200 * time.Millisecond):
					killListeners(t, d)
				}
			}
		})
	}

	for _, st := range stories {
		readers.Go(func() {
			for range cuts {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rand.N(200))*time.Millisecond)
				limit := len(st.got) + 1 + rand.N(40) // some cuts fall between events, some right after one
				read(st, ctx, func() bool { return len(st.got) < limit })
				cancel()
			}
		})
	}
	readers.Wait()
	close(stop)
	writers.Wait()
	for _, st := range stories {
		want := pgtestStrings(t, d, `select commune_id || ' ' || lpad(seq::text, 4, '0') || ' ' || order_id || ' ' || order_seq || ' ' || status
			from order_events where `+st.where+` order by commune_id, seq`, st.args...)
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		read(st, ctx, func() bool { return len(st.got) < len(want) })
		cancel()
		byCommune := map[string][]string{} // no order is promised between communes
		for _, s := range st.got {
			byCommune[s[:5]] = append(byCommune[s[:5]], s)
		}
		var got []string
		for _, c := range []string{fixture.Groix, fixture.Lanester, fixture.Lorient} {
			got = append(got, byCommune[c]...)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s over %d cuts: %s", st.name, cuts, diff)
		}
		t.Logf("%s: %d events over %d cuts", st.name, len(got), cuts)
	}
}

func killListeners(t testing.TB, d *pgtest.Database) {
	admin, err := pgx.Connect(context.Background(), d.AdminURL())
	if err != nil {
		t.Error(err)
		return
	}
	defer admin.Close(context.Background())
	if _, err := admin.Exec(context.Background(), `select pg_terminate_backend(pid) from pg_stat_activity where usename = 'halles_listen' and datname = current_database()`); err != nil {
		t.Error(err)
	}
}

// A reader that does not read is cut, and told to resume; it then has all that it missed. Others
// do not wait for it.
func TestSlowReaderIsCutAndResumes(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	f := newFeed(t, d, "")
	shop := fixture.Shop(t, d, fixture.ShopOpts{})
	v := fixture.Viewer(t, d, identity.Merchant, shop)
	order := placed(t, d, shop, nil)
	slow, err := f.ShopOrders(t.Context(), v, []tenancy.ID{shop}, nil)
	if err != nil {
		t.Fatal(err)
	}
	quick, err := f.ShopOrders(t.Context(), v, []tenancy.ID{shop}, nil)
	if err != nil {
		t.Fatal(err)
	}
	last := next(t, slow).Cursor
	next(t, quick)
	silent(t, slow) // it has come as far as its tail: before, nothing waits for it but in the database
	const n = 520   // more than a queue, and more than one page of the log
	for i := range n {
		moved(t, d, order, ordering.Accepted)
		if i%40 < 39 {
			continue // less than a queue: the quick reader keeps up
		}
		f.Wake(shop.Commune)
		for range 40 {
			next(t, quick)
		}
	}
	wantEnd(t, slow, fault.Limited)
	resumed, err := f.ShopOrders(t.Context(), v, []tenancy.ID{shop}, &last)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if e := next(t, resumed); e.OrderSeq != i+2 {
			t.Fatalf("event %d: %s", i, seen(e))
		}
	}
	silent(t, resumed)
}
