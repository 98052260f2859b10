package ordering_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/ordering"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

// machine is the state machine written a second time, by who may do what from where; the
// first letters: customer and guest, merchant, hotline, admin.
var machine = map[string]struct{ who, to, mode, change string }{
	"PLACED ACCEPT":                   {"MH", "ACCEPTED", "", ""},
	"PLACED REJECT":                   {"MH", "REJECTED", "", ""},
	"PLACED CANCEL":                   {"CHA", "CANCELLED", "", ""},
	"PLACED PROPOSE_CHANGE":           {"MH", "PLACED", "", ""},
	"PLACED CONFIRM_CHANGE":           {"CH", "ACCEPTED", "", "with"},
	"PLACED DECLINE_CHANGE":           {"CH", "CANCELLED", "", "with"},
	"ACCEPTED ACCEPT":                 {"MH", "ACCEPTED", "", "with"},
	"ACCEPTED MARK_READY":             {"M", "READY", "", "without"},
	"ACCEPTED CANCEL":                 {"CMHA", "CANCELLED", "", ""},
	"ACCEPTED PROPOSE_CHANGE":         {"MH", "ACCEPTED", "", ""},
	"ACCEPTED CONFIRM_CHANGE":         {"CH", "ACCEPTED", "", "with"},
	"ACCEPTED DECLINE_CHANGE":         {"CH", "CANCELLED", "", "with"},
	"READY MARK_COLLECTED":            {"M", "COLLECTED", "PICKUP", ""},
	"READY MARK_OUT_FOR_DELIVERY":     {"M", "OUT_FOR_DELIVERY", "DELIVERY", ""},
	"READY MARK_NO_SHOW":              {"M", "NO_SHOW", "PICKUP", ""},
	"READY CANCEL":                    {"MHA", "CANCELLED", "", ""},
	"OUT_FOR_DELIVERY MARK_DELIVERED": {"M", "DELIVERED", "DELIVERY", ""},
	"OUT_FOR_DELIVERY CANCEL":         {"MHA", "CANCELLED", "", ""},
}

// may tells what the table says of somebody in a stand.
func mayDo(letter string, from ordering.Status, proposed bool, mode directory.FulfilmentMode, action ordering.Action) bool {
	rule, exists := machine[string(from)+" "+string(action)]
	return letter != "" && exists && strings.Contains(rule.who, letter) && (rule.mode == "" || rule.mode == string(mode)) &&
		(rule.change == "" || (rule.change == "with") == proposed)
}

// ends is the status that each action leads to, and back what gives stock back.
var (
	ends = map[ordering.Action]ordering.Status{
		ordering.ConfirmChange: "ACCEPTED", ordering.DeclineChange: "CANCELLED", ordering.ProposeChange: "",
		ordering.Accept: "ACCEPTED", ordering.Reject: "REJECTED", ordering.MarkReady: "READY", ordering.Collect: "COLLECTED",
		ordering.SendOut: "OUT_FOR_DELIVERY", ordering.Deliver: "DELIVERED", ordering.ReportNoShow: "NO_SHOW", ordering.Cancel: "CANCELLED",
	}
	back     = []ordering.Action{ordering.Reject, ordering.ReportNoShow, ordering.Cancel, ordering.DeclineChange}
	statuses = []ordering.Status{"PLACED", "ACCEPTED", "READY", "OUT_FOR_DELIVERY", "COLLECTED", "DELIVERED", "REJECTED", "CANCELLED", "NO_SHOW"}
)

