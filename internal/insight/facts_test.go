package insight_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/calendar"
	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/insight"
	"github.com/audelor/halles/internal/money"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func insightOn(d *pgtest.Database) *insight.Insight {
	return insight.New(d.DB, tenancy.NewRegister(d.DB))
}

// town is shops with an article of each rate, and orders that come in and change.
type town struct {
	d     *pgtest.Database
	shops []tenancy.ID
	goods map[tenancy.ID][]tenancy.ID // variants
	rand  *rand.Rand
	open  []tenancy.ID
	born  time.Time
}

func newTown(t testing.TB, d *pgtest.Database, seed uint64) *town {
	t.Helper()
	w := &town{d: d, goods: map[tenancy.ID][]tenancy.ID{}, rand: rand.New(rand.NewPCG(seed, 0)), born: time.Date(2026, 9, 30, 20, 0, 0, 0, time.UTC)}
	for _, commune := range []string{fixture.Lorient, fixture.Lorient, fixture.Groix, fixture.Lanester} {
		shop := fixture.Shop(t, d, fixture.ShopOpts{Commune: commune, Modes: []directory.FulfilmentMode{directory.Pickup, directory.Delivery}})
		w.shops = append(w.shops, shop)
		for _, rate := range []money.BasisPoints{2000, 1000, 550, 210, fixture.NoVAT} {
			p := fixture.Product(t, d, shop, fixture.ProductOpts{VATRate: rate, PriceCents: money.Cents(101 + w.rand.IntN(5000))})
			w.goods[shop] = append(w.goods[shop], p.Variants[0])
		}
	}
	return w
}

// lives are where orders go; late ones long after they were placed.
var lives = map[string][]string{
	"PLACED": {"ACCEPTED", "ACCEPTED", "ACCEPTED", "REJECTED", "CANCELLED"}, "ACCEPTED": {"READY", "READY", "CANCELLED"},
	"READY": {"COLLECTED", "COLLECTED", "NO_SHOW", "CANCELLED", "OUT_FOR_DELIVERY"}, "OUT_FOR_DELIVERY": {"DELIVERED", "CANCELLED"},
}

// step places an order, or changes one, as ordering does: the event last, in the transaction.
func (w *town) step(t testing.TB) {
	t.Helper()
	err := pgx.BeginFunc(t.Context(), w.d.Migrate, func(tx pgx.Tx) error {
		if len(w.open) == 0 || w.rand.IntN(3) == 0 {
			return w.place(t, tx)
		}
		n := w.rand.IntN(len(w.open))
		id := w.open[n]
		var status string
		var version int
		if err := tx.QueryRow(t.Context(), `select status, version from orders where commune_id = $1 and id = $2`, id.Commune, id.Row).Scan(&status, &version); err != nil {
			return err
		}
		next := lives[status][w.rand.IntN(len(lives[status]))]
		if lives[next] == nil {
			w.open = slices.Delete(w.open, n, n+1)
		}
		if _, err := tx.Exec(t.Context(), `update orders set status = $3, version = $4 where commune_id = $1 and id = $2`, id.Commune, id.Row, next, version+1); err != nil {
			return err
		}
		return w.event(t, tx, id, next, version+1)
	})
	if err != nil {
		t.Error(err)
	}
}

func (w *town) place(t testing.TB, tx pgx.Tx) error {
	shop := w.shops[w.rand.IntN(len(w.shops))]
	id := tenancy.NewID(tenancy.KindOrder, shop.Commune)
	mode, delivery := "PICKUP", 0
	if w.rand.IntN(3) == 0 {
		mode, delivery = "DELIVERY", w.rand.IntN(700)
	}
	goods := slices.Clone(w.goods[shop])
	w.rand.Shuffle(len(goods), func(i, j int) { goods[i], goods[j] = goods[j], goods[i] })
	var variants []uuid.UUID
	var quantities []int
	for _, v := range goods[:1+w.rand.IntN(len(goods))] {
		variants, quantities = append(variants, v.Row), append(quantities, 1+w.rand.IntN(4))
	}
	placed := w.born.Add(time.Duration(w.rand.Int64N(int64(62 * 24 * time.Hour))))
	_, err := tx.Exec(t.Context(), `
		with lines as (select v.id, q.quantity, v.price_cents, v.vat_rate, q.n from unnest($6::uuid[], $7::int[]) with ordinality q (id, quantity, n)
				join variants v on v.commune_id = $1 and v.id = q.id),
		placed as (
			insert into orders (commune_id, id, shop_id, number, channel, mode, status, version, scope, idempotency_key, items_cents, delivery_cents, item_count, pickup_code, placed_at, updated_at)
			select $1, $2, $3, left($2::uuid::text, 8) || right($2::uuid::text, 8), $8, $4, 'PLACED', 1, 'test', $2::text, (select sum(quantity * price_cents) from lines), $5,
				(select sum(quantity) from lines), $2::text, $9, $9)
		insert into order_lines (commune_id, order_id, line, variant_id, name, option_value, quantity, unit_cents, vat_rate)
		select $1, $2, n, id, 'Article', '', quantity, price_cents, vat_rate from lines`,
		shop.Commune, id.Row, shop.Row, mode, delivery, variants, quantities, []string{"WEB", "WIDGET", "PHONE", "COUNTER"}[w.rand.IntN(4)], placed)
	if err != nil {
		return err
	}
	w.open = append(w.open, id)
	return w.event(t, tx, id, "PLACED", 1)
}

