package web

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestPanicOutsideTheSchema(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	s := &Server{log: slog.New(slog.NewJSONHandler(&log, nil))}
	h := s.numbered(s.logged(s.recovered(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("secret inside") }))))
	for path, shape := range map[string]string{"/graphql": `"errors":[{`, "/page": `"code":"INTERNAL"`} {
		log.Reset()
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		id := w.Header().Get("X-Request-Id")
		if w.Code != 500 || !strings.Contains(w.Body.String(), shape) || !strings.Contains(w.Body.String(), id) || strings.Contains(w.Body.String(), "secret") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
		if !strings.Contains(log.String(), "secret inside") || !strings.Contains(log.String(), "recover_test.go") || strings.Count(log.String(), id) < 2 {
			t.Errorf("the log does not tell where: %s", &log)
		}
	}
}
