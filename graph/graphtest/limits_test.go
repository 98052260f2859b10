package graphtest_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/audelor/halles/graph/graphtest"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
)

// objects counts the objects of a value, itself not counted.
func objects(v gjson.Result) (n int) {
	if !v.IsObject() && !v.IsArray() {
		return 0
	}
	v.ForEach(func(_, child gjson.Result) bool {
		n += objects(child)
		if child.IsObject() {
			n++
		}
		return true
	})
	return n
}

// What an answer holds is never more than what it was counted at beforehand, and the answer
// says that number.
func TestCostCoversTheAnswer(t *testing.T) {
	t.Parallel()
	h := graphtest.New(t)
	for range 4 {
		shop := fixture.Shop(t, h.Database, fixture.ShopOpts{})
		for range 3 {
			fixture.Product(t, h.Database, shop, fixture.ProductOpts{Variants: 3})
		}
	}
	admin := fixture.Viewer(t, h.Database, identity.Admin)
	for name, document := range map[string]string{
		"Pages":    `{ shops(first: 4) { nodes { name location { latitude } address { city } products(first: 3) { edges { cursor node { name variants { sku price { cents } availability { orderable because { code } } } } } } } } }`,
		"Communes": `{ communes { location { latitude } shops(first: 2) { nodes { openingHours { weekly { opens } } fulfilments { mode fee { cents } minimum { cents } } } } } }`,
		"Tree":     `{ categories { name parent { name } children { name parent { name } children { name } } } }`,
		"Nodes":    `{ nodes(ids: ["commune_56121", "commune_56069"]) { id ... on Commune { shops(first: 5) { nodes { commune { id } category { id } } } } } }`,
		"Viewer":   `{ viewer { kind shops { name } communes { name } } }`,
		"Aliases":  `{ a: communes { n: name m: name } b: communes { n: name } }`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := h.As(admin).Query(t, document, nil).OK(t)
			told, held := gjson.GetBytes(a.Body, "extensions.cost.objects").Int(), objects(a.Get(""))
			if held == 0 || int64(held) > told || gjson.GetBytes(a.Body, "extensions.cost.limit").Int() != 20_000 {
				t.Errorf("%d objects, counted at %d: %s", held, told, a.Body)
			}
		})
	}
	t.Run("RefusedSaysIt", func(t *testing.T) {
		t.Parallel()
		a := h.Visitor().Query(t, `{ shops(first: 100) { nodes { products(first: 100) { nodes { variants { sku } } } } } }`, nil)
		if a.Code() != "LIMITED" || gjson.GetBytes(a.Body, "extensions.cost.objects").Int() != 1+100*(2+100*4) || gjson.GetBytes(a.Body, "data").Exists() {
			t.Errorf("%s", a.Body)
		}
	})
}

