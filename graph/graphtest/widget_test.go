package graphtest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/audelor/halles/graph/generated"
	"github.com/audelor/halles/graph/graphtest"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/tenancy"
)

func through(t *testing.T, v *identity.Viewer, k *identity.WidgetKey) *identity.Viewer {
	t.Helper()
	own, err := v.Through(k)
	if err != nil {
		t.Fatal(err)
	}
	return own
}

// A commune's widget sees its own commune and orders there, whatever it asks for.
func TestWidgetStaysInItsCommune(t *testing.T) {
	t.Parallel()
	h := graphtest.New(t)
	d := h.Database
	own, foreign := fixture.Shop(t, d, fixture.ShopOpts{Name: "Ici"}), fixture.Shop(t, d, fixture.ShopOpts{Name: "Ailleurs", Commune: fixture.Groix})
	here, there := fixture.Product(t, d, own, fixture.ProductOpts{Name: "Livre d'ici"}), fixture.Product(t, d, foreign, fixture.ProductOpts{Name: "Livre d'Ailleurs"})
	visitor := fixture.Viewer(t, d, identity.Visitor)
	key := fixture.WidgetKey(t, d, fixture.Lorient, "https://lorient.bzh")
	w := h.As(through(t, visitor, key))

	lists := w.Query(t, `{ viewer { kind } shops(first: 10) { totalCount nodes { name products(first: 3) { nodes { name } } } } products(first: 10) { totalCount nodes { name } }
		near: shops(first: 10, near: {latitude: 47.6, longitude: -3.4}) { nodes { name } } found: products(first: 10, filter: {text: "livre"}) { nodes { name } }
		both: shops(first: 10, filter: {communes: ["56121", "56069"]}) { totalCount nodes { name } } foreign: shops(first: 10, filter: {communes: ["56069"]}) { totalCount nodes { name } }
		groix: commune(insee: "56069") { name shops(first: 10) { totalCount nodes { name } } } }`, nil).OK(t)
	if strings.Contains(string(lists.Body), "Ailleurs") || lists.Get("shops.totalCount").Int() != 1 || lists.Get("products.totalCount").Int() != 1 ||
		lists.Get("both.totalCount").Int() != 1 || lists.Get("foreign.totalCount").Int() != 0 || lists.Get("groix.shops.totalCount").Int() != 0 ||
		lists.Get("found.nodes.0.name").String() != "Livre d'ici" || lists.Get("near.nodes.0.name").String() != "Ici" || lists.Get("viewer.kind").String() != "WIDGET" {
		t.Errorf("the widget lists %s", lists.Body)
	}
	for _, thing := range []tenancy.ID{foreign, there.ID, there.Variants[0]} {
		for way, document := range questions(thing) {
			a := w.Router().Query(t, document, nil)
			unknown := w.Router().Query(t, strings.ReplaceAll(document, thing.String(), tenancy.NewID(thing.Kind, thing.Commune).String()), nil)
			if a.Code() != fault.NotFound || string(a.Body) != string(unknown.Body) {
				t.Errorf("%s for a foreign %s: %s, for an unknown one %s", way, thing.Kind, a.Body, unknown.Body)
			}
		}
	}
	for _, thing := range []tenancy.ID{own, here.ID, here.Variants[0]} {
		w.Query(t, questions(thing)["node"], nil).OK(t)
	}
	if a := w.Query(t, `{ products(first: 10) { nodes { variants { stock } } } }`, nil).OK(t); a.Get("products.nodes.0.variants.0.stock").Value() != nil {
		t.Errorf("the stock: %s", a.Body)
	}

	// It orders here and not there; what it orders comes from the widget.
	placed := w.Query(t, placeOrders, graphtest.Vars{"input": basket(shopBasket(foreign, there.Variants...), shopBasket(own, here.Variants...))}).OK(t)
	if placed.Get("placeOrders.results.0.refusals.0.code").String() != "SHOP_UNAVAILABLE" || placed.Get("placeOrders.results.1.order.channel").String() != "WIDGET" {
		t.Errorf("placed %s", placed.Body)
	}
	order := placed.Get("placeOrders.results.1.order.id").String()
	in := basket(shopBasket(own, here.Variants...))
	in["channel"] = "WEB"
	if a := w.Query(t, placeOrders, graphtest.Vars{"input": in}); a.Code() != fault.Invalid || strings.Join(a.Errors[0].Extensions.Argument, " ") != "input channel" {
		t.Errorf("as another channel: %s", a.Body)
	}
	const read, cancel = `query ($id: ID!) { order(id: $id) { status contact { name } } }`, `mutation ($id: ID!) { cancelOrder(input: {order: $id, reason: CHANGED_MIND}) { order { status } } }`
	vars := graphtest.Vars{"id": order}
	for _, document := range []string{read, cancel} {
		if a := w.Query(t, document, vars); a.Code() != fault.NotFound {
			t.Errorf("without the link: %s", a.Body)
		}
	}
	opened := w.Query(t, `mutation ($s: String!) { exchangeGuestLink(input: {secret: $s}) { token orders { id } } }`, graphtest.Vars{"s": placed.Get("placeOrders.guestSecret").String()}).OK(t)
	r := &identity.Resolver{DB: h.DB, Communes: h.Resolver.Communes, Guests: h.Resolver.Guests}
	session, _, err := r.FromToken(t.Context(), opened.Get("exchangeGuestLink.token").String())
	if err != nil {
		t.Fatal(err)
	}
	guest := h.As(through(t, session, key))
	if a := guest.Query(t, read, vars).OK(t); a.Get("order.contact.name").String() != "Anna Le Goff" {
		t.Errorf("the guest reads %s", a.Body)
	}
	elsewhere := h.As(through(t, session, fixture.WidgetKey(t, d, fixture.Groix, "https://groix.bzh")))
	if a := elsewhere.Query(t, read, vars); a.Code() != fault.NotFound {
		t.Errorf("another commune's widget reads %s", a.Body)
	}
	if a := guest.Query(t, cancel, vars).OK(t); a.Get("cancelOrder.order.status").String() != "CANCELLED" {
		t.Errorf("the guest cancels: %s", a.Body)
	}
}

