package catalog

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/intake"
	"github.com/audelor/halles/internal/sheet"
	"github.com/audelor/halles/internal/tenancy"
)

// A file of products has a line for each variant, which the shop's own article code names: what a
// till or a supplier's list has too. A code that the shop has is that article, and the cells that
// are filled are its new values; another is a new one. A column that is not there changes nothing,
// so that a file of codes and prices is a price list, and one of codes and counts a stocktaking.
var importColumns = []sheet.Column{
	{Name: "reference", Required: true, Example: "GAL-001", Synonyms: []string{"référence article", "ref", "sku", "code article", "code", "code barre", "ean", "gencod"}, Help: "Le code de l'article dans la boutique, unique ; 1 à 64 caractères."},
	{Name: "boutique", Example: "creperie-du-port", Synonyms: []string{"magasin", "commerce", "shop", "siret"}, Help: "L'adresse web, le SIRET ou l'identifiant de la boutique ; facultatif quand vous n'en avez qu'une."},
	{Name: "produit", Example: "galette-complete", Synonyms: []string{"produit parent", "groupe", "slug", "identifiant produit"}, Help: "Le même nom court pour les lignes d'un même produit ; facultatif sans déclinaisons."},
	{Name: "nom", Example: "Galette complète", Synonyms: []string{"nom du produit", "libelle", "désignation", "titre", "article", "name"}, Help: "Nécessaire pour un nouveau produit ; 200 caractères au plus."},
	{Name: "description", Example: "Blé noir, œuf, jambon, fromage", Synonyms: []string{"descriptif"}, Help: "Du texte sans mise en forme ; une cellule vide efface la description."},
	{Name: "categorie", Example: "creperie", Synonyms: []string{"rayon", "famille", "category"}, Help: "Le nom ou l'adresse web d'une catégorie ; celle de la boutique à défaut."},
	{Name: "option", Example: "Farine", Synonyms: []string{"nom de l'option", "caractéristique"}, Help: "Ce qui distingue les déclinaisons : Taille, Couleur."},
	{Name: "valeur", Example: "Blé noir", Synonyms: []string{"valeur de l'option", "declinaison"}, Help: "La valeur de cette déclinaison : 38, Bleu."},
	{Name: "prix", Example: "8,50 €", Synonyms: []string{"prix ttc", "prix de vente", "prix de vente ttc", "prix public", "prix unitaire ttc", "tarif", "tarif ttc", "price"}, Help: "TVA comprise ; nécessaire pour un nouvel article."},
	{Name: "tva", Example: "5,5 %", Synonyms: []string{"taux de tva", "taux tva", "vat"}, Help: "Le taux contenu dans le prix : 20, 10, 5,5, 2,1 ou 0 ; nécessaire pour un nouvel article."},
	{Name: "stock", Example: "12", Synonyms: []string{"quantité", "qte", "quantité en stock", "en stock", "stock réel"}, Help: "Le nombre de pièces, compté maintenant ; 0 à défaut pour un nouvel article."},
	{Name: "statut", Example: "actif", Synonyms: []string{"état", "en vente", "status"}, Help: "actif, brouillon ou archivé ; actif à défaut pour un nouveau produit."},
}

// ImportColumns are the columns of a file of products.
func ImportColumns() []sheet.Column { return slices.Clone(importColumns) }

var statusWords = map[string]string{
	"actif": string(Active), "active": string(Active), "oui": string(Active), "en ligne": string(Active), "en vente": string(Active),
	"brouillon": string(Draft), "draft": string(Draft),
	"archive": string(Archived), "archived": string(Archived), "non": string(Archived), "hor ligne": string(Archived),
}

// vatRates are those of vat_rates, in force.
var vatRates = []int{2000, 1000, 550, 210, 0}

// stagedProducts is where the rows of a file wait. ids are made by the program, in the order of the
// lines: product, variant, and the ledger's move.
const stagedProducts = `create temporary table import_rows (
	line int not null, shop_id uuid not null, sku text collate "C" not null, key text collate "C", same text collate "C", slug text collate "C",
	name text, description text, category_id text collate "C", shop_category text collate "C" not null, status text collate "C",
	option_name text, option_value text, price bigint, vat int, stock int,
	new_product uuid not null, new_variant uuid not null, new_move uuid not null,
	product_id uuid, variant_id uuid, leads boolean not null default false
) on commit drop`

var stagedFields = []string{
	"line", "shop_id", "sku", "key", "same", "slug", "name", "description", "category_id", "shop_category", "status",
	"option_name", "option_value", "price", "vat", "stock", "new_product", "new_variant", "new_move",
}

