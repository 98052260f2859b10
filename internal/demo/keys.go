package demo

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// keys are the foreign keys and indexes of tables as the catalogue knew them before a load.
// A tree built once from sorted rows costs a fraction of one grown row by row, and a foreign
// key checked once by a join a fraction of one asked for each row.
//
// All of it is done as halles_migrate itself, who inherits the owner's rights, and never in
// the owner's role: a forced owner sees no row, so that its VALIDATE would find every foreign
// key kept.
type keys struct {
	tables  []string
	indexes []index
	foreign []foreignKey
}

type index struct {
	Table      string
	Name       string
	Definition string
	Constraint *string // what it carries: p, u, or x; null for a bare index
	Text       *string // the constraint's definition
}

type foreignKey struct {
	Table      string
	Name       string
	Definition string
}

// takeKeys drops the indexes of tables, the foreign keys from and to them, and silences their
// triggers, whose work the generator does. Those that get few rows keep their indexes: to make one
// anew costs as much as some thousand rows in it.
func takeKeys(ctx context.Context, conn *pgx.Conn, tables []string, few ...string) (*keys, error) {
	k := &keys{tables: tables}
	var many []string
	for _, t := range tables {
		if !slices.Contains(few, t) {
			many = append(many, t)
		}
	}
	rows, err := conn.Query(ctx, `
		select conrelid::regclass::text as "table", quote_ident(conname) as name, pg_get_constraintdef(oid) as definition
		from pg_constraint where contype = 'f' and (conrelid = any ($1::regclass[]) or confrelid = any ($2::regclass[]))
		order by array_position($1::regclass[], conrelid), conname`, tables, many)
	if err != nil {
		return nil, err
	}
	if k.foreign, err = pgx.CollectRows(rows, pgx.RowToStructByName[foreignKey]); err != nil {
		return nil, err
	}
	rows, err = conn.Query(ctx, `
		select i.indrelid::regclass::text as "table", quote_ident(c.relname) as name, pg_get_indexdef(i.indexrelid) as definition,
			k.contype::text as "constraint", pg_get_constraintdef(k.oid) as text
		from pg_index i join pg_class c on c.oid = i.indexrelid
		left join pg_constraint k on k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x')
		where i.indrelid = any ($1::regclass[])
		order by array_position($1::regclass[], i.indrelid), c.relname`, many)
	if err != nil {
		return nil, err
	}
	if k.indexes, err = pgx.CollectRows(rows, pgx.RowToStructByName[index]); err != nil {
		return nil, err
	}
	var b strings.Builder
	for _, f := range k.foreign {
		fmt.Fprintf(&b, "alter table %s drop constraint %s;\n", f.Table, f.Name)
	}
	for _, i := range k.indexes {
		if i.Constraint != nil {
			fmt.Fprintf(&b, "alter table %s drop constraint %s;\n", i.Table, i.Name)
		} else {
			fmt.Fprintf(&b, "drop index %s;\n", i.Name)
		}
	}
	for _, t := range tables {
		fmt.Fprintf(&b, "alter table %s disable trigger user;\n", t)
	}
	_, err = conn.Exec(ctx, b.String()) // one simple query is one transaction
	return k, err
}

// buildsOf are the statements that build a table's indexes; of an exclusion constraint the index comes
// with the constraint.
func (k *keys) buildsOf(table string) (sql []string) {
	for _, i := range k.indexes {
		if i.Table == table && !i.excludes() {
			sql = append(sql, i.Definition)
		}
	}
	return sql
}

func (i index) excludes() bool { return i.Constraint != nil && *i.Constraint == "x" }

// giveBack builds the indexes, makes the constraints again and validates the foreign keys.
func (k *keys) giveBack(ctx context.Context, pool *pgxpool.Pool, done func()) error {
	var builds []job
	for _, t := range k.tables {
		for _, sql := range k.buildsOf(t) {
			builds = append(builds, execute(sql, done))
		}
	}
	if err := run(ctx, pool, builds); err != nil {
		return err
	}
	if err := k.constrain(ctx, pool); err != nil {
		return err
	}
	var sql []string
	if err := run(ctx, pool, []job{func(ctx context.Context, conn *pgx.Conn) (err error) {
		sql, err = validations(ctx, conn)
		return err
	}}); err != nil {
		return err
	}
	var checks []job
	for _, s := range sql {
		checks = append(checks, execute(s, done))
	}
	return run(ctx, pool, checks)
}

// constrain makes the constraints again, of the indexes that are built. The foreign keys are not
// validated: they hold for what is written from now on.
func (k *keys) constrain(ctx context.Context, pool *pgxpool.Pool) error {
	var constraints strings.Builder
	for _, i := range k.indexes {
		switch {
		case i.Constraint == nil:
		case i.excludes(): // cannot take over an index
			fmt.Fprintf(&constraints, "alter table %s add constraint %s %s;\n", i.Table, i.Name, *i.Text)
		default:
			kind, _, _ := strings.Cut(*i.Text, "(")
			kind = strings.TrimSuffix(strings.TrimSpace(kind), " NULLS NOT DISTINCT") // said by the index
			fmt.Fprintf(&constraints, "alter table %s add constraint %s %s using index %s;\n", i.Table, i.Name, kind, i.Name)
		}
	}
	for _, f := range k.foreign {
		fmt.Fprintf(&constraints, "alter table %s add constraint %s %s not valid;\n", f.Table, f.Name, f.Definition)
	}
	for _, t := range k.tables {
		fmt.Fprintf(&constraints, "alter table %s enable trigger user;\n", t)
	}
	_, err := pool.Exec(ctx, constraints.String(), pgx.QueryExecModeSimpleProtocol)
	return err
}

// validate does what is left of them, one after the other.
func validate(ctx context.Context, migrateURL string) error {
	return withConn(ctx, migrateURL, func(conn *pgx.Conn) error {
		all, err := validations(ctx, conn)
		for _, sql := range append([]string{"set statement_timeout = 0; set synchronous_commit = off"}, all...) {
			if err == nil {
				_, err = conn.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol)
			}
		}
		return err
	})
}

// validations are the statements that validate the foreign keys which are not yet: one for each table,
// since two validations of a table wait for one another.
func validations(ctx context.Context, conn *pgx.Conn) ([]string, error) {
	rows, _ := conn.Query(ctx, `
		select string_agg(format('alter table %s validate constraint %I;', conrelid::regclass, conname), e'\n' order by conname)
		from pg_constraint where contype = 'f' and not convalidated group by conrelid order by min(conname)`)
	return pgx.CollectRows(rows, pgx.RowTo[string])
}
