package privacy_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/tidwall/gjson"

	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/ordering"
	"github.com/audelor/halles/internal/page"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/privacy"
	"github.com/audelor/halles/internal/tenancy"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// bench is the clockwork on a database of the test's own, and a shop.
type bench struct {
	*pgtest.Database
	*privacy.Privacy
	shop, variant tenancy.ID
}

func setup(t *testing.T) *bench {
	t.Helper()
	d := pgtest.New(t)
	b := &bench{Database: d, Privacy: clockwork(d), shop: fixture.Shop(t, d, fixture.ShopOpts{})}
	b.variant = fixture.Product(t, d, b.shop, fixture.ProductOpts{}).Variants[0]
	return b
}

func clockwork(d *pgtest.Database) *privacy.Privacy {
	communes, cursors := tenancy.NewRegister(d.DB), page.NewSealer(fixture.Secret)
	return &privacy.Privacy{
		DB: d.DB, Ordering: ordering.New(d.DB, cursors, identity.NewGuests(d.DB, communes, fixture.Secret)),
		Registrations: directory.NewRegistrations(d.DB, communes, cursors, nil, fixture.Secret), Now: time.Now,
	}
}

func (b *bench) order(t *testing.T, o fixture.OrderOpts) tenancy.ID {
	t.Helper()
	return fixture.Order(t, b.Database, b.shop, b.variant, o)
}

// said is all that an order says of its person.
func (b *bench) said(t *testing.T, order tenancy.ID) string {
	t.Helper()
	return pgtest.Scan[string](t, b.Database, `select concat_ws('|', c.name, c.phone, c.email, c.street, c.postcode, c.city, c.latitude, o.note, o.reason_text)
		from orders o join order_contacts c on c.commune_id = o.commune_id and c.order_id = o.id where o.id = $1`, order.Row)
}

