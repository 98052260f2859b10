package ordering_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/ordering"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

// An order for somebody who telephones is an order as any: one key, one order, its stock and its
// channel; and nobody's account has it.
func TestOrdersForOthers(t *testing.T) {
	t.Parallel()
	b := setup(t)
	shop := fixture.Shop(t, b.Database, fixture.ShopOpts{})
	bread := fixture.Product(t, b.Database, shop, fixture.ProductOpts{Stock: 3}).Variants[0]
	merchant, hotline := fixture.Viewer(t, b.Database, identity.Merchant, shop), fixture.Viewer(t, b.Database, identity.Hotline)
	enter := func(v *identity.Viewer, in ordering.EnterInput) *ordering.ChangePayload {
		t.Helper()
		answer, err := b.Enter(t.Context(), v, in)
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	call := func() ordering.EnterInput {
		return ordering.EnterInput{
			IdempotencyKey: uuid.NewString(), Order: pickup(shop, bread), Channel: ordering.Phone, BuyerCommune: p("56098"),
			Contact: ordering.PersonContact{Name: p("Yves"), Phone: p("02 97 00 11 22")},
		}
	}
	in := call()
	first, again := enter(hotline, in), enter(hotline, in)
	if first.Order == nil || again.Order.ID() != first.Order.ID() || first.Order.Status != ordering.Placed || first.Order.CustomerID != nil {
		t.Fatalf("%+v %+v", first, again)
	}
	counter := call()
	counter.Channel, counter.Contact = ordering.Counter, ordering.PersonContact{Name: p("Madame Le Gall")}
	own := enter(merchant, counter)
	if own.Order.Status != ordering.Accepted || enter(merchant, counter).Order.Version != own.Order.Version {
		t.Errorf("the shop's own: %+v", own.Order)
	}
	for order, want := range map[tenancy.ID]string{
		first.Order.ID(): "PHONE 56098 HOTLINE Yves +33297001122 1", own.Order.ID(): "COUNTER 56098 MERCHANT Madame Le Gall 0",
	} {
		got := pgtest.Scan[string](t, b.Database, `select concat_ws(' ', o.channel, o.buyer_commune, e.actor, c.name, c.phone,
			(select count(*) from audit_events a where a.object = $2 and a.action = 'ORDER_ENTER'))
			from orders o join order_events e on e.order_id = o.id and e.order_seq = 1 left join order_contacts c on c.order_id = o.id where o.id = $1`, order.Row, order.String())
		if got != want {
			t.Errorf("the order is %q, not %q", got, want)
		}
	}
	if got := b.queued(t); got != "mail shop_order_new, mail order_placed, mail order_placed, mail order_accepted" {
		t.Errorf("queued %s", got)
	}
	enter(merchant, call())
	before := b.fingerprint(t)
	if sold := enter(hotline, call()); sold.Order != nil || len(sold.Refusals) != 1 || sold.Refusals[0].Code != ordering.OutOfStock || !cmp.Equal(sold.Refusals[0].Path, []string{"input", "order", "lines", "0", "quantity"}) {
		t.Errorf("the fourth of three: %+v", sold)
	}
	with := func(change func(*ordering.EnterInput)) ordering.EnterInput { in := call(); change(&in); return in }
	for name, c := range map[string]struct {
		v    *identity.Viewer
		in   ordering.EnterInput
		kind fault.Kind
	}{
		"NoNumber":       {hotline, with(func(in *ordering.EnterInput) { in.Contact.Phone = p("12") }), fault.Invalid},
		"NoPhone":        {merchant, with(func(in *ordering.EnterInput) { in.Contact.Phone = nil }), fault.Invalid},
		"NoName":         {merchant, with(func(in *ordering.EnterInput) { in.Contact.Name = nil }), fault.Invalid},
		"NoCommune":      {merchant, with(func(in *ordering.EnterInput) { in.BuyerCommune = p("Lorient") }), fault.Invalid},
		"ByWeb":          {merchant, with(func(in *ordering.EnterInput) { in.Channel = ordering.Web }), fault.Invalid},
		"HotlineCounter": {hotline, with(func(in *ordering.EnterInput) { in.Channel = ordering.Counter }), fault.Invalid},
		"AnothersShop":   {fixture.Viewer(t, b.Database, identity.Merchant, fixture.Shop(t, b.Database, fixture.ShopOpts{})), call(), fault.NotFound},
		"Customer":       {fixture.Viewer(t, b.Database, identity.Customer), call(), fault.Forbidden},
		"Agent":          {fixture.Viewer(t, b.Database, identity.Agent, shop), call(), fault.Forbidden},
		"Visitor":        {b.visitor, call(), fault.Unauthenticated},
	} {
		if _, err := b.Enter(t.Context(), c.v, c.in); !errors.Is(err, c.kind) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if b.fingerprint(t) != before || b.books(t) != 0 {
		t.Error("something was changed")
	}
}

// The hotline finds by telephone number, however it is written; that it did, and that it read whose
// an order is, stands in the audit log.
func TestFindByPhone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	shop, far := fixture.Shop(t, b.Database, fixture.ShopOpts{}), fixture.Shop(t, b.Database, fixture.ShopOpts{Commune: fixture.Groix})
	var ids []tenancy.ID
	for _, s := range []tenancy.ID{shop, far} {
		orders, _ := b.place(t, b.visitor, basket(pickup(s, fixture.Product(t, b.Database, s, fixture.ProductOpts{}).Variants...)))
		ids = append(ids, orders[0].ID())
	}
	hotline, merchant := fixture.Viewer(t, b.Database, identity.Hotline), fixture.Viewer(t, b.Database, identity.Merchant, shop)
	reads := func() int {
		return pgtest.Scan[int](t, b.Database, `select count(*) from audit_events where action = 'CONTACT_READ' and kind = 'HOTLINE'`)
	}
	for _, phone := range []string{"06 12 34 56 78", "+33612345678", "06.12.34.56.78"} {
		found, err := b.Find(t.Context(), hotline, nil, &phone, 10)
		if err != nil || len(found) != 2 {
			t.Errorf("%s: %v, %d orders", phone, err, len(found))
		}
	}
	if n := reads(); n != 6 {
		t.Errorf("%d entries for six orders found", n)
	}
	contacts, err := b.ContactsOf(t.Context(), hotline, ids)
	if err != nil || len(contacts) != 2 || *contacts[ids[0]].Phone != "+33612345678" || reads() != 8 {
		t.Errorf("%v %v, %d entries", err, contacts, reads())
	}
	found, err := b.Find(t.Context(), merchant, nil, p("0612345678"), 10)
	if err != nil || len(found) != 1 || found[0].ID() != ids[0] || reads() != 8 {
		t.Errorf("the merchant finds %v %v", err, found)
	}
	for name, c := range map[string]struct {
		v             *identity.Viewer
		number, phone *string
		kind          fault.Kind
	}{
		"NoNumberAtAll": {hotline, nil, p("12 34"), fault.Invalid},
		"Neither":       {hotline, nil, nil, fault.Invalid},
		"Both":          {hotline, p("7K3MQ9TX"), p("0612345678"), fault.Invalid},
		"Agent":         {fixture.Viewer(t, b.Database, identity.Agent, shop), nil, p("0612345678"), fault.Forbidden},
		"Visitor":       {b.visitor, nil, p("0612345678"), fault.Unauthenticated},
	} {
		if _, err := b.Find(t.Context(), c.v, c.number, c.phone, 10); !errors.Is(err, c.kind) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A caller who is to be called back is on the list until the next call about the order.
	list := func() int {
		t.Helper()
		page, err := b.CallList(t.Context(), hotline, 10, nil)
		if err != nil {
			t.Fatal(err)
		}
		return len(page.Edges)
	}
	called := func(outcome string) {
		b.Exec(t, `insert into calls (commune_id, id, at, operator_id, reason, outcome, seconds, order_id) values ($1, gen_random_uuid(), clock_timestamp(), gen_random_uuid(), 'ORDER_QUESTION', $2, 60, $3)`,
			ids[0].Commune, outcome, ids[0].Row)
	}
	before := list()
	called("CALL_BACK")
	promised := list()
	called("DONE")
	if before != 0 || promised != 1 || list() != 0 {
		t.Errorf("%d before, %d with a promise, %d after it was kept", before, promised, list())
	}
}

// What of an old order is still there can be ordered again.
func TestOrderAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	shop := fixture.Shop(t, b.Database, fixture.ShopOpts{})
	var variants []tenancy.ID
	for range 5 {
		variants = append(variants, fixture.Product(t, b.Database, shop, fixture.ProductOpts{Stock: 20}).Variants[0])
	}
	customer := fixture.Viewer(t, b.Database, identity.Customer)
	in := basket(pickup(shop, variants...))
	for i := range in.Orders[0].Lines {
		in.Orders[0].Lines[i].Quantity = 6
	}
	orders, _ := b.place(t, customer, in)
	b.Exec(t, `update variants set stock = 2 where id = $1`, variants[1].Row)
	b.Exec(t, `update variants set stock = 0 where id = $1`, variants[2].Row)
	b.Exec(t, `update variants set paused = true where id = $1`, variants[3].Row)
	b.Exec(t, `update products set status = 'ARCHIVED' where id = (select product_id from variants where id = $1)`, variants[4].Row)
	id := orders[0].ID()
	of, err := b.AgainOf(t.Context(), customer, []tenancy.ID{id})
	if err != nil || of[id] == nil {
		t.Fatal(err, of)
	}
	if a := of[id]; a.ShopID != shop || len(a.Lines) != 2 || *a.Lines[0] != (ordering.AgainLine{VariantID: variants[0], Quantity: 6}) ||
		*a.Lines[1] != (ordering.AgainLine{VariantID: variants[1], Quantity: 2}) || len(a.Left) != 4 {
		t.Errorf("%+v, %d lines, %d left", a, len(a.Lines), len(a.Left))
	}
	if of, err := b.AgainOf(t.Context(), fixture.Viewer(t, b.Database, identity.Customer), []tenancy.ID{id}); err != nil || of[id] != nil {
		t.Errorf("another's: %v %+v", err, of)
	}
}
