package catalog

import (
	"fmt"
	"strconv"

	"github.com/audelor/halles/internal/pg"
)

const (
	// fewCommunes is how many are looked through one by one: the query is written out for each.
	fewCommunes = 8
	// nearby is how many communes around a point are looked through before the others.
	nearby = 4
	// ranked is how many entries of each stage of a search are ranked, in the order of the table:
	// as many as can be paged through. To rank all 41,000 entries of a common word took 80 times
	// as long as to read the page; a thousand of them, two or three times, and each hundred of them
	// in one commune a third.
	ranked = maxDepth
)

// places are the communes as the words of the index name them: "" for all of them.
func places(communes []string) []string {
	if len(communes) > fewCommunes {
		return []string{""}
	}
	return communes
}

// asked is a query in an argument. Within a sub-select it is unknown to the planner, who then reckons the
// same of every text, and so sees that one plan does for all.
func asked(a *pg.Args, query string) string { return "(select " + a.Add(query) + "::text::tsquery)" }

// within narrows entries w to those in the communes that a query fits, in all their words or in their
// names.
func within(a *pg.Args, communes []string, query string, sign byte) string {
	sql := "search_local(w.commune_id, w.words) @@ " + asked(a, local(places(communes), query, sign))
	if len(communes) > fewCommunes {
		sql += " and " + among(a, communes)
	}
	return sql
}

// among narrows entries w that were found by their words to communes. It is no condition for an
// index: Postgres reckons that few entries have a word, and that one more index would make them
// fewer; it read the keys of all 120,000 products beside the 200 that had the words, in 40 of 45 ms.
func among(a *pg.Args, communes []string) string {
	return "w.commune_id || '' = any((select " + a.Add(communes) + "::text[])::text[])"
}

// The samples of catalog_search: one entry in eight, and one in 64 of all; see migrations/00060.
const (
	inEighth = "get_byte(uuid_send(w.id), 15) & 7 = 0"
	in64th   = "get_byte(uuid_send(w.id), 15) & 63 = 0"
)

// A sample is ranked instead of the whole where it has more than can be ranked anyway. Of entries
// that the sample of the 64th has eighthFrom of, that of the eighth has 640, give or take 70.
const (
	eighthFrom = 80
	all64th    = 550
)

// inStages tells whether what has the words elsewhere than in its name comes after all else, so that who
// finds a page of names need not have it read.
func (q *SearchQuery) inStages(at found) bool {
	return q.Near == nil && at.Way != anyWord && (q.Filter.Kind == nil || *q.Filter.Kind == Products)
}

