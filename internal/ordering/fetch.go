package ordering

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/page"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// queueOne queues the reading of one order; into stays nil when the scope sees none.
func queueOne(b *pgx.Batch, id tenancy.ID, into **Order) {
	queueRead(b, `select `+orderColumns+` from orders o where o.commune_id = $1 and o.id = $2`, id, into)
}

// queueLocked is queueOne for an order that is changed next.
func queueLocked(b *pgx.Batch, id tenancy.ID, into **Order) {
	queueRead(b, `select `+orderColumns+` from orders o where o.commune_id = $1 and o.id = $2 for update`, id, into)
}

func queueRead(b *pgx.Batch, sql string, id tenancy.ID, into **Order) {
	b.Queue(sql, id.Commune, id.Row).
		Query(func(rows pgx.Rows) error {
			order, err := pgx.CollectExactlyOneRow(rows, pgx.RowToAddrOfStructByName[Order])
			if errors.Is(err, pgx.ErrNoRows) {
				return nil
			}
			*into = order
			return err
		})
}

// reads tells whether there can be orders for the viewer at all, and as whom it reads them:
// a visitor has none, and an analyst only those of the private person.
func reads(v *identity.Viewer) (*identity.Viewer, bool) {
	switch {
	case v.Kind == identity.Analyst:
		return v.AsCustomer(), true
	case identity.Checked && (v.Kind == identity.Visitor || v.Kind == identity.Widget):
		return nil, false
	}
	return v, true
}

// ByIDs finds orders that the viewer may see: a customer's own, a guest's basket, a merchant's
// shops', staff's commune's.
func (o *Ordering) ByIDs(ctx context.Context, v *identity.Viewer, ids []tenancy.ID) (map[tenancy.ID]*Order, error) {
	as, ok := reads(v)
	if !ok {
		return nil, nil
	}
	communes, rows := tenancy.Columns(ids)
	list, err := pg.Select[Order](ctx, o.DB, as.Scope().In(communes...), `
		select `+orderColumns+`
		from unnest($1::text[], $2::uuid[]) k (commune_id, id) join orders o using (commune_id, id)`, communes, rows)
	found := make(map[tenancy.ID]*Order, len(list))
	for i := range list {
		if order := &list[i]; order.VisibleTo(v) {
			order.Reader = v
			found[order.ID()] = order
		}
	}
	return found, err
}

// LinesOf lists the lines of orders, as the customer gave them.
func (o *Ordering) LinesOf(ctx context.Context, v *identity.Viewer, orders []tenancy.ID) (map[tenancy.ID][]*Line, error) {
	as, ok := reads(v)
	if !ok {
		return nil, nil
	}
	communes, rows := tenancy.Columns(orders)
	list, err := pg.Select[Line](ctx, o.DB, as.Scope().In(communes...), `
		select `+lineColumns+`
		from unnest($1::text[], $2::uuid[]) k (commune_id, order_id) join order_lines l using (commune_id, order_id)
		order by l.order_id, l.line`, communes, rows)
	of := make(map[tenancy.ID][]*Line, len(orders))
	for i := range list {
		id := tenancy.RowID(tenancy.KindOrder, list[i].CommuneID, list[i].OrderRow)
		of[id] = append(of[id], &list[i])
	}
	return of, err
}

// HistoryOf lists the events of orders, oldest first. Their cursors are orderUpdated's: who
// has read a history follows from its last event.
func (o *Ordering) HistoryOf(ctx context.Context, v *identity.Viewer, orders []tenancy.ID) (map[tenancy.ID][]*Event, error) {
	as, ok := reads(v)
	if !ok {
		return nil, nil
	}
	communes, rows := tenancy.Columns(orders)
	type entry struct {
		Event
		Epoch uuid.UUID
	}
	list, err := pg.Select[entry](ctx, o.DB, as.Scope().In(communes...), `
		select `+eventColumns+`, (select epoch from feed_epoch) as epoch
		from unnest($1::text[], $2::uuid[]) k (commune_id, order_id) join order_events e using (commune_id, order_id)
		order by e.order_id, e.order_seq`, communes, rows)
	of := make(map[tenancy.ID][]*Event, len(orders))
	for i := range list {
		e := &list[i].Event
		e.Reader, e.Cursor = v, orderCursor(o.Cursors, v, list[i].Epoch, e)
		of[e.OrderID()] = append(of[e.OrderID()], e)
	}
	return of, err
}

