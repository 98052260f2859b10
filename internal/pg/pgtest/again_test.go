package pgtest_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/pg/pgtest"
)

// state is all that a test can see of a database: each row of each table, how each sequence is set, and
// what sessions of the pools keep.
func state(t *testing.T, d *pgtest.Database) string {
	t.Helper()
	rows, _ := d.Migrate.Query(t.Context(), `select c.oid::regclass::text, c.relkind::text from pg_class c
		where c.relkind in ('r', 'S') and c.oid >= 16384 and c.relnamespace <> 'information_schema'::regnamespace order by 1`)
	type named struct{ Name, Kind string }
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[named])
	if err != nil || len(all) < 60 {
		t.Fatal(len(all), err)
	}
	admin, err := pgx.Connect(t.Context(), d.AdminURL())
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close(context.WithoutCancel(t.Context()))
	text := ""
	for _, r := range all {
		columns := "x"
		if r.Kind == "S" {
			columns = "(x.last_value, x.is_called)"
		}
		var one string
		if err := admin.QueryRow(t.Context(), "select coalesce(string_agg("+columns+"::text, '\n' order by "+columns+"::text), '') from "+r.Name+" x").Scan(&one); err != nil {
			t.Fatal(err)
		}
		text += r.Name + "\n" + one + "\n"
	}
	for range 2 { // by the one that the test before had, or by both
		var one string
		err := d.DB.Pool(pg.App).QueryRow(t.Context(), `select current_setting('statement_timeout') || current_user || coalesce(current_setting('halles.kind', true), '')
			|| (select count(*) from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database()))
			|| (select count(*) from pg_listening_channels()) || coalesce(to_regclass('pg_temp.mine')::text, '')`).Scan(&one)
		if err != nil {
			t.Fatal(err)
		}
		text += one + "\n"
	}
	return text
}

// A database that tests have had is as one that none has had, whatever they wrote; and one that they
// changed more of is given to nobody.
func TestDatabasesAreUsedAgain(t *testing.T) { // not beside others: they would be lent what is left here
	var want, name string
	var others []func()
	defer func() {
		for _, end := range others {
			end()
		}
	}()
	lend := func(what string, again bool, leave func(t *testing.T, d *pgtest.Database)) {
		t.Run(what, func(t *testing.T) {
			d := pgtest.New(t, pgtest.Crowd) // nothing else here has such a one
			if (d.Name() == name) != again {
				t.Errorf("%s after %s", d.Name(), name)
			}
			name = d.Name()
			if now := state(t, d); want == "" {
				want = now
			} else if now != want {
				got, fresh := strings.Split(now, "\n"), strings.Split(want, "\n")
				for i := range min(len(got), len(fresh)) {
					if got[i] != fresh[i] {
						t.Fatalf("not as new: %q, want %q", got[i], fresh[i])
					}
				}
				t.Fatalf("not as new: %d lines, want %d", len(got), len(fresh))
			}
			if leave != nil {
				leave(t, d)
			}
		})
	}
	sql := func(sql string) func(t *testing.T, d *pgtest.Database) {
		return func(t *testing.T, d *pgtest.Database) { t.Helper(); d.Exec(t, sql) }
	}
	admin := func(d *pgtest.Database, sql string, keep bool) {
		conn, err := pgx.Connect(t.Context(), d.AdminURL())
		if err == nil {
			_, err = conn.Exec(t.Context(), sql)
		}
		if err != nil {
			t.Fatal(err)
		}
		if others = append(others, func() { conn.Close(context.Background()) }); !keep {
			others[len(others)-1]()
		}
	}

	lend("Unused", false, func(t *testing.T, d *pgtest.Database) {
		shop := fixture.Shop(t, d, fixture.ShopOpts{})
		fixture.Product(t, d, shop, fixture.ProductOpts{Variants: 3})
		admin(d, `set session_replication_role = replica; update communes set name = 'Ys' where insee = '56121';
			delete from categories where id = (select min(id) from categories); insert into vat_rates values (1234, 'neu', '2026-01-01');
			update stream_heads set seq = seq + 5; select nextval('published_changes_id_seq')`, false)
		if _, err := d.DB.Pool(pg.App).Exec(t.Context(), `set statement_timeout = '7s'; select set_config('halles.kind', 'admin', false); select pg_advisory_lock(5); listen here; create temp table mine (n int)`, pgx.QueryExecModeSimpleProtocol); err != nil {
			t.Fatal(err)
		}
	})
	lend("Used", true, sql(`create table left_here (n int)`))
	lend("Statistics", false, sql(`analyze communes`))
	lend("Setting", false, func(t *testing.T, d *pgtest.Database) {
		admin(d, `alter database `+d.Name()+` set timezone = 'Pacific/Kiritimati'`, false)
	})
	lend("Connected", false, func(t *testing.T, d *pgtest.Database) { admin(d, `select`, true) })
	lend("AtWork", false, func(t *testing.T, d *pgtest.Database) {
		conn, err := d.DB.Pool(pg.App).Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		go func() { // who is at work is waited for, when no other may begin
			for {
				other, err := d.DB.Pool(pg.App).Acquire(context.Background())
				if err != nil {
					conn.Release()
					return
				}
				other.Release()
				time.Sleep(time.Millisecond)
			}
		}()
	})
	lend("Closed", false, func(t *testing.T, d *pgtest.Database) { d.DB.Close() })
	lend("Large", false, func(t *testing.T, d *pgtest.Database) {
		admin(d, `insert into search_thesaurus (said, also, reason) select 'mot ' || n, 'autre ' || n, 'SYNONYM' from generate_series(1, 20000) n`, false)
	})
	lend("Last", false, nil)
}
