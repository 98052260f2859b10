package web_test

import (
	"context"
	"fmt"
	"html"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/google/uuid"

	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
	"github.com/audelor/halles/internal/web/widget"
)

// The widget's files are for pages everywhere: as v1 for minutes, by their version for ever. What
// stands beside them says why a page is refused, and is the list for people without JavaScript.
func TestWidgetFiles(t *testing.T) {
	t.Parallel()
	s := start(t)
	releases, err := widget.All()
	if err != nil {
		t.Fatal(err)
	}
	release := releases.Pinned
	for path, keep := range map[string]string{
		"/widget/v1/halles.js": "public, max-age=300", "/widget/" + release.Version + "/halles.js": "public, max-age=31536000, immutable",
		"/widget/v1/br.json": "public, max-age=300", "/widget/" + release.Version + "/en.json": "public, max-age=31536000, immutable",
	} {
		a := s.do(http.MethodGet, path, "", "Origin", "https://lorient.bzh")
		a.wants(t, 200)
		if a.Header.Get("Cache-Control") != keep || a.Header.Get(allowOrigin) != "*" || a.Header.Get("Cross-Origin-Resource-Policy") != "cross-origin" {
			t.Errorf("%s: %v", path, a.Header)
		}
		if zipped := s.do(http.MethodGet, path, "", "Accept-Encoding", "gzip"); zipped.Header.Get("Content-Encoding") != "gzip" || len(zipped.body) > 15<<10 || !slices.Contains(vary(zipped.Header), "Accept-Encoding") {
			t.Errorf("%s: %d bytes zipped, %v", path, len(zipped.body), zipped.Header)
		}
		if again := s.do(http.MethodGet, path, "", "If-None-Match", a.Header.Get("ETag")); again.StatusCode != 304 {
			t.Errorf("%s again: %d", path, again.StatusCode)
		}
	}
	for _, path := range []string{"/widget/v2/halles.js", "/widget/v1/de.json", "/widget/000000000000/halles.js", "/widget/v1/shops.html?commune=nulle-part", "/widget/v1/shops.html"} {
		s.do(http.MethodGet, path, "").wants(t, 404)
	}

	guide := s.do(http.MethodGet, "/docs/widget", "")
	guide.body = html.UnescapeString(guide.body)
	guide.wants(t, 200, s.URL+"/widget/v1/halles.js", s.URL+"/widget/"+release.Version+"/halles.js", release.Files[widget.Script].Integrity)

	key := fixture.WidgetKey(t, s.db, fixture.Lorient, "https://lorient.bzh")
	for want, c := range map[string][2]string{
		"OK": {key.Key, "https://lorient.bzh"}, "ORIGIN": {key.Key, "https://elsewhere.example"}, "KEY": {"pk_lorient_none", "https://lorient.bzh"},
	} {
		a := s.do(http.MethodGet, "/widget/v1/check?key="+c[0], "", "Origin", c[1])
		if a.wants(t, 200); a.body != `{"code":"`+want+`"}` || a.Header.Get(allowOrigin) != "*" || a.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %s %v", want, a.body, a.Header)
		}
	}

	s.db.Exec(t, `update shops set name = 'Chez <img src=x onerror=alert(1)>'`)
	fixture.Shop(t, s.db, fixture.ShopOpts{Commune: fixture.Groix, Name: "Une autre île"})
	for i := range 101 {
		fixture.Shop(t, s.db, fixture.ShopOpts{Name: fmt.Sprintf("Numéro %03d", i)})
	}
	page := s.do(http.MethodGet, "/widget/v1/shops.html?commune=lorient", "")
	page.wants(t, 200, "Les boutiques de Lorient", "Chez &lt;img src=x", "Numéro 000", "retrait en boutique", "Boutiques suivantes")
	if strings.Contains(page.body, "Une autre île") || strings.Contains(page.body, "Numéro 100") {
		t.Error("the page has more than the commune's first hundred")
	}
	next := regexp.MustCompile(`<a href="(\?after=[^"]+)"`).FindStringSubmatch(page.body)
	if next == nil {
		t.Fatal(page.body)
	}
	s.do(http.MethodGet, "/widget/v1/shops.html"+strings.ReplaceAll(next[1], "&amp;", "&"), "").wants(t, 200, "Numéro 100")
}

