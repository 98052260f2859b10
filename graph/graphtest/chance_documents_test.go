package graphtest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/tidwall/gjson"

	"github.com/audelor/halles/graph/generated"
	"github.com/audelor/halles/graph/graphtest"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/ordering"
	"github.com/audelor/halles/internal/page"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// innerWords are that belong to the server's inside: of Go, of Postgres and of our own code.
var innerWords = regexp.MustCompile(`SQLSTATE|pgx|pgconn|goroutine|runtime error|interface \{\}|json:|strconv|reflect|\.go\b|unmarshal|violates|relation |syntax error at|halles_|ordering\.|catalog\.|directory\.|tenancy\.|identity\.|nil pointer|context (canceled|deadline)`)

// told checks an answer, or a message over a socket: an error with a code of the API's, and
// nothing of the inside.
func told(text string) error {
	switch {
	case !gjson.Valid(text):
		return errors.New("no JSON")
	case strings.Contains(text, `"INTERNAL"`):
		return errors.New("an internal error")
	}
	for _, where := range []string{"errors", "payload.errors", "payload"} {
		for _, e := range gjson.Get(text, where).Array() {
			message := e.Get("message").String()
			// The parser and the validator repeat the document's own words, which are in quotes.
			if e.Get("extensions.code").String() == "" && e.Get("message").Exists() {
				return fmt.Errorf("an error without a code: %s", e)
			}
			if found := innerWords.FindString(regexp.MustCompile(`"[^"]*"`).ReplaceAllString(message, "")); found != "" {
				return fmt.Errorf("%q in %s", found, message)
			}
		}
	}
	return nil
}

// Whatever is asked, by whom and over what, the answer is JSON without an internal error or a
// word of the inside; and a question in its right mind is still answered afterwards. Half of the
// documents are valid: they are made from the schema.
func TestDocumentsByChance(t *testing.T) {
	t.Parallel()
	h := graphtest.New(t)
	shop := fixture.Shop(t, h.Database, fixture.ShopOpts{Name: "Chez Ève"})
	product := fixture.Product(t, h.Database, shop, fixture.ProductOpts{Stock: 1000, Variants: 2})
	ctx, stop := context.WithCancel(context.Background())
	feed := ordering.NewFeed(h.DB, h.URL(pg.Listen), page.NewSealer(fixture.Secret), slog.New(slog.DiscardHandler))
	h.Resolver.Feed, h.Resolver.Ordering.Wake = feed, feed.Wake
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		_ = feed.Run(ctx)
	}()
	t.Cleanup(func() { stop(); <-stopped })
	placed := h.Visitor().Query(t, placeOrders, graphtest.Vars{"input": basket(shopBasket(shop, product.Variants...))}).OK(t)
	order, err := tenancy.ParseID(placed.Get("placeOrders.results.0.order.id").String())
	if err != nil {
		t.Fatal(err)
	}
	lorient := tenancy.ID{Kind: tenancy.KindCommune, Commune: fixture.Lorient}
	key := fixture.WidgetKey(t, h.Database, fixture.Lorient, "https://lorient.bzh")
	visitor := fixture.Viewer(t, h.Database, identity.Visitor)
	var askers []*asker
	for _, v := range []*identity.Viewer{
		visitor, through(t, visitor, key), visitor.GuestOf(order), fixture.Viewer(t, h.Database, identity.Customer),
		fixture.Viewer(t, h.Database, identity.Merchant, shop), fixture.Viewer(t, h.Database, identity.Agent, lorient),
		fixture.Viewer(t, h.Database, identity.Hotline), fixture.Viewer(t, h.Database, identity.Analyst), fixture.Viewer(t, h.Database, identity.Admin),
	} {
		askers = append(askers, newAsker(t, h.As(v)), newAsker(t, h.As(v).Router()))
	}
	n := 300
	if os.Getenv("HALLES_LONG") != "" {
		n = 10_000
	}
	c := &chance{
		Rand: rand.New(rand.NewPCG(56121, 1)), schema: generated.NewExecutableSchema(generated.Config{}).Schema(), // the same documents each time
		ids: []string{shop.String(), product.ID.String(), product.Variants[0].String(), product.Variants[1].String(), order.String(), lorient.String(), "category_librairie", key.ID().String()},
	}
	asked, answered := map[string]int{}, map[string]int{}
	for i := range n {
		document, vars := c.document()
		valid := i%2 == 0
		if !valid {
			document = c.spoilt(document)
			c.wrong(vars)
		}
		a := askers[c.IntN(len(askers))]
		way, answer := "", ""
		switch c.IntN(3) {
		case 0:
			way, answer = "POST", a.post(c, document, vars, valid)
		case 1:
			way, answer = "GET", a.get(document, vars)
		case 2:
			way, answer = "socket", a.overSocket(document, vars)
		}
		asked[way]++
		if strings.Contains(answer, `"data":{`) {
			answered[way]++
		}
		if t.Failed() {
			t.Fatalf("number %d, %s as %s:\n%s\nwith %v", i, way, a.who, document, vars)
		}
	}
	t.Logf("asked %v, answered with data %v", asked, answered)
	for way, n := range asked {
		if answered[way] < n/12 { // a GET takes no mutation, which more than half are
			t.Errorf("%s: hardly a document was valid: this shows nothing of the execution", way)
		}
	}
	if name := h.Visitor().Query(t, `query ($id: ID!) { shop(id: $id) { name } }`, graphtest.Vars{"id": shop.String()}).OK(t).Get("shop.name").String(); name != "Chez Ève" {
		t.Errorf("afterwards the shop is %q", name)
	}
}

