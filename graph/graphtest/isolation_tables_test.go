package graphtest_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/migrations"
)

// Each table by itself, asked for all of it under the scope of each kind: what row-level security
// shows is one's own or published, whatever the query.
func TestIsolationOfTables(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	for _, p := range m.people {
		total := 0
		for _, table := range m.tables {
			own, wrong := m.readsOf(t, p, table)
			total += own
			if len(wrong) > 0 {
				t.Error(wrong[0])
			}
		}
		if hasOwn := len(p.shops)+len(p.communes)+len(p.orders) > 0; hasOwn != (total > 0) {
			t.Errorf("%s sees %d rows of its own", p.kind, total)
		}
	}
}

// readsOf counts the rows of its own that a person reads of a table, and tells those that it
// should not read.
func (m *matrix) readsOf(t *testing.T, p *person, table *table) (own int, wrong []string) {
	t.Helper()
	identities := p.viewer.Scope()
	identities.Role = pg.Identity
	for _, scope := range []pg.Scope{p.viewer.Scope(), p.viewer.PublicScope(), identities} {
		if scope.Role == pg.Identity && beforeAnybody[table.Name] != "" {
			continue
		}
		keys, err := pg.SelectScalars[string](t.Context(), m.h.DB, scope, "select "+table.key()+" from "+table.Name)
		if pg.Code(err) == "42501" { // not of its key, or not at all: migrations.Check says which
			count, err := pg.SelectScalars[int](t.Context(), m.h.DB, scope, "select count(*) from "+table.Name)
			if pg.Code(err) == "42501" {
				continue
			}
			if err != nil {
				t.Errorf("%s of %s: %v", p.kind, table.Name, err)
			}
			may := 0
			for _, r := range table.rows {
				if p.owns(r) {
					may++
				}
			}
			own += may
			if count[0] > may {
				wrong = append(wrong, fmt.Sprintf("%s (%s) sees %d rows of %s, of which %d are its own", p.kind, scope.Role, count[0], table.Name, may))
			}
			continue
		}
		if err != nil {
			t.Errorf("%s of %s: %v", p.kind, table.Name, err)
		}
		shown := map[string]bool{}
		for _, k := range keys {
			shown[k] = true
		}
		for _, r := range table.rows {
			switch {
			case !shown[r.Key]:
			case p.owns(r):
				own++
			case !(table.Public && r.Published && p.spans(r.Commune)) && migrations.SharedRows[table.Name] == "":
				wrong = append(wrong, fmt.Sprintf("%s (%s) sees a row of %s that is neither published nor its own: %s", p.kind, scope.Role, table.Name, r))
			}
		}
	}
	return own, wrong
}

// The proof of the test above: each policy that lets somebody read is opened to everything, one
// after the other, and each time somebody sees what it should not. A policy whose opening nobody
// notices would be one that no test holds.
func TestEveryPolicyCounts(t *testing.T) {
	t.Parallel()
	if os.Getenv("HALLES_LONG") == "" {
		t.Skip("opens a hundred policies, one after the other: with HALLES_LONG=1")
	}
	m := newMatrix(t)
	rows, err := m.h.Migrate.Query(t.Context(), `
		select p.polrelid::regclass::text, p.polname, pg_get_expr(p.polqual, p.polrelid)
		from pg_policy p join pg_class c on c.oid = p.polrelid
		where c.relnamespace = 'public'::regnamespace and p.polpermissive and p.polcmd in ('r', '*')
		and pg_get_expr(p.polqual, p.polrelid) <> 'true' order by 1, 2`)
	if err != nil {
		t.Fatal(err)
	}
	type policy struct{ table, name, using string }
	policies, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (one policy, err error) {
		err = row.Scan(&one.table, &one.name, &one.using)
		return one, err
	})
	if err != nil || len(policies) == 0 {
		t.Fatal(len(policies), err)
	}
	tables := map[string]*table{}
	for _, table := range m.tables {
		tables[table.Name] = table
	}
	held := 0
	for _, one := range policies {
		table := tables[one.table]
		if table == nil || migrations.SharedRows[one.table] != "" || toWrite[one.table+" "+one.name] != "" {
			continue
		}
		alter := "alter policy " + pgx.Identifier{one.name}.Sanitize() + " on " + one.table + " using "
		m.admin(t, alter+"(true)")
		noticed := 0
		for _, p := range m.people {
			_, wrong := m.readsOf(t, p, table)
			noticed += len(wrong)
		}
		if held++; noticed == 0 {
			t.Errorf("policy %s of %s opened to all, and nobody sees more: %s", one.name, one.table, one.using)
		}
		m.admin(t, alter+"("+one.using+")")
	}
	t.Logf("%d of %d policies opened", held, len(policies))
}

// toWrite are policies that open nothing to readers, and why: what they are for is to write, which
// the matrix tries.
var toWrite = map[string]string{
	"commune_settings staff":    "settings are public",
	"restrictions admin_writes": "restrictions are public",
	"restrictions agent_writes": "restrictions are public",
}

// beforeAnybody are tables whose rows halles_identity reads whoever asks, and why.
var beforeAnybody = map[string]string{
	"audit_heads": "whoever is audited counts: a number for each commune, within those of the transaction",
	"widget_keys": "a key is looked for to know who asks",
}