func TestEveryActionInEveryStateByEveryKind(t *testing.T) {
	t.Parallel()
	b := setup(t)
	both := []directory.FulfilmentMode{directory.Pickup, directory.Delivery}
	shop, other := fixture.Shop(t, b.Database, fixture.ShopOpts{Modes: both}), fixture.Shop(t, b.Database, fixture.ShopOpts{})
	product := fixture.Product(t, b.Database, shop, fixture.ProductOpts{Stock: 1000, Variants: 2})
	customer := fixture.Viewer(t, b.Database, identity.Customer)
	// Orders to act on: a guest's and the customer's, in both modes; each case sets their status back.
	type subject struct {
		order *ordering.Order
		guest *identity.Viewer
	}
	subjects := map[directory.FulfilmentMode]map[string]subject{}
	for _, mode := range both {
		in := basket(pickup(shop, product.Variants...))
		in.Orders[0].Mode = mode
		own, _ := b.place(t, customer, in)
		orders, payload := b.place(t, b.visitor, in)
		subjects[mode] = map[string]subject{"guest": {orders[0], b.guest(t, payload.GuestSecret)}, "customer": {own[0], nil}}
	}
	merchant := fixture.Viewer(t, b.Database, identity.Merchant, shop)
	cases := map[string]struct {
		v      *identity.Viewer // nil: the order's guest
		letter string           // in machine; "" may read only; "-" sees nothing
	}{
		"Guest":           {nil, "C"},
		"Customer":        {customer, "C"},
		"Merchant":        {merchant, "M"},
		"Hotline":         {fixture.Viewer(t, b.Database, identity.Hotline), "H"},
		"Admin":           {fixture.Viewer(t, b.Database, identity.Admin), "A"},
		"Agent":           {fixture.Viewer(t, b.Database, identity.Agent, shop), ""},
		"Visitor":         {b.visitor, "-"},
		"Analyst":         {fixture.Viewer(t, b.Database, identity.Analyst), "-"},
		"AnotherCustomer": {fixture.Viewer(t, b.Database, identity.Customer), "-"},
		"AnotherMerchant": {fixture.Viewer(t, b.Database, identity.Merchant, other), "-"},
		"AnotherAgent":    {fixture.Viewer(t, b.Database, identity.Agent, tenancy.NewID(tenancy.KindShop, fixture.Groix)), "-"},
		"AnotherGuest":    {b.visitor.GuestOf(tenancy.NewID(tenancy.KindOrder, fixture.Lorient)), "-"},
	}
	unknown := tenancy.NewID(tenancy.KindOrder, fixture.Lorient).NotFound().Error()
	asked, done := 0, 0
	for kind, c := range cases {
		for _, mode := range both {
			s := subjects[mode]["guest"]
			v := c.v
			if v == nil {
				v = s.guest
			}
			if kind == "Customer" {
				s = subjects[mode]["customer"]
			}
			id := s.order.ID()
			in := statuses
			if c.letter == "-" { // the order is as unknown to them in every status, and asked for before it is looked at
				in = longer([]ordering.Status{"PLACED", "READY"}, statuses)
			}
			for _, from := range in {
				for _, proposed := range []bool{false, true} {
					if proposed && from != ordering.Placed && from != ordering.Accepted {
						continue
					}
					version, before, next := 0, "", []ordering.Action(nil)
					for action, end := range ends {
						name := fmt.Sprintf("%s %s %s %t %s", kind, mode, from, proposed, action)
						asked++
						if before == "" { // at first, and after what has changed something
							version = b.reset(t, id, from, proposed)
							before, next = b.fingerprint(t), nextOf(t, b, v, id)
						}
						var payload *ordering.ChangePayload
						var err error
						if action == ordering.ProposeChange {
							end = from
							payload, err = b.Propose(t.Context(), v, ordering.ProposeInput{Order: id, Lines: []ordering.ProposedLine{{Variant: product.Variants[1]}}, Hours: 2})
						} else {
							payload, err = b.Do(t.Context(), v, action, ordering.ChangeInput{Order: id, Reason: p(ordering.OtherReason), Text: p("essai"), Version: version})
						}
						may := mayDo(c.letter, from, proposed, mode, action)
						ever := false
						for key, r := range machine {
							ever = ever || strings.HasSuffix(key, " "+string(action)) && c.letter != "" && strings.Contains(r.who, c.letter)
						}
						changed := b.fingerprint(t) != before
						if changed {
							before = ""
						}
						if offered := slices.Contains(next, action); offered != may {
							t.Errorf("%s: nextActions %v", name, next)
						}
						switch {
						case c.letter == "-":
							if !errors.Is(err, fault.NotFound) || fault.Of(err).Message != unknown || changed {
								t.Errorf("%s: %v", name, err)
							}
						case may:
							done++
							if err != nil || len(payload.Refusals) > 0 || payload.Order.Status != end || string(end) != machine[string(from)+" "+string(action)].to {
								t.Errorf("%s: %v %+v", name, err, payload)
								continue
							}
							b.checkChange(t, name, id, end, action, c.letter)
						case !ever:
							if !errors.Is(err, fault.Forbidden) || changed {
								t.Errorf("%s: %v, changed %v", name, err, changed)
							}
						case from == end && action != ordering.ConfirmChange && action != ordering.ProposeChange: // said again
							if err != nil || len(payload.Refusals) > 0 || payload.Order.Status != end || changed {
								t.Errorf("%s, said again: %v %+v, changed %v", name, err, payload, changed)
							}
						default:
							if err != nil || len(payload.Refusals) != 1 || payload.Refusals[0].Code != ordering.IllegalTransition || payload.Order.Status != from || changed {
								t.Errorf("%s: %v %+v, changed %v", name, err, payload, changed)
							}
						}
					}
				}
			}
		}
	}
	if stands := longer(6*11+6*3, 12*11); asked != 2*11*stands || done == 0 {
		t.Fatalf("%d cases, %d of them done", asked, done)
	}
}

