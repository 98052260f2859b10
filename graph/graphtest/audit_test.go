package graphtest_test

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/audelor/halles/graph/generated"
	"github.com/audelor/halles/graph/graphtest"
	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

// private are the mutations that nobody does in a capacity that others trust it to have: a new one
// must stand here, or be shown below to leave its entry.
var private = map[string]string{
	"placeOrders":       "one's own order",
	"exchangeGuestLink": "changes nothing",
	"eraseMyData":       "one's own data; the ledger of erasures has it",

	"resumeRegistration": "changes nothing",
}

// Every mutation that staff can do leaves exactly one entry, with who did what to what; and one
// that is refused, or changes nothing, leaves none.
func TestEveryPrivilegedMutationIsAudited(t *testing.T) {
	t.Parallel()
	h := graphtest.New(t)
	d := h.Database
	commune := tenancy.ID{Kind: tenancy.KindCommune, Commune: fixture.Lorient}
	shop := fixture.Shop(t, d, fixture.ShopOpts{})
	book := fixture.Product(t, d, shop, fixture.ProductOpts{Stock: 500})
	staff := map[identity.Kind]*identity.Viewer{
		identity.Agent: fixture.Viewer(t, d, identity.Agent, commune), identity.Hotline: fixture.Viewer(t, d, identity.Hotline), identity.Admin: fixture.Viewer(t, d, identity.Admin),
	}
	trader := fixture.Viewer(t, d, identity.Merchant, shop)
	merchant := h.As(trader)
	act := func(c graphtest.Client, field, order, args string) *graphtest.Answer {
		return c.Query(t, fmt.Sprintf(`mutation { %s(input: {order: %q %s}) { order { id } refusals { code } } }`, field, order, args), nil)
	}
	order := func(status string) string {
		t.Helper()
		placed := h.Visitor().Query(t, placeOrders, graphtest.Vars{"input": basket(shopBasket(shop, book.Variants...))}).OK(t)
		id := placed.Get("placeOrders.results.0.order.id").String()
		if id == "" {
			t.Fatalf("no order to act on: %s", placed.Body)
		}
		for _, field := range map[string][]string{"PLACED": nil, "ACCEPTED": {"acceptOrder"}, "READY": {"acceptOrder", "markOrderReady"}}[status] {
			act(merchant, field, id, "").OK(t)
		}
		return id
	}
	orders := func(args string) func(*testing.T, string, *identity.Viewer, string) (string, bool) {
		return func(t *testing.T, field string, v *identity.Viewer, status string) (string, bool) {
			t.Helper()
			id := order(status)
			a := act(h.As(v), field, id, args)
			return id, a.Code() == "" && a.Get(field+".refusals.#").Int() == 0
		}
	}
	proposed := func(t *testing.T, field string, v *identity.Viewer, status string) (string, bool) {
		t.Helper()
		id, args := order(status), ""
		if status == "PLACED" {
			act(merchant, "proposeOrderChange", id, `lines: [{variant: "`+book.Variants[0].String()+`", quantity: 1}]`).OK(t)
		}
		if field == "confirmOrderChange" {
			args = "version: 2"
		}
		a := act(h.As(v), field, id, args)
		return id, a.Code() == "" && a.Get(field+".refusals.#").Int() == 0
	}
	keys := func(document string) func(*testing.T, string, *identity.Viewer, string) (string, bool) {
		return func(t *testing.T, field string, v *identity.Viewer, _ string) (string, bool) {
			t.Helper()
			k := fixture.WidgetKey(t, d, fixture.Lorient, "https://lorient.bzh")
			a := h.As(v).Query(t, document, graphtest.Vars{"k": k.ID().String()})
			if field == "createWidgetKey" {
				return a.Get("createWidgetKey.key.id").String(), a.Code() == ""
			}
			return k.ID().String(), a.Code() == ""
		}
	}
	var codes []string // of invitations made beforehand
	for range staff {
		made, err := h.Resolver.Members.Invite(t.Context(), staff[identity.Agent], identity.InviteMemberInput{RoleScope: identity.RoleScope{Role: identity.Merchant, Shop: &shop}})
		if err != nil {
			t.Fatal(err)
		}
		codes = append(codes, *made.Code)
	}
	roles := func(document string, kind identity.Kind) func(*testing.T, string, *identity.Viewer, string) (string, bool) {
		return func(t *testing.T, field string, v *identity.Viewer, _ string) (string, bool) {
			t.Helper()
			_, account := fixture.Account(t, d, kind, commune)
			object := tenancy.AccountID(account).String()
			vars := graphtest.Vars{"a": object}
			switch field {
			case "inviteMember":
				object, vars = commune.String(), nil
			case "acceptInvitation":
				object, vars = tenancy.AccountID(v.Account).String(), graphtest.Vars{"code": codes[0]}
				codes = codes[1:]
			}
			return object, h.As(v).Query(t, document, vars).Code() == ""
		}
	}
	// goods changes a product of its own, of which $v is the first variant and $p the product.
	goods := func(field, object, input string) func(*testing.T, string, *identity.Viewer, string) (string, bool) {
		return func(t *testing.T, _ string, v *identity.Viewer, _ string) (string, bool) {
			t.Helper()
			made := fixture.Product(t, d, shop, fixture.ProductOpts{Variants: 2})
			if field == "restoreVariant" {
				d.Exec(t, `update variants set archived = true where id = $1`, made.Variants[0].Row)
			}
			input := strings.NewReplacer("$p", fmt.Sprintf("%q", made.ID), "$v", fmt.Sprintf("%q", made.Variants[0]), "$s", fmt.Sprintf("%q", shop)).Replace(input)
			result := map[string]string{"product": "product { id }", "variant": "variant { id }", "shop": "products { id }"}[object]
			a := h.As(v).Query(t, fmt.Sprintf(`mutation { %s(input: {%s}) { %s refusals { code } } }`, field, input, result), nil)
			changed := map[string]string{"product": a.Get(field + ".product.id").String(), "variant": made.Variants[0].String(), "shop": shop.String()}[object]
			return changed, a.Code() == "" && a.Get(field+".refusals.#").Int() == 0
		}
	}
	admin := []identity.Kind{identity.Admin}
	shops := func(document string) func(*testing.T, string, *identity.Viewer, string) (string, bool) {
		return func(t *testing.T, field string, v *identity.Viewer, _ string) (string, bool) {
			t.Helper()
			object := fixture.Shop(t, d, fixture.ShopOpts{})
			vars := graphtest.Vars{"s": object.String()}
			if field == "reopenShop" {
				closure := tenancy.NewID(tenancy.KindClosure, object.Commune)
				d.Exec(t, `insert into closures (commune_id, id, shop_id, starts_at, created_at) values ($1, $2, $3, now(), now())`, object.Commune, closure.Row, object.Row)
				vars = graphtest.Vars{"c": closure.String()}
			}
			return object.String(), h.As(v).Query(t, document, vars).Code() == ""
		}
	}
	rules := func(document string) func(*testing.T, string, *identity.Viewer, string) (string, bool) {
		return func(t *testing.T, field string, v *identity.Viewer, _ string) (string, bool) {
			t.Helper()
			r := tenancy.NewID(tenancy.KindRestriction, fixture.Lorient)
			d.Exec(t, `insert into restrictions (commune_id, id, rank, title, starts_at, naf_version, visitors, pickup, delivery, declared_as, declared_at)
				values ($1, $2, 'MAYOR', 'Arrêté', now(), 'REV2', true, true, true, 'AGENT', now())`, r.Commune, r.Row)
			a := h.As(v).Query(t, document, graphtest.Vars{"r": r.String()})
			if field == "declareRestriction" {
				return a.Get("declareRestriction.restrictions.0.id").String(), a.Code() == ""
			}
			return r.String(), a.Code() == ""
		}
	}
	later := h.Visitor().Query(t, `query ($s: ID!) { shop(id: $s) { slots(mode: PICKUP, first: 100) { start } } }`, graphtest.Vars{"s": shop.String()}).OK(t).Get("shop.slots.60.start").String()
	office := []identity.Kind{identity.Admin, identity.Agent}
	slots := func(t *testing.T, field string, v *identity.Viewer, _ string) (string, bool) {
		t.Helper()
		own := fixture.Shop(t, d, fixture.ShopOpts{})
		start := h.Visitor().Query(t, `query ($s: ID!) { shop(id: $s) { slots(mode: PICKUP, first: 100) { start } } }`, graphtest.Vars{"s": own.String()}).OK(t).Get("shop.slots.40.start").String()
		change := func(by *identity.Viewer, field, args string) *graphtest.Answer {
			return h.As(by).Query(t, fmt.Sprintf(`mutation { %s(input: {shop: %q, mode: PICKUP, start: %q %s}) { shop { id } slot { booked } refusals { code } } }`, field, own, start, args), nil)
		}
		args := map[string]string{"setSlotCapacity": "capacity: 3"}[field]
		if field == "reopenSlot" {
			change(fixture.Viewer(t, d, identity.Merchant, own), "closeSlot", "").OK(t)
		}
		a := change(v, field, args)
		return own.String(), a.Code() == "" && a.Get(field+".refusals.#").Int() == 0
	}
	dossiers := func(args string) func(*testing.T, string, *identity.Viewer, string) (string, bool) {
		return func(t *testing.T, field string, v *identity.Viewer, status string) (string, bool) {
			t.Helper()
			_, account := fixture.Account(t, d, identity.Customer)
			id := fixture.Registration(t, d, fixture.RegistrationOpts{Account: account, Status: directory.RegistrationStatus(status)})
			a := h.As(v).Query(t, fmt.Sprintf(`mutation { %s(input: {registration: %q %s}) { registration { id } refusals { code } } }`, field, id, args), nil)
			return id.String(), a.Code() == "" && a.Get(field+".refusals.#").Int() == 0
		}
	}
	storefronts := func(args string) func(*testing.T, string, *identity.Viewer, string) (string, bool) {
		return func(t *testing.T, field string, v *identity.Viewer, status string) (string, bool) {
			t.Helper()
			id := fixture.Shop(t, d, fixture.ShopOpts{Status: directory.ShopStatus(status)})
			a := h.As(v).Query(t, fmt.Sprintf(`mutation { %s(input: {shop: %q %s}) { shop { id } refusals { code } } }`, field, id, args), nil)
			return id.String(), a.Code() == "" && a.Get(field+".refusals.#").Int() == 0
		}
	}
	started := []string{"STARTED"}
	var dot bytes.Buffer
	if err := png.Encode(&dot, image.NewRGBA(image.Rect(0, 0, 1, 1))); err != nil {
		t.Fatal(err)
	}
	photos := func(t *testing.T, field string, v *identity.Viewer, _ string) (string, bool) {
		t.Helper()
		own := fixture.Shop(t, d, fixture.ShopOpts{})
		owner := fixture.Viewer(t, d, identity.Merchant, own)
		add := func(by *identity.Viewer) (string, bool) {
			sent, err := h.Resolver.Media.Receive(t.Context(), by, commune, bytes.NewReader(dot.Bytes()))
			if err != nil {
				return "", false
			}
			a := h.As(by).Query(t, `mutation ($m: ID!, $s: ID!) { addPhoto(input: {media: $m, shop: $s, alt: "Un point"}) { photo { id } } }`, graphtest.Vars{"m": sent.ID().String(), "s": own.String()})
			return a.Get("addPhoto.photo.id").String(), a.Code() == ""
		}
		if field == "addPhoto" {
			return add(v)
		}
		first, _ := add(owner)
		second, _ := add(owner)
		if field == "removePhoto" {
			return first, h.As(v).Query(t, `mutation ($p: ID!) { removePhoto(input: {photo: $p}) { photos { alt } } }`, graphtest.Vars{"p": first}).Code() == ""
		}
		a := h.As(v).Query(t, `mutation ($p: [ID!]!) { reorderPhotos(input: {photos: $p}) { photos { alt } refusals { code } } }`, graphtest.Vars{"p": []string{second, first}})
		return own.String(), a.Code() == ""
	}
	imports := func(t *testing.T, field string, v *identity.Viewer, _ string) (string, bool) {
		t.Helper()
		by := v
		if field == "undoImport" { // what a merchant did to the own shop
			by = trader
		}
		file := "reference;boutique;nom;prix;tva\nNEUF-" + string(v.Kind) + field + ";" + shop.String() + ";Neuf;5;20\n"
		sent, err := h.Resolver.Intake.Receive(t.Context(), by, commune, "x.csv", strings.NewReader(file))
		if err != nil {
			return "", false
		}
		a := h.As(by).Query(t, `mutation ($u: ID!) { importProducts(input: {upload: $u, dryRun: false}) { import { id status } } }`, graphtest.Vars{"u": sent.ID().String()}).OK(t)
		id := a.Get("importProducts.import.id").String()
		if field == "undoImport" {
			a = h.As(v).Query(t, `mutation ($i: ID!) { undoImport(input: {import: $i}) { import { status } refusals { code } } }`, graphtest.Vars{"i": id})
		}
		return id, a.Code() == ""
	}
	shopImports := func(t *testing.T, _ string, v *identity.Viewer, _ string) (string, bool) {
		t.Helper()
		file := "siret;surface\n" + pgtest.Scan[string](t, d, `select siret from shops where id = $1`, shop.Row) + ";80\n"
		sent, err := h.Resolver.Intake.Receive(t.Context(), v, commune, "x.csv", strings.NewReader(file))
		if err != nil {
			return "", false
		}
		a := h.As(v).Query(t, `mutation ($u: ID!) { importShops(input: {upload: $u, dryRun: false}) { import { id status } } }`, graphtest.Vars{"u": sent.ID().String()})
		return a.Get("importShops.import.id").String(), a.Get("importShops.import.status").String() == "APPLIED"
	}
	statuses, once := []string{"PLACED", "ACCEPTED", "READY"}, []string{""}
	type way struct {
		action string
		in     []string
		do     func(t *testing.T, field string, v *identity.Viewer, status string) (object string, done bool)
		by     []identity.Kind // who of the staff can, in one status at least
	}
	ways := map[string]way{
		"moveOrder":   {"ORDER_MOVE", once, orders(fmt.Sprintf("slot: %q", later)), []identity.Kind{identity.Hotline}},
		"acceptOrder": {"ORDER_ACCEPT", []string{"PLACED", "READY"}, orders(""), []identity.Kind{identity.Hotline}},
		"enterPhoneOrder": {
			"ORDER_ENTER", once, func(t *testing.T, _ string, v *identity.Viewer, _ string) (string, bool) {
				t.Helper()
				a := h.As(v).Query(t, `mutation ($in: EnterPhoneOrderInput!) { enterPhoneOrder(input: $in) { order { id } refusals { code } } }`, graphtest.Vars{"in": graphtest.Vars{
					"idempotencyKey": uuid.NewString(), "order": shopBasket(shop, book.Variants...), "contact": graphtest.Vars{"name": "Yves", "phone": "06 39 98 12 34"},
				}})
				return a.Get("enterPhoneOrder.order.id").String(), a.Code() == ""
			}, []identity.Kind{identity.Hotline},
		},
		"proposeOrderChange":      {"ORDER_PROPOSE_CHANGE", []string{"PLACED", "READY"}, orders(`lines: [{variant: "` + book.Variants[0].String() + `", quantity: 1}]`), []identity.Kind{identity.Hotline}},
		"confirmOrderChange":      {"ORDER_CONFIRM_CHANGE", []string{"PLACED", "READY"}, proposed, []identity.Kind{identity.Hotline}},
		"declineOrderChange":      {"ORDER_DECLINE_CHANGE", []string{"PLACED", "READY"}, proposed, []identity.Kind{identity.Hotline}},
		"rejectOrder":             {"ORDER_REJECT", statuses, orders("reason: TOO_BUSY"), []identity.Kind{identity.Hotline}},
		"markOrderReady":          {"", statuses, orders(""), nil},
		"markOrderCollected":      {"", statuses, orders(""), nil},
		"markOrderOutForDelivery": {"", statuses, orders(""), nil},
		"markOrderDelivered":      {"", statuses, orders(""), nil},
		"markOrderNoShow":         {"", statuses, orders(""), nil},
		"cancelOrder":             {"ORDER_CANCEL", statuses, orders(`reason: OTHER, text: "au téléphone"`), []identity.Kind{identity.Admin, identity.Hotline}},
		"createProduct":           {"PRODUCT_CREATE", once, goods("createProduct", "product", `shop: $s, name: "Sel", category: "category_librairie", variants: [{priceCents: 100, vatRate: 550}]`), admin},
		"updateProduct":           {"PRODUCT_UPDATE", once, goods("updateProduct", "product", `product: $p, version: 1, name: "Sel de Guérande"`), admin},
		"publishProduct":          {"PRODUCT_PUBLISH", once, goods("publishProduct", "product", `product: $p, version: 1`), admin},
		"archiveProduct":          {"PRODUCT_ARCHIVE", once, goods("archiveProduct", "product", `product: $p, version: 1`), admin},
		"pauseProduct":            {"PRODUCT_PAUSE", once, goods("pauseProduct", "product", `product: $p, version: 1`), admin},
		"resumeProduct":           {"PRODUCT_RESUME", once, goods("resumeProduct", "product", `product: $p, version: 1`), admin},
		"addVariant":              {"VARIANT_ADD", once, goods("addVariant", "product", `product: $p, version: 1, optionValue: "99", priceCents: 5, vatRate: 550`), admin},
		"updateVariant":           {"VARIANT_UPDATE", once, goods("updateVariant", "product", `variant: $v, version: 1, optionValue: "98"`), admin},
		"archiveVariant":          {"VARIANT_ARCHIVE", once, goods("archiveVariant", "product", `variant: $v, version: 1`), admin},
		"restoreVariant":          {"VARIANT_RESTORE", once, goods("restoreVariant", "product", `variant: $v, version: 1`), admin},
		"setPrice":                {"PRICE_SET", once, goods("setPrice", "product", `variant: $v, version: 1, priceCents: 990`), admin},
		"correctStock":            {"STOCK_CORRECT", once, goods("correctStock", "variant", `variant: $v, reason: COUNTED, pieces: 3`), admin},
		"changePrices":            {"PRODUCTS_REPRICE", once, goods("changePrices", "shop", `shop: $s, products: [{product: $p}], by: 500, rounding: FIVE_CENTS`), admin},
		"moveProducts":            {"PRODUCTS_MOVE", once, goods("moveProducts", "shop", `shop: $s, products: [{product: $p, version: 1}], category: "category_velo"`), admin},
		"archiveProducts":         {"PRODUCTS_ARCHIVE", once, goods("archiveProducts", "shop", `shop: $s, products: [{product: $p}]`), admin},
		"inviteMember":            {"MEMBER_INVITE", once, roles(`mutation { inviteMember(input: {role: AGENT, commune: "commune_56121"}) { code } }`, identity.Customer), []identity.Kind{identity.Admin, identity.Agent}},
		"acceptInvitation": {
			"INVITATION_ACCEPT", once, roles(`mutation ($code: String!) { acceptInvitation(input: {code: $code}) { role { name shopId commune { slug } } } }`, identity.Customer),
			[]identity.Kind{identity.Admin, identity.Agent, identity.Hotline},
		},
		"grantRole": {
			"ROLE_GRANT", once, roles(`mutation ($a: ID!) { grantRole(input: {account: $a, role: AGENT, commune: "commune_56121"}) { member { name } } }`, identity.Customer),
			[]identity.Kind{identity.Admin, identity.Agent},
		},
		"revokeRole": {
			"ROLE_REVOKE", once, roles(`mutation ($a: ID!) { revokeRole(input: {account: $a, role: AGENT, commune: "commune_56121"}) { member { account roles { name } } } }`, identity.Agent),
			[]identity.Kind{identity.Admin, identity.Agent},
		},
		"setOpeningHours": {"OPENING_HOURS_SET", once, shops(`mutation ($s: ID!) { setOpeningHours(input: {shop: $s, version: 1, weekly: []}) { shop { version } } }`), office},
		"setSpecialHours": {"SPECIAL_HOURS_SET", once, shops(`mutation ($s: ID!) { setSpecialHours(input: {shop: $s, version: 1, date: "` + time.Now().AddDate(0, 0, 9).Format(time.DateOnly) + `", intervals: []}) { shop { version } } }`), office},
		"closeShop":       {"SHOP_CLOSE", once, shops(`mutation ($s: ID!) { closeShop(input: {shop: $s}) { shop { openNow } } }`), office},
		"reopenShop":      {"SHOP_REOPEN", once, shops(`mutation ($c: ID!) { reopenShop(input: {closure: $c}) { shop { openNow } } }`), office},
		"confirmShop":     {"SHOP_CONFIRM", once, shops(`mutation ($s: ID!) { confirmShop(input: {shop: $s}) { shop { lastConfirmedAt } } }`), office},
		"setFulfilments":  {"FULFILMENTS_SET", once, shops(`mutation ($s: ID!) { setFulfilments(input: {shop: $s, version: 1, fulfilments: []}) { shop { version } } }`), office},
		"closeSlot":       {"SLOT_CLOSE", once, slots, office},
		"reopenSlot":      {"SLOT_REOPEN", once, slots, office},
		"setSlotCapacity": {"SLOT_CAPACITY_SET", once, slots, office},
		"declareRestriction": {
			"RESTRICTION_DECLARE", once, rules(`mutation { declareRestriction(input: {communes: ["commune_56121"], rank: MAYOR, title: "Jauge", from: "2020-11-28T00:00:00Z", allows: [VISIT, PICKUP, DELIVERY], squareMetres: 8}) { restrictions { id } } }`),
			office,
		},
		"endRestriction": {"RESTRICTION_END", once, rules(`mutation ($r: ID!) { endRestriction(input: {restriction: $r, version: 1}) { restrictions { until version } } }`), office},
		"eraseCallerData": {
			"CALLER_ERASE", []string{"COLLECTED"}, func(t *testing.T, _ string, v *identity.Viewer, status string) (string, bool) {
				t.Helper()
				id := order(status)
				return id, h.As(v).Query(t, `mutation ($o: ID!) { eraseCallerData(input: {order: $o}) { orderCount } }`, graphtest.Vars{"o": id}).Code() == ""
			}, []identity.Kind{identity.Hotline},
		},
		"createWidgetKey": {
			"WIDGET_KEY_CREATE", once, keys(`mutation { createWidgetKey(input: {commune: "commune_56121", name: "Site", origins: ["https://lorient.bzh"]}) { key { id } } }`),
			[]identity.Kind{identity.Admin, identity.Agent},
		},
		"startRegistration": {
			"REGISTRATION_START", once, func(t *testing.T, _ string, v *identity.Viewer, _ string) (string, bool) {
				t.Helper()
				a := h.As(v).Query(t, `mutation { startRegistration(input: {commune: "commune_56121", answers: {name: "Chez Ève"}}) { registration { id } } }`, nil)
				return a.Get("startRegistration.registration.id").String(), a.Code() == ""
			}, []identity.Kind{identity.Admin, identity.Agent, identity.Hotline},
		},
		"saveRegistration":   {"REGISTRATION_SAVE", started, dossiers(`answers: {name: "Chez Ève"}`), []identity.Kind{identity.Admin, identity.Agent, identity.Hotline}},
		"submitRegistration": {"REGISTRATION_SUBMIT", started, dossiers(""), []identity.Kind{identity.Admin, identity.Agent, identity.Hotline}},
		"rotateWidgetKey":    {"WIDGET_KEY_ROTATE", once, keys(`mutation ($k: ID!) { rotateWidgetKey(input: {key: $k}) { key { id } } }`), []identity.Kind{identity.Admin, identity.Agent}},
		"addPhoto":           {"PHOTO_ADD", once, photos, []identity.Kind{identity.Admin, identity.Agent}},
		"removePhoto":        {"PHOTO_REMOVE", once, photos, []identity.Kind{identity.Admin, identity.Agent}},
		"reorderPhotos":      {"PHOTO_REORDER", once, photos, []identity.Kind{identity.Admin, identity.Agent}},
		"importProducts":     {"IMPORT", once, imports, []identity.Kind{identity.Admin, identity.Agent}},
		"importShops":        {"IMPORT", once, shopImports, []identity.Kind{identity.Admin, identity.Agent}},
		"undoImport":         {"IMPORT_UNDO", once, imports, []identity.Kind{identity.Admin, identity.Agent}},
		"revokeWidgetKey":    {"WIDGET_KEY_REVOKE", once, keys(`mutation ($k: ID!) { revokeWidgetKey(input: {key: $k}) { key { id } } }`), []identity.Kind{identity.Admin, identity.Agent}},

		"callBackRegistration": {"REGISTRATION_CALL_BACK", started, dossiers(""), []identity.Kind{identity.Admin, identity.Agent, identity.Hotline}},
		"verifyRegistration":   {"REGISTRATION_VERIFY", []string{"STARTED", "SUBMITTED"}, dossiers("version: 1, invite: false"), []identity.Kind{identity.Admin, identity.Agent}},
		"rejectRegistration":   {"REGISTRATION_REJECT", []string{"STARTED", "SUBMITTED"}, dossiers("reason: UNREACHABLE"), []identity.Kind{identity.Admin, identity.Agent}},
		"publishShop":          {"SHOP_PUBLISH", []string{"DRAFT", "PENDING", "SUSPENDED"}, storefronts(""), []identity.Kind{identity.Admin, identity.Agent}},
		"suspendShop":          {"SHOP_SUSPEND", []string{"PUBLISHED", "PENDING"}, storefronts("reason: NOT_CONFIRMED"), []identity.Kind{identity.Admin, identity.Agent}},
		"reinstateShop":        {"SHOP_REINSTATE", []string{"SUSPENDED", "DRAFT"}, storefronts(""), []identity.Kind{identity.Admin, identity.Agent}},
		"updateShop":           {"SHOP_UPDATE", []string{"PUBLISHED"}, storefronts(`version: 1, name: "Chez Ève"`), []identity.Kind{identity.Admin, identity.Agent}},
		"logCall": {
			"CALL_LOG", once, func(t *testing.T, _ string, v *identity.Viewer, _ string) (string, bool) {
				t.Helper()
				a := h.As(v).Query(t, `mutation { logCall(input: {commune: "commune_56121", reason: RULES, outcome: DONE, seconds: 90}) { call { id } } }`, nil)
				return a.Get("logCall.call.id").String(), a.Code() == ""
			}, []identity.Kind{identity.Admin, identity.Hotline},
		},
	}
	settings := func(document string) func(*testing.T, string, *identity.Viewer, string) (string, bool) {
		return func(t *testing.T, field string, v *identity.Viewer, _ string) (string, bool) {
			t.Helper()
			switch field { // what there is to change
			case "pauseOrders":
				d.Exec(t, `update commune_settings set paused_at = null, pause_text = null`)
			case "resumeOrders":
				d.Exec(t, `update commune_settings set paused_at = now(), pause_text = 'x'`)
			case "mergeCommune":
				d.Exec(t, `update communes set current_insee = null`)
			}
			version := pgtest.Scan[int](t, d, `select version from commune_settings where commune_id = '56121'`)
			return commune.String(), h.As(v).Query(t, strings.ReplaceAll(document, "VERSION", fmt.Sprint(version)), nil).Code() == ""
		}
	}
	d.Exec(t, `insert into commune_settings (commune_id, version, updated_at) values ('56121', 1, now())`)
	ways["setCommuneSettings"] = way{"COMMUNE_SETTINGS", once, settings(`mutation { setCommuneSettings(input: {commune: "commune_56121", version: VERSION, officeName: "Mairie"}) { settings { version commune { slug } officeName } } }`), []identity.Kind{identity.Admin, identity.Agent}}
	ways["pauseOrders"] = way{"ORDERS_PAUSE", once, settings(`mutation { pauseOrders(input: {commune: "commune_56121", text: "Tempête."}) { settings { pausedAt } } }`), []identity.Kind{identity.Admin, identity.Agent}}
	ways["resumeOrders"] = way{"ORDERS_RESUME", once, settings(`mutation { resumeOrders(input: {commune: "commune_56121"}) { settings { pausedAt } } }`), []identity.Kind{identity.Admin, identity.Agent}}
	ways["mergeCommune"] = way{"COMMUNE_MERGE", once, settings(`mutation { mergeCommune(input: {commune: "commune_56121", successor: "56999"}) { commune { currentInsee } } }`), []identity.Kind{identity.Admin}}
	delegated := func(document string) func(*testing.T, string, *identity.Viewer, string) (string, bool) {
		return func(t *testing.T, field string, v *identity.Viewer, status string) (string, bool) {
			t.Helper()
			id := tenancy.NewID(tenancy.KindDelegation, fixture.Lorient)
			d.Exec(t, `delete from delegations`)
			if field != "askDelegation" {
				d.Exec(t, `insert into delegations (commune_id, id, shop_id, agent_id, reason, days, asked_at) values ($1, $2, $3, $4, 'x', 1, now())`,
					id.Commune, id.Row, shop.Row, staff[identity.Agent].Account)
			}
			return shop.String(), h.As(v).Query(t, document, graphtest.Vars{"d": id.String(), "s": shop.String()}).Code() == ""
		}
	}
	invited := func(document string) func(*testing.T, string, *identity.Viewer, string) (string, bool) {
		return func(t *testing.T, field string, v *identity.Viewer, _ string) (string, bool) {
			t.Helper()
			id := tenancy.ID{Kind: tenancy.KindInvitation, Row: tenancy.NewRow()}
			d.Exec(t, `insert into invitations (id, role, commune_id, shop_id, invited_by, created_at, expires_at) values ($1, 'MERCHANT', $2, $3, $4, now(), now() + interval '1 day')`,
				id.Row, shop.Commune, shop.Row, v.Account)
			return shop.String(), h.As(v).Query(t, document, graphtest.Vars{"i": id.String()}).Code() == ""
		}
	}
	ways["resendInvitation"] = way{"INVITATION_RESEND", once, invited(`mutation ($i: ID!) { resendInvitation(input: {invitation: $i}) { code invitation { id } } }`), []identity.Kind{identity.Admin, identity.Agent}}
	ways["revokeInvitation"] = way{"INVITATION_REVOKE", once, invited(`mutation ($i: ID!) { revokeInvitation(input: {invitation: $i}) { invitation { id } } }`), []identity.Kind{identity.Admin, identity.Agent}}
	ways["askDelegation"] = way{"DELEGATION_ASK", once, delegated(`mutation ($s: ID!) { askDelegation(input: {shop: $s, days: 1, reason: "x"}) { delegation { id } } }`), []identity.Kind{identity.Agent}}
	ways["delegateShop"] = way{"SHOP_DELEGATE", once, delegated(`mutation ($d: ID!) { delegateShop(input: {delegation: $d}) { delegation { id } } }`), nil} // merchants do
	ways["endDelegation"] = way{"DELEGATION_END", once, delegated(`mutation ($d: ID!) { endDelegation(input: {delegation: $d}) { delegation { id } } }`), []identity.Kind{identity.Admin, identity.Agent}}
	log := func() int { return pgtest.Scan[int](t, d, `select count(*) from audit_events`) }
	// Done twice, it is done once.
	before := log()
	id := order("PLACED")
	for range 2 {
		act(h.As(staff[identity.Hotline]), "acceptOrder", id, "").OK(t)
	}
	if left := log() - before; left != 1 {
		t.Errorf("accepted twice, %d entries", left)
	}
	for _, f := range generated.NewExecutableSchema(generated.Config{}).Schema().Mutation.Fields {
		way, shown := ways[f.Name]
		if _, is := private[f.Name]; is == shown {
			t.Errorf("%s is private, or leaves an entry: say which in this test", f.Name)
		}
		if !shown {
			continue
		}
		var by []identity.Kind
		for kind, v := range staff {
			for _, status := range way.in {
				before := log()
				object, done := way.do(t, f.Name, v, status)
				left := log() - before
				if !done {
					if left != 0 {
						t.Errorf("%s, refused to %s, left %d entries", f.Name, kind, left)
					}
					continue
				}
				if by = append(by, kind); left != 1 {
					t.Errorf("%s by %s in %s left %d entries", f.Name, kind, status, left)
					continue
				}
				last := pgtest.Scan[string](t, d, `select concat_ws(' ', kind, account_id, action, object, before_hash is null, after_hash is null, before_hash = after_hash)
					from audit_events where commune_id = '56121' order by seq desc limit 1`)
				same := "f f f"
				switch f.Name {
				case "askDelegation", "createWidgetKey", "createProduct", "startRegistration", "logCall", "declareRestriction", "inviteMember", "acceptInvitation", "grantRole", "importProducts", "importShops", "addPhoto":
					same = "t f"
				case "revokeRole", "endDelegation", "revokeInvitation", "removePhoto":
					same = "f t"
				case "enterPhoneOrder":
					same = "t f"
				}
				if want := fmt.Sprint(kind, " ", v.Account, " ", way.action, " ", object, " ", same); last != want {
					t.Errorf("%s by %s left %s, want %s", f.Name, kind, last, want)
				}
			}
		}
		slices.Sort(by)
		if by = slices.Compact(by); !slices.Equal(by, way.by) {
			t.Errorf("%s was done by %v, want %v", f.Name, by, way.by)
		}
	}
	const members = `query ($c: ID, $s: ID) { members(commune: $c, shop: $s) { account name roles { name commune { slug } shopId grantedAt } } }`
	agent := h.As(staff[identity.Agent])
	if a := agent.Query(t, members, graphtest.Vars{"s": shop.String()}).OK(t); a.Get("members.#").Int() != 4 || a.Get("members.0.roles.0.shopId").String() != shop.String() {
		t.Errorf("who runs the shop: %s", a.Body) // the merchant, and the three who took up an invitation
	}
	if a := agent.Query(t, members, graphtest.Vars{"c": commune.String()}).OK(t); a.Get("members.#").Int() < 2 || a.Get("members.0.roles.0.commune.slug").String() != "lorient" {
		t.Errorf("who works for the commune: %s", a.Body)
	}
	if a := agent.Query(t, members, nil); a.Code() != fault.Forbidden {
		t.Errorf("who runs the platform: %s", a.Body)
	}
	if n, err := h.Resolver.Audit.Broken(t.Context(), fixture.Lorient); n != 0 || err != nil {
		t.Errorf("the log is broken at %d, %v", n, err)
	}
}
