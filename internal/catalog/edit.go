package catalog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/calendar"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/money"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// What is done to products, for the audit log.
const (
	createdProduct   identity.AuditAction = "PRODUCT_CREATE"
	updatedProduct   identity.AuditAction = "PRODUCT_UPDATE"
	publishedProduct identity.AuditAction = "PRODUCT_PUBLISH"
	archivedProduct  identity.AuditAction = "PRODUCT_ARCHIVE"
	pausedProduct    identity.AuditAction = "PRODUCT_PAUSE"
	resumedProduct   identity.AuditAction = "PRODUCT_RESUME"
	addedVariant     identity.AuditAction = "VARIANT_ADD"
	updatedVariant   identity.AuditAction = "VARIANT_UPDATE"
	archivedVariant  identity.AuditAction = "VARIANT_ARCHIVE"
	restoredVariant  identity.AuditAction = "VARIANT_RESTORE"
	pricedVariant    identity.AuditAction = "PRICE_SET"
	correctedStock   identity.AuditAction = "STOCK_CORRECT"
	repricedProducts identity.AuditAction = "PRODUCTS_REPRICE"
	movedProducts    identity.AuditAction = "PRODUCTS_MOVE"
	archivedProducts identity.AuditAction = "PRODUCTS_ARCHIVE"
)

// ProductPayload is a product as it stands now: changed or, with refusals, as it was.
type ProductPayload struct {
	Product  *Product // nil when there is none yet
	Refusals []Refusal
}

// now is the instant that a transaction writes: UTC, to the microsecond that Postgres keeps.
func (c *Catalog) now() time.Time { return c.Now().UTC().Truncate(time.Microsecond) }

// manages refuses a viewer that may not change what a shop sells: its merchants may, and the
// platform's admins, whose changes stand in the audit log.
func manages(v *identity.Viewer, shop tenancy.ID) error {
	switch {
	case v.Runs(shop), v.Kind == identity.Admin && v.Serves(shop.Commune):
		return nil
	case v.SignedIn() != nil:
		return v.SignedIn()
	}
	return fault.Errorf(fault.Forbidden, "Seuls les commerçants de cette boutique peuvent faire cela ; viewer { shops } donne les vôtres.")
}

// lent tells whether the viewer acts on what is not its own.
func lent(v *identity.Viewer) bool { return v.Kind != identity.Merchant }

// errRefused rolls a transaction back for a reason that is data.
var errRefused = errors.New("refused")

// edit is a change of one product in its transaction.
//
// Its locks are the shop's row, shared, so that a shop is not published or suspended meanwhile;
// then the product's row; then its variants, in the order of their keys; and last the head of
// the audit log. Orders lock variants only, in that same order.
type edit struct {
	ctx      context.Context
	tx       pgx.Tx
	now      time.Time
	product  *Product
	variants []*Variant // all of the product's, in the merchant's order
	refusals []Refusal
}

// refuse notes a reason; the change is then not made.
func (e *edit) refuse(code RefusalCode, path []string, format string, args ...any) {
	e.refusals = append(e.refusals, refuse(code, path, format, args...))
}

// exec runs a statement of the change.
func (e *edit) exec(sql string, args ...any) error {
	_, err := e.tx.Exec(e.ctx, sql, args...)
	return err
}

// own is the product's key, the first two arguments of most statements.
func (e *edit) own(args ...any) []any {
	return append([]any{e.product.CommuneID, e.product.Row}, args...)
}

// lockShop keeps the shop from being published or suspended until commit: a product made beside
// that would miss it.
func lockShop(ctx context.Context, tx pgx.Tx, shop tenancy.ID) error {
	_, err := tx.Exec(ctx, `select from shops where commune_id = $1 and id = $2 for share`, shop.Commune, shop.Row)
	return err
}

const lockedVariants = `select ` + variantColumns + ` from variants v where v.commune_id = $1 and v.product_id = $2 order by v.id for no key update`

// readVariants locks the product's variants and reads them.
func (e *edit) readVariants() error {
	rows, err := e.tx.Query(e.ctx, lockedVariants, e.own()...)
	if err != nil {
		return err
	}
	e.variants, err = pgx.CollectRows(rows, pgx.RowToAddrOfStructByName[Variant])
	slices.SortFunc(e.variants, func(a, b *Variant) int { return a.Position - b.Position })
	return err
}

