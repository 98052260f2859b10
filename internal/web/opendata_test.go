package web_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/tidwall/gjson"
)

// The open data has what caches and programs need: a type, an ETag that holds for the same state
// and only for that, who may read it, and what its columns mean.
func TestOpenData(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.db.Exec(t, `update shops set slug = 'creperie-du-port'`)
	for path, kind := range map[string]string{
		"/opendata/commerces.csv": "text/csv; charset=utf-8; header=present", "/opendata/commerces.json": "application/json; charset=utf-8",
		"/opendata/commerces.geojson": "application/geo+json", "/opendata/56121/commerces.csv": "text/csv; charset=utf-8; header=present",
	} {
		a := s.do(http.MethodGet, path, "", "Origin", "https://elsewhere.example")
		a.wants(t, http.StatusOK, "Crêperie du Port")
		tag := a.Header.Get("ETag")
		if a.Header.Get("Content-Type") != kind || !regexp.MustCompile(`^W/"[0-9a-f]{32}"$`).MatchString(tag) || a.Header.Get("Access-Control-Allow-Origin") != "*" ||
			!strings.Contains(a.Header.Get("Link"), `</opendata/schema.json>; rel="describedby"`) || a.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v", path, a.Header)
		}
		if again := s.do(http.MethodGet, path, "", "If-None-Match", tag); again.StatusCode != http.StatusNotModified || again.body != "" {
			t.Errorf("%s again: %d %q", path, again.StatusCode, again.body)
		}
	}
	tag := s.do(http.MethodGet, "/opendata/56121/commerces.csv", "").Header.Get("ETag")
	other := s.do(http.MethodGet, "/opendata/56069/commerces.csv", "").Header.Get("ETag")
	s.db.Exec(t, `update shops set name = 'Crêperie du Quai'`)
	changed := s.do(http.MethodGet, "/opendata/56121/commerces.csv", "", "If-None-Match", tag)
	changed.wants(t, http.StatusOK, "Crêperie du Quai")
	if now := s.do(http.MethodGet, "/opendata/56069/commerces.csv", "").Header.Get("ETag"); now != other || other == tag {
		t.Errorf("Groix' file has another ETag, %s and %s, since Lorient's changed (%s)", other, now, tag)
	}
	schema := s.do(http.MethodGet, "/opendata/schema.json", "")
	schema.wants(t, http.StatusOK, "Licence Ouverte")
	if n := gjson.Get(schema.body, "fields.#").Int(); n < 20 || strings.Count(strings.SplitN(changed.body, "\r\n", 2)[0], ",")+1 != int(n) {
		t.Errorf("the schema has %d columns, the file another number", n)
	}
	s.do(http.MethodGet, "/opendata", "", "Accept", "text/html").wants(t, http.StatusOK, "/opendata/56121/commerces.csv")
	links := s.ask(`{ commune(slug: "lorient") { openData { csv json geojson schema page } } }`)
	for _, name := range []string{"csv", "json", "geojson", "schema", "page"} {
		s.do(http.MethodGet, gjson.Get(links.body, "data.commune.openData."+name).String(), "").wants(t, http.StatusOK, "")
	}
	for _, path := range []string{"/opendata/99999/commerces.csv", "/opendata/x/commerces.csv", "/opendata/56121/commerces.xml"} {
		s.do(http.MethodGet, path, "").wants(t, http.StatusNotFound, "")
	}
}

// A shop has a page of its own, and search engines read the same from it.
func TestShopPage(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.db.Exec(t, `update shops set slug = 'creperie-du-port', name = 'Chez </script><script>alert(1)</script>'`)
	page := s.do(http.MethodGet, "/boutique/lorient/creperie-du-port", "")
	page.wants(t, http.StatusOK, `<script type="application/ld+json">`)
	if strings.Contains(page.body, "<script>") || strings.Contains(page.Header.Get("Content-Security-Policy"), "unsafe") {
		t.Errorf("a shop's name is a script: %s", page.body)
	}
	data := s.do(http.MethodGet, "/boutique/lorient/creperie-du-port.jsonld", "")
	data.wants(t, http.StatusOK, `"@type": "Store"`)
	if name := gjson.Get(data.body, "name").String(); name != "Chez </script><script>alert(1)</script>" || data.Header.Get("Content-Type") != "application/ld+json" {
		t.Errorf("%q, %v", name, data.Header)
	}
	script := regexp.MustCompile(`(?s)<script type="application/ld\+json">(.*?)</script>`).FindStringSubmatch(page.body)
	if len(script) != 2 || gjson.Get(script[1], "name").String() != gjson.Get(data.body, "name").String() {
		t.Errorf("the page has %q", script)
	}
	s.db.Exec(t, `update shops set status = 'SUSPENDED'`)
	for _, path := range []string{"/boutique/lorient/creperie-du-port", "/boutique/lorient/none", "/boutique/nulle-part/creperie-du-port"} {
		s.do(http.MethodGet, path, "").wants(t, http.StatusNotFound, "")
	}
}
