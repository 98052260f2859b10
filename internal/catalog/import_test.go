package catalog_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/catalog"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/intake"
	"github.com/audelor/halles/internal/page"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

func newIntake(d *pgtest.Database) *intake.Intake {
	communes, cursors := tenancy.NewRegister(d.DB), page.NewSealer(make([]byte, 32))
	in := intake.New(d.DB, communes, cursors)
	c := catalog.New(d.DB, communes, cursors)
	c.MakeAtOnce(2) // so that several statements make what is new
	in.Steps[intake.Products] = c.ImportSteps
	return in
}

// importer is a shop with some articles, and its merchant.
type importer struct {
	*pgtest.Database
	*intake.Intake
	shop     tenancy.ID
	merchant *identity.Viewer
}

func newImporter(t *testing.T) *importer {
	t.Helper()
	d := pgtest.New(t)
	b := &importer{Database: d, Intake: newIntake(d), shop: fixture.Shop(t, d, fixture.ShopOpts{})}
	b.merchant = fixture.Viewer(t, d, identity.Merchant, b.shop)
	return b
}

// article makes a product with one variant, whose code is given.
func (b *importer) article(t *testing.T, sku string, o fixture.ProductOpts) tenancy.ID {
	t.Helper()
	p := fixture.Product(t, b.Database, b.shop, o)
	b.Exec(t, `update variants set sku = $2 where id = $1`, p.Variants[0].Row, sku)
	return p.Variants[0]
}

// articles makes n articles "PREFIX-1" and so on, 12,90 € and 10 in stock, and returns the last.
func (b *importer) articles(t *testing.T, prefix string, n int) tenancy.ID {
	t.Helper()
	b.Exec(t, `
		insert into products (commune_id, id, shop_id, slug, name, category_id, status, published, created_at, updated_at)
		select $1, gen_random_uuid(), $2, lower($3) || '-' || n, 'Produit ' || n, 'librairie', 'ACTIVE', false, now(), now() from generate_series(1, $4) n`,
		b.shop.Commune, b.shop.Row, prefix, n)
	b.Exec(t, `insert into variants (commune_id, id, product_id, shop_id, position, sku, price_cents, vat_rate, stock, published)
		select commune_id, gen_random_uuid(), id, shop_id, 0, upper(slug), 1290, 550, 10, published from products`)
	b.Exec(t, `insert into stock_moves (commune_id, id, variant_id, kind, quantity, at) select commune_id, gen_random_uuid(), id, 'RECEIVED', 10, now() from variants`)
	b.Exec(t, `analyze products, variants, stock_moves`) // as in a database older than a moment
	return tenancy.RowID(tenancy.KindVariant, b.shop.Commune, pgtest.Scan[uuid.UUID](t, b.Database, `select id from variants order by id desc limit 1`))
}

func (b *importer) file(t *testing.T, dry bool, lines ...string) *intake.Import {
	t.Helper()
	im, err := b.Run(t.Context(), b.merchant, strings.NewReader(strings.Join(lines, "\n")+"\n"),
		intake.Options{Commune: b.shop.Commune, Kind: intake.Products, FileName: "articles.csv", DryRun: dry})
	if err != nil {
		t.Fatal(err)
	}
	return im
}

