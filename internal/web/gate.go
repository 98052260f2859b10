package web

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
)

const (
	// publicForEach is how many visitors' queries are worked on side by side for each processor. Most of
	// them wait for a look-up that they share (loader.Joint): the more there are, the less each costs. With
	// two, turns were handed on all the time, and an answer cost a fifth more; with eight a merchant beside
	// 500 visitors waited 1.23 to 1.37 times as long as beside 16, with six 1.14 and 1.17.
	publicForEach = 6
	// gateWait is how long a query may wait for its turn; whoever cannot be answered by then is told
	// to come back, instead of after his patience.
	gateWait = time.Second
	// gateQueue is how many may wait.
	gateQueue = 1000
)

// timers are lent to those who wait: half of the visitors of a rush.
var timers = sync.Pool{New: func() any { return time.NewTimer(gateWait) }}

// gate lets so many pass at a time; the others wait their turn, first come first served.
type gate struct {
	lane    string
	places  chan struct{}
	waiting atomic.Int64
	shed    func(lane string)
}

func newGate(lane string, atOnce int, shed func(string)) *gate {
	return &gate{lane: lane, places: make(chan struct{}, atOnce), shed: shed}
}

// enter waits for a place; leave gives it back.
//
// Faults: UNAVAILABLE, with when to come back, where too many wait or none leaves in time.
func (g *gate) enter(ctx context.Context) (leave func(), err error) {
	leave = func() { <-g.places }
	select {
	case g.places <- struct{}{}:
		return leave, nil
	default:
	}
	if g.waiting.Add(1) > gateQueue {
		g.waiting.Add(-1)
		return nil, g.turnAway()
	}
	defer g.waiting.Add(-1)
	patience := timers.Get().(*time.Timer)
	patience.Reset(gateWait)
	defer func() {
		patience.Stop()
		timers.Put(patience)
	}()
	select {
	case g.places <- struct{}{}:
		return leave, nil
	case <-patience.C:
		return nil, g.turnAway()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (g *gate) turnAway() error {
	g.shed(g.lane)
	return &fault.Error{Kind: fault.Unavailable, Message: "Trop de visiteurs à la fois. Réessayez dans deux secondes.", Wait: 2 * time.Second}
}

// admit lets a query begin. Visitors take turns; who has an account does not wait behind them, and
// nobody who orders does.
func (s *Server) admit(ctx context.Context) (leave func(), err error) {
	if identity.From(ctx).Account != uuid.Nil {
		return func() {}, nil
	}
	return s.public.enter(ctx)
}
