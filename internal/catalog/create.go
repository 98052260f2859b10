package catalog

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/money"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// CreateProductInput is a product to be, with its variants.
type CreateProductInput struct {
	Shop           tenancy.ID
	Name           string
	Description    *string
	Category       tenancy.ID
	OptionName     *string // what the variants differ in: "Taille"; needed from the second on
	Variants       []NewVariantInput
	Publish        bool    // ACTIVE at once, else DRAFT
	IdempotencyKey *string // the same again makes no second product
}

// NewVariantInput is a variant to be.
type NewVariantInput struct {
	OptionValue *string // "38"
	Sku         *string // given by us when absent
	PriceCents  money.Cents
	VatRate     money.BasisPoints
	Stock       int // pieces that are there
}

var keyForm = regexp.MustCompile(`^[!-~]{16,100}$`)

// checkKey refuses a key that another client may choose too.
func checkKey(key *string) error {
	if key != nil && !keyForm.MatchString(*key) {
		return fault.At([]string{"input", "idempotencyKey"}, "La clé doit avoir de 16 à 100 caractères ASCII sans espace ; un UUID aléatoire convient.")
	}
	return nil
}

// Create makes a product with its variants and the stock that is there.
//
// Faults: NOT_FOUND for a shop that the viewer may not see, FORBIDDEN for one that is not its
// to fill, CONFLICT for a key that another product was made under.
func (c *Catalog) Create(ctx context.Context, v *identity.Viewer, in CreateProductInput) (_ *ProductPayload, err error) {
	defer fault.Wrap(&err, "Create(%s)", in.Shop)
	if err := c.mayFill(ctx, v, in.Shop); err != nil {
		return nil, err
	}
	if err := checkKey(in.IdempotencyKey); err != nil {
		return nil, err
	}
	at := []string{"input"}
	var refusals, wrong []Refusal
	in.Name, refusals = checkName(in.Name, under(at, "name"))
	if in.Description != nil {
		*in.Description, wrong = checkDescription(*in.Description, under(at, "description"))
		refusals = append(refusals, wrong...)
	}
	if wrong, err = c.checkCategory(ctx, in.Category, under(at, "category")); err != nil {
		return nil, err
	}
	refusals = append(refusals, wrong...)
	forms, wrong := in.forms(at)
	refusals = append(refusals, wrong...)
	if len(refusals) > 0 {
		return &ProductPayload{Refusals: refusals}, nil
	}
	var made *Product
	for range maxTries {
		made, refusals, err = c.create(ctx, v, in, forms)
		if pg.Constraint(err) != "products_slug_unique" && pg.Constraint(err) != "products_once_per_key" {
			break
		}
	}
	switch {
	case errors.Is(err, errRefused):
		return &ProductPayload{Refusals: refusals}, nil
	case pg.Constraint(err) == "variants_sku_unique":
		return &ProductPayload{Refusals: []Refusal{duplicateSKU(under(at, "variants"))}}, nil
	case err != nil:
		return nil, err
	}
	return &ProductPayload{Product: made, Refusals: []Refusal{}}, nil
}

// maxTries bounds how often a slug or a key is chosen again that another took first.
const maxTries = 4

// forms checks the variants by themselves.
func (in *CreateProductInput) forms(at []string) ([]form, []Refusal) {
	at = under(at, "variants")
	switch n := len(in.Variants); {
	case n == 0:
		return nil, []Refusal{refuse(NoVariant, at, "Un produit a au moins une déclinaison : celle qui porte son prix et son stock.")}
	case n > maxVariants:
		return nil, []Refusal{tooMany(at)}
	}
	option := ""
	if in.OptionName != nil {
		option = strings.TrimSpace(*in.OptionName)
	}
	var refusals []Refusal
	forms := make([]form, len(in.Variants))
	values, skus := map[string]bool{}, map[string]bool{}
	for i, v := range in.Variants {
		path := under(at, strconv.Itoa(i))
		f, wrong := v.form(option, len(in.Variants) > 1, path)
		refusals = append(refusals, wrong...)
		if forms[i] = f; values[strings.ToLower(f.value)] {
			refusals = append(refusals, refuse(DuplicateOption, under(path, "optionValue"), "« %s » est là deux fois.", f.value))
		}
		if v.Sku != nil && skus[f.sku] {
			refusals = append(refusals, duplicateSKU(under(path, "sku")))
		}
		values[strings.ToLower(f.value)], skus[f.sku] = true, true
	}
	return forms, refusals
}

