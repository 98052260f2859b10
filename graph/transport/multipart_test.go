package transport_test

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/audelor/halles/graph"
)

// apollo is what Apollo Client 4 accepts for a subscription.
const apollo = "multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json"

// parts reads a multipart answer part by part.
type parts struct {
	*stream
	t      *testing.T
	reader *multipart.Reader
}

func inParts(t *testing.T, e *stream) *parts {
	t.Helper()
	kind, parameters, err := mime.ParseMediaType(e.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/mixed" || parameters["boundary"] != "graphql" || parameters["subscriptionspec"] != "1.0" || e.StatusCode != http.StatusOK {
		t.Fatalf("%d, Content-Type %q: %v", e.StatusCode, e.Header.Get("Content-Type"), err)
	}
	return &parts{e, t, multipart.NewReader(e.Body, "graphql")}
}

// next is the next part, heartbeats too.
func (p *parts) next() (gjson.Result, error) {
	part, err := p.reader.NextPart()
	if err != nil {
		return gjson.Result{}, err
	}
	if kind := part.Header.Get("Content-Type"); !strings.HasPrefix(kind, "application/json") {
		p.t.Errorf("a part of %q", kind)
	}
	raw, err := io.ReadAll(part)
	if !gjson.ValidBytes(raw) {
		p.t.Errorf("no JSON: %s", raw)
	}
	return gjson.ParseBytes(raw), err
}

// payload is the next part that is no heartbeat.
func (p *parts) payload() gjson.Result {
	p.t.Helper()
	for {
		part, err := p.next()
		if err != nil {
			p.t.Fatal(err)
		}
		if part.Raw != "{}" {
			return part
		}
	}
}

func (p *parts) ended() {
	p.t.Helper()
	for {
		part, err := p.next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil || part.Raw != "{}" {
			p.t.Fatalf("after the end: %s, %v", part, err)
		}
	}
}

// A subscription comes in parts to whoever asks for them: each event at once, heartbeats
// between, and whatever the operation answers in the payload.
func TestMultipartSubscription(t *testing.T) {
	t.Parallel()
	s := start(t, func(o *graph.ServerOptions) { o.Heartbeat = 50 * time.Millisecond })
	order := s.place(t)
	token := s.token(t, time.Hour)

	p := inParts(t, s.post(t.Context(), t, s.watch(""), token, apollo))
	for name, want := range map[string]string{"Cache-Control": "no-cache", "X-Accel-Buffering": "no"} {
		if got := p.Header.Get(name); got != want {
			t.Errorf("%s is %q", name, got)
		}
	}
	if got := p.payload().Get("payload.data.shopOrders.order.id").String(); got != order.String() {
		t.Errorf("order %s", got)
	}
	for range 3 {
		if beat, err := p.next(); err != nil || beat.Raw != "{}" {
			t.Errorf("an idle stream gives %s (%v)", beat, err)
		}
	}
	again := s.place(t)
	if got := p.payload(); got.Get("payload.data.shopOrders.order.id").String() != again.String() || got.Get("errors").Exists() {
		t.Errorf("the next event is %s", got)
	}

	t.Run("ByGet", func(t *testing.T) {
		p := inParts(t, s.getAs(t.Context(), t, s.watch(""), token, apollo))
		if got := p.payload().Get("payload.data.shopOrders.order.id").String(); got != order.String() {
			t.Errorf("order %s", got)
		}
	})
	t.Run("Refused", func(t *testing.T) {
		p := inParts(t, s.post(t.Context(), t, s.watch(""), "", apollo))
		if got := p.payload(); got.Get("payload.errors.0.extensions.code").String() != "UNAUTHENTICATED" || got.Get("errors").Exists() {
			t.Errorf("a visitor got %s", got)
		}
		p.ended()
	})
	// What is wrong with the document is told as of any operation: there is no stream yet.
	t.Run("InvalidDocument", func(t *testing.T) {
		e := s.post(t.Context(), t, map[string]any{"query": "subscription { nothing }"}, token, apollo)
		if text := body(t, e); e.Header.Get("Content-Type") != "application/json; charset=utf-8" || !gjson.Get(text, "errors.0").Exists() {
			t.Errorf("%s: %s", e.Header.Get("Content-Type"), text)
		}
	})
	t.Run("QueriesAreJSON", func(t *testing.T) {
		e := s.post(t.Context(), t, map[string]any{"query": "{ viewer { kind } }"}, token, apollo)
		if text := body(t, e); gjson.Get(text, "data.viewer.kind").String() != "MERCHANT" || e.Header.Get("Content-Type") != "application/json; charset=utf-8" {
			t.Errorf("%s: %s", e.Header.Get("Content-Type"), text)
		}
	})
	// The parts of @defer are not ours: who lists multipart/mixed without a specification wants JSON.
	for accept, status := range map[string]int{
		"multipart/mixed;subscriptionSpec=1.0":                         http.StatusNotAcceptable,
		"multipart/mixed":                                              http.StatusNotAcceptable,
		"multipart/mixed;subscriptionSpec=2.0":                         http.StatusNotAcceptable,
		"multipart/mixed;deferSpec=20220824,application/json":          http.StatusOK,
		"application/json;q=0.1, multipart/mixed;subscriptionSpec=1.0": http.StatusOK,
	} {
		e := s.post(t.Context(), t, map[string]any{"query": "{ viewer { kind } }"}, token, accept)
		if text := body(t, e); e.StatusCode != status || !strings.HasPrefix(e.Header.Get("Content-Type"), "application/json") {
			t.Errorf("a query with Accept %q: %d %s", accept, e.StatusCode, text)
		}
	}
	e := s.post(t.Context(), t, s.watch(""), token, "application/json, multipart/mixed")
	if text := body(t, e); e.StatusCode != http.StatusNotAcceptable || !strings.Contains(text, "subscriptionSpec=1.0") {
		t.Errorf("a subscription to whoever reads the parts of @defer: %d %s", e.StatusCode, text)
	}
}

// What ends the stream and is no answer of the operation's comes beside the payload.
func TestMultipartEnds(t *testing.T) {
	t.Parallel()
	s := start(t, func(o *graph.ServerOptions) { o.Heartbeat = 50 * time.Millisecond }) // the reader knows a part when the next begins
	s.place(t)
	t.Run("TokenExpired", func(t *testing.T) {
		s.expiring(t, 2*time.Second, func(token string, _ time.Time) bool {
			e := s.post(t.Context(), t, s.watch(""), token, apollo)
			if e.StatusCode == http.StatusUnauthorized {
				return false // it came too late
			}
			p := inParts(t, e)
			seen := 0
			end := p.payload()
			for ; end.Get("payload.data.shopOrders").Exists(); end = p.payload() {
				seen++
			}
			if end.Get("errors.0.extensions.code").String() != "UNAUTHENTICATED" || end.Get("payload").Raw != "null" {
				t.Errorf("the end is %s", end)
			}
			p.ended()
			return seen > 0
		})
	})
	t.Run("FeedStops", func(t *testing.T) {
		p := inParts(t, s.post(t.Context(), t, s.watch(""), s.token(t, time.Hour), apollo))
		p.payload()
		s.stop()
		if end := p.payload(); end.Get("errors.0.extensions.code").String() != "UNAVAILABLE" || end.Get("payload").Raw != "null" {
			t.Errorf("the end is %s", end)
		}
		p.ended()
	})
}
