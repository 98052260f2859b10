package ordering

import (
	"sync"

	"github.com/audelor/halles/internal/fault"
)

// reader is one subscription, as the tails see it: what waits for it, and whether it goes on. No
// goroutine stands behind it. Of thousands who follow, each with a queue of its full size and a
// goroutine that waited beside its subscriber's, these were 12 KB.
type reader struct {
	mu    sync.Mutex
	queue []*Event
	room  [1]*Event // where the queue begins: mostly one event waits
	wake  func()    // called once when there is something to take
	left  func()    // called once, by a goroutine of its own, after the end
	over  bool
	err   error // why it ended
}

// offer never waits: a reader that cannot keep up is cut. It tells whether this one was, by this.
func (r *reader) offer(e *Event) (cut bool) {
	r.mu.Lock()
	if r.over {
		r.mu.Unlock()
		return false
	}
	if len(r.queue) >= queueSize {
		r.mu.Unlock()
		return r.end(fault.Errorf(fault.Limited, "Les événements arrivent plus vite que vous ne les lisez. Reprenez avec after et le dernier curseur reçu."))
	}
	if r.queue == nil {
		r.queue = r.room[:0]
	}
	r.queue = append(r.queue, e)
	wake := r.wake
	r.wake = nil
	r.mu.Unlock()
	if wake != nil {
		wake()
	}
	return false
}

// take is the first event that waits; over: the reader has ended, and is told nothing more.
func (r *reader) take() (e *Event, over bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over || len(r.queue) == 0 {
		return nil, r.over
	}
	e, r.queue[0] = r.queue[0], nil
	if r.queue = r.queue[1:]; len(r.queue) == 0 {
		r.queue = nil
	}
	return e, false
}

// await has wake called once there is something to take or the end; false where there is now, and
// nothing is called. wake must not wait: a tail calls it, for one of thousands.
func (r *reader) await(wake func()) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over || len(r.queue) > 0 {
		return false
	}
	r.wake = wake
	return true
}

// end ends it, once; it tells whether this was the time.
func (r *reader) end(err error) bool {
	r.mu.Lock()
	if r.over {
		r.mu.Unlock()
		return false
	}
	r.over, r.err, r.queue = true, err, nil
	wake, left := r.wake, r.left
	r.wake = nil
	r.mu.Unlock()
	if wake != nil {
		wake()
	}
	if left != nil {
		go left() // whoever ends it holds locks that leaving takes
	}
	return true
}

// ended tells whether it has, and why.
func (r *reader) ended() (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.over, r.err
}
