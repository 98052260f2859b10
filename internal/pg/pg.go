// Package pg is the way to Postgres: one pool for each role, and the viewer's settings in
// front of every transaction. It knows no table and no business.
//
// Isolation has two locks. Every query names its commune; and row-level security holds where
// a query forgets. The second needs the viewer as settings local to one transaction: they
// travel in the same round trip as the query, so that they cost microseconds and can never
// outlive it, not even behind a pooler.
package pg

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/audelor/halles/internal/fault"
)

// Role is a login role of the database: what a statement may touch at most.
type Role string

// The roles that the program acts as; see migrations/roles.go.
const (
	Public   Role = "halles_public"   // reads the published catalogue
	App      Role = "halles_app"      // acts for a viewer
	Identity Role = "halles_identity" // finds out who the viewer is
	Worker   Role = "halles_worker"   // jobs and the feed
	Stats    Role = "halles_stats"    // published figures, and nothing else
	Listen   Role = "halles_listen"   // LISTEN only
)

// pools says how many connections a role may hold on a small machine. Apart, so that a rush
// of readers cannot take the connections that orders need. The worker's are the feed's and the
// jobs': of these as many as internal/job lets run beside messages, and those that River asks by. More
// orders at once than eight only wait for each other in Postgres: with twelve an order took 5 to 20 % more
// processor time on two cores, and its p99 was 1.4 times the limit's in place of once.
var pools = map[Role]int32{Public: 8, App: 8, Identity: 2, Stats: 2, Worker: 8}

// DB is a pool for each role, and for those that only read what is published another one on a
// replica, where there is one.
type DB struct {
	pools   map[Role]*pgxpool.Pool
	replica *replica // may be nil
}

// Options says how to reach the database.
type Options struct {
	// URL is any role's; the role's name and password are put in its place. Through PgBouncer
	// before 1.21 it must say default_query_exec_mode=cache_describe: what pgx prepares by
	// default is gone when the pooler gives the next transaction another connection.
	// pool_max_conns in it bounds each role's pool, and twice that the worker's, whose jobs and
	// River ask beside each other: for a small Postgres. More than a pool has by itself it never gets.
	URL       string
	Passwords map[Role]string // none where the server trusts its socket
	Tracer    pgx.QueryTracer // sees every statement; may be nil

	ReplicaURL string       // of a streaming replica, as URL; empty: there is none
	Log        *slog.Logger // tells when the replica serves and when not; may be nil
}

// RoleURL is the connection URL of a role.
func (o Options) RoleURL(role Role) (string, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Scheme == "" {
		return "", errors.New("the database URL must look like postgres://host:5432/halles")
	}
	if u.User = url.User(string(role)); o.Passwords[role] != "" {
		u.User = url.UserPassword(string(role), o.Passwords[role])
	}
	if q := u.Query(); q.Has(most) { // of pools, and no server knows it
		q.Del(most)
		u.RawQuery = q.Encode()
	}
	return u.String(), nil
}

const most = "pool_max_conns"

// connections is how many a role's pool may hold.
func (o Options) connections(role Role) (int32, error) {
	u, err := url.Parse(o.URL)
	if err != nil || !u.Query().Has(most) {
		return pools[role], err
	}
	n, err := strconv.ParseInt(u.Query().Get(most), 10, 16)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("the database URL: %s=%s is no number of connections", most, u.Query().Get(most))
	}
	if role == Worker {
		n *= 2
	}
	return min(int32(n), pools[role]), nil
}

// Open makes the pools. Connections are made when they are needed.
func Open(ctx context.Context, o Options) (*DB, error) {
	db := &DB{pools: map[Role]*pgxpool.Pool{}}
	for role := range pools {
		pool, err := open(ctx, o, role)
		if err != nil {
			return nil, err
		}
		db.pools[role] = pool
	}
	if o.ReplicaURL != "" {
		var err error
		if db.replica, err = openReplica(ctx, o, db); err != nil {
			return nil, err
		}
	}
	return db, nil
}

