package graphtest_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
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
