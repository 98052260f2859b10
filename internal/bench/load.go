package bench

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Load is what came of asking for a while.
type Load struct {
	Answers int
	Bytes   int64 // of the answers' bodies
	Took    time.Duration
	times   []time.Duration // of each answer, sorted
}

// PerSecond is how many answers came in a second.
func (l *Load) PerSecond() float64 { return float64(l.Answers) / l.Took.Seconds() }

// At is the time in which a part of the answers had come: 0.5 is the median.
func (l *Load) At(part float64) time.Duration {
	if len(l.times) == 0 {
		return 0
	}
	return l.times[min(int(part*float64(len(l.times))), len(l.times)-1)]
}

// Ask sends requests over so many connections for a while, each connection one after the other,
// and ends at the first answer that is none. next makes the n-th request; n goes on from at.
//
// Requests are bytes and answers are read into one buffer a connection: what asks shares the
// processors with what answers, so that it must be the smaller part.
func Ask(ctx context.Context, address string, connections int, during time.Duration, at *atomic.Int64, next func(n int) []byte) (*Load, error) {
	l := &Load{}
	var mu sync.Mutex
	var failed error
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var all sync.WaitGroup
	began := time.Now()
	end := began.Add(during)
	for range connections {
		all.Go(func() {
			own, err := askOn(ctx, address, end, at, next)
			mu.Lock()
			defer mu.Unlock()
			l.Answers += own.Answers
			l.Bytes += own.Bytes
			l.times = append(l.times, own.times...)
			if err != nil && failed == nil {
				failed = err
				cancel()
			}
		})
	}
	all.Wait()
	l.Took = time.Since(began)
	slices.Sort(l.times)
	return l, failed
}

func askOn(ctx context.Context, address string, end time.Time, at *atomic.Int64, next func(int) []byte) (l Load, err error) {
	c, err := Dial(ctx, address)
	if err != nil {
		return l, err
	}
	defer c.Close()
	for ctx.Err() == nil {
		began := time.Now()
		if !began.Before(end) {
			return l, nil
		}
		status, answer, err := c.Ask(next(int(at.Add(1))))
		if err == nil {
			err = answered(status, answer)
		}
		if err != nil {
			return l, err
		}
		l.times = append(l.times, time.Since(began))
		l.Answers++
		l.Bytes += int64(len(answer))
	}
	return l, nil
}

// Conn is a connection of one who asks.
type Conn struct {
	conn   net.Conn
	read   *bufio.Reader
	answer bytes.Buffer
	stop   func() bool
}

// Dial connects; the connection ends with ctx.
func Dial(ctx context.Context, address string) (*Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return &Conn{conn: conn, read: bufio.NewReaderSize(conn, 16<<10), stop: context.AfterFunc(ctx, func() { _ = conn.Close() })}, nil
}

// Close ends the connection.
func (c *Conn) Close() {
	c.stop()
	_ = c.conn.Close()
}

// Ask sends a request and reads the whole answer, which is good until the next.
func (c *Conn) Ask(request []byte) (status int, answer []byte, err error) {
	if _, err := c.conn.Write(request); err != nil {
		return 0, nil, err
	}
	response, err := http.ReadResponse(c.read, nil)
	if err != nil {
		return 0, nil, fmt.Errorf("read an answer: %w", err)
	}
	c.answer.Reset()
	_, err = io.Copy(&c.answer, response.Body)
	_ = response.Body.Close()
	return response.StatusCode, c.answer.Bytes(), err
}