// diff is what an import does, row by row, as a person reads it.
func (b *importer) diff(t *testing.T, im *intake.Import) string {
	t.Helper()
	var s strings.Builder
	fmt.Fprintf(&s, "%d lignes, %d créées, %d modifiées, %d inchangées\n", im.LineCount, im.CreatedCount, im.ChangedCount, im.UnchangedCount())
	for _, issue := range im.Issues {
		fmt.Fprintln(&s, issue)
	}
	err := b.Each(t.Context(), b.merchant, im, func(c *intake.Change) error {
		fmt.Fprintf(&s, "%d %s %s", c.Line, c.Kind, c.Label)
		for _, f := range c.Fields() {
			before := "∅"
			if f.Before != nil {
				before = fmt.Sprintf("%q", *f.Before)
			}
			fmt.Fprintf(&s, "\n    %s: %s → %q", f.Name, before, f.After)
		}
		s.WriteString("\n")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return s.String()
}

// rows are the shop's articles as they are, but for what counts and dates changes.
func (b *importer) rows(t *testing.T) []string {
	t.Helper()
	rows, err := b.Migrate.Query(t.Context(), `
		select concat_ws('|', v.id, v.sku, p.id, p.slug, p.name, p.description, p.category_id, p.status, p.published, v.position, v.option_name, v.option_value,
			v.price_cents, v.vat_rate, v.stock, v.published, (select sum(quantity) from stock_moves m where m.variant_id = v.id))
		from variants v join products p on p.id = v.product_id order by v.sku, v.id`)
	if err != nil {
		t.Fatal(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if os.Getenv("HALLES_UPDATE") != "" {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (- want, + got; HALLES_UPDATE=1 writes it anew):\n%s", name, diff)
	}
}

var mixed = []string{
	"Réf;Produit;Nom;Description;Catégorie;Option;Valeur;Prix TTC;TVA;Stock;Statut",
	"OLD-1;;Un livre;;;;;13,50 €;5,5 %;10;",
	"OLD-2;;;;;;;12,90;;4;",
	"OLD-3;;;;;;;12,90 €;5,5;10;actif",
	"OLD-4;;;;;;;;;;brouillon",
	"NEW-1;;Album Bonne nuit;Pour les petits;;;;7,70 €;5,5 %;25;",
	"NEW-2;marinière;Marinière;Rayée;Vêtements femme;Taille;S;49 €;20;3;actif",
	"NEW-3;marinière;;;;Taille;M;49 €;20;;",
	"NEW-4;;Album Bonne nuit;;;;;7,80 €;5,5;1;brouillon",
}

// A dry run tells exactly what the import then does; the same file again does nothing; and undone,
// every row is as it was.
func TestImportDoesWhatItsDryRunSays(t *testing.T) {
	t.Parallel()
	b := newImporter(t)
	for n := 1; n <= 4; n++ {
		b.article(t, fmt.Sprintf("OLD-%d", n), fixture.ProductOpts{Name: fmt.Sprintf("Livre %d", n)})
	}
	before := b.rows(t)
	dry := b.file(t, true, mixed...)
	if dry.Status != intake.Checked || cmp.Diff(before, b.rows(t)) != "" {
		t.Fatalf("the dry run is %s and changed %s", dry.Status, cmp.Diff(before, b.rows(t)))
	}
	golden(t, "import.diff", b.diff(t, dry))
	done := b.file(t, false, mixed...)
	if done.Status != intake.Applied {
		t.Fatalf("the import is %s: %v", done.Status, done.Issues)
	}
	if diff := cmp.Diff(b.diff(t, dry), b.diff(t, done)); diff != "" {
		t.Errorf("what was done is not what was said:\n%s", diff)
	}
	after := b.rows(t)
	golden(t, "import.rows", shape(after))
	t.Run("TwiceIsOnce", func(t *testing.T) {
		again := b.file(t, false, mixed...)
		if again.Status != intake.Applied || again.CreatedCount+again.ChangedCount != 0 || cmp.Diff(after, b.rows(t)) != "" {
			t.Errorf("again it %s: %s\n%s", again.Status, b.diff(t, again), cmp.Diff(after, b.rows(t)))
		}
	})
	t.Run("Undone", func(t *testing.T) {
		im, refused, err := b.Undo(t.Context(), b.merchant, done.ID(), nil)
		if err != nil || refused != nil || im.Status != intake.Undone || im.LeftCount != 0 {
			t.Fatalf("undo: %+v %v %v", im, refused, err)
		}
		var old, made []string
		for _, row := range b.rows(t) {
			if strings.Contains(row, "|OLD-") {
				old = append(old, row)
			} else {
				made = append(made, row)
			}
		}
		if diff := cmp.Diff(before, old); diff != "" {
			t.Errorf("not as it was:\n%s", diff)
		}
		for _, row := range made {
			if !strings.Contains(row, "|ARCHIVED|f|") || !strings.HasSuffix(row, "|0|f|0") && !strings.HasSuffix(row, "|0|f") {
				t.Errorf("made by the import and still there: %s", row)
			}
		}
		if _, refused, err := b.Undo(t.Context(), b.merchant, done.ID(), nil); err != nil || len(refused) != 1 || refused[0].Code != intake.NotApplied {
			t.Errorf("undone twice: %v %v", refused, err)
		}
	})
	t.Run("AndImportedAgainItIsBack", func(t *testing.T) {
		b.file(t, false, mixed...)
		if diff := cmp.Diff(shape(after), shape(b.rows(t))); diff != "" {
			t.Errorf("after undo and import:\n%s", diff)
		}
	})
}

// shape is rows without their keys.
func shape(rows []string) string {
	var s strings.Builder
	for _, row := range rows {
		cells := strings.Split(row, "|")
		cells[0], cells[2] = "", ""
		if strings.HasPrefix(cells[3], "produit-") {
			cells[3] = "produit-n"
		}
		fmt.Fprintln(&s, strings.Join(cells[1:], "|"))
	}
	return s.String()
}

// What was sold or changed since is left as it is and listed; all else is put back.
func TestUndoLeavesWhatWasSoldOrChanged(t *testing.T) {
	t.Parallel()
	b := newImporter(t)
	ids := map[string]tenancy.ID{}
	for _, sku := range []string{"SOLD", "REPRICED", "QUIET"} {
		ids[sku] = b.article(t, sku, fixture.ProductOpts{Name: sku})
	}
	im := b.file(t, false, "reference;nom;prix;tva;stock", "SOLD;;20;;30", "REPRICED;;20;;30", "QUIET;;20;;30", "MADE;Neuf;5;20;3", "MADE-SOLD;Neuf aussi;5;20;3")
	if im.Status != intake.Applied {
		t.Fatalf("%s: %v", im.Status, im.Issues)
	}
	for _, sku := range []string{"SOLD", "MADE-SOLD"} {
		b.Exec(t, `with taken as (update variants set stock = stock - 2 where sku = $1 returning commune_id, id)
			insert into stock_moves (commune_id, id, variant_id, order_id, kind, quantity, at) select commune_id, $2, id, $2, 'ORDERED', -2, now() from taken`, sku, tenancy.NewRow())
	}
	b.Exec(t, `update variants set price_cents = 1999 where sku = 'REPRICED'`)
	im, _, err := b.Undo(t.Context(), b.merchant, im.ID(), nil)
	if err != nil || im.Status != intake.Undone || im.DoneCount != 2 || im.LeftCount != 3 {
		t.Fatalf("%+v %v", im, err)
	}
	left := map[string]intake.ChangeState{}
	if err := b.Each(t.Context(), b.merchant, im, func(c *intake.Change) error { left[c.Label] = c.State; return nil }); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]intake.ChangeState{
		"SOLD": intake.StateLeftSold, "MADE-SOLD": intake.StateLeftSold, "REPRICED": intake.StateLeftChanged, "QUIET": intake.StateUndone, "MADE": intake.StateUndone,
	}, left); diff != "" {
		t.Error(diff)
	}
	for sku, want := range map[string]string{"SOLD": "2000 28", "REPRICED": "1999 30", "QUIET": "1290 10", "MADE": "500 0", "MADE-SOLD": "500 1"} {
		if got := pgtest.Scan[string](t, b.Database, `select price_cents || ' ' || stock from variants where sku = $1`, sku); got != want {
			t.Errorf("%s: price and stock %s, want %s", sku, got, want)
		}
	}
}

// Each file that is wrong is told why, by line and column, and changes nothing.
func TestBrokenFilesChangeNothing(t *testing.T) {
	t.Parallel()
	b := newImporter(t)
	b.article(t, "A", fixture.ProductOpts{Name: "Un livre"})
	p := fixture.Product(t, b.Database, b.shop, fixture.ProductOpts{Name: "Pull", Variants: 2})
	b.Exec(t, `update variants set sku = 'P-' || option_value where product_id = $1`, p.ID.Row)
	slug := pgtest.Scan[string](t, b.Database, `select slug from products where id = $1`, p.ID.Row)
	other := fixture.Shop(t, b.Database, fixture.ShopOpts{Name: "Une autre"})
	foreign := fixture.Shop(t, b.Database, fixture.ShopOpts{Commune: fixture.Groix})
	before := b.rows(t)
	const head = "reference;produit;nom;option;valeur;prix;tva;stock;statut"
	for name, c := range map[string]struct {
		lines []string
		want  string // one of the issues
	}{
		"OnlyHeadings":            {[]string{head}, "que la ligne des titres"},
		"NoReference":             {[]string{head, ";;Livre;;;3;20;1;"}, "ligne 2, colonne « reference » : La référence manque"},
		"NegativePrice":           {[]string{head, "A;;;;;-3;;;"}, "ligne 2, colonne « prix » : Le montant « -3 » est négatif"},
		"NegativeStock":           {[]string{head, "A;;;;;;;-1;"}, "ligne 2, colonne « stock »"},
		"NoSuchRate":              {[]string{head, "A;;;;;;19,6;;"}, "ligne 2, colonne « tva »"},
		"NoSuchStatus":            {[]string{head, "A;;;;;;;;vendu"}, "ligne 2, colonne « statut »"},
		"SameReferenceTwice":      {[]string{head, "A;;;;;3;;;", "A;;;;;4;;;"}, "ligne 3, colonne « reference » : La référence « A » est déjà à la ligne 2"},
		"NewWithoutName":          {[]string{head, "N;;;;;3;20;;"}, "ligne 2, colonne « nom » : La référence « N » est nouvelle"},
		"NewWithoutPrice":         {[]string{head, "N;;Neuf;;;;20;;"}, "ligne 2, colonne « prix »"},
		"NewWithoutRate":          {[]string{head, "N;;Neuf;;;3;;;"}, "ligne 2, colonne « tva »"},
		"TwoNamesOfOneProduct":    {[]string{head, "N;x;Neuf;Taille;S;3;20;;", "M;x;Vieux;Taille;M;3;20;;"}, "ligne 3, colonne « nom » : La ligne 2 donne une autre valeur"},
		"VariantsWithoutOption":   {[]string{head, "N;x;Neuf;;;3;20;;", "M;x;;;;3;20;;"}, "plusieurs déclinaisons"},
		"SameVariantTwice":        {[]string{head, "N;x;Neuf;Taille;S;3;20;;", "M;x;;Taille;S;3;20;;"}, "La déclinaison « S » est déjà à la ligne 2"},
		"VariantThatIsThere":      {[]string{head, "N;" + slug + ";;Taille;36;3;20;;"}, "a déjà la déclinaison « 36 »"},
		"VariantMovesToAnother":   {[]string{head, "P-36;autre;;;;3;20;;"}, "elle ne peut pas changer de produit"},
		"RenamedByANewVariant":    {[]string{head, "N;" + slug + ";Autre nom;Taille;50;3;20;;"}, "existe et a une autre valeur"},
		"OptionWithoutValue":      {[]string{head, "A;;;Taille;;3;;;"}, "L'option et sa valeur vont ensemble"},
		"NoSuchCategory":          {[]string{"reference;categorie", "A;licornes"}, "ligne 2, colonne « categorie » : Aucune catégorie"},
		"AnothersShop":            {[]string{"reference;boutique", "A;" + other.String()}, "ligne 2, colonne « boutique » : Aucune boutique où vous puissiez importer"},
		"AnotherCommunesShop":     {[]string{"reference;boutique", "A;" + foreign.String()}, "Aucune boutique où vous puissiez importer"},
		"NameTooLong":             {[]string{head, "A;;" + strings.Repeat("x", 201) + ";;;3;;;"}, "201 caractères ; 200 au plus"},
		"OneWrongAmongGood":       {[]string{head, "A;;;;;3;;;", "N;;Neuf;;;4;20;1;", "M;;Neuf;;;douze;20;1;"}, "ligne 4, colonne « prix »"},
		"QuoteNotClosed":          {[]string{head, "A;;\"Neuf;;;3;;;", "N;;B;;;3;20;1;"}, "ligne 2 : Un guillemet ouvert n'est pas refermé"},
		"NULs":                    {[]string{head, "A;;\x00;;;3;;;"}, "octets nuls"},
		"UTF16":                   {[]string{"\xff\xfer\x00"}, "UTF-16"},
		"XLSX":                    {[]string{"PK\x03\x04"}, "classeur (.xlsx ou .ods)"},
		"Empty":                   {nil, "Le fichier"},
		"WrongColumn":             {[]string{"reference;prix ht", "A;3"}, "colonne « prix ht » : Cette colonne n'est pas connue"},
		"NoReferenceColumn":       {[]string{"nom;prix", "B;3"}, "Il manque la colonne reference"},
		"ThousandColumns":         {[]string{"reference" + strings.Repeat(";x", 1000), "A"}, "1001 colonnes"},
		"LineOfAMegabyte":         {[]string{head, "A;;" + strings.Repeat("x", 1<<20)}, "ligne 2 : Cette ligne dépasse"},
		"TwoHundredWrong":         {append([]string{head}, strings.Split(strings.Repeat("A;;;;;douze;;;\n", 199)+"A;;;;;douze;;;", "\n")...), "ligne 2, colonne « prix »"},
		"CellsWithoutHeading":     {[]string{head, "A;;;;;3;;;;trop"}, "n'est sous aucun titre"},
		"EncodingChangesHalfWay":  {[]string{head, "A;;é;;;3;;;", "N;;\xe9;;;3;20;1;"}, "pas de l'UTF-8"},
		"ControlCharactersInName": {[]string{head, "A;;a\x07b;;;3;;;"}, "caractère de contrôle"},
	} {
		t.Run(name, func(t *testing.T) {
			im := b.file(t, false, c.lines...)
			told := b.diff(t, im)
			if im.Status != intake.Refused || !strings.Contains(told, c.want) {
				t.Errorf("%s, told %s\nwant %q", im.Status, told, c.want)
			}
			if len(im.Issues) > 100 || im.IssueCount < len(im.Issues) {
				t.Errorf("%d issues listed of %d", len(im.Issues), im.IssueCount)
			}
			if diff := cmp.Diff(before, b.rows(t)); diff != "" {
				t.Errorf("changed:\n%s", diff)
			}
			if n := pgtest.Scan[int](t, b.Database, `select count(*) from import_changes`); n != 0 {
				t.Errorf("%d changes planned", n)
			}
		})
	}
}

// Merchants import for their own shops, agents for their commune, admins everywhere; nobody else.
func TestWhoMayImport(t *testing.T) {
	t.Parallel()
	b := newImporter(t)
	groix := tenancy.ID{Kind: tenancy.KindCommune, Commune: fixture.Groix}
	lorient := tenancy.ID{Kind: tenancy.KindCommune, Commune: fixture.Lorient}
	for name, c := range map[string]struct {
		v    *identity.Viewer
		want fault.Kind
	}{
		"Visitor":           {fixture.Viewer(t, b.Database, identity.Visitor), fault.Unauthenticated},
		"Customer":          {fixture.Viewer(t, b.Database, identity.Customer), fault.Forbidden},
		"Hotline":           {fixture.Viewer(t, b.Database, identity.Hotline), fault.Forbidden},
		"Analyst":           {fixture.Viewer(t, b.Database, identity.Analyst), fault.Forbidden},
		"AgentElsewhere":    {fixture.Viewer(t, b.Database, identity.Agent, groix), fault.Forbidden},
		"MerchantElsewhere": {fixture.Viewer(t, b.Database, identity.Merchant, fixture.Shop(t, b.Database, fixture.ShopOpts{Commune: fixture.Groix})), fault.Forbidden},
		"Merchant":          {b.merchant, ""},
		"Agent":             {fixture.Viewer(t, b.Database, identity.Agent, lorient), ""},
		"Admin":             {fixture.Viewer(t, b.Database, identity.Admin), ""},
		"Platform":          {identity.Platform([]string{fixture.Lorient}), ""},
	} {
		t.Run(name, func(t *testing.T) {
			file := "reference;boutique;nom;prix;tva\n" + name + ";" + b.shop.String() + ";Neuf " + name + ";5;20\n"
			im, err := b.Run(t.Context(), c.v, strings.NewReader(file), intake.Options{Commune: fixture.Lorient, Kind: intake.Products, FileName: "x.csv"})
			if c.want != "" {
				if f := fault.Of(err); f == nil || f.Kind != c.want {
					t.Errorf("got %+v %v, want %s", im, err, c.want)
				}
				return
			}
			if err != nil || im.Status != intake.Applied {
				t.Fatalf("%+v %v", im, err)
			}
			if _, err := b.ByID(t.Context(), fixture.Viewer(t, b.Database, identity.Agent, groix), im.ID()); !errors.Is(err, fault.NotFound) {
				t.Errorf("another commune's agent finds it: %v", err)
			}
			if _, err := b.ByID(t.Context(), b.merchant, im.ID()); (err == nil) != (name == "Merchant") {
				t.Errorf("the merchant finds it: %v", err)
			}
			if _, _, err := b.Undo(t.Context(), c.v, im.ID(), nil); err != nil {
				t.Error(err)
			}
		})
	}
}

// What is sent comes back whole, is its sender's alone, and is gone after a day.
func TestUploads(t *testing.T) {
	t.Parallel()
	b := newImporter(t)
	lorient := tenancy.ID{Kind: tenancy.KindCommune, Commune: fixture.Lorient}
	file := "reference;nom;prix;tva\n"
	for i := range 301 {
		file += fmt.Sprintf("U-%d;Article %d de la liste%s;5;20\n", i, i, strings.Repeat(" bien décrite", 10))
	}
	u, err := b.Receive(t.Context(), b.merchant, lorient, "../../liste\x00.csv", strings.NewReader(file))
	if err != nil || u.Size != len(file) || u.Name != "../../liste.csv" {
		t.Fatalf("%+v %v", u, err)
	}
	if _, err := b.RunUpload(t.Context(), fixture.Viewer(t, b.Database, identity.Merchant, b.shop), u.ID(), intake.Options{Kind: intake.Products}); !errors.Is(err, fault.NotFound) {
		t.Errorf("another merchant of the shop uses it: %v", err)
	}
	for _, dry := range []bool{true, false} {
		im, err := b.RunUpload(t.Context(), b.merchant, u.ID(), intake.Options{Kind: intake.Products, DryRun: dry})
		if err != nil || im.CreatedCount != 301 || im.IssueCount != 0 {
			t.Errorf("%+v %v", im, err)
		}
	}
	if _, err := b.Receive(t.Context(), b.merchant, lorient, "x", strings.NewReader("")); !errors.Is(err, fault.Invalid) {
		t.Errorf("an empty file: %v", err)
	}
	big := &zeros{left: intake.MaxUpload + 1}
	if _, err := b.Receive(t.Context(), b.merchant, lorient, "x", big); !errors.Is(err, fault.Limited) {
		t.Errorf("a file that is too big: %v", err)
	}
	if _, err := b.Receive(t.Context(), b.merchant, lorient, "x", io.MultiReader(strings.NewReader("abc"), failing{})); err == nil {
		t.Error("a sender that goes away has sent a file")
	}
	if n := pgtest.Scan[int](t, b.Database, `select count(*) from uploads`); n != 1 {
		t.Errorf("%d files are kept", n)
	}
	later := newIntake(b.Database)
	later.Now = func() time.Time { return time.Now().Add(25 * time.Hour) }
	if _, err := later.RunUpload(t.Context(), b.merchant, u.ID(), intake.Options{Kind: intake.Products}); !errors.Is(err, fault.NotFound) {
		t.Errorf("the next day: %v", err)
	}
	if err := later.Expire(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := pgtest.Scan[string](t, b.Database, `select concat_ws(' ', (select count(*) from uploads), (select count(*) from upload_chunks), (select count(*) from imports))`); n != "0 0 1" {
		t.Errorf("files, pieces and imports after a day: %s", n)
	}
	for range 20 {
		if _, err := b.Receive(t.Context(), b.merchant, lorient, "x", strings.NewReader("abc")); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.Receive(t.Context(), b.merchant, lorient, "x", strings.NewReader("abc")); !errors.Is(err, fault.Limited) {
		t.Errorf("the twenty-first: %v", err)
	}
}

type zeros struct{ left int }

func (z *zeros) Read(p []byte) (int, error) {
	n := min(len(p), z.left)
	if z.left -= n; n == 0 {
		return 0, io.EOF
	}
	clear(p[:n])
	return n, nil
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("gone") }