func open(ctx context.Context, o Options, role Role) (*pgxpool.Pool, error) {
	roleURL, err := o.RoleURL(role)
	if err != nil {
		return nil, err
	}
	config, err := pgxpool.ParseConfig(roleURL)
	if err != nil {
		return nil, fmt.Errorf("the database URL: %w", err)
	}
	if config.MaxConns, err = o.connections(role); err != nil {
		return nil, err
	}
	config.ConnConfig.Tracer = o.Tracer
	config.AfterConnect = func(_ context.Context, conn *pgx.Conn) error {
		sendUUIDs(conn.TypeMap())
		return nil
	}
	return pgxpool.NewWithConfig(ctx, config)
}

// Warm makes a role's first connection, which the first request would wait for.
func (db *DB) Warm(ctx context.Context, role Role) error {
	conn, err := db.pools[role].Acquire(ctx)
	if err == nil {
		conn.Release()
	}
	return unavailable(err)
}

// Close waits for the connections in use and closes all.
func (db *DB) Close() {
	if db.replica != nil {
		db.replica.close()
	}
	for _, pool := range db.pools {
		pool.Close()
	}
}

// Roles lists the roles that have a pool.
func (db *DB) Roles() []Role { return slices.Sorted(maps.Keys(db.pools)) }

// Pool is the bare pool of a role, for tables that no viewer reads. Whoever uses it for a
// tenant table sees no row: the settings are missing.
func (db *DB) Pool(role Role) *pgxpool.Pool { return db.pools[role] }

// Select runs one query under the scope, in one round trip and one implicit transaction, and
// collects its rows into structs by column name (`db` tags, else snake_case).
func Select[T any](ctx context.Context, db *DB, s Scope, sql string, args ...any) ([]T, error) {
	return selected(ctx, db, s, false, pgx.RowToStructByName[T], sql, args)
}

// SelectPart is Select for a query that has columns for a part of T only; the rest stays zero.
func SelectPart[T any](ctx context.Context, db *DB, s Scope, sql string, args ...any) ([]T, error) {
	return selected(ctx, db, s, true, pgx.RowToStructByNameLax[T], sql, args)
}

func selected[T any](ctx context.Context, db *DB, s Scope, part bool, slow pgx.RowToFunc[T], sql string, args []any) ([]T, error) {
	var list []T
	err := db.collect(ctx, s, func(rows pgx.Rows) error {
		list = []T{}
		return collectStructs(rows, reflect.TypeFor[T](), part,
			func(n int) { list = make([]T, 0, n) },
			func() reflect.Value {
				list = append(list, *new(T))
				return reflect.ValueOf(&list[len(list)-1]).Elem()
			},
			func() (err error) {
				list[len(list)-1], err = slow(rows)
				return err
			})
	}, sql, args)
	if err != nil {
		return nil, err
	}
	return list, nil
}

// SelectScalars is Select for a query of one column.
func SelectScalars[T any](ctx context.Context, db *DB, s Scope, sql string, args ...any) ([]T, error) {
	var list []T
	err := db.collect(ctx, s, func(rows pgx.Rows) (err error) {
		list, err = pgx.CollectRows(rows, pgx.RowTo[T])
		return err
	}, sql, args)
	return list, err
}

// collect has read read the rows; it may be called twice, on the replica and on the database.
func (db *DB) collect(ctx context.Context, s Scope, read func(pgx.Rows) error, sql string, args []any) error {
	if c, _ := ctx.Value(coachKey{}).(coach); c != nil && db.replica == nil {
		return c.ride(&query{ctx: ctx, db: db, scope: s, read: read, sql: sql, args: args})
	}
	return db.collectAlone(ctx, s, read, sql, args)
}

func (db *DB) collectAlone(ctx context.Context, s Scope, read func(pgx.Rows) error, sql string, args []any) error {
	pool, ok := db.pools[s.Role]
	if !ok {
		return fmt.Errorf("no pool for role %q", s.Role)
	}
	if r := db.replica; r != nil {
		if near := r.pool(ctx, s.Role); near != nil {
			err := collectFrom(ctx, near, s, read, sql, args)
			if !gaveUp(ctx, err) {
				r.served.Add(1)
				return err
			}
			r.passed.Add(1)
		}
	}
	return collectFrom(ctx, pool, s, read, sql, args)
}

