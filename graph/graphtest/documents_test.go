package graphtest_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/audelor/halles/graph"
	registry "github.com/audelor/halles/graph/documents"
	"github.com/audelor/halles/graph/graphtest"
	"github.com/audelor/halles/graph/limits"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
)

// Each registered document is one operation of its file's name that its audience's contract
// answers and the limits let pass.
func TestDocuments(t *testing.T) {
	t.Parallel()
	if len(registry.All()) < 20 {
		t.Errorf("%d documents", len(registry.All()))
	}
	names := map[string]bool{}
	for _, d := range registry.All() {
		s := contract(t, graph.Audience(d.Audience))
		doc, errs := gqlparser.LoadQueryWithRules(s, d.Text, rules.NewDefaultRules())
		if errs != nil {
			t.Errorf("%s for %s: %v", d.Name, d.Audience, errs)
			continue
		}
		if len(doc.Operations) != 1 || doc.Operations[0].Name != d.Name || string(doc.Operations[0].Operation) != d.Kind || names[d.Name] {
			t.Errorf("%s for %s: the file does not hold the one %s of its name", d.Name, d.Audience, d.Kind)
		}
		names[d.Name] = true
		if refused := limits.Measure(doc); refused != nil {
			t.Errorf("%s: %v", d.Name, refused)
		}
		sum := sha256.Sum256([]byte(d.Text))
		if d.Hash != hex.EncodeToString(sum[:]) || registry.ByHash(d.Hash).Name != d.Name || registry.ByText(d.Text).Name != d.Name {
			t.Errorf("%s is not found by its hash %s", d.Name, d.Hash)
		}
	}
	var manifest struct {
		Format     string
		Operations []struct{ ID, Name, Type, Body string }
	}
	if err := json.Unmarshal(registry.Manifest("widget"), &manifest); err != nil {
		t.Fatal(err)
	}
	for _, o := range manifest.Operations {
		if d := registry.ByHash(o.ID); d == nil || d.Audience != "widget" || d.Text != o.Body || d.Name != o.Name || d.Kind != o.Type {
			t.Errorf("the manifest has %+v", o)
		}
	}
	if manifest.Format != "apollo-persisted-query-manifest" || len(manifest.Operations) != 16 {
		t.Errorf("the manifest is %s with %d operations", manifest.Format, len(manifest.Operations))
	}
}

func registered(t *testing.T, name string) *registry.Document {
	t.Helper()
	i := slices.IndexFunc(registry.All(), func(d registry.Document) bool { return d.Name == name })
	if i < 0 {
		t.Fatalf("no document %s", name)
	}
	return &registry.All()[i]
}

func byGet(t *testing.T, c graphtest.Client, query url.Values, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/graphql?"+query.Encode(), nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return c.Do(t, r)
}

