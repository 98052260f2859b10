package directory

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/audelor/halles/internal/calendar"
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
	Now      func() time.Time // read once per request or transaction; nil: time.Now

	cards bool // see Cards
}

// ShopOrder is how a list of shops is sorted.
type ShopOrder string

// The orders of a list of shops.
const (
	ByName     ShopOrder = "NAME"     // French alphabetical order
	ByDistance ShopOrder = "DISTANCE" // nearest first; needs `near`
)

// Valid tells whether o is one of the orders.
func (o ShopOrder) Valid() bool { return o == ByName || o == ByDistance }

// ShopFilter narrows a list of shops; what is absent does not narrow.
type ShopFilter struct {
	Communes   []string        // INSEE codes; empty but not nil: none
	Category   *tenancy.ID     // the category and those below it
	Fulfilment *FulfilmentMode // offers this mode
	Text       *string         // words of the name, the trade or the description
	OpenNow    *bool           // serves Fulfilment at this instant, or visitors without it
}

// ShopQuery is a list of published shops.
type ShopQuery struct {
	Filter  *ShopFilter
	Near    *tenancy.Point
	OrderBy *ShopOrder // default: DISTANCE with Near, else NAME
	now     time.Time  // of the answer
	columns string     // what is read of each shop
}

// ShopConnection is a page of a list of shops.
type ShopConnection struct {
	Edges   []ShopEdge
	page    page.Info // without its cursors
	commune string
	query   ShopQuery
	cursors *page.Sealer
	list    func() string // names the list for its cursors, of which most pages need none
}

// PageInfo is where the page stands.
func (c *ShopConnection) PageInfo() page.Info {
	return c.page.Ends(len(c.Edges), func(at int) string { return c.Edges[at].Cursor() })
}

// Counted names the list that totalCount counts: a query, in one commune where the list is a
// commune's own, else "".
func (c *ShopConnection) Counted() (commune string, q ShopQuery) { return c.commune, c.query }

// ShopEdge is a shop at its place in a list.
type ShopEdge struct {
	Node           *Shop
	DistanceMetres *int // from `near`, along the great circle; null without it
	at             position
	of             *ShopConnection
}

// Cursor resumes after the shop. It is sealed when it is asked for, at 3 µs each: of most pages
// nobody asks for any.
func (e *ShopEdge) Cursor() string { return e.of.cursors.Seal(e.of.list(), e.at) }

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