// variant finds one of the product's.
func (e *edit) variant(id tenancy.ID) *Variant {
	i := slices.IndexFunc(e.variants, func(v *Variant) bool { return v.Row == id.Row })
	if i < 0 {
		return nil
	}
	return e.variants[i]
}

// state is what a change of the product changes, for the audit log.
func (e *edit) state() any {
	type form struct {
		Row         string
		Option      string
		Value       string
		SKU         string
		Cents       money.Cents
		VAT         money.BasisPoints
		Archived    bool
		Paused      bool
		PausedUntil *time.Time
	}
	forms := make([]form, len(e.variants))
	for i, v := range e.variants {
		forms[i] = form{v.Row.String(), v.OptionName, v.OptionValue, v.SKU, v.PriceCents, v.VATRate, v.Archived, v.Paused, v.PausedUntil}
	}
	p := e.product
	return struct {
		Name, Description, Category, Status string
		Version                             int
		Variants                            []form
	}{p.Name, p.Description, p.CategoryID, string(p.Status), p.Version, forms}
}

// edit makes a change of a product that stands at version, in one transaction, and counts it.
// do may refuse; what it refuses leaves the product as it was, which the payload shows.
//
// Faults: NOT_FOUND for a product that the viewer may not see, FORBIDDEN for one that is not
// its to change.
func (c *Catalog) edit(ctx context.Context, v *identity.Viewer, id tenancy.ID, version int, action identity.AuditAction, do func(*edit) error) (*ProductPayload, error) {
	if err := c.mayEdit(ctx, v, id); err != nil {
		return nil, err
	}
	var done edit
	err := c.DB.Write(ctx, v.Scope().In(id.Commune), func(ctx context.Context, tx pgx.Tx) error {
		e := edit{ctx: ctx, tx: tx, now: c.now()}
		defer func() { done = e }()
		if err := e.read(id); err != nil {
			return err
		}
		if e.product.Version != version {
			e.refusals = []Refusal{e.conflict([]string{"input", "version"})}
			return errRefused
		}
		before := e.state()
		if err := do(&e); err != nil {
			return err
		}
		if len(e.refusals) > 0 {
			return errRefused
		}
		if err := e.exec(`update products set version = version + 1, updated_at = $3 where commune_id = $1 and id = $2`, e.own(e.now)...); err != nil {
			return err
		}
		if err := e.read(id); err != nil {
			return err
		}
		if !lent(v) {
			return nil
		}
		return note(ctx, tx, identity.AuditEntry{By: v, At: e.now, Action: action, Object: id, Before: before, After: e.state()})
	})
	switch {
	case errors.Is(err, errRefused):
		// What was changed before the refusal is rolled back: shown is what is there.
		found, err := c.ProductsByIDs(ctx, v, []tenancy.ID{id})
		return &ProductPayload{found[id], done.refusals}, err
	case pg.Constraint(err) == "variants_sku_unique": // who looked before, lost a race
		found, err := c.ProductsByIDs(ctx, v, []tenancy.ID{id})
		return &ProductPayload{found[id], []Refusal{duplicateSKU([]string{"input", "sku"})}}, err
	case err != nil:
		return nil, err
	}
	return &ProductPayload{done.product, []Refusal{}}, nil
}

// read locks the product and its variants.
func (e *edit) read(id tenancy.ID) error {
	rows, err := e.tx.Query(e.ctx, `select `+productColumns+` from products p where p.commune_id = $1 and p.id = $2`, id.Commune, id.Row)
	if err != nil {
		return err
	}
	first := e.product == nil
	if e.product, err = pgx.CollectExactlyOneRow(rows, pgx.RowToAddrOfStructByName[Product]); err != nil {
		return err
	}
	if first { // a shop is locked before its products
		if err := lockShop(e.ctx, e.tx, e.product.ShopID()); err != nil {
			return err
		}
		rows, err := e.tx.Query(e.ctx, `select `+productColumns+` from products p where p.commune_id = $1 and p.id = $2 for no key update`, id.Commune, id.Row)
		if err != nil {
			return err
		}
		if e.product, err = pgx.CollectExactlyOneRow(rows, pgx.RowToAddrOfStructByName[Product]); err != nil {
			return err
		}
	}
	return e.readVariants()
}

// conflict refuses a change of what somebody else changed meanwhile.
func (e *edit) conflict(path []string) Refusal {
	r := refuse(VersionConflict, path, "« %s » a changé entre-temps. Relisez-le, puis refaites votre modification avec sa version %d.", e.product.Name, e.product.Version)
	r.Version = &e.product.Version
	return r
}

