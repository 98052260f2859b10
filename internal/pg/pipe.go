package pg

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Pipe is a transaction that is sent in batches: BEGIN and the viewer's settings travel in
// front of the first, COMMIT behind the last. A transaction of two batches is two round trips,
// where Write would take five; row locks are held so much shorter.
type Pipe struct {
	conn  *pgxpool.Conn
	scope Scope
	begun bool
	ended bool
}

// Pipe runs fn in one READ COMMITTED transaction under the scope, on Write's terms: fn may run
// again, and touches nothing outside. What fn has not committed when it returns is rolled back.
func (db *DB) Pipe(ctx context.Context, s Scope, fn func(ctx context.Context, p *Pipe) error) error {
	pool, ok := db.pools[s.Role]
	if !ok {
		return fmt.Errorf("no pool for role %q", s.Role)
	}
	var err error
	for range maxTries {
		err = pipe(ctx, pool, s, fn)
		if code := Code(err); code != "40001" && code != "40P01" {
			break
		}
	}
	return unavailable(err)
}

func pipe(ctx context.Context, pool *pgxpool.Pool, s Scope, fn func(ctx context.Context, p *Pipe) error) error {
	conn, err := lend(ctx, s.Role, pool)
	if err != nil {
		return err
	}
	p := &Pipe{conn: conn, scope: s}
	defer func() {
		if p.begun && !p.ended && !conn.Conn().IsClosed() {
			// The caller may have gone; its locks must go too. A connection that will not roll back
			// is thrown away by Release, which does the same.
			away, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
			defer cancel()
			_, _ = conn.Exec(away, "rollback")
		}
		conn.Release()
	}()
	return fn(ctx, p)
}

// Send sends a batch and runs the callbacks of its queries.
func (p *Pipe) Send(ctx context.Context, b *pgx.Batch) error {
	if !p.begun {
		first := &pgx.Batch{}
		first.Queue("begin")
		mask := p.scope.set()
		first.Queue(setting(mask), p.scope.values(mask, nil)...)
		first.QueuedQueries = append(first.QueuedQueries, b.QueuedQueries...)
		b, p.begun = first, true
	}
	return p.conn.SendBatch(ctx, b).Close()
}

// Commit sends the last batch and commits. The statements are all done or, after an error,
// none of them; after a lost connection nobody knows, and only a key tells.
func (p *Pipe) Commit(ctx context.Context, b *pgx.Batch) error {
	if p.scope.Witness != nil { // before the rest: whose last lock is the event log's
		first := &pgx.Batch{}
		p.scope.Witness(first)
		first.QueuedQueries = append(first.QueuedQueries, b.QueuedQueries...)
		b = first
	}
	b.Queue("commit")
	err := p.Send(ctx, b)
	p.ended = err == nil
	return err
}
