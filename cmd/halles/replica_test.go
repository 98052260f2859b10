package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/tidwall/gjson"

	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/pg/pgtest"
)

// figure is what a server's metrics tell under a name.
func figure(t *testing.T, operations, name string) float64 {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+operations+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return -1 // it starts
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^` + name + ` (\S+)$`).FindSubmatch(text)
	if found == nil {
		t.Fatalf("no %s in %s", name, text)
	}
	value, err := strconv.ParseFloat(string(found[1]), 64)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// asked sends a document with what the client has seen, and returns the data and what it has seen now.
func asked(t *testing.T, address, seen, query string) (gjson.Result, string) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": query})
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+address+"/graphql", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header = http.Header{"Content-Type": {"application/json"}, "X-Halles-Seen": {seen}}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if gjson.GetBytes(text, "errors").Exists() {
		t.Fatalf("%s", text)
	}
	return gjson.GetBytes(text, "data"), answer.Header.Get("X-Halles-Seen")
}

// What is published comes from a streaming replica; who has just written reads the own change,
// though the replica has not got it yet; and without the replica all goes on.
func TestReplicaServesReaders(t *testing.T) {
	drill(t)
	d, standby := pgtest.Pair(t)
	shop := fixture.Shop(t, d, fixture.ShopOpts{})
	product := fixture.Product(t, d, shop, fixture.ProductOpts{Stock: 1})
	operations := freePort(t)
	r := &restarting{address: freePort(t), log: &output{}, env: append(operating(d), "HALLES_TEST_PROGRAM=1", "HALLES_LEAVE=0s",
		"HALLES_REPLICA_URL="+standby.URL("postgres", d.Name()), "HALLES_OPERATIONS_LISTEN="+operations)}
	r.start(t)
	t.Cleanup(func() { r.kill(t) })
	until := func(what string, done func() bool) {
		t.Helper()
		for began := time.Now(); !done(); time.Sleep(20 * time.Millisecond) {
			if time.Since(began) > time.Minute {
				t.Fatalf("not in a minute: %s\n%s", what, r.log)
			}
		}
	}
	until("the replica serves", func() bool { return figure(t, operations, "halles_replica_serves") == 1 })
	read := `{ product(id: "` + product.ID.String() + `") { availability { orderable } } }`
	until("the replica is asked", func() bool {
		data, _ := asked(t, r.address, "", read)
		return data.Get("product.availability.orderable").Bool() && figure(t, operations, "halles_replica_reads_total") > 0
	})

	admin, err := pgx.Connect(t.Context(), standby.URL("postgres", d.Name()))
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close(t.Context())
	var state string
	if _, err := admin.Exec(t.Context(), `select pg_wal_replay_pause()`); err != nil {
		t.Fatal(err)
	}
	until("the replica stands still", func() bool {
		err := admin.QueryRow(t.Context(), `select pg_get_wal_replay_pause_state()`).Scan(&state)
		return err == nil && state == "paused"
	})
	_, seen := asked(t, r.address, "", `mutation { placeOrders(input: {idempotencyKey: "read-your-writes-1", contact: {name: "Anna", phone: "+33639981234"},
		orders: [{shop: "`+shop.String()+`", mode: PICKUP, lines: [{variant: "`+product.Variants[0].String()+`", quantity: 1}]}]}) { results { order { id } } } }`)
	if seen == "" {
		t.Error("a mutation does not tell how far the database is")
	}
	data, _ := asked(t, r.address, seen, read)
	if data.Get("product.availability.orderable").Bool() {
		t.Errorf("who took the last piece reads %s", data)
	}
	var stock int
	if err := admin.QueryRow(t.Context(), `select sum(stock)::int from variants`).Scan(&stock); err != nil || stock != 1 {
		t.Errorf("the replica has gone on: %d, %v", stock, err)
	}
	until("the primary serves in its stead", func() bool { return figure(t, operations, "halles_replica_serves") == 0 })
	if data, _ = asked(t, r.address, "", read); data.Get("product.availability.orderable").Bool() {
		t.Errorf("a replica that stands still served %s", data)
	}

	if _, err := admin.Exec(t.Context(), `select pg_wal_replay_resume()`); err != nil {
		t.Fatal(err)
	}
	until("the replica serves again", func() bool { return figure(t, operations, "halles_replica_serves") == 1 })
	if err := standby.Stop(); err != nil {
		t.Fatal(err)
	}
	for range 20 { // asked fails the test with an answer that has an error
		if data, _ = asked(t, r.address, "", read); data.Get("product.availability.orderable").Bool() {
			t.Fatalf("without the replica: %s", data)
		}
	}
	t.Logf("the replica served %.0f reads, the primary %.0f in its stead", figure(t, operations, "halles_replica_reads_total"), figure(t, operations, "halles_replica_passed_total"))
}
