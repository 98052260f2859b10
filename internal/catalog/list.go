package catalog

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/page"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// ProductFilter narrows a list of products; what is absent does not narrow.
type ProductFilter struct {
	Communes []string    // INSEE codes
	Category *tenancy.ID // the category and those below it
	Text     *string     // words of the name, the trade, the shop or the description
}

// ProductConnection is a page of a list of products.
type ProductConnection struct {
	Edges    []ProductEdge
	PageInfo page.Info
	count    ProductCount
}

// ProductEdge is a product at its place in a list.
type ProductEdge struct {
	Cursor string
	Node   *Product
}

// Nodes are the products of the page.
func (c *ProductConnection) Nodes() []*Product {
	nodes := make([]*Product, len(c.Edges))
	for i, e := range c.Edges {
		nodes[i] = e.Node
	}
	return nodes
}

// Counted is what totalCount counts.
func (c *ProductConnection) Counted() ProductCount { return c.count }

// ProductCount names a list to count: a shop's, or a filtered one.
type ProductCount struct {
	Shop   tenancy.ID     // zero for a list over communes
	Filter *ProductFilter // null for a shop's
}

type position struct {
	Name string    `json:"n"`
	Row  uuid.UUID `json:"i"`
}

func (f *ProductFilter) list() string {
	name := "products"
	if f == nil {
		return name
	}
	name += fmt.Sprintf(" %q", f.Communes)
	if f.Category != nil {
		name += " c=" + f.Category.Name
	}
	if f.Text != nil {
		name += fmt.Sprintf(" t=%q", *f.Text)
	}
	return name
}

func (f *ProductFilter) check(ctx context.Context, communes *tenancy.Register) error {
	if f == nil {
		return nil
	}
	for _, insee := range f.Communes {
		if _, err := communes.ByInsee(ctx, insee); err != nil {
			return err
		}
	}
	if f.Category != nil {
		if err := f.Category.Want(tenancy.KindCategory); err != nil {
			return err
		}
	}
	if f.Text != nil {
		return directory.CheckText(*f.Text, "filter", "text")
	}
	return nil
}

func (f *ProductFilter) communes(v *identity.Viewer) []string {
	if f != nil && len(f.Communes) > 0 {
		return f.Communes
	}
	return v.AllCommunes()
}

func (f *ProductFilter) args() []any {
	args := make([]any, 2)
	if f != nil && f.Text != nil {
		args[0] = *f.Text
	}
	if f != nil && f.Category != nil {
		args[1] = f.Category.Name
	}
	return args
}

// $1 text, $2 category; c is a commune.
const productWhere = `p.commune_id = c.insee and p.published
	and ($1::text is null or p.id in (
		select cs.id from catalog_search cs, search_query($1) q
		where cs.commune_id = c.insee and cs.kind = 'PRODUCT' and cs.words @@ q))
	and ($2::text is null or p.category_id in (select id from categories where $2 in (id, parent_id)))`

// List is one page of published products, by name, over the communes of the filter or all.
func (c *Catalog) List(ctx context.Context, v *identity.Viewer, f *ProductFilter, first int, after *string) (*ProductConnection, error) {
	if err := page.CheckFirst(first); err != nil {
		return nil, err
	}
	if err := f.check(ctx, c.Communes); err != nil {
		return nil, err
	}
	communes := f.communes(v)
	args := append(f.args(), communes, first+1, nil, nil)
	if after != nil {
		var at position
		if err := c.Cursors.Open(f.list(), *after, &at); err != nil {
			return nil, err
		}
		args[4], args[5] = at.Name, at.Row
	}
	rows, err := pg.Select[Product](ctx, c.DB, v.PublicScope().In(communes...), `
		select m.* from (
			select p.* from unnest($3::text[]) c (insee) cross join lateral (
				select `+productColumns+` from products p
				where `+productWhere+` and ((p.name, p.id) > ($5::text collate french, $6::uuid) or $6::uuid is null)
				order by p.name, p.id limit $4) p) m
		order by name, id limit $4`, args...)
	if err != nil {
		return nil, fmt.Errorf("list products: %w", err)
	}
	return c.connection(f.list(), ProductCount{Filter: f}, rows, first, after), nil
}

