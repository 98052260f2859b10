package vitals

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/audelor/halles/internal/pg"
)

// Figure is one that is read at each scrape.
type Figure struct {
	Name, Help string // without the prefix halles_
	Counter    bool   // it only grows; else a gauge
	Read       func() float64
}

// Read adds figures that a feature keeps itself.
func (v *Vitals) Read(figures ...Figure) {
	for _, f := range figures {
		if f.Counter {
			v.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "halles_" + f.Name, Help: f.Help}, f.Read))
		} else {
			v.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "halles_" + f.Name, Help: f.Help}, f.Read))
		}
	}
}

// Pools adds the connections of each role.
func (v *Vitals) Pools(db *pg.DB) { v.registry.MustRegister(pools{db}) }

type pools struct{ db *pg.DB }

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("halles_"+name, help, labels, nil)
}

var (
	poolConnections = describe("pool_connections", "Connections to Postgres of each role: in_use, idle, and max, how many there may be.", "role", "state")
	poolAcquires    = describe("pool_acquires_total", "Connections that were lent.", "role")
	poolWaits       = describe("pool_waits_total", "Times that somebody waited for a connection: none was idle.", "role")
	poolWaitSeconds = describe("pool_wait_seconds_total", "How long was waited for connections in all.", "role")
)

func (pools) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{poolConnections, poolAcquires, poolWaits, poolWaitSeconds} {
		to <- d
	}
}

func (p pools) Collect(to chan<- prometheus.Metric) {
	for _, role := range p.db.Roles() {
		s, name := p.db.Pool(role).Stat(), string(role)
		for state, n := range map[string]int32{"in_use": s.AcquiredConns(), "idle": s.IdleConns(), "max": s.MaxConns()} {
			to <- prometheus.MustNewConstMetric(poolConnections, prometheus.GaugeValue, float64(n), name, state)
		}
		to <- prometheus.MustNewConstMetric(poolAcquires, prometheus.CounterValue, float64(s.AcquireCount()), name)
		to <- prometheus.MustNewConstMetric(poolWaits, prometheus.CounterValue, float64(s.EmptyAcquireCount()), name)
		to <- prometheus.MustNewConstMetric(poolWaitSeconds, prometheus.CounterValue, s.EmptyAcquireWaitTime().Seconds(), name)
	}
}

// Database adds what is read in the database itself, over all communes: the same on every server.
func (v *Vitals) Database(db *pg.DB, communes func(context.Context) ([]string, error), log *slog.Logger) {
	v.registry.MustRegister(&database{db: db, communes: communes, log: log})
}

// database reads once for the scrapes of readAge: a scraper that comes too often costs nothing.
type database struct {
	db       *pg.DB
	communes func(context.Context) ([]string, error)
	log      *slog.Logger

	mu   sync.Mutex
	at   time.Time
	last *found
}

const (
	readAge  = 5 * time.Second
	readTime = 2 * time.Second // a scraper gives up after ten
)

// found is what one look at the database tells.
type found struct {
	Available, Scheduled, Running, Retryable, Discarded int64
	DueSeconds, NotifyUsage                             float64
	SchemaVersion, FactsBehind                          int64
}

var (
	jobsWaiting   = describe("jobs", "Jobs of all servers by state: available (due), scheduled, running, retryable (failed, to be tried again), discarded (failed for good; see `halles jobs`).", "state")
	jobsDue       = describe("jobs_due_seconds", "How long the job that has waited longest has been due.")
	factsBehind   = describe("facts_behind_events", "Events of orders that the figures do not count yet.")
	notifyUsage   = describe("notify_queue_usage", "Part of Postgres' queue of notifications that is full, 0 to 1: a listener that hangs fills it.")
	schemaVersion = describe("schema_version", "The last migration that the database has.")
	databaseUp    = describe("database_up", "1 when the database answered this scrape, else 0.")
)

func (*database) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{jobsWaiting, jobsDue, factsBehind, notifyUsage, schemaVersion, databaseUp} {
		to <- d
	}
}

func (d *database) Collect(to chan<- prometheus.Metric) {
	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	f := d.read()
	if f == nil {
		gauge(databaseUp, 0)
		return
	}
	gauge(databaseUp, 1)
	for state, n := range map[string]int64{"available": f.Available, "scheduled": f.Scheduled, "running": f.Running, "retryable": f.Retryable, "discarded": f.Discarded} {
		gauge(jobsWaiting, float64(n), state)
	}
	gauge(jobsDue, f.DueSeconds)
	gauge(factsBehind, float64(f.FactsBehind))
	gauge(notifyUsage, f.NotifyUsage)
	gauge(schemaVersion, float64(f.SchemaVersion))
}

// read is nil when the database does not answer.
func (d *database) read() *found {
	d.mu.Lock()
	defer d.mu.Unlock()
	if time.Since(d.at) < readAge {
		return d.last
	}
	ctx, cancel := context.WithTimeout(context.Background(), readTime)
	defer cancel()
	f, err := d.look(ctx)
	if err != nil {
		d.log.WarnContext(ctx, "the database's figures cannot be read", "error", err)
	}
	d.at, d.last = time.Now(), f
	return f
}

func (d *database) look(ctx context.Context) (*found, error) {
	communes, err := d.communes(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := pg.Select[found](ctx, d.db, pg.Scope{Role: pg.Worker, Kind: "feed", Communes: communes}, `
		select count(*) filter (where state = 'available') as available, count(*) filter (where state = 'scheduled') as scheduled,
			count(*) filter (where state = 'running') as running, count(*) filter (where state = 'retryable') as retryable, count(*) filter (where state = 'discarded') as discarded,
			coalesce(extract(epoch from now() - min(scheduled_at) filter (where state in ('available', 'scheduled', 'retryable') and scheduled_at < now())), 0)::float8 as due_seconds,
			pg_notification_queue_usage() as notify_usage,
			(select max(version_id) from goose_db_version where is_applied) as schema_version,
			(select coalesce(sum(h.seq - coalesce(f.seq, 0)), 0)::bigint from stream_heads h left join fact_heads f using (commune_id)
				where h.commune_id = any($1)) as facts_behind
		from river.river_job where state <> 'completed'`, communes)
	if err != nil {
		return nil, err
	}
	return &rows[0], nil // an aggregate has one row
}
