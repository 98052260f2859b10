package identity_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
)

var trustA = []identity.Issuer{{URL: "https://a.test", Audience: "halles"}}

// eventually waits for what happens beside a request.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for range 500 {
		if ok() {
			return
		}
		time.Sleep(2 * time.Millisecond)
	}
	t.Fatalf("not within a second: %s", what)
}

// The issuer changes its key under load: what it signs is good at once, and what it signed
// before stays so.
func TestRotation(t *testing.T) {
	t.Parallel()
	a := &party{url: "https://a.test"}
	keys := []*signer{edKey("0")}
	a.publish(keys...)
	issuers, clock := trust(trustA, a)
	var newest atomic.Pointer[signer]
	newest.Store(keys[0])
	var checked, refused atomic.Int64
	stop := make(chan struct{})
	var workers sync.WaitGroup
	first := keys[0] // keys grows while the workers run
	for range 8 {
		workers.Go(func() {
			old := first.token()
			for {
				select {
				case <-stop:
					return
				default:
				}
				for _, token := range []string{newest.Load().token(), old} {
					if _, _, err := issuers.Check(t.Context(), token); err != nil {
						refused.Add(1)
						t.Errorf("refused: %v", err)
					}
					checked.Add(1)
				}
			}
		})
	}
	const rotations = 30
	for i := range rotations {
		clock.advance(80 * time.Second) // past keysFresh now and then
		next := edKey(fmt.Sprint(i + 1))
		keys = append(keys, next)
		a.publish(keys...)
		newest.Store(next)
		before := checked.Load()
		eventually(t, "the workers go on", func() bool { return checked.Load() > before+32 || t.Failed() })
	}
	close(stop)
	workers.Wait()
	t.Logf("%d rotations: %d tokens checked, %d refused; keys read %d times", rotations, checked.Load(), refused.Load(), a.reads.Load())
	if n := a.reads.Load(); n < rotations/2 {
		t.Errorf("keys were read %d times only: the rotations did not reach the check", n)
	}
}

// Names of keys that nobody has cost the issuer one reading a minute, and good tokens nothing.
func TestUnknownKeys(t *testing.T) {
	t.Parallel()
	good, a := edKey("ed"), &party{url: "https://a.test"}
	a.publish(good)
	issuers, clock := trust(trustA, a)
	if _, _, err := issuers.Check(t.Context(), good.token()); err != nil {
		t.Fatal(err)
	}
	evil := edKey("evil")
	const minutes, each = 5, 2000
	clock.advance(time.Minute)
	for minute := range minutes {
		before := a.reads.Load()
		together := each / 8
		var workers sync.WaitGroup
		for w := range 8 {
			workers.Go(func() {
				for i := range together {
					token := evil.raw(evil.header(said{"kid": fmt.Sprintf("%d-%d-%d", minute, w, i)}), claims())
					if _, _, err := issuers.Check(t.Context(), token); !errors.Is(err, fault.Unauthenticated) {
						t.Errorf("%v", err)
					}
				}
			})
		}
		workers.Wait()
		if n := a.reads.Load() - before; n != 1 {
			t.Errorf("minute %d: %d readings for %d unknown keys, want 1", minute, n, each)
		}
		if _, _, err := issuers.Check(t.Context(), good.token()); err != nil {
			t.Errorf("minute %d: a good token is refused: %v", minute, err)
		}
		clock.advance(time.Minute)
	}
}

