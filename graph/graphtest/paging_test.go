package graphtest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/audelor/halles/graph/graphtest"
	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

// walk reads a list page by page; between has the number of pages read so far. The document
// takes $n and $after and has the list's connection at path.
func walk(t *testing.T, c graphtest.Client, document, path string, n int, between func(pages int)) []gjson.Result {
	t.Helper()
	var all []gjson.Result
	vars := graphtest.Vars{"n": n, "after": nil}
	for pages := range 100 {
		page := c.Query(t, document, vars).OK(t).Get(path)
		edges := page.Get("edges").Array()
		all = append(all, edges...)
		info := page.Get("pageInfo")
		if info.Get("hasPreviousPage").Bool() != (pages > 0) {
			t.Errorf("page %d: %s", pages, info)
		}
		if len(edges) > n || len(edges) == 0 || info.Get("startCursor").String() != edges[0].Get("cursor").String() ||
			info.Get("endCursor").String() != edges[len(edges)-1].Get("cursor").String() {
			t.Fatalf("page %d: %s", pages, page)
		}
		if !info.Get("hasNextPage").Bool() {
			return all
		}
		if len(edges) != n {
			t.Errorf("page %d of %d is short and not the last", pages, len(edges))
		}
		vars["after"] = info.Get("endCursor").String()
		if between != nil {
			between(pages)
		}
	}
	t.Fatal("the list does not end")
	return nil
}

// truth asks the database for the ids of a list in its order, in one statement of the test's own.
func truth(t *testing.T, d *pgtest.Database, kind tenancy.Kind, sql string) []string {
	t.Helper()
	rows, err := d.Migrate.Query(t.Context(), sql)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for rows.Next() {
		id := tenancy.ID{Kind: kind}
		if err := rows.Scan(&id.Commune, &id.Row); err != nil {
			t.Fatal(err)
		}
		all = append(all, id.String())
	}
	if rows.Err() != nil || len(all) < 8 {
		t.Fatalf("%d rows, %v in %s", len(all), rows.Err(), sql)
	}
	return all
}

