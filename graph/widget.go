package graph

import (
	"context"
	"slices"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
)

// widgetMay lists what a widget may do beside reading. A mutation that is not here is none of a
// page's that another site serves, whoever has written it.
var widgetMay = map[ast.Operation][]string{
	ast.Mutation:     {"placeOrders", "cancelOrder", "exchangeGuestLink", "__typename"},
	ast.Subscription: {"orderUpdated", "__typename"},
}

// widgetGate refuses, before anything of it is done, an operation that a widget may not send.
type widgetGate struct{}

var _ graphql.OperationContextMutator = widgetGate{}

// ExtensionName names the gate for gqlgen.
func (widgetGate) ExtensionName() string { return "WidgetGate" }

// Validate accepts every schema.
func (widgetGate) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationContext refuses the operation, or leaves it as it is.
func (widgetGate) MutateOperationContext(ctx context.Context, operation *graphql.OperationContext) *gqlerror.Error {
	may, limited := widgetMay[operation.Operation.Operation]
	if !limited || !identity.From(ctx).Keyed() {
		return nil
	}
	for _, name := range rootFields(operation.Operation.SelectionSet) {
		if !slices.Contains(may, name) {
			return gqlerror.Wrap(fault.Errorf(fault.Forbidden,
				"Le widget d'une commune ne peut pas demander %s ; il lit, et passe, annule et suit les commandes de son visiteur.", name))
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
