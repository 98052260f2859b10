package directory

import (
	"context"

	"github.com/google/uuid"

	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// The look-ups below take each key by itself, as catalog's do: joined, row-level security makes
// Postgres read whole communes.

// ByIDs finds shops that the viewer may see: published ones, a merchant's own, staff's
// commune's. A shop that is missing from the answer does not exist for this viewer.
func (d *Directory) ByIDs(ctx context.Context, v *identity.Viewer, ids []tenancy.ID) (map[tenancy.ID]*Shop, error) {
	keys, args := tenancy.From(ids)
	shops, err := read[Shop](ctx, d, v.Scope().In(tenancy.CommunesOf(ids)...), `
		select s.* from `+keys+` k (commune_id, id) cross join lateral (
			select `+d.Columns()+` from shops s where s.commune_id = k.commune_id and s.id = k.id offset 0) s`, args...)
	if err != nil {
		return nil, err
	}
	found := make(map[tenancy.ID]*Shop, len(shops))
	for i := range shops {
		if s := &shops[i]; s.seenBy(v) {
			found[s.ID()] = s
		}
	}
	return found, nil
}

// OfProducts finds the shops that sell products, as ByIDs would.
func (d *Directory) OfProducts(ctx context.Context, v *identity.Viewer, products []tenancy.ID) (map[tenancy.ID]*Shop, error) {
	type selling struct {
		Shop
		ProductID uuid.UUID
	}
	keys, args := tenancy.From(products)
	list, err := read[selling](ctx, d, v.Scope().In(tenancy.CommunesOf(products)...), `
		select s.* from `+keys+` k (commune_id, id) cross join lateral (
			select `+d.Columns()+`, p.id as product_id from products p join shops s on s.commune_id = k.commune_id and s.id = p.shop_id
			where p.commune_id = k.commune_id and p.id = k.id offset 0) s`, args...)
	found := make(map[tenancy.ID]*Shop, len(list))
	for i := range list {
		if s := &list[i].Shop; s.seenBy(v) {
			found[tenancy.RowID(tenancy.KindProduct, s.CommuneID, list[i].ProductID)] = s
		}
	}
	return found, err
}

// Beside is a shop as a part of other rows, with Columns; take is handed each that the viewer may see.
func (d *Directory) Beside(v *identity.Viewer, take func(*Shop)) pg.Part {
	return pg.PartOf(d.cards, func(s *Shop) {
		if s.seenBy(v) {
			take(s)
		}
	})
}

// seenBy tells whether the viewer may see the shop.
func (s *Shop) seenBy(v *identity.Viewer) bool {
	return s.Status == Published || v.Runs(s.ID()) || v.Serves(s.CommuneID)
}

// HoursOf lists the weekly opening intervals of shops, Monday first.
func (d *Directory) HoursOf(ctx context.Context, v *identity.Viewer, ids []tenancy.ID) (map[tenancy.ID][]OpeningInterval, error) {
	communes, rows := tenancy.Columns(ids)
	all, err := pg.Select[OpeningInterval](ctx, d.DB, v.Scope().In(communes...), `
		select h.* from `+tenancy.Keys+` k (commune_id, shop_id) cross join lateral (
			select h.commune_id, h.shop_id, h.weekday, h.opens, h.closes from opening_hours h
			where h.commune_id = k.commune_id and h.shop_id = k.shop_id order by h.weekday, h.opens offset 0) h`, communes, rows)
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
		select f.* from `+tenancy.Keys+` k (commune_id, shop_id) cross join lateral (
			select `+fulfilmentColumns+` from fulfilments f
			where f.commune_id = k.commune_id and f.shop_id = k.shop_id order by f.mode desc offset 0) f`, communes, rows)
	of := map[tenancy.ID][]*Fulfilment{}
	for i := range all {
		f := &all[i]
		id := tenancy.RowID(tenancy.KindShop, f.CommuneID, f.ShopID)
		of[id] = append(of[id], f)
	}
	return of, err
}
