package cluster

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// hold makes the test binary a program that starts a cluster in the folder named, says so and
// waits to be killed.
const hold = "HALLES_TEST_HOLD_CLUSTER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(hold); dir != "" {
		binaries, err := Find(context.Background())
		if err == nil {
			var c *Cluster
			if c, err = Start(context.Background(), Options{Dir: dir, Binaries: binaries, Durable: true}); err == nil {
				fmt.Println("started", c.PID(), c.socket)
				select {}
			}
		}
		fmt.Println(err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(made.dir)
	os.Exit(code)
}

// made is a stopped cluster that the tests of a server copy theirs from: initdb takes two seconds
// of processor time.
var made struct {
	once    sync.Once
	dir     string
	options Options
	err     error
}

// copied is a folder, as open's, in which a cluster was initialised and stopped.
func copied(t *testing.T) string {
	t.Helper()
	made.once.Do(func() {
		if made.dir, made.err = os.MkdirTemp("", "halles-cluster-"); made.err != nil { //nolint:usetesting // as open, for all tests
			return
		}
		if made.err = os.Chmod(made.dir, 0o711); made.err != nil { //nolint:gosec // search permission only
			return
		}
		made.options = Options{Dir: filepath.Join(made.dir, "data"), Binaries: must(Find(context.Background()))}
		var c *Cluster
		if c, made.err = Start(context.Background(), made.options); made.err == nil {
			made.err = c.Stop()
		}
	})
	if made.err != nil {
		t.Fatal(made.err)
	}
	dir := open(t)
	if err := Copy(made.options, Options{Dir: dir, Binaries: made.options.Binaries}); err != nil {
		t.Fatal(err)
	}
	return dir
}

// open is a folder that the server's user can reach: t.TempDir() is closed to it.
func open(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "halles-cluster-") //nolint:usetesting // see above
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o711); err != nil { //nolint:gosec // search permission only
		t.Fatal(err)
	}
	return filepath.Join(dir, "data")
}

func start(t *testing.T, dir string) *Cluster {
	t.Helper()
	binaries, err := Find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c, err := Start(t.Context(), Options{Dir: dir, Binaries: binaries, Durable: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func query(t *testing.T, c *Cluster, sql string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), c.URL("postgres", "postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	rows, err := conn.Query(t.Context(), sql)
	if err != nil {
		t.Fatal(err)
	}
	got, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(got, ",")
}

// A program killed at once (SIGKILL) takes its Postgres along, and the next start finds the
// folder as it should be: the rows there, the socket's folder of the dead one gone.
func TestKilledProgramStopsItsPostgres(t *testing.T) {
	t.Parallel()
	dir := copied(t)
	holder := exec.CommandContext(t.Context(), os.Args[0])
	holder.Env = append(os.Environ(), hold+"="+dir)
	out, err := holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	var pid int
	var socket string
	if _, scan := fmt.Sscanf(line, "started %d %s", &pid, &socket); err != nil || scan != nil {
		t.Fatalf("the other program says %q, %v", line, err)
	}

	if _, err := Start(t.Context(), Options{Dir: dir, Binaries: must(Find(t.Context()))}); err == nil || !strings.Contains(err.Error(), "in use by another program") {
		t.Errorf("a second program on the same folder: %v", err)
	}

	conn, err := pgx.Connect(t.Context(), "postgres://postgres@/postgres?host="+socket)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "create table kept as select 'still here' as word"); err != nil {
		t.Fatal(err)
	}
	conn.Close(t.Context())

	if err := holder.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = holder.Wait()
	for end := time.Now().Add(20 * time.Second); alive(pid) && isPostgres(pid); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("Postgres %d outlived its program by 20 s", pid)
		}
	}
	c := start(t, dir)
	if got := query(t, c, "select word from kept"); got != "still here" {
		t.Errorf("read %q", got)
	}
	if _, err := os.Stat(socket); err == nil {
		t.Errorf("%s is still there", socket)
	}
}

func TestCrashRecovers(t *testing.T) {
	t.Parallel()
	c := start(t, copied(t))
	query(t, c, "create table kept as select 'committed' as word")
	if err := c.Crash(); err != nil {
		t.Fatal(err)
	}
	if err := c.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := query(t, c, "select word from kept"); got != "committed" {
		t.Errorf("read %q", got)
	}
}

// A copy has what the stopped cluster has, and is another cluster from then on; one that runs, or
// has data already, is refused.
func TestCopy(t *testing.T) {
	t.Parallel()
	from := Options{Dir: copied(t), Binaries: must(Find(t.Context()))}
	c := start(t, from.Dir)
	query(t, c, "create table kept as select 'of the first' as word")
	to := Options{Dir: open(t), Binaries: from.Binaries}
	if err := Copy(from, to); err == nil || !strings.Contains(err.Error(), "a Postgres runs on") {
		t.Errorf("copied while it ran: %v", err)
	}
	if err := c.end(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := Copy(from, to); err != nil {
		t.Fatal(err)
	}
	if err := Copy(from, to); err == nil || !strings.Contains(err.Error(), "has data already") {
		t.Errorf("copied over data: %v", err)
	}
	second := start(t, to.Dir)
	query(t, second, "update kept set word = 'of the second'")
	if err := c.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := query(t, c, "select word from kept") + ", " + query(t, second, "select word from kept"); got != "of the first, of the second" {
		t.Error(got)
	}
}

// A number in postmaster.pid that is another program's after a reboot must not stop the start.
func TestStalePIDOfAnotherProgram(t *testing.T) {
	t.Parallel()
	dir := copied(t)
	binaries := must(Find(t.Context()))
	c, err := Start(t.Context(), Options{Dir: dir, Binaries: binaries})
	if err != nil {
		t.Fatal(err)
	}
	data := c.data
	if err := c.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(data, "postmaster.pid"), fmt.Appendf(nil, "%d\n", os.Getpid()), 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, dir)
}

