package migrations_test

import (
	"log/slog"
	"maps"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/migrations"
)

// Four programs that start together on an empty database apply each step once.
func TestFourStartTogether(t *testing.T) {
	t.Parallel()
	d := pgtest.Empty(t, "")
	var wait sync.WaitGroup
	done := make([]int, 4)
	for i := range done {
		wait.Go(func() {
			var err error
			if done[i], err = migrations.Up(t.Context(), d.MigrateURL(), slog.New(slog.DiscardHandler)); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	steps := len(sources(t)) + 1 // River's is in Go
	if sum := done[0] + done[1] + done[2] + done[3]; sum != steps {
		t.Errorf("%v steps were applied, want %d in all", done, steps)
	}
	pool, err := pgxpool.New(t.Context(), d.MigrateURL())
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	d.Migrate = pool
	if n := pgtest.Scan[int](t, d, "select count(*) from goose_db_version where version_id > 0"); n != steps {
		t.Errorf("goose noted %d steps, want %d", n, steps)
	}
	newest, err := migrations.Newest()
	if last := pgtest.Scan[int64](t, d, "select max(version_id) from goose_db_version"); last != newest || err != nil {
		t.Errorf("goose is at step %d, want %d, %v", last, newest, err)
	}
	if again, err := migrations.Up(t.Context(), d.MigrateURL(), slog.New(slog.DiscardHandler)); again != 0 || err != nil {
		t.Errorf("a second Up applied %d steps, %v", again, err)
	}
	if n := pgtest.Scan[int](t, d, "select count(*) from communes"); n != 25 {
		t.Errorf("%d communes", n)
	}
}

// Each role brings its own timeouts, and no password.
func TestRoles(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	for role, want := range map[pg.Role]map[string]string{
		pg.Public:   {"default_transaction_read_only": "on", "statement_timeout": "1s", "idle_in_transaction_session_timeout": "5s", "jit": "off", "max_parallel_workers_per_gather": "0"},
		pg.App:      {"default_transaction_read_only": "off", "statement_timeout": "5s", "lock_timeout": "2s", "idle_in_transaction_session_timeout": "5s", "jit": "off", "max_parallel_workers_per_gather": "0"},
		pg.Identity: {"statement_timeout": "1s", "idle_in_transaction_session_timeout": "5s"},
		pg.Worker:   {"statement_timeout": "1min", "idle_in_transaction_session_timeout": "1min"},
	} {
		got := map[string]string{}
		for name := range want {
			var value string
			if err := d.DB.Pool(role).QueryRow(t.Context(), "select current_setting($1)", name).Scan(&value); err != nil {
				t.Fatal(err)
			}
			got[name] = value
		}
		if !maps.Equal(got, want) {
			t.Errorf("%s has %v, want %v", role, got, want)
		}
		found, err := migrations.CheckSelf(t.Context(), d.DB.Pool(role))
		for _, f := range found {
			if !f.Warning {
				t.Errorf("%s: %s", role, f)
			}
		}
		if err != nil {
			t.Error(err)
		}
	}
	admin, err := pgxpool.New(t.Context(), d.AdminURL())
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	var passwords []string
	if err := admin.QueryRow(t.Context(), `select array_agg(rolname) from pg_authid where rolname like 'halles\_%' and rolpassword is not null`).Scan(&passwords); err != nil || passwords != nil {
		t.Errorf("roles with a password that nobody gave: %v, %v", passwords, err)
	}
	// A program must not start as one of these.
	for name, c := range map[string]struct {
		pool *pgxpool.Pool
		want []string
	}{
		"Superuser": {admin, []string{"is a superuser", "has BYPASSRLS"}},
		"Migrate":   {d.Migrate, []string{"has BYPASSRLS", "is a member of another role"}},
	} {
		found, err := migrations.CheckSelf(t.Context(), c.pool)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range c.want {
			red := false
			for _, f := range found {
				red = red || !f.Warning && strings.Contains(f.Problem, want)
			}
			if !red {
				t.Errorf("%s: no finding %q in %v", name, want, found)
			}
		}
	}
}

// Passwords come from the deployment alone.
func TestNoPasswordIsWritten(t *testing.T) {
	t.Parallel()
	for name, text := range sources(t) {
		if regexp.MustCompile(`(?i)password\s+'`).MatchString(text) {
			t.Errorf("%s sets a password", name)
		}
	}
}
