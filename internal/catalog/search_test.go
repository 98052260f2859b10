package catalog_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/audelor/halles/internal/catalog"
	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

// search lists what a search finds, by name, page by page.
func (b *bench) search(t testing.TB, q catalog.SearchQuery, first int) (names []string, last *catalog.SearchConnection) {
	t.Helper()
	v := fixture.Viewer(t, b.Database, identity.Visitor)
	var after *string
	for {
		con, err := b.Search(t.Context(), v, q, first, after)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range con.Edges {
			table := map[tenancy.Kind]string{tenancy.KindShop: "shops", tenancy.KindProduct: "products"}[e.ID.Kind]
			names = append(names, pgtest.Scan[string](t, b.Database, `select name from `+table+` where commune_id = $1 and id = $2`, e.ID.Commune, e.ID.Row))
		}
		if after = con.PageInfo().EndCursor; !con.PageInfo().HasNextPage {
			return names, con
		}
	}
}

func TestSearch(t *testing.T) {
	t.Parallel()
	b := setup(t)
	groix := fixture.Shop(t, b.Database, fixture.ShopOpts{Commune: fixture.Groix, Name: "Boulangerie du Bourg", Category: "boulangerie", Modes: []directory.FulfilmentMode{directory.Delivery}})
	b.create(t, b.book("Le pain perdu, recettes"))
	b.create(t, b.book("Histoire du pays de Lorient"))
	fixture.Product(t, b.Database, groix, fixture.ProductOpts{Name: "Pain de seigle", Category: "boulangerie"})
	fixture.Product(t, b.Database, groix, fixture.ProductOpts{Name: "Pain caché", Category: "boulangerie", Status: "DRAFT"})
	for name, c := range map[string]struct {
		q         catalog.SearchQuery
		want      []string
		corrected string
	}{
		"NameBeforeTrade":     {catalog.SearchQuery{Text: "pain"}, []string{"Pain de seigle", "Le pain perdu, recettes"}, ""},
		"Thesaurus":           {catalog.SearchQuery{Text: "boulanger"}, []string{"Boulangerie du Bourg", "Pain de seigle"}, ""},
		"OneCommune":          {catalog.SearchQuery{Text: "pains", Filter: &catalog.SearchFilter{Communes: []string{fixture.Lorient}}}, []string{"Le pain perdu, recettes"}, ""},
		"NoCommune":           {catalog.SearchQuery{Text: "pain", Filter: &catalog.SearchFilter{Communes: []string{}}}, nil, ""},
		"Category":            {catalog.SearchQuery{Text: "pain", Filter: &catalog.SearchFilter{Category: p(catalog.CategoryID("alimentation"))}}, []string{"Pain de seigle"}, ""},
		"Mode":                {catalog.SearchQuery{Text: "pain", Filter: &catalog.SearchFilter{Fulfilment: p(directory.Pickup)}}, []string{"Le pain perdu, recettes"}, ""},
		"Kind":                {catalog.SearchQuery{Text: "boulangerie", Filter: &catalog.SearchFilter{Kind: p(catalog.Shops)}}, []string{"Boulangerie du Bourg"}, ""},
		"Unfinished":          {catalog.SearchQuery{Text: "lori"}, []string{"Histoire du pays de Lorient"}, ""},
		"Misspelt":            {catalog.SearchQuery{Text: "pian de siegle"}, []string{"Pain de seigle"}, "pain de seigle"},
		"NotAll":              {catalog.SearchQuery{Text: "seigle quantique"}, []string{"Pain de seigle"}, ""},
		"Withheld":            {catalog.SearchQuery{Text: "caché"}, nil, ""},
		"StopWordsOnly":       {catalog.SearchQuery{Text: "de la"}, nil, ""},
		"Nothing":             {catalog.SearchQuery{Text: "xylophone"}, nil, ""},
		"SignsOnly":           {catalog.SearchQuery{Text: "' | & ! ( :* \\"}, nil, ""},
		"TypographicalQuotes": {catalog.SearchQuery{Text: "d’histoire"}, []string{"Histoire du pays de Lorient"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, con := b.search(t, c.q, 1)
			if !slices.Equal(got, c.want) {
				t.Errorf("found %q, want %q", got, c.want)
			}
			if corrected := con.Corrected; (corrected == nil) != (c.corrected == "") || corrected != nil && *corrected != c.corrected {
				t.Errorf("corrected to %v, want %q", corrected, c.corrected)
			}
			if n, err := con.TotalCount(t.Context()); err != nil || n != len(c.want) {
				t.Errorf("%d are counted (%v), %d found", n, err, len(c.want))
			}
		})
	}
	lorient, near := tenancy.Point{Latitude: 47.748, Longitude: -3.372}, catalog.SearchQuery{Text: "pain"}
	near.Near = &lorient
	got, con := b.search(t, near, 10)
	if got[0] != "Le pain perdu, recettes" || *con.Edges[0].DistanceMetres > 100 || *con.Edges[1].DistanceMetres < 10_000 {
		t.Errorf("from Lorient: %q %+v", got, con.Edges)
	}
}

