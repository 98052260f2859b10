package graphtest_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/audelor/halles/graph/graphtest"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/fixture"
)

// What is wrong with a question is said: its code, where in the answer, which argument, and a
// sentence; and nothing of the server's inside, nor a long text of the client's, comes back.
func TestRefused(t *testing.T) {
	t.Parallel()
	h := graphtest.New(t)
	shop := fixture.Shop(t, h.Database, fixture.ShopOpts{})
	product := fixture.Product(t, h.Database, shop, fixture.ProductOpts{})
	long := strings.Repeat("é", 10_000)
	many := func(n int, id string) string {
		return `["` + strings.Join(slices.Repeat([]string{id}, n), `","`) + `"]`
	}
	communes := h.Visitor().Query(t, `{ communes { insee } }`, nil).OK(t).Texts("communes.#.insee")
	list := func(codes []string) string { b, _ := json.Marshal(codes); return string(b) }
	for name, c := range map[string]struct {
		document string
		vars     graphtest.Vars
		code     fault.Kind
		path     string
		argument string
		sentence string
	}{
		"MalformedID":          {`{ shop(id: "x") { id } }`, nil, "INVALID", "shop", "id", `"x" n'est pas un identifiant`},
		"LongID":               {`query ($x: ID!) { shop(id: $x) { id } }`, graphtest.Vars{"x": long}, "INVALID", "shop", "id", "n'est pas un identifiant"},
		"NumberForID":          {`{ shop(id: 7) { id } }`, nil, "INVALID", "shop", "id", "est un texte"},
		"CutID":                {`{ shop(id: "` + shop.String()[:30] + `") { id } }`, nil, "INVALID", "shop", "id", "n'est pas un identifiant"},
		"AliasedMalformedID":   {`{ mine: product(id: "x") { id } }`, nil, "INVALID", "mine", "id", "n'est pas un identifiant"},
		"IDOfAnotherKind":      {`{ shop(id: "` + product.ID.String() + `") { id } }`, nil, "INVALID", "shop", "id", "désigne un produit ; il faut ici celui qui désigne une boutique"},
		"IDOfAnotherKind2":     {`{ product(id: "commune_56121") { id } }`, nil, "INVALID", "product", "id", "désigne une commune"},
		"CategoryIsAShop":      {`{ shops(first: 1, filter: {category: "` + shop.String() + `"}) { nodes { id } } }`, nil, "INVALID", "shops", "filter category", "désigne une boutique"},
		"CategoryIsAProduct":   {`{ products(first: 1, filter: {category: "` + product.ID.String() + `"}) { nodes { id } } }`, nil, "INVALID", "products", "filter category", "désigne un produit"},
		"FirstZero":            {`{ shops(first: 0) { nodes { id } } }`, nil, "INVALID", "shops", "first", "first vaut 0 ; demandez de 1 à 100"},
		"FirstNegative":        {`{ shops(first: -1) { nodes { id } } }`, nil, "INVALID", "shops", "first", "first vaut -1"},
		"First101":             {`{ products(first: 101) { nodes { id } } }`, nil, "INVALID", "products", "first", "first vaut 101"},
		"First100000":          {`{ products(first: 100000) { nodes { id } } }`, nil, "INVALID", "products", "first", "first vaut 100000"},
		"FirstOfShopsProducts": {`{ shop(id: "` + shop.String() + `") { products(first: 0) { nodes { id } } } }`, nil, "INVALID", "shop products", "first", "first vaut 0"},
		"FirstOfCommunesShops": {`{ commune(insee: "56121") { shops(first: 100000) { nodes { id } } } }`, nil, "INVALID", "commune shops", "first", "first vaut 100000"},
		"FirstOfLotsOfShops":   {`{ shops(first: 5) { nodes { products(first: 101) { nodes { id } } } } }`, nil, "INVALID", "shops nodes 0 products", "first", "first vaut 101"},
		"UnknownCommune":       {`{ commune(insee: "99999") { id } }`, nil, "NOT_FOUND", "commune", "", `"99999"`},
		"UnknownSlug":          {`{ commune(slug: "nantes") { id } }`, nil, "NOT_FOUND", "commune", "", `"nantes"`},
		"NoCommuneNamed":       {`{ commune { id } }`, nil, "INVALID", "commune", "", "insee ou slug"},
		"CommuneNamedTwice":    {`{ commune(insee: "56121", slug: "lorient") { id } }`, nil, "INVALID", "commune", "", "l'un des deux"},
		"LongCommune":          {`query ($x: InseeCode!) { commune(insee: $x) { id } }`, graphtest.Vars{"x": long}, "NOT_FOUND", "commune", "", "Aucune commune"},
		"FilterUnknown":        {`{ shops(first: 1, filter: {communes: ["56121", "44109"]}) { nodes { id } } }`, nil, "NOT_FOUND", "shops", "filter communes 1", `"44109"`},
		"FilterPostcode":       {`{ products(first: 1, filter: {communes: ["56100"]}) { nodes { id } } }`, nil, "NOT_FOUND", "products", "filter communes 0", `"56100"`},
		"FilterTwice":          {`{ shops(first: 1, filter: {communes: ["56121", "56069", "56121"]}) { nodes { id } } }`, nil, "INVALID", "shops", "filter communes 2", "deux fois"},
		"FilterTooMany":        {`{ shops(first: 1, filter: {communes: ` + list(append(communes, "56121")) + `}) { nodes { id } } }`, nil, "INVALID", "shops", "filter communes", "nomme 26 communes ; il n'y en a que 25"},
		"NorthOfThePole":       {`{ shops(first: 1, near: {latitude: 90.01, longitude: 0}) { nodes { id } } }`, nil, "INVALID", "shops", "near latitude", "hors de la Terre"},
		"WestOfTheWest":        {`{ commune(insee: "56121") { shops(first: 1, near: {latitude: 47, longitude: -181}) { nodes { id } } } }`, nil, "INVALID", "commune shops", "near longitude", "hors de la Terre"},
		"NotANumber":           {`query ($x: Float!) { shops(first: 1, near: {latitude: $x, longitude: 0}) { nodes { id } } }`, graphtest.Vars{"x": "NaN"}, "INVALID", "shops", "near latitude", "sans guillemets"},
		"NotANumberBelow":      {`query ($x: Float!) { commune(insee: "56121") { shops(first: 1, near: {latitude: $x, longitude: 0}) { nodes { id } } } }`, graphtest.Vars{"x": "Infinity"}, "INVALID", "commune shops", "near latitude", "sans guillemets"},
		"DistanceFromNowhere":  {`{ shops(first: 1, orderBy: DISTANCE) { nodes { id } } }`, nil, "INVALID", "shops", "orderBy", "donnez near"},
		"DistanceOfACommunes":  {`{ commune(insee: "56121") { shops(first: 1, orderBy: DISTANCE) { nodes { id } } } }`, nil, "INVALID", "commune shops", "orderBy", "donnez near"},
		"OrderInSmallLetters":  {`query ($o: ShopOrder) { shops(first: 1, orderBy: $o) { nodes { id } } }`, graphtest.Vars{"o": "distance"}, "INVALID", "shops", "orderBy", "en capitales"},
		"ModeInSmallLetters":   {`query ($m: FulfilmentMode) { shops(first: 1, filter: {fulfilment: $m}) { nodes { id } } }`, graphtest.Vars{"m": "pickup"}, "INVALID", "shops", "filter fulfilment", "en capitales"},
		"LongText":             {`query ($x: String) { shops(first: 1, filter: {text: $x}) { nodes { id } } }`, graphtest.Vars{"x": long}, "INVALID", "shops", "filter text", "10000 caractères ; 200 au plus"},
		"LongTextOfProducts":   {`query ($x: String) { products(first: 1, filter: {text: $x}) { nodes { id } } }`, graphtest.Vars{"x": long}, "INVALID", "products", "filter text", "10000 caractères"},
		"EmptyText":            {`{ shops(first: 1, filter: {text: ""}) { nodes { id } } }`, nil, "INVALID", "shops", "filter text", "vide"},
		"BlankText":            {`{ products(first: 1, filter: {text: " \t "}) { nodes { id } } }`, nil, "INVALID", "products", "filter text", "vide"},
		"NUL":                  {`query ($x: String) { shops(first: 1, filter: {text: $x}) { nodes { id } } }`, graphtest.Vars{"x": "a\x00b"}, "INVALID", "shops", "filter text", "nul"},
		"TooManyNodes":         {`{ nodes(ids: ` + many(101, "commune_56121") + `) { id } }`, nil, "INVALID", "nodes", "ids", "101 identifiants d'un coup ; 100 au plus"},
		"NodesMalformed":       {`{ nodes(ids: ["commune_56121", "x"]) { id } }`, nil, "INVALID", "nodes", "ids 1", "n'est pas un identifiant"},
		"NodeOfNothing":        {`{ node(id: "category_inconnue") { id } }`, nil, "NOT_FOUND", "node", "", "Aucune catégorie"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := h.Visitor().Query(t, c.document, c.vars)
			if len(a.Errors) == 0 {
				t.Fatalf("accepted: %s", a.Body)
			}
			e := a.Errors[0]
			path, argument := strings.Trim(fmt.Sprint(e.Path), "[]"), strings.Join(e.Extensions.Argument, " ")
			if e.Extensions.Code != c.code || path != c.path || argument != c.argument || !strings.Contains(e.Message, c.sentence) {
				t.Errorf("%s at %s, argument %q: %s", e.Extensions.Code, path, argument, e.Message)
			}
			if len(a.Body) > 600 {
				t.Errorf("%d bytes: the request comes back in %.300s", len(a.Body), a.Body)
			}
			for _, inside := range []string{"SQLSTATE", "select ", "tenancy", "json.", "strconv", "interface"} {
				if strings.Contains(string(a.Body), inside) {
					t.Errorf("the server's inside (%s) in %s", inside, a.Body)
				}
			}
		})
	}
	t.Run("OneHundredNodes", func(t *testing.T) {
		t.Parallel()
		h.Visitor().Query(t, `{ nodes(ids: `+many(100, "commune_56121")+`) { id } }`, nil).OK(t)
	})
	t.Run("EveryCommuneOnce", func(t *testing.T) {
		t.Parallel()
		a := h.Visitor().Query(t, `{ shops(first: 1, filter: {communes: `+list(communes)+`}) { totalCount } none: shops(first: 1, filter: {communes: []}) { totalCount nodes { id } pageInfo { endCursor } } }`, nil).OK(t)
		if a.Get("shops.totalCount").Int() != 1 || a.Get("none.totalCount").Int() != 0 || a.Get("none.nodes.#").Int() != 0 {
			t.Errorf("answer %s", a.Body)
		}
	})
	// What is wrong with one of several pages of the same list is said there only.
	t.Run("OneOfSeveral", func(t *testing.T) {
		t.Parallel()
		a := h.Visitor().Query(t, `{ node(id: "`+shop.String()+`") { ... on Shop { good: products(first: 5) { totalCount } } }
			other: node(id: "`+shop.String()+`") { ... on Shop { bad: products(first: 0) { totalCount } } } }`, nil)
		if len(a.Errors) != 1 || a.Get("node.good.totalCount").Int() != 1 {
			t.Errorf("answer %s", a.Body)
		}
	})
}

