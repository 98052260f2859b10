package graphtest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/audelor/halles/graph/graphtest"
	"github.com/audelor/halles/internal/calendar"
	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/tenancy"
)

// paris is an instant of local time: "2020-10-30 09:00".
func paris(text string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04", text, calendar.Paris)
	if err != nil {
		panic(err)
	}
	return t
}

// at sets the clock of a server.
func at(h *graphtest.Harness, now time.Time) {
	h.Resolver.Directory.Now = func() time.Time { return now }
	h.Resolver.Ordering.Now = h.Resolver.Directory.Now
}

func communeID(insee string) string { return "commune_" + insee }

const declare = `mutation ($in: DeclareRestrictionInput!) { declareRestriction(input: $in) { restrictions { id version insee } effect { shops refused orders message } } }`

// autumn2020 is article 37 of the decree of 29 October 2020 for shops of category M ("magasins de
// vente"), in its versions of 30 October, 3 and 28 November, as somebody would declare it; the list
// of activities is cut down to some.
func autumn2020() []map[string]any {
	listed := []string{"47.11", "47.2", "47.3", "47.4", "47.52", "47.62", "47.73", "47.74", "47.78A"}
	all, collect := []string{"VISIT", "PICKUP", "DELIVERY"}, []string{"PICKUP", "DELIVERY"}
	october, november, reopening := paris("2020-10-30 00:00"), paris("2020-11-03 00:00"), paris("2020-11-28 00:00")
	rule := func(title string, from time.Time, allows []string, more map[string]any) map[string]any {
		in := map[string]any{"communes": []string{communeID(fixture.Lorient), communeID(fixture.Groix)}, "rank": "NATIONAL", "title": title, "from": from, "nafCodes": []string{"47"}, "allows": allows}
		for k, v := range more {
			in[k] = v
		}
		return in
	}
	return []map[string]any{
		rule("décret n° 2020-1310", october, collect, map[string]any{"until": reopening, "exceptNafCodes": listed, "reference": "JORF n° 0264 du 30 octobre 2020", "url": "https://www.legifrance.gouv.fr/jorf/id/JORFTEXT000042475143"}),
		rule("décret n° 2020-1331", november, all, map[string]any{"until": reopening, "squareMetres": 4}),
		rule("décret n° 2020-1331", november, all, map[string]any{"until": reopening, "areaOver": 400, "exceptNafCodes": []string{"47.11A", "47.11B", "47.11C"}, "condition": "rayons de première nécessité seulement"}),
		rule("décret n° 2020-1454", reopening, all, map[string]any{"squareMetres": 8}),
	}
}

