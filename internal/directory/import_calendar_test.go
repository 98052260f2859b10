package directory_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/intake"
	"github.com/audelor/halles/internal/pg/pgtest"
)

// served is what the calendar makes of the shops: their hours, holidays, modes and spans.
func (b *shopImporter) served(t *testing.T) []string {
	t.Helper()
	rows, err := b.Migrate.Query(t.Context(), `
		select concat_ws('|', s.siret, 'hours', h.weekday, h.opens, h.closes, h.published) from opening_hours h join shops s on s.id = h.shop_id
		union all select concat_ws('|', s.siret, 'holiday', h.holiday, h.published) from holiday_openings h join shops s on s.id = h.shop_id
		union all select concat_ws('|', s.siret, 'mode', f.mode, f.lead_minutes, f.slot_minutes, f.minimum_cents, f.fee_cents, f.perimeter_m, f.cut_off, f.slot_capacity, f.published)
			from fulfilments f join shops s on s.id = f.shop_id
		union all select concat_ws('|', s.siret, 'span', o.mode, o.starts_at, o.ends_at, o.published) from opening_spans o join shops s on s.id = o.shop_id
		order by 1`)
	if err != nil {
		t.Fatal(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return list
}

const hoursHead = "SIRET;Enseigne;Catégorie;APE;Rue;CP;Latitude;Longitude;Horaires d'ouverture;Dimanche;Jours fériés;Modes de retrait;Délai;Livraison km;Frais de livraison;Minimum de livraison"

// hoursLine is a new shop with what a test says of hours and modes.
func hoursLine(n int, cells ...string) string {
	line := fmt.Sprintf("%s;Boutique %d;librairie;47.61Z;%d rue du Port;56100;47,7485;-3,3667;", siretNumber(n), n, n)
	return line + strings.Join(append(cells, make([]string, 8-len(cells))...), ";")
}

// A file may say when shops are open and how they hand orders over. The dry run tells it in the
// words of the file, the calendar follows in the same step, and an undo gives back what no column
// says: here a slot's capacity.
func TestShopsImportSetsHoursAndModes(t *testing.T) {
	t.Parallel()
	b := newShopImporter(t)
	old := fixture.Shop(t, b.Database, fixture.ShopOpts{Name: "Librairie du Port", Modes: []directory.FulfilmentMode{directory.Pickup}})
	b.Exec(t, `update shops set siret = $2 where id = $1`, old.Row, siretNumber(1))
	b.Exec(t, `delete from opening_hours where shop_id = $1`, old.Row)
	b.Exec(t, `insert into opening_hours (commune_id, shop_id, weekday, opens, closes) values ($1, $2, 6, 540, 720), ($1, $2, 1, 600, 1080)`, fixture.Lorient, old.Row)
	b.Exec(t, `insert into holiday_openings (commune_id, shop_id, holiday) values ($1, $2, 'CHRISTMAS')`, fixture.Lorient, old.Row)
	b.Exec(t, `update fulfilments set slot_capacity = 7, lead_minutes = 30, minimum_cents = 0, cut_off = null where shop_id = $1`, old.Row)
	d := &directory.Directory{DB: b.Database.DB, Communes: b.Communes}
	if err := d.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	rows, before := b.rows(t), b.served(t)
	// Of the old shop the Sunday, a holiday and delivery; all of a new one, and of another the week.
	lines := []string{
		hoursHead,
		string(siretNumber(1)) + ";;;;;;;;;18h-2h;8 mai, Noël;retrait, livraison;;2,5;3,50 €;20",
		hoursLine(2, `"Lu-Ve 9h-12h30, 14h-19h; Sa 9h-13h"`, "", "aucun", "Click & Collect", "120"),
		hoursLine(3, `"Mo-Sa 09:30-19:00; PH off"`, "10h–12h"),
	}
	dry := b.file(t, true, lines...)
	if dry.Status != intake.Checked || cmp.Diff(before, b.served(t)) != "" {
		t.Fatalf("the dry run is %s: %v; it changed %s", dry.Status, dry.Issues, cmp.Diff(before, b.served(t)))
	}
	told := b.diff(t, dry)
	for _, want := range []string{`
    dimanche: fermé → 18h-2h
    jours_feries: Noël → Noël, victoire de 1945
    modes: retrait (30 min) → retrait (30 min), livraison (60 min, 2,5 km, frais 3,50 €, minimum 20,00 €)
`, `
    lundi: ∅ → 9h-12h30, 14h-19h
    mardi: ∅ → 9h-12h30, 14h-19h
    mercredi: ∅ → 9h-12h30, 14h-19h
    jeudi: ∅ → 9h-12h30, 14h-19h
    vendredi: ∅ → 9h-12h30, 14h-19h
    samedi: ∅ → 9h-13h
    dimanche: ∅ → fermé
    jours_feries: ∅ → aucun
    modes: ∅ → retrait (120 min)
`, `
    samedi: ∅ → 9h30-19h
    dimanche: ∅ → 10h-12h
    jours_feries: ∅ → aucun
`} {
		if !strings.Contains(strings.ReplaceAll(told, "\u00a0", " "), want) {
			t.Errorf("the dry run lacks %s\n%s", want, told)
		}
	}
	done := b.file(t, false, lines...)
	if done.Status != intake.Applied || b.diff(t, done) != told {
		t.Fatalf("the import is %s: %v; what was done is not what was said:\n%s", done.Status, done.Issues, cmp.Diff(told, b.diff(t, done)))
	}
	after := b.served(t)
	for _, want := range []string{"1|540|750|f", "7|1080|1560|t", "CHRISTMAS|t", "VICTORY_DAY|t", "PICKUP|30|30|0|0|7|t", "DELIVERY|60|30|2000|350|2500|t", "PICKUP|120|30|0|0|f"} {
		if !strings.Contains(strings.Join(after, "\n")+"\n", "|"+want+"\n") {
			t.Errorf("there is no %s:\n%s", want, strings.Join(after, "\n"))
		}
	}
	// The calendar's spans are those that it would write now.
	if err := d.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(b.served(t), after); diff != "" {
		t.Errorf("the spans are not the calendar's (- want, + got):\n%s", diff)
	}
	if again := b.file(t, false, lines...); again.Status != intake.Applied || again.CreatedCount+again.ChangedCount != 0 {
		t.Errorf("again it %s: %s", again.Status, b.diff(t, again))
	}
	im, refused, err := b.Undo(t.Context(), b.agent, done.ID(), nil)
	if err != nil || refused != nil || im.Status != intake.Undone || im.LeftCount != 0 {
		t.Fatalf("undo: %+v %v %v", im, refused, err)
	}
	if diff := cmp.Diff(before, b.served(t)) + cmp.Diff(rows, b.rows(t)); diff != "" {
		t.Errorf("not as it was:\n%s", diff)
	}
}

// Hours or modes that somebody has set since are left by an undo, as all else.
func TestShopsImportUndoneLeavesHoursSetSince(t *testing.T) {
	t.Parallel()
	b := newShopImporter(t)
	done := b.file(t, false, hoursHead, hoursLine(1, "9h-12h"), hoursLine(2, "9h-12h"), hoursLine(3, "9h-12h", "", "", "retrait"), hoursLine(4, "9h-12h", "", "", "retrait"))
	if done.Status != intake.Applied {
		t.Fatal(done.Issues)
	}
	b.Exec(t, `update opening_hours h set closes = 780 from shops s where s.id = h.shop_id and s.name = 'Boutique 1' and h.weekday = 3`)
	b.Exec(t, `update fulfilments f set slot_capacity = 5 from shops s where s.id = f.shop_id and s.name = 'Boutique 3'`)
	im, _, err := b.Undo(t.Context(), b.agent, done.ID(), nil)
	if err != nil || im.DoneCount != 2 || im.LeftCount != 2 {
		t.Errorf("%+v %v", im, err)
	}
	if left := pgtest.Scan[string](t, b.Database, `select string_agg(name::text collate "C", ', ' order by name) from shops`); left != "Boutique 1, Boutique 3" {
		t.Errorf("left: %s", left)
	}
}

// Hours and modes that are wrong change nothing, and the report says in which cell.
func TestBrokenHoursChangeNothing(t *testing.T) {
	t.Parallel()
	b := newShopImporter(t)
	old := fixture.Shop(t, b.Database, fixture.ShopOpts{Name: "Bar du Port", Modes: []directory.FulfilmentMode{directory.Pickup}})
	b.Exec(t, `update shops set siret = $2 where id = $1`, old.Row, siretNumber(1))
	b.Exec(t, `delete from opening_hours where shop_id = $1`, old.Row)
	b.Exec(t, `insert into opening_hours (commune_id, shop_id, weekday, opens, closes) values ($1, $2, 1, 60, 720), ($1, $2, 6, 1200, 1560)`, fixture.Lorient, old.Row)
	before := b.served(t)
	bar := func(cells string) string { return string(siretNumber(1)) + ";;;;;;;;" + cells }
	for name, c := range map[string]struct{ line, want string }{
		"NoRule":               {hoursLine(2, "sur rendez-vous"), "ligne 2, colonne « Horaires d'ouverture » :"},
		"ADate":                {hoursLine(2, `"Lu 9h-12h; 2026 Dec 24 off"`), "n'écrivez ici que la semaine habituelle"},
		"TwoAtOnce":            {hoursLine(2, "Lu 9h-12h, 11h-14h"), "Les ouvertures du lundi se chevauchent"},
		"NoTime":               {hoursLine(2, "", "9 déc."), "ligne 2, colonne « Dimanche » :"},
		"IntoTheNextDay":       {hoursLine(2, "Lu-Sa 0h30-12h", "20h-2h"), "ligne 2, colonne « dimanche » : La dernière ouverture du dimanche finit après le début de celle du lundi."},
		"IntoADayThatIsThere":  {bar(";20h-2h;;;;;;"), "ligne 2, colonne « dimanche » : La dernière ouverture du dimanche finit après le début de celle du lundi."},
		"OutOfADayThatIsThere": {bar(";1h-3h;;;;;;"), "ligne 2, colonne « dimanche » : La dernière ouverture du samedi finit après le début de celle du dimanche."},
		"NoHoliday":            {hoursLine(2, "", "", "29 février"), "ligne 2, colonne « Jours fériés » :"},
		"NoMode":               {hoursLine(2, "", "", "", "retrait, drone"), `ligne 2, colonne « Modes de retrait » : "drone" n'est pas un mode`},
		"DeliveryHowFar":       {hoursLine(2, "", "", "", "livraison"), "ligne 2, colonne « livraison_km » : Une boutique qui livre dit jusqu'où"},
		"NoDeliveryButItsFee":  {bar(";;;;;;3 €;"), "ligne 2, colonne « livraison_frais » : La boutique ne livre pas"},
		"NegativeFee":          {hoursLine(2, "", "", "", "livraison", "", "5", "-3"), "ligne 2, colonne « Frais de livraison » :"},
		"DelayWithoutMode":     {hoursLine(2, "", "", "", "", "60"), "ligne 2, colonne « delai » : La boutique ne remet aucune commande"},
		"DelayOfAMonth":        {hoursLine(2, "", "", "", "retrait", "43200"), "ligne 2, colonne « Délai » :"},
		"DeliveryTooFar":       {hoursLine(2, "", "", "", "livraison", "", "500"), "ligne 2, colonne « Livraison km » :"},
	} {
		t.Run(name, func(t *testing.T) {
			im := b.file(t, false, hoursHead, c.line)
			if told := b.diff(t, im); im.Status != intake.Refused || !strings.Contains(told, c.want) {
				t.Errorf("%s, told %s\nwant %q", im.Status, told, c.want)
			}
			if diff := cmp.Diff(before, b.served(t)); diff != "" {
				t.Errorf("changed:\n%s", diff)
			}
		})
	}
}

// The template's own example is a file that imports.
func TestShopsTemplateImports(t *testing.T) {
	t.Parallel()
	b := newShopImporter(t)
	im, err := b.Run(t.Context(), b.agent, strings.NewReader(string(directory.ImportTemplate())),
		intake.Options{Commune: fixture.Lorient, Kind: intake.Shops, FileName: "boutiques.csv"})
	if err != nil || im.Status != intake.Applied || im.CreatedCount != 1 {
		t.Fatalf("%+v %v", im, err)
	}
	if n := len(b.served(t)); n < 30 {
		t.Errorf("%d rows of hours, modes and spans", n)
	}
}
