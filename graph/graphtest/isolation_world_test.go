package graphtest_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/graph/graphtest"
	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
	"github.com/audelor/halles/migrations"
)

// person is a viewer of one kind, and what is its own.
type person struct {
	kind     string
	cursors  map[string]bool   // that it gets itself
	unknown  map[string][]byte // what it is answered for what nobody has, see matrix.unknown
	answers  map[string][]byte // to queries, see matrix.ask
	viewer   *identity.Viewer
	shops    []uuid.UUID
	communes []string
	orders   []uuid.UUID
	account  uuid.UUID
	within   string // the only commune there is for a widget
}

// side is a merchant's two shops with all that belongs to them: the first of each thing is
// published, the second withheld; the first order is a guest's, the second a customer's.
type side struct {
	name                            string
	commune                         string
	shops, products, variants, rows []tenancy.ID // rows are orders
	closures                        []tenancy.ID
	restriction                     tenancy.ID
	dossier                         tenancy.ID   // the customer's
	sent, imported                  tenancy.ID   // a file, and what was imported from one
	delegations                     []tenancy.ID // of each shop
	invitation                      tenancy.ID   // to run the second shop
	image                           tenancy.ID
	photos                          []tenancy.ID // of the published shop, of the other, of the published product
	guest, customer                 *identity.Viewer
	widget                          *identity.WidgetKey
	key                             string              // the idempotency key of the customer's order
	digest                          string              // what the database has of the guest's secret
	cursors                         map[string][]string // what its people get, by the field that takes them
	words                           map[string][]string // what its withheld things are found by: siret, number …
}

