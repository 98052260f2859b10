package web_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/tidwall/gjson"

	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/tenancy"
)

// Those who ask the same of an event share its answer, and each still gets what it asked for: with its
// own names, the cursor of its own list, and what is read with its own rights.
func TestSharedAnswers(t *testing.T) {
	t.Parallel()
	s := start(t)
	live(t, s)
	agent, _ := fixture.Account(t, s.db, identity.Agent, tenancy.ID{Kind: tenancy.KindCommune, Commune: fixture.Lorient})
	commune := tenancy.ID{Kind: tenancy.KindCommune, Commune: fixture.Lorient}.String()

	type followed struct{ token, query string }
	shop := func(selection string) followed {
		return followed{s.merchant, `subscription ($after: String) { shopOrders(shops: ["` + s.shop.String() + `"], after: $after) { ` + selection + ` } }`}
	}
	followers := []followed{
		shop("cursor kind status at by"),
		shop("cursor kind status at by"),
		shop("cursor ...on OrderEvent { kind } status at by"),
		shop("cursor by: kind kind: status"),
		shop("cursor kind status at by order { id }"),
		// Named alike, with the cursor of another list.
		{sign(t, agent, time.Hour), `subscription ($after: String) { shopOrders: communeActivity(communes: ["` + commune + `"], after: $after) { cursor kind status at by } }`},
	}
	follow := func(f followed, after any) func() gjson.Result {
		body, err := json.Marshal(map[string]any{"query": f.query, "variables": map[string]any{"after": after}})
		if err != nil {
			t.Fatal(err)
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/graphql", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header = http.Header{"Accept": {"text/event-stream"}, "Content-Type": {"application/json"}, "Authorization": {"Bearer " + f.token}}
		stream, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = stream.Body.Close() })
		give := time.AfterFunc(time.Minute, func() { _ = stream.Body.Close() })
		t.Cleanup(func() { give.Stop() })
		lines := bufio.NewReader(stream.Body)
		return func() gjson.Result {
			t.Helper()
			for {
				line, err := lines.ReadBytes('\n')
				if err != nil && err != io.EOF {
					t.Fatalf("%s: %v", f.query, err)
				}
				if data, ok := bytes.CutPrefix(line, []byte("data: ")); ok {
					if gjson.GetBytes(data, "errors").Exists() {
						t.Fatalf("%s: %s", f.query, data)
					}
					return gjson.GetBytes(data, "data.shopOrders")
				}
				if err == io.EOF {
					t.Fatalf("%s: the stream ended", f.query)
				}
			}
		}
	}
	place := func() string {
		t.Helper()
		variant := gjson.Get(s.ask(`{ shop(id: "`+s.shop.String()+`") { products(first: 1) { nodes { variants { id } } } } }`).body, "data.shop.products.nodes.0.variants.0.id").String()
		placed := s.ask(`mutation { placeOrders(input: {idempotencyKey: "` + uuid.NewString() + `", contact: {name: "Anna", phone: "+33612345678"},
			orders: [{shop: "` + s.shop.String() + `", mode: PICKUP, lines: [{variant: "` + variant + `", quantity: 1}]}]}) { results { order { id } refusals { message } } } }`)
		id := gjson.Get(placed.body, "data.placeOrders.results.0.order.id").String()
		if id == "" {
			t.Fatalf("not placed: %s", placed.body)
		}
		return id
	}
	// Three orders are there when all come: each is sent as it stands, and read by all in their own time.
	orders := []string{place(), place(), place()}
	var all [][]gjson.Result
	for _, f := range followers {
		next := follow(f, nil)
		var own []gjson.Result
		for range orders {
			own = append(own, next())
		}
		all = append(all, own)
	}
	for i := range orders {
		first := all[0][i]
		for n, want := range []string{
			first.Raw, first.Raw, first.Raw,
			`{"cursor":` + first.Get("cursor").Raw + `,"by":"PLACED","kind":"PLACED"}`,
			first.Raw[:len(first.Raw)-1] + `,"order":{"id":"` + orders[i] + `"}}`,
		} {
			if got := all[n][i].Raw; got != want {
				t.Errorf("follower %d, event %d: %s, want %s", n, i, got, want)
			}
		}
	}
	// Each goes on with its own cursor in its own list.
	for n, f := range followers {
		if got := follow(f, all[n][0].Get("cursor").String())(); got.Raw != all[n][1].Raw {
			t.Errorf("follower %d goes on with %s, want %s", n, got.Raw, all[n][1].Raw)
		}
	}
}
