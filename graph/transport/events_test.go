package transport_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/audelor/halles/graph"
)

// take adds the event in data to what was got.
func take(t *testing.T, data, path string, got []string, cursor string) ([]string, string) {
	t.Helper()
	e := gjson.Get(data, path)
	if !e.Exists() {
		if strings.Contains(data, "errors") {
			t.Errorf("got %s", data)
		}
		return got, cursor
	}
	return append(got, e.Get("order.id").String()+" "+e.Get("status").String()), e.Get("cursor").String()
}

func body(t *testing.T, s *stream) string {
	t.Helper()
	raw, err := io.ReadAll(s.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// An event stream answers what asks for it, in graphql-sse's form, and is kept alive.
func TestEventStream(t *testing.T) {
	t.Parallel()
	s := start(t, func(o *graph.ServerOptions) { o.Heartbeat = 50 * time.Millisecond })
	order := s.place(t)
	token := s.token(t, time.Hour)

	e := s.post(t.Context(), t, s.watch(""), token, "text/event-stream")
	for name, want := range map[string]string{
		"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache", "X-Accel-Buffering": "no",
	} {
		if got := e.Header.Get(name); got != want {
			t.Errorf("%s is %q", name, got)
		}
	}
	if e.StatusCode != http.StatusOK {
		t.Errorf("status %d", e.StatusCode)
	}
	if id := e.want(t, "next").Get("data.shopOrders.order.id").String(); id != order.String() {
		t.Errorf("order %s", id)
	}
	comments := 0
	for comments < 3 && e.lines.Scan() {
		if strings.HasPrefix(e.lines.Text(), ":") {
			comments++
		}
	}
	if comments < 3 {
		t.Error("an idle stream is silent")
	}

	t.Run("ByGet", func(t *testing.T) {
		e := s.get(t.Context(), t, s.watch(""), token)
		if id := e.want(t, "next").Get("data.shopOrders.order.id").String(); id != order.String() {
			t.Errorf("order %s", id)
		}
	})
	t.Run("QueryCompletes", func(t *testing.T) {
		e := s.post(t.Context(), t, map[string]any{"query": "{ viewer { kind } }"}, token, "text/event-stream")
		if kind := e.want(t, "next").Get("data.viewer.kind").String(); kind != "MERCHANT" {
			t.Errorf("kind %s", kind)
		}
		if data := e.want(t, "complete"); data.Raw != "" {
			t.Errorf("complete carries %s", data)
		}
		e.ended(t)
	})
	t.Run("InvalidDocument", func(t *testing.T) {
		e := s.post(t.Context(), t, map[string]any{"query": "{ nothing }"}, token, "text/event-stream")
		if errs := e.want(t, "next").Get("errors"); len(errs.Array()) == 0 {
			t.Error("no errors")
		}
		e.want(t, "complete")
		e.ended(t)
	})
	t.Run("Refused", func(t *testing.T) {
		e := s.post(t.Context(), t, s.watch(""), "", "text/event-stream")
		e.cut(t, "UNAUTHENTICATED")
	})
	t.Run("MutationByGet", func(t *testing.T) {
		e := s.get(t.Context(), t, map[string]any{"query": `mutation { acceptOrder(input: {order: "` + order.String() + `"}) { order { status } } }`}, token)
		if e.StatusCode != http.StatusMethodNotAllowed || e.Header.Get("Allow") != http.MethodPost {
			t.Errorf("status %d, Allow %q", e.StatusCode, e.Header.Get("Allow"))
		}
		if log := s.log(t); len(log) != 1 {
			t.Errorf("it was executed: %v", log)
		}
	})
	t.Run("BadBody", func(t *testing.T) {
		e := s.request(t.Context(), t, http.MethodPost, "", `{"query": <script>`, "Accept", "text/event-stream", "Content-Type", "application/json")
		if text := body(t, e); e.StatusCode != http.StatusBadRequest || strings.Contains(text, "script") {
			t.Errorf("status %d: %s", e.StatusCode, text)
		}
	})
}

// What one can read decides how a POST is answered: a query is JSON to whoever merely lists
// event streams; a subscription is a stream to them, and refused with what to send where no
// stream can be read.
func TestAccept(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.place(t)
	token := s.token(t, time.Hour)
	const lists = "application/graphql-response+json, application/json, text/event-stream, multipart/mixed" // urql
	query := map[string]any{"query": "{ viewer { kind } }"}
	e := s.post(t.Context(), t, query, token, lists)
	if text := body(t, e); gjson.Get(text, "data.viewer.kind").String() != "MERCHANT" || strings.Contains(e.Header.Get("Content-Type"), "event-stream") {
		t.Errorf("%s: %s", e.Header.Get("Content-Type"), text)
	}
	e = s.post(t.Context(), t, s.watch(""), token, lists)
	e.want(t, "next")
	for _, accept := range []string{"application/json", "*/*", ""} {
		e = s.post(t.Context(), t, s.watch(""), token, accept)
		text := body(t, e)
		if e.StatusCode != http.StatusNotAcceptable || !strings.Contains(text, "text/event-stream") || gjson.Get(text, "errors.0.extensions.code").String() != "INVALID" {
			t.Errorf("Accept %q: %d %s", accept, e.StatusCode, text)
		}
	}
	e = s.post(t.Context(), t, query, token, "application/json")
	if text := body(t, e); gjson.Get(text, "data.viewer.kind").String() != "MERCHANT" {
		t.Errorf("a plain query: %s", text)
	}
}
