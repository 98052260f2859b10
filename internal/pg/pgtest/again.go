package pgtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// A database that a test leaves is made empty for the next: its connections, 50 ms of processor time
// each and as much again for what they prepare, are what most tests would spend most on. It is lent
// only when it is as the template is, which is looked at and not trusted: the rows of the template by
// their contents, the catalogues by who wrote them last, and nobody else connected. What another test
// changed more of, or left at work, is dropped, and the next gets a copy of the template as ever.
var left struct {
	sync.Mutex
	databases []*Database

	once  sync.Once
	blank blank // the template
	err   error
}

// blank is what a copy of the template has.
type blank struct {
	catalogues string
	rows       map[string]string // by table: a hash of its rows
	copies     map[string][]byte // the rows
	sequences  map[string]string // by sequence: how it is set again
}

// kinds of what a test may change that deleting rows does not undo. Statistics are among them.
var catalogues = []string{
	"pg_attrdef", "pg_attribute", "pg_cast", "pg_class", "pg_collation", "pg_constraint", "pg_default_acl", "pg_enum", "pg_event_trigger",
	"pg_extension", "pg_foreign_server", "pg_index", "pg_inherits", "pg_largeobject_metadata", "pg_operator", "pg_policy",
	"pg_proc", "pg_publication", "pg_rewrite", "pg_sequence", "pg_statistic", "pg_statistic_ext", "pg_trigger", "pg_ts_config", "pg_ts_dict", "pg_type",
}

// ours are the tables of the database, by oid.
const ours = `pg_class c where c.relkind = 'r' and c.relpersistence <> 't' and c.relnamespace <> 'information_schema'::regnamespace
	and c.oid >= 16384`

// Fresh gives a test a copy of the template that no test has used: for what measures plans, or is at
// odds with connections that have been there before. Nobody gets it afterwards.
func Fresh(d *Database) { d.fresh = true }

// again lends a database that is left, as good as new; nil where there is none.
func again(t testing.TB, connections int) *Database {
	t.Helper()
	for {
		left.Lock()
		at := slices.IndexFunc(left.databases, func(d *Database) bool { return d.connections == connections })
		if at < 0 {
			left.Unlock()
			return nil
		}
		d := left.databases[at]
		left.databases = slices.Delete(left.databases, at, at+1)
		left.Unlock()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
		err := d.empty(ctx)
		cancel()
		if err == nil {
			next := *d // who still has the other holds no field of this
			return &next
		}
		t.Logf("%s is not used again: %v", d.name, err)
		if err := d.drop(); err != nil {
			t.Error(err)
		}
	}
}

// leave keeps a test's database for another, or drops it.
func (d *Database) leave(t testing.TB) {
	t.Helper()
	const most = 4 // of a kind: as many as tests run beside each other, and a few
	left.Lock()
	alike := 0
	for _, other := range left.databases {
		if other.connections == d.connections {
			alike++
		}
	}
	keep := !d.fresh && !t.Failed() && !d.busy() && alike < most
	if keep {
		left.databases = append(left.databases, d)
	}
	left.Unlock()
	if !keep {
		if err := d.drop(); err != nil {
			t.Error(err)
		}
	}
}

// all are the pools.
func (d *Database) all() []*pgxpool.Pool {
	pools := []*pgxpool.Pool{d.Migrate}
	for _, role := range d.DB.Roles() {
		pools = append(pools, d.DB.Pool(role))
	}
	return pools
}

// busy tells whether somebody is still at work: to end the pools waits for them.
func (d *Database) busy() bool {
	return slices.ContainsFunc(d.all(), func(p *pgxpool.Pool) bool { return p.Stat().AcquiredConns() > 0 })
}

// empty makes the database as the template is, or says why it cannot.
func (d *Database) empty(ctx context.Context) error {
	known, err := d.settle(ctx)
	if err != nil {
		return err
	}
	admin, err := d.administrator(ctx)
	if err != nil {
		return err
	}
	known = append(known, admin.PgConn().PID())
	for began := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		var others int
		if err := admin.QueryRow(ctx, `select count(*) from pg_stat_activity where datname = current_database() and pid <> all($1)`, known).Scan(&others); err != nil {
			return err
		}
		if others == 0 {
			break
		}
		if time.Since(began) > time.Second { // one that ends takes a moment
			return fmt.Errorf("%d others are connected", others)
		}
	}
	template, err := template0(ctx)
	if err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, admin, func(tx pgx.Tx) error { return template.restore(ctx, tx) })
}

// settle looks whether all connections of the pools are idle, takes from them what a session keeps, and
// tells their processes.
func (d *Database) settle(ctx context.Context) (processes []uint32, err error) {
	used := false
	for i, pool := range d.all() {
		idle := pool.AcquireAllIdle(ctx)
		for _, conn := range idle {
			_, more := conn.Exec(ctx, "reset role; reset all; unlisten *; select pg_advisory_unlock_all(); discard temp", pgx.QueryExecModeSimpleProtocol)
			err = errors.Join(err, more)
			processes = append(processes, conn.Conn().PgConn().PID())
			conn.Release()
		}
		if all := pool.Stat().TotalConns(); int(all) != len(idle) || all == 0 && pool.Stat().NewConnsCount() > 0 {
			return nil, fmt.Errorf("of %d connections %d are idle", pool.Stat().NewConnsCount(), len(idle)) // or the pool is closed
		}
		used = used || i > 0 && len(idle) > 0
	}
	if !used && err == nil {
		return nil, errors.New("nothing was asked of it") // a closed pool looks the same
	}
	return processes, err
}

