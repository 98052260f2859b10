package web_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/web"
)

// broken is a body whose reading is a bug of ours, for which a panic stands: what a client is told of it,
// and what the log, is what is tested.
type broken struct{}

func (broken) Read([]byte) (int, error) { panic("secret inside") }

func TestPanicOutsideTheSchema(t *testing.T) {
	t.Parallel()
	s := &site{t: t, db: pgtest.New(t)}
	// And a page with one.
	s.serve(&web.Demo{Beside: map[string]http.Handler{"/page": http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("secret inside") })}})
	for path, shape := range map[string]string{"/graphql": `"errors":[{`, "/page": `"code":"INTERNAL"`} {
		before, w := len(s.log.String()), httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodPost, path, broken{})
		r.Header.Set("Content-Type", "application/json")
		s.web.Handler().ServeHTTP(w, r)
		id := w.Header().Get("X-Request-Id")
		if w.Code != 500 || !strings.Contains(w.Body.String(), shape) || !strings.Contains(w.Body.String(), id) || strings.Contains(w.Body.String(), "secret") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
		if log := s.log.String()[before:]; !strings.Contains(log, "secret inside") || !strings.Contains(log, "recover_test.go") || strings.Count(log, id) < 2 {
			t.Errorf("the log does not tell where: %s", log)
		}
	}
}
