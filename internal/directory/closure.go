package directory

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/calendar"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// Closure is a time for which a shop closes of its own accord, whatever its hours say.
type Closure struct {
	CommuneID string
	Row       uuid.UUID `db:"id"`
	ShopRow   uuid.UUID `db:"shop_id"`
	StartsAt  time.Time
	EndsAt    *time.Time // the first instant after it; null: until further notice
	Reason    string     // in French, for customers; may be empty
}

const closureColumns = `c.commune_id, c.id, c.shop_id, c.starts_at, c.ends_at, c.reason`

// ID is the closure's global ID.
func (c *Closure) ID() tenancy.ID { return tenancy.RowID(tenancy.KindClosure, c.CommuneID, c.Row) }

func (c *Closure) shop() tenancy.ID {
	return tenancy.RowID(tenancy.KindShop, c.CommuneID, c.ShopRow)
}

// ClosurePayload is a closure after a change, and its shop.
type ClosurePayload struct {
	Closure *Closure
	Shop    *Shop
}

// ClosuresOf lists the closures of shops that are on or to come, the first one first.
func (d *Directory) ClosuresOf(ctx context.Context, v *identity.Viewer, ids []tenancy.ID) (map[tenancy.ID][]*Closure, error) {
	communes, rows := tenancy.Columns(ids)
	all, err := pg.Select[Closure](ctx, d.DB, v.Scope().In(communes...), `
		select c.* from `+tenancy.Keys+` k (commune_id, shop_id) cross join lateral (
			select `+closureColumns+` from closures c where c.commune_id = k.commune_id and c.shop_id = k.shop_id
				and coalesce(c.ends_at, 'infinity') > greatest($3::timestamptz, c.starts_at) order by c.starts_at, c.id offset 0) c`, communes, rows, d.now())
	of := map[tenancy.ID][]*Closure{}
	for i := range all {
		id := all[i].shop()
		of[id] = append(of[id], &all[i])
	}
	return of, err
}

// CloseShopInput is a closure to be made.
type CloseShopInput struct {
	Shop   tenancy.ID
	From   *time.Time // now
	Until  *time.Time // until further notice
	Reason *string
}

// maxClosures bounds the closures of a shop that are on or to come: more than anybody plans.
const maxClosures = 100

// CloseShop closes a shop for a while. Orders that it stands against are not lost: the shop's
// affected orders list them.
//
// Faults: those of change; INVALID for a time that is none.
func (d *Directory) CloseShop(ctx context.Context, v *identity.Viewer, in CloseShopInput) (*ClosurePayload, error) {
	if err := in.Shop.Want(tenancy.KindShop, "input", "shop"); err != nil {
		return nil, err
	}
	now := d.now()
	c := &Closure{CommuneID: in.Shop.Commune, Row: tenancy.NewRow(), ShopRow: in.Shop.Row, StartsAt: now}
	for name, at := range map[string]*time.Time{"from": in.From, "until": in.Until} {
		if at != nil {
			if err := CheckInstant(*at, "input", name); err != nil {
				return nil, err
			}
		}
	}
	rule := calendar.Closure{}
	if in.From != nil && in.From.After(now) { // when it was closed before, it was
		c.StartsAt = in.From.UTC().Truncate(time.Microsecond)
	}
	rule.From = c.StartsAt
	if in.Until != nil {
		until := in.Until.UTC().Truncate(time.Microsecond)
		c.EndsAt, rule.Until = &until, until
	}
	if err := rule.Check("input", "until"); err != nil {
		return nil, err
	}
	reason := trimmed(in.Reason)
	if err := checkLength(reason, 200, "input", "reason"); err != nil {
		return nil, err
	}
	if reason != nil {
		c.Reason = *reason
	}
	p, err := d.change(ctx, v, shopChange{shop: in.Shop, action: "SHOP_CLOSE", write: func(ctx context.Context, tx pgx.Tx, now time.Time) error {
		tag, err := tx.Exec(ctx, `
			insert into closures (commune_id, id, shop_id, starts_at, ends_at, reason, created_at)
			select $1, $2, $3, $4, $5, $6, $7
			where (select count(*) from closures where commune_id = $1 and shop_id = $3 and coalesce(ends_at, 'infinity') > $7) < $8`,
			c.CommuneID, c.Row, c.ShopRow, c.StartsAt, c.EndsAt, c.Reason, now, maxClosures)
		if err == nil && tag.RowsAffected() == 0 {
			err = fault.Errorf(fault.Limited, "La boutique a déjà %d fermetures à venir ; levez-en une avant d'en ajouter.", maxClosures)
		}
		return err
	}})
	if err != nil {
		return nil, err
	}
	return &ClosurePayload{c, p.Shop}, nil
}

// ReopenShopInput names the closure to be ended.
type ReopenShopInput struct{ Closure tenancy.ID }

// ReopenShop ends a closure now; one that has not begun never will. Who ends what has ended
// already changes nothing.
//
// Faults: those of change.
func (d *Directory) ReopenShop(ctx context.Context, v *identity.Viewer, in ReopenShopInput) (*ClosurePayload, error) {
	id := in.Closure
	if err := id.Want(tenancy.KindClosure, "input", "closure"); err != nil {
		return nil, err
	}
	if err := v.SignedIn(); err != nil {
		return nil, err
	}
	read := `select ` + closureColumns + ` from closures c where c.commune_id = $1 and c.id = $2`
	found, err := pg.Select[Closure](ctx, d.DB, v.Scope().In(id.Commune), read, id.Commune, id.Row)
	if err != nil {
		return nil, fmt.Errorf("reopen %s: %w", id, err)
	}
	if len(found) == 0 {
		return nil, id.NotFound()
	}
	c := &found[0]
	p, err := d.change(ctx, v, shopChange{shop: c.shop(), action: "SHOP_REOPEN", write: func(ctx context.Context, tx pgx.Tx, now time.Time) error {
		_, err := tx.Exec(ctx, `update closures set ends_at = greatest($3, starts_at) where commune_id = $1 and id = $2 and coalesce(ends_at, 'infinity') > greatest($3, starts_at)`,
			id.Commune, id.Row, now)
		if err != nil {
			return err
		}
		rows, err := tx.Query(ctx, read, id.Commune, id.Row)
		if err != nil {
			return err
		}
		*c, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Closure])
		return err
	}})
	if err != nil {
		return nil, err
	}
	return &ClosurePayload{c, p.Shop}, nil
}
