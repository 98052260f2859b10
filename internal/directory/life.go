package directory

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// What is done to shops by those who answer for a commune.
const (
	auditPublish   identity.AuditAction = "SHOP_PUBLISH"
	auditSuspend   identity.AuditAction = "SHOP_SUSPEND"
	auditReinstate identity.AuditAction = "SHOP_REINSTATE"
	auditUpdate    identity.AuditAction = "SHOP_UPDATE"
)

// SuspensionReason says why a shop was taken off.
type SuspensionReason string

// The reasons.
const (
	ClosedForGood   SuspensionReason = "CLOSED_FOR_GOOD"
	NotConfirmed    SuspensionReason = "NOT_CONFIRMED"
	OrdersUnserved  SuspensionReason = "ORDERS_NOT_SERVED"
	AgainstRules    SuspensionReason = "AGAINST_RULES"
	MerchantAsked   SuspensionReason = "MERCHANT_ASKED"
	OtherSuspension SuspensionReason = "OTHER"
)

// Valid tells whether r is one of the reasons.
func (r SuspensionReason) Valid() bool {
	switch r {
	case ClosedForGood, NotConfirmed, OrdersUnserved, AgainstRules, MerchantAsked, OtherSuspension:
		return true
	}
	return false
}

// ShopInput is a shop.
type ShopInput struct{ Shop tenancy.ID }

// SuspendShopInput takes a shop off.
type SuspendShopInput struct {
	Shop   tenancy.ID
	Reason SuspensionReason
	Text   *string // to the merchant
}

// ShopLifePayload is a shop as it stands now, changed or, with refusals, as it was.
type ShopLifePayload struct {
	Shop     *Shop
	Refusals []DirectoryRefusal
}

// Publish makes a shop public that waits for it.
//
// Faults: NOT_FOUND for a shop of a commune that the viewer does not serve, FORBIDDEN for all but
// agents and admins.
func (r *Registrations) Publish(ctx context.Context, v *identity.Viewer, in ShopInput) (*ShopLifePayload, error) {
	return r.turn(ctx, v, in.Shop, turn{from: []ShopStatus{Draft, Pending}, to: Published, step: step{kind: StepPublished}, action: auditPublish, mail: "shop_published"})
}

// Suspend takes a public shop off: nobody but its merchant and staff sees it, and it takes no
// orders. Those that it has go on.
//
// Faults: as Publish's.
func (r *Registrations) Suspend(ctx context.Context, v *identity.Viewer, in SuspendShopInput) (*ShopLifePayload, error) {
	if !in.Reason.Valid() {
		return nil, fault.At([]string{"input", "reason"}, "Ce motif n'existe pas.")
	}
	text, err := reasonText(in.Text, in.Reason == OtherSuspension)
	if err != nil {
		return nil, err
	}
	reason := string(in.Reason)
	return r.turn(ctx, v, in.Shop, turn{
		from: []ShopStatus{Published}, to: Suspended, step: step{kind: StepSuspended, reason: &reason, text: text}, action: auditSuspend, mail: "shop_suspended",
	})
}

// Reinstate makes a suspended shop public again.
//
// Faults: as Publish's.
func (r *Registrations) Reinstate(ctx context.Context, v *identity.Viewer, in ShopInput) (*ShopLifePayload, error) {
	return r.turn(ctx, v, in.Shop, turn{from: []ShopStatus{Suspended}, to: Published, step: step{kind: StepReinstated}, action: auditReinstate, mail: "shop_published"})
}

// turn is a step of a shop's life.
type turn struct {
	from   []ShopStatus
	to     ShopStatus
	step   step
	action identity.AuditAction
	mail   string
}

// statuses says where a shop stands, after "Cette boutique".
var statuses = map[ShopStatus]string{
	Draft: "est en cours de saisie", Pending: "attend d'être publiée", Published: "est déjà publiée", Suspended: "est suspendue",
}

