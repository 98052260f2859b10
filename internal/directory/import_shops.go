package directory

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/intake"
	"github.com/audelor/halles/internal/sheet"
	"github.com/audelor/halles/internal/tenancy"
)

// A file of shops has a line for each, which its SIRET names. One that the commune has is that
// shop, and the cells that are filled are its new values; another is a new one, which waits to be
// published as if its dossier had just been verified: an import publishes nothing. A cell that is
// empty, or a column that is not there, changes nothing.
var importColumns = []sheet.Column{
	{Name: "siret", Required: true, Example: "732 829 320 00074", Synonyms: []string{"n° siret", "numéro siret", "no siret"}, Help: "Les 14 chiffres de l'établissement ; ils disent de quelle boutique il s'agit."},
	{Name: "nom", Example: "Crêperie du Port", Synonyms: []string{"enseigne", "nom commercial", "nom de la boutique", "boutique", "commerce"}, Help: "Nécessaire pour une nouvelle boutique ; 200 caractères au plus."},
	{Name: "description", Example: "Galettes de blé noir, à emporter", Synonyms: []string{"présentation"}, Help: "Du texte sans mise en forme."},
	{Name: "categorie", Example: "creperie", Synonyms: []string{"activité", "rayon", "métier"}, Help: "Le nom ou l'adresse web d'une catégorie ; nécessaire pour une nouvelle boutique."},
	{Name: "naf", Example: "56.10A", Synonyms: []string{"ape", "code naf", "code ape"}, Help: "Le code d'activité ; nécessaire pour une nouvelle boutique."},
	{Name: "adresse", Example: "3 quai des Indes", Synonyms: []string{"rue", "voie", "numéro et voie"}, Help: "Le numéro et la voie ; nécessaire pour une nouvelle boutique."},
	{Name: "code_postal", Example: "56100", Synonyms: []string{"cp", "code postal"}, Help: "Cinq chiffres ; celui de la commune à défaut, si elle n'en a qu'un."},
	{Name: "ville", Example: "Lorient", Synonyms: []string{"commune", "localité"}, Help: "Celle de l'adresse ; le nom de la commune à défaut."},
	{Name: "latitude", Example: "47,7485", Synonyms: []string{"lat"}, Help: "Degrés (WGS 84) de la porte ; nécessaire pour une nouvelle boutique."},
	{Name: "longitude", Example: "-3,3667", Synonyms: []string{"lon", "lng", "long"}, Help: "De même."},
	{Name: "telephone", Example: "02 97 12 34 56", Synonyms: []string{"téléphone", "tel"}, Help: "Le numéro que voient les clients."},
	{Name: "courriel", Example: "bonjour@creperie.example", Synonyms: []string{"email", "e-mail", "mail", "adresse électronique"}, Help: "L'adresse que voient les clients."},
	{Name: "site", Example: "https://creperie.example", Synonyms: []string{"site web", "site internet", "url", "web"}, Help: "L'adresse du site, avec https://."},
	{Name: "services", Example: "gift-wrap, parking", Help: "Des mots comme gift-wrap, séparés par des virgules ou des espaces."},
	{Name: "accessibilite", Example: "step-free", Synonyms: []string{"accessibilité"}, Help: "De même, comme step-free."},
	{Name: "surface", Example: "80", Synonyms: []string{"surface de vente", "surface de vente m2", "m2"}, Help: "La surface de vente en m²."},
	{Name: "effectif", Example: "3", Synonyms: []string{"emplois", "salariés"}, Help: "Le nombre d'emplois, le patron compris."},
	{Name: "horaires", Example: "Lu-Ve 9h-12h30, 14h-19h", Synonyms: []string{"horaires d'ouverture", "heures d'ouverture", "opening_hours"}, Help: "La semaine habituelle, ici ou un jour par colonne ; la syntaxe opening_hours d'OpenStreetMap convient aussi. Un jour que la cellule ne nomme pas est fermé."},
	{Name: "lundi", Help: "Les ouvertures du jour, comme 9h-12h30, 14h-19h, ou fermé ; une fin qui n'est pas après le début est le lendemain. L'emporte sur horaires."},
	{Name: "mardi", Help: "De même."},
	{Name: "mercredi", Help: "De même."},
	{Name: "jeudi", Help: "De même."},
	{Name: "vendredi", Help: "De même."},
	{Name: "samedi", Example: "9h-13h", Help: "De même."},
	{Name: "dimanche", Example: "fermé", Help: "De même."},
	{Name: "jours_feries", Example: "8 mai, 11 novembre", Synonyms: []string{"ouvert les jours fériés", "fériés"}, Help: "Les jours fériés où la boutique garde ses horaires, ou tous, ou aucun ; elle est fermée les autres."},
	{Name: "modes", Example: "retrait, livraison", Synonyms: []string{"modes de retrait", "modes de remise", "remise"}, Help: "retrait (ou click & collect), livraison, les deux, ou aucun."},
	{Name: "delai", Example: "60", Synonyms: []string{"délai de préparation", "préparation"}, Help: "Les minutes de la commande à la remise au plus tôt ; 60 à défaut."},
	{Name: "livraison_km", Example: "5", Synonyms: []string{"rayon de livraison", "périmètre de livraison"}, Help: "Jusqu'où la boutique livre, à vol d'oiseau ; nécessaire pour livrer."},
	{Name: "livraison_frais", Example: "3,50 €", Synonyms: []string{"frais de livraison"}, Help: "Les frais d'une livraison ; 0 à défaut."},
	{Name: "livraison_minimum", Example: "20 €", Synonyms: []string{"minimum de livraison"}, Help: "Le montant à partir duquel la boutique livre ; 0 à défaut."},
}

