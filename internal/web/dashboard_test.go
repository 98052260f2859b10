package web_test

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/insight"
	"github.com/audelor/halles/internal/tenancy"
)

// publishedSite is a site with two closed months, and an analyst signed in: Lorient has many shops,
// Groix two bookshops.
func publishedSite(t *testing.T) (*signing, *browser) {
	t.Helper()
	s := pagesSite(t)
	_, account := fixture.Account(t, s.db, identity.Analyst)
	s.db.Exec(t, `update accounts set subject = 'attacker' where id = $1`, account)
	for commune, trades := range map[string]map[string]int{
		fixture.Lorient: {"librairie": 12, "boulangerie": 9}, fixture.Hennebont: {"librairie": 8, "boulangerie": 7}, fixture.Groix: {"librairie": 2, "boulangerie": 6},
	} {
		for trade, n := range trades {
			for range n {
				shop := fixture.Shop(t, s.db, fixture.ShopOpts{Commune: commune, Category: trade, Modes: []directory.FulfilmentMode{directory.Pickup, directory.Delivery}})
				s.db.Exec(t, `update shops set siret = lpad((300000000 + (select count(*) from shops))::text, 9, '0') || '00011', created_at = '2025-01-01' where id = $1`, shop.Row)
				for _, mode := range []string{"PICKUP", "DELIVERY"} {
					s.db.Exec(t, `insert into shop_facts (commune_id, shop_id, day, mode, channel, placed, orders, items, gross_cents, vat_cents, rejected, cancelled, no_shows)
						select $1, $2, day, $3, 'WEB', 7, 7, 9, 10025, 500, 0, 0, 0 from unnest('{2026-09-12,2026-10-12}'::date[]) day`, shop.Commune, shop.Row, mode)
				}
			}
		}
	}
	n := insight.New(s.db.DB, tenancy.NewRegister(s.db.DB))
	n.Now = func() time.Time { return time.Date(2026, 11, 4, 23, 10, 0, 0, time.UTC) }
	if err := n.Publish(t.Context()); err != nil {
		t.Fatal(err)
	}
	b := s.browser()
	b.signIn("attacker", "/tableau-de-bord")
	return s, b
}

const october = "de=2026-10&a=2026-10"

var tableCell = regexp.MustCompile(`<td(?: class="secret")?>([^<]*)</td>`)

func TestDashboardPage(t *testing.T) {
	t.Parallel()
	s, b := publishedSite(t)
	page := b.do(http.MethodGet, "/tableau-de-bord?"+october, "")
	page.wants(t, http.StatusOK, "Chiffres clés, octobre 2026", `id="secteurs"`, `id="communes"`, "secret : moins de trois entreprises", `srcset="data:image/svg&#43;xml;base64,PHN2Zy`, `src="data:image/svg&#43;xml;base64,PHN2Zy`, "Publié le 05/11/2026", `href="/tableau-de-bord?a=2026-10&amp;de=2025-11"`)
	for _, foreign := range []string{"<script", "http://", "https://", "style="} {
		if strings.Contains(page.body, foreign) {
			t.Errorf("the page has %s", foreign)
		}
	}
	// Groix alone: what two bookshops sold is hidden, and so is what would tell it.
	groix := b.do(http.MethodGet, "/tableau-de-bord?"+october+"&commune=56069", "")
	groix.wants(t, http.StatusOK, `<option value="56069" selected>`, "secret : protège une autre case")

	for _, address := range []string{"?" + october, "?" + october + "&commune=56069", "?de=2026-09&a=2026-10&secteur=culture&mode=PICKUP"} {
		page, file := b.do(http.MethodGet, "/tableau-de-bord"+address, ""), b.do(http.MethodGet, "/tableau-de-bord.csv"+address, "")
		file.wants(t, http.StatusOK, "tableau;ligne")
		r := csv.NewReader(strings.NewReader(strings.TrimPrefix(file.body, "\ufeff")))
		r.Comma = ';'
		rows, err := r.ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		// The page has of the first table five cells a line, of which the file has the first.
		cells := tableCell.FindAllStringSubmatch(page.body, -1)
		first := strings.Count(page.body[:strings.Index(page.body, "</table>")], "<tr>") - 1
		var shown []string
		for i, c := range cells {
			if i >= 5*first || i%5 == 0 {
				shown = append(shown, html.UnescapeString(c[1]))
			}
		}
		var written []string
		for _, row := range rows[1:] {
			written = append(written, strings.TrimPrefix(row[6], "'"))
			if (row[4] == "") != (row[5] != "") {
				t.Errorf("a value and a reason, or neither: %v", row)
			}
		}
		if ordinary.Replace(strings.Join(shown, "\n")) != ordinary.Replace(strings.Join(written, "\n")) {
			t.Errorf("%s: the page shows %d values and the file has %d, or others", address, len(shown), len(written))
		}
		var program struct {
			Values []struct {
				Shown string `json:"affiche"`
			} `json:"valeurs"`
		}
		if err := json.Unmarshal([]byte(b.do(http.MethodGet, "/tableau-de-bord.json"+address, "").body), &program); err != nil || len(program.Values) != len(written) {
			t.Errorf("%s: JSON has %d values, CSV %d (%v)", address, len(program.Values), len(written), err)
		}
	}
	for address, says := range map[string]string{
		"?de=2026-13": "pas un mois", "?a=2199-01": "pas commencé", "?de=2026-10&a=2026-09": "échangez", "?commune=99999": "Aucune commune", "?secteur=librairie": "secteur", "?mode=DRONE": "PICKUP",
	} {
		wrong := b.do(http.MethodGet, "/tableau-de-bord"+address, "")
		wrong.wants(t, http.StatusBadRequest, says, "Afficher")
	}
	b.do(http.MethodGet, "/tableau-de-bord/definitions", "").wants(t, http.StatusOK, "Panier moyen", "trois entreprises")
	if a := s.browser().do(http.MethodGet, "/tableau-de-bord?"+october, ""); a.StatusCode != http.StatusSeeOther || !strings.Contains(a.Header.Get("Location"), url.QueryEscape("/tableau-de-bord?"+october)) {
		t.Errorf("nobody is sent to sign in: %d %v", a.StatusCode, a.Header)
	}
	merchant := s.browser()
	merchant.signIn(s.subject, "/")
	for _, address := range []string{"/tableau-de-bord", "/tableau-de-bord.csv", "/tableau-de-bord.json", "/tableau-de-bord/definitions"} {
		merchant.do(http.MethodGet, address, "").wants(t, http.StatusForbidden, "pas pour votre compte")
	}
}