// checked refuses what the caller could have known to be wrong, and spells the query out in
// one way only: two spellings of one list share its cursors.
func (d *Directory) checked(ctx context.Context, q ShopQuery) (ShopQuery, error) {
	q.now, q.columns = d.now(), d.Columns()
	if q.Near != nil {
		if err := q.Near.Check("near"); err != nil {
			return q, err
		}
		// A negative zero is a zero, but is written otherwise.
		q.Near = &tenancy.Point{Latitude: q.Near.Latitude + 0, Longitude: q.Near.Longitude + 0}
	}
	order := ByName
	switch {
	case q.OrderBy != nil:
		order = *q.OrderBy
	case q.Near != nil:
		order = ByDistance
	}
	switch {
	case !order.Valid():
		return q, fault.At([]string{"orderBy"}, "Le tri est NAME ou DISTANCE, en capitales.")
	case order == ByDistance && q.Near == nil:
		return q, fault.At([]string{"orderBy"}, "Le tri DISTANCE demande un point : donnez near.")
	}
	q.OrderBy = &order
	f := *cmp.Or(q.Filter, &ShopFilter{})
	q.Filter = &f
	if f.Category != nil {
		if err := f.Category.Want(tenancy.KindCategory, "filter", "category"); err != nil {
			return q, err
		}
	}
	if f.Fulfilment != nil && !f.Fulfilment.Valid() {
		return q, fault.At([]string{"filter", "fulfilment"}, "Le mode est PICKUP ou DELIVERY, en capitales.")
	}
	if f.Text != nil {
		if err := CheckText(*f.Text, "filter", "text"); err != nil {
			return q, err
		}
	}
	var err error
	f.Communes, err = d.Communes.Filter(ctx, f.Communes, "filter", "communes")
	return q, err
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

// list names the list for its cursors: all that changes the meaning of a position.
func (q *ShopQuery) list(commune string) string {
	text, err := json.Marshal(q)
	if err != nil {
		panic(err) // plain data; a point on the earth is finite
	}
	return "shops " + commune + " " + string(text)
}

// position is where a page ended.
type position struct {
	Name     string    `json:"n,omitempty"`
	Distance float64   `json:"d,omitempty"`
	Row      uuid.UUID `json:"i"`
}

// open reads the cursor of the list of each of the parents ("" for the list over communes): one
// that belongs to another list is refused.
func (d *Directory) open(q *ShopQuery, after *string, communes ...string) (*position, error) {
	if after == nil {
		return nil, nil //nolint:nilnil // no cursor, no position: the list from its start
	}
	var at position
	for _, commune := range communes {
		if err := d.Cursors.Open(q.list(commune), *after, &at); err != nil {
			return nil, err
		}
	}
	return &at, nil
}

// where narrows shops s to the query's, whatever the commune.
func (q *ShopQuery) where(a *pg.Args) string {
	sql := "s.status = 'PUBLISHED'"
	f := q.Filter
	if f.Text != nil {
		sql += ` and (s.commune_id, s.id) in (select w.commune_id, w.id from catalog_search w
			where w.kind = 'SHOP' and w.words @@ (select search_query(` + a.Add(*f.Text) + `)))`
	}
	if f.Fulfilment != nil {
		sql += ` and exists (select from fulfilments f
			where f.commune_id = s.commune_id and f.shop_id = s.id and f.mode = ` + a.Add(string(*f.Fulfilment)) + `)`
	}
	if f.OpenNow != nil {
		mode := calendar.Visit
		if f.Fulfilment != nil {
			mode = calendar.Mode(*f.Fulfilment)
		}
		is := " is true"
		if !*f.OpenNow {
			is = " is not true"
		}
		sql += " and (" + OpenSQL(a, "s.commune_id", "s.id", mode, q.now) + ")" + is
	}
	if f.Category != nil {
		sql += ` and s.category_id = any (array(select id from categories where ` + a.Add(f.Category.Name) + ` in (id, parent_id)))`
	}
	return sql
}

// pageSQL reads the page after a position of the shops s for which within holds, and one more
// to tell whether another page follows.
func (q *ShopQuery) pageSQL(a *pg.Args, within string, first int, at *position) string {
	distance := "null::float8"
	if q.Near != nil {
		distance = "distance_metres(" + a.Add(q.Near.Latitude) + ", " + a.Add(q.Near.Longitude) + ", s.latitude, s.longitude)"
	}
	sort, after := "s.name", ""
	if *q.OrderBy == ByDistance {
		sort = distance
	}
	switch {
	case at == nil:
	case *q.OrderBy == ByDistance:
		after = " and (" + distance + ", s.id) > (" + a.Add(at.Distance) + "::float8, " + a.Add(at.Row) + "::uuid)"
	default:
		after = " and (s.name, s.id) > (" + a.Add(at.Name) + "::text collate french, " + a.Add(at.Row) + "::uuid)"
	}
	return "select " + q.columns + ", " + distance + " as distance from shops s where " + within + " and " + q.where(a) + after +
		" order by " + sort + ", s.id limit " + a.Add(first+1)
}

// pagesSQL reads one page for each commune (LATERAL): each is an index scan that stops at the
// page's end, where one scan over `any(communes)` would sort all of them. For how the communes are
// written see tenancy.From.
func (q *ShopQuery) pagesSQL(a *pg.Args, communes []string, first int, at *position) string {
	var from string
	if len(communes) == 1 {
		from = "(values (" + a.Add(communes[0]) + "::text))"
	} else {
		from = "unnest((select " + a.Add(communes) + "::text[]))"
	}
	return "select m.* from " + from + " c (insee) cross join lateral (" +
		q.pageSQL(a, "s.commune_id = c.insee", first, at) + ") m"
}

// listSQL reads one page over the communes. An index gives all shops by name, another those of
// each commune: of some communes the pages are merged. Distances and search results must be
// sorted anyway, once for all.
func (q *ShopQuery) listSQL(a *pg.Args, communes []string, first int, at *position) string {
	if *q.OrderBy == ByDistance || q.Filter.Text != nil || q.Filter.Communes == nil {
		return q.pageSQL(a, "s.commune_id = any("+a.Add(communes)+")", first, at)
	}
	return q.pagesSQL(a, communes, first, at) + " order by m.name, m.id limit " + a.Add(first+1)
}

// shopRow is a shop in a list.
type shopRow struct {
	Shop
	Distance *float64
}

// List is one page over the communes of the filter, or over all. It shows what is published,
// whoever asks.
func (d *Directory) List(ctx context.Context, v *identity.Viewer, q ShopQuery, first int, after *string) (*ShopConnection, error) {
	if err := page.CheckFirst(first); err != nil {
		return nil, err
	}
	q, err := d.checked(ctx, q)
	if err != nil {
		return nil, err
	}
	at, err := d.open(&q, after, "")
	if err != nil {
		return nil, err
	}
	communes := q.communes(v)
	var args pg.Args
	sql := q.listSQL(&args, communes, first, at)
	rows, err := read[shopRow](ctx, d, v.PublicScope().In(communes...), sql, args...)
	if err != nil {
		return nil, fmt.Errorf("list shops: %w", err)
	}
	return d.connection(q, "", rows, first, after), nil
}

// communes are those that the list spans.
func (q *ShopQuery) communes(v *identity.Viewer) []string {
	if q.Filter.Communes != nil {
		return v.Spans(q.Filter.Communes)
	}
	return v.AllCommunes()
}

// ListByCommune is one page for each of the communes, in one statement; the filter's own
// communes do not count. A cursor is one commune's: asked with others it is refused.
func (d *Directory) ListByCommune(ctx context.Context, v *identity.Viewer, communes []string, q ShopQuery, first int, after *string) (map[string]*ShopConnection, error) {
	if err := page.CheckFirst(first); err != nil {
		return nil, err
	}
	q, err := d.checked(ctx, q)
	if err != nil {
		return nil, err
	}
	q.Filter.Communes = nil
	at, err := d.open(&q, after, communes...)
	if err != nil {
		return nil, err
	}
	var args pg.Args
	sql := q.pagesSQL(&args, v.Spans(communes), first, at)
	rows, err := read[shopRow](ctx, d, v.PublicScope().In(communes...), sql, args...)
	if err != nil {
		return nil, fmt.Errorf("list shops of communes: %w", err)
	}
	byCommune := make(map[string][]shopRow, len(communes))
	for from, to := 0, 0; from < len(rows); from = to { // those of a commune follow each other
		commune := rows[from].CommuneID
		for to < len(rows) && rows[to].CommuneID == commune {
			to++
		}
		byCommune[commune] = rows[from:to:to]
	}
	connections := make(map[string]*ShopConnection, len(communes))
	for _, c := range communes {
		connections[c] = d.connection(q, c, byCommune[c], first, after)
	}
	return connections, nil
}

func (d *Directory) connection(q ShopQuery, commune string, rows []shopRow, first int, after *string) *ShopConnection {
	c := &ShopConnection{commune: commune, query: q, cursors: d.Cursors}
	c.list = sync.OnceValue(func() string { return c.query.list(commune) })
	c.page.HasPreviousPage = after != nil
	if len(rows) > first {
		rows, c.page.HasNextPage = rows[:first], true
	}
	c.Edges = make([]ShopEdge, len(rows))
	for i := range rows {
		r := &rows[i]
		e := &c.Edges[i]
		*e = ShopEdge{Node: &r.Shop, at: position{Row: r.Row, Name: r.Name}, of: c}
		if r.Distance != nil {
			metres := int(*r.Distance + 0.5)
			e.DistanceMetres = &metres
			if *q.OrderBy == ByDistance {
				e.at.Name, e.at.Distance = "", *r.Distance
			}
		}
	}
	return c
}

// Count is how many shops a list over communes has.
func (d *Directory) Count(ctx context.Context, v *identity.Viewer, q ShopQuery) (int, error) {
	q, err := d.checked(ctx, q)
	if err != nil {
		return 0, err
	}
	byCommune, err := d.CountByCommune(ctx, v, q.communes(v), q)
	n := 0
	for _, own := range byCommune {
		n += own
	}
	return n, err
}

// CountByCommune is how many shops the list has in each of the communes.
func (d *Directory) CountByCommune(ctx context.Context, v *identity.Viewer, communes []string, q ShopQuery) (map[string]int, error) {
	type count struct {
		CommuneID string
		N         int
	}
	q, err := d.checked(ctx, q)
	if err != nil {
		return nil, err
	}
	var args pg.Args
	counts, err := pg.Select[count](ctx, d.DB, v.PublicScope().In(communes...),
		"select s.commune_id, count(*) as n from shops s where s.commune_id = any("+args.Add(v.Spans(communes))+") and "+q.where(&args)+
			" group by s.commune_id", args...)
	if err != nil {
		return nil, fmt.Errorf("count shops: %w", err)
	}
	of := map[string]int{}
	for _, c := range counts {
		of[c.CommuneID] = c.N
	}
	return of, nil
}
