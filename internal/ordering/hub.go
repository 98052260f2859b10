package ordering

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/audelor/halles/internal/fault"
)

const (
	// pageSize bounds one reading of the log.
	pageSize = 500
	// ringSize is how many of a commune's last events are kept at hand: a reader that comes
	// back within them costs no statement.
	ringSize = 1024
	// queueSize is how many events may wait for one reader; who has more is cut, and resumes
	// with its last cursor at its own pace. Nothing is held for those that do not wait.
	queueSize = 256
	// readEvery bounds the readings of a process at 50 a second, however many orders come: they
	// share Postgres with the orders. (BenchmarkCommits on two busy cores, with the feed against
	// without any event: 0.45 with a reading for each order, 0.6 to 0.74 so.)
	readEvery = 20 * time.Millisecond
	// readTimeout gives up a reading on a dead connection; the next wake-up or the poll tries
	// again on another.
	readTimeout = 5 * time.Second
)

// hub follows the logs of the communes that somebody here reads: one tail for each, however
// many the readers, and one statement for all that may have grown.
type hub struct {
	read func(ctx context.Context, after map[string]int64) (map[string]*logPage, error)
	log  *slog.Logger
	ctx  context.Context // ends with the feed
	stop context.CancelFunc
	wait sync.WaitGroup // the reading and the readers

	mu     sync.Mutex // before any tail's
	tails  map[string]*tail
	grown  map[string]struct{} // communes to read again
	woken  chan struct{}
	begun  bool
	closed bool

	cut atomic.Int64 // readers that could not keep up
}

func newHub(read func(context.Context, map[string]int64) (map[string]*logPage, error), log *slog.Logger) *hub {
	h := &hub{read: read, log: log, tails: map[string]*tail{}, grown: map[string]struct{}{}, woken: make(chan struct{}, 1)}
	h.ctx, h.stop = context.WithCancel(context.Background())
	return h
}

// enter counts a reader in, whom close waits for until it leaves; false when the hub is closed.
func (h *hub) enter() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return false
	}
	h.wait.Add(1)
	return true
}

// shut lets no reader in any more.
func (h *hub) shut() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
}

// close ends the reading, and waits for it and for the readers, who have been told.
func (h *hub) close() {
	h.shut()
	h.stop()
	h.wait.Wait()
}

// wake says that the logs of communes, or of all without any, may have grown.
func (h *hub) wake(communes ...string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(communes) == 0 {
		communes = slices.Collect(maps.Keys(h.tails))
	}
	for _, c := range communes {
		if h.tails[c] != nil {
			h.nudge(c)
		}
	}
}

// nudge is wake for one commune, under mu.
func (h *hub) nudge(commune string) {
	h.grown[commune] = struct{}{}
	select {
	case h.woken <- struct{}{}:
	default: // one is waiting already, and will read all there is
	}
}

// run reads what has grown: at once after a quiet time, in a rush as often as readEvery allows.
func (h *hub) run() {
	for {
		select {
		case <-h.ctx.Done():
			return
		case <-h.woken:
		}
		h.readOn()
		pause(h.ctx, readEvery)
	}
}

// readOn reads one page of each commune that has grown, and hands the events out.
func (h *hub) readOn() {
	h.mu.Lock()
	tails, after := map[string]*tail{}, map[string]int64{}
	for c := range h.grown {
		if t := h.tails[c]; t != nil {
			tails[c], after[c] = t, t.pos // only this goroutine writes it
		}
	}
	clear(h.grown)
	h.mu.Unlock()
	if len(after) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(h.ctx, readTimeout)
	defer cancel()
	pages, err := h.read(ctx, after)
	if err != nil {
		if h.ctx.Err() == nil {
			h.log.WarnContext(ctx, "the feed cannot read the log; it tries again", "error", err)
		}
		return // the poll finds what is left
	}
	for c, p := range pages {
		if tails[c].take(p) {
			h.mu.Lock()
			h.nudge(c)
			h.mu.Unlock()
		}
	}
}

// followed tells how far each tail has read.
func (h *hub) followed() map[string]streamHead {
	h.mu.Lock()
	defer h.mu.Unlock()
	at := make(map[string]streamHead, len(h.tails))
	for c, t := range h.tails {
		t.mu.Lock()
		at[c] = streamHead{c, t.pos, t.epoch}
		t.mu.Unlock()
	}
	return at
}

// streamHead is the last event of a commune.
type streamHead struct {
	CommuneID string
	Seq       int64
	Epoch     uuid.UUID
}

