package catalog

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/pg"
)

const (
	// maxMeanings bounds the texts whose meaning is kept: with the longest text and all that the
	// thesaurus has for it, 4 MB.
	maxMeanings = 1000
	// meaningsKept is how long: a release may bring another thesaurus beside a server that runs.
	meaningsKept = time.Minute
)

// meanings are what the texts of the last minute ask for, as Postgres writes a query, by way and text. To
// ask Postgres in each search, and for the same in the words of the index, took 0.2 ms of a search's 0.75.
type meanings struct {
	mu    sync.Mutex
	of    map[string]string
	until time.Time
}

func (m *meanings) get(key string, now time.Time) (query string, known bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.of == nil || len(m.of) >= maxMeanings || now.After(m.until) {
		m.of, m.until = map[string]string{}, now.Add(meaningsKept)
	}
	query, known = m.of[key]
	return query, known
}

func (m *meanings) keep(key, query string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.of[key] = query
}

// meant is what the text of a search asks for in its way; "" where it has stop words only.
func (c *Catalog) meant(ctx context.Context, v *identity.Viewer, at found) (string, error) {
	w, sql := at.Way, "select search_meant($1)::text"
	switch w {
	case anyWord:
		w = meant
	case begun:
		sql = "select search_query(search_typed($1))::text"
	}
	key := string(w) + " " + at.Text
	query, known := c.meanings.get(key, c.now())
	if !known {
		found, err := pg.SelectScalars[string](ctx, c.DB, v.PublicScope(), sql, at.Text)
		if err != nil {
			return "", err
		}
		query = found[0]
		c.meanings.keep(key, query)
	}
	if at.Way == anyWord {
		return strings.ReplaceAll(query, " & ", " | "), nil
	}
	return query, nil
}

// The signs between a commune and a word in the index: of all words, and of names.
const (
	having = '/'
	named  = '+'
)

// local is a query in the words of the index: of any of the places, see search_in and search_named,
// which it equals.
func local(places []string, query string, sign byte) string {
	if query == "" {
		return ""
	}
	var b strings.Builder
	b.Grow(len(places) * (len(query) + 40))
	for i, place := range places {
		if i > 0 {
			b.WriteString(" | ")
		}
		b.WriteByte('(')
		within := false // quotes; a quote in a word is two, which leave it and enter it again
		for j := range len(query) {
			b.WriteByte(query[j])
			if query[j] != '\'' {
				continue
			}
			if within = !within; within && (j == 0 || query[j-1] != '\'') {
				b.WriteString(place)
				b.WriteByte(sign)
			}
		}
		b.WriteByte(')')
	}
	return b.String()
}
