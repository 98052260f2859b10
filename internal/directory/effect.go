package directory

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/calendar"
	"github.com/audelor/halles/internal/tenancy"
)

// RestrictionEffect is what a restriction comes to, with all others that are declared.
type RestrictionEffect struct {
	Shops   int // published ones that it concerns
	Refused int // of these, those that may no longer do something that they may do without it, at some time
	Orders  int // open orders that cannot be handed over when they would be without it
}

// Message tells the effect.
func (e RestrictionEffect) Message() string {
	return fmt.Sprintf("Cette mesure concerne %s, en ferme un mode à %d, et gêne %s.",
		counted(e.Shops, "boutique", "boutiques"), e.Refused, counted(e.Orders, "commande en cours", "commandes en cours"))
}

func counted(n int, one, many string) string {
	if n < 2 {
		many = one
	}
	return strconv.Itoa(n) + " " + many
}

// effectTx compares each shop with and without the restriction.
func (d *Directory) effectTx(ctx context.Context, tx pgx.Tx, rows []*Restriction) (RestrictionEffect, error) {
	var e RestrictionEffect
	now := d.now()
	communes := make([]string, len(rows))
	for i, r := range rows {
		communes[i] = r.CommuneID
	}
	ids, err := shopsTx(ctx, tx, `select commune_id, id from shops where commune_id = any($1) and status = 'PUBLISHED' order by commune_id, id`, communes)
	if err != nil {
		return e, err
	}
	with, without := map[tenancy.ID]*calendar.Shop{}, map[tenancy.ID]*calendar.Shop{}
	for some := range slices.Chunk(ids, spansAtOnce) {
		shops, err := calendarsTx(ctx, tx, some, now)
		if err != nil {
			return e, err
		}
		for id, s := range shops {
			at := slices.IndexFunc(rows, func(r *Restriction) bool { return r.CommuneID == id.Commune })
			rule := rows[at].rule()
			if !rule.Touches(&s.Place) {
				continue
			}
			e.Shops++
			after := *s
			after.Restrictions = append(slices.Clone(s.Restrictions), rule)
			with[id], without[id] = &after, s
			if s.Tightened(&rule) {
				e.Refused++
			}
		}
	}
	touched := make([]tenancy.ID, 0, len(with))
	for id := range with {
		touched = append(touched, id)
	}
	orders, err := openOrdersTx(ctx, tx, touched)
	for _, o := range orders {
		if id := o.shop(); o.against(with[id], now) != nil && o.against(without[id], now) == nil {
			e.Orders++
		}
	}
	return e, err
}

// openOrder is what the calendar must know of an order.
type openOrder struct {
	CommuneID string
	ShopID    uuid.UUID
	Mode      calendar.Mode
	PlacedAt  time.Time

	SlotStartsAt, SlotEndsAt *time.Time // null: when it is ready
}

// against says what stands against handing the order over.
func (o *openOrder) against(s *calendar.Shop, now time.Time) *calendar.Refusal {
	if o.SlotStartsAt == nil {
		return s.HandOver(o.Mode, o.PlacedAt, now)
	}
	return s.Promised(o.Mode, calendar.Span{Start: *o.SlotStartsAt, End: *o.SlotEndsAt}, o.PlacedAt, now)
}

func (o *openOrder) shop() tenancy.ID {
	return tenancy.RowID(tenancy.KindShop, o.CommuneID, o.ShopID)
}

// openOrdersTx reads the orders of shops that wait to be handed over.
func openOrdersTx(ctx context.Context, tx pgx.Tx, shops []tenancy.ID) ([]openOrder, error) {
	communes, rows := tenancy.Columns(shops)
	found, err := tx.Query(ctx, `
		select o.commune_id, o.shop_id, o.mode, o.placed_at, o.slot_starts_at, o.slot_ends_at
		from unnest($1::text[], $2::uuid[]) k (commune_id, shop_id) join orders o using (commune_id, shop_id)
		where o.status in ('PLACED', 'ACCEPTED', 'READY')`, communes, rows)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(found, pgx.RowToStructByName[openOrder])
}

func shopsTx(ctx context.Context, tx pgx.Tx, sql string, args ...any) ([]tenancy.ID, error) {
	found, err := tx.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(found, func(row pgx.CollectableRow) (tenancy.ID, error) {
		id := tenancy.ID{Kind: tenancy.KindShop}
		err := row.Scan(&id.Commune, &id.Row)
		return id, err
	})
}