// newSide makes a side in a commune.
func newSide(t *testing.T, h *graphtest.Harness, name, commune string) *side {
	t.Helper()
	s := &side{name: name, commune: commune, customer: fixture.Viewer(t, h.Database, identity.Customer)}
	for _, status := range []directory.ShopStatus{directory.Published, directory.Draft} {
		shop := fixture.Shop(t, h.Database, fixture.ShopOpts{Commune: commune, Status: status, Modes: []directory.FulfilmentMode{directory.Pickup, directory.Delivery}})
		s.shops = append(s.shops, shop)
		for _, status := range []string{"ACTIVE", "DRAFT"} {
			p := fixture.Product(t, h.Database, shop, fixture.ProductOpts{Status: status, Variants: 2})
			s.products, s.variants = append(s.products, p.ID), append(s.variants, p.Variants[0])
		}
	}
	// Published, and withheld by the product or by the shop.
	s.products, s.variants = []tenancy.ID{s.products[0], s.products[1], s.products[2]}, []tenancy.ID{s.variants[0], s.variants[1], s.variants[2]}
	for _, c := range []graphtest.Client{h.Visitor(), h.As(s.customer)} {
		in := basket(shopBasket(s.shops[0], s.variants[0]))
		in["orders"].([]any)[0].(map[string]any)["note"] = "Une note"
		a := c.Query(t, placeOrders, graphtest.Vars{"input": in}).OK(t)
		id, err := tenancy.ParseID(a.Get("placeOrders.results.0.order.id").String())
		if err != nil {
			t.Fatalf("%v: %s", err, a.Body)
		}
		s.rows, s.key = append(s.rows, id), in["idempotencyKey"].(string)
	}
	d := h.Database
	start := h.Visitor().Query(t, `query ($s: ID!) { shop(id: $s) { slots(mode: PICKUP, first: 2) { start } } }`, graphtest.Vars{"s": s.shops[0].String()}).OK(t).Get("shop.slots.1.start").String()
	// Far ahead, so that nothing is closed when the others are asked.
	for _, shop := range s.shops {
		closure := tenancy.NewID(tenancy.KindClosure, commune)
		s.closures = append(s.closures, closure)
		d.Exec(t, `insert into closures (commune_id, id, shop_id, starts_at, ends_at, reason, created_at) values ($1, $2, $3, now() + '20 d', now() + '22 d', 'Congés', now())`, commune, closure.Row, shop.Row)
		d.Exec(t, `insert into special_hours (commune_id, shop_id, day, opens, closes, reason) values ($1, $2, current_date + 40, '{601}', '{662}', 'Marché')`, commune, shop.Row)
		d.Exec(t, `insert into slots (commune_id, shop_id, mode, starts_at, capacity, booked) values ($1, $2, 'PICKUP', $3, 5, 2)`, commune, shop.Row, start)
		d.Exec(t, `insert into holiday_openings (commune_id, shop_id, holiday) values ($1, $2, 'ARMISTICE')`, commune, shop.Row)
	}
	s.restriction = tenancy.NewID(tenancy.KindRestriction, commune)
	d.Exec(t, `insert into restrictions (commune_id, id, rank, title, reference, url, starts_at, naf_version, area_over_m2, visitors, square_metres, condition, pickup, delivery, declared_as, declared_at)
		values ($1, $2, 'MAYOR', 'Arrêté', 'n° 1', 'https://example.org/1', now() - interval '1 d', 'REV2', 400, true, 8, 'Un par un', true, true, 'ADMIN', now())`, commune, s.restriction.Row)
	if err := h.Resolver.Directory.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	// Staff that acts leaves its trace.
	d.Exec(t, `insert into audit_heads (commune_id, seq, hash) values ($1, 1, sha256('')) on conflict (commune_id) do update set seq = audit_heads.seq + 1`, commune)
	d.Exec(t, `insert into audit_events (commune_id, seq, at, account_id, kind, action, object, hash)
		select commune_id, seq, now(), $2, 'HOTLINE', 'ORDER_ACCEPT', $3, hash from audit_heads where commune_id = $1`, commune, s.customer.Account, s.rows[1].String())
	d.Exec(t, `insert into commune_settings (commune_id, version, office_name, office_email, office_phone, opening_text, website, paused_at, pause_text, updated_at)
		select $1, 1, 'Service commerce', 'commerce@example.org', '+33297000000', 'Bienvenue', 'https://example.org', null, null, now() on conflict do nothing`, commune)
	d.Exec(t, `insert into order_escalations (commune_id, order_id, step, at) values ($1, $2, 'CALL', now())`, commune, s.rows[0].Row)
	d.Exec(t, `insert into order_changes (commune_id, order_id, version, lines, quantities, missing, text, proposed_at) values ($1, $2, 1, '{1}', '{1}', true, 'La fournée est finie', now())`, commune, s.rows[0].Row)
	d.Exec(t, `update orders set change_version = 1, change_until = now() + interval '9 d' where commune_id = $1 and id = $2`, commune, s.rows[0].Row)
	d.Exec(t, `insert into erasures (id, subject, commune_id, subject_id, by_kind, asked_at, done_at) values (gen_random_uuid(), 'ORDER', $1, $2, 'GUEST', now(), now())`, commune, s.rows[0].Row)
	d.Exec(t, `insert into wrong_codes (commune_id, shop_id, paid_until) values ($1, $2, now())`, commune, s.shops[0].Row)
	s.dossier = fixture.Registration(t, d, fixture.RegistrationOpts{Commune: commune, Account: s.customer.Account, Status: directory.Submitted})
	d.Exec(t, `update registrations set call_back_at = now(), register_state = 'ACTIVE', register_answered_at = now(), register_name = 'X', register_naf = 'X',
		register_address = 'X', register_commune = 'X', decided_at = now(), reason_text = 'X' where commune_id = $1 and id = $2`, commune, s.dossier.Row)
	d.Exec(t, `insert into shop_steps (commune_id, shop_id, id, kind, at, actor, reason, reason_text)
		select commune_id, id, gen_random_uuid(), 'SUSPENDED', now(), 'AGENT', 'OTHER', 'X' from shops where commune_id = $1 and id = any ($2)`,
		commune, []uuid.UUID{s.shops[0].Row, s.shops[1].Row})
	// A file that waits, and one that was imported by somebody who has left.
	s.sent = tenancy.NewID(tenancy.KindUpload, commune)
	d.Exec(t, `insert into uploads (commune_id, id, account_id, name, size, complete, created_at, expires_at) values ($1, $2, $3, 'articles.csv', 3, true, now(), now() + interval '1 day')`,
		commune, s.sent.Row, s.customer.Account)
	d.Exec(t, `insert into upload_chunks (commune_id, upload_id, number, account_id, bytes) values ($1, $2, 0, $3, 'a;b')`, commune, s.sent.Row, s.customer.Account)
	s.imported = tenancy.NewID(tenancy.KindImport, commune)
	d.Exec(t, `insert into imports (commune_id, id, account_id, kind, status, file_name, line_count, changed_count, created_at, finished_at)
		values ($1, $2, $3, 'PRODUCTS', 'APPLIED', 'articles.csv', 1, 1, now(), now())`, commune, s.imported.Row, s.customer.Account)
	for n, i := range []int{0, 2} { // in the published shop, and in the other
		d.Exec(t, `insert into import_changes (commune_id, import_id, line, kind, state, label, shop_id, product_id, variant_id, lock_id, before, after)
			values ($1, $2, $3, 'CHANGED', 'APPLIED', 'REF', $4, $5, $6, $6, '{"prix": 1}', '{"prix": 2}')`,
			commune, s.imported.Row, n+2, s.shops[i/2].Row, s.products[i].Row, s.variants[i].Row)
	}
	for _, shop := range s.shops {
		s.delegations = append(s.delegations, tenancy.NewID(tenancy.KindDelegation, commune))
		d.Exec(t, `insert into delegations (commune_id, id, shop_id, agent_id, reason, days, asked_at) values ($1, $2, $3, $4, 'Inventaire', 3, now())`,
			commune, s.delegations[len(s.delegations)-1].Row, shop.Row, s.customer.Account)
	}
	s.invitation = tenancy.ID{Kind: tenancy.KindInvitation, Row: tenancy.NewRow()}
	d.Exec(t, `insert into invitations (id, role, commune_id, shop_id, invited_by, created_at, expires_at, email) values ($1, 'MERCHANT', $2, $3, $4, now(), now() + interval '1 day', 'anna@example.org')`,
		s.invitation.Row, commune, s.shops[1].Row, s.customer.Account)
	// An image that waits, and a photo of each product and each shop.
	image := func() tenancy.ID {
		id := tenancy.NewID(tenancy.KindMedia, commune)
		d.Exec(t, `insert into media (commune_id, id, account_id, width, height, large_hash, small_hash, expires_at) values ($1, $2, $3, 1, 1, 'a', 'b', now() + interval '1 day')`, commune, id.Row, s.customer.Account)
		d.Exec(t, `insert into media_files (commune_id, media_id, hash, bytes) values ($1, $2::uuid, $2::uuid::text, 'x')`, commune, id.Row)
		return id
	}
	s.image = image()
	photo := func(shop tenancy.ID, product *uuid.UUID) {
		id := tenancy.NewID(tenancy.KindPhoto, commune)
		s.photos = append(s.photos, id)
		d.Exec(t, `insert into photos (commune_id, id, shop_id, product_id, media_id, hash, small_hash, width, height, alt, position) values ($1, $2, $3, $4, $5, 'a', 'b', 1, 1, 'Une photo', 1)`,
			commune, id.Row, shop.Row, product, image().Row)
	}
	photo(s.shops[0], nil)
	photo(s.shops[1], nil)
	photo(s.shops[0], &s.products[0].Row)
	d.Exec(t, `insert into calls (commune_id, id, at, operator_id, reason, outcome, seconds, registration_id, order_id)
		values ($1, gen_random_uuid(), now(), gen_random_uuid(), 'REGISTRATION', 'DONE', 60, $2, $3)`, commune, s.dossier.Row, s.rows[0].Row)
	d.Exec(t, `insert into shop_reminders (commune_id, shop_id, reminded_at) values ($1, $2, now())`, commune, s.shops[0].Row)
	for _, shop := range s.shops {
		d.Exec(t, `insert into shop_facts (commune_id, shop_id, day, mode, channel, placed, orders, items, gross_cents, vat_cents, rejected, cancelled, no_shows)
			values ($1, $2, current_date - 1, 'PICKUP', 'WEB', 1, 1, 1, 100, 0, 0, 0, 0)`, commune, shop.Row)
		d.Exec(t, `insert into shop_fact_rates (commune_id, shop_id, day, mode, channel, vat_rate, gross_cents, vat_cents) values ($1, $2, current_date - 1, 'PICKUP', 'WEB', 0, 100, 0)`, commune, shop.Row)
	}
	d.Exec(t, `insert into published_contributions (commune_id, month, shop_id, mode, sector, siren, orders, items, gross_cents, vat_cents)
		values ($1, '2026-10-01', $2, 'PICKUP', 'culture', '123456789', 1, 1, 100, 10)`, commune, s.shops[0].Row)
	d.Exec(t, `insert into fact_heads (commune_id, seq) values ($1, 0) on conflict do nothing`, commune)
	s.widget = fixture.WidgetKey(t, h.Database, commune, "https://"+name+".example.org")
	s.guest = fixture.Viewer(t, h.Database, identity.Visitor).GuestOf(s.rows[0])
	s.digest = pgtest.Scan[string](t, h.Database, `select translate(encode(digest, 'base64'), '+/=', '-_') from guest_links where order_id = $1`, s.rows[0].Row)
	return s
}

