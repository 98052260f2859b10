package web_test

import (
	"context"
	"fmt"
	"html"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"

	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/identity/devissuer"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/web"
)

// signing is a site on whose pages people sign in, at an issuer of its own.
type signing struct {
	*site
	subject string // a merchant
	issuer  *devissuer.Issuer
}

const clientSecret = "a secret that the issuer knows"

// pagesSite serves one; the options may be changed once they are complete.
func pagesSite(t *testing.T, change ...func(*web.Options)) *signing {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &signing{site: &site{t: t, db: pgtest.New(t), listener: listener}}
	s.shop = fixture.Shop(t, s.db, fixture.ShopOpts{})
	s.subject, _ = fixture.Account(t, s.db, identity.Merchant, s.shop)
	address := "http://" + listener.Addr().String()
	s.issuer = devissuer.New(address+devissuer.Path, fixture.Audience,
		devissuer.Person{Subject: s.subject, Name: "Camille Le Test", Label: "Commerçante"}, devissuer.Person{Subject: "attacker", Name: "Une Autre"})
	s.issuer.Secrets = map[string]string{"pages": clientSecret}
	s.serve(&web.Demo{Beside: map[string]http.Handler{devissuer.Path: s.issuer}}, append([]func(*web.Options){func(o *web.Options) {
		o.Issuers = identity.NewIssuers([]identity.Issuer{{URL: s.issuer.URL, Audience: fixture.Audience, Name: fixture.Issuer}}, &http.Client{}, slog.New(slog.DiscardHandler))
		o.URL, o.Clients = address, []identity.Client{{Issuer: s.issuer.URL, ID: "pages", Secret: clientSecret, Label: "Issuer"}}
	}}, change...)...)
	return s
}

// browser keeps cookies as one does, and follows nothing by itself.
type browser struct {
	s       *signing
	cookies map[string]string
	set     []*http.Cookie // by the last answer
}

func (s *signing) browser() *browser { return &browser{s: s, cookies: map[string]string{}} }

func (b *browser) do(method, address, body string, headers ...string) answer {
	b.s.t.Helper()
	var jar []string
	for name, value := range b.cookies {
		jar = append(jar, name+"="+value)
	}
	if jar != nil {
		headers = append(headers, "Cookie", strings.Join(jar, "; "))
	}
	a := b.s.do(method, strings.TrimPrefix(address, b.s.URL), body, headers...)
	b.set = a.Cookies()
	for _, c := range b.set {
		if b.cookies[c.Name] = c.Value; c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		}
	}
	return a
}

func (b *browser) post(address string, form url.Values) answer {
	b.s.t.Helper()
	return b.do(http.MethodPost, address, form.Encode(), "Content-Type", "application/x-www-form-urlencoded")
}

// begin goes to the issuer and chooses a person; it returns the address that the issuer sends the
// browser back to, which nobody has opened yet.
func (b *browser) begin(subject, next string) string {
	b.s.t.Helper()
	a := b.do(http.MethodGet, "/session/start?next="+url.QueryEscape(next), "")
	to, err := url.Parse(a.Header.Get("Location"))
	if a.StatusCode != http.StatusSeeOther || err != nil || !strings.HasPrefix(to.String(), b.s.issuer.URL+"/authorize?") {
		b.s.t.Fatalf("%d %v %s", a.StatusCode, a.Header, a.body)
	}
	form := to.Query()
	if form.Get("code_challenge_method") != "S256" || len(form.Get("state")) < 43 || len(form.Get("nonce")) < 43 || form.Get("client_id") != "pages" {
		b.s.t.Errorf("asks the issuer for %v", form)
	}
	form.Set("subject", subject)
	a = b.s.do(http.MethodPost, devissuer.Path+"/authorize", form.Encode(), "Content-Type", "application/x-www-form-urlencoded")
	if a.StatusCode != http.StatusSeeOther {
		b.s.t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	return a.Header.Get("Location")
}

// back opens the address that an issuer sent the browser to, on the site under test.
func (b *browser) back(address string) answer {
	b.s.t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		b.s.t.Fatal(err)
	}
	return b.do(http.MethodGet, u.RequestURI(), "")
}