// ContactsOf reads who ordered, for the customer and the merchant of each order, and for the
// hotline, of which each reading is written into the audit log; of other orders it says nothing.
func (o *Ordering) ContactsOf(ctx context.Context, v *identity.Viewer, orders []tenancy.ID) (map[tenancy.ID]*PersonContact, error) {
	type contact struct {
		PersonContact
		CommuneID  string
		OrderID    uuid.UUID
		ShopID     uuid.UUID
		CustomerID *uuid.UUID
	}
	as, ok := reads(v)
	if !ok {
		return nil, nil
	}
	communes, rows := tenancy.Columns(orders)
	scope := as.Scope().In(communes...)
	const read = `
		select c.commune_id, c.order_id, c.name, c.phone, c.email, o.shop_id, o.customer_id
		from unnest($1::text[], $2::uuid[]) k (commune_id, order_id)
		join order_contacts c using (commune_id, order_id) join orders o on o.commune_id = c.commune_id and o.id = c.order_id`
	of := make(map[tenancy.ID]*PersonContact, len(orders))
	if v.Kind != identity.Hotline {
		list, err := pg.Select[contact](ctx, o.DB, scope, read, communes, rows)
		for i, c := range list {
			order := Order{CommuneID: c.CommuneID, Row: c.OrderID, ShopRow: c.ShopID, CustomerID: c.CustomerID}
			if order.Between(v) {
				of[order.ID()] = &list[i].PersonContact
			}
		}
		return of, err
	}
	err := o.DB.Write(ctx, scope, func(ctx context.Context, tx pgx.Tx) error {
		found, err := tx.Query(ctx, read, communes, rows)
		if err != nil {
			return err
		}
		list, err := pgx.CollectRows(found, pgx.RowToStructByName[contact])
		if err != nil {
			return err
		}
		told := make([]*Order, 0, len(list))
		for i, c := range list {
			if order := (&Order{CommuneID: c.CommuneID, Row: c.OrderID}); v.Serves(c.CommuneID) {
				of[order.ID()] = &list[i].PersonContact
				told = append(told, order)
			}
		}
		return contactRead(ctx, tx, v, told, o.now())
	})
	return of, err
}

// OrderConnection is a page of a list of orders.
type OrderConnection struct {
	Edges    []OrderEdge
	PageInfo page.Info
}

// OrderEdge is an order at its place in a list.
type OrderEdge struct {
	Cursor string
	Node   *Order
}

// Nodes are the orders of the page.
func (c *OrderConnection) Nodes() []*Order {
	nodes := make([]*Order, len(c.Edges))
	for i, e := range c.Edges {
		nodes[i] = e.Node
	}
	return nodes
}

type position struct {
	At  time.Time `json:"t"`
	Row uuid.UUID `json:"i"`
}

func (o *Ordering) position(list string, first int, after *string) (atTime, row any, err error) {
	if err := page.CheckFirst(first); err != nil || after == nil {
		return nil, nil, err
	}
	var at position
	err = o.Cursors.Open(list, *after, &at)
	return at.At, at.Row, err
}

