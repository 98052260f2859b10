package ordering

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/calendar"
	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// SlotInput names a slot of a shop.
type SlotInput struct {
	Shop  tenancy.ID
	Mode  directory.FulfilmentMode
	Start time.Time
}

// SlotCapacityInput gives a slot a capacity.
type SlotCapacityInput struct {
	Shop     tenancy.ID
	Mode     directory.FulfilmentMode
	Start    time.Time
	Capacity *int // nil: the usual one of the mode again
}

// SlotPayload is a slot after a change, and the orders that it leaves without a place.
type SlotPayload struct {
	ShopID    tenancy.ID
	Slot      *Slot
	Conflicts []*Order // the shop moves or cancels them: they keep their promise until then
	Refusals  []Refusal
}

// The actions on slots, as the audit log has them.
const (
	auditSlotClose    identity.AuditAction = "SLOT_CLOSE"
	auditSlotReopen   identity.AuditAction = "SLOT_REOPEN"
	auditSlotCapacity identity.AuditAction = "SLOT_CAPACITY_SET"
)

// CloseSlot closes a slot: it takes no more orders. Those that it has are told as conflicts, and are
// among the shop's affected orders. Closed already, it changes nothing.
//
// Faults: those of changeSlot.
func (o *Ordering) CloseSlot(ctx context.Context, v *identity.Viewer, in SlotInput) (*SlotPayload, error) {
	return o.changeSlot(ctx, v, in, auditSlotClose, func(s *slotState) { s.Closed = true })
}

// ReopenSlot opens a slot that was closed. Open already, it changes nothing.
//
// Faults: those of changeSlot.
func (o *Ordering) ReopenSlot(ctx context.Context, v *identity.Viewer, in SlotInput) (*SlotPayload, error) {
	return o.changeSlot(ctx, v, in, auditSlotReopen, func(s *slotState) { s.Closed = false })
}

// SetSlotCapacity gives a slot a capacity of its own, or the usual one again. Orders over it, the
// last ones placed, are told as conflicts.
//
// Faults: those of changeSlot; INVALID for a capacity that is none.
func (o *Ordering) SetSlotCapacity(ctx context.Context, v *identity.Viewer, in SlotCapacityInput) (*SlotPayload, error) {
	if in.Capacity != nil && (*in.Capacity < 1 || *in.Capacity > maxQuantity) {
		return nil, fault.At([]string{"input", "capacity"}, "Un créneau prend de 1 à %d commandes ; pour n'en prendre aucune, fermez-le (closeSlot).", maxQuantity)
	}
	return o.changeSlot(ctx, v, SlotInput{in.Shop, in.Mode, in.Start}, auditSlotCapacity, func(s *slotState) {
		if s.Usual = in.Capacity == nil; s.Usual {
			s.Capacity = s.usualCapacity
		} else {
			s.Capacity = in.Capacity
		}
	})
}

// slotState is what a change of a slot changes.
type slotState struct {
	Capacity *int
	Usual    bool
	Closed   bool

	booked        int
	usualCapacity *int
}

func (s slotState) same(t slotState) bool {
	return s.Usual == t.Usual && s.Closed == t.Closed && (s.Capacity == nil) == (t.Capacity == nil) && (s.Capacity == nil || *s.Capacity == *t.Capacity)
}

// maxConflicts bounds the orders that a payload tells; the shop's affected orders have all.
const maxConflicts = 100

