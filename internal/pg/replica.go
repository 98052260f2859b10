package pg

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/audelor/halles/internal/fault"
)

// Position is how far the primary's log had come when somebody had written: what that reader's next
// answer must not be behind of. The zero Position asks for nothing.
type Position uint64

// String is the position as clients carry it; they need not understand it.
func (p Position) String() string {
	return base64.RawURLEncoding.EncodeToString(binary.BigEndian.AppendUint64(nil, uint64(p)))
}

// ParsePosition reads what String wrote; false for anything else.
func ParsePosition(text string) (Position, bool) {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) != 8 {
		return 0, false
	}
	return Position(binary.BigEndian.Uint64(b)), true
}

type positionKey struct{}

// After has reads in ctx be no older than p.
func After(ctx context.Context, p Position) context.Context {
	return context.WithValue(ctx, positionKey{}, p)
}

const (
	// watchEvery is how often the replica is compared with the primary. It serves while it has what
	// the primary had two looks ago: nothing that it answers is older than a second.
	watchEvery = 300 * time.Millisecond
	// replayWait is how long somebody's own write is waited for on the replica; then the primary is
	// asked.
	replayWait = 100 * time.Millisecond
)

// replica serves what the public and the dashboards read. Who writes reads the primary: orders,
// merchants, staff, jobs and the feed.
type replica struct {
	pools  map[Role]*pgxpool.Pool
	log    *slog.Logger
	fresh  atomic.Bool
	at     atomic.Uint64 // how far it had come at the last look
	served atomic.Int64
	passed atomic.Int64 // reads that it could not serve

	stop context.CancelFunc
	done chan struct{}
}

// replicated are the roles that only read what is published.
var replicated = []Role{Public, Stats}

// ReplicaState is how a replica is.
type ReplicaState struct {
	Fresh  bool  // it serves
	Served int64 // reads since the start
	Passed int64 // reads that went to the primary in its stead
}

// Replica tells how the replica is; false where there is none.
func (db *DB) Replica() (ReplicaState, bool) {
	if db.replica == nil {
		return ReplicaState{}, false
	}
	r := db.replica
	return ReplicaState{r.fresh.Load(), r.served.Load(), r.passed.Load()}, true
}

// Position is how far the primary has come, for whoever has just written; zero where there is no
// replica to be behind.
func (db *DB) Position(ctx context.Context) (Position, error) {
	if db.replica == nil {
		return 0, nil
	}
	var at int64
	err := db.pools[Worker].QueryRow(ctx, `select (pg_current_wal_lsn() - '0/0'::pg_lsn)::bigint`).Scan(&at)
	return Position(at), err
}

func openReplica(ctx context.Context, o Options, primary *DB) (*replica, error) {
	o.URL = o.ReplicaURL
	r := &replica{pools: map[Role]*pgxpool.Pool{}, log: o.Log, done: make(chan struct{})}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	for _, role := range replicated {
		pool, err := open(ctx, o, role)
		if err != nil {
			r.close()
			return nil, err
		}
		r.pools[role] = pool
	}
	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	r.stop = stop
	go func() { defer close(r.done); r.watch(watching, primary) }()
	return r, nil
}

func (r *replica) close() {
	if r.stop != nil {
		r.stop()
		<-r.done
	}
	for _, pool := range r.pools {
		pool.Close()
	}
}

// watch compares the replica with the primary until ctx ends.
func (r *replica) watch(ctx context.Context, primary *DB) {
	var before [2]Position // of the primary, two looks ago and one
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		looking, cancel := context.WithTimeout(ctx, time.Second)
		at, err := r.replayed(looking)
		cancel()
		looking, cancel = context.WithTimeout(ctx, time.Second)
		now, away := primary.Position(looking)
		cancel()
		if ctx.Err() != nil {
			return
		}
		fresh := err == nil && at >= before[0]
		if was := r.fresh.Swap(fresh); was != fresh {
			r.log.WarnContext(ctx, "the replica", "serves", fresh, "behind", max(int64(now)-int64(at), 0), "error", err)
		}
		if away == nil { // while the primary is away, what it had last is all there is
			before[0], before[1] = before[1], now
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// replayed asks the replica how far it has come.
func (r *replica) replayed(ctx context.Context) (Position, error) {
	var at int64
	err := r.pools[Public].QueryRow(ctx, `select coalesce(pg_last_wal_replay_lsn() - '0/0'::pg_lsn, 0)::bigint`).Scan(&at)
	if err == nil {
		r.at.Store(uint64(at))
	}
	return Position(at), err
}

// pool is the replica's for a role, when it may serve a read of ctx; else nil.
func (r *replica) pool(ctx context.Context, role Role) *pgxpool.Pool {
	pool := r.pools[role]
	if pool == nil {
		return nil
	}
	if !r.fresh.Load() {
		r.passed.Add(1)
		return nil
	}
	wanted, _ := ctx.Value(positionKey{}).(Position)
	for until := time.Now().Add(replayWait); Position(r.at.Load()) < wanted; time.Sleep(5 * time.Millisecond) {
		waiting, cancel := context.WithDeadline(ctx, until)
		_, err := r.replayed(waiting)
		cancel()
		if err != nil || time.Now().After(until) {
			r.passed.Add(1)
			return nil
		}
	}
	return pool
}

// gaveUp tells an error of the replica's own, after which the primary is asked: it is away, has no
// connection left, or what was read is being replayed away.
func gaveUp(ctx context.Context, err error) bool {
	if err == nil || ctx.Err() != nil {
		return false
	}
	var refused *pgconn.PgError
	return !errors.As(err, &refused) || errors.Is(unavailable(err), fault.Unavailable) || refused.Code == "40001"
}
