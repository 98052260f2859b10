package loader

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/audelor/halles/internal/fault"
)

// mostJoint is how many keys are read together. Whoever asks for more has a batch already, and would have
// the others wait for it.
const mostJoint = 64

// Joint has look-ups of several responses done together, where all of them would find the same: those of
// visitors. So many at a time are under way; who comes meanwhile waits until one of them is done, and all
// who wait are looked up as one. So the more is asked at once the less each costs, and a single visitor
// waits for nobody. A product with its shop and variants cost half as much, with sixteen visitors.
//
// What somebody finds was never read before he asked. A look-up that fails for several is done again for
// each of them, unless it is a fault, which each would meet: then a key that breaks it is its owner's.
type Joint[K comparable, R any] struct {
	atOnce int
	apart  func(context.Context) bool

	mu      sync.Mutex
	busy    int
	waiting []*party[K, R]
}

// NewJoint has so many look-ups under way at a time. Those in a context that is apart are done by
// themselves: one that leaves together with others of its own response, whom nobody else may wait for, or
// wants to see what somebody has just written.
func NewJoint[K comparable, R any](atOnce int, apart func(context.Context) bool) *Joint[K, R] {
	return &Joint[K, R]{atOnce: atOnce, apart: apart}
}

// party is somebody who waits.
type party[K comparable, R any] struct {
	keys  []K
	turn  chan []*party[K, R] // to look up for all of these, of whom it is the first; nil: it has been done
	found R
	err   error
	again bool // by itself
}

// Fetch looks keys up; by itself where j is nil. What it returns may be others' too: nobody changes it.
//
// Nobody who leaves ends a look-up, not even his own: the database does, after a second.
func (j *Joint[K, R]) Fetch(ctx context.Context, keys []K, read func(context.Context, []K) (R, error)) (R, error) {
	if j == nil || len(keys) > mostJoint || j.apart(ctx) {
		return read(ctx, keys)
	}
	ctx = context.WithoutCancel(ctx)
	own := j.wait(keys)
	if own == nil {
		defer j.next()
		return read(ctx, keys)
	}
	switch all := <-own.turn; {
	case all == nil && own.again:
		return read(ctx, keys)
	case all == nil:
		return own.found, own.err
	case len(all) == 1:
		defer j.next()
		return read(ctx, keys)
	default:
		defer j.next()
		return j.lead(ctx, all, read)
	}
}

// wait lines up; nil: it may begin.
func (j *Joint[K, R]) wait(keys []K) *party[K, R] {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.busy < j.atOnce {
		j.busy++
		return nil
	}
	p := &party[K, R]{keys: keys, turn: make(chan []*party[K, R], 1)}
	j.waiting = append(j.waiting, p)
	return p
}

// next lets those who wait begin, as one.
func (j *Joint[K, R]) next() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.waiting) == 0 {
		j.busy--
		return
	}
	n, keys := 0, 0
	for ; n < len(j.waiting) && keys+len(j.waiting[n].keys) <= mostJoint; n++ {
		keys += len(j.waiting[n].keys)
	}
	all := slices.Clone(j.waiting[:n])
	j.waiting = slices.Delete(j.waiting, 0, n)
	all[0].turn <- all
}

// lead looks up for all.
func (j *Joint[K, R]) lead(ctx context.Context, all []*party[K, R], read func(context.Context, []K) (R, error)) (found R, err error) {
	again := true // after a panic too
	defer func() {
		for _, p := range all[1:] {
			p.found, p.err, p.again = found, err, again
			p.turn <- nil
		}
	}()
	found, err = read(ctx, union(all))
	var failed Failed[K]
	if again = err != nil && !errors.As(err, &failed) && fault.Of(err) == nil; again {
		return read(ctx, all[0].keys)
	}
	return found, err
}

// union are the keys of all, each once.
func union[K comparable, R any](all []*party[K, R]) []K {
	n := 0
	for _, p := range all {
		n += len(p.keys)
	}
	keys := make([]K, 0, n)
	for _, p := range all {
		for _, k := range p.keys {
			if !slices.Contains(keys, k) {
				keys = append(keys, k)
			}
		}
	}
	return keys
}
