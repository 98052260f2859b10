package graphtest_test

import (
	"crypto/rand"
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/tenancy"
)

// What the matrix asks with: for each argument a value that leads to something of a side, and one
// of the same form that nobody has.

// learn reads what a side's withheld things are called, now that canaries are in their columns.
func (m *matrix) learn(t *testing.T, s *side) {
	t.Helper()
	s.words, s.cursors = map[string][]string{}, map[string][]string{}
	for kind, sql := range map[string]string{
		"siret":  `select siret from shops where commune_id = $1 and id = any($2) order by status desc`,
		"text":   `select name from shops where commune_id = $1 and id = any($2) and status = 'DRAFT'`,
		"number": `select number from orders where commune_id = $1 and shop_id = any($2) order by customer_id nulls first`,
		"code":   `select pickup_code from orders where commune_id = $1 and shop_id = any($2) order by customer_id nulls first`,
	} {
		rows, err := m.h.Migrate.Query(t.Context(), sql, s.commune, []uuid.UUID{s.shops[0].Row, s.shops[1].Row})
		if err != nil {
			t.Fatal(err)
		}
		if s.words[kind], err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil || len(s.words[kind]) == 0 {
			t.Fatalf("%s: %v %v", kind, s.words[kind], err)
		}
	}
	s.words["phone"], s.words["email"] = []string{"+33612345678"}, []string{"anna@example.org"}
}

var communeSlugs = map[string]string{fixture.Lorient: "lorient", fixture.Groix: "groix"}

// nodeKinds are what node takes, one after the other.
var nodeKinds = []string{"shop", "product", "variant", "order", "registration"}

// value is a side's i-th thing of a kind: as it is written, as it would be if it did not exist,
// and whether a person may see the first.
func (m *matrix) value(p *person, s *side, q *question, kind string, i int) (value, unknown string, visible bool) {
	id := func(list []tenancy.ID, i int) (string, string, bool) {
		id := list[i%len(list)]
		own := p.owns(row{Commune: s.commune, Shop: &s.shops[0].Row}) || id.Kind == tenancy.KindShop && slices.Contains(p.shops, id.Row)
		if id.Kind == tenancy.KindRegistration {
			return id.String(), tenancy.NewID(id.Kind, id.Commune).String(), p.owns(row{Commune: s.commune, Account: &s.customer.Account})
		}
		if id.Kind == tenancy.KindOrder {
			return id.String(), tenancy.NewID(id.Kind, id.Commune).String(), own || slices.Contains(p.orders, id.Row)
		}
		return id.String(), tenancy.NewID(id.Kind, id.Commune).String(), own || i%len(list) == 0 && p.spans(s.commune)
	}
	if kind == "restriction" { // public
		return s.restriction.String(), s.restriction.String(), true
	}
	ids := map[string][]tenancy.ID{"shop": s.shops, "product": s.products, "variant": s.variants, "order": s.rows, "closure": s.closures, "registration": {s.dossier}}
	if kind == "node" {
		return id(ids[nodeKinds[i%len(nodeKinds)]], i/len(nodeKinds))
	}
	if list := ids[kind]; list != nil {
		return id(list, i)
	}
	public := func(v string) (string, string, bool) { return v, v, true }
	switch kind {
	case "commune":
		return public("commune_" + s.commune)
	case "insee":
		return public(s.commune)
	case "communeSlug":
		return public(communeSlugs[s.commune])
	case "category":
		return public("category_librairie")
	case "key": // a customer's: it is nobody else's key, and a wrong one is a new one
		return public(s.key)
	case "account":
		return tenancy.AccountID(s.customer.Account).String(), tenancy.AccountID(tenancy.NewRow()).String(), s.customer.Account == p.viewer.Account
	case "widgetKey":
		id, own := s.widget.ID(), p.owns(row{Commune: s.commune})
		return id.String(), tenancy.NewID(id.Kind, id.Commune).String(), own && (p.kind == "agent" || p.kind == "admin")
	case "import":
		own := p.owns(row{Commune: s.commune})
		return s.imported.String(), tenancy.NewID(tenancy.KindImport, s.commune).String(), own && (p.kind == "agent" || p.kind == "admin")
	case "media": // its sender's alone, and the sender is none of them
		return s.image.String(), tenancy.NewID(tenancy.KindMedia, s.commune).String(), false
	case "photo":
		shop := s.shops[i%2]
		own := p.owns(row{Commune: s.commune, Shop: &shop.Row})
		return s.photos[i%2].String(), tenancy.NewID(tenancy.KindPhoto, s.commune).String(), own
	case "upload": // its sender's alone, and the sender is none of them
		return s.sent.String(), tenancy.NewID(tenancy.KindUpload, s.commune).String(), false
	case "invitation":
		own := p.owns(row{Commune: s.commune}) && (p.kind == "agent" || p.kind == "admin")
		return s.invitation.String(), tenancy.ID{Kind: tenancy.KindInvitation, Row: tenancy.NewRow()}.String(), own
	case "delegation":
		own := p.owns(row{Commune: s.commune, Shop: &s.shops[i%2].Row}) && slices.Contains([]string{"merchant", "agent", "admin"}, p.kind)
		return s.delegations[i%2].String(), tenancy.NewID(tenancy.KindDelegation, s.commune).String(), own
	case "secret":
		return s.digest, random(32), false
	case "cursor":
		list := s.cursors[cursorField(q)]
		if len(list) == 0 {
			return public(random(60))
		}
		v := list[i%len(list)]
		// The log grows while others ask, each reading of a contact is an entry: who reads it may not
		// have met this one on the first page.
		trail := q.root == "auditTrail" && p.owns(row{Commune: s.commune}) && (p.kind == "agent" || p.kind == "admin")
		return v, random(base64.RawURLEncoding.DecodedLen(len(v))), trail || p.cursors[v]
	case "phone", "email":
		return public(s.words[kind][0])
	}
	list := s.words[kind]
	if kind == "text" && (q.root == "search" || q.root == "suggest") {
		// What nothing published has, a search takes for a misspelt word, and finds what looks like it:
		// its answer tells of published words only, and what it shows is looked through all the same.
		return public(list[i%len(list)])
	}
	if list == nil {
		panic("a value for " + kind + ": add it to matrix.value")
	}
	own := kind != "text" && p.owns(row{Commune: s.commune, Shop: &s.shops[0].Row, Order: &s.rows[i%2].Row})
	return list[i%len(list)], map[string]string{"siret": "00000000000018", "number": "ZZZZZZZZ", "code": "ZZZ999", "text": "ZZZ99999"}[kind], own
}

