package limits

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/audelor/halles/graph/generated"
	"github.com/audelor/halles/graph/graphtest/hostile"
	"github.com/audelor/halles/internal/fault"
)

var schema = generated.NewExecutableSchema(generated.Config{})

//go:embed testdata/introspection.graphql
var introspection string

// ask takes a document as far as the server does before it executes.
func ask(text string, vars map[string]any) (*graphql.OperationContext, gqlerror.List) {
	exec := executor.New(schema)
	exec.SetParserTokenLimit(Tokens)
	exec.Use(&Extension{Known: graphql.NoCache[*ast.QueryDocument]{}})
	ctx := graphql.StartOperationTrace(context.Background())
	return exec.CreateOperationContext(ctx, &graphql.RawParams{Query: text, Variables: vars})
}

func TestHostile(t *testing.T) {
	for name, d := range hostile.Documents() { // one after the other: what each allocates is measured
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, errs := ask(d.Text, d.Vars)
			runtime.ReadMemStats(&after)
			if len(errs) == 0 {
				t.Fatal("accepted")
			}
			if d.Because != "" && !strings.Contains(errs[0].Message, d.Because) {
				t.Errorf("refused because %.300s", errs[0].Message)
			}
			if d.Because != "" && !errors.Is(errs[0], fault.Limited) && !errors.Is(errs[0], fault.Invalid) {
				t.Errorf("not a fault that a client can read: %v", errs[0])
			}
			if used := (after.TotalAlloc - before.TotalAlloc) >> 20; used > 10 {
				t.Errorf("it took %d MB to refuse", used)
			}
		})
	}
}

// Measuring takes a step for each selection as written, and counting one for each and size of
// page: never one for each as expanded.
func TestStepsAreBoundedByTheText(t *testing.T) {
	t.Parallel()
	for name, d := range hostile.Documents() {
		doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: d.Text}, Tokens)
		if err != nil {
			continue
		}
		written := 0
		for _, o := range doc.Operations {
			written += selections(o.SelectionSet)
		}
		for _, f := range doc.Fragments {
			written += selections(f.SelectionSet)
		}
		if _, steps := measure(doc); steps > written {
			t.Errorf("%s: %d steps for %d selections", name, steps, written)
		}
	}
}

// each repeats a format with 0, 1, 2 …
func each(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

func selections(set ast.SelectionSet) int {
	n := len(set)
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			n += selections(s.SelectionSet)
		case *ast.InlineFragment:
			n += selections(s.SelectionSet)
		}
	}
	return n
}

// Each bound lets pass what reaches it.
func TestAtTheBounds(t *testing.T) {
	t.Parallel()
	repeat := strings.Repeat
	for name, text := range map[string]string{
		"Tokens":     `{ communes { ` + repeat("name @skip(if: true) ", 50) + `} } ` + repeat("#\n", 1000),
		"Depth":      `{ categories ` + repeat("{ parent ", 13) + `{ id }` + repeat("}", 13) + ` }`,
		"Fields":     `{ communes { ` + repeat("name ", 399) + `} }`,
		"Aliases":    `{ communes { ` + repeat("a: name ", 50) + `} }`,
		"RootFields": `{ ` + repeat("communes { name } ", 10) + `}`,
		"Fragments":  `{ shop(id: "x") { ` + each(100, "...f%d ") + `} } ` + each(100, "fragment f%d on Shop { id } "),
		"Operations": each(10, "query q%d { __typename } "),
		"Alias":      `{ communes { ` + repeat("a", 100) + `: name } }`,
		"Objects":    `{ shops(first: 100) { nodes { products(first: 100) { nodes { id } } } } }`,
		"Types":      `{ __type(name: "Shop") { fields { type { fields { name } } } } }`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			operation := ""
			if name == "Operations" {
				operation = "q3"
			}
			exec := executor.New(schema)
			exec.Use(&Extension{Known: graphql.NoCache[*ast.QueryDocument]{}})
			ctx := graphql.StartOperationTrace(context.Background())
			if _, errs := exec.CreateOperationContext(ctx, &graphql.RawParams{Query: text, OperationName: operation}); errs != nil {
				t.Error(errs)
			}
		})
	}
}

// graphql-js's own introspection query, all its options on, passes; GraphiQL sends it.
func TestStandardIntrospection(t *testing.T) {
	t.Parallel()
	operation, errs := ask(introspection, nil)
	if errs != nil {
		t.Fatal(errs)
	}
	cost, _ := Of(graphql.WithOperationContext(context.Background(), operation))
	if cost.Objects != introspectionObjects {
		t.Errorf("cost %d", cost.Objects)
	}
	m := measurer{named: map[string]*ast.FragmentDefinition{}, done: map[*ast.FragmentDefinition]*shape{}}
	for _, f := range operation.Doc.Fragments {
		m.named[f.Name] = f
	}
	want := introspected{fields: 229, depth: 14, lists: 9, levels: 2} // what the bounds were set by
	if s := m.selections(operation.Operation.SelectionSet); s.inside != want {
		t.Errorf("it measures %+v", s.inside)
	}
}

