package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/audelor/halles/graph/transport"
	"github.com/audelor/halles/internal/ordering"
	"github.com/audelor/halles/internal/tenancy"
)

// ending is how a subscription ended. gqlgen sees a closed channel and no more: why, and how to
// go on, is kept here from the resolver to the end of the responses.
type ending struct {
	err  func() error
	told bool

	events *ordering.Stream     // of which shared hands gqlgen one when it has to
	one    chan *ordering.Event // and gqlgen reads it
	reads  bool                 // each answer takes more than its event, from the database
}

type endingKey struct{}

func withEnding(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	if graphql.GetOperationContext(ctx).Operation.Operation == ast.Subscription {
		ctx = context.WithValue(ctx, endingKey{}, &ending{})
	}
	return next(ctx)
}

// stream hands a feature's stream to gqlgen.
func stream(ctx context.Context) func(*ordering.Stream, error) (<-chan *ordering.Event, error) {
	return func(s *ordering.Stream, err error) (<-chan *ordering.Event, error) {
		if err != nil {
			return nil, err
		}
		e := ctx.Value(endingKey{}).(*ending)
		e.err, e.events, e.one = s.Err, s, make(chan *ordering.Event, 1)
		transport.Comes(ctx, s, e.reads)
		return e.one, nil
	}
}

// ended is the last response of a subscription that did not end by its subscriber's will, once;
// else nil, the end of the responses. A socket has a message of its own for it.
func ended(ctx context.Context) *graphql.Response {
	e, _ := ctx.Value(endingKey{}).(*ending)
	if e == nil || e.err == nil || e.told || ctx.Err() != nil {
		return nil
	}
	e.told = true
	err := e.err()
	if err == nil {
		return nil
	}
	graphql.AddError(ctx, err)
	errs := graphql.GetErrors(ctx)
	if transport.EndedWith(ctx, errs) {
		return nil
	}
	return &graphql.Response{Errors: errs}
}

// values are what a list of non-null ids points to: gqlgen reads it as pointers.
func values(ids []*tenancy.ID) []tenancy.ID {
	list := make([]tenancy.ID, len(ids))
	for i, id := range ids {
		list[i] = *id
	}
	return list
}
