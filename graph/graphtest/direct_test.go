package graphtest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"
	"github.com/vektah/gqlparser/v2/ast"

	registry "github.com/audelor/halles/graph/documents"
	"github.com/audelor/halles/graph/generated"
	"github.com/audelor/halles/graph/graphtest"
	"github.com/audelor/halles/internal/catalog"
	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/tenancy"
)

// reading writes queries of the catalogue: what graph/direct understands, and now and then else.
type reading struct {
	*chance
	understands func(typ, field string) bool
	fragments   []string
	booleans    int
	aliases     int
	cursors     []string // that were answered
}

// document writes a query and its variables.
func (c *reading) document() (text string, vars graphtest.Vars) {
	return c.query(func() string {
		body := c.selection(c.schema.Query, 1)
		if c.IntN(6) == 0 {
			body = c.search()
		}
		return body
	})
}

// query has a body written, and puts what it needs around it.
func (c *reading) query(write func() string) (text string, vars graphtest.Vars) {
	c.variables, c.values, c.left = nil, graphtest.Vars{}, 25
	c.fragments, c.booleans, c.aliases = nil, 0, 0
	body, keyword := write(), "query"
	if c.variables != nil {
		keyword += " Q(" + strings.Join(c.variables, ", ") + ")"
	}
	return keyword + " " + body + strings.Join(c.fragments, ""), c.values
}

// search is a search that mostly finds something, and what it leads to: what lists show of a shop, which is
// read beside the page, or more.
func (c *reading) search() string {
	card := func() string {
		if c.IntN(2) == 0 {
			return c.selection(c.schema.Types["Shop"], 4)
		}
		return "{ id slug name status services address { street postcode city insee } category { slug } }"
	}
	with := []string{"", ", filter: {kind: PRODUCT}", `, filter: {communes: ["56121"]}`, ", near: {latitude: 47.75, longitude: -3.36}"}[c.IntN(4)]
	return fmt.Sprintf("{ search(text: %q, first: %d%s) { edges { score node { ... on Product %s ... on Product { name shop %s } ... on Shop %s } } ... on SearchConnection %s } }",
		[]string{"livre", "far livre", "produit", "boutique", "librairie", "livre inconnu"}[c.IntN(6)], 1+c.IntN(30), with,
		c.selection(c.schema.Types["Product"], 4), card(), card(), c.selection(c.schema.Types["SearchConnection"], 2))
}

// named are searches for names, which are in the index, and for one field more of a product or a shop:
// of each that is understood.
func (c *reading) named(do func(document string, vars graphtest.Vars)) {
	for _, typ := range []string{"Product", "Shop"} {
		for _, f := range c.schema.Types[typ].Fields {
			if !c.understands(typ, f.Name) {
				continue
			}
			do(c.query(func() string {
				more := map[string]string{typ: c.written(f, 4)}
				return fmt.Sprintf("{ search(text: \"livre\", first: 5) { edges { node { ... on Product { id slug name %s shop { id slug name %s } } } } } }", more["Product"], more["Shop"])
			}))
		}
	}
}

// selection is what is asked of an object of a type, in some order and with fragments.
func (c *reading) selection(d *ast.Definition, depth int) string {
	var parts []string
	for range 1 + c.IntN(5) {
		switch {
		case d.IsAbstractType() || depth > 1 && c.IntN(8) == 0:
			parts = append(parts, c.fragment(d, depth))
		case c.IntN(12) == 0:
			parts = append(parts, "__typename")
		default:
			if part := c.field(d, depth); part != "" {
				parts = append(parts, part)
			}
		}
	}
	if len(parts) > 0 && c.IntN(6) == 0 { // once more, to be merged
		parts = append(parts, parts[c.IntN(len(parts))])
	}
	if len(parts) == 0 {
		parts = []string{"__typename"}
	}
	return "{ " + strings.Join(parts, " ") + " }"
}

