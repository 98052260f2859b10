package web_test

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/tidwall/gjson"

	"github.com/audelor/halles/internal/calendar"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

// guardOn is what a page puts into its forms.
func guardOn(t *testing.T, a answer) string {
	t.Helper()
	m := guardInput.FindStringSubmatch(a.body)
	if m == nil {
		t.Fatalf("no form of a session: %d %s", a.StatusCode, a.body)
	}
	return m[1]
}

// sold is an order at the site's shop, with the variant that it is of.
func sold(t *testing.T, s *site, o fixture.OrderOpts) (order, variant tenancy.ID, number, code string) {
	t.Helper()
	variant = fixture.Product(t, s.db, s.shop, fixture.ProductOpts{Name: "Pain de seigle", PriceCents: 350, Stock: 20}).Variants[0]
	order = fixture.Order(t, s.db, s.shop, variant, o)
	row := pgtest.Scan[string](t, s.db, `select number || ' ' || pickup_code from orders where id = $1`, order.Row)
	number, code, _ = strings.Cut(row, " ")
	return order, variant, number, code
}

func statusOf(t *testing.T, s *site, order tenancy.ID) string {
	t.Helper()
	return pgtest.Scan[string](t, s.db, `select status from orders where id = $1`, order.Row)
}

// A merchant works the day off with forms alone.
func TestCounterWithoutAScript(t *testing.T) {
	t.Parallel()
	s := pagesSite(t)
	b := s.browser()
	b.do(http.MethodGet, "/comptoir", "").wants(t, http.StatusSeeOther)
	b.signIn(s.subject, "/comptoir")
	b.do(http.MethodGet, "/comptoir", "").wants(t, http.StatusOK, "Aucune commande aujourd")
	order, _, number, code := sold(t, s.site, fixture.OrderOpts{Note: "Sans sel, <b>merci</b>"})
	page := b.do(http.MethodGet, "/comptoir", "")
	page.wants(t, http.StatusOK, number, "À accepter", "2 ×", "Pain de seigle", "7,00", "Anna Le Goff", "06 39 98 12 34", "Sans sel, &lt;b&gt;merci&lt;/b&gt;")
	if strings.Contains(page.body, code) {
		t.Error("the counter shows the code that the customer is to say")
	}
	guard := guardOn(t, page)
	act := func(form url.Values) answer {
		t.Helper()
		if !form.Has("order") {
			form.Set("order", order.String())
		}
		form.Set("csrf", guard)
		return b.post("/comptoir", form)
	}
	b.post("/comptoir", url.Values{"order": {order.String()}, "action": {"ACCEPT"}}).wants(t, http.StatusForbidden)
	act(url.Values{"action": {"REJECT"}}).wants(t, http.StatusOK, "Rien n'a changé", "Choisissez un motif")
	if got := statusOf(t, s.site, order); got != "PLACED" {
		t.Fatalf("the order is %s", got)
	}
	// Short of a piece: it proposes one, and takes it back when it found the other.
	act(url.Values{"action": {"PROPOSE_CHANGE"}, "line1": {"2"}}).wants(t, http.StatusOK, "Rien n'a changé")
	act(url.Values{"action": {"PROPOSE_CHANGE"}, "line1": {"1"}, "hours": {"4"}, "text": {"La fournée est finie"}}).wants(t, http.StatusSeeOther)
	b.do(http.MethodGet, "/comptoir", "").wants(t, http.StatusOK, "En attente du client", "1 au lieu de 2", "3,50", "La fournée est finie")
	act(url.Values{"action": {"ACCEPT"}}).wants(t, http.StatusSeeOther)
	b.do(http.MethodGet, "/comptoir?fait=ACCEPT", "").wants(t, http.StatusOK, "La commande est acceptée.", "À préparer")
	b.do(http.MethodGet, "/comptoir/liste", "").wants(t, http.StatusOK, number, "2 × Pain de seigle", code)
	act(url.Values{"action": {"MARK_READY"}}).wants(t, http.StatusSeeOther)
	act(url.Values{"action": {"CODE"}, "code": {"ZZZ999"}}).wants(t, http.StatusOK, "Rien n'a changé", "aucune commande ouverte", `value="ZZZ999"`)
	act(url.Values{"action": {"MARK_COLLECTED"}, "code": {"ZZZ999"}}).wants(t, http.StatusOK, "pas celui de la commande")
	act(url.Values{"action": {"CODE"}, "code": {strings.ToLower(code[:3]) + " " + code[3:]}}).wants(t, http.StatusSeeOther)
	b.do(http.MethodGet, "/comptoir", "").wants(t, http.StatusOK, "Terminées aujourd", "Remise")
	act(url.Values{"action": {"CANCEL"}, "reason": {"OTHER"}}).wants(t, http.StatusOK, "Rien n'a changé", "a été retirée", "voyez avec la boutique")
	if got := statusOf(t, s.site, order); got != "COLLECTED" {
		t.Errorf("the order is %s", got)
	}
	// Another's order, and what is none.
	other := fixture.Shop(t, s.db, fixture.ShopOpts{})
	foreign := fixture.Order(t, s.db, other, fixture.Product(t, s.db, other, fixture.ProductOpts{}).Variants[0], fixture.OrderOpts{})
	for _, id := range []string{foreign.String(), tenancy.NewID(tenancy.KindOrder, fixture.Lorient).String(), "nonsense"} {
		act(url.Values{"order": {id}, "action": {"ACCEPT"}}).wants(t, http.StatusOK, "Rien n'a changé")
	}
	act(url.Values{"action": {"DROP"}}).wants(t, http.StatusOK, "Rien n'a changé")
	if got := statusOf(t, s.site, foreign); got != "PLACED" {
		t.Errorf("another's order is %s", got)
	}
	if a := b.do(http.MethodGet, "/comptoir", ""); strings.Contains(a.body, pgtest.Scan[string](t, s.db, `select number from orders where id = $1`, foreign.Row)) {
		t.Error("the counter shows another's order")
	}
}