func tooMany(path []string) Refusal {
	return refuse(TooManyVariants, path, "Un produit a au plus %d déclinaisons ; faites-en plusieurs produits.", maxVariants)
}

// form is a variant to be, checked.
type form struct {
	row           uuid.UUID
	option, value string
	sku           string
	cents         money.Cents
	rate          money.BasisPoints
	stock         int
	path          []string
}

// form checks what can be known without the database. A variant among several says what it
// differs in.
func (v *NewVariantInput) form(option string, among bool, path []string) (form, []Refusal) {
	f := form{row: tenancy.NewRow(), option: option, cents: v.PriceCents, rate: v.VatRate, stock: v.Stock, path: path}
	var refusals []Refusal
	if v.OptionValue != nil {
		f.value = strings.TrimSpace(*v.OptionValue)
	}
	if among || option != "" || f.value != "" {
		refusals = append(refusals, checkOption(option, f.value, under(path, "optionValue"))...)
	}
	if v.Sku == nil {
		f.sku = newSKU(f.row)
	} else {
		var wrong []Refusal
		f.sku, wrong = checkSKU(*v.Sku, under(path, "sku"))
		refusals = append(refusals, wrong...)
	}
	refusals = append(refusals, checkPrice(v.PriceCents, under(path, "priceCents"))...)
	if v.Stock < 0 || v.Stock > maxStock {
		refusals = append(refusals, refuse(QuantityOutOfRange, under(path, "stock"), "Le stock va de 0 à %d pièces.", maxStock))
	}
	return f, refusals
}

// newSKU is an article code for a merchant who has none.
func newSKU(row uuid.UUID) string {
	id := tenancy.RowID(tenancy.KindVariant, "", row).String()
	return "A-" + strings.ToUpper(id[len(id)-10:])
}

func checkSKU(sku string, path []string) (string, []Refusal) {
	sku, ok := name(sku, maxSKU)
	if !ok {
		return "", []Refusal{refuse(SKUInvalid, path, "Un code article a de 1 à %d caractères, sur une ligne.", maxSKU)}
	}
	return sku, nil
}

// checkOption refuses a variant that does not say what it differs in.
func checkOption(option, value string, path []string) []Refusal {
	if _, ok := name(option, maxOption); !ok {
		return []Refusal{refuse(OptionInvalid, path, "Dites en quoi les déclinaisons diffèrent : optionName, comme « Taille », de 1 à %d caractères.", maxOption)}
	}
	if _, ok := name(value, maxOption); !ok {
		return []Refusal{refuse(OptionInvalid, path, "Chaque déclinaison a une valeur, comme « 38 », de 1 à %d caractères.", maxOption)}
	}
	return nil
}

// mayFill tells NOT_FOUND from FORBIDDEN for a shop.
func (c *Catalog) mayFill(ctx context.Context, v *identity.Viewer, shop tenancy.ID) error {
	if err := shop.Want(tenancy.KindShop, "input", "shop"); err != nil {
		return err
	}
	status, err := pg.SelectScalars[string](ctx, c.DB, v.Scope().In(shop.Commune), `select status from shops where commune_id = $1 and id = $2`, shop.Commune, shop.Row)
	switch {
	case err != nil:
		return err
	case len(status) == 0 || status[0] != "PUBLISHED" && !sees(v, shop.Commune, shop):
		return shop.NotFound()
	}
	return manages(v, shop)
}

