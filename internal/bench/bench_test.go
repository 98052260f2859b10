package bench_test

import (
	"net"
	"net/http"
	"os"
	"regexp"
	"runtime"
	"runtime/pprof"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/audelor/halles/internal/bench"
	"github.com/audelor/halles/internal/demo"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/insight"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// both are halles and the limit over the same rows of the demo, in this process.
type both struct {
	*pgtest.Database
	halles http.Handler
	limit  *bench.Limit
	sample *bench.Sample

	statements *bench.Statements // of halles
}

func setup(t testing.TB, shops, orders int) *both {
	t.Helper()
	d := pgtest.New(t, pgtest.Crowd, pgtest.Fresh) // as many connections as a server, planned as there
	plan := demo.Plan{Shops: shops, Orders: orders, Seed: 1, Today: time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC), Issuer: fixture.Issuer}
	if _, err := demo.Fill(t.Context(), d.MigrateURL(), plan, nil); err != nil {
		t.Fatal(err)
	}
	d.Exec(t, "analyze") // as a demo does behind its first answers
	b := &both{Database: d, statements: &bench.Statements{}}
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
	if b.halles, err = bench.NewHalles(t.Context(), db, fixture.Secret, fixture.Issuers()); err != nil {
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

// All on the same rows: the orders last, since they change them. A tenth of all tests' time goes into
// the rows, so that only .ci/run asks, beside the benchmark.
func TestSame(t *testing.T) {
	if os.Getenv("HALLES_LONG") == "" {
		t.Skip("fills a database: with HALLES_LONG=1")
	}
	t.Parallel()
	b := setup(t, 130, 3000)
	t.Run("Answers", b.answersAreTheSame)
	t.Run("Figures", b.figuresAreTheSame)
	t.Run("Orders", b.ordersAreTheSame)
	t.Run("Changes", b.changesAreTheSame)
}

// What is compared is the same: each answer of the limit is halles's, leaf by leaf, but for the plain
// search's, which orders otherwise: there each thing found is.
func (b *both) answersAreTheSame(t *testing.T) {
	if mean, err := b.limit.SameMatches(t.Context(), b.sample.Words); err != nil || mean <= 20 {
		t.Errorf("%v; %.0f matches of a text on average, want more than a page", err, mean)
	}
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

// One basket, ordered at both: the answers are the same but for what is drawn, and so are the rows that
// each has written.
func (b *both) ordersAreTheSame(t *testing.T) {
	baskets, err := b.limit.Receive(t.Context(), 40)
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for i, w := 0, bench.Orders(baskets); i < len(baskets) && compared < 5; i++ {
		ours := ask(t, b.halles, w.Halles(i))
		if gjson.GetBytes(ours, "data.placeOrders.results.0.refusals.#").Int() > 0 {
			continue // closed for a while, as the limit does not know
		}
		compared++
		theirs := ask(t, b.limit, w.Limit(i))
		if where := bench.Same(drawn.ReplaceAll(ours, []byte(`"$1":""`)), drawn.ReplaceAll(theirs, []byte(`"$1":""`))); where != "" {
			t.Fatalf("%s\nhalles %s\nlimit  %s", where, ours, theirs)
		}
		if one, other := b.written(t, ours), b.written(t, theirs); one != other {
			t.Fatalf("halles writes %s\nthe limit     %s", one, other)
		}
	}
	if compared == 0 {
		t.Error("no shop takes an order")
	}
}

// Those who follow a shop are told the same of an order's changes, and all of them, but for when each
// came and the cursor.
func (b *both) changesAreTheSame(t *testing.T) {
	o, token := b.followed(t)
	f, err := bench.FanOut(t.Context(), o, b.limit, token, 3, 1)
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Heard[0]) != 3 || len(f.Heard[1]) != 3 {
		t.Fatalf("of an order accepted, ready and collected one who follows was told %d and %d times", len(f.Heard[0]), len(f.Heard[1]))
	}
	for i, ours := range f.Heard[0] {
		theirs := f.Heard[1][i]
		if where := bench.Same(passing.ReplaceAll(ours, []byte(`"$1":""`)), passing.ReplaceAll(theirs, []byte(`"$1":""`))); where != "" {
			t.Errorf("%s\nhalles %s\nlimit  %s", where, ours, theirs)
		}
	}
}

// followed is where both answer, and the token of a merchant whose shop takes orders now.
func (b *both) followed(t testing.TB) (bench.Options, string) {
	t.Helper()
	o := bench.Options{Halles: serve(t, b.halles), Limit: serve(t, b.limit)}
	baskets, err := b.limit.Receive(t.Context(), 40)
	if err == nil {
		baskets, err = bench.Accepted(t.Context(), o.Halles, baskets)
	}
	if err != nil {
		t.Fatal(err)
	}
	subject, _ := fixture.Account(t, b.Database, identity.Merchant, baskets[0].Shop)
	token, err := fixture.NewIssuer().Sign(subject, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return o, token
}

// passing is what belongs to an event alone.
var passing = regexp.MustCompile(`"(cursor|at)":"[^"]+"`)

// drawn is what chance makes.
var drawn = regexp.MustCompile(`"(id|number|guestSecret|text)":"[^"]+"`)

// written is all that placing an order left behind, but for what is drawn and when.
func (b *both) written(t *testing.T, answer []byte) string {
	t.Helper()
	id, err := tenancy.ParseID(gjson.GetBytes(answer, "data.placeOrders.results.0.order.id").String())
	if err != nil {
		t.Fatal(err)
	}
	var rows string
	err = b.limit.DB().QueryRow(t.Context(), `
		select jsonb_build_object(
			'order', to_jsonb(o) - '{id,number,pickup_code,scope,idempotency_key,placed_at,updated_at}'::text[],
			'lines', (select jsonb_agg(to_jsonb(l) - 'order_id' order by line) from order_lines l where l.commune_id = o.commune_id and l.order_id = o.id),
			'contacts', (select jsonb_agg(to_jsonb(c) - 'order_id') from order_contacts c where c.commune_id = o.commune_id and c.order_id = o.id),
			'moves', (select jsonb_agg(to_jsonb(m) - '{id,order_id,at}'::text[] order by variant_id) from stock_moves m where m.commune_id = o.commune_id and m.order_id = o.id),
			'keys', (select jsonb_agg(length(k.payload_hash)) from idempotency_keys k where k.commune_id = o.commune_id and k.order_id = o.id),
			'links', (select jsonb_agg(length(g.digest)) from guest_links g where g.commune_id = o.commune_id and g.order_id = o.id),
			'jobs', (select jsonb_agg(jsonb_build_array(j.kind, j.args->'template', j.queue, j.max_attempts, j.state) order by j.args->>'template')
				from river.river_job j where j.args->>'id' = o.id::text),
			'events', (select jsonb_agg(to_jsonb(e) - '{seq,order_id,at}'::text[]) from order_events e where e.commune_id = o.commune_id and e.order_id = o.id))::text
		from orders o where o.commune_id = $1 and o.id = $2`, id.Commune, id.Row).Scan(&rows)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// What is told of a year is what the orders say: each figure that is not hidden.
func (b *both) figuresAreTheSame(t *testing.T) {
	subject, _ := fixture.Account(t, b.Database, identity.Analyst)
	token, err := fixture.NewIssuer().Sign(subject, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if err := insight.New(b.DB, tenancy.NewRegister(b.DB)).Publish(t.Context()); err != nil {
		t.Fatal(err)
	}
	year, err := b.limit.LastYear(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range year.Dashboards(token) {
		ours, theirs := ask(t, b.halles, w.Halles(0)), ask(t, b.limit, w.Limit(0))
		told := 0
		for _, of := range []string{"series", "byCommune"} {
			live := map[string]gjson.Result{}
			for _, row := range gjson.GetBytes(theirs, "data.dashboard."+of).Array() {
				live[row.Get("key").String()] = row
			}
			for _, row := range gjson.GetBytes(ours, "data.dashboard."+of).Array() {
				key := row.Get("key").String()
				for _, f := range row.Get("figures").Array() {
					name, value := f.Get("indicator").String(), f.Get("value.number")
					other := live[key].Get(name)
					if value.Type != gjson.Number || live[key].Exists() && !other.Exists() {
						continue // hidden, or not among the limit's
					}
					if told++; value.Int() != other.Int() {
						t.Errorf("%s, %s of %s: published %s, counted %s", w.Name, name, key, value.Raw, other.Raw)
					}
				}
			}
		}
		if told < 10 {
			t.Errorf("%s: %d figures are told: %s", w.Name, told, ours)
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
	x := setup(b, 300, 0)
	options := bench.Options{Halles: serve(b, x.halles), Limit: serve(b, x.limit), Connections: connections, During: 300 * time.Millisecond, Rounds: rounds}
	baskets, err := x.limit.Receive(b.Context(), 100)
	if err == nil {
		baskets, err = bench.Accepted(b.Context(), options.Halles, baskets)
	}
	if err != nil {
		b.Fatal(err)
	}
	for _, w := range append(x.sample.Reads(), bench.Orders(baskets)) {
		b.Run(w.Name, func(b *testing.B) {
			for b.Loop() {
				if w.Name == "W6" {
					w = bench.Orders(baskets) // under keys that nobody used
				}
				c, err := bench.Measure(b.Context(), options, w)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(c.Ratio, "ratio")
				b.ReportMetric(c.P99, "p99-ratio")
				b.ReportMetric(c.Halles.PerSecond, "halles/s")
				b.ReportMetric(c.Limit.PerSecond, "limit/s")
			}
			inside, err := bench.Count(b.Context(), x.halles, x.statements, 1<<30, w.Halles)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(inside.Statements, "statements")
			b.ReportMetric(inside.Allocations, "allocations")
			b.ReportMetric(0, "ns/op") // of all rounds, which says nothing
		})
	}
}

// BenchmarkFollowers tells what one who follows a shop holds, in heap and stack, with the client's own
// end, which is in this process too and the same for both:
//
//	go test ./internal/bench -bench Followers -run '^$' -benchtime 1x
func BenchmarkFollowers(b *testing.B) {
	const followers = 2000
	x := setup(b, 130, 300)
	o, token := x.followed(b)
	held := func() (heap, stack float64) {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC() // what pools hold goes with the second
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc), float64(m.StackInuse)
	}
	for b.Loop() {
		heap, stack := held()
		side := 0
		o.Following = func() {
			h, s := held()
			b.ReportMetric((h-heap)/followers, []string{"heap-B", "limit-heap-B"}[side])
			b.ReportMetric((s-stack)/followers, []string{"stack-B", "limit-stack-B"}[side])
			side++
			if path := os.Getenv("HALLES_HEAP"); path != "" && side == 1 {
				f, _ := os.Create(path)
				_ = pprof.Lookup("heap").WriteTo(f, 0)
				_ = f.Close()
			}
		}
		f, err := bench.FanOut(b.Context(), o, x.limit, token, followers, 4)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(f.HallesP50, "p50-ms")
		b.ReportMetric(f.LimitP50, "limit-p50-ms")
		b.ReportMetric(0, "ns/op") // of all of it
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