func TestRefusedFolder(t *testing.T) {
	t.Parallel()
	file := filepath.Join(filepath.Dir(open(t)), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ dir, want string }{
		"BelowAFile":        {filepath.Join(file, "data"), "choose a folder that you may write to"},
		"OnAReadOnlySystem": {"/proc/halles", "choose a folder that you may write to"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Start(t.Context(), Options{Dir: c.dir, Binaries: must(Find(t.Context()))})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v", err)
			}
		})
	}
	t.Run("ClosedToTheServersUser", func(t *testing.T) {
		t.Parallel()
		if os.Geteuid() != 0 {
			t.Skip("only root runs Postgres as another user")
		}
		_, err := Start(t.Context(), Options{Dir: filepath.Join(t.TempDir(), "data"), Binaries: must(Find(t.Context()))})
		if err == nil || !strings.Contains(err.Error(), "choose a data folder elsewhere") {
			t.Errorf("got %v", err)
		}
	})
}

// A server that is gone may have left the word "ready" behind, under a number that another has now.
func TestOldWordIsNotTaken(t *testing.T) {
	t.Parallel()
	dir := copied(t)
	c := must(Start(t.Context(), Options{Dir: dir, Binaries: must(Find(t.Context())), Durable: true}))
	pidFile := filepath.Join(c.data, "postmaster.pid")
	said, err := os.ReadFile(pidFile)
	if err != nil || !c.saysReady() {
		t.Fatalf("it runs and does not say so: %q, %v", said, err)
	}
	if err := c.Crash(); err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(said), "\n")
	if err := os.WriteFile(pidFile, []byte("1\n"+after), 0o600); err != nil { // the kernel's first
		t.Fatal(err)
	}
	if c.saysReady() {
		t.Error("another's word was taken")
	}
	if err := c.Stop(); err != nil {
		t.Fatal(err)
	}
	if got := query(t, start(t, dir), "select 'up'"); got != "up" {
		t.Error(got)
	}
}

// fake makes a folder with programs that say they are Postgres of some version.
func fake(t *testing.T, version string, programs ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range programs {
		script := "#!/bin/sh\necho 'postgres (PostgreSQL) " + version + "'\n"
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o700); err != nil { //nolint:gosec // it is a program
			t.Fatal(err)
		}
	}
	return dir
}

func TestFind(t *testing.T) {
	t.Parallel()
	old, current, newer := fake(t, "14.9", "postgres", "initdb"), fake(t, "15.4", "postgres", "initdb"), fake(t, "18.1", "postgres", "initdb")
	serverOnly := fake(t, "19.0", "postgres")
	for name, c := range map[string]struct {
		dirs []string
		want string // the folder, or words of the error
	}{
		"TheNewest":            {[]string{current, newer, old}, newer},
		"NotWithoutInitdb":     {[]string{serverOnly, current}, current},
		"TooOld":               {[]string{old}, "Postgres 14 in " + old + " is too old: install version 15 or later"},
		"None":                 {[]string{t.TempDir(), "/nowhere"}, ErrNone.Error()},
		"NewerBesideATooOld":   {[]string{old, current}, current},
		"WhatDoesNotRunIsNone": {[]string{fake(t, "?", "postgres", "initdb")}, ErrNone.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, err := findIn(t.Context(), c.dirs)
			got := b.Dir
			if err != nil {
				got = err.Error()
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// The version is read from the program where it stands in it as pg_ctl prints it, once; what is
// not clear is asked.
func TestVersionInsideTheProgram(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text string
		want int
	}{
		"AsItPrintsIt":     {"\x7fELF\x00usage\x00pg_ctl (PostgreSQL) 17.2 (Debian 17.2-1)\x00more\x00", 17},
		"WithItsLine":      {"\x00pg_ctl (PostgreSQL) 16.4\n\x00", 16},
		"OfAnotherProgram": {"\x00initdb (PostgreSQL) 16.4\x00", 0},
		"Two":              {"\x00pg_ctl (PostgreSQL) 15.1\x00\x00pg_ctl (PostgreSQL) 16.4\x00", 0},
		"AScript":          {"#!/bin/sh\nexec /opt/pg_ctl (PostgreSQL) 16.4\n", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			program := filepath.Join(t.TempDir(), "pg_ctl")
			if err := os.WriteFile(program, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if got := inside(program); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
	installed := must(Find(t.Context()))
	ctl := filepath.Join(installed.Dir, executable("pg_ctl"))
	if !isFile(ctl) {
		return // a small installation
	}
	said, err := exec.CommandContext(t.Context(), ctl, "--version").Output()
	if got := inside(ctl); err != nil || got != 0 && !strings.Contains(string(said), fmt.Sprintf("(PostgreSQL) %d", got)) {
		t.Errorf("%d stands in what says %s, %v", got, said, err)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// A folder that was given back is free, though a program that was just being started has the lock's
// file open still.
func TestAFolderGivenBackIsFree(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	first, err := acquire(path)
	if err != nil {
		t.Fatal(err)
	}
	if second, err := acquire(path); err == nil {
		second.Close()
		t.Fatal("two have the lock")
	}
	started, err := syscall.Dup(int(first.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syscall.Close(started) }()
	if err := release(first); err != nil {
		t.Fatal(err)
	}
	again, err := acquire(path)
	if err != nil {
		t.Fatalf("given back, and still taken: %v", err)
	}
	if err := release(again); err != nil {
		t.Error(err)
	}
}
