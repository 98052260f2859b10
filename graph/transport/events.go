package transport

import (
	"bytes"
	"encoding/json"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
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
	operation, refused := exec.CreateOperationContext(ctx, params)
	if refused == nil && r.Method == http.MethodGet && operation.Operation.Operation == ast.Mutation {
		refuseMutation(w, plainJSON)
		return
	}
	// EventSource cannot read the body of a refusal: even what is wrong with the document comes as
	// an event.
	follow(w, r, exec, operation, refused, serverSent{}, t.Heartbeat)
}

// serverSent writes events as browsers read them (HTML, 9.2).
type serverSent struct{}

func (serverSent) mediaType() string { return eventStream + "; charset=utf-8" }
func (serverSent) open() string      { return ":\n\n" }
func (serverSent) heartbeat() string { return ":\n\n" }

func (serverSent) next(response *graphql.Response) string {
	plain := len(response.Errors) == 0 && len(response.Extensions) == 0
	if last := lastSent.Load(); plain && last != nil && string(response.Data) == last.data {
		return last.text
	}
	text := "event: next\ndata: " + oneLine(encode(nil, response)) + "\n\n"
	if plain {
		lastSent.Store(&sent{string(response.Data), text})
	}
	return text
}

// lastSent is what was written last, for the many who follow the same.
var lastSent atomic.Pointer[sent]

type sent struct{ data, text string }

// oneLine is JSON without line breaks: one would end the event's line.
func oneLine(content []byte) string {
	if !bytes.ContainsAny(content, "\r\n") {
		return string(content)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, content); err != nil {
		panic(err) // the executor's own
	}
	return compact.String()
}

func (f serverSent) cut(response *graphql.Response) string { return f.next(response) + f.complete() }

// complete has a data line: without one, a browser's EventSource tells nobody of the event.
func (serverSent) complete() string { return "event: complete\ndata:\n\n" }
