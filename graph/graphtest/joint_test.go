package graphtest_test

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/audelor/halles/graph/graphtest"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/tenancy"
)

// What visitors ask at the same time is read in few statements, and each gets his own. Who has rights of
// his own, or a widget's key, reads by himself: he sees more, or less, and nobody else does.
func TestVisitorsReadTogether(t *testing.T) {
	t.Parallel()
	h := graphtest.New(t)
	const visitors = 40
	shop := fixture.Shop(t, h.Database, fixture.ShopOpts{Name: "Librairie"})
	draft := fixture.Product(t, h.Database, shop, fixture.ProductOpts{Status: "DRAFT", Name: "Brouillon"})
	products := make([]fixture.ProductIDs, visitors)
	for i := range products {
		products[i] = fixture.Product(t, h.Database, shop, fixture.ProductOpts{Name: fmt.Sprintf("Livre %d", i), Variants: 1 + i%3})
	}
	merchant := fixture.Viewer(t, h.Database, identity.Merchant, shop)
	widget := through(t, fixture.Viewer(t, h.Database, identity.Visitor), fixture.WidgetKey(t, h.Database, fixture.Groix, "https://groix.bzh"))
	const document = `query ($id: ID!) { product(id: $id) { name shop { name } variants { id } } }`
	ask := func(v *identity.Viewer, id tenancy.ID) *graphtest.Answer {
		return h.As(v).Query(t, document, graphtest.Vars{"id": id.String()})
	}
	ask(nil, products[0].ID).OK(t) // what is read once a minute

	hold, err := h.Migrate.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = hold.Rollback(t.Context()) }()
	if _, err := hold.Exec(t.Context(), `lock table products in access exclusive mode`); err != nil {
		t.Fatal(err)
	}
	sent := h.Statements()
	var wait sync.WaitGroup
	for i, p := range products {
		wait.Go(func() {
			a := ask(nil, p.ID)
			if a.Get("product.name").String() != fmt.Sprintf("Livre %d", i) || a.Get("product.shop.name").String() != "Librairie" ||
				a.Get("product.variants.#").Int() != int64(1+i%3) {
				t.Errorf("visitor %d: %s", i, a.Body)
			}
		})
	}
	for _, stranger := range []*identity.Viewer{nil, widget} {
		wait.Go(func() {
			if a := ask(stranger, draft.ID); a.Get("product.name").Exists() {
				t.Errorf("a stranger reads %s", a.Body)
			}
		})
	}
	wait.Go(func() {
		if a := ask(widget, products[0].ID); a.Get("product.name").Exists() {
			t.Errorf("a widget of Groix reads %s", a.Body)
		}
	})
	wait.Go(func() {
		if a := ask(merchant, draft.ID); a.Get("product.name").String() != "Brouillon" {
			t.Errorf("the merchant reads %s", a.Body)
		}
	})
	time.Sleep(100 * time.Millisecond) // for all, or most, to ask
	if err := hold.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	wait.Wait()
	if n := sent(); n > visitors/2+runtime.GOMAXPROCS(0) {
		t.Errorf("%d visitors took %d statements", visitors, n)
	}
}
