package graphtest_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/audelor/halles/graph/graphtest"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/tenancy"
)

// The whole life of a shop, over the API: the call to the hotline, the dossier, the agent's
// decision, the public list, a restriction, a week's holiday, and its end.
func TestLifeOfAShop(t *testing.T) {
	t.Parallel()
	h := graphtest.New(t)
	d := h.Database
	lorient := tenancy.ID{Kind: tenancy.KindCommune, Commune: fixture.Lorient}
	hotline, agent, visitor := h.As(fixture.Viewer(t, d, identity.Hotline)), h.As(fixture.Viewer(t, d, identity.Agent, lorient)), h.Visitor()
	merchantAccount := fixture.Viewer(t, d, identity.Customer)
	public := func() []string {
		t.Helper()
		return visitor.Query(t, `{ commune(slug: "lorient") { shops(first: 100) { nodes { name } } } }`, nil).OK(t).Texts("commune.shops.nodes.#.name")
	}

	// A merchant calls. The operator takes down what there is, answer by answer.
	a := hotline.Query(t, `mutation { startRegistration(input: {commune: "commune_56121", answers: {name: "L'Échoppe d'Ève", contactName: "Ève Le Goff", contactPhone: "06 39 98 12 34"}}) {
		registration { id status channel missing register { state } } resumeSecret existed refusals { code } } }`, nil).OK(t)
	dossier := a.Get("startRegistration.registration.id").String()
	if got := a.Get("startRegistration"); got.Get("registration.channel").String() != "HOTLINE" || got.Get("resumeSecret").Value() != nil || got.Get("registration.register.state").String() != "NONE" {
		t.Fatalf("begun: %s", a.Body)
	}
	hotline.Query(t, `mutation ($r: ID!) { logCall(input: {commune: "commune_56121", reason: REGISTRATION, outcome: CALL_BACK, seconds: 240, registration: $r}) { call { id registrationId commune { slug } } } }`, graphtest.Vars{"r": dossier}).OK(t)
	hotline.Query(t, `mutation ($r: ID!) { callBackRegistration(input: {registration: $r}) { registration { callBackAt } refusals { code } } }`, graphtest.Vars{"r": dossier}).OK(t)
	queue := hotline.Query(t, `{ registrations(orderBy: CALL_BACK, first: 10) { totalCount nodes { id name applicant { phone } missing } counts { status count } } }`, nil).OK(t)
	if queue.Get("registrations.totalCount").Int() != 1 || queue.Get("registrations.nodes.0.id").String() != dossier || queue.Get("registrations.nodes.0.applicant.phone").String() != "+33639981234" {
		t.Errorf("the queue: %s", queue.Body)
	}
	const save = `mutation ($r: ID!, $a: RegistrationAnswers) { saveRegistration(input: {registration: $r, answers: $a}) { registration { version missing callBackAt consent { version channel } register { state warning } } refusals { code path } } }`
	if a := hotline.Query(t, save, graphtest.Vars{"r": dossier, "a": map[string]any{"siret": "732 829 320 00075"}}); a.Code() != fault.Invalid || !slices.Contains(a.Errors[0].Extensions.Argument, "siret") {
		t.Errorf("a wrong SIRET: %s", a.Body)
	}
	submit := func() *graphtest.Answer {
		return hotline.Query(t, `mutation ($r: ID!) { submitRegistration(input: {registration: $r}) { registration { status version } refusals { code path message } } }`, graphtest.Vars{"r": dossier}).OK(t)
	}
	if a := submit(); !slices.Contains(a.Texts("submitRegistration.refusals.#.code"), "ANSWER_MISSING") {
		t.Errorf("submitted half: %s", a.Body)
	}
	consent := visitor.Query(t, `{ registrationConsent { version text } }`, nil).OK(t).Get("registrationConsent.version").String()
	a = hotline.Query(t, save, graphtest.Vars{"r": dossier, "a": map[string]any{
		"siret": "732 829 320 00074", "category": "category_librairie", "street": "12 rue du Port", "postcode": "56100", "city": "Lorient", "naf": "47.61Z",
		"location": map[string]any{"latitude": 47.748, "longitude": -3.366}, "phone": "02 97 12 34 56", "consent": consent, "headcount": 2, "salesAreaM2": 60, "services": []string{"card"},
	}}).OK(t)
	if got := a.Get("saveRegistration"); got.Get("refusals.#").Int() != 0 || got.Get("registration.missing.#").Int() != 0 || got.Get("registration.consent.channel").String() != "PHONE" || got.Get("registration.register.state").String() != "WAITING" {
		t.Errorf("completed: %s", a.Body)
	}
	hotline.Query(t, `mutation ($r: ID!) { callBackRegistration(input: {registration: $r, done: true}) { registration { callBackAt } } }`, graphtest.Vars{"r": dossier}).OK(t)
	version := submit().Get("submitRegistration.registration.version").Int()

	// The agent of the commune decides; the hotline does not.
	const verify = `mutation ($r: ID!, $v: Int!) { verifyRegistration(input: {registration: $r, version: $v}) {
		registration { status shop { id } } shop { id status slug version naf { code version } siret } invitation { code } refusals { code } } }`
	if a := hotline.Query(t, verify, graphtest.Vars{"r": dossier, "v": version}); a.Code() != fault.Forbidden {
		t.Errorf("verified by the hotline: %s", a.Body)
	}
	if a := agent.Query(t, verify, graphtest.Vars{"r": dossier, "v": version - 1}); a.Code() != fault.Conflict {
		t.Errorf("verified unread: %s", a.Body)
	}
	a = agent.Query(t, verify, graphtest.Vars{"r": dossier, "v": version}).OK(t)
	shop := a.Get("verifyRegistration.shop.id").String()
	if got := a.Get("verifyRegistration"); got.Get("shop.status").String() != "PENDING" || got.Get("shop.slug").String() != "l-echoppe-d-eve" || got.Get("registration.status").String() != "VERIFIED" ||
		got.Get("registration.shop.id").String() != shop || got.Get("shop.naf.version").String() != "REV2" || got.Get("shop.siret").String() != "73282932000074" {
		t.Errorf("verified: %s", a.Body)
	}
	// Its SIRET stays its own.
	if a := hotline.Query(t, `mutation { startRegistration(input: {commune: "commune_56069", answers: {siret: "73282932000074"}}) { registration { id } refusals { code shop } } }`, nil).OK(t); a.Get("startRegistration.refusals.0.shop").String() != shop {
		t.Errorf("a second dossier: %s", a.Body)
	}
	if names := public(); len(names) != 0 {
		t.Errorf("public too soon: %v", names)
	}
	if a := visitor.Query(t, `query ($s: ID!) { shop(id: $s) { name } }`, graphtest.Vars{"s": shop}); a.Code() != fault.NotFound {
		t.Errorf("seen too soon: %s", a.Body)
	}

	// The merchant takes the code up, and adds to the profile: of two who write at once, one is told.
	code := a.Get("verifyRegistration.invitation.code").String()
	h.As(merchantAccount).Query(t, `mutation ($c: String!) { acceptInvitation(input: {code: $c}) { role { shopId } } }`, graphtest.Vars{"c": code}).OK(t)
	id, err := tenancy.ParseID(shop)
	if err != nil {
		t.Fatal(err)
	}
	merchant := h.As(fixture.Viewer(t, d, identity.Merchant, id))
	const update = `mutation ($in: UpdateShopInput!) { updateShop(input: $in) { shop { version description contact { phone website } details { headcount salesAreaM2 } } refusals { code } } }`
	a = merchant.Query(t, update, graphtest.Vars{"in": map[string]any{"shop": shop, "version": 1, "description": "Des livres et du thé.", "website": "https://exemple.bzh", "headcount": 3}}).OK(t)
	if got := a.Get("updateShop.shop"); got.Get("version").Int() != 2 || got.Get("contact.phone").String() != "+33297123456" || got.Get("details.headcount").Int() != 3 || got.Get("details.salesAreaM2").Int() != 60 {
		t.Errorf("updated: %s", a.Body)
	}
	if a := agent.Query(t, update, graphtest.Vars{"in": map[string]any{"shop": shop, "version": 1, "name": "Perdu"}}); a.Code() != fault.Conflict {
		t.Errorf("a lost update: %s", a.Body)
	}
	a = merchant.Query(t, update, graphtest.Vars{"in": map[string]any{"shop": shop, "version": 2, "website": nil}}).OK(t)
	if got := a.Get("updateShop.shop"); got.Get("contact.website").Value() != nil || got.Get("contact.phone").String() == "" {
		t.Errorf("null takes away, absent leaves: %s", a.Body)
	}

	// Published, it is in the list at once.
	const life = `{ shop { status version } refusals { code } } }`
	agent.Query(t, `mutation ($s: ID!) { publishShop(input: {shop: $s}) `+life, graphtest.Vars{"s": shop}).OK(t)
	if names := public(); !slices.Equal(names, []string{"L'Échoppe d'Ève"}) {
		t.Errorf("public: %v", names)
	}
	a = merchant.Query(t, `query ($s: ID!) { shop(id: $s) { lastConfirmedAt unconfirmedSince activation { done next steps { kind done count } } } }`, graphtest.Vars{"s": shop}).OK(t)
	if got := a.Get("shop"); got.Get("activation.done").Int() != 2 || got.Get("activation.next").String() != "TEN_PRODUCTS" || got.Get("activation.steps.2.count").Int() != 0 || got.Get("lastConfirmedAt").Value() == nil || got.Get("unconfirmedSince").Value() != nil {
		t.Errorf("activation: %s", a.Body)
	}
	if a := visitor.Query(t, `query ($s: ID!) { shop(id: $s) { details { headcount } activation { done } history { kind } } }`, graphtest.Vars{"s": shop}).OK(t); a.Get("shop.details").Value() != nil || a.Get("shop.activation").Value() != nil || a.Get("shop.history.#").Int() != 0 {
		t.Errorf("told the public: %s", a.Body)
	}

	restrictedAndClosed(t, h, shop, agent, merchant)

	// Suspended, it is gone; reinstated, it is back.
	const suspend = `mutation ($s: ID!, $r: SuspensionReason!, $t: String) { suspendShop(input: {shop: $s, reason: $r, text: $t}) ` + life
	if a := agent.Query(t, suspend, graphtest.Vars{"s": shop, "r": "OTHER"}); a.Code() != fault.Invalid {
		t.Errorf("suspended for nothing: %s", a.Body)
	}
	if a := merchant.Query(t, suspend, graphtest.Vars{"s": shop, "r": "MERCHANT_ASKED"}); a.Code() != fault.Forbidden {
		t.Errorf("suspended by the merchant: %s", a.Body)
	}
	agent.Query(t, suspend, graphtest.Vars{"s": shop, "r": "NOT_CONFIRMED", "t": "Personne ne répond."}).OK(t)
	if names := public(); len(names) != 0 {
		t.Errorf("suspended, it is public: %v", names)
	}
	agent.Query(t, `mutation ($s: ID!) { reinstateShop(input: {shop: $s}) `+life, graphtest.Vars{"s": shop}).OK(t)
	if names := public(); len(names) != 1 {
		t.Errorf("reinstated: %v", names)
	}
	a = merchant.Query(t, `query ($s: ID!) { shop(id: $s) { history { kind by reason reasonText } } }`, graphtest.Vars{"s": shop}).OK(t)
	if want := []string{"STARTED", "CALL_BACK", "CALLED", "SUBMITTED", "VERIFIED", "PUBLISHED", "SUSPENDED", "REINSTATED"}; !slices.Equal(a.Texts("shop.history.#.kind"), want) {
		t.Errorf("history: %s", a.Body)
	}
	if a.Get("shop.history.6.reason").String() != "NOT_CONFIRMED" || a.Get("shop.history.6.reasonText").String() != "Personne ne répond." || a.Get("shop.history.0.by").String() != "HOTLINE" {
		t.Errorf("history: %s", a.Body)
	}
	calls := hotline.Query(t, `{ calls(first: 5) { nodes { reason outcome seconds registrationId } pageInfo { hasNextPage } } }`, nil).OK(t)
	if calls.Get("calls.nodes.#").Int() != 1 || calls.Get("calls.nodes.0.registrationId").String() != dossier {
		t.Errorf("calls: %s", calls.Body)
	}
	if n, err := h.Resolver.Audit.Broken(t.Context(), fixture.Lorient); n != 0 || err != nil {
		t.Errorf("the log is broken at %d, %v", n, err)
	}
}

