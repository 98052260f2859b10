package graphtest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/audelor/halles/graph/graphtest"
	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

// stock makes n shops over four communes, each with products of two variants, in few statements.
func stock(t testing.TB, d *pgtest.Database, n, products int) {
	t.Helper()
	d.Exec(t, `
		insert into shops (commune_id, id, slug, name, category_id, naf_code, naf_version, siret, status, street, postcode, city, latitude, longitude, created_at, updated_at)
		select c.insee, gen_random_uuid(), 's' || i, 'Boutique ' || lpad(i::text, 4, '0'), (array['librairie', 'creperie', 'velo'])[1 + i % 3], '47.61Z', 'REV2', '9' || lpad(i::text, 13, '0'), 'PUBLISHED',
			'rue', c.postcodes[1], c.name, c.latitude + i / 10000.0, c.longitude, now(), now()
		from generate_series(1, $1) i join communes c on c.insee = (array['56121', '56098', '56069', '56083'])[1 + i % 4]`, n)
	d.Exec(t, `insert into opening_hours (commune_id, shop_id, weekday, opens, closes) select commune_id, id, w, 540, 1080 from shops, generate_series(1, 6) w`)
	d.Exec(t, `insert into fulfilments (commune_id, shop_id, mode, lead_minutes) select commune_id, id, 'PICKUP', 60 from shops`)
	d.Exec(t, `
		insert into products (commune_id, id, shop_id, slug, name, category_id, status, published, created_at, updated_at)
		select s.commune_id, gen_random_uuid(), s.id, 'p' || j, 'Produit ' || lpad(j::text, 3, '0') || ' de ' || s.name, (array['librairie', 'papeterie'])[1 + j % 2], 'ACTIVE', true, now(), now()
		from shops s, generate_series(1, $1) j`, products)
	d.Exec(t, `
		insert into variants (commune_id, id, product_id, shop_id, position, sku, option_name, option_value, price_cents, vat_rate, stock, published)
		select commune_id, gen_random_uuid(), id, shop_id, k, slug || '-' || k, 'Taille', k::text, 1000, 550, 7, true from products, generate_series(0, 1) k`)
}

// ids lists the ids of a kind, as the API writes them.
func ids(t testing.TB, d *pgtest.Database, kind tenancy.Kind, limit int) []tenancy.ID {
	t.Helper()
	rows, err := d.Migrate.Query(t.Context(), fmt.Sprintf("select commune_id, id from %ss order by id limit %d", kind, limit))
	if err != nil {
		t.Fatal(err)
	}
	var all []tenancy.ID
	for rows.Next() {
		id := tenancy.ID{Kind: kind}
		if err := rows.Scan(&id.Commune, &id.Row); err != nil {
			t.Fatal(err)
		}
		all = append(all, id)
	}
	return all
}

