package catalog

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/audelor/halles/internal/calendar"
	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/page"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// SearchKind is what a search finds.
type SearchKind string

// The two kinds.
const (
	Shops    SearchKind = "SHOP"
	Products SearchKind = "PRODUCT"
)

// SearchFilter narrows a search; what is absent does not narrow.
type SearchFilter struct {
	Kind       *SearchKind
	Communes   []string    // INSEE codes; empty but not nil: none
	Category   *tenancy.ID // the category and those below it
	Fulfilment *directory.FulfilmentMode
	OpenNow    *bool // its shop serves Fulfilment at this instant, or visitors without it
}

// SearchQuery is a search over what is published.
type SearchQuery struct {
	Text   string
	Filter *SearchFilter
	Near   *tenancy.Point // what is near comes rather
	// Cards says that no more is shown of the shops than directory.Directory.Cards reads.
	Cards bool `json:"-"`
	// Names says that no more is shown of products and shops than their IDs, slugs and names.
	Names bool `json:"-"`
	now   time.Time
	named bool // names are read from the index
}

// SearchConnection is a page of what a search found.
type SearchConnection struct {
	Edges     []SearchEdge
	Products  []*Product        // that were read beside the page: as everybody sees them, or their names alone
	Shops     []*directory.Shop // likewise; as cards
	Corrected *string           // what was looked for instead, where nothing has the words as they were typed
	page      page.Info         // without its cursors
	cursors   *page.Sealer
	query     *SearchQuery
	at        found // before the first edge
	count     func(context.Context) (*SearchFacets, error)
	counted   sync.Once
	facets    *SearchFacets
	fault     error
}

// PageInfo is where the page stands.
func (c *SearchConnection) PageInfo() page.Info {
	return c.page.Ends(len(c.Edges), func(at int) string { return c.Edges[at].Cursor() })
}

// Facets counts the whole search; counted once, when asked for.
func (c *SearchConnection) Facets(ctx context.Context) (*SearchFacets, error) {
	c.counted.Do(func() { c.facets, c.fault = c.count(ctx) })
	return c.facets, c.fault
}

// TotalCount is how much the whole search found.
func (c *SearchConnection) TotalCount(ctx context.Context) (int, error) {
	f, err := c.Facets(ctx)
	if err != nil {
		return 0, err
	}
	return f.total, nil
}

// SearchEdge is a shop or product at its place.
type SearchEdge struct {
	ID             tenancy.ID // whose, see Catalog.Search
	Score          int        // search_score, in migrations/00027
	DistanceMetres *int       // from Near, along the great circle; nil without it
	rest           int        // of foundRow
	of             *SearchConnection
	place          int // on its page
}

// Cursor resumes after the edge. It is sealed when it is asked for, with 17 allocations each: of most
// pages nobody asks for any.
func (e *SearchEdge) Cursor() string {
	at := e.of.at
	at.Rest, at.Score, at.Row, at.Seen = e.rest, e.Score, e.ID.Row, at.Seen+e.place+1
	return e.of.cursors.Seal(e.of.query.list(), at)
}

// maxDepth bounds how far a search is paged through: who has not found it among three hundred needs
// other words, and each page ranks all of it again.
const maxDepth = 300

// way is how a search understands what was typed. Each is tried when the one before found nothing.
type way string

const (
	meant   way = "meant"   // each word, by its stem, or what the thesaurus puts in its place
	begun   way = "begun"   // the last word unfinished
	anyWord way = "anyWord" // not all of the words
)

// found is where a page of a search ended, and how the first page came by it.
type found struct {
	Rest  int       `json:"r,omitempty"`
	Score int       `json:"s"`
	Row   uuid.UUID `json:"i"`
	Seen  int       `json:"n"` // on this page and those before
	Way   way       `json:"w"`
	Text  string    `json:"t"` // typed, or corrected
}

