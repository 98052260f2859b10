package loader_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/audelor/halles/graph/loader"
	"github.com/audelor/halles/internal/fault"
)

// jointly asks one after the other for each of these keys, while a look-up for key 0 is under way that ends
// when all of them wait. It tells which keys were read together, and what each found.
func jointly(t *testing.T, apart func(context.Context) bool, read func(ctx context.Context, keys []int) (map[int]string, error), asked ...[]int) (reads [][]int, found []map[int]string, errs []error) {
	t.Helper()
	found, errs = make([]map[int]string, len(asked)), make([]error, len(asked))
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		j := loader.NewJoint[int, map[int]string](1, apart)
		noted := func(ctx context.Context, keys []int) (map[int]string, error) {
			mu.Lock()
			reads = append(reads, slices.Sorted(slices.Values(keys)))
			mu.Unlock()
			return read(ctx, keys)
		}
		all := make(chan struct{})
		go func() {
			_, _ = j.Fetch(t.Context(), []int{0}, func(context.Context, []int) (map[int]string, error) {
				<-all
				return nil, nil
			})
		}()
		synctest.Wait()
		var wait sync.WaitGroup
		for i, keys := range asked {
			wait.Go(func() {
				defer func() {
					if p := recover(); p != nil {
						errs[i] = fmt.Errorf("panic: %v", p)
					}
				}()
				ctx, leave := context.WithCancel(context.WithValue(t.Context(), place{}, i))
				defer leave()
				if i == 0 { // the first of all who wait has left when it is their turn
					leave()
				}
				found[i], errs[i] = j.Fetch(ctx, keys, noted)
			})
			synctest.Wait()
		}
		close(all)
		wait.Wait()
		// It goes on: nobody is thought to be under way who is not.
		if v, err := j.Fetch(t.Context(), []int{9}, values); v[9] != "value 9" || err != nil {
			t.Errorf("afterwards: %v, %v", v, err)
		}
	})
	return reads, found, errs
}

func values(_ context.Context, keys []int) (map[int]string, error) {
	found := map[int]string{}
	for _, k := range keys {
		found[k] = fmt.Sprint("value ", k)
	}
	return found, nil
}

// place is who asks, from 0.
type place struct{}

func never(context.Context) bool { return false }

// Those who ask while a look-up is under way are looked up as one, each key once, whoever of them leaves.
func TestTogetherWithOthers(t *testing.T) {
	t.Parallel()
	reads, found, errs := jointly(t, never, func(ctx context.Context, keys []int) (map[int]string, error) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		return values(ctx, keys)
	}, []int{1, 2}, []int{3}, []int{2, 4})
	if len(reads) != 1 || !slices.Equal(reads[0], []int{1, 2, 3, 4}) {
		t.Errorf("read %v", reads)
	}
	for i, keys := range [][]int{{1, 2}, {3}, {2, 4}} {
		for _, k := range keys {
			if want := fmt.Sprint("value ", k); found[i][k] != want || errs[i] != nil {
				t.Errorf("%d: key %d is %q, %v", i, k, found[i][k], errs[i])
			}
		}
	}
}

// Many keys are a batch by themselves: nobody waits for them, and they wait for nobody.
func TestManyKeysByThemselves(t *testing.T) {
	t.Parallel()
	many := make([]int, 65)
	for i := range many {
		many[i] = 100 + i
	}
	reads, found, _ := jointly(t, never, values, []int{1}, many, many[:40], many[40:])
	if len(reads) != 3 || len(reads[0]) != 65 || len(reads[1]) != 41 || len(reads[2]) != 25 {
		t.Errorf("read %v", reads)
	}
	if len(found[1]) != 65 {
		t.Errorf("found %d", len(found[1]))
	}
}

// What is apart is looked up at once and by itself.
func TestApart(t *testing.T) {
	t.Parallel()
	reads, _, errs := jointly(t, func(ctx context.Context) bool { i, waits := ctx.Value(place{}).(int); return waits && i > 0 }, values, []int{1}, []int{2}, []int{3})
	if len(reads) != 3 || !slices.Equal(reads[0], []int{2}) || errors.Join(errs...) != nil {
		t.Errorf("read %v, %v", reads, errs)
	}
}

// A key that breaks a look-up breaks its owner's only, an error of a key is its own, and a fault that all
// would meet is not met by each of them again.
func TestErrorsTogether(t *testing.T) {
	t.Parallel()
	broken, away := errors.New("broken"), fault.Errorf(fault.Unavailable, "Indisponible.")
	for _, c := range []struct {
		name  string
		err   error
		reads int
		want  []error
	}{
		{"Broken", broken, 4, []error{nil, broken, nil}},
		{"Fault", away, 1, []error{away, away, away}},
		{"OfAKey", loader.Failed[int]{2: broken}, 1, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			reads, found, errs := jointly(t, never, func(ctx context.Context, keys []int) (map[int]string, error) {
				if slices.Contains(keys, 2) {
					return nil, c.err
				}
				return values(ctx, keys)
			}, []int{1}, []int{2}, []int{3})
			if len(reads) != c.reads {
				t.Errorf("read %v", reads)
			}
			for i, want := range c.want {
				if !errors.Is(errs[i], want) || want == nil && found[i][i+1] == "" {
					t.Errorf("%d: %v, %v; want %v", i, found[i], errs[i], want)
				}
			}
			var failed loader.Failed[int]
			if c.want == nil && (!errors.As(errs[0], &failed) || !errors.As(errs[2], &failed)) {
				t.Errorf("%v", errs)
			}
		})
	}
}

// A panic is its own too, and keeps nobody waiting.
func TestPanicTogether(t *testing.T) {
	t.Parallel()
	_, found, errs := jointly(t, never, func(ctx context.Context, keys []int) (map[int]string, error) {
		if slices.Contains(keys, 1) {
			panic("one")
		}
		return values(ctx, keys)
	}, []int{1}, []int{2}, []int{3})
	if errs[0] == nil || found[1][2] != "value 2" || found[2][3] != "value 3" {
		t.Errorf("%v, %v", found, errs)
	}
}

// However many ask, nobody is shown what was so before he asked.
func TestNothingOlder(t *testing.T) {
	t.Parallel()
	j := loader.NewJoint[int, map[int]int64](2, never)
	var now, joined atomic.Int64
	read := func(_ context.Context, keys []int) (map[int]int64, error) {
		if len(keys) > 1 {
			joined.Add(1)
		}
		found := map[int]int64{}
		for _, k := range keys {
			found[k] = now.Load()
		}
		runtime.Gosched() // others ask
		return found, nil
	}
	var wait sync.WaitGroup
	for range 16 {
		wait.Go(func() {
			for range 500 {
				key, before := rand.IntN(1000), now.Add(1)
				if found, err := j.Fetch(t.Context(), []int{key}, read); err != nil || found[key] < before {
					t.Errorf("found %v, %v; asked at %d", found, err, before)
				}
			}
		})
	}
	wait.Wait()
	if joined.Load() == 0 {
		t.Error("nothing was read together")
	}
}
