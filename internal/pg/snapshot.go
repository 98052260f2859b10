package pg

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Snapshot keeps reference data (communes, categories: small, shared, rarely changed) in
// memory and reads it again when it is too old. Readers share one load; when it fails they keep
// the last good one.
type Snapshot[T any] struct {
	load func(ctx context.Context) (T, error)
	age  time.Duration
	held atomic.Pointer[held[T]]
	mu   sync.Mutex
}

type held[T any] struct {
	value T
	at    time.Time
}

const snapshotAge = time.Minute

// NewSnapshot returns a snapshot that is loaded at its first use, and read again after a minute.
func NewSnapshot[T any](load func(ctx context.Context) (T, error)) *Snapshot[T] {
	return NewSnapshotOf(snapshotAge, load)
}

// NewSnapshotOf is NewSnapshot for data that must be read again sooner or may be later.
func NewSnapshotOf[T any](age time.Duration, load func(ctx context.Context) (T, error)) *Snapshot[T] {
	return &Snapshot[T]{load: load, age: age}
}

// Expire makes the next reader load the data again: this program has just changed it.
func (s *Snapshot[T]) Expire() {
	s.mu.Lock() // a load under way may have read what was before
	defer s.mu.Unlock()
	if h := s.held.Load(); h != nil {
		s.held.Store(&held[T]{value: h.value})
	}
}

// Get returns the data, no older than the snapshot's age unless the database is away.
func (s *Snapshot[T]) Get(ctx context.Context) (T, error) {
	if h := s.held.Load(); h != nil && time.Since(h.at) < s.age {
		return h.value, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.held.Load()
	if h != nil && time.Since(h.at) < s.age {
		return h.value, nil
	}
	value, err := s.load(alone(ctx)) // others may wait for it
	if err != nil && h != nil {
		return h.value, nil
	}
	if err == nil {
		s.held.Store(&held[T]{value: value, at: time.Now()})
	}
	return value, err
}