// people is a viewer of each kind of whom a side is the own one.
func (s *side) people(t *testing.T, h *graphtest.Harness) []*person {
	t.Helper()
	d := h.Database
	all := fixture.Viewer(t, d, identity.Visitor).AllCommunes()
	widget, err := fixture.Viewer(t, d, identity.Visitor).Through(s.widget)
	if err != nil {
		t.Fatal(err)
	}
	return []*person{
		{kind: "visitor", viewer: fixture.Viewer(t, d, identity.Visitor)},
		{kind: "widget", viewer: widget, within: s.commune},
		{kind: "guest", viewer: s.guest, orders: []uuid.UUID{s.rows[0].Row}},
		{kind: "customer", viewer: s.customer, orders: []uuid.UUID{s.rows[1].Row}, account: s.customer.Account},
		{kind: "merchant", viewer: fixture.Viewer(t, d, identity.Merchant, s.shops...), shops: []uuid.UUID{s.shops[0].Row, s.shops[1].Row}},
		{kind: "agent", viewer: fixture.Viewer(t, d, identity.Agent, s.shops[0]), communes: []string{s.commune}},
		{kind: "hotline", viewer: fixture.Viewer(t, d, identity.Hotline), communes: all},
		{kind: "analyst", viewer: fixture.Viewer(t, d, identity.Analyst)},
		{kind: "admin", viewer: fixture.Viewer(t, d, identity.Admin), communes: all},
	}
}

