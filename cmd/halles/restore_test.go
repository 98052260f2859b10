package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/ordering"
	"github.com/audelor/halles/internal/page"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/privacy"
	"github.com/audelor/halles/internal/tenancy"
)

// The restore drill: what pg_dump saved is there again to the row, with its locks; who was erased
// since is erased again; a cursor from before has expired, and the server goes on from there.
func TestRestoreDrill(t *testing.T) {
	drill(t)
	d := pgtest.New(t)
	dump, restore := d.Cluster.Program("pg_dump"), d.Cluster.Program("pg_restore")
	for _, program := range []string{dump, restore} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("no %s beside this Postgres: install its client programs", filepath.Base(program))
		}
	}
	shop := fixture.Shop(t, d, fixture.ShopOpts{Name: "À la lettre œ"})
	variant := fixture.Product(t, d, shop, fixture.ProductOpts{Stock: 10}).Variants[0]
	before := &restarting{address: freePort(t), log: &output{}, env: append(operating(d), "HALLES_TEST_PROGRAM=1", "HALLES_LEAVE=0s")}
	before.start(t)
	order, link, guest := follow(t, before.address, shop, variant)
	cursor := firstOf(t, before.address, guest, order, "").Get("data.orderUpdated.cursor").String()
	if cursor == "" {
		t.Fatal("no cursor")
	}
	before.kill(t)
	erased, kept := someone(t, d, shop, variant, "canari"), someone(t, d, shop, variant, "hirondelle")
	there := erased.found(t, d)

	file := filepath.Join(t.TempDir(), "halles.dump")
	was := everyRow(t, d)
	saved, err := exec.CommandContext(t.Context(), dump, "--format=custom", "--file="+file, d.URL("halles_backup")).CombinedOutput()
	if err != nil {
		t.Fatalf("pg_dump: %v: %s", err, saved)
	}
	book := erased.erase(t, d)
	if left := erased.found(t, d); len(left) > 0 {
		t.Fatalf("who was erased is still in %v", left)
	}
	after := pgtest.Bare(t)
	if said, err := exec.CommandContext(t.Context(), restore, "--exit-on-error", "--dbname="+after.AdminURL(), file).CombinedOutput(); err != nil {
		t.Fatalf("pg_restore: %v: %s", err, said)
	}
	is := everyRow(t, after)
	for table, rows := range was {
		if is[table] != rows {
			t.Errorf("%s: %s, restored %s", table, rows, is[table])
		}
	}
	if len(was) < 40 || len(is) != len(was) {
		t.Errorf("%d tables, restored %d", len(was), len(is))
	}
	if code, out, problems := halles(t, operating(after), "restored"); code != 0 {
		t.Errorf("exit %d: %s%s", code, out, problems)
	}

	if back := erased.found(t, after); !slices.Equal(back, there) {
		t.Errorf("restored, it names somebody in %v, and did in %v", back, there)
	}
	erased.replay(t, after, book)
	if left := kept.found(t, after); !slices.Equal(left, there) {
		t.Errorf("of somebody else there is %v, and was %v", left, there)
	}

	// serve itself refuses a database without its locks.
	again := &restarting{address: freePort(t), log: &output{}, env: append(operating(after), "HALLES_TEST_PROGRAM=1", "HALLES_LEAVE=0s")}
	again.start(t)
	t.Cleanup(func() { again.kill(t) })
	guest = exchanged(t, again.address, link)
	if a := firstOf(t, again.address, guest, order, cursor); a.Get("errors.0.extensions.code").String() != "CURSOR_EXPIRED" {
		t.Errorf("a cursor from before the restore answers %s", a.Raw)
	}
	if a := firstOf(t, again.address, guest, order, ""); a.Get("data.orderUpdated.status").String() != "PLACED" {
		t.Errorf("the order answers %s", a.Raw)
	}
}

// follow places an order as a guest, and returns it with its link and the token that the link opens.
func follow(t *testing.T, address string, shop, variant tenancy.ID) (order, link, guest string) {
	t.Helper()
	made := post(t, address, "", `mutation ($in: PlaceOrdersInput!) { placeOrders(input: $in) { guestSecret results { order { id } } } }`,
		map[string]any{"in": map[string]any{
			"idempotencyKey": "before-the-restore", "contact": map[string]any{"name": "Anna", "phone": "+33612345678"},
			"orders": []any{map[string]any{"shop": shop.String(), "mode": "PICKUP", "lines": []any{map[string]any{"variant": variant.String(), "quantity": 2}}}},
		}})
	order, link = made.Get("placeOrders.results.0.order.id").String(), made.Get("placeOrders.guestSecret").String()
	return order, link, exchanged(t, address, link)
}