// A number is a number of 32 bits, in the document and in its variables.
func TestIntIsStrict(t *testing.T) {
	t.Parallel()
	h := graphtest.New(t)
	const byVariable = `query ($n: Int!) { shops(first: $n) { totalCount } }`
	for name, body := range map[string]string{
		"Text":            `{"query":"` + byVariable + `","variables":{"n":"10"}}`,
		"Fraction":        `{"query":"` + byVariable + `","variables":{"n":10.5}}`,
		"Boolean":         `{"query":"` + byVariable + `","variables":{"n":true}}`,
		"List":            `{"query":"` + byVariable + `","variables":{"n":[1,2]}}`,
		"Bits33":          `{"query":"` + byVariable + `","variables":{"n":4294967297}}`,
		"Bits33Negative":  `{"query":"` + byVariable + `","variables":{"n":-4294967295}}`,
		"Bits100":         `{"query":"` + byVariable + `","variables":{"n":1267650600228229401496703205376}}`,
		"LiteralText":     `{"query":"{ shops(first: \"10\") { totalCount } }"}`,
		"LiteralFraction": `{"query":"{ shops(first: 10.0) { totalCount } }"}`,
		"LiteralExponent": `{"query":"{ shops(first: 1e1) { totalCount } }"}`,
		"LiteralEnum":     `{"query":"{ shops(first: TEN) { totalCount } }"}`,
		"LiteralBits33":   `{"query":"{ shops(first: 4294967297) { totalCount } }"}`,
		"LiteralBits100":  `{"query":"{ shops(first: 1267650600228229401496703205376) { totalCount } }"}`,
		"LiteralNull":     `{"query":"{ shops(first: null) { totalCount } }"}`,
		"FloatText":       `{"query":"query ($x: Float!) { shops(first: 1, near: {latitude: $x, longitude: 0}) { totalCount } }","variables":{"x":"47"}}`,
		"QuantityText": `{"query":"mutation ($q: Int!) { placeOrders(input: {idempotencyKey: \"0123456789abcdef\", orders: [{shop: \"x\", mode: PICKUP, lines: [{variant: \"x\", quantity: $q}]}]}) { results { shopId } } }",` +
			`"variables":{"q":"1"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := h.Visitor().Post(t, []byte(body))
			if len(a.Errors) == 0 || a.Code() == "INTERNAL" || a.Get("shops.totalCount").Exists() {
				t.Errorf("taken: %s", a.Body)
			}
		})
	}
}

// Nothing is suggested: a name that is nearly right is as wrong as any other.
func TestNoSuggestions(t *testing.T) {
	t.Parallel()
	h := graphtest.New(t)
	for name, c := range map[string]struct{ document, secret string }{
		"Field":     {`{ shop_(id: "x") { id } }`, `"shop"`},
		"BelowIt":   {`{ viewer { kinds } }`, `"kind"`},
		"Argument":  {`{ shops(first: 1, filte: {}) { totalCount } }`, `"filter"`},
		"Type":      {`{ node(id: "x") { ... on Shopp { id } } }`, `"Shop"`},
		"Variable":  {`query ($x: ShopFilte) { communes { id } }`, `"ShopFilter"`},
		"EnumValue": {`{ shops(first: 1, orderBy: NAM) { totalCount } }`, `NAME`},
		"Input":     {`{ shops(first: 1, filter: {commune: []}) { totalCount } }`, `"communes"`},
		"Leaf":      {`{ viewer }`, `{ ...`},
		"Directive": {`{ viewer @skp(if: true) { kind } }`, `"skip"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := h.Visitor().Query(t, c.document, nil)
			if len(a.Errors) == 0 {
				t.Fatalf("accepted: %s", a.Body)
			}
			for _, e := range a.Errors {
				if strings.Contains(strings.ToLower(e.Message), "did you mean") || strings.Contains(e.Message, c.secret) {
					t.Errorf("it helps: %s", e.Message)
				}
			}
		})
	}
}

// What is wrong is said some times, not for every field of a long document; each
// representation of a router gets its own answer.
func TestErrorsAreBounded(t *testing.T) {
	t.Parallel()
	h := graphtest.New(t)
	var unknown strings.Builder
	for i := range 350 {
		fmt.Fprintf(&unknown, "unknown%d ", i)
	}
	a := h.Visitor().Query(t, `{ viewer { `+unknown.String()+`} }`, nil)
	if len(a.Errors) != 21 || a.Errors[20].Message != "Et 330 autres erreurs." || len(a.Body) > 5000 {
		t.Errorf("%d errors, %d bytes, the last: %s", len(a.Errors), len(a.Body), a.Errors[len(a.Errors)-1].Message)
	}
	a = h.Visitor().Query(t, `{ viewer { `+strings.Repeat("x", 100_000)+` } }`, nil)
	if len(a.Errors) != 1 || len(a.Body) > 1000 {
		t.Errorf("%d bytes: %.300s", len(a.Body), a.Body)
	}
	const each = `query ($r: [_Any!]!) { _entities(representations: $r) { __typename } }`
	list := make([]any, 1000)
	for i := range list {
		list[i] = map[string]any{"__typename": "Shop", "id": "x"}
	}
	a = h.Visitor().Router().Query(t, each, graphtest.Vars{"r": list})
	if len(a.Errors) != 1000 || len(a.Get("_entities").Array()) != 1000 {
		t.Errorf("%d errors for %d entities", len(a.Errors), len(a.Get("_entities").Array()))
	}
	if a = h.Visitor().Router().Query(t, each, graphtest.Vars{"r": 7}); a.Code() != "INVALID" || !strings.Contains(a.Errors[0].Message, "objet JSON") {
		t.Errorf("no representation: %s", a.Body)
	}
	a = h.Visitor().Router().Query(t, each, graphtest.Vars{"r": append(list, list[0])})
	if a.Code() != "LIMITED" || gjson.GetBytes(a.Body, "data").Exists() {
		t.Errorf("1,001 representations: %s", a.Body)
	}
}

