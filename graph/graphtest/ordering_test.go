package graphtest_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/audelor/halles/graph/graphtest"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

const placeOrders = `mutation ($input: PlaceOrdersInput!) { placeOrders(input: $input) {
	guestSecret
	results { shopId shop { name } refusals { code message path available } order { ...all } } } }
` + everything

const everything = `fragment all on Order { id number shopId shop { id name } commune { insee } channel mode status reason reasonText
	placedAt updatedAt version itemCount note contact { name phone email } pickupCode { text } nextActions
	lines { name optionValue quantity unitPrice { cents } vatRate total { formatted } variant { id } }
	totals { items { cents } delivery { cents } total { cents } vat { rate cents gross } }
	history { kind status at by reason order { number } } }`

func shopBasket(shop tenancy.ID, variants ...tenancy.ID) map[string]any {
	lines := []any{}
	for _, v := range variants {
		lines = append(lines, map[string]any{"variant": v.String(), "quantity": 2})
	}
	return map[string]any{"shop": shop.String(), "mode": "PICKUP", "lines": lines}
}

func basket(orders ...any) map[string]any {
	return map[string]any{
		"idempotencyKey": uuid.NewString(), "orders": orders,
		"contact": map[string]any{"name": "Anna Le Goff", "phone": "06 12 34 56 78"},
		"address": map[string]any{"street": "2 quai des Indes", "postcode": "56100", "city": "Lorient"},
	}
}

