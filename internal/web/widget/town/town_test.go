package town_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/audelor/halles/internal/web/widget/town"
)

// The town's pages let the widget's origin in and nothing else; they come zipped, and the style
// sheet stays with the browser for a while.
func TestSite(t *testing.T) {
	t.Parallel()
	site := town.Site("https://halles.example", "pk_lorient_x")
	for path, keep := range map[string]string{"/": "no-cache", "/en": "no-cache", "/br": "no-cache", "/ancien": "no-cache", "/town.css": "public, max-age=3600"} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
		r.Header.Set("Accept-Encoding", "gzip")
		w := httptest.NewRecorder()
		site.ServeHTTP(w, r)
		policy := w.Header().Get("Content-Security-Policy")
		if w.Code != http.StatusOK || w.Header().Get("Content-Encoding") != "gzip" || w.Header().Get("Cache-Control") != keep ||
			(keep == "no-cache") != strings.Contains(policy, "default-src 'self'; script-src https://halles.example;") {
			t.Errorf("%s: %d %v", path, w.Code, w.Header())
		}
	}
	for path, says := range map[string]string{"/": "de la ville\u202f; retirez", "/br": "kêr\u202f; tapit", "/ancien": "Démonstration\u00a0: les"} {
		w := httptest.NewRecorder()
		site.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
		if !strings.Contains(w.Body.String(), says) {
			t.Errorf("%s does not say %q", path, says)
		}
	}
}
