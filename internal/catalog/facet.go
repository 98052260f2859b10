package catalog

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/pg"
)

// SearchFacets counts what a search found by what it can be narrowed by. Each count is what
// choosing that would give: the search's other conditions hold, and the facet's own do not.
type SearchFacets struct {
	Communes   []*CommuneFacet // most first
	Categories []*CategoryFacet
	Modes      []*ModeFacet
	total      int
}

// CommuneFacet is how many are in a commune.
type CommuneFacet struct {
	Insee string
	Count int
}

// CategoryFacet is how many are in a category.
type CategoryFacet struct {
	Slug  string
	Count int
}

// ModeFacet is how many can be had in a mode.
type ModeFacet struct {
	Mode  directory.FulfilmentMode
	Count int
}

// facets counts a whole search in one pass over what has the words, in all the communes that the
// viewer sees.
func (c *Catalog) facets(ctx context.Context, v *identity.Viewer, q *SearchQuery, at found) (*SearchFacets, error) {
	type row struct {
		CommuneID  *string
		CategoryID *string
		ByCommune  int
		ByCategory int
		Pickup     int
		Delivery   int
		Total      int
	}
	var args pg.Args
	category, mode, kind := q.Filter.conditions(&args)
	in := "true"
	if q.Filter.Communes != nil {
		in = "w.commune_id = any(" + args.Add(q.communesOf(v)) + ")"
	}
	rows, err := pg.Select[row](ctx, c.DB, v.PublicScope(), `
		with q as materialized (select `+at.Way.sql(args.Add(at.Text))+` as meant)
		select w.commune_id, w.category_id,
			count(*) filter (where `+category+` and `+mode+`) as by_commune,
			count(*) filter (where `+in+` and `+mode+`) as by_category,
			count(*) filter (where `+in+` and `+category+` and w.pickup) as pickup,
			count(*) filter (where `+in+` and `+category+` and w.delivery) as delivery,
			count(*) filter (where `+in+` and `+category+` and `+mode+`) as total
		from catalog_search w where `+within(&args, v.AllCommunes())+` and `+kind+`
		group by grouping sets ((w.commune_id), (w.category_id), ())`, args...)
	if err != nil {
		return nil, fmt.Errorf("count a search: %w", err)
	}
	f := &SearchFacets{Communes: []*CommuneFacet{}, Categories: []*CategoryFacet{}}
	for _, r := range rows {
		switch {
		case r.CommuneID != nil:
			if r.ByCommune > 0 {
				f.Communes = append(f.Communes, &CommuneFacet{*r.CommuneID, r.ByCommune})
			}
		case r.CategoryID != nil:
			if r.ByCategory > 0 {
				f.Categories = append(f.Categories, &CategoryFacet{*r.CategoryID, r.ByCategory})
			}
		default:
			f.Modes = []*ModeFacet{{directory.Pickup, r.Pickup}, {directory.Delivery, r.Delivery}}
			f.total = r.Total
		}
	}
	slices.SortFunc(f.Communes, func(a, b *CommuneFacet) int { return cmp.Or(b.Count-a.Count, cmp.Compare(a.Insee, b.Insee)) })
	slices.SortFunc(f.Categories, func(a, b *CategoryFacet) int { return cmp.Or(b.Count-a.Count, cmp.Compare(a.Slug, b.Slug)) })
	return f, nil
}