// canary is a value that is nowhere else, in a column of a row.
type canary struct {
	table, column string
	row           row
}

func (c *canary) String() string { return c.table + "." + c.column + " of " + c.row.String() }

// row tells whose a row is.
type row struct {
	Ctid      string
	Key       string // the primary key
	Commune   string
	Shop      *uuid.UUID
	Order     *uuid.UUID
	Account   *uuid.UUID
	Published bool
}

func (r row) String() string {
	return fmt.Sprintf("commune %s, shop %v, order %v, published %t", r.Commune, r.Shop, r.Order, r.Published)
}

// owns tells whether a row is a person's own.
func (p *person) owns(r row) bool {
	return r.Shop != nil && slices.Contains(p.shops, *r.Shop) || slices.Contains(p.communes, r.Commune) ||
		r.Order != nil && slices.Contains(p.orders, *r.Order) || r.Account != nil && *r.Account == p.account && p.account != uuid.Nil
}

// reads tells whether the table beside the policies lets a person read a canary.
func (p *person) reads(c *canary) bool {
	own, public := migrations.ReadBy(c.table, c.column, p.kind)
	if !identity.Checked { // row-level security knows rows; which columns of one's own is the program's
		own = true
	}
	return own && p.owns(c.row) || public && c.row.Published && p.spans(c.row.Commune)
}