func TestAnOrderEndToEnd(t *testing.T) {
	t.Parallel()
	h := graphtest.New(t)
	shop, other := fixture.Shop(t, h.Database, fixture.ShopOpts{Name: "Librairie du Port"}), fixture.Shop(t, h.Database, fixture.ShopOpts{Commune: fixture.Groix})
	book := fixture.Product(t, h.Database, shop, fixture.ProductOpts{Name: "Le Cheval d'orgueil", Variants: 2})
	cake := fixture.Product(t, h.Database, other, fixture.ProductOpts{Stock: 1})

	// A visitor orders at two shops, of which one has not enough.
	in := basket(shopBasket(shop, book.Variants...), shopBasket(other, cake.Variants...))
	in["orders"].([]any)[0].(map[string]any)["note"] = "pour Mamie"
	placed := h.Visitor().Query(t, placeOrders, graphtest.Vars{"input": in}).OK(t)
	result := placed.Get("placeOrders.results.0")
	order := result.Get("order.id").String()
	if got := placed.Texts("placeOrders.results.1.refusals.0.path"); !cmp.Equal(got, []string{"input", "orders", "1", "lines", "0", "quantity"}) {
		t.Errorf("refused at %v", got)
	}
	if placed.Get("placeOrders.results.1.order").Exists() && placed.Get("placeOrders.results.1.order").Value() != nil ||
		placed.Get("placeOrders.results.1.refusals.0.code").String() != "OUT_OF_STOCK" || placed.Get("placeOrders.results.1.refusals.0.available").Int() != 1 {
		t.Errorf("second shop: %s", placed.Body)
	}
	for path, want := range map[string]string{
		"order.shop.name": "Librairie du Port", "order.commune.insee": fixture.Lorient, "order.status": "PLACED", "order.channel": "WEB",
		"order.contact.phone": "+33612345678", "order.note": "pour Mamie", "order.nextActions.0": "CANCEL", "order.lines.#": "2", "order.itemCount": "4",
		"order.lines.1.optionValue": "38", "order.lines.0.total.formatted": "25,80\u00a0€", "order.totals.total.cents": "5160",
		"order.totals.vat.0.rate": "550", "order.totals.vat.0.cents": "269", "order.history.#": "1", "order.history.0.by": "CUSTOMER",
		"order.history.0.order.number": result.Get("order.number").String(), "refusals.#": "0",
	} {
		if got := result.Get(path).String(); got != want {
			t.Errorf("%s is %q, not %q", path, got, want)
		}
	}
	if len(result.Get("order.pickupCode.text").String()) != 6 || len(result.Get("order.number").String()) != 8 {
		t.Errorf("code or number: %s", result.Raw)
	}
	secret := placed.Get("placeOrders.guestSecret").String()

	// The same again, at its shop alone, is the same order.
	in["orders"] = in["orders"].([]any)[:1]
	again := h.Visitor().Query(t, placeOrders, graphtest.Vars{"input": in}).OK(t)
	if again.Get("placeOrders.results.0.order").Raw != result.Get("order").Raw {
		t.Errorf("again: %s", again.Body)
	}
	if s := again.Get("placeOrders.guestSecret").String(); s == secret || len(s) != 43 {
		t.Errorf("the secret of a retry: %q", s)
	}
	// Another content under its key is a conflict, at the order of its shop.
	in["channel"] = "WIDGET"
	conflict := h.Visitor().Query(t, placeOrders, graphtest.Vars{"input": in})
	if conflict.Code() != fault.Conflict || !cmp.Equal(conflict.Errors[0].Path, []any{"placeOrders", "results", 0.0, "order"}) {
		t.Errorf("conflict: %s", conflict.Body)
	}

	// The link opens a session for exactly this order; a wrong one opens nothing.
	exchange := `mutation ($s: String!) { exchangeGuestLink(input: {secret: $s}) { token expiresAt orders { ...all } } }` + everything
	opened := h.Visitor().Query(t, exchange, graphtest.Vars{"s": secret}).OK(t)
	if opened.Get("exchangeGuestLink.orders.0").Raw != result.Get("order").Raw || opened.Get("exchangeGuestLink.orders.#").Int() != 1 {
		t.Errorf("the link opens %s", opened.Body)
	}
	if wrong := h.Visitor().Query(t, exchange, graphtest.Vars{"s": strings.Repeat("A", 43)}); wrong.Code() != fault.NotFound {
		t.Errorf("a wrong link: %s", wrong.Body)
	}
	r := &identity.Resolver{DB: h.DB, Communes: h.Resolver.Communes, Guests: h.Resolver.Guests}
	v, _, err := r.FromToken(t.Context(), opened.Get("exchangeGuestLink.token").String())
	if err != nil {
		t.Fatal(err)
	}
	guest, merchant := h.As(v), h.As(fixture.Viewer(t, h.Database, identity.Merchant, shop))
	read := `query ($id: ID!) { order(id: $id) { ...all } node(id: $id) { ... on Order { id } } }` + everything
	if got := guest.Query(t, read, graphtest.Vars{"id": order}).OK(t); got.Get("order").Raw != result.Get("order").Raw || got.Get("node.id").String() != order {
		t.Errorf("the guest reads %s", got.Body)
	}
	if got := guest.Query(t, `{ viewer { kind orders(first: 5) { nodes { id } } } }`, nil).OK(t); got.Get("viewer.orders.nodes.0.id").String() != order {
		t.Errorf("the guest's orders: %s", got.Body)
	}
	// Everybody else gets the answer of an order that does not exist, byte for byte.
	unknown := string(h.Visitor().Query(t, read, graphtest.Vars{"id": tenancy.NewID(tenancy.KindOrder, fixture.Lorient).String()}).Body)
	for name, v := range map[string]*identity.Viewer{
		"Visitor": nil, "Customer": fixture.Viewer(t, h.Database, identity.Customer),
		"AnotherMerchant": fixture.Viewer(t, h.Database, identity.Merchant, other),
		"AnotherGuest":    fixture.Viewer(t, h.Database, identity.Visitor).GuestOf(tenancy.NewID(tenancy.KindOrder, fixture.Lorient)),
	} {
		if got := string(h.As(v).Query(t, read, graphtest.Vars{"id": order}).Body); got != unknown {
			t.Errorf("%s reads %s, not %s", name, got, unknown)
		}
	}
	// An agent sees the order and not the person.
	seen := h.As(fixture.Viewer(t, h.Database, identity.Agent, shop)).Query(t, read, graphtest.Vars{"id": order}).OK(t)
	if seen.Get("order.contact").Value() != nil || seen.Get("order.note").Value() != nil || seen.Get("order.pickupCode").Value() != nil || seen.Get("order.lines.#").Int() != 2 {
		t.Errorf("the agent reads %s", seen.Body)
	}

	// The merchant takes it on, prepares it and hands it over.
	act := func(c graphtest.Client, field, args string) *graphtest.Answer {
		return c.Query(t, fmt.Sprintf(`mutation { %s(input: {order: %q %s}) { order { status nextActions reason reasonText } refusals { code message } } }`, field, order, args), nil)
	}
	for _, step := range []struct{ field, args, status, next string }{
		{"acceptOrder", "", "ACCEPTED", `["MARK_READY","PROPOSE_CHANGE","CANCEL"]`},
		{"acceptOrder", "", "ACCEPTED", `["MARK_READY","PROPOSE_CHANGE","CANCEL"]`},
		{"markOrderReady", "", "READY", `["MARK_COLLECTED","MARK_NO_SHOW","CANCEL"]`},
		{"markOrderCollected", fmt.Sprintf("code: %q", strings.ToLower(result.Get("order.pickupCode.text").String())), "COLLECTED", `[]`},
	} {
		a := act(merchant, step.field, step.args).OK(t)
		if a.Get(step.field+".order.status").String() != step.status || a.Get(step.field+".order.nextActions").Raw != step.next || a.Get(step.field+".refusals.#").Int() != 0 {
			t.Errorf("%s: %s", step.field, a.Body)
		}
	}
	if a := act(guest, "cancelOrder", "reason: CHANGED_MIND").OK(t); a.Get("cancelOrder.refusals.0.code").String() != "ILLEGAL_TRANSITION" || a.Get("cancelOrder.order.status").String() != "COLLECTED" {
		t.Errorf("a collected order cancelled: %s", a.Body)
	}
	if a := act(guest, "acceptOrder", ""); a.Code() != fault.Forbidden {
		t.Errorf("a guest accepts: %s", a.Body)
	}
	if a := act(h.Visitor(), "cancelOrder", "reason: OTHER"); a.Code() != fault.NotFound {
		t.Errorf("a visitor cancels: %s", a.Body)
	}
	counter := merchant.Query(t, `query ($id: ID!) { shop(id: $id) { orders(status: [COLLECTED], first: 5) { nodes { number history { kind } } } } }`, graphtest.Vars{"id": shop.String()}).OK(t)
	if got := counter.Texts("shop.orders.nodes.0.history.#.kind"); !cmp.Equal(got, []string{"PLACED", "ACCEPTED", "READY", "COLLECTED"}) {
		t.Errorf("history %v", got)
	}
	if none := h.Visitor().Query(t, `query ($id: ID!) { shop(id: $id) { orders(first: 5) { nodes { number } } } }`, graphtest.Vars{"id": shop.String()}).OK(t); none.Get("shop.orders").Value() != nil {
		t.Errorf("a visitor reads a shop's orders: %s", none.Body)
	}
	// The customer's order outlives its shop.
	h.Exec(t, `update shops set status = 'SUSPENDED' where id = $1`, shop.Row)
	if late := guest.Query(t, read, graphtest.Vars{"id": order}).OK(t); late.Get("order.shop").Value() != nil || late.Get("order.shopId").String() != shop.String() {
		t.Errorf("after its shop: %s", late.Body)
	}
}

