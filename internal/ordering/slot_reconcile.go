package ordering

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/pg"
)

const (
	// maxTold bounds the differences that a report names.
	maxTold = 20
	// slotsKept is how long a slot's row outlives it: the figures of how full slots were are published
	// each month and may be revised for a year.
	slotsKept = 400 * 24 * time.Hour
)

// PruneSlots removes the slots of long ago. Their orders keep the time that was promised.
func (o *Ordering) PruneSlots(ctx context.Context) error {
	scope, err := o.jobScope(ctx)
	if err != nil {
		return err
	}
	for _, commune := range scope.Communes {
		err := o.DB.Write(ctx, scope.In(commune), func(ctx context.Context, tx pgx.Tx) error {
			_, err := tx.Exec(ctx, `delete from slots where commune_id = $1 and starts_at < $2`, commune, o.now().Add(-slotsKept))
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// ReconcileSlots compares each slot's count with the orders that hold it. They change in the same
// transactions, so that none may differ; what does is reported as an error, which the log and the
// list of failed jobs keep. Nothing is mended: which of the two is right, the shop says.
func (o *Ordering) ReconcileSlots(ctx context.Context) error {
	scope, err := o.jobScope(ctx)
	if err != nil {
		return err
	}
	type difference struct {
		CommuneID    string
		ShopID       uuid.UUID
		Mode         string
		StartsAt     time.Time
		Booked, Held int
	}
	n, told, from := 0, []string{}, o.now().Add(-slotsKept).Add(48*time.Hour) // of those that none is removed yet
	for _, commune := range scope.Communes {
		// One statement sees both as of one instant, however many orders come meanwhile.
		list, err := pg.Select[difference](ctx, o.DB, scope.In(commune), `
			with held as (
				select shop_id, mode, slot_starts_at as starts_at, count(*)::int as n from orders
				where commune_id = $1 and slot_starts_at >= $2 and status not in ('REJECTED', 'CANCELLED', 'NO_SHOW')
				group by shop_id, mode, slot_starts_at)
			select $1::text as commune_id, shop_id, mode, starts_at, coalesce(t.booked, 0) as booked, coalesce(h.n, 0) as held
			from (select shop_id, mode, starts_at, booked from slots where commune_id = $1 and starts_at >= $2) t full join held h using (shop_id, mode, starts_at)
			where coalesce(t.booked, 0) <> coalesce(h.n, 0) order by shop_id, mode, starts_at`, commune, from)
		if err != nil {
			return err
		}
		n += len(list)
		for _, d := range list {
			if len(told) < maxTold {
				told = append(told, fmt.Sprintf("%s/%s %s %s counts %d, its orders are %d", d.CommuneID, d.ShopID, d.Mode, d.StartsAt.UTC().Format(time.RFC3339), d.Booked, d.Held))
			}
		}
	}
	if n > 0 {
		return fmt.Errorf("%d slots differ from their orders: %s", n, strings.Join(told, "; "))
	}
	return nil
}
