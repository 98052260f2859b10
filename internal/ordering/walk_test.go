package ordering_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/ordering"
	"github.com/audelor/halles/internal/pg/pgtest"
)

// step is what somebody tries next: who, what.
type step struct {
	Who    string // a letter of machine; G sees the order and changes nothing
	Action ordering.Action
}

// walked is an order as the model has it.
type walked struct {
	status  string
	mode    directory.FulfilmentMode
	version int
	pieces  int // that it holds; six of a variant were ordered
	waits   int // pieces of the change that waits for the customer
	open    int // its version; 0: none does
}

// try does a step in the model: what it must end in.
func (m *walked) try(s step) (done, ever bool) {
	for key, r := range machine {
		ever = ever || strings.HasSuffix(key, " "+string(s.Action)) && strings.Contains(r.who, s.Who)
	}
	if !mayDo(s.Who, ordering.Status(m.status), m.open > 0, m.mode, s.Action) || s.Action == ordering.ProposeChange && m.pieces == 1 {
		return false, ever
	}
	m.status = machine[m.status+" "+string(s.Action)].to
	m.version++
	switch {
	case s.Action == ordering.ProposeChange:
		m.open, m.waits = m.version, m.pieces-1
		return true, ever
	case s.Action == ordering.ConfirmChange:
		m.pieces = m.waits
	case slices.Contains(back, s.Action):
		m.pieces = 0
	}
	m.open = 0
	return true, ever
}

// draw chooses a step: half of them one that leads on, so that walks come far, else any.
func (m *walked) draw(t *rapid.T) step {
	var on []step
	for _, key := range slices.Sorted(maps.Keys(machine)) {
		rule := machine[key]
		from, action, _ := strings.Cut(key, " ")
		if from == m.status && action != string(ordering.Cancel) && mayDo(rule.who[:1], ordering.Status(from), m.open > 0, m.mode, ordering.Action(action)) {
			on = append(on, step{rapid.SampledFrom(strings.Split(rule.who, "")).Draw(t, "who may"), ordering.Action(action)})
		}
	}
	if len(on) > 0 && rapid.Bool().Draw(t, "on") {
		return rapid.SampledFrom(on).Draw(t, "step")
	}
	return step{rapid.SampledFrom([]string{"C", "M", "H", "A", "G"}).Draw(t, "who"), rapid.SampledFrom(slices.Sorted(maps.Keys(ends))).Draw(t, "action")}
}

