package migrations_test

import (
	"context"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/pressly/goose/v3"

	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/migrations"
)

// released is the last step before which nobody had installed halles: those up to it meet an empty
// database, and each after it one that people are using.
const released = 121

// TestStepsBesideLoad applies each later step to a database of 40,000 products and 100,000 orders,
// while visitors read, stock changes and orders come in: none of these may fail, or take a second.
func TestStepsBesideLoad(t *testing.T) {
	if os.Getenv("HALLES_LONG") == "" {
		t.Skip("a long form: all steps on a database of its own, with a town's rows")
	}
	const shops, each, orders = 1000, 40, 100_000
	d := pgtest.Empty(t, "")
	up := func(version int64) {
		t.Helper()
		if _, err := migrations.UpTo(t.Context(), d.MigrateURL(), version, slog.New(slog.DiscardHandler)); err != nil {
			t.Fatalf("step %d beside load: %v", version, err)
		}
	}
	up(released)
	config, err := pgxpool.ParseConfig(d.MigrateURL())
	if err != nil {
		t.Fatal(err)
	}
	config.MaxConns = 8
	if d.Migrate, err = pgxpool.NewWithConfig(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	defer d.Migrate.Close()
	town(t, d, shops, each, orders)

	var versions []int64
	for name := range sources(t) {
		if v, err := goose.NumericComponent(name); err == nil && v > released {
			versions = append(versions, v)
		}
	}
	slices.Sort(versions)
	ctx, stop := context.WithCancel(t.Context())
	l := &besides{d: d}
	var wait sync.WaitGroup
	for _, do := range []func(context.Context) error{l.read, l.search, l.sell, l.order} {
		wait.Go(func() { l.again(ctx, do) })
	}
	for l.done.Load() < 400 && l.failed.Load() == nil {
		time.Sleep(time.Millisecond)
	}
	bound := max(time.Second, 5*time.Duration(l.slowest.Load())) // a machine may be slow by itself
	for _, v := range versions {
		l.slowest.Store(0)
		start, before := time.Now(), l.done.Load()
		up(v)
		took := time.Since(start)
		for now := l.done.Load(); l.done.Load() < now+8 && l.failed.Load() == nil; { // what waited for the step has ended
			time.Sleep(time.Millisecond)
		}
		slowest := time.Duration(l.slowest.Load())
		t.Logf("step %d took %v beside %d statements, the slowest %v", v, took, l.done.Load()-before, slowest)
		if slowest > bound {
			t.Errorf("beside step %d a statement took %v, more than %v", v, slowest, bound)
		}
	}
	stop()
	wait.Wait()
	if failed := l.failed.Load(); failed != nil {
		t.Errorf("beside the steps a statement failed: %v", *failed)
	}
	if n := pgtest.Scan[int](t, d, `select count(*) from catalog_search where name = '' or slug = '' or shop_name = '' or shop_slug = ''`); n > 0 {
		t.Errorf("%d entries of the search have no names", n)
	}
}

// besides is what goes on beside a step.
type besides struct {
	d       *pgtest.Database
	made    atomic.Int64
	done    atomic.Int64
	slowest atomic.Int64
	failed  atomic.Pointer[error]
}

func (l *besides) again(ctx context.Context, do func(context.Context) error) {
	for ctx.Err() == nil && l.failed.Load() == nil {
		start := time.Now()
		if err := do(ctx); err != nil && ctx.Err() == nil {
			l.failed.Store(&err)
		}
		took := int64(time.Since(start))
		for last := l.slowest.Load(); took > last && !l.slowest.CompareAndSwap(last, took); last = l.slowest.Load() {
		}
		l.done.Add(1)
	}
}

func (l *besides) exec(ctx context.Context, sql string, args ...any) error {
	_, err := l.d.Migrate.Exec(ctx, sql, args...)
	return err
}

func (l *besides) read(ctx context.Context) error {
	return l.exec(ctx, `select s.name, p.name, v.price_cents from shops s join products p on p.commune_id = s.commune_id and p.shop_id = s.id
		join variants v on v.commune_id = p.commune_id and v.product_id = p.id where s.commune_id = '56121' order by s.id limit 100`)
}

func (l *besides) search(ctx context.Context) error {
	return l.exec(ctx, `select id from catalog_search w where search_local(w.commune_id, w.words) @@ search_in(array['56121'], search_meant('pain')) limit 20`)
}

func (l *besides) sell(ctx context.Context) error {
	return l.exec(ctx, `update variants set stock = stock + 1 - 2 * (stock % 2) where (commune_id, id) in (select commune_id, id from variants where commune_id = '56121' order by id limit 2)`)
}

func (l *besides) order(ctx context.Context) error {
	return l.exec(ctx, placed, l.made.Add(1), 1)
}

// placed places orders $1 to $1 + $2 - 1, each with its line and event.
const placed = `
	with s as (select commune_id, id, row_number() over (order by id) as k, count(*) over () as n from shops),
	o as (select s.commune_id, s.id as shop_id, gen_random_uuid() as id, i from generate_series($1::bigint, $1::bigint + $2 - 1) i join s on s.k = 1 + i * 7919 % s.n),
	numbered as (select o.*, h.seq + row_number() over (partition by o.commune_id order by o.i) as seq from o join stream_heads h using (commune_id)),
	orders as (
		insert into orders (commune_id, id, shop_id, number, channel, mode, status, version, scope, idempotency_key, items_cents, delivery_cents, item_count, pickup_code, placed_at, updated_at)
		select commune_id, id, shop_id, id::text, 'WEB', 'PICKUP', 'COLLECTED', 1, 'load', id::text, 2000, 0, 2, id::text, now(), now() from numbered),
	lines as (
		insert into order_lines (commune_id, order_id, line, variant_id, name, option_value, quantity, unit_cents, vat_rate)
		select commune_id, id, 1, shop_id, 'Pain', '', 2, 1000, 550 from numbered),
	events as (
		insert into order_events (commune_id, seq, order_id, order_seq, shop_id, kind, status, actor, at)
		select commune_id, seq, id, 1, shop_id, 'PLACED', 'PLACED', 'CUSTOMER', now() from numbered)
	update stream_heads h set seq = m.seq from (select commune_id, max(seq) as seq from numbered group by commune_id) m where h.commune_id = m.commune_id`

// town makes shops over all communes, products of each, and orders.
func town(t *testing.T, d *pgtest.Database, shops, each, orders int) {
	t.Helper()
	for _, sql := range strings.Split(`
		insert into shops (commune_id, id, slug, name, category_id, naf_code, naf_version, siret, status, street, postcode, city, latitude, longitude, created_at, updated_at)
		select c.insee, gen_random_uuid(), 'boutique-' || n, 'Boutique ' || n, 'boulangerie', '10.71C', 'REV2', lpad((400000000 + n)::text, 9, '0') || '00011', 'PUBLISHED',
			'1 rue du Port', c.postcodes[1], c.name, c.latitude, c.longitude, now(), now()
		from generate_series(1, $1) n join (select *, row_number() over (order by insee) - 1 as k from communes) c on c.k = n % 25;
		insert into products (commune_id, id, shop_id, slug, name, description, category_id, status, published, created_at, updated_at)
		select commune_id, case n when 1 then id else gen_random_uuid() end, id, 'pain-' || n, 'Pain ' || n, '', category_id, 'ACTIVE', true, now(), now()
		from shops, generate_series(1, $1) n;
		insert into variants (commune_id, id, product_id, shop_id, position, sku, option_name, option_value, price_cents, vat_rate, stock, published)
		select commune_id, id, id, shop_id, 0, slug, '', '', 1000, 550, 10, true from products where $1 > 0`, ";") {
		d.Exec(t, sql, map[bool]int{true: shops, false: each}[strings.Contains(sql, "into shops")])
	}
	d.Exec(t, placed, 1, orders)
	d.Exec(t, "analyze")
}
