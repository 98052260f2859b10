package migrations

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// role is one database role. Timeouts are settings of the role and not of the connection:
// a pooler refuses them at start-up. jit and helpers are off for whoever reads and writes: policies make
// estimates high, and a query of some milliseconds would be compiled for hundreds, or wait for processes
// to be started: a search in a town of 30,000 shops took 560 ms, and takes 30.
type role struct {
	name     string
	login    bool
	settings map[string]string
}

// roles, in the order in which they are made. The acting roles hold no membership: none can
// become another.
var roles = []role{
	{name: "halles_owner"},
	{name: "halles_migrate", login: true, settings: map[string]string{"lock_timeout": "2s"}},
	{name: "halles_public", login: true, settings: map[string]string{
		"default_transaction_read_only": "on", "statement_timeout": "1s", "idle_in_transaction_session_timeout": "5s", "jit": "off", "max_parallel_workers_per_gather": "0",
	}},
	{name: "halles_app", login: true, settings: map[string]string{
		"statement_timeout": "5s", "lock_timeout": "2s", "idle_in_transaction_session_timeout": "5s", "jit": "off", "max_parallel_workers_per_gather": "0",
	}},
	{name: "halles_identity", login: true, settings: map[string]string{"statement_timeout": "1s", "idle_in_transaction_session_timeout": "5s", "jit": "off", "max_parallel_workers_per_gather": "0"}},
	{name: "halles_stats", login: true, settings: map[string]string{
		"default_transaction_read_only": "on", "statement_timeout": "5s", "idle_in_transaction_session_timeout": "5s", "jit": "off", "max_parallel_workers_per_gather": "0",
	}},
	{name: "halles_worker", login: true, settings: map[string]string{"statement_timeout": "60s", "idle_in_transaction_session_timeout": "60s", "jit": "off", "max_parallel_workers_per_gather": "0"}},
	{name: "halles_listen", login: true},
	{name: "halles_backup", login: true, settings: map[string]string{"default_transaction_read_only": "on"}},
}

// Roles makes the roles that are missing, gives each its settings and, where passwords has
// one, its password, and lets the owner create in the database that adminURL names. It may
// run again at any time. adminURL needs CREATEROLE; BYPASSRLS is given to halles_migrate
// and halles_backup where the administrator has it to give, else the tables' own policy serves the first.
func Roles(ctx context.Context, adminURL string, passwords map[string]string) error {
	conn, err := pgx.Connect(ctx, adminURL)
	if err != nil {
		return fmt.Errorf("connect as administrator: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	return RolesBy(ctx, conn, passwords)
}

// RolesBy is Roles on an administrator's connection to the database.
func RolesBy(ctx context.Context, conn *pgx.Conn, passwords map[string]string) error {
	var database string
	var mayBypass bool
	if err := conn.QueryRow(ctx, `select current_database(), rolsuper or rolbypassrls from pg_roles where rolname = current_user`).Scan(&database, &mayBypass); err != nil {
		return err
	}
	var b strings.Builder
	for _, r := range roles {
		attributes := "nologin"
		if r.login {
			attributes = "login"
		}
		fmt.Fprintf(&b, "do $$ begin create role %[1]s; exception when duplicate_object or unique_violation then null; end $$;\nalter role %[1]s %[2]s;\n", r.name, attributes)
		if p := passwords[r.name]; p != "" {
			fmt.Fprintf(&b, "alter role %s password %s;\n", r.name, literal(p))
		}
		for name, value := range r.settings {
			fmt.Fprintf(&b, "alter role %s set %s = %s;\n", r.name, name, literal(value))
		}
	}
	if mayBypass {
		// Without it pg_dump stops with an error, instead of leaving rows out.
		b.WriteString("alter role halles_migrate bypassrls;\nalter role halles_backup bypassrls;\n")
	}
	b.WriteString("grant halles_owner to halles_migrate;\ngrant pg_read_all_data to halles_backup;\n" + databaseGrants(database))
	_, err := conn.Exec(ctx, b.String())
	return err
}

// GrantCopy gives the roles their rights on a copy of a database, which starts without: what is
// inside has come along. conn is an administrator's, of any database.
func GrantCopy(ctx context.Context, conn *pgx.Conn, database string) error {
	_, err := conn.Exec(ctx, onDatabase(database))
	return err
}

// GrantDatabase gives the roles their rights on the database that adminURL names. Roles does it
// too.
func GrantDatabase(ctx context.Context, adminURL string) error {
	conn, err := pgx.Connect(ctx, adminURL)
	if err != nil {
		return fmt.Errorf("connect as administrator: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	_, err = conn.Exec(ctx, databaseGrants(conn.Config().Database))
	return err
}

// databaseGrants is all that the roles may do with a database as a whole. Jobs, migrations and
// imports need temporary tables; readers do not.
func databaseGrants(database string) string {
	return onDatabase(database) + "grant usage, create on schema public to halles_owner;\n"
}

func onDatabase(database string) string {
	return fmt.Sprintf(`revoke all on database %[1]s from public;
grant connect, temporary, create on database %[1]s to halles_owner;
grant connect, temporary on database %[1]s to halles_migrate, halles_worker, halles_app;
grant connect on database %[1]s to halles_public, halles_identity, halles_stats, halles_listen, halles_backup;
`, pgx.Identifier{database}.Sanitize())
}

func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