// seat puts a reader that has all up to `at` where the tail passes by, under its keys, and
// returns what the tail had read beyond. False: the tail is too far ahead, read from the
// database once more.
func (h *hub) seat(r *reader, commune string, at int64, epoch uuid.UUID, keys []uuid.UUID) ([]*Event, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		r.end(errStopping())
		return nil, true
	}
	t := h.tails[commune]
	if t == nil {
		t = &tail{log: h.log, cut: &h.cut, commune: commune, pos: at, epoch: epoch, seats: map[uuid.UUID][]seat{}}
		h.tails[commune] = t
		h.nudge(commune) // what was committed since the reader read has sent its wake-up already
		if !h.begun {
			h.begun = true
			h.wait.Go(h.run)
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.epoch != epoch {
		h.nudge(commune) // to notice that the log is another one
		r.end(errExpired())
		return nil, true
	}
	if at < t.pos-int64(len(t.ring)) {
		return nil, false
	}
	var missed []*Event
	for _, e := range t.ring[len(t.ring)-int(max(t.pos-at, 0)):] {
		if slices.Contains(keys, e.OrderRow) || slices.Contains(keys, e.ShopRow) || slices.Contains(keys, uuid.Nil) {
			missed = append(missed, e)
		}
	}
	for _, k := range keys {
		t.seats[k] = append(t.seats[k], seat{r, max(at, t.pos)})
	}
	t.readers++
	return missed, true
}

// leave takes a reader from its seat; a tail without readers is gone.
func (h *hub) leave(r *reader, commune string, keys []uuid.UUID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.tails[commune]
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	left := false
	for _, k := range keys {
		rest := slices.DeleteFunc(t.seats[k], func(s seat) bool { return s.reader == r })
		left = left || len(rest) < len(t.seats[k])
		if t.seats[k] = rest; len(rest) == 0 {
			delete(t.seats, k)
		}
	}
	if left {
		t.readers--
	}
	if t.readers == 0 {
		delete(h.tails, commune)
	}
}

// tail reads the log of one commune as it grows, and hands each event to those whose order,
// shop or commune it is. It never waits for a reader.
//
// That "seq > pos" finds all there is to find rests on appendEventTx: the counter's row lock is
// held until commit, so that numbers become visible in their order. A log numbered by a
// sequence shows 8 before 7, and a reader that has gone past 8 never sees 7 (measured: a
// quarter of the events lost under 24 writers).
type tail struct {
	log     *slog.Logger
	cut     *atomic.Int64
	commune string
	readers int // under hub.mu

	mu    sync.Mutex
	epoch uuid.UUID
	pos   int64    // the last event read
	ring  []*Event // the last ones up to pos, without a gap
	seats map[uuid.UUID][]seat
}

// seat is where a reader waits: under the row of its order, the rows of its shops, or the
// zero UUID for all of the commune.
type seat struct {
	reader *reader
	after  int64 // it has all up to here
}

// take hands out a page of the log; it tells whether there may be more to read.
func (t *tail) take(p *logPage) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p.epoch != t.epoch || p.head < t.pos || p.pruned > t.pos || !p.follows(t.pos) {
		t.log.Error("the log is not the one that was read before; its readers start again",
			"commune", t.commune, "at", t.pos, "head", p.head, "pruned", p.pruned)
		t.endAll(errExpired())
		t.epoch, t.pos, t.ring = p.epoch, p.head, nil
		return false
	}
	for _, e := range p.events {
		t.pos = e.Seq
		t.offer(e.OrderRow, e)
		t.offer(e.ShopRow, e)
		t.offer(uuid.Nil, e)
	}
	t.ring = append(t.ring, p.events...)
	if len(t.ring) > 2*ringSize { // now and then, not at each event
		t.ring = slices.Clone(t.ring[len(t.ring)-ringSize:])
	}
	return len(p.events) == pageSize
}

func (t *tail) offer(key uuid.UUID, e *Event) {
	for _, s := range t.seats[key] {
		if e.Seq > s.after && s.reader.offer(e) {
			t.cut.Add(1)
		}
	}
}

func (t *tail) endAll(err error) {
	for _, seats := range t.seats {
		for _, s := range seats {
			s.reader.end(err)
		}
	}
}

func errStopping() error {
	return fault.Errorf(fault.Unavailable, "Le serveur s'arrête. Reprenez avec after et le dernier curseur reçu.")
}
