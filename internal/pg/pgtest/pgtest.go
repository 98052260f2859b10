// Package pgtest gives each test a Postgres database of its own, with the whole schema and
// the program's roles: a copy of a template, made in some 30 ms on a private cluster that
// lives as long as the test binary, and is itself a copy of one that is kept (template.go);
// or one that another test has left, made empty again with its connections (again.go).
package pgtest

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/pg/cluster"
	"github.com/audelor/halles/migrations"
)

// private is the binary's cluster, started by the first test that needs it.
var private struct {
	once    sync.Once
	cluster *cluster.Cluster
	admins  chan *pgx.Conn // those that nobody uses at the moment
	dir     string
	err     error
	copies  atomic.Int64
}

// Main runs the tests of a package and stops its cluster: `func TestMain(m *testing.M) { pgtest.Main(m) }`.
func Main(m *testing.M) {
	debug.SetGCPercent(400) // memory is there, and processors are what tests wait for
	code := m.Run()
	if private.cluster != nil {
		if err := private.cluster.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "stop the tests' Postgres:", err)
			code = max(code, 1)
		}
	}
	os.RemoveAll(private.dir)
	os.Exit(code)
}

// Waiting runs a package's tests as Main does, twice as many at a time as there are processors, unless
// -parallel says how many: for tests that wait more than they compute, for time limits and programs.
func Waiting(m *testing.M) {
	flag.Parse()
	asked := false
	flag.Visit(func(f *flag.Flag) { asked = asked || f.Name == "test.parallel" })
	if !asked {
		_ = flag.Set("test.parallel", strconv.Itoa(2*runtime.GOMAXPROCS(0))) // a number is taken
	}
	Main(m)
}

func start(ctx context.Context) (err error) {
	sweep(scratch(), "halles-test-*") // of programs that were killed
	private.admins = make(chan *pgx.Conn, 4)
	private.dir, private.cluster, err = another(ctx, false)
	return err
}

// another starts a cluster with the template, in a folder of its own; one that is durable has what it
// acknowledged after a crash.
func another(ctx context.Context, durable bool) (dir string, c *cluster.Cluster, err error) {
	if dir, err = os.MkdirTemp(scratch(), "halles-test-"); err != nil {
		return "", nil, err
	}
	// Run as root, Postgres gets a user of its own, who must reach its folder inside.
	if err := os.Chmod(dir, 0o711); err != nil { //nolint:gosec // search permission only
		return dir, nil, err
	}
	binaries, err := cluster.FindOrFetch(ctx, cluster.Source{
		Dir: cluster.DefaultDir(), Repository: os.Getenv("HALLES_POSTGRES_REPOSITORY"), Progress: os.Stderr,
	})
	if err != nil {
		return dir, nil, err
	}
	o := cluster.Options{
		Dir: filepath.Join(dir, "data"), Binaries: binaries, Durable: durable,
		// Each test has pools for all roles; the log tells deadlocks. A test that needs statistics
		// asks for them: autovacuum would come in some runs. Tables of locks are for all connections
		// together, and to make the usual ones for 500 takes a fifth of the start.
		Params: []string{
			"max_connections=500", "max_locks_per_transaction=32", "max_pred_locks_per_transaction=10", "shared_buffers=64MB",
			"autovacuum=off", "wal_level=minimal", "max_wal_senders=0", "max_logical_replication_workers=0",
		},
	}
	from, ok := kept(ctx, binaries)
	if ok {
		ok = cluster.Copy(from, o) == nil
	}
	if c, err = cluster.Start(ctx, o); err != nil || ok {
		return dir, c, err
	}
	return dir, c, migrate(ctx, c)
}

// administer lends an administrator's connection. A few stay, and no goroutine with them: to make
// one costs as much as a small database.
func administer(ctx context.Context, do func(ctx context.Context, admin *pgx.Conn) error) (err error) {
	var admin *pgx.Conn
	select {
	case admin = <-private.admins:
	default:
	}
	if admin == nil || admin.Ping(ctx) != nil { // a test may have ended its session
		if admin, err = pgx.Connect(ctx, private.cluster.URL("postgres", "postgres")); err != nil {
			return err
		}
	}
	if err := do(ctx, admin); err != nil {
		return errors.Join(err, admin.Close(ctx))
	}
	select {
	case private.admins <- admin:
		return nil
	default:
		return admin.Close(ctx)
	}
}

// Database is a test's own database, fully migrated.
type Database struct {
	DB         *pg.DB           // as the program uses it
	Migrate    *pgxpool.Pool    // halles_migrate, which sees every commune: to set up and to check
	Options    pg.Options       // opens further pools, as another process would
	Cluster    *cluster.Cluster // shared with the binary's other tests, but for Own's
	name       string
	statements *atomic.Int64

	connections int       // of each role; 0: as many as a server's
	fresh       bool      // no test had it before, none gets it afterwards
	admin       *pgx.Conn // who makes it empty again; nil until then
}

// few is how many connections a role has in a test: each costs as much processor time as a copy of
// the template, 50 ms, and prepares every statement anew. They are made where another waits for none.
const few = 2

// Crowd gives a test's roles as many connections as a server's: for what many do at the same time.
func Crowd(d *Database) { d.connections = 0 }

// New lends a test a database for itself, as the template is.
func New(t testing.TB, with ...func(*Database)) *Database {
	t.Helper()
	_, measured := t.(*testing.B)
	wanted := Database{connections: few, fresh: measured}
	for _, change := range with {
		change(&wanted)
	}
	if !wanted.fresh {
		if d := again(t, wanted.connections); d != nil {
			t.Cleanup(func() { d.leave(t) })
			return d
		}
	}
	d := create(t, template)
	d.connections, d.fresh = wanted.connections, wanted.fresh
	if err := errors.Join(d.generic(t.Context()), d.pools()); err != nil {
		t.Fatal(errors.Join(err, drop(context.Background(), d.name)))
	}
	t.Cleanup(func() { d.leave(t) })
	return d
}

