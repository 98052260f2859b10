package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/web"
)

// BenchmarkKept compares, in rounds in turn, answers that are kept with answers that are made, over
// HTTP and the same rows: a commune's shops, these with ten products each, and a product; once in
// peace and once while 50 orders a second come in at the same shops, some of them the last pieces.
// "ratio" is what counts.
//
//	go test -run - -bench Kept -benchtime 1x ./internal/web
func BenchmarkKept(b *testing.B) {
	const shops, products, clients, rounds, length = 20, 10, 16, 2, time.Second
	d := pgtest.New(b, pgtest.Crowd)
	var variants []string
	var product string
	for range shops {
		shop := fixture.Shop(b, d, fixture.ShopOpts{})
		for n := range products {
			stock := 1_000_000
			if n == 0 {
				stock = 200 // the last of them are seen
			}
			p := fixture.Product(b, d, shop, fixture.ProductOpts{Stock: stock, Variants: 2})
			product = p.ID.String()
			variants = append(variants, shop.String()+" "+p.Variants[0].String())
		}
	}
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	defer func() { stop(); running.Wait() }()
	serve := func(bytes int) (*web.Server, *httptest.Server) {
		server, err := web.New(ctx, web.Options{DB: d.DB, Secret: fixture.Secret, Log: slog.New(slog.DiscardHandler), Cache: bytes})
		if err != nil {
			b.Fatal(err)
		}
		listening := httptest.NewServer(server.Handler())
		b.Cleanup(listening.Close)
		return server, listening
	}
	keeps, kept := serve(32 << 20)
	running.Go(func() { _ = keeps.Versions().Run(ctx) })
	_, made := serve(0)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients * 2}}
	post := func(address string, body []byte) error {
		r, err := client.Post(address+"/graphql", "application/json", bytes.NewReader(body)) //nolint:noctx // bounded by the round
		if err != nil {
			return err
		}
		defer r.Body.Close()
		answer, err := io.ReadAll(r.Body)
		if err == nil && (r.StatusCode != http.StatusOK || !bytes.HasPrefix(answer, []byte(`{"data"`))) {
			err = fmt.Errorf("%d %.200s", r.StatusCode, answer)
		}
		return err
	}
	round := func(address string, body []byte) float64 {
		var done atomic.Int64
		var wait sync.WaitGroup
		end := time.Now().Add(length)
		for range clients {
			wait.Go(func() {
				for time.Now().Before(end) {
					if err := post(address, body); err != nil {
						b.Error(err)
						return
					}
					done.Add(1)
				}
			})
		}
		wait.Wait()
		return float64(done.Load()) / length.Seconds()
	}
	order := func(n int) {
		shop, variant, _ := bytes.Cut([]byte(variants[n%len(variants)]), []byte(" "))
		body, _ := json.Marshal(map[string]any{"query": `mutation ($in: PlaceOrdersInput!) { placeOrders(input: $in) { results { order { id } refusals { code } } } }`, "variables": map[string]any{"in": map[string]any{
			"idempotencyKey": fmt.Sprintf("bench-kept-%010d", n), "contact": map[string]any{"name": "Anna", "phone": "+33639981234"},
			"orders": []any{map[string]any{"shop": string(shop), "mode": "PICKUP", "lines": []any{map[string]any{"variant": string(variant), "quantity": 1}}}},
		}}})
		_ = post(made.URL, body) // at a server that the one which keeps hears nothing of
	}
	questions := []struct{ name, query string }{
		{"shops", `{ commune(slug: "lorient") { shops(first: 20) { nodes { name slug services address { street postcode city } category { name } } } } }`},
		{"products", `{ commune(slug: "lorient") { shops(first: 20) { nodes { name products(first: 10) { nodes { name category { name } variants { id sku price { cents } availability { orderable quantityUpTo } } } } } } } }`},
		{"product", `{ product(id: "` + product + `") { name description shop { name } variants { id sku price { cents } availability { orderable } } } }`},
	}
	placed := 0
	for b.Loop() {
		for _, orders := range []bool{false, true} {
			ordering, end := context.WithCancel(ctx)
			if orders {
				running.Go(func() {
					for tick := time.NewTicker(20 * time.Millisecond); ordering.Err() == nil; placed++ {
						<-tick.C
						order(placed)
					}
				})
			}
			for _, q := range questions {
				body, _ := json.Marshal(map[string]any{"query": q.query})
				var with, without []float64
				for range rounds {
					with, without = append(with, round(kept.URL, body)), append(without, round(made.URL, body))
				}
				name := q.name
				if orders {
					name += "-while-orders"
				}
				b.ReportMetric(slices.Max(with), name+"-kept/s")
				b.ReportMetric(slices.Max(with)/slices.Max(without), name+"-ratio")
			}
			end()
		}
	}
	b.Logf("%d orders; %+v", placed, keeps.Kept())
}
