package ordering_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/ordering"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

// A subscription ends when the right that it began with is taken away, and says so; those of
// others, and those that another right carries, go on.
func TestRightsTakenAway(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	r := &identity.Resolver{DB: d.DB, Communes: tenancy.NewRegister(d.DB), Keep: time.Millisecond}
	r.Guests = identity.NewGuests(d.DB, r.Communes, fixture.Secret)
	f := newFeed(t, d, "", func(f *ordering.Feed) { f.Again, f.Recheck = r.Again, 20*time.Millisecond })
	lorient, groix := fixture.Shop(t, d, fixture.ShopOpts{}), fixture.Shop(t, d, fixture.ShopOpts{Commune: fixture.Groix})
	leaver, stayer := fixture.Viewer(t, d, identity.Merchant, lorient, groix), fixture.Viewer(t, d, identity.Merchant, lorient)
	agent, customer := fixture.Viewer(t, d, identity.Agent, lorient, groix), fixture.Viewer(t, d, identity.Customer)
	deleted := fixture.Viewer(t, d, identity.Customer)
	order, second := placed(t, d, groix, &customer.Account), placed(t, d, groix, &deleted.Account)

	type running struct {
		of   string
		s    *ordering.Stream
		ends fault.Kind // "" goes on
	}
	var all []running
	begin := func(of string, ends fault.Kind, s *ordering.Stream, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", of, err)
		}
		all = append(all, running{of, s, ends})
	}
	shops := func(ids ...tenancy.ID) []tenancy.ID { return ids }
	communes := func(codes ...string) (ids []tenancy.ID) {
		for _, c := range codes {
			ids = append(ids, tenancy.ID{Kind: tenancy.KindCommune, Commune: c})
		}
		return ids
	}
	s, err := f.ShopOrders(t.Context(), leaver, shops(groix), nil)
	begin("the shop that was taken away", fault.Forbidden, s, err)
	s, err = f.ShopOrders(t.Context(), leaver, shops(lorient, groix), nil)
	begin("that shop and another", fault.Forbidden, s, err)
	s, err = f.ShopOrders(t.Context(), leaver, shops(lorient), nil)
	begin("the shop that stays", "", s, err)
	s, err = f.ShopOrders(t.Context(), stayer, shops(lorient), nil)
	begin("another merchant", "", s, err)
	s, err = f.OrderUpdated(t.Context(), leaver, order, nil)
	begin("an order of that shop", fault.Forbidden, s, err)
	s, err = f.OrderUpdated(t.Context(), customer, order, nil)
	begin("its customer", "", s, err)
	s, err = f.OrderUpdated(t.Context(), deleted, second, nil)
	begin("an account that is gone", fault.Unauthenticated, s, err)
	s, err = f.CommuneActivity(t.Context(), agent, communes(fixture.Groix), nil)
	begin("the commune that was taken away", fault.Forbidden, s, err)
	s, err = f.CommuneActivity(t.Context(), agent, communes(fixture.Lorient), nil)
	begin("the commune that stays", "", s, err)

	opened, reopened := linked(t, d, r.Guests, order, second), linked(t, d, r.Guests, order)
	s, err = f.OrderUpdated(t.Context(), opened, order, nil)
	begin("a guest whose link is gone", fault.Unauthenticated, s, err)
	s, err = f.OrderUpdated(t.Context(), opened, second, nil)
	begin("its other order", fault.Unauthenticated, s, err)
	s, err = f.OrderUpdated(t.Context(), reopened, order, nil)
	begin("a guest with another link", "", s, err)

	for _, one := range all {
		for quiet := false; !quiet; { // the present state
			waiting, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond) // longer than Recheck
			_, more := one.s.Next(waiting)
			if quiet = waiting.Err() != nil; !more && !quiet {
				t.Fatalf("%s: ended before its right was taken away: %v", one.of, one.s.Err())
			}
			cancel()
		}
	}
	d.Exec(t, `delete from grants where account_id = $1 and shop_id = $2`, leaver.Account, groix.Row)
	d.Exec(t, `delete from grants where account_id = $1 and commune_id = $2`, agent.Account, fixture.Groix)
	d.Exec(t, `delete from accounts where id = $1`, deleted.Account)
	d.Exec(t, `delete from guest_links where digest in (select digest from guest_links where order_id = $1)`, second.Row)
	taken := time.Now()
	for _, one := range all {
		if one.ends == "" {
			continue
		}
		wantEnd(t, one.s, one.ends)
		if f := fault.Of(one.s.Err()); f == nil || f.Message == "" {
			t.Errorf("%s: %v", one.of, one.s.Err())
		}
	}
	t.Logf("all ended %v after their rights were taken away, with a recheck each 20 ms", time.Since(taken))
	moved(t, d, order, ordering.Accepted)
	here := placed(t, d, lorient, nil)
	f.Wake(fixture.Lorient, fixture.Groix)
	for _, one := range all {
		if one.ends == "" {
			if e := next(t, one.s); e.OrderID() != order && e.OrderID() != here {
				t.Errorf("%s: %s", one.of, seen(e))
			}
		}
	}
}

