package graphtest_test

import (
	"testing"

	"github.com/audelor/halles/graph/graphtest"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/tenancy"
)

const board = `query ($in: DashboardInput!) { dashboard(input: $in) {
	from to publishedAt figures { ...F } series { key label figures { ...F } } bySector { label figures { ...F } } byCommune { label figures { ...F } }
	byMode { label figures { ...F } } channels { label figures { ...F } } ends { label figures { ...F } } reasons { label figures { ...F } } steps { label figures { ...F } } waits { label figures { ...F } } } }
	fragment F on Figure { indicator unit label change changeOnYear value { number hidden formatted } previous { number hidden formatted } lastYear { number hidden formatted } }`

// A dashboard is for analysts and agents, in a number of statements that does not grow with what it
// shows; a shop's own is for its merchant and for nobody else.
func TestDashboards(t *testing.T) {
	t.Parallel()
	h := graphtest.New(t)
	h.Resolver.Wait = graphtest.Gathers
	shop := fixture.Shop(t, h.Database, fixture.ShopOpts{})
	product := fixture.Product(t, h.Database, shop, fixture.ProductOpts{})
	order := fixture.Order(t, h.Database, shop, product.Variants[0], fixture.OrderOpts{})
	in := graphtest.Vars{"in": map[string]any{"from": "2025-11", "to": "2026-10"}}
	lorient := tenancy.ID{Kind: tenancy.KindCommune, Commune: fixture.Lorient}
	for kind, communes := range map[identity.Kind]int{identity.Analyst: 25, identity.Agent: 1} {
		statements := h.Statements()
		a := h.As(fixture.Viewer(t, h.Database, kind, lorient)).Query(t, board, in).OK(t)
		if n := statements(); n > 30 { // whoever asks is made on the way
			t.Errorf("%s: %d statements", kind, n)
		}
		if got := len(a.Get("dashboard.byCommune").Array()); got != communes {
			t.Errorf("%s sees %d communes", kind, got)
		}
		if a.Get("dashboard.series.#").Int() != 12 || a.Get("dashboard.figures.0.value.hidden").String() != "NOT_PUBLISHED" || a.Get("dashboard.figures.0.value.number").Type.String() != "Null" {
			t.Errorf("%s: %s", kind, a.Body[:300])
		}
	}
	for _, kind := range []identity.Kind{identity.Visitor, identity.Customer, identity.Merchant, identity.Hotline, identity.Admin} {
		if code := h.As(fixture.Viewer(t, h.Database, kind, shop)).Query(t, board, in).Code(); code != fault.Forbidden {
			t.Errorf("%s is told %q", kind, code)
		}
	}
	const own = `query ($id: ID!) { shop(id: $id) { dashboard { from to figures { indicator value { number formatted } } days { key } byChannel { key figures { value { number } } } } } }`
	a := h.As(fixture.Viewer(t, h.Database, identity.Merchant, shop)).Query(t, own, graphtest.Vars{"id": shop.String()}).OK(t)
	if a.Get(`shop.dashboard.figures.#(indicator=="ORDERS").value.number`).Int() != 1 || a.Get(`shop.dashboard.figures.#(indicator=="REVENUE").value.number`).Int() != 2580 ||
		a.Get("shop.dashboard.days.#").Int() != 30 {
		t.Errorf("of %s: %s", order, a.Body)
	}
	another := fixture.Shop(t, h.Database, fixture.ShopOpts{})
	for name, v := range map[string]*identity.Viewer{
		"visitor": nil, "another merchant": fixture.Viewer(t, h.Database, identity.Merchant, another), "agent": fixture.Viewer(t, h.Database, identity.Agent, lorient),
		"analyst": fixture.Viewer(t, h.Database, identity.Analyst), "admin": fixture.Viewer(t, h.Database, identity.Admin),
	} {
		if d := h.As(v).Query(t, own, graphtest.Vars{"id": shop.String()}).OK(t).Get("shop.dashboard"); d.Type.String() != "Null" {
			t.Errorf("%s reads a shop's own figures: %s", name, d)
		}
	}
}
