package demo

import (
	"fmt"
	"os"
	"testing"

	"github.com/audelor/halles/internal/pg/pgtest"
)

// Run it alone: go test -run=- -bench=Fill -benchtime=1x ./internal/demo; HALLES_LONG=1 adds
// the agglomeration's scale.
func BenchmarkFill(b *testing.B) {
	plans := []Plan{{Shops: 300, Orders: 20_000}}
	if os.Getenv("HALLES_LONG") != "" {
		plans = append(plans, Plan{Shops: 3000, Orders: 1_000_000})
	}
	for _, p := range plans {
		p.Seed, p.Today, p.Issuer = small.Seed, small.Today, small.Issuer
		b.Run(fmt.Sprintf("%dshops%dorders", p.Shops, p.Orders), func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				d := pgtest.New(b, pgtest.Crowd)
				b.StartTimer()
				if _, err := Fill(b.Context(), d.MigrateURL(), p, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