func (b *browser) signIn(subject, next string) {
	b.s.t.Helper()
	if a := b.back(b.begin(subject, next)); a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != next {
		b.s.t.Fatalf("%d %v %s", a.StatusCode, a.Header, a.body)
	}
}

var guardInput = regexp.MustCompile(`name="csrf" value="([^"]+)"`)

// guard is what the home page puts into its forms.
func (b *browser) guard() string {
	b.s.t.Helper()
	m := guardInput.FindStringSubmatch(b.do(http.MethodGet, "/", "").body)
	if m == nil {
		b.s.t.Fatal("nobody is signed in on the home page")
	}
	return html.UnescapeString(m[1])
}

const whoAsks = `{"query":"{ viewer { kind name } }"}`

func (b *browser) ask(headers ...string) answer {
	b.s.t.Helper()
	return b.do(http.MethodPost, "/graphql", whoAsks, append(headers, "Content-Type", "application/json")...)
}

// A person signs in on a page, is known there and to the API, and signs out everywhere at once.
func TestSignInOnAPage(t *testing.T) {
	t.Parallel()
	s := pagesSite(t)
	b := s.browser()
	b.do(http.MethodGet, "/", "").wants(t, http.StatusOK, `href="/session/start?next=/"`)
	b.signIn(s.subject, "/?from=here#a")
	if len(b.set) != 2 || len(b.cookies) != 1 {
		t.Errorf("cookies set %v, kept %v", b.set, b.cookies)
	}
	for _, c := range b.set {
		if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || c.Secure || strings.HasPrefix(c.Name, "__") {
			t.Errorf("on this machine's own address: %v", c)
		}
	}
	home := b.do(http.MethodGet, "/", "")
	home.wants(t, http.StatusOK, "Camille Le Test", "commerçant", `action="/session/end"`)
	if policy := home.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "form-action 'self' "+s.URL) || home.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%v", home.Header)
	}
	cookie, guard := b.cookies["halles-session"], b.guard()
	b.ask("X-Halles-CSRF", guard).wants(t, http.StatusOK, `"kind":"MERCHANT"`)
	b.do(http.MethodGet, "/graphql?query="+url.QueryEscape("{ viewer { kind } }"), "").wants(t, http.StatusOK, `"kind":"MERCHANT"`)
	b.do(http.MethodGet, "/graphiql", "").wants(t, http.StatusOK, guard, "Loading from cdn.jsdelivr.net…")
	b.ask("Authorization", "Bearer "+sign(t, s.subject, time.Hour)).wants(t, http.StatusUnauthorized, "UNAUTHENTICATED") // another key's: a token is asked first
	if n := pgtest.Scan[int](t, s.db, `select count(*) from sessions where position(convert_to($1, 'UTF8') in digest) > 0 or hint = convert_to($1, 'UTF8')`, cookie); n != 0 {
		t.Error("the cookie is stored")
	}

	b.post("/session/end", url.Values{}).wants(t, http.StatusForbidden, "page de votre session")
	if pgtest.Scan[int](t, s.db, `select count(*) from sessions`) != 1 {
		t.Fatal("signed out by a page without the guard")
	}
	end := b.post("/session/end", url.Values{"csrf": {guard}})
	to, err := url.Parse(end.Header.Get("Location"))
	if err != nil || !strings.HasPrefix(to.String(), s.issuer.URL+"/end?") || to.Query().Get("post_logout_redirect_uri") != s.URL+"/" || strings.Count(to.Query().Get("id_token_hint"), ".") != 2 {
		t.Errorf("signed out to %v %d %s", to, end.StatusCode, end.body)
	}
	b.do(http.MethodGet, to.String(), "").wants(t, http.StatusSeeOther)
	if len(b.cookies) != 0 || pgtest.Scan[int](t, s.db, `select count(*) from sessions`) != 0 {
		t.Errorf("left: %v", b.cookies)
	}
	b.cookies["halles-session"] = cookie // kept by somebody who copied it
	b.ask("X-Halles-CSRF", guard).wants(t, http.StatusUnauthorized, "UNAUTHENTICATED")
	if len(b.cookies) != 0 {
		t.Error("a cookie that opens nothing stays in the browser")
	}
	b.cookies["halles-session"] = cookie
	b.do(http.MethodGet, "/", "").wants(t, http.StatusOK, "/session/start")
	b.post("/session/end", url.Values{}).wants(t, http.StatusSeeOther)
}

