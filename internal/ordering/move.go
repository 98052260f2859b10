package ordering

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/audelor/halles/internal/calendar"
	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// Moved is an order that changed its slot; its status stays.
const Moved EventKind = "MOVED"

// MoveInput is an order and the slot that it moves to.
type MoveInput struct {
	Order tenancy.ID
	Slot  time.Time // its start
}

// Move moves an order to another slot of its shop and mode, by the verdict of checkout; who may, and
// when, is in the table of transitions. A shop that moves one does not mind its own lead time and
// cut-off. Both slots are right in one transaction, with the event and what both sides are told. An
// order that has the slot already is left as it is.
//
// Faults: NOT_FOUND for an order that the viewer may not see, FORBIDDEN for what its kind may never
// do, INVALID for a time that no slot can have. A slot that cannot be had is a refusal with the
// next, and so is an order that no longer moves.
func (o *Ordering) Move(ctx context.Context, v *identity.Viewer, in MoveInput) (_ *ChangePayload, err error) {
	defer fault.Wrap(&err, "%s(%s)", Move, in.Order)
	if err := in.Order.Want(tenancy.KindOrder, "input", "order"); err != nil {
		return nil, err
	}
	if err := directory.CheckInstant(in.Slot, "input", "slot"); err != nil {
		return nil, err
	}
	found, err := o.ByIDs(ctx, v, []tenancy.ID{in.Order})
	if err != nil {
		return nil, err
	}
	order := found[in.Order]
	if order == nil {
		return nil, in.Order.NotFound()
	}
	may, states, err := order.may(v, Move)
	if err != nil {
		return nil, err
	}
	start := in.Slot.UTC().Truncate(time.Second)
	var refusals []Refusal
	for range maxDraws {
		order, refusals, err = o.move(ctx, may, order.ID(), order.ShopID(), states, start)
		if err != errAgain { //nolint:errorlint // our own, unwrapped
			break
		}
	}
	if err != nil {
		return nil, err
	}
	order.Reader = v
	if len(refusals) == 1 && refusals[0].Code == IllegalTransition {
		refusals = []Refusal{*order.illegal(v)}
	}
	return &ChangePayload{order, refusals}, nil
}

// move is Move in one transaction. Its locks are the order's row, then both slots in the order of
// their starts, then the heads of the logs: those of change, without variants.
func (o *Ordering) move(ctx context.Context, may capacity, id, shopID tenancy.ID, from []stand, start time.Time) (order *Order, refusals []Refusal, err error) {
	moved := false
	err = o.DB.Pipe(ctx, may.scope().In(id.Commune), func(ctx context.Context, tx *pg.Pipe) error {
		order, refusals, moved = nil, []Refusal{}, false
		now := o.now()
		var shop *calendar.Shop
		first := &pgx.Batch{}
		queueLocked(first, id, &order)
		directory.QueueCalendar(first, shopID, now, func(s *calendar.Shop) { shop = s })
		if err := tx.Send(ctx, first); err != nil {
			return err
		}
		switch {
		case order == nil:
			return id.NotFound()
		case !slices.Contains(from, order.stand()):
			refusals = []Refusal{{Code: IllegalTransition}}
			return nil
		case order.SlotStartsAt != nil && order.SlotStartsAt.Equal(start):
			return nil
		case shop == nil:
			refusals = []Refusal{{Code: ShopUnavailable, Path: []string{"input", "order"}, Message: "La boutique n'est plus là ; appelez-la pour changer l'heure."}}
			return nil
		}
		mode := calendar.Mode(order.Mode)
		ask := shop.Verdict
		if may.actor == ByMerchant {
			ask = shop.Overruled
		}
		no := ask(mode, start, now, shop.Loads(mode))
		path := []string{"input", "slot"}
		if no != nil && no.Code != calendar.Full && no.Code != calendar.SlotClosed {
			refusals = []Refusal{refusedBy(no, now, path)}
			return nil
		}
		booked := false
		second := &pgx.Batch{}
		if order.SlotStartsAt != nil && order.SlotStartsAt.Before(start) {
			queueSlotReturn(second, order)
		}
		queueBook(second, shopID, order.Mode, start, &booked)
		if order.SlotStartsAt != nil && start.Before(*order.SlotStartsAt) {
			queueSlotReturn(second, order)
		}
		if err := tx.Send(ctx, second); err != nil {
			return err
		}
		if !booked {
			if no == nil { // the last place went just now
				return errAgain
			}
			refusals = []Refusal{refusedBy(no, now, path)}
			return nil
		}
		before := *order
		slot, _ := shop.SlotAt(mode, start)
		begins, ends := slot.Start.UTC(), slot.End.UTC()
		order.SlotStartsAt, order.SlotEndsAt = &begins, &ends
		order.Version++
		last := &pgx.Batch{}
		last.Queue(`update orders set slot_starts_at = $3, slot_ends_at = $4, version = version + 1 where commune_id = $1 and id = $2`,
			id.Commune, id.Row, begins, ends).Exec(func(tag pgconn.CommandTag) error {
			if tag.RowsAffected() != 1 {
				return id.NotFound() // only with a right that was taken away
			}
			return nil
		})
		e := Event{CommuneID: id.Commune, OrderRow: id.Row, OrderSeq: order.Version, ShopRow: order.ShopRow, Kind: Moved, Status: order.Status, Actor: may.actor, At: now}
		if may.staff() {
			identity.QueueAudit(last, identity.AuditEntry{
				By: may.as, At: now, Action: identity.AuditAction("ORDER_" + string(Move)), Object: id, Before: before.Slot(), After: order.Slot(),
			})
		}
		queueMessages(last, &e)
		last.Queue(appendEvent, e.appendArgs()...)
		moved = true
		return tx.Commit(ctx, last)
	})
	if err == nil && moved {
		o.wake(id.Commune)
	}
	return order, refusals, err
}
