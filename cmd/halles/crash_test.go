package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

// restarting is a server that is killed and started again, at one address.
type restarting struct {
	address string
	env     []string
	program *exec.Cmd
	log     *output
}

// restartable is a server of a database, not yet started, with more of its environment.
func restartable(t *testing.T, d *pgtest.Database, env ...string) *restarting {
	t.Helper()
	return &restarting{address: freePort(t), log: &output{}, env: append([]string{
		"HALLES_TEST_PROGRAM=1", "HALLES_DATABASE_URL=" + d.ServerURL(), "HALLES_SECRET=" + secret,
	}, env...)}
}

func (r *restarting) start(t *testing.T) {
	t.Helper()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program := exec.CommandContext(t.Context(), binary, "serve", "--listen", r.address)
	program.Env, program.Stderr = r.env, r.log
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	r.program = program
	for range 6000 { // a minute: other tests start their servers too
		if conn, err := net.Dial("tcp", r.address); err == nil {
			conn.Close()
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("the server does not start: %s", r.log)
}

// kill ends the program as a power cut would: nothing of it runs any more.
func (r *restarting) kill(t *testing.T) {
	t.Helper()
	if err := r.program.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = r.program.Wait() // killed
}

// freePort is an address that nobody listens on.
func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

const placeOne = `mutation ($in: PlaceOrdersInput!) { placeOrders(input: $in) { results { order { id } refusals { code } } } }`

// placed sends one basket until the server answers, over as many lives of it as that takes, and
// returns the order's id. ctx bounds the whole.
func placed(ctx context.Context, client *http.Client, url, key string, shop, variant tenancy.ID) (string, error) {
	body, err := json.Marshal(map[string]any{"query": placeOne, "variables": map[string]any{"in": map[string]any{
		"idempotencyKey": key, "contact": map[string]any{"name": "Anna", "phone": "+33612345678"},
		"orders": []any{map[string]any{"shop": shop.String(), "mode": "PICKUP", "lines": []any{map[string]any{"variant": variant.String(), "quantity": 1}}}},
	}}})
	if err != nil {
		return "", err
	}
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
		if err != nil {
			return "", err
		}
		request.Header.Set("Content-Type", "application/json")
		var answer struct {
			Data struct {
				PlaceOrders struct {
					Results []struct {
						Order    *struct{ ID string }
						Refusals []struct{ Code string }
					}
				}
			}
			Errors []struct {
				Message    string
				Extensions struct{ Code string }
			}
		}
		response, err := client.Do(request)
		if err == nil {
			err = json.NewDecoder(response.Body).Decode(&answer)
			response.Body.Close()
		}
		results := answer.Data.PlaceOrders.Results
		switch {
		case err == nil && len(results) == 1 && results[0].Order != nil:
			return results[0].Order.ID, nil
		case err == nil && len(results) == 1 && len(results[0].Refusals) > 0:
			return "", fmt.Errorf("refused: %+v", results[0].Refusals)
		case err == nil && len(answer.Errors) > 0 && answer.Errors[0].Extensions.Code != "UNAVAILABLE":
			return "", fmt.Errorf("%+v", answer.Errors)
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(20 * time.Millisecond): // the server is down, or went down before it answered
		}
	}
}

// rush is clients that place orders, each under a key of its own, and go on with a key until it is
// answered: over as many lives of the server and of Postgres as that takes.
type rush struct {
	giving       context.CancelFunc // no more keys
	clients      sync.WaitGroup
	mu           sync.Mutex
	acknowledged map[string]string // key → order
}

func (c *rush) answered() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.acknowledged)
}

// startRush begins it, at a shop in each of two communes. longest bounds all of it.
func startRush(t *testing.T, d *pgtest.Database, address string, longest time.Duration) *rush {
	t.Helper()
	shops := []tenancy.ID{fixture.Shop(t, d, fixture.ShopOpts{}), fixture.Shop(t, d, fixture.ShopOpts{Commune: fixture.Groix})}
	variants := make([]tenancy.ID, len(shops))
	for i, shop := range shops {
		variants[i] = fixture.Product(t, d, shop, fixture.ProductOpts{Stock: 1_000_000}).Variants[0]
	}
	c := &rush{acknowledged: map[string]string{}}
	giving, stop := context.WithCancel(t.Context())
	c.giving = stop
	answering, cancel := context.WithTimeout(t.Context(), longest)
	t.Cleanup(cancel)
	t.Cleanup(stop)
	const senders = 8
	for i := range senders {
		c.clients.Go(func() {
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			for n := 0; giving.Err() == nil; n++ {
				key, at := "crash-"+uuid.NewString(), (i+n)%len(shops)
				id, err := placed(answering, client, "http://"+address+"/graphql", key, shops[at], variants[at])
				if err != nil {
					t.Errorf("%s: %v", key, err)
					return
				}
				c.mu.Lock()
				c.acknowledged[key] = id
				c.mu.Unlock()
			}
		})
	}
	return c
}

