package web

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/rs/cors"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
)

// keyHeader carries the key of a commune's widget. A GET may carry it as `?key=`: so it needs no
// preflight, and a shared cache keeps the answers of two keys apart.
const keyHeader = "X-Halles-Key"

func keyOf(r *http.Request) string {
	if key := r.Header.Get(keyHeader); key != "" || r.Method != http.MethodGet {
		return key
	}
	return r.URL.Query().Get("key")
}

// cors lets pages of the allowed origins read our answers: those of first-party sites always,
// those of a commune's site with a key that names their origin. They send their credentials
// themselves, so no cookie is ever wanted (no credentials).
func (s *Server) cors() func(http.Handler) http.Handler {
	return cors.New(cors.Options{
		AllowOriginVaryRequestFunc: func(r *http.Request, origin string) (bool, []string) {
			return s.mayRead(r, origin), []string{keyHeader} // Vary, on every answer
		},
		AllowedMethods: []string{http.MethodGet, http.MethodPost},
		AllowedHeaders: []string{"Accept", "Authorization", "Content-Type", keyHeader, actHeader, seenHeader},
		ExposedHeaders: []string{"X-Request-Id", "Retry-After", seenHeader},
		MaxAge:         600, // seconds
	}).Handler
}

// mayRead compares byte for byte: what browsers send has one spelling only, and whoever sends
// another is none. A preflight comes without the key; it is told of the origin alone whether
// to go on, and what follows it is looked at again.
func (s *Server) mayRead(r *http.Request, origin string) bool {
	if len(r.Header.Values("Origin")) != 1 { // more than one would be sent back together
		return false
	}
	if slices.Contains(s.origins, origin) {
		return true
	}
	if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
		return s.keys.Known(r.Context(), origin)
	}
	_, err := s.keys.Use(r.Context(), keyOf(r), origin)
	return err == nil
}

// allowedOrigin tells whether a browser's page may open a socket: our own pages, those of first
// parties, and those of a commune's site. The latter's key is in the address or comes with
// connection_init; see socketViewer. Programs send no Origin.
func (s *Server) allowedOrigin(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" || !s.foreign(r) {
		return true
	}
	return s.keys.Known(r.Context(), origin)
}

// keyed narrows the viewer of ctx to the commune of a widget's key, "" for none.
func (s *Server) keyed(ctx context.Context, key, origin string) (context.Context, error) {
	if key == "" {
		return ctx, nil
	}
	k, err := s.keys.Use(ctx, key, origin)
	if err != nil {
		return ctx, err
	}
	v, err := identity.From(ctx).Through(k)
	if err != nil {
		return ctx, err
	}
	return identity.With(ctx, v), nil
}

// keyWatch is how often an open stream looks whether its key still is good. It costs no
// statement.
const keyWatch = 2 * time.Second

// whileGood ends a stream whose key is revoked. The page comes back, and is then told why.
func (s *Server) whileGood(ctx context.Context, key string) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		defer cancel()
		tick := time.NewTicker(keyWatch)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if _, err := s.keys.Use(ctx, key, ""); errors.Is(err, fault.Unauthenticated) {
					return
				}
			}
		}
	}()
	return ctx
}

// handshake is what a socket's upgrade request said.
type handshake struct {
	key     string
	origin  string
	foreign bool   // a page that may be here with a key only
	cookie  string // of the session, from a page of ours or a first party's
}

type handshakeKey struct{}

func withHandshake(ctx context.Context, s *Server, r *http.Request) context.Context {
	h := handshake{key: keyOf(r), origin: r.Header.Get("Origin"), foreign: s.foreign(r)}
	if h.origin != "" && !h.foreign {
		h.cookie = s.cookieOf(r)
	}
	return context.WithValue(ctx, handshakeKey{}, h)
}

// socketViewer is who asks over a socket: by `authorization` and `key` of its connection_init,
// since a browser's socket can send no header, else by the upgrade request. The cookie that a
// browser adds to any socket counts with its guard, under the name of the header.
func (s *Server) socketViewer(ctx context.Context, payload map[string]any) (context.Context, error) {
	h, _ := ctx.Value(handshakeKey{}).(handshake)
	authorization, told := text(payload, "authorization")
	key, keyTold := text(payload, "key")
	if !keyTold {
		key = h.key
	}
	if h.foreign && key == "" {
		return ctx, fault.Errorf(fault.Forbidden, "Les pages de cette origine se connectent avec la clé de leur commune : mettez-la dans key de connection_init.")
	}
	guard, guarded := text(payload, guardHeader)
	var err error
	switch {
	case told || keyTold && identity.From(ctx).Keyed():
		ctx, err = s.viewer(ctx, authorization)
	case guarded && (h.cookie == "" || !s.pages.sessions.Guarded(h.cookie, guard)):
		err = fault.Errorf(fault.Forbidden, "Cette page n'est pas de votre session. Rechargez-la.")
	case guarded:
		ctx, err = s.bySession(ctx, h.cookie)
	}
	if err != nil {
		return ctx, err
	}
	ctx, err = s.keyed(ctx, key, h.origin)
	if shop, there := text(payload, actHeader); there && err == nil {
		ctx, err = s.actingFor(ctx, shop)
	}
	if err == nil && key != "" {
		ctx = s.whileGood(ctx, key)
	}
	return ctx, err
}

// text is a member of connection_init and whether it is there; what is there and no text, or an
// empty one, is a credential all the same, and not one that holds.
func text(payload map[string]any, name string) (value string, there bool) {
	given := payload[name]
	if given == nil {
		return "", false
	}
	if value, _ = given.(string); value == "" {
		value = "?"
	}
	return value, true
}
