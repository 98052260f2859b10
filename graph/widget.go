package graph

import (
	"context"
	"slices"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
)

// widgetGate refuses, before anything of it is done, an operation that a widget may not send:
// what a commune's key opens is the contract of its audience and nothing beyond, whoever wrote
// the page that shows the key.
type widgetGate struct {
	may map[ast.Operation][]string // root fields
}

var _ graphql.OperationContextMutator = &widgetGate{}

// ExtensionName names the gate for gqlgen.
func (*widgetGate) ExtensionName() string { return "WidgetGate" }

// Validate takes what the schema's tags allow.
func (g *widgetGate) Validate(es graphql.ExecutableSchema) error {
	g.may = rootFieldsOf(es.Schema(), Widget)
	return nil
}

// MutateOperationContext refuses the operation, or leaves it as it is. Introspection is open to
// all, and what is the router's is guarded by the router's credential.
func (g *widgetGate) MutateOperationContext(ctx context.Context, operation *graphql.OperationContext) *gqlerror.Error {
	if !identity.From(ctx).Keyed() {
		return nil
	}
	for _, name := range rootFields(operation.Operation.SelectionSet) {
		if !strings.HasPrefix(name, "_") && !slices.Contains(g.may[operation.Operation.Operation], name) {
			return gqlerror.Wrap(fault.Errorf(fault.Forbidden,
				"Le widget d'une commune ne peut pas demander %s ; il lit, et passe, annule et suit les commandes de son visiteur. Son schéma est à /schema.graphql?contract=widget.", name))
		}
	}
	return nil
}

// rootFields are the fields that an operation asks for, by their own names, fragments opened.
// What a directive may leave out is among them.
func rootFields(set ast.SelectionSet) (names []string) {
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			names = append(names, s.Name)
		case *ast.InlineFragment:
			names = append(names, rootFields(s.SelectionSet)...)
		case *ast.FragmentSpread:
			names = append(names, rootFields(s.Definition.SelectionSet)...)
		}
	}
	return names
}
