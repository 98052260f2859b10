package pg

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// Part is what some of the columns of a joined row become, see SelectParts.
type Part interface {
	typ() (of reflect.Type, some bool)
	add() reflect.Value                // makes a struct
	slow(row pgx.CollectableRow) error // has pgx make it
	give()                             // hands it over
}

// PartOf is a part that becomes a T by column name; some says that there are columns for a part of T
// only. take is handed each.
func PartOf[T any](some bool, take func(*T)) Part { return &part[T]{some: some, take: take} }

type part[T any] struct {
	v    *T
	some bool
	take func(*T)
}

func (p *part[T]) typ() (of reflect.Type, some bool) { return reflect.TypeFor[T](), p.some }
func (p *part[T]) give()                             { p.take(p.v) }

func (p *part[T]) add() reflect.Value {
	p.v = new(T)
	return reflect.ValueOf(p.v).Elem()
}

func (p *part[T]) slow(row pgx.CollectableRow) (err error) {
	read := pgx.RowToAddrOfStructByName[T]
	if p.some {
		read = pgx.RowToAddrOfStructByNameLax[T]
	}
	p.v, err = read(row)
	return err
}

// SelectParts is Select for rows that are joined of several: an object, what it belongs to, and what
// belongs to it. Each part begins with commune_id and the rest of its key, as tables do; one whose key is
// NULL is not there, and one with the key of the row before is the same and not read again, where those
// before it are the same too. begin makes the parts, in the order of their columns, and is called again
// where the query has to be.
func SelectParts(ctx context.Context, db *DB, s Scope, begin func() []Part, sql string, args ...any) error {
	return db.collect(ctx, s, func(rows pgx.Rows) error { return collectParts(rows, begin()) }, sql, args)
}

// partly is how a part of each row is read.
type partly struct {
	Part
	from, to int
	plan     *scanPlan
	key      []byte // of the row before
}

func collectParts(rows pgx.Rows, parts []Part) error {
	defer rows.Close()
	columns := rows.FieldDescriptions()
	all := make([]partly, 0, len(parts))
	for i, c := range columns {
		if c.Name != "commune_id" {
			continue
		}
		if len(all) == len(parts) {
			return fmt.Errorf("a row has more than %d parts", len(parts))
		}
		all = append(all, partly{Part: parts[len(all)], from: i})
	}
	if len(all) < len(parts) || len(columns) > 0 && columns[0].Name != "commune_id" {
		return fmt.Errorf("a row has not the %d parts", len(parts))
	}
	for i := range all {
		p := &all[i]
		if p.to = len(columns); i+1 < len(all) {
			p.to = all[i+1].from
		}
		of, some := p.typ()
		p.plan = planFor(of, some, columns[p.from:p.to])
	}
	var texts shared
	for rows.Next() {
		raw, again := rows.RawValues(), true
		for i := range all {
			p := &all[i]
			if !again {
				p.key = p.key[:0]
			}
			other, err := p.read(columns, raw, rows, &texts)
			if err != nil {
				return err
			}
			again = again && !other
		}
	}
	return rows.Err()
}

// read reads the part of a row; other: it is not that of the row before.
func (p *partly) read(columns []pgconn.FieldDescription, raw [][]byte, rows pgx.Rows, texts *shared) (other bool, err error) {
	own := raw[p.from:p.to]
	if len(own) < 2 || own[0] == nil || own[1] == nil {
		p.key = p.key[:0]
		return true, nil
	}
	if n := len(own[0]); len(p.key) == n+len(own[1]) && bytes.Equal(p.key[:n], own[0]) && bytes.Equal(p.key[n:], own[1]) {
		return false, nil
	}
	p.key = append(append(p.key[:0], own[0]...), own[1]...)
	if to := p.add(); p.plan == nil || !p.plan.read(to, own, texts) {
		row := partRow{columns: slices.Clone(columns[p.from:p.to]), raw: own}
		if conn := rows.Conn(); conn != nil {
			row.types = conn.TypeMap()
		}
		if err := p.slow(row); err != nil {
			return true, err
		}
	}
	p.give()
	return true, nil
}

// partRow is a part of a row for pgx to read.
type partRow struct {
	columns []pgconn.FieldDescription
	raw     [][]byte
	types   *pgtype.Map
}

func (r partRow) FieldDescriptions() []pgconn.FieldDescription { return r.columns }
func (r partRow) RawValues() [][]byte                          { return r.raw }

// Values is of no use to who reads by name.
func (r partRow) Values() ([]any, error) {
	return nil, errors.New("a part of a row is read by its names")
}

// Scan reads each column.
func (r partRow) Scan(to ...any) error {
	if r.types == nil {
		r.types = pgtype.NewMap()
	}
	for i, dest := range to {
		if dest == nil {
			continue
		}
		if err := r.types.Scan(r.columns[i].DataTypeOID, r.columns[i].Format, r.raw[i], dest); err != nil {
			return fmt.Errorf("column %s: %w", r.columns[i].Name, err)
		}
	}
	return nil
}