func collectFrom(ctx context.Context, pool *pgxpool.Pool, s Scope, read func(pgx.Rows) error, sql string, args []any) error {
	conn, err := lend(ctx, s.Role, pool)
	if err != nil {
		return unavailable(err)
	}
	defer conn.Release()
	if query, all, ok := s.within(sql, args, s.set()); ok {
		rows, err := conn.Query(ctx, query, all...)
		if err != nil {
			return unavailable(err)
		}
		return unavailable(read(rows))
	}
	var batch pgx.Batch
	mask := s.set()
	batch.Queue(setting(mask), s.values(mask, nil)...)
	batch.Queue(sql, args...)
	results := conn.SendBatch(ctx, &batch)
	defer results.Close()
	if _, err := results.Exec(); err != nil {
		return unavailable(err)
	}
	rows, err := results.Query()
	if err != nil {
		return unavailable(err)
	}
	return unavailable(read(rows))
}

// maxTries bounds the retries of a transaction that Postgres gave up to let another go on.
const maxTries = 3

// Write runs fn in one READ COMMITTED transaction under the scope and commits when it returns
// nil. fn may run again after a deadlock or a serialization failure: it must change nothing
// outside tx. Inside fn use tx only; a second connection taken under a held one can starve.
func (db *DB) Write(ctx context.Context, s Scope, fn func(ctx context.Context, tx pgx.Tx) error) error {
	pool, ok := db.pools[s.Role]
	if !ok {
		return fmt.Errorf("no pool for role %q", s.Role)
	}
	var err error
	for range maxTries {
		err = write(ctx, pool, s, fn)
		if code := Code(err); code != "40001" && code != "40P01" {
			break
		}
	}
	return unavailable(err)
}

func write(ctx context.Context, pool *pgxpool.Pool, s Scope, fn func(ctx context.Context, tx pgx.Tx) error) error {
	conn, err := lend(ctx, s.Role, pool)
	if err != nil {
		return err
	}
	defer conn.Release()
	all := s.args()
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, setScope, all[:]...); err != nil {
			return err
		}
		if err := fn(ctx, tx); err != nil || s.Witness == nil {
			return err
		}
		b := &pgx.Batch{}
		s.Witness(b)
		return tx.SendBatch(ctx, b).Close()
	})
}

// lendTime is how long somebody who waits for an answer waits for a connection.
const lendTime = 5 * time.Second

// lend takes a connection from a role's pool. Where none comes back in time it says so, for as long
// as somebody waits; a job waits as long as it has.
func lend(ctx context.Context, role Role, pool *pgxpool.Pool) (*pgxpool.Conn, error) {
	if role == Worker || pool.Stat().IdleConns() > 0 { // a timer costs 15 µs
		return pool.Acquire(ctx)
	}
	waiting, cancel := context.WithTimeout(ctx, lendTime)
	defer cancel()
	conn, err := pool.Acquire(waiting)
	if err != nil && waiting.Err() != nil && ctx.Err() == nil {
		return nil, &fault.Error{Kind: fault.Unavailable, Message: "Le service est très demandé. Réessayez dans quelques secondes.", Wait: 2 * time.Second}
	}
	return conn, err
}

// Code is the SQLSTATE inside err, or "".
func Code(err error) string {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return refused.Code
	}
	return ""
}

// Constraint is the name of the constraint that err says was violated, or "". The package
// that owns the table turns it into a sentence.
func Constraint(err error) string {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return refused.ConstraintName
	}
	return ""
}

// lost tells a connection that broke: Postgres crashed, or the way to it did. What was under way may
// have been done or not, which a repeated key or change finds out.
func lost(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false // who asked has left, or has no time
	}
	var network *net.OpError
	return errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || pgconn.SafeToRetry(err)
}

// unavailable tells a database that is away or overloaded from a mistake of ours: the first
// is a fault that a person may read, and worth a retry.
func unavailable(err error) error {
	if err == nil || fault.Of(err) != nil {
		return err
	}
	var connect *pgconn.ConnectError
	class := Code(err)
	switch {
	case errors.As(err, &connect), lost(err), class == "57P01", class == "57P02", class == "57P03", class == "53300", class == "55P03", class == "57014":
		return fmt.Errorf("%w: %w", fault.Errorf(fault.Unavailable, "Le service est momentanément indisponible. Réessayez dans quelques secondes."), err)
	}
	return err
}