// What is asked with the cookie alone may come from a page of another site.
func TestCookieAloneChangesNothing(t *testing.T) {
	t.Parallel()
	s := pagesSite(t)
	key := fixture.WidgetKey(t, s.db, fixture.Lorient, "https://lorient.bzh")
	b, other := s.browser(), s.browser()
	b.signIn(s.subject, "/")
	other.signIn("attacker", "/")
	stranger := other.guard()
	for name, headers := range map[string][]string{
		"NoGuard": nil, "EmptyGuard": {"X-Halles-CSRF", ""}, "AnyGuard": {"X-Halles-CSRF", "1"}, "AnotherSessions": {"X-Halles-CSRF", stranger},
		"FromAFirstParty": {"Origin", origin}, "FromElsewhere": {"Origin", "https://evil.example"}, "AsText": {"Accept", "*/*"},
	} {
		a := b.ask(headers...)
		if a.StatusCode != http.StatusForbidden || !strings.Contains(a.body, "FORBIDDEN") || strings.Contains(a.body, "viewer") {
			t.Errorf("%s: %d %s", name, a.StatusCode, a.body)
		}
	}
	for _, kind := range []string{"text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"} {
		if a := b.do(http.MethodPost, "/graphql", whoAsks, "Content-Type", kind); a.StatusCode < 400 {
			t.Errorf("as %s: %d %s", kind, a.StatusCode, a.body)
		}
	}
	a := b.do(http.MethodGet, "/graphql?query="+url.QueryEscape(`mutation { acceptInvitation(input: {code: "x"}) { role { name } } }`), "")
	if a.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("a change by GET: %d %s", a.StatusCode, a.body)
	}
	a = b.do(http.MethodOptions, "/graphql", "", "Origin", origin, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "x-halles-csrf")
	if a.Header.Get(allowOrigin) != "" || a.Header.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("another site may send the guard: %v", a.Header)
	}
	// A widget's key, or a token, says who asks: the cookie is not looked at.
	b.ask("X-Halles-Key", key.Key).wants(t, http.StatusOK, `"kind":"WIDGET"`)
}

