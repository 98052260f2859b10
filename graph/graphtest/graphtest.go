// Package graphtest asks the whole schema in a test: documents go through the server's own
// transports to real features on a real database.
//
//	h := graphtest.New(t)
//	shop := fixture.Shop(t, h.Database, fixture.ShopOpts{Name: "Chez Ève"})
//	a := h.As(fixture.Viewer(t, h.Database, identity.Merchant, shop)).
//		Query(t, `query ($id: ID!) { shop(id: $id) { name } }`, graphtest.Vars{"id": shop})
//	a.OK(t).Get("shop.name").String()
package graphtest

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/audelor/halles/graph"
	"github.com/audelor/halles/graph/direct"
	"github.com/audelor/halles/internal/catalog"
	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/insight"
	"github.com/audelor/halles/internal/intake"
	"github.com/audelor/halles/internal/media"
	"github.com/audelor/halles/internal/ordering"
	"github.com/audelor/halles/internal/page"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/privacy"
	"github.com/audelor/halles/internal/tenancy"
)

// Harness is a server on a database of the test's own; what the server logs is in the test's
// output.
type Harness struct {
	*pgtest.Database
	Resolver *graph.Resolver
	Handler  http.Handler   // expects a viewer in the request's context, see identity.With
	Direct   *direct.Schema // in front of gqlgen
	visitor  *identity.Viewer
}

// Gathers is how long loaders gather keys where statements are counted: a slow machine starts every
// goroutine of a list before its batch is sent, and the number of statements is the same each time.
// Elsewhere each level of an answer would wait for it.
const Gathers = 25 * time.Millisecond

type routerKey struct{}

// New starts a server.
func New(t testing.TB) *Harness {
	t.Helper()
	d := pgtest.New(t)
	communes, cursors := tenancy.NewRegister(d.DB), page.NewSealer(fixture.Secret)
	guests := identity.NewGuests(d.DB, communes, fixture.Secret)
	h := &Harness{Database: d, visitor: fixture.Viewer(t, d, identity.Visitor), Resolver: &graph.Resolver{
		Communes:    communes,
		Directory:   &directory.Directory{DB: d.DB, Communes: communes, Cursors: cursors},
		Catalog:     catalog.New(d.DB, communes, cursors),
		Ordering:    ordering.New(d.DB, cursors, guests),
		Guests:      guests,
		Members:     identity.NewMembers(d.DB, communes, fixture.Secret),
		Delegations: identity.NewDelegations(d.DB, fixture.Secret),
		Settings:    &identity.Settings{DB: d.DB, Communes: communes, Now: time.Now},
		Keys:        identity.NewWidgetKeys(d.DB, communes),
		Audit:       &identity.Audit{DB: d.DB, Cursors: cursors},
		Intake:      intake.New(d.DB, communes, cursors),
		Media:       media.New(d.DB, communes),
		Insight:     insight.New(d.DB, communes),
		Wait:        200 * time.Microsecond,

		Registrations: directory.NewRegistrations(d.DB, communes, cursors, identity.NewMembers(d.DB, communes, fixture.Secret), fixture.Secret),
	}}
	h.Resolver.Privacy = &privacy.Privacy{DB: d.DB, Ordering: h.Resolver.Ordering, Registrations: h.Resolver.Registrations, Now: time.Now}
	h.Resolver.Intake.Steps[intake.Products] = h.Resolver.Catalog.ImportSteps
	h.Resolver.Intake.Steps[intake.Shops] = h.Resolver.Directory.ImportSteps
	h.Handler = graph.NewServer(h.Resolver, h.options(t))
	return h
}

func (h *Harness) options(t testing.TB) graph.ServerOptions {
	return graph.ServerOptions{
		Log:       slog.New(slog.NewTextHandler(t.Output(), nil)),
		RequestID: func(context.Context) string { return "test" },
		IsRouter:  func(ctx context.Context) bool { return ctx.Value(routerKey{}) != nil },
		Directly:  func(s *direct.Schema) { h.Direct = s },
		Together:  pg.Together,
		Apart:     pg.Apart,
	}
}

// Indirect is the same server with gqlgen's executor alone.
func (h *Harness) Indirect(t testing.TB) *Harness {
	t.Helper()
	other := *h
	o := h.options(t)
	o.Indirect = true
	other.Handler = graph.NewServer(h.Resolver, o)
	return &other
}

// Client asks as one viewer.
type Client struct {
	h      *Harness
	viewer *identity.Viewer
	router bool
}

// As asks as a viewer; nil is the visitor.
func (h *Harness) As(v *identity.Viewer) Client {
	if v == nil {
		v = h.visitor
	}
	return Client{h: h, viewer: v}
}

// Visitor asks without a credential.
func (h *Harness) Visitor() Client { return h.As(nil) }

// Router adds the router's credential.
func (c Client) Router() Client {
	c.router = true
	return c
}

// Vars are a document's variables.
type Vars map[string]any

// Answer is a response, as it was sent and read.
type Answer struct {
	Body   []byte
	Status int
	Errors []Error
}

// Error is one of a response's errors.
type Error struct {
	Message    string
	Path       []any
	Extensions struct {
		Code     fault.Kind
		Argument []string
		Request  string
	}
}

// Query sends a document and reads the whole answer.
func (c Client) Query(t testing.TB, document string, vars Vars) *Answer {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": document, "variables": vars})
	if err != nil {
		t.Fatal(err)
	}
	return c.Post(t, body)
}

// Post sends the bytes of a request and reads the answer.
func (c Client) Post(t testing.TB, body []byte) *Answer {
	t.Helper()
	w := c.Raw(t, body)
	a := &Answer{Body: w.Body.Bytes(), Status: w.Code}
	if err := json.Unmarshal(a.Body, a); err != nil {
		t.Fatalf("%v in %s", err, a.Body)
	}
	for _, e := range a.Errors {
		if e.Extensions.Code == fault.Internal {
			t.Errorf("internal error at %v: see the log above", e.Path)
		}
	}
	return a
}

// Raw sends the bytes of a request and judges nothing.
func (c Client) Raw(t testing.TB, body []byte) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	return c.Do(t, r)
}

// Do sends a request of the test's own making.
func (c Client) Do(t testing.TB, r *http.Request) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	c.ServeHTTP(w, r.WithContext(t.Context()))
	return w
}

// ServeHTTP answers a request as the client's viewer, for a server that listens.
func (c Client) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx := identity.With(r.Context(), c.viewer)
	if c.router {
		ctx = context.WithValue(ctx, routerKey{}, true)
	}
	c.h.Handler.ServeHTTP(w, r.WithContext(ctx))
}

// OK fails the test when the answer has an error.
func (a *Answer) OK(t testing.TB) *Answer {
	t.Helper()
	if len(a.Errors) > 0 {
		t.Fatalf("errors: %s", a.Body)
	}
	return a
}

// Get finds a value in the data by its path: `shops.nodes.0.name`, `shops.nodes.#.name`
// for all; see gjson.
func (a *Answer) Get(path string) gjson.Result {
	if path == "" {
		return gjson.GetBytes(a.Body, "data")
	}
	return gjson.GetBytes(a.Body, "data."+path)
}

// Texts lists the texts at a path.
func (a *Answer) Texts(path string) []string {
	texts := []string{}
	for _, r := range a.Get(path).Array() {
		texts = append(texts, r.String())
	}
	return texts
}

// Code is the code of the first error, or "".
func (a *Answer) Code() fault.Kind {
	if len(a.Errors) == 0 {
		return ""
	}
	return a.Errors[0].Extensions.Code
}
