package graphtest_test

import (
	"testing"
	"time"

	"github.com/audelor/halles/graph/graphtest"
	"github.com/audelor/halles/internal/tenancy"
)

// What gqlgen's executor costs beside graph/direct: the same documents over the same rows, one
// request after the other. internal/bench has what remains to a hand-written handler.
func BenchmarkDirect(b *testing.B) {
	h := graphtest.New(b)
	h.Resolver.Wait = time.Millisecond // as a server's
	stock(b, h.Database, 80, 12)
	alone := h.Indirect(b)
	product := ids(b, h.Database, tenancy.KindProduct, 1)[0].String()
	const variants = `variants { id sku option { name value } price { cents } availability { orderable quantityUpTo } }`
	for name, document := range map[string]string{
		"W1": `{ commune(slug: "lorient") { name shops(first: 20) { nodes { id name slug services address { street postcode city } category { slug name } } } } }`,
		"W2": `{ commune(slug: "lorient") { name shops(first: 20) { nodes { id name slug products(first: 10) { nodes { id name slug category { slug name } ` + variants + ` } } } } } }`,
		"W3": `{ product(id: "` + product + `") { id name description category { slug name } shop { id name commune { slug name } } ` + variants + ` } }`,
		"W4": `{ search(text: "produit", filter: {communes: ["56121"]}, first: 20) { edges { node { ... on Product { id name shop { id name } } } } } }`,
	} {
		for way, asked := range map[string]*graphtest.Harness{"Direct": h, "Gqlgen": alone} {
			b.Run(name+"/"+way, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					asked.Visitor().Query(b, document, nil).OK(b)
				}
			})
		}
	}
}