// call writes a root field with the least that it takes.
func call(schema *ast.Schema, f *ast.FieldDefinition) string {
	var args []string
	for _, a := range f.Arguments {
		if a.Type.NonNull {
			args = append(args, a.Name+": "+literal(schema, a.Type))
		}
	}
	text := f.Name
	if args != nil {
		text += "(" + strings.Join(args, ", ") + ")"
	}
	if schema.Types[f.Type.Name()].IsCompositeType() {
		text += " { __typename }"
	}
	return text
}

func literal(schema *ast.Schema, t *ast.Type) string {
	if t.Elem != nil {
		return "[" + literal(schema, t.Elem) + "]"
	}
	switch d := schema.Types[t.Name()]; {
	case d.Kind == ast.Enum:
		return d.EnumValues[0].Name
	case d.Kind == ast.InputObject:
		var fields []string
		for _, f := range d.Fields {
			if f.Type.NonNull {
				fields = append(fields, f.Name+": "+literal(schema, f.Type))
			}
		}
		return "{" + strings.Join(fields, ", ") + "}"
	case slices.Contains([]string{"Int", "Float", "Cents", "BasisPoints"}, d.Name):
		return "1"
	case d.Name == "Boolean":
		return "true"
	case d.Name == "DateTime":
		return `"` + time.Now().Format(time.RFC3339) + `"`
	}
	return `"x"`
}

