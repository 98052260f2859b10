package web

import (
	"net/http"

	"github.com/audelor/halles/graph"
)

// schemaFile serves the schema as clients see it; with `?contract=` the part for an audience.
func (s *Server) schemaFile() (http.HandlerFunc, error) {
	files := map[graph.Audience]string{"": graph.PublicSDL()}
	for _, audience := range graph.Audiences {
		var err error
		if files[audience], err = graph.PublicContractSDL(audience); err != nil {
			return nil, err
		}
	}
	return func(w http.ResponseWriter, r *http.Request) {
		asked := graph.Audience(r.URL.Query().Get("contract"))
		sdl, ok := files[asked]
		if !ok {
			_, err := graph.PublicContractSDL(asked)
			s.refuse(w, r, http.StatusNotFound, err)
			return
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8") // shown, not downloaded
		_, _ = w.Write([]byte(sdl))
	}, nil
}