// A sign-in ends in the browser that began it, as whom that browser chose, and with a new cookie.
func TestSignInCannotBeForced(t *testing.T) {
	t.Parallel()
	s := pagesSite(t)
	refused := func(name string, b *browser, a answer, status int) {
		t.Helper()
		if a.StatusCode != status || b.cookies["halles-session"] != "" {
			t.Errorf("%s: %d %v %s", name, a.StatusCode, b.cookies, a.body)
		}
	}
	attacker := s.browser()
	link := attacker.begin("attacker", "/")
	victim := s.browser()
	refused("InAnotherBrowser", victim, victim.back(link), http.StatusForbidden)
	own := victim.begin(s.subject, "/")
	refused("AmidItsOwn", victim, victim.back(link), http.StatusForbidden)
	mixed, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	mine, err := url.Parse(own)
	if err != nil {
		t.Fatal(err)
	}
	q := mixed.Query()
	q.Set("state", mine.Query().Get("state"))
	mixed.RawQuery = q.Encode()
	refused("AnothersCode", victim, victim.back(mixed.String()), http.StatusUnauthorized) // PKCE: the verifier is the other browser's
	q = mine.Query()
	q.Set("iss", "https://evil.example")
	mine.RawQuery = q.Encode()
	refused("AnotherIssuer", victim, victim.back(mine.String()), http.StatusForbidden)
	q.Del("iss")
	mine.RawQuery = q.Encode()
	refused("NoIssuerWhereItNamesItself", victim, victim.back(mine.String()), http.StatusForbidden)
	refused("NoCode", victim, victim.back(s.URL+"/session/callback?iss="+url.QueryEscape(s.issuer.URL)+"&state="+mine.Query().Get("state")), http.StatusUnauthorized)
	refused("Denied", victim, victim.back(s.URL+"/session/callback?error=access_denied&iss="+url.QueryEscape(s.issuer.URL)+"&state="+mine.Query().Get("state")), http.StatusUnauthorized)
	refused("NothingAtAll", victim, victim.back(s.URL+"/session/callback"), http.StatusForbidden)
	if n := pgtest.Scan[int](t, s.db, `select count(*) from sessions`); n != 0 {
		t.Fatalf("%d sessions", n)
	}

	// A cookie that was there before is no session after it; and of one that was, nobody is left.
	attacker.signIn("attacker", "/")
	planted := attacker.cookies["halles-session"]
	for _, cookie := range []string{"planted", planted} {
		victim.cookies["halles-session"] = cookie
		victim.signIn(s.subject, "/")
		if victim.cookies["halles-session"] == cookie {
			t.Error("the cookie is the planted one")
		}
		victim.ask("X-Halles-CSRF", victim.guard()).wants(t, http.StatusOK, "Camille Le Test")
		thief := s.browser()
		thief.cookies["halles-session"] = cookie
		thief.do(http.MethodGet, "/", "").wants(t, http.StatusOK, "/session/start")
	}
	// The answer that served once serves no more, here or elsewhere.
	used := victim.begin(s.subject, "/")
	pending := victim.cookies["halles-sign-in"]
	victim.back(used)
	thief := s.browser()
	thief.cookies["halles-sign-in"] = pending
	refused("Again", thief, thief.back(used), http.StatusUnauthorized)
}

// After signing in one is on a page of this site, whatever the address says.
func TestNextStaysHere(t *testing.T) {
	t.Parallel()
	s := pagesSite(t)
	b := s.browser()
	for _, next := range []string{
		"https://evil.example/", "//evil.example", "///evil.example", `/\evil.example`, `\/evil.example`, "/\t/evil.example", "\t//evil.example", "/\n/evil.example",
		" //evil.example", "evil.example", "javascript:alert(1)", "data:text/html,x", "http:/evil.example", "/%zz", "?next=/", "#a", ".", `/a\b`, "/\x7f",
	} {
		a := b.do(http.MethodGet, "/session/start?next="+url.QueryEscape(next), "", "Accept", "text/html")
		if a.StatusCode != http.StatusBadRequest || a.Header.Get("Location") != "" || len(b.cookies) != 0 {
			t.Errorf("%q: %d %v", next, a.StatusCode, a.Header)
		}
	}
	for _, next := range []string{"/", "/comptoir?jour=2020-11-03#a", "/%2F%2Fevil.example"} {
		b.signIn(s.subject, next)
	}
}