// A list costs as many statements whether it has five elements or all: each list field of the
// schema, with the relations of its elements.
func TestStatements(t *testing.T) {
	t.Parallel()
	h := graphtest.New(t)
	h.Resolver.Wait = 2 * graphtest.Gathers
	stock(t, h.Database, 100, 12)
	for _, commune := range []string{"56121", "56098", "56069", "56083"} {
		h.Exec(t, `insert into restrictions (commune_id, id, rank, title, starts_at, naf_version, visitors, square_metres, pickup, delivery, declared_as, declared_at)
			values ($1, '0175cd00-0000-7000-8000-000000000000', 'NATIONAL', 'Décret', now() - interval '1 d', 'REV2', true, 8, true, true, 'ADMIN', now())`, commune)
	}
	shops := ids(t, h.Database, tenancy.KindShop, 100)
	products := ids(t, h.Database, tenancy.KindProduct, 2)
	admin := fixture.Viewer(t, h.Database, identity.Admin)
	merchant := fixture.Viewer(t, h.Database, identity.Merchant, shops...)
	// What is read once a minute is read before.
	h.Visitor().Query(t, `{ communes { id } categories { id } }`, nil).OK(t)

	mixed := func(n int) []string {
		var list []string
		for i := range n / 5 {
			for _, kind := range []tenancy.Kind{tenancy.KindShop, tenancy.KindProduct, tenancy.KindVariant} {
				list = append(list, ids(t, h.Database, kind, n)[i].String())
			}
			list = append(list, "commune_56121", "category_velo")
		}
		return list
	}
	representations := func(n int) []any {
		var list []any
		for _, id := range mixed(n) {
			kind, rest, _ := strings.Cut(id, "_")
			rep := map[string]any{"__typename": strings.ToUpper(kind[:1]) + kind[1:], "id": id}
			if kind == "commune" {
				rep = map[string]any{"__typename": "Commune", "insee": rest}
			}
			list = append(list, rep)
		}
		return list
	}
	first := func(n int) graphtest.Vars { return graphtest.Vars{"n": n} }
	const shop = `{ id name commune { id name } category { id name parent { name } } }`
	for name, c := range map[string]struct {
		client    graphtest.Client
		document  string
		few, many graphtest.Vars
		max       int // statements
		count     string
		want      int // elements with many
	}{
		"TheStorefront": {
			h.Visitor(), `query ($n: Int!) { shops(first: $n) { nodes { name commune { name } category { name }
			products(first: 10) { nodes { name category { name } variants { sku price { cents } availability { orderable } } } } } } }`,
			first(20), first(100), 6, "shops.nodes.#.products.nodes.#.variants.#.sku|@flatten|@flatten", 2000,
		},
		"Shops":         {h.Visitor(), `query ($n: Int!) { shops(first: $n) { totalCount edges { cursor node ` + shop + ` } } }`, first(5), first(100), 2, "shops.edges", 100},
		"ShopsNear":     {h.Visitor(), `query ($n: Int!) { shops(first: $n, near: {latitude: 47.7, longitude: -3.3}) { edges { distanceMetres node ` + shop + ` } } }`, first(5), first(100), 1, "shops.edges", 100},
		"CommunesShops": {h.Visitor(), `query ($n: Int!) { communes { name shops(first: $n) { totalCount nodes ` + shop + ` } } }`, first(1), first(25), 2, "communes.#.shops.nodes|@flatten", 100},
		"Products":      {h.Visitor(), `query ($n: Int!) { products(first: $n) { totalCount nodes { name category { name } shop ` + shop + ` } } }`, first(5), first(100), 3, "products.nodes", 100},
		"ShopsProducts": {h.Visitor(), `query ($n: Int!) { shops(first: $n) { nodes { products(first: 3) { totalCount nodes { name } } } } }`, first(5), first(100), 3, "shops.nodes.#.products.nodes|@flatten", 300},
		"ProductsByID": { // with all around them, in one; the categories and communes are known
			h.Visitor(), `query ($a: ID!, $b: ID!) { a: product(id: $a) { ...P } b: product(id: $b) { ...P } }
			fragment P on Product { name category { name } shop { name commune { name } } variants { sku price { cents } } priceRange { min { cents } } }`,
			graphtest.Vars{"a": products[0].String(), "b": products[0].String()},
			graphtest.Vars{"a": products[0].String(), "b": products[1].String()},
			1, "[a.variants,b.variants]|@flatten", 4,
		},
		"Variants":     {h.Visitor(), `query ($n: Int!) { products(first: $n) { nodes { variants { sku } priceRange { min { cents } } availability { orderable } } } }`, first(5), first(100), 2, "products.nodes.#.variants|@flatten", 200},
		"VariantsBack": {h.Visitor(), `query ($n: Int!) { products(first: $n) { nodes { variants { product { name shop { name } } } } } }`, first(5), first(100), 4, "products.nodes.#.variants|@flatten", 200},
		"Stock":        {h.As(admin), `query ($n: Int!) { products(first: $n) { nodes { variants { stock } } } }`, first(5), first(100), 3, "products.nodes.#.variants.#.stock|@flatten", 200},
		"OpeningHours": {h.Visitor(), `query ($n: Int!) { shops(first: $n) { nodes { openingHours { weekly { weekday opens closes } } } } }`, first(5), first(100), 2, "shops.nodes.#.openingHours.weekly|@flatten", 600},
		"Calendars": {
			h.Visitor(), `query ($n: Int!) { shops(first: $n) { nodes { openNow nextOpening { start } service(mode: PICKUP) { open text refusal { code restriction { title } } }
			regime { modes density because { restriction { title communes } } } closures { from } openingHours { weekly { opens } osm schemaOrg exceptions { first } } } } }`,
			first(20), first(100), 6, "shops.nodes.#.openNow", 100, // shops, calendars, hours, closures, restrictions, their communes
		},
		"Slots":                {h.Visitor(), `query ($n: Int!) { shops(first: $n) { nodes { slots(mode: PICKUP, first: 100) { start refusal { code } } } } }`, first(5), first(50), 2, "shops.nodes.#.slots", 50},
		"OpenNow":              {h.Visitor(), `query ($n: Int!) { shops(first: $n, filter: {openNow: false, fulfilment: PICKUP}) { totalCount nodes { name } } }`, first(5), first(100), 2, "shops.nodes", 100},
		"CommunesRestrictions": {h.Visitor(), `{ communes { restrictions { title rank } } }`, nil, nil, 1, "communes.#.restrictions|@flatten", 4},
		"Fulfilments":          {h.Visitor(), `query ($n: Int!) { shops(first: $n) { nodes { fulfilments { mode minimum { formatted } } } } }`, first(5), first(100), 2, "shops.nodes.#.fulfilments|@flatten", 100},
		"ViewersShops":         {h.As(merchant), `{ viewer { shops ` + shop + ` } }`, nil, nil, 1, "viewer.shops", 100},
		"ViewersCommune":       {h.As(admin), `{ viewer { communes { name shops(first: 4) { nodes { name } } } } }`, nil, nil, 1, "viewer.communes", 25},
		"Categories":           {h.Visitor(), `{ categories { name children { name parent { name } children { name } } } }`, nil, nil, 0, "categories", 7},
		"Nodes": {
			h.Visitor(), `query ($ids: [ID!]!) { nodes(ids: $ids) { __typename ... on Shop { commune { name } } ... on Product { shop { name } } ... on Variant { product { shop { name } } } } }`,
			graphtest.Vars{"ids": mixed(5)},
			graphtest.Vars{"ids": mixed(100)},
			6, "nodes", 100,
		},
		"Entities": {
			h.Visitor().Router(), `query ($r: [_Any!]!) { _entities(representations: $r) { __typename ... on Shop { name } ... on Product { shop { name } } ... on Variant { product { shop { name } } } } }`,
			graphtest.Vars{"r": representations(5)},
			graphtest.Vars{"r": representations(100)},
			6, "_entities", 100,
		},
	} {
		// One after the other: the statements of all are counted together.
		t.Run(name, func(t *testing.T) {
			var cost [2]int
			var a *graphtest.Answer
			for i, vars := range []graphtest.Vars{c.few, c.many} {
				// A machine under load may start the siblings of a list too late for their batch:
				// the least of some tries is what the document costs.
				for try := range 6 {
					sent := h.Statements()
					a = c.client.Query(t, c.document, vars).OK(t)
					if n := sent(); try == 0 || n < cost[i] {
						cost[i] = n
					}
					if cost[i] <= c.max {
						break
					}
				}
			}
			if n := len(a.Get(c.count).Array()); n != c.want {
				t.Errorf("%d elements, want %d", n, c.want)
			}
			if cost[0] > c.max || cost[1] > c.max {
				t.Errorf("%d statements for few and %d for many, want at most %d", cost[0], cost[1], c.max)
			}
		})
	}
}

