package main

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/audelor/halles/internal/pg/pgtest"
)

// operating is the environment of a command on a test's database.
func operating(d *pgtest.Database, more ...string) []string {
	return append([]string{"HALLES_DATABASE_URL=" + d.ServerURL(), "HALLES_SECRET=" + secret}, more...)
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
