package directory

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/page"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// Directory answers for shops.
type Directory struct {
	DB       *pg.DB
	Communes *tenancy.Register
	Cursors  *page.Sealer
}

// ShopOrder is how a list of shops is sorted.
type ShopOrder string

// The orders of a list of shops.
const (
	ByName     ShopOrder = "NAME"     // French alphabetical order
	ByDistance ShopOrder = "DISTANCE" // nearest first; needs `near`
)

// ShopFilter narrows a list of shops; what is absent does not narrow.
type ShopFilter struct {
	Communes   []string        // INSEE codes
	Category   *tenancy.ID     // the category and those below it
	Fulfilment *FulfilmentMode // offers this mode
	Text       *string         // words of the name, the trade or the description
}

// ShopQuery is a list of published shops.
type ShopQuery struct {
	Filter  *ShopFilter
	Near    *tenancy.Point
	OrderBy *ShopOrder // default: DISTANCE with Near, else NAME
}

// ShopConnection is a page of a list of shops.
type ShopConnection struct {
	Edges    []ShopEdge
	PageInfo page.Info
	query    ShopQuery // what totalCount counts
}

// ShopEdge is a shop at its place in a list.
type ShopEdge struct {
	Cursor         string
	Node           *Shop
	DistanceMetres *int // from `near`, along the great circle; null without it
}

// Nodes are the shops of the page.
func (c *ShopConnection) Nodes() []*Shop {
	nodes := make([]*Shop, len(c.Edges))
	for i, e := range c.Edges {
		nodes[i] = e.Node
	}
	return nodes
}

// maxText bounds a search text, in characters: more than anybody types.
const maxText = 200

// check refuses what the caller could have known to be wrong.
func (q *ShopQuery) check(ctx context.Context, communes *tenancy.Register) error {
	if q.Near != nil {
		if err := q.Near.Check("near"); err != nil {
			return err
		}
	}
	if q.OrderBy != nil && *q.OrderBy == ByDistance && q.Near == nil {
		return fault.At([]string{"orderBy"}, "Le tri DISTANCE demande un point : donnez near.")
	}
	f := q.Filter
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
		return CheckText(*f.Text, "filter", "text")
	}
	return nil
}

// CheckText refuses a search text that is empty or longer than anybody types.
func CheckText(text string, path ...string) error {
	switch n := utf8.RuneCountInString(text); {
	case n > maxText:
		return fault.At(path, "Le texte cherché a %d caractères ; %d au plus.", n, maxText)
	case strings.TrimSpace(text) == "":
		return fault.At(path, "Le texte cherché est vide ; donnez un mot, ou retirez text.")
	case strings.ContainsRune(text, 0):
		return fault.At(path, "Le texte cherché contient un caractère nul.")
	}
	return nil
}

// order is the order asked for, or the one that the query suggests.
func (q *ShopQuery) order() ShopOrder {
	switch {
	case q.OrderBy != nil:
		return *q.OrderBy
	case q.Near != nil:
		return ByDistance
	}
	return ByName
}

// list names the list for its cursors: all that changes the meaning of a position.
func (q *ShopQuery) list(parent string) string {
	name := "shops " + parent + " " + string(q.order())
	if q.Near != nil {
		name += fmt.Sprintf(" %v,%v", q.Near.Latitude, q.Near.Longitude)
	}
	if f := q.Filter; f != nil {
		name += fmt.Sprintf(" %q", f.Communes)
		if f.Category != nil {
			name += " c=" + f.Category.Name
		}
		if f.Fulfilment != nil {
			name += " m=" + string(*f.Fulfilment)
		}
		if f.Text != nil {
			name += fmt.Sprintf(" t=%q", *f.Text)
		}
	}
	return name
}

// position is where a page ended.
type position struct {
	Name     string    `json:"n,omitempty"`
	Distance float64   `json:"d,omitempty"`
	Row      uuid.UUID `json:"i"`
}

// where writes the query's conditions, the same for a page and for a count. Arguments: $1
// text, $2 mode, $3 category, $4 and $5 the point.
const where = `s.commune_id = c.insee and s.status = 'PUBLISHED'
	and ($1::text is null or s.id in (
		select cs.id from catalog_search cs, search_query($1) q
		where cs.commune_id = c.insee and cs.kind = 'SHOP' and cs.words @@ q))
	and ($2::text is null or exists (
		select from fulfilments f where f.commune_id = s.commune_id and f.shop_id = s.id and f.mode = $2))
	and ($3::text is null or s.category_id in (select id from categories where $3 in (id, parent_id)))`

func (q *ShopQuery) args() []any {
	args := make([]any, 5)
	if f := q.Filter; f != nil {
		if f.Text != nil {
			args[0] = *f.Text
		}
		if f.Fulfilment != nil {
			args[1] = string(*f.Fulfilment)
		}
		if f.Category != nil {
			args[2] = f.Category.Name
		}
	}
	if q.Near != nil {
		args[3], args[4] = q.Near.Latitude, q.Near.Longitude
	}
	return args
}