// ImportSteps are what an import of products does. The shops whose products the viewer may import
// are read here: a merchant's own, or all of the commune for those who serve it.
func (c *Catalog) ImportSteps(ctx context.Context, tx pgx.Tx, v *identity.Viewer, commune string) (*intake.Steps, error) {
	p := &productRows{commune: commune, byName: map[string]*importShop{}, categories: map[string]string{}}
	rows, err := tx.Query(ctx, `select id, slug, siret, category_id from shops where commune_id = $1 order by id`, commune)
	if err != nil {
		return nil, err
	}
	all, err := pgx.CollectRows(rows, pgx.RowToAddrOfStructByName[importShop])
	if err != nil {
		return nil, err
	}
	for _, shop := range all {
		id := tenancy.RowID(tenancy.KindShop, commune, shop.ID)
		if !v.Runs(id) && !(v.Kind == identity.Agent || v.Kind == identity.Admin) {
			continue
		}
		p.shops = append(p.shops, shop)
		p.byName[id.String()], p.byName[shop.Slug], p.byName[shop.Siret] = shop, shop, shop
	}
	t, err := c.categories.Get(ctx)
	if err != nil {
		return nil, err
	}
	for slug, category := range t.bySlug {
		p.categories[sheet.Key(slug)], p.categories[sheet.Key(category.Name)] = slug, slug
	}
	return &intake.Steps{
		Columns: importColumns, Table: stagedProducts, Name: "import_rows", Fields: stagedFields, Row: p.row,
		Plan: planProducts, Lock: lockProducts, Moved: elsewhere, Change: changeProducts, Create: c.createProducts,
	}, nil
}

type importShop struct {
	ID         uuid.UUID
	Slug       string
	Siret      string
	CategoryID string
}

// productRows reads rows of one file.
type productRows struct {
	commune    string
	shops      []*importShop
	byName     map[string]*importShop // by slug, SIRET and id
	categories map[string]string      // slugs by slug and by name
}

func (p *productRows) row(row *sheet.Row, has func(string) bool) []any {
	shop := p.shop(row)
	sku := row.Text("reference", maxSKU, false)
	if sku == nil && row.Cell("reference") == "" {
		row.Wrong("reference", "La référence manque : sans elle, on ne sait pas de quel article il s'agit.")
	}
	name, description := row.Text("nom", maxName, false), row.Text("description", maxDescription, true)
	if description == nil && has("description") && row.Cell("description") == "" {
		description = new(string)
	}
	var category *string
	if cell := row.Cell("categorie"); cell != "" {
		if slug, ok := p.categories[sheet.Key(cell)]; ok {
			category = &slug
		} else {
			row.Wrong("categorie", "Aucune catégorie ne s'appelle ainsi. La page des catégories donne la liste.")
		}
	}
	option, value := row.Text("option", maxOption, false), row.Text("valeur", maxOption, false)
	if (option == nil) != (value == nil) && (row.Cell("option") == "") != (row.Cell("valeur") == "") {
		row.Wrong("valeur", "L'option et sa valeur vont ensemble : remplissez les deux, ou aucune.")
	}
	price, vat := row.Cents("prix", int64(maxPrice)), row.Percent("tva", vatRates)
	stock, status := row.Count("stock", maxStock), row.Choice("statut", statusWords)
	group := row.Text("produit", tenancy.MaxSlug, false)
	if row.Failed() || shop == nil || sku == nil {
		return nil
	}
	var key, same, address *string
	if group != nil {
		text := tenancy.Slug(*group, "produit")
		key, same = &text, &text
	}
	if name != nil {
		text := tenancy.Slug(*name, "produit")
		address = &text
		if same == nil && option != nil { // lines of one name and several options are one product
			same = &text
		}
	}
	return []any{
		row.Line, shop.ID, *sku, key, same, address, name, description, category, shop.CategoryID, status,
		option, value, price, vat, stock, tenancy.NewRow(), tenancy.NewRow(), tenancy.NewRow(),
	}
}

func (p *productRows) shop(row *sheet.Row) *importShop {
	cell := row.Cell("boutique")
	if digits := strings.NewReplacer(" ", "", "\u00a0", "", "\u202f", "").Replace(cell); len(digits) == 14 {
		cell = digits
	}
	switch {
	case cell == "" && len(p.shops) == 1:
		return p.shops[0]
	case cell == "":
		row.Wrong("boutique", "Dites de quelle boutique il s'agit : son adresse web, son SIRET ou son identifiant.")
	case p.byName[cell] == nil:
		row.Wrong("boutique", "Aucune boutique où vous puissiez importer ne s'appelle ainsi.")
	}
	return p.byName[cell]
}

// ImportTemplate is an empty file of products with an example.
func ImportTemplate() []byte { return sheet.Template(importColumns) }

func one(ctx context.Context, tx pgx.Tx, what, sql string, args ...any) error {
	if _, err := tx.Exec(ctx, sql, args...); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}