// exchanged is the token that a guest's link opens.
func exchanged(t *testing.T, address, link string) string {
	t.Helper()
	return post(t, address, "", `mutation ($secret: String!) { exchangeGuestLink(input: {secret: $secret}) { token } }`,
		map[string]any{"secret": link}).Get("exchangeGuestLink.token").String()
}

// everyRow is, of each table with rows, how many and a digest of them all. The epoch is not kept.
func everyRow(t *testing.T, d *pgtest.Database) map[string]string {
	t.Helper()
	rows, err := d.Migrate.Query(t.Context(), `select quote_ident(schemaname) || '.' || quote_ident(tablename) from pg_tables
		where schemaname not in ('pg_catalog', 'information_schema') and tablename not in ('feed_epoch', 'river_leader', 'published_changes') order by 1`)
	if err != nil {
		t.Fatal(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, table := range tables {
		all[table] = pgtest.Scan[string](t, d, `select count(*) || ' rows ' || coalesce(md5(string_agg(t::text, '|' order by t::text)), '') from `+table+` t`)
	}
	return all
}

// someone is a person with an account, an order of it, an order by telephone and a dossier: a name that
// nobody else has stands in each column of text that the rules say to be emptied when a person is erased.
type person struct {
	name    string
	account uuid.UUID
	called  tenancy.ID
}

// emptied are the rules whose columns of free text an erasure empties.
var emptied = []string{"account", "applicant", "order_contact"}

// coded are columns under these rules that hold no word of a person, but codes and digests; those of
// accounts, sessions and grants go with their rows.
var coded = []string{
	"accounts.issuer", "grants.role", "invitations.role", "sessions.digest", "sessions.hint", "sessions.issuer",
	"registrations.channel", "registrations.consent_channel", "registrations.consent_version", "registrations.moved_commune",
	"registrations.reason", "registrations.register_state", "registrations.status",
}

func someone(t *testing.T, d *pgtest.Database, shop, variant tenancy.ID, name string) *person {
	t.Helper()
	_, account := fixture.Account(t, d, identity.Customer)
	s := &person{name: name, account: account}
	text := func(what string) string { return what + " de " + name }
	mine := fixture.OrderOpts{
		Status: "REJECTED", Reason: "OTHER", Words: text("mot"), Note: text("note"), Name: text("nom"), Email: name + "@example.bzh", Street: text("rue"), Mode: "DELIVERY", Account: &account,
	}
	order := fixture.Order(t, d, shop, variant, mine)
	mine.Account = nil
	s.called = fixture.Order(t, d, shop, variant, mine)
	fixture.Registration(t, d, fixture.RegistrationOpts{Account: account})
	d.Exec(t, `update accounts set name = 'nom de ' || $2, email = $2 || '@example.bzh', subject = $2 where id = $1`, account, name)
	d.Exec(t, `update orders set scope = $1::text where customer_id = $1`, account)
	for _, o := range []tenancy.ID{order, s.called} {
		d.Exec(t, `update order_contacts set phone = '+33 ' || $2, postcode = $2, city = $2, latitude = 47.7, longitude = -3.4 where order_id = $1`, o.Row, name)
		d.Exec(t, `insert into order_changes (commune_id, order_id, version, lines, quantities, missing, text, proposed_at) values ($1, $2, 1, '{1}', '{1}', true, 'il manque à ' || $3, now())`, o.Commune, o.Row, name)
	}
	d.Exec(t, `update registrations set status = 'REJECTED', reason = 'OTHER', reason_text = 'pas à ' || $2, decided_at = now(), contact_name = $2, contact_phone = '+33 ' || $2,
		contact_email = $2 || '@example.bzh' where account_id = $1`, account, name)
	s.everywhere(t, d)
	return s
}

// everywhere wants the person in each column that says to be a person's: a new one is filled above.
func (s *person) everywhere(t *testing.T, d *pgtest.Database) {
	t.Helper()
	found := s.found(t, d)
	for table := range privacy.Columns {
		columns, err := pgx.CollectRows(must(d.Migrate.Query(t.Context(), `select attname from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped`, table)), pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		for _, column := range columns {
			rule, _ := privacy.RuleOf(table, column)
			if name := table + "." + column; slices.Contains(emptied, rule) && !slices.Contains(coded, name) && !slices.Contains(found, "public."+name) {
				t.Errorf("the drill has nobody in %s", name)
			}
		}
	}
}

// found is each column of the database that has the person's name or account in it, but for the ledger's
// own and the keys of three days that avoid a second order.
func (s *person) found(t *testing.T, d *pgtest.Database) (where []string) {
	t.Helper()
	rows := must(d.Migrate.Query(t.Context(), `select quote_ident(n.nspname) || '.' || quote_ident(c.relname), quote_ident(a.attname)
		from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
		where c.relkind in ('r', 'p') and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_' and c.relname not in ('erasures', 'idempotency_keys')
		and a.atttypid in ('text'::regtype, 'varchar'::regtype, 'uuid'::regtype, 'jsonb'::regtype, 'json'::regtype, 'text[]'::regtype, 'tsvector'::regtype, 'jsonb[]'::regtype)
		order by 1, 2`))
	columns := map[string][]string{}
	var table, column string
	if _, err := pgx.ForEachRow(rows, []any{&table, &column}, func() error {
		columns[table] = append(columns[table], column)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for table, columns := range columns {
		var counts []string
		for _, c := range columns {
			counts = append(counts, fmt.Sprintf(`case when bool_or(%[1]s::text ilike '%%' || $1 || '%%' or %[1]s::text = $2) then '%[2]s.%[1]s' end`, c, table))
		}
		hits := pgtest.Scan[[]string](t, d, `select array_remove(array[`+strings.Join(counts, ", ")+`], null) from `+table, s.name, s.account.String())
		where = append(where, hits...)
	}
	slices.Sort(where)
	return where
}

// erase erases the person as asked: the account by its owner, the orders by telephone by the hotline. It
// returns the file of the ledger, as the hourly copy has it.
func (s *person) erase(t *testing.T, d *pgtest.Database) (book string) {
	t.Helper()
	communes, cursors := tenancy.NewRegister(d.DB), page.NewSealer(fixture.Secret)
	p := &privacy.Privacy{
		DB: d.DB, Ordering: ordering.New(d.DB, cursors, nil), Registrations: directory.NewRegistrations(d.DB, communes, cursors, nil, fixture.Secret), Now: time.Now,
	}
	customer := fixture.Viewer(t, d, identity.Customer)
	customer.Account = s.account
	if _, err := p.EraseMine(t.Context(), customer, privacy.EraseMyDataInput{Confirm: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.EraseCaller(t.Context(), fixture.Viewer(t, d, identity.Hotline), privacy.EraseCallerDataInput{Order: s.called}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Carry(t.Context()); err != nil {
		t.Fatal(err)
	}
	code, out, problems := halles(t, operating(d), "privacy", "ledger")
	if code != 0 || strings.Contains(out, s.name) {
		t.Fatalf("the ledger: exit %d: %s%s", code, out, problems)
	}
	book = filepath.Join(t.TempDir(), "ledger")
	if err := os.WriteFile(book, []byte(out), 0o600); err != nil {
		t.Fatal(err)
	}
	return book
}

// replay brings a restored database up to the ledger, and wants the person gone from all of it.
func (s *person) replay(t *testing.T, d *pgtest.Database, book string) {
	t.Helper()
	if code, out, problems := halles(t, operating(d), "privacy", "replay", book); code != 0 {
		t.Fatalf("exit %d: %s%s", code, out, problems)
	}
	if left := s.found(t, d); len(left) > 0 {
		t.Errorf("restored and replayed, who was erased is in %v", left)
	}
	if n := pgtest.Scan[int](t, d, `select count(*) from order_contacts where order_id = $1 and jsonb_strip_nulls(to_jsonb(order_contacts)) <> jsonb_build_object('commune_id', commune_id, 'order_id', order_id)`, s.called.Row); n != 0 {
		t.Error("something of the contact is left")
	}
}

func must(rows pgx.Rows, err error) pgx.Rows {
	if err != nil {
		panic(err)
	}
	return rows
}