// Random walks through the life of orders, each step compared with the model: status, version,
// the log, the stock and the books. The clock moves on by minutes.
func TestWalksAgainstTheModel(t *testing.T) {
	t.Parallel()
	b, outer, ctx := setup(t), t, t.Context()
	both := []directory.FulfilmentMode{directory.Pickup, directory.Delivery}
	shop := fixture.Shop(t, b.Database, fixture.ShopOpts{Modes: both})
	variant := fixture.Product(t, b.Database, shop, fixture.ProductOpts{Stock: 100_000}).Variants[0]
	who := map[string]*identity.Viewer{
		"M": fixture.Viewer(t, b.Database, identity.Merchant, shop), "H": fixture.Viewer(t, b.Database, identity.Hotline),
		"A": fixture.Viewer(t, b.Database, identity.Admin), "G": fixture.Viewer(t, b.Database, identity.Agent, shop),
	}
	now := time.Now().UTC().Truncate(time.Microsecond)
	b.clock(now)
	steps, did, sold := 0, 0, 0
	walks := func(t *rapid.T) {
		m := walked{status: "PLACED", mode: rapid.SampledFrom(both).Draw(t, "mode"), version: 1, pieces: 6}
		in := basket(pickup(shop, variant))
		in.Orders[0].Mode, in.Orders[0].Lines[0].Quantity = m.mode, 6
		payload, err := b.Place(ctx, b.visitor, in)
		if err != nil {
			t.Fatal(err)
		}
		order, err := payload.Results[0].Order()
		if err != nil || order == nil {
			t.Fatal(err, payload.Results[0].Refusals)
		}
		who["C"] = b.visitor.GuestOf(order.ID())
		for range 10 {
			s := m.draw(t)
			now = now.Add(time.Minute)
			b.clock(now)
			steps++
			before := m
			done, ever := m.try(s)
			var answer *ordering.ChangePayload
			if s.Action == ordering.ProposeChange { // half of the proposals are of pieces that are not there
				answer, err = b.Propose(ctx, who[s.Who], ordering.ProposeInput{
					Order: order.ID(), Lines: []ordering.ProposedLine{{Variant: variant, Quantity: max(before.pieces-1, 0)}}, Missing: steps%2 == 0, Hours: 72, Text: p(fmt.Sprint(steps)),
				})
			} else {
				answer, err = b.Do(ctx, who[s.Who], s.Action, ordering.ChangeInput{Order: order.ID(), Reason: p(ordering.OtherReason), Version: before.open})
			}
			said := string(ends[s.Action]) == before.status && s.Action != ordering.ConfirmChange
			switch {
			case s.Action == ordering.ProposeChange && ever && !done && err == nil && before.pieces == 1 && mayDo(s.Who, ordering.Status(before.status), before.open > 0, m.mode, s.Action):
				if len(answer.Refusals) != 1 || answer.Refusals[0].Code != ordering.NotAChange {
					t.Fatalf("%+v on %+v: %+v", s, before, answer)
				}
			case !ever:
				if !errors.Is(err, fault.Forbidden) {
					t.Fatalf("%+v on %+v: %v %+v", s, before, err, answer)
				}
			case err != nil:
				t.Fatalf("%+v on %+v: %v", s, before, err)
			case done || said:
				if len(answer.Refusals) > 0 || string(answer.Order.Status) != m.status {
					t.Fatalf("%+v on %+v: %+v", s, before, answer)
				}
			case len(answer.Refusals) != 1 || answer.Refusals[0].Code != ordering.IllegalTransition || answer.Refusals[0].Message == "":
				t.Fatalf("%+v on %+v: %+v", s, before, answer)
			}
			if done {
				did++
				if s.Action == ordering.ConfirmChange && answer.Order.ItemCount != m.pieces {
					t.Fatalf("%+v on %+v: %d pieces", s, before, answer.Order.ItemCount)
				}
			}
		}
		sold += m.pieces
		row := pgtest.Scan[string](outer, b.Database, `select concat_ws(' ', o.status, o.version, coalesce(o.change_version, 0), (select count(*) from order_events e where e.order_id = o.id),
			(select sum(quantity) from stock_moves s where s.order_id = o.id), (select sum(quantity) from order_lines l where l.order_id = o.id) = o.item_count)
			from orders o where o.id = $1`, order.Row)
		if want := fmt.Sprintf("%s %d %d %d %d t", m.status, m.version, m.open, m.version, -m.pieces); row != want {
			t.Fatalf("left %q, and the model %q", row, want)
		}
	}
	for range longer(1, 25) { // of forty walks (main_test.go), ten steps each
		rapid.Check(t, walks)
	}
	lost := pgtest.Scan[int](t, b.Database, `select coalesce(-sum(quantity), 0) from stock_moves where reason = 'LOST'`)
	if stock := pgtest.Scan[int](t, b.Database, `select stock from variants where id = $1`, variant.Row); stock != 100_000-sold-lost || lost == 0 && steps >= 10_000 {
		t.Errorf("stock %d, sold %d, lost %d", stock, sold, lost)
	}
	if n := b.books(t); n != 0 || did == 0 {
		t.Errorf("%d variants differ from their ledger; %d changes", n, did)
	}
	t.Logf("%d steps, %d of them changed an order: 0 mismatches", steps, did)
}
