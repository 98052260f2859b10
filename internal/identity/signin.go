package identity

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/page"
)

// Client is what an issuer knows our pages as.
type Client struct {
	Issuer string // the URL of one whose tokens we take
	ID     string
	Secret string // empty for a public client, which PKCE alone protects
	Label  string // what people call the issuer: "ProConnect"; its host when empty
}

// SignIn signs people in on pages of ours: authorization code with PKCE (RFC 6749, 4.1; RFC 7636;
// OpenID Connect Core 1.0, 3.1), in the browser that began it and in no other.
type SignIn struct {
	Resolver *Resolver
	callback string
	clients  []Client
	sealer   *page.Sealer
}

// NewSignIn returns the sign-in at the clients' issuers. callback is the address of ours that they
// send people back to, as it is registered with them.
func NewSignIn(r *Resolver, clients []Client, callback string, secret []byte) (*SignIn, error) {
	s := &SignIn{Resolver: r, callback: callback, sealer: page.NewSealer(derive(secret, "halles sign-in"))}
	for _, c := range clients {
		if r.Issuers == nil || r.Issuers.trusted[c.Issuer] == nil {
			return nil, fmt.Errorf("nobody takes the tokens of %s, at which the pages are to sign people in", c.Issuer)
		}
		if c.Label == "" {
			u, err := url.Parse(c.Issuer)
			if err != nil {
				return nil, err
			}
			c.Label = u.Hostname()
		}
		s.clients = append(s.clients, c)
	}
	return s, nil
}

// Clients are the issuers to choose from.
func (s *SignIn) Clients() []Client { return slices.Clone(s.clients) }

// at finds the client of an issuer, and what the issuer says of itself.
func (s *SignIn) at(ctx context.Context, issuer string) (*Client, *trusted, *discovery, error) {
	i := slices.IndexFunc(s.clients, func(c Client) bool { return c.Issuer == issuer })
	if i < 0 {
		return nil, nil, nil, fault.Errorf(fault.Invalid, "On ne se connecte pas ici avec ce service. Choisissez-en un dans la liste.")
	}
	t := s.Resolver.Issuers.trusted[issuer]
	told, err := t.keys.discovered(ctx)
	if err == nil && (told.Authorize == "" || told.Token == "") {
		err = fmt.Errorf("%s has no authorization or no token endpoint", issuer)
	}
	return &s.clients[i], t, told, err
}

func (s *SignIn) config(c *Client, told *discovery) *oauth2.Config {
	style := oauth2.AuthStyleInHeader
	if c.Secret == "" || len(told.Methods) > 0 && !slices.Contains(told.Methods, "client_secret_basic") {
		style = oauth2.AuthStyleInParams
	}
	return &oauth2.Config{
		ClientID: c.ID, ClientSecret: c.Secret, RedirectURL: s.callback, Scopes: []string{"openid", "profile", "email"},
		Endpoint: oauth2.Endpoint{AuthURL: told.Authorize, TokenURL: told.Token, AuthStyle: style},
	}
}

// pending is a sign-in that was begun. It waits in a cookie of the browser that began it, sealed:
// nobody else's code ends in that browser, and a server keeps nothing of who only looks.
type pending struct {
	Issuer, State, Nonce, Verifier, Next string
	Until                                time.Time
}

const (
	// PendingLife is how long a sign-in may take: people look for a telephone to prove who they are.
	PendingLife = 15 * time.Minute
	pendingList = "sign-in"
)

// Start begins a sign-in at an issuer. It returns where to send the browser, and what it must bring
// back in a cookie. next is the page of ours to show afterwards.
//
// Faults: INVALID for a next that is not a page of ours, or an issuer that is not among Clients.
func (s *SignIn) Start(ctx context.Context, issuer, next string) (to, cookie string, err error) {
	if err := CheckNext(next); err != nil {
		return "", "", err
	}
	client, _, told, err := s.at(ctx, issuer)
	if err != nil {
		return "", "", err
	}
	p := pending{
		Issuer: issuer, State: oauth2.GenerateVerifier(), Nonce: oauth2.GenerateVerifier(), Verifier: oauth2.GenerateVerifier(),
		Next: next, Until: s.Resolver.now().Add(PendingLife),
	}
	to = s.config(client, told).AuthCodeURL(p.State, oauth2.S256ChallengeOption(p.Verifier), oauth2.SetAuthURLParam("nonce", p.Nonce))
	return to, s.sealer.Seal(pendingList, p), nil
}

// CheckNext refuses an address that is not a page of ours by its path: one that browsers read as
// another site's, or that is no address.
func CheckNext(next string) error {
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") ||
		strings.ContainsFunc(next, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '\\' }) {
		return fault.At([]string{"next"}, "L'adresse où revenir après la connexion n'est pas une page de ce site.")
	}
	return nil
}

// Answer is what an issuer sends the browser back with.
type Answer struct {
	Code, State string
	Issuer      string // parameter "iss" (RFC 9207)
	Error       string // parameter "error": why there is no code
}

// SignedIn is a sign-in that has come to its end.
type SignedIn struct {
	Cookie string
	EndsAt time.Time
	Next   string
}

