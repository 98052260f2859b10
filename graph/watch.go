package graph

import (
	"context"
	"reflect"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/audelor/halles/graph/documents"
	"github.com/audelor/halles/internal/fault"
)

// Watch is told of what is asked, for whoever runs the server. Its functions may be nil. Of what a
// client wrote they learn nothing but what the schema and graph/documents know by name.
type Watch struct {
	// Begun names an operation that is about to be done.
	Begun func(ctx context.Context, operation string)
	// Answered tells of a query or mutation how long it took, and the codes of its errors.
	Answered func(operation, kind string, took time.Duration, codes []string)
	// Event tells of a response of a subscription.
	Event func(operation string, codes []string)
	// Refused tells the codes of refusals that a mutation answers as data.
	Refused func(codes ...string)
}

// watched tells Watch.
type watched struct{ Watch }

var _ interface {
	graphql.HandlerExtension
	graphql.OperationContextMutator
	graphql.OperationInterceptor
	graphql.ResponseInterceptor
} = watched{}

// ExtensionName names it for gqlgen.
func (watched) ExtensionName() string { return "Watched" }

// Validate accepts every schema.
func (watched) Validate(graphql.ExecutableSchema) error { return nil }

// Names of operations that have none of ours.
const (
	several = "several" // a document of one's own with more than one root field
	invalid = "invalid" // refused before it was understood
)

// OperationName is the name under which an operation is counted and logged: a registered
// document's own, else that of its one root field. What a client calls its operation is not
// used: there is no end to such names, and they may hold anything.
func OperationName(o *graphql.OperationContext) string {
	if d, ok := o.Stats.GetExtension(registeredName).(*documents.Document); ok {
		return d.Name
	}
	if o.Operation == nil {
		return invalid
	}
	if only, is := o.Operation.SelectionSet[0].(*ast.Field); is && len(o.Operation.SelectionSet) == 1 {
		return only.Name // most often: no list is made of them
	}
	name := ""
	for _, root := range rootFields(o.Operation.SelectionSet) {
		if name != "" && name != root {
			return several
		}
		name = root
	}
	return name
}

// MutateOperationContext has the payloads of a mutation looked at. Queries answer their fields
// without us: they have thousands.
func (w watched) MutateOperationContext(_ context.Context, o *graphql.OperationContext) *gqlerror.Error {
	if w.Refused == nil || o.Operation.Operation != ast.Mutation {
		return nil
	}
	next := o.ResolverMiddleware
	o.ResolverMiddleware = func(ctx context.Context, resolve graphql.Resolver) (any, error) {
		payload, err := next(ctx, resolve)
		if f := graphql.GetFieldContext(ctx); err == nil && f != nil && f.Object == "Mutation" {
			if codes := refusalCodes(reflect.ValueOf(payload)); len(codes) > 0 {
				w.Refused(codes...)
			}
		}
		return payload, err
	}
	return nil
}

// refusalCodes are the codes of the refusals of a payload, and of its results where it has one
// for each shop.
func refusalCodes(payload reflect.Value) (codes []string) {
	for payload.Kind() == reflect.Pointer {
		payload = payload.Elem()
	}
	if payload.Kind() != reflect.Struct {
		return nil
	}
	if list := payload.FieldByName("Refusals"); list.IsValid() && list.Kind() == reflect.Slice {
		for i := range list.Len() {
			one := reflect.Indirect(list.Index(i))
			if one.Kind() != reflect.Struct {
				break
			}
			if code := one.FieldByName("Code"); code.IsValid() && code.Kind() == reflect.String {
				codes = append(codes, code.String())
			}
		}
	}
	if results := payload.FieldByName("Results"); results.IsValid() && results.Kind() == reflect.Slice {
		for i := range results.Len() {
			codes = append(codes, refusalCodes(results.Index(i))...)
		}
	}
	return codes
}

// InterceptOperation names the operation.
func (w watched) InterceptOperation(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	if w.Begun != nil {
		w.Begun(ctx, OperationName(graphql.GetOperationContext(ctx)))
	}
	return next(ctx)
}

// InterceptResponse tells of the answer, or of the refusal of an operation that was not done.
func (w watched) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	response := next(ctx)
	if response == nil || !graphql.HasOperationContext(ctx) {
		return response
	}
	o := graphql.GetOperationContext(ctx)
	var codes []string
	for _, err := range response.Errors {
		codes = append(codes, codeOf(err))
	}
	switch {
	case o.Operation != nil && o.Operation.Operation == ast.Subscription:
		if w.Event != nil {
			w.Event(OperationName(o), codes)
		}
	case w.Answered != nil:
		kind := invalid
		if o.Operation != nil {
			kind = string(o.Operation.Operation)
		}
		w.Answered(OperationName(o), kind, time.Since(o.Stats.OperationStart), codes)
	}
	return response
}

// codeOf is an error's code: a kind of fault, or INVALID for what GraphQL itself says of a
// document.
func codeOf(err *gqlerror.Error) string {
	switch code := err.Extensions["code"].(type) {
	case fault.Kind:
		return string(code)
	case string:
		for _, kind := range append(fault.Kinds(), "PERSISTED_QUERY_NOT_FOUND") {
			if code == string(kind) {
				return code
			}
		}
	}
	return string(fault.Invalid)
}
