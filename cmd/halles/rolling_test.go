package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/pg/pgtest"
)

// stop ends the program as a service manager would, and wants it to end in good order.
func (r *restarting) stop(t *testing.T) {
	t.Helper()
	if err := r.program.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := r.program.Wait(); err != nil {
		t.Errorf("%s: %v\n%s", r.address, err, r.log)
	}
}

// balancer is what stands in front of several servers: it asks each whether it is ready, and sends
// requests in turn to those that are. A server that cannot be dialled is passed over, as any
// balancer does; a request that was sent is never sent again.
type balancer struct {
	servers []*restarting
	ready   []atomic.Bool
	turn    atomic.Int64
	broken  atomic.Int64
}

func newBalancer(t *testing.T, servers ...*restarting) (b *balancer, address string) {
	t.Helper()
	b = &balancer{servers: servers, ready: make([]atomic.Bool, len(servers))}
	probes := &http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for i, server := range servers {
		go func() {
			for t.Context().Err() == nil {
				ok := false
				request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+server.address+"/readyz", nil)
				if err != nil {
					return
				}
				if answer, err := probes.Do(request); err == nil {
					ok = answer.StatusCode == http.StatusOK
					answer.Body.Close()
				}
				b.ready[i].Store(ok)
				time.Sleep(50 * time.Millisecond)
			}
		}()
	}
	front := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: b.next()}) },
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			b.broken.Add(1)
			http.Error(w, "the balancer: "+err.Error(), http.StatusBadGateway)
		},
	})
	t.Cleanup(front.Close)
	return b, strings.TrimPrefix(front.URL, "http://")
}

// next is the server whose turn it is.
func (b *balancer) next() string {
	n := int(b.turn.Add(1))
	for i := range b.servers {
		if at := (n + i) % len(b.servers); b.ready[at].Load() {
			return b.servers[at].address
		}
	}
	return b.servers[n%len(b.servers)].address
}

// wait waits until the balancer has seen that a server is ready.
func (b *balancer) wait(t *testing.T, i int) {
	t.Helper()
	for began := time.Now(); !b.ready[i].Load(); time.Sleep(10 * time.Millisecond) {
		if time.Since(began) > time.Minute {
			t.Fatalf("%s is not ready: %s", b.servers[i].address, b.servers[i].log)
		}
	}
}

// Two servers behind a balancer are restarted in turn under load, as a release does: no request
// fails, and each order is there once.
func TestRollingRestartFailsNoRequest(t *testing.T) {
	drill(t)
	restarts, clients, pause := 2, 4, 40*time.Millisecond
	if os.Getenv("HALLES_LONG") != "" {
		restarts, clients, pause = 20, 16, 0
	}
	d := pgtest.New(t, pgtest.Crowd)
	shop := fixture.Shop(t, d, fixture.ShopOpts{})
	variant := fixture.Product(t, d, shop, fixture.ProductOpts{Stock: 1_000_000}).Variants[0]
	servers := make([]*restarting, 2)
	for i := range servers {
		servers[i] = restartable(t, d, "HALLES_LOG_FORMAT=json", "HALLES_LEAVE=3s", "HALLES_RATE_NETWORK=none", "HALLES_RATE_PAGES=none")
		servers[i].start(t)
		t.Cleanup(func() { servers[i].kill(t) })
	}
	b, address := newBalancer(t, servers...)
	for i := range servers {
		b.wait(t, i)
	}

	asking, enough := context.WithCancel(t.Context())
	defer enough()
	var asked, failed, orders atomic.Int64
	var all sync.WaitGroup
	for n := range clients {
		all.Go(func() {
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			for ; asking.Err() == nil; time.Sleep(pause) {
				asked.Add(1)
				if n%4 == 0 { // a quarter of them order
					if _, err := placed(t.Context(), client, "http://"+address+"/graphql", "rolling-"+uuid.NewString(), shop, variant); err != nil {
						failed.Add(1)
						t.Error(err)
						return
					}
					orders.Add(1)
					continue
				}
				if err := askOnce(t.Context(), client, address); err != nil {
					failed.Add(1)
					t.Error(err)
					return
				}
			}
		})
	}
	for n := range restarts {
		i := n % len(servers)
		before := asked.Load()
		servers[i].stop(t)
		servers[i].start(t)
		b.wait(t, i)
		for asked.Load() < before+10 { // both were asked since
			if asking.Err() != nil || t.Failed() {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
	enough()
	all.Wait()
	if n := b.broken.Load(); n > 0 { // those of clients that try again, too
		t.Errorf("%d requests were cut off", n)
	}
	if n := pgtest.Scan[int64](t, d, `select count(*) from orders`); n != orders.Load() {
		t.Errorf("%d orders, %d acknowledged", n, orders.Load())
	}
	t.Logf("%d restarts, %d requests, %d of them orders, %d failed, %d cut off", restarts, asked.Load(), orders.Load(), failed.Load(), b.broken.Load())
}

func askOnce(ctx context.Context, client *http.Client, address string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/graphql",
		strings.NewReader(`{"query":"{ commune(slug: \"lorient\") { name shops(first: 5) { nodes { id name } } } }"}`))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK || !strings.Contains(string(body), `"name":"Lorient"`) {
		return fmt.Errorf("%d %s %w", answer.StatusCode, body, err)
	}
	return nil
}
