package ordering

import (
	"context"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// OrderUpdated follows one order: its last event first, then each that comes. With after, each
// event after that cursor. NOT_FOUND for an order that the viewer may not see.
func (f *Feed) OrderUpdated(ctx context.Context, v *identity.Viewer, id tenancy.ID, after *string) (_ *Stream, err error) {
	defer fault.Wrap(&err, "OrderUpdated(%s)", id)
	list, from, since := orderList(v, id), orderPosition{}, []*int{nil}
	if after != nil {
		if err := f.cursors.Open(list, *after, &from); err != nil {
			return nil, err
		}
		since[0] = &from.Seq
	}
	return f.orders(ctx, v, []tenancy.ID{id}, since, from.Epoch, func(w *watch, _ map[uuid.UUID]int, e *Event) string {
		return f.cursors.Seal(list, orderPosition{w.epoch, e.OrderSeq})
	})
}

// OrdersUpdated follows several orders by one stream, as OrderUpdated does one: the last event of
// each first, then each that comes. The events of an order come in its order; between orders there
// is none. NOT_FOUND when the viewer may not see one of them, INVALID for none or more than 100.
func (f *Feed) OrdersUpdated(ctx context.Context, v *identity.Viewer, ids []tenancy.ID, after *string) (_ *Stream, err error) {
	defer fault.Wrap(&err, "OrdersUpdated(%v)", ids)
	if n := len(ids); n == 0 || n > maxWatched {
		return nil, fault.At([]string{"orders"}, "orders contient %d identifiants ; donnez-en de 1 à %d.", n, maxWatched)
	}
	ids = slices.Clone(ids)
	slices.SortFunc(ids, func(a, b tenancy.ID) int { return strings.Compare(a.String(), b.String()) })
	ids = slices.Compact(ids)
	list, from, since := streamList("ordersUpdated", v, ids), ordersPosition{}, make([]*int, len(ids))
	if after != nil {
		if err := f.cursors.Open(list, *after, &from); err != nil {
			return nil, err
		}
		for i := range from.Seqs { // as many as ids: they are in the list's name
			since[i] = &from.Seqs[i]
		}
	}
	return f.orders(ctx, v, ids, since, from.Epoch, func(w *watch, at map[uuid.UUID]int, _ *Event) string {
		to := ordersPosition{w.epoch, make([]int, len(ids))}
		for i, id := range ids {
			to.Seqs[i] = at[id.Row]
		}
		return f.cursors.Seal(list, to)
	})
}

// orders follows orders. since has for each its own count of the last event that was read, of a log
// of that epoch; nil: its last event is to come. stamp gets for each order the count of the last
// event that was sent, e's own for e's.
func (f *Feed) orders(ctx context.Context, v *identity.Viewer, ids []tenancy.ID, since []*int, epoch uuid.UUID, stamp func(w *watch, at map[uuid.UUID]int, e *Event) string) (*Stream, error) {
	for _, id := range ids {
		if err := id.Want(tenancy.KindOrder); err != nil {
			return nil, err
		}
	}
	as, ok := reads(v)
	if !ok {
		return nil, ids[0].NotFound()
	}
	type row struct {
		logRow
		Row        uuid.UUID
		Version    int
		CustomerID *uuid.UUID
		Shop       uuid.UUID
	}
	communes, keys := tenancy.Columns(ids)
	scope := as.Scope().In(communesOf(ids)...)
	rows, err := pg.Select[row](ctx, f.db, scope, `
		select `+headColumns+`, `+changeColumns+`, o.id as row, o.version, o.customer_id, o.shop_id as shop
		from unnest($1::text[], $2::uuid[], $3::int[]) k (commune_id, id, since)
		join orders o using (commune_id, id) join stream_heads h using (commune_id) cross join feed_epoch f
		left join order_events e on e.commune_id = o.commune_id and e.order_id = o.id and e.order_seq > coalesce(k.since, o.version - 1)
		order by h.commune_id, e.seq`, communes, keys, since)
	if err != nil {
		return nil, err
	}
	w := &watch{scope: scope, which: eventsOfOrders, rows: keys, keys: keys, at: map[string]int64{}, behind: map[string]bool{}}
	found, at := map[uuid.UUID]*Order{}, map[uuid.UUID]int{}
	left := map[uuid.UUID]int{} // events to come until the order is as it stands
	for i := range rows {
		r := &rows[i]
		if found[r.Row] == nil {
			found[r.Row], left[r.Row] = &Order{CommuneID: r.CommuneID, Row: r.Row, ShopRow: r.Shop, CustomerID: r.CustomerID}, r.Version
			at[r.Row] = r.Version - 1
		}
		if w.epoch, w.at[r.CommuneID] = r.Epoch, r.Head; r.Seq != nil {
			w.first = append(w.first, r.event())
			left[r.Row]--
		}
	}
	for i, id := range ids {
		o := found[id.Row]
		if o == nil || !o.VisibleTo(v) { // the first of the two locks; row-level security is the second
			return nil, id.NotFound()
		}
		if since[i] != nil {
			if at[id.Row] = *since[i]; epoch != w.epoch || left[id.Row] != *since[i] {
				return nil, errExpired()
			}
		}
	}
	w.stamp = func(w *watch, e *Event) string {
		at[e.OrderRow] = e.OrderSeq
		return stamp(w, at, e)
	}
	return f.follow(ctx, w, granted{v, func(v *identity.Viewer) error {
		for _, o := range found {
			if !o.VisibleTo(v) {
				return errWithdrawn()
			}
		}
		return nil
	}})
}
