// Package loader batches the look-ups of one response: many keys, one statement.
//
// Loaders live as long as one response. An older cache would show a subscriber the order of
// yesterday, and errors are cached too. What outlives it keeps no value: a Joint has visitors' responses
// that ask at the same time share a statement.
package loader

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/graph-gophers/dataloader/v7"
)

// Wait is how long a batch usually gathers keys: long enough for the siblings of a list to
// come together (0 splits them: twice the time in Postgres), short beside a statement.
const Wait = time.Millisecond

// Loader loads values by key. Keys that are all known are asked for ahead (Ask, Fetch), and then
// loaded without a wait; all others gather in a batch.
type Loader[K comparable, V any] struct {
	wait    time.Duration
	fetch   Fetch[K, V]
	missing func(K) (V, error)

	begin sync.Once
	// batch is made when a key is loaded that was not asked for ahead. Its values are V, in any: it is
	// compiled for each kind of key once, and not for each kind of value too.
	batch *dataloader.Loader[K, any]

	mu    sync.Mutex
	asked []K
	known []outcome[K, V] // pending while its key is asked for
	at    map[K]int       // where; nil while there are few
}

// fewKeys is how many keys are looked for one by one: a map for the key or two that most loaders are
// asked for takes 800 bytes, and a product has three loaders.
const fewKeys = 8

// outcome is what became of a key.
type outcome[K comparable, V any] struct {
	key     K
	value   V
	err     error
	pending bool
}

// Fetch reads the values of distinct keys, in any order; a key may have none.
type Fetch[K comparable, V any] func(ctx context.Context, keys []K) (map[K]V, error)

// Failed says which keys of a batch failed, each with its own error: the others have their
// values.
type Failed[K comparable] map[K]error

func (f Failed[K]) Error() string { return fmt.Sprintf("%d keys failed", len(f)) }

// New makes a loader that gathers keys for wait; missing answers for a key that fetch found
// nothing for.
func New[K comparable, V any](wait time.Duration, fetch Fetch[K, V], missing func(K) (V, error)) *Loader[K, V] {
	return &Loader[K, V]{wait: wait, fetch: fetch, missing: missing}
}

// read is what fetch finds for keys; tell is called for each, in their order.
func (l *Loader[K, V]) read(ctx context.Context, fetch Fetch[K, V], keys []K, tell func(i int, v V, err error)) {
	found, err := fetch(ctx, slices.Clone(keys)) // fetch may sort its copy
	var failed Failed[K]
	if errors.As(err, &failed) {
		err = nil
	}
	for i, k := range keys {
		v, there := found[k]
		switch own := failed[k]; {
		case own != nil:
			tell(i, *new(V), own)
		case err != nil:
			tell(i, *new(V), err)
		case !there:
			v, missing := l.missing(k)
			tell(i, v, missing)
		default:
			tell(i, v, nil)
		}
	}
}

func (l *Loader[K, V]) begun() *dataloader.Loader[K, any] {
	l.begin.Do(func() {
		l.batch = dataloader.NewBatchedLoader(func(ctx context.Context, keys []K) []*dataloader.Result[any] {
			results := make([]*dataloader.Result[any], len(keys))
			l.read(ctx, l.fetch, keys, func(i int, v V, err error) { results[i] = &dataloader.Result[any]{Data: v, Error: err} })
			return results
		}, dataloader.WithWait[K, any](l.wait))
	})
	return l.batch
}

// find is what is known of a key; nil: it was not asked for. It is good till the next add.
func (l *Loader[K, V]) find(key K) *outcome[K, V] {
	if l.at != nil {
		if i, asked := l.at[key]; asked {
			return &l.known[i]
		}
		return nil
	}
	for i := range l.known {
		if l.known[i].key == key {
			return &l.known[i]
		}
	}
	return nil
}

// add notes a key that is not there, one of about so many.
func (l *Loader[K, V]) add(o outcome[K, V], many int) {
	if l.known == nil {
		l.known = make([]outcome[K, V], 0, many)
	}
	l.known = append(l.known, o)
	switch {
	case l.at != nil:
		l.at[o.key] = len(l.known) - 1
	case len(l.known) > fewKeys:
		l.at = make(map[K]int, cap(l.known))
		for i := range l.known {
			l.at[l.known[i].key] = i
		}
	}
}

// Zero is the answer for a missing key where nothing found is an answer: an empty list.
func Zero[K comparable, V any](K) (v V, err error) { return v, nil }

// Load returns the value of a key; it waits for the batch, unless the key was asked for ahead.
func (l *Loader[K, V]) Load(ctx context.Context, key K) (V, error) {
	l.mu.Lock()
	if o := l.find(key); o != nil && !o.pending {
		defer l.mu.Unlock()
		return o.value, o.err
	}
	l.mu.Unlock()
	found, err := l.begun().Load(ctx, key)()
	v, _ := found.(V) // nothing, where the batch itself failed
	return v, err
}

// Ask notes a key for Fetch, the first of about so many; true: it is the first since the last.
func (l *Loader[K, V]) Ask(key K, many int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.find(key) != nil {
		return false
	}
	l.add(outcome[K, V]{key: key, pending: true}, many)
	if l.asked == nil {
		l.asked = make([]K, 0, many)
	}
	l.asked = append(l.asked, key)
	return len(l.asked) == 1
}

// Expect makes room for so many values that it is about to know.
func (l *Loader[K, V]) Expect(many int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.known == nil {
		l.known = make([]outcome[K, V], 0, many)
	}
}

// Know is told a value that was found beside another.
func (l *Loader[K, V]) Know(key K, value V) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.find(key) == nil { // else it is being read, or was
		l.add(outcome[K, V]{key: key, value: value}, 1)
	}
}

// Asked are the keys that were asked for since the last Fetch.
func (l *Loader[K, V]) Asked() []K {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.asked
}

// Fetch reads, at once, what was asked for since the last Fetch.
func (l *Loader[K, V]) Fetch(ctx context.Context) { l.FetchBy(ctx, l.fetch) }

// FetchBy is Fetch by another look-up than the loader's own: one that has found it beside something else.
func (l *Loader[K, V]) FetchBy(ctx context.Context, fetch Fetch[K, V]) {
	l.mu.Lock()
	keys := l.asked
	l.asked = nil
	l.mu.Unlock()
	l.read(ctx, fetch, keys, func(i int, v V, err error) {
		l.mu.Lock()
		defer l.mu.Unlock()
		*l.find(keys[i]) = outcome[K, V]{key: keys[i], value: v, err: err}
	})
}

// Grouped turns a fetch for keys that share their arguments into one for all keys: one
// statement for each distinct group. A group that fails leaves the others their values.
func Grouped[K, G, P comparable, V any](split func(K) (G, P), join func(G, P) K, fetch func(ctx context.Context, group G, parents []P) (map[P]V, error)) Fetch[K, V] {
	return func(ctx context.Context, keys []K) (map[K]V, error) {
		var order []G
		groups := map[G][]P{}
		for _, k := range keys {
			g, p := split(k)
			if groups[g] == nil {
				order = append(order, g)
			}
			groups[g] = append(groups[g], p)
		}
		all, failed := make(map[K]V, len(keys)), Failed[K]{}
		for _, g := range order {
			found, err := fetch(ctx, g, groups[g])
			for p, v := range found {
				all[join(g, p)] = v
			}
			if err != nil {
				for _, p := range groups[g] {
					failed[join(g, p)] = err
				}
			}
		}
		if len(failed) > 0 {
			return all, failed
		}
		return all, nil
	}
}
