package web_test

import (
	"context"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/audelor/halles/internal/fixture"
)

// TestInABrowser runs the pages in one headless Chromium, a tab for each test. It costs as much as
// all the rest of the package, so it is a long form, and a check of .ci/run.
func TestInABrowser(t *testing.T) {
	t.Parallel()
	if os.Getenv("HALLES_LONG") == "" {
		t.Skip("drives a browser: with HALLES_LONG=1")
	}
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Skip("no Chromium here: install it to run the tests of the pages")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	defer cancel()
	ctx, cancel = chromedp.NewContext(ctx)
	defer cancel()
	if err := chromedp.Do(ctx); err != nil { // starts it
		t.Fatal(err)
	}
	t.Run("QueryBox", func(t *testing.T) { queryBox(t, ctx) })
	t.Run("GraphiQLIsWithinItsPolicy", func(t *testing.T) { graphiQLPolicy(t, ctx) })
	t.Run("LiveClientComesBack", func(t *testing.T) { liveClient(t, ctx) })
	t.Run("SignsInAndOut", func(t *testing.T) { signsInAndOut(t, ctx) })
	t.Run("CounterOnAPhone", func(t *testing.T) { counterOnAPhone(t, ctx) })
	t.Run("GuestOnAPhone", func(t *testing.T) { guestOnAPhone(t, ctx) })
	t.Run("GuideOnAPhone", func(t *testing.T) { guideOnAPhone(t, ctx) })
	t.Run("WidgetOrders", func(t *testing.T) { widgetOrders(t, ctx) })
	t.Run("WidgetTroubles", func(t *testing.T) { widgetTroubles(t, ctx) })
	t.Run("Dashboard", func(t *testing.T) { dashboardInABrowser(t, ctx) })
}