// town is the site of a commune on another origin, under a strict policy, with whatever body.
func town(t *testing.T, api string, body *atomic.Value) (origin string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", fmt.Sprintf("default-src 'self'; script-src %[1]s; connect-src %[1]s; img-src %[1]s; require-trusted-types-for 'script'", api))
		fmt.Fprintf(w, `<!DOCTYPE html><html lang="fr"><meta charset="utf-8"><title>Ville</title><h1>Ma ville</h1>%s<script src="%s/widget/v1/halles.js" defer></script>`, body.Load(), api)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// served lets the site answer at an address as the program does: its streams end when it stops.
func served(t *testing.T, s *site, address string) (stop func()) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	s.URL = "http://" + listener.Addr().String()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.web.Serve(ctx, listener) }()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// inWidget finds the first element of a selector in the widgets of the page.
const inWidget = `const all = (s) => [...document.querySelectorAll("halles-shops, halles-shop, halles-open-now, [data-halles]")].flatMap((e) => e.shadowRoot ? [...e.shadowRoot.querySelectorAll(s)] : []);
const one = (s) => all(s)[0]; const text = (s) => all(s).map((e) => e.textContent).join(" | ");
const type = (s, v) => { one(s).value = v; one(s).dispatchEvent(new Event("input")); one(s).dispatchEvent(new Event("change")); return true; };`

// until waits for an expression to be true; a minute is only for the busiest machine.
func until(t *testing.T, tab context.Context, expression string) {
	t.Helper()
	script := "(() => { " + inWidget + " return !!(" + expression + "); })()"
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(30 * time.Millisecond) {
		if is, err := chromedp.Run(tab, chromedp.Evaluate[bool](script)); err == nil && is {
			return
		}
		if time.Now().After(deadline) {
			said, _ := chromedp.Run(tab, chromedp.Evaluate[string]("(() => { "+inWidget+" return text('.w') })()"))
			t.Fatalf("never true: %s\n%s", expression, said)
		}
	}
}

// act does something in the widget, once that can be done.
func act(t *testing.T, tab context.Context, selector, does string) {
	t.Helper()
	until(t, tab, "one(`"+selector+"`)")
	do(t, tab, chromedp.Evaluate[bool]("(() => { "+inWidget+" const it = one(`"+selector+"`); "+does+"; return true; })()"))
}