// checked refuses what the caller could have known to be wrong, and spells the query out in one
// way only: two spellings of one search share its cursors.
func (q SearchQuery) checked(ctx context.Context, communes *tenancy.Register) (_ SearchQuery, err error) {
	if err := directory.CheckText(q.Text, "text"); err != nil {
		return q, err
	}
	if q.Near != nil {
		if err := q.Near.Check("near"); err != nil {
			return q, err
		}
		q.Near = &tenancy.Point{Latitude: q.Near.Latitude + 0, Longitude: q.Near.Longitude + 0} // no negative zero
	}
	f := *cmp.Or(q.Filter, &SearchFilter{})
	q.Filter = &f
	switch {
	case f.Kind != nil && *f.Kind != Shops && *f.Kind != Products:
		return q, fault.At([]string{"filter", "kind"}, "On cherche des boutiques (SHOP) ou des produits (PRODUCT), en capitales.")
	case f.Fulfilment != nil && !f.Fulfilment.Valid():
		return q, fault.At([]string{"filter", "fulfilment"}, "Le mode est PICKUP ou DELIVERY, en capitales.")
	case f.Category != nil:
		if err := f.Category.Want(tenancy.KindCategory, "filter", "category"); err != nil {
			return q, err
		}
	}
	f.Communes, err = communes.Filter(ctx, f.Communes, "filter", "communes")
	return q, err
}

// list names the search for its cursors.
func (q *SearchQuery) list() string {
	text, err := json.Marshal(q)
	if err != nil {
		panic(err) // plain data; a point on the earth is finite
	}
	return "search " + string(text)
}

// open tells whether the shop of an entry w serves what is asked for now.
func (q *SearchQuery) open(a *pg.Args) string {
	mode := calendar.Visit
	if q.Filter.Fulfilment != nil {
		mode = calendar.Mode(*q.Filter.Fulfilment)
	}
	return "(" + directory.OpenSQL(a, "w.commune_id", "w.shop_id", mode, q.now) + ")"
}

// conditions are those of the filter beside words and communes, by name; that of the hour is a
// part of kind's, which every facet keeps.
func (q *SearchQuery) conditions(a *pg.Args) (category, mode, kind string) {
	f := q.Filter
	category, mode, kind = "true", "true", "true"
	if f.Category != nil {
		category = "w.category_id = any (array(select id from categories where (select " + a.Add(f.Category.Name) + "::text) in (id, parent_id)))"
	}
	if f.Fulfilment != nil {
		mode = map[directory.FulfilmentMode]string{directory.Pickup: "w.pickup", directory.Delivery: "w.delivery"}[*f.Fulfilment]
	}
	if f.Kind != nil {
		kind = "w.kind = '" + string(*f.Kind) + "'" // one of two, see checked
	}
	if f.OpenNow != nil {
		is := " is true"
		if !*f.OpenNow {
			is = " is not true"
		}
		kind += " and " + q.open(a) + is
	}
	return category, mode, kind
}