// What comes from loaders reaches its own parent, whatever order the rows came in.
func TestEachParentGetsItsOwn(t *testing.T) {
	t.Parallel()
	h := graphtest.New(t)
	stock(t, h.Database, 40, 5)
	hidden := fixture.Shop(t, h.Database, fixture.ShopOpts{Status: directory.Draft})
	a := h.Visitor().Query(t, `{ shops(first: 100, orderBy: DISTANCE, near: {latitude: 47.9, longitude: -3.1}) { nodes { name slug
		products(first: 9) { nodes { name shop { name } variants { sku product { name shop { slug } } } } } } } }`, nil).OK(t)
	seen := 0
	for _, shop := range a.Get("shops.nodes").Array() {
		for i, p := range shop.Get("products.nodes").Array() {
			want := fmt.Sprintf("Produit %03d de %s", i+1, shop.Get("name"))
			if p.Get("name").String() != want || p.Get("shop.name").String() != shop.Get("name").String() {
				t.Errorf("%s has %s", shop.Get("name"), p)
			}
			for k, v := range p.Get("variants").Array() {
				seen++
				if v.Get("sku").String() != fmt.Sprintf("p%d-%d", i+1, k) || v.Get("product.name").String() != want || v.Get("product.shop.slug").String() != shop.Get("slug").String() {
					t.Errorf("%s has %s", want, v)
				}
			}
		}
	}
	if seen != 40*5*2 {
		t.Errorf("%d variants, want 400", seen)
	}

	// Asked in any order, with some that are not there: each in its place.
	list := ids(t, h.Database, tenancy.KindProduct, 30)
	var asked []string
	for i, id := range list {
		if i%3 == 0 {
			asked = append(asked, hidden.String(), "shop_56121_00000000000000000000000000")
		}
		asked = append(asked, id.String())
	}
	a = h.Visitor().Query(t, `query ($ids: [ID!]!) { nodes(ids: $ids) { id } }`, graphtest.Vars{"ids": asked})
	missing := map[string]bool{}
	for _, e := range a.Errors {
		if e.Extensions.Code != "NOT_FOUND" {
			t.Errorf("error %+v", e)
		}
		missing[fmt.Sprint(e.Path)] = true
	}
	for i, id := range asked {
		switch got := a.Get(fmt.Sprintf("nodes.%d.id", i)).String(); {
		case strings.HasPrefix(id, "shop_"):
			if got != "" || !missing[fmt.Sprintf("[nodes %d]", i)] {
				t.Errorf("nodes %d: %q, errors %v", i, got, missing)
			}
		case got != id:
			t.Errorf("nodes %d is %s, want %s", i, got, id)
		}
	}
}