func (c *Catalog) create(ctx context.Context, v *identity.Viewer, in CreateProductInput, forms []form) (made *Product, refusals []Refusal, err error) {
	status := Draft
	if in.Publish {
		status = Active
	}
	err = c.DB.Write(ctx, v.Scope().In(in.Shop.Commune), func(ctx context.Context, tx pgx.Tx) error {
		refusals = nil
		if err := lockShop(ctx, tx, in.Shop); err != nil {
			return err
		}
		if in.IdempotencyKey != nil {
			if made, err = underKey(ctx, tx, in.Shop, *in.IdempotencyKey); err != nil || made != nil {
				if made != nil && made.Name != in.Name {
					err = fault.Errorf(fault.Conflict, "Cette clé a déjà servi pour « %s ». Prenez une clé nouvelle pour un produit nouveau.", made.Name)
				}
				return err
			}
		}
		now := c.now()
		if refusals, err = checkForms(ctx, tx, in.Shop, forms, now); err != nil {
			return err
		}
		if len(refusals) > 0 {
			return errRefused
		}
		base, row := tenancy.Slug(in.Name, "produit"), tenancy.NewRow()
		rows, err := tx.Query(ctx, `select slug from products where commune_id = $1 and shop_id = $2 and starts_with(slug, $3)`, in.Shop.Commune, in.Shop.Row, base)
		if err != nil {
			return err
		}
		taken, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `insert into products (commune_id, id, shop_id, slug, name, description, category_id, status, published, created_at, updated_at, key)
			values ($1, $2, $3, $4, $5, coalesce($6, ''), $7, $8, false, $9, $9, $10)`,
			in.Shop.Commune, row, in.Shop.Row, tenancy.FreeSlug(base, taken), in.Name, in.Description, in.Category.Name, string(status), now, in.IdempotencyKey); err != nil {
			return err
		}
		if err := insertForms(ctx, tx, tenancy.RowID(tenancy.KindProduct, in.Shop.Commune, row), forms, now); err != nil {
			return err
		}
		e := edit{ctx: ctx, tx: tx, now: now}
		if err := e.read(tenancy.RowID(tenancy.KindProduct, in.Shop.Commune, row)); err != nil {
			return err
		}
		if made = e.product; !lent(v) {
			return nil
		}
		return note(ctx, tx, identity.AuditEntry{By: v, At: now, Action: createdProduct, Object: made.ID(), After: e.state()})
	})
	return made, refusals, err
}

// underKey is the product that a key made before; nil when it made none.
func underKey(ctx context.Context, tx pgx.Tx, shop tenancy.ID, key string) (*Product, error) {
	rows, err := tx.Query(ctx, `select `+productColumns+` from products p where p.commune_id = $1 and p.shop_id = $2 and p.key = $3`, shop.Commune, shop.Row, key)
	if err != nil {
		return nil, err
	}
	p, err := pgx.CollectExactlyOneRow(rows, pgx.RowToAddrOfStructByName[Product])
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil //nolint:nilnil // made none
	}
	return p, err
}

// checkForms refuses rates that do not hold today and article codes that the shop has.
func checkForms(ctx context.Context, tx pgx.Tx, shop tenancy.ID, forms []form, now time.Time) ([]Refusal, error) {
	var refusals []Refusal
	skus, checked := make([]string, len(forms)), map[money.BasisPoints][]Refusal{}
	for i, f := range forms {
		skus[i] = f.sku
		wrong, known := checked[f.rate]
		if !known {
			var err error
			if wrong, err = checkRate(ctx, tx, f.rate, now, nil); err != nil {
				return nil, err
			}
			checked[f.rate] = wrong
		}
		for _, r := range wrong {
			r.Path = under(f.path, "vatRate")
			refusals = append(refusals, r)
		}
	}
	rows, err := tx.Query(ctx, `select sku from variants where commune_id = $1 and shop_id = $2 and sku = any($3)`, shop.Commune, shop.Row, skus)
	if err != nil {
		return nil, err
	}
	taken, err := pgx.CollectRows(rows, pgx.RowTo[string])
	for _, f := range forms {
		if slices.Contains(taken, f.sku) {
			refusals = append(refusals, duplicateSKU(under(f.path, "sku")))
		}
	}
	return refusals, err
}

// insertForms writes the variants of a product, behind those that it has, and the stock that is
// there into the ledger. A pause of the product is a new variant's too.
func insertForms(ctx context.Context, tx pgx.Tx, product tenancy.ID, forms []form, now time.Time) error {
	b := &pgx.Batch{}
	for _, f := range forms {
		b.Queue(`
			insert into variants (commune_id, id, product_id, shop_id, position, sku, option_name, option_value, price_cents, vat_rate, stock, published, paused, paused_until)
			select p.commune_id, $3, p.id, p.shop_id, 1 + coalesce((select max(v.position) from variants v where v.commune_id = $1 and v.product_id = $2), 0),
				$4, $5, $6, $7, $8, $9, p.published, coalesce(o.paused, false), o.paused_until
			from products p left join lateral (
				select v.paused, v.paused_until from variants v where v.commune_id = $1 and v.product_id = $2 limit 1) o on true
			where p.commune_id = $1 and p.id = $2`,
			product.Commune, product.Row, f.row, f.sku, f.option, f.value, f.cents, f.rate, f.stock)
		if f.stock > 0 {
			b.Queue(`insert into stock_moves (commune_id, id, variant_id, kind, quantity, at, reason) values ($1, $2, $3, 'RECEIVED', $4, $5, 'RECEIVED')`,
				product.Commune, tenancy.NewRow(), f.row, f.stock, now)
		}
	}
	return tx.SendBatch(ctx, b).Close()
}
