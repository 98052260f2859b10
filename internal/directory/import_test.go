package directory_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/intake"
	"github.com/audelor/halles/internal/page"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

// shopImporter imports files of shops into Lorient as its agent.
type shopImporter struct {
	*pgtest.Database
	*intake.Intake
	agent *identity.Viewer
}

func newShopImporter(t *testing.T) *shopImporter {
	t.Helper()
	d := pgtest.New(t)
	communes, cursors := tenancy.NewRegister(d.DB), page.NewSealer(fixture.Secret)
	b := &shopImporter{Database: d, Intake: intake.New(d.DB, communes, cursors), agent: fixture.Viewer(t, d, identity.Agent, lorient)}
	b.Steps[intake.Shops] = (&directory.Directory{DB: d.DB, Communes: communes, Cursors: cursors}).ImportSteps
	return b
}

func (b *shopImporter) file(t *testing.T, dry bool, lines ...string) *intake.Import {
	t.Helper()
	im, err := b.Run(t.Context(), b.agent, strings.NewReader(strings.Join(lines, "\n")+"\n"),
		intake.Options{Commune: fixture.Lorient, Kind: intake.Shops, FileName: "boutiques.csv", DryRun: dry})
	if err != nil {
		t.Fatal(err)
	}
	return im
}

// diff is what an import does or what is wrong with it, as a person reads it.
func (b *shopImporter) diff(t *testing.T, im *intake.Import) string {
	t.Helper()
	var s strings.Builder
	fmt.Fprintf(&s, "%d lignes, %d créées, %d modifiées, %d inchangées\n", im.LineCount, im.CreatedCount, im.ChangedCount, im.UnchangedCount())
	for _, issue := range im.Issues {
		fmt.Fprintln(&s, issue)
	}
	if err := b.Each(t.Context(), b.agent, im, func(c *intake.Change) error {
		fmt.Fprintf(&s, "%d %s %s\n", c.Line, c.Kind, c.Label)
		for _, f := range c.Fields() {
			before := "∅"
			if f.Before != nil {
				before = *f.Before
			}
			fmt.Fprintf(&s, "    %s: %s → %s\n", f.Name, before, f.After)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return s.String()
}

// rows are all shops as they are, but for what counts and dates changes, and who holds a SIRET.
func (b *shopImporter) rows(t *testing.T) []string {
	t.Helper()
	rows, err := b.Migrate.Query(t.Context(), `
		select concat_ws('|', s.siret, s.slug, s.name collate "C", s.description, s.category_id, s.naf_code, s.naf_version, s.status, s.street, s.postcode, s.city, s.latitude, s.longitude,
			s.phone, s.email, s.website, s.services, s.accessibility, s.sales_area_m2, s.headcount, (select count(*) from siret_holders h where h.siret = s.siret and h.holder_id = s.id))
		from shops s union all select 'held ' || count(*) from siret_holders order by 1`)
	if err != nil {
		t.Fatal(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return list
}

const shopHead = "SIRET;Enseigne;Catégorie;APE;Rue;CP;Latitude;Longitude;Tél.;Email;Site;Services;Surface;Emplois"

// A dry run of a file of shops tells exactly what the import then does; the same file again does
// nothing; and undone, every shop is as it was, and its SIRET free.
func TestShopsImportDoesWhatItsDryRunSays(t *testing.T) {
	t.Parallel()
	b := newShopImporter(t)
	old := fixture.Shop(t, b.Database, fixture.ShopOpts{Name: "Librairie du Port"})
	b.Exec(t, `update shops set siret = $2 where id = $1`, old.Row, siretNumber(1))
	before := b.rows(t)
	lines := []string{
		shopHead,
		string(siretNumber(1)) + ";Librairie des Quais;;;;;;;02 97 00 00 01;;;;;4",
		string(siretNumber(2)) + ";Crêperie du Port;creperie;5610A;3 quai des Indes;56100;47,7485;-3,3667;;bonjour@creperie.example;https://creperie.example;gift-wrap, parking;80,0;3",
		string(siretNumber(3)) + ";Crêperie du Port;creperie;56.10A;4 quai des Indes;56100;47,7485;-3,3667;;;;;;",
	}
	dry := b.file(t, true, lines...)
	if dry.Status != intake.Checked || cmp.Diff(before, b.rows(t)) != "" {
		t.Fatalf("the dry run is %s: %v; it changed %s", dry.Status, dry.Issues, cmp.Diff(before, b.rows(t)))
	}
	want := fmt.Sprintf(`3 lignes, 2 créées, 1 modifiées, 0 inchangées
2 CHANGED Librairie du Port (%[1]s)
    nom: Librairie du Port → Librairie des Quais
    telephone: +33261910000 → +33297000001
    effectif:  → 4
3 CREATED Crêperie du Port (%[2]s)
    siret: ∅ → %[2]s
    nom: ∅ → Crêperie du Port
    adresse_web: ∅ → creperie-du-port
    categorie: ∅ → creperie
    naf: ∅ → 56.10A
    adresse: ∅ → 3 quai des Indes
    code_postal: ∅ → 56100
    ville: ∅ → Lorient
    latitude: ∅ → 47,7485
    longitude: ∅ → -3,3667
    courriel: ∅ → bonjour@creperie.example
    site: ∅ → https://creperie.example
    services: ∅ → gift-wrap, parking
    surface: ∅ → 80
    effectif: ∅ → 3
4 CREATED Crêperie du Port (%[3]s)
    siret: ∅ → %[3]s
    nom: ∅ → Crêperie du Port
    adresse_web: ∅ → creperie-du-port-%[3]s
    categorie: ∅ → creperie
    naf: ∅ → 56.10A
    adresse: ∅ → 4 quai des Indes
    code_postal: ∅ → 56100
    ville: ∅ → Lorient
    latitude: ∅ → 47,7485
    longitude: ∅ → -3,3667
`, siretNumber(1), siretNumber(2), siretNumber(3))
	if diff := cmp.Diff(want, b.diff(t, dry)); diff != "" {
		t.Errorf("the dry run says (- want, + got):\n%s", diff)
	}
	done := b.file(t, false, lines...)
	if done.Status != intake.Applied {
		t.Fatalf("the import is %s: %v", done.Status, done.Issues)
	}
	if diff := cmp.Diff(b.diff(t, dry), b.diff(t, done)); diff != "" {
		t.Errorf("what was done is not what was said:\n%s", diff)
	}
	after := b.rows(t)
	if n := pgtest.Scan[string](t, b.Database, `select concat_ws(' ', count(*) filter (where status = 'PENDING'), count(*) filter (where status = 'PUBLISHED'),
		(select count(*) from shop_steps where kind = 'VERIFIED' and actor = 'AGENT')) from shops`); n != "2 1 2" {
		t.Errorf("pending, published, steps: %s", n)
	}
	if again := b.file(t, false, lines...); again.Status != intake.Applied || again.CreatedCount+again.ChangedCount != 0 || cmp.Diff(after, b.rows(t)) != "" {
		t.Errorf("again it %s: %s", again.Status, b.diff(t, again))
	}
	im, refused, err := b.Undo(t.Context(), b.agent, done.ID(), nil)
	if err != nil || refused != nil || im.Status != intake.Undone || im.LeftCount != 0 {
		t.Fatalf("undo: %+v %v %v", im, refused, err)
	}
	if diff := cmp.Diff(before, b.rows(t)); diff != "" {
		t.Errorf("not as it was:\n%s", diff)
	}
	b.file(t, false, lines...)
	if diff := cmp.Diff(after, b.rows(t)); diff != "" {
		t.Errorf("after undo and import:\n%s", diff)
	}
}

// What somebody has done with a shop since is left by an undo, and listed.
func TestShopsImportUndoneLeavesWhatIsUsed(t *testing.T) {
	t.Parallel()
	b := newShopImporter(t)
	line := func(n int) string {
		return fmt.Sprintf("%s;Boutique %d;librairie;47.61Z;%d rue du Port;56100;47,7485;-3,3667;;;;;;", siretNumber(n), n, n)
	}
	done := b.file(t, false, shopHead, line(1), line(2), line(3), line(4))
	b.Exec(t, `update shops set status = 'PUBLISHED' where name = 'Boutique 2'`)
	b.Exec(t, `update shops set phone = '+33297000000', version = version + 1 where name = 'Boutique 3'`)
	b.Exec(t, `insert into opening_hours (commune_id, shop_id, weekday, opens, closes) select commune_id, id, 1, 540, 720 from shops where name = 'Boutique 4'`)
	im, _, err := b.Undo(t.Context(), b.agent, done.ID(), nil)
	if err != nil || im.DoneCount != 1 || im.LeftCount != 3 {
		t.Errorf("%+v %v", im, err)
	}
	if left := pgtest.Scan[string](t, b.Database, `select string_agg(name::text collate "C", ', ' order by name) from shops`); left != "Boutique 2, Boutique 3, Boutique 4" {
		t.Errorf("left: %s", left)
	}
}

// A file of shops that is wrong somewhere changes nothing, and says where.
func TestBrokenShopsChangeNothing(t *testing.T) {
	t.Parallel()
	b := newShopImporter(t)
	elsewhere := fixture.Shop(t, b.Database, fixture.ShopOpts{Commune: fixture.Groix})
	b.Exec(t, `update shops set siret = $2 where id = $1`, elsewhere.Row, siretNumber(7))
	dossier, err := newRegistrations(b.Database).Start(t.Context(), fixture.Viewer(t, b.Database, identity.Hotline, lorient), directory.StartRegistrationInput{Commune: lorient, Answers: complete(8)})
	if err != nil || dossier.Registration == nil {
		t.Fatal(dossier, err)
	}
	before := b.rows(t)
	good := func(n int) string {
		return fmt.Sprintf("%s;Boutique %d;librairie;47.61Z;%d rue du Port;56100;47,7485;-3,3667;;;;;;", siretNumber(n), n, n)
	}
	with := func(column int, cell string) string {
		cells := strings.Split(good(1), ";")
		cells[column] = cell
		return strings.Join(cells, ";")
	}
	for name, c := range map[string]struct {
		lines []string
		want  string
	}{
		"SiretMissing":        {[]string{shopHead, with(0, "")}, "ligne 2, colonne « SIRET » : Le SIRET manque"},
		"SiretAsANumber":      {[]string{shopHead, with(0, "7,3283E+13")}, "mettez la colonne au format texte"},
		"SiretOfZeros":        {[]string{shopHead, with(0, "00000000000000")}, "n'est pas un SIRET"},
		"SiretTwice":          {[]string{shopHead, good(1), good(2), good(1)}, "ligne 4, colonne « siret » : Le SIRET " + string(siretNumber(1)) + " est déjà à la ligne 2"},
		"HeldElsewhere":       {[]string{shopHead, good(1), good(7)}, "ligne 3, colonne « siret » : Le SIRET " + string(siretNumber(7)) + " est celui d'une boutique d'une autre commune"},
		"HeldByADossier":      {[]string{shopHead, good(8)}, "Le numéro vert"},
		"NewWithoutName":      {[]string{shopHead, with(1, "")}, "ligne 2, colonne « nom » : Le SIRET"},
		"NewWithoutPoint":     {[]string{shopHead, strings.Replace(good(1), "47,7485;-3,3667", ";", 1)}, "ligne 2, colonne « latitude »"},
		"HalfAPoint":          {[]string{shopHead, with(7, "")}, "vont ensemble"},
		"NotOnEarth":          {[]string{shopHead, with(6, "97,7")}, "ligne 2, colonne « Latitude »"},
		"NoSuchCategory":      {[]string{shopHead, with(2, "licornes")}, "ligne 2, colonne « Catégorie » : Aucune catégorie"},
		"Naf":                 {[]string{shopHead, with(3, "47")}, "ligne 2, colonne « APE »"},
		"Postcode":            {[]string{shopHead, with(5, "5610")}, "ligne 2, colonne « CP »"},
		"Phone":               {[]string{shopHead, with(8, "12")}, "ligne 2, colonne « Tél. »"},
		"Email":               {[]string{shopHead, with(9, "a@b")}, "ligne 2, colonne « Email »"},
		"Website":             {[]string{shopHead, with(10, "javascript:alert(1)")}, "ligne 2, colonne « Site »"},
		"Services":            {[]string{shopHead, with(11, "Cadeau!")}, "ligne 2, colonne « Services »"},
		"NegativeArea":        {[]string{shopHead, with(12, "-3")}, "ligne 2, colonne « Surface »"},
		"HalfAJob":            {[]string{shopHead, with(13, "1,5")}, "ligne 2, colonne « Emplois »"},
		"NameTooLong":         {[]string{shopHead, with(1, strings.Repeat("x", 201))}, "201 caractères"},
		"OneWrongAmongGood":   {[]string{shopHead, good(1), good(2), strings.Replace(good(3), ";56100;", ";abc;", 1)}, "ligne 4, colonne « CP »"},
		"UnknownColumn":       {[]string{"SIRET;Chiffre d'affaires", "x;1"}, "Cette colonne n'est pas connue"},
		"NoSiretColumn":       {[]string{"Enseigne;CP", "x;56100"}, "Il manque la colonne siret"},
		"Binary":              {[]string{"PK\x03\x04"}, "classeur"},
		"QuoteNotClosed":      {[]string{shopHead, with(1, `"Boutique`)}, "Un guillemet ouvert n'est pas refermé"},
		"HeadingsOnly":        {[]string{shopHead}, "il n'y a rien à importer"},
		"LineOfAMegabyte":     {[]string{shopHead, with(1, strings.Repeat("x", 1<<20))}, "Cette ligne dépasse"},
		"ControlInTheStreet":  {[]string{shopHead, with(4, "3 rue\x07")}, "caractère de contrôle"},
		"AFormulaIsJustAName": {[]string{shopHead, with(1, "=1+1"), with(0, "x")}, "ligne 3"},
	} {
		t.Run(name, func(t *testing.T) {
			im := b.file(t, false, c.lines...)
			if told := b.diff(t, im); im.Status != intake.Refused || !strings.Contains(told, c.want) {
				t.Errorf("%s, told %s\nwant %q", im.Status, told, c.want)
			}
			if diff := cmp.Diff(before, b.rows(t)); diff != "" {
				t.Errorf("changed:\n%s", diff)
			}
		})
	}
}

// Agents import shops into their commune, admins and the platform into any; nobody else does.
func TestWhoMayImportShops(t *testing.T) {
	t.Parallel()
	b := newShopImporter(t)
	shop := fixture.Shop(t, b.Database, fixture.ShopOpts{})
	for n, c := range []struct {
		v    *identity.Viewer
		want fault.Kind
	}{
		{fixture.Viewer(t, b.Database, identity.Visitor), fault.Unauthenticated},
		{fixture.Viewer(t, b.Database, identity.Customer), fault.Forbidden},
		{fixture.Viewer(t, b.Database, identity.Hotline, lorient), fault.Forbidden},
		{fixture.Viewer(t, b.Database, identity.Merchant, shop), fault.Forbidden},
		{fixture.Viewer(t, b.Database, identity.Agent, groix), fault.Forbidden},
		{b.agent, ""},
		{fixture.Viewer(t, b.Database, identity.Admin), ""},
		{identity.Platform([]string{fixture.Lorient}), ""},
	} {
		file := fmt.Sprintf("%s\n%s;Boutique %d;librairie;47.61Z;3 rue du Port;56100;47,7485;-3,3667;;;;;;\n", shopHead, siretNumber(n), n)
		im, err := b.Run(t.Context(), c.v, strings.NewReader(file), intake.Options{Commune: fixture.Lorient, Kind: intake.Shops, FileName: "x.csv"})
		if f := fault.Of(err); c.want != "" && (f == nil || f.Kind != c.want) || c.want == "" && (err != nil || im.Status != intake.Applied) {
			t.Errorf("%s: %+v %v, want %q", c.v.Kind, im, err, c.want)
		}
	}
}

// A SIRET that somebody else gets between the plan and its execution ends the import, and what it
// had changed is put back.
func TestShopsImportLosesARaceWhole(t *testing.T) {
	t.Parallel()
	b := newShopImporter(t)
	old := fixture.Shop(t, b.Database, fixture.ShopOpts{Name: "Librairie du Port"})
	b.Exec(t, `update shops set siret = $2 where id = $1`, old.Row, siretNumber(1))
	steps := b.Steps[intake.Shops]
	b.Steps[intake.Shops] = func(ctx context.Context, tx pgx.Tx, v *identity.Viewer, commune string) (*intake.Steps, error) {
		s, err := steps(ctx, tx, v, commune)
		if err != nil {
			return nil, err
		}
		lock := s.Lock
		s.Lock = func(ctx context.Context, tx pgx.Tx, im *intake.Import, lines []int) error {
			if pgtest.Scan[int](t, b.Database, `select count(*) from siret_holders where siret = $1`, siretNumber(2)) == 0 {
				rival := fixture.Shop(t, b.Database, fixture.ShopOpts{Commune: fixture.Groix, Name: "Rivale"})
				b.Exec(t, `update shops set siret = $2 where id = $1`, rival.Row, siretNumber(2))
			}
			return lock(ctx, tx, im, lines)
		}
		return s, nil
	}
	im := b.file(t, false, shopHead, string(siretNumber(1))+";Librairie des Quais;;;;;;;;;;;;",
		fmt.Sprintf("%s;Boutique;librairie;47.61Z;3 rue du Port;56100;47,7485;-3,3667;;;;;;", siretNumber(2)))
	if im.Status != intake.Failed || im.IssueCount != 1 {
		t.Errorf("it is %s: %v", im.Status, im.Issues)
	}
	if names := pgtest.Scan[string](t, b.Database, `select string_agg(name::text collate "C", ', ' order by name) from shops`); names != "Librairie du Port, Rivale" {
		t.Errorf("left: %s", names)
	}
	if _, err := b.ByID(t.Context(), fixture.Viewer(t, b.Database, identity.Agent, groix), im.ID()); !errors.Is(err, fault.NotFound) {
		t.Errorf("another commune's agent finds it: %v", err)
	}
}
