package identity_test

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

// teller is an issuer that answers any code with the tokens that it is given.
type teller struct {
	*party
	id      string // ID token
	profile string // what its userinfo endpoint says; it has none when empty
	asked   url.Values
	secret  string
	fails   atomic.Bool
}

func (p *teller) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		said := map[string]any{"issuer": p.url, "jwks_uri": p.url + "/keys", "authorization_endpoint": p.url + "/authorize", "token_endpoint": p.url + "/token"}
		if p.profile != "" {
			said["userinfo_endpoint"] = p.url + "/me"
		}
		_ = json.NewEncoder(w).Encode(said)
	case "/token":
		_ = r.ParseForm()
		p.asked = r.PostForm
		_, p.secret, _ = r.BasicAuth()
		if p.fails.Load() {
			http.Error(w, "away", http.StatusBadGateway)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"access_token": "access", "token_type": "Bearer", "id_token": p.id})
	case "/me":
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(p.profile))
	default:
		p.party.ServeHTTP(w, r)
	}
}

// signing is a sign-in at a teller.
type signing struct {
	*identity.SignIn
	d     *pgtest.Database
	at    *teller
	key   *signer
	clock *clock
}

func signIn(t *testing.T) *signing {
	t.Helper()
	d, key, c := pgtest.New(t), edKey("k"), &clock{}
	at := &teller{party: &party{url: "https://a.test"}}
	at.publish(key)
	c.set(noon)
	issuers := identity.NewIssuers([]identity.Issuer{{URL: at.url, Audience: "halles"}, {URL: "https://b.test", Audience: "halles"}}, fixture.Client(at), slog.New(slog.DiscardHandler))
	issuers.Now = c.now
	sessions := identity.NewSessions(d.DB, fixture.Secret)
	sessions.Now = c.now
	r := &identity.Resolver{DB: d.DB, Communes: tenancy.NewRegister(d.DB), Issuers: issuers, Sessions: sessions, Now: c.now}
	s, err := identity.NewSignIn(r, []identity.Client{{Issuer: at.url, ID: "pages", Secret: "s3cret"}}, "https://marche.example/session/callback", fixture.Secret)
	if err != nil {
		t.Fatal(err)
	}
	return &signing{s, d, at, key, c}
}

// walk begins a sign-in and ends it with the ID token that make makes of the nonce.
func (s *signing) walk(t *testing.T, id func(nonce string) string) (*identity.SignedIn, error) {
	t.Helper()
	to, cookie, err := s.Start(t.Context(), s.at.url, "/")
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	s.at.id = id(u.Query().Get("nonce"))
	return s.Finish(t.Context(), cookie, identity.Answer{Code: "code", State: u.Query().Get("state")})
}

// forClient are the claims of a good ID token, changed.
func forClient(nonce string, changes ...said) said {
	all := said{"aud": "pages", "nonce": nonce, "name": "Anna Le Goff"}
	for _, change := range changes {
		for name, value := range change {
			all[name] = value
		}
	}
	return all
}

