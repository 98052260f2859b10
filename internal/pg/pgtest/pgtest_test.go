package pgtest_test

import (
	"testing"

	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/page"
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
