package catalog

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/money"
	"github.com/audelor/halles/internal/tenancy"
)

// maxBulk bounds a change of many products: its rows are locked for some hundred milliseconds,
// and orders for them wait so long.
const maxBulk = 1000

// maxBulkVariants bounds the variants among them: 10,000 prices take a third of a second.
const maxBulkVariants = 10_000

// Rounding says how a changed price is rounded: as shops do, to a price that people know.
type Rounding string

// The roundings. Halves go up; a price that was not nothing stays so.
const (
	ToCent     Rounding = "CENT"
	ToFive     Rounding = "FIVE_CENTS"
	ToTen      Rounding = "TEN_CENTS"
	ToEuro     Rounding = "EURO"
	ToNinety   Rounding = "NINETY"      // to the nearest amount that ends in 90 cents
	ToNinetyIX Rounding = "NINETY_NINE" // … in 99 cents
)

// roundings are steps, and what is taken off after.
var roundings = map[Rounding]struct{ step, less money.Cents }{
	ToCent: {1, 0}, ToFive: {5, 0}, ToTen: {10, 0}, ToEuro: {100, 0}, ToNinety: {100, 10}, ToNinetyIX: {100, 1},
}

// Valid tells whether r is one of the roundings.
func (r Rounding) Valid() bool { _, is := roundings[r]; return is }

// change is a price changed by a rate, 500 for 5 % more, and rounded.
func (r Rounding) change(cents money.Cents, rate money.BasisPoints) money.Cents {
	if cents == 0 {
		return 0 // what is given away stays so
	}
	by := roundings[r]
	const whole = 10_000
	exact := int64(cents) * (whole + int64(rate)) // in hundredths of a hundredth of a cent
	step := int64(by.step) * whole
	rounded := (exact+int64(by.less)*whole+step/2)/step*int64(by.step) - int64(by.less)
	return max(money.Cents(rounded), by.step-by.less)
}

// ChangePricesInput changes the prices of products by a rate.
type ChangePricesInput struct {
	Shop     tenancy.ID
	Products []BulkProduct
	By       money.BasisPoints // 500: 5 % more; -1000: 10 % less
	Rounding Rounding
}

// MoveProductsInput puts products into another category.
type MoveProductsInput struct {
	Shop     tenancy.ID
	Products []BulkProduct
	Category tenancy.ID
}

// ArchiveProductsInput takes products out of the shop.
type ArchiveProductsInput struct {
	Shop     tenancy.ID
	Products []BulkProduct
}

// BulkProduct is one of many products of a shop.
type BulkProduct struct {
	Product tenancy.ID
	Version *int // as the viewer read it; absent: whatever it is
}

// BulkPayload is all the products, changed; with refusals none is, and there is none.
type BulkPayload struct {
	Products []*ChangedProduct
	Refusals []Refusal
}

// ChangedProduct is what a thousand products need to be edited further.
type ChangedProduct struct {
	ID      tenancy.ID
	Version int
}

