package transport

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
)

// Events serves any operation as an event stream: graphql-sse's "distinct connections", by POST
// and, for a browser's EventSource, by GET.
//
// It answers those who want text/event-stream most. Many clients list it among all that they
// can read, and want JSON.
type Events struct {
	Heartbeat time.Duration // between comments that keep an idle stream open
}

var _ graphql.Transport = Events{}

// Supports tells whether the request wants an event stream before all else.
func (Events) Supports(r *http.Request) bool {
	kinds := accepted(r)
	return len(kinds) > 0 && kinds[0] == eventStream &&
		(r.Method == http.MethodGet || r.Method == http.MethodPost && unreadable(r.Header) == nil)
}

// Do serves the stream until the operation, the client or the credential ends.
func (t Events) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	params, err := read(r)
	if err != nil {
		refuse(w, plainJSON, http.StatusBadRequest, err)
		return
	}
	ctx := r.Context()
	operation, errs := exec.CreateOperationContext(ctx, params)
	if errs == nil && r.Method == http.MethodGet && operation.Operation.Operation == ast.Mutation {
		refuseMutation(w, plainJSON)
		return
	}
	t.serve(ctx, w, exec, operation, errs)
}

func (t Events) serve(ctx context.Context, w http.ResponseWriter, exec graphql.GraphExecutor, operation *graphql.OperationContext, errs gqlerror.List) {
	ctx, cancel := context.WithCancel(graphql.WithOperationContext(ctx, operation))
	defer cancel()
	expires, ends := identity.Expiry(ctx)
	if ends {
		var stop context.CancelFunc
		ctx, stop = context.WithDeadlineCause(ctx, expires, errTokenExpired)
		defer stop()
	}
	header := w.Header()
	header.Set("Content-Type", eventStream+"; charset=utf-8")
	header.Set("Cache-Control", "no-cache")
	header.Set("X-Accel-Buffering", "no") // nginx would keep events until they fill a buffer
	s := &events{w: w, control: http.NewResponseController(w), cancel: cancel}
	s.send(":\n\n") // headers leave now, and the client knows that it is connected
	beat, over := time.NewTicker(t.Heartbeat), ctx.Done()
	var beating sync.WaitGroup
	beating.Go(func() {
		defer beat.Stop()
		for {
			select {
			case <-over:
				return
			case <-beat.C:
				s.send(":\n\n")
			}
		}
	})
	defer s.release()
	defer beating.Wait() // nothing may write once the handler has returned
	defer cancel()

	if errs != nil {
		// EventSource cannot read the body of a refusal: even these come as events.
		s.next(exec.DispatchError(ctx, errs))
		s.complete()
		return
	}
	responses, ctx := exec.DispatchOperation(ctx, operation)
	for {
		response := responses(ctx)
		if response == nil || ctx.Err() != nil {
			break
		}
		s.next(response)
	}
	switch {
	case errors.Is(context.Cause(ctx), errTokenExpired):
		s.next(&graphql.Response{Errors: gqlerror.List{asGraphQL(errTokenExpired)}})
		s.complete()
	case ctx.Err() == nil:
		s.complete()
	} // else the client left, or the server stops: a stream without "complete" is one to resume
}

var errTokenExpired = fault.Errorf(fault.Unauthenticated, "Votre session a expiré. Reconnectez-vous, puis reprenez avec after et le dernier curseur reçu.")

// events writes a stream.
type events struct {
	control *http.ResponseController
	cancel  context.CancelFunc

	mu sync.Mutex
	w  io.Writer
}

func (s *events) next(response *graphql.Response) {
	var data bytes.Buffer
	if err := json.Compact(&data, encode(response)); err != nil { // a line break would end the event's line
		panic(err) // the executor's own
	}
	s.send("event: next\ndata: " + data.String() + "\n\n")
}

// complete has a data line: without one, a browser's EventSource tells nobody of the event.
func (s *events) complete() { s.send("event: complete\ndata:\n\n") }

// send writes and flushes; a client that does not take it in time is cut.
func (s *events) send(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.control.SetWriteDeadline(time.Now().Add(writeTimeout)) // not every writer has one
	_, err := io.WriteString(s.w, text)
	if err == nil {
		err = s.control.Flush()
	}
	if err != nil {
		s.cancel()
	}
}

// release gives the connection back to its next request, without this one's deadline.
func (s *events) release() { _ = s.control.SetWriteDeadline(time.Time{}) }
