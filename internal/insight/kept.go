package insight

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// kept are dashboards that were asked for lately. What is published never changes, so one is good
// until the next version: two analysts who look at the year read it once, and it took 50 ms of
// Postgres and as much again to add up.
type kept struct {
	mu        sync.Mutex
	published published
	by        map[string]*Dashboard
}

// keptMost bounds how many: half a megabyte each, of the agglomeration's whole year.
const keptMost = 16

// published is what there is of versions. They are only ever added.
type published struct {
	Versions int
	Latest   *time.Time
	Closed   *string // the last month that is closed, "2026-10"
}

func (n *Insight) published(ctx context.Context) (published, error) {
	list, err := pg.Select[published](ctx, n.DB, stats, `
		select count(*) as versions, max(published_at) as latest, to_char(max(month) filter (where kind <> 'RUNNING'), 'YYYY-MM') as closed from insight.versions`)
	if err != nil {
		return published{}, err
	}
	return list[0], nil
}

func (p published) same(other published) bool {
	return p.Versions == other.Versions && (p.Latest == other.Latest || p.Latest != nil && other.Latest != nil && p.Latest.Equal(*other.Latest))
}

// find returns what was kept of these versions, or nil. Nobody changes what it returns.
func (k *kept) find(now published, key string) *Dashboard {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.published.same(now) {
		return nil
	}
	return k.by[key]
}

// keep takes a dashboard that was read when these versions were there. One that was read while another
// came is kept under the versions before it: nobody asks for these again.
func (k *kept) keep(now published, key string, d *Dashboard) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.by == nil || !k.published.same(now) || len(k.by) >= keptMost {
		k.published, k.by = now, map[string]*Dashboard{}
	}
	k.by[key] = d
}

// key names all that a dashboard depends on beside what is published: whole tells an analyst's, which
// has the tables beside the cube.
func (d *Dashboard) key(visible []*tenancy.Commune, whole bool) string {
	codes := make([]string, len(visible))
	for i, c := range visible {
		codes[i] = c.Insee
	}
	return fmt.Sprintf("%q %q %q %d %d %q %t", d.Selection.Communes, d.Selection.Sectors, d.Selection.Mode, d.From, d.To, codes, whole)
}