// A reading for the keys' age, just before the issuer publishes a new one, does not make its
// first tokens wait.
func TestNewKeyRightAfterAReading(t *testing.T) {
	t.Parallel()
	first, second := edKey("1"), edKey("2")
	a := &party{url: "https://a.test"}
	a.publish(first)
	issuers, clock := trust(trustA, a)
	for _, d := range []time.Duration{0, 11 * time.Minute} {
		clock.advance(d)
		if _, _, err := issuers.Check(t.Context(), first.token()); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the second reading", func() bool { return a.reads.Load() == 2 })
	a.publish(first, second)
	if _, _, err := issuers.Check(t.Context(), second.token()); err != nil {
		t.Error(err)
	}
}

// When the issuer is away the last good keys serve for a day, and no longer.
func TestIssuerAway(t *testing.T) {
	t.Parallel()
	good, a := edKey("ed"), &party{url: "https://a.test"}
	a.publish(good)
	issuers, clock := trust(trustA, a)
	lasting := good.token(said{"exp": noon.AddDate(0, 0, 7).Unix()})
	check := func() error {
		_, _, err := issuers.Check(t.Context(), lasting)
		return err
	}
	if err := check(); err != nil {
		t.Fatal(err)
	}
	a.down.Store(true)
	for range 23 {
		clock.advance(time.Hour)
		if err := check(); err != nil {
			t.Fatalf("at %s: %v", clock.now(), err)
		}
	}
	clock.advance(time.Hour + time.Second)
	if err := check(); !errors.Is(err, fault.Unavailable) {
		t.Errorf("after a day: %v", err)
	}
	a.down.Store(false)
	clock.advance(5 * time.Second)
	if err := check(); err != nil {
		t.Errorf("when it is back: %v", err)
	}
}

// Who has no keys yet cannot tell a good token from a forged one, and says neither.
func TestIssuerAwayFromTheStart(t *testing.T) {
	t.Parallel()
	good, a := edKey("ed"), &party{url: "https://a.test"}
	a.publish(good)
	a.down.Store(true)
	issuers, clock := trust(trustA, a)
	if _, _, err := issuers.Check(t.Context(), good.token()); !errors.Is(err, fault.Unavailable) {
		t.Errorf("%v", err)
	}
	a.down.Store(false)
	clock.advance(5 * time.Second)
	if _, _, err := issuers.Check(t.Context(), good.token()); err != nil {
		t.Error(err)
	}
}

// A key that the issuer has withdrawn opens nothing once the keys have been read again.
func TestWithdrawnKey(t *testing.T) {
	t.Parallel()
	stolen, next := edKey("stolen"), edKey("next")
	a := &party{url: "https://a.test"}
	a.publish(stolen)
	issuers, clock := trust(trustA, a)
	if _, _, err := issuers.Check(t.Context(), stolen.token()); err != nil {
		t.Fatal(err)
	}
	a.publish(next)
	clock.advance(10*time.Minute + time.Second)
	eventually(t, "the withdrawn key is refused", func() bool {
		_, _, err := issuers.Check(t.Context(), stolen.token())
		return errors.Is(err, fault.Unauthenticated)
	})
}

// Whoever gives up waiting takes nobody along.
func TestWaitingForKeysEndsWithTheRequest(t *testing.T) {
	t.Parallel()
	good, a := edKey("ed"), &party{url: "https://a.test"}
	a.publish(good)
	gate := make(chan struct{})
	slow := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-gate
		a.ServeHTTP(w, r)
	})
	issuers := identity.NewIssuers(trustA, fixture.Client(slow), slog.New(slog.DiscardHandler))
	issuers.Now = func() time.Time { return noon }
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := issuers.Check(ctx, good.token()); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	close(gate)
	if _, _, err := issuers.Check(t.Context(), good.token()); err != nil {
		t.Error(err)
	}
	if n := a.reads.Load(); n != 1 {
		t.Errorf("%d readings", n)
	}
}

// What is not the issuer's own document has no say.
func TestKeysFromElsewhere(t *testing.T) {
	t.Parallel()
	evil, a := edKey("ed"), &party{url: "https://a.test"}
	a.publish(evil)
	document := func(text string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/keys" {
				a.ServeHTTP(w, r)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, text)
		})
	}
	for name, h := range map[string]http.Handler{
		"AnotherName":  document(`{"issuer": "https://evil.test", "jwks_uri": "https://a.test/keys"}`),
		"NoName":       document(`{"jwks_uri": "https://a.test/keys"}`),
		"KeysInClear":  document(`{"issuer": "https://a.test", "jwks_uri": "http://a.test/keys"}`),
		"KeysInAFile":  document(`{"issuer": "https://a.test", "jwks_uri": "file:///keys"}`),
		"NoKeys":       document(`{"issuer": "https://a.test"}`),
		"NoDocument":   http.NotFoundHandler(),
		"NotJSON":      document(`<html>`),
		"AnotherPlace": http.RedirectHandler("https://evil.test/.well-known/openid-configuration", http.StatusFound),
	} {
		issuers := identity.NewIssuers(trustA, fixture.Client(h), slog.New(slog.DiscardHandler))
		issuers.Now = func() time.Time { return noon }
		if _, _, err := issuers.Check(t.Context(), evil.token()); !errors.Is(err, fault.Unavailable) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Over the network, with the client that a server has: a redirect leads nowhere.
func TestNoRedirects(t *testing.T) {
	t.Parallel()
	key, a := edKey("ed"), &party{}
	a.publish(key)
	direct := httptest.NewServer(a)
	t.Cleanup(direct.Close)
	around := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, direct.URL+r.URL.Path, http.StatusTemporaryRedirect) //nolint:gosec // both ends are the test's own
	}))
	t.Cleanup(around.Close)
	for url, want := range map[string]error{direct.URL: nil, around.URL: fault.Unavailable} {
		a.url, a.says = direct.URL, url
		issuers := identity.NewIssuers([]identity.Issuer{{URL: url, Audience: "halles"}}, nil, slog.New(slog.DiscardHandler))
		issuers.Now = func() time.Time { return noon }
		if _, _, err := issuers.Check(t.Context(), key.token(said{"iss": url})); !errors.Is(err, want) {
			t.Errorf("%s: %v", url, err)
		}
	}
}
