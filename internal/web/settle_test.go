package web_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audelor/halles/internal/web"
)

// What lets the first answers go before begins after its while, and not at all once the server ends.
func TestSettling(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began, times, at := time.Now(), 0, time.Duration(0)
		part := func(context.Context) error { times, at = times+1, time.Since(began); return nil }
		if err := web.After(time.Second, part)(t.Context()); err != nil || at != time.Second {
			t.Errorf("%v, begun after %s", err, at)
		}
		ended, end := context.WithCancel(t.Context())
		end()
		if err := web.After(time.Second, part)(ended); !errors.Is(err, context.Canceled) || times != 1 {
			t.Errorf("%v, begun %d times", err, times)
		}
	})
}
