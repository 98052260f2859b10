package graphtest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/audelor/halles/graph"
	"github.com/audelor/halles/graph/generated"
	"github.com/audelor/halles/graph/graphtest"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
)

// federation declares what a subgraph's schema takes from its `@link`.
const federation = `
directive @link(url: String!, import: [String!]) repeatable on SCHEMA
directive @key(fields: String!, resolvable: Boolean = true) repeatable on OBJECT | INTERFACE
directive @shareable repeatable on OBJECT | FIELD_DEFINITION
directive @inaccessible on FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION
directive @tag(name: String!) repeatable on FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION
`

func contract(t *testing.T, a graph.Audience) *ast.Schema {
	t.Helper()
	sdl, err := graph.ContractSDL(a)
	if err != nil {
		t.Fatal(err)
	}
	s, err := gqlparser.LoadSchema(&ast.Source{Name: "federation", Input: federation}, &ast.Source{Name: string(a), Input: sdl})
	if err != nil {
		t.Fatalf("the contract of %s is no schema: %v", a, err)
	}
	return s
}

func tags(list ast.DirectiveList) (names []string) {
	for _, d := range list.ForNames("tag") {
		names = append(names, d.Arguments.ForName("name").Value.Raw)
	}
	return names
}

func roots(s *ast.Schema) (names []string) {
	for _, root := range []*ast.Definition{s.Query, s.Mutation, s.Subscription} {
		if root == nil {
			continue
		}
		for _, f := range root.Fields {
			if !strings.HasPrefix(f.Name, "_") {
				names = append(names, root.Name+"."+f.Name)
			}
		}
	}
	slices.Sort(names)
	return names
}

// Each root field says whom it serves, and a contract is a schema that holds what serves its
// audience: those root fields, all of what they lead to but for the staff's own, and no more.
func TestContracts(t *testing.T) {
	t.Parallel()
	full := generated.NewExecutableSchema(generated.Config{}).Schema()
	tagged := map[string][]string{}
	for _, root := range []*ast.Definition{full.Query, full.Mutation, full.Subscription} {
		for _, f := range root.Fields {
			names := tags(f.Directives)
			if !strings.HasPrefix(f.Name, "_") && len(names) == 0 {
				t.Errorf("%s.%s serves nobody: tag it widget, spa or staff", root.Name, f.Name)
			}
			for _, name := range names {
				if !slices.Contains(graph.Audiences, graph.Audience(name)) {
					t.Errorf("%s.%s is tagged %s, which is no audience", root.Name, f.Name, name)
				}
				tagged[name] = append(tagged[name], root.Name+"."+f.Name)
			}
		}
	}
	for _, audience := range graph.Audiences {
		s := contract(t, audience)
		slices.Sort(tagged[string(audience)])
		if got := roots(s); !slices.Equal(got, tagged[string(audience)]) || len(got) == 0 {
			t.Errorf("%s: the root fields are %v, the tags say %v", audience, got, tagged[string(audience)])
		}
		for name, d := range s.Types {
			if d.BuiltIn || d == s.Query || d == s.Mutation || d == s.Subscription {
				continue
			}
			whole := full.Types[name]
			if d.Kind == ast.Object || d.Kind == ast.Interface {
				for _, f := range whole.Fields {
					hidden := audience != graph.Staff && slices.Contains(tags(f.Directives), "staff-only")
					if (d.Fields.ForName(f.Name) == nil) != hidden {
						t.Errorf("%s: %s.%s is there: %v, staff-only: %v; `go generate ./graph` writes the types' tags", audience, name, f.Name, !hidden, hidden)
					}
				}
			}
			if d.Description != whole.Description || len(d.EnumValues) != len(whole.EnumValues) {
				t.Errorf("%s: %s is not as in the whole schema", audience, name)
			}
		}
		for _, entity := range []string{"Commune", "Shop", "Product", "Variant", "Category", "Order"} {
			if d := s.Types[entity]; d == nil || len(d.Directives.ForNames("key")) != len(full.Types[entity].Directives.ForNames("key")) {
				t.Errorf("%s: %s is no entity any more", audience, entity)
			}
		}
	}
	widget := contract(t, graph.Widget)
	for _, name := range []string{"AuditEvent", "Member", "WidgetKey", "AcceptOrderInput", "MemberRole"} {
		if widget.Types[name] != nil {
			t.Errorf("the widget's contract has %s", name)
		}
	}
	if _, err := graph.ContractSDL("everybody"); fault.Of(err) == nil || fault.Of(err).Kind != fault.NotFound {
		t.Errorf("a contract for nobody: %v", err)
	}
}

// What a widget's key opens is its contract, field for field: the gate and the schema that its
// developer reads cannot come apart.
func TestWidgetMayDoWhatItsContractSays(t *testing.T) {
	t.Parallel()
	h := graphtest.New(t)
	w := h.As(through(t, fixture.Viewer(t, h.Database, identity.Visitor), fixture.WidgetKey(t, h.Database, fixture.Lorient, "https://lorient.bzh")))
	promised := roots(contract(t, graph.Widget))
	schema := generated.NewExecutableSchema(generated.Config{}).Schema()
	var open []string
	for operation, root := range map[string]*ast.Definition{"query": schema.Query, "mutation": schema.Mutation, "subscription": schema.Subscription} {
		for _, f := range root.Fields {
			if strings.HasPrefix(f.Name, "_") {
				continue
			}
			a := w.Query(t, fmt.Sprintf("%s { x: %s }", operation, call(schema, f)), nil)
			if a.Code() != fault.Forbidden || !strings.Contains(a.Errors[0].Message, "Le widget d'une commune ne peut pas demander "+f.Name) {
				open = append(open, root.Name+"."+f.Name)
			}
		}
	}
	slices.Sort(open)
	if !slices.Equal(open, promised) || len(open) < 10 || len(open) == len(roots(schema)) {
		t.Errorf("open to a widget: %v; its contract: %v", open, promised)
	}
	w.Query(t, `{ __schema { queryType { name } } __typename }`, nil).OK(t)
}