// The counter tells when and where an order is handed over, the list too, and moves it to another
// time, by the rules of every other way; a guest moves its own until it is accepted.
func TestCounterMovesAnOrder(t *testing.T) {
	t.Parallel()
	s := pagesSite(t)
	s.db.Exec(t, `insert into fulfilments (commune_id, shop_id, mode, lead_minutes, minimum_cents, fee_cents, perimeter_m) values ($1, $2, 'DELIVERY', 60, 0, 0, 5000)
		on conflict do nothing`, s.shop.Commune, s.shop.Row)
	s.db.Exec(t, `update fulfilments set slot_capacity = 3 where shop_id = $1`, s.shop.Row)
	b := s.browser()
	b.signIn(s.subject, "/comptoir")
	order, _, number, _ := sold(t, s.site, fixture.OrderOpts{Mode: "DELIVERY", Street: "12 rue <b>du Port</b>", Slot: time.Now()})
	choices := func(page answer) (list []string) {
		for _, m := range regexp.MustCompile(`<option value="(\d{4}-[^"]+)">`).FindAllStringSubmatch(page.body, -1) {
			list = append(list, m[1])
		}
		return list
	}
	// Two slots that the shop has, whatever day it is: the order's, and one that another has filled.
	free := choices(b.do(http.MethodGet, "/comptoir", ""))
	if len(free) < 10 {
		t.Fatalf("the slots are %v", free)
	}
	instant := func(text string) time.Time {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	first, full := instant(free[4]), instant(free[6])
	s.db.Exec(t, `update orders set slot_starts_at = $2, slot_ends_at = $2::timestamptz + interval '30 min' where id = $1`, order.Row, first)
	s.db.Exec(t, `insert into slots (commune_id, shop_id, mode, starts_at, capacity, usual, booked, published) values ($1, $2, 'DELIVERY', $3, 3, false, 1, true), ($1, $2, 'DELIVERY', $4, 1, false, 1, true)
		on conflict (commune_id, shop_id, mode, starts_at) do update set booked = 1`, s.shop.Commune, s.shop.Row, first, full)
	span := calendar.Span{Start: first, End: first.Add(30 * time.Minute)}
	page := b.do(http.MethodGet, "/comptoir", "")
	page.wants(t, http.StatusOK, number, span.Text(), "12 rue &lt;b&gt;du Port&lt;/b&gt;, 56100 Lorient", "Changer l")
	b.do(http.MethodGet, "/comptoir/liste", "").wants(t, http.StatusOK, "Commandes ouvertes", number, span.Text(), "12 rue &lt;b&gt;du Port&lt;/b&gt;")
	offered := choices(page)
	if len(offered) < 8 || slices.Contains(offered, free[4]) || slices.Contains(offered, free[6]) {
		t.Errorf("offered are %v", offered)
	}
	move := func(to string) answer {
		t.Helper()
		return b.post("/comptoir", url.Values{"order": {order.String()}, "csrf": {guardOn(t, page)}, "action": {"MOVE"}, "slot": {to}})
	}
	is := func() string {
		t.Helper()
		return pgtest.Scan[string](t, s.db, `select to_char(slot_starts_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') from orders where id = $1`, order.Row)
	}
	move("").wants(t, http.StatusOK, "Rien n'a changé", "Choisissez une heure")
	move(free[6]).wants(t, http.StatusOK, "Rien n'a changé", "complet")
	move(time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)).wants(t, http.StatusOK, "Rien n'a changé")
	if got := is(); got != free[4] {
		t.Fatalf("the order is for %s", got)
	}
	to := offered[len(offered)-1]
	move(to).wants(t, http.StatusSeeOther)
	if got := is(); got != to {
		t.Errorf("the order is for %s, not %s", got, to)
	}
	if n := pgtest.Scan[int](t, s.db, `select sum(booked) from slots where mode = 'DELIVERY'`); n != 2 {
		t.Errorf("%d places are taken by two orders", n)
	}
	b.do(http.MethodGet, "/comptoir?fait=MOVE", "").wants(t, http.StatusOK, "L&#39;heure est changée")
}

