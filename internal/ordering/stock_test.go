package ordering_test

import (
	"slices"
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

// Fifty customers order while the merchant takes an inventory, receives and writes off: what the
// ledger adds up to is what is left, and no piece is sold that was not there.
func TestStockIsCorrectedBesideOrders(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Crowd)
	cat := catalog.New(b.Database.DB, tenancy.NewRegister(b.Database.DB), page.NewSealer(fixture.Secret))
	shop := fixture.Shop(t, b.Database, fixture.ShopOpts{})
	book := fixture.Product(t, b.Database, shop, fixture.ProductOpts{Stock: 30})
	merchant := fixture.Viewer(t, b.Database, identity.Merchant, shop)
	var group sync.WaitGroup
	var mu sync.Mutex
	placed, refused := 0, 0
	for range 50 {
		group.Go(func() {
			got, err := b.Place(t.Context(), b.visitor, basket(pickup(shop, book.Variants[0])))
			if err != nil {
				t.Error(err)
				return
			}
			order, err := got.Results[0].Order()
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			if order != nil {
				placed++
			} else {
				refused++
			}
		})
	}
	for range 10 {
		for _, in := range []catalog.CorrectStockInput{{Reason: catalog.Counted, Pieces: 12}, {Reason: catalog.Received, Pieces: 3}, {Reason: catalog.Damaged, Pieces: 2}} {
			group.Go(func() {
				in.Variant = book.Variants[0]
				got, err := cat.CorrectStock(t.Context(), merchant, in)
				if err != nil || len(got.Refusals) > 0 && got.Refusals[0].Code != catalog.NotEnoughStock {
					t.Errorf("%s: %v %+v", in.Reason, err, got)
				}
			})
		}
	}
	group.Wait()
	left := pgtest.Scan[int](t, b.Database, `select stock from variants`)
	sum := pgtest.Scan[int](t, b.Database, `select sum(quantity) from stock_moves`)
	ordered := pgtest.Scan[int](t, b.Database, `select -coalesce(sum(quantity), 0) from stock_moves where kind = 'ORDERED'`)
	if left != sum || left < 0 || ordered != placed || placed+refused != 50 || placed == 0 {
		t.Errorf("%d left, the ledger says %d; %d placed, it says %d; %d refused", left, sum, placed, ordered, refused)
	}
}

// What is on pause is not sold, and the customer is told so.
func TestOnPause(t *testing.T) {
	t.Parallel()
	b := setup(t)
	cat := catalog.New(b.Database.DB, tenancy.NewRegister(b.Database.DB), page.NewSealer(fixture.Secret))
	shop := fixture.Shop(t, b.Database, fixture.ShopOpts{})
	book := fixture.Product(t, b.Database, shop, fixture.ProductOpts{})
	merchant := fixture.Viewer(t, b.Database, identity.Merchant, shop)
	if got, err := cat.Pause(t.Context(), merchant, catalog.PauseProductInput{Product: book.ID, Version: 1}); err != nil || len(got.Refusals) > 0 {
		t.Fatal(got, err)
	}
	place := func() []ordering.RefusalCode {
		t.Helper()
		got, err := b.Place(t.Context(), b.visitor, basket(pickup(shop, book.Variants[0])))
		if err != nil {
			t.Fatal(err)
		}
		codes := []ordering.RefusalCode{}
		for _, r := range got.Results[0].Refusals {
			codes = append(codes, r.Code)
		}
		return codes
	}
	if got := place(); !slices.Equal(got, []ordering.RefusalCode{ordering.OnPause}) {
		t.Errorf("on pause: %v", got)
	}
	if _, err := cat.Resume(t.Context(), merchant, catalog.ProductInput{Product: book.ID, Version: 2}); err != nil {
		t.Fatal(err)
	}
	if got := place(); len(got) > 0 {
		t.Errorf("resumed: %v", got)
	}
}
