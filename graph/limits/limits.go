// Package limits refuses a document that asks too much, before it costs anything.
//
// What a document costs is decided in three places, each with a bound of its own:
//
//   - Reading it. Its tokens are counted while it is parsed, and the parse stops at Tokens.
//   - Checking it against the schema. Two of the rules compare every pair of fields with the same
//     name (20,000 `__typename` kept a core busy for more than 12 s), and a fragment counts where
//     it is spread. So the shape of the whole document is measured first: depth, fields, aliases,
//     root fields and directives, all with fragments expanded.
//   - Answering it. Objects are counted from the schema and the variables before anything runs:
//     a list has as many as `first` says. See cost.go.
//
// Expanding fragments is where measuring itself can be attacked: thirty fragments that each
// spread the next one twice are 1.5 KB and 2³⁰ fields. So each fragment is measured once and its
// measure used wherever it is spread: measuring takes one step for each selection as written.
//
// Introspection has its own bounds and a fixed price. The standard introspection query is deeper
// and wider than any question to the business, GraphiQL and code generators send it at every
// start, and its answer is no larger than the schema. What would make it larger, lists of types
// in lists of types, is bounded.
//
// The bounds are constants: what a client may ask is part of the API and the same everywhere.
// Not bounded here are a request's bytes, which the front door counts, and how often somebody
// asks.
package limits

import (
	"context"
	"errors"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/audelor/halles/internal/fault"
)

// The bounds of a document. Fields, aliases, directives and depth count with fragments expanded.
const (
	Tokens     = 2000 // some 400 small fields; comments count too
	Operations = 10   // in one document: an editor sends all that stand in it and names one
	Fragments  = 100  // in one document: the validator compares those that are spread side by side pair by pair
	NameLength = 100  // characters of an alias: it comes back with every object
	Depth      = 15
	Fields     = 400
	Aliases    = 50
	RootFields = 10
	Directives = 50
)

// The bounds of introspection, which does not count against the ones above. The standard query
// has 229 fields in 14 levels, and 9 lists.
const (
	introspectionFields = 500
	introspectionDepth  = 20
	introspectionLists  = 20
	// introspectionLevels bounds lists of types within lists of types: the types and their fields;
	// or the fields of one type, and those of their types.
	introspectionLevels = 2
)

// Refusals are shown as errors of the protocol: over a socket they are an `error` message then,
// and not a `next`. gqlgen keeps this in a global map, which must not change once servers run.
func init() {
	for _, code := range []string{string(fault.Limited), string(fault.Invalid), string(fault.Forbidden), "PERSISTED_QUERY_NOT_FOUND"} {
		errcode.RegisterErrorType(code, errcode.KindProtocol)
	}
}

// Extension is the extension of gqlgen's server that keeps the limits.
type Extension struct {
	// Known are the documents that were found good. A document must be asked for before gqlgen
	// does: it comes there once it has passed both us and the validation.
	Known graphql.Cache[*ast.QueryDocument]

	schema *ast.Schema
}

var _ interface {
	graphql.HandlerExtension
	graphql.OperationParameterMutator
	graphql.OperationContextMutator
	graphql.ResponseInterceptor
} = &Extension{}

// ExtensionName names it for gqlgen.
func (*Extension) ExtensionName() string { return "Limits" }

// Validate takes the schema.
func (l *Extension) Validate(es graphql.ExecutableSchema) error {
	l.schema = es.Schema()
	return nil
}

// MutateOperationParameters measures a document that is not known yet, before gqlgen validates it.
func (l *Extension) MutateOperationParameters(ctx context.Context, params *graphql.RawParams) *gqlerror.Error {
	if _, known := l.Known.Get(ctx, params.Query); known {
		return nil
	}
	doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: params.Query}, Tokens)
	var wrong *gqlerror.Error
	switch {
	case err == nil:
		return Measure(doc)
	case errors.As(err, &wrong) && strings.HasPrefix(wrong.Message, "exceeded token limit"):
		return refused("Le document est trop long : %d éléments lexicaux au plus (noms, nombres, signes, commentaires). Demandez moins à la fois.", Tokens)
	}
	return nil // gqlgen parses it too, and says what is wrong with it
}

// MutateOperationContext counts the objects that a valid operation may answer.
func (l *Extension) MutateOperationContext(_ context.Context, operation *graphql.OperationContext) *gqlerror.Error {
	cost, refusal := Count(l.schema, operation.Operation, operation.Variables)
	operation.Stats.SetExtension(costName, cost)
	return refusal
}

// InterceptResponse tells what the operation was counted at, refused or not. The events of a
// subscription do not repeat it.
func (l *Extension) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	if cost, counted := Of(ctx); counted && graphql.GetOperationContext(ctx).Operation.Operation != ast.Subscription {
		graphql.RegisterExtension(ctx, costName, cost)
	}
	return next(ctx)
}

// costName is the name of the cost in a response's extensions.
const costName = "cost"

// Of is what the operation in ctx was counted at; false when it was refused before.
func Of(ctx context.Context) (Cost, bool) {
	if !graphql.HasOperationContext(ctx) {
		return Cost{}, false
	}
	return OfOperation(graphql.GetOperationContext(ctx))
}

// OfOperation is what an operation was counted at.
func OfOperation(operation *graphql.OperationContext) (Cost, bool) {
	cost, counted := operation.Stats.GetExtension(costName).(Cost)
	return cost, counted
}

func refused(format string, args ...any) *gqlerror.Error {
	return asGraphQL(fault.Errorf(fault.Limited, format, args...))
}

func asGraphQL(err error) *gqlerror.Error {
	return &gqlerror.Error{Err: err, Message: err.Error(), Extensions: map[string]any{"code": string(fault.Of(err).Kind)}}
}
