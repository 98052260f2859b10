package catalog

import (
	"context"
	"encoding/json"
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
	Communes []string    // INSEE codes; empty but not nil: none
	Category *tenancy.ID // the category and those below it
	Text     *string     // words of the name, the trade, the shop or the description
}

// ProductConnection is a page of a list of products.
type ProductConnection struct {
	Edges   []ProductEdge
	page    page.Info // without its cursors
	count   ProductCount
	cursors *page.Sealer
	list    string // names the list for its cursors
}

// PageInfo is where the page stands.
func (c *ProductConnection) PageInfo() page.Info {
	return c.page.Ends(len(c.Edges), func(at int) string { return c.Edges[at].Cursor() })
}

// ProductEdge is a product at its place in a list.
type ProductEdge struct {
	Node *Product
	of   *ProductConnection
}

// Cursor resumes after the product. It is sealed when it is asked for, at 3 µs each: of most pages
// nobody asks for any.
func (e *ProductEdge) Cursor() string {
	return e.of.cursors.Seal(e.of.list, position{e.Node.Name, e.Node.Row})
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
	Shop   tenancy.ID // zero for a list over communes
	Filter ProductFilter
}

type position struct {
	Name string    `json:"n"`
	Row  uuid.UUID `json:"i"`
}

// checked refuses what the caller could have known to be wrong, and spells the filter out in
// one way only: two spellings of one list share its cursors.
func (f *ProductFilter) checked(ctx context.Context, communes *tenancy.Register) (_ ProductFilter, err error) {
	if f == nil {
		return ProductFilter{}, nil
	}
	if f.Category != nil {
		if err := f.Category.Want(tenancy.KindCategory, "filter", "category"); err != nil {
			return ProductFilter{}, err
		}
	}
	if f.Text != nil {
		if err := directory.CheckText(*f.Text, "filter", "text"); err != nil {
			return ProductFilter{}, err
		}
	}
	own := *f
	own.Communes, err = communes.Filter(ctx, f.Communes, "filter", "communes")
	return own, err
}

// list names the list for its cursors.
func (f *ProductFilter) list() string {
	text, err := json.Marshal(f)
	if err != nil {
		panic(err) // plain data
	}
	return "products " + string(text)
}

// communes are those that the list spans.
func (f *ProductFilter) communes(v *identity.Viewer) []string {
	if f.Communes != nil {
		return v.Spans(f.Communes)
	}
	return v.AllCommunes()
}

// where narrows products p to the filter's, whatever the commune.
func (f *ProductFilter) where(a *pg.Args) string {
	sql := "p.published"
	if f.Text != nil {
		sql += ` and (p.commune_id, p.id) in (select w.commune_id, w.id from catalog_search w
			where w.kind = 'PRODUCT' and w.words @@ (select search_query(` + a.Add(*f.Text) + `)))`
	}
	if f.Category != nil {
		sql += ` and p.category_id = any (array(select id from categories where ` + a.Add(f.Category.Name) + ` in (id, parent_id)))`
	}
	return sql
}

// after is where a page ended.
func (p *position) after(a *pg.Args) string {
	if p == nil {
		return ""
	}
	return " and (p.name, p.id) > (" + a.Add(p.Name) + "::text collate french, " + a.Add(p.Row) + "::uuid)"
}

// open reads the cursor of each of the lists: one that belongs to another is refused.
func (c *Catalog) open(after *string, lists ...string) (*position, error) {
	if after == nil {
		return nil, nil //nolint:nilnil // no cursor, no position: the list from its start
	}
	var at position
	for _, list := range lists {
		if err := c.Cursors.Open(list, *after, &at); err != nil {
			return nil, err
		}
	}
	return &at, nil
}

// pageSQL reads the page after a position of the products p for which within holds, and one
// more to tell whether another page follows.
func (f *ProductFilter) pageSQL(a *pg.Args, within string, first int, at *position) string {
	return "select " + productColumns + " from products p where " + within + " and " + f.where(a) + at.after(a) +
		" order by p.name, p.id limit " + a.Add(first+1)
}

// listSQL reads one page over the communes. An index gives all products by name, another those
// of each commune: of some communes the pages are merged. Search results must be sorted anyway.
func (f *ProductFilter) listSQL(a *pg.Args, communes []string, first int, at *position) string {
	if f.Communes == nil || f.Text != nil {
		return f.pageSQL(a, "p.commune_id = any("+a.Add(communes)+")", first, at)
	}
	return "select m.* from unnest(" + a.Add(communes) + "::text[]) c (insee) cross join lateral (" +
		f.pageSQL(a, "p.commune_id = c.insee", first, at) + ") m order by m.name, m.id limit " + a.Add(first+1)
}

