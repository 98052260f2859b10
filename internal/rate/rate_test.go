package rate_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/audelor/halles/internal/rate"
)

// clock stands until it is moved.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func limiter(l rate.Limit, callers int) (*rate.Limiter[string], *clock) {
	c := &clock{time.Date(2020, 10, 30, 9, 0, 0, 0, time.UTC)}
	return rate.New[string](l, callers, c.now), c
}

func TestBurstThenRefill(t *testing.T) {
	t.Parallel()
	l, clock := limiter(rate.Limit{PerSecond: 2, Burst: 10}, 100)
	for n := range 10 {
		if wait, ok := l.Take("anna", 1); !ok {
			t.Fatalf("point %d of 10 at once is refused, for %s", n+1, wait)
		}
	}
	if wait, ok := l.Take("anna", 1); ok || wait != 500*time.Millisecond {
		t.Errorf("the 11th: %t, in %s; want it refused for 500 ms", ok, wait)
	}
	if wait, ok := l.Take("anna", 4); ok || wait != 2*time.Second {
		t.Errorf("four more: %t, in %s; want them refused for 2 s", ok, wait)
	}
	if _, ok := l.Take("yann", 10); !ok {
		t.Error("another caller pays for the first")
	}
	clock.at = clock.at.Add(500 * time.Millisecond)
	if _, ok := l.Take("anna", 1); !ok {
		t.Error("the point that was to come in 500 ms did not")
	}
	if _, ok := l.Take("anna", 1); ok {
		t.Error("a second one came with it")
	}
	clock.at = clock.at.Add(time.Hour)
	if _, ok := l.Take("anna", 10); !ok {
		t.Error("an hour does not fill it up")
	}
	if _, ok := l.Take("anna", 1); ok {
		t.Error("an hour fills it over its burst")
	}
}

func TestMoreThanABurstIsOneBurst(t *testing.T) {
	t.Parallel()
	l, clock := limiter(rate.Limit{PerSecond: 1, Burst: 5}, 100)
	if _, ok := l.Take("anna", 50); !ok {
		t.Error("a question dearer than the burst can never be asked")
	}
	if wait, ok := l.Take("anna", 50); ok || wait != 5*time.Second {
		t.Errorf("at once again: %t, %s", ok, wait)
	}
	clock.at = clock.at.Add(5 * time.Second)
	if _, ok := l.Take("anna", 50); !ok {
		t.Error("not even later")
	}
}

func TestReturned(t *testing.T) {
	t.Parallel()
	l, _ := limiter(rate.Limit{PerSecond: 0.1, Burst: 3}, 100)
	for range 50 {
		if _, ok := l.Take("anna", 1); !ok {
			t.Fatal("what was given back is counted")
		}
		l.Return("anna", 1)
	}
	l.Return("nobody", 1)
	if n := l.Callers(); n != 1 {
		t.Errorf("%d callers", n)
	}
}

// Whatever is asked and when, what is let through in any span of time is at most a burst and what
// the span is good for; and who waits as long as it is told is let through.
func TestNeverMoreThanTheLimit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		limit := rate.Limit{PerSecond: rapid.Float64Range(0.01, 1000).Draw(t, "rate"), Burst: rapid.IntRange(1, 1000).Draw(t, "burst")}
		l, clock := limiter(limit, 100)
		type taken struct {
			at     time.Time
			points int
		}
		var all []taken
		for range rapid.IntRange(1, 60).Draw(t, "questions") {
			clock.at = clock.at.Add(time.Duration(rapid.IntRange(0, 2000).Draw(t, "pause")) * time.Millisecond)
			points := rapid.IntRange(1, limit.Burst).Draw(t, "points")
			wait, ok := l.Take("anna", points)
			if !ok && rapid.Bool().Draw(t, "patient") {
				clock.at = clock.at.Add(wait)
				if _, ok = l.Take("anna", points); !ok {
					t.Fatalf("%d points are refused after the wait of %s", points, wait)
				}
			}
			if ok {
				all = append(all, taken{clock.at, points})
			}
		}
		for from := range all {
			sum := 0
			for _, one := range all[from:] {
				sum += one.points
				most := float64(limit.Burst) + one.at.Sub(all[from].at).Seconds()*limit.PerSecond
				if float64(sum) > most+0.01 {
					t.Fatalf("%d points in %s, at most %.2f", sum, one.at.Sub(all[from].at), most)
				}
			}
		}
	})
}

// However many callers come, the memory holds as many as it may; and who owes most is remembered
// when others must be forgotten.
func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	const callers = 1000
	l := rate.New[int](rate.Limit{PerSecond: 0.001, Burst: 100}, callers, func() time.Time { return time.Date(2020, 10, 30, 9, 0, 0, 0, time.UTC) })
	if _, ok := l.Take(-1, 100); !ok {
		t.Fatal("a fresh caller is refused")
	}
	chance := rand.New(rand.NewPCG(1, 2))
	for n := range 50 * callers {
		l.Take(n, 1+chance.IntN(20))
		if most := l.Callers(); most > callers {
			t.Fatalf("%d callers after %d", most, n+1)
		}
	}
	if n := l.Callers(); n != callers {
		t.Errorf("%d callers are remembered, want all %d places taken", n, callers)
	}
	if _, ok := l.Take(-1, 1); ok {
		t.Error("the one who owes most was forgotten")
	}
}

// Callers who owe nothing any more make room, and nobody else does.
func TestForgettingTheIdleChangesNothing(t *testing.T) {
	t.Parallel()
	l, clock := limiter(rate.Limit{PerSecond: 1, Burst: 10}, 8)
	for _, idle := range []string{"a", "b", "c", "d", "e", "f", "g"} {
		l.Take(idle, 1)
	}
	clock.at = clock.at.Add(2 * time.Second)
	l.Take("anna", 10)
	l.Take("yann", 1)
	if n := l.Callers(); n != 2 {
		t.Errorf("%d are remembered, want the two who owe something", n)
	}
	if _, ok := l.Take("anna", 5); ok {
		t.Error("a debt was forgotten beside those who owe nothing")
	}
}

func TestLimitText(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]rate.Limit{
		"500/60000": {PerSecond: 500, Burst: 60000}, "0.1/20": {PerSecond: 0.1, Burst: 20}, "none": {},
	} {
		var l rate.Limit
		if err := l.UnmarshalText([]byte(text)); err != nil || l != want || l.String() != text {
			t.Errorf("%s: %v, %s, %v", text, l, l.String(), err)
		}
	}
	for _, text := range []string{"", "500", "500/", "/60000", "0/10", "-1/10", "NaN/10", "Inf/10", "1/0", "1/-5", "1/2/3", "no", "1e9/5"} {
		var l rate.Limit
		if err := l.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is read as %s", text, l)
		}
	}
}

func BenchmarkTake(b *testing.B) {
	l := rate.New[int](rate.Limit{PerSecond: 1e6, Burst: 1e9}, 10_000, nil)
	for n := 0; b.Loop(); n++ {
		l.Take(n%20_000, 100)
	}
}
