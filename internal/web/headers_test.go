package web_test

import (
	"net/http"
	"strings"
	"testing"
)

// Each answer says what a browser must not do with it, and what it varies by in one line.
func TestHeaders(t *testing.T) {
	t.Parallel()
	s := start(t)
	for path, policy := range map[string]string{
		"/":               "default-src 'self';",
		"/graphiql":       "https://cdn.jsdelivr.net/npm/graphiql@",
		"/schema.graphql": "default-src 'none'",
		"/healthz":        "default-src 'none'",
		"/graphql":        "default-src 'none'",
		"/nothing":        "default-src 'none'",
	} {
		a := s.do(http.MethodGet, path, "")
		csp := a.Header.Get("Content-Security-Policy")
		if !strings.Contains(csp, policy) || !strings.Contains(csp, "frame-ancestors 'none'") {
			t.Errorf("%s: policy %q", path, csp)
		}
		if strings.Contains(strings.Split(csp+"script-src", "script-src")[1], "unsafe-inline") && !strings.Contains(csp, "style-src 'unsafe-inline'") {
			t.Errorf("%s: any script may run: %q", path, csp)
		}
		wanted := map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin"}
		if path == "/graphql" { // data follows no link
			wanted = map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "", "Cross-Origin-Opener-Policy": ""}
		}
		for name, want := range wanted {
			if got := a.Header.Get(name); got != want {
				t.Errorf("%s: %s %q", path, name, got)
			}
		}
		if by := a.Header.Values("Vary"); len(by) > 1 {
			t.Errorf("%s: varies by %q, in several lines", path, by)
		}
	}
	if a := s.do(http.MethodGet, "/schema.graphql", "", "Accept-Encoding", "gzip"); a.Header.Get("Content-Encoding") != "gzip" {
		t.Error("the schema is not compressed")
	}
}