// Each list in each order, walked in pages of several sizes, is the whole list: every row once,
// in order, equal names apart by their ids.
func TestPages(t *testing.T) {
	t.Parallel()
	h := graphtest.New(t)
	d := h.Database
	names := []string{"Épicerie", "epicerie", "Œuvrerie", "L'Échoppe", "L’Échoppe", "Zèbre", "Ça mousse", "Même nom", "Même nom", "Même nom"}
	var busy tenancy.ID
	for i := range 36 {
		o := fixture.ShopOpts{Name: names[i%len(names)], Commune: []string{fixture.Lorient, fixture.Groix, fixture.Lanester}[i%3], Category: []string{"librairie", "jouets", "creperie"}[i%3]}
		if i%2 == 0 {
			o.Modes = []directory.FulfilmentMode{directory.Pickup, directory.Delivery}
		}
		if i%9 == 8 {
			o.Status = directory.Draft
		}
		shop := fixture.Shop(t, d, o)
		if i == 0 {
			busy = shop
		}
	}
	for i := range 24 {
		shop := busy
		if i%3 == 0 {
			shop = fixture.Shop(t, d, fixture.ShopOpts{Name: "Même nom", Commune: fixture.Hennebont})
		}
		fixture.Product(t, d, shop, fixture.ProductOpts{Name: names[i%len(names)], Status: []string{"ACTIVE", "ACTIVE", "ACTIVE", "DRAFT"}[i%4]})
	}

	const info = `pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount`
	shops := func(arguments string) string {
		return `query ($n: Int!, $after: String) { shops(first: $n, after: $after` + arguments + `) { ` + info + ` edges { cursor distanceMetres node { id name } } } }`
	}
	const published = `select commune_id, id from shops s where status = 'PUBLISHED' `
	const distance = `distance_metres(47.75, -3.37, latitude, longitude)`
	const near = `, near: {latitude: 47.75, longitude: -3.37}`
	for name, c := range map[string]struct {
		document, path string
		kind           tenancy.Kind
		want           string
	}{
		"ShopsByName":       {shops(``), "shops", tenancy.KindShop, published + `order by name, id`},
		"ShopsOfCommunes":   {shops(`, filter: {communes: ["56121", "56069"]}`), "shops", tenancy.KindShop, published + `and commune_id in ('56121', '56069') order by name, id`},
		"ShopsOfOneCommune": {shops(`, filter: {communes: ["56098"]}`), "shops", tenancy.KindShop, published + `and commune_id = '56098' order by name, id`},
		"ShopsByDistance":   {shops(near), "shops", tenancy.KindShop, published + `order by ` + distance + `, id`},
		"ShopsNearByName":   {shops(near + `, orderBy: NAME`), "shops", tenancy.KindShop, published + `order by name, id`},
		"ShopsNearOfTwo":    {shops(near + `, filter: {communes: ["56121", "56069"]}`), "shops", tenancy.KindShop, published + `and commune_id in ('56121', '56069') order by ` + distance + `, id`},
		"ShopsOfCategory":   {shops(`, filter: {category: "category_culture"}`), "shops", tenancy.KindShop, published + `and category_id in ('librairie', 'jouets') order by name, id`},
		"ShopsThatDeliver": {
			shops(`, filter: {fulfilment: DELIVERY}`), "shops", tenancy.KindShop,
			published + `and exists (select from fulfilments f where (f.commune_id, f.shop_id, f.mode) = (s.commune_id, s.id, 'DELIVERY')) order by name, id`,
		},
		"ShopsFound":      {shops(`, filter: {text: "échop"}`), "shops", tenancy.KindShop, published + `and name in ('L''Échoppe', 'L’Échoppe') order by name, id`},
		"ShopsFoundNear":  {shops(near + `, filter: {text: "meme", communes: ["56121", "56098", "56083"]}`), "shops", tenancy.KindShop, published + `and name = 'Même nom' and commune_id <> '56069' order by ` + distance + `, id`},
		"CommunesShops":   {`query ($n: Int!, $after: String) { commune(insee: "56121") { shops(first: $n, after: $after) { ` + info + ` edges { cursor node { id } } } } }`, "commune.shops", tenancy.KindShop, published + `and commune_id = '56121' order by name, id`},
		"CommunesNearest": {`query ($n: Int!, $after: String) { commune(slug: "groix") { shops(first: $n, after: $after` + near + `) { ` + info + ` edges { cursor node { id } } } } }`, "commune.shops", tenancy.KindShop, published + `and commune_id = '56069' order by ` + distance + `, id`},
		"Products":        {`query ($n: Int!, $after: String) { products(first: $n, after: $after) { ` + info + ` edges { cursor node { id } } } }`, "products", tenancy.KindProduct, `select commune_id, id from products where published order by name, id`},
		"ProductsOfOne":   {`query ($n: Int!, $after: String) { products(first: $n, after: $after, filter: {communes: ["56121", "56083"], category: "category_culture"}) { ` + info + ` edges { cursor node { id } } } }`, "products", tenancy.KindProduct, `select commune_id, id from products where published order by name, id`},
		"ProductsFound":   {`query ($n: Int!, $after: String) { products(first: $n, after: $after, filter: {text: "livre"}) { ` + info + ` edges { cursor node { id } } } }`, "products", tenancy.KindProduct, `select commune_id, id from products where published order by name, id`},
		"ShopsProducts": {
			fmt.Sprintf(`query ($n: Int!, $after: String) { shop(id: "%s") { products(first: $n, after: $after) { `+info+` edges { cursor node { id } } } } }`, busy), "shop.products", tenancy.KindProduct,
			fmt.Sprintf(`select commune_id, id from products where published and shop_id = '%s' order by name, id`, busy.Row),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := truth(t, d, c.kind, c.want)
			for _, n := range []int{4, 7, 100} {
				var got []string
				for _, e := range walk(t, h.Visitor(), c.document, c.path, n, nil) {
					got = append(got, e.Get("node.id").String())
				}
				if !slices.Equal(got, want) {
					t.Errorf("pages of %d give\n%v\nwant\n%v", n, strings.Join(got, "\n"), strings.Join(want, "\n"))
				}
			}
			a := h.Visitor().Query(t, c.document, graphtest.Vars{"n": 1}).OK(t)
			if total := int(a.Get(c.path + ".totalCount").Int()); total != len(want) {
				t.Errorf("totalCount %d, want %d", total, len(want))
			}
		})
	}
}