// pagesSQL reads one keyset page for each commune of $6 (LATERAL): each is an index scan that
// stops at the page's end, where one scan over `any(communes)` would sort all of them.
// $7 first + 1; $8, $9, $10 the position.
func (q *ShopQuery) pagesSQL() string {
	key, distance := "(s.name, s.id) > ($8::text collate french, $10::uuid) or $10::uuid is null", "null::float8"
	sort := "s.name, s.id"
	if q.Near != nil {
		distance = "distance_metres($4, $5, s.latitude, s.longitude)"
	}
	if q.order() == ByDistance {
		key = "(" + distance + ", s.id) > ($9::float8, $10::uuid) or $10::uuid is null"
		sort = distance + ", s.id"
	}
	return `select p.* from unnest($6::text[]) c (insee) cross join lateral (
		select ` + shopColumns + `, ` + distance + ` as distance
		from shops s where ` + where + ` and (` + key + `)
		order by ` + sort + ` limit $7) p`
}

func (q *ShopQuery) mergedSQL() string {
	sort := " order by name, id limit $7"
	if q.order() == ByDistance {
		sort = " order by distance, id limit $7"
	}
	return "select m.* from (" + q.pagesSQL() + ") m" + sort
}

// shopRow is a shop in a list.
type shopRow struct {
	Shop
	Distance *float64
}

// List is one page over the communes of the filter, or over all. It shows what is published,
// whoever asks.
func (d *Directory) List(ctx context.Context, v *identity.Viewer, q ShopQuery, first int, after *string) (_ *ShopConnection, err error) {
	if err := page.CheckFirst(first); err != nil {
		return nil, err
	}
	if err := q.check(ctx, d.Communes); err != nil {
		return nil, err
	}
	communes := v.AllCommunes()
	if q.Filter != nil && len(q.Filter.Communes) > 0 {
		communes = q.Filter.Communes
	}
	args, err := d.pageArgs(q, "", communes, first, after)
	if err != nil {
		return nil, err
	}
	rows, err := pg.Select[shopRow](ctx, d.DB, v.PublicScope().In(communes...), q.mergedSQL(), args...)
	if err != nil {
		return nil, fmt.Errorf("list shops: %w", err)
	}
	return d.connection(q, "", rows, first, after), nil
}

// ListByCommune is one page for each of the communes, in one statement.
func (d *Directory) ListByCommune(ctx context.Context, v *identity.Viewer, communes []string, q ShopQuery, first int, after *string) (map[string]*ShopConnection, error) {
	if err := page.CheckFirst(first); err != nil {
		return nil, err
	}
	if err := q.check(ctx, d.Communes); err != nil {
		return nil, err
	}
	args, err := d.pageArgs(q, communes[0], communes, first, after)
	if err != nil {
		return nil, err
	}
	rows, err := pg.Select[shopRow](ctx, d.DB, v.PublicScope().In(communes...), q.pagesSQL(), args...)
	if err != nil {
		return nil, fmt.Errorf("list shops of communes: %w", err)
	}
	byCommune := map[string][]shopRow{}
	for _, r := range rows {
		byCommune[r.CommuneID] = append(byCommune[r.CommuneID], r)
	}
	connections := map[string]*ShopConnection{}
	for _, c := range communes {
		own := q
		own.Filter = q.Filter.within(c)
		connections[c] = d.connection(own, c, byCommune[c], first, after)
	}
	return connections, nil
}

// within is the filter narrowed to one commune.
func (f *ShopFilter) within(commune string) *ShopFilter {
	narrowed := ShopFilter{}
	if f != nil {
		narrowed = *f
	}
	narrowed.Communes = []string{commune}
	return &narrowed
}

func (d *Directory) pageArgs(q ShopQuery, parent string, communes []string, first int, after *string) ([]any, error) {
	args := append(q.args(), communes, first+1, nil, nil, nil)
	if after != nil {
		var at position
		if parent != "" {
			q.Filter = q.Filter.within(parent)
		}
		if err := d.Cursors.Open(q.list(parent), *after, &at); err != nil {
			return nil, err
		}
		args[7], args[8], args[9] = at.Name, at.Distance, at.Row
	}
	return args, nil
}

func (d *Directory) connection(q ShopQuery, parent string, rows []shopRow, first int, after *string) *ShopConnection {
	c := &ShopConnection{query: q}
	c.PageInfo.HasPreviousPage = after != nil
	if len(rows) > first {
		rows, c.PageInfo.HasNextPage = rows[:first], true
	}
	list := q.list(parent)
	c.Edges = make([]ShopEdge, len(rows))
	for i := range rows {
		r := &rows[i]
		at := position{Row: r.Row, Name: r.Name}
		if r.Distance != nil {
			metres := int(*r.Distance + 0.5)
			c.Edges[i].DistanceMetres = &metres
			if q.order() == ByDistance {
				at.Name, at.Distance = "", *r.Distance
			}
		}
		c.Edges[i].Node, c.Edges[i].Cursor = &r.Shop, d.Cursors.Seal(list, at)
	}
	if n := len(c.Edges); n > 0 {
		c.PageInfo.StartCursor, c.PageInfo.EndCursor = &c.Edges[0].Cursor, &c.Edges[n-1].Cursor
	}
	return c
}

// Count is how many shops the whole list of a connection has.
func (d *Directory) Count(ctx context.Context, v *identity.Viewer, c *ShopConnection) (int, error) {
	communes := v.AllCommunes()
	if f := c.query.Filter; f != nil && len(f.Communes) > 0 {
		communes = f.Communes
	}
	args := append(c.query.args(), communes)
	counts, err := pg.SelectScalars[int](ctx, d.DB, v.PublicScope().In(communes...),
		`select count(*) from unnest($6::text[]) c (insee) join shops s on `+where+` and ($4::float8 is null or $5::float8 is not null)`, args...)
	if err != nil {
		return 0, fmt.Errorf("count shops: %w", err)
	}
	return counts[0], nil
}
