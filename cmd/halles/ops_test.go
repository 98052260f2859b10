package main

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/pg/pgtest"
)

// operating is the environment of a command on a test's database.
func operating(d *pgtest.Database, more ...string) []string {
	return append([]string{"HALLES_DATABASE_URL=" + d.AdminURL(), "HALLES_SECRET=" + secret}, more...)
}

// told wants lines in what a command printed.
func told(t *testing.T, text string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains(text, line) {
			t.Errorf("not told: %s\n%s", line, text)
		}
	}
}

// The doctor says what is right and what is not, each with what to do, and ends with 1.
func TestDoctor(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	code, out, _ := halles(t, operating(d), "doctor")
	told(t, out, "ok    The configuration is complete.", "ok    Postgres lets each role in.", "ok    The schema is up to date.", "ok    The communes are held apart",
		"ok    The clocks of this server and of Postgres agree.", "ok    Wake-ups arrive.", "warn  Nobody can sign in: set HALLES_ISSUERS.",
		"FAIL  Postgres may lose orders", "warn  Postgres archives no WAL") // as fast as tests want it
	if code != 1 {
		t.Errorf("exit code %d", code)
	}

	forged := httptest.NewUnstartedServer(http.NotFoundHandler())
	forged.TLS = &tls.Config{MinVersion: tls.VersionTLS13}
	forged.StartTLS()
	defer forged.Close()
	d.Exec(t, `set role halles_owner; alter table shops no force row level security`)
	d.Exec(t, `insert into river.river_job (kind, args, max_attempts, attempt, state, finalized_at) values ('mail', '{}', 12, 12, 'discarded', now())`)
	_, out, _ = halles(t, operating(d, "HALLES_ISSUERS="+forged.URL+"|halles", "HALLES_ROUTER_TOKEN=tiny", "HALLES_LISTEN_URL=postgres://127.0.0.1:1/halles"), "doctor")
	told(t, out, "FAIL  HALLES_ROUTER_TOKEN has 4 characters", "FAIL  public.shops: ", "FAIL  The issuer 127.0.0.1:", "renew it, or let this server trust who signed it",
		"FAIL  halles_listen does not get in", "warn  1 jobs have failed for good: halles jobs list tells why.")

	_, out, _ = halles(t, []string{"HALLES_DATABASE_URL=postgres://127.0.0.1:1/halles"}, "doctor")
	told(t, out, "FAIL  HALLES_SECRET must be", "FAIL  Postgres does not let halles_app in", "HALLES_DB_PASSWORD_APP")
}

// What failed for good is listed with its reason, and tried again when asked.
func TestJobsAreListedAndRetried(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	if _, out, _ := halles(t, operating(d), "jobs", "list"); out != "No job has failed.\n" {
		t.Errorf("%s", out)
	}
	d.Exec(t, `insert into river.river_job (id, kind, args, max_attempts, attempt, state, attempted_at, finalized_at, errors) values
		(7, 'mail', '{"template": "order_placed"}', 12, 12, 'discarded', now(), now(), array['{"error": "551 first"}', '{"error": "550 no such user"}']::jsonb[]),
		(8, 'mail', '{}', 12, 12, 'discarded', now(), now(), null), (9, 'mail', '{}', 12, 3, 'completed', now(), now(), null)`)
	_, out, _ := halles(t, operating(d), "jobs", "list")
	told(t, out, "discarded", "12 of 12", "order_placed", "550 no such user")
	if code, _, problems := halles(t, operating(d), "jobs", "retry"); code != 2 || !strings.Contains(problems, "--all") {
		t.Errorf("without any job: exit %d, %s", code, problems)
	}
	_, out, _ = halles(t, operating(d), "jobs", "retry", "7", "9")
	told(t, out, "1 jobs are tried again", "9 has not failed")
	states := `select string_agg(id || ' ' || state || ' ' || max_attempts, ', ' order by id) from river.river_job where id in (7, 8, 9)`
	if got := pgtest.Scan[string](t, d, states); got != "7 available 13, 8 discarded 12, 9 completed 12" {
		t.Error(got)
	}
	_, out, _ = halles(t, operating(d), "jobs", "retry", "--all")
	told(t, out, "1 jobs are tried again")
}

