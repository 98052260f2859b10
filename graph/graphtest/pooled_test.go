package graphtest_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

// A pooled connection serves one viewer after the other, and keeps nothing of any: 30 viewers
// over 25 communes, mixed, with requests that are cut off and transactions that fail, get their
// own rows and nobody else's. Queries name no commune and no owner here: it is row-level
// security, and the settings in front of each query, that are asked.
func TestIsolationOfPooledConnections(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	readers := newReaders(t, d)
	t.Run("Direct", func(t *testing.T) {
		t.Parallel()
		readMixed(t, d.DB, readers)
	})
	t.Run("PgBouncer", func(t *testing.T) {
		t.Parallel()
		db, err := pg.Open(context.Background(), pg.Options{URL: startPgBouncer(t, d)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(db.Close)
		readMixed(t, db, readers)
	})
}

// reader is a scope and the withheld rows that are its own.
type reader struct {
	name  string
	scope pg.Scope
	want  map[string][]string // table, ids
}

// newReaders makes a withheld shop and an order in each of the 25 communes, and 30 viewers, of
// whom some have several of them and some have none.
func newReaders(t *testing.T, d *pgtest.Database) []reader {
	t.Helper()
	visitor := fixture.Viewer(t, d, identity.Visitor)
	var shops, orders []tenancy.ID
	customers := make([]*identity.Viewer, 25)
	for i, commune := range visitor.AllCommunes() {
		shop := fixture.Shop(t, d, fixture.ShopOpts{Commune: commune, Status: directory.Draft})
		customers[i] = fixture.Viewer(t, d, identity.Customer)
		order := tenancy.NewID(tenancy.KindOrder, commune)
		d.Exec(t, `insert into orders (commune_id, id, shop_id, number, channel, mode, status, version, customer_id, scope, idempotency_key,
				items_cents, delivery_cents, item_count, pickup_code, placed_at, updated_at)
			values ($1, $2, $3, $4, 'WEB', 'PICKUP', 'PLACED', 1, $5, 'test', $4, 100, 0, 1, $4, now(), now())`,
			commune, order.Row, shop.Row, fmt.Sprintf("N%07d", i), customers[i].Account)
		shops, orders = append(shops, shop), append(orders, order)
	}
	row := func(ids ...tenancy.ID) []string {
		list := []string{}
		for _, id := range ids {
			list = append(list, id.Row.String())
		}
		slices.Sort(list)
		return list
	}
	var all []reader
	add := func(v *identity.Viewer, ownShops, ownOrders []tenancy.ID) {
		want := map[string][]string{"shops": row(ownShops...)}
		if v.Scope().Role == pg.App { // halles_public may not ask for orders at all
			want["orders"] = row(ownOrders...)
		}
		all = append(all, reader{fmt.Sprintf("%s %d", v.Kind, len(all)), v.Scope(), want})
	}
	for i := range 8 {
		of := []int{3 * i, 3*i + 1}
		add(fixture.Viewer(t, d, identity.Merchant, shops[of[0]], shops[of[1]]), []tenancy.ID{shops[of[0]], shops[of[1]]}, []tenancy.ID{orders[of[0]], orders[of[1]]})
		add(fixture.Viewer(t, d, identity.Agent, shops[3*i+2]), shops[3*i+2:3*i+3], orders[3*i+2:3*i+3])
		add(customers[3*i], nil, orders[3*i:3*i+1])
	}
	add(visitor.GuestOf(orders[1], orders[24]), nil, []tenancy.ID{orders[1], orders[24]})
	add(visitor.GuestOf(orders[2]), nil, orders[2:3])
	add(visitor, nil, nil)
	add(fixture.Viewer(t, d, identity.Analyst), nil, nil)
	add(fixture.Viewer(t, d, identity.Hotline), shops, orders)
	add(fixture.Viewer(t, d, identity.Admin), shops, orders)
	return all
}

func readMixed(t *testing.T, db *pg.DB, readers []reader) {
	reads := 1500 // each that is cut off costs a connection
	if os.Getenv("HALLES_LONG") != "" {
		reads = 100_000
	}
	if len(readers) != 30 {
		t.Fatalf("%d viewers", len(readers))
	}
	var left, cut, done atomic.Int64
	left.Store(int64(reads))
	var wait sync.WaitGroup
	for worker := range 16 {
		chance := rand.New(rand.NewPCG(uint64(worker), 1))
		wait.Go(func() {
			for left.Add(-1) >= 0 && !t.Failed() {
				r := readers[chance.IntN(len(readers))]
				table := []string{"shops", "orders"}[chance.IntN(2)]
				want, ok := r.want[table]
				if !ok {
					table, want = "shops", r.want["shops"]
				}
				ctx, cancel := context.WithCancel(t.Context())
				if chance.IntN(10) == 0 { // whoever asked has gone, at any moment of the read
					time.AfterFunc(time.Duration(chance.IntN(2000))*time.Microsecond, cancel)
				}
				got, err := read(ctx, db, r.scope, table, chance.IntN(20))
				cancelled := ctx.Err() != nil
				cancel()
				if err != nil {
					if !cancelled {
						t.Errorf("%s of %s: %v", r.name, table, err)
					}
					cut.Add(1)
					continue
				}
				done.Add(1)
				if !slices.Equal(got, want) {
					t.Errorf("%s reads %v of %s, not %v", r.name, got, table, want)
				}
			}
		})
	}
	wait.Wait()
	for _, role := range []pg.Role{pg.App, pg.Public} {
		for range 20 {
			var n int
			if err := db.Pool(role).QueryRow(t.Context(), "select count(*) from shops").Scan(&n); err != nil || n != 0 {
				t.Errorf("after it %s reads %d shops without settings, %v", role, n, err)
			}
		}
	}
	t.Logf("%d reads, %d of them cut off, 0 foreign rows", done.Load()+cut.Load(), cut.Load())
}

var errMind = errors.New("changed its mind")

// read reads all rows of a table that the public does not, in one of the ways that the program
// has to send a query.
func read(ctx context.Context, db *pg.DB, scope pg.Scope, table string, way int) (ids []string, err error) {
	sql := "select id::text from " + table + " where status in ('DRAFT', 'PLACED') order by 1"
	switch way {
	case 0:
		err = db.Write(ctx, scope, func(ctx context.Context, tx pgx.Tx) error {
			rows, err := tx.Query(ctx, sql)
			if err != nil {
				return err
			}
			if ids, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
				return err
			}
			return errMind // rolled back
		})
		if errors.Is(err, errMind) {
			err = nil
		}
	case 1:
		err = db.Pipe(ctx, scope, func(ctx context.Context, p *pg.Pipe) error {
			b := &pgx.Batch{}
			b.Queue(sql).Query(func(rows pgx.Rows) (err error) {
				ids, err = pgx.CollectRows(rows, pgx.RowTo[string])
				return err
			})
			if err := p.Send(ctx, b); err != nil {
				return err
			}
			return p.Commit(ctx, &pgx.Batch{})
		})
	case 2:
		// A statement that fails leaves nothing behind either.
		if _, err := pg.SelectScalars[int](ctx, db, scope, "select 1 / (select count(*) from "+table+" where id = $1)", uuid.Nil); err == nil {
			return nil, errors.New("divided by zero")
		}
		fallthrough
	default:
		ids, err = pg.SelectScalars[string](ctx, db, scope, sql)
	}
	if ids == nil {
		ids = []string{}
	}
	return ids, err
}

// startPgBouncer starts Debian's PgBouncer in transaction mode in front of a database and returns
// the URL through it. Before 1.21 it knows nothing of prepared statements: the parameter tells
// pgx to go without, and an operator writes it the same way (HALLES_DATABASE_URL).
func startPgBouncer(t *testing.T, d *pgtest.Database) string {
	t.Helper()
	binary, err := exec.LookPath("pgbouncer")
	if err != nil {
		if binary = "/usr/sbin/pgbouncer"; exec.CommandContext(t.Context(), binary, "--version").Run() != nil {
			t.Skip("no pgbouncer here: apt-get install pgbouncer")
		}
	}
	dir, err := os.MkdirTemp("", "halles-pgbouncer-") //nolint:usetesting // t.TempDir is too long for a socket's path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	server, err := url.Parse(d.AdminURL())
	if err != nil {
		t.Fatal(err)
	}
	port := server.Query().Get("port")
	if port == "" {
		port = "5432"
	}
	users := ""
	for _, role := range d.DB.Roles() {
		users += fmt.Sprintf("%q \"\"\n", role)
	}
	// Few connections for many clients: each serves another viewer at nearly every transaction.
	config := fmt.Sprintf(`[databases]
* = host=%s port=%s
[pgbouncer]
pool_mode = transaction
default_pool_size = 3
max_client_conn = 100
auth_type = trust
auth_file = %[3]s/users
unix_socket_dir = %[3]s
listen_port = 6432
logfile = %[3]s/log
`, d.Host(), port, dir)
	for name, text := range map[string]string{"users": users, "ini": config} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil { //nolint:gosec // no secret, read by another user
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), binary, filepath.Join(dir, "ini"))
	var said strings.Builder
	cmd.Stderr = &said
	if err := asServer(cmd, dir); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	through := fmt.Sprintf("postgres:///%s?host=%s&port=6432&default_query_exec_mode=cache_describe", d.Name(), dir)
	for try := 0; ; try++ {
		conn, err := pgx.Connect(t.Context(), strings.Replace(through, "postgres://", "postgres://halles_public@", 1))
		if err == nil {
			_ = conn.Close(t.Context())
			return through
		}
		if try == 100 {
			t.Fatalf("pgbouncer does not answer: %v; it said %s", err, said.String())
		}
		time.Sleep(50 * time.Millisecond)
	}
}
