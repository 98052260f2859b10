package pg

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Snapshot keeps reference data (communes, categories: small, shared, rarely changed) in
// memory and reads it again when it is older than a minute. Readers share one load; when it
// fails they keep the last good one.
type Snapshot[T any] struct {
	load func(ctx context.Context) (T, error)
	held atomic.Pointer[held[T]]
	mu   sync.Mutex
}

type held[T any] struct {
	value T
	at    time.Time
}

const snapshotAge = time.Minute

// NewSnapshot returns a snapshot that is loaded at its first use.
func NewSnapshot[T any](load func(ctx context.Context) (T, error)) *Snapshot[T] {
	return &Snapshot[T]{load: load}
}

// Get returns the data, at most a minute old unless the database is away.
func (s *Snapshot[T]) Get(ctx context.Context) (T, error) {
	if h := s.held.Load(); h != nil && time.Since(h.at) < snapshotAge {
		return h.value, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.held.Load()
	if h != nil && time.Since(h.at) < snapshotAge {
		return h.value, nil
	}
	value, err := s.load(ctx)
	if err != nil && h != nil {
		return h.value, nil
	}
	if err == nil {
		s.held.Store(&held[T]{value: value, at: time.Now()})
	}
	return value, err
}
