package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/tidwall/gjson"

	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/identity/devissuer"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

// balance passes connections on to one of several servers, whichever takes them, and gives the
// address that it listens on.
func balance(t *testing.T, servers ...*restarting) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	pass := func(client net.Conn) {
		defer client.Close()
		for _, i := range rand.Perm(len(servers)) {
			server, err := net.Dial("tcp", servers[i].address)
			if err != nil {
				continue // it is being restarted
			}
			defer server.Close()
			ended := make(chan struct{}, 2)
			for _, way := range [][2]net.Conn{{client, server}, {server, client}} {
				go func() { _, _ = io.Copy(way[0], way[1]); ended <- struct{}{} }()
			}
			<-ended
			return
		}
	}
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return // the test has ended
			}
			go pass(client)
		}
	}()
	return listener.Addr().String()
}

// follower is a subscriber that is cut off again and again, and resumes with its last cursor.
type follower struct {
	name, field, arguments string
	over                   func(ctx context.Context, address, token, document, cursor string, take func(gjson.Result) bool)
	token                  string
	communes               []string // whose events it must have seen, in the order of each
	where                  string   // SQL over order_events e
	got                    map[string][]string
	cursor                 string
	seen                   int
}

// read follows on until ctx ends, the connection breaks, or enough was seen.
func (f *follower) read(ctx context.Context, t *testing.T, address string, enough func() bool) {
	document := fmt.Sprintf(`subscription ($after: String) { %s(%s, after: $after) { cursor status order { id } } }`, f.field, f.arguments)
	f.over(ctx, address, f.token, document, f.cursor, func(payload gjson.Result) bool {
		if code := payload.Get("errors.0.extensions.code").String(); code != "" && code != "UNAVAILABLE" {
			t.Errorf("%s: %s", f.name, payload)
		}
		e := payload.Get("data." + f.field)
		if !e.Get("cursor").Exists() {
			return false
		}
		id, err := tenancy.ParseID(e.Get("order.id").String())
		if err != nil {
			t.Errorf("%s: %s", f.name, payload)
			return false
		}
		f.got[id.Commune] = append(f.got[id.Commune], id.Row.String()+" "+e.Get("status").String())
		f.cursor = e.Get("cursor").String()
		f.seen++
		return !enough()
	})
}

func variablesOf(document, cursor string) map[string]any {
	body := map[string]any{"query": document}
	if cursor != "" {
		body["variables"] = map[string]any{"after": cursor}
	}
	return body
}

func overEvents(ctx context.Context, address, token, document, cursor string, take func(gjson.Result) bool) {
	body, err := json.Marshal(variablesOf(document, cursor))
	if err != nil {
		panic(err) // plain text
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/graphql", bytes.NewReader(body))
	if err != nil {
		panic(err)
	}
	request.Header = http.Header{"Accept": {"text/event-stream"}, "Content-Type": {"application/json"}, "Authorization": {"Bearer " + token}}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	response, err := transport.RoundTrip(request)
	if err != nil {
		return
	}
	defer response.Body.Close()
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok && !take(gjson.Parse(data)) {
			return
		}
	}
}

func overSocket(ctx context.Context, address, token, document, cursor string, take func(gjson.Result) bool) {
	conn, _, err := websocket.Dial(ctx, "http://"+address+"/graphql", &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}})
	if err != nil {
		return
	}
	defer conn.CloseNow() //nolint:errcheck // that is the cut
	send := func(m map[string]any) error {
		raw, err := json.Marshal(m)
		if err != nil {
			return err
		}
		return conn.Write(ctx, websocket.MessageText, raw)
	}
	if send(map[string]any{"type": "connection_init", "payload": map[string]any{"authorization": "Bearer " + token}}) != nil {
		return
	}
	for {
		_, raw, err := conn.Read(ctx)
		if err != nil {
			return
		}
		switch m := gjson.ParseBytes(raw); m.Get("type").String() {
		case "connection_ack":
			if send(map[string]any{"type": "subscribe", "id": "1", "payload": variablesOf(document, cursor)}) != nil {
				return
			}
		case "ping":
			if send(map[string]any{"type": "pong"}) != nil {
				return
			}
		case "next":
			if !take(m.Get("payload")) {
				return
			}
		default:
			return
		}
	}
}