// The switches of autumn 2020, minute by minute around each, as the API tells them: who may receive
// the public, who pickup only, by how many, and what the list of open shops finds. Nothing runs at
// the minute: the spans were written the day before.
func TestAutumn2020(t *testing.T) {
	t.Parallel()
	h := graphtest.New(t)
	at(h, paris("2020-10-28 12:00"))
	const free, collect, collect4, open4, essential4, large4, open8 = "VISIT PICKUP DELIVERY 0", "PICKUP DELIVERY 0", "PICKUP DELIVERY 4",
		"VISIT PICKUP DELIVERY 4", "VISIT PICKUP DELIVERY 4 essential", "PICKUP DELIVERY 4 essential", "VISIT PICKUP DELIVERY 8"
	want := map[string][4]string{} // until 30 October, 3 November, 28 November, after
	for i, c := range []struct {
		name, naf string
		area      any
		want      [4]string
	}{
		{"Librairie", "47.61Z", 90, [4]string{free, collect, collect4, open8}},
		{"Vêtements", "47.71Z", 120, [4]string{free, collect, collect4, open8}},
		{"Grand magasin de vêtements", "47.71Z", 900, [4]string{free, collect, large4, open8}},
		{"Boulangerie", "47.24Z", 40, [4]string{free, free, open4, open8}},
		{"Alimentation générale", "47.11B", 100, [4]string{free, free, open4, open8}},
		{"Hypermarché", "47.11F", 6000, [4]string{free, free, essential4, open8}},
		{"Multi-commerce de 400 m²", "47.11E", 400, [4]string{free, free, open4, open8}},
		{"Multi-commerce de 401 m²", "47.11E", 401, [4]string{free, free, essential4, open8}},
		{"Artisan", "95.23Z", 30, [4]string{free, free, free, free}},
		{"Vêtements, surface inconnue", "47.71Z", nil, [4]string{free, collect, collect4, open8}},
		{"Quincaillerie", "47.52B", 2000, [4]string{free, free, essential4, open8}},
	} {
		shop := fixture.Shop(t, h.Database, fixture.ShopOpts{
			Name: c.name, Commune: []string{fixture.Lorient, fixture.Groix}[i%2], Modes: []directory.FulfilmentMode{directory.Pickup, directory.Delivery},
		})
		h.Exec(t, `update shops set naf_code = $3, sales_area_m2 = $4 where commune_id = $1 and id = $2`, shop.Commune, shop.Row, c.naf, c.area)
		h.Exec(t, `delete from opening_hours where commune_id = $1 and shop_id = $2`, shop.Commune, shop.Row)
		h.Exec(t, `insert into opening_hours (commune_id, shop_id, weekday, opens, closes) select $1, $2, d, 0, 1440 from generate_series(1, 7) d`, shop.Commune, shop.Row)
		for _, holiday := range calendar.Holidays {
			h.Exec(t, `insert into holiday_openings (commune_id, shop_id, holiday) values ($1, $2, $3)`, shop.Commune, shop.Row, string(holiday))
		}
		want[c.name] = c.want
	}
	admin := h.As(fixture.Viewer(t, h.Database, identity.Admin))
	for i, in := range autumn2020() {
		a := admin.Query(t, declare, graphtest.Vars{"in": in}).OK(t)
		effect := [][2]int64{{4, 4}, {10, 0}, {4, 0}, {10, 0}}[i]
		if got := [2]int64{a.Get("declareRestriction.effect.shops").Int(), a.Get("declareRestriction.effect.refused").Int()}; got != effect || a.Get("declareRestriction.restrictions.#").Int() != 2 {
			t.Errorf("restriction %d: %s, want %v", i, a.Body, effect)
		}
	}
	const ask = `{ shops(first: 100) { nodes { name openNow pickup: service(mode: PICKUP) { open } delivery: service(mode: DELIVERY) { open } regime { visitors density conditions modes because { refuses restriction { title rank } } } } }
		inside: shops(first: 100, filter: {openNow: true}) { totalCount nodes { name } } collect: shops(first: 100, filter: {openNow: true, fulfilment: PICKUP}) { nodes { name } } }`
	minutes := 0
	for i, phase := range []time.Time{paris("2020-10-30 00:00"), paris("2020-11-03 00:00"), paris("2020-11-28 00:00")} {
		at(h, phase.Add(-23*time.Hour))
		if err := h.Resolver.Directory.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		for minute := -120; minute < 120; minute++ {
			if far := minute < -5 || minute > 5; far && minute%20 != 0 {
				continue
			}
			minutes++
			now := phase.Add(time.Duration(minute) * time.Minute)
			at(h, now)
			a := h.Visitor().Query(t, ask, nil).OK(t)
			var inside []string
			for _, shop := range a.Get("shops.nodes").Array() {
				name := shop.Get("name").String()
				must := want[name][i]
				if minute >= 0 {
					must = want[name][i+1]
				}
				got := strings.Join(a.Texts(fmt.Sprintf(`shops.nodes.#(name=="%s").regime.modes`, name)), " ") + fmt.Sprintf(" %d", shop.Get("regime.density").Int())
				if shop.Get("regime.conditions.#").Int() > 0 {
					got += " essential"
				}
				if got != must {
					t.Fatalf("%s at %s: %s, want %s", name, now, got, must)
				}
				visit := strings.HasPrefix(must, "VISIT")
				if shop.Get("openNow").Bool() != visit || shop.Get("regime.visitors").Bool() != visit || !shop.Get("pickup.open").Bool() || !shop.Get("delivery.open").Bool() {
					t.Fatalf("%s at %s: the doors say %s", name, now, shop)
				}
				if refused := a.Texts(fmt.Sprintf(`shops.nodes.#(name=="%s").regime.because.#.refuses|@flatten`, name)); (len(refused) == 0) != visit {
					t.Fatalf("%s at %s: refused by %s", name, now, shop.Get("regime.because"))
				}
				if visit {
					inside = append(inside, name)
				}
			}
			if len(a.Get("shops.nodes").Array()) != len(want) || !slices.Equal(a.Texts("inside.nodes.#.name"), inside) || a.Get("inside.totalCount").Int() != int64(len(inside)) {
				t.Fatalf("at %s the list of open shops is %v, want %v", now, a.Texts("inside.nodes.#.name"), inside)
			}
			if len(a.Texts("collect.nodes.#.name")) != len(want) {
				t.Fatalf("at %s only %v hand over", now, a.Texts("collect.nodes.#.name"))
			}
		}
	}
	if minutes < 60 {
		t.Errorf("%d minutes were looked at", minutes)
	}
	// What the public reads of it.
	at(h, paris("2020-11-05 10:00"))
	a := h.Visitor().Query(t, `query ($at: DateTime!) { restrictions(at: $at, upcoming: true) { title rank from until reference url nafs { code version } exceptNafs { code } areaOver allows squareMetres condition declaredAs communes categories { name } }
		commune(slug: "lorient") { restrictions(at: $at) { title } } before: restrictions(at: "2020-10-01T00:00:00Z") { title }
		shops(first: 1, filter: {text: "Grand magasin"}) { nodes { service { open text refusal { code message restriction { title reference } next { start } } } } } }`, graphtest.Vars{"at": paris("2020-11-05 10:00")}).OK(t)
	if got := a.Texts("restrictions.#.title"); !slices.Equal(got, []string{"décret n° 2020-1310", "décret n° 2020-1331", "décret n° 2020-1331", "décret n° 2020-1454"}) || a.Get("commune.restrictions.#").Int() != 3 || a.Get("before.#").Int() != 0 {
		t.Errorf("the restrictions are %v: %s", got, a.Body)
	}
	if r := a.Get("restrictions.0"); r.Get("communes.#").Int() != 2 || r.Get("until").String() != "2020-11-27T23:00:00Z" || r.Get("exceptNafs.#").Int() != 9 || r.Get("nafs.0.version").String() != "REV2" || r.Get("declaredAs").String() != "ADMIN" {
		t.Errorf("the first: %s", r)
	}
	no := a.Get("shops.nodes.0.service")
	if no.Get("refusal.code").String() != "RESTRICTION" || no.Get("refusal.restriction.reference").String() != "JORF n° 0264 du 30 octobre 2020" || no.Get("refusal.next.start").String() != "2020-11-27T23:00:00Z" ||
		!strings.HasPrefix(strings.ReplaceAll(no.Get("text").String(), "\u00a0", " "), "Fermé au public jusqu'au 27 novembre inclus (décret n° 2020-1310), retrait et livraison assurés") {
		t.Errorf("a large shop's door says %s", no)
	}
}

