package loader_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audelor/halles/graph/loader"
)

var errMissing = errors.New("missing")

func TestEachKeyGetsItsOwnValueInOneBatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, eachKeyInOneBatch) // its clock waits for all goroutines, however slow the machine is
}

func eachKeyInOneBatch(t *testing.T) {
	t.Helper()
	var calls atomic.Int32
	l := loader.New(time.Millisecond, func(_ context.Context, keys []int) (map[int]string, error) {
		calls.Add(1)
		found := map[int]string{}
		// The database answers in its own order and not at all for some.
		rand.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
		for _, k := range keys {
			if k%7 != 0 {
				found[k] = fmt.Sprint("value ", k)
			}
		}
		return found, nil
	}, func(int) (string, error) { return "", errMissing })

	var wg sync.WaitGroup
	for k := range 100 {
		wg.Go(func() {
			v, err := l.Load(t.Context(), k)
			if k%7 == 0 {
				if !errors.Is(err, errMissing) {
					t.Errorf("key %d: %q, %v", k, v, err)
				}
			} else if want := fmt.Sprint("value ", k); v != want || err != nil {
				t.Errorf("key %d got %q, %v", k, v, err)
			}
		})
	}
	wg.Wait()
	if n := calls.Load(); n != 1 {
		t.Errorf("%d statements for one list", n)
	}
}

// Keys that were asked for ahead come in one fetch and without a wait, with their own errors; a key
// that was not is loaded as ever.
func TestAskedAhead(t *testing.T) {
	t.Parallel()
	var fetched [][]int
	l := loader.New(0, func(_ context.Context, keys []int) (map[int]string, error) {
		fetched = append(fetched, keys)
		return map[int]string{1: "one", 3: "three"}, loader.Failed[int]{2: errMissing}
	}, func(int) (string, error) { return "", context.Canceled })
	if first, again, next := l.Ask(1, 2), l.Ask(1, 2), l.Ask(2, 2); !first || again || next {
		t.Errorf("first %t, again %t, next %t", first, again, next)
	}
	l.Ask(4, 2)
	l.Fetch(t.Context())
	for key, want := range map[int]struct {
		value string
		err   error
	}{1: {"one", nil}, 2: {"", errMissing}, 4: {"", context.Canceled}, 3: {"three", nil}} {
		if v, err := l.Load(t.Context(), key); v != want.value || !errors.Is(err, want.err) {
			t.Errorf("%d: %q, %v", key, v, err)
		}
	}
	if len(fetched) != 2 || len(fetched[0]) != 3 || len(fetched[1]) != 1 {
		t.Errorf("fetched %v", fetched)
	}
	if l.Ask(1, 2) || !l.Ask(5, 2) {
		t.Error("what is known is asked for again, or what is new is not")
	}
}
