package devissuer_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/identity/devissuer"
)

// bench is an issuer on a port, and a client of it.
type bench struct {
	*devissuer.Issuer
	t      *testing.T
	client *http.Client
	trust  *identity.Issuers
}

func setup(t *testing.T) *bench {
	t.Helper()
	i := devissuer.New("", "halles",
		devissuer.Person{Subject: "demo-agent", Name: "Katell Évanno", Email: "katell@example.org", Label: "Agente de Lorient"},
		devissuer.Person{Subject: "demo-customer", Name: "Soizic <b>Le Nœud</b>", Label: "Cliente"})
	server := httptest.NewServer(i)
	t.Cleanup(server.Close)
	i.URL = server.URL + devissuer.Path
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return &bench{i, t, client, identity.NewIssuers([]identity.Issuer{{URL: i.URL, Audience: "halles", Name: "demo"}}, nil, slog.New(slog.DiscardHandler))}
}

func (b *bench) send(method, address string, form url.Values) (status int, header http.Header, body string) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer.StatusCode, answer.Header, string(raw)
}

const (
	back   = "http://localhost:3000/retour?x=1"
	secret = "a code verifier of forty-three letters or more, as RFC 7636 asks"
)

// wanted is an authorization request, changed: in pairs of a name and its value.
func wanted(changes ...string) url.Values {
	sum := sha256.Sum256([]byte(secret))
	v := url.Values{
		"response_type": {"code"}, "client_id": {"spa"}, "redirect_uri": {back}, "scope": {"openid profile email"}, "state": {"s&=1"}, "nonce": {"n"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}
	return changed(v, changes)
}

func changed(v url.Values, changes []string) url.Values {
	for i := 0; i < len(changes); i += 2 {
		v.Set(changes[i], changes[i+1])
	}
	return v
}

var (
	hidden = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)
	people = regexp.MustCompile(`<button name="subject" value="([^"]*)">`)
)

// signIn walks through the page as a browser does and returns the code.
func (b *bench) signIn(choice ...string) string {
	b.t.Helper()
	status, header, page := b.send(http.MethodGet, b.URL+"/authorize?"+wanted().Encode(), nil)
	if status != http.StatusOK || !strings.Contains(page, "Katell Évanno") || !strings.Contains(page, "démonstration\u00a0: personne") || strings.Contains(page, "<b>") || len(people.FindAllString(page, -1)) != 2 {
		b.t.Fatalf("%d %s", status, page)
	}
	if policy := header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
		b.t.Errorf("policy: %s", policy)
	}
	form := url.Values{}
	forms := strings.SplitAfter(page, "</form>")
	for _, field := range hidden.FindAllStringSubmatch(forms[0], -1) {
		form.Set(field[1], html.UnescapeString(field[2]))
	}
	status, header, page = b.send(http.MethodPost, b.URL+"/authorize?"+wanted().Encode(), changed(form, choice))
	to, err := url.Parse(header.Get("Location"))
	if status != http.StatusSeeOther || err != nil || to.Host != "localhost:3000" || to.Query().Get("state") != "s&=1" || to.Query().Get("iss") != b.URL || to.Query().Get("x") != "1" {
		b.t.Fatalf("%d %v %s", status, header, page)
	}
	return to.Query().Get("code")
}

func (b *bench) exchange(code string, changes ...string) (status int, tokens map[string]any) {
	b.t.Helper()
	status, _, body := b.send(http.MethodPost, b.URL+"/token", changed(url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "client_id": {"spa"}, "redirect_uri": {back}, "code_verifier": {secret},
	}, changes))
	if err := json.Unmarshal([]byte(body), &tokens); err != nil {
		b.t.Fatalf("%v: %s", err, body)
	}
	return status, tokens
}

