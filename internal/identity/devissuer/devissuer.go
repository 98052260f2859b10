// Package devissuer is a small OpenID Connect issuer for trying and for developing: discovery,
// keys, authorization code with PKCE, and a page that asks "sign in as whom?" and no password.
// A server checks its tokens as it checks ProConnect's, over the same lines of code. Whoever
// reaches it signs in as anybody: it is no part of `halles serve`.
package devissuer

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// Path is where a server that runs an issuer has it: the issuer's URL is the server's, then Path.
const Path = "/dev-issuer"

// Person is somebody to sign in as.
type Person struct {
	Subject string // claim "sub"
	Name    string
	Email   string
	Label   string // who that is, in French: "Agente de Lorient"
}

// Issuer signs tokens with a key that lives as long as the program.
type Issuer struct {
	URL      string // claim "iss"
	Audience string // claim "aud" of access tokens
	People   []Person
	Secrets  map[string]string // of clients that must show one, by client_id
	Now      func() time.Time

	mu    sync.Mutex
	keys  []jose.JSONWebKey // private; the last one signs
	codes map[string]code
}

// code is a sign-in between the page and the token endpoint.
type code struct {
	person   Person
	client   string
	redirect string
	nonce    string
	proof    string // the code challenge: digest of a secret that only the client has
	until    time.Time
}

const (
	codeLife = time.Minute
	// maxCodes bounds what pages that nobody finishes leave behind.
	maxCodes = 1000
	// maxBody is more than any form here has.
	maxBody = 16 << 10
	// tokenLife is a working day.
	tokenLife = 12 * time.Hour
)

// New returns an issuer with a random key.
func New(issuerURL, audience string, people ...Person) *Issuer {
	i := &Issuer{URL: issuerURL, Audience: audience, People: people, Now: time.Now, codes: map[string]code{}}
	i.Rotate()
	return i
}

// Rotate publishes a new key and signs with it from now on; those before stay published.
func (i *Issuer) Rotate() {
	_, key, _ := ed25519.GenerateKey(rand.Reader) // never fails (crypto/rand)
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keys = append(i.keys, jose.JSONWebKey{Key: key, KeyID: rand.Text()[:8], Algorithm: "EdDSA", Use: "sig"})
}

// Key is the private key that signs, with its name.
func (i *Issuer) Key() jose.JSONWebKey {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.keys[len(i.keys)-1]
}

// Sign makes an access token for a subject, valid for the given time.
func (i *Issuer) Sign(subject string, valid time.Duration) (string, error) {
	return i.token("at+jwt", i.Audience, Person{Subject: subject}, "", valid)
}

// claims is what a token says.
type claims struct {
	jwt.Claims
	Name          string `json:"name,omitempty"`
	Email         string `json:"email,omitempty"`
	EmailVerified bool   `json:"email_verified,omitempty"`
	Nonce         string `json:"nonce,omitempty"`
}

func (i *Issuer) token(kind, audience string, p Person, nonce string, valid time.Duration) (string, error) {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.EdDSA, Key: i.Key()}, (&jose.SignerOptions{}).WithType(jose.ContentType(kind)))
	if err != nil {
		return "", err
	}
	now := i.Now()
	return jwt.Signed(signer).Claims(claims{
		Claims: jwt.Claims{
			Issuer: i.URL, Subject: p.Subject, Audience: jwt.Audience{audience},
			IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(valid)), ID: rand.Text(),
		},
		Name: p.Name, Email: p.Email, EmailVerified: p.Email != "", Nonce: nonce,
	}).Serialize()
}

// ServeHTTP answers below the path of the issuer's URL.
func (i *Issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	base := ""
	if u, err := url.Parse(i.URL); err == nil {
		base = u.Path
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	switch path := strings.TrimPrefix(r.URL.Path, base); {
	case path == "/.well-known/openid-configuration" && r.Method == http.MethodGet:
		i.answer(w, http.StatusOK, i.document())
	case path == "/jwks" && r.Method == http.MethodGet:
		i.answer(w, http.StatusOK, i.published())
	case path == "/authorize" && r.Method == http.MethodGet:
		i.ask(w, r)
	case path == "/authorize" && r.Method == http.MethodPost:
		i.chosen(w, r)
	case path == "/token" && r.Method == http.MethodPost:
		i.exchange(w, r)
	case path == "/end" && r.Method == http.MethodGet:
		i.end(w, r)
	default:
		http.NotFound(w, r)
	}
}

// answer writes JSON that a page of any origin may read: nothing here depends on a cookie.
func (i *Issuer) answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // whoever asked is gone
}

