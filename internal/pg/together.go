package pg

import (
	"context"
	"slices"
	"sync"

	"github.com/jackc/pgx/v5"
)

// Together runs work side by side. What all of it asks by Select at the same time leaves in one round
// trip: a query waits until each of the others has asked something too, or is done. A round trip costs
// more than most of our queries. A query of a Snapshot waits for nobody: others may wait for it.
//
// Each has its own settings and its own error. What one sees, another does not: no setting of a query
// is left for the next, see collectAll.
func Together(ctx context.Context, work []func(context.Context)) {
	if len(work) == 1 {
		work[0](ctx)
		return
	}
	c := &coach{seats: len(work)}
	ctx = context.WithValue(ctx, coachKey{}, c)
	var all sync.WaitGroup
	for _, one := range work[1:] {
		all.Go(func() {
			defer c.leave()
			one(ctx)
		})
	}
	func() {
		defer c.leave()
		work[0](ctx)
	}()
	all.Wait()
}

type coachKey struct{}

// alone has queries leave at once, for who holds what others may wait for.
func alone(ctx context.Context) context.Context {
	return context.WithValue(ctx, coachKey{}, (*coach)(nil))
}

// coach gathers queries that leave together.
type coach struct {
	mu    sync.Mutex
	seats int // how many may still ask
	taken []*query
}

// query is one of them.
type query struct {
	ctx   context.Context //nolint:containedctx // as long as the call that waits for it
	db    *DB
	scope Scope
	read  func(pgx.Rows) error
	sql   string
	args  []any
	err   error
	left  chan struct{}
}

// ride waits until the coach is full and the query is answered, or its context ends before it left.
func (c *coach) ride(q *query) error {
	q.left = make(chan struct{})
	c.mu.Lock()
	c.taken = append(c.taken, q)
	c.mu.Unlock()
	c.depart()
	select {
	case <-q.left:
	case <-q.ctx.Done():
		if c.getOff(q) {
			return unavailable(q.ctx.Err())
		}
		<-q.left
	}
	return q.err
}

// getOff takes a query back that has not left.
func (c *coach) getOff(q *query) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := slices.Index(c.taken, q)
	if at < 0 {
		return false
	}
	c.taken = slices.Delete(c.taken, at, at+1)
	return true
}

// leave gives up a seat.
func (c *coach) leave() {
	c.mu.Lock()
	c.seats--
	c.mu.Unlock()
	c.depart()
}

// depart sends what is there, once nobody else will come.
func (c *coach) depart() {
	c.mu.Lock()
	if len(c.taken) == 0 || len(c.taken) < c.seats {
		c.mu.Unlock()
		return
	}
	taken := c.taken
	c.taken = nil
	c.mu.Unlock()
	defer func() { // after a panic too: others wait
		for _, q := range taken {
			close(q.left)
		}
	}()
	for rest := taken; len(rest) > 0; {
		var own, others []*query
		for _, q := range rest {
			if q.scope.Role == rest[0].scope.Role {
				own = append(own, q)
			} else {
				others = append(others, q)
			}
		}
		collectAll(own)
		rest = others
	}
}

// collectAll asks queries of one role in one round trip and one implicit transaction. Each sets all
// that any of them sets, empty or not.
func collectAll(all []*query) {
	var batch pgx.Batch
	mask := 0
	for _, q := range all {
		mask |= q.scope.set()
	}
	for _, q := range all {
		sql, args, ok := q.scope.within(q.sql, q.args, mask)
		if !ok || len(all) == 1 {
			askAlone(all)
			return
		}
		batch.Queue(sql, args...)
	}
	if again := collectBatch(all, &batch); len(again) > 0 {
		askAlone(again)
	}
}

// askAlone asks queries one after the other.
func askAlone(all []*query) {
	for _, q := range all {
		q.err = q.db.collectAlone(q.ctx, q.scope, q.read, q.sql, q.args)
	}
}

// collectBatch reads the answers to a batch. The first error ends it: those after it must be asked
// again.
func collectBatch(all []*query, batch *pgx.Batch) (again []*query) {
	first := all[0]
	conn, err := lend(first.ctx, first.scope.Role, first.db.pools[first.scope.Role])
	if err != nil {
		for _, q := range all {
			q.err = unavailable(err)
		}
		return nil
	}
	defer conn.Release()
	results := conn.SendBatch(first.ctx, batch)
	defer results.Close()
	for i, q := range all {
		rows, err := results.Query()
		if err == nil {
			err = q.read(rows)
		}
		if err != nil {
			q.err = unavailable(err)
			return all[i+1:]
		}
	}
	return nil
}
