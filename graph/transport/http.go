package transport

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/audelor/halles/internal/fault"
)

// HTTP answers queries by GET and POST, and mutations by POST, as the GraphQL over HTTP
// specification (draft of 2025) has it: gqlgen's own ignore q, answer 422 and `data: null`
// where nothing was executed, and repeat the request's body.
//
// A subscription would end after its first event: it becomes a stream where the client can read
// one, of events or of parts, and is refused where not. HTTP takes every request that no other
// transport wants, so let it be the last.
type HTTP struct {
	Heartbeat time.Duration // of such a stream
}

var _ graphql.Transport = HTTP{}

const methods = "GET, POST, OPTIONS" // HEAD goes without saying: it is a GET whose body is not sent

// Supports says yes: a request that is none of ours is refused by its right name.
func (HTTP) Supports(*http.Request) bool { return true }

// Do answers the request.
func (t HTTP) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	ctx, kinds, kind := r.Context(), accepted(r), MediaType(r)
	w.Header().Add("Vary", "Accept")
	w.Header().Set("Content-Type", kind+"; charset=utf-8") // of a panic's answer too

	get := r.Method == http.MethodGet || r.Method == http.MethodHead
	switch {
	case r.Method == http.MethodOptions:
		w.Header().Del("Content-Type")
		w.Header().Set("Allow", methods)
		w.WriteHeader(http.StatusNoContent)
		return
	case !get && r.Method != http.MethodPost:
		w.Header().Set("Allow", methods)
		refuse(w, kind, http.StatusMethodNotAllowed, fault.Errorf(fault.Invalid, "On interroge par GET ou par POST."))
		return
	case len(kinds) == 0:
		refuse(w, kind, http.StatusNotAcceptable, fault.Errorf(fault.Invalid,
			"Acceptez application/graphql-response+json, application/json ou, pour suivre une souscription, text/event-stream ou multipart/mixed;subscriptionSpec=1.0."))
		return
	}
	if !get {
		if err := unreadable(r.Header); err != nil {
			w.Header().Set("Accept", plainJSON) // RFC 9110, 15.5.16
			refuse(w, kind, http.StatusUnsupportedMediaType, err)
			return
		}
	}
	params, err := read(r)
	if err != nil {
		refuse(w, kind, http.StatusBadRequest, err)
		return
	}
	operation, errs := exec.CreateOperationContext(ctx, params)
	if errs != nil {
		answer(w, kind, exec.DispatchError(graphql.WithOperationContext(ctx, operation), errs))
		return
	}
	switch operation.Operation.Operation {
	case ast.Mutation:
		if get { // a link or an image of another site would do it
			refuseMutation(w, kind)
			return
		}
	case ast.Subscription:
		t.subscribe(ctx, w, exec, operation, kinds)
		return
	}
	if !slices.Contains(kinds, kind) { // parts only, which carry subscriptions
		refuse(w, kind, http.StatusNotAcceptable, fault.Errorf(fault.Invalid, "Une requête ou une mutation se lit en application/json ou application/graphql-response+json."))
		return
	}
	responses, ctx := exec.DispatchOperation(ctx, operation)
	response := responses(ctx)
	if response == nil { // the client has left, or the server stops
		refuse(w, kind, http.StatusServiceUnavailable, fault.Errorf(fault.Unavailable, "La requête a été interrompue. Réessayez."))
		return
	}
	answer(w, kind, response)
}

// subscribe serves a subscription as the first kind of stream that the client reads, and refuses
// it when it reads none: plain JSON would bring one event and leave the impression of the end.
func (t HTTP) subscribe(ctx context.Context, w http.ResponseWriter, exec graphql.GraphExecutor, operation *graphql.OperationContext, kinds []string) {
	for _, kind := range kinds {
		switch kind {
		case eventStream:
			follow(ctx, w, exec, operation, nil, serverSent{}, t.Heartbeat)
			return
		case subscriptionParts:
			follow(ctx, w, exec, operation, nil, parts{}, t.Heartbeat)
			return
		}
	}
	refuse(w, jsonOf(kinds), http.StatusNotAcceptable, fault.Errorf(fault.Invalid,
		"Une souscription se suit par WebSocket (graphql-transport-ws) ou, à cette adresse, avec l'en-tête « Accept: text/event-stream » ou « Accept: multipart/mixed;subscriptionSpec=1.0 »."))
}

// answer writes a response. The older application/json gets 200 whatever happened, since its
// clients take any other status for an intermediary's; the newer type says what is refused
// before execution by 400.
func answer(w http.ResponseWriter, kind string, response *graphql.Response) {
	status := http.StatusOK
	if kind == graphQLJSON && response.Data == nil {
		status = http.StatusBadRequest
	}
	body := encode(response)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// encode writes a response as JSON: errors first, where they are seen, and no `data` at all
// when nothing was executed (spec, 7.1). The executor's data is JSON already: encoding/json
// would read all of it once more.
func encode(response *graphql.Response) []byte {
	var b bytes.Buffer
	b.Grow(len(response.Data) + 64)
	b.WriteByte('{')
	member := func(name string, value []byte) {
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		b.WriteString(`"` + name + `":`)
		b.Write(value)
	}
	if len(response.Errors) > 0 {
		member("errors", marshal(response.Errors))
	}
	if response.Data != nil {
		member("data", response.Data)
	}
	if len(response.Extensions) > 0 {
		member("extensions", marshal(response.Extensions))
	}
	b.WriteByte('}')
	return b.Bytes()
}

func marshal(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err) // our own
	}
	return data
}

// refuse answers a request that did not come as far as an operation.
func refuse(w http.ResponseWriter, kind string, status int, err error) {
	w.Header().Set("Content-Type", kind+"; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(encode(&graphql.Response{Errors: gqlerror.List{asGraphQL(err)}}))
}

func refuseMutation(w http.ResponseWriter, kind string) {
	w.Header().Set("Allow", http.MethodPost)
	refuse(w, kind, http.StatusMethodNotAllowed, fault.Errorf(fault.Invalid, "Une mutation s'envoie par POST."))
}

func asGraphQL(err error) *gqlerror.Error {
	f := fault.Of(err)
	shown := &gqlerror.Error{Message: f.Message, Extensions: map[string]any{"code": f.Kind}}
	if len(f.Path) > 0 {
		shown.Extensions["argument"] = f.Path
	}
	return shown
}