// cursorField is the field whose cursor a question takes.
func cursorField(q *question) string { return strings.TrimSuffix(q.coordinate, ".after") }

func random(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

// rounds is how many things a question is asked for.
func (q *question) rounds() int {
	has := func(kinds ...string) bool {
		return slices.ContainsFunc(kinds, func(k string) bool { return slices.Contains(q.kinds, k) })
	}
	switch {
	case has("node") && q.root == "nodes": // a list of what node gives
		return len(nodeKinds)
	case has("node"):
		return 3 * len(nodeKinds)
	case has("product", "variant"):
		return 3
	case has("shop", "order", "closure", "cursor", "widgetKey", "delegation", "siret", "number", "code"):
		return 2
	}
	return 1
}

// asked is a question with its values in it.
type asked struct {
	values   []map[string]any // of the variables of each document
	withheld []string         // values that the person may not see
	own      bool             // any is the person's own
}

func (m *matrix) fill(p *person, s *side, q *question, docs []document, i int, known bool) asked {
	var a asked
	chosen := map[string]string{} // one value of a kind: the retry of a key must be the same
	for _, d := range docs {
		values := map[string]any{}
		for _, b := range d.blanks {
			value, ok := chosen[b.kind]
			if !ok {
				v, unknown, visible := m.value(p, s, q, b.kind, i)
				switch {
				case !visible:
					a.withheld = append(a.withheld, v)
				case b.kind == "commune" || b.kind == "insee" || b.kind == "restriction":
					a.own = a.own || p.owns(row{Commune: s.commune})
				case b.kind == "registration":
					a.own = a.own || p.owns(row{Commune: s.commune, Account: &s.customer.Account})
				case slices.Contains([]string{"shop", "product", "variant", "order", "closure", "node", "number", "siret", "widgetKey", "import", "delegation", "invitation", "photo"}, b.kind):
					a.own = a.own || p.owns(row{Commune: s.commune, Shop: &s.shops[0].Row, Order: &s.rows[i%2].Row})
				}
				if value = v; !known && !visible {
					value = unknown
				}
				chosen[b.kind] = value
			}
			values[b.name[1:]] = value
			if b.entity != "" {
				values[b.name[1:]] = map[string]any{"__typename": b.entity, b.key: value}
			}
		}
		a.values = append(a.values, values)
	}
	return a
}
