package bench

import "net/url"

// The documents, as a client of the catalogue writes them.
const (
	shopsOfCommune = `query ($slug: String!) {
  commune(slug: $slug) {
    name
    shops(first: 20) { nodes { id name slug services address { street postcode city } category { slug name } } }
  }
}`
	window = `query ($slug: String!) {
  commune(slug: $slug) {
    name
    shops(first: 20) {
      nodes {
        id name slug
        products(first: 10) {
          nodes {
            id name slug
            category { slug name }
            variants { id sku option { name value } price { cents } availability { orderable quantityUpTo } }
          }
        }
      }
    }
  }
}`
	oneProduct = `query ($id: ID!) {
  product(id: $id) {
    id name slug description
    shop { id name slug commune { insee name slug } }
    variants { id sku option { name value } price { cents formatted } vatRate availability { orderable quantityUpTo } }
  }
}`
	searched = `query ($text: String!, $commune: InseeCode!) {
  search(text: $text, filter: {kind: PRODUCT, communes: [$commune]}, first: 20) {
    edges { score node { ... on Product { id name slug shop { id name slug } } } }
  }
}`
)

// Reads are what visitors ask for: W1 to W4, and W4 beside the limit of a plain schema.
func (s *Sample) Reads() []Workload {
	w1 := Workload{Name: "W1", Title: "the first 20 shops of a commune"}
	w2 := Workload{Name: "W2", Title: "20 shops with 10 products each and their variants"}
	w3 := Workload{Name: "W3", Title: "a product with its shop, commune and variants"}
	w4 := Workload{Name: "W4", Title: "a search in a commune's products, with their shops"}
	plain := Workload{Name: "W4p", Title: "the same, beside the limit on a plain schema"}
	type vars map[string]any
	var one, two, three, four [][]byte
	var limit1, limit2, limit3, limit4, limitPlain [][]byte
	for _, slug := range s.Communes {
		one, limit1 = append(one, post(shopsOfCommune, vars{"slug": slug})), append(limit1, get("/w1?"+url.Values{"commune": {slug}}.Encode()))
		two, limit2 = append(two, post(window, vars{"slug": slug})), append(limit2, get("/w2?"+url.Values{"commune": {slug}}.Encode()))
	}
	for _, id := range s.Products {
		three, limit3 = append(three, post(oneProduct, vars{"id": id.String()})), append(limit3, get("/w3?"+url.Values{"product": {id.String()}}.Encode()))
	}
	for _, w := range s.Words {
		query := url.Values{"commune": {w.Commune}, "text": {w.Text}}.Encode()
		four = append(four, post(searched, vars{"text": w.Text, "commune": w.Commune}))
		limit4, limitPlain = append(limit4, get("/w4?"+query)), append(limitPlain, get("/w4p?"+query))
	}
	w1.Halles, w1.Limit = inTurn(one), inTurn(limit1)
	w2.Halles, w2.Limit = inTurn(two), inTurn(limit2)
	w3.Halles, w3.Limit = inTurn(three), inTurn(limit3)
	w4.Halles, w4.Limit = inTurn(four), inTurn(limit4)
	plain.Halles, plain.Limit = inTurn(four), inTurn(limitPlain)
	return []Workload{w1, w2, w3, w4, plain}
}

func inTurn(requests [][]byte) func(int) []byte {
	return func(n int) []byte { return requests[n%len(requests)] }
}

// Product asks for what a search shows of a product.
func Product(id string) []byte {
	return post(`query ($id: ID!) { product(id: $id) { id name slug shop { id name slug } } }`, map[string]string{"id": id})
}
