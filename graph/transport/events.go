package transport

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
)

const eventStream = "text/event-stream"

// Events serves any operation as an event stream: graphql-sse's "distinct connections", by POST
// and, for a browser's EventSource, by GET.
//
// It answers those who put text/event-stream first in Accept. Many clients list it among all
// that they can read, and want JSON.
type Events struct {
	Heartbeat time.Duration // between comments that keep an idle stream open
}

var _ graphql.Transport = Events{}

// Supports tells whether the request wants an event stream before all else.
func (Events) Supports(r *http.Request) bool {
	first, _, _ := strings.Cut(r.Header.Get("Accept"), ",")
	kind, _, err := mime.ParseMediaType(first)
	return err == nil && kind == eventStream && (r.Method == http.MethodGet || isJSONPost(r)) && r.Header.Get("Upgrade") == ""
}

func isJSONPost(r *http.Request) bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && kind == "application/json" && r.Method == http.MethodPost
}

// Do serves the stream until the operation, the client or the credential ends.
func (t Events) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	params, err := read(r)
	if err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	ctx := r.Context()
	operation, errs := exec.CreateOperationContext(ctx, params)
	if errs == nil && r.Method == http.MethodGet && operation.Operation.Operation == ast.Mutation {
		w.Header().Set("Allow", http.MethodPost)
		refuse(w, http.StatusMethodNotAllowed, fault.Errorf(fault.Invalid, "Une mutation s'envoie par POST."))
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
	data, err := json.Marshal(response)
	if err != nil {
		panic(err) // the executor's own
	}
	s.send("event: next\ndata: " + string(data) + "\n\n") // JSON has no line break
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

// read takes the operation from the query of a GET or the body of a POST.
func read(r *http.Request) (*graphql.RawParams, error) {
	params := &graphql.RawParams{Headers: r.Header}
	params.ReadTime.Start = graphql.Now()
	if r.Method == http.MethodGet {
		query := r.URL.Query()
		params.Query, params.OperationName = query.Get("query"), query.Get("operationName")
		for name, to := range map[string]*map[string]any{"variables": &params.Variables, "extensions": &params.Extensions} {
			if text := query.Get(name); text != "" && decode(strings.NewReader(text), to) != nil {
				return nil, fault.At([]string{name}, "%s n'est pas un objet JSON.", name)
			}
		}
	} else if decode(r.Body, params) != nil {
		return nil, fault.Errorf(fault.Invalid, "Le corps de la requête n'est pas un objet JSON {query, variables, operationName, extensions}.")
	}
	params.ReadTime.End = graphql.Now()
	return params, nil
}

func decode(r io.Reader, to any) error {
	decoder := json.NewDecoder(r)
	decoder.UseNumber()
	return decoder.Decode(to)
}

// refuse answers a request that did not come as far as an operation.
func refuse(w http.ResponseWriter, status int, err error) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"errors": gqlerror.List{asGraphQL(err)}})
}

func asGraphQL(err error) *gqlerror.Error {
	f := fault.Of(err)
	shown := &gqlerror.Error{Message: f.Message, Extensions: map[string]any{"code": f.Kind}}
	if len(f.Path) > 0 {
		shown.Extensions["argument"] = f.Path
	}
	return shown
}