// asker asks as one viewer over everything that carries documents.
type asker struct {
	graphtest.Client
	t      *testing.T
	who    string
	url    string
	socket *websocket.Conn
	n      int // of the last operation over sockets
}

func newAsker(t *testing.T, c graphtest.Client) *asker {
	t.Helper()
	server := httptest.NewServer(c)
	a := &asker{Client: c, t: t, url: server.URL, who: c.Query(t, "{ viewer { kind } }", nil).Get("viewer.kind").String()}
	t.Cleanup(func() {
		if a.socket != nil {
			_ = a.socket.CloseNow()
		}
		server.Close()
	})
	return a
}

// post sends the document; one that need not be right may come in bytes that are not.
func (a *asker) post(c *chance, document string, vars graphtest.Vars, right bool) string {
	a.t.Helper()
	body := mustJSON(a.t, map[string]any{"query": document, "variables": vars})
	if !right && c.IntN(4) == 0 {
		body[c.IntN(len(body))] = byte(c.IntN(256))
	}
	return a.checked(a.Raw(a.t, body))
}

func (a *asker) get(document string, vars graphtest.Vars) string {
	a.t.Helper()
	query := url.Values{"query": {document}, "variables": {string(mustJSON(a.t, vars))}}
	return a.checked(a.Do(a.t, httptest.NewRequestWithContext(a.t.Context(), http.MethodGet, "/graphql?"+query.Encode(), nil)))
}

func (a *asker) checked(w *httptest.ResponseRecorder) string {
	a.t.Helper()
	text := w.Body.String()
	if err := told(text); err != nil || w.Code >= 500 {
		a.t.Errorf("%d, %v: %.2000s", w.Code, err, text)
	}
	return text
}

// overSocket runs the operation to its end; a subscription to its first events.
func (a *asker) overSocket(document string, vars graphtest.Vars) (answer string) {
	a.t.Helper()
	ctx, cancel := context.WithTimeout(a.t.Context(), 10*time.Second)
	defer cancel()
	say := func(message any) {
		if err := a.socket.Write(ctx, websocket.MessageText, bytes.ToValidUTF8(mustJSON(a.t, message), nil)); err != nil {
			a.t.Errorf("the socket is closed: %v", err)
		}
	}
	hear := func() gjson.Result {
		_, raw, err := a.socket.Read(ctx)
		if err != nil {
			a.t.Fatalf("the socket is closed: %v", err)
		}
		if err := told(string(raw)); err != nil {
			a.t.Errorf("%v: %.2000s", err, raw)
		}
		return gjson.ParseBytes(raw)
	}
	if a.socket == nil {
		socket, _, err := websocket.Dial(ctx, a.url, &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}})
		if err != nil {
			a.t.Fatal(err)
		}
		socket.SetReadLimit(1 << 20)
		a.socket = socket
		say(map[string]any{"type": "connection_init"})
		hear()
	}
	a.n++
	id := fmt.Sprint(a.n)
	say(map[string]any{"id": id, "type": "subscribe", "payload": map[string]any{"query": document, "variables": vars}})
	follows := strings.HasPrefix(document, "subscription")
	if follows {
		say(json.RawMessage(`{"type":"ping"}`))
	}
	for {
		m := hear()
		switch kind := m.Get("type").String(); {
		case kind == "ping":
			say(json.RawMessage(`{"type":"pong"}`))
		case kind == "pong":
			say(map[string]any{"id": id, "type": "complete"})
			return answer
		case m.Get("id").String() != id: // a late event of an operation before
		case kind == "next":
			answer = m.Get("payload").Raw
		case kind == "error", kind == "complete":
			if !follows {
				return answer
			}
		}
	}
}
