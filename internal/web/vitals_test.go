package web_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/pg"
)

// scrape is what the server tells those who run it.
func (s *site) scrape() string {
	s.t.Helper()
	w := httptest.NewRecorder()
	s.web.Operations().ServeHTTP(w, httptest.NewRequestWithContext(s.t.Context(), http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		s.t.Fatalf("/metrics: %d %s", w.Code, w.Body)
	}
	return w.Body.String()
}

// look opens an address.
func (s *site) look(path string) answer { return s.do(http.MethodGet, path, "") }

// place orders as a visitor, and returns the answer.
func (s *site) place(key string, quantity int, variant string) answer {
	s.t.Helper()
	return s.ask(`mutation { placeOrders(input: {idempotencyKey: "` + key + `", contact: {name: "Zébulon Quimperlé", phone: "+33639981234", email: "zebulon@quimperle.example"},
		orders: [{shop: "` + s.shop.String() + `", mode: PICKUP, note: "sonnez chez Quimperlé", lines: [{variant: "` + variant + `", quantity: ` + string(rune('0'+quantity)) + `}]}]}) {
		results { order { id } refusals { code } } } }`)
}

// What was asked is counted under names that the program knows, whatever a client writes.
func TestVitals(t *testing.T) {
	t.Parallel()
	s := start(t)
	variant := fixture.Product(t, s.db, s.shop, fixture.ProductOpts{Stock: 3}).Variants[0].String()
	s.ask(`query AnnaQuimper { communes { insee } }`).wants(t, 200, "56121")
	s.ask(`{ communes { insee } viewer { kind } }`)
	s.ask(`{ nothingLikeIt }`)
	s.place("vitals-order-0001", 2, variant).wants(t, 200, `"order":{"id"`)
	s.place("vitals-order-0002", 9, variant).wants(t, 200, `"code":"OUT_OF_STOCK"`)
	s.look("/boutique/lorient/chez-anna")
	s.look("/anna/quimper")

	text := s.scrape()
	for _, line := range []string{
		`halles_operations_total{operation="communes",type="query"} 1`,
		`halles_operations_total{operation="several",type="query"} 1`,
		`halles_operations_total{operation="invalid",type="invalid"} 1`,
		`halles_operations_total{operation="placeOrders",type="mutation"} 2`,
		`halles_operation_duration_seconds_count{operation="placeOrders"} 2`,
		`halles_operation_errors_total{code="INVALID"} 1`,
		`halles_refusals_total{code="OUT_OF_STOCK"} 1`,
		`halles_http_requests_total{code="200",method="POST",route="/graphql"}`,
		`halles_http_requests_total{code="404",method="GET",route="none"} 1`,
		`halles_http_requests_total{code="404",method="GET",route="/boutique/{commune}/{slug}"} 1`,
		`halles_pool_connections{role="halles_public",state="max"} 2`,
		`halles_database_up 1`, `halles_jobs{state="available"}`, `halles_facts_behind_events 1`,
	} {
		if !strings.Contains(text, line) {
			t.Errorf("no %s", line)
		}
	}
	for _, private := range []string{"nna", "uimper", "nothingLikeIt", s.shop.String(), "56121"} {
		if strings.Contains(text, private) {
			t.Errorf("%q is a client's, and stands in the figures", private)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
}

// The log says of a request its number, its operation and its network, and of an order nothing
// about the person: not when it succeeds, nor when it is refused or fails inside.
func TestLogNamesNobody(t *testing.T) {
	t.Parallel()
	s := start(t)
	variant := fixture.Product(t, s.db, s.shop, fixture.ProductOpts{Stock: 5}).Variants[0].String()
	s.place("log-order-0000001", 2, variant).wants(t, 200, `"order":{"id"`)
	s.place("log-order-0000002", 9, variant).wants(t, 200, `"code":"OUT_OF_STOCK"`)
	s.ask(`mutation { placeOrders(input: {idempotencyKey: "k", contact: {name: "Zébulon Quimperlé", phone: "06 39 98 12 34 zebulon"}, orders: []}) { results { order { id } } } }`)
	s.look("/graphql?query=" + `{nodes(ids:["zebulon@quimperle.example"]){id}}`)
	s.db.Exec(t, `alter table order_contacts rename to contacts_away`)
	s.place("log-order-0000003", 1, variant).wants(t, 200, `"code":"INTERNAL"`)

	log := s.log.String()
	for _, want := range []string{`"operation":"placeOrders"`, `"network":"127.0.0.0/24"`, `"request":"`, "internal error"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log does not tell %s", want)
		}
	}
	for _, private := range []string{"Zébulon", "zebulon", "uimperl", "639981234", "39 98 12", "sonnez", "127.0.0.1"} {
		if strings.Contains(log, private) {
			t.Errorf("the log tells %q", private)
		}
	}
	if t.Failed() {
		t.Log(log)
	}
}

// Every figure that the dashboard and the alerts name is one that a running server gives.
func TestDashboardNamesWhatExists(t *testing.T) {
	t.Parallel()
	s := start(t, keeping)
	variant := fixture.Product(t, s.db, s.shop, fixture.ProductOpts{Stock: 1}).Variants[0].String()
	s.place("dashboard-order-1", 9, variant).wants(t, 200, "OUT_OF_STOCK")
	s.ask(`{ nothingLikeIt }`)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.web.Run(ctx) }()
	defer func() { cancel(); t.Log("ended:", <-ended) }()
	var given []string
	for began := time.Now(); !slices.Contains(given, "halles_job_runs_total"); time.Sleep(50 * time.Millisecond) {
		if time.Since(began) > time.Minute {
			t.Fatal("no job was run")
		}
		given = given[:0]
		for line := range strings.Lines(s.scrape()) {
			if name, ok := strings.CutPrefix(line, "# TYPE "); ok {
				name, kind, _ := strings.Cut(strings.TrimSpace(name), " ")
				given = append(given, name)
				if kind == "histogram" {
					given = append(given, name+"_bucket", name+"_count", name+"_sum")
				}
			}
		}
	}
	// With the first of their kind; a server at rest has had none.
	given = append(given, "halles_events_sent_total", "halles_shed_total")
	named := regexp.MustCompile(`\b(?:halles|go|process)_[a-z0-9_]+\b`)
	for _, file := range []string{"dashboard.json", "alerts.yml"} {
		f, err := os.Open("../../.ops/" + file)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		found := named.FindAllString(string(text), -1)
		if len(found) < 10 {
			t.Errorf("%s names %d figures only", file, len(found))
		}
		for _, name := range found {
			if !slices.Contains(given, name) && !slices.Contains(s.db.DB.Roles(), pg.Role(name)) {
				t.Errorf("%s: no server gives %s", file, name)
			}
		}
	}
}
