package graphtest_test

import (
	"strings"
	"testing"

	"github.com/audelor/halles/graph/graphtest"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

// What an agent does for a merchant stands in the log as the agent's, with what it was, once for
// each change that was made; the merchant's own changes do not.
func TestDelegatedActs(t *testing.T) {
	t.Parallel()
	h := graphtest.New(t)
	d := h.Database
	shop, other := fixture.Shop(t, d, fixture.ShopOpts{}), fixture.Shop(t, d, fixture.ShopOpts{})
	variant, foreign := fixture.Product(t, d, shop, fixture.ProductOpts{}).Variants[0], fixture.Product(t, d, other, fixture.ProductOpts{}).Variants[0]
	agent := fixture.Viewer(t, d, identity.Agent, tenancy.ID{Kind: tenancy.KindCommune, Commune: fixture.Lorient})
	merchant := h.As(fixture.Viewer(t, d, identity.Merchant, shop))
	place := func(shop, variant tenancy.ID) string {
		t.Helper()
		return h.Visitor().Query(t, placeOrders, graphtest.Vars{"input": basket(shopBasket(shop, variant))}).OK(t).Get("placeOrders.results.0.order.id").String()
	}
	first, second, elsewhere := place(shop, variant), place(shop, variant), place(other, foreign)

	asked := h.As(agent).Query(t, `mutation ($s: ID!) { askDelegation(input: {shop: $s, days: 2, reason: "Préparer les commandes avec vous"}) { delegation { id status agent days } } }`,
		graphtest.Vars{"s": shop.String()}).OK(t).Get("askDelegation.delegation")
	const list = `query ($s: ID!) { shop(id: $s) { delegations { id agent reason days status askedAt consentedAt endsAt endedAt } } }`
	if a := merchant.Query(t, list, graphtest.Vars{"s": shop.String()}).OK(t); a.Get("shop.delegations.0.id").String() != asked.Get("id").String() || a.Get("shop.delegations.0.status").String() != "ASKED" {
		t.Errorf("the merchant sees %s", a.Body)
	}
	if a := h.Visitor().Query(t, list, graphtest.Vars{"s": shop.String()}).OK(t); a.Get("shop.delegations.#").Int() != 0 {
		t.Errorf("a visitor sees %s", a.Body)
	}
	merchant.Query(t, `mutation ($d: ID!) { delegateShop(input: {delegation: $d}) { delegation { status endsAt } } }`, graphtest.Vars{"d": asked.Get("id").String()}).OK(t)

	r := &identity.Resolver{DB: h.DB, Communes: h.Resolver.Communes}
	v, _, err := r.ActFor(t.Context(), agent, shop)
	if err != nil {
		t.Fatal(err)
	}
	entries := func() int {
		return pgtest.Scan[int](t, d, `select count(*) from audit_events where action like 'DELEGATED%'`)
	}
	acting := h.As(v)
	if a := acting.Query(t, `mutation ($o: ID!) { acceptOrder(input: {order: $o}) { order { status } } }`, graphtest.Vars{"o": first}).OK(t); a.Get("acceptOrder.order.status").String() != "ACCEPTED" {
		t.Errorf("accepted %s", a.Body)
	}
	if n := entries(); n != 1 {
		t.Errorf("%d entries for one change", n)
	}
	acting.Query(t, `mutation ($o: ID!) { markOrderReady(input: {order: $o}) { order { status } } }`, graphtest.Vars{"o": first}).OK(t)
	acting.Query(t, `mutation ($o: ID!) { x: rejectOrder(input: {order: $o, reason: TOO_BUSY}) { order { status } } }`, graphtest.Vars{"o": second}).OK(t)
	if n := entries(); n != 3 {
		t.Errorf("%d entries for three changes", n)
	}
	// Read, refused, done already or another shop's: nothing to tell.
	acting.Query(t, `query ($o: ID!) { order(id: $o) { contact { name } } }`, graphtest.Vars{"o": first}).OK(t)
	acting.Query(t, `mutation ($o: ID!) { rejectOrder(input: {order: $o, reason: TOO_BUSY}) { refusals { code } } }`, graphtest.Vars{"o": first}).OK(t)
	if a := acting.Query(t, `mutation ($o: ID!) { acceptOrder(input: {order: $o}) { order { id } } }`, graphtest.Vars{"o": elsewhere}); a.Code() != fault.NotFound {
		t.Errorf("another shop's order: %s", a.Body)
	}
	merchant.Query(t, `mutation ($o: ID!) { markOrderCollected(input: {order: $o}) { order { status } } }`, graphtest.Vars{"o": first}).OK(t)
	if n := entries(); n != 3 {
		t.Errorf("%d entries, three of them for changes", n)
	}

	trail := h.As(agent).Query(t, `{ auditTrail(commune: "commune_56121", first: 10) { nodes { kind name action act object } } }`, nil).OK(t)
	var told []string
	for _, n := range trail.Get("auditTrail.nodes").Array() {
		told = append(told, n.Get("action").String()+" "+n.Get("act").String())
		if n.Get("kind").String() != "AGENT" && n.Get("action").String() != "SHOP_DELEGATE" || n.Get("object").String() != shop.String() {
			t.Errorf("an entry: %s", n)
		}
	}
	if got := strings.Join(told, ", "); got != "DELEGATED_ACT rejectOrder, DELEGATED_ACT markOrderReady, DELEGATED_ACT acceptOrder, SHOP_DELEGATE , DELEGATION_ASK " {
		t.Errorf("the log tells %s", got)
	}
	if n, err := h.Resolver.Audit.Broken(t.Context(), fixture.Lorient); n != 0 || err != nil {
		t.Errorf("the log is broken at %d, %v", n, err)
	}
	merchant.Query(t, `mutation ($d: ID!) { endDelegation(input: {delegation: $d}) { delegation { status endedAt } } }`, graphtest.Vars{"d": asked.Get("id").String()}).OK(t)
	if _, err := r.Again(t.Context(), v); fault.Of(err) == nil || fault.Of(err).Kind != fault.Forbidden {
		t.Errorf("after its end: %v", err)
	}
}
