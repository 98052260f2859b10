package transport_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	gqlgen "github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/coder/websocket"
	"github.com/google/uuid"
	"github.com/tidwall/gjson"

	"github.com/audelor/halles/graph"
	"github.com/audelor/halles/graph/graphtest"
	"github.com/audelor/halles/graph/transport"
	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/ordering"
	"github.com/audelor/halles/internal/page"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

func TestMain(m *testing.M) { pgtest.Waiting(m) }

// site is a server with one shop, its merchant, and a feed that runs.
type site struct {
	*graphtest.Harness
	*httptest.Server
	shop     tenancy.ID
	variant  tenancy.ID
	merchant *identity.Viewer
	subject  string
	stop     context.CancelFunc // of the feed
	leave    context.CancelFunc // of all requests, as a server that stops
	identity *identity.Resolver
	apart    *atomic.Int64        // streams whose handler has returned, of all that were
	ended    chan transport.Ended // how they did
}

func start(t *testing.T, change ...func(*graph.ServerOptions)) *site {
	t.Helper()
	s := &site{Harness: graphtest.New(t)}
	s.shop = fixture.Shop(t, s.Database, fixture.ShopOpts{})
	s.variant = fixture.Product(t, s.Database, s.shop, fixture.ProductOpts{Stock: 100_000}).Variants[0]
	s.subject, _ = fixture.Account(t, s.Database, identity.Merchant, s.shop)
	s.identity = &identity.Resolver{DB: s.DB, Communes: s.Resolver.Communes, Issuers: fixture.Issuers(), Guests: s.Resolver.Guests}
	var err error
	if s.merchant, _, err = s.identity.FromToken(t.Context(), s.token(t, time.Hour)); err != nil {
		t.Fatal(err)
	}

	db, err := pg.Open(context.Background(), s.Options)
	if err != nil {
		t.Fatal(err)
	}
	feed := ordering.NewFeed(db, s.URL(pg.Listen), page.NewSealer(fixture.Secret), slog.New(slog.DiscardHandler))
	s.Resolver.Feed, s.Resolver.Ordering.Wake = feed, feed.Wake
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		_ = feed.Run(ctx)
	}()

	t.Cleanup(func() {
		stop()
		<-stopped
		db.Close()
	})
	return s.beside(t, change...)
}

// beside is another server of the same shop, with options of its own.
func (s *site) beside(t *testing.T, change ...func(*graph.ServerOptions)) *site {
	t.Helper()
	return s.besideAs(t, func(*http.Server) {}, change...)
}

// besideAs is beside, with an http.Server of its own.
func (s *site) besideAs(t *testing.T, as func(*http.Server), change ...func(*graph.ServerOptions)) *site {
	t.Helper()
	twin := *s
	s = &twin
	options := graph.ServerOptions{
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)), RequestID: func(context.Context) string { return "test" },
		IsRouter: func(context.Context) bool { return false },
		SocketInit: func(ctx context.Context, payload gqlgen.InitPayload) (context.Context, *gqlgen.InitPayload, error) {
			if payload.Authorization() == "" {
				return ctx, nil, nil
			}
			ctx, err := s.viewer(ctx, payload.Authorization())
			return ctx, nil, err
		},
	}
	for _, c := range change {
		c(&options)
	}
	handler := graph.NewServer(s.Resolver, options)
	var serving context.Context
	serving, s.leave = context.WithCancel(context.Background())
	s.apart, s.ended = &atomic.Int64{}, make(chan transport.Ended, 100)
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, err := s.viewer(r.Context(), r.Header.Get("Authorization"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusUnauthorized)
			return
		}
		ctx = transport.WithCourse(ctx, serving)
		handler.ServeHTTP(w, r.WithContext(ctx))
		if transport.AtEnd(ctx, func(how transport.Ended) {
			if how != (transport.Ended{}) {
				s.ended <- how
			}
		}) {
			s.apart.Add(1)
		}
	}))
	s.Config.BaseContext = func(net.Listener) context.Context { return serving }
	as(s.Config)
	s.Start()
	t.Cleanup(func() {
		s.leave()
		s.Close()
	})
	return s
}

// URL is ambiguous between the two that site embeds.
func (s *site) URL(role pg.Role) string { return s.Database.URL(role) }