// A reader between two pages loses nothing and sees nothing twice, whatever is entered or
// withdrawn meanwhile.
func TestPagesWhileRowsAreInserted(t *testing.T) {
	t.Parallel()
	h := graphtest.New(t)
	for i := range 12 {
		fixture.Shop(t, h.Database, fixture.ShopOpts{Name: fmt.Sprintf("Boutique %02d", i*2), Commune: []string{fixture.Lorient, fixture.Groix}[i%2]})
	}
	got := walk(t, h.Visitor(), `query ($n: Int!, $after: String) { shops(first: $n, after: $after) { pageInfo { hasNextPage hasPreviousPage startCursor endCursor } edges { cursor node { id name } } } }`,
		"shops", 3, func(pages int) {
			if pages == 1 { // six of them are read, to Boutique 10
				fixture.Shop(t, h.Database, fixture.ShopOpts{Name: "Boutique 01"})
				fixture.Shop(t, h.Database, fixture.ShopOpts{Name: "Boutique 13"})
				h.Exec(t, `update shops set status = 'SUSPENDED' where name in ('Boutique 04', 'Boutique 16')`)
			}
		})
	var names []string
	for _, e := range got {
		names = append(names, strings.TrimPrefix(e.Get("node.name").String(), "Boutique "))
	}
	if want := "00 02 04 06 08 10 12 13 14 18 20 22"; strings.Join(names, " ") != want {
		t.Errorf("read %v, want %s", names, want)
	}
}

