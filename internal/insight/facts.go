package insight

import (
	"cmp"
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/pg"
)

// What one transaction of the job takes on: some seconds. A statement has a minute, and a large town
// has millions of orders.
const (
	eventsAtOnce = 20_000
	ordersAtOnce = 100_000 // of a count from nothing, and the rest of one shop
)

// Count brings the facts up to the event log, commune by commune.
//
// It does not add events up: it finds the shop's days that they touch and counts those days anew
// from the orders, in the transaction that moves the watermark. So it may stop anywhere and run
// twice, an order of last month that is called off today mends last month, and counting anew from
// nothing gives the same rows. A day counted while an order changes is at worst ahead of the
// watermark; that order's event lies behind it, and has the day counted again. From nothing it goes
// by shops; what is counted of them is read when all are, for until then the watermark is 0.
func (n *Insight) Count(ctx context.Context) error {
	scope, err := n.jobScope(ctx)
	if err != nil {
		return err
	}
	behind, err := pg.SelectScalars[string](ctx, n.DB, scope, `
		select h.commune_id from stream_heads h left join fact_heads f on f.commune_id = h.commune_id
		where h.commune_id = any($1) and h.seq > coalesce(f.seq, 0) order by h.commune_id`, scope.Communes)
	if err != nil {
		return err
	}
	for _, c := range behind {
		for more := true; more; {
			if more, err = n.countCommune(ctx, scope.In(c), c); err != nil {
				return fmt.Errorf("count the facts of %s: %w", c, err)
			}
		}
	}
	return nil
}

// Rebuild counts all facts anew, from nothing. It is for whoever doubts them: the result is the same.
func (n *Insight) Rebuild(ctx context.Context) error {
	scope, err := n.jobScope(ctx)
	if err != nil {
		return err
	}
	for _, c := range scope.Communes {
		err := n.DB.Write(ctx, scope.In(c), func(ctx context.Context, tx pgx.Tx) error {
			_, err := tx.Exec(ctx, `update fact_heads set seq = 0, goal = null, shops_to = null where commune_id = $1`, c)
			return err
		})
		if err != nil {
			return err
		}
	}
	return n.Count(ctx)
}

// countCommune counts what the commune's next events touch, and tells whether there are more.
func (n *Insight) countCommune(ctx context.Context, s pg.Scope, commune string) (more bool, err error) {
	err = n.DB.Write(ctx, s, func(ctx context.Context, tx pgx.Tx) error {
		more = false
		// The row's lock keeps a second server's job waiting; the log's own head is not locked.
		if _, err := tx.Exec(ctx, `insert into fact_heads (commune_id, seq) values ($1, 0) on conflict do nothing`, commune); err != nil {
			return err
		}
		var h head
		err := tx.QueryRow(ctx, `select f.seq, h.seq, coalesce(f.goal, h.seq), coalesce(f.shops_to, $2)
			from fact_heads f join stream_heads h on h.commune_id = f.commune_id where f.commune_id = $1 for update of f`,
			commune, uuid.Nil).Scan(&h.counted, &h.last, &h.goal, &h.shops)
		switch {
		case err != nil || h.counted == h.last:
			return err
		case h.counted == 0:
			more, err = n.countShops(ctx, tx, commune, h)
		default:
			more, err = countDays(ctx, tx, commune, h)
		}
		return err
	})
	return more, err
}

// head is how far a commune's events are counted.
type head struct {
	counted, last int64     // of its events
	goal          int64     // of a count from nothing: the event up to which it counts
	shops         uuid.UUID // the shop up to which it has come
}

// countShops counts some of a commune's shops from nothing. With the last of them all events are
// counted that there were before the first; those that came meanwhile lie behind the watermark.
func (n *Insight) countShops(ctx context.Context, tx pgx.Tx, commune string, h head) (more bool, err error) {
	var to uuid.UUID
	err = tx.QueryRow(ctx, `select coalesce((select shop_id from orders where commune_id = $1 and shop_id > $2 order by shop_id offset $3 limit 1), $4)`,
		commune, h.shops, cmp.Or(n.OrdersAtOnce, ordersAtOnce), uuid.Max).Scan(&to)
	if err != nil {
		return false, err
	}
	if _, err := tx.Exec(ctx, `delete from shop_facts where commune_id = $1 and shop_id > $2 and shop_id <= $3`, commune, h.shops, to); err != nil {
		return false, err
	}
	if err := keep(ctx, tx, `from orders o where o.commune_id = $1 and o.shop_id > $2 and o.shop_id <= $3`, commune, h.shops, to); err != nil {
		return false, err
	}
	if to == uuid.Max {
		_, err = tx.Exec(ctx, `update fact_heads set seq = $2, goal = null, shops_to = null where commune_id = $1`, commune, h.goal)
		return h.goal < h.last, err
	}
	_, err = tx.Exec(ctx, `update fact_heads set goal = $2, shops_to = $3 where commune_id = $1`, commune, h.goal, to)
	return true, err
}

