package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"

	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/identity/devissuer"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
	"github.com/audelor/halles/internal/web"
)

func TestMain(m *testing.M) {
	if told := os.Getenv(othersEnv); told != "" {
		beOthers(told)
	}
	pgtest.Waiting(m)
}

const (
	routerToken = "the router's token of the tests"
	origin      = "https://marche.example"
)

// site is a server over a test's own database, with a demonstration's merchant.
type site struct {
	*httptest.Server
	t        *testing.T
	listener net.Listener // where to answer; anywhere when nil
	db       *pgtest.Database
	web      *web.Server
	log      *lines
	shop     tenancy.ID
	merchant string // token
}

// lines collects a log.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = bytes.Buffer{}
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func sign(t *testing.T, subject string, valid time.Duration) string {
	t.Helper()
	token, err := fixture.NewIssuer().Sign(subject, valid)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func start(t *testing.T, change ...func(*web.Options)) *site {
	t.Helper()
	return startOn(t, pgtest.New(t), change...)
}

// live runs the server's own work until the test ends: events reach who follows them.
func live(t *testing.T, s *site) {
	t.Helper()
	running, stop := context.WithCancel(context.Background())
	stopped := make(chan struct{})
	go func() { defer close(stopped); _ = s.web.Run(running) }()
	t.Cleanup(func() { stop(); <-stopped })
}

func startOn(t *testing.T, d *pgtest.Database, change ...func(*web.Options)) *site {
	t.Helper()
	s := &site{t: t, db: d}
	s.shop = fixture.Shop(t, s.db, fixture.ShopOpts{Name: "Crêperie du Port", Category: "creperie"})
	fixture.Product(t, s.db, s.shop, fixture.ProductOpts{Name: "Crêpes de froment", Category: "creperie", Stock: 7, Variants: 2})
	subject, _ := fixture.Account(t, s.db, identity.Merchant, s.shop)
	s.merchant = sign(t, subject, time.Hour)
	s.serve(&web.Demo{Tokens: []web.DemoToken{{Role: "merchant", Label: "Commerçante", Token: s.merchant}}}, change...)
	return s
}

// bare is a production's server.
func bare(t *testing.T, d *pgtest.Database, change ...func(*web.Options)) *site {
	t.Helper()
	s := &site{t: t, db: d}
	s.serve(nil, change...)
	return s
}

func (s *site) serve(demo *web.Demo, change ...func(*web.Options)) {
	s.t.Helper()
	s.log = &lines{}
	o := web.Options{
		DB: s.db.DB, Secret: fixture.Secret, Issuers: fixture.Issuers(), RouterToken: routerToken, Origins: []string{origin}, ListenURL: s.db.URL(pg.Listen),
		Log: slog.New(slog.NewJSONHandler(s.log, nil)), Demo: demo,
	}
	for _, c := range change {
		c(&o)
	}
	var err error
	s.web, err = web.New(s.t.Context(), o)
	if err != nil {
		s.t.Fatal(err)
	}
	s.Server = httptest.NewUnstartedServer(s.web.Handler())
	if s.listener != nil {
		_ = s.Listener.Close()
		s.Listener = s.listener
	}
	s.Start()
	s.t.Cleanup(s.Close)
}

// answer is what came back.
type answer struct {
	*http.Response
	body string
}

// do sends a request; headers are given in pairs.
func (s *site) do(method, path, body string, headers ...string) answer {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.URL+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	a := answer{response, string(raw)}
	a.set(s.t)
	return a
}

// ask sends a query.
func (s *site) ask(query string, headers ...string) answer {
	s.t.Helper()
	body, err := json.Marshal(map[string]any{"query": query})
	if err != nil {
		s.t.Fatal(err)
	}
	return s.do(http.MethodPost, "/graphql", string(body), append([]string{"Content-Type", "application/json"}, headers...)...)
}

func (a answer) wants(t *testing.T, status int, parts ...string) {
	t.Helper()
	if a.StatusCode != status {
		t.Errorf("status %d, not %d: %s", a.StatusCode, status, a.body)
	}
	body := ordinary.Replace(a.body)
	for _, part := range parts {
		if !strings.Contains(body, ordinary.Replace(part)) {
			t.Errorf("no %q in %s", part, a.body)
		}
	}
}

func TestViewerIsWhoTheTokenNames(t *testing.T) {
	t.Parallel()
	s := start(t)
	const who = "{ viewer { kind shops { name } } }"
	subject, _ := fixture.Account(t, s.db, identity.Hotline)
	stranger := devissuer.New("https://elsewhere.test", fixture.Audience)
	foreign, err := stranger.Sign(subject, time.Hour)
	if err != nil {
		t.Fatal(err)
	}

	s.ask(who).wants(t, 200, `"kind":"VISITOR"`)
	s.ask(who, "Authorization", "Bearer "+s.merchant).wants(t, 200, `"kind":"MERCHANT"`, "Crêperie du Port")
	s.ask(who, "Authorization", "bearer "+sign(t, subject, time.Hour)).wants(t, 200, `"kind":"HOTLINE"`)

	for name, authorization := range map[string]string{
		"Nonsense":        "Bearer nonsense",
		"NotBearer":       "Basic dXNlcjpwYXNz",
		"Empty":           "Bearer ",
		"Expired":         "Bearer " + sign(t, subject, -time.Hour),
		"OtherIssuer":     "Bearer " + foreign,
		"Altered":         "Bearer " + s.merchant[:len(s.merchant)-6] + "AAAAAA",
		"SignedByNobody":  "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.",
		"TwoTokensInARow": "Bearer " + s.merchant + " " + s.merchant,
	} {
		t.Run(name, func(t *testing.T) {
			a := s.ask(who, "Authorization", authorization)
			a.wants(t, 401, `"errors":[{`, `"code":"UNAUTHENTICATED"`)
			if got := a.Header.Get("WWW-Authenticate"); !strings.HasPrefix(got, "Bearer ") {
				t.Errorf("WWW-Authenticate: %q", got)
			}
			if got := a.Header.Get("Content-Type"); !strings.HasPrefix(got, "application/json") {
				t.Errorf("Content-Type: %q", got)
			}
			for _, leak := range []string{"token is", "jwt", "signature"} {
				if strings.Contains(a.body, leak) {
					t.Errorf("the library's words came out: %s", a.body)
				}
			}
		})
	}
}

func TestBodyTooBig(t *testing.T) {
	t.Parallel()
	s := start(t)
	fits := s.ask("{ viewer { kind } } #" + strings.Repeat("x", 120<<10))
	fits.wants(t, 200, "VISITOR")
	s.ask("{ viewer { kind } } #"+strings.Repeat("x", 128<<10)).wants(t, 413, `"code":"LIMITED"`, "128 Kio")

	// Without a length in advance too.
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/graphql", io.MultiReader(strings.NewReader(`{"query":"`), strings.NewReader(strings.Repeat(" ", 1<<20))))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != 413 {
		t.Errorf("chunks: status %d", response.StatusCode)
	}
}

func TestRequestNumber(t *testing.T) {
	t.Parallel()
	s := start(t)
	a := s.do(http.MethodGet, "/graphql?query=%7Bviewer%7Bkind%7D%7D&variables=%7B%22mail%22%3A%22marie@exemple.fr%22%7D", "",
		"X-Request-Id", "mine", "User-Agent", "marie's browser", "Authorization", "Bearer "+s.merchant)
	id := a.Header.Get("X-Request-Id")
	if !regexp.MustCompile(`^[a-z2-7]{16}$`).MatchString(id) {
		t.Fatalf("X-Request-Id: %q", id)
	}
	log := s.log.String()
	if !strings.Contains(log, `"request":"`+id+`"`) || !strings.Contains(log, `"path":"/graphql"`) {
		t.Errorf("not in the log: %s", log)
	}
	for _, private := range []string{"marie", "127.0.0.1", s.merchant[len(s.merchant)-20:], "kind", "mine"} {
		if strings.Contains(log, private) {
			t.Errorf("%q is in the log: %s", private, log)
		}
	}
}

func TestInternalErrorCarriesItsNumberAndNothingElse(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.db.Exec(t, "set role halles_owner; alter table products rename to goods")
	a := s.ask("{ products(first: 1) { nodes { name } } }")
	id := a.Header.Get("X-Request-Id")
	a.wants(t, 200, `"code":"INTERNAL"`, `"request":"`+id+`"`, id)
	for _, inside := range []string{"SQLSTATE", "relation", "products\\\"", "pgx"} {
		if strings.Contains(a.body, inside) {
			t.Errorf("%q came out: %s", inside, a.body)
		}
	}
	if log := s.log.String(); !strings.Contains(log, "SQLSTATE 42P01") || !strings.Contains(log, id) {
		t.Errorf("the log does not tell: %s", log)
	}
}

func TestNothingThere(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.do(http.MethodGet, "/nothing", "").wants(t, 404, `"code":"NOT_FOUND"`)
	page := s.do(http.MethodGet, "/nothing", "", "Accept", "text/html")
	page.wants(t, 404, "<h1>", `lang="fr"`)
	style := regexp.MustCompile(`<link rel="stylesheet" href="([^"]+)">`).FindStringSubmatch(page.body)
	if style == nil || !strings.Contains(page.Header.Get("Content-Security-Policy"), "style-src 'self'") {
		t.Fatalf("the page has no style, or may not load it: %s", page.body)
	}
	s.do(http.MethodGet, style[1], "").wants(t, 200, "body {")
	a := s.do(http.MethodDelete, "/graphql", "")
	a.wants(t, 405, `"errors":[{`)
	if got := a.Header.Get("Allow"); got != "GET, POST, OPTIONS" {
		t.Errorf("Allow: %q", got)
	}
	s.do(http.MethodPost, "/", "").wants(t, 405)
	s.do(http.MethodGet, "/assets/000000000000/console.js", "").wants(t, 404)
	s.do(http.MethodHead, "/", "").wants(t, 200)
}