// spans tells whether a commune's catalogue is there for a person.
func (p *person) spans(commune string) bool { return p.within == "" || p.within == commune }

// canaries are the values by themselves.
type canaries map[string]*canary

// siretOf is a number that has a SIRET's form: 7, n, and Luhn's check digit.
func siretOf(n int) string {
	for check := range 10 {
		if s := directory.Siret(fmt.Sprintf("7%012d%d", n, check)); s.Valid() {
			return string(s)
		}
	}
	panic("no check digit")
}

// singing finds whatever may be a canary in a text.
var singing = regexp.MustCompile(`QZX[0-9]{5}|[0-9a-f]{8}-[0-9a-f-]{27}|7[0-9]{13}|7[0-9]{7}|2001-[0-9-]{5}T[0-9:]{8}Z|[0-9a-hjkmnp-tv-z]{26}`)

func (all canaries) in(text []byte) []*canary {
	var found []*canary
	for _, word := range singing.FindAll(text, -1) {
		if c := all[string(word)]; c != nil && !slices.Contains(found, c) {
			found = append(found, c)
		}
	}
	return found
}

// kept are columns that stay as they are: what the program counts, orders or finds by.
var kept = []string{
	"commune_id", "version", "seq", "order_seq", "pruned", "line", "position", "quantity", "weekday", "opens", "closes", "scope", "key",
	"idempotency_key", "latitude", "longitude", "starts_at", "categories", "naf_codes", "except_categories", "except_naf_codes",
}

