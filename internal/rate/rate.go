// Package rate says how often somebody may ask: a limit of so many points a second and so many at
// once, kept for each caller apart. It knows no HTTP, no viewer and no price: web decides who the
// caller is and graph what a question costs.
//
// # The algorithm
//
// It is the generic cell rate algorithm (GCRA) of ATM networks (ITU-T I.371, annex A), which is a
// leaky bucket that needs no leaking: for each caller one instant is kept and nothing else.
//
// Let a limit be of R points a second and B points at once. A point then takes the time 1/R. The
// instant kept is when the caller will have paid for all that it was given, if it asks nothing
// more: its debt, in time. A question of n points moves it to
//
//	paid = max(paid, now) + n/R
//
// and is let through when it is then at most B/R ahead of now; else nothing changes, and the
// caller is told to wait for as long as it is too far ahead. So a caller who was quiet may have B
// points at once; who asks on and on gets R a second, evenly, without the doubled rate that
// windows of a minute allow around their border; and who is refused does not pay, so that
// asking again too early costs nothing but the answer.
//
// What turned out right, such as a code that was not a guess, is given back by moving the instant
// the other way.
//
// # Memory
//
// A caller whose instant has passed owes nothing and is exactly like one never seen: forgetting it
// changes no answer. When a limiter is full it forgets, of a few callers picked by chance, those
// who owe nothing. Only when all of these owe something it forgets the one that owes least: what is
// given away so is at most that caller's burst, and who has addresses enough to fill the memory
// has a fresh burst with each of them anyway.
//
// # Several servers
//
// Each process counts for itself, so that n servers behind a balancer let n times as much
// through. The limits are there to keep one caller from taking the machine, and n machines bear n
// times as much; a shared count would put a network round trip in front of every question, and
// stop all of them when it is away.
//
// x/time/rate is a token bucket with the same answers; it keeps a mutex and five numbers for each
// caller and leaves the forgetting to us, which is most of what is here.
package rate

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Limit is how much one caller may ask. The zero Limit is none.
type Limit struct {
	PerSecond float64 // points; what a caller may ask for hours
	Burst     int     // points; what one that was quiet may ask at once
}

// None tells whether there is no limit.
func (l Limit) None() bool { return l == Limit{} }

// String writes the limit as UnmarshalText reads it.
func (l Limit) String() string {
	if l.None() {
		return "none"
	}
	return strconv.FormatFloat(l.PerSecond, 'g', -1, 64) + "/" + strconv.Itoa(l.Burst)
}

// UnmarshalText reads "RATE/BURST", points a second and points at once, or "none".
func (l *Limit) UnmarshalText(text []byte) error {
	if string(text) == "none" {
		*l = Limit{}
		return nil
	}
	perSecond, burst, _ := strings.Cut(string(text), "/")
	var err, wrong error
	if l.PerSecond, err = strconv.ParseFloat(perSecond, 64); err != nil || !(l.PerSecond >= 0.001 && l.PerSecond <= 1e6) {
		wrong = fmt.Errorf("%q is not a limit: write points a second, from 0.001 to 1000000, a slash, and points at once, as 500/60000; or none", text)
	}
	if l.Burst, err = strconv.Atoi(burst); err != nil || l.Burst < 1 || l.Burst > 1e9 {
		wrong = fmt.Errorf("%q is not a limit: after the slash write how many points may be asked at once, as 500/60000; or none", text)
	}
	return wrong
}

// time is how long so many points take.
func (l Limit) time(points int) time.Duration {
	return time.Duration(float64(points) / l.PerSecond * float64(time.Second))
}

// Limiter keeps a limit for each of its callers, who are known by a key. All of it may be used by
// several goroutines.
type Limiter[Key comparable] struct {
	limit Limit
	most  int
	now   func() time.Time

	mu   sync.Mutex
	paid map[Key]time.Time
}

// New makes a limiter that remembers at most so many callers, at some 100 bytes each. now may be
// nil: time.Now.
func New[Key comparable](limit Limit, callers int, now func() time.Time) *Limiter[Key] {
	if now == nil {
		now = time.Now
	}
	return &Limiter[Key]{limit: limit, most: callers, now: now, paid: map[Key]time.Time{}}
}

// Take takes points for a caller. When there are not as many it takes none, and says after how
// long there will be, if the caller asks nothing meanwhile; more than a burst are asked as a burst.
func (l *Limiter[Key]) Take(caller Key, points int) (wait time.Duration, ok bool) {
	if l.limit.None() {
		return 0, true
	}
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	paid, known := l.paid[caller]
	if paid.Before(now) {
		paid = now
	}
	paid = paid.Add(l.limit.time(min(points, l.limit.Burst)))
	if wait = paid.Sub(now) - l.limit.time(l.limit.Burst); wait > 0 {
		return wait, false
	}
	if !known && len(l.paid) >= l.most {
		l.forget(now)
	}
	l.paid[caller] = paid
	return 0, true
}

// Return gives points back that were taken and not used.
func (l *Limiter[Key]) Return(caller Key, points int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if paid, known := l.paid[caller]; known {
		l.paid[caller] = paid.Add(-l.limit.time(points))
	}
}

// Callers is how many are remembered.
func (l *Limiter[Key]) Callers() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.paid)
}

// picked is how many callers are compared when one must be forgotten: of eight the least is near
// the least of all, and to look at all would take as long for each caller of an attack.
const picked = 8

// forget makes room: of a few callers those who owe nothing, or else the one who owes least.
func (l *Limiter[Key]) forget(now time.Time) {
	var least Key
	var owes time.Time
	looked, before := 0, len(l.paid)
	for caller, paid := range l.paid { // in an order of chance
		if !paid.After(now) {
			delete(l.paid, caller)
		} else if owes.IsZero() || paid.Before(owes) {
			least, owes = caller, paid
		}
		if looked++; looked == picked {
			break
		}
	}
	if len(l.paid) == before {
		delete(l.paid, least)
	}
}