// ImportColumns are the columns of a file of shops.
func ImportColumns() []sheet.Column { return slices.Clone(importColumns) }

// ImportTemplate is an empty file of shops with an example.
func ImportTemplate() []byte { return sheet.Template(importColumns) }

// stagedShops is where the rows of a file wait. What the file gives is kept as the journal keeps
// it, under the names of the columns.
const stagedShops = `create temporary table import_shops (
	line int not null, siret text collate "C" not null, given jsonb not null, slug text collate "C" not null,
	new_shop uuid not null, shop_id uuid
) on commit drop`

var stagedShopFields = []string{"line", "siret", "given", "slug", "new_shop"}

// shopRows reads the rows of one file.
type shopRows struct {
	commune    *tenancy.Commune
	categories map[string]string // slugs by slug and by name
	naf        string            // the nomenclature of codes that are told now
}

// ImportSteps are what an import of shops does, for agents of the commune and admins.
//
// Faults: FORBIDDEN for a merchant.
func (d *Directory) ImportSteps(ctx context.Context, tx pgx.Tx, v *identity.Viewer, commune string) (*intake.Steps, error) {
	if (v.Kind != identity.Agent && v.Kind != identity.Admin) || !v.Serves(commune) {
		return nil, fault.Errorf(fault.Forbidden, "Les agents de la commune et les administrateurs importent des boutiques ; pour inscrire la vôtre, ouvrez un dossier.")
	}
	c, err := d.Communes.ByInsee(ctx, commune)
	if err != nil {
		return nil, err
	}
	rows, err := tx.Query(ctx, `select id, name from categories`)
	if err != nil {
		return nil, err
	}
	s := &shopRows{commune: c, categories: map[string]string{}, naf: nafVersion(d.now())}
	var slug, name string
	if _, err := pgx.ForEachRow(rows, []any{&slug, &name}, func() error {
		s.categories[sheet.Key(slug)], s.categories[sheet.Key(name)] = slug, slug
		return nil
	}); err != nil {
		return nil, err
	}
	w := &shopImport{Directory: d, v: v}
	return &intake.Steps{
		Columns: importColumns, Table: stagedShops, Name: "import_shops", Fields: stagedShopFields, Row: s.row,
		Plan: planShops, Lock: lockShops, Moved: shopsElsewhere, Change: w.change, Create: w.create,
	}, nil
}

