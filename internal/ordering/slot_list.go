package ordering

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/audelor/halles/internal/calendar"
	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/page"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// Slot is a time at which an order may be handed over.
type Slot struct {
	calendar.Slot
	Booked   *int // orders that hold it; nil but for who runs the shop or serves its commune
	Capacity *int // orders that it takes; nil as well where there is no limit
}

// SlotCount is what is known of a slot that has a row.
type SlotCount struct {
	CommuneID string
	ShopID    uuid.UUID
	Mode      directory.FulfilmentMode
	StartsAt  time.Time
	Booked    int
	Capacity  *int
}

// SlotCounts are a shop's slots of today and to come that have a row. Of all others nothing is
// booked.
type SlotCounts struct {
	of map[slotKey]*SlotCount
}

type slotKey struct {
	mode  directory.FulfilmentMode
	start int64
}

// SlotCountsOf counts the slots of shops that the viewer runs, or whose commune it serves; others
// are left out.
func (o *Ordering) SlotCountsOf(ctx context.Context, v *identity.Viewer, shops []tenancy.ID) (map[tenancy.ID]*SlotCounts, error) {
	var own []tenancy.ID
	for _, s := range shops {
		if v.Runs(s) || v.Serves(s.Commune) {
			own = append(own, s)
		}
	}
	if len(own) == 0 {
		return nil, nil
	}
	communes, rows := tenancy.Columns(own)
	scope := v.Scope().In(communes...)
	if scope.Role == pg.Public {
		return nil, nil // which may not read them at all
	}
	scope.Own = true // the counts are columns of a row that is otherwise public
	today, _ := directory.SpanWindow(o.now())
	list, err := pg.Select[SlotCount](ctx, o.DB, scope, `
		select t.commune_id, t.shop_id, t.mode, t.starts_at, t.booked, t.capacity
		from unnest($1::text[], $2::uuid[]) k (commune_id, shop_id) join slots t using (commune_id, shop_id)
		where t.starts_at >= $3`, communes, rows, today)
	if err != nil {
		return nil, fmt.Errorf("count the slots of %d shops: %w", len(own), err)
	}
	of := map[tenancy.ID]*SlotCounts{}
	for _, s := range own {
		of[s] = &SlotCounts{map[slotKey]*SlotCount{}}
	}
	for i := range list {
		c := &list[i]
		of[tenancy.RowID(tenancy.KindShop, c.CommuneID, c.ShopID)].of[slotKey{c.Mode, c.StartsAt.Unix()}] = c
	}
	return of, nil
}

// SlotsOf are a shop's first slots of a mode that begin from an instant, now where none is given, to
// before another, as far as orders are taken where none is given; with counts where they are given.
//
// Faults: INVALID for instants that no question can be about.
func (o *Ordering) SlotsOf(s *calendar.Shop, counts *SlotCounts, mode directory.FulfilmentMode, from, to *time.Time, first int) ([]*Slot, error) {
	if err := page.CheckFirst(first); err != nil {
		return nil, err
	}
	now := o.now()
	begin := now
	_, last := directory.SpanWindow(now)
	for _, at := range []struct {
		name  string
		value *time.Time
		into  *time.Time
	}{{"from", from, &begin}, {"to", to, &last}} {
		if at.value != nil {
			if err := directory.CheckInstant(*at.value, at.name); err != nil {
				return nil, err
			}
			*at.into = *at.value
		}
	}
	m := calendar.Mode(mode)
	slots := s.Slots(m, now, begin, last, s.Loads(m))
	list := make([]*Slot, min(first, len(slots)))
	for i := range list {
		list[i] = counted(s, counts, mode, slots[i])
	}
	return list, nil
}

// counted is a slot with its counts.
func counted(s *calendar.Shop, counts *SlotCounts, mode directory.FulfilmentMode, slot calendar.Slot) *Slot {
	one := &Slot{Slot: slot}
	if counts == nil {
		return one
	}
	if c := counts.of[slotKey{mode, slot.Start.Unix()}]; c != nil {
		one.Booked, one.Capacity = &c.Booked, c.Capacity
		return one
	}
	none := 0
	one.Booked = &none
	if usual := s.Capacity(calendar.Mode(mode)); usual > 0 {
		one.Capacity = &usual
	}
	return one
}
