package ordering_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/ordering"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

// durable is a pool of connections whose commits wait for the log, as in production.
func durable(b *testing.B, d *pgtest.Database, connections int32) *pgxpool.Pool {
	b.Helper()
	config, err := pgxpool.ParseConfig(d.MigrateURL())
	if err != nil {
		b.Fatal(err)
	}
	config.MaxConns = connections
	config.ConnConfig.RuntimeParams["synchronous_commit"] = "on"
	pool, err := pgxpool.NewWithConfig(b.Context(), config)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(pool.Close)
	return pool
}

// BenchmarkCommits compares orders a second with the feed and without: 16 writers over 25
// communes, each transaction with the writes of an order, once as it is — event, wake-up,
// NOTIFY, two server processes listening, a reader of all communes — and once without its
// event. Rounds of both take turns; "ratio" is what counts, and should be 0.7 or more. (No
// row-level security here: it would only hide what events cost.)
//
//	go test -run - -bench Commits -benchtime 1x ./internal/ordering
func BenchmarkCommits(b *testing.B) {
	const writers, rounds = 16, 3
	d := pgtest.New(b, pgtest.Crowd)
	pool := durable(b, d, writers)
	feed, other := newFeed(b, d, d.URL(pg.Listen)), newFeed(b, d, d.URL(pg.Listen))
	hotline := fixture.Viewer(b, d, identity.Hotline)
	var communes, shops, variants []tenancy.ID
	for _, c := range hotline.Communes {
		communes = append(communes, tenancy.ID{Kind: tenancy.KindCommune, Commune: c})
		shop := fixture.Shop(b, d, fixture.ShopOpts{Commune: c})
		for _, v := range fixture.Product(b, d, shop, fixture.ProductOpts{Stock: 1_000_000, Variants: 20}).Variants {
			shops, variants = append(shops, shop), append(variants, v)
		}
	}
	var read atomic.Int64
	for _, f := range []*ordering.Feed{feed, other} {
		s, err := f.CommuneActivity(b.Context(), hotline, communes, nil)
		if err != nil {
			b.Fatal(err)
		}
		go func() {
			for range s.Events(b.Context()) {
				read.Add(1)
			}
		}()
	}

	round := func(events, wake bool) float64 {
		const length = 2 * time.Second
		var done atomic.Int64
		var wait sync.WaitGroup
		end := time.Now().Add(length)
		for range writers {
			wait.Go(func() {
				for time.Now().Before(end) {
					i := rand.N(len(variants))
					if err := write(pool, shops[i], variants[i], takeOne, events); err != nil {
						b.Error(err)
						return
					}
					if wake {
						feed.Wake(shops[i].Commune)
					}
					done.Add(1)
				}
			})
		}
		wait.Wait()
		return float64(done.Load()) / length.Seconds()
	}
	round(true, true) // statements are prepared, pages are read
	for b.Loop() {
		var with, silent, without float64
		for range rounds {
			without += round(false, false) / rounds
			silent += round(true, false) / rounds
			with += round(true, true) / rounds
		}
		b.ReportMetric(without, "orders/s-bare")
		b.ReportMetric(silent/without, "ratio-log-alone") // no wake-up: the poll alone reads
		b.ReportMetric(with/without, "ratio")
	}
	b.Logf("the readers of two processes had %d events", read.Load())
}