// Of several issuers one is chosen on a page; only those that are configured sign anybody in.
func TestChooseAnIssuer(t *testing.T) {
	t.Parallel()
	s := pagesSite(t, func(o *web.Options) {
		o.Issuers = identity.NewIssuers([]identity.Issuer{{URL: o.Clients[0].Issuer, Audience: fixture.Audience}, {URL: fixture.Issuer, Audience: fixture.Audience}}, &http.Client{}, slog.New(slog.DiscardHandler))
		o.Clients[0].Label = "Compte <b>pro</b>"
		o.Clients = append(o.Clients, identity.Client{Issuer: fixture.Issuer, ID: "pages"})
	})
	b := s.browser()
	page := b.do(http.MethodGet, "/session/start?next=/comptoir", "")
	page.wants(t, http.StatusOK, "Compte &lt;b&gt;pro", "issuer.test")
	links := regexp.MustCompile(`href="(/session/start[^"]+)"`).FindAllStringSubmatch(page.body, -1)
	if len(links) != 2 {
		t.Fatal(page.body)
	}
	a := b.do(http.MethodGet, html.UnescapeString(links[0][1]), "")
	if !strings.HasPrefix(a.Header.Get("Location"), s.issuer.URL+"/authorize?") {
		t.Errorf("%d %v", a.StatusCode, a.Header)
	}
	b.do(http.MethodGet, "/session/start?next=/&issuer=https://evil.example", "").wants(t, http.StatusBadRequest)
	b.do(http.MethodGet, "/session/start?next=//evil.example", "").wants(t, http.StatusBadRequest)
	away := b.do(http.MethodGet, html.UnescapeString(links[1][1]), "") // nobody answers there
	away.wants(t, http.StatusServiceUnavailable)
}

// Over https no other host and nobody on the way can set or read the cookies.
func TestCookiesOverHTTPS(t *testing.T) {
	t.Parallel()
	s := pagesSite(t, func(o *web.Options) { o.URL = "https://localhost:1" })
	b := s.browser()
	address := b.begin(s.subject, "/comptoir")
	if !strings.HasPrefix(address, "https://localhost:1/session/callback?") {
		t.Errorf("back to %s", address)
	}
	all := b.set
	a := b.back(address)
	for _, c := range append(all, b.set...) {
		if !strings.HasPrefix(c.Name, "__Host-halles-") || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
			t.Errorf("%v", c)
		}
	}
	if a.Header.Get("Location") != "/comptoir" || len(b.cookies) != 1 || b.cookies["__Host-halles-session"] == "" {
		t.Errorf("%v %v", a.Header, b.cookies)
	}
	b.cookies["halles-session"] = b.cookies["__Host-halles-session"]
	delete(b.cookies, "__Host-halles-session")
	b.do(http.MethodGet, "/", "").wants(t, http.StatusOK, "/session/start")
	if _, err := web.New(t.Context(), web.Options{DB: s.db.DB, Secret: fixture.Secret, Log: slog.New(slog.DiscardHandler), URL: s.URL, Clients: []identity.Client{{Issuer: "https://unknown.example", ID: "x"}}}); err == nil {
		t.Error("pages sign in at an issuer whose tokens nobody takes")
	}
}