// A registered document is asked for by its hash from the first request on, and a query's answer
// may be kept by caches for a second and checked again by its ETag.
func TestDocumentsByHash(t *testing.T) {
	t.Parallel()
	h := graphtest.New(t)
	shop := fixture.Shop(t, h.Database, fixture.ShopOpts{Name: "Chez Ève"})
	fixture.Product(t, h.Database, shop, fixture.ProductOpts{Name: "Far"})
	d := registered(t, "WidgetShop")
	vars := fmt.Sprintf(`{"shop":%q,"first":3}`, shop)
	apq := fmt.Sprintf(`{"persistedQuery":{"version":1,"sha256Hash":%q}}`, d.Hash)
	ways := map[string]url.Values{
		"DocumentID":       {"documentId": {d.Hash}, "variables": {vars}},
		"DocumentIDPrefix": {"documentId": {"sha256:" + d.Hash}, "variables": {vars}},
		"Short":            {"documentId": {d.Short()}, "variables": {vars}},
		"Extension":        {"extensions": {apq}, "variables": {vars}},
	}
	for name, query := range ways {
		a := byGet(t, h.Visitor(), query)
		tag := a.Header().Get("ETag")
		if a.Code != 200 || !strings.Contains(a.Body.String(), "Chez Ève") || !strings.Contains(a.Body.String(), "Far") ||
			a.Header().Get("Cache-Control") != "public, max-age=1" || tag == "" || !slices.Contains(a.Header().Values("Vary"), "Authorization") {
			t.Errorf("%s: %d %v %s", name, a.Code, a.Header(), a.Body)
		}
		for given, status := range map[string]int{tag: 304, strings.TrimPrefix(tag, "W/"): 304, `"other", ` + tag: 304, `"other"`: 200, "": 200} {
			if again := byGet(t, h.Visitor(), query, "If-None-Match", given); again.Code != status || (status == 304) != (again.Body.Len() == 0) {
				t.Errorf("%s: If-None-Match %q: %d with %d bytes", name, given, again.Code, again.Body.Len())
			}
		}
		if with := byGet(t, h.Visitor(), query, "Authorization", "Bearer x"); with.Code != 200 || with.Header().Get("Cache-Control") != "" || with.Header().Get("ETag") != "" {
			t.Errorf("%s: with a credential: %v", name, with.Header())
		}
	}
	for name, body := range map[string]string{
		"DocumentID": fmt.Sprintf(`{"documentId":%q,"variables":%s}`, d.Hash, vars),
		"Extension":  fmt.Sprintf(`{"extensions":%s,"variables":%s}`, apq, vars),
		"WholeText":  string(mustJSON(t, map[string]any{"query": d.Text, "variables": json.RawMessage(vars)})),
	} {
		if a := h.Visitor().Post(t, []byte(body)).OK(t); a.Get("shop.name").String() != "Chez Ève" {
			t.Errorf("%s by POST: %s", name, a.Body)
		}
	}
	cancel := registered(t, "WidgetCancelOrder")
	if a := byGet(t, h.Visitor(), url.Values{"documentId": {cancel.Hash}, "variables": {`{"input":{"order":"x","reason":"OTHER"}}`}}); a.Code != http.StatusMethodNotAllowed || a.Header().Get("Cache-Control") != "" {
		t.Errorf("a mutation by GET: %d %s", a.Code, a.Body)
	}
	if a := byGet(t, h.Visitor(), url.Values{"documentId": {d.Hash}, "variables": {`{"shop":"x","first":3}`}}); !strings.Contains(a.Body.String(), "INVALID") || a.Header().Get("Cache-Control") != "" {
		t.Errorf("an error may be kept: %v %s", a.Header(), a.Body)
	}
	if a := byGet(t, h.Visitor(), url.Values{"query": {"{ viewer { kind } }"}}); a.Header().Get("Cache-Control") != "" || a.Header().Get("ETag") != "" {
		t.Errorf("any query's answer may be kept: %v", a.Header())
	}
	for name, c := range map[string]struct{ body, code string }{
		"Unknown":   {`{"documentId":"` + strings.Repeat("0", 64) + `"}`, "PERSISTED_QUERY_NOT_FOUND"},
		"Twice":     {`{"documentId":"` + d.Hash + `","query":"{ viewer { kind } }"}`, "INVALID"},
		"NotText":   {`{"documentId":7}`, "INVALID"},
		"Neither":   {`{}`, "INVALID"},
		"OddNumber": {`{"extensions":{"persistedQuery":7}}`, "INVALID"},
	} {
		if a := h.Visitor().Post(t, []byte(c.body)); string(a.Code()) != c.code {
			t.Errorf("%s: %s", name, a.Body)
		}
	}
	// By its key a widget gets its own commune's answer, under an address of its own.
	w := h.As(through(t, fixture.Viewer(t, h.Database, identity.Visitor), fixture.WidgetKey(t, h.Database, fixture.Groix, "https://groix.bzh")))
	if a := byGet(t, w, ways["DocumentID"]); !strings.Contains(a.Body.String(), string(fault.NotFound)) {
		t.Errorf("another commune's widget: %s", a.Body)
	}
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
