package pgtest_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/pg/pgtest"
)

type status string

type inner struct {
	Status status
	N      *int
}

// sample has a column of each type that pg reads by itself.
type sample struct {
	ID       uuid.UUID
	ParentID *uuid.UUID
	inner
	Title   string
	Note    *string
	Small   int16
	Big     int64
	Price   int32 `db:"price_cents"`
	Open    bool
	At      time.Time
	EndsAt  *time.Time
	Place   float64
	Tags    []string
	private int //nolint:unused // no column is looked for
}

// A row is what pgx makes of it, and what does not fit is refused as pgx refuses it.
func TestSelectReadsAsPgxDoes(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	const rows = `select x.id, x.parent_id, x.status, x.n, x.title, x.note, x.small, x.big, x.price_cents, x.open, x.at, x.ends_at, x.place, x.tags
		from (values ('0175cd00-0000-7000-8000-000000000000'::uuid, null::uuid, 'OPEN', 7, 'Chez Ève', null, 1::int2, 9007199254740993, -5, true, '1850-03-04 05:06:07.000008Z'::timestamptz, null::timestamptz, -0.1::float8, '{a,"b c",é}'::text[]),
			('0175cd00-0000-7000-8000-000000000001', '0175cd00-0000-7000-8000-000000000000', '', null, '', 'ça', (-32768)::int2, -1, 0, false, '2026-11-30 23:59:59.999999Z', '9999-12-31Z', 1e300, '{}')) x
			(id, parent_id, status, n, title, note, small, big, price_cents, open, at, ends_at, place, tags)`
	scope := pg.Scope{Role: pg.Public, Kind: "visitor"}
	if list, err := pg.Select[sample](t.Context(), d.DB, scope, rows); err != nil || len(list) != 2 {
		t.Fatalf("%d rows, %v", len(list), err)
	}
	same := func(sql string) {
		t.Helper()
		got, err := pg.Select[sample](t.Context(), d.DB, scope, sql)
		found, _ := d.Migrate.Query(t.Context(), sql)
		want, wantErr := pgx.CollectRows(found, pgx.RowToStructByName[sample])
		if (err == nil) != (wantErr == nil) || err != nil && err.Error() != wantErr.Error() {
			t.Errorf("%v, want %v, of %s", err, wantErr, sql)
		}
		if err == nil && !reflect.DeepEqual(got, want) {
			t.Errorf("%+v\nwant %+v\nof %s", got, want, sql)
		}
	}
	with := func(columns string) string { return "select " + columns + " from (" + rows + ") r" }
	const all = "id, parent_id, status, n, title, note, small, big, price_cents, open, at, ends_at, place, tags"
	for _, sql := range []string{
		rows,
		rows + " where false",
		with("tags, " + all[:len(all)-len(", tags")]),                                                    // in another order
		with("id, parent_id, status, n, title, note, small, big, price_cents, open, at, ends_at, place"), // one is missing
		with(all + ", 1 as more"), // one is too many
		with("id, parent_id, status, n, note as title, note, small, big, price_cents, open, at, ends_at, place, tags"), // NULL where none fits
		with("id, parent_id, status, n, title, note, big as small, big, price_cents, open, at, ends_at, place, tags"),  // a number too big
		with("id, parent_id, status, n, title, note, small, big, price_cents, open, 'infinity'::timestamptz as at, ends_at, place, tags"),
		with("id, parent_id, status, n, title, note, small, big, price_cents, open, at, ends_at, place, null::text[] as tags"),
		with("id, parent_id, status, n, title, note, small, big, price_cents, open, at, ends_at, place, '{a,null}'::text[] as tags"),
		with("id, parent_id, status, n, title::varchar as title, note, small, big, price_cents, open, at, ends_at, 1.5::numeric as place, tags"), // other types
		"select 1 / 0 as id",
	} {
		same(sql)
	}
}

// A part of a row is what pgx makes of it, and is refused where all of it is asked for.
func TestSelectPart(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	scope := pg.Scope{Role: pg.Public, Kind: "visitor"}
	for _, sql := range []string{
		"select 'Chez Ève' as title, '{a,\"b c\",é}'::text[] as tags, 5 as price_cents from generate_series(1, 3)",
		"select 'Chez Ève' as title, '{a,null}'::text[] as tags", // pgx's own
		"select 'Chez Ève' as title, 1 as more",
	} {
		got, err := pg.SelectPart[sample](t.Context(), d.DB, scope, sql)
		found, _ := d.Migrate.Query(t.Context(), sql)
		want, wantErr := pgx.CollectRows(found, pgx.RowToStructByNameLax[sample])
		if (err == nil) != (wantErr == nil) || err == nil && !reflect.DeepEqual(got, want) {
			t.Errorf("%+v, %v\nwant %+v, %v\nof %s", got, err, want, wantErr, sql)
		}
		if _, err := pg.Select[sample](t.Context(), d.DB, scope, sql); err == nil {
			t.Errorf("taken for a whole row: %s", sql)
		}
	}
}
