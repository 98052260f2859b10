package graphtest_test

import (
	"bytes"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/migrations"
)

// What the matrix makes of an answer: which canaries are in it, and whether all was asked.

// unechoed is an answer without what was asked for, which no answer repeats; but for the shopId of
// placeOrders, which is said to be as it was asked.
func (m *matrix) unechoed(t *testing.T, p *person, q *question, a asked, body []byte) []byte {
	for _, v := range a.withheld {
		if bytes.Contains(body, []byte(v)) && q.root != "placeOrders" {
			m.tell(t, "%s asks %s for a withheld thing, and the answer repeats it: %s", p.kind, q.coordinate, short(body))
		}
		body = bytes.ReplaceAll(body, []byte(v), []byte("ASKED"))
	}
	return body
}

func leads(kind string) bool {
	return slices.Contains([]string{"shop", "product", "variant", "order", "closure", "restriction", "commune", "insee", "cursor", "number", "siret", "secret", "widgetKey", "registration", "delegation", "invitation"}, kind)
}

// check looks for canaries in an answer, and remembers what may be read.
func (m *matrix) check(t *testing.T, p *person, q *question, d document, values map[string]any, body []byte) {
	for _, bad := range []string{`"GRAPHQL_VALIDATION_FAILED"`, `"GRAPHQL_PARSE_FAILED"`, `"LIMITED"`} {
		if bytes.Contains(body, []byte(bad)) {
			m.tell(t, "the generator's document for %s is refused: %s\n%s", q.coordinate, short(body), written(d, values))
		}
	}
	if identity.Checked && bytes.Contains(body, []byte(`"INTERNAL"`)) {
		m.log.Lock()
		m.tell(t, "%s asks %s and gets an internal error: %s\n%s\n%s", p.kind, q.coordinate, short(body), written(d, values), m.log.String())
		m.log.Unlock()
	}
	for _, c := range m.canaries.in(body) {
		if !p.reads(c) {
			m.tell(t, "%s reads %s through %s:\n%s\n%s", p.kind, c, q.coordinate, written(d, values), short(body))
			continue
		}
		m.mu.Lock()
		m.seen[m.sight(p, c)] = true
		m.mu.Unlock()
	}
}

func (m *matrix) sight(p *person, c *canary) string {
	how := "of its own"
	if c.row.Published && !p.owns(c.row) {
		how = "that is published"
	}
	return p.kind + " " + c.table + "." + c.column + " " + how
}

// covered counts the matrix: every root field, and every field with an argument that leads to
// something, asked by every kind of viewer for what is another's.
func (m *matrix) covered(t *testing.T) {
	roots, fields, asked := map[string]bool{}, 0, 0
	for _, q := range m.questions {
		roots[q.root] = true
		open := q.operation == ast.Mutation && slices.Contains(openMutations, q.root)
		if !slices.ContainsFunc(q.kinds, func(kind string) bool { return leads(kind) && !(open && kind == "commune") }) {
			continue // a commune alone is nobody's own
		}
		fields++
		for _, p := range m.people {
			n := m.foreign[q.coordinate+" "+p.kind]
			asked += n
			// Staff of the whole platform has no other side: all is its own, and is not changed here.
			if n == 0 && !(q.operation == ast.Mutation && (p.kind == "hotline" || p.kind == "admin")) {
				t.Errorf("%s was never asked by %s for what is another's", q.coordinate, p.kind)
			}
		}
	}
	t.Logf("%d root fields; %d places that take an ID, a cursor, a slug, a key or a secret × %d kinds of viewers: %d questions for what is another's",
		len(roots), fields, len(m.people), asked)
}

// complete finds what the table allows and nobody read: a line too many, or a server that keeps
// from people what is theirs.
func (m *matrix) complete(t *testing.T) {
	missing := map[string]bool{}
	for _, c := range m.canaries {
		for _, p := range m.people {
			if s := m.sight(p, c); p.reads(c) && !m.seen[s] {
				missing[s] = true
			}
		}
	}
	for _, s := range slices.Sorted(maps.Keys(missing)) {
		t.Errorf("never read: %s, which migrations.Readers allows", s)
	}
	for table, kinds := range migrations.Readers {
		for _, columns := range kinds {
			for _, column := range strings.Fields(columns) {
				found := false
				for _, c := range m.canaries {
					found = found || c.table == table && c.column == column
				}
				if !found {
					t.Errorf("migrations.Readers has %s.%s, of which there is no canary", table, column)
				}
			}
		}
	}
}

// tell says a thing once for each way it begins, and not more than a reader takes in.
func (m *matrix) tell(t *testing.T, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	first, _, _ := strings.Cut(text, "\n")
	if len(first) > 70 {
		first = first[:70]
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.told[first] || len(m.told) > 40 {
		return
	}
	m.told[first] = true
	t.Error(text)
}

func written(d document, values map[string]any) string {
	return fmt.Sprintf("%v in %s", values, short([]byte(d.text)))
}

func short(b []byte) string {
	if len(b) > 400 {
		return string(b[:400]) + "…"
	}
	return string(b)
}

var cursorForm = regexp.MustCompile(`"(?:c|startC|endC)ursor":"([^"]+)"`)
