package identity_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
)

// noon is when these tests take place.
var noon = time.Date(2020, 11, 3, 12, 0, 0, 0, time.UTC)

// party is an issuer that signs whatever it is asked to.
type party struct {
	url   string
	says  string // what its discovery document calls it; the URL when empty
	down  atomic.Bool
	reads atomic.Int64 // of its keys
	mu    sync.Mutex
	keys  []jose.JSONWebKey // published
}

func (p *party) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if p.down.Load() {
		http.Error(w, "away", http.StatusBadGateway)
		return
	}
	answer := func(body any) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(body)
	}
	switch says := p.says; r.URL.Path {
	case "/.well-known/openid-configuration":
		if says == "" {
			says = p.url
		}
		answer(map[string]any{"issuer": says, "jwks_uri": p.url + "/keys"})
	case "/keys":
		p.reads.Add(1)
		p.mu.Lock()
		defer p.mu.Unlock()
		answer(jose.JSONWebKeySet{Keys: p.keys})
	default:
		http.NotFound(w, r)
	}
}

func (p *party) publish(keys ...*signer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys = nil
	for _, k := range keys {
		p.keys = append(p.keys, jose.JSONWebKey{Key: k.key.Public(), KeyID: k.id, Use: k.use})
	}
}

// parties are reached by the host of their URL.
type parties []*party

func (all parties) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for _, p := range all {
		if "https://"+r.Host == p.url {
			p.ServeHTTP(w, r)
			return
		}
	}
	http.NotFound(w, r)
}

// trust returns the check of tokens made for "halles", and its clock.
func trust(issuers []identity.Issuer, all ...*party) (*identity.Issuers, *clock) {
	c := &clock{}
	c.set(noon)
	i := identity.NewIssuers(issuers, fixture.Client(parties(all)), slog.New(slog.DiscardHandler))
	i.Now = c.now
	return i, c
}

// clock stands until it is set.
type clock struct{ at atomic.Int64 }

func (c *clock) now() time.Time          { return time.Unix(0, c.at.Load()).UTC() }
func (c *clock) set(t time.Time)         { c.at.Store(t.UnixNano()) }
func (c *clock) advance(d time.Duration) { c.at.Add(int64(d)) }

// signer is a private key with its name.
type signer struct {
	key crypto.Signer
	id  string
	use string
}

func edKey(id string) *signer {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	return &signer{key: key, id: id, use: "sig"}
}

func ecKey(id string, curve elliptic.Curve) *signer {
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		panic(err)
	}
	return &signer{key: key, id: id, use: "sig"}
}

func rsaKey(t testing.TB, id string, bits int) *signer {
	t.Helper()
	if bits < 1024 {
		t.Fatal("no key so short is made")
	}
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return &signer{key: key, id: id, use: "sig"}
}

func b64(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

// signature signs as the key does: RS256, ES256 (or its like on another curve), EdDSA.
func (k *signer) signature(input string) []byte {
	sum := sha256.Sum256([]byte(input))
	switch key := k.key.(type) {
	case ed25519.PrivateKey:
		return ed25519.Sign(key, []byte(input))
	case *ecdsa.PrivateKey:
		r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
		if err != nil {
			panic(err)
		}
		size := (key.Curve.Params().BitSize + 7) / 8
		return append(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))...)
	case *rsa.PrivateKey:
		signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
		if err != nil {
			panic(err)
		}
		return signature
	}
	panic("no such key")
}

func (k *signer) algorithm() string {
	switch k.key.(type) {
	case *ecdsa.PrivateKey:
		return "ES256"
	case *rsa.PrivateKey:
		return "RS256"
	}
	return "EdDSA"
}

// raw signs a header and a payload, whatever they are.
func (k *signer) raw(header, payload string) string {
	input := b64([]byte(header)) + "." + b64([]byte(payload))
	return input + "." + b64(k.signature(input))
}

// said are claims; those of one replace those of the other, and nil removes.
type said map[string]any

// claims are those of a good token, changed.
func claims(changes ...said) string {
	all := said{
		"iss": "https://a.test", "sub": "anna", "aud": "halles",
		"exp": noon.Add(time.Hour).Unix(), "iat": noon.Unix(),
	}
	return merged(all, changes)
}

// header is that of a good token of a key, changed.
func (k *signer) header(changes ...said) string {
	return merged(said{"alg": k.algorithm(), "kid": k.id, "typ": "at+jwt"}, changes)
}

func merged(all said, changes []said) string {
	for _, change := range changes {
		for name, value := range change {
			if all[name] = value; value == nil {
				delete(all, name)
			}
		}
	}
	text, err := json.Marshal(all)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// token is a good token with other claims.
func (k *signer) token(changes ...said) string { return k.raw(k.header(), claims(changes...)) }

// with writes one more member at the end of a JSON object.
func with(object, member string) string {
	return strings.TrimSuffix(object, "}") + "," + member + "}"
}

func quoted(v any) string { return fmt.Sprintf("%q", fmt.Sprint(v)) }
