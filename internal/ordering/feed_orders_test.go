package ordering_test

import (
	"context"
	"testing"
	"time"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/ordering"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

// A guest follows a basket over two communes by one stream: the present state of each order, then
// all that comes, and a cut at any event loses none and repeats none. No other order gets in.
func TestSeveralOrdersByOneStream(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	r := &identity.Resolver{DB: d.DB, Communes: tenancy.NewRegister(d.DB), Keep: time.Millisecond}
	r.Guests = identity.NewGuests(d.DB, r.Communes, fixture.Secret)
	f := newFeed(t, d, "", func(f *ordering.Feed) { f.Again, f.Recheck = r.Again, 20*time.Millisecond })
	shop, far := fixture.Shop(t, d, fixture.ShopOpts{}), fixture.Shop(t, d, fixture.ShopOpts{Commune: fixture.Groix})
	one, two, three := placed(t, d, shop, nil), placed(t, d, shop, nil), placed(t, d, far, nil)
	foreign := placed(t, d, shop, nil)
	guest := linked(t, d, r.Guests, one, two, three)
	mine := []tenancy.ID{one, two, three}

	moved(t, d, two, ordering.Accepted) // before anybody follows: its place is not the others'
	seq := map[tenancy.ID]int{one: 0, two: 1, three: 0}
	step := func(o tenancy.ID, to ordering.Status) {
		moved(t, d, foreign, to)
		moved(t, d, o, to)
		f.Wake(shop.Commune, far.Commune)
	}
	// read takes an event and ends the stream, or goes on with it.
	var s *ordering.Stream
	var cursor *string
	end := func() {}
	defer func() { end() }()
	read := func(cut bool) tenancy.ID {
		t.Helper()
		if s == nil {
			var ctx context.Context
			ctx, end = context.WithCancel(t.Context())
			var err error
			if s, err = f.OrdersUpdated(ctx, guest, []tenancy.ID{three, one, two, one}, cursor); err != nil {
				t.Fatal(err)
			}
		}
		e := next(t, s)
		if want, known := seq[e.OrderID()]; !known || e.OrderSeq != want+1 {
			t.Fatalf("%s after %d of it", seen(e), want)
		}
		seq[e.OrderID()]++
		if cursor = &e.Cursor; cut {
			end()
			s = nil
		}
		return e.OrderID()
	}
	for _, cut := range []bool{true, false, true} { // amid the present state too
		read(cut)
	}
	for _, o := range mine {
		step(o, ordering.Ready)
	}
	for _, cut := range []bool{true, true, false} {
		read(cut)
	}
	for i, o := range []tenancy.ID{three, one, three, two} {
		if step(o, ordering.Collected); read(i == 2) != o {
			t.Fatal("an event of another order came first")
		}
	}

	// As of one order, by a cursor of the same orders and the same guest; never with one that is not theirs.
	for name, c := range map[string]struct {
		v      *identity.Viewer
		orders []tenancy.ID
		after  *string
		want   fault.Kind
	}{
		"WithForeign":  {guest, []tenancy.ID{one, foreign}, nil, fault.NotFound},
		"Foreign":      {guest, []tenancy.ID{foreign}, nil, fault.NotFound},
		"OtherGuest":   {linked(t, d, r.Guests, foreign), mine, nil, fault.NotFound},
		"Visitor":      {fixture.Viewer(t, d, identity.Visitor), mine, nil, fault.NotFound},
		"OneCommune":   {fixture.Viewer(t, d, identity.Merchant, shop), mine, nil, fault.NotFound},
		"None":         {guest, nil, nil, fault.Invalid},
		"TooMany":      {guest, make([]tenancy.ID, 101), nil, fault.Invalid},
		"NoOrder":      {guest, []tenancy.ID{one, shop}, nil, fault.Invalid},
		"OthersCursor": {guest, mine[:2], cursor, fault.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := f.OrdersUpdated(t.Context(), c.v, c.orders, c.after)
			wantFault(t, err, c.want)
		})
	}

	// Once the link is gone, so is the stream; and a log of another life is told from this one.
	read2, err := f.OrdersUpdated(t.Context(), guest, mine, cursor)
	if err != nil {
		t.Fatal(err)
	}
	d.Exec(t, `delete from guest_links where order_id = $1`, two.Row)
	wantEnd(t, read2, fault.Forbidden)
	d.Exec(t, `update feed_epoch set epoch = gen_random_uuid()`)
	_, err = f.OrdersUpdated(t.Context(), guest, mine, cursor)
	wantFault(t, err, fault.CursorExpired)
}
