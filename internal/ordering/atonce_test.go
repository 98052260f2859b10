package ordering_test

import (
	"context"
	"errors"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/ordering"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/pg/pgtest"
)

// trips counts what is sent and waited for.
type trips struct{ atomic.Int64 }

func (n *trips) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	n.Add(1)
	return ctx
}

func (n *trips) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	n.Add(1)
	return ctx
}

func (*trips) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData)     {}
func (*trips) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}
func (*trips) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData)     {}

// An order of goods that this server knows is one round trip; and what has become of them since the last
// one, or comes to be while it waits for them, is what it is made of or refused for.
func TestKnownGoods(t *testing.T) {
	t.Parallel()
	b := setup(t)
	sent := &trips{}
	options := b.Options
	options.Tracer = sent
	u, err := url.Parse(options.URL)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("lock_timeout", "60s") // a slow machine may take long to see that an order waits
	q.Set("statement_timeout", "60s")
	u.RawQuery = q.Encode()
	options.URL = u.String()
	db, err := pg.Open(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	b.Ordering = ordering.New(db, b.Cursors, b.Guests)
	shop := fixture.Shop(t, b.Database, fixture.ShopOpts{})

	// The product was a change itself, and counts as one while a transaction is under way that is older,
	// be it another test's.
	learn := func(t *testing.T, in func() ordering.PlaceInput) {
		t.Helper()
		for end := time.Now().Add(time.Minute); ; {
			before := sent.Load()
			b.place(t, b.visitor, in())
			if sent.Load() == before+1 {
				return
			}
			if time.Now().After(end) {
				t.Fatal("no order is one round trip")
			}
		}
	}
	for _, c := range []struct {
		name, change string // of the variant $1
		want         ordering.RefusalCode
		line         string
		cents        int64
	}{
		{"Same", ``, "", "Livre", 1000},
		{"Dearer", `update variants set price_cents = 1100 where id = $1`, "", "Livre", 1100},
		{"Renamed", `update products set name = 'Album' where id = (select product_id from variants where id = $1)`, "", "Album", 1000},
		{"SoldOut", `with v as (update variants set stock = 0 where id = $1 returning commune_id, id, (select sum(quantity) from stock_moves where variant_id = $1) as left)
			insert into stock_moves (commune_id, id, variant_id, kind, reason, quantity, at) select commune_id, gen_random_uuid(), id, 'CORRECTED', 'LOST', -v.left, now() from v`, ordering.OutOfStock, "", 0},
		{"Paused", `update variants set paused = true where id = $1`, ordering.OnPause, "", 0},
		{"Withdrawn", `update products set status = 'ARCHIVED' where id = (select product_id from variants where id = $1)`, ordering.UnknownVariant, "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			product := fixture.Product(t, b.Database, shop, fixture.ProductOpts{Stock: 10_000, Name: "Livre", PriceCents: 1000})
			in := func() ordering.PlaceInput { return basket(pickup(shop, product.Variants[0])) }
			learn(t, in)
			if c.change != "" {
				b.Exec(t, c.change, product.Variants[0].Row)
			}
			payload, err := b.Place(t.Context(), b.visitor, in())
			if err != nil {
				t.Fatal(err)
			}
			if r := payload.Results[0].Refusals; len(r) > 0 || c.want != "" {
				if len(r) != 1 || r[0].Code != c.want {
					t.Errorf("%+v, want %q", r, c.want)
				}
				return
			}
			o, err := payload.Results[0].Order()
			if err != nil || int64(o.ItemsCents) != c.cents {
				t.Errorf("%+v, want %d cents: %v", o, c.cents, err)
			}
			if name := pgtest.Scan[string](t, b.Database, `select name from order_lines where order_id = $1`, o.Row); name != c.line {
				t.Errorf("the line is of %q, want %q", name, c.line)
			}
		})
	}

	product := fixture.Product(t, b.Database, shop, fixture.ProductOpts{Stock: 10_000, PriceCents: 1000})
	in := func() ordering.PlaceInput { return basket(pickup(shop, product.Variants[0])) }
	learn(t, in)
	known := in()
	first, _ := b.place(t, b.visitor, known)
	t.Run("TheKeyAgain", func(t *testing.T) {
		again, _ := b.place(t, b.visitor, known)
		if again[0].Row != first[0].Row {
			t.Errorf("made twice: %s and %s", first[0].ID(), again[0].ID())
		}
		other := known
		other.Orders = []ordering.ShopBasket{pickup(shop, product.Variants[0])}
		other.Orders[0].Lines[0].Quantity = 2
		payload, err := b.Place(t.Context(), b.visitor, other)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := payload.Results[0].Order(); !errors.Is(err, fault.Conflict) {
			t.Errorf("the key with another order: %v", err)
		}
	})

	// The price changes while the order waits for the variant.
	t.Run("DearerMeanwhile", func(t *testing.T) {
		learn(t, in)
		change, err := b.Migrate.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = change.Rollback(context.WithoutCancel(t.Context())) }()
		if _, err := change.Exec(t.Context(), `update variants set price_cents = 1200 where id = $1`, product.Variants[0].Row); err != nil {
			t.Fatal(err)
		}
		placed := make(chan *ordering.PlacePayload, 1)
		go func() {
			payload, err := b.Place(t.Context(), b.visitor, in())
			if err != nil {
				t.Error(err)
			}
			placed <- payload
		}()
		waits := func() bool {
			return pgtest.Scan[bool](t, b.Database, `select exists (select from pg_locks where not granted and $1 = any (pg_blocking_pids(pid)))`, int32(change.Conn().PgConn().PID()))
		}
		for end := time.Now().Add(time.Minute); !waits(); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("no order waits for the variant")
			}
		}
		if err := change.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		payload := <-placed
		if payload == nil {
			return
		}
		if o, err := payload.Results[0].Order(); err != nil || o == nil || o.ItemsCents != 1200 {
			t.Errorf("%+v, want 1200 cents: %v", o, err)
		}
	})
	if n := b.books(t); n != 0 {
		t.Errorf("%d stocks differ from their ledgers", n)
	}
}
