package web

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/http"
	"slices"
	"strings"

	gqlgen "github.com/99designs/gqlgen/graphql/handler/transport"

	"github.com/audelor/halles/graph/transport"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/tenancy"
)

// routerHeader carries the credential of the federation's router, beside the viewer's own.
const routerHeader = "X-Halles-Router"

// closeUnauthenticated ends a socket whose credential does not hold: get another one, and
// resume with `after`.
const closeUnauthenticated = 4403

// viewer puts who asks into ctx, and until when, the same for a header and for a socket:
// authorization is "Bearer TOKEN", or "" for a visitor.
func (s *Server) viewer(ctx context.Context, authorization string) (context.Context, error) {
	if authorization == "" {
		v, err := s.identity.Visitor(ctx)
		return identity.With(ctx, v), err
	}
	scheme, token, _ := strings.Cut(authorization, " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return ctx, fault.Errorf(fault.Unauthenticated, "L'autorisation s'écrit « Bearer », une espace, puis le jeton.")
	}
	v, expires, err := s.identity.FromToken(ctx, strings.TrimSpace(token))
	return identity.WithExpiry(identity.With(ctx, v), expires), err
}

// actHeader names the shop for which an agent acts, with the leave of its merchant; a socket has it
// under the same name in connection_init.
const actHeader = "X-Halles-For"

// actingFor puts the agent of ctx in the place of a shop's merchant, until the delegation ends.
func (s *Server) actingFor(ctx context.Context, shop string) (context.Context, error) {
	id, err := tenancy.ParseID(shop)
	if err != nil {
		return ctx, err
	}
	v, ends, err := s.identity.ActFor(ctx, identity.From(ctx), id)
	if err != nil {
		return ctx, err
	}
	if expires, ok := identity.Expiry(ctx); !ok || ends.Before(expires) {
		ctx = identity.WithExpiry(ctx, ends)
	}
	return identity.With(ctx, v), nil
}

// sameViewer is who asks in ctx, with what our tables grant now: a socket lives longer than a
// right.
func (s *Server) sameViewer(ctx context.Context) (context.Context, error) {
	before := identity.From(ctx)
	v, err := s.identity.Again(ctx, before)
	if err != nil || v == before {
		return ctx, err
	}
	return identity.With(ctx, v), nil
}

// authenticated puts the viewer into the request, or refuses it: a wrong credential is not a
// visitor's, or a session that has ended would look like an empty account.
func (s *Server) authenticated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cookie := r.Context(), s.cookieOf(r)
		var err error
		if cookie != "" && r.Header.Get("Upgrade") == "" { // a socket's counts once its guard is there, see socketViewer
			ctx, err = s.askedBySession(r, cookie)
		} else if ctx, err = s.viewer(ctx, r.Header.Get("Authorization")); err == nil {
			ctx, err = s.keyed(ctx, keyOf(r), r.Header.Get("Origin"))
		}
		if shop := r.Header.Get(actHeader); shop != "" && err == nil && r.Header.Get("Upgrade") == "" {
			ctx, err = s.actingFor(ctx, shop)
		}
		if err != nil {
			if cookie != "" && errors.Is(err, fault.Unauthenticated) {
				s.forget(w)
			}
			s.fail(w, r, err)
			return
		}
		identity.From(ctx).CameBy(whenceOf(ctx).mark)
		switch {
		case r.Header.Get("Upgrade") != "":
			ctx = withHandshake(ctx, s, r)
		case streams(r) && keyOf(r) != "":
			lasting, end := context.WithCancel(s.stopping)
			defer transport.AtEnd(ctx, func(transport.Ended) { end() })
			good := s.whileGood(lasting, keyOf(r))
			transport.Until(ctx, good)
			var cancel context.CancelFunc
			ctx, cancel = context.WithCancel(ctx)
			defer cancel()
			defer context.AfterFunc(good, cancel)()
		}
		if s.fromRouter(r.Header.Get(routerHeader)) {
			ctx = context.WithValue(ctx, routerKey{}, true)
		}
		if slices.Contains(s.origins, r.Header.Get("Origin")) {
			ctx = context.WithValue(ctx, firstPartyKey{}, true)
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

type routerKey struct{}

func isRouter(ctx context.Context) bool { return ctx.Value(routerKey{}) != nil }

// fromRouter compares digests, in a time that tells neither the token nor its length.
func (s *Server) fromRouter(token string) bool {
	given := sha256.Sum256([]byte(token))
	return token != "" && subtle.ConstantTimeCompare(given[:], s.router[:]) == 1
}

// socketInit says who asks over a socket, or closes it.
func (s *Server) socketInit(ctx context.Context, payload gqlgen.InitPayload) (context.Context, *gqlgen.InitPayload, error) {
	asking, err := s.socketViewer(ctx, payload)
	if err != nil {
		s.logFault(ctx, err)
		err = s.unproved(ctx, err)
		shown := s.shown(ctx, err)
		code := closeUnauthenticated
		if errors.Is(err, fault.Limited) {
			code = 1013 // try again later (IANA's registry of close codes)
		} else if !errors.Is(err, fault.Unauthenticated) && !errors.Is(err, fault.Forbidden) {
			code = 1011 // the server's own trouble (RFC 6455, 7.4.1)
		}
		ctx = gqlgen.AppendCloseReason(gqlgen.WithWebsocketCloseCode(ctx, code), string(shown.Kind))
		return ctx, nil, errors.New(shown.Message)
	}
	identity.From(asking).CameBy(whenceOf(ctx).mark)
	return asking, nil, nil
}
