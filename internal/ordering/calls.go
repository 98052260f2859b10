package ordering

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/page"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// CallList is one page of the orders about which somebody is to be telephoned, in all communes that
// the viewer serves, the longest waiting first. Of the one kind the shop is called: reminded by
// message, it has not answered; such an order leaves the list when it is accepted, rejected or
// cancelled. Of the other a caller was promised to be called back: the last call about the order,
// whatever its status, ended so; it leaves the list with the next call that is written down.
//
// Faults: FORBIDDEN for all but the hotline and admins.
func (o *Ordering) CallList(ctx context.Context, v *identity.Viewer, first int, after *string) (*OrderConnection, error) {
	if err := answersCalls(v); err != nil {
		return nil, err
	}
	list := "call list of " + v.Account.String()
	placed, row, err := o.position(list, first, after)
	if err != nil {
		return nil, err
	}
	orders, err := pg.Select[Order](ctx, o.DB, v.Scope(), `
		select `+orderColumns+` from orders o
		where o.commune_id = any($1) and (
			o.status = 'PLACED' and o.change_version is null
			and exists (select from order_escalations e where e.commune_id = o.commune_id and e.order_id = o.id and e.step = 'CALL')
			or (o.commune_id, o.id) in (
				select c.commune_id, c.order_id from calls c
				where c.commune_id = any($1) and c.outcome = 'CALL_BACK' and c.order_id is not null
				and not exists (select from calls l where l.commune_id = c.commune_id and l.order_id = c.order_id and (l.at, l.id) > (c.at, c.id))))
		and ((o.placed_at, o.id) > ($3::timestamptz, $4::uuid) or $4::uuid is null)
		order by o.placed_at, o.id limit $2`, v.Communes, first+1, placed, row)
	if err != nil {
		return nil, fmt.Errorf("list orders to call for: %w", err)
	}
	return o.connection(v, list, orders, first, after), nil
}

func answersCalls(v *identity.Viewer) error {
	if !identity.Checked || v.Kind == identity.Hotline || v.Kind == identity.Admin {
		return nil
	}
	if err := v.SignedIn(); err != nil {
		return err
	}
	return fault.Errorf(fault.Forbidden, "Cette liste est celle du numéro vert.")
}

// Find finds orders by their number, as somebody says it on the telephone, or by the telephone
// number of who ordered: in capitals or not, with spaces or without, +33 or 0. The latest come
// first. A merchant finds those of its shops, staff those of the communes that it serves.
//
// A telephone number is a person: an agent, who is not told whose an order is, does not find by it,
// and what the hotline finds by it stands in the audit log.
//
// Faults: FORBIDDEN for those who are neither; INVALID unless exactly one is given, and for a
// telephone number that is none.
func (o *Ordering) Find(ctx context.Context, v *identity.Viewer, number, phone *string, first int) ([]*Order, error) {
	if err := page.CheckFirst(first); err != nil {
		return nil, err
	}
	communes := v.Communes
	switch v.Kind {
	case identity.Merchant:
		communes, _ = tenancy.Columns(v.Shops)
	case identity.Agent, identity.Hotline, identity.Admin:
	default:
		if err := v.SignedIn(); err != nil {
			return nil, err
		}
		return nil, fault.Errorf(fault.Forbidden, "Une commande se cherche à la boutique, à la mairie ou au numéro vert ; vos commandes sont dans viewer { orders }.")
	}
	switch {
	case (number == nil) == (phone == nil):
		return nil, fault.At([]string{"number"}, "Donnez le numéro de la commande, ou le téléphone du client.")
	case phone != nil:
		return o.findByPhone(ctx, v, communes, *phone, first)
	}
	found, err := pg.Select[Order](ctx, o.DB, v.Scope(), `
		select `+orderColumns+` from orders o where o.commune_id = any($1) and o.number = $2 order by o.placed_at desc, o.id desc limit $3`,
		communes, canonicalCode(*number), first)
	return visibleOrders(found, v), err
}

func (o *Ordering) findByPhone(ctx context.Context, v *identity.Viewer, communes []string, phone string, first int) ([]*Order, error) {
	if v.Kind == identity.Agent || v.Kind == identity.Admin {
		return nil, fault.Errorf(fault.Forbidden, "Un téléphone se cherche à la boutique ou au numéro vert. Cherchez la commande par son numéro.")
	}
	e164, ok := directory.Phone(phone)
	if !ok {
		return nil, fault.At([]string{"phone"}, "%q n'est pas un numéro de téléphone ; écrivez 06 12 34 56 78 ou +33612345678.", clip(phone))
	}
	var list []*Order
	err := o.DB.Write(ctx, v.Scope(), func(ctx context.Context, tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `
			select `+orderColumns+` from order_contacts c join orders o on o.commune_id = c.commune_id and o.id = c.order_id
			where c.commune_id = any($1) and c.phone = $2 order by o.placed_at desc, o.id desc limit $3`, communes, e164, first)
		if err != nil {
			return err
		}
		found, err := pgx.CollectRows(rows, pgx.RowToStructByName[Order])
		if err != nil {
			return err
		}
		list = visibleOrders(found, v)
		return contactRead(ctx, tx, v, list, o.now())
	})
	return list, err
}

func visibleOrders(found []Order, v *identity.Viewer) []*Order {
	list := make([]*Order, 0, len(found))
	for i := range found {
		if order := &found[i]; order.VisibleTo(v) {
			list = append(list, order.as(v))
		}
	}
	return list
}

// ContactRead is the audit log's name for the hotline having seen whose an order is.
const ContactRead identity.AuditAction = "CONTACT_READ"

// contactRead writes down that the hotline reads whose the orders are, in the order of their
// communes: the heads of the log are locked, each until the commit.
func contactRead(ctx context.Context, tx pgx.Tx, v *identity.Viewer, orders []*Order, now time.Time) error {
	if v.Kind != identity.Hotline || len(orders) == 0 {
		return nil
	}
	orders = slices.Clone(orders)
	slices.SortFunc(orders, func(a, b *Order) int {
		return cmp.Or(strings.Compare(a.CommuneID, b.CommuneID), bytes.Compare(a.Row[:], b.Row[:]))
	})
	b := &pgx.Batch{}
	for _, order := range orders {
		identity.QueueAudit(b, identity.AuditEntry{By: v, At: now, Action: ContactRead, Object: order.ID()})
	}
	return tx.SendBatch(ctx, b).Close()
}
