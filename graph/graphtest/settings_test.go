package graphtest_test

import (
	"strings"
	"testing"

	"github.com/audelor/halles/graph/graphtest"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/tenancy"
)

// While a commune pauses, none of its shops takes orders, and the customer reads why; what another
// commune's shop sells in the same basket is ordered.
func TestOrdersPaused(t *testing.T) {
	t.Parallel()
	h := graphtest.New(t)
	d := h.Database
	here, there := fixture.Shop(t, d, fixture.ShopOpts{}), fixture.Shop(t, d, fixture.ShopOpts{Commune: fixture.Groix})
	mine, theirs := fixture.Product(t, d, here, fixture.ProductOpts{}), fixture.Product(t, d, there, fixture.ProductOpts{})
	agent := h.As(fixture.Viewer(t, d, identity.Agent, tenancy.ID{Kind: tenancy.KindCommune, Commune: fixture.Lorient}))
	agent.Query(t, `mutation { pauseOrders(input: {commune: "commune_56121", text: "Tempête : reprise demain."}) { settings { version } } }`, nil).OK(t)
	place := func() *graphtest.Answer {
		t.Helper()
		return h.Visitor().Query(t, placeOrders, graphtest.Vars{"input": basket(shopBasket(here, mine.Variants...), shopBasket(there, theirs.Variants...))}).OK(t)
	}
	a := place()
	no := a.Get("placeOrders.results.0.refusals.0")
	if no.Get("code").String() != "ORDERS_PAUSED" || !strings.Contains(no.Get("message").String(), "Tempête : reprise demain.") || !a.Get("placeOrders.results.1.order.id").Exists() || a.Get("placeOrders.results.0.order.id").Exists() {
		t.Errorf("placed %s", a.Body)
	}
	told := h.Visitor().Query(t, `{ communes { slug ordersPausedAt ordersPausedText openingText website } }`, nil).OK(t)
	if n := strings.Count(string(told.Body), "Tempête"); n != 1 || told.Get(`communes.#(slug=="lorient").ordersPausedAt`).String() == "" {
		t.Errorf("told %s", told.Body)
	}
	agent.Query(t, `mutation { resumeOrders(input: {commune: "commune_56121"}) { settings { version } } }`, nil).OK(t)
	if a := place(); a.Get("placeOrders.results.0.order.id").String() == "" {
		t.Errorf("after it %s", a.Body)
	}
}
