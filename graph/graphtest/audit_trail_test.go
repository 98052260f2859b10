package graphtest_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/audelor/halles/graph/graphtest"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/tenancy"
)

// The trail is for the commune's own people, page by page, each entry once.
func TestAuditTrail(t *testing.T) {
	t.Parallel()
	h := graphtest.New(t)
	h.Resolver.Wait = graphtest.Gathers
	d := h.Database
	lorient, groix := tenancy.ID{Kind: tenancy.KindCommune, Commune: fixture.Lorient}, tenancy.ID{Kind: tenancy.KindCommune, Commune: fixture.Groix}
	agent, admin := h.As(fixture.Viewer(t, d, identity.Agent, lorient)), h.As(fixture.Viewer(t, d, identity.Admin))
	const create = `mutation ($c: ID!) { createWidgetKey(input: {commune: $c, name: "Site", origins: ["https://a.test"]}) { key { id } } }`
	var made []string
	for range 7 {
		made = append(made, agent.Query(t, create, graphtest.Vars{"c": lorient.String()}).OK(t).Get("createWidgetKey.key.id").String())
	}
	admin.Query(t, create, graphtest.Vars{"c": groix.String()}).OK(t)
	const trail = `query ($c: ID!, $n: Int!, $after: String) { auditTrail(commune: $c, first: $n, after: $after) {
		edges { cursor node { number } } nodes { number at kind name action object before after hash } pageInfo { hasNextPage hasPreviousPage endCursor } } }`
	var seen []string
	vars := graphtest.Vars{"c": lorient.String(), "n": 3}
	var cursors []string
	for {
		sent := h.Statements()
		a := agent.Query(t, trail, vars).OK(t)
		if n := sent(); n != 1 {
			t.Errorf("%d statements for a page", n)
		}
		seen = append(seen, a.Texts("auditTrail.nodes.#.object")...)
		first := a.Get("auditTrail.nodes.0")
		if first.Get("kind").String() != "AGENT" || first.Get("name").String() != "Camille Le Test" || first.Get("action").String() != "WIDGET_KEY_CREATE" ||
			len(first.Get("hash").String()) != 64 || len(first.Get("after").String()) != 64 || first.Get("before").Value() != nil {
			t.Errorf("an entry: %s", first)
		}
		if !a.Get("auditTrail.pageInfo.hasNextPage").Bool() {
			break
		}
		cursors = append(cursors, a.Get("auditTrail.pageInfo.endCursor").String())
		vars["after"] = cursors[len(cursors)-1]
	}
	slices.Reverse(seen)
	if !slices.Equal(seen, made) {
		t.Errorf("seen %v, want %v", seen, made)
	}
	if a := admin.Query(t, trail, graphtest.Vars{"c": groix.String(), "n": 100}).OK(t); a.Get("auditTrail.nodes.#").Int() != 1 {
		t.Errorf("the admin reads %s", a.Body)
	}
	shop := fixture.Shop(t, d, fixture.ShopOpts{})
	for name, c := range map[string]struct {
		v    *identity.Viewer
		want fault.Kind
	}{
		"Visitor": {nil, fault.Unauthenticated}, "Customer": {fixture.Viewer(t, d, identity.Customer), fault.Forbidden},
		"Merchant": {fixture.Viewer(t, d, identity.Merchant, shop), fault.Forbidden}, "Hotline": {fixture.Viewer(t, d, identity.Hotline), fault.Forbidden},
		"Analyst": {fixture.Viewer(t, d, identity.Analyst), fault.Forbidden}, "AnotherAgent": {fixture.Viewer(t, d, identity.Agent, groix), fault.Forbidden},
	} {
		a := h.As(c.v).Query(t, trail, graphtest.Vars{"c": lorient.String(), "n": 10})
		unknown := h.As(c.v).Query(t, trail, graphtest.Vars{"c": "commune_99999", "n": 10})
		if a.Code() != c.want || string(a.Body) != string(unknown.Body) {
			t.Errorf("%s: %s, for an unknown commune %s", name, a.Body, unknown.Body)
		}
	}
	for name, vars := range map[string]graphtest.Vars{
		"First0": {"c": lorient.String(), "n": 0}, "First101": {"c": lorient.String(), "n": 101}, "NotACommune": {"c": shop.String(), "n": 1},
		"AnotherLogsCursor": {"c": groix.String(), "n": 1, "after": cursors[0]}, "Nonsense": {"c": lorient.String(), "n": 1, "after": strings.Repeat("A", 40)},
	} {
		if a := admin.Query(t, trail, vars); a.Code() != fault.Invalid {
			t.Errorf("%s: %s", name, a.Body)
		}
	}
}
