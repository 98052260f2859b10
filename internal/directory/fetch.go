package directory

import (
	"context"

	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// ByIDs finds shops that the viewer may see: published ones, a merchant's own, staff's
// commune's. A shop that is missing from the answer does not exist for this viewer.
func (d *Directory) ByIDs(ctx context.Context, v *identity.Viewer, ids []tenancy.ID) (map[tenancy.ID]*Shop, error) {
	communes, rows := tenancy.Columns(ids)
	shops, err := pg.Select[Shop](ctx, d.DB, v.Scope().In(communes...), `
		select `+shopColumns+`
		from unnest($1::text[], $2::uuid[]) k (commune_id, id) join shops s using (commune_id, id)`, communes, rows)
	if err != nil {
		return nil, err
	}
	found := make(map[tenancy.ID]*Shop, len(shops))
	for i := range shops {
		s := &shops[i]
		if s.Status == Published || v.Runs(s.ID()) || v.Serves(s.CommuneID) {
			found[s.ID()] = s
		}
	}
	return found, nil
}

// HoursOf lists the weekly opening intervals of shops, Monday first.
func (d *Directory) HoursOf(ctx context.Context, v *identity.Viewer, ids []tenancy.ID) (map[tenancy.ID][]OpeningInterval, error) {
	communes, rows := tenancy.Columns(ids)
	all, err := pg.Select[OpeningInterval](ctx, d.DB, v.Scope().In(communes...), `
		select h.commune_id, h.shop_id, h.weekday, h.opens, h.closes
		from unnest($1::text[], $2::uuid[]) k (commune_id, shop_id) join opening_hours h using (commune_id, shop_id)
		order by h.weekday, h.opens`, communes, rows)
	of := map[tenancy.ID][]OpeningInterval{}
	for _, i := range all {
		id := tenancy.RowID(tenancy.KindShop, i.CommuneID, i.ShopID)
		of[id] = append(of[id], i)
	}
	return of, err
}

// FulfilmentsOf lists the modes that shops offer, PICKUP first.
func (d *Directory) FulfilmentsOf(ctx context.Context, v *identity.Viewer, ids []tenancy.ID) (map[tenancy.ID][]*Fulfilment, error) {
	communes, rows := tenancy.Columns(ids)
	all, err := pg.Select[Fulfilment](ctx, d.DB, v.Scope().In(communes...), `
		select `+fulfilmentColumns+`
		from unnest($1::text[], $2::uuid[]) k (commune_id, shop_id) join fulfilments f using (commune_id, shop_id)
		order by f.mode desc`, communes, rows)
	of := map[tenancy.ID][]*Fulfilment{}
	for i := range all {
		f := &all[i]
		id := tenancy.RowID(tenancy.KindShop, f.CommuneID, f.ShopID)
		of[id] = append(of[id], f)
	}
	return of, err
}
