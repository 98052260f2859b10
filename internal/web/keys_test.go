package web_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
	"github.com/google/uuid"

	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

const allowOrigin = "Access-Control-Allow-Origin"

// vary lists what an answer varies by.
func vary(h http.Header) []string {
	var names []string
	for _, line := range h.Values("Vary") {
		for name := range strings.SplitSeq(line, ",") {
			names = append(names, strings.TrimSpace(name))
		}
	}
	return names
}

// Every commune's site reads with its own key, and no page of any other origin does, however
// like it looks. The requests go to the handler itself: no client would send some of them.
func TestEveryOriginButItsOwn(t *testing.T) {
	t.Parallel()
	s := bare(t, pgtest.New(t))
	communes, err := tenancy.NewRegister(s.db.DB).All(t.Context())
	if err != nil || len(communes) != 25 {
		t.Fatal(err, len(communes))
	}
	keys := map[string]*identity.WidgetKey{}
	own := func(slug string) string { return "https://" + slug + ".bzh" }
	for _, c := range communes {
		keys[c.Insee] = fixture.WidgetKey(t, s.db, c.Insee, own(c.Slug), "http://localhost:3000")
	}
	const query = `{"query":"{ viewer { kind } shops(first: 1) { totalCount } }"}`
	ways := map[string]func(key string, origins ...string) *httptest.ResponseRecorder{
		"Post": func(key string, origins ...string) *httptest.ResponseRecorder {
			return s.handled(http.MethodPost, "/graphql", query, http.Header{"Content-Type": {"application/json"}, "X-Halles-Key": {key}, "Origin": origins})
		},
		"Get": func(key string, origins ...string) *httptest.ResponseRecorder {
			return s.handled(http.MethodGet, "/graphql?query={viewer{kind}}&key="+key, "", http.Header{"Origin": origins})
		},
		"Preflight": func(_ string, origins ...string) *httptest.ResponseRecorder {
			return s.handled(http.MethodOptions, "/graphql", "", http.Header{
				"Origin": origins, "Access-Control-Request-Method": {"POST"}, "Access-Control-Request-Headers": {"content-type,x-halles-key"},
			})
		},
	}
	asked, wrong, novary := 0, 0, 0
	look := func(name string, a *httptest.ResponseRecorder, allowed string) {
		t.Helper()
		asked++
		if got := a.Header().Values(allowOrigin); allowed == "" && got != nil || allowed != "" && !slices.Equal(got, []string{allowed}) {
			wrong++
			t.Errorf("%s: allowed is %q, not %q", name, got, allowed)
		}
		if names := vary(a.Header()); !slices.Contains(names, "Origin") || !slices.Contains(names, "X-Halles-Key") {
			novary++
			t.Errorf("%s: Vary is %q", name, names)
		}
		if a.Header().Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: with credentials", name)
		}
	}
	for i, c := range communes {
		good, other := own(c.Slug), own(communes[(i+1)%25].Slug)
		hostile := map[string][]string{
			"Suffix":       {good + ".evil.test"},
			"Prefix":       {"https://evil-" + c.Slug + ".bzh"},
			"Subdomain":    {"https://a." + c.Slug + ".bzh"},
			"Null":         {"null"},
			"OtherScheme":  {"http://" + c.Slug + ".bzh"},
			"OtherPort":    {good + ":8443"},
			"UsualPort":    {good + ":443"},
			"LookAlike":    {"https://" + strings.Replace(c.Slug, "l", "1", 1) + "-.bzh"},
			"UserInfo":     {good + "@evil.test"},
			"TrailingDot":  {good + "."},
			"Uppercase":    {"https://" + strings.ToUpper(c.Slug) + ".bzh"},
			"Path":         {good + "/"},
			"Punycode":     {"https://xn--" + c.Slug + "-9za.bzh"},
			"Newline":      {good + "\nX-Evil: 1"},
			"Two":          {good, "https://evil.test"},
			"TwoInOne":     {good + " https://evil.test"},
			"LoopbackPort": {"http://localhost:3001"},
			"Empty":        {""},
		}
		for way, ask := range ways {
			look(way+" of "+good, ask(keys[c.Insee].Key, good), good)
			for name, origins := range hostile {
				look(way+" of "+name+" for "+c.Slug, ask(keys[c.Insee].Key, origins...), "")
			}
			look(way+" without an origin", ask(keys[c.Insee].Key), "")
			if way != "Preflight" { // which comes without a key
				look(way+" of another commune's site", ask(keys[c.Insee].Key, other), "")
				look(way+" without its key", ask("", good), "")
				look(way+" with a key that is none", ask("pk_lorient_AAAAAAAAAAAAAAAAAAAAAA", good), "")
			}
		}
		// What the page reads is its commune's, and a page of another origin reads nothing.
		if a := ways["Post"](keys[c.Insee].Key, good); a.Code != 200 || !strings.Contains(a.Body.String(), `"kind":"WIDGET"`) {
			t.Errorf("%s reads %d %s", good, a.Code, a.Body)
		}
		if a := ways["Post"](keys[c.Insee].Key, other); a.Code != 403 || !strings.Contains(a.Body.String(), `"code":"FORBIDDEN"`) {
			t.Errorf("%s reads with the key of %s: %d %s", other, c.Slug, a.Code, a.Body)
		}
	}
	t.Logf("%d requests, %d wrong %s, %d without Vary", asked, wrong, allowOrigin, novary)
}

