package graph

import (
	"context"
	"net/http"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/audelor/halles/graph/answers"
	"github.com/audelor/halles/graph/limits"
	"github.com/audelor/halles/graph/transport"
	"github.com/audelor/halles/internal/catalog"
	"github.com/audelor/halles/internal/identity"
)

// kept is what HTTP must know to serve kept answers; nil without a cache.
func (o *ServerOptions) kept() *transport.Kept {
	if o.Answers == nil {
		return nil
	}
	return &transport.Kept{
		Cache: o.Answers, By: o.asker, Pay: o.Meter.Operation,
		Describe: func(operation *graphql.OperationContext) (string, int) {
			cost, _ := limits.OfOperation(operation)
			return OperationName(operation), cost.Objects
		},
		Tell: func(ctx context.Context, name string, took time.Duration) {
			if o.Watch.Begun != nil {
				o.Watch.Begun(ctx, name)
			}
			if o.Watch.Answered != nil {
				o.Watch.Answered(name, string(ast.Query), took, nil)
			}
		},
	}
}

// asker is what changes the answers to a visitor or a widget; false for everybody else: what the
// router asks for, whom a guest's link or a session names, who has just written.
func (o *ServerOptions) asker(r *http.Request) (answers.Asker, bool) {
	ctx := r.Context()
	v := identity.From(ctx)
	if v.Kind != identity.Visitor && v.Kind != identity.Widget || v.Account != uuid.Nil || o.IsRouter(ctx) || o.Own != nil && o.Own(r) {
		return answers.Asker{}, false
	}
	var by answers.Asker
	if v.Keyed() {
		by.Communes = append([]string{}, v.AllCommunes()...) // not nil, whatever there is: that is a visitor's
	}
	if o.Registered != nil {
		by.Only = string(o.Registered(ctx))
	}
	return by, true
}

// counted forbids to keep a search that found nothing: each time that somebody searches in vain is
// counted.
func counted(ctx context.Context) func(*catalog.SearchConnection, error) (*catalog.SearchConnection, error) {
	return func(found *catalog.SearchConnection, err error) (*catalog.SearchConnection, error) {
		if found == nil || len(found.Edges) == 0 {
			answers.Forbid(ctx)
		}
		return found, err
	}
}
