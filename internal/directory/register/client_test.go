package register_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/audelor/halles/internal/directory/register"
)

// recorded is a register that answers as the real one was recorded to; see testdata/README.md.
func recorded(t *testing.T, asked *atomic.Int64) *register.Client {
	t.Helper()
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		name := "testdata/" + r.URL.Query().Get("q") + ".json"
		body, err := os.ReadFile(name)
		if err != nil {
			body = []byte(`{"results":[],"total_results":0,"page":1,"per_page":1,"total_pages":0}`)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body) //nolint:gosec // a file of this test, as JSON
	})
}

// serve is a client of a register of the test's own.
func serve(t *testing.T, answer http.HandlerFunc) *register.Client {
	t.Helper()
	s := httptest.NewServer(answer)
	t.Cleanup(s.Close)
	c := register.New(s.URL)
	c.Pause = time.Millisecond
	return c
}

func TestRecordedAnswers(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	c := recorded(t, &asked)
	seat, err := c.Establishment(t.Context(), "00090000100017")
	if err != nil || seat.Name != "LIBRAIRIE DES EMBRUNS" || !seat.Open || seat.NafCode != "47.61Z" || seat.Commune != "56121" || seat.Latitude == nil || seat.ClosedOn != nil {
		t.Errorf("the seat: %+v, %v", seat, err)
	}
	closed, err := c.Establishment(t.Context(), "00090000100025")
	if err != nil || closed.Open || closed.ClosedOn == nil || closed.ClosedOn.Format(time.DateOnly) != "2016-12-31" || closed.Name != "L'ANCRE ET LA PLUME" {
		t.Errorf("the closed one: %+v, %v", closed, err)
	}
	withheld, err := c.Establishment(t.Context(), "00090001900019")
	if err != nil || withheld.Name != "" || withheld.Address != "" || withheld.Latitude != nil || !withheld.Open {
		t.Errorf("the one that is not published: %+v, %v", withheld, err)
	}
	if _, err := c.Establishment(t.Context(), "00000000000018"); !errors.Is(err, register.ErrUnknown) {
		t.Errorf("the one that is none: %v", err)
	}
	if n := asked.Load(); n != 4 {
		t.Errorf("%d questions for four", n)
	}
}

// What is no answer is asked for again, a few times, with a pause; what is one, once.
func TestRegisterThatFails(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status  int
		header  string
		body    string
		asked   int64
		later   bool
		unknown bool
	}{
		"Overloaded":  {status: 503, asked: 3, later: true},
		"Broken":      {status: 500, asked: 3, later: true},
		"TooOften":    {status: 429, header: "0", asked: 3, later: true},
		"NotForLong":  {status: 429, header: "3600", asked: 1, later: true}, // that long the job waits, not the call
		"BadQuestion": {status: 400, body: `{"erreur":"q"}`, asked: 1},
		"Redirected":  {status: 302, asked: 1},
		"NoJSON":      {status: 200, body: "<html>", asked: 1},
		"Endless":     {status: 200, body: `{"results":[` + strings.Repeat(" ", 2<<20), asked: 1},
		"Another":     {status: 200, body: `{"results":[{"siege":{"siret":"35600000000048"}}]}`, asked: 1, unknown: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked atomic.Int64
			client := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				asked.Add(1)
				if c.header != "" {
					w.Header().Set("Retry-After", c.header)
				}
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.body))
			})
			got, err := client.Establishment(t.Context(), "73282932000074")
			var later *register.Later
			if err == nil || got != nil || errors.As(err, &later) != c.later || errors.Is(err, register.ErrUnknown) != c.unknown || asked.Load() != c.asked {
				t.Errorf("%+v, %v after %d questions", got, err, asked.Load())
			}
		})
	}
	t.Run("ThenWell", func(t *testing.T) {
		t.Parallel()
		var asked atomic.Int64
		client := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			if asked.Add(1) < 3 {
				w.WriteHeader(http.StatusBadGateway)
				return
			}
			_, _ = w.Write([]byte(`{"results":[{"siege":{"siret":"73282932000074","etat_administratif":"A"}}]}`))
		})
		if got, err := client.Establishment(t.Context(), "73282932000074"); err != nil || !got.Open {
			t.Errorf("%+v, %v", got, err)
		}
	})
	t.Run("Away", func(t *testing.T) {
		t.Parallel()
		client := register.New("http://127.0.0.1:1") // nobody listens there
		client.Pause = time.Millisecond
		var later *register.Later
		if _, err := client.Establishment(t.Context(), "73282932000074"); !errors.As(err, &later) || later.Status != 0 {
			t.Errorf("%v", err)
		}
	})
	t.Run("Slow", func(t *testing.T) {
		t.Parallel()
		release := make(chan struct{})
		client := serve(t, func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-release:
			case <-r.Context().Done():
			}
		})
		defer close(release)
		client.HTTP.Timeout = 50 * time.Millisecond
		start := time.Now()
		if _, err := client.Establishment(t.Context(), "73282932000074"); err == nil || time.Since(start) > 3*time.Second {
			t.Errorf("%v after %s", err, time.Since(start))
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := client.Establishment(ctx, "73282932000074"); !errors.Is(err, context.Canceled) {
			t.Errorf("left: %v", err)
		}
	})
}

// All callers together stay below the rate that the register allows: 7 questions a second.
func TestRate(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var at []time.Time
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		at = append(at, time.Now())
		_, _ = w.Write([]byte(`{"results":[]}`))
	})
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() { _, _ = c.Establishment(t.Context(), "73282932000074") })
	}
	wait.Wait()
	// Eight at 3 a second take 7/3 s; a slow machine only makes it longer.
	if took := at[len(at)-1].Sub(at[0]); len(at) != 8 || took < 2*time.Second {
		t.Errorf("%d questions in %s", len(at), took)
	}
}
