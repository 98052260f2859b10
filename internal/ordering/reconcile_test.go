package ordering_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/audelor/halles/internal/catalog"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/ordering"
	"github.com/audelor/halles/internal/page"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

// Stock and ledger are compared while orders come and go, and agree at every instant; a
// difference is reported with where it is.
func TestReconcile(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Crowd)
	shop := fixture.Shop(t, b.Database, fixture.ShopOpts{Commune: fixture.Groix})
	variants := fixture.Product(t, b.Database, shop, fixture.ProductOpts{Variants: 3, Stock: 1000}).Variants
	merchant := fixture.Viewer(t, b.Database, identity.Merchant, shop)
	c := catalog.New(b.Database.DB, tenancy.NewRegister(b.Database.DB), page.NewSealer(fixture.Secret))
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for range 10 {
				payload, err := b.Place(t.Context(), b.visitor, basket(pickup(shop, variants...)))
				if err != nil {
					t.Error(err)
					return
				}
				order, err := payload.Results[0].Order()
				if err == nil {
					_, err = b.Do(t.Context(), merchant, ordering.Reject, ordering.ChangeInput{Order: order.ID()})
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 10 {
		if err := c.Reconcile(t.Context()); err != nil {
			t.Error(err)
		}
	}
	wait.Wait()
	if err := c.Reconcile(t.Context()); err != nil {
		t.Error(err)
	}
	b.Exec(t, `update variants set stock = 999 where id = $1`, variants[1].Row)
	err := c.Reconcile(t.Context())
	if err == nil || !strings.Contains(err.Error(), "of 1 variants differ: "+fixture.Groix+"/"+variants[1].Row.String()+" has 999, its ledger 1000") {
		t.Errorf("the difference is not told: %v", err)
	}
}
