package web

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"
)

// drainTime is how long requests in flight may take to end once the server stops.
const drainTime = 10 * time.Second

// Serve answers on the listener and runs the background parts until ctx ends; then it says not
// ready, takes no new request, ends streams and sockets, and waits for the rest.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	server := &http.Server{
		Handler:           s.handler,
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       2 * time.Minute,
		// No WriteTimeout: a subscription writes for hours. Bodies have bodyTime.
		MaxHeaderBytes: 64 << 10,
		ErrorLog:       slog.NewLogLogger(withoutAddresses{s.log.Handler()}, slog.LevelWarn),
	}
	// The background goes on until the last request has ended.
	background, done := context.WithCancel(context.WithoutCancel(ctx))
	group, failed := errgroup.WithContext(background)
	group.Go(func() error { return s.Run(background) })
	group.Go(func() error {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	group.Go(func() error {
		defer done()
		select {
		case <-ctx.Done():
		case <-failed.Done():
		}
		return s.drain(context.WithoutCancel(ctx), server)
	})
	return group.Wait()
}

func (s *Server) drain(ctx context.Context, server *http.Server) error {
	s.leaving.Store(true)
	s.stop()
	ctx, cancel := context.WithTimeout(ctx, drainTime)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		s.log.WarnContext(ctx, "requests cut off at shutdown", "after", drainTime)
		return server.Close()
	}
	ended := make(chan struct{})
	go func() { s.streams.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-ctx.Done():
		s.log.WarnContext(ctx, "sockets cut off at shutdown", "after", drainTime)
	}
	return nil
}
