package web

import (
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/audelor/halles/graph"
	"github.com/audelor/halles/graph/documents"
	"github.com/audelor/halles/graph/sdk"
	"github.com/audelor/halles/internal/web/guide"
)

// docs serves the guide, the reference and TypeScript's types, which are made once.
func docs(r chi.Router, a *assets) error {
	types, version, err := sdk.Types(graph.Schema(), documents.All())
	if err != nil {
		return err
	}
	pages, err := guide.Pages(guide.Options{
		Schema: graph.Schema(), Style: []string{a.URL("halles.css"), a.URL("docs.css")}, MaxBody: maxBody, Types: version,
	})
	if err != nil {
		return err
	}
	for path, body := range pages {
		r.Get("/docs"+path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.Header().Set("Content-Security-Policy", pagePolicy)
			_, _ = w.Write(body)
		})
	}
	for path, keep := range map[string]string{"": "public, max-age=300", "/" + version: "public, max-age=31536000, immutable"} {
		r.Get("/sdk"+path+"/halles.d.ts", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8") // .ts is a film to most
			w.Header().Set("Cache-Control", keep)
			_, _ = w.Write([]byte(types))
		})
	}
	return nil
}
