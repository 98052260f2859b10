package graph

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"

	"github.com/audelor/halles/graph/generated"
)

// FederatedSDL is the schema as a router composes it: what `_service { sdl }` answers.
func FederatedSDL(ctx context.Context) (string, error) {
	exec := executor.New(generated.NewExecutableSchema(generated.Config{}))
	exec.Use(extension.Introspection{}) // gqlgen refuses _service without
	ctx = graphql.StartOperationTrace(ctx)
	operation, refused := exec.CreateOperationContext(ctx, &graphql.RawParams{Query: "{ _service { sdl } }"})
	if refused != nil {
		return "", refused
	}
	run, ctx := exec.DispatchOperation(ctx, operation)
	answer := run(ctx)
	if answer.Errors != nil {
		return "", answer.Errors
	}
	var data struct {
		Service struct{ SDL string } `json:"_service"`
	}
	err := json.Unmarshal(answer.Data, &data)
	return data.Service.SDL, err
}

// PublicSDL is the schema as a client sees it, for code generators: without the federation's
// fields, types and directives, which are the router's business.
func PublicSDL() string {
	public := without(parsed(), all, forClients)
	public.SchemaDirectives = nil
	return printed(public)
}

// Schema is the schema without the federation's own fields, with its tags: for whoever documents
// it.
func Schema() *ast.Schema { return without(parsed(), all, func(string) bool { return true }) }

func parsed() *ast.Schema { return generated.NewExecutableSchema(generated.Config{}).Schema() }

func printed(s *ast.Schema) string {
	var b strings.Builder
	formatter.NewFormatter(&b, formatter.WithIndent("  ")).FormatSchema(s)
	return b.String()
}

// without is a copy of the schema with the fields of objects and interfaces and the directives
// that are wanted, and without the federation's own fields. A type that has no field left is not
// there.
func without(full *ast.Schema, field func(owner *ast.Definition, f *ast.FieldDefinition) bool, directive func(name string) bool) *ast.Schema {
	wanted := func(list ast.DirectiveList) (kept ast.DirectiveList) {
		for _, d := range list {
			if directive(d.Name) {
				kept = append(kept, d)
			}
		}
		return kept
	}
	s := *full // what implements an interface stays
	s.Directives, s.Types = nil, map[string]*ast.Definition{}
	for name, whole := range full.Types {
		d := *whole
		d.Directives, d.Fields, d.EnumValues = wanted(d.Directives), nil, nil
		composite := d.Kind == ast.Object || d.Kind == ast.Interface
		for _, f := range whole.Fields {
			if strings.HasPrefix(f.Name, "_") || composite && !field(whole, f) {
				continue
			}
			f := *f
			f.Directives, f.Arguments = wanted(f.Directives), slices.Clone(f.Arguments)
			for i, a := range f.Arguments {
				a := *a
				a.Directives = wanted(a.Directives)
				f.Arguments[i] = &a
			}
			d.Fields = append(d.Fields, &f)
		}
		for _, v := range whole.EnumValues {
			v := *v
			v.Directives = wanted(v.Directives)
			d.EnumValues = append(d.EnumValues, &v)
		}
		if !composite || len(d.Fields) > 0 {
			s.Types[name] = &d
		}
	}
	s.Query, s.Mutation, s.Subscription = s.Types["Query"], s.Types["Mutation"], s.Types["Subscription"]
	return &s
}

// forClients keeps the directives of the GraphQL specification.
func forClients(name string) bool {
	return slices.Contains([]string{"deprecated", "specifiedBy", "oneOf"}, name)
}

// forRouters keeps the federation's too: those that `@link` imports.
func forRouters(name string) bool {
	return forClients(name) || slices.Contains([]string{"link", "key", "shareable", "inaccessible", "tag"}, name)
}
