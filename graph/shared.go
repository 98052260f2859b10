package graph

import (
	"bytes"
	"context"
	"strings"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/audelor/halles/graph/generated"
	"github.com/audelor/halles/internal/ordering"
)

// shared has followers who ask the same of an event share its answer: it is made once, where each of
// two thousand who follow a shop made it.
//
// Only what an event says by itself is shared. Such an answer is a function of the event's own values,
// its cursor among them, and of the names that were asked for: nothing in it depends on who reads. Who
// asks for the order too has it read with its own rights, and shares nothing.
type shared struct {
	graphql.ExecutableSchema
	tellings tellings
}

// The event's own fields are those that need no resolver: this one is the only one that does.
var _ generated.OrderEventResolver = interface {
	Order(ctx context.Context, e *ordering.Event) (*ordering.Order, error)
}(nil)

// Exec answers an operation. The events of a subscription come past here, and gqlgen is handed those that
// it has to answer, one by one.
func (s *shared) Exec(ctx context.Context) graphql.ResponseHandler {
	e, _ := ctx.Value(endingKey{}).(*ending)
	if e == nil { // no subscription
		return s.ExecutableSchema.Exec(ctx)
	}
	selection := s.ofEvent(graphql.GetOperationContext(ctx))
	e.reads = selection == ""
	answer := s.ExecutableSchema.Exec(ctx)
	if e.events == nil { // refused
		return answer
	}
	ended := false
	return func(ctx context.Context) *graphql.Response {
		event, more := e.events.Next(ctx)
		own := func() *graphql.Response {
			e.one <- event // it holds one, and is read at once
			return answer(ctx)
		}
		switch {
		case more && e.reads:
			return own()
		case more:
			return s.tellings.of(selection, event).data(ctx, own)
		case ctx.Err() != nil:
			return nil
		case !ended:
			ended = true
			close(e.one)
		}
		return answer(ctx)
	}
}

// ofEvent names what is asked for of an event, where all of it is the event's own; else "".
func (s *shared) ofEvent(o *graphql.OperationContext) string {
	roots := graphql.CollectFields(o, o.Operation.SelectionSet, []string{"Subscription"})
	if len(roots) != 1 {
		return ""
	}
	schema := s.Schema()
	root := schema.Subscription.Fields.ForName(roots[0].Name)
	if root == nil || root.Type.Name() != "OrderEvent" {
		return ""
	}
	var name strings.Builder
	name.WriteString(roots[0].Alias)
	for _, f := range graphql.CollectFields(o, roots[0].Selections, []string{"OrderEvent"}) {
		if f.Name != "__typename" {
			field := schema.Types["OrderEvent"].Fields.ForName(f.Name)
			if field == nil || len(field.Arguments) > 0 {
				return ""
			}
			if kind := schema.Types[field.Type.Name()].Kind; kind != ast.Scalar && kind != ast.Enum {
				return ""
			}
		}
		name.WriteString(" " + f.Alias + ":" + f.Name)
	}
	return name.String()
}

// tellings are the last answers that were made of events.
type tellings struct {
	mu   sync.Mutex
	last [32]*telling
	next int
}

// telling is the answer to a selection of an event.
type telling struct {
	selection string
	event     ordering.Event // without pointers
	reason    ordering.Reason

	once sync.Once
	made []byte // nil: each makes its own
}

// of finds the answer of an event to those who select the same, or the place for it.
func (t *tellings) of(selection string, e *ordering.Event) *telling {
	own, reason := *e, ordering.Reason("")
	if own.Reason != nil {
		reason = *own.Reason
	}
	own.Reason, own.Reader = nil, nil
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, known := range t.last {
		if known != nil && known.event == own && known.reason == reason && known.selection == selection {
			return known
		}
	}
	made := &telling{selection: selection, event: own, reason: reason}
	t.last[t.next] = made
	t.next = (t.next + 1) % len(t.last)
	return made
}

// data is the answer, made by whoever comes first; the others wait for it. One with an error is its
// maker's alone.
func (t *telling) data(ctx context.Context, make func() *graphql.Response) *graphql.Response {
	var own *graphql.Response
	first := false
	t.once.Do(func() {
		first = true
		if own = make(); own != nil && len(own.Errors) == 0 && len(graphql.GetErrors(ctx)) == 0 {
			t.made = bytes.Clone(own.Data)
		}
	})
	switch {
	case first:
		return own
	case t.made == nil:
		return make()
	}
	return &graphql.Response{Data: t.made}
}