func TestBadOrdersInTheSchemasOwnWords(t *testing.T) {
	t.Parallel()
	h := graphtest.New(t)
	shop := fixture.Shop(t, h.Database, fixture.ShopOpts{})
	book := fixture.Product(t, h.Database, shop, fixture.ProductOpts{})
	good, err := json.Marshal(basket(shopBasket(shop, book.Variants...)))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ old, new string }{
		"Quantity0":       {`"quantity":2`, `"quantity":0`},
		"QuantityMinus1":  {`"quantity":2`, `"quantity":-1`},
		"Quantity2To31":   {`"quantity":2`, `"quantity":2147483648`},
		"QuantityText":    {`"quantity":2`, `"quantity":"2"`},
		"QuantityHalf":    {`"quantity":2`, `"quantity":1.5`},
		"QuantityNull":    {`"quantity":2`, `"quantity":null`},
		"MalformedShop":   {shop.String(), "shop_56121_zzz"},
		"ForeignKind":     {book.Variants[0].String(), book.ID.String()},
		"UnknownMode":     {`"PICKUP"`, `"PIGEON"`},
		"UnknownField":    {`"quantity":2`, `"quantity":2,"price":1`},
		"NoLines":         {`[{"quantity":2,"variant":"` + book.Variants[0].String() + `"}]`, `[]`},
		"ShortKey":        {`"idempotencyKey":"`, `"idempotencyKey":"é`},
		"NoContact":       {`"name":"Anna Le Goff",`, ``},
		"ExpectedNothing": {`"quantity":2`, `"quantity":2,"expectedCents":"x"`},
	} {
		changed := strings.Replace(string(good), c.old, c.new, 1)
		if changed == string(good) {
			t.Fatalf("%s changes nothing in %s", name, good)
		}
		a := h.Visitor().Query(t, placeOrders, graphtest.Vars{"input": json.RawMessage(changed)})
		// What the schema's types refuse by themselves has the validator's own code.
		if code := a.Code(); code != fault.Invalid && code != "GRAPHQL_VALIDATION_FAILED" || len(a.Errors) != 1 {
			t.Errorf("%s: %s", name, a.Body)
		}
	}
	if n := pgtest.Scan[int](t, h.Database, `select count(*) from orders`); n != 0 {
		t.Errorf("%d orders", n)
	}
	h.Visitor().Query(t, placeOrders, graphtest.Vars{"input": json.RawMessage(good)}).OK(t)
}

