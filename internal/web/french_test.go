package web_test

import (
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/audelor/halles/internal/pg/pgtest"
)

// ordinary puts ordinary spaces in the place of others, as tests write what they want to read.
var ordinary = strings.NewReplacer("\u00a0", " ", "\u202f", " ")

var (
	inFrench   = regexp.MustCompile(`<html lang="(fr|br)"`)
	unread     = regexp.MustCompile(`(?s)<(script|style|pre|code|textarea)\b.*?</(script|style|pre|code|textarea)>`)
	tags       = regexp.MustCompile(`<[^>]*>`)
	brokenSign = regexp.MustCompile(`.{0,40}(?:« |\s[:;!?»](?:[\s»).,]|$)).{0,20}`) // \s has no no-break space
)

// set looks at each page in French or Breton that a test asks for: none of its lines may begin with a colon,
// nor end with the beginning of a quotation.
func (a answer) set(t *testing.T) {
	t.Helper()
	if !strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") || a.Header.Get("Content-Encoding") != "" || !inFrench.MatchString(a.body) {
		return
	}
	text := tags.ReplaceAllString(unread.ReplaceAllString(a.body, "–"), "")
	for _, line := range strings.Split(html.UnescapeString(text), "\n") {
		if found := brokenSign.FindString(line); found != "" {
			t.Errorf("%s: an ordinary space where a line must not break: %q", a.Request.URL.Path, found)
		}
	}
}

// Pages that a visitor reads are set, and make no browser ask for an icon that is not there.
func TestPagesOfVisitors(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.db.Exec(t, `update shops set description = 'Du pain ! Et « des crêpes » : lesquelles ?' where id = $1`, s.shop.Row)
	slug := pgtest.Scan[string](t, s.db, `select slug from shops where id = $1`, s.shop.Row)
	for path, says := range map[string]string{
		"/":                                     "Votre commande\u00a0:",
		"/opendata":                             "Licence Ouverte 2.0\u00a0: citez",
		"/boutique/lorient/" + slug:             "Du pain\u202f! Et «\u00a0des crêpes\u00a0»\u00a0: lesquelles\u202f?",
		"/widget/v1/shops.html?commune=lorient": "Crêperie du Port",
		"/commande":                             "Confidentialité\u00a0: ce qui",
		"/confidentialite":                      "faire effacer\u00a0: avec",
		"/docs/widget":                          "\u00a0:",
		"/docs":                                 "\u00a0:",
		"/nothing":                              "Il n&#39;y a rien",
	} {
		page := s.do(http.MethodGet, path, "", "Accept", "text/html")
		if text := tags.ReplaceAllString(page.body, ""); !strings.Contains(text, says) {
			t.Errorf("%s does not say %q", path, says)
		}
		if page.StatusCode == http.StatusOK && !strings.Contains(page.body, `<link rel="icon"`) {
			t.Errorf("%s has no icon", path)
		}
	}
}
