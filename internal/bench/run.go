package bench

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/audelor/halles/internal/insight"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// Report is a run's figures.
type Report struct {
	At          time.Time   `json:"at"`
	Commit      string      `json:"commit,omitempty"`
	Go          string      `json:"go"`
	Processors  int         `json:"processors"`
	Postgres    string      `json:"postgres"`
	Shops       int         `json:"shops"`
	Orders      int         `json:"orders"`
	Connections int         `json:"connections"`
	Seconds     float64     `json:"secondsARound"`
	Rounds      int         `json:"rounds"`
	Workloads   []*Compared `json:"workloads"`
	Fans        []*Fan      `json:"w7,omitempty"`
	HallesPeak  int64       `json:"hallesPeakBytes,omitempty"` // the most memory that it held, under all of it
	LimitPeak   int64       `json:"limitPeakBytes,omitempty"`
}

// Run measures the workloads, prints each as it is done, and returns all.
func Run(ctx context.Context, o Options) (*Report, error) {
	counted := &Statements{}
	limit, err := OpenLimit(ctx, o.Database.URL, counted)
	if err != nil {
		return nil, err
	}
	defer limit.Close()
	sample, err := Draw(ctx, limit.db)
	if err != nil {
		return nil, err
	}
	o.Processes.Postgres = PostgresOf(ctx, limit.db)
	if err := settle(ctx, o, limit); err != nil {
		return nil, err
	}
	r := &Report{
		At: time.Now().UTC().Truncate(time.Second), Commit: commit(), Go: runtime.Version(), Processors: runtime.NumCPU(),
		Connections: o.Connections, Seconds: o.During.Seconds(), Rounds: o.Rounds,
	}
	if err := limit.db.QueryRow(ctx, `select current_setting('server_version'), (select count(*) from shops), (select count(*) from orders)`).
		Scan(&r.Postgres, &r.Shops, &r.Orders); err != nil {
		return nil, err
	}
	fmt.Fprintf(o.Out, "%d shops, %d orders; Postgres %s, %s, %d processors; %d connections, medians of %d rounds of %s in turn\n",
		r.Shops, r.Orders, r.Postgres, r.Go, r.Processors, r.Connections, r.Rounds, o.During)
	wanted := func(name string) bool { return len(o.Only) == 0 || slices.Contains(o.Only, name) }
	workloads := sample.Reads()
	if analyst := o.Tokens["analyst"]; analyst != "" && (wanted("W5") || wanted("W5c")) {
		year, err := limit.LastYear(ctx)
		if err != nil {
			return nil, err
		}
		workloads = append(workloads, year.Dashboards(analyst)...)
	}
	if wanted("W6") {
		baskets, err := limit.Receive(ctx, 500)
		if err != nil {
			return nil, err
		}
		if baskets, err = Accepted(ctx, o.Halles, baskets); err != nil {
			return nil, err
		}
		workloads = append(workloads, Orders(baskets))
	}
	if err := rest(ctx, o, limit); err != nil {
		return nil, err
	}
	for _, w := range workloads {
		if !wanted(w.Name) {
			continue
		}
		if w.Name == "W4p" {
			mean, err := limit.SameMatches(ctx, sample.Words)
			if err != nil {
				return nil, err
			}
			w.Title += fmt.Sprintf(", %d texts with the same matches on both, %.0f each", len(sample.Words), mean)
		}
		c, err := Measure(ctx, o, w)
		if err != nil {
			return nil, err
		}
		if !w.Staff {
			if err := count(ctx, o, c, w, limit, counted); err != nil {
				return nil, err
			}
		}
		r.Workloads = append(r.Workloads, c)
		c.print(o.Out)
	}
	if merchant := o.Tokens["merchant"]; merchant != "" && wanted("W7") {
		if err := rest(ctx, o, limit); err != nil {
			return nil, err
		}
		for _, subscribers := range []int{500, 2000} {
			f, err := FanOut(ctx, o, limit, merchant, subscribers, 20)
			if err != nil {
				return nil, err
			}
			r.Fans = append(r.Fans, f)
			fmt.Fprintf(o.Out, "\nW7  a change to the last of %d subscribers: p50 %.0f ms, p99 %.0f ms; limit %.0f and %.0f ms\n",
				f.Subscribers, f.HallesP50, f.HallesP99, f.LimitP50, f.LimitP99)
		}
	}
	if r.HallesPeak, r.LimitPeak = Peak(o.Processes.Halles), Peak(o.Processes.Limit); r.HallesPeak > 0 {
		fmt.Fprintf(o.Out, "\nmost memory: halles %d MiB, limit %d MiB\n", r.HallesPeak>>20, r.LimitPeak>>20)
	}
	return r, nil
}