// A facet's count is what choosing it would give.
func TestFacets(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for i, commune := range []string{fixture.Lorient, fixture.Lorient, fixture.Groix, fixture.Hennebont} {
		modes := []directory.FulfilmentMode{directory.Pickup}
		if i%2 == 0 {
			modes = append(modes, directory.Delivery)
		}
		shop := fixture.Shop(t, b.Database, fixture.ShopOpts{Commune: commune, Modes: modes})
		for j, category := range []string{"librairie", "papeterie", "papeterie"} {
			fixture.Product(t, b.Database, shop, fixture.ProductOpts{Name: fmt.Sprintf("Carnet %d", j), Category: category})
		}
	}
	v := fixture.Viewer(t, b.Database, identity.Visitor)
	count := func(f catalog.SearchFilter) int {
		t.Helper()
		names, _ := b.search(t, catalog.SearchQuery{Text: "carnet", Filter: &f}, 100)
		return len(names)
	}
	for _, base := range []catalog.SearchFilter{
		{},
		{Communes: []string{fixture.Lorient}},
		{Category: p(catalog.CategoryID("papeterie"))},
		{Fulfilment: p(directory.Delivery)},
		{Communes: []string{fixture.Groix, fixture.Lorient}, Category: p(catalog.CategoryID("librairie")), Fulfilment: p(directory.Delivery)},
	} {
		con, err := b.Search(t.Context(), v, catalog.SearchQuery{Text: "carnet", Filter: &base}, 1, nil)
		if err != nil {
			t.Fatal(err)
		}
		f, err := con.Facets(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if n, _ := con.TotalCount(t.Context()); n != count(base) {
			t.Errorf("%+v: %d in all, found %d", base, n, count(base))
		}
		for _, c := range f.Communes {
			other := base
			if other.Communes = []string{c.Insee}; count(other) != c.Count {
				t.Errorf("%+v: commune %s has %d, choosing it gives %d", base, c.Insee, c.Count, count(other))
			}
		}
		for _, c := range f.Categories {
			other := base
			if other.Category = p(catalog.CategoryID(c.Slug)); count(other) != c.Count {
				t.Errorf("%+v: category %s has %d, choosing it gives %d", base, c.Slug, c.Count, count(other))
			}
		}
		for _, m := range f.Modes {
			other := base
			if other.Fulfilment = &m.Mode; count(other) != m.Count {
				t.Errorf("%+v: mode %s has %d, choosing it gives %d", base, m.Mode, m.Count, count(other))
			}
		}
		if len(f.Communes) == 0 || len(f.Categories) == 0 || len(f.Modes) != 2 {
			t.Errorf("%+v: %d communes, %d categories, %d modes", base, len(f.Communes), len(f.Categories), len(f.Modes))
		}
	}
}

// What is open is told by the spans that the calendar wrote, to the second.
func TestSearchOpenNow(t *testing.T) {
	t.Parallel()
	b := setup(t)
	noon := time.Date(2030, 6, 3, 10, 0, 0, 0, time.UTC)
	b.Now = func() time.Time { return noon }
	for i, span := range [][2]time.Duration{{-time.Hour, time.Hour}, {-time.Hour, 0}, {0, time.Hour}, {time.Second, time.Hour}} {
		shop := fixture.Shop(t, b.Database, fixture.ShopOpts{Commune: fixture.Groix})
		fixture.Product(t, b.Database, shop, fixture.ProductOpts{Name: fmt.Sprintf("Carnet %d", i)})
		b.Exec(t, `delete from opening_spans where shop_id = $1`, shop.Row)
		b.Exec(t, `insert into opening_spans (commune_id, shop_id, mode, starts_at, ends_at, published) values ($1, $2, 'VISIT', $3, $4, true)`,
			shop.Commune, shop.Row, noon.Add(span[0]), noon.Add(span[1]))
	}
	for open, want := range map[bool][]string{true: {"Carnet 0", "Carnet 2"}, false: {"Carnet 1", "Carnet 3"}} {
		got, con := b.search(t, catalog.SearchQuery{Text: "carnet", Filter: &catalog.SearchFilter{OpenNow: &open}}, 1)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("open %t: %q, want %q", open, got, want)
		}
		f, err := con.Facets(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if n, err := f.OpenNow(t.Context()); err != nil || n != 2 {
			t.Errorf("%d are open (%v), want 2", n, err)
		}
	}
}

// Page after page brings each result once, in one order; three hundred deep it ends with a word why.
func TestSearchPages(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Exec(t, `insert into products (commune_id, id, shop_id, slug, name, description, category_id, status, published, created_at, updated_at)
		select $1, gen_random_uuid(), $2, 'p' || i, 'Carnet ' || repeat('bleu ', i % 4) || i, case when i <= 300 then 'De papier vergé' else '' end, 'papeterie', 'ACTIVE', true, now(), now()
		from generate_series(1, 600) i`, b.shop.Commune, b.shop.Row)
	v := fixture.Viewer(t, b.Database, identity.Visitor)
	q := catalog.SearchQuery{Text: "carnet"}
	seen := map[tenancy.ID]bool{}
	var after *string
	for page := range 4 {
		con, err := b.Search(t.Context(), v, q, 100, after)
		if page == 3 {
			if !errors.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "300 résultats") {
				t.Errorf("past three hundred: %v", err)
			}
			break
		}
		if err != nil || len(con.Edges) != 100 {
			t.Fatal(page, err)
		}
		score := con.Edges[0].Score
		for _, e := range con.Edges {
			if seen[e.ID] || e.Score > score {
				t.Fatalf("page %d: %s is there twice, or out of order", page, e.ID)
			}
			seen[e.ID], score = true, e.Score
		}
		after = con.PageInfo().EndCursor
	}
	// In a commune, and of what is in no name: the sample and the rest of it are one list.
	clear(seen)
	inOne := catalog.SearchQuery{Text: "vergé", Filter: &catalog.SearchFilter{Communes: []string{b.shop.Commune}}}
	after = nil
	for more := true; more; {
		con, err := b.Search(t.Context(), v, inOne, 70, after)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range con.Edges {
			if seen[e.ID] {
				t.Fatalf("%s is there twice", e.ID)
			}
			seen[e.ID] = true
		}
		after, more = con.PageInfo().EndCursor, con.PageInfo().HasNextPage
	}
	if len(seen) != 300 {
		t.Errorf("%d of 300 are found", len(seen))
	}
	// What has the word in its name comes before all that has it elsewhere, and no page loses or repeats
	// any, wherever it ends.
	b.named(t, b.shop, "Vergé", "", 24)
	for _, first := range []int{1, 10, 24, 25} {
		clear(seen)
		after = nil
		for n := 0; n < 60; {
			con, err := b.Search(t.Context(), v, inOne, first, after)
			if err != nil || len(con.Edges) != first {
				t.Fatalf("%d at a time: %d, %v", first, len(con.Edges), err)
			}
			for _, e := range con.Edges {
				name := pgtest.Scan[string](t, b.Database, `select name from products where commune_id = $1 and id = $2`, e.ID.Commune, e.ID.Row)
				if n++; seen[e.ID] || (name == "Vergé") != (n <= 24) {
					t.Fatalf("%d at a time: %s is the %d., there before: %t", first, name, n, seen[e.ID])
				}
				seen[e.ID] = true
			}
			after = con.PageInfo().EndCursor
		}
	}
	con, err := b.Search(t.Context(), v, q, 100, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, other := range map[string]catalog.SearchQuery{"AnotherText": {Text: "bleu"}, "AnotherFilter": {Text: "carnet", Filter: &catalog.SearchFilter{Communes: []string{fixture.Groix}}}} {
		if _, err := b.Search(t.Context(), v, other, 100, con.PageInfo().EndCursor); !errors.Is(err, fault.Invalid) {
			t.Errorf("%s takes the cursor: %v", name, err)
		}
	}
}

// The index follows what happens to shops and products, whoever does it.
func TestSearchFollows(t *testing.T) {
	t.Parallel()
	b := setup(t)
	shop := fixture.Shop(t, b.Database, fixture.ShopOpts{Name: "Chez Nolwenn", Status: directory.Draft})
	fixture.Product(t, b.Database, shop, fixture.ProductOpts{Name: "Marque-page"})
	want := func(step, text string, n int) {
		t.Helper()
		if got, _ := b.search(t, catalog.SearchQuery{Text: text}, 100); len(got) != n {
			t.Errorf("%s: %q finds %q, want %d", step, text, got, n)
		}
		if n := pgtest.Scan[int](t, b.Database, `select count(*) from catalog_search w
			join shops s on s.commune_id = w.commune_id and s.id = w.shop_id left join products p on p.commune_id = w.commune_id and p.id = w.id
			where (w.name, w.slug, w.shop_name, w.shop_slug) is distinct from (coalesce(p.name, s.name), coalesce(p.slug, s.slug), s.name, s.slug)`); n > 0 {
			t.Errorf("%s: %d entries have other names than what they lead to", step, n)
		}
	}
	want("a draft", "Nolwenn", 0)
	b.Exec(t, `update shops set status = 'PUBLISHED' where id = $1`, shop.Row)
	want("published", "Nolwenn", 2)
	b.Exec(t, `update shops set name = 'Chez Gwenola', latitude = 47.9 where id = $1`, shop.Row)
	want("renamed", "Nolwenn", 0)
	want("renamed", "Gwenola", 2)
	b.Exec(t, `update shops set slug = 'gwenola' where id = $1`, shop.Row)
	want("at another address", "Gwenola", 2)
	b.Exec(t, `update products set name = 'Buvard', slug = 'buvard' where shop_id = $1`, shop.Row)
	want("another name", "buvard", 1)
	b.Exec(t, `update products set slug = 'buvards' where shop_id = $1`, shop.Row)
	want("another address", "buvard", 1)
	if n := pgtest.Scan[int](t, b.Database, `select count(*) from catalog_search where latitude = 47.9`); n != 2 {
		t.Errorf("%d entries moved", n)
	}
	b.Exec(t, `delete from fulfilments where shop_id = $1`, shop.Row)
	if n := pgtest.Scan[int](t, b.Database, `select count(*) from catalog_search where shop_id = $1 and not pickup`, shop.Row); n != 2 {
		t.Errorf("%d entries know that nothing is handed over", n)
	}
	b.Exec(t, `update shops set status = 'SUSPENDED' where id = $1`, shop.Row)
	want("suspended", "Gwenola", 0)
	before := pgtest.Scan[int](t, b.Database, `select count(*) from search_terms where term = 'gwenola'`)
	b.Exec(t, `select search_forget()`)
	if after := pgtest.Scan[int](t, b.Database, `select count(*) from search_terms where term = 'gwenola'`); before != 1 || after != 0 {
		t.Errorf("its name was known %d times, and after the sweep %d", before, after)
	}
	if left := pgtest.Scan[int](t, b.Database, `select count(*) from search_terms where term = 'boutique'`); left != 1 {
		t.Error("the sweep forgot a word that is in use")
	}
}

func TestSuggest(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.create(t, b.book("Crêpes et galettes"))
	b.create(t, b.book("Le crépuscule"))
	shop := fixture.Shop(t, b.Database, fixture.ShopOpts{Name: "Crêperie Ty Mamm", Commune: fixture.Groix})
	v := fixture.Viewer(t, b.Database, identity.Visitor)
	for name, c := range map[string]struct {
		text string
		in   []string
		want []string
	}{
		"Beginning":   {"cre", nil, []string{"crêpes", "crêperie", "crépuscule", "Crêperie Ty Mamm"}},
		"InACommune":  {"cre", []string{fixture.Groix}, []string{"crêperie", "Crêperie Ty Mamm"}},
		"SecondWord":  {"crêpes et gal", nil, []string{"crêpes et galettes"}},
		"ShopsName":   {"ty mam", nil, []string{"ty mamm", "Crêperie Ty Mamm"}},
		"Alike":       {"galetes", nil, []string{"galettes"}},
		"OneLetter":   {"c", nil, []string{}},
		"Nothing":     {"zzzz", nil, []string{}},
		"JustASpace":  {"crêpes ", nil, []string{}},
		"WrongBefore": {"xylophone gal", nil, []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			list, err := b.Suggest(t.Context(), v, c.text, c.in, 10)
			if err != nil {
				t.Fatal(err)
			}
			got := []string{}
			for _, s := range list {
				if got = append(got, s.Text); (s.ShopID != nil) != strings.HasPrefix(s.Text, "Crêperie") || s.ShopID != nil && *s.ShopID != shop {
					t.Errorf("%q names %v", s.Text, s.ShopID)
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%q gives %q, want %q", c.text, got, c.want)
			}
		})
	}
	if _, err := b.Suggest(t.Context(), v, "cre", nil, 11); !errors.Is(err, fault.Invalid) {
		t.Errorf("eleven suggestions: %v", err)
	}
}
