package web

import (
	"net/http"
	"sync"

	"github.com/go-chi/chi/v5"

	"github.com/audelor/halles/graph"
	"github.com/audelor/halles/graph/documents"
	"github.com/audelor/halles/graph/sdk"
	"github.com/audelor/halles/internal/catalog"
	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/web/guide"
)

// docs serves the guide, the reference and TypeScript's types, which are made when they are first asked for.
func (s *Server) docs(r chi.Router, a *assets) {
	types := sync.OnceValue(func() sdkFile { return must(newSDKFile()) })
	pages := sync.OnceValue(func() map[string][]byte {
		return must(guide.Pages(guide.Options{
			Schema: graph.Schema(), Style: []string{a.URL("halles.css"), a.URL("docs.css")}, MaxBody: maxBody, Types: types().version,
			Sheets: []guide.Sheet{{Template: "boutiques.csv", Columns: directory.ImportColumns()}, {Template: "produits.csv", Columns: catalog.ImportColumns()}},
		}))
	})
	for _, path := range guide.Paths {
		r.Get("/docs"+path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.Header().Set("Content-Security-Policy", pagePolicy)
			_, _ = w.Write(pages()[path])
		})
	}
	serve := func(w http.ResponseWriter, keep string) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8") // .ts is a film to most
		w.Header().Set("Cache-Control", keep)
		_, _ = w.Write([]byte(types().text))
	}
	r.Get("/sdk/halles.d.ts", func(w http.ResponseWriter, _ *http.Request) { serve(w, "public, max-age=300") })
	r.Get("/sdk/{version}/halles.d.ts", func(w http.ResponseWriter, r *http.Request) {
		if r.PathValue("version") != types().version {
			s.notFound(w, r)
			return
		}
		serve(w, "public, max-age=31536000, immutable")
	})
}

// sdkFile is the schema's types for TypeScript, and the address of just these.
type sdkFile struct{ text, version string }

func newSDKFile() (f sdkFile, err error) {
	f.text, f.version, err = sdk.Types(graph.Schema(), documents.All())
	return f, err
}

// must is for what is made of the program's own files when it is first asked for: a fault in them is
// one of the program, which a test finds. To make it all before the first answer took a fifth of
// the start.
func must[V any](v V, err error) V {
	if err != nil {
		panic(err)
	}
	return v
}