// handled sends a request past any client.
func (s *site) handled(method, target, body string, headers http.Header) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header = headers
	w := httptest.NewRecorder()
	s.web.Handler().ServeHTTP(w, r)
	return w
}

// The first party's pages read whatever they come with, so that they can say what is wrong.
func TestKeyOnAFirstPartysPage(t *testing.T) {
	t.Parallel()
	s := start(t)
	k := fixture.WidgetKey(t, s.db, fixture.Lorient, "https://lorient.bzh")
	a := s.ask("{ viewer { kind } }", "Origin", origin, "X-Halles-Key", k.Key)
	a.wants(t, 403, "FORBIDDEN")
	if a.Header.Get(allowOrigin) != origin {
		t.Errorf("the page cannot read why: %v", a.Header)
	}
}

func TestCredentialsBesideAKey(t *testing.T) {
	t.Parallel()
	s := start(t)
	k := fixture.WidgetKey(t, s.db, fixture.Lorient, "https://lorient.bzh")
	const who = "{ viewer { kind } }"
	s.ask(who, "X-Halles-Key", k.Key).wants(t, 200, `"kind":"WIDGET"`) // a program
	s.do(http.MethodGet, "/graphql?key="+k.Key+"&query="+strings.ReplaceAll(who, " ", ""), "").wants(t, 200, `"kind":"WIDGET"`)
	s.ask(who, "X-Halles-Key", k.Key, "Authorization", "Bearer "+s.merchant).wants(t, 403, "FORBIDDEN", "compte")
	s.ask(who, "X-Halles-Key", k.Key, "Authorization", "Bearer nonsense").wants(t, 401, "UNAUTHENTICATED")
	for name, key := range map[string]string{"Unknown": "pk_lorient_AAAAAAAAAAAAAAAAAAAAAA", "CutShort": k.Key[:20], "Capitals": strings.ToUpper(k.Key), "Long": strings.Repeat("k", 10_000)} {
		if a := s.ask(who, "X-Halles-Key", key); a.StatusCode != 401 || !strings.Contains(a.body, "UNAUTHENTICATED") {
			t.Errorf("%s: %d %s", name, a.StatusCode, a.body)
		}
	}
	// In the body's own address a key is no credential: only what can be cached has it there.
	s.do(http.MethodPost, "/graphql?key="+k.Key, `{"query":"{ viewer { kind } }"}`, "Content-Type", "application/json").wants(t, 200, `"kind":"VISITOR"`)
}