// Finish ends a sign-in in the browser that began it. cookie is what Start gave it.
//
// Faults: FORBIDDEN for an answer that this browser did not ask for, or asked for too long ago;
// UNAUTHENTICATED when the issuer does not say who it is.
func (s *SignIn) Finish(ctx context.Context, cookie string, a Answer) (_ *SignedIn, err error) {
	var p pending
	if s.sealer.Open(pendingList, cookie, &p) != nil || !s.Resolver.now().Before(p.Until) ||
		subtle.ConstantTimeCompare([]byte(a.State), []byte(p.State)) != 1 {
		return nil, fault.Errorf(fault.Forbidden, "Cette connexion n'a pas été commencée dans ce navigateur, ou l'a été il y a trop longtemps. Recommencez-la.")
	}
	client, t, told, err := s.at(ctx, p.Issuer)
	if err != nil {
		return nil, err
	}
	switch {
	case a.Issuer != "" && a.Issuer != p.Issuer, a.Issuer == "" && told.NamesSelf:
		return nil, fault.Errorf(fault.Forbidden, "La réponse vient d'un autre service que celui qui a été choisi. Recommencez.")
	case a.Error == "access_denied":
		return nil, fault.Errorf(fault.Unauthenticated, "La connexion a été abandonnée ou refusée chez %s. Recommencez quand vous voulez.", client.Label)
	case a.Error != "" || a.Code == "":
		return nil, fmt.Errorf("%w (%s answers %s)", fault.Errorf(fault.Unauthenticated, "%s n'a pas pu vous connecter. Recommencez dans un moment.", client.Label), p.Issuer, fault.Shown(a.Error))
	}
	ctx, cancel := context.WithTimeout(ctx, readingTime)
	defer cancel()
	tokens, err := s.config(client, told).Exchange(t.keys.withClient(ctx), a.Code, oauth2.VerifierOption(p.Verifier))
	if err != nil {
		var refused *oauth2.RetrieveError
		if errors.As(err, &refused) { // the code served already, or is a made-up one
			return nil, fmt.Errorf("%w (%w)", fault.Errorf(fault.Unauthenticated, "%s n'a pas confirmé la connexion. Recommencez.", client.Label), err)
		}
		return nil, fmt.Errorf("%w (%w)", fault.Errorf(fault.Unavailable, "%s ne répond pas. Réessayez dans une minute.", client.Label), err)
	}
	raw, _ := tokens.Extra("id_token").(string)
	person, err := s.person(ctx, client, p.Nonce, raw)
	if err != nil {
		return nil, err
	}
	if person.Name == "" { // ProConnect and FranceConnect name people there only
		s.name(ctx, t, told, tokens, person)
	}
	who, err := s.Resolver.standingOf(ctx, person)
	if err != nil {
		return nil, err
	}
	hint := raw
	if told.End == "" {
		hint = ""
	}
	done := &SignedIn{Next: p.Next}
	done.Cookie, done.EndsAt, err = s.Resolver.Sessions.begin(ctx, who.account, p.Issuer, hint)
	return done, err
}

// person reads an ID token (OpenID Connect Core 1.0, 3.1.3.7): made by this issuer for this
// client, at this sign-in.
func (s *SignIn) person(ctx context.Context, client *Client, nonce, token string) (*Person, error) {
	c, from, err := s.Resolver.Issuers.check(ctx, token, client.ID)
	switch {
	case err != nil:
	case from.URL != client.Issuer:
		err = fmt.Errorf("made by %s", from.URL)
	case c.Party != "" && c.Party != client.ID, c.Party == "" && len(c.Audience) > 1:
		err = fmt.Errorf("made for %s", fault.Shown(c.Party))
	case subtle.ConstantTimeCompare([]byte(c.Nonce), []byte(nonce)) != 1:
		err = errors.New("of another sign-in: nonce")
	}
	if err = readable(ctx, err); err != nil {
		return nil, err
	}
	return from.person(c), nil
}

// name asks the issuer for what it did not put into the token (OpenID Connect Core 1.0, 5.3). Who
// has no name signs in all the same.
func (s *SignIn) name(ctx context.Context, t *trusted, told *discovery, tokens *oauth2.Token, person *Person) {
	if told.provider.UserInfoEndpoint() == "" {
		return
	}
	var c claims
	info, err := told.provider.UserInfo(t.keys.withClient(ctx), oauth2.StaticTokenSource(tokens))
	if err == nil && info.Subject != person.Subject {
		err = errors.New("of somebody else")
	}
	if err == nil {
		err = info.Claims(&c)
	}
	if err != nil {
		t.keys.log.WarnContext(ctx, "an issuer does not say who signed in", "issuer", t.URL, "error", err)
		return
	}
	person.Name = c.name()
	if person.Email == "" {
		person.Email = c.email()
	}
}

// End ends a session here and returns where the browser ends it with the issuer too; back where
// the issuer has no such place.
func (s *SignIn) End(ctx context.Context, cookie, back string) (string, error) {
	issuer, token, err := s.Resolver.Sessions.End(ctx, cookie)
	if err != nil || issuer == "" {
		return back, err
	}
	client, _, told, err := s.at(ctx, issuer)
	if err != nil || told.End == "" { // gone from the configuration, or away: here it is over
		return back, nil //nolint:nilerr // see above
	}
	to, err := url.Parse(told.End)
	if err != nil {
		return back, err
	}
	q := to.Query()
	q.Set("client_id", client.ID)
	q.Set("post_logout_redirect_uri", back)
	if token != "" {
		q.Set("id_token_hint", token)
	}
	to.RawQuery = q.Encode()
	return to.String(), nil
}

// Ends lists the origins that a page with a sign-out button must let its form lead to. It waits for
// no issuer: one that has said nothing yet has signed nobody in since this server started.
func (s *SignIn) Ends() (origins []string) {
	for _, c := range s.clients {
		keys := s.Resolver.Issuers.trusted[c.Issuer].keys
		keys.mu.Lock()
		told := keys.told
		keys.mu.Unlock()
		if told == nil || told.End == "" {
			continue
		}
		if u, err := url.Parse(told.End); err == nil {
			origins = append(origins, u.Scheme+"://"+u.Host)
		}
	}
	return origins
}
