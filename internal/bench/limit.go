package bench

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// limitConnections is how many the limit holds: as many as halles has for visitors. Twice as many
// are no faster on two cores.
const limitConnections = 8

// Limit is the hand-written handler.
type Limit struct {
	db   *pgxpool.Pool
	mux  *http.ServeMux
	feed feed
}

// OpenLimit connects as a role that no policy holds back.
func OpenLimit(ctx context.Context, databaseURL string, tracer pgx.QueryTracer) (*Limit, error) {
	config, err := pgxpool.ParseConfig(databaseURL)
	if err != nil {
		return nil, err
	}
	config.MaxConns = limitConnections
	config.ConnConfig.Tracer = tracer
	l := &Limit{mux: http.NewServeMux(), feed: feed{followers: map[string]map[chan []byte]bool{}}}
	if l.db, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return nil, err
	}
	l.handle("/w1", l.shops)
	l.handle("/w2", l.window)
	l.handle("/w3", l.product)
	l.handle("/w4", l.search)
	l.handle("/w4p", l.searchPlain)
	l.handle("/w5", l.dashboard)
	l.handle("/w6", l.place)
	l.handle("/w7/change", l.change)
	l.mux.HandleFunc("/w7/follow", l.feed.follow)
	return l, l.preparePlain(ctx)
}

// DB is the limit's pool, which sees every row.
func (l *Limit) DB() *pgxpool.Pool { return l.db }

// Close ends its connections.
func (l *Limit) Close() { l.db.Close() }

func (l *Limit) ServeHTTP(w http.ResponseWriter, r *http.Request) { l.mux.ServeHTTP(w, r) }

// Serve answers on the listener until ctx ends.
func (l *Limit) Serve(ctx context.Context, listener net.Listener) error {
	server := &http.Server{Handler: l, ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 64<<10); return &b }}

// handle answers with what answer appends.
func (l *Limit) handle(path string, answer func(r *http.Request, b []byte) ([]byte, error)) {
	l.mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
		buffer := buffers.Get().(*[]byte)
		defer buffers.Put(buffer)
		b, err := answer(r, (*buffer)[:0])
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		*buffer = b
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(b)))
		_, _ = w.Write(b) // who asked may have gone
	})
}

// inBinary asks for every column in Postgres's own form.
var inBinary = pgx.QueryResultFormats{pgx.BinaryFormatCode}

// read runs a statement and hands each row's bytes over.
func (l *Limit) read(ctx context.Context, row func(v [][]byte), sql string, args ...any) error {
	rows, err := l.db.Query(ctx, sql, append([]any{inBinary}, args...)...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		row(rows.RawValues())
	}
	return rows.Err()
}
