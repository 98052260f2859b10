package ordering

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/audelor/halles/internal/calendar"
	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/page"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// Affected is an open order that cannot be handed over when it would be, and why.
type Affected struct {
	Order   *Order
	Refusal *calendar.Refusal
}

// inHand are the statuses of orders that are still to be handed over at the shop's time; those
// that are out for delivery are on their way.
var inHand = []Status{Placed, Accepted, Ready}

// Waits tells whether the order is still to be handed over at the shop's time.
func (o *Order) Waits() bool { return slices.Contains(inHand, o.Status) }

// AffectedBy says which closure or restriction stands against handing the order over, given the
// shop's calendar; nil: none, or the order is over.
func (o *Order) AffectedBy(s *calendar.Shop, now time.Time) *calendar.Refusal {
	if !o.Waits() {
		return nil
	}
	if slot := o.Slot(); slot != nil {
		return s.Promised(calendar.Mode(o.Mode), *slot, o.PlacedAt, now)
	}
	return s.HandOver(calendar.Mode(o.Mode), o.PlacedAt, now)
}

// AffectedOf lists the open orders of shops that a closure or a restriction stands against, the
// oldest first, so many of each shop. It is for who runs the shop or serves its commune; others get
// none.
func (o *Ordering) AffectedOf(ctx context.Context, v *identity.Viewer, shops []tenancy.ID, first int) (map[tenancy.ID][]*Affected, error) {
	if err := page.CheckFirst(first); err != nil {
		return nil, err
	}
	own := slices.DeleteFunc(slices.Clone(shops), func(s tenancy.ID) bool { return !v.Runs(s) && !v.Serves(s.Commune) })
	if len(own) == 0 {
		return nil, nil
	}
	communes, rows := tenancy.Columns(own)
	scope, now := v.Scope().In(communes...), o.now()
	orders, err := pg.Select[Order](ctx, o.DB, scope, `
		select `+orderColumns+`
		from unnest($1::text[], $2::uuid[]) k (commune_id, shop_id) join orders o using (commune_id, shop_id)
		where o.status = any($3)`, communes, rows, texts(inHand))
	if err != nil {
		return nil, fmt.Errorf("affected orders of %d shops: %w", len(own), err)
	}
	of := map[tenancy.ID][]*Affected{}
	if len(orders) == 0 {
		return of, nil
	}
	calendars, err := directory.CalendarsIn(ctx, o.DB, scope, own, now)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(orders, func(a, b Order) int {
		return cmp.Or(a.PlacedAt.Compare(b.PlacedAt), slices.Compare(a.Row[:], b.Row[:]))
	})
	for i := range orders {
		order := &orders[i]
		id := order.ShopID()
		if s := calendars[id]; s != nil && len(of[id]) < first {
			if no := order.AffectedBy(s, now); no != nil {
				order.Reader = v
				of[id] = append(of[id], &Affected{order, no})
			}
		}
	}
	return of, nil
}