// An ID token signs in only when this issuer made it for our pages, at this sign-in.
func TestForgedIDTokens(t *testing.T) {
	t.Parallel()
	s := signIn(t)
	stranger := edKey("k")
	for name, id := range map[string]func(nonce string) string{
		"None":             func(string) string { return "" },
		"Nonsense":         func(string) string { return "nonsense" },
		"AnotherNonce":     func(n string) string { return s.key.token(forClient("x" + n)) },
		"NoNonce":          func(n string) string { return s.key.token(forClient(n, said{"nonce": nil})) },
		"EmptyNonce":       func(string) string { return s.key.token(forClient("")) },
		"ForTheAPI":        func(n string) string { return s.key.token(forClient(n, said{"aud": "halles"})) },
		"ForAnother":       func(n string) string { return s.key.token(forClient(n, said{"aud": "other"})) },
		"ForTwoUnsaidWhom": func(n string) string { return s.key.token(forClient(n, said{"aud": []string{"pages", "other"}})) },
		"PartyIsAnother": func(n string) string {
			return s.key.token(forClient(n, said{"aud": []string{"pages", "other"}, "azp": "other"}))
		},
		"PartyAlone":    func(n string) string { return s.key.token(forClient(n, said{"azp": "other"})) },
		"AnotherIssuer": func(n string) string { return s.key.token(forClient(n, said{"iss": "https://b.test"})) },
		"UnknownIssuer": func(n string) string { return s.key.token(forClient(n, said{"iss": "https://evil.test"})) },
		"AnotherKey":    func(n string) string { return stranger.token(forClient(n)) },
		"Expired":       func(n string) string { return s.key.token(forClient(n, said{"exp": noon.Add(-time.Minute).Unix()})) },
		"Endless":       func(n string) string { return s.key.token(forClient(n, said{"exp": nil})) },
		"NotYet":        func(n string) string { return s.key.token(forClient(n, said{"nbf": noon.Add(time.Hour).Unix()})) },
		"NoSubject":     func(n string) string { return s.key.token(forClient(n, said{"sub": ""})) },
		"Unsigned": func(n string) string {
			return b64([]byte(`{"alg":"none"}`)) + "." + b64([]byte(claims(forClient(n)))) + "."
		},
		"LogoutToken": func(n string) string { return s.key.raw(s.key.header(said{"typ": "logout+jwt"}), claims(forClient(n))) },
	} {
		if done, err := s.walk(t, id); done != nil || !errors.Is(err, fault.Unauthenticated) && !errors.Is(err, fault.Unavailable) {
			t.Errorf("%s: %v %v", name, done, err)
		}
	}
	if n := pgtest.Scan[int](t, s.d, `select (select count(*) from sessions) + (select count(*) from accounts)`); n != 0 {
		t.Errorf("%d rows of them", n)
	}
	for name, id := range map[string]func(nonce string) string{
		"Plain":  func(n string) string { return s.key.raw(s.key.header(said{"typ": "JWT"}), claims(forClient(n))) },
		"NoType": func(n string) string { return s.key.raw(s.key.header(said{"typ": nil}), claims(forClient(n))) },
		"ForTwo": func(n string) string {
			return s.key.token(forClient(n, said{"aud": []string{"other", "pages"}, "azp": "pages"}))
		},
		"InLeeway": func(n string) string {
			return s.key.token(forClient(n, said{"exp": noon.Add(-20 * time.Second).Unix()}))
		},
	} {
		if _, err := s.walk(t, id); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if s.at.secret != "s3cret" || len(s.at.asked.Get("code_verifier")) < 43 || s.at.asked.Get("redirect_uri") != "https://marche.example/session/callback" {
		t.Errorf("asked the issuer %v with %q", s.at.asked, s.at.secret)
	}
	s.at.fails.Store(true)
	if _, err := s.walk(t, func(n string) string { return s.key.token(forClient(n)) }); fault.Of(err) == nil {
		t.Errorf("an issuer that is away: %v", err)
	}
}

// Who is named at the userinfo endpoint only has that name, unless it is another's.
func TestNameFromUserinfo(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		`{"sub":"anna","given_name":"Anna","usual_name":"Le Goff","email":"anna@example.org","email_verified":true}`: "Anna Le Goff anna@example.org",
		`{"sub":"somebody","given_name":"Anna","usual_name":"Le Goff"}`:                                              " ",
		`nonsense`: " ",
	} {
		s := signIn(t)
		s.at.profile = name
		if _, err := s.walk(t, func(n string) string { return s.key.token(forClient(n, said{"name": nil})) }); err != nil {
			t.Fatal(err)
		}
		if got := pgtest.Scan[string](t, s.d, `select name || ' ' || coalesce(email, '') from accounts`); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// A sign-in that was not ended in time, altered or begun with another deployment's secret ends nowhere.
func TestPendingSignIn(t *testing.T) {
	t.Parallel()
	s := signIn(t)
	good := func(n string) string { return s.key.token(forClient(n)) }
	to, cookie, err := s.Start(t.Context(), s.at.url, "/")
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	s.at.id = good(u.Query().Get("nonce"))
	answer := identity.Answer{Code: "code", State: u.Query().Get("state")}
	other, err := identity.NewSignIn(s.Resolver, s.Clients(), "https://marche.example/session/callback", []byte("another deployment's secret, of 32 bytes or more"))
	if err != nil {
		t.Fatal(err)
	}
	altered := "A"
	if cookie[0] == 'A' {
		altered = "B"
	}
	for name, c := range map[string]struct {
		s      *identity.SignIn
		cookie string
		a      identity.Answer
	}{
		"NoCookie": {s.SignIn, "", answer}, "Altered": {s.SignIn, altered + cookie[1:], answer}, "CutShort": {s.SignIn, cookie[:len(cookie)-4], answer},
		"AnotherDeployments": {other, cookie, answer}, "NoState": {s.SignIn, cookie, identity.Answer{Code: "code"}},
	} {
		if done, err := c.s.Finish(t.Context(), c.cookie, c.a); done != nil || !errors.Is(err, fault.Forbidden) {
			t.Errorf("%s: %v %v", name, done, err)
		}
	}
	s.clock.advance(identity.PendingLife)
	if _, err := s.Finish(t.Context(), cookie, answer); !errors.Is(err, fault.Forbidden) {
		t.Errorf("too late: %v", err)
	}
}

// A session ends twelve hours after its last use, and a week after it began, used or not.
func TestSessionEnds(t *testing.T) {
	t.Parallel()
	s := signIn(t)
	r := s.Resolver
	begin := func() string {
		t.Helper()
		done, err := s.walk(t, func(n string) string {
			return s.key.token(forClient(n, said{"exp": s.clock.now().Add(time.Minute).Unix()}))
		})
		if err != nil || done.EndsAt != s.clock.now().Add(7*24*time.Hour) || len(done.Cookie) != 43 || strings.Contains(done.Cookie, "=") {
			t.Fatalf("%v %+v", err, done)
		}
		return done.Cookie
	}
	ends := func(cookie string, over bool) {
		t.Helper()
		v, _, err := r.FromSession(t.Context(), cookie)
		if over != errors.Is(err, fault.Unauthenticated) || !over && (err != nil || v.Name != "Anna Le Goff" || !v.InSession()) {
			t.Errorf("at %s: %v %+v", s.clock.now(), err, v)
		}
	}
	idle, used := begin(), begin()
	for range 11 { // hours
		s.clock.advance(time.Hour)
		ends(used, false)
	}
	s.clock.advance(time.Hour)
	ends(idle, true)
	ends(used, false)
	held, _, err := r.FromSession(t.Context(), used)
	if err != nil {
		t.Fatal(err)
	}
	for s.clock.now().Before(noon.Add(7*24*time.Hour - 7*time.Hour)) {
		s.clock.advance(6 * time.Hour)
		ends(used, false)
	}
	if _, err := r.Again(t.Context(), held); err != nil {
		t.Errorf("a viewer held on to: %v", err)
	}
	s.clock.set(noon.Add(7 * 24 * time.Hour))
	ends(used, true)
	if _, err := r.Again(t.Context(), held); !errors.Is(err, fault.Unauthenticated) {
		t.Errorf("a viewer held on to: %v", err)
	}
	ends("", true)
	ends("nonsense", true)
	last := begin() // takes those out that are over
	if n := pgtest.Scan[int](t, s.d, `select count(*) from sessions`); n != 1 {
		t.Errorf("%d sessions are kept", n)
	}
	// Used again within a minute it writes nothing, and it goes with its account.
	sent := s.d.Statements()
	ends(last, false)
	if n := sent(); n != 1 { // the session; the account is remembered
		t.Errorf("%d statements", n)
	}
	s.d.Exec(t, `delete from accounts`)
	ends(last, true)
}