// A cursor opens its own list and no other.
func TestCursorsOfOtherLists(t *testing.T) {
	t.Parallel()
	h := graphtest.New(t)
	var shops []tenancy.ID
	for i := range 3 {
		shops = append(shops, fixture.Shop(t, h.Database, fixture.ShopOpts{Name: "Livres", Commune: []string{fixture.Lorient, fixture.Groix, fixture.Lorient}[i]}))
		for range 2 {
			fixture.Product(t, h.Database, shops[i], fixture.ProductOpts{Name: "Livre"})
		}
	}
	const edges = `) { edges { cursor } } `
	lists := map[string]string{ // document → path
		`{ shops(first: 1` + edges + `}`:                                                         "shops",
		`{ shops(first: 1, filter: {communes: ["56121"]}` + edges + `}`:                          "shops",
		`{ shops(first: 1, filter: {communes: ["56121", "56069"]}` + edges + `}`:                 "shops",
		`{ shops(first: 1, filter: {category: "category_librairie"}` + edges + `}`:               "shops",
		`{ shops(first: 1, filter: {category: "category_culture"}` + edges + `}`:                 "shops",
		`{ shops(first: 1, filter: {fulfilment: PICKUP}` + edges + `}`:                           "shops",
		`{ shops(first: 1, filter: {text: "livres"}` + edges + `}`:                               "shops",
		`{ shops(first: 1, filter: {text: "livre"}` + edges + `}`:                                "shops",
		`{ shops(first: 1, near: {latitude: 47.7, longitude: -3.3}` + edges + `}`:                "shops",
		`{ shops(first: 1, near: {latitude: 47.7, longitude: -3.4}` + edges + `}`:                "shops",
		`{ shops(first: 1, near: {latitude: 47.7, longitude: -3.3}, orderBy: NAME` + edges + `}`: "shops",
		`{ commune(insee: "56121") { shops(first: 1` + edges + `} }`:                             "commune.shops",
		`{ commune(insee: "56069") { shops(first: 1` + edges + `} }`:                             "commune.shops",
		`{ commune(insee: "56121") { shops(first: 1, filter: {text: "livres"}` + edges + `} }`:   "commune.shops",
		`{ products(first: 1` + edges + `}`:                                                      "products",
		`{ products(first: 1, filter: {communes: ["56121"]}` + edges + `}`:                       "products",
		`{ products(first: 1, filter: {text: "livre"}` + edges + `}`:                             "products",
		`{ shop(id: "` + shops[0].String() + `") { products(first: 1` + edges + `} }`:            "shop.products",
		`{ shop(id: "` + shops[2].String() + `") { products(first: 1` + edges + `} }`:            "shop.products",
	}
	cursors := map[string]string{}
	for document, path := range lists {
		if cursors[document] = h.Visitor().Query(t, document, nil).OK(t).Get(path + ".edges.0.cursor").String(); cursors[document] == "" {
			t.Fatalf("no cursor of %s", document)
		}
	}
	later := func(document, cursor string) string {
		return strings.Replace(document, "first: 1", `first: 1, after: "`+cursor+`"`, 1)
	}
	for document, path := range lists {
		for of, cursor := range cursors {
			a := h.Visitor().Query(t, later(document, cursor), nil)
			if of == document {
				a.OK(t)
				continue
			}
			if a.Code() != "INVALID" || !slices.Equal(a.Errors[0].Extensions.Argument, []string{"after"}) {
				t.Errorf("a cursor of\n  %s\nin\n  %s\ngives %s", of, document, a.Body)
			}
		}
		forged := []byte(cursors[document])
		forged[len(forged)-3] ^= 1
		for _, cursor := range []string{string(forged), "", "AAAA", strings.Repeat("A", 10_000), "é", "shop_56121"} {
			a := h.Visitor().Query(t, later(document, cursor), nil)
			if a.Code() != "INVALID" || fmt.Sprint(a.Errors[0].Path) != "["+strings.ReplaceAll(path, ".", " ")+"]" {
				t.Errorf("the cursor %.20q in %s gives %s", cursor, document, a.Body)
			}
		}
	}
	// Two spellings of one list share its cursors.
	for _, same := range [][2]string{
		{`{ shops(first: 1, filter: {communes: ["56121", "56069"]}` + edges + `}`, `{ shops(first: 1, orderBy: NAME, filter: {communes: ["56069", "56121"]}` + edges + `}`},
		{`{ shops(first: 1` + edges + `}`, `{ shops(first: 1, filter: {}` + edges + `}`},
		{`{ shops(first: 1, near: {latitude: 0.0, longitude: -0.0}` + edges + `}`, `{ shops(first: 1, orderBy: DISTANCE, near: {latitude: -0.0, longitude: 0}` + edges + `}`},
		{`{ products(first: 1` + edges + `}`, `{ products(first: 1, filter: {communes: null}` + edges + `}`},
	} {
		cursor := h.Visitor().Query(t, same[0], nil).OK(t).Get("*.edges.0.cursor").String()
		h.Visitor().Query(t, later(same[1], cursor), nil).OK(t)
	}

	// Of many parents asked at once, the cursor's own answers and the others refuse.
	own := h.Visitor().Query(t, `{ shops(first: 3) { nodes { id products(first: 1) { pageInfo { endCursor } } } } }`, nil).OK(t)
	cursor := own.Get("shops.nodes.1.products.pageInfo.endCursor").String()
	a := h.Visitor().Query(t, `query ($ids: [ID!]!, $after: String!) { nodes(ids: $ids) { ... on Shop { products(first: 1, after: $after) { nodes { name } } } } }`,
		graphtest.Vars{"ids": own.Texts("shops.nodes.#.id"), "after": cursor})
	if len(a.Errors) != 2 || a.Get("nodes.1.products.nodes.#").Int() != 1 || a.Get("nodes.0").Exists() && a.Get("nodes.0").Type != gjson.Null {
		t.Errorf("the cursor of one shop's list over three: %s", a.Body)
	}
}