// ListByShop is one page of products, by name, for each of the shops, in one statement. The
// public sees what is published; whoever runs or serves the shop sees all of it.
func (c *Catalog) ListByShop(ctx context.Context, v *identity.Viewer, shops []tenancy.ID, first int, after *string) (map[tenancy.ID]*ProductConnection, error) {
	if err := page.CheckFirst(first); err != nil {
		return nil, err
	}
	communes, rows := tenancy.Columns(shops)
	all := make([]bool, len(shops))
	for i, s := range shops {
		all[i] = sees(v, s.Commune, s)
	}
	args := []any{communes, rows, all, first + 1, nil, nil}
	if after != nil {
		var at position
		// A cursor belongs to the list of one shop: asked of several shops at once, it is foreign to all but one.
		for _, s := range shops {
			if err := c.Cursors.Open(shopList(s), *after, &at); err != nil {
				return nil, err
			}
		}
		args[4], args[5] = at.Name, at.Row
	}
	list, err := pg.Select[Product](ctx, c.DB, v.Scope().In(communes...), `
		select p.* from unnest($1::text[], $2::uuid[], $3::bool[]) k (commune_id, shop_id, withheld) cross join lateral (
			select `+productColumns+` from products p
			where p.commune_id = k.commune_id and p.shop_id = k.shop_id and (p.published or k.withheld)
			and ((p.name, p.id) > ($5::text collate french, $6::uuid) or $6::uuid is null)
			order by p.name, p.id limit $4) p`, args...)
	if err != nil {
		return nil, fmt.Errorf("list products of shops: %w", err)
	}
	of := map[tenancy.ID][]Product{}
	for _, p := range list {
		of[p.ShopID()] = append(of[p.ShopID()], p)
	}
	connections := map[tenancy.ID]*ProductConnection{}
	for _, s := range shops {
		connections[s] = c.connection(shopList(s), ProductCount{Shop: s}, of[s], first, after)
	}
	return connections, nil
}

func shopList(shop tenancy.ID) string { return "products of " + shop.String() }

func (c *Catalog) connection(list string, count ProductCount, rows []Product, first int, after *string) *ProductConnection {
	con := &ProductConnection{count: count}
	con.PageInfo.HasPreviousPage = after != nil
	if len(rows) > first {
		rows, con.PageInfo.HasNextPage = rows[:first], true
	}
	con.Edges = make([]ProductEdge, len(rows))
	for i := range rows {
		con.Edges[i] = ProductEdge{Node: &rows[i], Cursor: c.Cursors.Seal(list, position{rows[i].Name, rows[i].Row})}
	}
	if n := len(con.Edges); n > 0 {
		con.PageInfo.StartCursor, con.PageInfo.EndCursor = &con.Edges[0].Cursor, &con.Edges[n-1].Cursor
	}
	return con
}

// Count is how many products a list over communes has.
func (c *Catalog) Count(ctx context.Context, v *identity.Viewer, f *ProductFilter) (int, error) {
	communes := f.communes(v)
	n, err := pg.SelectScalars[int](ctx, c.DB, v.PublicScope().In(communes...),
		`select count(*) from unnest($3::text[]) c (insee) join products p on `+productWhere, append(f.args(), communes)...)
	if err != nil {
		return 0, fmt.Errorf("count products: %w", err)
	}
	return n[0], nil
}

// CountByShop is how many products each shop has, as the viewer sees them.
func (c *Catalog) CountByShop(ctx context.Context, v *identity.Viewer, shops []tenancy.ID) (map[tenancy.ID]int, error) {
	type count struct {
		CommuneID string
		ShopID    uuid.UUID
		N         int
	}
	communes, rows := tenancy.Columns(shops)
	all := make([]bool, len(shops))
	for i, s := range shops {
		all[i] = sees(v, s.Commune, s)
	}
	list, err := pg.Select[count](ctx, c.DB, v.Scope().In(communes...), `
		select k.commune_id, k.shop_id, (select count(*) from products p
			where p.commune_id = k.commune_id and p.shop_id = k.shop_id and (p.published or k.withheld)) as n
		from unnest($1::text[], $2::uuid[], $3::bool[]) k (commune_id, shop_id, withheld)`, communes, rows, all)
	of := map[tenancy.ID]int{}
	for _, n := range list {
		of[tenancy.RowID(tenancy.KindShop, n.CommuneID, n.ShopID)] = n.N
	}
	return of, err
}
