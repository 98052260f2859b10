package web

import (
	"context"
	"net/http"
	"slices"
	"sync"

	"github.com/audelor/halles/graph"
	"github.com/audelor/halles/graph/documents"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
)

// schemaFile serves the schema as clients see it; with `?contract=` the part for an audience.
func (s *Server) schemaFile() http.HandlerFunc {
	made := sync.OnceValue(func() map[graph.Audience]string {
		files := map[graph.Audience]string{"": graph.PublicSDL()}
		for _, audience := range graph.Audiences {
			files[audience] = must(graph.PublicContractSDL(audience))
		}
		return files
	})
	return func(w http.ResponseWriter, r *http.Request) {
		asked := graph.Audience(r.URL.Query().Get("contract"))
		sdl, ok := made()[asked]
		if !ok {
			_, err := graph.PublicContractSDL(asked)
			s.refuse(w, r, http.StatusNotFound, err)
			return
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8") // shown, not downloaded
		_, _ = w.Write([]byte(sdl))
	}
}

// documentsFile lists the registered documents, or those of an `?audience=`.
func (s *Server) documentsFile(w http.ResponseWriter, r *http.Request) {
	audience := r.URL.Query().Get("audience")
	if audience != "" && !slices.Contains(graph.Audiences, graph.Audience(audience)) {
		s.refuse(w, r, http.StatusNotFound, fault.Errorf(fault.NotFound, "Il n'y a pas de public %s ; il y a %s, %s et %s.", fault.Shown(audience), graph.Widget, graph.SPA, graph.Staff))
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = w.Write(documents.Manifest(audience)) //nolint:gosec // JSON of our own files; the audience is one of ours
}

type firstPartyKey struct{}

// registeredOnly is the audience whose registered documents are all that the request may send, or
// "". The key of a commune tells its widget, a page's origin the storefront: programs that send
// neither are bound by what a visitor may do, and by the limits of documents.
func (s *Server) registeredOnly(ctx context.Context) graph.Audience {
	switch {
	case identity.From(ctx).Keyed() && slices.Contains(s.registered, graph.Widget):
		return graph.Widget
	case ctx.Value(firstPartyKey{}) != nil && slices.Contains(s.registered, graph.SPA):
		return graph.SPA
	}
	return ""
}
