package ordering

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/job"
	"github.com/audelor/halles/internal/pg"
)

const (
	// keysKept is how long a client may send the same order again and get it back.
	keysKept = 72 * time.Hour
	// replayed is how far back a subscription may resume. Who was away for longer reads the state
	// anew, which is less than a month of events.
	replayed = 30 * 24 * time.Hour
)

// Jobs has a server keep the deadlines of orders, and forget what is no longer needed.
func (o *Ordering) Jobs(j *job.Jobs) {
	job.Every(j, "orders_escalate", time.Minute, o.Escalate)
	job.Every(j, "orders_not_collected", 10*time.Minute, o.EndUncollected)
	job.Every(j, "orders_delivered", 10*time.Minute, o.EndDeliveries)
	job.Every(j, "orders_unconfirmed", time.Minute, o.EndChanges)
	job.Every(j, "orders_sweep", time.Hour, o.Sweep)
	job.Every(j, "slots_reconcile", 24*time.Hour, o.ReconcileSlots)
	job.Every(j, "slots_prune", 24*time.Hour, o.PruneSlots)
}

// Sweep removes keys and guests' links that have expired, and moves the point before which
// cursors have. The events themselves stay: an order's history is read from them.
func (o *Ordering) Sweep(ctx context.Context) error {
	scope, err := o.jobScope(ctx)
	if err != nil {
		return err
	}
	now := o.now()
	for _, commune := range scope.Communes {
		err := o.DB.Write(ctx, scope.In(commune), func(ctx context.Context, tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, `delete from idempotency_keys where commune_id = $1 and at < $2`, commune, now.Add(-keysKept)); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, `
				update stream_heads h set pruned = e.seq
				from (select seq from order_events where commune_id = $1 and at < $2 order by seq desc limit 1) e
				where h.commune_id = $1 and h.pruned < e.seq`, commune, now.Add(-replayed))
			return err
		})
		if err != nil {
			return err
		}
	}
	_, err = o.DB.Pool(pg.Worker).Exec(ctx, `delete from guest_links where expires_at < $1`, now)
	return err
}