func TestCost(t *testing.T) {
	t.Parallel()
	ids := []any{"commune_56121", "commune_56069", "commune_56083"}
	for name, c := range map[string]struct {
		text string
		vars map[string]any
		want int
	}{
		"Nothing":         {`{ __typename }`, nil, 0},
		"OneObject":       {`{ viewer { kind name } }`, nil, 1},
		"AliasesCost":     {`{ viewer { kind a: kind b: kind } }`, nil, 3},
		"ListOfKnown":     {`{ communes { name } }`, nil, 25},
		"ListUnknown":     {`{ categories { name } }`, nil, 10},
		"Page":            {`{ shops(first: 20) { nodes { name } } }`, nil, 1 + 20},
		"PageTwice":       {`{ shops(first: 20) { nodes { name } edges { node { name } } } }`, nil, 1 + 20 + 40},
		"PageByVariable":  {`query ($n: Int!) { shops(first: $n) { nodes { name } pageInfo { endCursor } } }`, map[string]any{"n": int64(7)}, 1 + 7 + 1},
		"PageByDefault":   {`query ($n: Int! = 8) { shops(first: $n) { nodes { name } } }`, nil, 1 + 8},
		"PageTooLarge":    {`{ shops(first: 100000) { nodes { name } } }`, nil, 1 + 100}, // the resolver refuses it
		"PageNegative":    {`{ shops(first: -5) { totalCount } }`, nil, 1},
		"NestedPages":     {`{ shops(first: 10) { nodes { products(first: 4) { nodes { variants { sku } } } } } }`, nil, 1 + 10*(1+1+4*(1+3))},
		"PageInFragment":  {`{ a: shops(first: 2) { ...c } b: shops(first: 30) { ...c } } fragment c on ShopConnection { nodes { name } }`, nil, 1 + 2 + 1 + 30},
		"Nodes":           {`query ($ids: [ID!]!) { nodes(ids: $ids) { id } }`, map[string]any{"ids": ids}, 3},
		"NodesAsLiteral":  {`{ nodes(ids: ["a", "b"]) { id } }`, nil, 2},
		"NodesOfOne":      {`query ($ids: [ID!]!) { nodes(ids: $ids) { id } }`, map[string]any{"ids": "commune_56121"}, 1},
		"DearestType":     {`{ node(id: "x") { id ... on Shop { commune { name } } ... on Product { shop { name } category { name } } } }`, nil, 1 + 2},
		"SameTypeTwice":   {`{ node(id: "x") { ... on Shop { commune { name } } ... on Shop { category { name } } } }`, nil, 1 + 2},
		"InterfaceAdds":   {`{ node(id: "x") { ... on Node { ... on Shop { commune { name } } } ... on Shop { category { name } } } }`, nil, 1 + 2},
		"Introspection":   {`{ __schema { types { name } } __type(name: "Shop") { name } }`, nil, 2 * introspectionObjects},
		"Mutation":        {`mutation ($i: PlaceOrdersInput!) { placeOrders(input: $i) { results { refusals { code } } } }`, map[string]any{"i": map[string]any{"idempotencyKey": "k", "orders": []any{}}}, 1 + 20*(1+3)},
		"Subscription":    {`subscription { orderUpdated(id: "x") { order { id } } }`, nil, 2},
		"SkippedCostsToo": {`{ viewer { shops @skip(if: true) { name } } }`, nil, 1 + 10},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			operation, errs := ask(c.text, c.vars)
			if errs != nil {
				t.Fatal(errs)
			}
			cost, _ := Of(graphql.WithOperationContext(context.Background(), operation))
			if cost.Objects != c.want {
				t.Errorf("%d objects, want %d", cost.Objects, c.want)
			}
		})
	}
}

// A list that lengths names is one of the schema: a renamed field would fall back unnoticed.
func TestLengthsAreOfTheSchema(t *testing.T) {
	t.Parallel()
	for name := range lengths {
		owner, field, _ := strings.Cut(name, ".")
		d := schema.Schema().Types[owner]
		if d == nil || d.Fields.ForName(field) == nil || d.Fields.ForName(field).Type.Elem == nil {
			t.Errorf("%s is no list of the schema", name)
		}
	}
}

// Any text is answered without a panic, within the steps that its length allows, and what
// passes keeps the bounds.
func FuzzDocument(f *testing.F) {
	for _, d := range hostile.Documents() {
		f.Add(d.Text)
	}
	f.Add(introspection)
	f.Add(`{ shops(first: 1, filter: {communes: ` + strings.Repeat("[", 900) + strings.Repeat("]", 900) + `}) { totalCount } }`)
	f.Add(strings.Repeat("{ ... ", 600) + "{ __typename }" + strings.Repeat("}", 600))
	f.Add(`{ shops(first: 20) { nodes { ...s } } } fragment s on Shop { name products(first: 5) { nodes { variants { price { cents } } } } }`)
	f.Add(`query ($x: ID!, $y: [_Any!]!) { node(id: $x) { ... on Order { lines { name } } } _entities(representations: $y) { __typename } }`)
	f.Fuzz(func(t *testing.T, text string) {
		doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: text}, Tokens)
		if err != nil {
			return
		}
		refusal, steps := measure(doc)
		if steps > Tokens {
			t.Errorf("%d steps", steps)
		}
		if refusal != nil || len(validator.ValidateWithRules(schema.Schema(), doc, rules.NewDefaultRules())) > 0 {
			return
		}
		for _, o := range doc.Operations {
			c := counter{schema: schema.Schema(), done: map[spread]int{}}
			n := c.selections(o.SelectionSet, 0)
			if n < 0 || n > most || c.steps > Tokens*Fields {
				t.Errorf("%d objects in %d steps", n, c.steps)
			}
		}
	})
}

// What the limits cost each request: a document that is known, and one that is new.
func BenchmarkLimits(b *testing.B) {
	const storefront = `{ shops(first: 100) { nodes { name commune { name } category { name }
		products(first: 10) { nodes { name category { name } variants { sku price { cents } availability { orderable } } } } } } }`
	operation, errs := ask(storefront, nil)
	if errs != nil {
		b.Fatal(errs)
	}
	b.Run("Count", func(b *testing.B) {
		for b.Loop() {
			_, _ = Count(schema.Schema(), operation.Operation, nil)
		}
	})
	b.Run("Measure", func(b *testing.B) {
		for b.Loop() {
			_ = Measure(operation.Doc)
		}
	})
}