func (w *town) event(t testing.TB, tx pgx.Tx, id tenancy.ID, status string, version int) error {
	_, err := tx.Exec(t.Context(), `
		with head as (update stream_heads set seq = seq + 1 where commune_id = $1 returning seq)
		insert into order_events (commune_id, seq, order_id, order_seq, shop_id, kind, status, actor, at)
		select $1, seq, $2, $3, (select shop_id from orders where commune_id = $1 and id = $2), $4, $4, 'MERCHANT', now() from head`, id.Commune, id.Row, version, status)
	return err
}

// all is every fact, as text.
func all(t testing.TB, d *pgtest.Database) []string {
	t.Helper()
	rows, err := d.Migrate.Query(t.Context(), `select r from (select f::text as r from shop_facts f union all select r::text from shop_fact_rates r) x order by r`)
	if err != nil {
		t.Fatal(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestRebuiltAsMaintained counts while orders come in, are changed late and the job is cut off, and
// then from nothing: the same rows, and the same money as the orders', by rate.
func TestRebuiltAsMaintained(t *testing.T) {
	t.Parallel()
	events := 1500
	if os.Getenv("HALLES_LONG") != "" {
		events = 100_000
	}
	d := pgtest.New(t, pgtest.Crowd)
	n := insightOn(d)
	var writers sync.WaitGroup
	for seed := range uint64(2) {
		w := newTown(t, d, seed)
		writers.Go(func() {
			for range events / 2 {
				w.step(t)
			}
		})
	}
	stop := make(chan struct{})
	var job sync.WaitGroup
	cut, whole := 0, 0
	job.Go(func() {
		r := rand.New(rand.NewPCG(1, 1))
		for {
			select {
			case <-stop:
				return
			default:
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(r.IntN(40_000))*time.Microsecond)
			if r.IntN(3) == 0 {
				ctx = t.Context()
			}
			if err := n.Count(ctx); err != nil {
				cut++
			} else {
				whole++
			}
			cancel()
		}
	})
	writers.Wait()
	close(stop)
	job.Wait()
	if err := n.Count(t.Context()); err != nil {
		t.Fatal(err)
	}
	maintained := all(t, d)
	for _, n.OrdersAtOnce = range []int{0, 7} {
		d.Exec(t, `update shop_facts set items = items + 1`)
		if err := n.Rebuild(t.Context()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(maintained, all(t, d)); diff != "" {
			t.Errorf("counted from nothing, %d orders at once, it differs:\n%s", n.OrdersAtOnce, diff)
		}
	}
	if cut == 0 || whole == 0 || len(maintained) < 50 {
		t.Errorf("the job was cut off %d times and ran %d times, for %d rows", cut, whole, len(maintained))
	}
	t.Logf("%d events, the job cut off %d times, %d rows", events, cut, len(maintained))
	money := func(sql string) string { return pgtest.Scan[string](t, d, sql) }
	ofOrders := money(`
		with rated as (select o.id, l.vat_rate as rate, l.quantity * l.unit_cents as cents from orders o join order_lines l on l.commune_id = o.commune_id and l.order_id = o.id
				where o.status not in ('REJECTED', 'CANCELLED', 'NO_SHOW')
			union all select o.id, case when (select max(vat_rate) from order_lines l where l.commune_id = o.commune_id and l.order_id = o.id) > 0 then 2000 else 0 end, delivery_cents
				from orders o where status not in ('REJECTED', 'CANCELLED', 'NO_SHOW'))
		select string_agg(rate || ': ' || cents, ', ' order by rate) from (select rate, sum(cents) as cents from rated where cents > 0 group by rate) x`)
	if ofFacts := money(`select string_agg(vat_rate || ': ' || cents, ', ' order by vat_rate) from (select vat_rate, sum(gross_cents) as cents from shop_fact_rates group by vat_rate) x`); ofFacts != ofOrders {
		t.Errorf("by rate the facts have %s and the orders %s", ofFacts, ofOrders)
	}
	if got, want := money(`select sum(gross_cents)::text from shop_facts`), money(`select sum(items_cents + delivery_cents)::text from orders where status not in ('REJECTED', 'CANCELLED', 'NO_SHOW')`); got != want {
		t.Errorf("the facts have %s cents, the orders %s", got, want)
	}
}

// TestVATAsOrdersHaveIt compares the tax of facts with that of each order, which is rounded in Go.
func TestVATAsOrdersHaveIt(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	n, w := insightOn(d), newTown(t, d, 7)
	for range 120 {
		w.step(t)
	}
	if err := n.Count(t.Context()); err != nil {
		t.Fatal(err)
	}
	type line struct {
		ID       uuid.UUID
		Delivery money.Cents
		Cents    money.Cents
		Rate     money.BasisPoints
	}
	rows, err := d.Migrate.Query(t.Context(), `select o.id, o.delivery_cents as delivery, l.quantity * l.unit_cents as cents, l.vat_rate as rate
		from orders o join order_lines l on l.commune_id = o.commune_id and l.order_id = o.id where o.status not in ('REJECTED', 'CANCELLED', 'NO_SHOW')`)
	if err != nil {
		t.Fatal(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[line])
	if err != nil {
		t.Fatal(err)
	}
	orders, delivery := map[uuid.UUID][]money.Line{}, map[uuid.UUID]money.Line{}
	for _, l := range list {
		orders[l.ID] = append(orders[l.ID], money.Line{Cents: l.Cents, Rate: l.Rate})
		fee := money.Line{Cents: l.Delivery, Rate: delivery[l.ID].Rate}
		if l.Rate > 0 {
			fee.Rate = 2000
		}
		delivery[l.ID] = fee
	}
	want := map[money.BasisPoints]money.Cents{}
	for id, lines := range orders {
		for _, vat := range money.Split(append(lines, delivery[id])) {
			want[vat.Rate] += vat.Cents
		}
	}
	for rate, cents := range want {
		if got := pgtest.Scan[money.Cents](t, d, `select coalesce(sum(vat_cents), 0)::bigint from shop_fact_rates where vat_rate = $1`, rate); got != cents {
			t.Errorf("at %d the facts have %d cents of VAT, the orders %d", rate, got, cents)
		}
	}
}

// stopper ends a context at the n-th statement.
type stopper struct {
	left int
	stop context.CancelFunc
}

func (s *stopper) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	if s.left--; s.left == 0 {
		s.stop()
	}
	return ctx
}

func (*stopper) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// TestKilledAtEachStep stops the job before each of its statements, in what came since and in a count
// from nothing: then all that was counted is, and the next run does the rest.
func TestKilledAtEachStep(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	w := newTown(t, d, 3)
	want := func() []string {
		if err := insightOn(d).Rebuild(t.Context()); err != nil {
			t.Fatal(err)
		}
		return all(t, d)
	}
	for range 60 {
		w.step(t)
	}
	want()
	killer := &stopper{}
	o := d.Options
	o.Tracer = killer
	db, err := pg.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	killed := func(t *testing.T) (between int) {
		done := 0
		for step := 1; done == 0 && step < 500; step++ {
			w.step(t)
			ctx, cancel := context.WithCancel(t.Context())
			*killer = stopper{step, cancel}
			n := insight.New(db, tenancy.NewRegister(d.DB))
			n.OrdersAtOnce = 3
			if err := n.Count(ctx); err == nil {
				done = step
			}
			cancel()
			between += pgtest.Scan[int](t, d, `select count(*) from fact_heads where shops_to is not null`)
		}
		if done < 8 {
			t.Fatalf("the job has %d steps", done)
		}
		if err := insightOn(d).Count(t.Context()); err != nil {
			t.Fatal(err)
		}
		got := all(t, d)
		if diff := cmp.Diff(want(), got); diff != "" {
			t.Errorf("after kills it differs:\n%s", diff)
		}
		t.Logf("killed at each of %d statements, %d times between two shops", done-1, between)
		return between
	}
	killed(t)
	d.Exec(t, `update fact_heads set seq = 0`)
	d.Exec(t, `update shop_facts set items = items + 1`)
	if killed(t) == 0 {
		t.Error("a count from nothing is one step")
	}
}

// TestOwnFacts asks as the merchant at any moment: counted or not, it is what the orders say.
func TestOwnFacts(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	n, w := insightOn(d), newTown(t, d, 4)
	shop := w.shops[0]
	merchant := fixture.Viewer(t, d, identity.Merchant, shop)
	from, to := calendar.Day(2026, 9, 1), calendar.Day(2026, 12, 31)
	for round := range 8 {
		for range 12 {
			w.step(t)
		}
		if round%3 == 1 {
			if err := n.Count(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		facts, err := n.OwnFacts(t.Context(), merchant, shop, from, to)
		if err != nil {
			t.Fatal(err)
		}
		orders, gross := 0, money.Cents(0)
		for _, f := range facts {
			orders, gross = orders+f.Placed, gross+f.Gross
		}
		want := pgtest.Scan[string](t, d, `select count(*) || ' ' || coalesce(sum(items_cents + delivery_cents) filter (where status not in ('REJECTED', 'CANCELLED', 'NO_SHOW')), 0)
			from orders where shop_id = $1`, shop.Row)
		if got := fmt.Sprint(orders, " ", int64(gross)); got != want {
			t.Errorf("round %d: %s, the orders say %s", round, got, want)
		}
	}
	for _, other := range []*identity.Viewer{fixture.Viewer(t, d, identity.Merchant, w.shops[1]), fixture.Viewer(t, d, identity.Agent, shop), fixture.Viewer(t, d, identity.Analyst), fixture.Viewer(t, d, identity.Visitor)} {
		if facts, err := n.OwnFacts(t.Context(), other, shop, from, to); err != nil || len(facts) > 0 {
			t.Errorf("%s reads %d facts of another's shop (%v)", other.Kind, len(facts), err)
		}
	}
}
