package ordering_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/audelor/halles/internal/catalog"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/ordering"
	"github.com/audelor/halles/internal/page"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

// stockOp is what somebody did to a variant's stock, or asked of it.
type stockOp struct {
	book   int    // which
	what   string // take, back, count, receive, damage, read
	pieces int
}

// stockAnswer is what was said to it.
type stockAnswer struct {
	done  bool
	stock int // as it was told; -1: it was not
}

// stockModel is a stock that one person at a time touches: every history that the database lets
// happen must be one that could have happened so.
var stockModel = porcupine.Model{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation { // each variant by itself
		parts := make([][]porcupine.Operation, books)
		for _, op := range history {
			at := op.Input.(stockOp).book
			parts[at] = append(parts[at], op)
		}
		return parts
	},
	Init: func() any { return initialStock },
	Step: func(state, input, output any) (bool, any) {
		stock, in, out := state.(int), input.(stockOp), output.(stockAnswer)
		next := stock
		switch in.what {
		case "take", "damage":
			next -= in.pieces
		case "back", "receive":
			next += in.pieces
		case "count":
			next = in.pieces
		}
		if !out.done { // refused: there were not so many, and nothing has changed
			return next < 0 && (out.stock < 0 || out.stock == stock), stock
		}
		return next >= 0 && (out.stock < 0 || out.stock == next), next
	},
	DescribeOperation: func(input, output any) string { return fmt.Sprintf("%v → %v", input, output) },
}

const books, initialStock = 5, 25

// Twenty clients take pieces of variants, give them back, receive, write off, take inventories and
// read, as they come: their history is that of stocks which one after the other touched, in an
// order that none of them can tell from what it saw.
func TestStockHistoryIsLinearizable(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Crowd)
	cat := catalog.New(b.Database.DB, tenancy.NewRegister(b.Database.DB), page.NewSealer(fixture.Secret))
	shop := fixture.Shop(t, b.Database, fixture.ShopOpts{})
	variants := fixture.Product(t, b.Database, shop, fixture.ProductOpts{Stock: initialStock, Variants: books}).Variants
	merchant := fixture.Viewer(t, b.Database, identity.Merchant, shop)
	ctx, began := context.WithoutCancel(t.Context()), time.Now()
	c := &clerk{b, cat, shop, variants, merchant}
	const clients = 20
	each := longer(12, 500)
	var mu sync.Mutex
	var history []porcupine.Operation
	told := map[string]int{}
	together(clients, func(i int) {
		r := rand.New(rand.NewPCG(uint64(i), 2020))
		var held []holding // placed and not given back
		for range each {
			in := stockOp{r.IntN(books), []string{"take", "take", "take", "back", "back", "receive", "damage", "count", "read", "read"}[r.IntN(10)], 1 + r.IntN(6)}
			if in.what == "back" && len(held) == 0 {
				in.what = "take"
			}
			if in.what == "back" {
				in.book, in.pieces = held[0].book, held[0].order.ItemCount
			}
			call := time.Since(began).Nanoseconds()
			out, order, err := c.do(ctx, in, held)
			end := time.Since(began).Nanoseconds()
			if err != nil {
				t.Error(err)
				return
			}
			switch {
			case order != nil:
				held = append(held, holding{in.book, order})
			case in.what == "back":
				held = held[1:]
			}
			mu.Lock()
			history = append(history, porcupine.Operation{ClientId: i, Input: in, Call: call, Output: out, Return: end})
			told[fmt.Sprintf("%s %t", in.what, out.done)]++
			mu.Unlock()
		}
	})
	result, info := porcupine.CheckOperationsVerbose(stockModel, history, 10*time.Minute)
	if result != porcupine.Ok {
		path := t.ArtifactDir() + "/stock.html"
		_ = porcupine.VisualizePath(stockModel, info, path)
		t.Errorf("%d operations: %s; see %s", len(history), result, path)
	}
	if n := b.books(t); n != 0 {
		t.Errorf("%d variants differ from their ledger", n)
	}
	if told["take true"] == 0 || told["take false"] == 0 || told["read true"] == 0 {
		t.Errorf("not all was met: %v", told)
	}
	t.Logf("%d clients, %d operations, linearizable: %v", clients, len(history), told)
}

// clerk does to a stock what the program's users do.
type clerk struct {
	b        *bench
	cat      *catalog.Catalog
	shop     tenancy.ID
	variants []tenancy.ID
	merchant *identity.Viewer
}

// holding is an order of a variant.
type holding struct {
	book  int
	order *ordering.Order
}

func (c *clerk) do(ctx context.Context, in stockOp, held []holding) (stockAnswer, *ordering.Order, error) {
	book := c.variants[in.book]
	switch in.what {
	case "take":
		one := pickup(c.shop, book)
		one.Lines[0].Quantity = in.pieces
		payload, err := c.b.Place(ctx, c.b.visitor, basket(one))
		if err != nil {
			return stockAnswer{}, nil, err
		}
		order, err := payload.Results[0].Order()
		if err == nil && order == nil && payload.Results[0].Refusals[0].Code != ordering.OutOfStock {
			err = fmt.Errorf("refused: %+v", payload.Results[0].Refusals)
		}
		return stockAnswer{order != nil, -1}, order, err
	case "back":
		payload, err := c.b.Do(ctx, c.merchant, ordering.Reject, ordering.ChangeInput{Order: held[0].order.ID(), Reason: p(ordering.TooBusy)})
		if err == nil && len(payload.Refusals) > 0 {
			err = fmt.Errorf("not rejected: %+v", payload.Refusals)
		}
		return stockAnswer{true, -1}, nil, err
	case "read":
		of, err := c.cat.StockOf(ctx, c.merchant, []tenancy.ID{book})
		if err != nil || of[book] == nil {
			return stockAnswer{}, nil, errors.Join(errors.New("no stock is told"), err)
		}
		return stockAnswer{true, *of[book]}, nil, nil
	}
	reason := map[string]catalog.StockReason{"receive": catalog.Received, "damage": catalog.Damaged, "count": catalog.Counted}[in.what]
	payload, err := c.cat.CorrectStock(ctx, c.merchant, catalog.CorrectStockInput{Variant: book, Reason: reason, Pieces: in.pieces})
	if err != nil {
		return stockAnswer{}, nil, err
	}
	if len(payload.Refusals) == 0 {
		return stockAnswer{true, -1}, nil, nil
	}
	if no := payload.Refusals[0]; no.Code == catalog.NotEnoughStock {
		return stockAnswer{false, *no.Available}, nil, nil
	}
	return stockAnswer{}, nil, fmt.Errorf("not corrected: %+v", payload.Refusals)
}
