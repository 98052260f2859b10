package web_test

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/audelor/halles/graph"
	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/rate"
	"github.com/audelor/halles/internal/tenancy"
	"github.com/audelor/halles/internal/web"
)

func keeping(o *web.Options) { o.Cache = 8 << 20 }

// kept asks until the answer is one that was kept: on a machine of whatever speed, the versions were
// then read within the last second.
func (s *site) kept(t *testing.T, ask func() answer) answer {
	t.Helper()
	for until := time.Now().Add(time.Minute); time.Now().Before(until); {
		s.web.Versions().Read(t.Context())
		before := s.web.Kept().Hits
		if a := ask(); s.web.Kept().Hits > before {
			return a
		}
	}
	t.Fatal("no answer is kept")
	return answer{}
}

// One tries to be given what is somebody else's: by asking before and after them, with credentials,
// cookies, keys and headers of all sorts. What is kept is everybody's, and goes to nobody who has
// an answer of the own.
func TestKeptAnswersAreNobodysOwn(t *testing.T) {
	t.Parallel()
	s := start(t, keeping)
	const secret = "Nouveauté que personne ne connaît"
	fixture.Product(t, s.db, s.shop, fixture.ProductOpts{Name: secret, Status: "DRAFT"})
	elsewhere := fixture.Shop(t, s.db, fixture.ShopOpts{Commune: fixture.Groix, Name: "Épicerie de l'île"})
	hidden := fixture.Shop(t, s.db, fixture.ShopOpts{Name: "Pas encore ouverte", Status: directory.Draft})
	query := `{ shop(id: "` + s.shop.String() + `") { name products(first: 50) { totalCount nodes { name } } } }`
	const list = `{ shops(first: 50) { totalCount nodes { name } } }`
	site := func(commune, origin string) []string {
		return []string{"X-Halles-Key", fixture.WidgetKey(t, s.db, commune, origin).Key, "Origin", origin}
	}
	// Before any is asked for: a server that has found no key looks again after a while only.
	lorient, groix := site(fixture.Lorient, "https://lorient.bzh"), site(fixture.Groix, "https://groix.bzh")
	again := site(fixture.Lorient, "https://ville.lorient.bzh")
	merchant := []string{"Authorization", "Bearer " + s.merchant}
	visitor := func() answer { return s.ask(query) }

	t.Run("MerchantFirst", func(t *testing.T) {
		s.web.Versions().Read(t.Context())
		s.ask(query, merchant...).wants(t, 200, secret)
		for range 3 {
			s.web.Versions().Read(t.Context())
			if a := visitor(); strings.Contains(a.body, secret) {
				t.Fatalf("a visitor was given %s", a.body)
			}
		}
	})
	public := s.kept(t, visitor)
	if strings.Contains(public.body, secret) || !strings.Contains(public.body, "Crêpes de froment") {
		t.Fatal(public.body)
	}
	agent, account := fixture.Account(t, s.db, identity.Agent, s.shop)
	id := tenancy.NewID(tenancy.KindDelegation, s.shop.Commune)
	s.db.Exec(t, `insert into delegations (commune_id, id, shop_id, agent_id, reason, days, asked_at, consented_at, ends_at) values ($1, $2, $3, $4, 'x', 1, now(), now(), now() + interval '1 day')`,
		id.Commune, id.Row, s.shop.Row, account)
	t.Run("OwnAnswers", func(t *testing.T) {
		for name, headers := range map[string][]string{
			"Merchant": merchant, "Agent": {"Authorization", "Bearer " + sign(t, agent, time.Hour)},
			"InAnothersName": {"Authorization", "Bearer " + sign(t, agent, time.Hour), "X-Halles-For", s.shop.String()},
		} {
			for range 2 {
				s.web.Versions().Read(t.Context())
				before := s.web.Kept()
				if a := s.ask(query, headers...); !strings.Contains(a.body, secret) || s.web.Kept().Hits != before.Hits {
					t.Errorf("%s was given %s", name, a.body)
				}
			}
		}
		s.ask(query, "Authorization", "Bearer nonsense").wants(t, 401, "UNAUTHENTICATED")
		s.ask(query, "X-Halles-For", s.shop.String()).wants(t, 401, "UNAUTHENTICATED")
		s.ask(query, "X-Halles-Key", "pk_lorient_AAAAAAAAAAAAAAAAAAAAAA").wants(t, 401)
		if a := s.kept(t, visitor); a.body != public.body {
			t.Errorf("it became %s", a.body)
		}
	})
	t.Run("Unkept", func(t *testing.T) {
		for name, do := range map[string]func() answer{
			"Viewer":        func() answer { return s.ask(`{ viewer { kind } }`) },
			"Introspection": func() answer { return s.ask(`{ __schema { queryType { name } } }`) },
			"Error":         func() answer { return s.ask(`{ shop(id: "` + hidden.String() + `") { name } }`) },
			"Stock": func() answer {
				return s.ask(`{ shop(id: "` + s.shop.String() + `") { products(first: 5) { nodes { variants { stock } } } } }`)
			},
			"Mutation":  func() answer { return s.ask(`mutation { exchangeGuestLink(input: {secret: "x"}) { token } }`) },
			"JustWrote": func() answer { return s.ask(query, "X-Halles-Seen", "AAAAAAAAAAA") },
			"Router":    func() answer { return s.ask(query, "X-Halles-Router", routerToken) },
			"FoundNothing": func() answer {
				return s.ask(`{ search(text: "saxophone alto", first: 5) { edges { score } totalCount } }`)
			},
		} {
			for range 3 {
				s.web.Versions().Read(t.Context())
				before := s.web.Kept()
				a := do()
				if s.web.Kept().Hits != before.Hits || s.web.Kept().Entries != before.Entries {
					t.Errorf("%s is kept: %s", name, a.body)
				}
			}
		}
		if n := pgtest.Scan[int](t, s.db, `select sum(searches)::int from search_misses`); n != 3 {
			t.Errorf("%d searches in vain are counted of 3", n)
		}
		s.ask(`{ _service { sdl } }`, "X-Halles-Router", routerToken).wants(t, 200, "schema")
		s.ask(`{ _service { sdl } }`).wants(t, 200, "FORBIDDEN")
	})
	t.Run("Keys", func(t *testing.T) {
		for range 2 {
			for _, c := range []struct {
				headers   []string
				has, lack string
			}{{nil, "Crêperie du Port", hiddenName}, {lorient, "Crêperie du Port", "Épicerie"}, {groix, "Épicerie", "Crêperie"}, {again, "Crêperie", "Épicerie"}} {
				a := s.kept(t, func() answer { return s.ask(list, c.headers...) })
				if !strings.Contains(a.body, c.has) || strings.Contains(a.body, c.lack) || c.headers == nil && !strings.Contains(a.body, "Épicerie") {
					t.Errorf("with %q: %s", c.headers, a.body)
				}
			}
		}
		s.ask(list, lorient[0], lorient[1], "Origin", "https://groix.bzh").wants(t, 403)
		if a := s.ask(`{ shop(id: "`+elsewhere.String()+`") { name } }`, lorient...); strings.Contains(a.body, "Épicerie") {
			t.Errorf("another commune's: %s", a.body)
		}
		s.kept(t, func() answer { return s.ask(`{ shop(id: "` + elsewhere.String() + `") { name } }`) })
		if a := s.ask(`{ shop(id: "`+elsewhere.String()+`") { name } }`, lorient...); strings.Contains(a.body, "Épicerie") {
			t.Errorf("another commune's, kept: %s", a.body)
		}
	})
	t.Run("Headers", func(t *testing.T) {
		for _, headers := range [][]string{
			{"Accept-Language", "br"},
			{"Accept-Language", "en"},
			{"X-Forwarded-For", "192.0.2.9"},
			{"Cookie", "__Host-halles=x; halles=y"},
			{"Accept", "application/graphql-response+json"},
			{"Content-Type", "application/json; charset=utf-8"},
		} {
			if a := s.kept(t, func() answer { return s.ask(query, headers...) }); a.body != public.body {
				t.Errorf("with %q: %s", headers, a.body)
			}
		}
		if a := s.kept(t, func() answer { return s.ask(query, "Accept", "application/graphql-response+json") }); a.Header.Get("Content-Type") != "application/graphql-response+json; charset=utf-8" {
			t.Error(a.Header)
		}
		s.ask(query, "Accept", "text/html").wants(t, 406)
	})
}

