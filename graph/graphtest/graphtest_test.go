package graphtest_test

import (
	"testing"

	"github.com/audelor/halles/graph/graphtest"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/pg/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// A document goes through the server to the database and back, as the viewer asked.
func TestHarness(t *testing.T) {
	t.Parallel()
	h := graphtest.New(t)
	shop := fixture.Shop(t, h.Database, fixture.ShopOpts{Name: "Chez Ève"})
	merchant := fixture.Viewer(t, h.Database, identity.Merchant, shop)
	const document = `query ($id: ID!) { shop(id: $id) { name } viewer { kind } }`
	if a := h.As(merchant).Query(t, document, graphtest.Vars{"id": shop.String()}).OK(t); a.Get("shop.name").String() != "Chez Ève" ||
		a.Get("viewer.kind").String() != "MERCHANT" {
		t.Errorf("answer %s", a.Body)
	}
	if a := h.Visitor().Query(t, `{ _service { sdl } }`, nil); a.Code() != "FORBIDDEN" {
		t.Errorf("the visitor has the router's rights: %s", a.Body)
	}
	if a := h.Visitor().Router().Query(t, `{ _service { sdl } }`, nil).OK(t); a.Get("_service.sdl").String() == "" {
		t.Errorf("the router got nothing: %s", a.Body)
	}
}
