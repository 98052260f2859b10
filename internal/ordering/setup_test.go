package ordering_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/ordering"
	"github.com/audelor/halles/internal/page"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

// bench is an ordering on a database of the test's own.
type bench struct {
	*pgtest.Database
	*ordering.Ordering
	visitor  *identity.Viewer
	identity *identity.Resolver
}

func setup(t testing.TB, with ...func(*pgtest.Database)) *bench {
	t.Helper()
	d := pgtest.New(t, with...)
	communes := tenancy.NewRegister(d.DB)
	guests := identity.NewGuests(d.DB, communes, fixture.Secret)
	return &bench{
		Database: d, Ordering: ordering.New(d.DB, page.NewSealer(fixture.Secret), guests),
		visitor:  fixture.Viewer(t, d, identity.Visitor),
		identity: &identity.Resolver{DB: d.DB, Communes: communes, Issuers: fixture.Issuers(), Guests: guests},
	}
}

func p[T any](v T) *T { return &v }

// home is where Anna lives: in the middle of Lorient.
var home = &ordering.DeliveryAddress{Street: "2 quai des Indes", Postcode: "56100", City: "Lorient"}

var anna = &ordering.PersonContact{Name: p("Anna Le Goff"), Phone: p("06 12 34 56 78")}

// basket is a visitor's basket under a key of its own.
func basket(orders ...ordering.ShopBasket) ordering.PlaceInput {
	return ordering.PlaceInput{IdempotencyKey: uuid.NewString(), Orders: orders, Contact: anna, Address: home}
}

// pickup is what a basket holds of a shop: one piece of each variant.
func pickup(shop tenancy.ID, variants ...tenancy.ID) ordering.ShopBasket {
	s := ordering.ShopBasket{Shop: shop, Mode: directory.Pickup}
	for _, v := range variants {
		s.Lines = append(s.Lines, ordering.BasketLine{Variant: v, Quantity: 1})
	}
	return s
}

// place places a basket that must go through, and returns its orders.
func (b *bench) place(t testing.TB, v *identity.Viewer, in ordering.PlaceInput) ([]*ordering.Order, *ordering.PlacePayload) {
	t.Helper()
	payload, err := b.Place(t.Context(), v, in)
	if err != nil {
		t.Fatal(err)
	}
	orders := make([]*ordering.Order, len(payload.Results))
	for i := range payload.Results {
		r := &payload.Results[i]
		if orders[i], err = r.Order(); err != nil || orders[i] == nil {
			t.Fatalf("not placed: %v %+v", err, r.Refusals)
		}
	}
	return orders, payload
}

// books compares every stock with its ledger: the number of variants that differ.
func (b *bench) books(t testing.TB) int {
	t.Helper()
	return pgtest.Scan[int](t, b.Database, `select count(*) from variants v
		where stock <> (select coalesce(sum(quantity), 0) from stock_moves m where m.commune_id = v.commune_id and m.variant_id = v.id)`)
}

// overbooked compares every slot's count with the orders that hold it: the number that differ, and
// how many have more than they take.
func (b *bench) overbooked(t testing.TB) (differ, over int) {
	t.Helper()
	const held = `(select count(*) from orders o where (o.commune_id, o.shop_id, o.mode, o.slot_starts_at) = (t.commune_id, t.shop_id, t.mode, t.starts_at)
		and o.status not in ('REJECTED', 'CANCELLED', 'NO_SHOW'))`
	return pgtest.Scan[int](t, b.Database, `select count(*) from slots t where booked <> `+held),
		pgtest.Scan[int](t, b.Database, `select count(*) from slots t where `+held+` > capacity`)
}

// fingerprint changes when any row of ordering or any stock does.
func (b *bench) fingerprint(t testing.TB) string {
	t.Helper()
	var parts []string
	for _, table := range []string{
		"orders", "order_lines", "order_contacts", "order_events", "stream_heads",
		"idempotency_keys", "guest_links", "variants", "stock_moves", "slots",
	} {
		parts = append(parts, fmt.Sprintf("(select coalesce(md5(string_agg(x::text, '|' order by x::text)), '') from %s x)", table))
	}
	return pgtest.Scan[string](t, b.Database, "select "+strings.Join(parts, "||"))
}

// deadlocks counts those that the cluster's log tells of. Pipe tries again after one, so that
// nothing else does.
func (b *bench) deadlocks(t testing.TB) int {
	t.Helper()
	log, err := os.ReadFile(b.Cluster.LogPath())
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(log), "deadlock detected")
}

// together runs fn n times at once and waits.
func together(n int, fn func(i int)) {
	var start, done sync.WaitGroup
	start.Add(1)
	for i := range n {
		done.Go(func() {
			start.Wait()
			fn(i)
		})
	}
	start.Done()
	done.Wait()
}

// longer is a test's long form under HALLES_LONG=1.
func longer[T any](short, long T) T {
	if os.Getenv("HALLES_LONG") != "" {
		return long
	}
	return short
}

// guest is the guest whose link has the secret.
func (b *bench) guest(t testing.TB, secret *string) *identity.Viewer {
	t.Helper()
	session, err := b.Guests.Exchange(context.Background(), identity.LinkInput{Secret: *secret})
	if err != nil {
		t.Fatal(err)
	}
	v, _, err := b.identity.FromToken(t.Context(), session.Token)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
