package transport

import (
	"context"
	"errors"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/audelor/halles/internal/fault"
)

// apart is a stream that goes on when its handler has returned: a connection, taken from net/http amid
// its chunks, and what it follows. A few workers write for all. A client that does not read at once has a
// goroutine of its own for as long, and so has a response that takes reading.
type apart struct {
	conn net.Conn
	raw  *rawConn
	form framing
	coming
	exec      graphql.GraphExecutor
	responses graphql.ResponseHandler
	ctx       context.Context //nolint:containedctx // the operation's: there is no call that lasts as long
	cancel    context.CancelFunc
	course    *course
	every     time.Duration // between heartbeats
	timer     *time.Timer
	beats     atomic.Bool // one is due
	wake      func()      // schedule, made once
	told      bool        // something was answered
	forget    func() bool // the end of the server
	sent      int
	stuck     atomic.Bool // what was written is not yet taken
	torn      atomic.Bool // nor ever will be

	mu      sync.Mutex
	waiting bool // its turn comes
	working bool // has it
	again   bool // and wants another
}

// goApart lets a stream go on without its handler; false where it cannot, and nothing has happened.
func goApart(w http.ResponseWriter, c *course, a *apart) bool {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return false
	}
	stopping := c.goOn()
	a.conn, a.course, a.raw = conn, c, rawOf(conn)
	a.wake = a.schedule
	a.mu.Lock() // all is there before its first turn
	a.timer = time.AfterFunc(a.every, func() { a.beats.Store(true); a.schedule() })
	a.forget = context.AfterFunc(stopping, a.cancel)
	a.mu.Unlock()
	context.AfterFunc(a.ctx, a.wake)
	go hearOut(conn, a.cancel)
	a.schedule()
	return true
}

// hearOut waits for the client to leave. What it says before is none of a stream's: a line end behind its
// request, or the next one, which was sent too early. Who goes on for longer is not waited for.
func hearOut(conn net.Conn, left func()) {
	defer left()
	var said [1]byte // of thousands that are silent
	for range 4 << 10 {
		if _, err := conn.Read(said[:]); err != nil {
			return
		}
	}
}

// schedule gives the stream a turn, after those that wait for theirs.
func (a *apart) schedule() {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.waiting:
	case a.working:
		a.again = true
	default:
		a.queue()
	}
}

// queue has the stream wait for a turn, under mu.
func (a *apart) queue() {
	if a.waiting = true; a.reads {
		go a.turn()
		return
	}
	turns.add(a)
}

// turn is a turn.
func (a *apart) turn() {
	a.mu.Lock()
	a.waiting, a.working = false, true
	a.mu.Unlock()
	over := a.work()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.working = over; !over && a.again { // one that is over has no other turn
		a.again = false
		a.queue()
	}
}

// atOnce is how many events a stream may send in a turn: the others have theirs.
const atOnce = 16

// work sends what there is to send; it tells whether that was the end.
func (a *apart) work() (over bool) {
	defer func() {
		if broken := recover(); broken != nil { // the others of this worker have nothing to do with it
			a.end(a.form.cut(&graphql.Response{Errors: gqlerror.List{a.broken(broken)}}))
			over = true
		}
	}()
	if a.stuck.Load() {
		return false // there is a turn when it is taken
	}
	if a.beats.Swap(false) && a.ctx.Err() == nil {
		a.timer.Reset(a.every)
		a.send(a.form.heartbeat())
	}
	for range atOnce {
		switch {
		case a.stuck.Load():
			return false
		case errors.Is(context.Cause(a.ctx), errTokenExpired):
			a.end(a.form.cut(&graphql.Response{Errors: gqlerror.List{asGraphQL(errTokenExpired)}}))
			return true
		case a.ctx.Err() != nil: // the client left, or the server stops: a stream without its end is one to resume
			if !a.torn.Load() {
				_, _ = a.raw.write([]byte(lastOfChunks))
			}
			a.close(true)
			return true
		case a.source.Await(a.wake):
			return false
		}
		response := a.responses(a.ctx)
		switch {
		case a.ctx.Err() != nil:
		case response == nil:
			a.end(a.form.complete())
			return true
		case a.told && response.Data == nil: // no event: why there are no more
			a.end(a.form.cut(response))
			return true
		default:
			a.told = true
			a.send(a.form.next(response))
		}
	}
	a.schedule()
	return false
}