func TestReady(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.do(http.MethodGet, "/readyz", "").wants(t, 200, `"ready":true`)

	t.Run("MigrationMissing", func(t *testing.T) {
		newest := pgtest.Scan[int64](t, s.db, "select max(version_id) from goose_db_version")
		s.db.Exec(t, "delete from goose_db_version where version_id = $1", newest)
		s.do(http.MethodGet, "/readyz", "").wants(t, 503, `"ready":false`, "halles migrate")
		s.do(http.MethodGet, "/healthz", "").wants(t, 200)
		s.db.Exec(t, "insert into goose_db_version (version_id, is_applied) values ($1, true), ($2, true)", newest, newest+1)
		s.do(http.MethodGet, "/readyz", "").wants(t, 200) // a newer database is served too
	})
	t.Run("DatabaseGone", func(t *testing.T) {
		s.db.DB.Close()
		a := s.do(http.MethodGet, "/readyz", "")
		a.wants(t, 503, "does not answer as halles_app", "halles_public")
		if strings.Contains(a.body, "socket") || strings.Contains(a.body, s.db.Name()) {
			t.Errorf("it tells where the database is: %s", a.body)
		}
		s.do(http.MethodGet, "/healthz", "").wants(t, 200, `"alive":true`)
	})
}

func TestOrigins(t *testing.T) {
	t.Parallel()
	s := start(t)
	const allow = "Access-Control-Allow-Origin"
	preflight := func(from string) answer {
		return s.do(http.MethodOptions, "/graphql", "", "Origin", from, "Access-Control-Request-Method", "POST",
			"Access-Control-Request-Headers", "authorization,content-type")
	}
	if a := preflight(origin); a.Header.Get(allow) != origin || a.Header.Get("Access-Control-Allow-Headers") == "" {
		t.Errorf("preflight refused: %v", a.Header)
	}
	a := s.ask("{ viewer { kind } }", "Origin", origin)
	a.wants(t, 200)
	if a.Header.Get(allow) != origin || !strings.Contains(strings.Join(a.Header.Values("Vary"), ","), "Origin") {
		t.Errorf("answer not readable by the origin: %v", a.Header)
	}
	if got := s.ask("{ viewer { kind } }", "Origin", origin, "Authorization", "Bearer x"); got.StatusCode != 401 || got.Header.Get(allow) != origin {
		t.Errorf("the origin's page cannot read why it is refused: %v", got.Header)
	}
	for _, other := range []string{"https://marche.example.evil.test", "http://marche.example", "https://sub.marche.example", "null"} {
		if got := preflight(other).Header.Get(allow); got != "" {
			t.Errorf("%s is allowed as %q", other, got)
		}
		if got := s.ask("{ viewer { kind } }", "Origin", other).Header.Get(allow); got != "" {
			t.Errorf("%s may read as %q", other, got)
		}
	}
}