const hiddenName = "Pas encore ouverte"

// Who may send registered documents only is not given what others asked freely.
func TestKeptAnswersAreRefusedToo(t *testing.T) {
	t.Parallel()
	s := start(t, keeping, func(o *web.Options) {
		o.Registered = []graph.Audience{graph.Widget, graph.SPA}
		o.Limits.Network = rate.Limit{PerSecond: 0.0001, Burst: 250}
	})
	const list = `{ shops(first: 2) { nodes { name } } }`
	s.kept(t, func() answer { return s.ask(list) }).wants(t, 200, "Crêperie")
	s.ask(list, "Origin", origin).wants(t, 200, `"code":"FORBIDDEN"`)
	key := fixture.WidgetKey(t, s.db, fixture.Lorient, "https://lorient.bzh")
	s.ask(list, "X-Halles-Key", key.Key, "Origin", "https://lorient.bzh").wants(t, 200, `"code":"FORBIDDEN"`)
	// A kept answer costs what any does, and who has no points left is refused in the same words.
	for range 100 {
		s.web.Versions().Read(t.Context())
		if a := s.ask(list); a.StatusCode == http.StatusTooManyRequests {
			a.wants(t, 429, "LIMITED")
			if a.Header.Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
			return
		}
	}
	t.Error("kept answers are free")
}