// pageSQL reads a page by score, and one more to tell whether another follows. The keys come from
// the index's own table; what they lead to is read by its key, see beside.
//
// What is ranked is gathered in stages, each only while those before have not found enough: what
// has all the words in its name, with a point in the communes around it first; and then whatever
// has them, shops first, or of words so common that not all can be ranked those of a sample. Only where
// more than three hundred names have the words, or nothing but a trade or description that thousands
// have, may a better one be missed.
//
// What has them elsewhere comes after those before, but where a place is given or not all of the words
// are asked for: who finds a page of names does not have it read. For a rare word that was half of the
// time, two more readings of the index. Nor has it planned: with head the stages before are all that
// there is, at half of the time in Postgres (inStages).
//
// In few communes the sample comes before the rest of what has the words, without being asked for its
// size: where it is enough, the thousands of which it is one in eight are not even looked up. That
// took 0.5 ms where all 11,000 took 1.2, and costs a rare word 0.05 ms.
//
// What is in its name already is left out by its id: to ask the index for "/pain and not +pain" took
// 9 of 13 ms for a word of 40,000.
func (q *SearchQuery) pageSQL(a *pg.Args, communes []string, at found, query string, first int, head bool) string {
	metres := "null::float8"
	if q.Near != nil {
		metres = "distance_metres(" + a.Add(q.Near.Latitude) + ", " + a.Add(q.Near.Longitude) + ", w.latitude, w.longitude)"
	}
	category, mode, kind := q.conditions(a)
	fit := asked(a, query)
	columns := "select w.kind, w.commune_id, w.id, w.shop_id, search_score(w.words, " + fit + ", w.kind, w.length, " + metres + ") as score, " + metres + " as metres, "
	if q.named {
		columns += "w.name, w.slug, w.shop_name, w.shop_slug, "
	}
	from := " as rest from catalog_search w where " + category + " and " + mode + " and " + kind + " and "
	sql, gathered, enough, rest, last := "", "", "0", "0", ""
	// Counted once: of the hundreds of a common word each count took 20 µs, in seven places. Not at all
	// where no stage follows: Postgres then ranks them as it finds them, 15 µs of 190.
	counted := func() {
		if last != "" {
			sql += ", " + last + "_n as (select count(*) as n from " + last + ")"
		}
		last = ""
	}
	stage := func(name, where string) {
		if counted(); sql != "" {
			sql += ", "
		}
		limit := strconv.Itoa(ranked)
		if enough != "0" {
			where += " and " + enough + " < " + limit
			limit = "greatest(" + limit + " - (" + enough + "), 0)"
		}
		sql += name + " as (" + columns + rest + from + where + " limit " + limit + ")"
		last = name
		if gathered != "" {
			gathered += " union all "
		}
		gathered += "select * from " + name
		enough += " + (select n from " + name + "_n)"
	}
	after := "true"
	if at.Seen > 0 {
		r, score := a.Add(at.Rest), a.Add(at.Score)
		after = "(f.rest > " + r + " or f.rest = " + r + " and (f.score < " + score + " or f.score = " + score + " and f.id > " + a.Add(at.Row) + "))"
	}
	elsewhere := ""
	if q.Near != nil && len(communes) > fewCommunes {
		around := "array(select insee from communes where insee = any(" + a.Add(communes) + ") order by distance_metres(" +
			a.Add(q.Near.Latitude) + ", " + a.Add(q.Near.Longitude) + ", latitude, longitude) limit " + a.Add(nearby) + ")"
		stage("around", "search_local(w.commune_id, w.words) @@ (select search_in("+around+", "+fit+"))")
		elsewhere = " and w.commune_id <> all(" + around + ")"
	}
	stage("named", within(a, communes, query, named)+elsewhere)
	anywhere := ""
	if !head || q.Filter.Kind == nil { // an argument that no stage has is none that Postgres knows
		anywhere = within(a, communes, query, having)
	}
	elsewhere += " and w.id not in (select id from named)"
	if q.Filter.Kind == nil || *q.Filter.Kind == Shops {
		stage("shops", anywhere+elsewhere+" and w.kind = 'SHOP'")
	}
	if !head && (q.Filter.Kind == nil || *q.Filter.Kind == Products) {
		if elsewhere += " and w.kind = 'PRODUCT'"; q.inStages(at) {
			page := enough
			if at.Seen > 0 {
				page = "(select count(*) from (" + gathered + ") f where " + after + ")"
			}
			counted()
			sql += ", page as (select " + page + " as n)"
			elsewhere += " and (select n from page) <= " + a.Add(first)
			rest = "1"
		}
		others := anywhere + elsewhere
		switch {
		case len(communes) <= fewCommunes:
			stage("eighth", others+" and "+inEighth)
			stage("others", others+" and w.id not in (select id from eighth)")
		case q.Filter.OpenNow != nil:
			stage("others", others)
		default:
			worded := "w.words @@ " + fit + " and " + among(a, communes) + elsewhere
			sql += fmt.Sprintf(", many as (select count(*) as n from (select from catalog_search w where %s and %s and %s and %s and %s limit %d) s)",
				category, mode, kind, worded, in64th, all64th)
			stage("others", others+fmt.Sprintf(" and (select n from many) < %d", eighthFrom))
			stage("eighth", worded+" and "+inEighth+fmt.Sprintf(" and (select n from many) between %d and %d", eighthFrom, all64th-1))
			stage("fewest", worded+" and "+in64th+fmt.Sprintf(" and (select n from many) >= %d", all64th))
		}
	}
	return "with " + sql + " select f.* from (" + gathered + ") f where " + after + " order by f.rest, f.score desc, f.id limit (select " + a.Add(first+1) + "::int)"
}
