package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/migrations"
)

type doctorCmd struct{ serveCmd }

// Help is the long form of the command's help.
func (doctorCmd) Help() string {
	return "Takes what serve takes, and changes nothing. A line for each finding: ok, warn (look after it), or FAIL (serve will not start, or people will notice); exit code 1 with a FAIL. Run it on the server, with the service's environment."
}

// findings are what a doctor says.
type findings struct {
	p      *process
	failed int
}

func (f *findings) ok(format string, args ...any)   { f.tell("ok  ", format, args...) }
func (f *findings) warn(format string, args ...any) { f.tell("warn", format, args...) }
func (f *findings) fail(format string, args ...any) { f.failed++; f.tell("FAIL", format, args...) }

func (f *findings) tell(level, format string, args ...any) {
	fmt.Fprintf(f.p.stdout, "%s  %s\n", level, fmt.Sprintf(format, args...))
}

// lookTime bounds each look at another machine.
const lookTime = 5 * time.Second

// Run looks, and says what it finds.
func (c *doctorCmd) Run(ctx context.Context, p *process) error {
	options, databaseOptions, trusted := c.settings(p)
	f := &findings{p: p}
	for _, wrong := range p.wrong {
		f.fail("%s", wrong)
	}
	if len(p.wrong) == 0 {
		f.ok("The configuration is complete.")
	}
	p.wrong = nil
	f.machine()
	f.issuers(ctx, trusted)
	f.certificate(ctx, "HALLES_URL", c.URL)
	if options.SMTP == nil {
		f.warn("Nobody gets a mail: set HALLES_SMTP_URL and HALLES_MAIL_FROM.")
	}
	if err := f.database(ctx, databaseOptions, options.ListenURL); err != nil {
		f.fail("%v", err)
	}
	if f.failed > 0 {
		return fmt.Errorf("%d findings must be mended", f.failed)
	}
	return nil
}

// machine looks at this one.
func (f *findings) machine() {
	const little = 1 << 30
	dir := os.TempDir()
	switch free, err := freeBytes(dir); {
	case errors.Is(err, errors.ErrUnsupported):
	case err != nil:
		f.warn("The disk of %s cannot be asked for its space: %v.", dir, err)
	case free < little:
		f.fail("%s has %d MB left: make room. A file that is being sent or exported waits there.", dir, free>>20)
	default:
		f.ok("%s has %d GB left.", dir, free>>30)
	}
}

// issuers looks at who signs people in.
func (f *findings) issuers(ctx context.Context, trusted []identity.Issuer) {
	if len(trusted) == 0 {
		f.warn("Nobody can sign in: set HALLES_ISSUERS.")
	}
	for _, issuer := range trusted {
		if !f.certificate(ctx, "The issuer", issuer.URL) {
			continue
		}
		ctx, cancel := context.WithTimeout(ctx, lookTime)
		err := discover(ctx, issuer.URL)
		cancel()
		if err != nil {
			f.fail("The issuer %s does not answer as one (%v): check its URL in HALLES_ISSUERS, to the letter, and whether this server may reach it.", issuer.URL, err)
		} else {
			f.ok("The issuer %s answers.", issuer.URL)
		}
	}
}

// discover asks an issuer for its discovery document.
func discover(ctx context.Context, issuer string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(issuer, "/")+"/.well-known/openid-configuration", nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("its discovery document is answered with %s", answer.Status)
	}
	return nil
}

// certificate looks how long the certificate of an https address is good; false when it is not.
func (f *findings) certificate(ctx context.Context, what, address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" {
		return err == nil
	}
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	conn, err := (&tls.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), "443")))
	if err != nil {
		f.fail("%s %s cannot be reached with a certificate that holds (%v): renew it, or let this server trust who signed it.", what, u.Host, err)
		return false
	}
	defer conn.Close()
	const soon = 14 * 24 * time.Hour
	ends := conn.(*tls.Conn).ConnectionState().PeerCertificates[0].NotAfter
	if left := time.Until(ends); left < soon {
		f.warn("The certificate of %s ends on %s: renew it now.", u.Host, ends.Format(time.DateOnly))
	} else {
		f.ok("The certificate of %s is good until %s.", u.Host, ends.Format(time.DateOnly))
	}
	return true
}

