package catalog

import (
	"context"
	"strings"

	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/pg"
)

// wordRow is a word that was typed, and one that is known and may have been meant.
type wordRow struct {
	Word  string
	Known bool
	Term  *string
	Shown *string
	Alike *float32
	Wide  *int // in how many communes
}

// correct replaces the words of a search that nothing published has by the nearest that something
// has, by trigrams and then by the fewest slips of the finger. A short word that lost or swapped a
// letter has hardly a trigram left: for these, words of the same beginning are looked at too.
func (c *Catalog) correct(ctx context.Context, v *identity.Viewer, q *SearchQuery) (string, error) {
	rows, err := pg.Select[wordRow](ctx, c.DB, searching(v), `
		with said as materialized (
			select w as word, n, coalesce((tsvector_to_array(to_tsvector('french_unaccent', w)))[1], '') as lexeme
			from regexp_split_to_table(lower(unaccent(search_typed($1))), '[^a-z0-9]+') with ordinality t (w, n) where w <> ''),
		judged as materialized (
			select word, n, char_length(word) < 3 or lexeme = ''
				or exists (select from search_terms t where t.lexeme = said.lexeme and t.commune_id = any($2))
				or exists (select from search_thesaurus s where to_tsquery('simple', quote_literal(said.lexeme)) <@ s.said_query) as known
			from said order by n limit 12)
		select j.word, j.known, t.term, t.shown, t.alike, t.wide
		from judged j left join lateral (
			select term, min(shown) as shown, max(similarity(term, j.word)) as alike, count(distinct commune_id)::int as wide from (
				select term, shown, commune_id from search_terms where term % j.word and commune_id = any($2)
				union all
				select term, shown, commune_id from search_terms
				where char_length(j.word) <= 6 and term >= left(j.word, 1) and term < left(j.word, 1) || '~' and commune_id = any($2)
				and char_length(term) between char_length(j.word) - 1 and char_length(j.word) + 1
				union all
				select lower(unaccent(s.said)), s.said, '' from search_thesaurus s where s.said !~ '[^[:alpha:]]' and lower(unaccent(s.said)) % j.word) near
			group by term order by alike desc, wide desc, term limit 200) t on not j.known
		order by j.n, t.alike desc nulls last, t.wide desc nulls last, t.term`, q.Text, q.communesOf(v))
	if err != nil {
		return "", err
	}
	var words []string
	for i := 0; i < len(rows); {
		said := rows[i].Word
		best, slips := said, maxSlips(said)+1
		for ; i < len(rows) && rows[i].Word == said; i++ {
			if r := rows[i]; r.Term != nil {
				if n := distance(said, *r.Term); n < slips {
					best, slips = *r.Shown, n
				}
			}
		}
		words = append(words, best)
	}
	if corrected := strings.Join(words, " "); corrected != "" {
		return corrected, nil
	}
	return q.Text, nil
}

// maxSlips is how many slips of the finger a word of this length bears and is still the word.
func maxSlips(word string) int {
	switch n := len(word); {
	case n <= 4:
		return 1
	case n <= 8:
		return 2
	}
	return 3
}

// distance counts the slips between two words: a letter left out, added, changed, or two swapped
// (Damerau and Levenshtein, each part touched once). The words are ASCII.
func distance(a, b string) int {
	var rows [3][]int
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
	}
	before, last, now := rows[0], rows[1], rows[2]
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		now[0] = i
		for j := 1; j <= len(b); j++ {
			changed := 1
			if a[i-1] == b[j-1] {
				changed = 0
			}
			now[j] = min(last[j]+1, now[j-1]+1, last[j-1]+changed)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				now[j] = min(now[j], before[j-2]+1)
			}
		}
		before, last, now = last, now, before
	}
	return last[len(b)]
}
