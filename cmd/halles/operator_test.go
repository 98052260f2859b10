package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

// The template of a file of shops is tried, imported and undone on the server itself; a file that
// is wrong changes nothing and says where. The ledger of erasures is printed, and a broken one
// refused.
func TestCommandsOfTheOperator(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	env := []string{"HALLES_DATABASE_URL=" + d.AdminURL()}
	file := func(name, text string) string {
		t.Helper()
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	shops := func() int { return pgtest.Scan[int](t, d, `select count(*) from shops`) }
	_, template, _ := halles(t, env, "import", "template", "shops")
	good := file("boutiques.csv", template)
	code, out, problems := halles(t, env, "import", "shops", good, "--commune", "lorient", "--dry-run")
	if code != 0 || shops() != 0 || !strings.Contains(out, "1 rows: 1 would be created") || !strings.Contains(out, "Crêperie du Port") {
		t.Errorf("tried: %d %s%s", code, out, problems)
	}
	code, out, problems = halles(t, env, "import", "shops", good, "--commune", "lorient")
	if code != 0 || shops() != 1 {
		t.Fatalf("imported: %d %s%s", code, out, problems)
	}
	_, id, _ := strings.Cut(strings.TrimSpace(out), "halles import undo ")
	code, _, problems = halles(t, env, "import", "shops", file("fausses.csv", strings.Replace(template, "56.10A", "56", 1)), "--commune", "lorient")
	if code == 0 || shops() != 1 || !strings.Contains(problems, "colonne « naf »") || !strings.Contains(problems, "nothing was changed") {
		t.Errorf("wrong: %d %s", code, problems)
	}
	if code, out, problems = halles(t, env, "import", "undo", strings.TrimSpace(id)); code != 0 || shops() != 0 || !strings.Contains(out, "1 rows put back, 0 left") {
		t.Errorf("undone: %d %s%s", code, out, problems)
	}

	shop := fixture.Shop(t, d, fixture.ShopOpts{})
	order := fixture.Order(t, d, shop, fixture.Product(t, d, shop, fixture.ProductOpts{}).Variants[0], fixture.OrderOpts{Status: "COLLECTED"})
	d.Exec(t, `insert into erasures (id, subject, commune_id, subject_id, by_kind, asked_at) values ($1, 'ORDER', $2, $1, $3, now())`, order.Row, shop.Commune, string(identity.Guest))
	code, ledger, problems := halles(t, env, "privacy", "ledger")
	if code != 0 || strings.Count(ledger, "\n") != 1 || !strings.Contains(ledger, order.Row.String()) {
		t.Errorf("the ledger: %d %s%s", code, ledger, problems)
	}
	if code, _, problems = halles(t, env, "privacy", "replay", file("broken.jsonl", ledger+tenancy.NewRow().String())); code == 0 || !strings.Contains(problems, "line 2") {
		t.Errorf("a broken ledger: %d %s", code, problems)
	}
	d.Exec(t, `delete from erasures`)
	if code, out, problems = halles(t, env, "privacy", "replay", file("ledger.jsonl", ledger)); code != 0 || !strings.Contains(out, "1 entries read, 1 erasures") ||
		pgtest.Scan[int](t, d, `select count(*) from order_contacts where name is null`) != 1 {
		t.Errorf("replayed: %d %s%s", code, out, problems)
	}
	if code, out, problems = halles(t, env, "privacy", "retain"); code != 0 || !strings.Contains(out, "order_contact  0") {
		t.Errorf("retained: %d %s%s", code, out, problems)
	}
}