func (s *site) viewer(ctx context.Context, authorization string) (context.Context, error) {
	if authorization == "" {
		v, err := s.identity.Visitor(ctx)
		return identity.With(ctx, v), err
	}
	v, expires, err := s.identity.FromToken(ctx, strings.TrimPrefix(authorization, "Bearer "))
	return identity.WithExpiry(identity.With(ctx, v), expires), err
}

func (s *site) token(t testing.TB, valid time.Duration) string {
	t.Helper()
	token, err := fixture.NewIssuer().Sign(s.subject, valid)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// expiring runs do with a token that is valid for a while, and for longer and longer while do says
// that this was too short for this machine.
func (s *site) expiring(t *testing.T, valid time.Duration, do func(token string, end time.Time) (enough bool)) {
	t.Helper()
	for ; valid < patience; valid *= 2 {
		end := time.Now().Truncate(time.Second).Add(valid)
		if do(s.token(t, time.Until(end)), end) {
			return
		}
	}
	t.Errorf("nothing can be done here while a token is valid for %v", valid/2)
}

// place places an order at the shop.
func (s *site) place(t testing.TB) tenancy.ID {
	t.Helper()
	v, err := s.identity.Visitor(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	name, phone := "Anna Le Goff", "+33612345678"
	payload, err := s.Resolver.Ordering.Place(context.Background(), v, ordering.PlaceInput{
		IdempotencyKey: uuid.NewString(), Contact: &ordering.PersonContact{Name: &name, Phone: &phone},
		Orders: []ordering.ShopBasket{{Shop: s.shop, Mode: directory.Pickup, Lines: []ordering.BasketLine{{Variant: s.variant, Quantity: 1}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	order, err := payload.Results[0].Order()
	if err != nil || order == nil {
		t.Fatalf("not placed: %v %v", err, payload.Results[0].Refusals)
	}
	return order.ID()
}

// do changes an order as the merchant.
func (s *site) do(t testing.TB, action ordering.Action, order tenancy.ID) {
	t.Helper()
	payload, err := s.Resolver.Ordering.Do(context.Background(), s.merchant, action, ordering.ChangeInput{Order: order})
	if err != nil || len(payload.Refusals) > 0 {
		t.Fatalf("%s: %v %v", action, err, payload)
	}
}

const shopOrders = `subscription ($shops: [ID!]!, $after: String) { shopOrders(shops: $shops, after: $after) { cursor status order { id status } } }`

func (s *site) watch(after string) map[string]any {
	vars := map[string]any{"shops": []string{s.shop.String()}}
	if after != "" {
		vars["after"] = after
	}
	return map[string]any{"query": shopOrders, "variables": vars}
}

// log is what a reader of all the shop's events must have seen.
func (s *site) log(t testing.TB) []string {
	t.Helper()
	rows, err := s.Migrate.Query(context.Background(), `select order_id, status from order_events where commune_id = $1 order by seq`, s.shop.Commune)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var list []string
	for rows.Next() {
		var id uuid.UUID
		var status string
		if err := rows.Scan(&id, &status); err != nil {
			t.Fatal(err)
		}
		list = append(list, tenancy.RowID(tenancy.KindOrder, s.shop.Commune, id).String()+" "+status)
	}
	return list
}

// longer is a test's long form under HALLES_LONG=1.
func longer(short, long int) int {
	if os.Getenv("HALLES_LONG") != "" {
		return long
	}
	return short
}

// A socket, as a client sees it.

type socket struct {
	*websocket.Conn
	t testing.TB
}

type envelope struct {
	ID      string `json:"id,omitempty"`
	Type    string `json:"type"`
	Payload any    `json:"payload,omitempty"`
}

func (s *site) dial(t testing.TB, protocols ...string) *socket {
	t.Helper()
	if protocols == nil {
		protocols = []string{"graphql-transport-ws"}
	}
	c, _, err := websocket.Dial(t.Context(), s.Server.URL, &websocket.DialOptions{Subprotocols: protocols})
	if err != nil {
		t.Fatal(err)
	}
	c.SetReadLimit(1 << 20)
	t.Cleanup(func() { _ = c.CloseNow() })
	return &socket{c, t}
}

// open dials and signs in.
func (s *site) open(t testing.TB, token string) *socket {
	t.Helper()
	c := s.dial(t)
	c.init(token)
	return c
}

func (c *socket) init(token string) {
	c.t.Helper()
	c.send(envelope{Type: "connection_init", Payload: map[string]any{"authorization": "Bearer " + token}})
	c.want("connection_ack", "")
}

func (c *socket) send(m any) {
	c.t.Helper()
	data, ok := m.(string)
	if !ok {
		raw, err := json.Marshal(m)
		if err != nil {
			c.t.Fatal(err)
		}
		data = string(raw)
	}
	if err := c.Write(c.t.Context(), websocket.MessageText, []byte(data)); err != nil {
		c.t.Fatal(err)
	}
}

// patience is how long anything may take, on whatever machine.
const patience = time.Minute

// receive reads the next message.
func (c *socket) receive() (gjson.Result, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, data, err := c.Read(ctx)
	return gjson.ParseBytes(data), err
}

func (c *socket) want(kind, id string) gjson.Result {
	c.t.Helper()
	m, err := c.receive()
	if err != nil || m.Get("type").String() != kind || m.Get("id").String() != id {
		c.t.Fatalf("got %s (%v), want %s %q", m, err, kind, id)
	}
	return m.Get("payload")
}

// fence shows that nothing was sent before: the answer to a ping comes next.
func (c *socket) fence() {
	c.t.Helper()
	n := fmt.Sprint(fences.Add(1))
	c.send(`{"type":"ping","payload":{"n":` + n + `}}`)
	if p := c.want("pong", ""); p.Get("n").String() != n {
		c.t.Errorf("pong %s, want %s", p, n)
	}
}

var fences atomic.Int64

// closed reads on until the socket closes.
func (c *socket) closed(code websocket.StatusCode) (before []gjson.Result) {
	c.t.Helper()
	for {
		m, err := c.receive()
		if err != nil {
			if got := websocket.CloseStatus(err); got != code {
				c.t.Errorf("closed with %d (%v), want %d", got, err, code)
			}
			return before
		}
		before = append(before, m)
	}
}

// A stream of events, as a client sees it.

type stream struct {
	*http.Response
	lines *bufio.Scanner
}

type event struct{ name, data string }

func (s *site) get(ctx context.Context, t testing.TB, body map[string]any, token string) *stream {
	t.Helper()
	return s.getAs(ctx, t, body, token, "text/event-stream")
}

func (s *site) getAs(ctx context.Context, t testing.TB, body map[string]any, token, accept string) *stream {
	t.Helper()
	query := url.Values{}
	for name, v := range body {
		if text, ok := v.(string); ok {
			query.Set(name, text)
			continue
		}
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		query.Set(name, string(raw))
	}
	return s.request(ctx, t, http.MethodGet, "?"+query.Encode(), "", "Authorization", "Bearer "+token, "Accept", accept)
}

// post asks by POST.
func (s *site) post(ctx context.Context, t testing.TB, body map[string]any, token, accept string) *stream {
	t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return s.request(ctx, t, http.MethodPost, "", string(raw), "Authorization", "Bearer "+token, "Accept", accept, "Content-Type", "application/json")
}

func (s *site) request(ctx context.Context, t testing.TB, method, query, body string, headers ...string) *stream {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, method, s.Server.URL+"/graphql"+query, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i+1] != "Bearer " {
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	return &stream{response, bufio.NewScanner(response.Body)}
}

// next reads an event, as a browser's EventSource does: one without a data line is none.
func (s *stream) next() (event, error) {
	var e event
	data := false
	for s.lines.Scan() {
		name, value, _ := strings.Cut(s.lines.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case s.lines.Text() == "" && data:
			return e, nil
		case s.lines.Text() == "":
			e = event{}
		case name == "event":
			e.name = value
		case name == "data":
			e.data, data = e.data+value, true
		}
	}
	if err := s.lines.Err(); err != nil {
		return e, err
	}
	return e, io.EOF
}

func (s *stream) want(t testing.TB, name string) gjson.Result {
	t.Helper()
	e, err := s.next()
	if err != nil || e.name != name {
		t.Fatalf("got %v (%v), want %s", e, err, name)
	}
	return gjson.Parse(e.data)
}

func (s *stream) ended(t testing.TB) {
	t.Helper()
	if e, err := s.next(); !errors.Is(err, io.EOF) {
		t.Errorf("after the end: %v, %v", e, err)
	}
}

// cut reads why the stream is over, and its end.
func (s *stream) cut(t testing.TB, code string) {
	t.Helper()
	if p := s.want(t, "next"); p.Get("errors.0.extensions.code").String() != code {
		t.Errorf("the stream's end is %s, want %s", p, code)
	}
	s.want(t, "complete")
	s.ended(t)
}