// A commune is paused and resumed by whoever runs the server; both stand in its log.
func TestPauseACommune(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	const paused = `select count(*) from commune_settings where commune_id = '56121' and paused_at is not null`
	code, out, problems := halles(t, operating(d), "pause", "lorient", "--text", "Le serveur de la mairie est en panne.")
	if told(t, out, "Lorient takes no orders since", "en panne"); code != 0 || pgtest.Scan[int](t, d, paused) != 1 {
		t.Errorf("exit %d, %s", code, problems)
	}
	if code, _, problems := halles(t, operating(d), "pause", "atlantis", "--text", "x"); code != 1 || problems == "" {
		t.Errorf("an unknown commune: exit %d, %s", code, problems)
	}
	code, out, _ = halles(t, operating(d), "resume", "56121")
	if told(t, out, "Lorient takes orders."); code != 0 || pgtest.Scan[int](t, d, paused) != 0 {
		t.Errorf("exit %d", code)
	}
	if got := pgtest.Scan[string](t, d, `select string_agg(action || ' ' || kind, ', ' order by seq) from audit_events`); strings.Count(got, "ADMIN") != 2 {
		t.Errorf("the log has %q", got)
	}
}

// The restore drill: what pg_dump saved is there again to the row, with its locks; a cursor from
// before has expired, and the server goes on from there.
func TestRestoreDrill(t *testing.T) {
	t.Parallel()
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
	made := post(t, before.address, "", `mutation ($in: PlaceOrdersInput!) { placeOrders(input: $in) { guestSecret results { order { id } } } }`,
		map[string]any{"in": map[string]any{
			"idempotencyKey": "before-the-restore", "contact": map[string]any{"name": "Anna", "phone": "+33612345678"},
			"orders": []any{map[string]any{"shop": shop.String(), "mode": "PICKUP", "lines": []any{map[string]any{"variant": variant.String(), "quantity": 2}}}},
		}})
	order, link := made.Get("placeOrders.results.0.order.id").String(), made.Get("placeOrders.guestSecret").String()
	const exchange = `mutation ($secret: String!) { exchangeGuestLink(input: {secret: $secret}) { token } }`
	guest := post(t, before.address, "", exchange, map[string]any{"secret": link}).Get("exchangeGuestLink.token").String()
	cursor := firstOf(t, before.address, guest, order, "").Get("data.orderUpdated.cursor").String()
	if cursor == "" {
		t.Fatal("no cursor")
	}
	before.kill(t)

	file := filepath.Join(t.TempDir(), "halles.dump")
	saved, err := exec.CommandContext(t.Context(), dump, "--format=custom", "--file="+file, d.URL("halles_backup")).CombinedOutput()
	if err != nil {
		t.Fatalf("pg_dump: %v: %s", err, saved)
	}
	after := pgtest.Bare(t)
	if said, err := exec.CommandContext(t.Context(), restore, "--exit-on-error", "--dbname="+after.AdminURL(), file).CombinedOutput(); err != nil {
		t.Fatalf("pg_restore: %v: %s", err, said)
	}
	was, is := everyRow(t, d), everyRow(t, after)
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

	// serve itself refuses a database without its locks.
	again := &restarting{address: freePort(t), log: &output{}, env: append(operating(after), "HALLES_TEST_PROGRAM=1", "HALLES_LEAVE=0s")}
	again.start(t)
	t.Cleanup(func() { again.kill(t) })
	guest = post(t, again.address, "", exchange, map[string]any{"secret": link}).Get("exchangeGuestLink.token").String()
	if a := firstOf(t, again.address, guest, order, cursor); a.Get("errors.0.extensions.code").String() != "CURSOR_EXPIRED" {
		t.Errorf("a cursor from before the restore answers %s", a.Raw)
	}
	if a := firstOf(t, again.address, guest, order, ""); a.Get("data.orderUpdated.status").String() != "PLACED" {
		t.Errorf("the order answers %s", a.Raw)
	}
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
