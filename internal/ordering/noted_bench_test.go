package ordering_test

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

// BenchmarkNoted compares orders a second of one commune, 16 writers, with the triggers that note
// what the public sees changed (migrations/00140) and without them, in rounds in turn: of articles
// of which there are many, where nothing is noted, and of last pieces, where each order is. "ratio" is
// what counts, and 1 is nothing lost.
//
//	go test -run - -bench Noted -benchtime 1x ./internal/ordering
func BenchmarkNoted(b *testing.B) {
	const writers, rounds, length = 16, 3, 1500 * time.Millisecond
	d := pgtest.New(b, pgtest.Crowd)
	pool := durable(b, d, writers)
	shop := fixture.Shop(b, d, fixture.ShopOpts{})
	var variants []tenancy.ID
	for range 20 {
		variants = append(variants, fixture.Product(b, d, shop, fixture.ProductOpts{Stock: 1_000_000, Variants: 20}).Variants...)
	}
	round := func(take string) float64 {
		var done atomic.Int64
		var wait sync.WaitGroup
		end := time.Now().Add(length)
		for range writers {
			wait.Go(func() {
				for time.Now().Before(end) {
					if err := write(pool, shop, variants[rand.N(len(variants))], take, true); err != nil {
						b.Error(err)
						return
					}
					done.Add(1)
				}
			})
		}
		wait.Wait()
		return float64(done.Load()) / length.Seconds()
	}
	const lastPieces = `update variants set stock = case stock when 2 then 1 else 2 end where commune_id = $1 and id = $2`
	for b.Loop() {
		for _, c := range []struct{ name, take string }{{"many", takeOne}, {"last", lastPieces}} {
			round(c.take)
			var with, without float64
			for range rounds {
				d.Exec(b, `alter table variants disable trigger note_updates; alter table variants disable trigger note_availability`)
				without += round(c.take) / rounds
				d.Exec(b, `alter table variants enable trigger note_updates; alter table variants enable trigger note_availability`)
				with += round(c.take) / rounds
			}
			b.ReportMetric(with, c.name+"-orders/s")
			b.ReportMetric(with/without, c.name+"-ratio")
		}
	}
	b.Logf("%d changes are noted", pgtest.Scan[int](b, d, `select count(*) from published_changes where part = 'AVAILABILITY'`))
}
