package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"github.com/audelor/halles/internal/rate"
)

// defaultRates are the limits of a server that says nothing of them.
func defaultRates(t *testing.T, args ...string) rates {
	t.Helper()
	var r rates
	parser, err := kong.New(&r)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse(args); err != nil {
		t.Fatal(err)
	}
	return r
}

// What honest people ask at the busiest is never refused: see the defaults.
func TestRushHourIsNotLimited(t *testing.T) {
	t.Parallel()
	r := defaultRates(t)
	for name, c := range map[string]struct {
		limit    rate.Limit
		points   int // of one question
		every    time.Duration
		duration time.Duration
	}{
		// A counter that reads its page of orders again at each of two events a second.
		"ABusyCounter": {r.RateAccount, 150, 500 * time.Millisecond, 4 * time.Hour},
		// 200 people behind one address of a mobile operator, each at three pages of 500 a minute.
		"ANetworkAtTheOpening": {r.RateNetwork, 500, 100 * time.Millisecond, time.Hour},
		// The same who all open the site within the first minute, a dozen files each.
		"ItsFiles": {r.RatePages, 12, 300 * time.Millisecond, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now := time.Date(2020, 11, 28, 9, 0, 0, 0, time.UTC)
			l := rate.New[string](c.limit, 10, func() time.Time { return now })
			for at := time.Duration(0); at < c.duration; at += c.every {
				if wait, ok := l.Take("they", c.points); !ok {
					t.Fatalf("after %s they wait for %s", at, wait)
				}
				now = now.Add(c.every)
			}
		})
	}
}

func TestLimitsAreChecked(t *testing.T) {
	t.Parallel()
	p := &process{}
	l := defaultRates(t, "--trusted-proxies", "10.0.0.0/8,2001:db8::1,nonsense,::ffff:10.0.0.0/104", "--rate-account", "1/100", "--rate-network", "none").limits(p)
	if len(l.Proxies) != 2 || l.Proxies[1].Bits() != 128 || !l.Network.None() {
		t.Errorf("%+v", l)
	}
	for _, want := range []string{"HALLES_RATE_ACCOUNT lets 100 points through at once, and one question may cost 20000", `"nonsense" is not a network`, `"::ffff:10.0.0.0/104" is not a network`} {
		if !strings.Contains(p.wrong.Error(), want) {
			t.Errorf("no %q in %s", want, p.wrong.Error())
		}
	}
	var out, errs strings.Builder
	if code := run(context.Background(), []string{"serve", "--rate-pages", "fast"}, nil, &out, &errs); code != exitUsage || !strings.Contains(errs.String(), `"fast" is not a limit`) {
		t.Errorf("exit %d: %s", code, errs.String())
	}
}