// fragment is one in its place or apart, on the type, on one that it may be, or on an interface.
func (c *reading) fragment(d *ast.Definition, depth int) string {
	on := d
	if d.IsAbstractType() {
		of := c.schema.GetPossibleTypes(d)
		on = of[c.IntN(len(of))]
	} else if of := c.schema.GetImplements(d); len(of) > 0 && c.IntN(4) == 0 && of[0].Name == "Node" {
		return "... on Node" + c.directive() + " { id }"
	}
	body := c.selection(on, depth)
	if c.IntN(3) == 0 {
		name := fmt.Sprintf("F%d", len(c.fragments))
		c.fragments = append(c.fragments, fmt.Sprintf(" fragment %s on %s %s", name, on.Name, body))
		return "..." + name + c.directive()
	}
	return "... on " + on.Name + c.directive() + " " + body
}

// directive is most often none.
func (c *reading) directive() string {
	if c.IntN(10) > 0 {
		return ""
	}
	name, value := []string{"skip", "include"}[c.IntN(2)], fmt.Sprint(c.IntN(2) == 0)
	if c.IntN(2) == 0 {
		value = "$b" + fmt.Sprint(c.IntN(c.booleans+1))
		if value == "$b"+fmt.Sprint(c.booleans) {
			c.booleans++
			c.variables = append(c.variables, value+": Boolean!")
			c.values[value[1:]] = c.IntN(2) == 0
		}
	}
	return fmt.Sprintf(" @%s(if: %s)", name, value)
}

// field is one of the type's; "" when the document is long enough.
func (c *reading) field(d *ast.Definition, depth int) string {
	f := d.Fields[c.IntN(len(d.Fields))]
	for try := 0; !c.understands(d.Name, f.Name) && (try < 50 && c.IntN(400) > 0); try++ {
		f = d.Fields[c.IntN(len(d.Fields))]
	}
	return c.written(f, depth)
}

// written is a field with its arguments and what is asked of it.
func (c *reading) written(f *ast.FieldDefinition, depth int) string {
	result := c.schema.Types[f.Type.Name()]
	if strings.HasPrefix(f.Name, "_") || c.left < 0 && result.IsCompositeType() || depth > 9 && result.IsCompositeType() {
		return ""
	}
	c.left--
	var args []string
	for _, a := range f.Arguments {
		if a.Type.NonNull && a.DefaultValue == nil || c.IntN(4) == 0 {
			args = append(args, a.Name+": "+c.given(a))
		}
	}
	text := f.Name
	if args != nil {
		text += "(" + strings.Join(args, ", ") + ")"
	}
	if args != nil || c.IntN(6) == 0 {
		c.aliases++
		text = fmt.Sprintf("a%d: %s", c.aliases, text)
	}
	text += c.directive()
	if result.IsCompositeType() {
		text += " " + c.selection(result, depth+1)
	}
	return text
}

// given is an argument: most often one that a client in its right mind gives.
func (c *reading) given(a *ast.ArgumentDefinition) string {
	switch {
	case a.Name == "after" && len(c.cursors) > 0 && c.IntN(3) > 0:
		return fmt.Sprintf("%q", c.cursors[c.IntN(len(c.cursors))])
	case a.Name == "first" && c.IntN(20) > 0:
		return fmt.Sprint(1 + c.IntN(4))
	}
	return c.argument(a.Name, a.Type)
}

// partsOf is an answer, taken apart to be compared: errors of one answer come in an order by chance.
func partsOf(t *testing.T, code int, body []byte) string {
	t.Helper()
	answer := gjson.ParseBytes(body)
	var errs []string
	for _, e := range answer.Get("errors").Array() {
		var one any
		if err := json.Unmarshal([]byte(e.Raw), &one); err != nil {
			t.Fatal(err)
		}
		errs = append(errs, string(mustJSON(t, one)))
	}
	slices.Sort(errs)
	return fmt.Sprintf("%d\n%s\n%s\n%s", code, answer.Get("data").Raw, strings.Join(errs, "\n"), answer.Get("extensions").Raw)
}

