package main

import (
	"context"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/web"
)

// beforehand is what the demo makes while its Postgres starts: two processors, and one of them idle.
// A second start is the quarter shorter that it takes.
type beforehand struct {
	work   sync.WaitGroup // all that goes on
	opened chan struct{}  // closed when db is there, or err
	db     *pg.DB
	server *web.Server
	err    error
}

// make makes the pools, which ask nothing before they are used, and the server.
func (b *beforehand) make(open func() (*pg.DB, error), server func(*pg.DB) (*web.Server, error)) {
	b.db, b.err = open()
	close(b.opened)
	if b.err == nil {
		b.server, b.err = server(b.db)
	}
}

// first are the roles as whom the first requests are answered.
var first = []pg.Role{pg.Public, pg.Identity}

// warm makes the connections that the first request would wait for.
func (b *beforehand) warm(ctx context.Context) error {
	<-b.opened
	if b.db == nil {
		return nil // err says why
	}
	connecting, ctx := errgroup.WithContext(ctx)
	for _, role := range first {
		connecting.Go(func() error { return b.db.Warm(ctx, role) })
	}
	return connecting.Wait()
}

// forget closes the connections that warm made.
func (b *beforehand) forget() {
	for _, role := range first {
		b.db.Pool(role).Reset()
	}
}

func (b *beforehand) close() {
	if b.db != nil {
		b.db.Close()
	}
}
