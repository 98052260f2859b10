package identity

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/audelor/halles/internal/fault"
)

// Issuer is a party whose word we take for who somebody is: ProConnect, a town's Keycloak.
type Issuer struct {
	URL        string   // claim "iss", to the letter; its discovery document is below
	Audience   string   // what claim "aud" must name: a token made for another service opens nothing here
	Algorithms []string // those of Algorithms that it may sign with; all of them when empty
	Name       string   // under which accounts are kept, so that an issuer may move; the URL when empty
}

func (i Issuer) name() string {
	if i.Name != "" {
		return i.Name
	}
	return i.URL
}

// Algorithms are those that an issuer may sign with: none with a shared secret, which whoever
// checks could sign with, and none with a key that it cannot publish.
var Algorithms = []string{"RS256", "ES256", "EdDSA"}

const (
	// leeway forgives the clocks of two machines.
	leeway = 30 * time.Second
	// maxToken bounds what is parsed before anything is known of it; Keycloak's with a hundred
	// roles have 6 KB.
	maxToken = 16 << 10
	// maxSubject is OpenID Connect's own bound.
	maxSubject = 255
)

// Issuers checks tokens: who signed in, and nothing else. What that person may do is in our own
// tables; a role or a group that a token claims counts for nothing.
type Issuers struct {
	Now     func() time.Time
	trusted map[string]*trusted // by URL
}

// trusted is an issuer with its keys.
type trusted struct {
	Issuer
	keys *keySet
}

// Person is who signed in, as the issuer tells.
type Person struct {
	Issuer  string // its name
	Subject string // the issuer's own name for the person
	Name    string // empty when it does not tell
	Email   string // empty when it has not verified one
}

// claims is what is read of a token.
type claims struct {
	jwt.Claims
	FullName      string `json:"name"`
	GivenName     string `json:"given_name"`
	UsualName     string `json:"usual_name"` // ProConnect's, and FranceConnect's for a married name
	FamilyName    string `json:"family_name"`
	Email         string `json:"email"`
	EmailVerified any    `json:"email_verified"` // some issuers write "true"
	Nonce         string `json:"nonce"`          // of an ID token: what the sign-in was begun with
	Party         string `json:"azp"`            // of an ID token: the client that it was made for
}

// Check returns who a token names and when it expires, or says UNAUTHENTICATED; UNAVAILABLE
// when the issuer's keys cannot be had.
func (i *Issuers) Check(ctx context.Context, token string) (*Person, time.Time, error) {
	c, from, err := i.check(ctx, token, "")
	if err = readable(ctx, err); err != nil {
		return nil, time.Time{}, err
	}
	return from.person(c), c.Expiry.Time(), nil
}

// readable says of a token that does not hold what its person can do.
func readable(ctx context.Context, err error) error {
	switch {
	case errors.Is(err, jwt.ErrExpired):
		err = fmt.Errorf("%w (%w)", fault.Errorf(fault.Unauthenticated, "Votre session a expiré. Reconnectez-vous."), err)
	case err != nil && fault.Of(err) == nil && ctx.Err() == nil:
		err = fmt.Errorf("%w (%w)", fault.Errorf(fault.Unauthenticated, "Ce jeton n'est pas valable. Reconnectez-vous."), err)
	}
	return err
}

func (t *trusted) person(c *claims) *Person {
	return &Person{Issuer: t.name(), Subject: c.Subject, Name: c.name(), Email: c.email()}
}

// check reads a token made for an audience, "" for the one that its issuer's access tokens have.
func (i *Issuers) check(ctx context.Context, token, audience string) (*claims, *trusted, error) {
	if err := wellFormed(token); err != nil {
		return nil, nil, err
	}
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.RS256, jose.ES256, jose.EdDSA})
	if err != nil {
		return nil, nil, err
	}
	var said jwt.Claims
	if err := parsed.UnsafeClaimsWithoutVerification(&said); err != nil {
		return nil, nil, err
	}
	from := i.trusted[said.Issuer]
	if from == nil {
		return nil, nil, fmt.Errorf("issuer %s is not trusted", fault.Shown(said.Issuer))
	}
	var c claims
	if err := from.open(ctx, parsed, &c); err != nil {
		return nil, nil, err
	}
	if c.Expiry == nil {
		return nil, nil, errors.New("no exp")
	}
	err = c.ValidateWithLeeway(jwt.Expected{Issuer: from.URL, AnyAudience: jwt.Audience{cmp.Or(audience, from.Audience)}, Time: i.Now()}, leeway)
	if err != nil {
		return nil, nil, err
	}
	if c.Subject == "" || len(c.Subject) > maxSubject || strings.ContainsFunc(c.Subject, unicode.IsControl) {
		return nil, nil, errors.New("sub is not a subject")
	}
	return &c, from, nil
}

// wellFormed refuses what a lenient parser lets through: line breaks inside, a last letter with
// spare bits set. One token has one spelling.
func wellFormed(token string) error {
	if len(token) > maxToken {
		return fmt.Errorf("%d bytes", len(token))
	}
	if strings.ContainsAny(token, "\r\n") { // which encoding/base64 skips
		return errors.New("a line break")
	}
	for part := range strings.SplitSeq(token, ".") {
		if _, err := base64.RawURLEncoding.Strict().DecodeString(part); err != nil {
			return err
		}
	}
	return nil
}

// open verifies the signature with a key that the issuer publishes and reads the claims. Keys
// that the token itself brings or points to (jwk, jku, x5c, x5u) are not looked at.
func (t *trusted) open(ctx context.Context, token *jwt.JSONWebToken, c *claims) error {
	header := token.Headers[0]
	if !slices.Contains(t.Algorithms, header.Algorithm) {
		return fmt.Errorf("%s does not sign with %s", t.URL, header.Algorithm)
	}
	if _, there := header.ExtraHeaders["crit"]; there {
		return errors.New("crit: we know no extension")
	}
	if kind, there := header.ExtraHeaders[jose.HeaderType]; there && !acceptedType(kind) {
		return fmt.Errorf("typ is %v", kind)
	}
	keys, err := t.keys.find(ctx, header.KeyID, header.Algorithm)
	if err != nil {
		return err
	}
	err = errors.New("no such key")
	for _, key := range keys {
		if err = token.Claims(key.Key, c); err == nil {
			return nil
		}
	}
	return err
}

// acceptedType is that of an access token (RFC 9068) or of a JWT that does not say what for.
// Others sign people in nowhere: a logout token is signed with the same key.
func acceptedType(kind any) bool {
	text, _ := kind.(string)
	switch strings.TrimPrefix(strings.ToLower(text), "application/") {
	case "at+jwt", "jwt":
		return true
	}
	return false
}

// maxName is longer than any that was seen.
const maxName = 200

func (c *claims) name() string {
	name := c.FullName
	if name == "" {
		family := c.UsualName
		if family == "" {
			family = c.FamilyName
		}
		name = c.GivenName + " " + family
	}
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, name)
	runes := []rune(strings.Join(strings.Fields(name), " "))
	return string(runes[:min(len(runes), maxName)])
}

// maxEmail is RFC 5321's bound on a path.
const maxEmail = 254

func (c *claims) email() string {
	verified := c.EmailVerified == true || c.EmailVerified == "true"
	if !verified || !strings.Contains(c.Email, "@") || len(c.Email) > maxEmail || strings.ContainsFunc(c.Email, unicode.IsControl) {
		return ""
	}
	return c.Email
}
