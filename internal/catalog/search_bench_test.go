package catalog_test

import (
	"strings"
	"testing"
	"time"

	"github.com/audelor/halles/internal/catalog"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/page"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

// manyProducts makes 3,000 published shops over all communes, weighted by population, with 40
// products each of 1,320 names: 120,000, of which a word of a name has 2,000 to 6,000.
func manyProducts(t testing.TB, d *pgtest.Database) {
	t.Helper()
	d.Exec(t, `
		insert into shops (commune_id, id, slug, name, description, category_id, naf_code, naf_version, siret, status,
			street, postcode, city, latitude, longitude, created_at, updated_at)
		select c.insee, gen_random_uuid(), 'boutique-' || i, (array['Boulangerie', 'Librairie', 'Atelier', 'Maison', 'Au Bonheur', 'L''Échoppe'])[1 + i % 6] || ' ' || (array['Le Goff', 'Tanguy', 'Kerloc''h', 'du Port', 'des Halles'])[1 + i % 5] || ' ' || i,
			'Une boutique du pays de Lorient.', (array['boulangerie', 'librairie', 'vetements-femme', 'arts-de-la-table', 'epicerie'])[1 + i % 5], '47.61Z', 'REV2', lpad(i::text, 14, '0'),
			'PUBLISHED', i || ' rue du Port', c.postcodes[1], c.name, c.latitude + (i % 97) / 5000.0, c.longitude + (i % 89) / 5000.0, now(), now()
		from generate_series(1, 3000) i
		cross join lateral (select * from (select *, sum(population) over (order by insee)::float / sum(population) over () as share from communes) w
			where w.share >= (i * 0.6180339887) % 1 order by w.share limit 1) c
`)
	d.Exec(t, `insert into fulfilments (commune_id, shop_id, mode, lead_minutes) select commune_id, id, 'PICKUP', 60 from shops`)
	d.Exec(t, `
		insert into products (commune_id, id, shop_id, slug, name, description, category_id, status, published, created_at, updated_at)
		select s.commune_id, gen_random_uuid(), s.id, 'p-' || j, x.noun || ' ' || x.kind, 'Fait ici, avec soin, par des gens du pays.', s.category_id, 'ACTIVE', true, now(), now()
		from (select *, row_number() over (order by id) as n from shops) s, generate_series(1, 40) j, lateral (select
			(array['Pain','Baguette','Brioche','Gâteau','Tarte','Galette','Crêpe','Confiture','Miel','Caramel','Biscuit','Chocolat','Café','Thé','Cidre','Bière','Fromage','Beurre','Jambon','Pâté',
				'Saucisse','Huître','Sardine','Moule','Pull','Marinière','Ciré','Bonnet','Écharpe','Jupe','Robe','Chemise','Pantalon','Veste','Bol','Assiette','Tasse','Théière','Cocotte','Couteau',
				'Roman','Album','Carnet','Stylo','Cahier','Affiche','Bougie','Savon','Vase','Lampe','Tapis','Coussin','Panier','Sac','Collier','Bague','Montre','Puzzle','Peluche','Doudou'])[1 + (n * 7 + j * 13) % 60] as noun,
			(array['de campagne','aux noix','au beurre salé','nature','bleu marine','rayé','en laine','en grès','breton','du port','de Groix','aux algues','au sarrasin','fermier','artisanal',
				'de saison','à l''ancienne','en lin','en bois','doré','émaillé','tressé'])[1 + (n * 3 + j * 5) % 22] as kind) x`)
	d.Exec(t, `vacuum (analyze) shops, products, fulfilments, catalog_search, search_terms`)
}

// BenchmarkSearch compares pages of 20 results with a read of the same page by its keys, in one
// run: `go test ./internal/catalog -bench Search -run '^$' -benchtime 30x`, with -v for each text.
// The two are asked in turn, so that the machine's mood weighs on both. A page is the search's
// statements and the read of what they found. The bars are 5 times as long for one commune, 20 for
// all with facets, and 40 for what is misspelt or not there as it was typed; of 123,000 entries, a median word has 2,000 to
// 8,000, a rare one some 100, a common one 20,000 to all.
func BenchmarkSearch(b *testing.B) {
	d := pgtest.New(b, pgtest.Crowd)
	manyProducts(b, d)
	cat := catalog.New(d.DB, tenancy.NewRegister(d.DB), page.NewSealer(fixture.Secret))
	v := fixture.Viewer(b, d, identity.Visitor)
	products, lorient := catalog.Products, []string{fixture.Lorient}
	median := []string{"pain", "ciré bleu", "galettes bretonnes", "brioche au beurre salé", "théière", "huîtres", "pull en laine", "beurre", "roman", "savon aux algues"}
	rare := []string{"bonnet rayé", "carnet artisanal", "tapis bleu marine", "lampe en grès", "miel de campagne", "vase breton", "brioches bretonnes", "pain aux algues"}
	// What is not there is looked for on, like a misspelt word.
	own := []string{"pain aux algues", "bonnet rayé", "carnet artisanal"}
	nowhere := []string{"vase en lin", "tapis tressé", "lampe de groix", "miel fermier", "brioche doré"}
	common := []string{"boulangerie", "librairie", "maison", "alimentation", "port", "art de la table", "pays", "fait ici avec soin", "le goff", "mode femme"}
	for _, c := range []struct {
		name     string
		texts    []string
		communes []string
		facets   bool
	}{
		{"OneCommune/Median", median, lorient, false},
		{"OneCommune/Rare", own, lorient, false},
		{"OneCommune/Common", common, lorient, false},
		{"AllWithFacets/Median", median, nil, true},
		{"AllWithFacets/Rare", rare, nil, true},
		{"AllWithFacets/Common", common, nil, true},
		{"Typo", []string{"briohce", "galtete bretone", "huitrre", "mariniere raiyée", "carramel", "thiere", "chocolta", "beure", "savvon aux algues"}, nil, false},
		{"Typo/OneCommune", nowhere, lorient, false},
		{"Typo/NotThere", nowhere, nil, true},
		{"Typo/Common", []string{"boulagnerie", "librarie", "maisson"}, nil, false},
	} {
		b.Run(c.name, func(b *testing.B) {
			var sum, keys time.Duration
			n := 0
			for b.Loop() {
				for _, text := range c.texts {
					start := time.Now()
					got, err := cat.Search(b.Context(), v, catalog.SearchQuery{Text: text, Filter: &catalog.SearchFilter{Kind: &products, Communes: c.communes}}, 20, nil)
					if err != nil {
						b.Fatal(err)
					}
					if got.AsTyped() == strings.HasPrefix(c.name, "Typo") {
						b.Fatalf("%q is measured as what it is not", text)
					}
					if c.facets {
						if _, err := got.Facets(b.Context()); err != nil {
							b.Fatal(err)
						}
					}
					took := time.Since(start)
					ids := make([]tenancy.ID, len(got.Edges))
					for i, e := range got.Edges {
						ids[i] = e.ID
					}
					if len(ids) < 20 {
						b.Fatalf("%q finds no full page: a read of fewer keys is cheaper than the page it stands for", text)
					}
					start = time.Now()
					if _, err := cat.ProductsByIDs(b.Context(), v, ids); err != nil {
						b.Fatal(err)
					}
					read := time.Since(start)
					if n++; testing.Verbose() && b.N == 1 {
						b.Logf("%s: %.1f", text, float64(took+read)/float64(read))
					}
					sum += took + read
					keys += read
				}
			}
			b.ReportMetric(float64(sum.Microseconds())/float64(n), "µs/page")
			b.ReportMetric(float64(keys.Microseconds())/float64(n), "µs/keys")
			b.ReportMetric(float64(sum)/float64(keys), "page/keys")
			b.ReportMetric(0, "ns/op")
		})
	}
}