// dashboardInABrowser looks at the dashboard on a telephone, on a wide screen and with large text.
func dashboardInABrowser(t *testing.T, browser context.Context) {
	tab, complaints := newTab(t, browser)
	s, _ := publishedSite(t)
	do(t, tab, chromedp.Navigate(s.URL+"/session/start?next="+url.QueryEscape("/tableau-de-bord?"+october)))
	arrived := func(script string) {
		t.Helper()
		for range 200 {
			if there, err := chromedp.Run(tab, chromedp.Evaluate[bool]("document.readyState === 'complete' && "+script)); err == nil && there {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
		t.Fatalf("never %s", script)
	}
	arrived("document.querySelector('button[value=attacker]') !== null")
	do(t, tab, chromedp.Click(chromedp.CSS("button[value=attacker]")))
	for _, width := range []int64{360, 1920} {
		do(t, tab, chromedp.EmulateViewport(width, 900))
		arrived("document.querySelectorAll('img.chart').length > 3 && [...document.querySelectorAll('img.chart')].every((i) => i.complete && i.naturalWidth > 0)")
		if wide := do(t, tab, chromedp.Evaluate[int64]("document.documentElement.scrollWidth")); wide > width {
			t.Errorf("at %d px the page is %d px wide", width, wide)
		}
		if found := do(t, tab, chromedp.Evaluate[string](faint)); found != "" {
			t.Error(found)
		}
		keep(t, tab, "dashboard")
	}
	do(t, tab, chromedp.EmulateViewport(1280, 900))
	do(t, tab, chromedp.Evaluate[string](`document.documentElement.style.fontSize = "200%"`))
	if wide := do(t, tab, chromedp.Evaluate[int64]("document.documentElement.scrollWidth")); wide > 1280 {
		t.Errorf("with text of 200 %% the page is %d px wide", wide)
	}
	// A filter changes the table and the chart, and survives a reload.
	chart := do(t, tab, chromedp.Evaluate[string]("document.querySelector('#t-secteurs ~ .beside img').src"))
	do(t, tab, chromedp.Evaluate[string](`document.getElementById("commune").value = "56121"`))
	do(t, tab, chromedp.Click(chromedp.CSS(".filters button")))
	arrived(`location.search.includes("commune=56121") && document.getElementById("commune").value === "56121"`)
	before := do(t, tab, chromedp.Evaluate[string]("document.getElementById('secteurs').textContent"))
	if do(t, tab, chromedp.Evaluate[string]("document.querySelector('#t-secteurs ~ .beside img').src")) == chart {
		t.Error("the filter leaves the chart as it was")
	}
	do(t, tab, chromedp.Reload())
	arrived(`document.getElementById("commune").value === "56121"`)
	if do(t, tab, chromedp.Evaluate[string]("document.getElementById('secteurs').textContent")) != before {
		t.Error("a reload changes the table")
	}
	for _, c := range complaints() {
		t.Errorf("the console says: %s", c)
	}
}