// mayEdit tells NOT_FOUND from FORBIDDEN.
func (c *Catalog) mayEdit(ctx context.Context, v *identity.Viewer, id tenancy.ID) error {
	found, err := c.ProductsByIDs(ctx, v, []tenancy.ID{id})
	if err != nil {
		return err
	}
	if found[id] == nil {
		return id.NotFound()
	}
	return manages(v, found[id].ShopID())
}

// productOf finds the product of a variant that the viewer may see, or says NOT_FOUND.
func (c *Catalog) productOf(ctx context.Context, v *identity.Viewer, variant tenancy.ID) (tenancy.ID, error) {
	if err := variant.Want(tenancy.KindVariant, "input", "variant"); err != nil {
		return tenancy.ID{}, err
	}
	found, err := c.VariantsByIDs(ctx, v, []tenancy.ID{variant})
	if err == nil && found[variant] == nil {
		err = variant.NotFound()
	}
	if err != nil {
		return tenancy.ID{}, err
	}
	return found[variant].ProductID(), nil
}

// note writes an entry of the audit log; its lock comes last.
func note(ctx context.Context, tx pgx.Tx, e identity.AuditEntry) error {
	b := &pgx.Batch{}
	identity.QueueAudit(b, e)
	return tx.SendBatch(ctx, b).Close()
}

// name checks what something is called: 1 to most characters, on one line.
func name(text string, most int) (string, bool) {
	text = strings.TrimSpace(text)
	n := utf8.RuneCountInString(text)
	return text, n >= 1 && n <= most && !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' })
}

// checkName refuses a name of a product.
func checkName(text string, path []string) (string, []Refusal) {
	text, ok := name(text, maxName)
	if !ok {
		return "", []Refusal{refuse(NameLength, path, "Le nom d'un produit a de 1 à %d caractères, sur une ligne.", maxName)}
	}
	return text, nil
}

// checkDescription refuses a description that nobody would read to its end.
func checkDescription(text string, path []string) (string, []Refusal) {
	text = strings.TrimSpace(text)
	if utf8.RuneCountInString(text) > maxDescription || strings.ContainsRune(text, 0) {
		return "", []Refusal{refuse(DescriptionLength, path, "La description a au plus %d caractères.", maxDescription)}
	}
	return text, nil
}

// checkCategory refuses a category that is not in the tree.
func (c *Catalog) checkCategory(ctx context.Context, id tenancy.ID, path []string) ([]Refusal, error) {
	if err := id.Want(tenancy.KindCategory, path...); err != nil {
		return nil, err
	}
	_, err := c.Category(ctx, id.Name)
	if errors.Is(err, fault.NotFound) {
		return []Refusal{refuse(UnknownCategory, path, "Cette catégorie n'existe pas ; la requête categories donne l'arbre.")}, nil
	}
	return nil, err
}

// checkPrice refuses a price that is no price.
func checkPrice(cents money.Cents, path []string) []Refusal {
	if cents < 0 || cents > maxPrice {
		return []Refusal{refuse(PriceOutOfRange, path, "Un prix va de %s à %s, TVA comprise.", money.Cents(0).Format(), maxPrice.Format())}
	}
	return nil
}

// checkRate refuses a VAT rate that does not hold on the day of the change.
func checkRate(ctx context.Context, tx pgx.Tx, rate money.BasisPoints, at time.Time, path []string) ([]Refusal, error) {
	rows, err := tx.Query(ctx, `select basis_points from vat_rates
		where valid_from <= $1::date and (valid_until is null or valid_until >= $1::date) order by basis_points desc`, calendar.DateOf(at).String())
	if err != nil {
		return nil, err
	}
	valid, err := pgx.CollectRows(rows, pgx.RowTo[money.BasisPoints])
	if err != nil || slices.Contains(valid, rate) {
		return nil, err
	}
	names := make([]string, len(valid))
	for i, r := range valid {
		names[i] = fmt.Sprint(r)
	}
	return []Refusal{refuse(VATRateInvalid, path, "Ce taux de TVA n'est pas en vigueur ; en points de base : %s.", strings.Join(names, ", "))}, nil
}

func duplicateSKU(path []string) Refusal {
	return refuse(DuplicateSKU, path, "Une autre déclinaison de la boutique a déjà ce code article ; il y est unique.")
}
