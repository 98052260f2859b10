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

// An agent asks as the merchant of a shop that was delegated to it, by a header or over a socket,
// until that ends: then the next request is refused, and so is what runs.
func TestActingForAShop(t *testing.T) {
	t.Parallel()
	s := start(t, func(o *web.Options) { o.Keep = 50 * time.Millisecond })
	live(t, s)
	subject, account := fixture.Account(t, s.db, identity.Agent, s.shop)
	other := fixture.Shop(t, s.db, fixture.ShopOpts{})
	id := tenancy.NewID(tenancy.KindDelegation, s.shop.Commune)
	s.db.Exec(t, `insert into delegations (commune_id, id, shop_id, agent_id, reason, days, asked_at, consented_at, ends_at) values ($1, $2, $3, $4, 'x', 1, now(), now(), now() + interval '1 day')`,
		id.Commune, id.Row, s.shop.Row, account)
	const who = `{ viewer { kind shops { id } } }`
	authorization := "Bearer " + sign(t, subject, time.Hour)
	ask := func(shop string) answer {
		t.Helper()
		return s.ask(who, "Authorization", authorization, "X-Halles-For", shop)
	}
	s.ask(who, "Authorization", authorization).wants(t, http.StatusOK, `"kind":"AGENT"`)
	ask(s.shop.String()).wants(t, http.StatusOK, `"kind":"MERCHANT"`, `"shops":[{"id":"`+s.shop.String()+`"}]`)
	ask(other.String()).wants(t, http.StatusForbidden, "FORBIDDEN", "askDelegation")
	ask("nonsense").wants(t, http.StatusBadRequest, "INVALID")
	ask("commune_56121").wants(t, http.StatusBadRequest, "INVALID")
	s.ask(who, "X-Halles-For", s.shop.String()).wants(t, http.StatusUnauthorized, "UNAUTHENTICATED")
	s.ask(who, "Authorization", "Bearer "+s.merchant, "X-Halles-For", s.shop.String()).wants(t, http.StatusForbidden, "FORBIDDEN")

	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	socket, _, err := websocket.Dial(ctx, s.URL+"/graphql", &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = socket.CloseNow() }()
	for _, message := range []map[string]any{
		{"type": "connection_init", "payload": map[string]any{"authorization": authorization, "X-Halles-For": s.shop.String()}},
		{"type": "subscribe", "id": "who", "payload": map[string]any{"query": who}},
		{"type": "subscribe", "id": "orders", "payload": map[string]any{"query": `subscription { shopOrders(shops: ["` + s.shop.String() + `"]) { kind } }`}},
	} {
		if err := wsjson.Write(ctx, socket, message); err != nil {
			t.Fatal(err)
		}
	}
	told := func(part string) string {
		t.Helper()
		for {
			_, data, err := socket.Read(ctx)
			if err != nil {
				t.Fatalf("waiting for %s: %v", part, err)
			}
			if strings.Contains(string(data), part) {
				return string(data)
			}
		}
	}
	if got := told(`"id":"who"`); !strings.Contains(got, "MERCHANT") {
		t.Errorf("over a socket: %s", got)
	}
	time.Sleep(150 * time.Millisecond) // rechecks leave it alone
	s.db.Exec(t, `update delegations set ended_at = now() where id = $1`, id.Row)
	ask(s.shop.String()).wants(t, http.StatusForbidden, "FORBIDDEN")
	if got := told(`"id":"orders"`); !strings.Contains(got, "FORBIDDEN") {
		t.Errorf("the subscription: %s", got)
	}
	if err := wsjson.Write(ctx, socket, map[string]any{"type": "subscribe", "id": "after", "payload": map[string]any{"query": who}}); err != nil {
		t.Fatal(err)
	}
	if got := told(`"id":"after"`); !strings.Contains(got, "FORBIDDEN") {
		t.Errorf("over the socket: %s", got)
	}
}
