package graphtest_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/audelor/halles/graph"
	"github.com/audelor/halles/graph/generated"
	"github.com/audelor/halles/graph/graphtest"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/ordering"
	"github.com/audelor/halles/internal/page"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
	"github.com/audelor/halles/migrations"
)

// The isolation matrix: the whole schema, asked as each kind of viewer for what is its own, its
// neighbour's and another commune's. What the table beside the policies (migrations.Readers)
// withholds is in no byte of an answer or of the log; asking for it is answered as asking for
// what does not exist, and changes nothing. What the table allows is found, so that a server
// that answers nothing does not pass.
//
// With both locks; with row-level security off, by the program alone; and, in the build with the
// tag nochecks, by row-level security alone.
func TestIsolation(t *testing.T) {
	t.Parallel()
	if !identity.Checked {
		t.Run("RowLevelSecurityAlone", func(t *testing.T) { t.Parallel(); newMatrix(t).run(t) })
		return
	}
	t.Run("BothLocks", func(t *testing.T) { t.Parallel(); newMatrix(t).run(t) })
	t.Run("ProgramAlone", func(t *testing.T) {
		t.Parallel()
		m := newMatrix(t)
		m.admin(t, `do $$ declare t regclass; begin
			for t in select c.oid from pg_class c where c.relkind in ('r', 'p') and c.relrowsecurity loop
				execute format('alter table %s disable row level security', t);
			end loop; end $$`)
		m.run(t)
	})
}

// Each table by itself, asked for all of it under the scope of each kind: what row-level security
// shows is one's own or published, whatever the query.
func TestIsolationOfTables(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	for _, p := range m.people {
		total := 0
		for _, scope := range []pg.Scope{p.viewer.Scope(), p.viewer.PublicScope()} {
			for _, table := range m.tables {
				keys, err := pg.SelectScalars[string](t.Context(), m.h.DB, scope, "select "+table.key()+" from "+table.Name)
				if pg.Code(err) == "42501" {
					continue // the role reads nothing of it: migrations.Check says which
				}
				if err != nil {
					t.Errorf("%s of %s: %v", p.kind, table.Name, err)
				}
				shown := map[string]bool{}
				for _, k := range keys {
					shown[k] = true
				}
				foreign, own := 0, 0
				for _, r := range table.rows {
					switch {
					case !shown[r.Key]:
					case p.owns(r):
						own++
					case !(table.Public && r.Published && p.spans(r.Commune)) && migrations.SharedRows[table.Name] == "":
						if foreign++; foreign == 1 {
							t.Errorf("%s (%s) sees a row of %s that is neither published nor its own: %s", p.kind, scope.Role, table.Name, r)
						}
					}
				}
				total += own
			}
		}
		if hasOwn := len(p.shops)+len(p.communes)+len(p.orders) > 0; hasOwn != (total > 0) {
			t.Errorf("%s sees %d rows of its own", p.kind, total)
		}
	}
}

// matrix is a server on a database full of canaries.
type matrix struct {
	h         *graphtest.Harness
	handler   http.Handler
	log       *lockedBuffer
	own       *side
	sides     []*side
	people    []*person
	canaries  canaries
	tables    []*table
	questions []question
	asked     atomic.Int64

	mu      sync.Mutex
	seen    map[string]bool // kind, column, "own" or "published"
	told    map[string]bool
	foreign map[string]int // coordinate and kind: how often it was asked for things of another side
}

type lockedBuffer struct {
	sync.Mutex
	bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.Lock()
	defer b.Unlock()
	return b.Buffer.Write(p)
}

type isRouter struct{}

