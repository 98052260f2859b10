package pg

import (
	"context"
	"errors"
	"iter"

	"github.com/jackc/pgx/v5"
)

// Together does work side by side. What all of it asks by Select at the same time leaves in one round
// trip: a query waits until each of the others has asked something too, or is done. A round trip costs
// more than most of our queries. A query of a Snapshot waits for nobody: others may wait for it.
//
// Each has its own settings and its own error. What one sees, another does not, see collectAll.
//
// The work takes turns: one of it goes on until it asks, then the next, as coroutines. Nothing of it
// runs at the same time, so that none wakes another thread: with a goroutine for each, a product with
// its shop and its variants cost the server a seventh more. So work asks with its context itself, and
// not in a goroutine that it starts: Go ends a program that resumes a coroutine from another one.
func Together(ctx context.Context, work []func(context.Context)) {
	if len(work) == 1 {
		work[0](ctx)
		return
	}
	asking := make([]func() (*query, bool), len(work))
	for i, one := range work {
		next, stop := iter.Pull(func(yield func(*query) bool) {
			one(context.WithValue(ctx, coachKey{}, coach(yield)))
		})
		defer stop()
		asking[i] = next
	}
	taken := make([]*query, 0, len(work))
	for len(asking) > 0 {
		taken = taken[:0]
		for _, next := range asking {
			if q, asks := next(); asks {
				asking[len(taken)] = next
				taken = append(taken, q)
			}
		}
		asking = asking[:len(taken)]
		depart(taken)
	}
}

// Apart tells whether what is asked with ctx must be asked by itself, and not with what others ask: it
// leaves together with others of its own, or is to be no older than something.
func Apart(ctx context.Context) bool {
	return ctx.Value(coachKey{}) != nil || ctx.Value(positionKey{}) != nil
}

type coachKey struct{}

// coach takes a query along, and comes back with its answer; false: it will not leave.
type coach func(*query) bool

// alone has queries leave at once, for who holds what others may wait for.
func alone(ctx context.Context) context.Context {
	return context.WithValue(ctx, coachKey{}, coach(nil))
}

// query is one of those that leave together.
type query struct {
	ctx   context.Context //nolint:containedctx // as long as the call that waits for it
	db    *DB
	scope Scope
	read  func(pgx.Rows) error
	sql   string
	args  []any
	err   error
}

// ride waits until the query is answered.
func (c coach) ride(q *query) error {
	if !c(q) {
		return errors.New("what was asked beside it ended in a panic")
	}
	return q.err
}

// depart sends what all have asked.
func depart(taken []*query) {
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

// collectAll asks queries of one role in one round trip and one implicit transaction. Mostly all are of
// one viewer, and the first sets it for those after it. A query of another viewer sets all that any of
// them sets, empty or not.
func collectAll(all []*query) {
	if len(all) == 1 {
		askAlone(all)
		return
	}
	var batch pgx.Batch
	every := 0
	for _, q := range all {
		every |= q.scope.set()
	}
	for i, q := range all {
		mask := every
		if i > 0 && q.scope.alike(all[i-1].scope) {
			mask = 0
		}
		sql, args, ok := q.scope.within(q.sql, q.args, mask)
		if !ok {
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