const serviceOf = `query ($s: ID!) { shop(id: $s) { openNow closures { id from until reason } service(mode: PICKUP) { open text refusal { code next { start } } }
	affectedOrders(first: 100) { order { id } refusal { code message next { start } restriction { title } } } } open: shops(first: 100, filter: {openNow: true}) { nodes { id } } }`

// A restriction and a closure at checkout: refused with a sentence and the next possibility, orders
// that stand are listed for both sides, and all is as before when they end, with nothing having run.
func TestOrdersMeetRestrictionsAndClosures(t *testing.T) {
	t.Parallel()
	h := graphtest.New(t)
	d := h.Database
	at(h, paris("2020-11-02 10:00")) // a Monday
	shop := fixture.Shop(t, d, fixture.ShopOpts{Modes: []directory.FulfilmentMode{directory.Pickup, directory.Delivery}})
	other := fixture.Shop(t, d, fixture.ShopOpts{Commune: fixture.Groix})
	book, others := fixture.Product(t, d, shop, fixture.ProductOpts{Stock: 100}), fixture.Product(t, d, other, fixture.ProductOpts{Stock: 100})
	if err := h.Resolver.Directory.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	merchant := h.As(fixture.Viewer(t, d, identity.Merchant, shop))
	agent := h.As(fixture.Viewer(t, d, identity.Agent, tenancy.ID{Kind: tenancy.KindCommune, Commune: fixture.Lorient}))
	customer := fixture.Viewer(t, d, identity.Customer)
	place := func(mode string) *graphtest.Answer {
		t.Helper()
		in := basket(shopBasket(shop, book.Variants...), shopBasket(other, others.Variants...))
		in["orders"].([]any)[0].(map[string]any)["mode"] = mode
		a := h.As(customer).Query(t, `mutation ($in: PlaceOrdersInput!) { placeOrders(input: $in) { results { order { id } refusals { code message path next { start } restriction { title } } } } }`, graphtest.Vars{"in": in}).OK(t)
		if a.Get("placeOrders.results.1.order.id").String() == "" {
			t.Errorf("the other shop's order was lost: %s", a.Body)
		}
		return a
	}
	refused := func(a *graphtest.Answer, code, next, says string) {
		t.Helper()
		r := a.Get("placeOrders.results.0.refusals.0")
		if r.Get("code").String() != code || r.Get("next.start").String() != next || !strings.Contains(strings.ReplaceAll(r.Get("message").String(), "\u00a0", " "), says) || a.Get("placeOrders.results.0.order.id").String() != "" {
			t.Errorf("got %s, want %s, %q and %s", a.Body, code, says, next)
		}
	}
	stock := func() int {
		rows, err := h.Resolver.Catalog.StockOf(t.Context(), fixture.Viewer(t, d, identity.Merchant, shop), book.Variants)
		if err != nil {
			t.Fatal(err)
		}
		return *rows[book.Variants[0]]
	}
	state := func(c graphtest.Client) *graphtest.Answer {
		return c.Query(t, serviceOf, graphtest.Vars{"s": shop.String()}).OK(t)
	}
	first := place("PICKUP").Get("placeOrders.results.0.order.id").String()
	if first == "" {
		t.Fatal("nothing stands against the first order")
	}

	rule := map[string]any{"communes": []string{communeID(fixture.Lorient)}, "rank": "MAYOR", "title": "arrêté du maire n° 7", "from": paris("2020-11-02 10:00"), "until": paris("2020-11-03 10:00"), "allows": []string{"VISIT", "DELIVERY"}}
	const preview = `query ($in: DeclareRestrictionInput!) { previewRestriction(input: $in) { shops refused orders message } }`
	a := agent.Query(t, preview, graphtest.Vars{"in": rule}).OK(t)
	if got := a.Get("previewRestriction").Raw; got != `{"shops":1,"refused":1,"orders":1,"message":"Cette mesure concerne 1 boutique, en ferme un mode à 1, et gêne 1 commande en cours."}` {
		t.Errorf("the preview says %s", got)
	}
	if a := state(merchant); a.Get("shop.affectedOrders.#").Int() != 0 || !a.Get("shop.service.open").Bool() {
		t.Errorf("a preview changed something: %s", a.Body)
	}
	declared := agent.Query(t, declare, graphtest.Vars{"in": rule}).OK(t)
	before := stock()
	refused(place("PICKUP"), "RESTRICTION", "2020-11-03T09:00:00Z", "Retrait suspendu jusqu'au 3 novembre à 10 h (arrêté du maire n° 7).")
	if stock() != before {
		t.Error("a refused order took stock")
	}
	if a := place("DELIVERY"); a.Get("placeOrders.results.0.order.id").String() == "" {
		t.Errorf("delivery is not restricted: %s", a.Body)
	}
	a = state(merchant)
	if a.Get("shop.affectedOrders.#").Int() != 1 || a.Get("shop.affectedOrders.0.order.id").String() != first || a.Get("shop.affectedOrders.0.refusal.restriction.title").String() != "arrêté du maire n° 7" ||
		a.Get("shop.affectedOrders.0.refusal.next.start").String() != "2020-11-03T09:00:00Z" || !a.Get("shop.openNow").Bool() || a.Get("shop.service.open").Bool() {
		t.Errorf("the merchant reads %s", a.Body)
	}
	if a := state(h.Visitor()); a.Get("shop.affectedOrders.#").Int() != 0 {
		t.Errorf("a visitor reads orders: %s", a.Body)
	}
	const own = `query ($o: ID!) { order(id: $o) { affectedBy { code message next { start } } } }`
	if a := h.As(customer).Query(t, own, graphtest.Vars{"o": first}).OK(t); a.Get("order.affectedBy.code").String() != "RESTRICTION" || a.Get("order.affectedBy.next.start").String() != "2020-11-03T09:00:00Z" {
		t.Errorf("the customer reads %s", a.Body)
	}
	// At its last minute, and at its end.
	at(h, paris("2020-11-03 08:59"))
	refused(place("PICKUP"), "RESTRICTION", "2020-11-03T09:00:00Z", "")
	at(h, paris("2020-11-03 10:00"))
	if a := place("PICKUP"); a.Get("placeOrders.results.0.order.id").String() == "" {
		t.Errorf("refused after the end: %s", a.Body)
	}
	if a := state(merchant); a.Get("shop.affectedOrders.#").Int() != 0 || !a.Get("shop.service.open").Bool() {
		t.Errorf("after the end %s", a.Body)
	}
	id := declared.Get("declareRestriction.restrictions.0.id").String()
	if a := agent.Query(t, `mutation ($r: ID!) { endRestriction(input: {restriction: $r, version: 1}) { restrictions { until version } } }`, graphtest.Vars{"r": id}).OK(t); a.Get("endRestriction.restrictions.0.version").Int() != 1 {
		t.Errorf("what had ended was ended again: %s", a.Body)
	}

	// Closed for a week.
	closed := merchant.Query(t, `mutation ($s: ID!, $u: DateTime!) { closeShop(input: {shop: $s, until: $u, reason: "congés"}) { closure { id from until reason } shop { openNow affectedOrders(first: 100) { order { id } } } } }`,
		graphtest.Vars{"s": shop.String(), "u": paris("2020-11-10 10:00")}).OK(t)
	if closed.Get("closeShop.shop.openNow").Bool() || closed.Get("closeShop.shop.affectedOrders.#").Int() != 3 {
		t.Errorf("closed: %s", closed.Body)
	}
	refused(place("DELIVERY"), "CLOSURE", "2020-11-10T09:00:00Z", "Fermé jusqu'au 10 novembre à 10 h (congés).")
	if a := state(h.Visitor()); a.Get("shop.openNow").Bool() || slices.Contains(a.Texts("open.nodes.#.id"), shop.String()) || !slices.Contains(a.Texts("open.nodes.#.id"), other.String()) || a.Get("shop.closures.0.reason").String() != "congés" {
		t.Errorf("the public reads %s", a.Body)
	}
	reopen := graphtest.Vars{"c": closed.Get("closeShop.closure.id").String()}
	for range 2 {
		a = merchant.Query(t, `mutation ($c: ID!) { reopenShop(input: {closure: $c}) { closure { until } shop { openNow closures { id } } } }`, reopen).OK(t)
		if !a.Get("reopenShop.shop.openNow").Bool() || a.Get("reopenShop.shop.closures.#").Int() != 0 || a.Get("reopenShop.closure.until").String() != "2020-11-03T09:00:00Z" {
			t.Errorf("reopened: %s", a.Body)
		}
	}
	if a := state(h.Visitor()); !slices.Contains(a.Texts("open.nodes.#.id"), shop.String()) {
		t.Errorf("after the closure %s", a.Body)
	}
	at(h, paris("2020-11-03 23:30")) // at night an order waits for the morning
	if a := place("PICKUP"); a.Get("placeOrders.results.0.order.id").String() == "" {
		t.Errorf("refused at night: %s", a.Body)
	}
}

