package bench

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/audelor/halles/internal/pg"
)

// Town is a server on a demo of some size.
type Town struct {
	Address  string     // "127.0.0.1:8080"
	Database pg.Options // an administrator's
}

// Growth compares two towns, asked in turn for the same things in the same run.
type Growth struct {
	At         time.Time `json:"at"`
	Commit     string    `json:"commit,omitempty"`
	Processors int       `json:"processors"`
	Postgres   string    `json:"postgres"`

	Connections int     `json:"connections"`
	Seconds     float64 `json:"secondsARound"`
	Rounds      int     `json:"rounds"`
	Small       Size    `json:"small"`
	Big         Size    `json:"big"`

	Workloads []Grown `json:"workloads"`
}

// Size is how much a town has.
type Size struct {
	Shops   int     `json:"shops"`
	Orders  int     `json:"orders"`
	Bytes   int64   `json:"databaseBytes"`
	Matches float64 `json:"matchesOfASearch"`
}

// Grown is a workload in both.
type Grown struct {
	Name  string  `json:"name"`
	Title string  `json:"title"`
	Small Side    `json:"small"`
	Big   Side    `json:"big"`
	P50   float64 `json:"p50Growth"` // the big town's median time by the small one's
}

// Grow measures W1 to W4 and W6 in both towns, in turn, and prints each as it is done. It places orders.
func Grow(ctx context.Context, small, big Town, o Options) (*Growth, error) {
	g := &Growth{
		At: time.Now().UTC().Truncate(time.Second), Commit: commit(), Processors: runtime.NumCPU(),
		Connections: o.Connections, Seconds: o.During.Seconds(), Rounds: o.Rounds,
	}
	asked := map[string][2]Workload{}
	var names []string
	for i, side := range []struct {
		town Town
		size *Size
	}{{small, &g.Small}, {big, &g.Big}} {
		workloads, err := side.town.prepare(ctx, o, g, side.size)
		if err != nil {
			return nil, err
		}
		for _, w := range workloads {
			pair := asked[w.Name]
			if pair[i] = w; i == 0 {
				names = append(names, w.Name)
			}
			asked[w.Name] = pair
		}
	}
	fmt.Fprintf(o.Out, "%d shops, %d orders (%.1f GB) beside %d shops, %d orders (%.1f GB)\n", g.Small.Shops, g.Small.Orders, float64(g.Small.Bytes)/1e9, g.Big.Shops, g.Big.Orders, float64(g.Big.Bytes)/1e9)
	o.Halles, o.Limit = big.Address, small.Address
	for _, name := range names {
		pair := asked[name]
		c, err := Measure(ctx, o, Workload{Name: name, Title: pair[0].Title, Halles: pair[1].Halles, Limit: pair[0].Halles})
		if err != nil {
			return nil, err
		}
		grown := Grown{Name: name, Title: c.Title, Small: c.Limit, Big: c.Halles, P50: c.Halles.P50 / c.Limit.P50}
		g.Workloads = append(g.Workloads, grown)
		fmt.Fprintf(o.Out, "%s  p50 %.2f → %.2f ms (× %.2f), p99 %.2f → %.2f ms, %.1f → %.1f KB\n", name,
			grown.Small.P50, grown.Big.P50, grown.P50, grown.Small.P99, grown.Big.P99, grown.Small.Bytes/1000, grown.Big.Bytes/1000)
	}
	return g, nil
}

// prepare is what a town is asked for, when its rows are at rest.
func (t Town) prepare(ctx context.Context, o Options, g *Growth, size *Size) ([]Workload, error) {
	limit, err := OpenLimit(ctx, t.Database.URL, nil)
	if err != nil {
		return nil, err
	}
	defer limit.Close()
	sample, err := Draw(ctx, limit.db)
	if err != nil {
		return nil, err
	}
	at := o
	at.Database = t.Database
	if err := settle(ctx, at, limit); err != nil {
		return nil, err
	}
	var communes, texts []string
	for _, w := range sample.Words {
		communes, texts = append(communes, w.Commune), append(texts, w.Text)
	}
	if err := limit.db.QueryRow(ctx, `select current_setting('server_version'), (select count(*) from shops), (select count(*) from orders), pg_database_size(current_database()),
		(select avg(n) from (select count(*) as n from unnest($1::text[], $2::text[]) w(commune, word)
			join products p on p.commune_id = w.commune and p.published and split_part(p.name, ' ', 1) = w.word group by w.commune, w.word) m)`, communes, texts).
		Scan(&g.Postgres, &size.Shops, &size.Orders, &size.Bytes, &size.Matches); err != nil {
		return nil, err
	}
	baskets, err := limit.Receive(ctx, 500)
	if err != nil {
		return nil, err
	}
	if baskets, err = Accepted(ctx, t.Address, baskets); err != nil {
		return nil, err
	}
	return append(sample.Reads()[:4], Orders(baskets)), nil
}
