package ordering_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/ordering"
	"github.com/audelor/halles/internal/tenancy"
)

// The hotline reads in all communes which shops to call, the longest waiting first, and an order
// leaves the list when it is answered.
func TestCallList(t *testing.T) {
	t.Parallel()
	b := setup(t)
	hotline := fixture.Viewer(t, b.Database, identity.Hotline)
	var placed []tenancy.ID
	var merchants []*identity.Viewer
	for i, commune := range []string{fixture.Lorient, fixture.Groix, fixture.Hennebont} {
		shop := fixture.Shop(t, b.Database, fixture.ShopOpts{Commune: commune})
		merchants = append(merchants, fixture.Viewer(t, b.Database, identity.Merchant, shop))
		b.clock(at(24, 10, 0).Add(time.Duration(-i) * time.Minute))
		orders, _ := b.place(t, b.visitor, basket(pickup(shop, fixture.Product(t, b.Database, shop, fixture.ProductOpts{}).Variants[0])))
		placed = append([]tenancy.ID{orders[0].ID()}, placed...)
	}
	read := func() []tenancy.ID {
		t.Helper()
		var ids []tenancy.ID
		for after := (*string)(nil); ; {
			page, err := b.CallList(t.Context(), hotline, 2, after)
			if err != nil {
				t.Fatal(err)
			}
			for _, order := range page.Nodes() {
				ids = append(ids, order.ID())
			}
			if !page.PageInfo.HasNextPage {
				return ids
			}
			after = page.PageInfo.EndCursor
		}
	}
	b.escalated(t, at(24, 10, 45))
	if got := read(); len(got) != 0 {
		t.Errorf("after three quarters of an hour: %v", got)
	}
	b.escalated(t, at(24, 11, 0))
	if got := read(); len(got) != 3 || got[0] != placed[0] || got[1] != placed[1] || got[2] != placed[2] {
		t.Errorf("%v, want %v", got, placed)
	}
	if _, err := b.Do(t.Context(), merchants[1], ordering.Accept, ordering.ChangeInput{Order: placed[1]}); err != nil {
		t.Fatal(err)
	}
	if got := read(); len(got) != 2 || got[0] != placed[0] || got[1] != placed[2] {
		t.Errorf("after an answer: %v", got)
	}
	for _, kind := range []identity.Kind{identity.Customer, identity.Agent, identity.Analyst} {
		over := []tenancy.ID{}
		if kind == identity.Agent {
			over = append(over, tenancy.ID{Kind: tenancy.KindCommune, Commune: fixture.Lorient})
		}
		if _, err := b.CallList(t.Context(), fixture.Viewer(t, b.Database, kind, over...), 10, nil); !errors.Is(err, fault.Forbidden) {
			t.Errorf("%s: %v", kind, err)
		}
	}
	if _, err := b.CallList(t.Context(), b.visitor, 10, nil); !errors.Is(err, fault.Unauthenticated) {
		t.Errorf("visitor: %v", err)
	}
}

// An order is found by its number, as it is said, by those whose business it is.
func TestFindByNumber(t *testing.T) {
	t.Parallel()
	b := setup(t)
	shop, other := fixture.Shop(t, b.Database, fixture.ShopOpts{}), fixture.Shop(t, b.Database, fixture.ShopOpts{Commune: fixture.Groix})
	orders, _ := b.place(t, b.visitor, basket(pickup(shop, fixture.Product(t, b.Database, shop, fixture.ProductOpts{}).Variants[0])))
	said := strings.ToLower(orders[0].Number[:4] + " " + orders[0].Number[4:])
	commune := func(id tenancy.ID) tenancy.ID { return tenancy.ID{Kind: tenancy.KindCommune, Commune: id.Commune} }
	for name, c := range map[string]struct {
		v    *identity.Viewer
		want int
	}{
		"Hotline":            {fixture.Viewer(t, b.Database, identity.Hotline), 1},
		"Admin":              {fixture.Viewer(t, b.Database, identity.Admin), 1},
		"OwnMerchant":        {fixture.Viewer(t, b.Database, identity.Merchant, shop), 1},
		"AnotherMerchant":    {fixture.Viewer(t, b.Database, identity.Merchant, other), 0},
		"NeighbourInCommune": {fixture.Viewer(t, b.Database, identity.Merchant, fixture.Shop(t, b.Database, fixture.ShopOpts{})), 0},
		"OwnAgent":           {fixture.Viewer(t, b.Database, identity.Agent, commune(shop)), 1},
		"AnotherAgent":       {fixture.Viewer(t, b.Database, identity.Agent, commune(other)), 0},
	} {
		found, err := b.Find(t.Context(), c.v, &said, nil, 10)
		if err != nil || len(found) != c.want || c.want == 1 && found[0].ID() != orders[0].ID() {
			t.Errorf("%s: %v, %v", name, found, err)
		}
	}
	for name, c := range map[string]struct {
		v    *identity.Viewer
		want fault.Kind
	}{
		"Visitor": {b.visitor, fault.Unauthenticated}, "Customer": {fixture.Viewer(t, b.Database, identity.Customer), fault.Forbidden},
		"Analyst": {fixture.Viewer(t, b.Database, identity.Analyst), fault.Forbidden},
	} {
		if _, err := b.Find(t.Context(), c.v, &said, nil, 10); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