// release puts a canary into each text, number and instant of every row of every tenant table,
// where the column takes one: a status, a code with a check of its form or a foreign key does not.
func release(t *testing.T, d *pgtest.Database) (canaries, []*table) {
	t.Helper()
	ctx := t.Context()
	conn, err := pgx.Connect(ctx, d.AdminURL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	all, n := canaries{}, 0
	var tables []*table
	for _, found := range query[table](t, conn, `
		select c.relname as name, array_agg(a.attname::text order by a.attnum) as columns, array_agg(format_type(a.atttypid, null) order by a.attnum) as types,
			array_agg(a.attname::text order by a.attnum) filter (where a.attnum = any (i.indkey)) as keys, has_any_column_privilege('halles_public', c.oid, 'SELECT') as public
		from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
		join pg_index i on i.indrelid = c.oid and i.indisprimary
		where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
		and exists (select from pg_attribute k where k.attrelid = c.oid and k.attname = 'commune_id') and (c.relrowsecurity or $1 and c.relname = 'widget_keys')
		group by c.oid, c.relname order by c.relname`, identity.Checked) { // what is global, row-level security does not know
		table := &found
		tables = append(tables, table)
		has := func(name string) bool { return slices.Contains(table.Columns, name) }
		table.rows = query[row](t, conn, table.rowsOf(has))
		if len(table.rows) == 0 {
			t.Errorf("no row of %s: make some in newSide, so that the matrix has something to find", table.Name)
		}
		for place, r := range table.rows {
			at := r.Ctid
			for i, name := range table.Columns {
				kind := table.Types[i]
				if name == "id" || name == "idempotency_key" {
					value := scan[string](t, conn, "select "+name+"::text from "+table.Name+" where ctid = $1::tid", at)
					if id, err := uuid.Parse(value); err == nil {
						_, tail, _ := strings.Cut(tenancy.RowID(tenancy.KindShop, "00000", id).String(), "_00000_")
						all[tail] = &canary{table.Name, name, r}
					}
					value, _, _ = strings.Cut(value, "/") // a key and the shop
					all[value] = &canary{table.Name, name, r}
				}
				if slices.Contains(kept, name) {
					continue
				}
				n++
				var values []any
				switch kind {
				case "text":
					values = []any{fmt.Sprintf("QZX%05d", n), siretOf(n)}
				case "text[]":
					values = []any{[]string{fmt.Sprintf("QZX%05d", n)}}
				case "integer", "bigint":
					values = []any{70_000_000 + n}
				case "timestamp with time zone":
					if regexp.MustCompile("expire|until|end|valid|close|revoked").MatchString(name) {
						continue
					}
					values = []any{time.Date(2001, 1, 1, 0, n, 0, 0, time.UTC)}
				}
				for _, v := range values {
					var moved string
					err := conn.QueryRow(ctx, "update "+table.Name+" set "+pgx.Identifier{name}.Sanitize()+" = $1 where ctid = $2::tid returning ctid::text", v, at).Scan(&moved)
					if err != nil {
						continue
					}
					at = moved
					text := fmt.Sprint(v)
					switch v := v.(type) {
					case time.Time:
						text = v.Format(time.RFC3339)
					case []string:
						text = v[0]
					}
					all[text] = &canary{table.Name, name, r}
					break
				}
			}
			// A canary may be in the key itself.
			table.rows[place].Key = scan[string](t, conn, "select "+table.key()+" from "+table.Name+" where ctid = $1::tid", at)
		}
	}
	return all, tables
}

// table is a tenant table.
type table struct {
	Name    string
	Columns []string
	Types   []string
	Keys    []string // the columns of its primary key
	Public  bool     // halles_public reads of it what is published
	rows    []row
}

// key writes a row's primary key.
func (t *table) key() string { return "(" + strings.Join(t.Keys, ", ") + ")::text" }

// rowsOf finds the table's rows and whose they are, by the keys that it has.
func (t *table) rowsOf(has func(string) bool) string {
	table := t.Name
	shop, order, account := "null::uuid", "null::uuid", "null::uuid"
	switch {
	case table == "shops":
		shop = "t.id"
	case has("shop_id"):
		shop = "t.shop_id"
	case has("variant_id"):
		shop = "(select v.shop_id from variants v where v.commune_id = t.commune_id and v.id = t.variant_id)"
	case has("product_id"):
		shop = "(select v.shop_id from products v where v.commune_id = t.commune_id and v.id = t.product_id)"
	case has("order_id"):
		shop = "(select o.shop_id from orders o where o.commune_id = t.commune_id and o.id = t.order_id)"
	}
	if table == "registrations" { // elsewhere an account is who did something
		account = "t.account_id"
	}
	switch {
	case table == "orders":
		order = "t.id"
	case has("order_id"):
		order = "t.order_id"
	}
	published := "exists (select from shops s where s.commune_id = t.commune_id and s.id = " + shop + " and s.status = 'PUBLISHED')"
	switch {
	case has("published"):
		published = "t.published"
	case has("order_id") || table == "orders":
		published = "false"
	case shop == "null::uuid":
		published = "true" // a whole commune's
	}
	return "select t.ctid::text, " + t.key() + " as key, t.commune_id as commune, " + shop + " as shop, " + order + ` as "order", ` + account + " as account, " + published + " as published from " + table + " t"
}

func query[T any](t *testing.T, conn *pgx.Conn, sql string, args ...any) []T {
	t.Helper()
	rows, err := conn.Query(t.Context(), sql, args...)
	if err != nil {
		t.Fatalf("%v in %s", err, sql)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[T])
	if err != nil {
		t.Fatalf("%v in %s", err, sql)
	}
	return list
}

func scan[T any](t *testing.T, conn *pgx.Conn, sql string, args ...any) (v T) {
	t.Helper()
	if err := conn.QueryRow(t.Context(), sql, args...).Scan(&v); err != nil {
		t.Fatalf("%v in %s", err, sql)
	}
	return v
}
