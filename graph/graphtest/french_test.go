package graphtest_test

import (
	"slices"
	"testing"

	"github.com/audelor/halles/graph/graphtest"
	"github.com/audelor/halles/internal/fixture"
)

// Lists are sorted as French lists of names are: word by word, letters first, then accents, then
// capitals; œ as oe, ç beside c.
func TestFrenchOrder(t *testing.T) {
	t.Parallel()
	h := graphtest.New(t)
	want := []string{
		"Ça mousse", "Carré d'as", "Cœur de Groix", "Cofée", "eau de mer", "Échoppe", "école", "Ecole des loisirs", "élan",
		"Île aux livres", "L'Œuf", "La Mie", "ŒUVRES", "œuvres d'art", "Oz", "Zèbre", "Zebu",
	}
	shuffled := slices.Clone(want)
	slices.Reverse(shuffled)
	shop := fixture.Shop(t, h.Database, fixture.ShopOpts{Name: "AA"})
	for i, name := range shuffled {
		fixture.Shop(t, h.Database, fixture.ShopOpts{Name: name, Commune: []string{fixture.Lorient, fixture.Groix}[i%2]})
		fixture.Product(t, h.Database, shop, fixture.ProductOpts{Name: name})
	}
	a := h.Visitor().Query(t, `{ shops(first: 100) { nodes { name } } products(first: 100) { nodes { name } } communes { name }
		two: shops(first: 100, filter: {communes: ["56121", "56069"]}) { nodes { name } } }`, nil).OK(t)
	for path, got := range map[string][]string{"shops": a.Texts("shops.nodes.#.name")[1:], "two": a.Texts("two.nodes.#.name")[1:], "products": a.Texts("products.nodes.#.name")} {
		if !slices.Equal(got, want) {
			t.Errorf("%s are sorted\n%q\nwant\n%q", path, got, want)
		}
	}
	communes := a.Texts("communes.#.name")
	if i, j := slices.Index(communes, "Gâvres"), slices.Index(communes, "Gestel"); len(communes) != 25 || i < 0 || i > j {
		t.Errorf("communes %q", communes)
	}
}

// A search forgives accents, capitals, endings and an unfinished last word.
func TestFrenchSearch(t *testing.T) {
	t.Parallel()
	h := graphtest.New(t)
	for _, name := range []string{"Crêperie de l'Œuf", "Cœur d'artichaut", "Chevaux de bois", "Garçon manqué", "Porte-monnaie & Cie", "Fil 100% coton"} {
		fixture.Shop(t, h.Database, fixture.ShopOpts{Name: name, Category: "velo"})
	}
	for typed, want := range map[string][]string{
		"crepe":              {"Crêperie de l'Œuf"},
		"CRÊPERIES":          {"Crêperie de l'Œuf"},
		"oeuf":               {"Crêperie de l'Œuf"},
		"l’œuf":              {"Crêperie de l'Œuf"},
		"l'oeuf":             {"Crêperie de l'Œuf"},
		"coeur":              {"Cœur d'artichaut"},
		"artich":             {"Cœur d'artichaut"},
		"cheval":             {"Chevaux de bois"},
		"chevaux bois":       {"Chevaux de bois"},
		"garcon":             {"Garçon manqué"},
		"porte monnaie":      {"Porte-monnaie & Cie"},
		"porte-monnaie":      {"Porte-monnaie & Cie"},
		"monnaie":            {"Porte-monnaie & Cie"},
		"100%":               {"Fil 100% coton"},
		"coeur crepe":        {}, // every word must occur
		"le de la":           {}, // stop words only
		"?!… & | ( :* <-> '": {}, // nothing to search
		`\`:                  {},
		"''; drop table":     {},
		"👗":                  {},
		"a:*":                {"Cœur d'artichaut"}, // an unfinished word; operators are no operators
	} {
		a := h.Visitor().Query(t, `query ($text: String!) { shops(first: 100, filter: {text: $text}) { totalCount nodes { name } } products(first: 1, filter: {text: $text}) { totalCount } }`, graphtest.Vars{"text": typed}).OK(t)
		if got := a.Texts("shops.nodes.#.name"); !slices.Equal(got, want) || int(a.Get("shops.totalCount").Int()) != len(want) {
			t.Errorf("%q finds %q, want %q", typed, got, want)
		}
	}
}

// A name comes out as it went in, byte for byte.
func TestNamesSurvive(t *testing.T) {
	t.Parallel()
	h := graphtest.New(t)
	for _, name := range []string{
		`L'Échoppe du « Port »`, `Chez "Bob" \ \n & <Fils> </script>`, "Poissons 🐟🏴󠁧󠁢󠁷󠁬󠁳󠁿👩‍👩‍👧", "متجر الكتب", "חנות \u202eספרים\u202c", "Cafe\u0301 au lait", "Ar Vag – Er Mor", "\u200bvide\ufeff", "$1 ${x} %s", "\u2028ligne\u2029",
	} {
		shop := fixture.Shop(t, h.Database, fixture.ShopOpts{Name: name})
		product := fixture.Product(t, h.Database, shop, fixture.ProductOpts{Name: name})
		a := h.Visitor().Query(t, `query ($shop: ID!, $product: ID!) { shop(id: $shop) { name } product(id: $product) { name } }`,
			graphtest.Vars{"shop": shop.String(), "product": product.ID.String()}).OK(t)
		if a.Get("shop.name").String() != name || a.Get("product.name").String() != name {
			t.Errorf("%q came back as %s", name, a.Body)
		}
	}
	// And a page may end on any of them.
	if all := walk(t, h.Visitor(), `query ($n: Int!, $after: String) { shops(first: $n, after: $after) { pageInfo { hasNextPage hasPreviousPage startCursor endCursor } edges { cursor node { id } } } }`, "shops", 1, nil); len(all) != 10 {
		t.Errorf("%d shops in pages of one, want 10", len(all))
	}
}