// changeSlot changes a slot of the grid that has not begun, in one transaction with its audit entry
// where staff does it. Its locks are the slot's row and then the head of the audit log, in the
// order of who places.
//
// Faults: UNAUTHENTICATED, NOT_FOUND, FORBIDDEN for who neither runs the shop nor serves its
// commune, INVALID for a time that no slot can have. A slot that is none, or over, is a refusal.
func (o *Ordering) changeSlot(ctx context.Context, v *identity.Viewer, in SlotInput, action identity.AuditAction, change func(*slotState)) (_ *SlotPayload, err error) {
	defer fault.Wrap(&err, "%s(%s)", action, in.Shop)
	if err := in.check(); err != nil {
		return nil, err
	}
	if err := o.mayChangeSlots(ctx, v, in.Shop); err != nil {
		return nil, err
	}
	start := in.Start.UTC().Truncate(time.Second)
	mode := calendar.Mode(in.Mode)
	p := &SlotPayload{ShopID: in.Shop}
	scope := v.Scope().In(in.Shop.Commune)
	err = o.DB.Pipe(ctx, scope, func(ctx context.Context, tx *pg.Pipe) error {
		p.Slot, p.Conflicts, p.Refusals = nil, []*Order{}, []Refusal{}
		now := o.now()
		var shop *calendar.Shop
		var before slotState
		first := &pgx.Batch{}
		directory.QueueCalendar(first, in.Shop, now, func(s *calendar.Shop) { shop = s })
		queueSlot(first, in.Shop, in.Mode, start)
		first.Queue(`
			select t.capacity, t.usual, t.closed, t.booked, (select f.slot_capacity from fulfilments f
				where f.commune_id = t.commune_id and f.shop_id = t.shop_id and f.mode = t.mode)
			from slots t where t.commune_id = $1 and t.shop_id = $2 and t.mode = $3 and t.starts_at = $4 for update`,
			in.Shop.Commune, in.Shop.Row, string(in.Mode), start).QueryRow(func(row pgx.Row) error {
			err := row.Scan(&before.Capacity, &before.Usual, &before.Closed, &before.booked, &before.usualCapacity)
			if errors.Is(err, pgx.ErrNoRows) { // a mode that is not offered
				return nil
			}
			return err
		})
		if err := tx.Send(ctx, first); err != nil {
			return err
		}
		if shop == nil {
			return in.Shop.NotFound()
		}
		slot, there := shop.SlotAt(mode, start)
		if !there || !slot.Start.After(now) {
			no := shop.Verdict(mode, start, now, nil)
			if no == nil { // it begins this very instant
				no = &calendar.Refusal{Code: calendar.Past, Message: "Ce créneau est passé."}
			}
			p.Refusals = []Refusal{refusedBy(no, now, []string{"input", "start"})}
			return errRefused
		}
		after := before
		change(&after)
		p.Slot = after.slot(slot, shop.Verdict(mode, start, now, nil))
		last := &pgx.Batch{}
		last.Queue(`
			select `+orderColumns+` from orders o
			where o.commune_id = $1 and o.shop_id = $2 and o.mode = $3 and o.slot_starts_at = $4 and o.status = any($5)
			order by o.placed_at, o.id offset $6 limit $7`,
			in.Shop.Commune, in.Shop.Row, string(in.Mode), start, texts(inHand), after.room(), maxConflicts).Query(func(rows pgx.Rows) (err error) {
			p.Conflicts, err = pgx.CollectRows(rows, pgx.RowToAddrOfStructByName[Order])
			return err
		})
		if after.same(before) {
			if err := tx.Send(ctx, last); err != nil {
				return err
			}
			return errRefused // nothing to keep
		}
		last.Queue(`update slots set capacity = $5, usual = $6, closed = $7 where commune_id = $1 and shop_id = $2 and mode = $3 and starts_at = $4`,
			in.Shop.Commune, in.Shop.Row, string(in.Mode), start, after.Capacity, after.Usual, after.Closed)
		if v.Serves(in.Shop.Commune) {
			identity.QueueAudit(last, identity.AuditEntry{By: v, At: now, Action: action, Object: in.Shop, Before: before, After: after})
		}
		return tx.Commit(ctx, last)
	})
	if err != nil && !errors.Is(err, errRefused) {
		return nil, err
	}
	for _, order := range p.Conflicts {
		order.Reader = v
	}
	return p, nil
}

func (in *SlotInput) check() error {
	if err := in.Shop.Want(tenancy.KindShop, "input", "shop"); err != nil {
		return err
	}
	if !in.Mode.Valid() {
		return fault.At([]string{"input", "mode"}, "Le mode est PICKUP ou DELIVERY.")
	}
	return directory.CheckInstant(in.Start, "input", "start")
}

// mayChangeSlots is who may change when a shop hands over: who may change its hours.
func (o *Ordering) mayChangeSlots(ctx context.Context, v *identity.Viewer, shop tenancy.ID) error {
	if err := v.SignedIn(); err != nil {
		return err
	}
	d := directory.Directory{DB: o.DB}
	found, err := d.ByIDs(ctx, v, []tenancy.ID{shop})
	if err != nil {
		return err
	}
	if found[shop] == nil {
		return shop.NotFound()
	}
	if !v.Runs(shop) && (v.Kind != identity.Agent && v.Kind != identity.Admin || !v.Serves(shop.Commune)) {
		return fault.Errorf(fault.Forbidden, "Seuls la boutique, les agents de sa commune et les administrateurs peuvent faire cela.")
	}
	return nil
}

// room is how many orders the slot has a place for.
func (s slotState) room() int {
	switch {
	case s.Closed:
		return 0
	case s.Capacity == nil:
		return s.booked
	}
	return *s.Capacity
}

// slot is the slot as it stands; no is what stands against it beside its load.
func (s slotState) slot(span calendar.Span, no *calendar.Refusal) *Slot {
	switch {
	case no != nil:
	case s.Closed:
		no = &calendar.Refusal{Code: calendar.SlotClosed, Message: "La boutique a fermé ce créneau."}
	case s.Capacity != nil && s.booked >= *s.Capacity:
		no = &calendar.Refusal{Code: calendar.Full, Message: "Ce créneau est complet."}
	}
	booked := s.booked
	return &Slot{Slot: calendar.Slot{Span: span, Refusal: no}, Booked: &booked, Capacity: s.Capacity}
}