func (i *Issuer) document() map[string]any {
	return map[string]any{
		"issuer": i.URL, "jwks_uri": i.URL + "/jwks",
		"authorization_endpoint": i.URL + "/authorize", "token_endpoint": i.URL + "/token",
		"end_session_endpoint":     i.URL + "/end",
		"response_types_supported": []string{"code"}, "grant_types_supported": []string{"authorization_code"},
		"code_challenge_methods_supported":      []string{"S256"},
		"token_endpoint_auth_methods_supported": []string{"none", "client_secret_basic"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []string{"EdDSA"},
		"scopes_supported":                      []string{"openid", "profile", "email"},
		"claims_supported":                      []string{"iss", "sub", "aud", "exp", "iat", "jti", "name", "email", "email_verified", "nonce"},

		"authorization_response_iss_parameter_supported": true,
	}
}

func (i *Issuer) published() jose.JSONWebKeySet {
	i.mu.Lock()
	defer i.mu.Unlock()
	var set jose.JSONWebKeySet
	for _, key := range i.keys {
		set.Keys = append(set.Keys, key.Public())
	}
	return set
}

// wanted is an authorization request (RFC 6749, 4.1.1; RFC 7636).
type wanted struct {
	Client, Redirect, State, Nonce, Proof string

	to *url.URL // Redirect
}

// read checks an authorization request, or says in French what is wrong with it. What is wrong
// is shown and not sent to the redirect, which may be what is wrong.
func (i *Issuer) read(r *http.Request) (wanted, string) {
	q := wanted{Client: r.FormValue("client_id"), Redirect: r.FormValue("redirect_uri"), State: r.FormValue("state"), Nonce: r.FormValue("nonce"), Proof: r.FormValue("code_challenge")}
	to, err := url.Parse(q.Redirect)
	q.to = to
	switch {
	case q.Client == "":
		return q, "client_id manque : donnez un nom à votre programme."
	case err != nil || to.Scheme != "http" && to.Scheme != "https" || to.Fragment != "" || !i.own(to):
		return q, "redirect_uri n'est pas une adresse de cette machine : donnez par exemple http://localhost:3000/retour."
	case r.FormValue("response_type") != "code":
		return q, "response_type doit être code."
	case r.FormValue("code_challenge_method") != "S256" || len(q.Proof) != 43:
		return q, "code_challenge doit être l'empreinte SHA-256 d'un secret, en base64url, et code_challenge_method S256 (RFC 7636)."
	}
	return q, ""
}

// own tells whether an address is this machine's or the issuer's own: nobody else gets a code.
func (i *Issuer) own(u *url.URL) bool {
	if self, err := url.Parse(i.URL); err == nil && self.Host == u.Host {
		return true
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// exchange turns a code into tokens (RFC 6749, 4.1.3).
func (i *Issuer) exchange(w http.ResponseWriter, r *http.Request) {
	given := r.PostFormValue("code")
	i.mu.Lock()
	c, there := i.codes[given]
	delete(i.codes, given) // right or wrong, once
	i.mu.Unlock()
	proof := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	client, secret := r.PostFormValue("client_id"), ""
	if id, shown, basic := r.BasicAuth(); basic { // both as in a form (RFC 6749, 2.3.1)
		client, _ = url.QueryUnescape(id)
		secret, _ = url.QueryUnescape(shown)
	}
	switch {
	case secret != i.Secrets[client]:
		i.answer(w, http.StatusUnauthorized, map[string]string{"error": "invalid_client"})
		return
	case r.PostFormValue("grant_type") != "authorization_code":
		i.answer(w, http.StatusBadRequest, map[string]string{"error": "unsupported_grant_type"})
		return
	case !there || i.Now().After(c.until) || c.client != client || c.redirect != r.PostFormValue("redirect_uri") ||
		subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(proof[:])), []byte(c.proof)) != 1:
		i.answer(w, http.StatusBadRequest, map[string]string{"error": "invalid_grant"})
		return
	}
	access, err := i.token("at+jwt", i.Audience, c.person, "", tokenLife)
	if err != nil {
		http.Error(w, "no token", http.StatusInternalServerError)
		return
	}
	identity, err := i.token("JWT", c.client, c.person, c.nonce, tokenLife)
	if err != nil {
		http.Error(w, "no token", http.StatusInternalServerError)
		return
	}
	i.answer(w, http.StatusOK, map[string]any{
		"access_token": access, "token_type": "Bearer", "expires_in": int(tokenLife.Seconds()), "id_token": identity, "scope": "openid profile email",
	})
}

// end sends the browser back to a client that signed somebody out (OpenID Connect RP-Initiated
// Logout 1.0). There is nothing to end: nobody stays signed in here.
func (i *Issuer) end(w http.ResponseWriter, r *http.Request) {
	back, err := url.Parse(r.FormValue("post_logout_redirect_uri"))
	if err != nil || back.Scheme != "http" && back.Scheme != "https" || !i.own(back) {
		http.Error(w, "post_logout_redirect_uri n'est pas une adresse de cette machine.", http.StatusBadRequest)
		return
	}
	q := back.Query()
	if state := r.FormValue("state"); state != "" {
		q.Set("state", state)
		back.RawQuery = q.Encode()
	}
	http.Redirect(w, r, back.String(), http.StatusSeeOther) //nolint:gosec // of this machine, see above
}

// issue makes a code for a person.
func (i *Issuer) issue(p Person, q wanted) string {
	i.mu.Lock()
	defer i.mu.Unlock()
	now := i.Now()
	for text, c := range i.codes {
		if now.After(c.until) || len(i.codes) >= maxCodes {
			delete(i.codes, text)
		}
	}
	text := rand.Text()
	i.codes[text] = code{p, q.Client, q.Redirect, q.Nonce, q.Proof, now.Add(codeLife)}
	return text
}

// maxName bounds the name of somebody new.
const maxName = 100

// person finds whom the page chose: one of People, or by a name somebody new, who is the same
// one whenever the name is.
func (i *Issuer) person(subject, name string) (Person, bool) {
	for _, p := range i.People {
		if subject == p.Subject {
			return p, true
		}
	}
	name = strings.Join(strings.Fields(name), " ")
	digest := sha256.Sum256([]byte(strings.ToLower(name)))
	return Person{Subject: "new-" + hex.EncodeToString(digest[:6]), Name: name}, subject == "" && name != "" && len(name) <= maxName
}
