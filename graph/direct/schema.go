package direct

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

const (
	// maxPlans bounds the operations of which plans are kept; there are as many parsed documents.
	maxPlans = 1000
	// maxAsked bounds the variables of an operation's directives: each combination is a plan.
	maxAsked = 4
)

// Schema answers the queries that its table understands, and has another answer all else.
type Schema struct {
	graphql.ExecutableSchema
	// Broken is told of what only gqlgen could answer although the table has it: a panic of a
	// resolver, which gqlgen presents, or a mistake of ours.
	Broken func(ctx context.Context, err error)
	// Together does the work of several loaders side by side, and may have their questions leave in one
	// round trip.
	Together func(ctx context.Context, work []func(context.Context))
	// Joined puts one that asks a single statement in the place of loaders whose rows can be joined.
	Joined func(ctx context.Context, loaders []Fetcher) []Fetcher

	table Table
	plans *lru.Cache[*ast.OperationDefinition, *plans]
	count Count
}

// Count is how many queries went which way, and how many of the others were broken, see Schema.
type Count struct{ Direct, Other, Broken atomic.Int64 }

// Over answers by the table what it can, and by es all else.
func Over(es graphql.ExecutableSchema, table Table) (*Schema, error) {
	if err := table.Check(es.Schema()); err != nil {
		return nil, err
	}
	cache, err := lru.New[*ast.OperationDefinition, *plans](maxPlans)
	if err != nil {
		return nil, err
	}
	return &Schema{
		ExecutableSchema: es, table: table, plans: cache, Broken: func(context.Context, error) {}, Together: inTurn,
		Joined: func(_ context.Context, loaders []Fetcher) []Fetcher { return loaders },
	}, nil
}

func inTurn(ctx context.Context, work []func(context.Context)) {
	for _, one := range work {
		one(ctx)
	}
}

// Understands tells whether the table has a field of a type.
func (s *Schema) Understands(typ, field string) bool {
	t := s.table[typ]
	return t != nil && (field == "__typename" || t.fields[field] != nil)
}

// Counted is how many queries went which way.
func (s *Schema) Counted() *Count { return &s.count }

// plans are those of one operation.
type plans struct {
	asked []string
	ok    bool

	mu sync.Mutex
	of [1 << maxAsked]*compiled // by which of the variables asked are true
}

// compiled is a plan, or nil in one where the operation is not understood.
type compiled struct{ *plan }

// Exec answers an operation.
func (s *Schema) Exec(ctx context.Context) graphql.ResponseHandler {
	operation := graphql.GetOperationContext(ctx)
	if operation.Operation.Operation != ast.Query {
		return s.ExecutableSchema.Exec(ctx)
	}
	p := s.planOf(operation)
	if p == nil {
		s.count.Other.Add(1)
		return s.ExecutableSchema.Exec(ctx)
	}
	var rest graphql.ResponseHandler
	begun := false
	return func(inner context.Context) *graphql.Response {
		if begun {
			if rest != nil {
				return rest(inner)
			}
			return nil
		}
		begun = true
		w, err := p.execute(inner, operation, s)
		if err != nil {
			s.count.Other.Add(1)
			if !errors.Is(err, unreadable) {
				s.count.Broken.Add(1)
				s.Broken(inner, err)
			}
			rest = s.ExecutableSchema.Exec(ctx)
			return rest(inner)
		}
		s.count.Direct.Add(1)
		for _, present := range w.errs {
			present()
		}
		return &graphql.Response{Data: w.b}
	}
}

// planOf is the plan for an operation and its variables; nil: it is not understood.
func (s *Schema) planOf(operation *graphql.OperationContext) *plan {
	all, known := s.plans.Get(operation.Operation)
	if !known {
		all = &plans{}
		all.asked, all.ok = asked(operation.Doc, operation.Operation)
		s.plans.Add(operation.Operation, all)
	}
	if !all.ok {
		return nil
	}
	mask := 0
	for i, name := range all.asked {
		yes, ok := operation.Variables[name].(bool)
		if !ok {
			return nil
		}
		if yes {
			mask |= 1 << i
		}
	}
	all.mu.Lock()
	defer all.mu.Unlock()
	if all.of[mask] == nil {
		all.of[mask] = &compiled{compile(s.table, s.Schema(), operation)}
	}
	return all.of[mask].plan
}