// administrator is a superuser's connection that no trigger and no key holds up.
func (d *Database) administrator(ctx context.Context) (*pgx.Conn, error) {
	if d.admin == nil {
		conn, err := pgx.Connect(ctx, d.AdminURL())
		if err != nil {
			return nil, err
		}
		if _, err := conn.Exec(ctx, "set session_replication_role = replica"); err != nil {
			return nil, errors.Join(err, conn.Close(ctx))
		}
		d.admin = conn
	}
	return d.admin, nil
}

// template0 is what the template has, read once from the template itself, which nobody copies meanwhile:
// Postgres waits seconds for those who are connected to it.
func template0(ctx context.Context) (*blank, error) {
	left.once.Do(func() {
		left.err = func() error {
			conn, err := pgx.Connect(ctx, private.cluster.URL("postgres", template))
			if err != nil {
				return err
			}
			return errors.Join(left.blank.read(ctx, conn), conn.Close(ctx))
		}()
	})
	return &left.blank, left.err
}

func (b *blank) read(ctx context.Context, conn *pgx.Conn) (err error) {
	if b.catalogues, err = written(ctx, conn); err != nil {
		return err
	}
	rows, _ := conn.Query(ctx, `select c.oid::regclass::text from `+ours+` and pg_relation_size(c.oid) > 0`)
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	b.copies, b.sequences = map[string][]byte{}, map[string]string{}
	for _, table := range tables {
		var out bytes.Buffer
		if _, err := conn.PgConn().CopyTo(ctx, &out, "copy "+table+" to stdout"); err != nil {
			return err
		}
		b.copies[table] = out.Bytes()
	}
	if b.rows, err = hashes(ctx, conn, tables); err != nil {
		return err
	}
	rows, _ = conn.Query(ctx, `select oid::regclass::text from pg_class where relkind = 'S'`)
	sequences, err := pgx.CollectRows(rows, pgx.RowTo[string])
	for _, s := range sequences {
		var set string
		if err := conn.QueryRow(ctx, fmt.Sprintf(`select format('setval(%%L, %%s, %%L)', '%[1]s', last_value, is_called) from %[1]s`, s)).Scan(&set); err != nil {
			return err
		}
		b.sequences[s] = set
	}
	return err
}

// asker is a connection or a transaction.
type asker interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// written tells the state of the catalogues: how many rows, and by which transactions.
func written(ctx context.Context, q asker) (state string, err error) {
	parts := []string{
		// But for that of generic, which the template lacks.
		`(select count(*)::text from pg_db_role_setting where setdatabase = (select oid from pg_database where datname = current_database())
			and (setrole <> 0 or setconfig <> '{plan_cache_mode=force_generic_plan}'))`,
		`(select count(*)::text from pg_namespace where nspname not like 'pg\_%temp\_%')`, // that for temporary tables stays, without them
	}
	for _, c := range catalogues {
		parts = append(parts, `(select count(*) || '/' || coalesce(sum(xmin::text::int8), 0) from `+c+`)`)
	}
	err = q.QueryRow(ctx, "select concat_ws(' ', "+strings.Join(parts, ", ")+")").Scan(&state)
	return state, err
}

// hashes are of the rows of tables.
func hashes(ctx context.Context, q asker, tables []string) (map[string]string, error) {
	found := map[string]string{}
	parts := make([]string, len(tables))
	for i, t := range tables {
		parts[i] = fmt.Sprintf("'%[1]s', (select count(*) || '/' || coalesce(sum(hashtextextended(x::text, 0)), 0) from %[1]s x)", t)
	}
	err := q.QueryRow(ctx, "select jsonb_build_object("+strings.Join(parts, ", ")+")").Scan(&found)
	return found, err
}

// restore makes a database as the template is.
func (b *blank) restore(ctx context.Context, tx pgx.Tx) error {
	state, err := written(ctx, tx)
	if err != nil {
		return err
	}
	if state != b.catalogues {
		return errors.New("its schema or its statistics changed")
	}
	tables := make([]string, 0, len(b.copies))
	for t := range b.copies {
		tables = append(tables, t)
	}
	now, err := hashes(ctx, tx, tables)
	if err != nil {
		return err
	}
	batch := &pgx.Batch{}
	rows, _ := tx.Query(ctx, `select c.oid::regclass::text as name, pg_relation_size(c.oid) as size from `+ours+` and pg_relation_size(c.oid) > 0`)
	filled, err := pgx.CollectRows(rows, pgx.RowToStructByName[struct {
		Name string
		Size int64
	}])
	if err != nil {
		return err
	}
	for _, t := range filled {
		const most = 512 << 10 // what is deleted stays in the way of those who look
		if t.Size > most {
			return fmt.Errorf("%s has grown to %d bytes", t.Name, t.Size)
		}
		if hash, kept := b.rows[t.Name]; !kept || hash != now[t.Name] {
			batch.Queue("delete from " + t.Name)
		}
	}
	for _, set := range b.sequences {
		batch.Queue("select " + set)
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return err
	}
	for _, t := range tables {
		if now[t] == b.rows[t] {
			continue
		}
		if _, err := tx.Conn().PgConn().CopyFrom(ctx, bytes.NewReader(b.copies[t]), "copy "+t+" from stdin"); err != nil {
			return err
		}
	}
	return nil
}

// drop ends the pools and removes the database.
func (d *Database) drop() error {
	ctx := context.Background()
	d.Migrate.Close()
	d.DB.Close()
	if d.admin != nil {
		_ = d.admin.Close(ctx) // it is forced anyway
	}
	return drop(ctx, d.name)
}
