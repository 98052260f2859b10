package web

import (
	"context"
	"net/http"

	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/vitals"
)

// seenHeader carries how far the database was when the client had written: it comes with the answer
// to a mutation, and sent back with what is asked next, that answer is no older. A client that
// does not send it may read what was published up to a second ago, from a replica.
const seenHeader = "X-Halles-Seen"

type answerKey struct{}

// seeing reads the header, and lets wrote set it. Without a replica there is nothing to do.
func (s *Server) seeing(next http.Handler) http.Handler {
	if _, there := s.db.Replica(); !there {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		if seen, ok := pg.ParsePosition(r.Header.Get(seenHeader)); ok {
			ctx = pg.After(ctx, seen)
		}
		if !isLong(r) {
			ctx = context.WithValue(ctx, answerKey{}, w.Header())
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// wrote tells the client how far the database is, now that it has written.
func (s *Server) wrote(ctx context.Context) {
	s.feed.Tell() // who keeps answers looks what changed
	answer, ok := ctx.Value(answerKey{}).(http.Header)
	if !ok {
		return
	}
	at, err := s.db.Position(ctx)
	if err != nil { // the answer is good all the same
		s.log.WarnContext(ctx, "how far the database is cannot be read", "request", RequestID(ctx), "error", err)
		return
	}
	answer.Set(seenHeader, at.String())
}

// replicaVitals adds the figures of a replica.
func (s *Server) replicaVitals() {
	if _, there := s.db.Replica(); !there {
		return
	}
	state := func() pg.ReplicaState { r, _ := s.db.Replica(); return r }
	s.vitals.Read(
		vitals.Figure{Name: "replica_serves", Help: "1 while the replica is near enough to the primary to serve, else 0.", Read: func() float64 {
			if state().Fresh {
				return 1
			}
			return 0
		}},
		vitals.Figure{Name: "replica_reads_total", Help: "Reads that the replica served.", Counter: true, Read: func() float64 { return float64(state().Served) }},
		vitals.Figure{Name: "replica_passed_total", Help: "Reads of its kind that went to the primary: the replica was behind or away.", Counter: true, Read: func() float64 { return float64(state().Passed) }},
	)
}
