package graphtest

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/audelor/halles/graph/answers"
	"github.com/audelor/halles/internal/versions"
)

// Keep is a cache of answers over the harness's database, for the options of a server. now is its
// clock, nil for the true one. The versions are read as often as they are while the test runs, or
// whenever the test does.
func (h *Harness) Keep(t testing.TB, bytes int, now func() time.Time) (*answers.Cache, *versions.Versions) {
	t.Helper()
	v := versions.New(h.DB, h.Resolver.Communes.Codes, slog.New(slog.NewTextHandler(t.Output(), nil)))
	v.Shared = func() { h.Resolver.Communes.Expire(); h.Resolver.Catalog.Expire() }
	named := func(ctx context.Context, slug string) (string, bool) {
		c, err := h.Resolver.Communes.Find(ctx, nil, &slug)
		if err != nil {
			return "", false
		}
		return c.Insee, true
	}
	return answers.New(answers.Options{Bytes: bytes, Versions: v, Named: named, Now: now}), v
}