// ChangePrices changes the prices of all variants of products, but for archived ones.
func (c *Catalog) ChangePrices(ctx context.Context, v *identity.Viewer, in ChangePricesInput) (_ *BulkPayload, err error) {
	defer fault.Wrap(&err, "ChangePrices(%s)", in.Shop)
	if !in.Rounding.Valid() {
		return nil, fault.At([]string{"input", "rounding"}, "Cet arrondi n'existe pas.")
	}
	if in.By < -9000 || in.By > 100_000 {
		return &BulkPayload{Products: []*ChangedProduct{}, Refusals: []Refusal{refuse(PriceOutOfRange, []string{"input", "by"}, "Une variation va de -9000 (-90 %%) à 100000 (+1000 %%) points de base.")}}, nil
	}
	return c.bulk(ctx, v, in.Shop, in.Products, repricedProducts, func(b *bulk) error {
		rows, err := b.tx.Query(b.ctx, `
			select v.id, v.product_id, v.price_cents from variants v
			where v.commune_id = $1 and v.product_id = any($2) and not v.archived order by v.id for no key update`, b.shop.Commune, b.rows)
		if err != nil {
			return err
		}
		type priced struct {
			ID      uuid.UUID
			Product uuid.UUID
			Cents   money.Cents
		}
		list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[priced])
		if err != nil {
			return err
		}
		if len(list) > maxBulkVariants {
			b.refusals = []Refusal{refuse(TooManyVariants, []string{"input", "products"}, "Ces produits ont %d déclinaisons ; %d au plus à la fois.", len(list), maxBulkVariants)}
			return errRefused
		}
		ids, cents := make([]uuid.UUID, len(list)), make([]int64, len(list))
		for i, p := range list {
			changed := in.Rounding.change(p.Cents, in.By)
			if changed > maxPrice {
				b.refuse(p.Product, "product", PriceOutOfRange, "« %s » coûterait plus de %s.", maxPrice.Format())
			}
			ids[i], cents[i] = p.ID, int64(changed)
		}
		if len(b.refusals) > 0 {
			return errRefused
		}
		return b.exec(`update variants v set price_cents = n.cents, version = version + 1 from unnest($2::uuid[], $3::bigint[]) n (id, cents)
			where v.commune_id = $1 and v.id = n.id`, b.shop.Commune, ids, cents)
	})
}

// MoveProducts puts products into another category.
func (c *Catalog) MoveProducts(ctx context.Context, v *identity.Viewer, in MoveProductsInput) (_ *BulkPayload, err error) {
	defer fault.Wrap(&err, "MoveProducts(%s)", in.Shop)
	if err := c.mayFill(ctx, v, in.Shop); err != nil {
		return nil, err
	}
	refusals, err := c.checkCategory(ctx, in.Category, []string{"input", "category"})
	if err != nil || len(refusals) > 0 {
		return &BulkPayload{Products: []*ChangedProduct{}, Refusals: refusals}, err
	}
	return c.bulk(ctx, v, in.Shop, in.Products, movedProducts, func(b *bulk) error {
		return b.exec(`update products set category_id = $3 where commune_id = $1 and id = any($2)`, b.shop.Commune, b.rows, in.Category.Name)
	})
}

// ArchiveProducts takes products out of the shop.
func (c *Catalog) ArchiveProducts(ctx context.Context, v *identity.Viewer, in ArchiveProductsInput) (_ *BulkPayload, err error) {
	defer fault.Wrap(&err, "ArchiveProducts(%s)", in.Shop)
	return c.bulk(ctx, v, in.Shop, in.Products, archivedProducts, func(b *bulk) error {
		return b.exec(`update products set status = 'ARCHIVED' where commune_id = $1 and id = any($2)`, b.shop.Commune, b.rows)
	})
}

// bulk is a change of many products of one shop: all or nothing, with the locks of edit, each
// kind in the order of its keys.
type bulk struct {
	ctx      context.Context
	tx       pgx.Tx
	shop     tenancy.ID
	rows     []uuid.UUID // in the order of the input
	products map[uuid.UUID]*Product
	refusals []Refusal
}

func (b *bulk) exec(sql string, args ...any) error {
	_, err := b.tx.Exec(b.ctx, sql, args...)
	return err
}

// refuse notes what keeps one of the products, whose name the sentence begins with, from being changed.
func (b *bulk) refuse(row uuid.UUID, argument string, code RefusalCode, format string, args ...any) {
	i := slices.Index(b.rows, row)
	b.refusals = append(b.refusals, refuse(code, []string{"input", "products", strconv.Itoa(i), argument}, format, append([]any{b.products[row].Name}, args...)...))
}