func TestFederationAnswersTheRouterOnly(t *testing.T) {
	t.Parallel()
	s := start(t)
	queries := map[string]string{
		"Plain":    `{ _service { sdl } }`,
		"Alias":    `{ harmless: _service { sdl } }`,
		"Fragment": `query { ...f } fragment f on Query { x: _service { sdl } }`,
		"Inline":   `{ ... on Query { ... { y: _service { sdl } } } }`,
		"Entities": `{ _entities(representations: [{__typename: "Shop", id: "` + s.shop.String() + `"}]) { ... on Shop { name } } }`,
		"EntitiesAlias": `query { ...f } fragment f on Query { viewer { kind } e: _entities(representations: [
			{__typename: "Commune", insee: "56121"}]) { ... on Commune { name } } }`,
	}
	for name, query := range queries {
		t.Run(name, func(t *testing.T) {
			for _, headers := range [][]string{nil, {"X-Halles-Router", "guess"}, {"X-Halles-Router", ""}, {"Authorization", "Bearer " + s.merchant}} {
				a := s.ask(query, headers...)
				a.wants(t, 200, `"code":"FORBIDDEN"`)
				for _, secret := range []string{"@link", "Crêperie", "Lorient"} {
					if strings.Contains(a.body, secret) {
						t.Errorf("%v: answered %s", headers, a.body)
					}
				}
			}
			a := s.ask(query, "X-Halles-Router", routerToken)
			a.wants(t, 200)
			if strings.Contains(a.body, "errors") || !strings.Contains(a.body, "@link") && !strings.Contains(a.body, "Crêperie") && !strings.Contains(a.body, "Lorient") {
				t.Errorf("refused to the router: %s", a.body)
			}
		})
	}
}