// Of the schema's mutations and subscriptions, however they are written, a widget may send five.
func TestWidgetMayDoFiveThings(t *testing.T) {
	t.Parallel()
	h := graphtest.New(t)
	visitor := fixture.Viewer(t, h.Database, identity.Visitor)
	key := fixture.WidgetKey(t, h.Database, fixture.Lorient, "https://lorient.bzh")
	schema := generated.NewExecutableSchema(generated.Config{}).Schema()
	may := []string{"placeOrders", "cancelOrder", "exchangeGuestLink", "orderUpdated", "ordersUpdated"}
	refused, allowed := 0, 0
	for operation, fields := range map[string]ast.FieldList{"mutation": schema.Mutation.Fields, "subscription": schema.Subscription.Fields} {
		for _, f := range fields {
			asked := call(schema, f)
			for way, document := range map[string]string{
				"Plain":     fmt.Sprintf(`%s { %s }`, operation, asked),
				"Alias":     fmt.Sprintf(`%s { placeOrders: %s }`, operation, asked),
				"Fragment":  fmt.Sprintf(`%s { ...f } fragment f on %s { %s }`, operation, strings.ToUpper(operation[:1])+operation[1:], asked),
				"Inline":    fmt.Sprintf(`%s { ... { ... { x: %s } } }`, operation, asked),
				"NamedLast": fmt.Sprintf(`query a { viewer { kind } } %s b { %s }`, operation, asked),
			} {
				for who, v := range map[string]*identity.Viewer{"Widget": through(t, visitor, key), "Guest": through(t, visitor.GuestOf(tenancy.NewID(tenancy.KindOrder, fixture.Lorient)), key)} {
					a := h.As(v).Post(t, []byte(fmt.Sprintf(`{"query": %q, "operationName": %s}`, document, map[bool]string{true: `"b"`, false: "null"}[way == "NamedLast"])))
					stopped := a.Code() == fault.Forbidden && strings.Contains(a.Errors[0].Message, "Le widget d'une commune ne peut pas demander "+f.Name)
					if stopped == slices.Contains(may, f.Name) {
						t.Errorf("%s as %s: %s: %s", who, way, document, a.Body)
					}
					if stopped {
						refused++
					} else {
						allowed++
					}
				}
			}
		}
	}
	if allowed != 5*5*2 || refused == 0 {
		t.Errorf("%d were allowed, %d refused", allowed, refused)
	}
	// One that it may send does not carry another through, and nothing of them is done.
	shop := fixture.Shop(t, h.Database, fixture.ShopOpts{})
	book := fixture.Product(t, h.Database, shop, fixture.ProductOpts{})
	document := strings.Replace(placeOrders, "placeOrders(input: $input) {", "acceptOrder(input: {order: \"x\"}) { order { id } } placeOrders(input: $input) {", 1)
	if a := h.As(through(t, visitor, key)).Query(t, document, graphtest.Vars{"input": basket(shopBasket(shop, book.Variants...))}); a.Code() != fault.Forbidden || a.Get("placeOrders").Exists() {
		t.Errorf("with another: %s", a.Body)
	}
	// A visitor without a key is stopped by what each of them says.
	if a := h.Visitor().Query(t, `mutation { acceptOrder(input: {order: "`+tenancy.NewID(tenancy.KindOrder, fixture.Lorient).String()+`"}) { order { id } } }`, nil); a.Code() != fault.NotFound {
		t.Errorf("the visitor: %s", a.Body)
	}
}

// Staff makes, turns and ends keys through the schema, and finds each by its id.
func TestWidgetKeysEndToEnd(t *testing.T) {
	t.Parallel()
	h := graphtest.New(t)
	commune := tenancy.ID{Kind: tenancy.KindCommune, Commune: fixture.Lorient}
	agent := h.As(fixture.Viewer(t, h.Database, identity.Agent, commune))
	const all = ` { id key name origins commune { slug } createdAt validUntil revokedAt }`
	made := agent.Query(t, `mutation { createWidgetKey(input: {commune: "commune_56121", name: "Mairie", origins: ["https://lorient.bzh"]}) { key `+all+` } }`, nil).OK(t).Get("createWidgetKey.key")
	turned := agent.Query(t, `mutation ($k: ID!) { rotateWidgetKey(input: {key: $k, overlapHours: 1}) { key `+all+` previous `+all+` } }`, graphtest.Vars{"k": made.Get("id").String()}).OK(t)
	next := turned.Get("rotateWidgetKey.key")
	if turned.Get("rotateWidgetKey.previous.validUntil").String() == "" || next.Get("validUntil").Value() != nil || next.Get("commune.slug").String() != "lorient" {
		t.Errorf("turned %s", turned.Body)
	}
	ended := agent.Query(t, `mutation ($k: ID!) { revokeWidgetKey(input: {key: $k}) { key `+all+` } }`, graphtest.Vars{"k": next.Get("id").String()}).OK(t)
	if ended.Get("revokeWidgetKey.key.revokedAt").String() == "" {
		t.Errorf("ended %s", ended.Body)
	}
	listed := agent.Query(t, `query ($k: ID!) { widgetKeys(commune: "commune_56121") `+all+` node(id: $k) { id ... on WidgetKey { key } } }`, graphtest.Vars{"k": made.Get("id").String()}).OK(t)
	if listed.Get("widgetKeys.#").Int() != 2 || listed.Get("widgetKeys.0").Raw != ended.Get("revokeWidgetKey.key").Raw || listed.Get("node.key").String() != made.Get("key").String() {
		t.Errorf("listed %s", listed.Body)
	}
	if a := h.Visitor().Query(t, `query ($k: ID!) { node(id: $k) { id } }`, graphtest.Vars{"k": made.Get("id").String()}); a.Code() != fault.NotFound {
		t.Errorf("a visitor finds %s", a.Body)
	}
}
