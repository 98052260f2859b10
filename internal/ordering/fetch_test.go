package ordering_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/ordering"
	"github.com/audelor/halles/internal/tenancy"
)

func TestListsOfOrders(t *testing.T) {
	t.Parallel()
	b := setup(t)
	customer := fixture.Viewer(t, b.Database, identity.Customer)
	var shops []tenancy.ID
	var of [2][]tenancy.ID // latest first
	clock := time.Date(2020, 11, 3, 9, 0, 0, 0, time.UTC)
	b.Now = func() time.Time { return clock }
	for i, commune := range []string{fixture.Lorient, fixture.Groix} {
		shop := fixture.Shop(t, b.Database, fixture.ShopOpts{Commune: commune})
		shops = append(shops, shop)
		product := fixture.Product(t, b.Database, shop, fixture.ProductOpts{Stock: 100})
		for n := range 5 {
			clock = time.Date(2020, 11, 3, 9, n/2*10, 0, 0, time.UTC) // two at the same moment
			orders, _ := b.place(t, customer, basket(pickup(shop, product.Variants...)))
			of[i] = append(of[i], orders[0].ID())
		}
	}
	merchant := fixture.Viewer(t, b.Database, identity.Merchant, shops[0])
	walk := func(page func(after *string) (*ordering.OrderConnection, error)) (ids []tenancy.ID) {
		t.Helper()
		for after := (*string)(nil); ; {
			list, err := page(after)
			if err != nil {
				t.Fatal(err)
			}
			for i, o := range list.Nodes() {
				ids = append(ids, o.ID())
				if i > 0 && list.Edges[i-1].Node.PlacedAt.Before(o.PlacedAt) {
					t.Fatal("not the latest first")
				}
			}
			if !list.PageInfo.HasNextPage {
				return ids
			}
			after = list.PageInfo.EndCursor
		}
	}
	same := func(name string, got, want []tenancy.ID) {
		t.Helper()
		sort := func(l []tenancy.ID) []string {
			var s []string
			for _, id := range l {
				s = append(s, id.String())
			}
			slices.Sort(s)
			return s
		}
		if !slices.Equal(sort(got), sort(want)) {
			t.Errorf("%s: %v, not %v", name, got, want)
		}
	}
	shopPage := func(v *identity.Viewer, status ...ordering.Status) func(after *string) (*ordering.OrderConnection, error) {
		return func(after *string) (*ordering.OrderConnection, error) {
			pages, err := b.ListByShop(t.Context(), v, shops[:1], status, 2, after)
			return pages[shops[0]], err
		}
	}
	same("the shop's", walk(shopPage(merchant)), of[0])
	same("the customer's", walk(func(after *string) (*ordering.OrderConnection, error) {
		return b.ListOwn(t.Context(), customer, 3, after)
	}), append(of[0], of[1]...))
	guest := b.visitor.GuestOf(of[0][0], of[1][4], of[1][2])
	same("the guest's", walk(func(after *string) (*ordering.OrderConnection, error) {
		return b.ListOwn(t.Context(), guest, 1, after)
	}), []tenancy.ID{of[0][0], of[1][4], of[1][2]})
	if _, err := b.Do(t.Context(), merchant, ordering.Accept, ordering.ChangeInput{Order: of[0][3]}); err != nil {
		t.Fatal(err)
	}
	same("the accepted", walk(shopPage(merchant, ordering.Accepted, ordering.Ready)), of[0][3:4])
	same("the agent's", walk(shopPage(fixture.Viewer(t, b.Database, identity.Agent, shops[0]))), of[0])

	for name, v := range map[string]*identity.Viewer{
		"Visitor": b.visitor, "Customer": customer,
		"AnotherMerchant": fixture.Viewer(t, b.Database, identity.Merchant, shops[1]),
	} {
		if pages, err := b.ListByShop(t.Context(), v, shops[:1], nil, 2, nil); err != nil || len(pages) != 0 {
			t.Errorf("%s: %v %v", name, pages, err)
		}
	}
	if _, err := b.ListOwn(t.Context(), b.visitor, 2, nil); !errors.Is(err, fault.Unauthenticated) {
		t.Errorf("a visitor's: %v", err)
	}
	first, err := shopPage(merchant)(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := shopPage(merchant, ordering.Placed)(first.PageInfo.EndCursor); !errors.Is(err, fault.Invalid) {
		t.Errorf("a cursor of another list: %v", err)
	}
	if _, err := b.ListOwn(t.Context(), customer, 101, nil); !errors.Is(err, fault.Invalid) {
		t.Errorf("101 at once: %v", err)
	}
}

func TestWhoSeesThePersonOfAnOrder(t *testing.T) {
	t.Parallel()
	b := setup(t)
	shop, other := fixture.Shop(t, b.Database, fixture.ShopOpts{}), fixture.Shop(t, b.Database, fixture.ShopOpts{})
	product := fixture.Product(t, b.Database, shop, fixture.ProductOpts{})
	in := basket(pickup(shop, product.Variants...))
	in.Orders[0].Note = p("pour Mamie")
	orders, payload := b.place(t, b.visitor, in)
	id := orders[0].ID()
	for name, c := range map[string]struct {
		v              *identity.Viewer
		order, contact bool // the hotline's reading of a contact is in the audit log
	}{
		"Guest":           {b.guest(t, payload.GuestSecret), true, true},
		"Merchant":        {fixture.Viewer(t, b.Database, identity.Merchant, shop), true, true},
		"Agent":           {fixture.Viewer(t, b.Database, identity.Agent, shop), true, false},
		"Hotline":         {fixture.Viewer(t, b.Database, identity.Hotline), true, true},
		"Admin":           {fixture.Viewer(t, b.Database, identity.Admin), true, false},
		"Analyst":         {fixture.Viewer(t, b.Database, identity.Analyst), false, false},
		"Visitor":         {b.visitor, false, false},
		"Customer":        {fixture.Viewer(t, b.Database, identity.Customer), false, false},
		"AnotherMerchant": {fixture.Viewer(t, b.Database, identity.Merchant, other), false, false},
		"AnotherGuest":    {b.visitor.GuestOf(tenancy.NewID(tenancy.KindOrder, fixture.Lorient)), false, false},
	} {
		found, err := b.ByIDs(t.Context(), c.v, []tenancy.ID{id})
		if err != nil {
			t.Fatal(err)
		}
		lines, err := b.LinesOf(t.Context(), c.v, []tenancy.ID{id})
		if err != nil {
			t.Fatal(err)
		}
		history, err := b.HistoryOf(t.Context(), c.v, []tenancy.ID{id})
		if err != nil {
			t.Fatal(err)
		}
		if (found[id] != nil) != c.order || (len(lines[id]) == 1) != c.order || (len(history[id]) == 1) != c.order {
			t.Errorf("%s: order %v, %d lines, %d events", name, found[id] != nil, len(lines[id]), len(history[id]))
		}
		contacts, err := b.ContactsOf(t.Context(), c.v, []tenancy.ID{id})
		if err != nil {
			t.Fatal(err)
		}
		if (contacts[id] != nil) != c.contact {
			t.Errorf("%s: contact %v", name, contacts[id])
		}
		if o := found[id]; o != nil && ((o.PickupCodeFor(c.v) != nil) != (c.contact && name != "Hotline") || (o.NoteFor(c.v) != nil) != (c.contact && name != "Hotline")) {
			t.Errorf("%s: code %v, note %v", name, o.PickupCodeFor(c.v), o.NoteFor(c.v))
		}
	}
}