// A socket takes the cookie from pages of ours and of first parties, with what guards it.
func TestSocketBySession(t *testing.T) {
	t.Parallel()
	s := pagesSite(t, func(o *web.Options) { o.Keep = 50 * time.Millisecond })
	live(t, s.site)
	b := s.browser()
	b.signIn(s.subject, "/")
	guard := b.guard()
	fixture.WidgetKey(t, s.db, fixture.Lorient, "https://lorient.bzh")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	open := func(from string, init map[string]any) *websocket.Conn {
		t.Helper()
		header := http.Header{"Cookie": {"halles-session=" + b.cookies["halles-session"]}}
		if from != "" {
			header.Set("Origin", from)
		}
		socket, _, err := websocket.Dial(ctx, s.URL+"/graphql", &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}, HTTPHeader: header})
		if err != nil {
			return nil
		}
		t.Cleanup(func() { _ = socket.CloseNow() })
		if err := wsjson.Write(ctx, socket, map[string]any{"type": "connection_init", "payload": init}); err != nil {
			t.Fatal(err)
		}
		return socket
	}
	ask := func(socket *websocket.Conn, id, query string) string {
		t.Helper()
		if err := wsjson.Write(ctx, socket, map[string]any{"type": "subscribe", "id": id, "payload": map[string]any{"query": query}}); err != nil {
			return err.Error()
		}
		for {
			_, data, err := socket.Read(ctx)
			if err != nil {
				return fmt.Sprint(int(websocket.CloseStatus(err)))
			}
			if strings.Contains(string(data), `"id":"`+id+`"`) {
				return string(data)
			}
		}
	}
	const who = `{ viewer { kind } }`
	guarded := map[string]any{"X-Halles-CSRF": guard}
	for name, c := range map[string]struct {
		from string
		init map[string]any
		want string
	}{
		"OwnPage": {s.URL, guarded, "MERCHANT"}, "FirstParty": {origin, guarded, "MERCHANT"}, "WithoutTheGuard": {s.URL, nil, "VISITOR"},
		"WrongGuard": {s.URL, map[string]any{"X-Halles-CSRF": "x"}, "4403"}, "NoOrigin": {"", guarded, "4403"},
		"AWidgetsPage": {"https://lorient.bzh", guarded, "4403"}, "AnotherSite": {"https://evil.example", guarded, "refused"},
	} {
		got := "refused"
		if socket := open(c.from, c.init); socket != nil {
			got = ask(socket, "who", who)
		}
		if !strings.Contains(got, c.want) {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	// Signed out, an open socket answers no more, and a subscription ends.
	socket := open(s.URL, guarded)
	if got := ask(socket, "who", who); !strings.Contains(got, "MERCHANT") {
		t.Fatal(got)
	}
	if err := wsjson.Write(ctx, socket, map[string]any{"type": "subscribe", "id": "orders", "payload": map[string]any{"query": `subscription { shopOrders(shops: ["` + s.shop.String() + `"]) { kind } }`}}); err != nil {
		t.Fatal(err)
	}
	time.Sleep(150 * time.Millisecond)
	b.post("/session/end", url.Values{"csrf": {guard}}).wants(t, http.StatusSeeOther)
	for {
		_, data, err := socket.Read(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if text := string(data); strings.Contains(text, `"id":"orders"`) {
			if !strings.Contains(text, "UNAUTHENTICATED") {
				t.Errorf("the subscription: %s", text)
			}
			break
		}
	}
	if got := ask(socket, "after", who); !strings.Contains(got, "UNAUTHENTICATED") {
		t.Errorf("over the socket: %s", got)
	}
}

func recorded(h http.Handler, r *http.Request) answer {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return answer{w.Result(), w.Body.String()}
}

// Pages for some are for them only, and their forms work with what guards the session.
func TestPagesForSome(t *testing.T) {
	t.Parallel()
	s := pagesSite(t)
	merchants := s.web.SignedIn(identity.Merchant)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, "%s %s", r.Method, identity.From(r.Context()).Name) //nolint:gosec // no browser reads it
	}))
	ask := func(b *browser, method, target string, form url.Values) answer {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, target, strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		r.RequestURI = target
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if b.cookies["halles-session"] != "" {
			r.AddCookie(&http.Cookie{Name: "halles-session", Value: b.cookies["halles-session"]}) //nolint:gosec // sent by a browser, which sends no attribute
		}
		return recorded(merchants, r)
	}
	b, other := s.browser(), s.browser()
	if a := ask(b, http.MethodGet, "/comptoir?jour=1", nil); a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != "/session/start?next=%2Fcomptoir%3Fjour%3D1" {
		t.Errorf("signed out: %d %v", a.StatusCode, a.Header)
	}
	ask(b, http.MethodPost, "/comptoir", nil).wants(t, http.StatusUnauthorized)
	b.signIn(s.subject, "/")
	other.signIn("attacker", "/")
	ask(b, http.MethodGet, "/comptoir", nil).wants(t, http.StatusOK, "GET Camille Le Test")
	ask(other, http.MethodGet, "/comptoir", nil).wants(t, http.StatusForbidden, "pas pour votre compte")
	ask(b, http.MethodPost, "/comptoir", nil).wants(t, http.StatusForbidden)
	ask(b, http.MethodPost, "/comptoir", url.Values{"csrf": {other.guard()}}).wants(t, http.StatusForbidden)
	ask(b, http.MethodPost, "/comptoir", url.Values{"csrf": {b.guard()}}).wants(t, http.StatusOK, "POST Camille Le Test")
}
