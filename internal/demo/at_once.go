package demo

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"
)

// step is a job of a load that waits for others.
type step struct {
	job
	after []*step
	state int // waiting, then begun, then ended
}

const (
	begun = iota + 1
	ended
)

// steps are jobs, the more urgent first: those that others wait for longest.
type steps []*step

func (s *steps) add(j job, after ...*step) *step {
	n := &step{job: j, after: after}
	*s = append(*s, n)
	return n
}

// next is the most urgent step that waits for nothing; nil when there is none, or all have begun.
func (s steps) next() (ready *step, over bool) {
	over = true
	for _, n := range s {
		if n.state >= begun {
			continue
		}
		over = false
		if !slices.ContainsFunc(n.after, func(s *step) bool { return s.state != ended }) {
			return n, false
		}
	}
	return nil, over
}

// run does the steps on as many connections as the pool has: a step begins as soon as those before it
// have ended and a connection is free.
func (s steps) run(ctx context.Context, pool *pgxpool.Pool) error {
	var mu sync.Mutex
	turn := sync.NewCond(&mu)
	g, ctx := errgroup.WithContext(ctx)
	defer context.AfterFunc(ctx, func() { mu.Lock(); turn.Broadcast(); mu.Unlock() })()
	for range connections {
		g.Go(func() error {
			conn, err := pool.Acquire(ctx)
			if err != nil {
				return err
			}
			defer conn.Release()
			mu.Lock()
			defer mu.Unlock()
			for ctx.Err() == nil {
				n, over := s.next()
				switch {
				case over:
					return nil
				case n == nil:
					turn.Wait()
					continue
				}
				n.state = begun
				mu.Unlock()
				err := n.job(ctx, conn.Conn())
				mu.Lock()
				if err != nil {
					return err
				}
				n.state = ended
				turn.Broadcast()
			}
			return ctx.Err()
		})
	}
	return g.Wait()
}

// loadAtOnce loads rows that were made ahead, table by table: each in one piece, its indexes as soon
// as it is whole. Against a commune after the other it saves 500 COPYs, the sorting of keys that come
// in their order, and the wait of all for the last between the stages. The search's tables are filled
// from others and take longest: they begin first. Foreign keys are left to be validated, see Demo.check.
func (l *loader) loadAtOnce(ctx context.Context, k *keys) error {
	total := 0
	for table := range l.made.rows {
		total += l.made.size(table)
	}
	done := l.counter("rows", total)
	var all steps
	whole := map[string]*step{} // by table: once it has all its rows
	load := func(table string) *step {
		if whole[table] == nil {
			whole[table] = all.add(func(ctx context.Context, conn *pgx.Conn) error {
				defer done(l.made.size(table)) // told now: what is sent is forgotten
				return sendAll(ctx, conn, l.straight, l.made.rows[table])
			})
		}
		return whole[table]
	}
	var communes []string
	for _, c := range l.world.communes {
		communes = append(communes, c.Insee)
	}
	shops, products := load("shops"), load("products")
	whole["catalog_search"] = all.add(search(communes...), shops, products, load("fulfilments"))
	whole["search_terms"] = all.add(known(communes...), shops, products)
	for _, table := range k.tables {
		load(table)
	}
	all.add(l.loadHolders, shops, load("registrations"))
	all.add(func(ctx context.Context, conn *pgx.Conn) error { return heads(ctx, conn, l.made.heads) })
	builds := 0
	for _, table := range k.tables {
		builds += len(k.buildsOf(table))
	}
	built := l.counter("indexes", builds)
	for _, table := range k.tables {
		for _, sql := range k.buildsOf(table) {
			all.add(execute(sql, func() { built(1) }), whole[table])
		}
	}
	if err := all.run(ctx, l.pool); err != nil {
		return err
	}
	if err := k.constrain(ctx, l.pool); err != nil {
		return fmt.Errorf("give the keys back: %w", err)
	}
	return nil
}
