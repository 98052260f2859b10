package opendata_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/opendata"
	"github.com/audelor/halles/internal/page"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func newData(d *pgtest.Database) *opendata.Data {
	communes := tenancy.NewRegister(d.DB)
	return &opendata.Data{
		DB: d.DB, Communes: communes, Directory: &directory.Directory{DB: d.DB, Communes: communes, Cursors: page.NewSealer(fixture.Secret)},
		Now: func() time.Time { return time.Date(2020, 10, 30, 12, 0, 0, 0, time.UTC) },
	}
}

func write(t *testing.T, data *opendata.Data, format opendata.Format, commune string) string {
	t.Helper()
	var b bytes.Buffer
	if err := data.Write(t.Context(), &b, format, commune); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// world is shops of three communes, published and not.
func world(t *testing.T) (*pgtest.Database, map[string]tenancy.ID) {
	t.Helper()
	d := pgtest.New(t)
	ids := map[string]tenancy.ID{}
	for name, o := range map[string]fixture.ShopOpts{
		"b": {Name: "Boulangerie", Modes: []directory.FulfilmentMode{directory.Pickup, directory.Delivery}}, "a": {Name: "Aux livres", Modes: []directory.FulfilmentMode{}},
		"groix": {Commune: fixture.Groix}, "draft": {Status: directory.Draft}, "pending": {Status: directory.Pending}, "suspended": {Status: directory.Suspended},
	} {
		ids[name] = fixture.Shop(t, d, o)
		d.Exec(t, `update shops set slug = $2, email = 'prenom.nom@example.org', sales_area_m2 = 4242, headcount = 4343, updated_at = '2020-10-01 08:00Z' where id = $1`, ids[name].Row, name)
	}
	return d, ids
}

func TestOnlyWhatIsPublished(t *testing.T) {
	t.Parallel()
	d, ids := world(t)
	data := newData(d)
	for _, format := range opendata.Formats {
		all := write(t, data, format, "")
		for name, id := range ids {
			if is := strings.Contains(all, id.String()); is != slices.Contains([]string{"a", "b", "groix"}, name) {
				t.Errorf("%s: the shop %s is there: %t", format, name, is)
			}
		}
		for _, private := range []string{"example.org", "4242", "4343"} {
			if strings.Contains(all, private) {
				t.Errorf("%s tells %q", format, private)
			}
		}
		lorient := write(t, data, format, fixture.Lorient)
		if strings.Contains(lorient, ids["groix"].String()) || !strings.Contains(lorient, ids["a"].String()) {
			t.Errorf("%s of Lorient: %s", format, lorient)
		}
		if again := write(t, newData(d), format, ""); again != all {
			t.Errorf("%s is not the same twice:\n%s", format, cmp.Diff(all, again))
		}
		// Another order of rows on disk, and a vacuum, change no byte.
		d.Exec(t, `update shops set version = version where id = $1`, ids["a"].Row)
		if again := write(t, data, format, ""); again != all {
			t.Errorf("%s depends on where rows lie:\n%s", format, cmp.Diff(all, again))
		}
		if a, b := strings.Index(all, ids["a"].String()), strings.Index(all, ids["b"].String()); a > b || strings.Index(all, ids["groix"].String()) > a {
			t.Errorf("%s is not in order of commune and slug", format)
		}
		d.Exec(t, `delete from opening_hours where shop_id = $1 and weekday = 6`, ids["b"].Row)
		if again := write(t, data, format, ""); again == all {
			t.Errorf("%s does not tell that hours changed", format)
		}
		d.Exec(t, `insert into opening_hours (commune_id, shop_id, weekday, opens, closes) values ('56121', $1, 6, 570, 750), ('56121', $1, 6, 840, 1140)`, ids["b"].Row)
	}
}

func TestRowsAsTheSchemaSays(t *testing.T) {
	t.Parallel()
	d, ids := world(t)
	data := newData(d)
	d.Exec(t, `update shops set last_confirmed_at = '2020-10-29 23:30Z', website = 'https://b.example', services = '{card,gift-wrap}' where id = $1`, ids["b"].Row)
	records, err := csv.NewReader(strings.NewReader(write(t, data, opendata.CSV, fixture.Lorient))).ReadAll()
	if err != nil || len(records) != 3 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	var schema struct {
		Fields []struct {
			Name        string
			Type        string
			Constraints map[string]any
		}
	}
	if err := json.Unmarshal(opendata.TableSchema("https://marche.example"), &schema); err != nil {
		t.Fatal(err)
	}
	b := map[string]string{}
	for i, f := range schema.Fields {
		if records[0][i] != f.Name {
			t.Errorf("column %d is %s, the schema's %s", i, records[0][i], f.Name)
		}
		b[f.Name] = records[2][i]
		for _, row := range records[1:] {
			if f.Constraints["required"] == true && row[i] == "" {
				t.Errorf("%s is required and empty", f.Name)
			}
		}
	}
	for name, want := range map[string]string{
		"nom": "Boulangerie", "code_insee": "56121", "retrait": "true", "livraison": "true", "telephone": "+33261910000", "site_web": "https://b.example",
		"horaires": "Mo-Sa 09:30-12:30,14:00-19:00; PH off", "services": "card|gift-wrap", "derniere_confirmation": "2020-10-30", "derniere_modification": "2020-10-01",
		"latitude": "47.74817", "longitude": "-3.37177", "categorie_libelle": "Livres", "identifiant": ids["b"].String(),
	} {
		if b[name] != want {
			t.Errorf("%s is %q, want %q", name, b[name], want)
		}
	}
	d.Exec(t, `insert into closures (commune_id, id, shop_id, starts_at, ends_at, created_at) values ('56121', $1, $2, '2020-11-01 23:00Z', '2020-11-08 23:00Z', now())`, tenancy.NewRow(), ids["b"].Row)
	if told := write(t, data, opendata.CSV, fixture.Lorient); !strings.Contains(told, "2020 Nov 02-2020 Nov 08 off") {
		t.Errorf("a week's closure is not among the hours: %s", told)
	}
	var plain struct {
		Licence   string
		Commerces []map[string]any
	}
	if err := json.Unmarshal([]byte(write(t, data, opendata.JSON, "")), &plain); err != nil || plain.Licence != "etalab-2.0" || len(plain.Commerces) != 3 {
		t.Fatalf("%v %+v", err, plain)
	}
	if s := plain.Commerces[2]; s["retrait"] != true || s["latitude"] != 47.74817 || fmt.Sprint(s["services"]) != "[card gift-wrap]" {
		t.Errorf("as JSON: %v", s)
	}
	var geo struct {
		Type     string
		Features []struct {
			ID       string
			Geometry struct{ Coordinates [2]float64 }
			Property map[string]any `json:"properties"`
		}
	}
	if err := json.Unmarshal([]byte(write(t, data, opendata.GeoJSON, "")), &geo); err != nil || geo.Type != "FeatureCollection" || len(geo.Features) != 3 {
		t.Fatalf("%v %+v", err, geo)
	}
	if f := geo.Features[2]; f.Geometry.Coordinates != [2]float64{-3.37177, 47.74817} || f.ID != ids["b"].String() || f.Property["nom"] != "Boulangerie" || f.Property["latitude"] != nil {
		t.Errorf("as GeoJSON: %+v", f)
	}
	empty := write(t, data, opendata.GeoJSON, fixture.Hennebont)
	if err := json.Unmarshal([]byte(empty), &geo); err != nil || len(geo.Features) != 0 {
		t.Errorf("a commune without shops: %s", empty)
	}
}

// No cell is a formula to a spreadsheet, whatever a merchant writes; and no text loses anything to
// a reader of CSV that takes the apostrophe off.
func TestNoFormulaInCSV(t *testing.T) {
	t.Parallel()
	d, ids := world(t)
	data := newData(d)
	hostile := []string{
		`=cmd|' /C calc'!A0`, `+1+1`, `-2+3`, `@SUM(1;2)`, "\t=1", "\r=1", "=HYPERLINK(\"http://x\")", `"=1+1`, "%0a=1", "a,b;c", "Aux \"Deux\" Frères", "|calc",
	}
	for _, text := range hostile {
		d.Exec(t, `update shops set name = $2, street = $2, city = $2, services = array[$2] where id = $1`, ids["b"].Row, text)
		records, err := csv.NewReader(strings.NewReader(write(t, data, opendata.CSV, fixture.Lorient))).ReadAll()
		if err != nil || len(records) != 3 {
			t.Fatalf("%q breaks the file: %v", text, err)
		}
		for i, cell := range records[2] {
			name := records[0][i]
			if cell != "" && strings.ContainsRune("=+-@\t\r\n|%", rune(cell[0])) && name != "longitude" && name != "telephone" {
				t.Errorf("%s is %q", name, cell)
			}
			want := strings.ReplaceAll(text, "\r\n", "\n")
			if name == "nom" && strings.TrimPrefix(cell, "'") != want {
				t.Errorf("%q became %q", want, cell)
			}
		}
	}
}

// The pages of a list meet: more shops than are in memory at a time, each once.
func TestManyShops(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	shop := fixture.Shop(t, d, fixture.ShopOpts{})
	d.Exec(t, `insert into shops (commune_id, id, slug, name, category_id, naf_code, naf_version, siret, status, street, postcode, city, latitude, longitude, created_at, updated_at)
		select c.insee, gen_random_uuid(), 's-' || n, 'Boutique ' || n, 'librairie', '47.61Z', 'REV2', lpad((10000 + row_number() over ())::text, 14, '0'), 'PUBLISHED', '1 rue du Port', '56100', c.name, 47.7, -3.3, now(), now()
		from communes c, generate_series(1, 50) n`)
	records, err := csv.NewReader(strings.NewReader(write(t, newData(d), opendata.CSV, ""))).ReadAll()
	seen := map[string]bool{}
	for _, r := range records {
		seen[r[0]] = true
	}
	if err != nil || len(records) != 1+1+25*50 || len(seen) != len(records) || !seen[shop.String()] {
		t.Errorf("%d records, %d of them different, %v", len(records), len(seen), err)
	}
}

func TestCard(t *testing.T) {
	t.Parallel()
	d, ids := world(t)
	data := newData(d)
	d.Exec(t, `update shops set name = 'Chez </script><b>Ève', website = 'https://b.example' where id = $1`, ids["b"].Row)
	card, err := data.Card(t.Context(), "https://marche.example", "lorient", "b")
	if err != nil {
		t.Fatal(err)
	}
	var thing map[string]any
	if err := json.Unmarshal(card.JSONLD, &thing); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]any{
		"@context": "https://schema.org", "@type": "Store", "@id": "https://marche.example/boutique/lorient/b", "name": "Chez </script><b>Ève", "telephone": "+33261910000", "sameAs": "https://b.example",
	} {
		if thing[name] != want {
			t.Errorf("%s is %v, want %v", name, thing[name], want)
		}
	}
	if bytes.Contains(card.JSONLD, []byte("<")) {
		t.Error("the JSON may end the script element that it stands in")
	}
	if hours := fmt.Sprint(thing["openingHoursSpecification"]); !strings.Contains(hours, "Monday") || !strings.Contains(hours, "09:30") {
		t.Errorf("hours: %s", hours)
	}
	for _, slug := range []string{"draft", "suspended", "pending", "none", "groix"} {
		if _, err := data.Card(t.Context(), "https://marche.example", "lorient", slug); err == nil {
			t.Errorf("the shop %s has a card", slug)
		}
	}
}
