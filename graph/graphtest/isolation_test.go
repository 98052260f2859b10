package graphtest_test

import (
	"slices"
	"testing"

	"github.com/audelor/halles/graph/graphtest"
	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/pg"
)

// The second lock alone: a query that forgets its commune reads that of its scope only, and
// without a scope nothing, whoever asks and whatever table.
func TestRowLevelSecurityAlone(t *testing.T) {
	t.Parallel()
	h := graphtest.New(t)
	stock(t, h.Database, 8, 1) // over four communes
	own := fixture.Shop(t, h.Database, fixture.ShopOpts{Status: directory.Draft})
	fixture.Product(t, h.Database, own, fixture.ProductOpts{})
	strangers, insiders := people(t, h, own)
	scopes := map[string]pg.Scope{"Public": fixture.Viewer(t, h.Database, "VISITOR").PublicScope()}
	for name, v := range strangers {
		if v != nil {
			scopes[name] = v.Scope()
		}
	}
	for name, v := range insiders {
		scopes[name] = v.Scope()
	}
	drafts := map[string]int{"Merchant": 1, "Agent": 1, "Hotline": 1, "Admin": 1}
	for name, scope := range scopes {
		for _, table := range []string{"shops", "opening_hours", "fulfilments", "products", "variants"} {
			for narrowed, want := range map[string][]string{"56121": {"56121"}, "56098": {"56098"}, "nowhere": {}} {
				got, err := pg.SelectScalars[string](t.Context(), h.DB, scope.In(narrowed), "select distinct commune_id from "+table)
				if err != nil || !slices.Equal(got, want) {
					t.Errorf("%s in %s reads %s of %v, %v", name, narrowed, table, got, err)
				}
			}
		}
		got, err := pg.SelectScalars[int](t.Context(), h.DB, scope, "select count(*) from shops where status = 'DRAFT'")
		if err != nil || got[0] != drafts[name] {
			t.Errorf("%s reads %v drafts, want %d, %v", name, got, drafts[name], err)
		}
		for _, table := range []string{"orders", "order_lines", "order_contacts", "order_events", "stock_moves"} {
			if scope.Role != pg.Public {
				continue
			}
			if got, err := pg.SelectScalars[int](t.Context(), h.DB, scope, "select count(*) from "+table); pg.Code(err) != "42501" {
				t.Errorf("%s reads %s: %v, %v", name, table, got, err)
			}
		}
	}
	for _, role := range []pg.Role{pg.Public, pg.App, pg.Worker} {
		got, err := pg.SelectScalars[int](t.Context(), h.DB, pg.Scope{Role: role, Kind: "admin"}, "select count(*) from shops")
		if err != nil || got[0] != 0 {
			t.Errorf("%s reads %v shops without a commune, %v", role, got, err)
		}
		var n int
		if err := h.DB.Pool(role).QueryRow(t.Context(), "select count(*) from products").Scan(&n); err != nil || n != 0 {
			t.Errorf("%s reads %d products without settings, %v", role, n, err)
		}
	}
}