// A persisted document of a usual length is kept, a longer one must be sent each time: a cache
// of a thousand as long as a request may be would have 128 MB.
func TestPersistedDocumentsAreShort(t *testing.T) {
	t.Parallel()
	h := graphtest.New(t)
	for name, c := range map[string]struct {
		document string
		kept     bool
	}{
		"Short": {`{ viewer { kind } } #` + strings.Repeat("x", 15_000), true},
		"Long":  {`{ viewer { kind } } #` + strings.Repeat("x", 17_000), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sum := sha256.Sum256([]byte(c.document))
			persisted := map[string]any{"persistedQuery": map[string]any{"version": 1, "sha256Hash": hex.EncodeToString(sum[:])}}
			for i, request := range []map[string]any{{"extensions": persisted}, {"query": c.document, "extensions": persisted}, {"extensions": persisted}} {
				body, err := json.Marshal(request)
				if err != nil {
					t.Fatal(err)
				}
				a := h.Visitor().Post(t, body)
				if answered := a.Get("viewer.kind").String() == "VISITOR"; answered != (i == 1 || i == 2 && c.kept) || !answered && a.Code() != "PERSISTED_QUERY_NOT_FOUND" {
					t.Errorf("request %d: %s", i, a.Body)
				}
			}
		})
	}
}

// seeds are documents of which hostile ones are made by chance.
var seeds = []string{
	`query ($id: ID!) { shop(id: $id) { name commune { name } products(first: 5) { nodes { name variants { sku price { cents formatted } availability { orderable quantityUpTo because { code message } } } } pageInfo { endCursor hasNextPage } } } }`,
	`query Find($text: String, $n: Int!) { shops(first: $n, filter: {text: $text, communes: ["56121"], fulfilment: PICKUP}, near: {latitude: 47.7, longitude: -3.3}, orderBy: DISTANCE) { totalCount edges { cursor distanceMetres node { ...S } } } } fragment S on Shop { id slug name category { name parent { name } } openingHours { weekly { weekday opens closes } } }`,
	`{ communes { insee name shops(first: 2) { nodes { id } } } categories { name children { name } } viewer { kind name communes { name } } }`,
	`mutation ($input: PlaceOrdersInput!) { placeOrders(input: $input) { results { shopId order { number totals { total { formatted } vat { rate cents } } } refusals { code message path available } } guestSecret } }`,
	`mutation { acceptOrder(input: {order: "x"}) { order { status nextActions } refusals { code } } }`,
	`query ($r: [_Any!]!) { _entities(representations: $r) { __typename ... on Shop { name } ... on Commune { slug } } _service { sdl } }`,
	`{ __schema { types { kind name fields { name args { name type { name ofType { name } } } } } } __type(name: "Shop") { name } }`,
	`{ nodes(ids: ["commune_56121", "x", "category_boulangerie"]) { __typename id ... on Commune { name } } node(id: "shop_56121_x") { id } }`,
	`subscription ($id: ID!, $after: String) { orderUpdated(id: $id, after: $after) { cursor kind status at order { number } } }`,
}

// mutated takes a document apart and puts it together by chance: words are dropped, doubled,
// exchanged and replaced, also by bytes that are no GraphQL.
func mutated(r *rand.Rand) string {
	words := strings.Fields(strings.NewReplacer("{", " { ", "}", " } ", "(", " ( ", ")", " ) ", ":", " : ", ",", " ", "[", " [ ", "]", " ] ").Replace(seeds[r.IntN(len(seeds))]))
	odd := []string{
		"{", "}", "(", ")", "...", "$x", "@skip(if: true)", "@include(if: $x)", "null", "-1", "1e400", "99999999999999999999", `""`, `"\u0000"`, "\x00", "\xff",
		"é", "fragment F on Shop { ...F }", "__typename", "__schema", "a: name", `"""block"""`, "#", "&", "ID", "[[[[", "[]", "{}", "true", "on", "first: 100", "first: -1",
	}
	for range r.IntN(6) {
		i, j := r.IntN(len(words)), r.IntN(len(words))
		switch r.IntN(5) {
		case 0:
			words[i] = ""
		case 1:
			words[i] = words[j] + " " + words[i]
		case 2:
			words[i], words[j] = words[j], words[i]
		case 3:
			words[i] = odd[r.IntN(len(odd))]
		case 4:
			words[i] += " " + strings.Repeat(odd[r.IntN(len(odd))]+" ", 1+r.IntN(40))
		}
	}
	return strings.Join(words, " ")
}