// Who may declare and end restrictions, where, and what is refused.
func TestWhoRestricts(t *testing.T) {
	t.Parallel()
	h := graphtest.New(t)
	d := h.Database
	at(h, paris("2020-11-02 10:00"))
	shop := fixture.Shop(t, d, fixture.ShopOpts{})
	lorient, groix := communeID(fixture.Lorient), communeID(fixture.Groix)
	agent := h.As(fixture.Viewer(t, d, identity.Agent, tenancy.ID{Kind: tenancy.KindCommune, Commune: fixture.Lorient}))
	admin := h.As(fixture.Viewer(t, d, identity.Admin))
	rule := func(more map[string]any) map[string]any {
		in := map[string]any{"communes": []string{lorient}, "rank": "MAYOR", "title": "arrêté", "from": paris("2020-11-05 08:00"), "allows": []string{"PICKUP"}}
		for k, v := range more {
			if in[k] = v; v == nil {
				delete(in, k)
			}
		}
		return in
	}
	count := func() int {
		return len(h.Visitor().Query(t, `{ restrictions(upcoming: true) { id } }`, nil).OK(t).Get("restrictions").Array())
	}
	for name, c := range map[string]struct {
		client graphtest.Client
		in     map[string]any
		want   fault.Kind
	}{
		"Visitor":             {h.Visitor(), rule(nil), fault.Unauthenticated},
		"Customer":            {h.As(fixture.Viewer(t, d, identity.Customer)), rule(nil), fault.Forbidden},
		"Merchant":            {h.As(fixture.Viewer(t, d, identity.Merchant, shop)), rule(nil), fault.Forbidden},
		"Hotline":             {h.As(fixture.Viewer(t, d, identity.Hotline)), rule(nil), fault.Forbidden},
		"AgentElsewhere":      {agent, rule(map[string]any{"communes": []string{lorient, groix}}), fault.Forbidden},
		"NoSuchCommune":       {admin, rule(map[string]any{"communes": []string{"commune_99999"}}), fault.Forbidden},
		"NoCommune":           {admin, rule(map[string]any{"communes": []string{}}), fault.Invalid},
		"CommuneTwice":        {admin, rule(map[string]any{"communes": []string{groix, lorient, groix}}), fault.Invalid},
		"NotACommune":         {admin, rule(map[string]any{"communes": []string{"category_librairie"}}), fault.Forbidden},
		"EndsBeforeItBegins":  {agent, rule(map[string]any{"until": paris("2020-11-05 08:00")}), fault.Invalid},
		"NoTitle":             {agent, rule(map[string]any{"title": "  "}), fault.Invalid},
		"LongTitle":           {agent, rule(map[string]any{"title": strings.Repeat("é", 201)}), fault.Invalid},
		"DensityWithoutEntry": {agent, rule(map[string]any{"squareMetres": 8}), fault.Invalid},
		"NotANaf":             {agent, rule(map[string]any{"nafCodes": []string{"47", "Commerce"}}), fault.Invalid},
		"NoSuchNomenclature":  {agent, rule(map[string]any{"nafVersion": "2030"}), fault.Invalid},
		"NoSuchCategory":      {agent, rule(map[string]any{"categories": []string{"category_rien"}}), fault.Invalid},
		"NotACategory":        {agent, rule(map[string]any{"exceptCategories": []string{lorient}}), fault.Invalid},
		"NegativeArea":        {agent, rule(map[string]any{"areaOver": -1}), fault.Invalid},
		"NotAnAddress":        {agent, rule(map[string]any{"url": "javascript:alert(1)"}), fault.Invalid},
		"FarFuture":           {agent, rule(map[string]any{"from": "9999-01-01T00:00:00Z"}), fault.Invalid},
	} {
		for _, document := range []string{declare, `query ($in: DeclareRestrictionInput!) { previewRestriction(input: $in) { shops } }`} {
			if a := c.client.Query(t, document, graphtest.Vars{"in": c.in}); a.Code() != c.want {
				t.Errorf("%s: %s, want %s", name, a.Body, c.want)
			}
		}
	}
	if count() != 0 {
		t.Error("a refused restriction is there")
	}

	own := agent.Query(t, declare, graphtest.Vars{"in": rule(map[string]any{"categories": []string{"category_librairie"}, "until": nil})}).OK(t).Get("declareRestriction.restrictions.0.id").String()
	national := admin.Query(t, declare, graphtest.Vars{"in": rule(map[string]any{"communes": []string{groix, lorient}, "rank": "NATIONAL", "from": paris("2020-11-01 00:00")})}).OK(t)
	if got := national.Texts("declareRestriction.restrictions.#.insee"); !slices.Equal(got, []string{fixture.Groix, fixture.Lorient}) {
		t.Errorf("declared in %v", got)
	}
	inLorient := national.Get("declareRestriction.restrictions.1.id").String()
	const end = `mutation ($r: ID!, $v: Int!, $at: DateTime, $all: Boolean) { endRestriction(input: {restriction: $r, version: $v, at: $at, everywhere: $all}) { restrictions { version until communes } } }`
	for name, c := range map[string]struct {
		client graphtest.Client
		vars   graphtest.Vars
		want   fault.Kind
	}{
		"AgentOfTheAdmins": {agent, graphtest.Vars{"r": inLorient, "v": 1}, fault.Forbidden},
		"AgentElsewhere":   {h.As(fixture.Viewer(t, d, identity.Agent, tenancy.ID{Kind: tenancy.KindCommune, Commune: fixture.Groix})), graphtest.Vars{"r": own, "v": 1}, fault.Forbidden},
		"Merchant":         {h.As(fixture.Viewer(t, d, identity.Merchant, shop)), graphtest.Vars{"r": own, "v": 1}, fault.Forbidden},
		"Visitor":          {h.Visitor(), graphtest.Vars{"r": own, "v": 1}, fault.Unauthenticated},
		"AnotherVersion":   {agent, graphtest.Vars{"r": own, "v": 2}, fault.Conflict},
		"Unknown":          {agent, graphtest.Vars{"r": tenancy.NewID(tenancy.KindRestriction, fixture.Lorient).String(), "v": 1}, fault.NotFound},
		"NotARestriction":  {agent, graphtest.Vars{"r": shop.String(), "v": 1}, fault.Invalid},
	} {
		if a := c.client.Query(t, end, c.vars); a.Code() != c.want {
			t.Errorf("end by %s: %s, want %s", name, a.Body, c.want)
		}
	}
	open := func() bool {
		return h.Visitor().Query(t, `query ($s: ID!) { shop(id: $s) { openNow } }`, graphtest.Vars{"s": shop.String()}).OK(t).Get("shop.openNow").Bool()
	}
	if open() || count() != 2 {
		t.Error("the national one is not in force")
	}
	if a := admin.Query(t, end, graphtest.Vars{"r": inLorient, "v": 1, "all": true}).OK(t); len(a.Get("endRestriction.restrictions").Array()) != 2 || a.Get("endRestriction.restrictions.1.version").Int() != 2 || !open() {
		t.Errorf("ended everywhere: %s", a.Body)
	}
	if a := agent.Query(t, end, graphtest.Vars{"r": own, "v": 1, "at": paris("2020-11-04 00:00")}).OK(t); a.Get("endRestriction.restrictions.0.until").String() != "2020-11-05T07:00:00Z" || count() != 0 {
		t.Errorf("withdrawn before it began: %s", a.Body)
	}
}

