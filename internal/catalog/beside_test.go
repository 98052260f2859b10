package catalog_test

import (
	"reflect"
	"testing"

	"github.com/audelor/halles/internal/catalog"
	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

// What a search reads beside its page is what everybody's look-ups find, row for row; for who has rights
// of its own it reads nothing.
func TestSearchReadsBeside(t *testing.T) {
	t.Parallel()
	b := setup(t)
	groix := fixture.Shop(t, b.Database, fixture.ShopOpts{Commune: fixture.Groix, Name: "Papeterie du Bourg", Category: "papeterie"})
	b.named(t, b.shop, "Classeur", "Pour un buvard", 3)
	b.named(t, groix, "Buvard rose", "", 2)
	b.named(t, groix, "Encrier", "Sans buvard", 2)
	shops := (&directory.Directory{DB: b.Database.DB}).Cards()
	visitor := fixture.Viewer(t, b.Database, identity.Visitor)
	for name, c := range map[string]struct {
		q               catalog.SearchQuery
		first           int
		products, shops int
	}{
		"PageOfNames":   {catalog.SearchQuery{Text: "buvard", Cards: true}, 1, 1, 1},
		"AndElsewhere":  {catalog.SearchQuery{Text: "buvard", Cards: true}, 20, 7, 2},
		"ShopToo":       {catalog.SearchQuery{Text: "papeterie", Cards: true}, 20, 7, 2},
		"NoCards":       {catalog.SearchQuery{Text: "buvard"}, 20, 7, 0},
		"NotAllOfWords": {catalog.SearchQuery{Text: "buvard turquoise", Cards: true}, 20, 7, 2},
		"Names":         {catalog.SearchQuery{Text: "buvard", Names: true}, 1, 1, 1},
		"AllNames":      {catalog.SearchQuery{Text: "papeterie", Names: true}, 20, 7, 2},
	} {
		con, err := b.Search(t.Context(), visitor, c.q, c.first, nil)
		if err != nil {
			t.Fatal(err)
		}
		var ids, of []tenancy.ID
		for _, p := range con.Products {
			ids = append(ids, p.ID())
		}
		for _, s := range con.Shops {
			of = append(of, s.ID())
		}
		if len(ids) != c.products || len(of) != c.shops {
			t.Errorf("%s: read %d products and %d shops beside %d entries, want %d and %d", name, len(ids), len(of), len(con.Edges), c.products, c.shops)
		}
		products, err := b.ProductsByIDs(t.Context(), visitor, ids)
		if err != nil {
			t.Fatal(err)
		}
		cards, err := shops.ByIDs(t.Context(), visitor, of)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range con.Products {
			want := products[p.ID()]
			if c.q.Names {
				want = &catalog.Product{CommuneID: want.CommuneID, Row: want.Row, ShopRow: want.ShopRow, Slug: want.Slug, Name: want.Name}
			}
			if !reflect.DeepEqual(p, want) {
				t.Errorf("%s: read\n%+v, want\n%+v", name, p, want)
			}
		}
		for _, s := range con.Shops {
			want := cards[s.ID()]
			if c.q.Names {
				want = &directory.Shop{CommuneID: want.CommuneID, Row: want.Row, Slug: want.Slug, Name: want.Name}
			}
			if !reflect.DeepEqual(s, want) {
				t.Errorf("%s: read\n%+v, want\n%+v", name, s, want)
			}
		}
		con, err = b.Search(t.Context(), b.merchant, c.q, c.first, nil)
		if err != nil || len(con.Edges) == 0 || con.Products != nil || con.Shops != nil {
			t.Errorf("%s: a merchant's search finds %d and reads %v %v, %v", name, len(con.Edges), con.Products, con.Shops, err)
		}
	}
}

// A text's words are put into those of the index here as Postgres does.
func TestLocal(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, text := range []string{"pain", "pain perdu", "frigo", "l'échoppe d'à côté", `o'brien \ 'quoted' ''twice'' \'`, "a&b|c:*!(d)", "http://exemple.fr/l'été?a=b'c", "le la les", "", "vélo-cargo à louer", "10,50 €"} {
		for _, places := range [][]string{{""}, {"56121"}, {"56121", "56069", "56098"}} {
			for _, way := range []string{"search_meant($2)", "search_query(search_typed($2))", "(select websearch_to_tsquery('simple', $2) || 'l''été:A <-> x'::tsquery)"} {
				var query, all, names string
				if err := b.Database.DB.Pool(pg.Public).QueryRow(t.Context(), `
					with q as (select `+way+` as meant) select meant::text, search_in($1::text[], meant)::text, search_named($1::text[], meant)::text from q`,
					places, text).Scan(&query, &all, &names); err != nil {
					t.Fatal(err)
				}
				// As Postgres writes them: brackets that nothing needs are left out.
				same := `select ($1::text::tsquery)::text`
				if got := pgtest.Scan[string](t, b.Database, same, catalog.Local(places, query, '/')); got != all {
					t.Errorf("%q in %v: %s, want %s", text, places, got, all)
				}
				if got := pgtest.Scan[string](t, b.Database, same, catalog.Local(places, query, '+')); got != names {
					t.Errorf("%q named in %v: %s, want %s", text, places, got, names)
				}
			}
		}
	}
}

// A page of names is planned once for a connection, whatever the text and communes, though nothing tells
// Postgres to: to plan it takes as long as to read it. A text written into the statement would have each
// planned anew; with so few rows Postgres keeps one plan whatever it reckons of an argument.
func TestSearchIsPlannedOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.named(t, b.shop, "Buvard rose", "", 30)
	o := b.Options
	o.URL += "&pool_max_conns=1" // it has a socket's folder already
	db, err := pg.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	cat := catalog.New(db, b.Communes, b.Cursors)
	v := fixture.Viewer(t, b.Database, identity.Visitor)
	for i := range 20 {
		q := catalog.SearchQuery{Text: []string{"buvard", "rose", "buvards roses"}[i%3], Cards: true, Filter: &catalog.SearchFilter{Communes: []string{fixture.Lorient, fixture.Groix}[:1+i%2]}}
		if con, err := cat.Search(t.Context(), v, q, 5+i%2, nil); err != nil || len(con.Edges) < 5 {
			t.Fatalf("%v: %d", err, len(con.Edges))
		}
	}
	var each, once int
	if err := db.Pool(pg.Public).QueryRow(t.Context(), `
		select sum(custom_plans), sum(generic_plans) from pg_prepared_statements where statement like '%search_score%'`).Scan(&each, &once); err != nil || each > 5 || once < 15 {
		t.Errorf("planned anew %d times, and once for %d; %v", each, once, err)
	}
}