// List is one page of published products, by name, over the communes of the filter or all.
func (c *Catalog) List(ctx context.Context, v *identity.Viewer, filter *ProductFilter, first int, after *string) (*ProductConnection, error) {
	if err := page.CheckFirst(first); err != nil {
		return nil, err
	}
	f, err := filter.checked(ctx, c.Communes)
	if err != nil {
		return nil, err
	}
	at, err := c.open(after, f.list())
	if err != nil {
		return nil, err
	}
	communes := f.communes(v)
	var args pg.Args
	rows, err := pg.Select[Product](ctx, c.DB, v.PublicScope().In(communes...), f.listSQL(&args, communes, first, at), args...)
	if err != nil {
		return nil, fmt.Errorf("list products: %w", err)
	}
	return c.connection(f.list(), ProductCount{Filter: f}, rows, first, after), nil
}

// ListByShop is one page of products, by name, for each of the shops, in one statement. The
// public sees what is published; whoever runs or serves the shop sees all of it. A cursor is one
// shop's: asked with others it is refused.
func (c *Catalog) ListByShop(ctx context.Context, v *identity.Viewer, shops []tenancy.ID, first int, after *string) (map[tenancy.ID]*ProductConnection, error) {
	if err := page.CheckFirst(first); err != nil {
		return nil, err
	}
	lists := make([]string, len(shops))
	for i, s := range shops {
		lists[i] = shopList(s, sees(v, s.Commune, s))
	}
	at, err := c.open(after, lists...)
	if err != nil {
		return nil, err
	}
	there := v.Within(shops)
	communes, rows := tenancy.Columns(there)
	withheld, seen := make([]bool, len(there)), "p.published" // for most: what an index has
	for i, s := range there {
		if withheld[i] = sees(v, s.Commune, s); withheld[i] {
			seen = "(p.published or k.withheld)"
		}
	}
	args := pg.Args{communes, rows, withheld, first + 1}
	list, err := pg.Select[Product](ctx, c.DB, v.Scope().In(communes...), `
		select p.* from unnest((select $1::text[]), (select $2::uuid[]), (select $3::bool[])) k (commune_id, shop_id, withheld) cross join lateral (
			select `+productColumns+` from products p
			where p.commune_id = k.commune_id and p.shop_id = k.shop_id and `+seen+at.after(&args)+`
			order by p.name, p.id limit $4) p`, args...)
	if err != nil {
		return nil, fmt.Errorf("list products of shops: %w", err)
	}
	of := make(map[tenancy.ID][]Product, len(shops))
	for from, to := 0, 0; from < len(list); from = to { // those of a shop follow each other
		shop := list[from].ShopID()
		for to < len(list) && list[to].ShopRow == shop.Row && list[to].CommuneID == shop.Commune {
			to++
		}
		of[shop] = list[from:to:to]
	}
	connections := map[tenancy.ID]*ProductConnection{}
	for i, s := range shops {
		connections[s] = c.connection(lists[i], ProductCount{Shop: s}, of[s], first, after)
	}
	return connections, nil
}

// shopList names a shop's list for its cursors. One that has withheld products in it is another
// list: its cursors would tell where they stand.
func shopList(shop tenancy.ID, withheld bool) string {
	if withheld {
		return "all products of " + shop.String()
	}
	return "products of " + shop.String()
}

func (c *Catalog) connection(list string, count ProductCount, rows []Product, first int, after *string) *ProductConnection {
	con := &ProductConnection{count: count, cursors: c.Cursors, list: list}
	con.page.HasPreviousPage = after != nil
	if len(rows) > first {
		rows, con.page.HasNextPage = rows[:first], true
	}
	con.Edges = make([]ProductEdge, len(rows))
	for i := range rows {
		con.Edges[i] = ProductEdge{Node: &rows[i], of: con}
	}
	return con
}

// Count is how many products a list over communes has.
func (c *Catalog) Count(ctx context.Context, v *identity.Viewer, filter *ProductFilter) (int, error) {
	f, err := filter.checked(ctx, c.Communes)
	if err != nil {
		return 0, err
	}
	communes := f.communes(v)
	var args pg.Args
	n, err := pg.SelectScalars[int](ctx, c.DB, v.PublicScope().In(communes...),
		"select count(*) from products p where p.commune_id = any("+args.Add(communes)+") and "+f.where(&args), args...)
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
		from unnest((select $1::text[]), (select $2::uuid[]), (select $3::bool[])) k (commune_id, shop_id, withheld)`, communes, rows, all)
	of := map[tenancy.ID]int{}
	for _, n := range list {
		of[tenancy.RowID(tenancy.KindShop, n.CommuneID, n.ShopID)] = n.N
	}
	return of, err
}
