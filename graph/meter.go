package graph

import (
	"context"
	"slices"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/audelor/halles/graph/limits"
	"github.com/audelor/halles/internal/fault"
)

// Meter counts what is asked, for whoever asks in ctx. Its functions may be nil.
type Meter struct {
	// Message takes the point that a message costs, whatever is in it, before it is parsed. A
	// request has paid for its own when it comes here.
	Message func(ctx context.Context) error
	// Operation takes what an operation costs: a point for each object that it may answer.
	Operation func(ctx context.Context, points int) error
	// Guess takes so many tries at a secret, before any is looked at; Guessed gives one back: it
	// was no guess.
	Guess   func(ctx context.Context, tries int) error
	Guessed func(ctx context.Context)
}

// guessable are the root fields whose argument is a secret that somebody could try to guess.
var guessable = []string{"exchangeGuestLink", "acceptInvitation"}

// metered refuses, before anything of it is done, what is asked too often.
type metered struct{ Meter }

var _ interface {
	graphql.HandlerExtension
	graphql.OperationParameterMutator
	graphql.OperationContextMutator
	graphql.RootFieldInterceptor
} = metered{}

// ExtensionName names it for gqlgen.
func (metered) ExtensionName() string { return "Metered" }

// Validate accepts every schema.
func (metered) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationParameters counts a message.
func (m metered) MutateOperationParameters(ctx context.Context, _ *graphql.RawParams) *gqlerror.Error {
	if m.Message == nil {
		return nil
	}
	return tooOften(m.Message(ctx))
}

// MutateOperationContext counts a valid operation.
func (m metered) MutateOperationContext(ctx context.Context, operation *graphql.OperationContext) *gqlerror.Error {
	if m.Operation == nil {
		return nil
	}
	cost, _ := limits.Of(ctx)
	if err := m.Operation(ctx, cost.Objects); err != nil {
		return tooOften(err)
	}
	if operation.Operation.Operation != ast.Mutation { // as all that is guessable is
		return nil
	}
	tries := 0
	for _, name := range rootFields(operation.Operation.SelectionSet) {
		if slices.Contains(guessable, name) {
			tries++
		}
	}
	if tries == 0 {
		return nil
	}
	return tooOften(m.Guess(ctx, tries))
}

// InterceptRootField gives back what was no guess.
func (m metered) InterceptRootField(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
	answer := next(ctx)
	if field := graphql.GetRootFieldContext(ctx).Field; m.Guessed != nil && slices.Contains(guessable, field.Name) && answer != graphql.Null {
		m.Guessed(ctx)
	}
	return answer
}

func tooOften(err error) *gqlerror.Error {
	if err == nil {
		return nil
	}
	shown := gqlerror.Wrap(err)
	if f := fault.Of(err); f != nil { // by its code a socket knows it for an error of the protocol
		shown.Extensions = map[string]any{"code": string(f.Kind)}
	}
	return shown
}