// restrictedAndClosed has the commune close shops of the trade to visitors, and then the shop itself
// close for a week: the public reads both at once, and what is possible next.
func restrictedAndClosed(t *testing.T, h *graphtest.Harness, shop string, agent, merchant graphtest.Client) {
	t.Helper()
	public := func() gjson.Result {
		t.Helper()
		return h.Visitor().Query(t, `query ($s: ID!) { shop(id: $s) { version openNow nextOpening { start } closures { reason } regime { visitors modes because { restriction { title } } } }
			open: shops(filter: {openNow: true}, first: 10) { nodes { id } } }`, graphtest.Vars{"s": shop}).OK(t).Get("@this")
	}
	week := []map[string]any{}
	for day := 1; day <= 7; day++ {
		week = append(week, map[string]any{"weekday": day, "opens": "00:00", "closes": "00:00"})
	}
	merchant.Query(t, `mutation ($in: SetOpeningHoursInput!) { setOpeningHours(input: $in) { shop { id } } }`, graphtest.Vars{"in": map[string]any{
		"shop": shop, "version": public().Get("shop.version").Int(), "weekly": week,
		"openHolidays": []string{"NEW_YEAR", "EASTER_MONDAY", "LABOUR_DAY", "VICTORY_DAY", "ASCENSION", "WHIT_MONDAY", "NATIONAL_DAY", "ASSUMPTION", "ALL_SAINTS", "ARMISTICE", "CHRISTMAS"},
	}}).OK(t)
	if got := public(); !got.Get("shop.openNow").Bool() || got.Get("open.nodes.#").Int() != 1 || !got.Get("shop.regime.visitors").Bool() {
		t.Errorf("open day and night: %s", got)
	}
	a := agent.Query(t, declare, graphtest.Vars{"in": map[string]any{
		"communes": []string{communeID(fixture.Lorient)}, "rank": "MAYOR", "title": "arrêté municipal", "from": time.Now().Add(-time.Minute).Truncate(time.Minute),
		"categories": []string{"category_librairie"}, "allows": []string{"PICKUP", "DELIVERY"},
	}}).OK(t)
	if got := public(); got.Get("shop.openNow").Bool() || got.Get("open.nodes.#").Int() != 0 || got.Get("shop.regime.visitors").Bool() || got.Get("shop.regime.because.0.restriction.title").String() != "arrêté municipal" {
		t.Errorf("restricted: %s", got)
	}
	agent.Query(t, `mutation ($r: ID!) { endRestriction(input: {restriction: $r, version: 1}) { restrictions { id } } }`, graphtest.Vars{"r": a.Get("declareRestriction.restrictions.0.id").String()}).OK(t)
	if got := public(); !got.Get("shop.openNow").Bool() {
		t.Errorf("free again: %s", got)
	}
	back := time.Now().Add(7 * 24 * time.Hour).Truncate(time.Minute)
	merchant.Query(t, `mutation ($s: ID!, $u: DateTime!) { closeShop(input: {shop: $s, until: $u, reason: "congés"}) { shop { id } } }`, graphtest.Vars{"s": shop, "u": back}).OK(t)
	if got := public(); got.Get("shop.openNow").Bool() || got.Get("shop.closures.0.reason").String() != "congés" || !got.Get("shop.nextOpening.start").Time().Equal(back) || got.Get("open.nodes.#").Int() != 0 {
		t.Errorf("closed for a week, until %s: %s", back, got)
	}
}