// persist asks until the answer is no fault of a server that is away.
func persist(ctx context.Context, address, token, query string, variables any) gjson.Result {
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		panic(err)
	}
	for ctx.Err() == nil {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/graphql", bytes.NewReader(body))
		if err != nil {
			panic(err)
		}
		request.Header = http.Header{"Content-Type": {"application/json"}}
		if token != "" {
			request.Header.Set("Authorization", "Bearer "+token)
		}
		transport := &http.Transport{DisableKeepAlives: true}
		if response, err := transport.RoundTrip(request); err == nil {
			raw, err := io.ReadAll(response.Body)
			response.Body.Close()
			if answer := gjson.ParseBytes(raw); err == nil && gjson.ValidBytes(raw) && answer.Get("errors.0.extensions.code").String() != "UNAVAILABLE" {
				return answer
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
	return gjson.Result{}
}

// deafen ends the sessions of all listeners.
func deafen(ctx context.Context, d *pgtest.Database) error {
	admin, err := pgx.Connect(ctx, d.AdminURL())
	if err != nil {
		return err
	}
	defer admin.Close(context.WithoutCancel(ctx))
	_, err = admin.Exec(ctx, `select pg_terminate_backend(pid) from pg_stat_activity where usename = 'halles_listen' and datname = current_database()`)
	return err
}

// Subscribers over event streams and sockets, of shops and communes and one order, are cut at any
// moment and resume at either of two servers behind a balancer, while these are killed and started
// again and every listener's session is ended each second: each has seen every event of its own once,
// in the order of its commune.
func TestFeedBehindABalancer(t *testing.T) {
	drill(t)
	cuts, restarts := 6, 1
	if os.Getenv("HALLES_LONG") != "" {
		cuts, restarts = 100, 12
	}
	d := pgtest.New(t)
	shops := []tenancy.ID{fixture.Shop(t, d, fixture.ShopOpts{}), fixture.Shop(t, d, fixture.ShopOpts{}), fixture.Shop(t, d, fixture.ShopOpts{Commune: fixture.Groix})}
	var variants []tenancy.ID
	for _, shop := range shops {
		variants = append(variants, fixture.Product(t, d, shop, fixture.ProductOpts{Stock: 1_000_000}).Variants[0])
	}
	issuer := devissuer.New("", "market")
	signing := httptest.NewServer(issuer)
	t.Cleanup(signing.Close)
	issuer.URL = signing.URL + devissuer.Path
	sign := func(kind identity.Kind, over ...tenancy.ID) string {
		t.Helper()
		subject, account := fixture.Account(t, d, kind, over...)
		d.Exec(t, `update accounts set issuer = $1 where id = $2`, issuer.URL, account)
		token, err := issuer.Sign(subject, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	merchant, hotline := sign(identity.Merchant, shops...), sign(identity.Hotline)
	env := []string{"HALLES_ISSUERS=" + issuer.URL + "|market"}
	for _, limit := range []string{"ACCOUNT", "NETWORK", "PAGES", "SIGN_INS", "GUESSES"} {
		env = append(env, "HALLES_RATE_"+limit+"=none")
	}
	servers := []*restarting{restartable(t, d, env...), restartable(t, d, env...)}
	for _, s := range servers {
		s.start(t)
		t.Cleanup(func() { s.kill(t) })
	}
	address := balance(t, servers...)
	ctx, stop := context.WithTimeout(t.Context(), 10*time.Minute)
	defer stop()

	place := func(i int, key string) (order, guest string) {
		made := persist(ctx, address, "", `mutation ($in: PlaceOrdersInput!) { placeOrders(input: $in) { guestSecret results { order { id } } } }`, map[string]any{"in": map[string]any{
			"idempotencyKey": key, "contact": map[string]any{"name": "Anna", "phone": "+33612345678"},
			"orders": []any{map[string]any{"shop": shops[i].String(), "mode": "PICKUP", "lines": []any{map[string]any{"variant": variants[i].String(), "quantity": 1}}}},
		}})
		if order = made.Get("data.placeOrders.results.0.order.id").String(); order == "" && ctx.Err() == nil {
			t.Errorf("not placed: %s", made)
		}
		return order, made.Get("data.placeOrders.guestSecret").String()
	}
	followed, link := place(0, "the-order-that-is-followed")
	for i := range shops[1:] {
		place(i+1, fmt.Sprintf("an-order-of-each-shop-%d", i))
	}
	guest := persist(ctx, address, "", `mutation ($secret: String!) { exchangeGuestLink(input: {secret: $secret}) { token } }`, map[string]any{"secret": link}).Get("data.exchangeGuestLink.token").String()
	of := func(shops ...tenancy.ID) string {
		var ids []string
		for _, s := range shops {
			ids = append(ids, `"`+s.String()+`"`)
		}
		return "[" + strings.Join(ids, ",") + "]"
	}
	both, lorient := []string{fixture.Lorient, fixture.Groix}, []string{fixture.Lorient}
	ours := fmt.Sprintf("e.shop_id in ('%s', '%s')", shops[0].Row, shops[2].Row)
	areas := fmt.Sprintf("communes: %q", []string{tenancy.ID{Kind: tenancy.KindCommune, Commune: fixture.Lorient}.String(), tenancy.ID{Kind: tenancy.KindCommune, Commune: fixture.Groix}.String()})
	areas = strings.ReplaceAll(areas, `" "`, `", "`)
	one, err := tenancy.ParseID(followed)
	if err != nil {
		t.Fatal(err)
	}
	followers := []*follower{
		{name: "shops of two communes, by events", field: "shopOrders", arguments: "shops: " + of(shops[0], shops[2]), over: overEvents, token: merchant, communes: both, where: ours},
		{name: "shops of two communes, by socket", field: "shopOrders", arguments: "shops: " + of(shops[2], shops[0]), over: overSocket, token: merchant, communes: both, where: ours},
		{name: "two communes, by events", field: "communeActivity", arguments: areas, over: overEvents, token: hotline, communes: both, where: "true"},
		{name: "two communes, by socket", field: "communeActivity", arguments: areas, over: overSocket, token: hotline, communes: both, where: "true"},
		{name: "a guest's order, by events", field: "orderUpdated", arguments: `id: "` + followed + `"`, over: overEvents, token: guest, communes: lorient, where: fmt.Sprintf("e.order_id = '%s'", one.Row)},
	}
	want := func(f *follower) (n int, log map[string][]string) {
		log = map[string][]string{}
		for _, c := range f.communes {
			rows, err := d.Migrate.Query(t.Context(), `select e.order_id || ' ' || e.status from order_events e where e.commune_id = $1 and `+f.where+` order by e.seq`, c)
			if err != nil {
				t.Fatal(err)
			}
			if log[c], err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
				t.Fatal(err)
			}
			n += len(log[c])
		}
		return n, log
	}
	// The present state is each order's only event, as yet: all have it before anything else happens.
	for _, f := range followers {
		f.got = map[string][]string{}
		n, _ := want(f)
		f.read(ctx, t, address, func() bool { return f.seen >= n })
	}

	writing, write := make(chan struct{}), sync.WaitGroup{}
	for w := range 2 {
		write.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-writing:
					return
				case <-time.After(time.Duration(rand.N(20)) * time.Millisecond):
				}
				order, _ := place((w+n)%len(shops), fmt.Sprintf("behind-a-balancer-%d-%d", w, n))
				if w == 0 && n == 3 {
					order = followed
				}
				answer := persist(ctx, address, merchant, `mutation ($order: ID!) { acceptOrder(input: {order: $order}) { refusals { code } } }`, map[string]any{"order": order})
				if !answer.Get("data.acceptOrder").Exists() || len(answer.Get("data.acceptOrder.refusals").Array()) > 0 {
					t.Errorf("not accepted: %s", answer)
					return
				}
			}
		})
	}
	write.Go(func() {
		for {
			select {
			case <-writing:
				return
			case <-time.After(time.Second):
				if err := deafen(ctx, d); err != nil {
					t.Error(err)
				}
			}
		}
	})
	var reading sync.WaitGroup
	for _, f := range followers {
		reading.Go(func() {
			for range cuts {
				cut, cancel := context.WithTimeout(ctx, time.Duration(20+rand.N(400))*time.Millisecond)
				limit := f.seen + 1 + rand.N(30) // some are cut between events, some right after one
				f.read(cut, t, address, func() bool { return f.seen >= limit })
				cancel()
			}
		})
	}
	for n := range restarts {
		s := servers[n%len(servers)]
		s.kill(t)
		s.start(t)
	}
	reading.Wait()
	close(writing)
	write.Wait()
	for _, f := range followers {
		n, log := want(f)
		for end := time.Now().Add(time.Minute); f.seen < n && time.Now().Before(end); {
			rest, cancel := context.WithDeadline(ctx, end)
			f.read(rest, t, address, func() bool { return f.seen >= n })
			cancel()
		}
		for _, c := range f.communes {
			if diff := cmp.Diff(log[c], f.got[c]); diff != "" {
				t.Errorf("%s, %s: %s", f.name, c, diff)
			}
		}
		t.Logf("%s: %d events over %d cuts and %d restarts", f.name, n, cuts, restarts)
	}
	if t.Failed() {
		for _, s := range servers {
			t.Logf("a server said %.4000s", s.log)
		}
	}
}
