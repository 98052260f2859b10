package catalog

import (
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/audelor/halles/internal/pg"
)

// foundRow is an entry of the index that was found.
type foundRow struct {
	Kind      string
	CommuneID string
	ID        uuid.UUID
	Score     int
	Metres    *float64
}

const (
	// fewCommunes is how many are looked through one by one: the query is written out for each.
	fewCommunes = 8
	// nearby is how many communes around a point are looked through before the others.
	nearby = 4
	// ranked is how many entries of each stage of a search are ranked, in the order of the table:
	// as many as can be paged through. To rank all 41,000 entries of a common word took 80 times
	// as long as to read the page.
	ranked = maxDepth
)

// places are the communes as the words of the index name them: "" for all of them.
func places(communes []string) []string {
	if len(communes) > fewCommunes {
		return []string{""}
	}
	return communes
}

// within narrows entries w to those in the communes whose words fit, a query made of
// search_in(PLACES, meant) and search_named(PLACES, meant).
func within(a *pg.Args, communes []string, fit string) string {
	sql := "search_local(w.commune_id, w.words) @@ (select " + strings.ReplaceAll(fit, "PLACES", a.Add(places(communes))) + " from q)"
	if len(communes) > fewCommunes {
		sql += " and w.commune_id = any(" + a.Add(communes) + ")"
	}
	return sql
}

const (
	having  = "search_in(PLACES, meant)"
	named   = "search_named(PLACES, meant)"
	unnamed = "search_in(PLACES, meant) && !!search_named(PLACES, meant)"
)

// pageSQL reads a page by score, and one more to tell whether another follows. The keys come from
// the index's own table; what they lead to is read by its key, with the viewer's rights.
//
// What is ranked is gathered in stages, each only while those before have not found enough: what
// has all the words in its name, with a point in the communes around it first; and then whatever
// has them, shops first. Which stages there are does not depend on the page, so that pages follow
// one another. Only where more than a thousand names have the words may a better one be missed.
func (q *SearchQuery) pageSQL(a *pg.Args, communes []string, at found, first int) string {
	metres := "null::float8"
	if q.Near != nil {
		metres = "distance_metres(" + a.Add(q.Near.Latitude) + ", " + a.Add(q.Near.Longitude) + ", w.latitude, w.longitude)"
	}
	category, mode, kind := q.conditions(a)
	columns := "select w.kind, w.commune_id, w.id, search_score(w.words, (select meant from q), w.kind, w.length, " + metres + ") as score, " + metres + " as metres " +
		"from catalog_search w where " + category + " and " + mode + " and " + kind + " and "
	sql := "with q as materialized (select " + at.Way.sql(a.Add(at.Text)) + " as meant)"
	gathered, enough := "", "0"
	stage := func(name, where string) {
		sql += fmt.Sprintf(", %s as materialized (%s%s and %s < %d limit %d)", name, columns, where, enough, ranked, ranked)
		if gathered != "" {
			gathered += " union all "
		}
		gathered += "select * from " + name
		enough = "(select count(*) from (" + gathered + ") g)"
	}
	elsewhere := ""
	if q.Near != nil && len(communes) > fewCommunes {
		around := "array(select insee from communes where insee = any(" + a.Add(communes) + ") order by distance_metres(" +
			a.Add(q.Near.Latitude) + ", " + a.Add(q.Near.Longitude) + ", latitude, longitude) limit " + a.Add(nearby) + ")"
		stage("around", "search_local(w.commune_id, w.words) @@ (select search_in("+around+", meant) from q)")
		elsewhere = " and w.commune_id <> all(" + around + ")"
	}
	stage("named", within(a, communes, named)+elsewhere)
	if q.Filter.Kind == nil || *q.Filter.Kind == Shops {
		stage("shops", within(a, communes, unnamed)+elsewhere+" and w.kind = 'SHOP'")
	}
	if q.Filter.Kind == nil || *q.Filter.Kind == Products {
		stage("others", within(a, communes, unnamed)+elsewhere+" and w.kind = 'PRODUCT'")
	}
	sql += " select f.* from (" + gathered + ") f"
	if at.Seen > 0 {
		score := a.Add(at.Score)
		sql += " where f.score < " + score + " or f.score = " + score + " and f.id > " + a.Add(at.Row)
	}
	return sql + " order by f.score desc, f.id limit " + a.Add(first+1)
}
