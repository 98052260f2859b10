// Package privacy keeps what the program promises about persons (RGPD, art. 5, 15 and 17): rules of
// retention as data, from which the page for people is written; a daily round that applies them and
// reports; what a person may take away and have erased; and the ledger of erasures, which is
// replayed after a restore. The features empty their own tables; this package says when.
package privacy

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/job"
	"github.com/audelor/halles/internal/ordering"
	"github.com/audelor/halles/internal/page"
	"github.com/audelor/halles/internal/pg"
)

// Privacy is the clockwork. All fields but Forget must be given.
type Privacy struct {
	DB            *pg.DB
	Ordering      *ordering.Ordering
	Registrations *directory.Registrations
	Now           func() time.Time
	Forget        func(account uuid.UUID) // what is remembered of an account that is no more; may be nil
}

// runsKept is how long the report of a daily round is kept.
const runsKept = 2 * 365 * 24 * time.Hour

// Jobs has a server apply the rules once a day, and carry out erasures within a minute.
func (p *Privacy) Jobs(j *job.Jobs) {
	job.Every(j, "privacy_retain", 24*time.Hour, func(ctx context.Context) error { _, err := p.Retain(ctx); return err })
	job.Every(j, "privacy_erase", time.Minute, func(ctx context.Context) error { _, err := p.Carry(ctx); return err })
}

// Run is what one rule did in a daily round.
type Run struct {
	At      time.Time
	RuleKey string `db:"rule"`
	Rows    int    // orders, dossiers or accounts that lost a person
}

// Rule is the run's rule; nil for one that there is no more.
func (r *Run) Rule() *Rule {
	for i := range Rules {
		if Rules[i].Key == r.RuleKey {
			return &Rules[i]
		}
	}
	return nil
}

// Retain applies every rule that has something to do daily, and writes the report. A rule that
// fails keeps no other from its work, and stands in no report.
func (p *Privacy) Retain(ctx context.Context) ([]Run, error) {
	now := p.Now().UTC().Truncate(time.Microsecond)
	var runs []Run
	var failed error
	for _, rule := range Rules {
		if rule.apply == nil {
			continue
		}
		n, err := rule.apply(ctx, p)
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", rule.Key, err))
			continue
		}
		runs = append(runs, Run{At: now, RuleKey: rule.Key, Rows: n})
	}
	b := &pgx.Batch{}
	for _, r := range runs {
		b.Queue(`insert into privacy_runs (at, rule, rows) values ($1, $2, $3) on conflict do nothing`, r.At, r.RuleKey, r.Rows)
	}
	b.Queue(`delete from privacy_runs where at < $1`, now.Add(-runsKept))
	return runs, errors.Join(failed, p.DB.Pool(pg.Worker).SendBatch(ctx, b).Close())
}

// Report is what the last rounds did, the latest first.
//
// Faults: FORBIDDEN but for admins.
func (p *Privacy) Report(ctx context.Context, v *identity.Viewer, first int) ([]*Run, error) {
	if err := v.SignedIn(); err != nil {
		return nil, err
	}
	if v.Kind != identity.Admin {
		return nil, fault.Errorf(fault.Forbidden, "Le rapport de conservation est pour les administrateurs de la plateforme.")
	}
	if err := page.CheckFirst(first); err != nil {
		return nil, err
	}
	rows, err := pg.Select[Run](ctx, p.DB, v.Scope(), `select at, rule, rows from privacy_runs order by at desc, rule limit $1`, first)
	list := make([]*Run, len(rows))
	for i := range rows {
		list[i] = &rows[i]
	}
	return list, err
}
