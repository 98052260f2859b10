package catalog

import (
	"context"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/page"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// Catalog answers for products, variants and categories.
type Catalog struct {
	DB         *pg.DB
	Communes   *tenancy.Register
	Cursors    *page.Sealer
	Now        func() time.Time // read once per transaction
	Log        *slog.Logger     // of what no answer waits for; nothing by default
	categories *pg.Snapshot[*tree]
	meanings   meanings
	missedWait time.Duration
	madeAtOnce int
}

// New returns the catalogue in db.
func New(db *pg.DB, communes *tenancy.Register, cursors *page.Sealer) *Catalog {
	return &Catalog{DB: db, Communes: communes, Cursors: cursors, Now: time.Now, Log: slog.New(slog.DiscardHandler), missedWait: missedWait, madeAtOnce: madeAtOnce, categories: pg.NewSnapshot(func(ctx context.Context) (*tree, error) {
		rows, err := db.Pool(pg.Public).Query(ctx, `select id, parent_id, name, position from categories order by parent_id nulls first, position`)
		if err != nil {
			return nil, err
		}
		all, err := pgx.CollectRows(rows, pgx.RowToAddrOfStructByName[Category])
		t := &tree{bySlug: map[string]*Category{}, below: map[string][]*Category{}}
		for _, c := range all {
			t.bySlug[c.Slug] = c
			parent := ""
			if c.ParentID != nil {
				parent = *c.ParentID
			}
			t.below[parent] = append(t.below[parent], c)
		}
		return t, err
	})}
}

// tree is the tree of categories; the roots are below "".
type tree struct {
	bySlug map[string]*Category
	below  map[string][]*Category
}

// Roots lists the categories at the top of the tree.
func (c *Catalog) Roots(ctx context.Context) ([]*Category, error) { return c.below(ctx, "") }

// Below lists the children of a category.
func (c *Catalog) Below(ctx context.Context, parent *Category) ([]*Category, error) {
	return c.below(ctx, parent.Slug)
}

// Expire makes the next reader read the categories again.
func (c *Catalog) Expire() { c.categories.Expire() }

func (c *Catalog) below(ctx context.Context, parent string) ([]*Category, error) {
	t, err := c.categories.Get(ctx)
	if err != nil {
		return nil, err
	}
	return t.below[parent], nil
}

// Category finds a category by its slug, or says NOT_FOUND.
func (c *Catalog) Category(ctx context.Context, slug string) (*Category, error) {
	t, err := c.categories.Get(ctx)
	if err != nil {
		return nil, err
	}
	if found := t.bySlug[slug]; found != nil {
		return found, nil
	}
	return nil, fault.Errorf(fault.NotFound, "Aucune catégorie ne s'appelle %q. La requête categories donne l'arbre.", slug)
}

type productRow struct {
	Product
	Published bool
}

type variantRow struct {
	Variant
	Published bool
}

// sees tells whether the viewer may see what is withheld from the public.
func sees(v *identity.Viewer, commune string, shop tenancy.ID) bool {
	return v.Runs(shop) || v.Serves(commune)
}

// The look-ups below take each key by itself, LATERAL and OFFSET 0 say so. Row-level security names
// the communes in every condition, which makes an index look dear: joined, Postgres read all 16,000
// variants of a commune for a page of 200 products, at ten times the cost.

// ProductsByIDs finds products that the viewer may see.
func (c *Catalog) ProductsByIDs(ctx context.Context, v *identity.Viewer, ids []tenancy.ID) (map[tenancy.ID]*Product, error) {
	keys, args := tenancy.From(ids)
	list, err := pg.Select[productRow](ctx, c.DB, v.Scope().In(tenancy.CommunesOf(ids)...), `
		select p.* from `+keys+` k (commune_id, id) cross join lateral (
			select `+productColumns+`, p.published from products p where p.commune_id = k.commune_id and p.id = k.id offset 0) p`, args...)
	found := make(map[tenancy.ID]*Product, len(list))
	for i := range list {
		if p := &list[i].Product; list[i].Published || sees(v, p.CommuneID, p.ShopID()) {
			found[p.ID()] = p
		}
	}
	return found, err
}

// Whole is products, with what ProductsWith was asked for beside them, by the product.
type Whole struct {
	Products map[tenancy.ID]*Product
	Shops    map[tenancy.ID]*directory.Shop
	Variants map[tenancy.ID][]*Variant
}

// ProductsWith finds products as ProductsByIDs does and, in the same statement, their shops, as shops
// reads them, and their variants: one statement where there were three, and a row for each variant. shops
// is nil, and variants false, for who does not want them.
func (c *Catalog) ProductsWith(ctx context.Context, v *identity.Viewer, ids []tenancy.ID, shops *directory.Directory, variants bool) (*Whole, error) {
	var w *Whole
	begin := func() []pg.Part {
		w = &Whole{Products: make(map[tenancy.ID]*Product, len(ids)), Shops: map[tenancy.ID]*directory.Shop{}, Variants: map[tenancy.ID][]*Variant{}}
		var product tenancy.ID // of the row; those of a product follow each other
		parts := append(make([]pg.Part, 0, 3), pg.PartOf(false, func(p *productRow) {
			if product = p.Product.ID(); p.Published || sees(v, p.CommuneID, p.ShopID()) {
				w.Products[product] = &p.Product
			}
		}))
		if shops != nil {
			parts = append(parts, shops.Beside(v, func(s *directory.Shop) { w.Shops[product] = s }))
		}
		if variants {
			parts = append(parts, pg.PartOf(false, func(x *variantRow) {
				if x.Published || sees(v, x.CommuneID, x.ShopID()) {
					w.Variants[product] = append(w.Variants[product], &x.Variant)
				}
			}))
		}
		return parts
	}
	var columns, joins, more, also, order string
	if shops != nil {
		columns, joins = `, `+shops.Columns(), ` left join shops s on s.commune_id = p.commune_id and s.id = p.shop_id`
	}
	if variants {
		more, also, order = `, `+variantColumns+`, v.published`, ` left join variants v on v.commune_id = p.commune_id and v.product_id = p.id`, ` order by v.position`
	}
	keys, args := tenancy.From(ids)
	err := pg.SelectParts(ctx, c.DB, v.Scope().In(tenancy.CommunesOf(ids)...), begin, `
		select p.* from `+keys+` k (commune_id, id) cross join lateral (
			select `+productColumns+`, p.published`+columns+more+` from products p`+joins+also+`
			where p.commune_id = k.commune_id and p.id = k.id`+order+` offset 0) p`, args...)
	return w, err
}

// VariantsByIDs finds variants that the viewer may see.
func (c *Catalog) VariantsByIDs(ctx context.Context, v *identity.Viewer, ids []tenancy.ID) (map[tenancy.ID]*Variant, error) {
	keys, args := tenancy.From(ids)
	list, err := pg.Select[variantRow](ctx, c.DB, v.Scope().In(tenancy.CommunesOf(ids)...), `
		select v.* from `+keys+` k (commune_id, id) cross join lateral (
			select `+variantColumns+`, v.published from variants v where v.commune_id = k.commune_id and v.id = k.id offset 0) v`, args...)
	found := make(map[tenancy.ID]*Variant, len(list))
	for i := range list {
		if x := &list[i].Variant; list[i].Published || sees(v, x.CommuneID, x.ShopID()) {
			found[x.ID()] = x
		}
	}
	return found, err
}

// VariantsOf lists the variants of products, in the merchant's order.
func (c *Catalog) VariantsOf(ctx context.Context, v *identity.Viewer, products []tenancy.ID) (map[tenancy.ID][]*Variant, error) {
	keys, args := tenancy.From(products)
	list, err := pg.Select[variantRow](ctx, c.DB, v.Scope().In(tenancy.CommunesOf(products)...), `
		select v.* from `+keys+` k (commune_id, product_id) cross join lateral (
			select `+variantColumns+`, v.published from variants v
			where v.commune_id = k.commune_id and v.product_id = k.product_id order by v.position offset 0) v`, args...)
	of := make(map[tenancy.ID][]*Variant, len(products))
	seen := make([]*Variant, 0, len(list)) // those of a product follow each other
	for i := 0; i < len(list); {
		product, from := list[i].Variant.ProductID(), len(seen)
		for ; i < len(list) && list[i].ProductRow == product.Row && list[i].CommuneID == product.Commune; i++ {
			if x := &list[i].Variant; list[i].Published || sees(v, x.CommuneID, x.ShopID()) {
				seen = append(seen, x)
			}
		}
		if from < len(seen) {
			of[product] = seen[from:len(seen):len(seen)]
		}
	}
	return of, err
}

// StockOf reads the exact stock of variants whose shops the viewer runs or serves; of others
// it says nothing.
func (c *Catalog) StockOf(ctx context.Context, v *identity.Viewer, variants []tenancy.ID) (map[tenancy.ID]*int, error) {
	type stock struct {
		CommuneID string
		ID        uuid.UUID
		ShopID    uuid.UUID
		Stock     int
	}
	if identity.Checked && v.Kind != identity.Merchant && len(v.Communes) == 0 {
		return nil, nil
	}
	communes, rows := tenancy.Columns(variants)
	scope := v.Scope().In(communes...)
	scope.Own = true
	list, err := pg.Select[stock](ctx, c.DB, scope, `
		select v.commune_id, v.id, v.shop_id, v.stock
		from `+tenancy.Keys+` k (commune_id, id) join variants v using (commune_id, id)`, communes, rows)
	of := map[tenancy.ID]*int{}
	for _, s := range list {
		if sees(v, s.CommuneID, tenancy.RowID(tenancy.KindShop, s.CommuneID, s.ShopID)) {
			of[tenancy.RowID(tenancy.KindVariant, s.CommuneID, s.ID)] = &s.Stock
		}
	}
	return of, err
}