// A merchant's hours: written, read in each form, refused where wrong, and never another's.
func TestHoursOfAShop(t *testing.T) {
	t.Parallel()
	h := graphtest.New(t)
	d := h.Database
	at(h, paris("2020-11-02 10:00"))
	shop, draft := fixture.Shop(t, d, fixture.ShopOpts{}), fixture.Shop(t, d, fixture.ShopOpts{Status: directory.Draft})
	merchant := h.As(fixture.Viewer(t, d, identity.Merchant, shop))
	set := func(c graphtest.Client, of tenancy.ID, version int, week, more string) *graphtest.Answer {
		return c.Query(t, fmt.Sprintf(`mutation { setOpeningHours(input: {shop: %q, version: %d, weekly: [%s] %s}) { shop { version openingHours { weekly { weekday opens closes } openHolidays osm schemaOrg exceptions { first last reason intervals { opens closes } } } } } }`,
			of.String(), version, week, more), nil)
	}
	const bar = `{weekday: 5, opens: "18:00", closes: "02:00"}, {weekday: 1, opens: "09:30", closes: "12:30"}, {weekday: 1, opens: "14:00", closes: "19:00"}`
	a := set(merchant, shop, 1, bar, "openHolidays: [ARMISTICE, ARMISTICE]").OK(t)
	if got := a.Get("setOpeningHours.shop.version").Int(); got != 2 {
		t.Errorf("version %d", got)
	}
	hours := a.Get("setOpeningHours.shop.openingHours")
	if got := hours.Get("weekly").Raw; got != `[{"weekday":1,"opens":"09:30","closes":"12:30"},{"weekday":1,"opens":"14:00","closes":"19:00"},{"weekday":5,"opens":"18:00","closes":"02:00"}]` {
		t.Errorf("weekly %s", got)
	}
	if got := hours.Get("osm").String(); !strings.HasPrefix(got, "Mo 09:30-12:30,14:00-19:00; Fr 18:00-26:00; Jan 01,May 01,") || hours.Get("openHolidays").Raw != `["ARMISTICE"]` {
		t.Errorf("osm %q, holidays %s", got, hours.Get("openHolidays").Raw)
	}
	if got := hours.Get("schemaOrg.openingHoursSpecification.#").Int(); got != 3 || hours.Get("schemaOrg.specialOpeningHoursSpecification.0.validFrom").String() != "2020-12-25" {
		t.Errorf("schema.org %s", hours.Get("schemaOrg").Raw)
	}
	special := func(version int, of, date, rest string) *graphtest.Answer {
		return merchant.Query(t, fmt.Sprintf(`mutation { setSpecialHours(input: {shop: %q, version: %d, date: %q, %s}) { shop { version openingHours { exceptions { first last reason intervals { opens closes } } } } } }`, of, version, date, rest), nil)
	}
	a = special(2, shop.String(), "2020-12-21", `intervals: [{opens: "10:00", closes: "20:00"}], reason: "marché de Noël"`).OK(t)
	if got := a.Get("setSpecialHours.shop.openingHours.exceptions.0").Raw; got != `{"first":"2020-12-21","last":"2020-12-21","reason":"marché de Noël","intervals":[{"opens":"10:00","closes":"20:00"}]}` {
		t.Errorf("special %s", got)
	}
	special(3, shop.String(), "2020-12-28", `intervals: []`).OK(t)
	status := h.Visitor().Query(t, `query ($s: ID!) { shop(id: $s) { service(at: "2020-12-28T10:00:00Z") { open refusal { code next { start } } } next: nextOpening(at: "2020-12-21T06:00:00Z") { start end } holiday: service(at: "2020-12-25T20:00:00Z") { refusal { code message } }
		slots(mode: PICKUP, from: "2020-11-02T17:00:00Z", to: "2020-11-06T18:00:00Z", first: 100) { start refusal { code next { start } } } } }`, graphtest.Vars{"s": shop.String()}).OK(t)
	if got := status.Get("shop.service.refusal.code").String(); got != "CLOSURE" || status.Get("shop.next.start").String() != "2020-12-21T09:00:00Z" || status.Get("shop.holiday.refusal.code").String() != "HOLIDAY" {
		t.Errorf("status %s", status.Body)
	}
	if got := status.Texts("shop.slots.#.start"); len(got) != 4 || got[0] != "2020-11-02T17:00:00Z" || got[2] != "2020-11-06T17:00:00Z" || status.Get("shop.slots.0.refusal.code").Value() != nil {
		t.Errorf("slots %s", status.Get("shop.slots").Raw)
	}
	a = special(4, shop.String(), "2020-12-21", `intervals: null`).OK(t)
	if got := a.Get("setSpecialHours.shop.openingHours.exceptions.0.first").String(); got != "2020-12-25" {
		t.Errorf("the usual hours again: %s", a.Body)
	}

	other := fixture.Shop(t, d, fixture.ShopOpts{})
	unknown := tenancy.NewID(tenancy.KindShop, fixture.Lorient)
	for name, c := range map[string]struct {
		a    *graphtest.Answer
		want fault.Kind
	}{
		"LostUpdate":       {set(merchant, shop, 2, bar, ""), fault.Conflict},
		"LostSpecial":      {special(2, shop.String(), "2020-12-22", `intervals: []`), fault.Conflict},
		"Overlap":          {set(merchant, shop, 5, `{weekday: 1, opens: "09:00", closes: "12:00"}, {weekday: 1, opens: "11:00", closes: "13:00"}`, ""), fault.Invalid},
		"OverlapNextDay":   {set(merchant, shop, 5, `{weekday: 7, opens: "20:00", closes: "04:00"}, {weekday: 1, opens: "03:00", closes: "13:00"}`, ""), fault.Invalid},
		"NoSuchDay":        {set(merchant, shop, 5, `{weekday: 8, opens: "09:00", closes: "12:00"}`, ""), fault.Invalid},
		"NotATime":         {set(merchant, shop, 5, `{weekday: 1, opens: "9h", closes: "12:00"}`, ""), fault.Invalid},
		"NotADate":         {special(5, shop.String(), "2020-02-30", `intervals: []`), fault.Invalid},
		"Yesterday":        {special(5, shop.String(), "2020-11-01", `intervals: []`), fault.Invalid},
		"FarAhead":         {special(5, shop.String(), "2023-01-01", `intervals: []`), fault.Invalid},
		"AnothersShop":     {set(merchant, other, 1, bar, ""), fault.Forbidden},
		"Visitor":          {set(h.Visitor(), shop, 5, bar, ""), fault.Unauthenticated},
		"Hotline":          {set(h.As(fixture.Viewer(t, d, identity.Hotline)), shop, 5, bar, ""), fault.Forbidden},
		"AgentElsewhere":   {set(h.As(fixture.Viewer(t, d, identity.Agent, tenancy.ID{Kind: tenancy.KindCommune, Commune: fixture.Groix})), shop, 5, bar, ""), fault.Forbidden},
		"AnothersDraft":    {set(merchant, draft, 1, bar, ""), fault.NotFound},
		"Unknown":          {set(merchant, unknown, 1, bar, ""), fault.NotFound},
		"ClosedInThePast":  {merchant.Query(t, fmt.Sprintf(`mutation { closeShop(input: {shop: %q, until: "2020-11-01T00:00:00Z"}) { shop { id } } }`, shop), nil), fault.Invalid},
		"ClosedByAnother":  {merchant.Query(t, fmt.Sprintf(`mutation { closeShop(input: {shop: %q}) { shop { id } } }`, other), nil), fault.Forbidden},
		"ConfirmedByOther": {merchant.Query(t, fmt.Sprintf(`mutation { confirmShop(input: {shop: %q}) { shop { id } } }`, other), nil), fault.Forbidden},
		"NoPerimeter":      {merchant.Query(t, fmt.Sprintf(`mutation { setFulfilments(input: {shop: %q, version: 5, fulfilments: [{mode: DELIVERY, leadMinutes: 60}]}) { shop { id } } }`, shop), nil), fault.Invalid},
		"ModeTwice":        {merchant.Query(t, fmt.Sprintf(`mutation { setFulfilments(input: {shop: %q, version: 5, fulfilments: [{mode: PICKUP, leadMinutes: 60}, {mode: PICKUP, leadMinutes: 30}]}) { shop { id } } }`, shop), nil), fault.Invalid},
		"NegativeLead":     {merchant.Query(t, fmt.Sprintf(`mutation { setFulfilments(input: {shop: %q, version: 5, fulfilments: [{mode: PICKUP, leadMinutes: -1}]}) { shop { id } } }`, shop), nil), fault.Invalid},
		"PiecesOfEight":    {merchant.Query(t, fmt.Sprintf(`mutation { setFulfilments(input: {shop: %q, version: 5, fulfilments: [{mode: PICKUP, leadMinutes: 60, minimumCents: -1}]}) { shop { id } } }`, shop), nil), fault.Invalid},
	} {
		if c.a.Code() != c.want {
			t.Errorf("%s: %s, want %s", name, c.a.Body, c.want)
		}
	}
	a = merchant.Query(t, fmt.Sprintf(`mutation { setFulfilments(input: {shop: %q, version: 5, fulfilments: [{mode: DELIVERY, leadMinutes: 90, cutOffMinutes: -360, slotMinutes: 60, minimumCents: 1500, feeCents: 390, perimeterMetres: 4000}]}) {
		shop { version fulfilments { mode leadMinutes cutOffMinutes slotMinutes minimum { cents } fee { cents } perimeterMetres } pickup: service(mode: PICKUP) { refusal { code } } } }
		confirmShop(input: {shop: %[1]q}) { shop { lastConfirmedAt version } } }`, shop), nil).OK(t)
	if got := a.Get("setFulfilments.shop.fulfilments").Raw; got != `[{"mode":"DELIVERY","leadMinutes":90,"cutOffMinutes":-360,"slotMinutes":60,"minimum":{"cents":1500},"fee":{"cents":390},"perimeterMetres":4000}]` ||
		a.Get("setFulfilments.shop.pickup.refusal.code").String() != "MODE_NOT_OFFERED" || a.Get("confirmShop.shop.lastConfirmedAt").String() != "2020-11-02T09:00:00Z" || a.Get("confirmShop.shop.version").Int() != 6 {
		t.Errorf("modes: %s", a.Body)
	}
}
