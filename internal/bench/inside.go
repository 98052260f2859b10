package bench

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"

	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/web"
)

// NewHalles is the server itself in this process: what /proc does not tell, statements and
// allocations, is counted here. It limits nobody; without issuers, which may be nil, everybody is a
// visitor.
func NewHalles(ctx context.Context, db *pg.DB, secret []byte, issuers *identity.Issuers) (http.Handler, error) {
	server, err := web.New(ctx, web.Options{DB: db, Secret: secret, Issuers: issuers, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	return server.Handler(), nil
}

// Call hands a request, as it would be sent, to a handler in this process.
func Call(ctx context.Context, h http.Handler, raw []byte) (status int, answer []byte, err error) {
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
	if err != nil {
		return 0, nil, err
	}
	r.RemoteAddr = "127.0.0.1:1"
	w := &recorder{header: http.Header{}, status: http.StatusOK}
	h.ServeHTTP(w, r.WithContext(ctx))
	return w.status, w.body.Bytes(), nil
}

type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *recorder) Header() http.Header         { return w.header }
func (w *recorder) WriteHeader(status int)      { w.status = status }
func (w *recorder) Write(b []byte) (int, error) { return w.body.Write(b) }

// Statements counts what is sent to Postgres, alone or in batches, but for the viewer's settings and
// the ends of transactions, which are no round trip of their own.
type Statements struct{ n atomic.Int64 }

func (s *Statements) count(sql string) {
	if !strings.HasPrefix(sql, "select set_config(") && sql != "begin" && sql != "commit" {
		s.n.Add(1)
	}
}

// TraceQueryStart is pgx's.
func (s *Statements) TraceQueryStart(ctx context.Context, _ *pgx.Conn, q pgx.TraceQueryStartData) context.Context {
	s.count(q.SQL)
	return ctx
}

// TraceQueryEnd is pgx's.
func (*Statements) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// TraceBatchStart is pgx's.
func (*Statements) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return ctx
}

// TraceBatchQuery is pgx's.
func (s *Statements) TraceBatchQuery(_ context.Context, _ *pgx.Conn, q pgx.TraceBatchQueryData) {
	s.count(q.SQL)
}

// TraceBatchEnd is pgx's.
func (*Statements) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

// Inside is what a request costs inside the process.
type Inside struct {
	Statements  float64 `json:"statements"`
	Allocations float64 `json:"allocations"`
	Allocated   float64 `json:"allocatedBytes"`
}

// Count asks a handler one request after the other and counts what each costs, on average. Nothing
// else may go on in the process. The first requests, which prepare statements and fill what is kept,
// do not count. It begins with the request after first.
func Count(ctx context.Context, h http.Handler, s *Statements, first int, next func(n int) []byte) (Inside, error) {
	const before, requests = 30, 100
	var from, to runtime.MemStats
	var statements int64
	for i := range before + requests {
		if i == before {
			runtime.ReadMemStats(&from)
			statements = s.n.Load()
		}
		status, answer, err := Call(ctx, h, next(first+i))
		if err == nil {
			err = answered(status, answer)
		}
		if err != nil {
			return Inside{}, fmt.Errorf("in this process: %w", err)
		}
	}
	runtime.ReadMemStats(&to)
	return Inside{
		Statements:  float64(s.n.Load()-statements) / requests,
		Allocations: float64(to.Mallocs-from.Mallocs) / requests,
		Allocated:   float64(to.TotalAlloc-from.TotalAlloc) / requests,
	}, nil
}
