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
	holds   bool // stock
}

// try does a step in the model: what it must end in.
func (m *walked) try(s step) (done, ever bool) {
	for key, r := range machine {
		ever = ever || strings.HasSuffix(key, " "+string(s.Action)) && strings.Contains(r.who, s.Who)
	}
	rule, exists := machine[m.status+" "+string(s.Action)]
	if !exists || !strings.Contains(rule.who, s.Who) || rule.mode != "" && rule.mode != string(m.mode) {
		return false, ever
	}
	m.status = rule.to
	m.version++
	m.holds = m.holds && !slices.Contains(back, s.Action)
	return true, ever
}

// draw chooses a step: half of them one that leads on, so that walks come far, else any.
func (m *walked) draw(t *rapid.T) step {
	var on []step
	for _, key := range slices.Sorted(maps.Keys(machine)) {
		rule := machine[key]
		from, action, _ := strings.Cut(key, " ")
		if from == m.status && (rule.mode == "" || rule.mode == string(m.mode)) && action != string(ordering.Cancel) {
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
		m := walked{status: "PLACED", mode: rapid.SampledFrom(both).Draw(t, "mode"), version: 1, holds: true}
		in := basket(pickup(shop, variant))
		in.Orders[0].Mode = m.mode
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
			answer, err := b.Do(ctx, who[s.Who], s.Action, ordering.ChangeInput{Order: order.ID(), Reason: p(ordering.OtherReason)})
			said := string(ends[s.Action]) == before.status
			switch {
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
			}
		}
		if m.holds {
			sold++
		}
		row := pgtest.Scan[string](outer, b.Database, `select concat_ws(' ', o.status, o.version, (select count(*) from order_events e where e.order_id = o.id),
			(select sum(quantity) from stock_moves s where s.order_id = o.id), (select stock from variants v where v.id = $2))
			from orders o where o.id = $1`, order.Row, variant.Row)
		held := 0
		if m.holds {
			held = -1
		}
		if want := fmt.Sprintf("%s %d %d %d %d", m.status, m.version, m.version, held, 100_000-sold); row != want {
			t.Fatalf("left %q, and the model %q", row, want)
		}
	}
	for range longer(1, 10) { // a hundred walks each
		rapid.Check(t, walks)
	}
	if n := b.books(t); n != 0 || did == 0 {
		t.Errorf("%d variants differ from their ledger; %d changes", n, did)
	}
	t.Logf("%d steps, %d of them changed an order: 0 mismatches", steps, did)
}