func (c *Catalog) bulk(ctx context.Context, v *identity.Viewer, shop tenancy.ID, products []BulkProduct, action identity.AuditAction, do func(*bulk) error) (*BulkPayload, error) {
	if err := c.mayFill(ctx, v, shop); err != nil {
		return nil, err
	}
	if n := len(products); n < 1 || n > maxBulk {
		return nil, fault.At([]string{"input", "products"}, "%d produits ; donnez-en de 1 à %d à la fois.", n, maxBulk)
	}
	rows := make([]uuid.UUID, len(products))
	seen := map[tenancy.ID]bool{}
	for i, p := range products {
		path := []string{"input", "products", strconv.Itoa(i), "product"}
		if err := p.Product.Want(tenancy.KindProduct, path...); err != nil {
			return nil, err
		}
		if seen[p.Product] {
			return nil, fault.At(path, "Ce produit est là deux fois.")
		}
		seen[p.Product] = true
		if p.Product.Commune == shop.Commune { // another commune's: no row of this one has a zero key
			rows[i] = p.Product.Row
		}
	}
	var done bulk
	err := c.DB.Write(ctx, v.Scope().In(shop.Commune), func(ctx context.Context, tx pgx.Tx) error {
		b := bulk{ctx: ctx, tx: tx, shop: shop, rows: rows}
		defer func() { done = b }()
		if err := lockShop(ctx, tx, shop); err != nil {
			return err
		}
		if err := b.read(` for no key update`); err != nil {
			return err
		}
		for i, p := range products {
			path := []string{"input", "products", strconv.Itoa(i)}
			switch now := b.products[rows[i]]; {
			case now == nil:
				b.refusals = append(b.refusals, refuse(UnknownProduct, under(path, "product"), "Cette boutique n'a pas ce produit. Retirez-le de la liste."))
			case p.Version != nil && *p.Version != now.Version:
				e := edit{product: now}
				b.refusals = append(b.refusals, e.conflict(under(path, "version")))
			}
		}
		if len(b.refusals) > 0 {
			return errRefused
		}
		now, before := c.now(), b.state()
		if err := b.exec(`update products set version = version + 1, updated_at = $3 where commune_id = $1 and id = any($2)`, shop.Commune, rows, now); err != nil {
			return err
		}
		if err := do(&b); err != nil { // last, since orders wait for the variants that it locks
			return err
		}
		if err := b.read(""); err != nil || !lent(v) {
			return err
		}
		return note(ctx, tx, identity.AuditEntry{By: v, At: now, Action: action, Object: shop, Before: before, After: b.state()})
	})
	if errors.Is(err, errRefused) {
		return &BulkPayload{Products: []*ChangedProduct{}, Refusals: done.refusals}, nil
	}
	if err != nil {
		return nil, err
	}
	p := &BulkPayload{Refusals: []Refusal{}}
	for _, row := range rows {
		p.Products = append(p.Products, &ChangedProduct{done.products[row].ID(), done.products[row].Version})
	}
	return p, nil
}

// read reads the products, in the order of their keys.
func (b *bulk) read(lock string) error {
	rows, err := b.tx.Query(b.ctx, `select `+productColumns+` from products p
		where p.commune_id = $1 and p.shop_id = $2 and p.id = any($3) order by p.id`+lock, b.shop.Commune, b.shop.Row, b.rows)
	if err != nil {
		return err
	}
	list, err := pgx.CollectRows(rows, pgx.RowToAddrOfStructByName[Product])
	b.products = make(map[uuid.UUID]*Product, len(list))
	for _, p := range list {
		b.products[p.Row] = p
	}
	return err
}

// state is what a change of the products changes, for the audit log; prices by their versions.
func (b *bulk) state() any {
	type line struct {
		Row, Category, Status string
		Version               int
	}
	list := make([]line, 0, len(b.products))
	for _, p := range b.products {
		list = append(list, line{p.Row.String(), p.CategoryID, string(p.Status), p.Version})
	}
	slices.SortFunc(list, func(x, y line) int { return bytes.Compare([]byte(x.Row), []byte(y.Row)) })
	return list
}
