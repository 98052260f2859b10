package web_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/tenancy"
)

// holds waits until a page satisfies a condition, across its own reloads.
func holds(t *testing.T, tab context.Context, condition string) {
	t.Helper()
	for range 1200 { // a minute
		if there, err := chromedp.Run(tab, chromedp.Evaluate[bool](condition)); err == nil && there {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	text, _ := chromedp.Run(tab, chromedp.Evaluate[string]("document.body.innerText"))
	t.Fatalf("never %s: %s", condition, text)
}

func says(part string) string {
	return "document.body !== null && document.body.innerText.includes(`" + part + "`)"
}

// press clicks the button of an action; a page that comes may take the place of the one that was asked.
func press(t *testing.T, tab context.Context, selector string) {
	t.Helper()
	holds(t, tab, "document.querySelector(`"+selector+"`) !== null")
	do(t, tab, chromedp.Evaluate[bool]("(document.querySelector(`"+selector+"`).click(), true)"))
}

func fits(t *testing.T, tab context.Context) {
	t.Helper()
	if wide := do(t, tab, chromedp.Evaluate[int]("document.documentElement.scrollWidth")); wide > 360 {
		t.Errorf("at 360 px the page is %d px wide", wide)
	}
	small := do(t, tab, chromedp.Evaluate[int]("[...document.querySelectorAll('button, summary, select, input:not([type=hidden])')].filter(e => e.offsetParent !== null && e.getBoundingClientRect().height < 44).length"))
	if small > 0 {
		t.Errorf("%d things to touch are lower than 44 px", small)
	}
}

// counterOnAPhone is a merchant's day on 360 px: an order comes while the page is open, and is taken
// on, prepared and handed over; then the one-order link of a message, by its fragment.
func counterOnAPhone(t *testing.T, browser context.Context) {
	tab, complaints := newTab(t, browser)
	s := pagesSite(t)
	live(t, s.site)
	do(t, tab, chromedp.EmulateViewport(360, 740))
	do(t, tab, chromedp.Navigate(s.URL+"/comptoir"))
	press(t, tab, `button[value="`+s.subject+`"]`)
	holds(t, tab, says("Aucune commande"))
	holds(t, tab, says("à jour, en direct"))
	order, _ := placed(t, s.site, "3")
	holds(t, tab, says("Galettes"))
	press(t, tab, `button[value="ACCEPT"]`)
	holds(t, tab, says("La commande est acceptée."))
	holds(t, tab, says("à jour, en direct"))
	// Who fills something in is not disturbed: another order comes, and is told of.
	press(t, tab, "details summary")
	placed(t, s.site, "1")
	holds(t, tab, says("fermez ce que vous remplissez"))
	fits(t, tab)
	keep(t, tab, "counter-form")
	press(t, tab, "details summary")
	holds(t, tab, "document.querySelectorAll('.slip').length === 2")
	fits(t, tab)
	keep(t, tab, "counter")
	press(t, tab, `button[value="MARK_READY"]`)
	holds(t, tab, says("Prêtes"))
	code := codeOf(t, s.site, order)
	do(t, tab, chromedp.SetValue(chromedp.ID("code"), code))
	press(t, tab, `button[value="CODE"]`)
	holds(t, tab, says("La commande est remise."))
	// One that is brought, at a time that was promised.
	s.db.Exec(t, `insert into fulfilments (commune_id, shop_id, mode, lead_minutes, minimum_cents, fee_cents, perimeter_m) values ($1, $2, 'DELIVERY', 60, 0, 0, 5000) on conflict do nothing`,
		s.shop.Commune, s.shop.Row)
	next, _, number, _ := sold(t, s.site, fixture.OrderOpts{Mode: "DELIVERY", Street: "12 rue du Commandant-Paul-Teste", Slot: time.Now().AddDate(0, 0, 1).Truncate(30 * time.Minute)})
	do(t, tab, chromedp.Navigate(s.URL+"/comptoir/liste"))
	holds(t, tab, says("Commandes ouvertes"))
	fits(t, tab)
	keep(t, tab, "list")

	link := identity.NewShopLinks(tenancy.NewRegister(s.db.DB), fixture.Secret).New(s.shop, next)
	do(t, tab, chromedp.Navigate(s.URL+"/comptoir/commande#"+link))
	holds(t, tab, says(number))
	if address := do(t, tab, chromedp.Evaluate[string]("location.href")); strings.Contains(address, link) {
		t.Errorf("the link stays in %s", address)
	}
	fits(t, tab)
	keep(t, tab, "link")
	holds(t, tab, says("12 rue du Commandant-Paul-Teste, 56100 Lorient"))
	do(t, tab, chromedp.Evaluate[bool]("([...document.querySelectorAll('summary')].find(e => e.innerText.includes('heure')).click(), true)"))
	fits(t, tab)
	keep(t, tab, "link-move")
	press(t, tab, `button[value="ACCEPT"]`)
	holds(t, tab, says("La commande est acceptée."))
	if got := statusOf(t, s.site, next); got != "ACCEPTED" {
		t.Errorf("the order is %s", got)
	}
	for _, c := range complaints() {
		t.Errorf("the console says: %s", c)
	}
}

// guestOnAPhone opens a guest's link by its fragment, sees live what the shop does, and cancels.
func guestOnAPhone(t *testing.T, browser context.Context) {
	tab, complaints := newTab(t, browser)
	s := start(t)
	live(t, s)
	order, secret := placed(t, s, "2")
	do(t, tab, chromedp.EmulateViewport(360, 740))
	do(t, tab, chromedp.Navigate(s.URL+"/commande#"+secret))
	holds(t, tab, says("pas encore répondu"))
	holds(t, tab, says("à jour, en direct"))
	s.ask(`mutation { acceptOrder(input: {order: "`+order+`"}) { refusals { code } } }`, "Authorization", "Bearer "+s.merchant).wants(t, 200, `"refusals":[]`)
	holds(t, tab, says("La boutique la prépare"))
	fits(t, tab)
	keep(t, tab, "guest")
	press(t, tab, "details summary")
	press(t, tab, `button[value="CANCEL"]`)
	holds(t, tab, says("Elle est annulée"))
	for _, c := range complaints() {
		t.Errorf("the console says: %s", c)
	}
}