// generic has a statement planned once for a connection, and not for each of its first five executions,
// which is a tenth of the processor time of tests that ask little of much. A fresh one's are planned as
// a server's.
func (d *Database) generic(ctx context.Context) error {
	if d.fresh {
		return nil
	}
	return administer(ctx, func(ctx context.Context, admin *pgx.Conn) error {
		_, err := admin.Exec(ctx, "alter database "+d.name+" set plan_cache_mode = force_generic_plan")
		return err
	})
}

// Own makes a database on a cluster of its own, which its test may crash and start again.
func Own(t testing.TB) *Database {
	t.Helper()
	dir, c, err := another(context.Background(), true)
	t.Cleanup(func() {
		if c != nil {
			if err := c.Stop(); err != nil {
				t.Error(err)
			}
		}
		os.RemoveAll(dir)
	})
	if err != nil {
		t.Fatal(err)
	}
	d := &Database{Cluster: c, name: "own"}
	admin, err := pgx.Connect(t.Context(), c.URL("postgres", "postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close(context.WithoutCancel(t.Context()))
	if _, err = admin.Exec(t.Context(), "create database "+d.name+" template "+template); err == nil {
		err = migrations.GrantCopy(t.Context(), admin, d.name)
	}
	if err != nil {
		t.Fatal(err)
	}
	d.open(t)
	return d
}

// Empty makes a database without pools: of the template given, or with nothing in it when the
// template is "".
func Empty(t testing.TB, from string) *Database {
	t.Helper()
	d := create(t, from)
	t.Cleanup(func() {
		if err := drop(context.Background(), d.name); err != nil {
			t.Error(err)
		}
	})
	return d
}

func create(t testing.TB, from string) *Database {
	t.Helper()
	private.once.Do(func() { private.err = start(context.Background()) })
	if private.err != nil {
		t.Fatalf("the tests' Postgres: %v", private.err)
	}
	d := &Database{Cluster: private.cluster, name: "test_" + strconv.FormatInt(private.copies.Add(1), 10), connections: few}
	clone := "create database " + d.name
	if from != "" { // page by page through the log, as is usual since 15, costs three times as much
		clone += " template " + from + " strategy file_copy"
	}
	err := administer(t.Context(), func(ctx context.Context, admin *pgx.Conn) error {
		if _, err := admin.Exec(ctx, clone); err != nil {
			return err
		}
		return migrations.GrantCopy(ctx, admin, d.name)
	})
	if err == nil && from == "" {
		err = migrations.GrantDatabase(t.Context(), d.AdminURL())
	}
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func drop(ctx context.Context, name string) error {
	return administer(ctx, func(ctx context.Context, admin *pgx.Conn) error {
		_, err := admin.Exec(ctx, "drop database "+name+" with (force)")
		return err
	})
}

// Bare is New with nothing in the database: to restore into.
func Bare(t testing.TB) *Database {
	t.Helper()
	d := Empty(t, "")
	d.open(t)
	return d
}

func (d *Database) open(t testing.TB) {
	t.Helper()
	if err := d.pools(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.DB.Close)
	t.Cleanup(d.Migrate.Close)
}

// pools opens them. They outlive the test's context, which ends before its clean-ups.
func (d *Database) pools() (err error) {
	ctx := context.Background()
	d.statements = &atomic.Int64{}
	d.Options = pg.Options{URL: d.ServerURL(), Tracer: counter{d.statements}}
	if d.DB, err = pg.Open(ctx, d.Options); err != nil {
		return err
	}
	if d.Migrate, err = pgxpool.New(ctx, d.MigrateURL()); err != nil {
		d.DB.Close()
	}
	return err
}

// URL is where a role of the program reaches the database.
func (d *Database) URL(role pg.Role) string { return d.Cluster.URL(string(role), d.name) }

// MigrateURL is where migrations reach it.
func (d *Database) MigrateURL() string { return d.Cluster.URL("halles_migrate", d.name) }

// AdminURL is where a superuser reaches it.
func (d *Database) AdminURL() string { return d.Cluster.URL("postgres", d.name) }

// ServerURL is AdminURL for a server, which takes no more connections than d.DB.
func (d *Database) ServerURL() string {
	if d.connections == 0 {
		return d.AdminURL()
	}
	return d.AdminURL() + "&pool_max_conns=" + strconv.Itoa(d.connections)
}

// Name is the database's name.
func (d *Database) Name() string { return d.name }

// Host is the folder of the server's socket.
func (d *Database) Host() string {
	u, _ := url.Parse(d.AdminURL()) // made by us
	return u.Query().Get("host")
}

// Statements starts to count what d.DB sends; the function returned tells how many it was
// since. The viewer's settings do not count: they travel with their query.
func (d *Database) Statements() func() int {
	before := d.statements.Load()
	return func() int { return int(d.statements.Load() - before) }
}

// Exec runs SQL over all communes, as halles_migrate.
func (d *Database) Exec(t testing.TB, sql string, args ...any) {
	t.Helper()
	if _, err := d.Migrate.Exec(t.Context(), sql, args...); err != nil {
		t.Fatalf("%v in %s", err, sql)
	}
}

// Scan reads one row over all communes, as halles_migrate.
func Scan[T any](t testing.TB, d *Database, sql string, args ...any) (v T) {
	t.Helper()
	if err := d.Migrate.QueryRow(t.Context(), sql, args...).Scan(&v); err != nil {
		t.Fatalf("%v in %s", err, sql)
	}
	return v
}
