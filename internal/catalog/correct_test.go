package catalog_test

import (
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/audelor/halles/internal/catalog"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

func TestCorrectStock(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made := b.create(t, b.book("Caramels")) // 10 pieces
	id := b.variants(t, made.ID())[0].ID()
	stock := func() int {
		t.Helper()
		of, err := b.StockOf(t.Context(), b.merchant, []tenancy.ID{id})
		if err != nil {
			t.Fatal(err)
		}
		return *of[id]
	}
	for _, c := range []struct {
		reason catalog.StockReason
		pieces int
		want   int
		code   catalog.RefusalCode
		move   string // the last in the ledger
	}{
		{catalog.Received, 5, 15, "", "RECEIVED RECEIVED 5"},
		{catalog.Found, 1, 16, "", "RECEIVED FOUND 1"},
		{catalog.SoldInShop, 2, 14, "", "CORRECTED SOLD_IN_SHOP -2"},
		{catalog.Damaged, 1, 13, "", "CORRECTED DAMAGED -1"},
		{catalog.Lost, 1, 12, "", "CORRECTED LOST -1"},
		{catalog.Other, 1, 11, "", "CORRECTED OTHER -1"},
		{catalog.Counted, 8, 8, "", "CORRECTED COUNTED -3"},
		{catalog.Counted, 8, 8, "", "CORRECTED COUNTED -3"}, // right: nothing moves
		{catalog.Counted, 9, 9, "", "CORRECTED COUNTED 1"},
		{catalog.Lost, 10, 9, catalog.NotEnoughStock, "CORRECTED COUNTED 1"},
		{catalog.Lost, 0, 9, catalog.QuantityOutOfRange, "CORRECTED COUNTED 1"},
		{catalog.Counted, -1, 9, catalog.QuantityOutOfRange, "CORRECTED COUNTED 1"},
		{catalog.Received, 1_000_000, 9, catalog.QuantityOutOfRange, "CORRECTED COUNTED 1"},
		{catalog.Counted, 0, 0, "", "CORRECTED COUNTED -9"},
	} {
		got, err := b.CorrectStock(t.Context(), b.merchant, catalog.CorrectStockInput{Variant: id, Reason: c.reason, Pieces: c.pieces})
		want := []catalog.RefusalCode{}
		if c.code != "" {
			want = append(want, c.code)
		}
		if err != nil || !slices.Equal(codes(got.Refusals), want) || stock() != c.want {
			t.Fatalf("%s %d: %v %+v, %d left, want %d", c.reason, c.pieces, err, got, stock(), c.want)
		}
		if c.code == catalog.NotEnoughStock && *got.Refusals[0].Available != c.want {
			t.Errorf("%d are said to be left", *got.Refusals[0].Available)
		}
		if last := pgtest.Scan[string](t, b.Database, `select concat_ws(' ', kind, reason, quantity) from stock_moves order by at desc, id desc limit 1`); last != c.move {
			t.Errorf("%s %d wrote %s, want %s", c.reason, c.pieces, last, c.move)
		}
		if b.ledgerOff(t) > 0 {
			t.Fatalf("%s %d: the ledger is off", c.reason, c.pieces)
		}
	}
	if after, err := b.ProductsByIDs(t.Context(), b.merchant, []tenancy.ID{made.ID()}); err != nil || after[made.ID()].Version != 1 {
		t.Errorf("stock counts as a change of the product: %v %v", after[made.ID()], err)
	}
}

// A delivery that is entered by fifty retries of one click came in once.
func TestCorrectStockOnce(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Crowd)
	id := b.variants(t, b.create(t, b.book("Caramels")).ID())[0].ID()
	in := catalog.CorrectStockInput{Variant: id, Reason: catalog.Received, Pieces: 5, IdempotencyKey: p("delivery-of-thursday-1")}
	var group sync.WaitGroup
	for range 50 {
		group.Go(func() {
			if got, err := b.CorrectStock(t.Context(), b.merchant, in); err != nil || len(got.Refusals) > 0 {
				t.Error(got, err)
			}
		})
	}
	group.Wait()
	if left := pgtest.Scan[int](t, b.Database, `select stock from variants`); left != 15 || b.ledgerOff(t) > 0 {
		t.Errorf("%d pieces, want 15", left)
	}
	in.Pieces = 6
	if _, err := b.CorrectStock(t.Context(), b.merchant, in); !errors.Is(err, fault.Conflict) {
		t.Errorf("another delivery under the key: %v", err)
	}
	in.IdempotencyKey = p("short")
	if _, err := b.CorrectStock(t.Context(), b.merchant, in); !errors.Is(err, fault.Invalid) {
		t.Errorf("a short key: %v", err)
	}
}