// reset puts an order into a status, with the stock that it then holds, with or without a change of
// its first line that waits, and nothing else. It returns the change's version.
func (b *bench) reset(t testing.TB, id tenancy.ID, status ordering.Status, proposed bool) (version int) {
	t.Helper()
	b.Exec(t, `with gone as (delete from stock_moves where order_id = $1 and kind in ('RETURNED', 'REDUCED') returning variant_id, quantity),
		taken as (update variants v set stock = stock - g.quantity from (select variant_id, sum(quantity) as quantity from gone group by 1) g where v.id = g.variant_id),
		full_lines as (update order_lines set quantity = 1 where order_id = $1)
		update orders set status = $2, reason = null, reason_text = null, item_count = 2, change_version = null, change_until = null where id = $1`, id.Row, string(status))
	b.Exec(t, `delete from order_changes where order_id = $1`, id.Row)
	if proposed {
		b.Exec(t, `insert into order_changes (commune_id, order_id, version, lines, quantities, missing, proposed_at)
			select commune_id, id, version, '{1}', '{0}', false, now() from orders where id = $1`, id.Row)
		b.Exec(t, `update orders set change_version = version, change_until = now() + interval '1 h' where id = $1`, id.Row)
		return pgtest.Scan[int](t, b.Database, `select version from orders where id = $1`, id.Row)
	}
	return 999
}

func nextOf(t testing.TB, b *bench, v *identity.Viewer, id tenancy.ID) []ordering.Action {
	t.Helper()
	found, err := b.ByIDs(t.Context(), v, []tenancy.ID{id})
	if err != nil {
		t.Fatal(err)
	}
	if found[id] == nil {
		return nil
	}
	return found[id].NextActions(v)
}

// checkChange looks at what an action left: status, one event at the order's next place, stock.
func (b *bench) checkChange(t testing.TB, name string, id tenancy.ID, end ordering.Status, action ordering.Action, letter string) {
	t.Helper()
	actor := map[string]string{"C": "CUSTOMER", "M": "MERCHANT", "H": "HOTLINE", "A": "ADMIN"}[letter]
	got := pgtest.Scan[string](t, b.Database, `
		select concat_ws(' ', o.status, o.version = e.order_seq, e.kind, e.status, e.actor, e.reason, o.reason, o.reason_text, e.seq = h.seq,
			(select count(*) from stock_moves m where m.order_id = o.id and m.kind = 'RETURNED'))
		from orders o join lateral (select * from order_events e where e.commune_id = o.commune_id and e.order_id = o.id order by order_seq desc limit 1) e on true
		join stream_heads h on h.commune_id = o.commune_id where o.id = $1`, id.Row)
	returned := 0
	if slices.Contains(back, action) {
		returned = 2
	}
	want := fmt.Sprintf("%s t %s %s %s OTHER OTHER essai t %d", end, end, end, actor, returned)
	switch action {
	case ordering.ProposeChange:
		want = fmt.Sprintf("%s t CHANGE_PROPOSED %s %s t 0", end, end, actor)
	case ordering.ConfirmChange:
		want = fmt.Sprintf("ACCEPTED t CHANGE_CONFIRMED ACCEPTED %s t 0", actor)
		if n := pgtest.Scan[int](t, b.Database, `select sum(quantity) from stock_moves where order_id = $1`, id.Row); n != -1 {
			t.Errorf("%s: the order holds %d pieces", name, -n)
		}
	}
	if got != want {
		t.Errorf("%s left %q, not %q", name, got, want)
	}
	if n := b.books(t); n != 0 {
		t.Errorf("%s: %d variants differ from their ledger", name, n)
	}
}

