package graphtest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/audelor/halles/graph"
	"github.com/audelor/halles/graph/answers"
	"github.com/audelor/halles/graph/generated"
	"github.com/audelor/halles/graph/graphtest"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/ordering"
	"github.com/audelor/halles/internal/page"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/pg/pgtest"
)

// The isolation matrix: the whole schema, asked as each kind of viewer for what is its own, its
// neighbour's and another commune's. What the table beside the policies (migrations.Readers)
// withholds is in no byte of an answer or of the log; asking for it is answered as asking for
// what does not exist, and changes nothing. What the table allows is found, so that a server
// that answers nothing does not pass.
//
// With both locks; with row-level security off, by the program alone, when HALLES_LOCKS is
// "program"; and, in the build with the tag nochecks, by row-level security alone. Each asks
// more than ten thousand documents, and .ci/run asks all three times. A usual run has both locks
// and asks each question once of its own side and once of another, by turns the neighbour's and another
// commune's, each kind of viewer for another thing of it; when HALLES_LOCKS is "both" it asks for all.
func TestIsolation(t *testing.T) {
	t.Parallel()
	if !identity.Checked {
		t.Run("RowLevelSecurityAlone", func(t *testing.T) { t.Parallel(); newMatrix(t).run(t) })
		return
	}
	if locks := os.Getenv("HALLES_LOCKS"); locks != "program" {
		t.Run("BothLocks", func(t *testing.T) {
			t.Parallel()
			m := newMatrix(t)
			m.short = locks != "both"
			m.run(t)
		})
		return
	}
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
	kept      *answers.Cache
	short     bool // asks for one thing of two sides, and not for all of all
	changing  bool // what is one's own: no answer is that of the same question before

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
	h.Resolver.Feed = feed
	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		_ = feed.Run(ctx)
	}()
	t.Cleanup(func() { stop(); <-stopped })
	kept, versions := h.Keep(t, 32<<20, nil)
	reading := make(chan struct{})
	go func() {
		defer close(reading)
		_ = versions.Run(ctx)
	}()
	t.Cleanup(func() { stop(); <-reading })
	m.kept = kept
	m.handler = graph.NewServer(h.Resolver, graph.ServerOptions{
		Answers: kept, Log: log, RequestID: func(context.Context) string { return "test" },
		IsRouter: func(ctx context.Context) bool { return ctx.Value(isRouter{}) != nil }, Together: pg.Together,
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

// notesAsking are tables in which a question leaves a note that it was asked: the log of who read a
// contact, wrong codes, and searches in vain.
var notesAsking = []string{"audit_events", "audit_heads", "code_failures", "erasures", "search_misses", "search_miss_terms", "search_salts", "search_sightings"}

// run asks everything.
func (m *matrix) run(t *testing.T) {
	m.harvest(t)
	before := m.hash(t)
	// The hotline's reading of whose an order is stands in the log; nothing else may.
	const acts = `select count(*) from audit_events where action <> 'CONTACT_READ'`
	acted := pgtest.Scan[int](t, m.h.Database, acts)
	var wait sync.WaitGroup
	for n, p := range m.people {
		wait.Go(func() {
			for i := range m.questions {
				q := &m.questions[i]
				for j, s := range m.sides {
					if m.short && j > 0 && (n+i)%2 != j-1 && m.alike(p) {
						continue // by turns one of the two that are not its own
					}
					for round := range q.rounds() {
						if m.asks(q, n+i+j, round) || slices.Contains(openMutations, q.root) {
							m.try(t, p, s, q, round)
						}
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
		if before[table] != hash && !slices.Contains(notesAsking, table) {
			t.Errorf("%s was changed by people whose it is not", table)
		}
	}
	if n := pgtest.Scan[int](t, m.h.Database, acts); n != acted {
		t.Errorf("the log has %d entries of what was refused", n-acted)
	}
	m.changing = true
	// What changes one's own comes last, one after the other: first what is for everybody, at the
	// end what makes something public.
	for turn := range 3 {
		for n, p := range m.people {
			for i := range m.questions {
				if q := &m.questions[i]; q.operation == ast.Mutation && q.turn() == turn {
					m.changeOwn(t, p, q, n+i)
				}
			}
		}
	}
	t.Logf("%d documents, %+v", m.asked.Load(), m.kept.Figures())
	if m.kept.Figures().Hits == 0 {
		t.Error("no answer was kept")
	}
	m.covered(t)
	m.log.Lock()
	defer m.log.Unlock()
	for _, c := range m.canaries.in(m.log.Bytes()) {
		if c.column != "id" { // of what was asked for
			t.Errorf("the log has %s", c)
		}
	}
	if identity.Checked && !m.short {
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

// asks tells whether a question has its turn with the round-th of its things, of which a short run asks
// for one.
func (m *matrix) asks(q *question, n, round int) bool { return !m.short || n%q.rounds() == round }

// alike tells whether the neighbour's things and another commune's are the same to a person: an agent
// is at home in the one, and a widget's key opens it.
func (m *matrix) alike(p *person) bool {
	near, far := m.sides[1].commune, m.sides[2].commune
	return p.owns(row{Commune: near}) == p.owns(row{Commune: far}) && p.spans(near) == p.spans(far)
}

// changeOwn has a person change what is its own.
func (m *matrix) changeOwn(t *testing.T, p *person, q *question, n int) {
	sides := m.sides[:1]
	if slices.Contains(openMutations, q.root) {
		sides = m.sides // with the key of that side's customer
	}
	for _, s := range sides {
		for round := range q.rounds() {
			if !m.asks(q, n, round) {
				continue
			}
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
		p.cursors, p.unknown, p.answers = map[string]bool{}, map[string][]byte{}, map[string][]byte{}
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

// ask sends a document as a person; of a subscription it takes the first event. Until something
// changes, a query is sent once: two sides of one commune have some in common.
func (m *matrix) ask(t *testing.T, p *person, q *question, d document, values map[string]any) []byte {
	if q.operation != ast.Query || m.changing || p.answers == nil {
		return m.send(t, p, q, d, values)
	}
	key := d.text + fmt.Sprint(values) // a map is printed in the order of its keys
	answer, ok := p.answers[key]
	if !ok {
		answer = m.send(t, p, q, d, values)
		p.answers[key] = answer
	}
	return answer
}

// send asks again what is kept: the second answer is then the one that was.
func (m *matrix) send(t *testing.T, p *person, q *question, d document, values map[string]any) []byte {
	before := m.kept.Figures().Entries
	answer := m.sendOnce(t, p, q, d, values)
	if q.operation == ast.Query && m.kept.Figures().Entries > before {
		return m.sendOnce(t, p, q, d, values)
	}
	return answer
}

func (m *matrix) sendOnce(t *testing.T, p *person, q *question, d document, values map[string]any) []byte {
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
