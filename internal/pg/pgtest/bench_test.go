package pgtest_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/pg/pgtest"
)

// What a viewer's settings add to a read by primary key, row-level security included: the bare
// query by a role that bypasses it, and pg.Select, turn about. Bar: 40 µs.
func BenchmarkSettings(b *testing.B) {
	d := pgtest.New(b, pgtest.Crowd)
	id := uuid.Must(uuid.NewV7())
	d.Exec(b, `
		insert into shops (commune_id, id, slug, name, category_id, naf_code, naf_version, siret, status, street, postcode, city,
			latitude, longitude, created_at, updated_at)
		values ('56121', $1, 'mesure', 'Mesure', 'librairie', '47.61Z', 'REV2', '00000000000018', 'PUBLISHED', '1 rue du Port', '56100', 'Lorient',
			47.7, -3.3, now(), now())`, id)
	scope := pg.Scope{
		Role: pg.App, Kind: "merchant", Viewer: id, Communes: []string{"56121", "56069"}, Shops: []uuid.UUID{id},
	}
	type shop struct {
		ID   uuid.UUID
		Name string
	}
	const sql = `select id, name from shops where commune_id = $1 and id = $2`
	bare := func() ([]shop, error) {
		rows, err := d.Migrate.Query(b.Context(), sql, "56121", id)
		if err != nil {
			return nil, err
		}
		return pgx.CollectRows(rows, pgx.RowToStructByName[shop])
	}
	set := func() ([]shop, error) { return pg.Select[shop](b.Context(), d.DB, scope, sql, "56121", id) }
	var times [2][]time.Duration
	for b.Loop() {
		for i, read := range []func() ([]shop, error){bare, set} {
			began := time.Now()
			found, err := read()
			times[i] = append(times[i], time.Since(began))
			if err != nil || len(found) != 1 {
				b.Fatal(found, err)
			}
		}
	}
	var medians [2]float64
	for i := range times {
		slices.Sort(times[i])
		medians[i] = float64(times[i][len(times[i])/2].Nanoseconds()) / 1e3
	}
	b.ReportMetric(medians[0], "µs/bare")
	b.ReportMetric(medians[1], "µs/set")
	b.ReportMetric(medians[1]-medians[0], "µs/overhead")
	b.ReportMetric(0, "ns/op") // both together, which says nothing
}