// socket opens a socket and says connection_init.
func (s *site) socket(payload any, headers http.Header) *websocket.Conn {
	s.t.Helper()
	c, response, err := websocket.Dial(s.t.Context(), "ws"+strings.TrimPrefix(s.URL, "http")+"/graphql", &websocket.DialOptions{
		Subprotocols: []string{"graphql-transport-ws"}, HTTPHeader: headers,
	})
	if err != nil {
		s.t.Fatal(response, err)
	}
	s.t.Cleanup(func() { _ = c.CloseNow() })
	if err := wsjson.Write(s.t.Context(), c, map[string]any{"type": "connection_init", "payload": payload}); err != nil {
		s.t.Fatal(err)
	}
	return c
}

func TestSocketViewer(t *testing.T) {
	t.Parallel()
	s := start(t)
	kind := func(c *websocket.Conn) string {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		_ = wsjson.Write(ctx, c, map[string]any{"id": "1", "type": "subscribe", "payload": map[string]any{"query": "{ viewer { kind } }"}})
		for {
			var message struct {
				Type    string
				Payload struct {
					Data struct{ Viewer struct{ Kind string } }
				}
			}
			if err := wsjson.Read(ctx, c, &message); err != nil {
				t.Fatal(err)
			}
			if message.Type == "next" {
				return message.Payload.Data.Viewer.Kind
			}
		}
	}
	if got := kind(s.socket(map[string]any{}, nil)); got != "VISITOR" {
		t.Errorf("without a token: %s", got)
	}
	if got := kind(s.socket(map[string]any{"authorization": "Bearer " + s.merchant}, nil)); got != "MERCHANT" {
		t.Errorf("with a token: %s", got)
	}
	if got := kind(s.socket(nil, http.Header{"Authorization": {"Bearer " + s.merchant}})); got != "MERCHANT" {
		t.Errorf("with a header: %s", got)
	}
	for name, authorization := range map[string]any{"Nonsense": "Bearer nonsense", "NotText": 12, "Empty": "", "Expired": "Bearer " + sign(t, "x", -time.Hour)} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			c := s.socket(map[string]any{"authorization": authorization}, nil)
			for {
				var message map[string]any
				err := wsjson.Read(ctx, c, &message)
				if err == nil && message["type"] != "connection_ack" {
					continue // gqlgen says why before it closes
				}
				if websocket.CloseStatus(err) != 4403 {
					t.Errorf("%v %v", message, err)
				}
				return
			}
		})
	}
}
