package migrations_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/pg/pgtest"
)

// unnoted are tables that the public's role may read and no answer depends on, and why.
var unnoted = map[string]string{
	"media_files": "an image is found by the hash of its bytes: under that address it never changes",
}

// Whatever the public may read notes its changes: a table that is new to it fails this until it has
// triggers for all that can happen to a row, or its reason not to.
func TestWhatIsPublicNotesItsChanges(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	columns, err := pg.SelectScalars[string](t.Context(), d.DB, pg.Scope{Role: pg.Worker}, `
		select c.relname || '.' || a.attname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
		where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm') and has_column_privilege('halles_public', c.oid, a.attnum, 'select') order by 1`)
	if err != nil {
		t.Fatal(err)
	}
	triggers, err := pg.Select[struct{ Tbl, Def, Fn string }](t.Context(), d.DB, pg.Scope{Role: pg.Worker}, `
		select c.relname::text as tbl, pg_get_triggerdef(g.oid) as def, p.proname::text as fn
		from pg_trigger g join pg_class c on c.oid = g.tgrelid join pg_proc p on p.oid = g.tgfoid where not g.tgisinternal and p.proname like 'note\_%' and g.tgenabled = 'O'`)
	if err != nil {
		t.Fatal(err)
	}
	events := map[string]map[string]bool{}
	updates := map[string]string{} // the conditions of row triggers
	for _, g := range triggers {
		if events[g.Tbl] == nil {
			events[g.Tbl] = map[string]bool{}
		}
		head, _, _ := strings.Cut(g.Def, " ON ")
		for _, e := range []string{"INSERT", "UPDATE", "DELETE"} {
			events[g.Tbl][e] = events[g.Tbl][e] || strings.Contains(head, e)
		}
		if g.Fn == "note_row" && strings.Contains(head, "UPDATE") {
			updates[g.Tbl] += strings.ReplaceAll(g.Def, `"`, "")
		}
	}
	seen := map[string]bool{}
	for _, c := range columns {
		table, name, _ := strings.Cut(c, ".")
		if unnoted[table] != "" {
			continue
		}
		for _, e := range []string{"INSERT", "UPDATE", "DELETE"} {
			if !events[table][e] && !seen[table+e] {
				seen[table+e] = true
				t.Errorf("the public reads %s, and no trigger notes %s", table, e)
			}
		}
		if when := updates[table]; when != "" && !strings.Contains(when, "old."+name+",") && !strings.Contains(when, "old."+name+")") && !strings.Contains(when, "old."+name+" IS") {
			t.Errorf("the public reads %s, and no trigger notes its change", c)
		}
	}
}

// What the public sees of stock is "at most 5": the version moves with that, and not with each piece
// that is sold. A transaction notes a part once, and one that is rolled back notes nothing.
func TestChangesAreNoted(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	shop := fixture.Shop(t, d, fixture.ShopOpts{})
	product := fixture.Product(t, d, shop, fixture.ProductOpts{Stock: 50})
	variant := product.Variants[0]
	noted := func(do string, args ...any) []string {
		t.Helper()
		last := pgtest.Scan[int64](t, d, `select coalesce(max(id), 0) from published_changes`)
		tx, err := d.Migrate.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for sql := range strings.SplitSeq(do, ";") {
			sql = strings.ReplaceAll(strings.ReplaceAll(sql, "VARIANT", "'"+variant.Row.String()+"'"), "SHOP", "'"+shop.Row.String()+"'")
			if _, err := tx.Exec(t.Context(), sql); err != nil {
				t.Fatal(sql, err)
			}
		}
		if err := tx.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		return pgtest.Scan[[]string](t, d, `select array(select part || ' ' || commune_id from published_changes where id > $1 order by 1)`, last)
	}
	const stock = `update variants set stock = `
	profile, pieces := "PROFILE "+shop.Commune, "AVAILABILITY "+shop.Commune
	for _, c := range []struct {
		do   string
		want []string
	}{
		{stock + `49 where id = VARIANT`, nil},
		{stock + `5 where id = VARIANT`, nil},
		{stock + `4 where id = VARIANT`, []string{pieces}},
		{stock + `1 where id = VARIANT`, []string{pieces}},
		{stock + `0 where id = VARIANT`, []string{pieces}},
		{stock + `1 where id = VARIANT;` + stock + `0 where id = VARIANT`, []string{pieces}},
		{`update variants set price_cents = price_cents + 1 where id = VARIANT`, []string{profile}},
		{`update variants set price_cents = price_cents where id = VARIANT`, nil},
		{`update variants set paused = true where id = VARIANT`, []string{profile}},
		{`update variants set price_cents = price_cents + 1, stock = 3 where id = VARIANT; update shops set name = 'Autre nom' where id = SHOP`, []string{pieces, profile}},
		{`savepoint s; update variants set price_cents = 1 where id = VARIANT; rollback to s`, nil},
		{`savepoint s; update variants set price_cents = 1 where id = VARIANT; rollback to s; update variants set price_cents = 2 where id = VARIANT`, []string{profile}},
		{`update shops set name = name where id = SHOP`, nil},
		{`insert into slots (commune_id, shop_id, mode, starts_at, capacity) values ('` + shop.Commune + `', SHOP, 'PICKUP', '2030-01-01', 2)`, nil},
		{`update slots set booked = 1 where shop_id = SHOP`, nil},
		{`update slots set booked = 2 where shop_id = SHOP`, []string{pieces}},
		{`update slots set booked = 1 where shop_id = SHOP`, []string{pieces}},
		{`delete from slots where shop_id = SHOP`, nil},
		{`insert into closures (commune_id, id, shop_id, starts_at, created_at) values ('` + shop.Commune + `', gen_random_uuid(), SHOP, now(), now())`, []string{profile}},
		{`update communes set current_insee = '56098' where insee = '56069'`, []string{"PROFILE "}},
	} {
		if got := noted(c.do); !slices.Equal(got, c.want) {
			t.Errorf("%s\nnotes %q, want %q", c.do, got, c.want)
		}
	}
}
