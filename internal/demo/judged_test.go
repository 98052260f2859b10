package demo

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/audelor/halles/internal/catalog"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/page"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

// The judged list: what people look for is among the first five in 95 of 100 searches.
func TestSearchJudged(t *testing.T) {
	t.Parallel()
	plan := small
	plan.Shops, plan.Orders = 400, 200
	d := filledBy(t, plan)
	for _, table := range loaded {
		d.Exec(t, "analyze "+table.table) // as the demo does
	}
	cat := catalog.New(d.DB, tenancy.NewRegister(d.DB), page.NewSealer(fixture.Secret))
	v := fixture.Viewer(t, d, identity.Visitor)
	list, err := os.ReadFile("testdata/judged.tsv")
	if err != nil {
		t.Fatal(err)
	}
	good, all := map[string]int{}, map[string]int{}
	for _, line := range strings.Split(strings.TrimSpace(string(list)), "\n") {
		parts := strings.Split(line, "\t")
		if strings.HasPrefix(line, "#") {
			continue
		}
		if len(parts) != 3 {
			t.Fatalf("%q has not three parts", line)
		}
		class, query, want := parts[0], parts[1], regexp.MustCompile(parts[2])
		found, err := cat.Search(t.Context(), v, catalog.SearchQuery{Text: query}, 5, nil)
		if err != nil {
			t.Fatal(err)
		}
		hit, names := false, []string{}
		for _, e := range found.Edges {
			table := map[tenancy.Kind]string{tenancy.KindShop: "shops", tenancy.KindProduct: "products"}[e.ID.Kind]
			name := pgtest.Scan[string](t, d, `select name from `+table+` where commune_id = $1 and id = $2`, e.ID.Commune, e.ID.Row)
			names, hit = append(names, name), hit || want.MatchString(name)
		}
		all[class]++
		if all["all"]++; hit {
			good[class]++
			good["all"]++
		} else {
			corrected := ""
			if found.Corrected != nil {
				corrected = " as " + *found.Corrected
			}
			t.Logf("%s %q%s finds %q", class, query, corrected, names)
		}
	}
	t.Logf("%d of %d; by class %v of %v", good["all"], all["all"], good, all)
	if all["all"] < 60 || good["all"]*100 < all["all"]*95 {
		t.Errorf("%d of %d find what was wanted", good["all"], all["all"])
	}
	for class, n := range all {
		if n < 8 || good[class]*100 < n*80 {
			t.Errorf("%s: %d of %d", class, good[class], n)
		}
	}
}