// row reads a line. What is wrong with one cell does not hide what is wrong with another.
func (s *shopRows) row(row *sheet.Row, _ func(string) bool) []any {
	given := map[string]any{}
	text := func(column string, most int, lines bool, read func(string) (string, bool), wrong string) {
		value := row.Text(column, most, lines)
		if value == nil {
			return
		}
		if read != nil {
			kept, ok := read(*value)
			if !ok {
				row.Wrong(column, wrong, fault.Shown(*value))
				return
			}
			value = &kept
		}
		given[column] = *value
	}
	siret, ok := ParseSiret(row.Cell("siret"))
	switch {
	case row.Cell("siret") == "":
		row.Wrong("siret", "Le SIRET manque : sans lui, on ne sait pas de quelle boutique il s'agit.")
	case !ok:
		row.Wrong("siret", "%s n'est pas un SIRET : ses 14 chiffres ne vont pas ensemble. Un tableur en perd quand il le prend pour un nombre : mettez la colonne au format texte.", fault.Shown(row.Cell("siret")))
	}
	text("nom", maxShopName, false, nil, "")
	text("description", maxDescription, true, nil, "")
	text("categorie", maxURL, false, func(s2 string) (string, bool) { slug, ok := s.categories[sheet.Key(s2)]; return slug, ok },
		"Aucune catégorie ne s'appelle %s. La page des catégories donne la liste.")
	text("naf", maxURL, false, func(code string) (string, bool) {
		code = strings.ToUpper(strings.ReplaceAll(code, " ", ""))
		if len(code) == 5 { // 5610A
			code = code[:2] + "." + code[2:]
		}
		return code, activityForm.MatchString(code)
	}, "%s n'est pas un code NAF ; écrivez 47.71Z.")
	if given["naf"] != nil {
		given["naf_version"] = s.naf
	}
	text("adresse", maxStreet, false, nil, "")
	text("code_postal", maxURL, false, formed(postcodeForm), "%s n'est pas un code postal ; écrivez ses cinq chiffres.")
	text("ville", maxCity, false, nil, "")
	for column, most := range map[string]float64{"latitude": 90, "longitude": 180} {
		if n := row.Decimal(column, -most, most); n != nil {
			given[column] = *n
		}
	}
	if (row.Cell("latitude") == "") != (row.Cell("longitude") == "") {
		row.Wrong("longitude", "La latitude et la longitude vont ensemble : remplissez les deux, ou aucune.")
	}
	text("telephone", maxURL, false, Phone, "%s n'est pas un numéro de téléphone ; écrivez 02 97 12 34 56.")
	text("courriel", maxURL, false, func(s string) (string, bool) { return s, Email(s) }, "%s n'est pas une adresse électronique ; écrivez nom@exemple.fr.")
	text("site", maxURL, false, website, "%s n'est pas l'adresse d'un site ; écrivez https://exemple.fr.")
	for _, column := range []string{"services", "accessibilite"} {
		words := []string{}
		for _, word := range strings.FieldsFunc(row.Cell(column), func(r rune) bool { return strings.ContainsRune(" ,;\t\u00a0\u202f", r) }) {
			switch {
			case !wordForm.MatchString(word):
				row.Wrong(column, "%s n'est pas un mot d'ici : des minuscules, des chiffres et des tirets, comme gift-wrap.", fault.Shown(word))
			case !slices.Contains(words, word):
				words = append(words, word)
			}
		}
		if len(words) > maxWords {
			row.Wrong(column, "%d mots ; %d au plus.", len(words), maxWords)
		}
		if len(words) > 0 {
			given[column] = words
		}
	}
	for column, most := range map[string]int{"surface": maxSalesArea, "effectif": maxHeadcount} {
		if n := row.Count(column, most); n != nil {
			given[column] = *n
		}
	}
	readHours(row, given)
	readModes(row, given)
	if row.Failed() {
		return nil
	}
	slug := ""
	if name, ok := given["nom"].(string); ok {
		slug = tenancy.Slug(name, "boutique")
	}
	return []any{row.Line, string(siret), given, slug, tenancy.NewRow()}
}

// planShops finds the shop that each row names, what is wrong with rows beside others or beside
// what there is, and writes what they change.
func planShops(ctx context.Context, tx pgx.Tx, im *intake.Import, report *sheet.Report) error {
	if _, err := tx.Exec(ctx, matchShops, pgx.QueryExecModeSimpleProtocol, im.CommuneID); err != nil {
		return err
	}
	rows, err := tx.Query(ctx, wrongShops, sheet.Listed, HotlineNumber)
	if err != nil {
		return err
	}
	if err := intake.Complain(rows, report); err != nil {
		return err
	}
	if rows, err = tx.Query(ctx, wrongHours, sheet.Listed, im.CommuneID, importDays); err != nil {
		return err
	}
	if err := intake.Complain(rows, report); err != nil || report.Count > 0 {
		return err
	}
	_, err = tx.Exec(ctx, journalShops, im.CommuneID, im.Row)
	return err
}

// shopImport carries an import out in somebody's name.
type shopImport struct {
	*Directory
	v *identity.Viewer
}

// spans writes what the calendar makes of shops whose trade, area, hours or modes may have changed;
// lines nil: of those that were made.
func (w *shopImport) spans(ctx context.Context, tx pgx.Tx, im *intake.Import, lines []int, now time.Time) error {
	rows, err := tx.Query(ctx, `select s.id from import_changes c join shops s on s.commune_id = c.commune_id and s.id = c.shop_id
		where c.commune_id = $1 and c.import_id = $2 and (c.line = any($3) and c.kind = 'CHANGED' or $3::int[] is null and c.kind = 'CREATED')
		and c.after ?| ($4::text[] || '{categorie,naf,surface}') order by s.id`, im.CommuneID, im.Row, lines, importCalendar)
	if err != nil {
		return err
	}
	ids, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (tenancy.ID, error) {
		id := tenancy.ID{Kind: tenancy.KindShop, Commune: im.CommuneID}
		return id, row.Scan(&id.Row)
	})
	if err != nil || len(ids) == 0 {
		return err
	}
	return w.spansTx(ctx, tx, now, ids...)
}
