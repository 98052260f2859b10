// Package insight makes figures of what shops sell: facts for the merchant whose shop it is, and for
// everybody else published versions of one cube, under statistical secrecy.
//
// Facts are sums by shop and day, kept from ordering's event log by a job. A published version is
// written once and never changes; analysts read nothing else, with a role of the database that can
// read nothing else. What may be published is decided in insight/secrecy, which is pure.
package insight

import (
	"context"
	"log/slog"
	"time"

	"github.com/audelor/halles/internal/job"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// Insight keeps and reads figures.
type Insight struct {
	DB       *pg.DB
	Communes *tenancy.Register
	Now      func() time.Time // when nil, time.Now
	Log      *slog.Logger     // when nil, nothing is logged

	// OrdersAtOnce bounds what a count from nothing takes on in one transaction; when 0, 100,000.
	OrdersAtOnce int

	kept kept
}

// New is insight on a database.
func New(db *pg.DB, communes *tenancy.Register) *Insight {
	return &Insight{DB: db, Communes: communes}
}

func (n *Insight) now() time.Time {
	if n.Now != nil {
		return n.Now()
	}
	return time.Now()
}

// Jobs has a server count the facts, and publish what is due.
func (n *Insight) Jobs(j *job.Jobs) {
	job.EveryWithin(j, "insight_facts", factsEvery, firstTime, n.Count)
	job.EveryWithin(j, "insight_publish", publishEvery, firstTime, n.Publish)
}

// firstTime bounds what the jobs have to do when they run for the first time, commune by commune
// and month by month: two years of a million orders are half a minute on a quiet machine.
const firstTime = 20 * time.Minute

// factsEvery bounds what a merchant's own figures must count for themselves: a minute of events.
const factsEvery = time.Minute

// publishEvery is how often a server looks whether a version is due; it is, at most once a day.
const publishEvery = 10 * time.Minute

// jobScope is as whom the jobs work: over all communes, with no person in sight.
func (n *Insight) jobScope(ctx context.Context) (pg.Scope, error) {
	communes, err := n.Communes.Codes(ctx)
	return pg.Scope{Role: pg.Worker, Kind: "job", Communes: communes}, err
}