func newMatrix(t *testing.T) *matrix {
	t.Helper()
	h := graphtest.New(t)
	m := &matrix{h: h, log: &lockedBuffer{}, seen: map[string]bool{}, told: map[string]bool{}, foreign: map[string]int{}}
	log := slog.New(slog.NewTextHandler(m.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	feed := ordering.NewFeed(h.DB, "", page.NewSealer(fixture.Secret), log)
	h.Resolver.Members.Failures = math.MaxInt // or the tenth wrong code would be answered otherwise
	h.Resolver.Feed, h.Resolver.Wait = feed, 200*time.Microsecond
	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		_ = feed.Run(ctx)
	}()
	t.Cleanup(func() { stop(); <-stopped })
	m.handler = graph.NewServer(h.Resolver, graph.ServerOptions{
		Log: log, RequestID: func(context.Context) string { return "test" },
		IsRouter: func(ctx context.Context) bool { return ctx.Value(isRouter{}) != nil },
	})

	m.own = newSide(t, h, "own", fixture.Lorient)
	m.sides = []*side{m.own, newSide(t, h, "near", fixture.Lorient), newSide(t, h, "far", fixture.Groix)}
	m.people = m.own.people(t, h)
	m.canaries, m.tables = release(t, h.Database)
	for _, s := range m.sides {
		m.learn(t, s)
	}
	g := &generator{schema: generated.NewExecutableSchema(generated.Config{}).Schema(), problems: map[string]bool{}}
	m.questions = slices.DeleteFunc(g.questions(), func(q question) bool {
		// Keys, grants and invitations are global: row-level security knows nothing of them.
		return !identity.Checked && slices.ContainsFunc([]string{"idgetKey", "Role", "Member", "member", "nvitation"}, func(s string) bool { return strings.Contains(q.coordinate, s) })
	})
	for _, p := range slices.Sorted(maps.Keys(g.problems)) {
		t.Error(p)
	}
	return m
}

func (m *matrix) admin(t *testing.T, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), m.h.AdminURL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

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
		return v, random(base64.RawURLEncoding.DecodedLen(len(v))), p.cursors[v]
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

// run asks everything.
func (m *matrix) run(t *testing.T) {
	m.harvest(t)
	before := m.hash(t)
	var wait sync.WaitGroup
	for _, p := range m.people {
		wait.Go(func() {
			for i := range m.questions {
				q := &m.questions[i]
				for _, s := range m.sides {
					for round := range q.rounds() {
						m.try(t, p, s, q, round)
					}
					if len(q.kinds) == 0 {
						break // it asks for nobody's
					}
				}
			}
		})
	}
	wait.Wait()
	for table, hash := range m.hash(t) {
		if before[table] != hash && table != "code_failures" { // a wrong code is noted, on whoever gave it
			t.Errorf("%s was changed by people whose it is not", table)
		}
	}
	// What changes one's own comes last, one after the other: first what is for everybody, at the
	// end what makes something public.
	for turn := range 3 {
		for _, p := range m.people {
			for i := range m.questions {
				if q := &m.questions[i]; q.operation == ast.Mutation && q.turn() == turn {
					m.changeOwn(t, p, q)
				}
			}
		}
	}
	t.Logf("%d documents", m.asked.Load())
	m.covered(t)
	m.log.Lock()
	defer m.log.Unlock()
	for _, c := range m.canaries.in(m.log.Bytes()) {
		if c.column != "id" { // of what was asked for
			t.Errorf("the log has %s", c)
		}
	}
	if identity.Checked {
		m.complete(t)
	}
}

// turn tells when a mutation has its turn among those on one's own.
func (q *question) turn() int {
	switch {
	case slices.Contains(openMutations, q.root):
		return 0
	case strings.HasPrefix(q.root, "publish"), strings.HasPrefix(q.root, "reinstate"):
		return 2
	}
	return 1
}

// changeOwn has a person change what is its own.
func (m *matrix) changeOwn(t *testing.T, p *person, q *question) {
	sides := m.sides[:1]
	if slices.Contains(openMutations, q.root) {
		sides = m.sides // with the key of that side's customer
	}
	for _, s := range sides {
		for round := range q.rounds() {
			a := m.fill(p, s, q, q.documents, round, true)
			for i, d := range q.documents {
				m.check(t, p, q, d, a.values[i], m.unechoed(t, p, q, a, m.ask(t, p, q, d, a.values[i])))
			}
		}
	}
}

// openMutations act on what is published: with that, they are for everybody.
var openMutations = []string{"placeOrders", "startRegistration"}

func (m *matrix) try(t *testing.T, p *person, s *side, q *question, round int) {
	a := m.fill(p, s, q, q.documents, round, true)
	if q.operation == ast.Mutation && (a.own || len(a.withheld) == 0 && (slices.Contains(openMutations, q.root) || !slices.ContainsFunc(q.kinds, leads))) {
		return
	}
	if s != m.own {
		m.mu.Lock()
		m.foreign[q.coordinate+" "+p.kind]++
		m.mu.Unlock()
	}
	unknown := m.fill(p, s, q, q.documents, round, false)
	for i, d := range q.documents {
		body := m.unechoed(t, p, q, a, m.ask(t, p, q, d, a.values[i]))
		m.check(t, p, q, d, a.values[i], body)
		if len(a.withheld) == 0 || !identity.Checked {
			continue
		}
		other := m.unknown(t, p, q, d, a.values[i], unknown.values[i])
		if !bytes.Equal(body, other) && sorted(body) != sorted(other) {
			m.tell(t, "%s asks %s for a thing of %s that is withheld: %s\nand for one that nobody has: %s\n%s", p.kind, q.coordinate, s.name, short(body), short(other), written(d, a.values[i]))
		}
	}
}

// unknown is the answer to a document in which values that nobody has stand for the withheld ones.
// It is asked once for each person and all sides: nobody's is in no commune.
func (m *matrix) unknown(t *testing.T, p *person, q *question, d document, withheld, values map[string]any) []byte {
	same := map[string]any{"": d.text}
	var asked []string
	for name, v := range values {
		if text, ok := v.(string); ok && v != withheld[name] {
			asked = append(asked, text)
			continue
		} else if !ok && fmt.Sprint(v) != fmt.Sprint(withheld[name]) {
			continue
		}
		same[name] = v
	}
	key := fmt.Sprint(same) // a map is printed in the order of its keys
	if p.unknown[key] == nil {
		answer := m.ask(t, p, q, d, values)
		for _, text := range asked {
			answer = bytes.ReplaceAll(answer, []byte(text), []byte("ASKED"))
		}
		p.unknown[key] = answer
	}
	return p.unknown[key]
}

// sorted is an answer with its errors in order: those of a list's elements come in any.
func sorted(body []byte) string {
	var answer struct {
		Data   json.RawMessage
		Errors []json.RawMessage
	}
	if json.Unmarshal(body, &answer) != nil {
		return string(body)
	}
	slices.SortFunc(answer.Errors, func(a, b json.RawMessage) int { return bytes.Compare(a, b) })
	return fmt.Sprintf("%s %s", answer.Data, answer.Errors)
}

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

// harvest collects the cursors that the people of each side get, and those that each of ours
// gets of everything.
func (m *matrix) harvest(t *testing.T) {
	collect := func(p *person, s *side, keep func(field, cursor string)) {
		for i := range m.questions {
			q := &m.questions[i]
			for round := range q.rounds() {
				a := m.fill(p, s, q, q.cursors, round, true)
				for i, d := range q.cursors {
					for _, found := range cursorForm.FindAllSubmatch(m.ask(t, p, q, d, a.values[i]), -1) {
						keep(cursorField(q), string(found[1]))
					}
				}
			}
		}
	}
	for _, s := range m.sides {
		// The words of the registration change nothing here: accounts hold no canary.
		for _, p := range []*person{
			{kind: "merchant", viewer: fixture.Viewer(t, m.h.Database, identity.Merchant, s.shops...)},
			{kind: "customer", viewer: s.customer},
			{kind: "guest", viewer: s.guest},
			{kind: "agent", viewer: fixture.Viewer(t, m.h.Database, identity.Agent, s.shops[0])},
		} {
			collect(p, s, func(field, cursor string) {
				if !slices.Contains(s.cursors[field], cursor) {
					s.cursors[field] = append(s.cursors[field], cursor)
				}
			})
		}
	}
	var wait sync.WaitGroup
	for _, p := range m.people {
		p.cursors, p.unknown = map[string]bool{}, map[string][]byte{}
		wait.Go(func() {
			for _, s := range m.sides {
				collect(p, s, func(_, cursor string) { p.cursors[cursor] = true })
			}
		})
	}
	wait.Wait()
	for _, p := range m.people {
		if p.kind == "widget" { // a cursor that everybody gets is nobody's secret
			for c := range m.people[0].cursors {
				p.cursors[c] = true
			}
		}
	}
}

// hash is a digest of each table.
func (m *matrix) hash(t *testing.T) map[string]string {
	t.Helper()
	rows, err := m.h.Migrate.Query(t.Context(), `select c.relname from pg_class c where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace`)
	if err != nil {
		t.Fatal(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, table := range tables {
		var hash string
		if err := m.h.Migrate.QueryRow(t.Context(), "select coalesce(md5(string_agg(t::text, ',' order by t::text)), '') from "+table+" t").Scan(&hash); err != nil {
			t.Fatal(err)
		}
		all[table] = hash
	}
	return all
}

// ask sends a document as a person; of a subscription it takes the first event.
func (m *matrix) ask(t *testing.T, p *person, q *question, d document, values map[string]any) []byte {
	m.asked.Add(1)
	body, err := json.Marshal(map[string]any{"query": d.text, "variables": values})
	if err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithTimeout(identity.With(t.Context(), p.viewer), 30*time.Second)
	defer cancel()
	if q.root == "_entities" {
		ctx = context.WithValue(ctx, isRouter{}, true)
	}
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/graphql", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	if q.operation == ast.Subscription {
		quiet := time.AfterFunc(300*time.Millisecond, cancel)
		defer quiet.Stop()
		r.Header.Set("Accept", "text/event-stream")
		m.handler.ServeHTTP(&firstEvent{w, cancel}, r)
	} else {
		m.handler.ServeHTTP(w, r)
	}
	return w.Body.Bytes()
}

// firstEvent leaves a stream when it has sent something of an order.
type firstEvent struct {
	*httptest.ResponseRecorder
	leave context.CancelFunc
}

func (w *firstEvent) WriteString(s string) (int, error) {
	if strings.Contains(s, `"data":{`) {
		defer w.leave()
	}
	return w.ResponseRecorder.WriteString(s)
}

func (w *firstEvent) Write(p []byte) (int, error) { return w.WriteString(string(p)) }
