package bench_test

import (
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/audelor/halles/internal/bench"
	"github.com/audelor/halles/internal/demo"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/pg/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// both are halles and the limit over the same rows of the demo, in this process.
type both struct {
	halles http.Handler
	limit  *bench.Limit
	sample *bench.Sample

	statements *bench.Statements // of halles
}

func setup(t testing.TB, shops int) *both {
	t.Helper()
	d := pgtest.New(t)
	plan := demo.Plan{Shops: shops, Seed: 1, Today: time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC), Issuer: fixture.Issuer}
	if _, err := demo.Fill(t.Context(), d.MigrateURL(), plan, nil); err != nil {
		t.Fatal(err)
	}
	b := &both{statements: &bench.Statements{}}
	o := d.Options
	o.Tracer = b.statements
	db, err := pg.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	if b.limit, err = bench.OpenLimit(t.Context(), d.AdminURL(), nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.limit.Close)
	if b.halles, err = bench.NewHalles(t.Context(), db, fixture.Secret); err != nil {
		t.Fatal(err)
	}
	if b.sample, err = bench.Draw(t.Context(), b.limit.DB()); err != nil {
		t.Fatal(err)
	}
	return b
}

func ask(t testing.TB, h http.Handler, request []byte) []byte {
	t.Helper()
	status, answer, err := bench.Call(t.Context(), h, request)
	if err != nil || status != http.StatusOK {
		t.Fatalf("status %d, %v: %s", status, err, answer)
	}
	return answer
}

// What is compared is the same: each answer of the limit is halles's, leaf by leaf, but for the plain
// search's, which orders otherwise: there each thing found is.
func TestAnswersAreTheSame(t *testing.T) {
	t.Parallel()
	b := setup(t, 130)
	for _, w := range b.sample.Reads() {
		n := 0
		for i := range 6 {
			ours, theirs := ask(t, b.halles, w.Halles(i)), ask(t, b.limit, w.Limit(i))
			if w.Name == "W4p" {
				n += foundAre(t, b.halles, theirs)
				continue
			}
			n += len(theirs)
			if where := bench.Same(ours, theirs); where != "" {
				t.Fatalf("%s, request %d: %s\nhalles %s\nlimit  %s", w.Name, i, where, ours, theirs)
			}
		}
		if n == 0 {
			t.Errorf("%s: nothing was compared", w.Name)
		}
	}
}

// foundAre compares each product of a search with what halles says of it, and returns how many.
func foundAre(t *testing.T, halles http.Handler, answer []byte) int {
	t.Helper()
	found := gjson.GetBytes(answer, "data.search.edges.#.node").Array()
	for _, node := range found {
		own := ask(t, halles, bench.Product(node.Get("id").String()))
		if where := bench.Same(own, []byte(`{"data":{"product":`+node.Raw+`}}`)); where != "" {
			t.Fatalf("%s: %s", where, node.Raw)
		}
	}
	return len(found)
}

// BenchmarkBeside measures both in this process, over real HTTP, on few rows and for a short while:
// the ratios are rougher than those of `halles bench`, and in their size the same. Nothing fails for
// being slow, whatever answers otherwise does.
//
//	go test ./internal/bench -bench . -run '^$'
func BenchmarkBeside(b *testing.B) {
	const connections, rounds = 16, 3
	x := setup(b, 300)
	options := bench.Options{Halles: serve(b, x.halles), Limit: serve(b, x.limit), Connections: connections, During: 300 * time.Millisecond, Rounds: rounds}
	for _, w := range x.sample.Reads() {
		b.Run(w.Name, func(b *testing.B) {
			for b.Loop() {
				c, err := bench.Measure(b.Context(), options, w)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(c.Ratio, "ratio")
				b.ReportMetric(c.P99, "p99-ratio")
				b.ReportMetric(c.Halles.PerSecond, "halles/s")
				b.ReportMetric(c.Limit.PerSecond, "limit/s")
			}
			inside, err := bench.Count(b.Context(), x.halles, x.statements, w.Halles)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(inside.Statements, "statements")
			b.ReportMetric(inside.Allocations, "allocations")
			b.ReportMetric(0, "ns/op") // of all rounds, which says nothing
		})
	}
}

// serve answers at an address until the test ends.
func serve(t testing.TB, h http.Handler) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	t.Cleanup(func() { _ = s.Close() })
	go func() { _ = s.Serve(listener) }()
	return listener.Addr().String()
}