// BenchmarkFanOut measures from an event's commit to its delivery to the last of 2,000
// subscribers of one commune: 1,600 counters and 400 agents.
func BenchmarkFanOut(b *testing.B) {
	const subscribers = 2000
	d := pgtest.New(b, pgtest.Crowd)
	f := newFeed(b, d, d.URL(pg.Listen))
	shop := fixture.Shop(b, d, fixture.ShopOpts{})
	order := placed(b, d, shop, nil)
	merchant, hotline := fixture.Viewer(b, d, identity.Merchant, shop), fixture.Viewer(b, d, identity.Hotline)
	var arrived sync.WaitGroup
	arrived.Add(subscribers)
	for i := range subscribers {
		var s *ordering.Stream
		var err error
		if i%5 == 0 {
			s, err = f.CommuneActivity(b.Context(), hotline, []tenancy.ID{{Kind: tenancy.KindCommune, Commune: shop.Commune}}, nil)
		} else {
			s, err = f.ShopOrders(b.Context(), merchant, []tenancy.ID{shop}, nil)
		}
		if err != nil {
			b.Fatal(err)
		}
		go func() {
			for range s.Events(b.Context()) {
				arrived.Done()
			}
		}()
	}
	arrived.Wait() // the present state
	var took []time.Duration
	for b.Loop() {
		arrived.Add(subscribers)
		moved(b, d, order, ordering.Accepted)
		began := time.Now()
		f.Wake(shop.Commune)
		arrived.Wait()
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
}

// BenchmarkTown is a town that orders: 1,600 customers who follow their orders, 380 counters of 19
// shops, 20 agents, and 20 orders a second that are placed or move on. It measures from the commit
// of each event to its delivery to the last who follows it, and the wake-ups that were sent.
//
//	go test -run - -bench Town -benchtime 1x ./internal/ordering
func BenchmarkTown(b *testing.B) {
	const customers, shopsOf, counters, agents, perSecond, events = 1600, 19, 20, 20, 20, 400
	d := pgtest.New(b, pgtest.Crowd)
	f := newFeed(b, d, d.URL(pg.Listen))
	commune := []tenancy.ID{{Kind: tenancy.KindCommune, Commune: fixture.Lorient}}
	var mu sync.Mutex
	last := map[string]time.Time{} // by event
	var present sync.WaitGroup
	follow := func(s *ordering.Stream, err error, first int) {
		if err != nil {
			b.Fatal(err)
		}
		present.Add(first)
		go func() {
			for range first {
				s.Next(b.Context())
				present.Done()
			}
			for e := range s.Events(b.Context()) {
				at, key := time.Now(), seen(e)
				mu.Lock()
				if at.After(last[key]) {
					last[key] = at
				}
				mu.Unlock()
			}
		}()
	}
	var shops []tenancy.ID
	for range shopsOf {
		shops = append(shops, fixture.Shop(b, d, fixture.ShopOpts{}))
	}
	orders := map[tenancy.ID][]tenancy.ID{}
	for i := range customers {
		v := fixture.Viewer(b, d, identity.Customer)
		shop := shops[i%len(shops)]
		order := placed(b, d, shop, &v.Account)
		orders[shop] = append(orders[shop], order)
		s, err := f.OrderUpdated(b.Context(), v, order, nil)
		follow(s, err, 1)
	}
	for _, shop := range shops {
		v := fixture.Viewer(b, d, identity.Merchant, shop)
		for range counters {
			s, err := f.ShopOrders(b.Context(), v, []tenancy.ID{shop}, nil)
			follow(s, err, len(orders[shop]))
		}
	}
	agent := fixture.Viewer(b, d, identity.Agent, commune[0])
	for range agents {
		s, err := f.CommuneActivity(b.Context(), agent, commune, nil)
		follow(s, err, customers)
	}
	present.Wait()
	listener, err := pgx.Connect(b.Context(), d.URL(pg.Listen))
	if err != nil {
		b.Fatal(err)
	}
	defer listener.Close(context.WithoutCancel(b.Context()))
	if _, err := listener.Exec(b.Context(), "listen halles_wake"); err != nil {
		b.Fatal(err)
	}
	var notified atomic.Int64
	listening, stop := context.WithCancel(b.Context())
	var ended sync.WaitGroup
	ended.Go(func() {
		for {
			if _, err := listener.WaitForNotification(listening); err != nil {
				return
			}
			notified.Add(1)
		}
	})
	var took []time.Duration
	var began time.Time
	for b.Loop() {
		began = time.Now()
		committed := map[string]time.Time{}
		tick := time.NewTicker(time.Second / perSecond)
		for n := range events {
			<-tick.C
			shop := shops[n%len(shops)]
			if n%2 == 0 {
				placed(b, d, shop, nil)
			} else {
				moved(b, d, orders[shop][rand.N(len(orders[shop]))], ordering.Accepted)
			}
			at := time.Now()
			f.Wake(shop.Commune)
			key := pgtestStrings(b, d, `select commune_id || ' ' || lpad(seq::text, 4, '0') || ' ' || order_id || ' ' || order_seq || ' ' || status
				from order_events where commune_id = $1 order by seq desc limit 1`, shop.Commune)[0]
			committed[key] = at
		}
		tick.Stop()
		time.Sleep(2 * time.Second) // the last ones arrive
		mu.Lock()
		for key, at := range committed {
			if last[key].IsZero() {
				b.Errorf("%s reached nobody", key)
			}
			took = append(took, last[key].Sub(at))
		}
		mu.Unlock()
	}
	seconds := time.Since(began).Seconds()
	stop()
	ended.Wait()
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(notified.Load())/seconds, "NOTIFY/s")
}

const takeOne = `update variants set stock = stock - 1 where commune_id = $1 and id = $2 and stock >= 1`

// write makes the writes of placing an order of one line, in two round trips as Place does,
// with its event as the last or without. take changes the variant's stock.
func write(pool *pgxpool.Pool, shop, variant tenancy.ID, take string, event bool) error {
	ctx, id := context.Background(), tenancy.NewID(tenancy.KindOrder, shop.Commune)
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		var first, last pgx.Batch
		first.Queue(`insert into idempotency_keys (commune_id, scope, key, payload_hash, order_id, at) values ($1, 'bench', $2::uuid::text, '\x00', $2, now())`, id.Commune, id.Row)
		first.Queue(take, variant.Commune, variant.Row)
		if err := tx.SendBatch(ctx, &first).Close(); err != nil {
			return err
		}
		last.Queue(`
			insert into orders (commune_id, id, shop_id, number, channel, mode, status, version, scope,
				idempotency_key, items_cents, delivery_cents, item_count, pickup_code, placed_at, updated_at)
			values ($1, $2, $3, $2::uuid::text, 'WEB', 'PICKUP', 'PLACED', 1, 'bench', $2::uuid::text, 100, 0, 1, $2::uuid::text, now(), now())`,
			id.Commune, id.Row, shop.Row)
		last.Queue(`insert into order_lines (commune_id, order_id, line, variant_id, name, option_value, quantity, unit_cents, vat_rate)
			values ($1, $2, 1, $3, 'Produit', '', 1, 100, 550)`, id.Commune, id.Row, variant.Row)
		last.Queue(`insert into order_contacts (commune_id, order_id, name, phone) values ($1, $2, 'Anna', '+33612345678')`, id.Commune, id.Row)
		last.Queue(`insert into stock_moves (commune_id, id, variant_id, order_id, kind, quantity, at) values ($1, $2, $3, $4, 'ORDERED', -1, now())`,
			id.Commune, tenancy.NewRow(), variant.Row, id.Row)
		if event {
			e := ordering.Event{
				CommuneID: id.Commune, OrderRow: id.Row, OrderSeq: 1, ShopRow: shop.Row,
				Kind: "PLACED", Status: ordering.Placed, Actor: ordering.ByCustomer, At: time.Now(),
			}
			last.Queue(ordering.AppendEvent, ordering.AppendArgs(&e)...)
		}
		return tx.SendBatch(ctx, &last).Close()
	})
}
