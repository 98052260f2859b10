package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/audelor/halles/graph"
	"github.com/audelor/halles/graph/documents"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/web"
)

func hashOf(t *testing.T, name string) string {
	t.Helper()
	for _, d := range documents.All() {
		if d.Name == name {
			return d.Hash
		}
	}
	t.Fatalf("no document %s", name)
	return ""
}

// Where an audience may send registered documents only, its requests with any other are refused,
// over every transport, and nobody else's are.
func TestRegisteredDocumentsOnly(t *testing.T) {
	t.Parallel()
	const own = "{ viewer { kind } }"
	s := start(t, func(o *web.Options) { o.Registered = []graph.Audience{graph.Widget, graph.SPA} })
	key := fixture.WidgetKey(t, s.db, fixture.Lorient, "https://lorient.bzh")
	asWidget := []string{"X-Halles-Key", key.Key, "Origin", "https://lorient.bzh"}
	asSPA := []string{"Origin", origin}
	byHash := func(name, variables string, headers ...string) answer {
		return s.do(http.MethodGet, "/graphql?"+url.Values{"documentId": {hashOf(t, name)}, "variables": {variables}}.Encode(), "", headers...)
	}
	shop := fmt.Sprintf(`{"shop":%q,"first":2}`, s.shop)

	for name, headers := range map[string][]string{"Widget": asWidget, "SPA": asSPA} {
		for _, document := range []string{own, "{ __typename }", "{ __schema { queryType { name } } }", "{", " " + documents.All()[0].Text} {
			a := s.ask(document, headers...)
			a.wants(t, 200, `"code":"FORBIDDEN"`, "/documents.json?audience="+strings.ToLower(name))
			if strings.Contains(a.body, `"data"`) {
				t.Errorf("%s: %s was answered: %s", name, document, a.body)
			}
		}
		s.do(http.MethodPost, "/graphql", `{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"00"}}}`, append([]string{"Content-Type", "application/json"}, headers...)...).
			wants(t, 200, `"code":"FORBIDDEN"`)
	}
	byHash("WidgetShop", shop, asWidget...).wants(t, 200, "Crêperie du Port", "Crêpes de froment")
	byHash("Shop", shop, asSPA...).wants(t, 200, "Crêperie du Port")
	byHash("Shop", shop, asWidget...).wants(t, 200, `"code":"FORBIDDEN"`) // the storefront's
	byHash("WidgetShop", shop, asSPA...).wants(t, 200, `"code":"FORBIDDEN"`)
	// The text itself is as good as its hash.
	s.ask(documents.ByHash(hashOf(t, "WidgetCategories")).Text, asWidget...).wants(t, 200, "creperie")
	// A program, and a page of our own, send what they like.
	s.ask(own).wants(t, 200, "VISITOR")
	s.ask(own, "Authorization", "Bearer "+s.merchant).wants(t, 200, "MERCHANT")
	s.ask(own, "Origin", s.URL).wants(t, 200, "VISITOR")

	open := start(t)
	its := fixture.WidgetKey(t, open.db, fixture.Lorient, "https://lorient.bzh")
	open.ask(own, "X-Halles-Key", its.Key, "Origin", "https://lorient.bzh").wants(t, 200, "WIDGET")
}

// The schema and the documents can be had by audience.
func TestContractsAreServed(t *testing.T) {
	t.Parallel()
	s := start(t)
	whole, widget := s.do(http.MethodGet, "/schema.graphql", ""), s.do(http.MethodGet, "/schema.graphql?contract=widget", "")
	whole.wants(t, 200, "acceptOrder(", "type WidgetKey")
	widget.wants(t, 200, "placeOrders(", "type Shop implements Node")
	for _, other := range []string{"acceptOrder(", "type WidgetKey", "@tag", "@key", "stock: Int", "_entities"} {
		if strings.Contains(widget.body, other) {
			t.Errorf("the widget's schema has %s", other)
		}
	}
	s.do(http.MethodGet, "/schema.graphql?contract=everybody", "").wants(t, 404, "widget, spa et staff")
	s.do(http.MethodGet, "/documents.json", "").wants(t, 200, "WidgetPlaceOrders", `"PlaceOrders"`, hashOf(t, "Shops"))
	if a := s.do(http.MethodGet, "/documents.json?audience=spa", ""); strings.Contains(a.body, "Widget") || !strings.Contains(a.body, `"PlaceOrders"`) {
		t.Errorf("the storefront's documents: %s", a.body)
	}
	s.do(http.MethodGet, "/documents.json?audience=x", "").wants(t, 404)
}