// newTab opens a tab, with what its console complains of.
func newTab(t *testing.T, browser context.Context) (tab context.Context, complaints func() []string) {
	t.Helper()
	tab, cancel := chromedp.NewContext(browser)
	t.Cleanup(cancel)
	if err := chromedp.Do(tab); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var heard []string
	err := chromedp.Listen(tab, func(event any) {
		mu.Lock()
		defer mu.Unlock()
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			heard = append(heard, e.ExceptionDetails.Text+" "+e.ExceptionDetails.Exception.Description)
		case *log.EventEntryAdded: // what the page's policy blocks comes here
			heard = append(heard, e.Entry.Text)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return tab, func() []string { mu.Lock(); defer mu.Unlock(); return heard }
}

// shown waits until an element's text has the part.
func shown(t *testing.T, tab context.Context, id, part string) string {
	t.Helper()
	text := ""
	for range 200 {
		var err error
		if text, err = chromedp.Run(tab, chromedp.TextContent(chromedp.ID(id))); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(ordinary.Replace(text), part) {
			if broken := brokenSign.FindString(text); broken != "" && id == "status" {
				t.Errorf("an ordinary space where a line must not break: %q", broken)
			}
			return text
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("#%s never says %q: %s", id, part, text)
	return ""
}

func do[T any](t *testing.T, tab context.Context, action chromedp.Action[T]) T {
	t.Helper()
	value, err := chromedp.Run(tab, action)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// keep writes a picture where HALLES_PICTURES says, to be looked at.
func keep(t *testing.T, tab context.Context, name string) {
	t.Helper()
	if folder := os.Getenv("HALLES_PICTURES"); folder != "" {
		if err := os.WriteFile(filepath.Join(folder, name+".png"), do(t, tab, chromedp.Screenshot(chromedp.CSS("html"))), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func queryBox(t *testing.T, browser context.Context) {
	tab, complaints := newTab(t, browser)
	s := start(t)
	example := func(key string) { t.Helper(); do(t, tab, chromedp.Click(chromedp.CSS(`[data-example="`+key+`"]`))) }
	// First of the catalogue, which an example falls back on, and not found by the search.
	grocer := fixture.Shop(t, s.db, fixture.ShopOpts{Name: "Épicerie"})
	fixture.Product(t, s.db, grocer, fixture.ProductOpts{Name: "Abricots secs"})
	do(t, tab, chromedp.EmulateViewport(1400, 900))
	do(t, tab, chromedp.Navigate(s.URL))

	example("lorient")
	shown(t, tab, "status", "Réussi : statut 200")
	shown(t, tab, "answer", `"Crêperie du Port"`)
	keep(t, tab, "wide")

	// Two examples that go on with the answer before.
	example("produit")
	shown(t, tab, "answer", `"Abricots secs"`)
	example("chercher")
	shown(t, tab, "answer", `"priceRange"`)
	example("produit")
	if answer := shown(t, tab, "answer", `"vatRate"`); !strings.Contains(answer, `"Crêpes de froment"`) {
		t.Errorf("the id was not taken from the search: %s", answer)
	}
	example("relire")
	shown(t, tab, "answer", `"__typename": "Shop"`)

	example("comptoir")
	shown(t, tab, "answer", `"stock": 7`)
	if who := do(t, tab, chromedp.Value(chromedp.ID("who"))); who != "merchant" {
		t.Errorf("asked as %q", who)
	}

	// The order's story, from the visitor's basket to the counter.
	example("suivi")
	shown(t, tab, "status", "Lancez d'abord « Commander, sans compte »")
	for _, step := range []struct{ key, says string }{
		{"commander", `"guestSecret"`},
		{"lien", `"hg_`},
		{"suivi", `"status": "PLACED"`},
		{"accepter", `"status": "ACCEPTED"`},
		{"prete", `"status": "READY"`},
		{"retirer", `"status": "COLLECTED"`},
	} {
		if step.key == "accepter" { // from here on the customer watches
			example("direct")
			shown(t, tab, "events", `"status": "PLACED"`)
		}
		example(step.key)
		shown(t, tab, "answer", step.says)
	}
	live := shown(t, tab, "events", `"status": "COLLECTED"`)
	for _, status := range []string{"PLACED", "ACCEPTED", "READY", "COLLECTED"} {
		if n := strings.Count(live, `"status": "`+status+`"`); n != 1 {
			t.Errorf("the watcher saw %s %d times: %s", status, n, live)
		}
	}
	keep(t, tab, "story")

	// By keyboard: another query, Ctrl + Enter.
	do(t, tab, chromedp.SetValue(chromedp.ID("query"), "{ viewer { kind nothing } }"))
	do(t, tab, chromedp.Focus(chromedp.ID("query")))
	do(t, tab, chromedp.KeyEvent("\r", chromedp.KeyModifiers(2))) // Ctrl
	shown(t, tab, "status", "Refusé ou en erreur")
	do(t, tab, chromedp.SetValue(chromedp.ID("variables"), "{"))
	do(t, tab, chromedp.Click(chromedp.ID("run")))
	shown(t, tab, "status", "ne sont pas du JSON")

	do(t, tab, chromedp.EmulateViewport(360, 740))
	keep(t, tab, "narrow")
	if wide := do(t, tab, chromedp.Evaluate[int]("document.documentElement.scrollWidth")); wide > 360 {
		t.Errorf("at 360 px the page is %d px wide", wide)
	}
	for _, c := range complaints() {
		if !strings.Contains(c, "status of 4") { // the query that is wrong on purpose
			t.Errorf("the console says: %s", c)
		}
	}
}

func graphiQLPolicy(t *testing.T, browser context.Context) {
	tab, complaints := newTab(t, browser)
	s := start(t)
	do(t, tab, chromedp.Navigate(s.URL+"/graphiql"))
	shown(t, tab, "graphiql", "") // its own files may be out of reach here; its inline script ran, or was blocked
	for _, c := range complaints() {
		if strings.Contains(c, "Content Security Policy") {
			t.Errorf("blocked: %s", c)
		}
	}
}

// cutting closes the next connections as soon as they are made.
type cutting struct {
	net.Listener
	next atomic.Int32
}

func (c *cutting) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	if err == nil && c.next.Add(-1) >= 0 {
		_ = conn.Close()
	}
	return conn, err
}

func liveClient(t *testing.T, browser context.Context) {
	tab, complaints := newTab(t, browser)
	s := start(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cut := &cutting{Listener: listener}
	server := httptest.NewUnstartedServer(s.web.Handler())
	server.Listener.Close()
	server.Listener = cut
	server.Start()
	t.Cleanup(server.Close)
	do(t, tab, chromedp.Navigate(server.URL))

	// The protocol carries queries as well: the states are the same, and the server ends it.
	const follow = `import(document.querySelector("script[type=module]").src.replace("console.js", "live.js")).then(({ follow }) => new Promise((end) => {
		const seen = [];
		follow(location.origin.replace("http", "ws") + "/graphql", CREDENTIALS, () => ({ query: "{ viewer { kind } }" }), {
			onState: (state, about) => { seen.push(state + (state === "refused" ? " " + about : "")); if (state === "refused") end(seen.join(", ")); },
			onNext: ({ data }) => seen.push(data.viewer.kind),
			onErrors: (errors) => end(errors[0].message),
			onEnd: () => end(seen.join(", ")),
		});
	}))`
	run := func(credentials string) string {
		t.Helper()
		return do(t, tab, chromedp.Evaluate[string](strings.ReplaceAll(follow, "CREDENTIALS", credentials), chromedp.EvalAwaitPromise))
	}
	if got, want := run(`{}`), "connecting, open, VISITOR"; got != want {
		t.Errorf("%s, not %s", got, want)
	}
	if got, want := run(`{ authorization: "Bearer nonsense" }`), "connecting, refused 4403"; got != want {
		t.Errorf("%s, not %s", got, want)
	}
	cut.next.Store(2)
	if got, want := run(`{ authorization: "Bearer `+s.merchant+`" }`), "connecting, waiting, connecting, waiting, connecting, open, MERCHANT"; got != want {
		t.Errorf("%s, not %s", got, want)
	}
	for _, c := range complaints() {
		if !strings.Contains(c, "WebSocket connection") { // those that were cut
			t.Errorf("the console says: %s", c)
		}
	}
}

// signsInAndOut is what a merchant does: sign in on the page, ask as oneself, sign out.
func signsInAndOut(t *testing.T, browser context.Context) {
	tab, complaints := newTab(t, browser)
	s := pagesSite(t)
	do(t, tab, chromedp.EmulateViewport(1400, 900))
	do(t, tab, chromedp.Navigate(s.URL))
	// arrived waits for the page that has the element: what looks for nodes may find those of the page before.
	arrived := func(selector string) {
		t.Helper()
		for range 200 {
			if there, err := chromedp.Run(tab, chromedp.Evaluate[bool]("document.readyState === 'complete' && document.querySelector(`"+selector+"`) !== null")); err == nil && there {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
		t.Fatalf("no page with %s", selector)
	}
	arrived("#sign-in")
	do(t, tab, chromedp.Click(chromedp.ID("sign-in")))
	person := `button[value="` + s.subject + `"]`
	arrived(person)
	do(t, tab, chromedp.Click(chromedp.CSS(person)))
	arrived("#me")
	shown(t, tab, "me", "Camille Le Test")
	asking := func(who string) {
		t.Helper()
		do(t, tab, chromedp.Evaluate[string](`document.getElementById("who").value = "`+who+`"`))
	}
	asking("me")
	do(t, tab, chromedp.SetValue(chromedp.ID("query"), "{ viewer { kind name } }"))
	do(t, tab, chromedp.SetValue(chromedp.ID("variables"), "{}"))
	do(t, tab, chromedp.Click(chromedp.ID("run")))
	shown(t, tab, "answer", `"MERCHANT"`)
	keep(t, tab, "signed-in")
	asking("")
	do(t, tab, chromedp.Click(chromedp.ID("run")))
	shown(t, tab, "answer", `"VISITOR"`)
	asking("me")
	do(t, tab, chromedp.SetValue(chromedp.ID("query"), `subscription { shopOrders(shops: ["`+s.shop.String()+`"]) { kind } }`))
	do(t, tab, chromedp.Click(chromedp.ID("run")))
	shown(t, tab, "live-status", "Connecté")
	do(t, tab, chromedp.Click(chromedp.ID("sign-out")))
	arrived("#sign-in")
	shown(t, tab, "sign-in", "Se connecter")
	for _, c := range complaints() {
		t.Errorf("the console says: %s", c)
	}
}
