package ordering

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/audelor/halles/internal/catalog"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// ChangeInput is what an action needs to know; each mutation asks for its part.
type ChangeInput struct {
	Order   tenancy.ID
	Reason  *Reason // of a rejection or a cancellation
	Text    *string // beside the reason
	Version int     // of the change that is confirmed or declined; 0 declines any
}

// ChangePayload is the order as it stands now, changed or, with refusals, as it was.
type ChangePayload struct {
	Order    *Order
	Refusals []Refusal
}

// Do does an action to an order, with its effect on stock and its event, in one transaction;
// two that race are done one after the other, and the second is judged by what the first left.
//
// An action whose end is reached already answers with the order and changes nothing: who
// taps twice, or again after a lost answer, meant the same thing.
//
// Faults: NOT_FOUND for an order that the viewer may not see, FORBIDDEN for what its kind may
// never do, INVALID for an input that is wrong in itself. What the order's state does not
// allow is a refusal.
func (o *Ordering) Do(ctx context.Context, v *identity.Viewer, action Action, in ChangeInput) (_ *ChangePayload, err error) {
	defer fault.Wrap(&err, "%s(%s)", action, in.Order)
	if err := in.check(); err != nil {
		return nil, err
	}
	if action == ConfirmChange {
		return o.Confirm(ctx, v, in)
	}
	order, may, states, err := o.subject(ctx, v, in.Order, action)
	if err != nil {
		return nil, err
	}
	if action == ReportNoShow && in.Reason == nil {
		reason := NotCollected
		in.Reason = &reason
	}
	if action == DeclineChange && in.Reason == nil {
		reason := OutOfStockReason
		in.Reason = &reason
	}
	changed, err := o.change(ctx, may, order.ID(), action, states, in)
	if err != nil {
		return nil, err
	}
	changed.order.Reader = v
	switch {
	case changed.done:
		o.wake(order.CommuneID)
	case changed.order.Status != effects[action].to:
		return &ChangePayload{changed.order, []Refusal{*changed.order.illegal(v)}}, nil
	}
	return &ChangePayload{changed.order, []Refusal{}}, nil
}

// may is the capacity in which the viewer does an action to the order, and the statuses in
// which it may. Who stands to the order in two ways acts in the one that serves now.
func (o *Order) may(v *identity.Viewer, action Action) (capacity, []stand, error) {
	var may *capacity
	var in []stand
	for _, c := range o.capacities(v) {
		states := froms(action, c.actor, o.Mode)
		if ever(action, c.actor) && (may == nil || slices.Contains(states, o.stand())) {
			may, in = &c, states
		}
	}
	if may == nil {
		return capacity{}, nil, fault.Errorf(fault.Forbidden, "Vous ne pouvez pas faire cela à cette commande ; nextActions dit ce que vous pouvez.")
	}
	return *may, in, nil
}

func (in *ChangeInput) check() error {
	if err := in.Order.Want(tenancy.KindOrder, "input", "order"); err != nil {
		return err
	}
	if in.Reason != nil && !slices.Contains(reasons, *in.Reason) {
		return fault.At([]string{"input", "reason"}, "%s n'est pas un motif que l'on donne ; celui-là est à la plateforme.", *in.Reason)
	}
	in.Text = trimmed(in.Text)
	return checkLength(in.Text, maxText, []string{"input", "text"})
}

type outcome struct {
	order *Order // as it stands
	done  bool   // changed just now
}

// change moves the order from one of the stands to the action's, or leaves it. A proposed change
// waits no longer then; where one is named, it must be that which waits.
//
// Its locks are the order's row, then its variants, sorted, then the head of the audit log where
// staff changes it, then the head of the log. Those
// who wait for an order's row are other changes of it, and hold nothing yet; placing waits for
// no order's row. So an order's row closes no circle, and what comes after is locked in
// placing's own order. The guard on the status is part of the UPDATE: of fifty cancels that
// race, one finds a row, and gives the stock back.
func (o *Ordering) change(ctx context.Context, may capacity, id tenancy.ID, action Action, from []stand, in ChangeInput) (outcome, error) {
	effect := effects[action]
	status, proposed := columns(from)
	declined := 0
	if action == DeclineChange {
		declined = in.Version
	}
	var result outcome
	err := o.DB.Pipe(ctx, may.scope().In(id.Commune), func(ctx context.Context, tx *pg.Pipe) error {
		result = outcome{}
		now := o.now()
		var before, order *Order
		var pieces []catalog.Pieces
		first := &pgx.Batch{}
		if may.staff() { // what it changes, as it stands now: the audit log tells both
			queueLocked(first, id, &before)
		}
		update := first.Queue(`
			update orders o set status = $4, version = version + 1, updated_at = $5,
				reason = coalesce($6, reason), reason_text = coalesce($7, reason_text), change_version = null, change_until = null
			where commune_id = $1 and id = $2 and (status, change_version is not null) in (select * from unnest($3::text[], $8::bool[]))
			and ($9 = 0 or change_version = $9)`,
			id.Commune, id.Row, status, effect.to, now, in.Reason, in.Text, proposed, declined)
		update.Exec(func(tag pgconn.CommandTag) error {
			result.done = tag.RowsAffected() == 1
			return nil
		})
		queueOne(first, id, &order)
		if effect.returns {
			first.Queue(`select variant_id, quantity from order_lines where commune_id = $1 and order_id = $2 and quantity > 0`, id.Commune, id.Row).
				Query(func(rows pgx.Rows) (err error) {
					pieces, err = pgx.CollectRows(rows, pgx.RowToStructByPos[catalog.Pieces])
					return err
				})
		}
		if err := tx.Send(ctx, first); err != nil {
			return err
		}
		if order == nil {
			return id.NotFound() // gone between two statements: only with a right that was taken away
		}
		result.order = order
		if !result.done {
			return nil
		}
		last := &pgx.Batch{}
		if effect.returns {
			queueGiveBack(last, order, pieces, now)
		}
		o.queueEnd(last, may, action, before, order, in.Reason, now)
		return tx.Commit(ctx, last)
	})
	return result, err
}

// queueGiveBack queues what an order gives back that ends without a hand-over, rejected, cancelled
// or not collected: all that it took when it was placed. The order's row is locked, and was open a
// statement ago, so that this is queued once in an order's life.
func queueGiveBack(b *pgx.Batch, order *Order, pieces []catalog.Pieces, now time.Time) {
	catalog.QueueReturn(b, order.CommuneID, pieces)
	queueSlotReturn(b, order)
	catalog.QueueMoves(b, order.ID(), catalog.Returned, pieces, now)
}

func texts[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = string(s)
	}
	return out
}