// A representation that is wrong spoils itself only.
func TestEntitiesRefused(t *testing.T) {
	t.Parallel()
	h := graphtest.New(t)
	shop := fixture.Shop(t, h.Database, fixture.ShopOpts{})
	a := h.Visitor().Router().Query(t, `query ($r: [_Any!]!) { _entities(representations: $r) { __typename } }`, graphtest.Vars{"r": []any{
		map[string]any{"__typename": "Commune", "insee": "56121", "slug": "lorient"},
		map[string]any{"__typename": "Commune", "slug": "groix"},
		map[string]any{"__typename": "Shop", "id": shop.String()},
		map[string]any{"__typename": "Shop", "id": "x"},
		map[string]any{"__typename": "Shop"},
		map[string]any{"__typename": "Shop", "id": nil},
		map[string]any{"__typename": "Shop", "id": 7},
		map[string]any{"__typename": "Shop", "id": "commune_56121"},
		map[string]any{"__typename": "Viewer", "id": "x"},
		map[string]any{"id": shop.String()},
		map[string]any{"__typename": "Category", "id": "category_velo"},
	}})
	want := []string{"Commune", "Commune", "Shop", "", "", "", "", "", "", "", "Category"}
	for i, name := range want {
		if got := a.Get(fmt.Sprintf("_entities.%d.__typename", i)).String(); got != name {
			t.Errorf("representation %d gives %q, want %q", i, got, name)
		}
	}
	if len(a.Errors) != 7 {
		t.Errorf("%d errors, want 7: %s", len(a.Errors), a.Body)
	}
	for _, e := range a.Errors {
		if e.Extensions.Code != "INVALID" {
			t.Errorf("error %+v", e)
		}
	}
}

