package ordering

import (
	"context"
	"fmt"
	"strings"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/page"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// CallList is one page of the orders whose shops are to be telephoned, in all communes that the
// viewer serves, the longest waiting first: reminded by message, they have not answered. An order
// leaves the list when it is accepted, rejected or cancelled.
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
		where o.commune_id = any($1) and o.status = 'PLACED'
		and exists (select from order_escalations e where e.commune_id = o.commune_id and e.order_id = o.id and e.step = 'CALL')
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

// Find finds the orders that have a number, as somebody says it on the telephone: in capitals or
// not, with spaces or without. Numbers are unique in a commune, so that there are several only in
// rare cases; a merchant finds those of its shops, staff those of the communes that it serves.
//
// Faults: FORBIDDEN for those who are neither.
func (o *Ordering) Find(ctx context.Context, v *identity.Viewer, number string, first int) ([]*Order, error) {
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
		return nil, fault.Errorf(fault.Forbidden, "Un numéro de commande se cherche à la boutique, à la mairie ou au numéro vert ; vos commandes sont dans viewer { orders }.")
	}
	found, err := pg.Select[Order](ctx, o.DB, v.Scope(), `
		select `+orderColumns+` from orders o where o.commune_id = any($1) and o.number = $2 order by o.placed_at desc, o.id desc limit $3`,
		communes, strings.ToUpper(separators.Replace(number)), first)
	if err != nil {
		return nil, fmt.Errorf("find an order: %w", err)
	}
	list := make([]*Order, 0, len(found))
	for i := range found {
		if order := &found[i]; order.VisibleTo(v) {
			order.Reader = v
			list = append(list, order)
		}
	}
	return list, nil
}