func TestStatementsOfOrders(t *testing.T) {
	t.Parallel()
	h := graphtest.New(t)
	h.Resolver.Wait = graphtest.Gathers
	shop := fixture.Shop(t, h.Database, fixture.ShopOpts{})
	book := fixture.Product(t, h.Database, shop, fixture.ProductOpts{Stock: 1000, Variants: 2})
	merchant := h.As(fixture.Viewer(t, h.Database, identity.Merchant, shop))
	list := `query ($id: ID!, $first: Int!) { shop(id: $id) { orders(first: $first) { nodes { ...all } } } }` + everything
	place := func() {
		h.Visitor().Query(t, placeOrders, graphtest.Vars{"input": basket(shopBasket(shop, book.Variants...))}).OK(t)
	}
	place()
	for _, orders := range []int{1, 20} {
		for range orders - 1 {
			place()
		}
		// The shop, its page, and of all orders: lines, history, contacts, shops, variants, and the
		// history's orders. A loaded machine splits batches: the least of some tries is what the
		// list costs.
		const want = 7
		least := math.MaxInt
		for range 8 {
			n := h.Statements()
			merchant.Query(t, list, graphtest.Vars{"id": shop.String(), "first": orders}).OK(t)
			if least = min(least, n()); least <= want {
				break
			}
		}
		if least != want {
			t.Errorf("%d orders: %d statements", orders, least)
		}
	}
	// Placing: begin, the key, whether the shop and its calendar are what they were, two variants; order,
	// lines, contact, moves, link, messages, event, commit. The answer's lines and totals are not read
	// again.
	in := basket(shopBasket(shop, book.Variants...))
	n := h.Statements()
	h.Visitor().Query(t, `mutation ($input: PlaceOrdersInput!) { placeOrders(input: $input) { results { order { id lines { name quantity } totals { total { cents } } } } } }`, graphtest.Vars{"input": in}).OK(t)
	if got := n(); got != 13 {
		t.Errorf("placing takes %d statements", got)
	}
	// As an entity: one statement for all.
	var reps []any
	for _, id := range merchant.Query(t, `query ($id: ID!) { shop(id: $id) { orders(first: 20) { nodes { id } } } }`, graphtest.Vars{"id": shop.String()}).OK(t).Texts("shop.orders.nodes.#.id") {
		reps = append(reps, map[string]any{"__typename": "Order", "id": id})
	}
	n = h.Statements()
	found := merchant.Router().Query(t, `query ($r: [_Any!]!) { _entities(representations: $r) { ... on Order { number contact { name } } } }`, graphtest.Vars{"r": reps}).OK(t)
	if got := n(); got != 2 || found.Get("_entities.#").Int() != 20 || found.Get("_entities.19.contact.name").String() != "Anna Le Goff" {
		t.Errorf("%d statements for %s", got, found.Body)
	}
	if none := h.Visitor().Router().Query(t, `query ($r: [_Any!]!) { _entities(representations: $r) { ... on Order { number } } }`, graphtest.Vars{"r": reps[:1]}); none.Code() != fault.NotFound {
		t.Errorf("the router's credential reads an order for a visitor: %s", none.Body)
	}
}
