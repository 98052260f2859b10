package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/pg/pgtest"
)

// post sends a document to a server, as whom the token says, and returns the answer's data.
func post(t *testing.T, address, token, query string, variables any) gjson.Result {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+address+"/graphql", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var answer bytes.Buffer
	if _, err := answer.ReadFrom(response.Body); err != nil {
		t.Fatal(err)
	}
	parsed := gjson.ParseBytes(answer.Bytes())
	if parsed.Get("errors").Exists() {
		t.Fatalf("%s", answer.Bytes())
	}
	return parsed.Get("data")
}

// Two programs share nothing but Postgres and the deployment's secret: what one commits reaches
// the other's subscriber, whose session the first has never seen.
func TestTwoServersAreOne(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	shop := fixture.Shop(t, d, fixture.ShopOpts{})
	variant := fixture.Product(t, d, shop, fixture.ProductOpts{}).Variants[0]
	var servers [2]*restarting
	for i := range servers {
		servers[i] = restartable(t, d)
		servers[i].start(t)
		t.Cleanup(func() { servers[i].kill(t) })
	}
	first, second := servers[0].address, servers[1].address

	made := post(t, first, "", `mutation ($in: PlaceOrdersInput!) { placeOrders(input: $in) { guestSecret results { order { id } } } }`,
		map[string]any{"in": map[string]any{
			"idempotencyKey": "two-servers-are-one", "contact": map[string]any{"name": "Anna", "phone": "+33612345678"},
			"orders": []any{map[string]any{"shop": shop.String(), "mode": "PICKUP", "lines": []any{map[string]any{"variant": variant.String(), "quantity": 1}}}},
		}})
	order := made.Get("placeOrders.results.0.order.id").String()
	guest := post(t, second, "", `mutation ($secret: String!) { exchangeGuestLink(input: {secret: $secret}) { token } }`,
		map[string]any{"secret": made.Get("placeOrders.guestSecret").String()}).Get("exchangeGuestLink.token").String()

	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+second+"/graphql",
		strings.NewReader(`{"query":"subscription { orderUpdated(id: \"`+order+`\") { status } }"}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header = http.Header{"Accept": {"text/event-stream"}, "Content-Type": {"application/json"}, "Authorization": {"Bearer " + guest}}
	stream, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	var seen []string
	for lines := bufio.NewScanner(stream.Body); len(seen) < 2 && lines.Scan(); {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		seen = append(seen, gjson.Get(data, "data.orderUpdated.status").String())
		if len(seen) == 1 {
			post(t, first, guest, `mutation ($order: ID!) { cancelOrder(input: {order: $order, reason: CHANGED_MIND}) { order { status } } }`, map[string]any{"order": order})
		}
	}
	if got := strings.Join(seen, " "); got != "PLACED CANCELLED" {
		t.Errorf("the second server told %q\n%s", got, servers[1].log)
	}
}

// firstOf is the first thing that the subscription to an order says.
func firstOf(t *testing.T, address, token, order, after string) gjson.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if after != "" {
		after = `, after: \"` + after + `\"`
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/graphql",
		strings.NewReader(`{"query":"subscription { orderUpdated(id: \"`+order+`\"`+after+`) { status cursor } }"}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header = http.Header{"Accept": {"text/event-stream"}, "Content-Type": {"application/json"}, "Authorization": {"Bearer " + token}}
	stream, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	for lines := bufio.NewScanner(stream.Body); lines.Scan(); {
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			return gjson.Parse(data)
		}
	}
	t.Fatal("the stream says nothing")
	return gjson.Result{}
}
