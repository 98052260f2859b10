package web

import (
	"bufio"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/audelor/halles/graph/transport"
)

// Our own line for each request, and not httplog's: that one gathers headers, addresses and the whole
// URL for each request before it leaves them out, and with chi's middleware it brings net/http/pprof,
// which the linker keeps, into every program.

// answering is the answer to a request on its way, and what the log says of it.
type answering struct {
	http.ResponseWriter
	code, bytes int
	notes       []slog.Attr
	room        [2]slog.Attr // for the notes that most requests have: network and operation
}

// note adds to the log's line of the request in ctx.
func note(ctx context.Context, attr slog.Attr) {
	a := &requestOf(ctx).answer
	a.notes = append(a.notes, attr)
}

// status is what was answered; nothing said is 200.
func (a *answering) status() int {
	if a.code == 0 {
		return http.StatusOK
	}
	return a.code
}

// WriteHeader remembers the status. Those below 200 come before it, but for that of a socket.
func (a *answering) WriteHeader(code int) {
	if a.code == 0 && (code >= http.StatusOK || code == http.StatusSwitchingProtocols) {
		a.begin(code)
	}
	a.ResponseWriter.WriteHeader(code)
}

// begin has what an answer varies by said in one line (RFC 9110, 5.3), to which each who looked at a part of
// the request has added: each line costs both sides a microsecond.
func (a *answering) begin(code int) {
	a.code = code
	if by := a.Header()["Vary"]; len(by) > 1 {
		a.Header()["Vary"] = []string{strings.Join(by, ", ")}
	}
}

// Write counts.
func (a *answering) Write(b []byte) (int, error) {
	if a.code == 0 {
		a.begin(http.StatusOK)
	}
	n, err := a.ResponseWriter.Write(b)
	a.bytes += n
	return n, err
}

// Unwrap lets http.ResponseController reach what is behind.
func (a *answering) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// Flush sends on what was written.
func (a *answering) Flush() {
	if a.code == 0 {
		a.begin(http.StatusOK)
	}
	_ = http.NewResponseController(a.ResponseWriter).Flush() // where that can be done
}

// Hijack gives the connection to a socket.
func (a *answering) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return http.NewResponseController(a.ResponseWriter).Hijack()
}

// logged writes one line per request; a stream's or a socket's when it ends: its number, its operation,
// and of the client's address the network. No query string, no header and no body: they are or may hold
// personal data.
func (s *Server) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, began := r.Context(), time.Now()
		a := &requestOf(ctx).answer
		a.ResponseWriter, a.notes = w, a.room[:0]
		method, path := r.Method, r.URL.Path
		end := func(how transport.Ended) {
			status := a.status()
			if status == http.StatusOK && (path == "/healthz" || path == "/readyz") {
				return // probes come every second and say nothing
			}
			level := slog.LevelInfo
			switch {
			case status >= http.StatusInternalServerError:
				level = slog.LevelError
			case status >= http.StatusBadRequest && status != http.StatusTooManyRequests:
				level = slog.LevelWarn
			case method == http.MethodOptions:
				level = slog.LevelDebug
			}
			if !s.log.Enabled(ctx, level) {
				return
			}
			said := make([]slog.Attr, 0, 8+len(a.notes))
			said = append(said, slog.String("method", method), slog.String("path", path), slog.Int("status", status),
				slog.Float64("ms", float64(time.Since(began).Milliseconds())), slog.Int("bytes", a.bytes+how.Sent))
			if how.Left || how.Sent == 0 && errors.Is(ctx.Err(), context.Canceled) {
				said = append(said, slog.String("error", "the client went away before it had the answer"))
			}
			said = append(append(said, a.notes...), slog.String("request", RequestID(ctx)))
			s.log.LogAttrs(ctx, level, "request", said...)
		}
		defer func() { // after a panic too
			if transport.AtEnd(ctx, end) {
				a.ResponseWriter = nil // with net/http's buffers, which nobody uses any more
			}
		}()
		next.ServeHTTP(a, r)
	})
}