// A reader that is slow when its right ends gets nothing of what waits for it.
func TestNothingAfterTheRightEnds(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	r := &identity.Resolver{DB: d.DB, Communes: tenancy.NewRegister(d.DB), Keep: time.Millisecond}
	f := newFeed(t, d, "", func(f *ordering.Feed) { f.Again, f.Recheck = r.Again, 20*time.Millisecond })
	shop := fixture.Shop(t, d, fixture.ShopOpts{})
	v := fixture.Viewer(t, d, identity.Merchant, shop)
	for range 50 {
		placed(t, d, shop, nil)
	}
	s, err := f.ShopOrders(t.Context(), v, []tenancy.ID{shop}, nil)
	if err != nil {
		t.Fatal(err)
	}
	next(t, s)
	d.Exec(t, `delete from grants where account_id = $1`, v.Account)
	for end := time.Now().Add(patience); !s.Ended(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the stream goes on")
		}
	}
	if e, ok := s.Next(t.Context()); ok {
		t.Errorf("after the end: %s", seen(e))
	}
	wantFault(t, s.Err(), fault.Forbidden)
}

// linked is the guest of a new link to orders.
func linked(t *testing.T, d *pgtest.Database, guests *identity.Guests, orders ...tenancy.ID) *identity.Viewer {
	t.Helper()
	secret, digest := guests.NewSecret()
	for _, o := range orders {
		d.Exec(t, `insert into guest_links (digest, commune_id, order_id, created_at, expires_at) values ($1, $2, $3, now(), now() + interval '1 day')`,
			digest, o.Commune, o.Row)
	}
	session, err := guests.Exchange(t.Context(), identity.LinkInput{Secret: secret})
	if err != nil {
		t.Fatal(err)
	}
	return session.Guest
}

// With the times of a real server, and a clock that is set: a right that was taken away is
// remembered for half a minute at most, and asked for again as often, so that it is gone from
// every running subscription within a minute.
func TestRightsEndWithinAMinute(t *testing.T) {
	t.Parallel()
	const remembered = 30 * time.Second
	if most := remembered + ordering.RecheckEvery; most > time.Minute {
		t.Fatalf("a right outlives itself by %s", most)
	}
	d := pgtest.New(t)
	var later atomic.Int64
	began := time.Now()
	now := func() time.Time { return began.Add(time.Duration(later.Load())) }
	r := &identity.Resolver{DB: d.DB, Communes: tenancy.NewRegister(d.DB), Now: now}
	r.Guests = identity.NewGuests(d.DB, r.Communes, fixture.Secret)
	r.Guests.Now = now
	var asked atomic.Int64
	f := newFeed(t, d, "", func(f *ordering.Feed) {
		f.Recheck = 10 * time.Millisecond
		f.Again = func(ctx context.Context, v *identity.Viewer) (*identity.Viewer, error) {
			defer asked.Add(1)
			return r.Again(ctx, v)
		}
	})
	rechecked := func() { // both subscriptions, all through
		t.Helper()
		for from, end := asked.Load(), time.Now().Add(patience); asked.Load() < from+4; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("nobody asks for the rights again")
			}
		}
	}
	shop := fixture.Shop(t, d, fixture.ShopOpts{})
	merchant, order := fixture.Viewer(t, d, identity.Merchant, shop), placed(t, d, shop, nil)
	guest := linked(t, d, r.Guests, order)
	counter, err := f.ShopOrders(t.Context(), merchant, []tenancy.ID{shop}, nil)
	if err != nil {
		t.Fatal(err)
	}
	follower, err := f.OrderUpdated(t.Context(), guest, order, nil)
	if err != nil {
		t.Fatal(err)
	}
	next(t, counter)
	next(t, follower)
	rechecked() // and remembered
	d.Exec(t, `delete from grants where account_id = $1`, merchant.Account)
	d.Exec(t, `delete from guest_links where order_id = $1`, order.Row)
	later.Store(int64(20 * time.Second))
	rechecked()
	moved(t, d, order, ordering.Accepted)
	f.Wake(shop.Commune)
	next(t, counter) // still remembered: no statement for each recheck
	next(t, follower)
	later.Store(int64(remembered))
	wantEnd(t, counter, fault.Forbidden)
	wantEnd(t, follower, fault.Unauthenticated)
}