// Two hundred representations of every kind of key, right and wrong by chance: each has its own
// answer, in its place, whatever stands beside it.
func TestEntitiesEachItsOwn(t *testing.T) {
	t.Parallel()
	h := graphtest.New(t)
	shop := fixture.Shop(t, h.Database, fixture.ShopOpts{Name: "Chez Ève"})
	product := fixture.Product(t, h.Database, shop, fixture.ProductOpts{Name: "Far"})
	draft := fixture.Shop(t, h.Database, fixture.ShopOpts{Status: "DRAFT"})
	type entity struct {
		representation map[string]any
		name           string     // in the answer
		code           fault.Kind // or of the error
	}
	kinds := []entity{
		{map[string]any{"__typename": "Commune", "insee": "56121"}, "Lorient", ""},
		{map[string]any{"__typename": "Commune", "slug": "groix"}, "Groix", ""},
		{map[string]any{"__typename": "Commune", "insee": "56069", "slug": "groix"}, "Groix", ""},
		{map[string]any{"__typename": "Commune", "slug": "nantes"}, "", fault.NotFound},
		{map[string]any{"__typename": "Commune"}, "", fault.Invalid},
		{map[string]any{"__typename": "Shop", "id": shop.String()}, "Chez Ève", ""},
		{map[string]any{"__typename": "Shop", "id": draft.String()}, "", fault.NotFound},
		{map[string]any{"__typename": "Shop", "id": strings.Replace(shop.String(), "_56121_", "_56069_", 1)}, "", fault.NotFound},
		{map[string]any{"__typename": "Shop", "id": product.ID.String()}, "", fault.Invalid},
		{map[string]any{"__typename": "Shop", "id": []any{shop.String()}}, "", fault.Invalid},
		{map[string]any{"__typename": "Product", "id": product.ID.String()}, "Far", ""},
		{map[string]any{"__typename": "Product", "id": "x"}, "", fault.Invalid},
		{map[string]any{"__typename": "Category", "id": "category_librairie"}, "Livres", ""},
		{map[string]any{"__typename": "Viewer", "id": "x"}, "", fault.Invalid},
		{map[string]any{"__typename": 7, "id": "x"}, "", fault.Invalid},
		{map[string]any{}, "", fault.Invalid},
	}
	r := rand.New(rand.NewPCG(56121, 2))
	for range 3 {
		var asked []entity
		representations, codes := []any{}, map[fault.Kind]int{}
		for range 200 {
			e := kinds[r.IntN(len(kinds))]
			asked, representations = append(asked, e), append(representations, e.representation)
			if e.code != "" {
				codes[e.code]++
			}
		}
		a := h.Visitor().Router().Query(t, `query ($r: [_Any!]!) { _entities(representations: $r) {
			... on Commune { name } ... on Shop { name } ... on Product { name } ... on Category { name } } }`, graphtest.Vars{"r": representations})
		for i, e := range asked {
			if got := a.Get(fmt.Sprintf("_entities.%d.name", i)).String(); got != e.name {
				t.Errorf("%v gives %q, want %q", e.representation, got, e.name)
			}
		}
		for _, e := range a.Errors {
			codes[e.Extensions.Code]--
		}
		if a.Get("_entities.#").Int() != 200 || codes[fault.Invalid] != 0 || codes[fault.NotFound] != 0 {
			t.Errorf("%d answers; of each code there are too few: %v", a.Get("_entities.#").Int(), codes)
		}
	}
}
