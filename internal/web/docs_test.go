package web_test

import (
	"html"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/audelor/halles/graph"
	"github.com/audelor/halles/internal/catalog"
	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/sheet"
	"github.com/audelor/halles/internal/tenancy"
	"github.com/audelor/halles/internal/web/guide"
	"github.com/audelor/halles/internal/web/guide/guidetest"
)

// Every GraphQL example of the guide runs as it is shown, and gives what the guide says.
func TestGuideExamples(t *testing.T) {
	t.Parallel()
	s := start(t)
	agent, _ := fixture.Account(t, s.db, identity.Agent, tenancy.ID{Kind: tenancy.KindCommune, Commune: fixture.Lorient})
	if n := guidetest.Run(t, s.URL, map[string]string{"merchant": s.merchant, "agent": sign(t, agent, time.Hour), "router": routerToken}); n < 15 {
		t.Errorf("%d examples", n)
	}
}

// The pages show every example, every code and every type; each link on them leads somewhere,
// and nothing is loaded from elsewhere.
func TestGuidePages(t *testing.T) {
	t.Parallel()
	s := start(t)
	pages := map[string]string{}
	for _, path := range []string{"/docs", "/docs/reference", "/docs/changes"} {
		a := s.do(http.MethodGet, path, "")
		a.wants(t, 200, `<html lang="en">`, "<h1>", `<main id="content"`)
		pages[path] = a.body
		if found := regexp.MustCompile(`(?i)<script|\son[a-z]+=|<style|\sstyle=|src="|href="https?:`).FindString(a.body); found != "" {
			t.Errorf("%s has %s", path, found)
		}
	}
	examples, err := guide.Examples()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range examples {
		if !strings.Contains(html.UnescapeString(pages["/docs"]), strings.TrimSpace(e.Text)) {
			t.Errorf("the guide does not show %s", e.Key)
		}
	}
	for _, columns := range [][]sheet.Column{directory.ImportColumns(), catalog.ImportColumns()} {
		for _, c := range columns {
			if !strings.Contains(html.UnescapeString(pages["/docs"]), "<code>"+c.Name+"</code>") || !strings.Contains(ordinary.Replace(html.UnescapeString(pages["/docs"])), c.Help) {
				t.Errorf("the guide does not tell of the column %s", c.Name)
			}
		}
	}
	var dates []string
	for _, m := range regexp.MustCompile(`<time datetime="([^"]+)"`).FindAllStringSubmatch(pages["/docs/changes"], -1) {
		dates = append(dates, m[1])
	}
	inOrder := slices.Compact(slices.Sorted(slices.Values(dates)))
	if slices.Reverse(inOrder); len(dates) < 4 || !slices.Equal(inOrder, dates) {
		t.Errorf("changes are told of %v, not once for each day, the latest first", dates)
	}
	schema := graph.Schema()
	for name, d := range schema.Types {
		if strings.HasPrefix(name, "_") || d.BuiltIn {
			continue
		}
		if !strings.Contains(pages["/docs/reference"], `id="`+name+`"`) {
			t.Errorf("the reference has no %s", name)
		}
		for _, f := range d.Fields {
			if !strings.Contains(pages["/docs/reference"], `id="`+name+"."+f.Name+`"`) {
				t.Errorf("the reference has no %s.%s", name, f.Name)
			}
		}
	}
	ids := map[string]map[string]bool{}
	for path, page := range pages {
		ids[path] = map[string]bool{}
		for _, m := range regexp.MustCompile(`\sid="([^"]+)"`).FindAllStringSubmatch(page, -1) {
			if ids[path][m[1]] {
				t.Errorf("%s has two #%s", path, m[1])
			}
			ids[path][m[1]] = true
		}
	}
	asked := map[string]bool{}
	for path, page := range pages {
		for _, m := range regexp.MustCompile(`href="([^"]+)"`).FindAllStringSubmatch(page, -1) {
			to, anchor, _ := strings.Cut(html.UnescapeString(m[1]), "#")
			if to == "" {
				to = path
			}
			if known, ours := ids[to]; ours && anchor != "" && !known[anchor] {
				t.Errorf("%s links to %s, which is not there", path, m[1])
			}
			if asked[to] || strings.HasPrefix(to, "data:") || strings.HasPrefix(to, "/dev-issuer") { // the demo's only
				continue
			}
			asked[to] = true
			if a := s.do(http.MethodGet, to, ""); a.StatusCode != 200 {
				t.Errorf("%s links to %s: %d", path, to, a.StatusCode)
			}
		}
	}
	for _, d := range graph.Schema().Types {
		for _, f := range d.Fields {
			if why := f.Directives.ForName("deprecated"); why != nil && !regexp.MustCompile(`20\d\d-\d\d-\d\d`).MatchString(why.Arguments.ForName("reason").Value.Raw) {
				t.Errorf("%s.%s is deprecated without the date of its end", d.Name, f.Name)
			}
		}
	}
}

// TypeScript's types are to be had now and, under their version, for good.
func TestSDK(t *testing.T) {
	t.Parallel()
	s := start(t)
	now := s.do(http.MethodGet, "/sdk/halles.d.ts", "")
	now.wants(t, 200, "export interface Shop {", "export interface Operations {")
	version := regexp.MustCompile(`version ([0-9a-f]{12})`).FindStringSubmatch(now.body)
	if version == nil {
		t.Fatalf("no version in %.200s", now.body)
	}
	kept := s.do(http.MethodGet, "/sdk/"+version[1]+"/halles.d.ts", "")
	if kept.StatusCode != 200 || kept.body != now.body || !strings.Contains(kept.Header.Get("Cache-Control"), "immutable") || strings.Contains(now.Header.Get("Cache-Control"), "immutable") {
		t.Errorf("%d %v", kept.StatusCode, kept.Header)
	}
	s.do(http.MethodGet, "/sdk/000000000000/halles.d.ts", "").wants(t, 404)
}
