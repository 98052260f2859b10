package answers

import (
	"container/list"
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
	"sync"
)

// store keeps answers within a number of bytes, by W-TinyLFU (Einziger, Friedman, Manes: TinyLFU, a
// highly efficient cache admission policy, 2017): what is asked for once does not push out what is
// asked for often. New answers come into a window, the last used first; who falls out of it has a
// place in the main part only if it was asked for more often, of late, than who must leave for it.
// The main part is two lists: who is asked for again is protected, and falls back among those on
// probation.
//
// The libraries that do this would make the program 0.6 and 0.85 MB larger, of the 40 that it may have.
type store struct {
	mu      sync.Mutex
	max     int
	entries map[[sha256.Size]byte]*list.Element
	parts   [3]part
	asked   sketch
}

// The parts of a store.
const (
	window = iota
	probation
	protected
)

// part is a list of entries, the last used in front.
type part struct {
	list  list.List
	bytes int
}

type entry struct {
	key    [sha256.Size]byte
	answer *Answer
	in     int // which part
}

// windowShare is the window's share of the bytes: large enough for two of the largest answers.
const windowShare = share / 2

func newStore(max int) *store {
	return &store{max: max, entries: map[[sha256.Size]byte]*list.Element{}, asked: newSketch(max / (2 * overhead))}
}

// get is the answer under a key, or nil; either way it was asked for.
func (s *store) get(key [sha256.Size]byte) *Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked.add(key)
	e := s.entries[key]
	if e == nil {
		return nil
	}
	s.used(e)
	return e.Value.(*entry).answer
}

// set keeps an answer, none larger than max / share, if there is a place for it.
func (s *store) set(key [sha256.Size]byte, a *Answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.entries[key]; e != nil {
		old := e.Value.(*entry)
		s.parts[old.in].bytes += a.size() - old.answer.size()
		old.answer = a
		s.used(e)
	} else {
		s.put(&entry{key: key, answer: a, in: window})
	}
	s.evict()
}

// replace puts an answer in the place of another under the same key, while that is there.
func (s *store) replace(key [sha256.Size]byte, old, a *Answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.entries[key]; e != nil && e.Value.(*entry).answer == old {
		n := e.Value.(*entry)
		s.parts[n.in].bytes += a.size() - old.size()
		n.answer = a
		s.evict()
	}
}

func (s *store) put(n *entry) {
	s.entries[n.key] = s.parts[n.in].list.PushFront(n)
	s.parts[n.in].bytes += n.answer.size()
}

func (s *store) remove(e *list.Element) *entry {
	n := e.Value.(*entry)
	s.parts[n.in].list.Remove(e)
	s.parts[n.in].bytes -= n.answer.size()
	delete(s.entries, n.key)
	return n
}

// move puts an entry in front of another part.
func (s *store) move(e *list.Element, to int) {
	n := s.remove(e)
	n.in = to
	s.put(n)
}

// used brings an entry to the front, one on probation into protection: of which there is four fifths
// of the main part.
func (s *store) used(e *list.Element) {
	n := e.Value.(*entry)
	if n.in != probation {
		s.parts[n.in].list.MoveToFront(e)
		return
	}
	s.move(e, protected)
	for s.parts[protected].bytes > (s.max-s.max/windowShare)/5*4 {
		s.move(s.parts[protected].list.Back(), probation)
	}
}

// evict makes the bytes fit.
func (s *store) evict() {
	for s.parts[window].bytes > s.max/windowShare {
		candidate := s.parts[window].list.Back()
		s.move(candidate, probation)
		s.admit(s.parts[probation].list.Front())
	}
	for s.bytes() > s.max { // what was there became larger
		s.remove(s.last(nil))
	}
}

// admit lets a candidate stay that fits, or was asked for more often than each who must leave for it.
func (s *store) admit(candidate *list.Element) {
	n := candidate.Value.(*entry)
	for s.bytes() > s.max {
		victim := s.last(candidate)
		if victim == nil || s.asked.of(victim.Value.(*entry).key) >= s.asked.of(n.key) {
			s.remove(candidate)
			return
		}
		s.remove(victim)
	}
}

// last is who would leave first, but for one.
func (s *store) last(but *list.Element) *list.Element {
	for _, p := range []int{probation, protected, window} {
		e := s.parts[p].list.Back()
		if e != nil && e == but {
			e = e.Prev()
		}
		if e != nil {
			return e
		}
	}
	return nil
}

func (s *store) bytes() int { return s.parts[0].bytes + s.parts[1].bytes + s.parts[2].bytes }

func (s *store) figures() (bytes, entries int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bytes(), len(s.entries)
}

// sketch estimates how often keys were asked for, of late: four counters for each, of which others
// may share some, so that the least of them is nearest. After ten times as many questions as it has
// counters in a row, all are halved. Keys are digests: their bytes are as good as hashes of them.
type sketch struct {
	rows  [4][]uint8
	added int
}

const mostAsked = 15 // more tells nothing

func newSketch(entries int) sketch {
	width := 1 << bits.Len(uint(min(max(entries, 256), 1<<16)-1))
	var s sketch
	for i := range s.rows {
		s.rows[i] = make([]uint8, width)
	}
	return s
}

func (s *sketch) counter(row int, key [sha256.Size]byte) *uint8 {
	at := binary.LittleEndian.Uint32(key[4*row:])
	return &s.rows[row][int(at)&(len(s.rows[row])-1)]
}

func (s *sketch) add(key [sha256.Size]byte) {
	for i := range s.rows {
		if c := s.counter(i, key); *c < mostAsked {
			*c++
		}
	}
	if s.added++; s.added < 10*len(s.rows[0]) {
		return
	}
	s.added = 0
	for _, row := range s.rows {
		for i := range row {
			row[i] /= 2
		}
	}
}

func (s *sketch) of(key [sha256.Size]byte) uint8 {
	least := uint8(mostAsked)
	for i := range s.rows {
		least = min(least, *s.counter(i, key))
	}
	return least
}
