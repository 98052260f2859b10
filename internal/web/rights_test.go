package web_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"

	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/tenancy"
	"github.com/audelor/halles/internal/web"
)

// A grant that is taken away stops requests, later operations of an open socket and a running
// subscription.
func TestRevokedGrant(t *testing.T) {
	t.Parallel()
	s := start(t, func(o *web.Options) { o.Keep = 50 * time.Millisecond })
	live(t, s)

	const who = `{ viewer { kind } }`
	authorization := "Bearer " + s.merchant
	s.ask(who, "Authorization", authorization).wants(t, http.StatusOK, `"kind":"MERCHANT"`)
	socket, _, err := websocket.Dial(t.Context(), s.URL+"/graphql", &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = socket.CloseNow() }()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	send := func(message map[string]any) {
		t.Helper()
		if err := wsjson.Write(ctx, socket, message); err != nil {
			t.Fatal(err)
		}
	}
	// told is the next message of an operation; "" for the socket's own.
	told := func(id string) string {
		t.Helper()
		for {
			_, data, err := socket.Read(ctx)
			if err != nil {
				t.Fatalf("waiting for %q: %v", id, err)
			}
			if strings.Contains(string(data), `"id":"`+id+`"`) || id == "" && strings.Contains(string(data), "connection_ack") {
				return string(data)
			}
		}
	}
	send(map[string]any{"type": "connection_init", "payload": map[string]any{"authorization": authorization}})
	told("")
	query := func(id string) string {
		t.Helper()
		send(map[string]any{"type": "subscribe", "id": id, "payload": map[string]any{"query": who}})
		return told(id)
	}
	if answer := query("before"); !strings.Contains(answer, "MERCHANT") {
		t.Fatal(answer)
	}
	send(map[string]any{"type": "subscribe", "id": "orders", "payload": map[string]any{
		"query": `subscription { shopOrders(shops: ["` + s.shop.String() + `"]) { kind } }`,
	}})
	time.Sleep(200 * time.Millisecond) // four rechecks leave it alone

	s.db.Exec(t, `delete from grants where shop_id = $1`, s.shop.Row)
	if answer := told("orders"); !strings.Contains(answer, `"type":"error"`) || !strings.Contains(answer, "FORBIDDEN") {
		t.Errorf("the subscription: %s", answer)
	}
	if answer := query("after"); !strings.Contains(answer, `"kind":"CUSTOMER"`) {
		t.Errorf("over the socket: %s", answer)
	}
	s.ask(who, "Authorization", authorization).wants(t, http.StatusOK, `"kind":"CUSTOMER"`)

	s.db.Exec(t, `delete from accounts where issuer = $1`, fixture.Issuer)
	time.Sleep(60 * time.Millisecond)
	if answer := query("gone"); !strings.Contains(answer, "UNAUTHENTICATED") {
		t.Errorf("an account that is gone, over the socket: %s", answer)
	}
}

// Who signs in for the first time is a customer, at once and over HTTP.
func TestFirstSignIn(t *testing.T) {
	t.Parallel()
	s := start(t)
	token := sign(t, "nobody yet", time.Hour)
	s.ask(`{ viewer { kind shops { name } } }`, "Authorization", "Bearer "+token).wants(t, http.StatusOK, `"kind":"CUSTOMER"`, `"shops":[]`)
}

// A role that is given or taken through one server holds there at the next request, whatever it
// remembers; on the others once theirs is too old.
func TestRoleChangesAtOnce(t *testing.T) {
	t.Parallel()
	s := start(t, func(o *web.Options) { o.Keep = time.Hour })
	other := &site{t: t, db: s.db}
	other.serve(nil, func(o *web.Options) { o.Keep = 50 * time.Millisecond })
	subject, account := fixture.Account(t, s.db, identity.Merchant, s.shop)
	agent, _ := fixture.Account(t, s.db, identity.Agent, s.shop)
	who := func(s *site, kind string) {
		t.Helper()
		s.ask(`{ viewer { kind } }`, "Authorization", "Bearer "+sign(t, subject, time.Hour)).wants(t, http.StatusOK, `"kind":"`+kind+`"`)
	}
	change := func(field string) {
		t.Helper()
		s.ask(`mutation { `+field+`(input: {account: "`+tenancy.AccountID(account).String()+`", role: MERCHANT, shop: "`+s.shop.String()+`"}) { member { name } } }`,
			"Authorization", "Bearer "+sign(t, agent, time.Hour)).wants(t, http.StatusOK, `"name"`)
	}
	who(s, "MERCHANT")
	who(other, "MERCHANT")
	change("revokeRole")
	who(s, "CUSTOMER")
	time.Sleep(60 * time.Millisecond)
	who(other, "CUSTOMER")
	change("grantRole")
	who(s, "MERCHANT")
}
