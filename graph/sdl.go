package graph

import (
	"context"
	"encoding/json"
	"maps"
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
	full := generated.NewExecutableSchema(generated.Config{}).Schema()
	public := *full
	public.SchemaDirectives, public.Directives = nil, nil
	public.Types = maps.Clone(full.Types)
	for name, whole := range full.Types {
		d := *whole
		d.Directives = forClients(d.Directives)
		d.Fields = nil
		for _, f := range whole.Fields {
			if strings.HasPrefix(f.Name, "_") {
				continue
			}
			f := *f
			f.Directives = forClients(f.Directives)
			f.Arguments = nil
			for _, a := range whole.Fields.ForName(f.Name).Arguments {
				a := *a
				a.Directives = forClients(a.Directives)
				f.Arguments = append(f.Arguments, &a)
			}
			d.Fields = append(d.Fields, &f)
		}
		d.EnumValues = nil
		for _, v := range whole.EnumValues {
			v := *v
			v.Directives = forClients(v.Directives)
			d.EnumValues = append(d.EnumValues, &v)
		}
		public.Types[name] = &d
	}
	var b strings.Builder
	formatter.NewFormatter(&b, formatter.WithIndent("  ")).FormatSchema(&public)
	return b.String()
}

// forClients keeps the directives of the GraphQL specification.
func forClients(all ast.DirectiveList) (kept ast.DirectiveList) {
	for _, d := range all {
		switch d.Name {
		case "deprecated", "specifiedBy", "oneOf":
			kept = append(kept, d)
		}
	}
	return kept
}
