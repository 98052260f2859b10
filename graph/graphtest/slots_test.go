package graphtest_test

import (
	"testing"

	"github.com/audelor/halles/graph/graphtest"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
)

// Whoever orders sees which slots can be booked, books one and is promised it; the counts are the
// shop's. A full slot is refused with the next one, which is then taken.
func TestSlots(t *testing.T) {
	t.Parallel()
	h := graphtest.New(t)
	shop := fixture.Shop(t, h.Database, fixture.ShopOpts{Slots: 1})
	book := fixture.Product(t, h.Database, shop, fixture.ProductOpts{})
	merchant := h.As(fixture.Viewer(t, h.Database, identity.Merchant, shop))
	slots := func(c graphtest.Client) *graphtest.Answer {
		t.Helper()
		return c.Query(t, `query ($s: ID!) { shop(id: $s) { fulfilments { slotCapacity } slots(mode: PICKUP, first: 100) { start end booked capacity refusal { code next { start } } } } }`,
			graphtest.Vars{"s": shop.String()}).OK(t)
	}
	start := slots(h.Visitor()).Get("shop.slots.50.start").String()
	in := func() map[string]any {
		one := shopBasket(shop, book.Variants[0])
		one["slot"] = start
		return basket(one)
	}
	const place = `mutation ($in: PlaceOrdersInput!) { placeOrders(input: $in) { results { order { id slot { start end } } refusals { code path next { start } } } } }`
	a := h.Visitor().Query(t, place, graphtest.Vars{"in": in()}).OK(t)
	if got := a.Get("placeOrders.results.0.order.slot.start").String(); got != start {
		t.Fatalf("promised %q, asked for %q: %s", got, start, a.Body)
	}
	a = h.Visitor().Query(t, place, graphtest.Vars{"in": in()}).OK(t)
	next := a.Get("placeOrders.results.0.refusals.0.next.start").String()
	if a.Get("placeOrders.results.0.refusals.0.code").String() != "FULL" || a.Get("placeOrders.results.0.refusals.0.path").Raw != `["input","orders","0","slot"]` || next == "" {
		t.Errorf("a full slot: %s", a.Body)
	}
	for name, c := range map[string]struct {
		client graphtest.Client
		want   string
	}{
		"Visitor":  {h.Visitor(), "null null FULL " + next},
		"Merchant": {merchant, "1 1 FULL " + next},
	} {
		a := slots(c.client)
		s := a.Get("shop.slots.50")
		if got := s.Get("booked").Raw + " " + s.Get("capacity").Raw + " " + s.Get("refusal.code").String() + " " + s.Get("refusal.next.start").String(); got != c.want {
			t.Errorf("%s sees %s, want %s", name, got, c.want)
		}
		if free := a.Get("shop.slots.60"); c.want[0] == '1' && (free.Get("booked").Raw != "0" || free.Get("capacity").Raw != "1") {
			t.Errorf("a free slot: %s", free.Raw)
		}
	}
	a = merchant.Query(t, `mutation ($s: ID!, $at: DateTime!) { closeSlot(input: {shop: $s, mode: PICKUP, start: $at}) { slot { booked refusal { code } } conflicts { id } refusals { code } shop { affectedOrders(first: 5) { refusal { code } } } } }`,
		graphtest.Vars{"s": shop.String(), "at": start}).OK(t)
	if a.Get("closeSlot.slot.refusal.code").String() != "SLOT_CLOSED" || a.Get("closeSlot.conflicts.#").Int() != 1 || a.Get("closeSlot.shop.affectedOrders.0.refusal.code").String() != "SLOT_CLOSED" {
		t.Errorf("closed: %s", a.Body)
	}
}