// init opens a socket from a page and tells how it began: "connection_ack", or a close code.
func (s *site) init(ctx context.Context, query, origin string, payload map[string]any) (*websocket.Conn, int, string) {
	s.t.Helper()
	headers := http.Header{}
	if origin != "" {
		headers.Set("Origin", origin)
	}
	c, response, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(s.URL, "http")+"/graphql"+query, &websocket.DialOptions{
		Subprotocols: []string{"graphql-transport-ws"}, HTTPHeader: headers,
	})
	if err != nil {
		if response == nil {
			s.t.Fatal(err)
		}
		return nil, response.StatusCode, ""
	}
	s.t.Cleanup(func() { _ = c.CloseNow() })
	if err := wsjson.Write(ctx, c, map[string]any{"type": "connection_init", "payload": payload}); err != nil {
		s.t.Fatal(err)
	}
	for {
		var m map[string]any
		if err := wsjson.Read(ctx, c, &m); err != nil {
			return c, int(websocket.CloseStatus(err)), ""
		}
		if m["type"] != "connection_ack" {
			continue
		}
		if err := wsjson.Write(ctx, c, map[string]any{"id": "1", "type": "subscribe", "payload": map[string]any{"query": "{ viewer { kind } }"}}); err != nil {
			s.t.Fatal(err)
		}
		var next json.RawMessage
		if err := wsjson.Read(ctx, c, &next); err != nil {
			s.t.Fatal(err)
		}
		return c, 0, string(next)
	}
}

func TestSocketsOfWidgets(t *testing.T) {
	t.Parallel()
	s := start(t)
	const page, elsewhere = "https://lorient.bzh", "https://groix.bzh"
	k := fixture.WidgetKey(t, s.db, fixture.Lorient, page)
	other := fixture.WidgetKey(t, s.db, fixture.Groix, elsewhere)
	inURL, inPayload := "?key="+k.Key, map[string]any{"key": k.Key}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for name, c := range map[string]struct {
		query, origin string
		payload       map[string]any
		code          int // of the handshake's answer, or of the close
		kind          string
	}{
		"KeyInPayload":            {"", page, inPayload, 0, "WIDGET"},
		"KeyInURL":                {inURL, page, nil, 0, "WIDGET"},
		"KeyInBoth":               {inURL, page, inPayload, 0, "WIDGET"},
		"Program":                 {"", "", inPayload, 0, "WIDGET"},
		"ProgramKeyInURL":         {inURL, "", nil, 0, "WIDGET"},
		"FirstParty":              {"", origin, nil, 0, "VISITOR"},
		"FirstPartyWithAToken":    {"", origin, map[string]any{"authorization": "Bearer " + s.merchant}, 0, "MERCHANT"},
		"NoKey":                   {"", page, nil, 4403, ""},
		"NoKeyButAToken":          {"", page, map[string]any{"authorization": "Bearer " + s.merchant}, 4403, ""},
		"KeyAndAToken":            {"", page, map[string]any{"key": k.Key, "authorization": "Bearer " + s.merchant}, 4403, ""},
		"AnotherCommunesKey":      {"", page, map[string]any{"key": other.Key}, 4403, ""},
		"AnotherCommunesKeyToo":   {inURL, page, map[string]any{"key": other.Key}, 4403, ""},
		"AnotherCommunesKeyInURL": {"?key=" + other.Key, page, nil, 403, ""},
		"UnknownKey":              {"", page, map[string]any{"key": "pk_lorient_AAAAAAAAAAAAAAAAAAAAAA"}, 4403, ""},
		"UnknownKeyInURL":         {"?key=pk_lorient_AAAAAAAAAAAAAAAAAAAAAA", page, nil, 401, ""},
		"NotText":                 {"", page, map[string]any{"key": 12}, 4403, ""},
		"Empty":                   {"", page, map[string]any{"key": ""}, 4403, ""},
		"EmptyOverURL":            {inURL, page, map[string]any{"key": ""}, 4403, ""},
		"HostileOrigin":           {"", page + ".evil.test", inPayload, 403, ""},
		"HostileOriginKeyInURL":   {inURL, page + ".evil.test", nil, 403, ""},
		"Null":                    {"", "null", inPayload, 403, ""},
		"OtherScheme":             {"", "http://lorient.bzh", inPayload, 403, ""},
		"OtherPort":               {"", page + ":8443", inPayload, 403, ""},
		"Uppercase":               {"", "https://LORIENT.bzh", inPayload, 403, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, code, told := s.init(ctx, c.query, c.origin, c.payload)
			if code != c.code || c.kind != "" && !strings.Contains(told, `"kind":"`+c.kind+`"`) {
				t.Errorf("%d %s, want %d %s", code, told, c.code, c.kind)
			}
		})
	}
}