// ListByShop is one page of the orders of each of the shops, the latest first, in one
// statement; of all statuses, or of those given. Shops that the viewer neither runs nor
// serves are left out.
func (o *Ordering) ListByShop(ctx context.Context, v *identity.Viewer, shops []tenancy.ID, of []Status, first int, after *string) (map[tenancy.ID]*OrderConnection, error) {
	var own []tenancy.ID
	for _, s := range shops {
		if v.Runs(s) || v.Serves(s.Commune) {
			own = append(own, s)
		}
	}
	if len(own) == 0 {
		return nil, page.CheckFirst(first)
	}
	if len(of) == 0 {
		of = statuses
	}
	name := func(s tenancy.ID) string { return fmt.Sprintf("orders of %s %q", s, of) }
	var placed, row any
	for _, s := range own { // a cursor belongs to one shop's list
		var err error
		if placed, row, err = o.position(name(s), first, after); err != nil {
			return nil, err
		}
	}
	communes, rows := tenancy.Columns(own)
	list, err := pg.Select[Order](ctx, o.DB, v.Scope().In(communes...), `
		select o.* from unnest($1::text[], $2::uuid[]) k (commune_id, shop_id) cross join lateral (
			select `+orderColumns+` from orders o
			where o.commune_id = k.commune_id and o.shop_id = k.shop_id and o.status = any($3)
			and ((o.placed_at, o.id) < ($5::timestamptz, $6::uuid) or $6::uuid is null)
			order by o.placed_at desc, o.id desc limit $4) o`, communes, rows, texts(of), first+1, placed, row)
	if err != nil {
		return nil, fmt.Errorf("list orders of shops: %w", err)
	}
	byShop := map[tenancy.ID][]Order{}
	for _, order := range list {
		byShop[order.ShopID()] = append(byShop[order.ShopID()], order)
	}
	pages := map[tenancy.ID]*OrderConnection{}
	for _, s := range own {
		pages[s] = o.connection(v, name(s), byShop[s], first, after)
	}
	return pages, nil
}

// ListOwn is one page of the viewer's own orders over all communes, the latest first: those
// of the account, or those of the guest's basket.
func (o *Ordering) ListOwn(ctx context.Context, v *identity.Viewer, first int, after *string) (*OrderConnection, error) {
	list := "own orders of " + v.Account.String()
	placed, row, err := o.position(list, first, after)
	if err != nil {
		return nil, err
	}
	var orders []Order
	switch {
	case v.Kind == identity.Guest:
		communes, rows := tenancy.Columns(v.Orders)
		orders, err = pg.Select[Order](ctx, o.DB, v.Scope().In(communes...), `
			select `+orderColumns+` from unnest($1::text[], $2::uuid[]) k (commune_id, id) join orders o using (commune_id, id)
			where (o.placed_at, o.id) < ($4::timestamptz, $5::uuid) or $5::uuid is null
			order by o.placed_at desc, o.id desc limit $3`, communes, rows, first+1, placed, row)
	case v.Account != uuid.Nil:
		as := v.AsCustomer()
		orders, err = pg.Select[Order](ctx, o.DB, as.Scope(), `
			select o.* from unnest($1::text[]) c (insee) cross join lateral (
				select `+orderColumns+` from orders o
				where o.commune_id = c.insee and o.customer_id = $2
				and ((o.placed_at, o.id) < ($4::timestamptz, $5::uuid) or $5::uuid is null)
				order by o.placed_at desc, o.id desc limit $3) o
			order by placed_at desc, id desc limit $3`, v.AllCommunes(), v.Account, first+1, placed, row)
	default:
		return nil, fault.Errorf(fault.Unauthenticated, "Connectez-vous, ou ouvrez le lien de la commande, pour voir vos commandes.")
	}
	if err != nil {
		return nil, fmt.Errorf("list own orders: %w", err)
	}
	return o.connection(v, list, orders, first, after), nil
}

func (o *Ordering) connection(v *identity.Viewer, list string, orders []Order, first int, after *string) *OrderConnection {
	c := &OrderConnection{}
	c.PageInfo.HasPreviousPage = after != nil
	if len(orders) > first {
		orders, c.PageInfo.HasNextPage = orders[:first], true
	}
	c.Edges = make([]OrderEdge, len(orders))
	for i := range orders {
		orders[i].Reader = v
		c.Edges[i] = OrderEdge{Node: &orders[i], Cursor: o.Cursors.Seal(list, position{orders[i].PlacedAt, orders[i].Row})}
	}
	if n := len(c.Edges); n > 0 {
		c.PageInfo.StartCursor, c.PageInfo.EndCursor = &c.Edges[0].Cursor, &c.Edges[n-1].Cursor
	}
	return c
}