// The link of a message does the same for its order, for a day, and for no other.
func TestOneOrderLink(t *testing.T) {
	t.Parallel()
	s := start(t)
	order, _, number, code := sold(t, s, fixture.OrderOpts{})
	second, _, _, _ := sold(t, s, fixture.OrderOpts{})
	links := identity.NewShopLinks(tenancy.NewRegister(s.db.DB), fixture.Secret)
	link := links.New(s.shop, order)
	b := (&signing{site: s}).browser()
	b.do(http.MethodGet, "/comptoir/commande", "").wants(t, http.StatusOK, "Collez ici le lien")
	b.post("/comptoir/commande/ouvrir", url.Values{"link": {"x" + link}}).wants(t, http.StatusOK, "est pas valable", "Collez ici")
	b.post("/comptoir/commande", url.Values{"order": {order.String()}, "action": {"ACCEPT"}}).wants(t, http.StatusOK, "Collez ici")
	b.post("/comptoir/commande/ouvrir", url.Values{"link": {"https://halles.bzh/comptoir/commande#" + link}}).wants(t, http.StatusSeeOther)
	if c := b.set[0]; !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/comptoir/commande" || c.MaxAge > 24*60*60 || c.MaxAge < 23*60*60 {
		t.Errorf("the cookie is %+v", c)
	}
	b.do(http.MethodGet, "/comptoir/commande", "").wants(t, http.StatusOK, number, "À accepter", "Anna Le Goff")
	// From a page of another site nothing is done.
	b.do(http.MethodPost, "/comptoir/commande", "action=ACCEPT", "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "cross-site").wants(t, http.StatusForbidden)
	// The order is the link's, whatever the form says.
	b.post("/comptoir/commande", url.Values{"order": {second.String()}, "action": {"ACCEPT"}}).wants(t, http.StatusSeeOther)
	if got := statusOf(t, s, order) + " " + statusOf(t, s, second); got != "ACCEPTED PLACED" {
		t.Errorf("the orders are %s", got)
	}
	b.post("/comptoir/commande", url.Values{"action": {"MARK_READY"}}).wants(t, http.StatusSeeOther)
	b.post("/comptoir/commande", url.Values{"action": {"MARK_COLLECTED"}, "code": {"ZZZ999"}}).wants(t, http.StatusOK, "Rien n'a changé")
	b.post("/comptoir/commande", url.Values{"action": {"MARK_COLLECTED"}, "code": {code}}).wants(t, http.StatusSeeOther)
	if got := statusOf(t, s, order); got != "COLLECTED" {
		t.Errorf("the order is %s", got)
	}
	if actor := pgtest.Scan[string](t, s.db, `select string_agg(distinct actor, ' ') from order_events where order_id = $1 and order_seq > 1`, order.Row); actor != "MERCHANT" {
		t.Errorf("done by %s", actor)
	}
	links.Now = func() time.Time { return time.Now().Add(-24 * time.Hour) }
	b.cookies["halles-order"] = links.New(s.shop, second)
	b.post("/comptoir/commande", url.Values{"action": {"ACCEPT"}}).wants(t, http.StatusOK, "plus de 24 heures")
	b.do(http.MethodGet, "/comptoir/commande/flux", "").wants(t, http.StatusUnauthorized)
	if got := statusOf(t, s, second); got != "PLACED" {
		t.Errorf("by an old link the order is %s", got)
	}
	if strings.Contains(s.log.String(), link) {
		t.Error("the log has a link")
	}
}

