package directory_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/page"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// manyShops makes published shops over all communes, weighted by population, in one statement.
func manyShops(t testing.TB, d *pgtest.Database, n int) {
	t.Helper()
	d.Exec(t, `
		insert into shops (commune_id, id, slug, name, description, category_id, naf_code, naf_version, siret, status,
			street, postcode, city, latitude, longitude, created_at, updated_at)
		select c.insee, gen_random_uuid(), 'boutique-' || i, (array['Épicerie', 'Œuvrerie', 'Librairie', 'Ça mousse', 'Crêperie', 'L''Échoppe', 'Zèbre', 'Atelier'])[1 + i % 8] || ' ' || md5(i::text),
			'Une boutique.', (array['librairie', 'boulangerie', 'creperie', 'velo'])[1 + i % 4], '47.61Z', 'REV2', lpad(i::text, 14, '0'),
			case when i % 20 = 0 then 'DRAFT' else 'PUBLISHED' end, i || ' rue du Port', c.postcodes[1], c.name,
			c.latitude + (i % 97) / 5000.0, c.longitude + (i % 89) / 5000.0, now(), now()
		from generate_series(1, $1) i
		cross join lateral (select * from (select *, sum(population) over (order by insee)::float / sum(population) over () as share from communes) w
			where w.share >= (i * 0.6180339887) % 1 order by w.share limit 1) c`, n)
	d.Exec(t, `insert into fulfilments (commune_id, shop_id, mode, lead_minutes) select commune_id, id, 'PICKUP', 60 from shops`)
	d.Exec(t, `analyze shops, fulfilments, catalog_search`)
}

func newDirectory(d *pgtest.Database) *directory.Directory {
	return &directory.Directory{DB: d.DB, Communes: tenancy.NewRegister(d.DB), Cursors: page.NewSealer(fixture.Secret)}
}

// BenchmarkPage compares a page over all communes with one of Lorient, which has the most
// shops, in one run: `go test ./internal/directory -bench Page -benchtime 300x`. The two are
// asked in turn, so that the machine's mood weighs on both.
func BenchmarkPage(b *testing.B) {
	d := pgtest.New(b, pgtest.Crowd)
	manyShops(b, d, 3000)
	dir := newDirectory(d)
	v := fixture.Viewer(b, d, identity.Visitor)
	near, pickup, category, text := tenancy.Point{Latitude: 47.75, Longitude: -3.37}, directory.Pickup, tenancy.ID{Kind: tenancy.KindCategory, Name: "creperie"}, "epicerie"
	for name, q := range map[string]directory.ShopQuery{
		"Name":     {},
		"Category": {Filter: &directory.ShopFilter{Category: &category}},
		"Pickup":   {Filter: &directory.ShopFilter{Fulfilment: &pickup}},
		"Text":     {Filter: &directory.ShopFilter{Text: &text}},
		"Distance": {Near: &near},
	} {
		b.Run(name, func(b *testing.B) {
			one := q
			filter := directory.ShopFilter{Communes: []string{fixture.Lorient}}
			if q.Filter != nil {
				filter = *q.Filter
				filter.Communes = []string{fixture.Lorient}
			}
			one.Filter = &filter
			for _, after := range []string{"First", "Later"} {
				b.Run(after, func(b *testing.B) {
					took := func(q directory.ShopQuery) func() time.Duration {
						var cursor *string
						if after == "Later" {
							c, err := dir.List(b.Context(), v, q, 20, nil)
							if err != nil {
								b.Fatal(err)
							}
							cursor = c.PageInfo().EndCursor
						}
						return func() time.Duration {
							start := time.Now()
							c, err := dir.List(b.Context(), v, q, 20, cursor)
							if err != nil || len(c.Edges) != 20 {
								b.Fatal(fmt.Sprint(len(c.Edges), err))
							}
							return time.Since(start)
						}
					}
					all, lorient := took(q), took(one)
					var sumAll, sumOne time.Duration
					for b.Loop() {
						sumAll += all()
						sumOne += lorient()
					}
					b.ReportMetric(float64(sumAll.Microseconds())/float64(b.N), "µs/all")
					b.ReportMetric(float64(sumOne.Microseconds())/float64(b.N), "µs/one")
					b.ReportMetric(float64(sumAll)/float64(sumOne), "all/one")
					b.ReportMetric(0, "ns/op")
				})
			}
		})
	}
}
