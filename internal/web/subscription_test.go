package web_test

import (
	"bufio"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
	"github.com/google/uuid"
)

// An order that a visitor places over HTTP reaches the merchant at once, on a socket and on an
// event stream, through all that stands in front of the schema: gzip, log, limits.
func TestSubscriptions(t *testing.T) {
	t.Parallel()
	s := start(t)
	live(t, s)

	watch := map[string]any{
		"query":     `subscription ($shops: [ID!]!) { shopOrders(shops: $shops) { kind cursor order { id number } } }`,
		"variables": map[string]any{"shops": []string{s.shop.String()}},
	}
	socket, _, err := websocket.Dial(t.Context(), s.URL+"/graphql", &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = socket.CloseNow() }()
	for _, m := range []map[string]any{
		{"type": "connection_init", "payload": map[string]any{"authorization": "Bearer " + s.merchant}},
		{"type": "ping"},
	} {
		if err := wsjson.Write(t.Context(), socket, m); err != nil {
			t.Fatal(err)
		}
	}
	for acked := false; !acked; { // the pong comes before or after it
		var m map[string]any
		if err := wsjson.Read(t.Context(), socket, &m); err != nil {
			t.Fatal(err)
		}
		acked = m["type"] == "connection_ack"
	}
	if err := wsjson.Write(t.Context(), socket, map[string]any{"type": "subscribe", "id": "1", "payload": watch}); err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(watch)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/graphql", strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = http.Header{"Accept": {"text/event-stream"}, "Content-Type": {"application/json"}, "Authorization": {"Bearer " + s.merchant}, "Accept-Encoding": {"gzip"}}
	stream, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()

	variant := s.ask(`{ shop(id: "` + s.shop.String() + `") { products(first: 1) { nodes { variants { id } } } } }`)
	_, id, _ := strings.Cut(variant.body, `"variants":[{"id":"`)
	id, _, _ = strings.Cut(id, `"`)
	placed := s.ask(`mutation { placeOrders(input: {idempotencyKey: "` + uuid.NewString() + `", contact: {name: "Anna", phone: "+33612345678"},
		orders: [{shop: "` + s.shop.String() + `", mode: PICKUP, lines: [{variant: "` + id + `", quantity: 1}]}]}) { results { order { number } refusals { message } } } }`)
	_, number, found := strings.Cut(placed.body, `"number":"`)
	number, _, _ = strings.Cut(number, `"`)
	if !found {
		t.Fatalf("not placed: %s", placed.body)
	}

	deadline := time.AfterFunc(5*time.Second, func() { _ = stream.Body.Close(); _ = socket.CloseNow() })
	defer deadline.Stop()
	for {
		_, data, err := socket.Read(t.Context())
		if err != nil {
			t.Fatalf("the socket: %v", err)
		}
		if strings.Contains(string(data), number) {
			break
		}
	}
	for lines := bufio.NewScanner(stream.Body); ; {
		if !lines.Scan() {
			t.Fatalf("the stream ended: %v", lines.Err())
		}
		if strings.Contains(lines.Text(), number) {
			break
		}
	}
}
