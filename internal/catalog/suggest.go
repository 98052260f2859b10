package catalog

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// Suggestion is what somebody who types may be about to type.
type Suggestion struct {
	Text   string      // to look for
	ShopID *tenancy.ID // when it is the name of a shop
}

// maxSuggestions bounds a list that nobody reads to its end.
const maxSuggestions = 10

// Suggest completes what somebody types: by words of what is published, the most widespread
// first, that occur with the words before, and by names of shops. Where nothing begins so, words
// that look alike are suggested. From two letters on.
func (c *Catalog) Suggest(ctx context.Context, v *identity.Viewer, text string, communes []string, first int) ([]*Suggestion, error) {
	if first < 1 || first > maxSuggestions {
		return nil, fault.At([]string{"first"}, "first vaut %d ; demandez de 1 à %d suggestions.", first, maxSuggestions)
	}
	if err := directory.CheckText(text, "text"); err != nil {
		return nil, err
	}
	f, err := c.Communes.Filter(ctx, communes, "communes")
	if err != nil {
		return nil, err
	}
	q := SearchQuery{Filter: &SearchFilter{Communes: f}}
	type row struct {
		Text      string
		CommuneID *string
		ID        *uuid.UUID
	}
	rows, err := pg.Select[row](ctx, c.DB, v.PublicScope(), `
		with typed as materialized (
			select lower(unaccent(search_typed($1))) as plain, substring(lower(unaccent(search_typed($1))) from '([a-z0-9]+)$') as last,
				regexp_replace(search_typed($1), '[^[:space:]''"]+$', '') as before),
		words as materialized (
			select min(t.shown) as shown, count(*) as wide, t.term, 1.0::float4 as alike from typed, search_terms t
			where char_length(last) >= 2 and t.commune_id = any($2) and t.term >= last and t.term < last || '~' group by t.term
			order by wide desc, char_length(t.term), t.term limit 50),
		fitting as materialized (
			select w.* from typed, words w where search_meant(before)::text = '' or exists (
				select from catalog_search c where c.commune_id = any($2) and c.words @@ (search_meant(before) && plainto_tsquery('french_unaccent', w.term)))),
		alike as materialized (
			select min(t.shown) as shown, count(*) as wide, t.term, max(similarity(t.term, last)) as alike from typed, search_terms t
			where char_length(last) >= 4 and not exists (select from words) and t.term % last and t.commune_id = any($2) group by t.term
			order by alike desc, wide desc, t.term limit $3),
		shops as materialized (
			select s.name::text as name, s.commune_id, s.id
			from typed, catalog_search w join shops s on s.commune_id = w.commune_id and s.id = w.id and s.status = 'PUBLISHED'
			where char_length(last) >= 2 and w.kind = 'SHOP' and w.commune_id = any($2)
			and w.words @@ (select search_query(search_typed($1)))
			and (select bool_and(lower(unaccent(s.name::text)) ~ ('\m' || part)) from regexp_split_to_table((select plain from typed), '[^a-z0-9]+') part where part <> '')
			order by s.name, s.id limit $3)
		select x.text, x.commune_id, x.id from (
			select typed.before || w.shown as text, null::text as commune_id, null::uuid as id, 1 as kind, w.alike, w.wide from typed, (select * from fitting union all select * from alike) w
			union all
			select name, commune_id, id, 2, 1, 0 from shops) x
		order by x.kind, x.alike desc, x.wide desc, char_length(x.text), x.text limit $3`, text, q.communesOf(v), first)
	if err != nil {
		return nil, fmt.Errorf("suggest: %w", err)
	}
	list := make([]*Suggestion, len(rows))
	for i, r := range rows {
		list[i] = &Suggestion{Text: r.Text}
		if r.ID != nil {
			id := tenancy.RowID(tenancy.KindShop, *r.CommuneID, *r.ID)
			list[i].ShopID = &id
		}
	}
	return list, nil
}