// countDays counts anew the days that the next events touch.
func countDays(ctx context.Context, tx pgx.Tx, commune string, h head) (more bool, err error) {
	to := min(h.last, h.counted+eventsAtOnce)
	var shops []uuid.UUID
	var days []string
	err = tx.QueryRow(ctx, `
		select array_agg(shop_id), array_agg(day::text) from (
			select distinct e.shop_id, `+localDay+` as day
			from order_events e join orders o on o.commune_id = e.commune_id and o.id = e.order_id
			where e.commune_id = $1 and e.seq > $2 and e.seq <= $3) d`, commune, h.counted, to).Scan(&shops, &days)
	if err != nil {
		return false, err
	}
	_, err = tx.Exec(ctx, `delete from shop_facts where commune_id = $1 and shop_id = any($2) and day = any($3::date[])
		and (shop_id, day) in (select * from unnest($2::uuid[], $3::date[]))`, commune, shops, days)
	if err != nil {
		return false, err
	}
	if err := keep(ctx, tx, ordersOfDays, commune, shops, days); err != nil {
		return false, err
	}
	_, err = tx.Exec(ctx, `update fact_heads set seq = $2 where commune_id = $1`, commune, to)
	return to < h.last, err
}

// keep writes the facts of orders.
func keep(ctx context.Context, tx pgx.Tx, from string, args ...any) error {
	_, err := tx.Exec(ctx, counted(from)+`,
		facts as (
			insert into shop_facts (commune_id, shop_id, day, mode, channel, placed, orders, items, gross_cents, vat_cents, rejected, cancelled, no_shows)
			select $1, shop_id, day, mode, channel, placed, orders, items, gross_cents, vat_cents, rejected, cancelled, no_shows from sums)
		insert into shop_fact_rates (commune_id, shop_id, day, mode, channel, vat_rate, gross_cents, vat_cents)
		select $1, shop_id, day, mode, channel, vat_rate, gross_cents, vat_cents from by_rate`, args...)
	return err
}

// localDay is the day of an order o: that of its shop's clock when it was placed.
const localDay = `(o.placed_at at time zone 'Europe/Paris')::date`

// ordersOfDays are the orders of shops $2 on days $3, element by element. "offset 0" has each
// day looked up in the index by shop; left to itself Postgres reads all orders of the commune once.
const ordersOfDays = `from unnest($2::uuid[], $3::date[]) d (shop_id, day), lateral (
	select * from orders o where o.commune_id = $1 and o.shop_id = d.shop_id
	and o.placed_at >= d.day::timestamp at time zone 'Europe/Paris' and o.placed_at < (d.day + 1)::timestamp at time zone 'Europe/Paris' offset 0) o`

// counted is the start of a statement that counts orders: sums as in shop_facts, and by_rate as in
// shop_fact_rates. Delivery's rate and the rounding are those of ordering's totals, and a test
// compares them.
func counted(from string) string {
	return `
	with chosen as (
		select o.id, o.shop_id, ` + localDay + ` as day, o.mode, o.channel, o.status, o.item_count, o.items_cents, o.delivery_cents,
			o.status not in ('REJECTED', 'CANCELLED', 'NO_SHOW') as stands
		` + from + `),
	rated as (
		select c.shop_id, c.day, c.mode, c.channel, c.id, l.vat_rate, l.quantity * l.unit_cents as gross_cents
		from chosen c join order_lines l on l.commune_id = $1 and l.order_id = c.id where c.stands
		union all
		select c.shop_id, c.day, c.mode, c.channel, c.id,
			case when exists (select from order_lines l where l.commune_id = $1 and l.order_id = c.id and l.vat_rate > 0) then 2000 else 0 end, c.delivery_cents
		from chosen c where c.stands and c.delivery_cents > 0),
	of_order as (
		select shop_id, day, mode, channel, vat_rate, sum(gross_cents)::bigint as gross_cents from rated group by shop_id, day, mode, channel, vat_rate, id),
	by_rate as (
		select shop_id, day, mode, channel, vat_rate, sum(gross_cents)::bigint as gross_cents,
			sum((2 * gross_cents * vat_rate + 10000 + vat_rate) / (2 * (10000 + vat_rate)))::bigint as vat_cents
		from of_order group by shop_id, day, mode, channel, vat_rate),
	vat as (
		select shop_id, day, mode, channel, sum(vat_cents)::bigint as vat_cents from by_rate group by shop_id, day, mode, channel),
	sums as (
		select shop_id, day, mode, channel, count(*)::int as placed, (count(*) filter (where stands))::int as orders,
			coalesce(sum(item_count) filter (where stands), 0)::int as items,
			coalesce(sum(items_cents + delivery_cents) filter (where stands), 0)::bigint as gross_cents,
			coalesce(v.vat_cents, 0) as vat_cents,
			(count(*) filter (where status = 'REJECTED'))::int as rejected,
			(count(*) filter (where status = 'CANCELLED'))::int as cancelled,
			(count(*) filter (where status = 'NO_SHOW'))::int as no_shows
		from chosen left join vat v using (shop_id, day, mode, channel)
		group by shop_id, day, mode, channel, v.vat_cents)`
}