// aTown is a harness with a bit of everything that the catalogue has, and who asks about it.
func aTown(t *testing.T) (h *graphtest.Harness, viewers []*identity.Viewer, names []string) {
	t.Helper()
	h = graphtest.New(t)
	now := time.Now() // once: what somebody takes of his data tells when
	h.Resolver.Privacy.Now = func() time.Time { return now }
	stock(t, h.Database, 8, 3)
	shop := fixture.Shop(t, h.Database, fixture.ShopOpts{Name: "Chez \"Ève\"\t\u0001é", Modes: []directory.FulfilmentMode{directory.Pickup, directory.Delivery}, Slots: 2})
	hidden := fixture.Shop(t, h.Database, fixture.ShopOpts{Status: directory.Draft})
	elsewhere := fixture.Shop(t, h.Database, fixture.ShopOpts{Commune: fixture.Groix, Modes: []directory.FulfilmentMode{}})
	product := fixture.Product(t, h.Database, shop, fixture.ProductOpts{Name: "Far livre", Variants: 3})
	out := fixture.Product(t, h.Database, shop, fixture.ProductOpts{Stock: fixture.None})
	draft := fixture.Product(t, h.Database, hidden, fixture.ProductOpts{Status: "DRAFT"})
	far := fixture.Product(t, h.Database, elsewhere, fixture.ProductOpts{})
	h.Exec(t, `update variants set paused = true where product_id = $1`, product.ID.Row)
	h.Exec(t, `update products set description = 'Sans pruneaux'`)
	h.Exec(t, `insert into closures (commune_id, id, shop_id, starts_at, reason, created_at) values ($1, gen_random_uuid(), $2, now() + interval '1 day', 'Congés', now())`, shop.Commune, shop.Row)
	h.Exec(t, `insert into special_hours (commune_id, shop_id, day, opens, closes, reason) values ($1, $2, current_date + 3, '{600}', '{700}', 'Marché')`, shop.Commune, shop.Row)
	for _, commune := range []string{"56121", "56098", fixture.Groix} {
		h.Exec(t, `insert into restrictions (commune_id, id, rank, title, starts_at, naf_version, categories, visitors, square_metres, pickup, delivery, declared_as, declared_at)
			values ($1, '0175cd00-0000-7000-8000-000000000000', 'NATIONAL', 'Décret', now() - interval '1 d', 'REV2', '{librairie}', $1 = '56098', case when $1 = '56098' then 8 end, true, false, 'ADMIN', now())`, commune)
	}
	lorient := tenancy.ID{Kind: tenancy.KindCommune, Commune: fixture.Lorient}
	key, other := fixture.WidgetKey(t, h.Database, fixture.Lorient, "https://lorient.bzh"), fixture.WidgetKey(t, h.Database, fixture.Groix, "https://groix.bzh")
	visitor := fixture.Viewer(t, h.Database, identity.Visitor)
	viewers = []*identity.Viewer{
		visitor, through(t, visitor, key), through(t, visitor, other), visitor.GuestOf(tenancy.NewID(tenancy.KindOrder, fixture.Lorient)), fixture.Viewer(t, h.Database, identity.Customer),
		fixture.Viewer(t, h.Database, identity.Merchant, shop, hidden), fixture.Viewer(t, h.Database, identity.Agent, lorient),
		fixture.Viewer(t, h.Database, identity.Hotline), fixture.Viewer(t, h.Database, identity.Analyst), fixture.Viewer(t, h.Database, identity.Admin),
	}
	for _, id := range []tenancy.ID{shop, hidden, elsewhere, product.ID, out.ID, draft.ID, far.ID, product.Variants[0], lorient, tenancy.NewID(tenancy.KindShop, fixture.Lorient), catalog.CategoryID("librairie")} {
		names = append(names, id.String())
	}
	return h, viewers, names
}

