package identity

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/audelor/halles/internal/fault"
)

// Audience is what a token for this server must name in its claim "aud".
const Audience = "halles"

// Issuer signs and checks development tokens: EdDSA, one key, one issuer. A token says who
// asks and nothing else; roles and shops come from our tables at each request.
type Issuer struct {
	Name string // claim "iss"; accounts are found by (issuer, subject)
	Key  ed25519.PrivateKey
	Now  func() time.Time
}

// Sign makes a token for a subject, valid for the given time.
func (i *Issuer) Sign(subject string, valid time.Duration) (string, error) {
	now := i.Now()
	return jwt.NewWithClaims(jwt.SigningMethodEdDSA, jwt.RegisteredClaims{
		Issuer: i.Name, Subject: subject, Audience: jwt.ClaimStrings{Audience},
		IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(valid)),
	}).SignedString(i.Key)
}

// leeway forgives the clocks of two machines.
const leeway = 30 * time.Second

// Check returns the subject of a token and when it expires, or says UNAUTHENTICATED.
func (i *Issuer) Check(token string) (subject string, expires time.Time, err error) {
	var claims jwt.RegisteredClaims
	_, err = jwt.ParseWithClaims(token, &claims, func(*jwt.Token) (any, error) { return i.Key.Public(), nil },
		jwt.WithValidMethods([]string{"EdDSA"}), jwt.WithExpirationRequired(), jwt.WithIssuedAt(),
		jwt.WithIssuer(i.Name), jwt.WithAudience(Audience), jwt.WithLeeway(leeway), jwt.WithTimeFunc(i.Now))
	if err == nil && claims.Subject == "" {
		err = errors.New("no subject")
	}
	switch {
	case errors.Is(err, jwt.ErrTokenExpired):
		return "", time.Time{}, fmt.Errorf("%w (%w)", fault.Errorf(fault.Unauthenticated, "Votre session a expiré. Reconnectez-vous."), err)
	case err != nil:
		return "", time.Time{}, fmt.Errorf("%w (%w)", fault.Errorf(fault.Unauthenticated, "Ce jeton n'est pas valable. Reconnectez-vous."), err)
	}
	return claims.Subject, claims.ExpiresAt.Time, nil
}