// placed places an order as a visitor does, and returns it with the secret of its link.
func placed(t *testing.T, s *site, quantity string) (order, secret string) {
	t.Helper()
	variant := fixture.Product(t, s.db, s.shop, fixture.ProductOpts{Name: "Galettes", PriceCents: 250, Stock: 9}).Variants[0]
	a := s.ask(`mutation { placeOrders(input: {idempotencyKey: "` + uuid.NewString() + `", contact: {name: "Anna", phone: "0639981234"}, orders: [{shop: "` + s.shop.String() + `", mode: PICKUP, lines: [{variant: "` + variant.String() + `", quantity: ` + quantity + `}]}]}) { guestSecret results { order { id } } } }`)
	a.wants(t, http.StatusOK, `"guestSecret"`)
	return gjson.Get(a.body, "data.placeOrders.results.0.order.id").String(), gjson.Get(a.body, "data.placeOrders.guestSecret").String()
}

// A guest follows the orders of its link, answers a proposal and cancels, with forms alone.
func TestGuestsPageWithoutAScript(t *testing.T) {
	t.Parallel()
	s := start(t)
	order, secret := placed(t, s, "3")
	id, err := tenancy.ParseID(order)
	if err != nil {
		t.Fatal(err)
	}
	b := (&signing{site: s}).browser()
	b.do(http.MethodGet, "/commande", "").wants(t, http.StatusOK, "Collez ici le lien")
	b.post("/commande/ouvrir", url.Values{"link": {"nonsense"}}).wants(t, http.StatusOK, "est pas valable")
	b.post("/commande", url.Values{"order": {order}, "action": {"CANCEL"}, "reason": {"CHANGED_MIND"}}).wants(t, http.StatusOK, "Collez ici")
	b.post("/commande/ouvrir", url.Values{"link": {s.URL + "/commande#" + secret}}).wants(t, http.StatusSeeOther)
	b.do(http.MethodGet, "/commande", "").wants(t, http.StatusOK, "pas encore répondu", "retrait en boutique", "3 ×", "Galettes", "7,50", "<svg ",
		pgtest.Scan[string](t, s.db, `select pickup_code from orders where id = $1`, id.Row))
	variant := pgtest.Scan[string](t, s.db, `select variant_id::text from order_lines where order_id = $1`, id.Row)
	v := tenancy.RowID(tenancy.KindVariant, id.Commune, uuid.MustParse(variant))
	s.ask(`mutation { proposeOrderChange(input: {order: "`+order+`", lines: [{variant: "`+v.String()+`", quantity: 1}], text: "Rupture"}) { refusals { code } } }`,
		"Authorization", "Bearer "+s.merchant).wants(t, http.StatusOK, `"refusals":[]`)
	page := b.do(http.MethodGet, "/commande", "")
	page.wants(t, http.StatusOK, "attend votre réponse", "1 au lieu de 3", "« Rupture »", "2,50")
	version := regexp.MustCompile(`name="version" value="(\d+)"`).FindStringSubmatch(page.body)[1]
	b.post("/commande", url.Values{"order": {order}, "action": {"CONFIRM_CHANGE"}, "version": {"1"}}).wants(t, http.StatusOK, "Rien n'a changé", "autre proposition")
	b.post("/commande", url.Values{"order": {order}, "action": {"CONFIRM_CHANGE"}, "version": {version}}).wants(t, http.StatusSeeOther)
	b.do(http.MethodGet, "/commande", "").wants(t, http.StatusOK, "La boutique la prépare", "1 ×")
	b.post("/commande", url.Values{"order": {order}, "action": {"ACCEPT"}}).wants(t, http.StatusOK, "Rien n'a changé")
	b.do(http.MethodPost, "/commande", "action=CANCEL&reason=OTHER&order="+order, "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "cross-site").wants(t, http.StatusForbidden)
	b.post("/commande", url.Values{"order": {order}, "action": {"CANCEL"}, "reason": {"CHANGED_MIND"}}).wants(t, http.StatusSeeOther)
	b.do(http.MethodGet, "/commande", "").wants(t, http.StatusOK, "Elle est annulée")
	if got := statusOf(t, s, id); got != "CANCELLED" {
		t.Errorf("the order is %s", got)
	}
	other, _ := placed(t, s, "1")
	b.post("/commande", url.Values{"order": {other}, "action": {"CANCEL"}, "reason": {"OTHER"}}).wants(t, http.StatusOK, "Rien n'a changé")
}

// A guest erases itself by its link, without a script: asked once more before, told what stays while
// an order is under way, and told the end. Nothing but the confirmation erases anything.
func TestGuestErasesItself(t *testing.T) {
	t.Parallel()
	s := start(t)
	order, secret := placed(t, s, "1")
	id, err := tenancy.ParseID(order)
	if err != nil {
		t.Fatal(err)
	}
	asked := func() int {
		return pgtest.Scan[int](t, s.db, `select count(*) from erasures where subject_id = $1`, id.Row)
	}
	b := (&signing{site: s}).browser()
	const erase, confirm = "/commande/effacer", "Oui, effacer"
	b.do(http.MethodGet, erase, "").wants(t, http.StatusOK, "Collez ici le lien")
	b.post(erase, url.Values{"confirm": {"true"}}).wants(t, http.StatusOK, "Collez ici le lien")
	b.post("/commande/ouvrir", url.Values{"link": {secret}}).wants(t, http.StatusSeeOther)
	b.do(http.MethodGet, "/commande", "").wants(t, http.StatusOK, `action="`+erase+`"`)
	page := b.do(http.MethodGet, erase, "")
	if page.wants(t, http.StatusOK, "est en cours", "Non, revenir"); strings.Contains(page.body, confirm) {
		t.Error("an order under way may be erased")
	}
	b.post("/commande", url.Values{"order": {order}, "action": {"CANCEL"}, "reason": {"CHANGED_MIND"}}).wants(t, http.StatusSeeOther)
	b.do(http.MethodGet, erase, "").wants(t, http.StatusOK, confirm, "Cela ne se défait pas", "Non, revenir")
	b.post(erase, nil).wants(t, http.StatusBadRequest)
	b.do(http.MethodPost, erase, "confirm=true", "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "cross-site").wants(t, http.StatusForbidden)
	if asked() != 0 {
		t.Fatal("it was erased before it was confirmed")
	}
	page = b.post(erase, url.Values{"confirm": {"true"}})
	if page.wants(t, http.StatusOK, "demandé", "plus rien de vous", "fermer cette page"); strings.Contains(page.body, confirm) || asked() != 1 {
		t.Errorf("%d asked for: %s", asked(), page.body)
	}
	if c := b.set[0]; c.Name != "halles-guest" || c.MaxAge >= 0 || c.Path != "/commande" {
		t.Errorf("the session goes on: %+v", c)
	}
	b.do(http.MethodGet, "/commande", "").wants(t, http.StatusOK, "Collez ici le lien")
}

func codeOf(t *testing.T, s *site, order string) string {
	t.Helper()
	id, err := tenancy.ParseID(order)
	if err != nil {
		t.Fatal(err)
	}
	return pgtest.Scan[string](t, s.db, `select pickup_code from orders where id = $1`, id.Row)
}