// database looks at Postgres, as each role; an error is what keeps it from looking further.
func (f *findings) database(ctx context.Context, o pg.Options, listenURL string) error {
	db, err := pg.Open(ctx, o)
	if err != nil {
		return nil // the configuration's mistake, told already
	}
	defer db.Close()
	reached := true
	for _, role := range db.Roles() {
		ctx, cancel := context.WithTimeout(ctx, lookTime)
		if err := db.Pool(role).Ping(ctx); err != nil {
			reached = false
			f.fail("Postgres does not let %s in (%v): is it up, the address right, and HALLES_DB_PASSWORD_%s? Make the roles with halles migrate --roles.", role, reason(err), strings.ToUpper(strings.TrimPrefix(string(role), "halles_")))
		}
		cancel()
	}
	if !reached {
		return nil
	}
	f.ok("Postgres lets each role in.")
	if _, err := upToDate(ctx, db); err != nil {
		return err
	}
	f.ok("The schema is up to date.")
	found, err := migrations.Check(ctx, db.Pool(pg.App))
	if err != nil {
		return err
	}
	for _, role := range []pg.Role{pg.Public, pg.App, pg.Identity, pg.Worker} {
		own, err := migrations.CheckSelf(ctx, db.Pool(role))
		if err != nil {
			return err
		}
		found = append(found, own...)
	}
	for _, one := range found {
		if one.Warning {
			f.warn("%s", one)
		} else {
			f.fail("%s", one)
		}
	}
	if len(found) == 0 {
		f.ok("The communes are held apart: tables, views, functions and roles keep the rules.")
	}
	if err := f.server(ctx, db); err != nil {
		return err
	}
	return f.listener(ctx, db, listenURL)
}

// reason is an error without the address and user that pgx puts before it.
func reason(err error) string {
	if code := pg.Code(err); code != "" {
		return "SQLSTATE " + code
	}
	text := err.Error()
	return text[strings.LastIndex(text, ": ")+1:]
}

// server looks at the settings of Postgres, its clock, its backups and its jobs.
func (f *findings) server(ctx context.Context, db *pg.DB) error {
	type state struct {
		Fsync, FullPages, Commit string
		ArchiveFailing           bool
		Archiving                string
		Standbys                 int
		Discarded                int64
		DueMinutes               float64
	}
	var now time.Time
	before := time.Now()
	if err := db.Pool(pg.Worker).QueryRow(ctx, `select clock_timestamp()`).Scan(&now); err != nil {
		return err
	}
	took := time.Since(before)
	// Tokens are forgiven half a minute; deadlines and slots go by both clocks.
	if off := now.Sub(before.Add(took / 2)).Abs(); off > took+2*time.Second {
		f.fail("The clocks of this server and of Postgres are %s apart: set both by NTP (timedatectl set-ntp true).", off.Round(time.Second))
	} else {
		f.ok("The clocks of this server and of Postgres agree.")
	}
	rows, err := db.Pool(pg.Worker).Query(ctx, `
		select current_setting('fsync') as fsync, current_setting('full_page_writes') as full_pages, current_setting('synchronous_commit') as commit,
			current_setting('archive_mode') as archiving,
			(select coalesce(last_failed_time > coalesce(last_archived_time, '-infinity'), false) from pg_stat_archiver) as archive_failing,
			(select count(*)::int from pg_stat_replication) as standbys,
			(select count(*) from river.river_job where state = 'discarded') as discarded,
			(select coalesce(extract(epoch from now() - min(scheduled_at)) / 60, 0)::float8 from river.river_job where state = 'available') as due_minutes`)
	if err != nil {
		return err
	}
	s, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[state])
	if err != nil {
		return err
	}
	if s.Fsync != "on" || s.FullPages != "on" || s.Commit == "off" {
		f.fail("Postgres may lose orders that were acknowledged (fsync=%s, full_page_writes=%s, synchronous_commit=%s): set all three on.", s.Fsync, s.FullPages, s.Commit)
	} else {
		f.ok("Postgres keeps what it acknowledged.")
	}
	switch {
	case s.Archiving == "off":
		f.warn("Postgres archives no WAL: a restore goes back to the last dump. See .ops/README.md for archive_command.")
	case s.ArchiveFailing:
		f.fail("Postgres cannot archive its WAL: it keeps it until the disk is full. Try archive_command by hand, as the user postgres.")
	default:
		f.ok("Postgres archives its WAL.")
	}
	if s.Discarded > 0 {
		f.warn("%d jobs have failed for good: halles jobs list tells why.", s.Discarded)
	}
	if s.DueMinutes > 5 {
		f.fail("A job has been due for %.0f minutes: does any server run?", s.DueMinutes)
	}
	return nil
}

// listener tries whether a wake-up arrives: a pooler takes LISTEN, and nothing ever comes.
func (f *findings) listener(ctx context.Context, db *pg.DB, listenURL string) error {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	const hint = "set HALLES_LISTEN_URL to Postgres itself, with the password of halles_listen; until then other servers' changes are a second late."
	conn, err := pgx.Connect(ctx, listenURL)
	if err != nil {
		f.fail("halles_listen does not get in (%v): %s", reason(err), hint)
		return nil
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, `listen halles_doctor`); err != nil {
		return err
	}
	if _, err := db.Pool(pg.Worker).Exec(ctx, `select pg_notify('halles_doctor', '')`); err != nil {
		return err
	}
	if _, err := conn.WaitForNotification(ctx); err != nil {
		f.fail("LISTEN succeeds and no wake-up arrives, as through a pooler: %s", hint)
		return nil
	}
	f.ok("Wake-ups arrive.")
	return nil
}