// From the discovery document to a token that a server takes.
func TestSignIn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, header, text := b.send(http.MethodGet, b.URL+"/.well-known/openid-configuration", nil)
	var document map[string]any
	if err := json.Unmarshal([]byte(text), &document); err != nil || document["issuer"] != b.URL || header.Get("Access-Control-Allow-Origin") != "*" {
		t.Fatalf("%v %s", err, text)
	}
	if _, _, keys := b.send(http.MethodGet, document["jwks_uri"].(string), nil); strings.Contains(keys, `"d":`) || !strings.Contains(keys, `"kty":"OKP"`) {
		t.Errorf("published keys: %s", keys)
	}
	status, tokens := b.exchange(b.signIn("subject", "demo-agent"))
	if status != http.StatusOK || tokens["token_type"] != "Bearer" || tokens["expires_in"] != 43200.0 {
		t.Fatalf("%d %v", status, tokens)
	}
	person, until, err := b.trust.Check(t.Context(), tokens["access_token"].(string))
	if want := (identity.Person{Issuer: "demo", Subject: "demo-agent", Name: "Katell Évanno", Email: "katell@example.org"}); err != nil || *person != want {
		t.Errorf("%v %+v", err, person)
	}
	if d := time.Until(until); d < 11*time.Hour || d > 12*time.Hour {
		t.Errorf("good for %s", d)
	}
	// The ID token is for the client and not for us.
	if _, _, err := b.trust.Check(t.Context(), tokens["id_token"].(string)); !errors.Is(err, fault.Unauthenticated) {
		t.Errorf("an ID token is taken: %v", err)
	}
	middle := strings.Split(tokens["id_token"].(string), ".")[1]
	raw, err := base64.RawURLEncoding.DecodeString(middle)
	if err != nil || !strings.Contains(string(raw), `"nonce":"n"`) || !strings.Contains(string(raw), `"aud":"spa"`) {
		t.Errorf("%v %s", err, raw)
	}

	b.Rotate()
	if _, tokens = b.exchange(b.signIn("name", "  Anna   Le Goff ")); tokens["access_token"] == nil {
		t.Fatal(tokens)
	}
	anna, _, err := b.trust.Check(t.Context(), tokens["access_token"].(string))
	if err != nil || anna.Name != "Anna Le Goff" || !strings.HasPrefix(anna.Subject, "new-") {
		t.Fatalf("somebody new, after a rotation: %v %+v", err, anna)
	}
	_, tokens = b.exchange(b.signIn("name", "anna le goff"))
	if again, _, err := b.trust.Check(t.Context(), tokens["access_token"].(string)); err != nil || again.Subject != anna.Subject {
		t.Errorf("the same name again: %v %+v", err, again)
	}
}

func TestCodeIsGoodOnceForItsClient(t *testing.T) {
	t.Parallel()
	b := setup(t)
	now := time.Now()
	b.Now = func() time.Time { return now }
	for name, changes := range map[string][]string{
		"AnotherVerifier": {"code_verifier", secret + "x"},
		"NoVerifier":      {"code_verifier", ""},
		"AnotherClient":   {"client_id", "other"},
		"AnotherRedirect": {"redirect_uri", "http://localhost:3000/"},
		"AnotherGrant":    {"grant_type", "client_credentials"},
		"NoCode":          {"code", ""},
	} {
		code := b.signIn("subject", "demo-agent")
		if status, tokens := b.exchange(code, changes...); status != http.StatusBadRequest || tokens["access_token"] != nil {
			t.Errorf("%s: %d %v", name, status, tokens)
		}
		if status, _ := b.exchange(code); status == http.StatusOK && name != "NoCode" {
			t.Errorf("%s: the code is still good", name)
		}
	}
	code := b.signIn("subject", "demo-agent")
	if status, tokens := b.exchange(code); status != http.StatusOK {
		t.Fatal(tokens)
	}
	if status, _ := b.exchange(code); status != http.StatusBadRequest {
		t.Errorf("twice: %d", status)
	}
	code = b.signIn("subject", "demo-agent")
	now = now.Add(time.Minute + time.Second)
	if status, _ := b.exchange(code); status != http.StatusBadRequest {
		t.Errorf("a minute late: %d", status)
	}
}

func TestWrongRequestsAreShown(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, changes := range map[string][]string{
		"AnotherMachine":  {"redirect_uri", "https://evil.example/"},
		"LooksLikeOurs":   {"redirect_uri", "http://localhost.evil.example/"},
		"OursAsUser":      {"redirect_uri", "http://localhost@evil.example/"},
		"NoRedirect":      {"redirect_uri", ""},
		"Script":          {"redirect_uri", "javascript:alert(1)"},
		"Fragment":        {"redirect_uri", "http://localhost/#x"},
		"NoClient":        {"client_id", ""},
		"Implicit":        {"response_type", "token"},
		"NoPKCE":          {"code_challenge", ""},
		"PlainPKCE":       {"code_challenge_method", "plain"},
		"Nobody":          {"subject", "demo-nobody"},
		"NobodysName":     {"name", " "},
		"AnEndlessName":   {"name", strings.Repeat("n", 101)},
		"NeitherOfTheTwo": {},
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			form := wanted(changes...)
			if len(changes) > 0 && changes[0] != "subject" && changes[0] != "name" {
				form.Set("subject", "demo-agent")
			} else if method == http.MethodGet {
				continue // not asked yet
			}
			status, header, page := b.send(method, b.URL+"/authorize?"+form.Encode(), form)
			if status != http.StatusBadRequest || header.Get("Location") != "" || !strings.Contains(page, `role="alert"`) {
				t.Errorf("%s %s: %d %v", method, name, status, header)
			}
		}
	}
	for _, path := range []string{"", "/", "/token", "/nothing"} {
		if status, _, _ := b.send(http.MethodGet, b.URL+path, nil); status != http.StatusNotFound {
			t.Errorf("GET %s: %d", path, status)
		}
	}
}
