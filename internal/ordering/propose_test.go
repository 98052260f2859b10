package ordering_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/ordering"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

// A shop that is short of a line proposes the rest; the guest reads what and confirms it.
func TestAChangeIsConfirmed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.clock(at(24, 10, 0))
	shop := fixture.Shop(t, b.Database, fixture.ShopOpts{})
	merchant := fixture.Viewer(t, b.Database, identity.Merchant, shop)
	bread := fixture.Product(t, b.Database, shop, fixture.ProductOpts{Name: "Pain", Stock: 10, PriceCents: 350, VATRate: 550}).Variants[0]
	knife := fixture.Product(t, b.Database, shop, fixture.ProductOpts{Name: "Couteau", Stock: 10, PriceCents: 1200, VATRate: 2000}).Variants[0]
	in := basket(pickup(shop, bread, knife))
	in.Orders[0].Lines[0].Quantity = 3
	orders, payload := b.place(t, b.visitor, in)
	id, guest := orders[0].ID(), b.guest(t, payload.GuestSecret)
	b.forget(t)
	propose := func(quantity int, missing bool) *ordering.ChangePayload {
		t.Helper()
		answer, err := b.Propose(t.Context(), merchant, ordering.ProposeInput{
			Order: id, Lines: []ordering.ProposedLine{{Variant: bread, Quantity: quantity}}, Missing: missing, Hours: 4, Text: p("La fournée est finie."),
		})
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	first := propose(2, true)
	if first.Order.Version != 2 || *first.Order.ChangeVersion != 2 || first.Order.Status != ordering.Placed {
		t.Fatalf("%+v", first.Order)
	}
	if again := propose(2, true); again.Order.Version != 2 || len(again.Refusals) != 0 {
		t.Errorf("the same again: %+v", again)
	}
	changes, err := b.ChangesOf(t.Context(), guest, []tenancy.ID{id})
	if err != nil || changes[id] == nil {
		t.Fatal(err, changes)
	}
	if c := changes[id]; c.Version != 2 || c.Lines[0].Name != "Pain" || c.Lines[0].Ordered != 3 || c.Lines[0].Quantity != 2 || len(c.Lines) != 1 || c.Total.Cents != 1900 || *c.Text != "La fournée est finie." || !c.Until.Equal(at(24, 14, 0)) {
		t.Errorf("the guest reads %+v", c)
	}
	agent := fixture.Viewer(t, b.Database, identity.Agent, shop)
	if changes, err := b.ChangesOf(t.Context(), agent, []tenancy.ID{id}); err != nil || changes[id] == nil || changes[id].Text != nil {
		t.Errorf("the agent reads %v %+v", err, changes[id])
	}
	second := propose(1, true)
	if second.Order.Version != 3 {
		t.Fatalf("%+v", second.Order)
	}
	confirm := func(version int) *ordering.ChangePayload {
		t.Helper()
		answer, err := b.Do(t.Context(), guest, ordering.ConfirmChange, ordering.ChangeInput{Order: id, Version: version})
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	if old := confirm(2); len(old.Refusals) != 1 || old.Refusals[0].Code != ordering.ChangeReplaced || old.Order.Version != 3 {
		t.Errorf("what was replaced is confirmed: %+v", old)
	}
	for range 2 { // the second time after a lost answer
		done := confirm(3)
		if len(done.Refusals) != 0 || done.Order.Status != ordering.Accepted || done.Order.ItemsCents != 1550 || done.Order.ItemCount != 2 || done.Order.Version != 4 {
			t.Fatalf("confirmed: %+v %+v", done.Order, done.Refusals)
		}
	}
	lines, err := b.LinesOf(t.Context(), guest, []tenancy.ID{id})
	if err != nil || lines[id][0].Quantity != 1 || lines[id][1].Quantity != 1 {
		t.Fatal(err, lines[id])
	}
	sum := orders[0].TotalsOf(lines[id])
	if sum.Total.Cents != 1550 || sum.VAT[0].Gross+sum.VAT[1].Gross != 1550 || sum.VAT[1].Cents != 18 {
		t.Errorf("VAT %+v", sum)
	}
	// Two pieces were not there: the books lose them, and nobody can order them.
	if got := pgtest.Scan[string](t, b.Database, `select stock || ' ' || (select string_agg(kind || coalesce(':' || reason, '') || quantity, ' ' order by kind desc) from stock_moves m where m.variant_id = v.id and kind <> 'RECEIVED')
		from variants v where id = $1`, bread.Row); got != "7 REDUCED2 ORDERED-3 CORRECTED:LOST-2" || b.books(t) != 0 {
		t.Errorf("the stock's books: %s", got)
	}
	if got := b.queued(t); got != "mail order_change_proposed, mail order_change_proposed, mail shop_change_confirmed" {
		t.Errorf("queued %s", got)
	}
	// Called off later, it gives back what it still held, once.
	if _, err := b.Do(t.Context(), merchant, ordering.Cancel, ordering.ChangeInput{Order: id, Reason: p(ordering.OtherReason)}); err != nil {
		t.Fatal(err)
	}
	if stock := pgtest.Scan[int](t, b.Database, `select stock from variants where id = $1`, bread.Row); stock != 8 || b.books(t) != 0 {
		t.Errorf("stock %d", stock)
	}
}

// A change that nobody answers cancels the order, at its time and not before; the shop that proposed
// has answered, and is not reminded.
func TestAChangeExpires(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.clock(at(24, 10, 0))
	shop := fixture.Shop(t, b.Database, fixture.ShopOpts{})
	merchant := fixture.Viewer(t, b.Database, identity.Merchant, shop)
	variants := fixture.Product(t, b.Database, shop, fixture.ProductOpts{Stock: 10, Variants: 2}).Variants
	orders, _ := b.place(t, b.visitor, basket(pickup(shop, variants...)))
	id := orders[0].ID()
	if answer, err := b.Propose(t.Context(), merchant, ordering.ProposeInput{Order: id, Lines: []ordering.ProposedLine{{Variant: variants[0]}}, Hours: 6}); err != nil || len(answer.Refusals) > 0 {
		t.Fatal(err, answer)
	}
	b.forget(t)
	b.escalated(t, at(24, 15, 59)) // four open hours and a half
	for _, c := range []struct {
		now  time.Time
		want string
	}{{at(24, 15, 59), "PLACED"}, {at(24, 16, 0), "CANCELLED CHANGE_NOT_CONFIRMED"}, {at(24, 17, 0), "CANCELLED CHANGE_NOT_CONFIRMED"}} {
		b.clock(c.now)
		if err := b.EndChanges(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := b.status(t, id); got != c.want {
			t.Errorf("%s: %s, want %s", c.now, got, c.want)
		}
	}
	if got := b.queued(t); got != "mail order_cancelled, mail shop_order_withdrawn" {
		t.Errorf("queued %s", got)
	}
	if off := pgtest.Scan[int](t, b.Database, `select count(*) from variants where stock <> 10`); off != 0 || b.books(t) != 0 {
		t.Errorf("%d variants have not their stock again", off)
	}
	if got := pgtest.Scan[string](t, b.Database, `select coalesce(string_agg(step, ' '), '') from order_escalations`); got != "" {
		t.Errorf("the shop that had proposed was %s", got)
	}
}

func TestProposalsThatAreNone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	shop := fixture.Shop(t, b.Database, fixture.ShopOpts{})
	merchant := fixture.Viewer(t, b.Database, identity.Merchant, shop)
	variants := fixture.Product(t, b.Database, shop, fixture.ProductOpts{Stock: 10, Variants: 3}).Variants
	orders, _ := b.place(t, b.visitor, basket(pickup(shop, variants[:2]...)))
	id := orders[0].ID()
	before := b.fingerprint(t)
	line := func(v tenancy.ID, n int) []ordering.ProposedLine {
		return []ordering.ProposedLine{{Variant: v, Quantity: n}}
	}
	for name, c := range map[string]struct {
		in   ordering.ProposeInput
		says string // of a refusal; "" for INVALID
	}{
		"AsManyAsOrdered": {ordering.ProposeInput{Order: id, Lines: line(variants[0], 1), Hours: 1}, "proposez-en moins"},
		"More":            {ordering.ProposeInput{Order: id, Lines: line(variants[0], 2), Hours: 1}, "proposez-en moins"},
		"NotInTheOrder":   {ordering.ProposeInput{Order: id, Lines: line(variants[2], 0), Hours: 1}, "n'est pas dans la commande"},
		"NothingLeft":     {ordering.ProposeInput{Order: id, Lines: []ordering.ProposedLine{{Variant: variants[0]}, {Variant: variants[1]}}, Hours: 1}, "refusez-la"},
		"NoLine":          {ordering.ProposeInput{Order: id, Hours: 1}, ""},
		"Twice":           {ordering.ProposeInput{Order: id, Lines: []ordering.ProposedLine{{Variant: variants[0]}, {Variant: variants[0]}}, Hours: 1}, ""},
		"Negative":        {ordering.ProposeInput{Order: id, Lines: line(variants[0], -1), Hours: 1}, ""},
		"NoTime":          {ordering.ProposeInput{Order: id, Lines: line(variants[0], 0)}, ""},
		"FourDays":        {ordering.ProposeInput{Order: id, Lines: line(variants[0], 0), Hours: 96}, ""},
		"LongText":        {ordering.ProposeInput{Order: id, Lines: line(variants[0], 0), Hours: 1, Text: p(strings.Repeat("é", 501))}, ""},
	} {
		answer, err := b.Propose(t.Context(), merchant, c.in)
		switch {
		case c.says == "" && !errors.Is(err, fault.Invalid):
			t.Errorf("%s: %v", name, err)
		case c.says != "" && (err != nil || len(answer.Refusals) != 1 || answer.Refusals[0].Code != ordering.NotAChange || !strings.Contains(answer.Refusals[0].Message, c.says)):
			t.Errorf("%s: %v %+v", name, err, answer)
		}
	}
	if b.fingerprint(t) != before {
		t.Error("something was changed")
	}
}
