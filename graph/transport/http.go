package transport

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
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
	Heartbeat time.Duration                        // of such a stream
	Cacheable func(*graphql.OperationContext) bool // whether the answer to a GET without a credential may be kept; nil: never
	Kept      *Kept                                // answers that were made before; nil: none
	Spent     func(data []byte)                    // is given the data of an answer that nobody reads any more; nil: nobody wants it
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
	question, asks := t.Kept.ask(r, params)
	asks = asks && slices.Contains(kinds, kind)
	if asks && t.Kept.serve(w, r, kind, question) {
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
		t.subscribe(w, r, exec, operation, kinds)
		return
	}
	if !slices.Contains(kinds, kind) { // parts only, which carry subscriptions
		refuse(w, kind, http.StatusNotAcceptable, fault.Errorf(fault.Invalid, "Une requête ou une mutation se lit en application/json ou application/graphql-response+json."))
		return
	}
	var response *graphql.Response
	var body, room []byte
	if !asks { // else the answer may be kept
		lent := rooms.Get().(*[]byte)
		defer func() {
			if body != nil && cap(body) <= maxRoom {
				*lent = body
			}
			rooms.Put(lent)
		}()
		room = *lent
	}
	execute := func(ctx context.Context) {
		responses, ctx := exec.DispatchOperation(ctx, operation)
		if response = responses(ctx); response != nil {
			body = encode(room, response)
			if !asks && t.Spent != nil && response.Data != nil {
				t.Spent(response.Data)
				response.Data = []byte{} // there was some
			}
		}
	}
	public := t.Cacheable != nil && t.Cacheable(operation)
	if !asks || operation.Operation.Operation != ast.Query {
		execute(ctx)
	} else if t.Kept.share(w, r, kind, question, operation, public, func(ctx context.Context) (*graphql.Response, []byte) {
		execute(ctx)
		return response, body
	}) {
		return
	}
	if response == nil { // the client has left, or the server stops
		refuse(w, kind, http.StatusServiceUnavailable, fault.Errorf(fault.Unavailable, "La requête a été interrompue. Réessayez."))
		return
	}
	if get && r.Header.Get("Authorization") == "" && public && len(response.Errors) == 0 && unchanged(w, r, tagOf(body)) {
		return
	}
	write(w, kind, response, body)
}

// kept is how long a cache may answer for us: nothing stale is shown for longer.
const kept = "public, max-age=1"

// tagOf is the ETag of an answer, without its quotation marks.
func tagOf(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:12])
}

// unchanged tells caches that they may keep an answer, and answers 304 to one that has it. The
// address names the document, the variables and the key of a widget.
func unchanged(w http.ResponseWriter, r *http.Request, tag string) bool {
	tag = `"` + tag + `"`
	w.Header().Set("ETag", "W/"+tag) // weak: it may be compressed on its way
	w.Header().Set("Cache-Control", kept)
	w.Header().Add("Vary", "Authorization")
	for given := range strings.SplitSeq(r.Header.Get("If-None-Match"), ",") {
		if strings.TrimPrefix(strings.TrimSpace(given), "W/") == tag {
			w.Header().Del("Content-Type")
			w.WriteHeader(http.StatusNotModified)
			return true
		}
	}
	return false
}

// subscribe serves a subscription as the first kind of stream that the client reads, and refuses
// it when it reads none: plain JSON would bring one event and leave the impression of the end.
func (t HTTP) subscribe(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor, operation *graphql.OperationContext, kinds []string) {
	for _, kind := range kinds {
		switch kind {
		case eventStream:
			follow(w, r, exec, operation, nil, serverSent{}, t.Heartbeat)
			return
		case subscriptionParts:
			follow(w, r, exec, operation, nil, parts{}, t.Heartbeat)
			return
		}
	}
	refuse(w, jsonOf(kinds), http.StatusNotAcceptable, fault.Errorf(fault.Invalid,
		"Une souscription se suit par WebSocket (graphql-transport-ws) ou, à cette adresse, avec l'en-tête « Accept: text/event-stream » ou « Accept: multipart/mixed;subscriptionSpec=1.0 »."))
}

// RetryAfter is the member of an error's extensions that says after how many seconds what was
// too much may be asked again. HTTP says it by a header of that name too.
const RetryAfter = "retryAfterSeconds"

// answer writes a response. The older application/json gets 200 whatever happened, since its
// clients take any other status for an intermediary's; the newer type says what is refused
// before execution by 400. What was asked too often gets 429 in both, and what came when too many
// asked 503: these are HTTP's own words, and for the intermediaries too.
func answer(w http.ResponseWriter, kind string, response *graphql.Response) {
	write(w, kind, response, encode(nil, response))
}

func write(w http.ResponseWriter, kind string, response *graphql.Response, body []byte) {
	status := http.StatusOK
	if kind == graphQLJSON && response.Data == nil {
		status = http.StatusBadRequest
	}
	if response.Data == nil && len(response.Errors) > 0 {
		if wait, limited := response.Errors[0].Extensions[RetryAfter].(int); limited {
			w.Header().Set("Retry-After", strconv.Itoa(wait))
			status = http.StatusTooManyRequests
			if response.Errors[0].Extensions["code"] == fault.Unavailable {
				status = http.StatusServiceUnavailable
			}
		}
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) //nolint:gosec // its type is JSON, see kind, and nosniff
}

// encode writes a response as JSON: errors first, where they are seen, and no `data` at all
// when nothing was executed (spec, 7.1). The executor's data is JSON already: encoding/json
// would read all of it once more. It is written into b, from its beginning.
func encode(b []byte, response *graphql.Response) []byte {
	b = append(slices.Grow(b[:0], len(response.Data)+128), '{')
	member := func(name string, value []byte) {
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(append(append(b, '"'), name...), `":`...)
		b = append(b, value...)
	}
	if len(response.Errors) > 0 {
		member("errors", marshal(response.Errors))
	}
	if response.Data != nil {
		member("data", response.Data)
	}
	if len(response.Extensions) > 0 {
		member("extensions", nil)
		b = appendExtensions(b, response.Extensions)
	}
	return append(b, '}')
}

// appendExtensions writes what is told beside the data. Nearly always that is the cost alone, which
// writes itself: encoding/json took 2 µs for it, a hundredth of a product's answer.
func appendExtensions(b []byte, all map[string]any) []byte {
	if len(all) == 1 {
		for name, value := range all {
			if one, ok := value.(interface{ AppendJSON(b []byte) []byte }); ok {
				b = append(strconv.AppendQuote(append(b, '{'), name), ':')
				return append(one.AppendJSON(b), '}')
			}
		}
	}
	return append(b, marshal(all)...)
}

// rooms are lent to answers that are not kept: one of 6 KB took as much again to make.
var rooms = sync.Pool{New: func() any { return new([]byte) }}

// maxRoom bounds what is lent again, in bytes: a page of a commune's shops with products has 70 KB.
const maxRoom = 128 << 10

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
	_, _ = w.Write(encode(nil, &graphql.Response{Errors: gqlerror.List{asGraphQL(err)}}))
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
