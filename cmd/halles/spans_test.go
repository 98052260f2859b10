package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/notice/sink"
	"github.com/audelor/halles/internal/pg/pgtest"
)

// spanned is what a collector has of a span.
type spanned struct{ trace, parent, id, name string }

// A collector gets a query with its statements, and an order with its own and the job that tells the
// shop; and nothing in all of it says who ordered, where, or what somebody looked for.
func TestTraces(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var all strings.Builder
	posted := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		all.Write(body)
		all.WriteByte('\n')
	}))
	defer posted.Close()
	got := func() (list []spanned, text string) {
		mu.Lock()
		defer mu.Unlock()
		for line := range strings.Lines(all.String()) {
			for _, s := range gjson.Get(line, "resourceSpans.#.scopeSpans.#.spans|@flatten|@flatten").Array() {
				name := s.Get("name").String()
				if about := s.Get(`attributes.#(key=="halles.about").value.stringValue`).String(); about != "" {
					name += " " + about
				}
				list = append(list, spanned{s.Get("traceId").String(), s.Get("parentSpanId").String(), s.Get("spanId").String(), name})
			}
		}
		return list, all.String()
	}

	d := pgtest.New(t)
	mails, err := sink.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = mails.Close() })
	shop := fixture.Shop(t, d, fixture.ShopOpts{})
	variant := fixture.Product(t, d, shop, fixture.ProductOpts{Stock: 10}).Variants[0]
	r := restartable(t, d, "HALLES_LEAVE=0s", "OTEL_EXPORTER_OTLP_ENDPOINT="+posted.URL, "OTEL_BSP_SCHEDULE_DELAY=100", "HALLES_SMTP_URL="+mails.URL(), mailFrom)
	r.start(t)
	t.Cleanup(func() { r.kill(t) })
	post(t, r.address, "", `query { search(text: "Canari", first: 5) { edges { node { __typename } } } }`, nil)
	made := post(t, r.address, "", `mutation ($in: PlaceOrdersInput!) { placeOrders(input: $in) { results { order { id } } } }`, map[string]any{"in": map[string]any{
		"idempotencyKey": "the-key-of-a-canari", "contact": map[string]any{"name": "Canari Quintrec", "phone": "+33639989901", "email": "canari@example.bzh"},
		"orders": []any{map[string]any{"shop": shop.String(), "mode": "PICKUP", "note": "Chez le canari", "lines": []any{map[string]any{"variant": variant.String(), "quantity": 2}}}},
	}})
	order := made.Get("placeOrders.results.0.order.id").String()
	if order == "" {
		t.Fatalf("no order: %s", made.Raw)
	}
	row := pgtest.Scan[string](t, d, `select id::text from orders`)
	var list []spanned
	var text string
	has := func(name string) int { return slices.IndexFunc(list, func(s spanned) bool { return s.name == name }) }
	statements := func(name string) (n int) {
		for _, s := range list {
			if at := has(name); at >= 0 && s.trace == list[at].trace && s.id != list[at].id && s.parent != "" {
				n++
			}
		}
		return n
	}
	waitFor(t, r.log, func() bool {
		list, text = got()
		return statements("search") >= 1 && statements("placeOrders") >= 5 && statements("mail "+row) >= 1
	})
	for _, word := range []string{"canari", "quintrec", "639989901", "example.bzh", "the-key-of", "127.0.0.1"} {
		if at := strings.Index(strings.ToLower(text), word); at >= 0 {
			t.Errorf("%s is told: …%s…", word, text[max(0, at-200):min(len(text), at+60)])
		}
	}
	t.Logf("%d spans; a search has %d statements, an order %d", len(list), statements("search"), statements("placeOrders"))
}
