package catalog_test

import (
	"testing"

	"github.com/audelor/halles/internal/catalog"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

// named makes n products of a name in a shop.
func (b *bench) named(t testing.TB, shop tenancy.ID, name, description string, n int) {
	t.Helper()
	b.Exec(t, `insert into products (commune_id, id, shop_id, slug, name, description, category_id, status, published, created_at, updated_at)
		select $1, gen_random_uuid(), $2, $3 || i, $3, $4, 'papeterie', 'ACTIVE', true, now(), now() from generate_series(1, $5::int) i`, shop.Commune, shop.Row, name, description, n)
}

// However many have the words, those that have them in their name come first, and those around the
// customer before all others; what has them elsewhere comes too, while there are not enough names.
func TestSearchRanksTheBest(t *testing.T) {
	t.Parallel()
	b := setup(t)
	groix := fixture.Shop(t, b.Database, fixture.ShopOpts{Commune: fixture.Groix})
	b.Exec(t, `update shops set latitude = 47.639, longitude = -3.455 where id = $1`, groix.Row)
	b.named(t, b.shop, "Classeur", "Pour un buvard", 1500)
	b.named(t, groix, "Buvard", "", 1)
	b.named(t, b.shop, "Encrier", "", 1200)
	b.named(t, groix, "Encrier de voyage en laiton", "", 1)
	v := fixture.Viewer(t, b.Database, identity.Visitor)
	first := func(text string, near *tenancy.Point, in ...string) string {
		t.Helper()
		q := catalog.SearchQuery{Text: text, Near: near, Filter: &catalog.SearchFilter{Communes: in}}
		con, err := b.Search(t.Context(), v, q, 2, nil)
		if err != nil || len(con.Edges) != 2 {
			t.Fatalf("%q: %+v %v", text, con, err)
		}
		id := con.Edges[0].ID
		return pgtest.Scan[string](t, b.Database, `select name || ' ' || commune_id from products where commune_id = $1 and id = $2`, id.Commune, id.Row)
	}
	for name, c := range map[string]struct {
		text string
		near *tenancy.Point
		in   []string
		want string
	}{
		"NameBeforeDescriptions": {"buvard", nil, nil, "Buvard " + fixture.Groix},
		"NearBeforeBetter":       {"encrier", &tenancy.Point{Latitude: 47.639, Longitude: -3.455}, nil, "Encrier de voyage en laiton " + fixture.Groix},
		"BetterBeforeFar":        {"encrier", nil, nil, "Encrier " + fixture.Lorient},
		"ByDescriptionAlone":     {"buvard", nil, []string{fixture.Lorient}, "Classeur " + fixture.Lorient},
	} {
		t.Run(name, func(t *testing.T) {
			if got := first(c.text, c.near, c.in...); got != c.want {
				t.Errorf("%q finds %s first, want %s", c.text, got, c.want)
			}
		})
	}
}

// What is found too often to be counted is extrapolated, and says so; narrowed, it is counted.
func TestFacetsOfCommonWords(t *testing.T) {
	t.Parallel()
	b := setup(t)
	groix := fixture.Shop(t, b.Database, fixture.ShopOpts{Commune: fixture.Groix})
	const many, few = 12_000, 40
	b.named(t, b.shop, "Carnet", "", many)
	b.named(t, groix, "Carnet", "", few)
	b.named(t, groix, "Buvard", "", few)
	v := fixture.Viewer(t, b.Database, identity.Visitor)
	for text, want := range map[string]int{"carnet": many + few, "buvard": few} {
		con, err := b.Search(t.Context(), v, catalog.SearchQuery{Text: text}, 20, nil)
		if err != nil {
			t.Fatal(err)
		}
		f, err := con.Facets(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		total, err := con.TotalCount(t.Context())
		if err != nil || f.Exact != (want == few) || f.Exact && total != want || total < want*4/5 || total > want*6/5 {
			t.Errorf("%q: %d in all, exact %t (%v); there are %d", text, total, f.Exact, err, want)
		}
		sum := 0
		for _, c := range f.Communes {
			sum += c.Count
		}
		if sum != total || f.Modes[0].Count != total {
			t.Errorf("%q: %d in all, %d in communes, %d to take away", text, total, sum, f.Modes[0].Count)
		}
	}
}
