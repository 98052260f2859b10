package insight_test

import (
	"os"
	"testing"
	"time"

	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/insight"
	"github.com/audelor/halles/internal/pg/pgtest"
)

// crowd makes shops over all communes, with an article each, and orders over 24 months, each with a
// line and its event: in SQL, since a million are made.
func crowd(t *testing.T, d *pgtest.Database, shops, orders int) {
	t.Helper()
	d.Exec(t, `insert into shops (commune_id, id, slug, name, category_id, naf_code, naf_version, siret, status, street, postcode, city, latitude, longitude, created_at, updated_at)
		select c.insee, gen_random_uuid(), 'foule-' || n, 'Boutique ' || n, (array(select id from categories where parent_id is not null order by id))[1 + n % 40], '47.61Z', 'REV2',
			lpad((400000000 + n)::text, 9, '0') || '00011', 'PUBLISHED', '1 rue du Port', c.postcodes[1], c.name, c.latitude, c.longitude, '2024-01-01', '2024-01-01'
		from generate_series(1, $1) n join (select *, row_number() over (order by insee) - 1 as k from communes) c on c.k = n % 25`, shops)
	d.Exec(t, `insert into fulfilments (commune_id, shop_id, mode, lead_minutes) select commune_id, id, 'PICKUP', 60 from shops`)
	d.Exec(t, `insert into products (commune_id, id, shop_id, slug, name, description, category_id, status, published, created_at, updated_at)
		select commune_id, id, id, slug, name, '', category_id, 'ACTIVE', true, created_at, created_at from shops`)
	d.Exec(t, `insert into variants (commune_id, id, product_id, shop_id, position, sku, option_name, option_value, price_cents, vat_rate, stock, published)
		select commune_id, id, id, id, 0, slug, '', '', 1000, 550, 10, true from shops`)
	from := "2024-11-01"
	if orders < 100_000 { // the short form has three months
		from = "2026-08-01"
	}
	more(t, d, orders, from, "2026-10-31")
}

// more adds orders between two days.
func more(t *testing.T, d *pgtest.Database, orders int, from, to string) {
	t.Helper()
	d.Exec(t, `
		with s as (select commune_id, id, row_number() over (order by id) as k, count(*) over () as n from shops),
		o as (
			select s.commune_id, s.id as shop_id, gen_random_uuid() as id,
				$2::timestamptz + random() * ($3::timestamptz - $2::timestamptz) as at
			from generate_series(1, $1) i join s on s.k = 1 + (i::bigint * 7919) % s.n),
		numbered as (select o.*, h.seq + row_number() over (partition by o.commune_id) as seq from o join stream_heads h using (commune_id)),
		placed as (
			insert into orders (commune_id, id, shop_id, number, channel, mode, status, version, scope, idempotency_key, items_cents, delivery_cents, item_count, pickup_code, placed_at, updated_at)
			select commune_id, id, shop_id, id::text, 'WEB', 'PICKUP', 'COLLECTED', 1, 'foule', id::text, 2000, 0, 2, id::text, at, at from numbered),
		lines as (
			insert into order_lines (commune_id, order_id, line, variant_id, name, option_value, quantity, unit_cents, vat_rate)
			select commune_id, id, 1, shop_id, 'Article', '', 2, 1000, 550 from numbered),
		events as (
			insert into order_events (commune_id, seq, order_id, order_seq, shop_id, kind, status, actor, at)
			select commune_id, seq, id, 1, shop_id, 'PLACED', 'PLACED', 'CUSTOMER', at from numbered)
		update stream_heads h set seq = m.seq from (select commune_id, max(seq) as seq from numbered group by commune_id) m where h.commune_id = m.commune_id`, orders, from, to)
}

// TestPublishedAgainstOrders asks for the same figures from what is published and from the orders, in
// the same run, and times what the job does after new orders. Figures of time are for the long form.
func TestPublishedAgainstOrders(t *testing.T) {
	shops, orders := 60, 3_000
	long := os.Getenv("HALLES_LONG") != ""
	if long {
		shops, orders = 3000, 1_000_000
	} else {
		t.Parallel()
	}
	d := pgtest.New(t)
	crowd(t, d, shops, orders)
	d.Exec(t, `analyze`)
	n := insightOn(d)
	n.Now = func() time.Time { return time.Date(2026, 11, 5, 9, 0, 0, 0, time.UTC) }
	start := time.Now()
	if err := n.Count(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d orders counted from nothing in %v", orders, time.Since(start))
	start = time.Now()
	if err := n.Publish(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Logf("all months published in %v", time.Since(start))
	d.Exec(t, `analyze`) // as autovacuum would have meanwhile
	analyst := fixture.Viewer(t, d, identity.Analyst)
	in := insight.DashboardInput{From: month(t, "2025-11"), To: month(t, "2026-10")}
	published := fastest(5, func() {
		if _, err := n.Dashboard(t.Context(), analyst, in); err != nil {
			t.Fatal(err)
		}
	})
	live := fastest(2, func() {
		d.Exec(t, `select date_trunc('month', o.placed_at at time zone 'Europe/Paris'), o.commune_id, k.parent_id, o.mode, count(*), sum(o.items_cents + o.delivery_cents), sum(o.item_count),
				count(distinct o.shop_id), count(distinct left(s.siret, 9))
			from orders o join shops s on s.commune_id = o.commune_id and s.id = o.shop_id join categories k on k.id = s.category_id
			where o.status not in ('REJECTED', 'CANCELLED', 'NO_SHOW') and o.placed_at >= '2024-11-01'
			group by grouping sets ((1, 2, 3, 4), (1, 2, 4), (1, 3, 4), (1, 4), (1))`)
	})
	t.Logf("a year with both comparisons: published %v, from %d orders %v: 1/%d", published, orders, live, live/published)
	if long && live < 100*published {
		t.Errorf("published figures take %v, the orders %v: more than 1/100", published, live)
	}
	more(t, d, 10_000, "2026-11-05", "2026-11-05 12:00")
	start = time.Now()
	if err := n.Count(t.Context()); err != nil {
		t.Fatal(err)
	}
	refresh := time.Since(start)
	t.Logf("10,000 new orders counted in %v", refresh)
	if long && refresh > 2*time.Second {
		t.Errorf("10,000 new orders take %v", refresh)
	}
	if got, want := pgtest.Scan[int](t, d, `select sum(placed)::int from shop_facts`), orders+10_000; got != want {
		t.Errorf("the facts have %d orders of %d", got, want)
	}
	if share := pgtest.Scan[float64](t, d, `select 100.0 * sum(gross_cents) filter (where hidden is null) / (select sum(gross_cents) from shop_facts where day < '2026-11-01')
		from insight.cells where commune <> '*' and sector = '*' and mode = '*'`); long && share < 80 {
		t.Errorf("commune × month carries %.1f %% of the revenue", share)
	}
}

func fastest(n int, do func()) time.Duration {
	best := time.Hour
	for range n {
		start := time.Now()
		do()
		best = min(best, time.Since(start))
	}
	return best
}
