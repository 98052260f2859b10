package pgtest_test

import (
	"strings"
	"testing"

	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/page"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// What one test writes, another does not see; and the statements of a call are counted.
func TestDatabasesAreApart(t *testing.T) {
	t.Parallel()
	one, other := pgtest.New(t), pgtest.New(t)
	shop := fixture.Shop(t, one, fixture.ShopOpts{Name: "L'Échoppe du « Port » 🐟"})
	fixture.Product(t, one, shop, fixture.ProductOpts{Variants: 3})
	for d, want := range map[*pgtest.Database]int{one: 1, other: 0} {
		if n := pgtest.Scan[int](t, d, "select count(*) from shops"); n != want {
			t.Errorf("%s has %d shops, want %d", d.Name(), n, want)
		}
	}
	communes := tenancy.NewRegister(one.DB)
	dir := &directory.Directory{DB: one.DB, Communes: communes, Cursors: page.NewSealer(fixture.Secret)}
	v := fixture.Viewer(t, one, identity.Merchant, shop)
	sent := one.Statements()
	found, err := dir.ByIDs(t.Context(), v, []tenancy.ID{shop})
	if err != nil || found[shop] == nil || found[shop].Name != "L'Échoppe du « Port » 🐟" {
		t.Errorf("found %v, %v", found[shop], err)
	}
	if n := sent(); n != 1 {
		t.Errorf("%d statements for one look-up", n)
	}
}

// pool_max_conns in the URL bounds each role's connections and gives none more than it has; those who
// connect without a pool get a URL without it, which the server would refuse.
func TestConnectionsAreBounded(t *testing.T) {
	t.Parallel()
	for most, want := range map[string][2]int32{"": {8, 8}, "pool_max_conns=3": {3, 6}, "pool_max_conns=1": {1, 2}, "pool_max_conns=30000": {8, 8}} {
		o := pg.Options{URL: "postgres://nowhere:1/halles?" + most}
		db, err := pg.Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if got := [2]int32{db.Pool(pg.App).Config().MaxConns, db.Pool(pg.Worker).Config().MaxConns}; got != want {
			t.Errorf("%q: %d connections, want %d", most, got, want)
		}
		db.Close()
		if url, err := o.RoleURL(pg.Listen); err != nil || strings.Contains(url, "pool") {
			t.Errorf("%s, %v", url, err)
		}
	}
	for _, wrong := range []string{"0", "-1", "many", "", "1e3", "40000"} {
		if db, err := pg.Open(t.Context(), pg.Options{URL: "postgres://nowhere:1/halles?pool_max_conns=" + wrong}); err == nil {
			db.Close()
			t.Errorf("%q is taken", wrong)
		}
	}
}