// Who has a session on our pages has answers of its own.
func TestSessionsHaveTheirOwnAnswers(t *testing.T) {
	t.Parallel()
	s := pagesSite(t, keeping)
	const secret = "Nouveauté que personne ne connaît"
	fixture.Product(t, s.db, s.shop, fixture.ProductOpts{Name: secret, Status: "DRAFT"})
	query := `{"query":"{ shop(id: \"` + s.shop.String() + `\") { products(first: 50) { nodes { name } } } }"}`
	b := s.browser()
	b.signIn(s.subject, "/")
	for range 2 {
		s.kept(t, func() answer { return s.do(http.MethodPost, "/graphql", query, "Content-Type", "application/json") })
		if a := b.do(http.MethodPost, "/graphql", query, "Content-Type", "application/json", "X-Halles-CSRF", b.guard()); !strings.Contains(a.body, secret) {
			t.Errorf("%d %s", a.StatusCode, a.body)
		}
		if a := s.kept(t, func() answer { return s.do(http.MethodPost, "/graphql", query, "Content-Type", "application/json") }); strings.Contains(a.body, secret) {
			t.Error(a.body)
		}
	}
}

// The forms of a kept answer: by GET it has an ETag that answers 304, and is compressed for who reads
// gzip; the same bytes for all.
func TestKeptForms(t *testing.T) {
	t.Parallel()
	s := start(t, keeping)
	for range 12 {
		fixture.Product(t, s.db, s.shop, fixture.ProductOpts{Category: "creperie"})
	}
	address := "/graphql?" + url.Values{"documentId": {hashOf(t, "Shop")}, "variables": {fmt.Sprintf(`{"shop":%q,"first":20}`, s.shop)}}.Encode()
	get := func(headers ...string) func() answer {
		return func() answer {
			return s.do(http.MethodGet, address, "", append([]string{"Accept-Encoding", "identity"}, headers...)...)
		}
	}
	s.web.Versions().Read(t.Context())
	fresh := get()()
	plain := s.kept(t, get())
	if plain.body != fresh.body || len(plain.body) < 1024 {
		t.Errorf("kept %s\nfresh %s", plain.body, fresh.body)
	}
	for _, name := range []string{"ETag", "Cache-Control", "Content-Type"} {
		if plain.Header.Get(name) != fresh.Header.Get(name) || plain.Header.Get(name) == "" {
			t.Errorf("%s: kept %q, fresh %q", name, plain.Header.Get(name), fresh.Header.Get(name))
		}
	}
	if a := s.kept(t, get("If-None-Match", plain.Header.Get("ETag"))); a.StatusCode != http.StatusNotModified || a.body != "" {
		t.Errorf("%d %q", a.StatusCode, a.body)
	}
	for range 2 {
		zipped := s.kept(t, get("Accept-Encoding", "br, gzip"))
		r, err := gzip.NewReader(strings.NewReader(zipped.body))
		if err != nil || zipped.Header.Get("Content-Encoding") != "gzip" || !slices.Contains(vary(zipped.Header), "Accept-Encoding") {
			t.Fatal(err, zipped.Header)
		}
		if text, err := io.ReadAll(r); err != nil || string(text) != plain.body {
			t.Errorf("%v: unzipped to %s", err, text)
		}
	}
	if a := s.kept(t, get("Accept-Encoding", "gzip;q=0")); a.body != plain.body || a.Header.Get("Content-Encoding") != "" {
		t.Error(a.Header)
	}
	head := s.kept(t, func() answer { return s.do(http.MethodHead, address, "", "Accept-Encoding", "identity") })
	if head.Header.Get("ETag") != plain.Header.Get("ETag") || head.body != "" {
		t.Error(head.Header)
	}
	if !strings.Contains(s.log.String(), `"operation":"Shop"`) || !strings.Contains(s.scrape(), "halles_answers_kept 1") {
		t.Error("neither log nor figures tell of it")
	}
}

// longer is a test's long form under HALLES_LONG=1.
func longer(short, long int) int {
	if os.Getenv("HALLES_LONG") != "" {
		return long
	}
	return short
}

