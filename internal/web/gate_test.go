package web_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/pg"
)

// held takes all connections of a role until the function returned is called.
func (s *site) held(role pg.Role) (release func()) {
	s.t.Helper()
	pool := s.db.DB.Pool(role)
	var all []*pgxpool.Conn
	for range pool.Config().MaxConns {
		conn, err := pool.Acquire(s.t.Context())
		if err != nil {
			s.t.Fatal(err)
		}
		all = append(all, conn)
	}
	return sync.OnceFunc(func() {
		for _, conn := range all {
			conn.Release()
		}
	})
}

// When visitors' reads stand still, those who come on top are turned away with 503 and a time to
// come back, while a merchant reads and a visitor orders as ever; and when reads go on, all is well.
func TestReadersDoNotHoldUpOrders(t *testing.T) {
	t.Parallel()
	s := start(t)
	variant := fixture.Product(t, s.db, s.shop, fixture.ProductOpts{Stock: 5}).Variants[0].String()
	const read = `{ commune(slug: "lorient") { name shops(first: 1) { nodes { id name } } } }`
	s.ask(read).wants(t, 200, "Lorient")
	release := s.held(pg.Public)
	defer release()

	const readers = 24 // more than take turns at once
	answers := make([]answer, readers)
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() { answers[i] = s.ask(read) })
	}
	shed := func() bool { return strings.Contains(s.scrape(), `halles_shed_total{lane="public"}`) }
	for began := time.Now(); !shed(); time.Sleep(10 * time.Millisecond) {
		if time.Since(began) > time.Minute {
			t.Fatal("nobody is turned away")
		}
	}
	s.ask(`{ viewer { kind shops { name } } }`, "Authorization", "Bearer "+s.merchant).wants(t, 200, "Crêperie du Port")
	s.place("gate-order-000001", 1, variant).wants(t, 200, `"order":{"id"`)
	release()
	all.Wait()
	turned := 0
	for _, a := range answers {
		switch {
		case a.StatusCode == http.StatusServiceUnavailable:
			turned++
			a.wants(t, 503, `"code":"UNAVAILABLE"`, `"retryAfterSeconds":2`)
			if got := a.Header.Get("Retry-After"); got != "2" {
				t.Errorf("Retry-After: %q", got)
			}
		default: // one that had its turn waits five seconds for a connection, and says so
			a.wants(t, 200)
		}
	}
	if turned == 0 {
		t.Error("nobody was turned away")
	}
	s.ask(read).wants(t, 200, "Lorient")
}
