// Package loader batches the look-ups of one response: many keys, one statement.
//
// Loaders live as long as one response. An older cache would show a subscriber the order of
// yesterday, and errors are cached too.
package loader

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/graph-gophers/dataloader/v7"
)

// Wait is how long a batch usually gathers keys: long enough for the siblings of a list to
// come together (0 splits them: twice the time in Postgres), short beside a statement.
const Wait = time.Millisecond

// Loader loads values by key.
type Loader[K comparable, V any] struct {
	batch   *dataloader.Loader[K, V]
	missing func(K) (V, error)
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
	batch := func(ctx context.Context, keys []K) []*dataloader.Result[V] {
		found, err := fetch(ctx, slices.Clone(keys)) // fetch may sort its copy; the answers keep the order of keys
		var failed Failed[K]
		if errors.As(err, &failed) {
			err = nil
		}
		results := make([]*dataloader.Result[V], len(keys))
		for i, k := range keys {
			r := &dataloader.Result[V]{Error: err}
			if own := failed[k]; own != nil {
				r.Error = own
			} else if err == nil {
				var ok bool
				if r.Data, ok = found[k]; !ok {
					r.Data, r.Error = missing(k)
				}
			}
			results[i] = r
		}
		return results
	}
	return &Loader[K, V]{batch: dataloader.NewBatchedLoader(batch, dataloader.WithWait[K, V](wait)), missing: missing}
}

// Zero is the answer for a missing key where nothing found is an answer: an empty list.
func Zero[K comparable, V any](K) (v V, err error) { return v, nil }

// Load returns the value of a key; it waits for the batch.
func (l *Loader[K, V]) Load(ctx context.Context, key K) (V, error) { return l.batch.Load(ctx, key)() }

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