// A price is changed: each of two servers of one database shows it once it has read the versions
// after that, and no answer from before; with wake-ups or, as no listener runs here, without any. The
// long form holds a second against the clock.
func TestKeptAnswersFollowEveryChange(t *testing.T) {
	t.Parallel()
	first := start(t, keeping, func(o *web.Options) { o.ListenURL = "" })
	second := bare(t, first.db, keeping, func(o *web.Options) { o.ListenURL = "" })
	servers := []*site{first, second}
	var running sync.WaitGroup
	ctx, stop := context.WithCancel(context.Background())
	t.Cleanup(func() { stop(); running.Wait() })
	for _, s := range servers {
		running.Go(func() { _ = s.web.Versions().Run(ctx) })
	}
	variant := fixture.Product(t, first.db, first.shop, fixture.ProductOpts{}).Variants[0]
	body, _ := json.Marshal(map[string]any{"query": `{ node(id: "` + variant.String() + `") { ... on Variant { price { cents } } } }`})
	price := func(s *site) string {
		a := s.do(http.MethodPost, "/graphql", string(body), "Content-Type", "application/json")
		_, after, _ := strings.Cut(a.body, `"cents":`)
		before, _, _ := strings.Cut(after, "}")
		return before
	}
	var worst time.Duration
	stale := 0
	for n := range longer(6, 1000) {
		for i, s := range servers { // what is shown now is kept
			for hits := s.web.Kept().Hits; s.web.Kept().Hits == hits; {
				if price(s); ctx.Err() != nil || t.Context().Err() != nil {
					t.Fatal(i, "nothing is kept")
				}
			}
		}
		want := fmt.Sprint(1000 + n)
		reads := []int64{}
		first.db.Exec(t, `update variants set price_cents = $3 where commune_id = $1 and id = $2`, variant.Commune, variant.Row, 1000+n)
		committed := time.Now()
		for _, s := range servers {
			reads = append(reads, s.web.Versions().Reads())
		}
		for i, s := range servers {
			for until := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
				read := s.web.Versions().Reads() >= reads[i]+2 // of two readings since, the second began after the commit
				asked, got := time.Now(), price(s)
				if got == want {
					worst = max(worst, asked.Sub(committed))
					break
				}
				if read || asked.After(until) {
					t.Fatalf("change %d: server %d shows %s and not %s, %v after the commit and %d readings", n, i, got, want, time.Since(committed), s.web.Versions().Reads()-reads[i])
				}
				stale++
			}
		}
	}
	t.Logf("the slowest of all showed it %v after the commit; %d answers before were from before it", worst, stale)
	if os.Getenv("HALLES_LONG") != "" && worst > time.Second {
		t.Errorf("it took %v", worst)
	}
}

// A database that cannot be read makes no answer outlive the second for which the versions hold: it is
// asked for anew, and refused.
func TestNoVersionsNoKeptAnswers(t *testing.T) {
	t.Parallel()
	s := start(t, keeping)
	const list = `{ shops(first: 2) { nodes { name } } }`
	s.kept(t, func() answer { return s.ask(list) })
	s.db.Exec(t, `alter table published_changes rename to changes_away`)
	until := time.Now().Add(time.Minute)
	for hits := int64(-1); hits != s.web.Kept().Hits && time.Now().Before(until); time.Sleep(1100 * time.Millisecond) {
		s.web.Versions().Read(t.Context()) // fails
		hits = s.web.Kept().Hits
		s.ask(list).wants(t, 200, "Crêperie")
	}
	hits := s.web.Kept().Hits
	s.web.Versions().Read(t.Context())
	s.ask(list).wants(t, 200, "Crêperie")
	if s.web.Kept().Hits != hits {
		t.Error("answers are served though nothing is known of changes")
	}
	s.db.Exec(t, `alter table changes_away rename to published_changes`)
	s.kept(t, func() answer { return s.ask(list) })
}

// Of those who ask the same at the same time one computes, and all others have what came of it.
func TestOneComputesForAll(t *testing.T) {
	t.Parallel()
	s := start(t, keeping)
	const askers = 6
	for n, until := 0, time.Now().Add(time.Minute); ; n++ { // on a slow machine nobody waits for ever: again
		if time.Now().After(until) {
			t.Fatal("each computes its own")
		}
		before := s.web.Kept()
		s.web.Versions().Read(t.Context())
		release := s.held(pg.Public)
		var all sync.WaitGroup
		answers := make([]answer, askers)
		for i := range answers {
			all.Go(func() { answers[i] = s.ask(fmt.Sprintf(`{ again%d: shops(first: 2) { nodes { name } } }`, n)) })
		}
		for began := time.Now(); s.web.Kept().Waiting < askers-1 && time.Since(began) < time.Second; {
			time.Sleep(time.Millisecond)
		}
		release()
		all.Wait()
		for _, a := range answers {
			if a.StatusCode != http.StatusServiceUnavailable { // who took turns for too long
				a.wants(t, 200, "Crêperie")
			}
		}
		if after := s.web.Kept(); after.Shared-before.Shared == askers-1 {
			return
		}
	}
}
