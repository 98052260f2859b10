package demo

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
	"github.com/audelor/halles/migrations"
)

// few is a small plan.
var few = Plan{Shops: 30, Orders: 200, Seed: 7, Today: time.Date(2020, 11, 2, 0, 0, 0, 0, paris())}

// opened starts the demo on a given database.
func opened(t *testing.T, d *pgtest.Database, data string) (*Demo, error) {
	t.Helper()
	return Open(t.Context(), Options{
		Data: data, DatabaseURL: d.AdminURL(), Plan: few, Out: io.Discard,
		Progress: func(string, int, int) {}, Log: slog.New(slog.DiscardHandler),
	})
}

func count(t *testing.T, d *pgtest.Database, table string) (n int) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), d.AdminURL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if err := conn.QueryRow(t.Context(), "select count(*) from "+pgx.Identifier{table}.Sanitize()).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// A filling that was interrupted is begun again. The second start finds what the first one made, whatever it is asked for, and guests' links
// and the roles' passwords go on working.
func TestLaterStartShiftsNothing(t *testing.T) {
	t.Parallel()
	d, data := pgtest.Empty(t, ""), t.TempDir()
	conn, err := pgx.Connect(t.Context(), d.AdminURL())
	if err != nil {
		t.Fatal(err)
	}
	if err := put(t.Context(), conn, mark{State: filling}); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "create table shops (half int); insert into shops values (1)"); err != nil {
		t.Fatal(err)
	}
	conn.Close(t.Context())
	first, err := opened(t, d, data)
	if err != nil {
		t.Fatal(err)
	}
	if !first.Fresh || count(t, d, "orders") != 200 {
		t.Fatalf("fresh: %t, %d orders", first.Fresh, count(t, d, "orders"))
	}
	<-first.behind
	// As a program left it that was killed before it had validated the foreign keys.
	admin, err := pgx.Connect(t.Context(), d.AdminURL())
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close(context.WithoutCancel(t.Context()))
	m := markOf(few, 0)
	if m.Migration, err = migrations.Newest(); err != nil {
		t.Fatal(err)
	}
	m.Unchecked = true
	if _, err := admin.Exec(t.Context(), `alter table order_lines drop constraint order_lines_variant_fkey;
		alter table order_lines add constraint order_lines_variant_fkey foreign key (commune_id, variant_id) references variants (commune_id, id) not valid`); err != nil {
		t.Fatal(err)
	}
	if err := put(t.Context(), admin, m); err != nil {
		t.Fatal(err)
	}
	later := few
	later.Shops, later.Today = 60, later.Today.AddDate(0, 1, 0)
	second, err := Open(t.Context(), Options{Data: data, DatabaseURL: d.AdminURL(), Plan: later, Out: io.Discard, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if second.Fresh || second.Filled.Shops != 30 || !second.Filled.Today.Equal(few.Today) {
		t.Errorf("fresh: %t, filled with %+v", second.Fresh, second.Filled)
	}
	<-second.behind
	rows, _ := admin.Query(t.Context(), unvalidated)
	if left, err := pgx.CollectRows(rows, pgx.RowTo[string]); err != nil || len(left) > 0 {
		t.Errorf("not validated: %v, %v", left, err)
	}
	if found, err := look(t.Context(), admin); err != nil || found.mark.Unchecked || found.mark.Shops != few.Shops {
		t.Errorf("the mark is %+v, %v", found.mark, err)
	}
	if n := count(t, d, "shops"); n != 30 {
		t.Errorf("%d shops", n)
	}
	if string(first.Secret) != string(second.Secret) || first.Database.Passwords[pg.App] != second.Database.Passwords[pg.App] {
		t.Error("a secret changed")
	}
	if first.People.Accounts["merchant"] != second.People.Accounts["merchant"] || second.Tokens["merchant"] == "" || first.Tokens["merchant"] == second.Tokens["merchant"] {
		t.Error("the merchant is another, or has an old token")
	}
	for demo, origin := range map[*Demo]string{first: "http://localhost:8080", second: "http://localhost:9090"} {
		if err := demo.OpenWidgets(t.Context(), origin); err != nil {
			t.Fatal(err)
		}
	}
	if err := second.OpenWidgets(t.Context(), "http://localhost:9090"); err != nil {
		t.Fatal(err)
	}
	path, err := second.WriteFile("http://127.0.0.1:8080/")
	if err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(path); err != nil || !strings.Contains(string(text), `"lorient": "`+first.WidgetKeys["lorient"]+`"`) {
		t.Errorf("the pages' key changed, or is not told: %s", text)
	}
	db, err := pg.Open(t.Context(), second.Database)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	keys := identity.NewWidgetKeys(db, tenancy.NewRegister(db))
	if _, err := keys.Use(t.Context(), second.WidgetKeys["lorient"], "http://localhost:9090"); err != nil {
		t.Errorf("the demo's key: %v", err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 || filepath.Base(path) != "demo.json" {
		t.Errorf("%s: %v, %v", path, info.Mode(), err)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	refused := func(t *testing.T, err error, want string) {
		t.Helper()
		var r Refused
		if !errors.As(err, &r) || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	t.Run("ADatabaseThatIsNotEmpty", func(t *testing.T) {
		t.Parallel()
		d := pgtest.New(t)
		before := pgtest.Scan[int](t, d, "select count(*) from pg_class")
		_, err := opened(t, d, t.TempDir())
		refused(t, err, "is not empty, and no demo filled it: name an empty database")
		if after := pgtest.Scan[int](t, d, "select count(*) from pg_class"); after != before {
			t.Error("it was touched")
		}
	})
	t.Run("ADatabaseThatIsNotThere", func(t *testing.T) {
		t.Parallel()
		_, err := Open(t.Context(), Options{Data: t.TempDir(), DatabaseURL: "postgres://127.0.0.1:1/none", Plan: few})
		refused(t, err, "check HALLES_DATABASE_URL")
	})
	t.Run("AFolderBelowAFile", func(t *testing.T) {
		t.Parallel()
		file := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Open(t.Context(), Options{Data: filepath.Join(file, "data"), Plan: few})
		refused(t, err, "choose a folder that you may write to with --data")
	})
	t.Run("ADamagedSecret", func(t *testing.T) {
		t.Parallel()
		data := t.TempDir()
		if err := os.WriteFile(filepath.Join(data, "secret"), []byte("?"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := opened(t, pgtest.Empty(t, ""), data)
		refused(t, err, "is damaged: remove it")
	})
	t.Run("ADayThatIsNone", func(t *testing.T) {
		t.Parallel()
		_, err := Day("30/10/2020")
		refused(t, err, "write it as 2020-10-30")
	})
}

// A demo that starts before noon ends yesterday: nobody has ordered at an hour that is still to come.
func TestTodayIsPastItsNoon(t *testing.T) {
	t.Parallel()
	for now, want := range map[string]string{
		"2026-11-30T23:16:00Z": "2026-11-30", // in Lorient it is December
		"2026-12-01T10:59:59Z": "2026-11-30",
		"2026-12-01T11:00:00Z": "2026-12-01",
		"2026-12-01T22:59:00Z": "2026-12-01",
		"2026-03-29T09:59:00Z": "2026-03-28", // the day has 23 hours
		"2026-03-29T10:00:00Z": "2026-03-29",
		"2026-01-01T00:00:00Z": "2025-12-31",
	} {
		at, err := time.Parse(time.RFC3339, now)
		if err != nil {
			t.Fatal(err)
		}
		day, err := Today(at, "")
		if got := day.Format(time.DateOnly); err != nil || got != want || (Plan{Today: day}).now().After(at) {
			t.Errorf("at %s it is %s, not %s (%v)", now, got, want, err)
		}
	}
	if day, err := Today(time.Time{}, "2020-10-30"); err != nil || day.Format(time.DateOnly) != "2020-10-30" {
		t.Errorf("%v, %v", day, err)
	}
}
