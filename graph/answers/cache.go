// Package answers keeps whole answers to what anybody may ask, and gives them to whoever asks the
// same, for as long as nothing changed that they depend on.
//
// An answer is looked for by the document's hash, the operation's name, the variables and what of
// the asker changes it (see Asker), before anything is parsed. It comes with what it depends on:
// fields.txt says so of every field, the arguments say which communes. It is served while the
// versions of these communes are what they were when its computing began, and were read within the
// last second; where it depends on the clock, until the next instant at which something switches.
//
// Of those who ask for the same at once one computes, and the others wait. What is not kept: what
// somebody with a credential asks; mutations and subscriptions; answers with an error; what
// fields.txt marks; and what whoever made the answer forbade, see Forbid. All language in answers
// is French, whatever the client's headers say: no language is in the key.
package answers

import (
	"context"
	"crypto/sha256"
	"sync"
	"sync/atomic"
	"time"

	"github.com/audelor/halles/internal/versions"
)

const (
	// keptAtMost bounds how long an answer is kept that nothing changes. Nothing should need it; what
	// nobody thought of is then wrong for so long and no longer.
	keptAtMost = 10 * time.Minute
	// waitAtMost is how long somebody waits for another's answer before computing it as well.
	waitAtMost = 2 * time.Second
	// waiters bounds those who wait in all; more compute, and are shed where visitors take turns.
	waiters = 1000
	// tries is how often somebody waits for another who then goes away.
	tries = 3
	// share is the part of the cache that one answer may have: a few large ones would empty it.
	share = 16
	// overhead is what an entry takes beside its bytes, roughly: key, answer, place in the policy.
	overhead = 512
)

// Cache keeps answers. It is safe for many requests at once.
type Cache struct {
	versions *versions.Versions
	named    func(context.Context, string) (insee string, ok bool)
	bytes    int
	kept     *store
	now      func() time.Time

	mu      sync.Mutex
	flights map[flight]*flying
	waiting atomic.Int64

	hits, misses, shared atomic.Int64
}

// Options are what a cache is made of.
type Options struct {
	Bytes    int                                                   // that it takes at most
	Versions *versions.Versions                                    // run by the caller
	Named    func(context.Context, string) (insee string, ok bool) // the commune of a slug
	Now      func() time.Time                                      // time.Now when nil
}

// New returns an empty cache.
func New(o Options) *Cache {
	c := &Cache{versions: o.Versions, named: o.Named, bytes: o.Bytes, kept: newStore(o.Bytes), now: o.Now, flights: map[flight]*flying{}}
	if c.now == nil {
		c.now = time.Now
	}
	return c
}

// Answer is one that is kept. It does not change.
type Answer struct {
	Body   []byte // JSON
	Zipped []byte // the same by gzip; nil as long as nobody wanted it, and where it is short
	Tag    string // of Body: an ETag without its quotation marks
	Name   string // of the operation, as it is counted
	Points int    // what the operation costs who asks for it
	Public bool   // other caches may keep it too

	plan  Plan
	stamp uint64
	until time.Time
}

func (a *Answer) size() int { return len(a.Body) + len(a.Zipped) + overhead }

// Find is the answer to a question, where it is kept and holds; else nil.
func (c *Cache) Find(q Question) *Answer {
	if a := c.kept.get(q.key); a != nil {
		if state, known := c.versions.Now(); known && c.now().Before(a.until) && state.Stamp(a.plan.communes, a.plan.pieces) == a.stamp {
			c.hits.Add(1)
			return a
		}
	}
	c.misses.Add(1)
	return nil
}

// Zip keeps the compressed form of an answer beside it, for the next who reads it.
func (c *Cache) Zip(q Question, a *Answer, zipped []byte) *Answer {
	both := *a
	both.Zipped = zipped
	if both.size() <= c.bytes/share {
		c.kept.replace(q.key, a, &both)
	}
	return &both
}

// flight is a question at a state of what its answer depends on: who asks later, when more is known
// to have changed, does not wait for it.
type flight struct {
	key   [sha256.Size]byte
	stamp uint64
}

type flying struct {
	landed chan struct{}
	answer *Answer // nil: there is none to share; read after it landed, as left
	left   bool    // who computed it went away
}

type forbidden struct{}

// Forbid says that the answer that is being made in ctx is not to be kept: it must be made each time.
func Forbid(ctx context.Context) {
	if mark, ok := ctx.Value(forbidden{}).(*atomic.Bool); ok {
		mark.Store(true)
	}
}

// Share has one of those who ask the same compute it, and gives the others what came; nil for who
// must, or did, compute it alone. compute returns nil for an answer that is nobody else's, as one with
// an error; it runs at most once, in the caller's own context, and the caller has what it computed.
func (c *Cache) Share(ctx context.Context, q Question, plan Plan, compute func(context.Context) *Answer) *Answer {
	for range tries {
		state, known := c.versions.Now()
		if !known {
			break
		}
		f := flight{q.key, state.Stamp(plan.communes, plan.pieces)}
		c.mu.Lock()
		other := c.flights[f]
		if other == nil {
			own := &flying{landed: make(chan struct{})}
			c.flights[f] = own
			c.mu.Unlock()
			c.lead(ctx, q, plan, f, state, own, compute)
			return nil
		}
		c.mu.Unlock()
		if !c.wait(ctx, other) {
			break
		}
		if a := other.answer; a != nil && c.now().Before(a.until) {
			c.shared.Add(1)
			return a
		}
		if !other.left { // it failed, and may fail again: each asks for itself
			break
		}
	}
	compute(ctx)
	return nil
}

// lead computes for all, and keeps what came.
func (c *Cache) lead(ctx context.Context, q Question, plan Plan, f flight, state *versions.State, own *flying, compute func(context.Context) *Answer) {
	defer func() { // after a panic too
		own.left = ctx.Err() != nil
		c.mu.Lock()
		delete(c.flights, f)
		c.mu.Unlock()
		close(own.landed)
	}()
	now := c.now() // before it is computed, as the state is
	mark := &atomic.Bool{}
	answer := compute(context.WithValue(state.Context(ctx), forbidden{}, mark))
	if answer == nil || mark.Load() {
		return
	}
	answer.plan, answer.stamp, answer.until = plan, f.stamp, now.Add(keptAtMost)
	if plan.clock {
		answer.until = state.Until(plan.communes, now)
	}
	if answer.size() <= c.bytes/share && c.now().Before(answer.until) {
		c.kept.set(q.key, answer)
	}
	own.answer = answer
}

// wait tells whether another has landed: not when it takes too long, or the caller has left.
func (c *Cache) wait(ctx context.Context, other *flying) bool {
	defer c.waiting.Add(-1)
	if c.waiting.Add(1) > waiters {
		return false
	}
	patience := time.NewTimer(waitAtMost)
	defer patience.Stop()
	select {
	case <-other.landed:
		return true
	case <-patience.C:
	case <-ctx.Done():
	}
	return false
}

// Figures are those of a cache since its start, and its size now.
type Figures struct {
	Hits, Misses, Shared int64 // found; not found; of these, taken from who computed the same
	Bytes, Entries       int64
	Waiting              int64 // for others, now
}

// Figures tells how the cache is.
func (c *Cache) Figures() Figures {
	bytes, entries := c.kept.figures()
	return Figures{Hits: c.hits.Load(), Misses: c.misses.Load(), Shared: c.shared.Load(), Bytes: int64(bytes), Entries: int64(entries), Waiting: c.waiting.Load()}
}