// A key that is revoked ends what it is used for: at once here, and on an open socket and an
// open stream within moments.
func TestRevokedInMidStream(t *testing.T) {
	t.Parallel()
	s := start(t)
	live(t, s)
	const page = "https://lorient.bzh"
	subject, _ := fixture.Account(t, s.db, identity.Agent, s.shop)
	agent := sign(t, subject, time.Hour)
	made := s.ask(`mutation { createWidgetKey(input: {commune: "commune_56121", name: "Site", origins: ["`+page+`"]}) { key { id key } } }`, "Authorization", "Bearer "+agent)
	key, id := field(made.body, "key"), field(made.body, "id")

	// The widget's visitor orders, opens its link and follows the order.
	asks := func(query string, more ...string) answer {
		return s.ask(query, append([]string{"Origin", page, "X-Halles-Key", key}, more...)...)
	}
	variant := field(asks(`{ shop(id: "`+s.shop.String()+`") { products(first: 1) { nodes { variants { id } } } } }`).body, "id")
	placed := asks(`mutation { placeOrders(input: {idempotencyKey: "` + uuid.NewString() + `", contact: {name: "Anna", phone: "+33612345678"},
		orders: [{shop: "` + s.shop.String() + `", mode: PICKUP, lines: [{variant: "` + variant + `", quantity: 1}]}]}) { guestSecret results { order { id channel } } } }`)
	placed.wants(t, 200, `"channel":"WIDGET"`)
	opened := asks(`mutation { exchangeGuestLink(input: {secret: "` + field(placed.body, "guestSecret") + `"}) { token } }`)
	guest := "Bearer " + field(opened.body, "token")
	asks(`{ viewer { kind orders(first: 1) { nodes { id } } } }`, "Authorization", guest).wants(t, 200, `"kind":"GUEST"`, field(placed.body, "id"))
	follow := `subscription { orderUpdated(id: "` + field(placed.body, "id") + `") { kind } }`

	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	c, code, told := s.init(ctx, "", page, map[string]any{"key": key, "authorization": guest})
	if code != 0 || !strings.Contains(told, "GUEST") {
		t.Fatalf("the socket: %d %s", code, told)
	}
	if err := wsjson.Write(ctx, c, map[string]any{"id": "2", "type": "subscribe", "payload": map[string]any{"query": follow}}); err != nil {
		t.Fatal(err)
	}
	for got := ""; !strings.Contains(got, "PLACED"); {
		_, data, err := c.Read(ctx)
		if err != nil {
			t.Fatal(err)
		}
		got = string(data)
	}
	body, err := json.Marshal(map[string]any{"query": follow})
	if err != nil {
		t.Fatal(err)
	}
	streamed := make(chan answer, 1)
	go func() {
		streamed <- s.do(http.MethodPost, "/graphql", string(body), "Content-Type", "application/json", "Accept", "text/event-stream",
			"Origin", page, "X-Halles-Key", key, "Authorization", guest)
	}()
	time.Sleep(100 * time.Millisecond) // the stream runs

	began := time.Now()
	s.ask(`mutation { revokeWidgetKey(input: {key: "`+id+`"}) { key { revokedAt } } }`, "Authorization", "Bearer "+agent).wants(t, 200, `"revokedAt":"2`)
	a := asks("{ viewer { kind } }")
	a.wants(t, 401, "UNAUTHENTICATED")
	if a.Header.Get(allowOrigin) != "" {
		t.Error("a page may read with a revoked key")
	}
	for err == nil {
		_, _, err = c.Read(ctx)
	}
	if code := websocket.CloseStatus(err); code != websocket.StatusGoingAway {
		t.Errorf("the socket: %v", err)
	}
	select {
	case a := <-streamed:
		a.wants(t, 200, "PLACED")
	case <-ctx.Done():
		t.Error("the stream goes on")
	}
	t.Logf("ended %s after the key was revoked", time.Since(began))
	if _, code, _ := s.init(ctx, "", page, map[string]any{"key": key, "authorization": guest}); code != 403 && code != 4403 {
		t.Errorf("the socket comes back: %d", code)
	}
}

// field is the first text under a name in an answer.
func field(body, name string) string {
	_, rest, _ := strings.Cut(body, `"`+name+`":"`)
	value, _, _ := strings.Cut(rest, `"`)
	return value
}
