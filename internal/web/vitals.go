package web

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/audelor/halles/graph"
	"github.com/audelor/halles/graph/transport"
	"github.com/audelor/halles/internal/vitals"
	"github.com/audelor/halles/internal/vitals/spans"
)

// counted measures each request under the pattern of its route, bounds its time, and tells its
// client to come back elsewhere when the server is about to stop.
func (s *Server) counted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		long, open, connection := isLong(r), s.vitals.InFlight, http.NewResponseController(w)
		var until time.Time // a stream has no end; a request before it on the connection had one
		if long {
			open = s.vitals.Streams
		} else {
			until = time.Now().Add(answerTime)
			s.inFlight.Add(1)
			defer s.inFlight.Add(-1)
		}
		_ = connection.SetWriteDeadline(until) // not every test's writer has one
		if r.Method == http.MethodPost {
			_ = connection.SetReadDeadline(time.Now().Add(bodyTime))
		}
		if s.leaving.Load() && r.Header.Get("Upgrade") == "" {
			w.Header().Set("Connection", "close")
		}
		open.Inc()
		began := time.Now()
		answer, ok := w.(*answering) // the log's
		if !ok {
			answer = &answering{ResponseWriter: w}
		}
		defer func() { // after a panic too
			route, method := routeOf(r), r.Method
			transport.AtEnd(r.Context(), func(transport.Ended) {
				open.Dec()
				s.vitals.Request(route, method, answer.status(), time.Since(began), long)
			})
		}()
		next.ServeHTTP(answer, r)
	})
}

// isLong tells a stream or a socket, which goes on.
func isLong(r *http.Request) bool { return r.Header.Get("Upgrade") != "" || streams(r) }

// routeOf is the pattern that answered, "/boutique/{commune}/{slug}": what is in its place is a
// client's to choose.
func routeOf(r *http.Request) string {
	if c := chi.RouteContext(r.Context()); c != nil {
		if pattern := c.RoutePattern(); pattern != "" && pattern != "/*" {
			return pattern
		}
		if r.URL.Path == "/" {
			return "/"
		}
	}
	return "none"
}

// watch counts the operations of the schema, and names them in the log.
func (s *Server) watch() graph.Watch {
	return graph.Watch{
		Begun: func(ctx context.Context, operation string) {
			if s.spans != nil {
				spans.Name(ctx, operation)
			}
			if whenceOf(ctx).paid { // a request; a socket has one line for its many operations
				note(ctx, slog.String("operation", operation))
			}
		},
		Answered: s.vitals.Operation, Event: s.vitals.Event, Refused: s.vitals.Refused,
	}
}

// readVitals adds what is read at each scrape.
func (s *Server) readVitals() {
	s.vitals.Pools(s.db)
	s.replicaVitals()
	s.answerVitals()
	s.vitals.Database(s.db, s.communes.Codes, s.log)
	yes := func(is bool) float64 {
		if is {
			return 1
		}
		return 0
	}
	s.vitals.Read(
		vitals.Figure{Name: "leaving", Help: "1 while the server stops, else 0.", Read: func() float64 { return yes(s.leaving.Load()) }},
		vitals.Figure{Name: "schema_needed", Help: "The last migration that this program knows; the database's is schema_version.", Read: func() float64 { return float64(s.newest) }},
		vitals.Figure{Name: "feed_listening", Help: "1 while wake-ups of other processes are heard; else the poll of each second serves.", Read: func() float64 { return yes(s.feed.State().Listening) }},
		vitals.Figure{Name: "feed_subscriptions", Help: "Subscriptions that follow the event log here.", Read: func() float64 { return float64(s.feed.State().Subscriptions) }},
		vitals.Figure{Name: "feed_communes", Help: "Communes whose event log is followed here.", Read: func() float64 { return float64(s.feed.State().Communes) }},
		vitals.Figure{Name: "feed_behind_events", Help: "Events that the last poll found and no wake-up had told of: above zero for long, the feed lags.", Read: func() float64 { return float64(s.feed.State().Behind) }},
		vitals.Figure{Name: "feed_cut_total", Help: "Subscriptions that were ended since they could not keep up.", Counter: true, Read: func() float64 { return float64(s.feed.State().Cut) }},
	)
}

// traced makes a span of each request, but for what is asked every second or comes from a file. Only our
// own router goes on with a trace of its own.
func (s *Server) traced(next http.Handler) http.Handler {
	wanted := func(r *http.Request) bool {
		return !isLong(r) && r.URL.Path != "/healthz" && r.URL.Path != "/readyz" && r.URL.Path != "/metrics" && !strings.HasPrefix(r.URL.Path, "/assets/")
	}
	trusted := func(r *http.Request) bool { return s.fromRouter(r.Header.Get(routerHeader)) }
	return s.spans.Request(wanted, trusted, routeOf)(next)
}

// heads answers HEAD as GET, without a body, where a route has no own answer to it.
func heads(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c := chi.RouteContext(r.Context()); r.Method == http.MethodHead && c != nil {
			path := cmp.Or(c.RoutePath, r.URL.RawPath, r.URL.Path)
			if !c.Routes.Match(chi.NewRouteContext(), http.MethodHead, path) {
				c.RouteMethod, c.RoutePath = http.MethodGet, path
			}
		}
		next.ServeHTTP(w, r)
	})
}
