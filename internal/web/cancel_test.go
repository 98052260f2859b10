package web_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// A client that leaves in the middle is no error of ours: the log has the request, and nothing
// that somebody would have to look at.
func TestClientThatLeaves(t *testing.T) {
	t.Parallel()
	s := start(t)
	admin, err := pgx.Connect(t.Context(), s.db.AdminURL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = admin.Close(context.Background()) })
	for name, c := range map[string]struct{ lock, authorization, query string }{
		"InTheMiddle":        {"products", "", "{ products(first: 1) { nodes { name } } }"},
		"BeforeItIsKnownWho": {"accounts", "Bearer " + s.merchant, "{ viewer { kind } }"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := admin.Exec(t.Context(), "begin; lock table "+c.lock); err != nil { // the statement waits
				t.Fatal(err)
			}
			defer func() { _, _ = admin.Exec(context.Background(), "rollback") }()
			before := len(s.log.String())
			ctx, leave := context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer leave()
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/graphql?query="+url.QueryEscape(c.query), nil)
			if err != nil {
				t.Fatal(err)
			}
			if c.authorization != "" {
				r.Header.Set("Authorization", c.authorization)
			}
			response, err := http.DefaultClient.Do(r)
			if err == nil {
				response.Body.Close()
			}
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("it was answered: %v %v", response, err)
			}
			log := ""
			for range 100 { // the server's own end comes a little later
				if log = s.log.String()[before:]; strings.Contains(log, `"msg":"request"`) {
					break
				}
				time.Sleep(50 * time.Millisecond)
			}
			if !strings.Contains(log, `"msg":"request"`) || strings.Contains(log, "ERROR") || strings.Contains(log, "internal error") || strings.Contains(log, "unavailable") {
				t.Errorf("the log says %s", log)
			}
		})
	}
}
