package transport

import (
	"context"
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

// framing is how a stream over HTTP writes what it carries: text/event-stream or multipart/mixed.
type framing interface {
	mediaType() string
	open() string // the first bytes: headers leave with them, and the client knows that it is connected
	heartbeat() string
	next(*graphql.Response) string
	cut(*graphql.Response) string // the stream ends for the reason in the response, which is no answer of the operation's
	complete() string
}

// follow serves an operation as a stream until it ends, or the client or the credential does. Where it
// can, it leaves a subscription to go on by itself, and returns.
func follow(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor, operation *graphql.OperationContext, refused gqlerror.List, form framing, heartbeat time.Duration) {
	ctx, c, unlink := r.Context(), courseOf(r, operation, refused), func() bool { return true }
	header := w.Header()
	if c != nil {
		ctx = context.WithoutCancel(ctx)
		header.Set("Connection", "close") // it does not come back to net/http, whose next request would be read
	}
	var from coming
	ctx, cancel := context.WithCancel(context.WithValue(graphql.WithOperationContext(ctx, operation), comingKey{}, &from))
	end := cancel
	if c != nil {
		unlink = context.AfterFunc(r.Context(), cancel)
	}
	if expires, ends := identity.Expiry(ctx); ends {
		var stop context.CancelFunc
		ctx, stop = context.WithDeadlineCause(ctx, expires, errTokenExpired)
		end = func() { cancel(); stop() }
	}
	header.Set("Content-Type", form.mediaType())
	header.Set("Cache-Control", "no-cache")
	header.Set("X-Accel-Buffering", "no") // nginx would keep events until they fill a buffer
	s := &stream{w: w, control: http.NewResponseController(w), cancel: cancel}
	s.send(form.open())
	s.beat(form.heartbeat(), heartbeat)
	goesOn := false
	defer func() {
		if !goesOn {
			end()
			s.release()
		}
	}()

	if refused != nil {
		s.end(form.next(exec.DispatchError(ctx, refused)) + form.complete())
		return
	}
	responses, ctx := exec.DispatchOperation(ctx, operation)
	for told := false; ; told = true {
		if c != nil && from.source != nil && from.source.Settle(ctx) && s.handOver(func() bool {
			return goApart(w, c, &apart{form: form, coming: from, exec: exec, responses: responses, ctx: ctx, cancel: end, every: heartbeat, told: told})
		}) {
			goesOn = true
			unlink()
			return
		}
		response := responses(ctx)
		if response == nil || ctx.Err() != nil {
			break
		}
		if told && response.Data == nil { // no event: why there are no more
			s.end(form.cut(response))
			return
		}
		s.send(form.next(response))
	}
	switch {
	case errors.Is(context.Cause(ctx), errTokenExpired):
		s.end(form.cut(&graphql.Response{Errors: gqlerror.List{asGraphQL(errTokenExpired)}}))
	case ctx.Err() == nil:
		s.end(form.complete())
	} // else the client left, or the server stops: a stream without its end is one to resume
}

// courseOf is the course of a request whose answer may go on: a subscription that is sent in chunks of
// HTTP/1.1. Else nil.
func courseOf(r *http.Request, operation *graphql.OperationContext, refused gqlerror.List) *course {
	c, _ := r.Context().Value(courseKey{}).(*course)
	if c == nil || refused != nil || operation.Operation.Operation != ast.Subscription || r.ProtoMajor != 1 || r.ProtoMinor != 1 {
		return nil
	}
	return c
}

var errTokenExpired = fault.Errorf(fault.Unauthenticated, "Votre session a expiré. Reconnectez-vous, puis reprenez avec after et le dernier curseur reçu.")

// stream writes what a client reads as it comes.
type stream struct {
	control *http.ResponseController
	cancel  context.CancelFunc

	mu    sync.Mutex
	w     io.Writer
	timer *time.Timer // of the next heartbeat
	ended bool
}

// beat sends a heartbeat now and then, until the end. It is a timer and no goroutine: of thousands of
// streams that wait, the stacks are most of what they hold.
func (s *stream) beat(text string, every time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.timer = time.AfterFunc(every, func() {
		s.send(text)
		s.mu.Lock()
		defer s.mu.Unlock()
		if !s.ended {
			s.timer.Reset(every)
		}
	})
}

// send writes and flushes; a client that does not take it in time is cut.
func (s *stream) send(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return
	}
	_ = s.control.SetWriteDeadline(time.Now().Add(writeTimeout)) // not every writer has one
	_, err := io.WriteString(s.w, text)
	if err == nil {
		err = s.control.Flush()
	}
	if err != nil {
		s.cancel()
	}
}

// end sends the last of the stream: no heartbeat comes after it.
func (s *stream) end(text string) {
	s.send(text)
	s.mu.Lock()
	s.ended = true
	s.mu.Unlock()
}

// handOver lets another write from now on, if it takes the stream.
func (s *stream) handOver(take func() bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !take() {
		return false
	}
	s.ended = true
	s.timer.Stop()
	return true
}

// release gives the connection back to its next request, without this one's deadline. Nothing may be
// written once the handler has returned: what is being written is waited for.
func (s *stream) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	s.timer.Stop()
	_ = s.control.SetWriteDeadline(time.Time{})
}
