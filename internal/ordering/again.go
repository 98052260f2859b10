package ordering

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// Again is an old order as a basket to place.
type Again struct {
	ShopID tenancy.ID
	Mode   directory.FulfilmentMode
	Lines  []*AgainLine
	Left   []*Line // of which not all can be ordered
}

// AgainLine is some pieces that can be ordered again.
type AgainLine struct {
	VariantID tenancy.ID
	Quantity  int
}

// mostTold is how many pieces the public is told of; more are "5 or more" (see catalog).
const mostTold = 5

// AgainOf says of orders what can be ordered again: what the public can order of their lines now, at
// most as many as then. Of five or more left nobody is told how many, so that a larger quantity
// stays as it was, and placing has the last word.
func (o *Ordering) AgainOf(ctx context.Context, v *identity.Viewer, orders []tenancy.ID) (map[tenancy.ID]*Again, error) {
	found, err := o.ByIDs(ctx, v, orders)
	if err != nil {
		return nil, err
	}
	lines, err := o.LinesOf(ctx, v, orders)
	if err != nil {
		return nil, err
	}
	var communes []string
	var rows []uuid.UUID
	for id := range found {
		for _, l := range lines[id] {
			communes, rows = append(communes, l.CommuneID), append(rows, l.VariantRow)
		}
	}
	type left struct {
		CommuneID string
		ID        uuid.UUID
		Available int
	}
	as, ok := reads(v)
	if !ok || len(rows) == 0 {
		return nil, nil
	}
	list, err := pg.Select[left](ctx, o.DB, as.Scope().In(slices.Compact(slices.Sorted(slices.Values(communes)))...), `
		select distinct v.commune_id, v.id, v.available
		from unnest($1::text[], $2::uuid[]) k (commune_id, id) join variants v using (commune_id, id)
		where v.published and v.available > 0 and (not v.paused or v.paused_until <= now())`, communes, rows)
	if err != nil {
		return nil, err
	}
	available := map[tenancy.ID]int{}
	for _, l := range list {
		available[tenancy.RowID(tenancy.KindVariant, l.CommuneID, l.ID)] = l.Available
	}
	of := map[tenancy.ID]*Again{}
	for id, order := range found {
		again := &Again{ShopID: order.ShopID(), Mode: order.Mode, Lines: []*AgainLine{}, Left: []*Line{}}
		for _, l := range lines[id] {
			n := available[l.VariantID()]
			if n >= mostTold {
				n = l.Quantity
			}
			if n = min(n, l.Quantity); n > 0 {
				again.Lines = append(again.Lines, &AgainLine{l.VariantID(), n})
			}
			if n < l.Quantity {
				again.Left = append(again.Left, l)
			}
		}
		of[id] = again
	}
	return of, nil
}
