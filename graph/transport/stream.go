package transport

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
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

// follow serves an operation as a stream until it ends, or the client or the credential does.
func follow(ctx context.Context, w http.ResponseWriter, exec graphql.GraphExecutor, operation *graphql.OperationContext, refused gqlerror.List, form framing, heartbeat time.Duration) {
	ctx, cancel := context.WithCancel(graphql.WithOperationContext(ctx, operation))
	defer cancel()
	expires, ends := identity.Expiry(ctx)
	if ends {
		var stop context.CancelFunc
		ctx, stop = context.WithDeadlineCause(ctx, expires, errTokenExpired)
		defer stop()
	}
	header := w.Header()
	header.Set("Content-Type", form.mediaType())
	header.Set("Cache-Control", "no-cache")
	header.Set("X-Accel-Buffering", "no") // nginx would keep events until they fill a buffer
	s := &stream{w: w, control: http.NewResponseController(w), cancel: cancel}
	s.send(form.open())
	s.beat(form.heartbeat(), heartbeat)
	defer s.release()
	defer cancel()

	if refused != nil {
		s.end(form.next(exec.DispatchError(ctx, refused)) + form.complete())
		return
	}
	responses, ctx := exec.DispatchOperation(ctx, operation)
	for told := false; ; told = true {
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

// release gives the connection back to its next request, without this one's deadline. Nothing may be
// written once the handler has returned: what is being written is waited for.
func (s *stream) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	s.timer.Stop()
	_ = s.control.SetWriteDeadline(time.Time{})
}
