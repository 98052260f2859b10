package main

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/pg/pgtest"
)

// runbook is the page of whoever restores at night: what it says is done here as it stands.
type runbook []string

func readRunbook(t *testing.T) runbook {
	t.Helper()
	text, err := os.ReadFile("../../.ops/README.md")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(string(text), "\n")
}

// says are the page's lines that begin so, without their remarks.
func (r runbook) says(t *testing.T, beginnings ...string) string {
	t.Helper()
	var found []string
	for _, beginning := range beginnings {
		n := len(found)
		for _, line := range r {
			if line = strings.TrimSpace(line); strings.HasPrefix(line, beginning) {
				line, _, _ = strings.Cut(line, "    #")
				line, _, _ = strings.Cut(line, "        #")
				found = append(found, strings.TrimSpace(line))
			}
		}
		if len(found) == n {
			t.Fatalf("the runbook has no line that begins with %q", beginning)
		}
	}
	return strings.Join(found, "\n")
}

// The drill of a moment: a base backup, a rush of orders, the moment, more orders and a mistake. What the
// runbook says brings back the moment: each order of before is there once and no other, who was erased
// since is erased, cursors have expired, and the server goes on.
func TestMomentDrill(t *testing.T) {
	drill(t)
	book, orders := readRunbook(t), 30
	if os.Getenv("HALLES_LONG") != "" {
		orders = 3000
	}
	for _, program := range []string{"pg_basebackup", "tar", "gzip"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("no %s: install the client programs of Postgres", program)
		}
	}
	a := pgtest.Archive(t, book.says(t, "wal_level", "archive_mode", "archive_timeout", "archive_command"))
	server := restartable(t, a.Database, "HALLES_LEAVE=0s", "HALLES_RATE_NETWORK=none")
	server.start(t)
	a.Shell(t, book.says(t, "pg_basebackup"))

	shop := fixture.Shop(t, a.Database, fixture.ShopOpts{})
	variant := fixture.Product(t, a.Database, shop, fixture.ProductOpts{Stock: 10}).Variants[0]
	erased := someone(t, a.Database, shop, variant, "canari")
	there := len(erased.found(t, a.Database))
	order, link, guest := follow(t, server.address, shop, variant)
	cursor := firstOf(t, server.address, guest, order, "").Get("data.orderUpdated.cursor").String()
	before := startRush(t, a.Database, server.address, 5*time.Minute)
	waitFor(t, server.log, func() bool { return before.answered() >= orders || t.Failed() })
	before.giving()
	before.clients.Wait()
	moment := pgtest.Scan[string](t, a.Database, `select clock_timestamp()::text`)

	after := startRush(t, a.Database, server.address, 5*time.Minute)
	waitFor(t, server.log, func() bool { return after.answered() >= orders/3 || t.Failed() })
	after.giving()
	after.clients.Wait()
	ledger := erased.erase(t, a.Database)
	a.Shell(t, `psql --quiet --dbname=`+a.Name()+` --command="set session_replication_role = replica; delete from orders where commune_id = '56121'"`)
	if n := pgtest.Scan[int](t, a.Database, `select count(*) from orders where commune_id = '56121'`); n != 0 {
		t.Fatalf("%d orders outlived the mistake", n)
	}

	server.kill(t)
	if err := a.Cluster.Stop(); err != nil { // and archives the last of its log
		t.Fatal(err)
	}
	days, err := filepath.Glob(filepath.Join(a.Backup, "base", "*"))
	if err != nil || len(days) != 1 {
		t.Fatalf("base backups: %v, %v", days, err)
	}
	began := time.Now()
	unpack := strings.ReplaceAll(book.says(t, "mkdir -m 700 DATA", "tar -xzf", "touch DATA/recovery.signal"), "/DAY/", "/"+filepath.Base(days[0])+"/")
	settings := book.says(t, "restore_command")
	for _, line := range strings.Split(book.says(t, "recovery_target_time"), "\n") {
		settings += "\n" + strings.Replace(line, "2026-11-28 14:05:00+01", moment, 1)
	}
	d := a.Recover(t, unpack, settings)
	waitFor(t, server.log, func() bool { return pgtest.Scan[string](t, d, `select pg_get_wal_replay_pause_state()`) == "paused" })
	reached := pgtest.Scan[int](t, d, `select count(*) from orders`)
	a.Shell(t, `psql --quiet --host=`+d.Host()+` --dbname=`+d.Name()+` --command="select pg_wal_replay_resume()"`)
	waitFor(t, server.log, func() bool { return !pgtest.Scan[bool](t, d, `select pg_is_in_recovery()`) })

	before.check(t, d)
	if back := len(erased.found(t, d)); back != there {
		t.Errorf("the moment has the person in %d columns, of %d", back, there)
	}
	for _, command := range strings.Split(book.says(t, "halles migrate  ", "halles restored", "halles privacy replay", "halles privacy retain"), "\n") {
		args := strings.Fields(strings.ReplaceAll(command, "LEDGER", ledger))[1:]
		if code, out, problems := halles(t, operating(d), args...); code != 0 {
			t.Errorf("%s: exit %d: %s%s", command, code, out, problems)
		}
	}
	if left := erased.found(t, d); len(left) > 0 {
		t.Errorf("restored and replayed, who was erased is in %v", left)
	}

	again := restartable(t, d, "HALLES_LEAVE=0s", "HALLES_RATE_NETWORK=none")
	again.start(t)
	t.Cleanup(func() { again.kill(t) })
	t.Logf("%d orders at the moment, %d more lost, back in %s", reached, after.answered(), time.Since(began).Round(time.Millisecond))
	guest = exchanged(t, again.address, link)
	if a := firstOf(t, again.address, guest, order, cursor); a.Get("errors.0.extensions.code").String() != "CURSOR_EXPIRED" {
		t.Errorf("a cursor from before the restore answers %s", a.Raw)
	}
	if a := firstOf(t, again.address, guest, order, ""); a.Get("data.orderUpdated.status").String() != "PLACED" {
		t.Errorf("the order answers %s", a.Raw)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := placed(ctx, http.DefaultClient, "http://"+again.address+"/graphql", "after-the-restore-1", shop, variant); err != nil {
		t.Errorf("the next order: %v", err)
	}
}