// Whatever is asked, the answer is JSON without an internal error, a Go or SQL word or more
// bytes than the data needs; and a question in its right mind is still answered afterwards.
func TestMutatedDocuments(t *testing.T) {
	t.Parallel()
	h := graphtest.New(t)
	shop := fixture.Shop(t, h.Database, fixture.ShopOpts{Name: "Chez Ève"})
	product := fixture.Product(t, h.Database, shop, fixture.ProductOpts{Stock: 1000})
	n := 150
	if os.Getenv("HALLES_LONG") != "" {
		n = 10_000
	}
	r := rand.New(rand.NewPCG(56121, 1)) // the same documents each time
	right := graphtest.Vars{
		"id": shop.String(), "n": 3, "text": "chez", "after": nil, "x": true,
		"input": map[string]any{"idempotencyKey": "0123456789abcdef", "orders": []any{map[string]any{
			"shop": shop.String(), "mode": "PICKUP",
			"lines": []any{map[string]any{"variant": product.Variants[0].String(), "quantity": 1}},
		}}},
		"r": []any{map[string]any{"__typename": "Shop", "id": shop.String()}, map[string]any{"__typename": "Commune", "slug": "groix"}},
	}
	wrong := []any{
		nil, "x", "", "\x00", 7, -1, 1e30, 2.5, true,
		[]any{},
		[]any{"x", nil, []any{1}},
		map[string]any{},
		map[string]any{"__typename": "Shop", "id": 5},
		shop.String(), product.Variants[0].String(), strings.Repeat("x", 5000), right["input"], right["r"],
	}
	valid := 0
	for range n {
		document, vars := mutated(r), graphtest.Vars{}
		for name, value := range right {
			if vars[name] = value; r.IntN(8) == 0 {
				vars[name] = wrong[r.IntN(len(wrong))]
			}
		}
		c := h.As(nil)
		if r.IntN(2) == 0 {
			c = c.Router()
		}
		variables, err := json.Marshal(vars)
		if err != nil {
			t.Fatal(err)
		}
		body, err := json.Marshal(map[string]any{"query": document, "variables": vars})
		if err != nil {
			t.Fatal(err)
		}
		byGet := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/graphql?query="+url.QueryEscape(document)+"&variables="+url.QueryEscape(string(variables)), nil)
		for _, w := range []*httptest.ResponseRecorder{c.Raw(t, body), c.Do(t, byGet)} {
			text := w.Body.String()
			if w.Code >= 500 || !gjson.Valid(text) || strings.Contains(text, `"INTERNAL"`) {
				t.Fatalf("%d %.2000s\nto %s\nwith %s", w.Code, text, document, variables)
			}
			for _, inside := range []string{"SQLSTATE", "goroutine", "runtime error", "interface {}", "json:", "strconv.", "reflect", ".go:"} {
				if strings.Contains(text, inside) {
					t.Fatalf("%q in %.2000s\nto %s", inside, text, document)
				}
			}
			if strings.Contains(text, `"data":{`) {
				valid++
			}
		}
	}
	t.Logf("%d of %d answers had data", valid, 2*n)
	if valid < n/10 {
		t.Error("hardly a document was valid: this shows nothing of the execution")
	}
	if name := h.Visitor().Query(t, `query ($id: ID!) { shop(id: $id) { name } }`, graphtest.Vars{"id": shop.String()}).OK(t).Get("shop.name").String(); name != "Chez Ève" {
		t.Errorf("afterwards the shop is %q", name)
	}
}
