package catalog_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/audelor/halles/internal/catalog"
	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/pg/pgtest"
)

// seeks searches as somebody of the mark.
func (b *bench) seeks(t testing.TB, mark, text string, f catalog.SearchFilter) {
	t.Helper()
	v := fixture.Viewer(t, b.Database, identity.Visitor)
	v.CameBy(mark)
	if _, err := b.Search(t.Context(), v, catalog.SearchQuery{Text: text, Filter: &f}, 10, nil); err != nil {
		t.Error(err)
	}
}

// Searches in vain are counted by commune and day, and their words known from the third session
// on; who searched is known to nobody, and by no digest once the day is over.
func TestMissedSearches(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.WaitToCount(time.Minute)
	noon := time.Date(2030, 6, 3, 22, 30, 0, 0, time.UTC) // the 4th in Lorient
	b.Now = func() time.Time { return noon }
	lorient := catalog.SearchFilter{Communes: []string{fixture.Lorient}}
	b.create(t, b.book("Histoire du pays de Lorient"))
	terms := func() string {
		return pgtest.Scan[string](t, b.Database, `select coalesce(string_agg(place || ':' || day || ':' || term || ':' || sessions, ' ' order by place, term), '') from search_miss_terms`)
	}
	misses := func() string {
		return pgtest.Scan[string](t, b.Database, `select coalesce(string_agg(place || ':' || day || ':' || searches, ' ' order by place, day), '') from search_misses`)
	}
	for _, mark := range []string{"anna", "anna", "bob"} {
		b.seeks(t, mark, "Xylophone  ALTO", lorient)
	}
	if got := terms(); got != "" {
		t.Errorf("two sessions are enough to write down %q", got)
	}
	b.seeks(t, "carl", "xylophone alto", lorient)
	b.seeks(t, "dora", "xylophone alto", catalog.SearchFilter{})
	if got := terms(); got != "56121:2030-06-04:xylophone alto:3" {
		t.Errorf("written down: %q", got)
	}
	b.seeks(t, "dora", "xylophone alto", lorient)
	// What does not count: what is found, what something else than words excludes, what has no word.
	b.seeks(t, "anna", "histoire", lorient)
	b.seeks(t, "anna", "histoire", catalog.SearchFilter{Fulfilment: p(directory.Delivery)})
	b.seeks(t, "anna", "12", lorient)
	// What counts and is not written down: it may be somebody's.
	for _, text := range []string{"anna.legoff@example.org", "xylo 06 39 98 12 34", "xylo" + strings.Repeat(" zz", 30)} {
		for i := range 3 {
			b.seeks(t, fmt.Sprint(i), text, catalog.SearchFilter{Communes: []string{fixture.Groix}})
		}
	}
	if got := terms(); got != "56121:2030-06-04:xylophone alto:4" {
		t.Errorf("written down: %q", got)
	}
	if got := misses(); got != ":2030-06-04:1 56069:2030-06-04:9 56121:2030-06-04:5" {
		t.Errorf("counted: %q", got)
	}
	if n := pgtest.Scan[int](t, b.Database, `select count(*) from search_sightings s where s::text like '%xylo%' or s::text like '%anna%'
		or encode(term, 'escape') like '%xylo%' or encode(session, 'escape') like '%anna%'`); n != 0 {
		t.Errorf("%d rows tell who", n)
	}
	forget := func() {
		t.Helper()
		if err := b.ForgetSearches(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	sightings := func() int { return pgtest.Scan[int](t, b.Database, `select count(*) from search_sightings`) }
	salt := pgtest.Scan[string](t, b.Database, `select salt::text from search_salts`)
	if forget(); sightings() != 5 {
		t.Errorf("%d sightings of today", sightings())
	}
	noon = noon.Add(24 * time.Hour)
	if forget(); sightings() != 0 || terms() == "" {
		t.Errorf("the day after: %d sightings, terms %q", sightings(), terms())
	}
	b.seeks(t, "anna", "xylophone alto", lorient)
	if again := pgtest.Scan[string](t, b.Database, `select salt::text from search_salts`); again == salt {
		t.Error("the next day has the same salt")
	}
	noon = noon.Add(400 * 24 * time.Hour)
	if forget(); terms() != "" || misses() == "" {
		t.Errorf("13 months later: terms %q, counts %q", terms(), misses())
	}
}

// Three sessions at the same instant are three.
func TestMissedSearchesSideBySide(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Crowd)
	b.WaitToCount(time.Minute)
	var group sync.WaitGroup
	for i := range 6 {
		group.Go(func() { b.seeks(t, fmt.Sprint(i%3), "xylophone", catalog.SearchFilter{}) })
	}
	group.Wait()
	if got := pgtest.Scan[string](t, b.Database, `select searches || ' ' || coalesce((select max(sessions) from search_miss_terms), 0) from search_misses`); got != "6 3" {
		t.Errorf("searches and sessions: %s", got)
	}
}