func TestFiftyCancelsGiveStockBackOnce(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Crowd)
	shop := fixture.Shop(t, b.Database, fixture.ShopOpts{})
	product := fixture.Product(t, b.Database, shop, fixture.ProductOpts{Stock: 10, Variants: 3})
	merchant, hotline := fixture.Viewer(t, b.Database, identity.Merchant, shop), fixture.Viewer(t, b.Database, identity.Hotline)
	var woken atomic.Int64
	for range longer(2, 200) {
		b.Wake = nil
		orders, payload := b.place(t, b.visitor, basket(pickup(shop, product.Variants...)))
		if _, err := b.Do(t.Context(), merchant, ordering.Accept, ordering.ChangeInput{Order: orders[0].ID()}); err != nil {
			t.Fatal(err)
		}
		who := []*identity.Viewer{b.guest(t, payload.GuestSecret), merchant, hotline}
		woken.Store(0)
		b.Wake = func(...string) { woken.Add(1) }
		together(50, func(i int) {
			answer, err := b.Do(context.Background(), who[i%3], ordering.Cancel, ordering.ChangeInput{Order: orders[0].ID(), Reason: p(ordering.ChangedMind)})
			if err != nil || len(answer.Refusals) > 0 || answer.Order.Status != ordering.Cancelled {
				t.Errorf("cancel: %v %+v", err, answer)
			}
		})
		if n := pgtest.Scan[int](t, b.Database, `select count(*) from order_events where order_id = $1`, orders[0].Row); n != 3 || woken.Load() != 1 {
			t.Fatalf("%d events, %d wake-ups", n, woken.Load())
		}
	}
	if off := pgtest.Scan[int](t, b.Database, `select count(*) from variants where stock <> 10`); off != 0 || b.books(t) != 0 {
		t.Fatalf("%d variants have not their stock again", off)
	}
}

func TestPlacingAndCancellingDoNotDeadlock(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Crowd)
	shop := fixture.Shop(t, b.Database, fixture.ShopOpts{})
	var variants []tenancy.ID
	for range 6 {
		variants = append(variants, fixture.Product(t, b.Database, shop, fixture.ProductOpts{Stock: 40}).Variants...)
	}
	customer := fixture.Viewer(t, b.Database, identity.Customer)
	merchant := fixture.Viewer(t, b.Database, identity.Merchant, shop)
	var cancelled atomic.Int64
	together(16, func(i int) {
		for range longer(4, 100) {
			some := slices.Concat(variants[i%6:], variants[:i%6])
			if i%2 == 0 {
				slices.Reverse(some)
			}
			payload, err := b.Place(context.Background(), customer, basket(pickup(shop, some...)))
			if err != nil {
				t.Error(err)
				return
			}
			order, err := payload.Results[0].Order()
			if err != nil {
				t.Error(err)
				return
			}
			if order == nil {
				continue // sold out for now
			}
			who, action := customer, ordering.Cancel
			if i%3 == 0 {
				who, action = merchant, ordering.Reject
			}
			answer, err := b.Do(context.Background(), who, action, ordering.ChangeInput{Order: order.ID(), Reason: p(ordering.OtherReason)})
			if err != nil || len(answer.Refusals) > 0 {
				t.Errorf("%v %+v", err, answer)
				return
			}
			cancelled.Add(1)
		}
	})
	if off := pgtest.Scan[int](t, b.Database, `select count(*) from variants where stock <> 40`); off != 0 || b.books(t) != 0 || cancelled.Load() == 0 {
		t.Fatalf("%d variants have not their stock again after %d orders", off, cancelled.Load())
	}
	// The log has no hole, and each order's part of it neither.
	if n := pgtest.Scan[int](t, b.Database, `select count(*) from stream_heads h where seq <> (select count(*) from order_events e where e.commune_id = h.commune_id)`); n != 0 {
		t.Fatalf("%d communes with a hole in their log", n)
	}
	if n := pgtest.Scan[int](t, b.Database, `select count(*) from orders o where version <> (select count(*) from order_events e where e.order_id = o.id)`); n != 0 {
		t.Fatalf("%d orders with a hole in their history", n)
	}
}