// check compares what was acknowledged with what is there of a rush: each order once, and no other; and stock,
// ledger and event log agree. It returns the number of orders.
func (c *rush) check(t *testing.T, d *pgtest.Database) int {
	t.Helper()
	found := map[string]string{}
	rows, err := d.Migrate.Query(t.Context(), `select idempotency_key, commune_id, id from orders where idempotency_key like 'crash-%'`)
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var key, commune string
		var row uuid.UUID
		if err := rows.Scan(&key, &commune, &row); err != nil {
			t.Fatal(err)
		}
		key, _, _ = strings.Cut(key, "/")
		if found[key] != "" {
			t.Errorf("two orders under %s", key)
		}
		found[key] = tenancy.RowID(tenancy.KindOrder, commune, row).String()
	}
	if rows.Err() != nil {
		t.Fatal(rows.Err())
	}
	for key, id := range c.acknowledged {
		if found[key] != id {
			t.Errorf("%s was acknowledged as %s; there is %q", key, id, found[key])
		}
	}
	if len(found) != len(c.acknowledged) {
		t.Errorf("%d orders, %d acknowledged", len(found), len(c.acknowledged))
	}
	for what, sql := range map[string]string{
		"stocks that differ from their ledger": `select count(*) from variants v where stock <>
			(select sum(quantity) from stock_moves m where m.commune_id = v.commune_id and m.variant_id = v.id)`,
		"orders without their event": `select count(*) from orders o where not exists (select from order_events e
			where e.commune_id = o.commune_id and e.order_id = o.id and e.order_seq = o.version)`,
		"logs with a hole": `select count(*) from stream_heads h where seq <> (select count(*) from order_events e where e.commune_id = h.commune_id)`,
	} {
		if n := pgtest.Scan[int](t, d, sql); n != 0 {
			t.Errorf("%d %s", n, what)
		}
	}
	return len(found)
}

// The server is killed again and again under load. Clients send the same key until they have an
// answer. In the end each order that was acknowledged is there once, no other is, and the books
// are closed.
func TestKilledServerLosesNoOrder(t *testing.T) {
	t.Parallel()
	lives, life := 2, 300*time.Millisecond
	var crowd []func(*pgtest.Database) // a life's connections cost more than all that it does
	if os.Getenv("HALLES_LONG") != "" {
		lives, life, crowd = 30, 2*time.Second, append(crowd, pgtest.Crowd)
	}
	d := pgtest.New(t, crowd...)
	r := restartable(t, d)
	r.start(t)
	c := startRush(t, d, r.address, time.Duration(lives)*life+5*time.Minute)
	for n := range lives {
		from := c.answered()
		time.Sleep(life)
		waitFor(t, r.log, func() bool { return c.answered() > from || t.Failed() }) // each life took orders, on a slow machine too
		r.kill(t)
		if n == lives-1 {
			c.giving()
		}
		r.start(t)
	}
	c.clients.Wait()
	r.kill(t)
	t.Logf("%d orders over %d lives of the server", c.check(t, d), lives)
}

// Postgres crashes again and again under load, as `pg_ctl stop -m immediate` has it: what it had
// acknowledged it has again when it is back, the server finds it by itself, and everything is as
// above.
func TestCrashedDatabaseLosesNoOrder(t *testing.T) {
	drill(t)
	crashes, between := 1, 100*time.Millisecond
	if os.Getenv("HALLES_LONG") != "" {
		crashes, between = 5, 3*time.Second
	}
	d := pgtest.Own(t)
	r := restartable(t, d)
	r.start(t)
	t.Cleanup(func() {
		r.kill(t)
		if t.Failed() {
			t.Logf("the server said %s", r.log)
		}
	})
	c := startRush(t, d, r.address, time.Duration(crashes)*between+5*time.Minute)
	for range crashes {
		from := c.answered()
		time.Sleep(between)
		waitFor(t, r.log, func() bool { return c.answered() > from || t.Failed() })
		if err := d.Cluster.Crash(); err != nil {
			t.Fatal(err)
		}
		from = c.answered()
		if err := d.Cluster.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		accepts := time.Now()
		for end := accepts.Add(2 * time.Minute); c.answered() == from && !t.Failed(); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("no order since Postgres is back; the server said %s", r.log)
			}
		}
		t.Logf("the first order %v after Postgres accepts", time.Since(accepts).Round(time.Millisecond))
		d.Migrate.Reset()
	}
	c.giving()
	c.clients.Wait()
	t.Logf("%d orders over %d crashes of Postgres", c.check(t, d), crashes)
}