// widgetOrders is a citizen's visit on the commune's site: browse, fill a basket at two shops,
// order, and see what the shops do; the server is restarted in between. What merchants wrote is
// text, and nothing stays in the browser.
func widgetOrders(t *testing.T, browser context.Context) {
	tab, complaints := newTab(t, browser)
	s := start(t)
	hostile := "Chez <img src=x onerror=\"document.title='hacked'\"> \u202eéteul 🥖"
	s.db.Exec(t, `update shops set name = $1, description = $2`, hostile, strings.Repeat("<script>document.title='hacked'</script> ", 250))
	other := fixture.Shop(t, s.db, fixture.ShopOpts{Name: "Zinc & Co"})
	fixture.Product(t, s.db, other, fixture.ProductOpts{Name: "Album", PriceCents: 1350})
	gone := fixture.Product(t, s.db, other, fixture.ProductOpts{Name: "Bientôt parti", Stock: 1})
	var body atomic.Value
	body.Store("")
	address := "127.0.0.1:0"
	stop := served(t, s, address)
	address = strings.TrimPrefix(s.URL, "http://")
	origin := town(t, s.URL, &body)
	key := fixture.WidgetKey(t, s.db, fixture.Lorient, origin)
	body.Store(fmt.Sprintf(`<halles-shops commune="lorient" key="%[1]s"><p>Liste sans script</p></halles-shops><div data-halles="open-now" data-key="%[1]s"></div>`, key.Key))
	do(t, tab, chromedp.EmulateViewport(320, 800))
	do(t, tab, chromedp.Navigate(origin))

	until(t, tab, `all("[data-shop]").length === 2 && text("[data-shop]").includes("<img src=x") && all("img").length === 0`)
	until(t, tab, `/\d boutique/.test(document.querySelector("[data-halles]").shadowRoot.textContent)`)
	act(t, tab, "[data-shop]", "it.click()")
	until(t, tab, `one("h2").textContent.includes("Chez <img") && all("script").length === 0`)
	act(t, tab, ".card button.main", "it.click()")
	act(t, tab, "#back", "it.click()")
	until(t, tab, `all("[data-shop]").length === 2`)
	act(t, tab, "[data-shop]", "all('[data-shop]')[1].click()")
	until(t, tab, `one("h2").textContent === "Zinc & Co"`)
	act(t, tab, ".card button.main", "all('.card button.main').forEach((b) => b.click())")
	act(t, tab, "#basket", "it.click()")
	until(t, tab, `all("fieldset").length === 3 && one("#send")`)
	if wide := do(t, tab, chromedp.Evaluate[int]("document.documentElement.scrollWidth")); wide > 320 {
		t.Errorf("at 320 px the page is %d px wide", wide)
	}
	keep(t, tab, "widget-basket")
	until(t, tab, `text("p").includes("Total\u00a0: ") && !/«\x20|\x20[:;!?»](\s|$)/.test(text("p"))`)
	// What is missing is said, and the visitor led there.
	act(t, tab, "#send", "it.click()")
	until(t, tab, `text("[role=alert]").includes("Indiquez votre nom") && one("#name").getRootNode().activeElement.id === "name"`)
	act(t, tab, "#name", `type("#name", "Anna"); type("#phone", "06 39 98 12 34")`)
	// Somebody else takes the last piece meanwhile: that shop's part stays, with what to do; the other's is ordered.
	s.db.Exec(t, `update variants set stock = 0 where id = $1`, gone.Variants[0].Row)
	act(t, tab, "#send", "it.click()")
	until(t, tab, `text(".slip").includes("Envoyée") && one(".letters") && one("svg.qr path") && text(".notice").includes("attend dans votre panier")`)
	act(t, tab, "#basket", "it.click()")
	until(t, tab, `text(".notice.bad").length > 0 && all("fieldset").length === 2`)
	act(t, tab, `[aria-label="Retirer Bientôt parti"]`, "it.click()")
	until(t, tab, `all(".lines li").length === 1 && one("#send")`)
	act(t, tab, "#send", "it.click()")
	until(t, tab, `all(".slip").length === 2`)

	var ids []string
	for order := range strings.SplitSeq(pgtest.Scan[string](t, s.db, `select string_agg(id::text, ',' order by placed_at) from orders`), ",") {
		ids = append(ids, tenancy.RowID(tenancy.KindOrder, fixture.Lorient, uuid.MustParse(order)).String())
	}
	if len(ids) != 2 {
		t.Fatalf("%d orders", len(ids))
	}
	subject, _ := fixture.Account(t, s.db, identity.Merchant, s.shop, other)
	token := sign(t, subject, time.Hour)
	step := func(mutation, order string) {
		t.Helper()
		s.ask(fmt.Sprintf(`mutation { %s(input: {order: "%s"}) { order { status } refusals { message } } }`, mutation, order), "Authorization", "Bearer "+token).wants(t, 200, `"refusals":[]`)
	}
	step("acceptOrder", ids[0])
	until(t, tab, `text(".steps .now").includes("Acceptée")`)
	// A restart: the same address answers again, by another server.
	stop()
	s.serve(nil)
	stop = served(t, s, address)
	defer stop()
	step("acceptOrder", ids[1])
	step("markOrderReady", ids[1])
	until(t, tab, `text(".steps .now").includes("Prête")`)
	keep(t, tab, "widget-orders")

	if kept := do(t, tab, chromedp.Evaluate[string](`document.title + document.cookie + localStorage.length + sessionStorage.length`)); kept != "Ville00" {
		t.Errorf("the page has %q", kept)
	}
	for _, c := range complaints() {
		if !strings.Contains(c, "Failed to load resource") { // while the server was away
			t.Errorf("the console says: %s", c)
		}
	}
}

// widgetTroubles are what can go wrong before the first list: each is a sentence and a way on.
func widgetTroubles(t *testing.T, browser context.Context) {
	tab, _ := newTab(t, browser)
	s := start(t)
	var body atomic.Value
	body.Store("")
	origin := town(t, s.URL, &body)
	elsewhere := fixture.WidgetKey(t, s.db, fixture.Lorient, "https://elsewhere.example")
	good := fixture.WidgetKey(t, s.db, fixture.Lorient, origin)
	for says, element := range map[string]string{
		"sa clé n’est pas valable":           `<halles-shops commune="lorient" key="pk_lorient_none">`,
		"sa clé ne sert pas à cette adresse": `<halles-shops commune="lorient" key="` + elsewhere.Key + `">`,
		"Cette boutique n’est plus en ligne": `<halles-shop id="` + tenancy.NewID(tenancy.KindShop, fixture.Lorient).String() + `" key="` + good.Key + `">`,
	} {
		body.Store(element + "<p>Sans script</p>")
		do(t, tab, chromedp.Navigate(origin))
		until(t, tab, "text('[role=alert]').includes("+strconv.Quote(says)+") && one('#retry') && one('a[href*=\"shops.html?commune=lorient\"]')")
	}
	// Three at once, two of them in languages of their own files.
	body.Store(fmt.Sprintf(`<div data-halles="shops" data-commune="lorient" data-key="%[1]s" data-lang="br"></div><halles-shops key="%[1]s" lang="en" display="list"></halles-shops><halles-open-now key="%[1]s"></halles-open-now>`, good.Key))
	do(t, tab, chromedp.Navigate(origin))
	until(t, tab, `text("h2").includes("Stalioù Lorient") && text("h2").includes("The shops of Lorient") && all("[data-shop]").length === 2`)
}