func TestARefusedChangeSaysWhatIsPossible(t *testing.T) {
	t.Parallel()
	b := setup(t)
	shop := fixture.Shop(t, b.Database, fixture.ShopOpts{})
	merchant := fixture.Viewer(t, b.Database, identity.Merchant, shop)
	orders, payload := b.place(t, b.visitor, basket(pickup(shop, fixture.Product(t, b.Database, shop, fixture.ProductOpts{}).Variants...)))
	guest := b.guest(t, payload.GuestSecret)
	id := orders[0].ID()
	says := func(v *identity.Viewer, a ordering.Action) string {
		answer, err := b.Do(t.Context(), v, a, ordering.ChangeInput{Order: id, Reason: p(ordering.OtherReason)})
		if err != nil {
			t.Fatal(err)
		}
		return answer.Refusals[0].Message
	}
	got := []string{says(merchant, ordering.MarkReady)}
	b.reset(t, id, ordering.Ready, false)
	got = append(got, says(merchant, ordering.Accept), says(guest, ordering.Cancel))
	b.reset(t, id, ordering.Collected, false)
	got = append(got, says(merchant, ordering.Cancel))
	if diff := cmp.Diff([]string{
		"Cette commande attend la réponse de la boutique ; vous pouvez l'accepter ou proposer une commande réduite ou la refuser.",
		"Cette commande est prête ; vous pouvez la remettre ou dire que personne n'est venu ou l'annuler.",
		"Cette commande est prête ; pour la changer, appelez la boutique.",
		"Cette commande a été retirée ; on n'y change plus rien. Pour un retour ou une erreur, voyez avec la boutique.",
	}, got); diff != "" {
		t.Error(diff)
	}
	for name, in := range map[string]ordering.ChangeInput{
		"AnotherKind":        {Order: shop},
		"ThePlatformsReason": {Order: id, Reason: p(ordering.NotAcknowledged)},
		"LongText":           {Order: id, Reason: p(ordering.OtherReason), Text: p(strings.Repeat("é", 501))},
	} {
		if _, err := b.Do(t.Context(), merchant, ordering.Cancel, in); !errors.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := b.Do(t.Context(), merchant, ordering.Cancel, ordering.ChangeInput{Order: tenancy.NewID(tenancy.KindOrder, "99999")}); !errors.Is(err, fault.NotFound) {
		t.Errorf("a commune that is none: %v", err)
	}
}

func TestAMerchantBuysToo(t *testing.T) {
	t.Parallel()
	b := setup(t)
	own, other := fixture.Shop(t, b.Database, fixture.ShopOpts{}), fixture.Shop(t, b.Database, fixture.ShopOpts{Commune: fixture.Groix})
	merchant := fixture.Viewer(t, b.Database, identity.Merchant, own)
	bread := fixture.Product(t, b.Database, other, fixture.ProductOpts{})
	orders, _ := b.place(t, merchant, ordering.PlaceInput{IdempotencyKey: "0123456789abcdef", Orders: []ordering.ShopBasket{pickup(other, bread.Variants...)}})
	id := orders[0].ID()
	found, err := b.ByIDs(t.Context(), merchant, []tenancy.ID{id})
	if err != nil || found[id] == nil || !cmp.Equal(found[id].NextActions(merchant), []ordering.Action{ordering.Cancel}) {
		t.Fatalf("%v %+v", err, found[id])
	}
	list, err := b.ListOwn(t.Context(), merchant, 10, nil)
	if err != nil || len(list.Edges) != 1 {
		t.Fatalf("%v %+v", err, list)
	}
	if _, err := b.Do(t.Context(), merchant, ordering.Accept, ordering.ChangeInput{Order: id}); !errors.Is(err, fault.Forbidden) {
		t.Errorf("accepted at another's shop: %v", err)
	}
	answer, err := b.Do(t.Context(), merchant, ordering.Cancel, ordering.ChangeInput{Order: id})
	if err != nil || answer.Order.Status != ordering.Cancelled {
		t.Fatalf("%v %+v", err, answer)
	}
}
