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

const (
	// drainTime is how long requests in flight may take to end once no new one is taken.
	drainTime = 10 * time.Second
	// streamTime is how long streams and sockets may then take to say goodbye.
	streamTime = 5 * time.Second
	// answerTime is how long a client may take to read an answer that is no stream: a file of 10 MB
	// at 0.7 Mbit/s. Whoever reads slower on purpose holds a connection no longer.
	answerTime = 2 * time.Minute
)

// Serve answers on the listener and runs the background parts until ctx ends. Then it leaves in an
// order that loses nobody a request: it says not ready, and for Options.Leave goes on answering,
// each answer with Connection: close, until the balancer has seen it; takes no new request; waits
// for those in flight; and ends streams and sockets last, which come back on another server.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	server := &http.Server{
		Handler:           s.handler,
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       2 * time.Minute,
		// No ReadTimeout and no WriteTimeout: a subscription goes on for hours. Bodies have bodyTime,
		// answers answerTime, see counted.
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
	time.Sleep(s.leave)
	shut := make(chan error, 1)
	ctx, cancel := context.WithTimeout(ctx, drainTime+streamTime)
	defer cancel()
	go func() { shut <- server.Shutdown(ctx) }() // no new connection, and none that is idle
	for until := time.Now().Add(drainTime); s.inFlight.Load() > 0 && time.Now().Before(until); {
		time.Sleep(5 * time.Millisecond)
	}
	if n := s.inFlight.Load(); n > 0 {
		s.log.WarnContext(ctx, "requests cut off at shutdown", "requests", n, "after", drainTime)
	}
	s.stop()
	if err := <-shut; err != nil {
		return server.Close()
	}
	ended := make(chan struct{})
	go func() { s.streams.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-ctx.Done():
		s.log.WarnContext(ctx, "sockets cut off at shutdown")
	}
	return nil
}
