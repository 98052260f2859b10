package ordering

import (
	"context"
	"iter"
	"sync"

	"github.com/google/uuid"

	"github.com/audelor/halles/internal/pg"
)

// Stream is a running subscription: what was read at its beginning, then what the database has beyond,
// then what the tails bring. It does nothing but when it is asked for the next event, and ends with
// the context that it was begun with.
type Stream struct {
	feed   *Feed
	reader *reader

	mu     sync.Mutex // of what follows: one at a time asks
	watch  *watch
	detach func() bool   // from the context
	woken  chan struct{} // made by the first who waits
}

// Next is the next event, once there is one. False: none comes any more, and Err tells why; or ctx has
// ended, and the stream, if its own context goes on, has lost nothing.
func (s *Stream) Next(ctx context.Context) (*Event, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for ctx.Err() == nil {
		if over, _ := s.reader.ended(); over { // one that has ended says nothing more, whoever waits
			return nil, false
		}
		e, err := s.watch.next(ctx, s.feed.hub, s.reader, s.feed.readLog)
		switch {
		case err != nil && ctx.Err() != nil:
			return nil, false
		case err != nil:
			s.reader.end(err)
			return nil, false
		case e != nil:
			own := *e // others are sent the same event with their own cursor
			own.Cursor = s.watch.stamp(s.watch, e)
			return &own, true
		}
		if s.woken == nil {
			s.woken = make(chan struct{}, 1)
		}
		if !s.reader.await(s.wake) {
			continue
		}
		select {
		case <-s.woken:
		case <-ctx.Done():
		}
	}
	return nil, false
}

func (s *Stream) wake() {
	select {
	case s.woken <- struct{}{}:
	default:
	}
}

// Events are those that come until the stream or ctx ends.
func (s *Stream) Events(ctx context.Context) iter.Seq[*Event] {
	return func(yield func(*Event) bool) {
		for e, ok := s.Next(ctx); ok && yield(e); e, ok = s.Next(ctx) {
		}
	}
}

// Settle reads on until there is an event or the stream has come as far as its tails, then true: from
// then on Next reads nothing from the database, and does not wait where Await says so.
func (s *Stream) Settle(ctx context.Context) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.watch.first) == 0 && len(s.watch.read) == 0 && len(s.watch.unseated) > 0 {
		if over, _ := s.reader.ended(); over {
			break
		}
		if err := s.watch.catchUp(ctx, s.feed.hub, s.reader, s.feed.readLog); err != nil {
			if ctx.Err() == nil {
				s.reader.end(err)
			}
			return false
		}
	}
	return len(s.watch.first) == 0 && len(s.watch.read) == 0
}

// Await has wake called once when a settled stream has an event or has ended; false where it has now,
// and nothing is called. wake must not wait. Whoever awaits does not ask Next meanwhile.
func (s *Stream) Await(wake func()) bool { return s.reader.await(wake) }

// Err tells, after the last event, why: nil when the subscriber left, else a fault that says how
// to go on (slow reader, expired log, server stopping: resume with the last cursor).
func (s *Stream) Err() error {
	_, err := s.reader.ended()
	return err
}

// follow begins a subscription.
func (f *Feed) follow(ctx context.Context, w *watch, by granted) (*Stream, error) {
	for c := range w.at {
		w.unseated = append(w.unseated, c)
	}
	s := &Stream{feed: f, reader: &reader{}, watch: w}
	s.reader.left = s.leave
	f.mu.Lock()
	f.granted[s.reader] = by
	f.mu.Unlock()
	if !f.hub.enter() {
		f.forget(s.reader)
		return nil, errStopping()
	}
	s.mu.Lock() // it may end, and leave, at any time
	defer s.mu.Unlock()
	s.detach = context.AfterFunc(ctx, func() { s.reader.end(nil) })
	return s, nil
}

func (f *Feed) forget(r *reader) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.granted, r)
}

// leave gives back what an ended stream holds. Whoever asks for its next event is done with it first.
func (s *Stream) leave() {
	defer s.feed.hub.wait.Done()
	s.feed.forget(s.reader)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.detach()
	for c := range s.watch.at {
		s.feed.hub.leave(s.reader, c, s.watch.keys)
	}
}

// watch is where a subscription is.
type watch struct {
	scope    pg.Scope         // as whom the log is read: row-level security holds here too
	which    string           // SQL: its events
	rows     []uuid.UUID      // the rows that which is about
	keys     []uuid.UUID      // where it sits at the tails
	epoch    uuid.UUID        // of the log
	at       map[string]int64 // in each commune, the last event sent or passed over
	heads    map[string]int64 // where each log stood when first was read
	behind   map[string]bool  // communes with more to read from the database before the tail can serve
	unseated []string         // communes at whose tails it does not sit yet
	first    []*Event         // what to send first, of all communes
	read     []*Event         // then, what was read of the first of the unseated
	passed   int64            // and where that one is once these are sent; 0: at the last of them
	stamp    func(*watch, *Event) string
}

// next is the next event, nil when it is yet to come. An error ends the subscription.
func (w *watch) next(ctx context.Context, h *hub, r *reader, read readLog) (*Event, error) {
	if len(w.first) > 0 {
		e := w.first[0]
		w.first = w.first[1:]
		w.passFirst(e)
		return e, nil
	}
	for {
		if len(w.read) > 0 {
			e := w.read[0]
			w.read = w.read[1:]
			w.at[e.CommuneID] = e.Seq
			return e, nil
		}
		if len(w.unseated) == 0 {
			break
		}
		if err := w.catchUp(ctx, h, r, read); err != nil {
			return nil, err
		}
	}
	w.first, w.read, w.heads, w.behind = nil, nil, nil, nil
	e, _ := r.take()
	if e != nil {
		w.at[e.CommuneID] = e.Seq
	}
	return e, nil
}

// passFirst moves the position to an event of first, or to the head behind its commune's last one:
// nothing else up to there is for this subscription.
func (w *watch) passFirst(e *Event) {
	if w.heads == nil {
		return // an order's events count by themselves; its place in the commune is the head
	}
	w.at[e.CommuneID] = e.Seq
	if w.behind[e.CommuneID] {
		return
	}
	for _, later := range w.first {
		if later.CommuneID == e.CommuneID {
			return
		}
	}
	w.at[e.CommuneID] = w.heads[e.CommuneID]
}

// catchUp reads on from the database, or takes the seat where the commune's tail can take over without
// a gap.
func (w *watch) catchUp(ctx context.Context, h *hub, r *reader, read readLog) error {
	commune := w.unseated[0]
	if w.passed > 0 {
		w.at[commune], w.passed = w.passed, 0
	}
	if !w.behind[commune] {
		missed, ok := h.seat(r, commune, w.at[commune], w.epoch, w.keys)
		if ok {
			w.read, w.unseated = missed, w.unseated[1:]
			return nil
		}
	}
	pages, err := read(ctx, w.scope, map[string]int64{commune: w.at[commune]}, w.which, w.rows)
	if err != nil {
		return err
	}
	p := pages[commune]
	if p == nil || p.epoch != w.epoch || p.head < w.at[commune] || p.pruned > w.at[commune] {
		return errExpired()
	}
	if w.read, w.behind[commune] = p.events, len(p.events) == pageSize; !w.behind[commune] {
		w.passed = p.head
	}
	return nil
}
