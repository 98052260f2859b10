package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/audelor/halles/graph/transport"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/french"
)

// shown is the part of err that a client may read; all else is an internal error.
func (s *Server) shown(ctx context.Context, err error) *fault.Error {
	if f := fault.Of(err); f != nil {
		return f
	}
	return &fault.Error{Kind: fault.Internal, Message: fmt.Sprintf(
		"Erreur interne. Réessayez ; si cela dure, donnez ce numéro à l'assistance : %s.", RequestID(ctx))}
}

// logFault keeps what the client does not read.
func (s *Server) logFault(ctx context.Context, err error) {
	switch f := fault.Of(err); {
	case left(ctx, err):
	case f == nil:
		s.log.ErrorContext(ctx, "internal error", "request", RequestID(ctx), "error", err)
	case f.Kind == fault.Unavailable && f.Wait == 0:
		s.log.WarnContext(ctx, "unavailable", "request", RequestID(ctx), "error", err)
	}
}

// left tells an error that only says that the client has gone: no mistake of ours, and nobody
// reads the answer.
func left(ctx context.Context, err error) bool {
	return ctx.Err() != nil && errors.Is(err, context.Canceled)
}

// statusLeft is what nginx logs when the client has gone; HTTP has no status for it.
const statusLeft = 499

// fail answers a request that came to nothing, with the status of the fault's kind.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	s.logFault(r.Context(), err)
	err = s.unproved(r.Context(), err)
	status := http.StatusInternalServerError
	switch {
	case left(r.Context(), err):
		status = statusLeft
	case errors.Is(err, fault.Unauthenticated):
		status = http.StatusUnauthorized
		w.Header().Set("WWW-Authenticate", `Bearer realm="halles", error="invalid_token"`) // RFC 6750, 3
	case errors.Is(err, fault.Forbidden):
		status = http.StatusForbidden
	case errors.Is(err, fault.Invalid):
		status = http.StatusBadRequest
	case errors.Is(err, fault.Unavailable):
		status = http.StatusServiceUnavailable
		w.Header().Set("Retry-After", "2") // seconds
	case errors.Is(err, fault.Limited):
		status = http.StatusTooManyRequests
		if f := fault.Of(err); f.Wait > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(f.WaitSeconds()))
		}
	}
	s.refuse(w, r, status, err)
}

// answerFault is fail for routes where a person's mistakes have a status of their own.
func (s *Server) answerFault(w http.ResponseWriter, r *http.Request, err error) {
	var tooBig *http.MaxBytesError
	switch {
	case errors.As(err, &tooBig), errors.Is(err, fault.Limited):
		w.Header().Set("Connection", "close") // the rest of the body is not worth reading
		s.refuse(w, r, http.StatusRequestEntityTooLarge, err)
	case errors.Is(err, fault.Invalid):
		s.refuse(w, r, http.StatusBadRequest, err)
	case errors.Is(err, fault.NotFound):
		s.refuse(w, r, http.StatusNotFound, err)
	default:
		s.fail(w, r, err)
	}
}

// refuse answers as the caller reads: GraphQL errors at /graphql, HTML to a browser, else JSON.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, status int, err error) {
	f := s.shown(r.Context(), err)
	accept := r.Header.Get("Accept")
	w.Header().Set("Cache-Control", "no-store")
	switch {
	case r.URL.Path == "/graphql":
		w.Header().Add("Vary", "Accept")
		writeJSON(w, transport.MediaType(r)+"; charset=utf-8", status, map[string]any{"errors": []any{
			map[string]any{"message": f.Message, "extensions": s.extensions(r.Context(), f)},
		}})
	case strings.Contains(accept, "text/html"):
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; frame-ancestors 'none'")
		w.WriteHeader(status)
		_ = refusedPage.Execute(w, map[string]any{"Status": status, "Message": f.Message, "Style": s.style})
	default:
		writeJSON(w, "application/json; charset=utf-8", status, map[string]any{"code": f.Kind, "message": f.Message})
	}
}

func (s *Server) extensions(ctx context.Context, f *fault.Error) map[string]any {
	switch {
	case f.Kind == fault.Internal:
		return map[string]any{"code": f.Kind, "request": RequestID(ctx)}
	case f.Wait > 0:
		return map[string]any{"code": f.Kind, transport.RetryAfter: f.WaitSeconds()}
	}
	return map[string]any{"code": f.Kind}
}

// refusedPage reads as well without its style sheet: it must show when nothing else does.
var refusedPage = french.Page{Template: template.Must(template.New("refused").Parse(`<!DOCTYPE html>
<html lang="fr">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{{.Status}} · halles</title>
<link rel="stylesheet" href="{{.Style}}">
<main>
<h1>{{.Message}}</h1>
<p><a href="/">Retour à l'accueil</a></p>
</main>
</html>
`))}

func writeJSON(w http.ResponseWriter, kind string, status int, body any) {
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func (s *Server) notFound(w http.ResponseWriter, r *http.Request) {
	s.refuse(w, r, http.StatusNotFound, fault.Errorf(fault.NotFound, "Il n'y a rien à cette adresse."))
}

func (s *Server) methodNotAllowed(w http.ResponseWriter, r *http.Request) {
	routes := chi.RouteContext(r.Context()).Routes
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodOptions} {
		if routes.Match(chi.NewRouteContext(), method, r.URL.Path) {
			allowed = append(allowed, method)
		}
	}
	w.Header().Set("Allow", strings.Join(allowed, ", ")) // RFC 9110, 15.5.6
	s.refuse(w, r, http.StatusMethodNotAllowed, fault.Errorf(fault.Invalid, "Cette adresse ne répond pas à %s, mais à %s.", r.Method, strings.Join(allowed, ", ")))
}
