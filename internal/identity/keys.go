package identity

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"

	"github.com/audelor/halles/internal/fault"
)

const (
	// keysFresh is how old keys may be before they are read again, beside the tokens that they
	// check: so long a key that its issuer has withdrawn still opens.
	keysFresh = 10 * time.Minute
	// keysKept is how long the last good keys serve when the issuer is away.
	keysKept = 24 * time.Hour
	// readAgainAfter bounds the readings at an issuer, whatever keys tokens name.
	readAgainAfter = time.Minute
	// firstAgainAfter is shorter: until the first keys are there nobody can sign in.
	firstAgainAfter = 5 * time.Second
	// readingTime bounds one reading, of the discovery document and of the keys.
	readingTime = 5 * time.Second
	// maxKeys bounds an answer; real ones have 2 to 10 KB.
	maxKeys = 1 << 20
)

// NewIssuers returns the check of the tokens of issuers. Their keys are read over client at the
// first token; nil is one that follows no redirect. log is told when they cannot be read.
func NewIssuers(list []Issuer, client *http.Client, log *slog.Logger) *Issuers {
	if client == nil {
		client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	i := &Issuers{Now: time.Now, trusted: map[string]*trusted{}}
	for _, issuer := range list {
		if len(issuer.Algorithms) == 0 {
			issuer.Algorithms = Algorithms
		}
		i.trusted[issuer.URL] = &trusted{issuer, &keySet{
			issuer: issuer.URL, client: client, log: log, now: func() time.Time { return i.Now() },
		}}
	}
	return i
}

// Warm reads the keys of all issuers in the background, so that a mistake in their addresses is
// logged at the start and not at the first token.
func (i *Issuers) Warm(ctx context.Context) {
	for _, t := range i.trusted {
		go func() { _, _ = t.keys.find(ctx, "", "") }() // what goes wrong is logged
	}
}

// keySet is the public keys of one issuer, as it published them last.
//
// A token that names a key we do not have may mean that the issuer has a new one, or that
// somebody makes up names: the first waits for one reading that all share, the others cost the
// issuer nothing, since there is one a minute at most.
type keySet struct {
	issuer string
	client *http.Client
	log    *slog.Logger
	now    func() time.Time

	mu      sync.Mutex
	keys    []jose.JSONWebKey
	told    *discovery    // read with the keys
	read    time.Time     // when keys were read
	tried   time.Time     // when reading them began last, well or not
	asked   time.Time     // when it began last for a token that names another key
	reading chan struct{} // closed when the reading under way is over; nil when none is
}

// find returns the keys that a token's header may mean: the one of that name, or without a name
// all that sign so. None is no error.
func (s *keySet) find(ctx context.Context, id, algorithm string) ([]jose.JSONWebKey, error) {
	for {
		s.mu.Lock()
		now := s.now()
		age := now.Sub(s.read)
		if age > keysKept {
			s.keys = nil
		}
		known, found := len(s.keys) > 0, s.named(id, algorithm)
		// A limit each: a reading for the keys' age, just before the issuer publishes a new one,
		// must not use up the reading that the new key asks for.
		var due bool
		switch {
		case !known:
			due = now.Sub(s.tried) >= firstAgainAfter
		case len(found) == 0:
			due = now.Sub(s.asked) >= readAgainAfter
		case age > keysFresh:
			due = now.Sub(s.tried) >= readAgainAfter
		}
		if due && s.reading == nil {
			if s.tried, s.reading = now, make(chan struct{}); known && len(found) == 0 {
				s.asked = now
			}
			go s.readAgain(context.WithoutCancel(ctx))
		}
		reading := s.reading
		s.mu.Unlock()
		switch {
		case len(found) > 0: // also while they are being read again
			return found, nil
		case reading != nil:
			select {
			case <-reading:
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		case !known:
			return nil, fault.Errorf(fault.Unavailable, "Le service qui vous identifie ne répond pas. Réessayez dans une minute.")
		default:
			return nil, nil
		}
	}
}

// named is find in what is there, under mu.
func (s *keySet) named(id, algorithm string) []jose.JSONWebKey {
	var found []jose.JSONWebKey
	for _, key := range s.keys {
		if (id == "" || key.KeyID == id) && (key.Algorithm == "" || key.Algorithm == algorithm) && signs(key.Key, algorithm) {
			found = append(found, key)
		}
	}
	return found
}

// signs tells whether a public key is one of the algorithm's, and strong enough.
func signs(key any, algorithm string) bool {
	switch key := key.(type) {
	case *rsa.PublicKey:
		return algorithm == "RS256" && key.N.BitLen() >= 2048
	case *ecdsa.PublicKey:
		return algorithm == "ES256" && key.Curve == elliptic.P256()
	case ed25519.PublicKey:
		return algorithm == "EdDSA"
	}
	return false // a private key or a shared secret, which nobody should publish
}

func (s *keySet) readAgain(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, readingTime)
	defer cancel()
	told, keys, err := s.fetch(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.log.WarnContext(ctx, "the keys of an issuer cannot be read", "issuer", s.issuer, "kept", len(s.keys), "read", s.read, "error", err)
	} else {
		s.told, s.keys, s.read = told, keys, s.now()
	}
	close(s.reading)
	s.reading = nil
}

// discovery is what an issuer says of itself (OpenID Connect Discovery 1.0).
type discovery struct {
	Keys      string   `json:"jwks_uri"`
	Authorize string   `json:"authorization_endpoint"`
	Token     string   `json:"token_endpoint"`
	End       string   `json:"end_session_endpoint"` // empty: it is not told who signs out
	Methods   []string `json:"token_endpoint_auth_methods_supported"`
	NamesSelf bool     `json:"authorization_response_iss_parameter_supported"` // RFC 9207

	provider *oidc.Provider
}

// discovered is what the issuer said when its keys were read last.
func (s *keySet) discovered(ctx context.Context) (*discovery, error) {
	for tried := false; ; tried = true {
		s.mu.Lock()
		told := s.told
		s.mu.Unlock()
		if told != nil {
			return told, nil
		}
		if tried {
			return nil, fault.Errorf(fault.Unavailable, "Le service qui vous identifie ne répond pas. Réessayez dans une minute.")
		}
		if _, err := s.find(ctx, "", ""); err != nil {
			return nil, err
		}
	}
}

// fetch reads what the issuer says of itself and then its keys.
func (s *keySet) fetch(ctx context.Context) (*discovery, []jose.JSONWebKey, error) {
	provider, err := oidc.NewProvider(oidc.ClientContext(ctx, s.client), s.issuer)
	if err != nil {
		return nil, nil, err
	}
	told := &discovery{provider: provider}
	if err := provider.Claims(told); err != nil {
		return nil, nil, err
	}
	for _, address := range []string{told.Keys, told.Authorize, told.Token, told.End} {
		if strings.HasPrefix(s.issuer, "https:") && address != "" && !strings.HasPrefix(address, "https://") {
			return nil, nil, fmt.Errorf("%q is not https", address)
		}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, told.Keys, nil)
	if err != nil {
		return nil, nil, err
	}
	answer, err := s.client.Do(r)
	if err != nil {
		return nil, nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, nil, fmt.Errorf("%s answers %s", told.Keys, answer.Status)
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxKeys))
	if err != nil {
		return nil, nil, err
	}
	keys, err := readKeys(body)
	return told, keys, err
}

// withClient is a context in which go-oidc and oauth2 ask over the issuer's client.
func (s *keySet) withClient(ctx context.Context) context.Context {
	return oidc.ClientContext(ctx, s.client)
}

// readKeys reads a key set. It skips what it does not understand, as RFC 7517 asks, and what
// does not sign; a set without any key that does is one to refuse.
func readKeys(body []byte) ([]jose.JSONWebKey, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(body, &set); err != nil {
		return nil, err
	}
	var keys []jose.JSONWebKey
	for _, raw := range set.Keys {
		var key jose.JSONWebKey
		if err := json.Unmarshal(raw, &key); err != nil || key.Use != "" && key.Use != "sig" {
			continue
		}
		if slices.ContainsFunc(Algorithms, func(a string) bool { return signs(key.Key, a) }) {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("none of %d keys signs with one of %v", len(set.Keys), Algorithms)
	}
	return keys, nil
}