// Every column of text or bytes is under a rule, or known to name nobody; none is in the lists that
// is not there, and every rule has columns.
func TestEveryColumnIsClassified(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	rows, err := d.Migrate.Query(t.Context(), `
		select case n.nspname when 'public' then '' else n.nspname || '.' end || c.relname, a.attname
		from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
		where c.relkind in ('r', 'p') and n.nspname not in ('pg_catalog', 'information_schema', 'river') and n.nspname !~ '^pg_'
		and coalesce(nullif((select typelem from pg_type where oid = a.atttypid and typcategory = 'A'), 0), a.atttypid)
			in ('text'::regtype, 'varchar'::regtype, 'bytea'::regtype, 'jsonb'::regtype, 'json'::regtype, 'tsvector'::regtype) order by 1, 2`)
	if err != nil {
		t.Fatal(err)
	}
	ruled, there := map[string]bool{}, map[string]bool{}
	var table, column string
	n := 0
	if _, err := pgx.ForEachRow(rows, []any{&table, &column}, func() error {
		n++
		there[table+"."+column] = true
		rule, known := privacy.RuleOf(table, column)
		if !known {
			t.Errorf("%s.%s: say in internal/privacy/columns.go which rule it is under, or that it names nobody", table, column)
		}
		ruled[rule] = true
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if n < 150 {
		t.Errorf("the catalogue has %d columns", n)
	}
	keys := []string{}
	for _, r := range privacy.Rules {
		if keys = append(keys, r.Key); !ruled[r.Key] || r.What == "" || r.Why == "" || r.Basis == "" || r.Kept == "" {
			t.Errorf("the rule %s has no column, or no text", r.Key)
		}
	}
	for table, parts := range privacy.Columns {
		for _, part := range strings.Split(parts, ";") {
			key, columns, _ := strings.Cut(part, ":")
			if !slices.Contains(keys, strings.TrimSpace(key)) {
				t.Errorf("%s names the rule %q, which is none", table, key)
			}
			for _, c := range strings.Fields(columns) {
				if !there[table+"."+c] {
					t.Errorf("%s.%s is not there", table, c)
				}
			}
		}
	}
}

// The daily round empties what has had its time and nothing else, says so, and finds nothing again.
func TestRetention(t *testing.T) {
	t.Parallel()
	b := setup(t)
	long, short := time.Now().Add(-91*24*time.Hour), time.Now().Add(-89*24*time.Hour)
	account := uuid.New()
	old := b.order(t, fixture.OrderOpts{Status: "COLLECTED", Note: "Sonnez chez Anna", Street: "3 rue du Port", Mode: "DELIVERY", Placed: long, Account: &account})
	refused := b.order(t, fixture.OrderOpts{Status: "REJECTED", Reason: "OTHER", Words: "Désolé, Anna", Placed: long})
	young, open := b.order(t, fixture.OrderOpts{Status: "COLLECTED", Placed: short}), b.order(t, fixture.OrderOpts{Status: "READY", Placed: long})
	lines := func() int { return pgtest.Scan[int](t, b.Database, `select count(*) from order_lines`) }
	before := lines()
	for round, want := range []int{2, 0} {
		runs, err := b.Retain(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if i := slices.IndexFunc(runs, func(r privacy.Run) bool { return r.RuleKey == "order_contact" }); i < 0 || runs[i].Rows != want {
			t.Errorf("round %d: %+v, want %d", round, runs, want)
		}
	}
	if b.said(t, old)+b.said(t, refused) != "" || b.said(t, young) == "" || b.said(t, open) == "" || lines() != before {
		t.Errorf("old %q, refused %q, young %q, open %q, %d lines of %d", b.said(t, old), b.said(t, refused), b.said(t, young), b.said(t, open), lines(), before)
	}
	if n := pgtest.Scan[int](t, b.Database, `select count(*) from orders where customer_id = $1`, account); n != 1 {
		t.Error("the account lost its order")
	}
	report, err := b.Report(t.Context(), fixture.Viewer(t, b.Database, identity.Admin), 10)
	if err != nil || len(report) != 4 || report[0].Rule() == nil || !report[0].At.After(report[2].At) {
		t.Errorf("the report: %+v %v", report, err)
	}
	if _, err := b.Report(t.Context(), fixture.Viewer(t, b.Database, identity.Hotline), 10); fault.Of(err) == nil || fault.Of(err).Kind != fault.Forbidden {
		t.Errorf("read by the hotline: %v", err)
	}
}

// A guest takes away and erases the orders of its link: those that have ended, and no other's.
func TestGuestsOwnData(t *testing.T) {
	t.Parallel()
	b := setup(t)
	done, open, others := b.order(t, fixture.OrderOpts{Status: "COLLECTED"}), b.order(t, fixture.OrderOpts{}), b.order(t, fixture.OrderOpts{Status: "COLLECTED"})
	guest := fixture.Viewer(t, b.Database, identity.Visitor).GuestOf(done, open)
	data, err := b.Export(t.Context(), guest)
	if err != nil {
		t.Fatal(err)
	}
	if got := gjson.Get(data.JSON, "commandes"); !json.Valid([]byte(data.JSON)) || got.Get("#").Int() != 2 || got.Get("0.contact.nom").String() != "Anna Le Goff" || got.Get("0.articles.#").Int() != 1 || got.Get("0.historique.#").Int() != 1 {
		t.Errorf("the guest takes away %s", data.JSON)
	}
	if _, err := b.EraseMine(t.Context(), guest, privacy.EraseMyDataInput{}); fault.Of(err) == nil || fault.Of(err).Kind != fault.Invalid {
		t.Errorf("unconfirmed: %v", err)
	}
	got, err := b.EraseMine(t.Context(), guest, privacy.EraseMyDataInput{Confirm: true})
	if err != nil || got.OrderCount != 1 || got.OpenCount != 1 || got.Account || !strings.Contains(got.Message, "en cours") {
		t.Errorf("%+v %v", got, err)
	}
	if n, err := b.Carry(t.Context()); n != 1 || err != nil {
		t.Errorf("%d carried out, %v", n, err)
	}
	if b.said(t, done) != "" || b.said(t, open) == "" || b.said(t, others) == "" {
		t.Errorf("erased %q, open %q, another's %q", b.said(t, done), b.said(t, open), b.said(t, others))
	}
	visitor := fixture.Viewer(t, b.Database, identity.Visitor)
	if _, err := b.Export(t.Context(), visitor); fault.Of(err) == nil || fault.Of(err).Kind != fault.Unauthenticated {
		t.Errorf("a visitor takes away: %v", err)
	}
	if _, err := b.EraseMine(t.Context(), visitor, privacy.EraseMyDataInput{Confirm: true}); fault.Of(err) == nil || fault.Of(err).Kind != fault.Unauthenticated {
		t.Errorf("a visitor erases: %v", err)
	}
}

// An account goes with all that names it, in every commune; the hotline erases for a caller by the
// number; and after a restore the ledger erases them again.
func TestErasedPeopleStayErased(t *testing.T) {
	t.Parallel()
	b := setup(t)
	subject, account := fixture.Account(t, b.Database, identity.Customer)
	customer := fixture.Viewer(t, b.Database, identity.Customer)
	customer.Account = account
	own := b.order(t, fixture.OrderOpts{Status: "DELIVERED", Account: &account, Phone: "+33600000001"})
	called, same, open := b.order(t, fixture.OrderOpts{Status: "COLLECTED"}), b.order(t, fixture.OrderOpts{Status: "CANCELLED"}), b.order(t, fixture.OrderOpts{})
	groix := fixture.Shop(t, b.Database, fixture.ShopOpts{Commune: fixture.Groix})
	there := fixture.Order(t, b.Database, groix, fixture.Product(t, b.Database, groix, fixture.ProductOpts{}).Variants[0], fixture.OrderOpts{Status: "COLLECTED"})
	elsewhere := b.order(t, fixture.OrderOpts{Status: "COLLECTED", Phone: "+33600000002"})
	data, err := b.Export(t.Context(), customer)
	if err != nil || gjson.Get(data.JSON, "compte.identifiant").String() != subject || gjson.Get(data.JSON, "commandes.#").Int() != 1 {
		t.Fatalf("the customer takes away %v %v", data, err)
	}
	backup := b.snapshot(t)

	if got, err := b.EraseMine(t.Context(), customer, privacy.EraseMyDataInput{Confirm: true}); err != nil || got.OrderCount != 1 || !got.Account {
		t.Errorf("%+v %v", got, err)
	}
	hotline := fixture.Viewer(t, b.Database, identity.Hotline)
	if _, err := b.EraseCaller(t.Context(), fixture.Viewer(t, b.Database, identity.Admin), privacy.EraseCallerDataInput{Order: called}); fault.Of(err) == nil || fault.Of(err).Kind != fault.Forbidden {
		t.Errorf("by an admin: %v", err)
	}
	if got, err := b.EraseCaller(t.Context(), hotline, privacy.EraseCallerDataInput{Order: called}); err != nil || got.OrderCount != 3 || got.OpenCount != 1 {
		t.Errorf("%+v %v", got, err)
	}
	if n := pgtest.Scan[int](t, b.Database, `select count(*) from audit_events where action = 'CALLER_ERASE' and account_id = $1 and object = $2`, hotline.Account, called.String()); n != 1 {
		t.Errorf("the log has it %d times", n)
	}
	if n, err := b.Carry(t.Context()); n != 5 || err != nil {
		t.Errorf("%d carried out, %v", n, err)
	}
	check := func(when string) {
		t.Helper()
		for _, id := range []tenancy.ID{own, called, same, there} {
			if said := b.said(t, id); said != "" {
				t.Errorf("%s: %s says %q", when, id, said)
			}
		}
		if b.said(t, open) == "" || b.said(t, elsewhere) == "" {
			t.Errorf("%s: others are erased", when)
		}
		if left := pgtest.Scan[int](t, b.Database, `select (select count(*) from accounts where id = $1) + (select count(*) from orders where customer_id = $1 or scope = $1::text)`, account); left != 0 {
			t.Errorf("%s: %d rows name the account", when, left)
		}
	}
	check("erased")
	var file bytes.Buffer
	if n, err := b.WriteLedger(t.Context(), &file); n != 5 || err != nil {
		t.Fatal(n, err)
	}
	if strings.Contains(file.String(), "Goff") || strings.Contains(file.String(), "+33") {
		t.Errorf("the ledger names somebody: %s", &file)
	}

	// Last night's backup knows nothing of it.
	b.restore(t, backup)
	if b.said(t, own) == "" {
		t.Fatal("the restore brought nobody back")
	}
	epoch := pgtest.Scan[string](t, b.Database, `select epoch::text from feed_epoch`)
	if _, _, err := b.Replay(t.Context(), strings.NewReader(file.String()+"no entry\n")); err == nil || !strings.Contains(err.Error(), "line 6") || b.said(t, own) == "" {
		t.Errorf("a broken file: %v", err)
	}
	for range 2 {
		if lines, erased, err := b.Replay(t.Context(), bytes.NewReader(file.Bytes())); lines != 5 || erased != 5 || err != nil {
			t.Errorf("replayed %d of %d, %v", erased, lines, err)
		}
	}
	check("restored and replayed")
	if epoch == pgtest.Scan[string](t, b.Database, `select epoch::text from feed_epoch`) {
		t.Error("cursors of before still hold")
	}
}

// snapshot keeps the rows that erasures touch, as a backup has them; restore puts them back, and the
// ledger of that time: an empty one.
func (b *bench) snapshot(t *testing.T) string {
	t.Helper()
	for _, table := range []string{"accounts", "orders", "order_contacts"} {
		b.Exec(t, fmt.Sprintf(`create table backup_%s as select * from %s`, table, table))
	}
	return "backup_"
}

func (b *bench) restore(t *testing.T, backup string) {
	t.Helper()
	b.Exec(t, fmt.Sprintf(`
		insert into accounts select * from %[1]saccounts on conflict do nothing;
		update orders o set customer_id = k.customer_id, scope = k.scope, note = k.note from %[1]sorders k where k.commune_id = o.commune_id and k.id = o.id;
		update order_contacts c set name = k.name, phone = k.phone, email = k.email, street = k.street, postcode = k.postcode, city = k.city
		from %[1]sorder_contacts k where k.commune_id = c.commune_id and k.order_id = c.order_id`, backup))
	b.Exec(t, `delete from erasures`)
}