// settle does what the server and Postgres would do beside the first rounds, on rows that were loaded
// a moment ago: the figures of two years are counted and published, and pages are marked as all
// visible. Later runs find it done.
func settle(ctx context.Context, o Options, limit *Limit) error {
	db, err := pg.Open(ctx, o.Database)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := insight.New(db, tenancy.NewRegister(db)).Publish(ctx); err != nil {
		return fmt.Errorf("publish the figures: %w", err)
	}
	var vacuumed bool
	if err := limit.db.QueryRow(ctx, `select bool_and(coalesce(last_vacuum, last_autovacuum) is not null) from pg_stat_user_tables
		where relname in ('shops', 'products', 'variants', 'catalog_search')`).Scan(&vacuumed); err != nil || vacuumed {
		return err
	}
	fmt.Fprintln(o.Out, "vacuum (analyze)")
	_, err = limit.db.Exec(ctx, `vacuum (analyze)`)
	return err
}

// restFor bounds the wait for what a server does daily, and when it begins.
const restFor = 3 * time.Minute

// rest ends what would go on beside the rounds and is none of theirs: the server's daily sweeps, which
// begin with it and are waited for, and the messages of orders that were placed before, by either side,
// which it would write for minutes.
func rest(ctx context.Context, o Options, limit *Limit) error {
	if _, err := limit.db.Exec(ctx, `update river.river_job set state = 'cancelled', finalized_at = now()
		where queue = 'messages' and state in ('available', 'scheduled', 'retryable')`); err != nil {
		return err
	}
	for began, told := time.Now(), false; time.Since(began) < restFor; {
		var busy int
		if err := limit.db.QueryRow(ctx, `select count(*) from river.river_job where state in ('available', 'running')`).Scan(&busy); err != nil || busy == 0 {
			return err
		}
		if !told {
			told = true
			fmt.Fprintln(o.Out, "waiting for the server's own work to end")
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
	return nil
}

// countFrom is past the requests of the rounds, whose keys are used.
const countFrom = 1 << 30

// count finds out what is counted inside: both are asked once more, in this process.
func count(ctx context.Context, o Options, c *Compared, w Workload, limit http.Handler, counted *Statements) error {
	own := &Statements{}
	database := o.Database
	database.Tracer = own
	db, err := pg.Open(ctx, database)
	if err != nil {
		return err
	}
	defer db.Close()
	halles, err := NewHalles(ctx, db, make([]byte, 32), nil)
	if err != nil {
		return err
	}
	for _, side := range []struct {
		to         *Side
		handler    http.Handler
		statements *Statements
		next       func(int) []byte
	}{{&c.Halles, halles, own, w.Halles}, {&c.Limit, limit, counted, w.Limit}} {
		inside, err := Count(ctx, side.handler, side.statements, countFrom, side.next)
		if err != nil {
			return fmt.Errorf("%s: %w", c.Name, err)
		}
		side.to.Inside = &inside
	}
	return nil
}

// print writes a workload's figures for people.
func (c *Compared) print(out io.Writer) {
	fmt.Fprintf(out, "\n%s  %s, %.1f KB\n", c.Name, c.Title, c.Halles.Bytes/1000)
	t := tabwriter.NewWriter(out, 10, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "\treq/s\tp50 ms\tp99 ms\tCPU µs\tPostgres µs\tstatements\tallocations\t")
	for _, side := range []struct {
		name string
		Side
	}{{"halles", c.Halles}, {"limit", c.Limit}} {
		s := side.Side
		fmt.Fprintf(t, "%s\t%.0f\t%.2f\t%.2f\t%.0f\t%.0f\t", side.name, s.PerSecond, s.P50, s.P99, s.CPU, s.PostgresCPU)
		if s.Inside != nil {
			fmt.Fprintf(t, "%.1f\t%.0f\t", s.Inside.Statements, s.Inside.Allocations)
		}
		fmt.Fprintln(t)
	}
	fmt.Fprintf(t, "ratio\t%.2f\t\t%.2f\t%s\n", c.Ratio, c.P99, cpuRatio(c.CPU))
	_ = t.Flush() // to a screen
}

func cpuRatio(ratio float64) string {
	if ratio == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f together\t", ratio)
}

// commit is the revision that the program was built from; "" where the build did not look.
func commit() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return strings.ToLower(s.Value)
		}
	}
	return ""
}