// broken is a panic as the executor logs and shows it.
func (a *apart) broken(value any) *gqlerror.Error {
	if e, ok := a.exec.(interface {
		PresentRecoveredError(ctx context.Context, value any) error
	}); ok {
		return gqlerror.WrapIfUnwrapped(e.PresentRecoveredError(a.ctx, value))
	}
	return asGraphQL(fault.Errorf(fault.Internal, "Une erreur interne est survenue."))
}

// send writes what the client takes at once, and has the rest written apart.
func (a *apart) send(text string) {
	chunk := chunked(text)
	a.sent += len(chunk)
	n, err := a.raw.write(chunk)
	switch {
	case err != nil:
		a.tear()
	case n < len(chunk):
		a.stuck.Store(true)
		go func() {
			_ = a.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
			if _, err := a.conn.Write(chunk[n:]); err != nil {
				a.tear() // a client that does not take it in time is cut
			}
			_ = a.conn.SetWriteDeadline(time.Time{})
			a.stuck.Store(false)
			a.schedule()
		}()
	}
}

// tear ends a stream of which a piece is lost: nothing may come after it.
func (a *apart) tear() {
	a.torn.Store(true)
	a.cancel()
}

// end writes the last of the stream and the end of its chunks, for which nobody waits.
func (a *apart) end(text string) {
	last := slices.Concat(chunked(text), []byte(lastOfChunks))
	a.sent += len(last)
	go func() {
		_ = a.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
		_, err := a.conn.Write(last)
		a.close(err != nil)
	}()
}

func (a *apart) close(left bool) {
	a.timer.Stop()
	a.forget()
	a.cancel()
	_ = a.conn.Close()
	a.course.end(Ended{a.sent, left})
}

const lastOfChunks = "0\r\n\r\n"

// chunked is a chunk of HTTP's (RFC 9112, 7.1).
func chunked(text string) []byte {
	if last := lastChunk.Load(); last != nil && last.text == text {
		return last.chunk
	}
	chunk := strconv.AppendInt(make([]byte, 0, len(text)+16), int64(len(text)), 16)
	chunk = append(append(append(chunk, "\r\n"...), text...), "\r\n"...)
	lastChunk.Store(&textChunk{text, chunk})
	return chunk
}

// lastChunk is what was written last, for the many who follow the same. Nobody changes it.
var lastChunk atomic.Pointer[textChunk]

type textChunk struct {
	text  string
	chunk []byte
}

// turns are those of the streams of this process that have something to send, first come first served,
// by as many workers as there are processors: they do not wait for a client. With a goroutine for each
// stream, two thousand are woken for an event, each on a deep stack of its own.
var turns queue

type queue struct {
	mu      sync.Mutex
	waiting []*apart
	next    int // the first of them that waits
	workers int
}

func (q *queue) add(a *apart) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = append(q.waiting, a)
	if q.workers < runtime.GOMAXPROCS(0) {
		q.workers++
		go q.work()
	}
}

func (q *queue) work() {
	for {
		q.mu.Lock()
		if q.next == len(q.waiting) {
			q.waiting, q.next = nil, 0
			q.workers--
			q.mu.Unlock()
			return
		}
		a := q.waiting[q.next]
		q.waiting[q.next] = nil
		q.next++
		q.mu.Unlock()
		a.turn()
	}
}

// rawConn writes to a connection without waiting.
type rawConn struct {
	raw   syscall.RawConn
	chunk []byte
	n     int
	err   error
	once  func(fd uintptr) bool // made once
}

// rawOf is nil where a connection cannot be written to so.
func rawOf(conn net.Conn) *rawConn {
	c, ok := conn.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return nil
	}
	r := &rawConn{raw: raw}
	r.once = func(fd uintptr) bool {
		r.n, r.err = writeOnce(fd, r.chunk)
		return true // whatever came of it
	}
	return r
}

// write writes as much as is taken at once.
func (r *rawConn) write(chunk []byte) (n int, err error) {
	if r == nil {
		return 0, nil
	}
	r.chunk, r.n, r.err = chunk, 0, nil
	err = r.raw.Write(r.once)
	r.chunk = nil
	return max(r.n, 0), errors.Join(err, r.err)
}
