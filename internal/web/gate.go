package web

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
)

const (
	// publicForEach is how many visitors' queries are worked on side by side for each processor: one
	// that computes while another waits for Postgres. With twice as many, all of them were under way
	// whenever 500 visitors read, and but some of 16 visitors' own: a merchant waited longer behind them.
	publicForEach = 2
	// gateWait is how long a query may wait for its turn; whoever cannot be answered by then is told
	// to come back, instead of after his patience.
	gateWait = time.Second
	// gateQueue is how many may wait.
	gateQueue = 1000
)

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
	patience := time.NewTimer(gateWait)
	defer patience.Stop()
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
