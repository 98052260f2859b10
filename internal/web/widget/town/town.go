// Package town is the site of a commune as the demonstration shows it: another origin, another
// look, a strict policy, and the widget in it. It has a page in each language, and one of an old
// CMS that strips unknown elements and whose style sheet resets all there is.
package town

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"strings"

	"github.com/klauspost/compress/gzhttp"

	"github.com/audelor/halles/internal/french"
)

//go:embed town.html town.css reset.css
var files embed.FS

var page = french.Page{Template: template.Must(template.ParseFS(files, "town.html"))}

// Site answers for the commune. api is where halles is, "http://127.0.0.1:8080"; key the commune's
// there.
func Site(api, key string) http.Handler {
	mux := http.NewServeMux()
	// img-src lets photos pass; without it their place has initials.
	policy := strings.ReplaceAll("default-src 'self'; script-src API; connect-src API; img-src 'self' data: API; base-uri 'none'; form-action 'none'; frame-ancestors 'none'", "API", api)
	for path, data := range map[string]map[string]any{
		"/{$}": {"Lang": "fr"}, "/en": {"Lang": "en"}, "/br": {"Lang": "br"}, "/ancien": {"Lang": "fr", "Old": true},
	} {
		data["API"], data["Key"] = api, key
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			var b bytes.Buffer
			if err := page.Execute(&b, data); err != nil {
				http.Error(w, "la page ne se fait pas", http.StatusInternalServerError)
				return
			}
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.Header().Set("Content-Security-Policy", policy)
			w.Header().Set("X-Content-Type-Options", "nosniff")
			w.Header().Set("Cache-Control", "no-cache")
			_, _ = w.Write(b.Bytes())
		})
	}
	for _, sheet := range []string{"town.css", "reset.css"} {
		mux.HandleFunc("GET /"+sheet, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "public, max-age=3600")
			http.ServeFileFS(w, r, files, sheet)
		})
	}
	mux.HandleFunc("GET /robots.txt", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("User-agent: *\nDisallow:\n")) })
	return gzhttp.GzipHandler(mux)
}
