package ordering

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/job"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// An order that is out for delivery waits for its shop to say that it arrived. A shop on its
// round forgets; the order would stay open, its pickup code taken, and no figure would count it.
const (
	askDelivered    = 24 * time.Hour // the shop is asked, once
	assumeDelivered = 72 * time.Hour // it is taken for delivered, and the customer told, who may object
)

// EndDeliveries asks the shops of orders that left a day ago, and closes as delivered what left
// three days ago: neither side has said that it did not arrive. One order that fails keeps no
// other from its step.
func (o *Ordering) EndDeliveries(ctx context.Context) error {
	scope, err := o.jobScope(ctx)
	if err != nil {
		return err
	}
	now := o.now()
	type underWay struct {
		CommuneID string
		ID        uuid.UUID
		Over      bool
	}
	list, err := pg.Select[underWay](ctx, o.DB, scope, `
		select o.commune_id, o.id, o.updated_at <= $3 as over
		from orders o
		where o.commune_id = any($1) and o.status = 'OUT_FOR_DELIVERY' and o.updated_at <= $2
		and (o.updated_at <= $3 or not exists (select from order_escalations e
			where e.commune_id = o.commune_id and e.order_id = o.id and e.step = 'DELIVERY_ASKED'))
		order by o.updated_at`, scope.Communes, now.Add(-askDelivered), now.Add(-assumeDelivered))
	if err != nil {
		return err
	}
	var failed []error
	for _, w := range list {
		if ctx.Err() != nil {
			break
		}
		if !w.Over {
			failed = append(failed, o.askDelivered(ctx, w.CommuneID, w.ID, now))
			continue
		}
		changed, err := o.change(ctx, system(w.CommuneID), tenancy.RowID(tenancy.KindOrder, w.CommuneID, w.ID), Deliver, froms(Deliver, BySystem, directory.Delivery), ChangeInput{})
		if err == nil && changed.done {
			o.wake(w.CommuneID)
		}
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

// askDelivered asks the shop whether the order arrived. The order's row is locked: an answer that
// comes now is before the question, or after it.
func (o *Ordering) askDelivered(ctx context.Context, commune string, row uuid.UUID, now time.Time) error {
	return o.DB.Write(ctx, system(commune).scope(), func(ctx context.Context, tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `
			with away as (select from orders where commune_id = $1 and id = $2 and status = 'OUT_FOR_DELIVERY' for update)
			insert into order_escalations (commune_id, order_id, step, at)
			select $1, $2, $3, $4 where exists (select from away) on conflict do nothing`, commune, row, DeliveryAsked, now)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		return job.QueueTx(ctx, tx, job.Mail{Template: "shop_delivery_open", Commune: commune, ID: row}, time.Time{})
	})
}
