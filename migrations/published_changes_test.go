package migrations_test

import (
	"strings"
	"testing"

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