// Search finds shops and products by words, the best first: see search_score; products that do not have
// all of them in their name last, but where a place is given or nothing has all. What has all the
// words as they are typed comes before anything else; only when nothing has, the last word may be
// unfinished, then misspelt words are corrected, then not all of them need occur.
//
// It spans what is published, whoever asks; an edge's ID leads to what everybody may see.
//
// Faults: INVALID for a search deeper than three hundred results.
func (c *Catalog) Search(ctx context.Context, v *identity.Viewer, q SearchQuery, first int, after *string) (*SearchConnection, error) {
	if err := page.CheckFirst(first); err != nil {
		return nil, err
	}
	q, err := q.checked(ctx, c.Communes)
	if err != nil {
		return nil, err
	}
	q.now, q.named = c.now(), q.Names && readsBeside(v)
	var rows []foundRow
	at := found{Way: meant, Text: q.Text}
	if after != nil {
		if err := c.Cursors.Open(q.list(), *after, &at); err != nil {
			return nil, err
		}
		if at.Seen >= maxDepth {
			return nil, fault.At([]string{"after"}, "Une recherche se parcourt sur %d résultats. Précisez-la : un mot de plus, une commune, une catégorie.", maxDepth)
		}
		rows, err = c.look(ctx, v, &q, at, first)
	} else {
		rows, at, err = c.lookAround(ctx, v, &q, first)
	}
	if err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	if len(rows) == 0 && after == nil {
		c.missed(ctx, v, &q)
	}
	con := &SearchConnection{cursors: c.Cursors, query: &q, at: at}
	con.count = func(ctx context.Context) (*SearchFacets, error) { return c.facets(ctx, v, &q, con.at) }
	if at.Text != q.Text {
		con.Corrected = &at.Text
	}
	con.page.HasPreviousPage = after != nil
	if len(rows) > first {
		rows, con.page.HasNextPage = rows[:first], true
	}
	con.read(rows)
	con.Edges = make([]SearchEdge, len(rows))
	for i := range rows {
		r := &rows[i]
		e := SearchEdge{Score: r.Score, rest: r.Rest, ID: tenancy.RowID(tenancy.KindProduct, r.CommuneID, r.Row), of: con, place: i}
		if SearchKind(r.Kind) == Shops {
			e.ID.Kind = tenancy.KindShop
		}
		if r.Metres != nil {
			metres := int(*r.Metres + 0.5)
			e.DistanceMetres = &metres
		}
		con.Edges[i] = e
	}
	return con, nil
}

// look reads a page in one way. A first page is looked for among the names first, see pageSQL.
func (c *Catalog) look(ctx context.Context, v *identity.Viewer, q *SearchQuery, at found, first int) ([]foundRow, error) {
	query, err := c.meant(ctx, v, at)
	if err != nil || query == "" {
		return nil, err
	}
	communes := q.communesOf(v)
	ask := func(head bool) ([]foundRow, error) {
		var args pg.Args
		sql := q.pageSQL(&args, communes, at, query, first, head)
		if readsBeside(v) && !q.named {
			sql = beside(sql, q.Cards)
		} else {
			sql = "select f.* from (" + sql + ") f"
		}
		s := searching(v)
		if q.Filter.Communes != nil {
			s = s.In(communes...)
		}
		if head && q.Filter.OpenNow == nil {
			s.Generic = false // its arguments tell Postgres nothing, see asked: it sees by itself
		}
		return pg.SelectPart[foundRow](ctx, c.DB, s, sql, args...)
	}
	if at.Seen == 0 && q.inStages(at) {
		if rows, err := ask(true); len(rows) > first || err != nil {
			return rows, err
		}
	}
	return ask(false)
}

// searching is the scope of a search's statements. Each is planned once for a connection: to plan them
// took as long as to run them, 1.1 ms of a page's 2.1.
func searching(v *identity.Viewer) pg.Scope {
	s := v.PublicScope()
	s.Generic = true
	return s
}

// lookAround reads the first page in the first way that finds anything.
func (c *Catalog) lookAround(ctx context.Context, v *identity.Viewer, q *SearchQuery, first int) ([]foundRow, found, error) {
	for _, w := range []way{meant, begun} {
		at := found{Way: w, Text: q.Text}
		if rows, err := c.look(ctx, v, q, at, first); len(rows) > 0 || err != nil {
			return rows, at, err
		}
	}
	corrected, err := c.correct(ctx, v, q)
	if err != nil {
		return nil, found{}, err
	}
	for _, at := range []found{{Way: meant, Text: corrected}, {Way: anyWord, Text: corrected}} {
		if at.Way == meant && corrected == q.Text {
			continue // looked for already
		}
		if rows, err := c.look(ctx, v, q, at, first); len(rows) > 0 || err != nil {
			return rows, at, err
		}
	}
	return nil, found{Way: meant, Text: q.Text}, nil
}

// communesOf are those that a search spans.
func (q *SearchQuery) communesOf(v *identity.Viewer) []string {
	if q.Filter.Communes == nil {
		return v.AllCommunes()
	}
	return slices.DeleteFunc(slices.Clone(q.Filter.Communes), func(c string) bool { return !slices.Contains(v.AllCommunes(), c) })
}