// What graph/direct answers, gqlgen answers too: the same bytes of data and the same errors, the
// same price and the same refusals, whoever asks and whatever.
func TestDirectAnswersAsGqlgenDoes(t *testing.T) {
	t.Parallel()
	h, viewers, names := aTown(t)
	alone := h.Indirect(t)
	n := 300
	if os.Getenv("HALLES_LONG") != "" {
		n = 100_000
	}
	c := &reading{understands: h.Direct.Understands, chance: &chance{
		Rand: rand.New(rand.NewPCG(56121, 2)), schema: generated.NewExecutableSchema(generated.Config{}).Schema(), ids: names,
	}}
	ask := func(which, document string, vars graphtest.Vars, v *identity.Viewer) (answer []byte) {
		body := mustJSON(t, map[string]any{"query": document, "variables": vars})
		if err := twice(func() (string, string) {
			a, b := alone.As(v).Raw(t, body), h.As(v).Raw(t, body)
			answer = b.Body.Bytes()
			return partsOf(t, a.Code, a.Body.Bytes()), partsOf(t, b.Code, answer)
		}); err != nil {
			t.Fatalf("%s as %s: %v\n%s\nwith %v", which, v.Kind, err, document, vars)
		}
		return answer
	}
	c.named(func(document string, vars graphtest.Vars) { ask("names", document, vars, viewers[0]) })
	var whole, refused, partly int
	for i := range n {
		document, vars := c.document()
		if c.IntN(20) == 0 {
			document = c.spoilt(document)
		}
		if c.IntN(20) == 0 {
			c.wrong(vars)
		}
		answer := ask(fmt.Sprint("number ", i), document, vars, viewers[c.IntN(len(viewers))])
		switch data := gjson.GetBytes(answer, "data").Raw; {
		case !gjson.GetBytes(answer, "errors").Exists():
			whole++
		case data == "" || data == "null":
			refused++
		default:
			partly++
		}
		for _, found := range endCursor.FindAllSubmatch(answer, 3) {
			c.cursors = append(c.cursors[max(0, len(c.cursors)-50):], string(found[1]))
		}
	}
	count := h.Direct.Counted()
	t.Logf("of %d documents %d went directly, %d not; %d were answered whole, %d with errors, %d refused", n, count.Direct.Load(), count.Other.Load(), whole, partly, refused)
	if count.Direct.Load() < int64(n)/2 || whole < n/3 || partly < n/50 || refused < n/50 {
		t.Error("too few of a kind: this shows little")
	}
	if broken := count.Broken.Load(); broken > 0 {
		t.Errorf("%d could not be answered directly although the table has it: see the log", broken)
	}
}

var endCursor = regexp.MustCompile(`"(?:endCursor|cursor)":"([^"]+)"`)

// twice compares two answers, and again when they differ: they were given at two instants, and of
// what the clock switches each says its own.
func twice(ask func() (want, got string)) error {
	var want, got string
	for range 3 {
		if want, got = ask(); want == got {
			return nil
		}
	}
	at := 0
	for at < len(want) && at < len(got) && want[at] == got[at] {
		at++
	}
	around := func(s string) string { return s[max(0, at-300):min(len(s), at+300)] }
	return errors.New("gqlgen:\n" + around(want) + "\ndirect:\n" + around(got))
}

// The registered queries of the catalogue go directly. Those of orders are a person's, and of these
// the server answers some at a time.
func TestDirectDocuments(t *testing.T) {
	t.Parallel()
	h, _, names := aTown(t)
	vars := graphtest.Vars{"commune": "lorient", "shop": names[0], "product": names[3], "first": 2, "mode": "PICKUP", "filter": map[string]any{"text": "livre"}}
	ofPersons := []string{"Order", "MyOrders", "OrderAgain", "QuoteBasket", "WidgetOrder", "WidgetQuote"}
	for _, d := range registry.All() {
		if d.Kind != "query" || slices.Contains(ofPersons, d.Name) {
			continue
		}
		given := graphtest.Vars{}
		for name, v := range vars {
			if strings.Contains(d.Text, "$"+name+":") {
				given[name] = v
			}
		}
		before := h.Direct.Counted().Direct.Load()
		h.Visitor().Query(t, d.Text, given).OK(t)
		if h.Direct.Counted().Direct.Load() != before+1 {
			t.Errorf("%s is left to gqlgen", d.Name)
		}
	}
}

// A panic of a feature is presented as gqlgen does, and the rest of the answer is there.
func TestDirectPanic(t *testing.T) {
	t.Parallel()
	h, _, names := aTown(t)
	h.Resolver.Media = nil
	body := mustJSON(t, map[string]any{"query": `query ($id: ID!) { shop(id: $id) { name } communes { name shops(first: 1) { nodes { name photos { alt } } } } }`, "variables": graphtest.Vars{"id": names[0]}})
	a, b := h.Indirect(t).Visitor().Raw(t, body), h.Visitor().Raw(t, body)
	if want, got := partsOf(t, a.Code, a.Body.Bytes()), partsOf(t, b.Code, b.Body.Bytes()); want != got || !strings.Contains(got, "INTERNAL") {
		t.Errorf("gqlgen:\n%s\ndirect:\n%s", want, got)
	}
	if n := h.Direct.Counted().Broken.Load(); n != 1 {
		t.Errorf("%d were broken, want this one", n)
	}
}