// turn changes a shop's status; where it has it already, nothing changes.
func (r *Registrations) turn(ctx context.Context, v *identity.Viewer, id tenancy.ID, t turn) (_ *ShopLifePayload, err error) {
	defer fault.Wrap(&err, "%s(%s)", t.action, id)
	if err := id.Want(tenancy.KindShop, "input", "shop"); err != nil {
		return nil, err
	}
	as, err := r.governor(ctx, v, id)
	if err != nil {
		return nil, err
	}
	p := &ShopLifePayload{}
	err = r.DB.Write(ctx, as.scope, func(ctx context.Context, tx pgx.Tx) error {
		p.Refusals = []DirectoryRefusal{}
		before, err := shopTx(ctx, tx, id)
		if err != nil {
			return err
		}
		if p.Shop = before; before.Status == t.to {
			return nil
		}
		if !slices.Contains(t.from, before.Status) {
			p.Refusals = append(p.Refusals, DirectoryRefusal{Code: WrongStatus, Path: []string{"input", "shop"}, Message: "Cette boutique " + statuses[before.Status] + "."})
			return nil
		}
		now := r.now()
		if p.Shop, err = setShopTx(ctx, tx, id, 0, assignments{{"status", string(t.to)}}); err != nil {
			return err
		}
		if err := stepTx(ctx, tx, as, id, t.step, now); err != nil {
			return err
		}
		if err := auditShopTx(ctx, tx, as, t.action, before, p.Shop, now); err != nil {
			return err
		}
		return tell(ctx, tx, t.mail, id)
	})
	return p, err
}

// governor is the viewer as one who decides on a shop: an agent of its commune, or an admin.
func (r *Registrations) governor(ctx context.Context, v *identity.Viewer, shop tenancy.ID) (reader, error) {
	d := Directory{DB: r.DB}
	found, err := d.ByIDs(ctx, v, []tenancy.ID{shop})
	switch {
	case err != nil:
		return reader{}, err
	case found[shop] == nil:
		return reader{}, shop.NotFound()
	case v.Kind != identity.Agent && v.Kind != identity.Admin || !v.Serves(shop.Commune):
		return reader{}, fault.Errorf(fault.Forbidden, "Seuls les agents de la commune et les administrateurs publient et suspendent une boutique.")
	}
	return reader{scope: v.Scope().In(shop.Commune), kind: v.Kind, by: v}, nil
}

// shopTx reads a shop and keeps it as it is until commit.
func shopTx(ctx context.Context, tx pgx.Tx, id tenancy.ID) (*Shop, error) {
	rows, err := tx.Query(ctx, `select `+shopColumns+` from shops s where commune_id = $1 and id = $2 for update`, id.Commune, id.Row)
	if err != nil {
		return nil, err
	}
	list, err := pgx.CollectRows(rows, pgx.RowToAddrOfStructByName[Shop])
	if err == nil && len(list) == 0 {
		err = id.NotFound()
	}
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

// setShopTx changes columns of a shop, and counts the change where it is one of its profile.
func setShopTx(ctx context.Context, tx pgx.Tx, id tenancy.ID, count int, set assignments) (*Shop, error) {
	args := pg.Args{id.Commune, id.Row, count}
	rows, err := tx.Query(ctx, `update shops s set `+set.update(&args)+`, version = version + $3 where commune_id = $1 and id = $2 returning `+shopColumns, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowToAddrOfStructByName[Shop])
}

// auditShopTx writes an entry of the audit log where staff changed a shop.
func auditShopTx(ctx context.Context, tx pgx.Tx, as reader, action identity.AuditAction, before, after *Shop, at time.Time) error {
	if !as.staff() {
		return nil
	}
	b := &pgx.Batch{}
	identity.QueueAudit(b, identity.AuditEntry{By: as.by, At: at, Action: action, Object: after.ID(), Before: before, After: after})
	return tx.SendBatch(ctx, b).Close()
}
