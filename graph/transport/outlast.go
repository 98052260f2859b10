package transport

import (
	"context"
	"sync"
)

// course is that of a request whose answer may go on when its handler has returned: of thousands of
// streams, what stands behind each in net/http, the handlers around and the executor is a stack of 16 KB
// that waits, one that waits for the client to leave, and 10 KB of buffers.
type course struct {
	stopping context.Context // when the server stops, what goes on ends

	mu    sync.Mutex
	apart bool // the answer goes on
	over  bool
	how   Ended
	ends  []func(Ended)
}

// Ended is how an answer ended that went on.
type Ended struct {
	Sent int  // past its http.ResponseWriter, in bytes
	Left bool // before its end: the client is gone, or the server stops
}

type courseKey struct{}

// WithCourse lets the answer to a request go on when its handler has returned, until stopping ends.
// What the handlers around would do at its end they leave to AtEnd.
func WithCourse(ctx, stopping context.Context) context.Context {
	return context.WithValue(ctx, courseKey{}, &course{stopping: stopping})
}

// AtEnd does what is to be done at the end of an answer, by its handler or one around it: now, as the
// handler returns, or, of one that goes on, at its own end. What the server lends to a handler, end
// must not use. It tells whether the answer goes on.
func AtEnd(ctx context.Context, end func(Ended)) bool {
	c, _ := ctx.Value(courseKey{}).(*course)
	if c == nil {
		end(Ended{})
		return false
	}
	c.mu.Lock()
	if c.apart && !c.over {
		defer c.mu.Unlock()
		c.ends = append(c.ends, end)
		return true
	}
	c.mu.Unlock()
	end(c.how) // it was over before its handlers were
	return c.apart
}

// goOn has the answer go on, until what it returns ends.
func (c *course) goOn() (stopping context.Context) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.apart = true
	return c.stopping
}

// end is the end of an answer that went on.
func (c *course) end(how Ended) {
	c.mu.Lock()
	c.over, c.how = true, how
	ends := c.ends
	c.mu.Unlock()
	for _, end := range ends { // from within, as handlers return
		end(how)
	}
}

// Source is where the responses of a subscription come from, for a transport that does not wait for
// each of them in a goroutine of its own.
type Source interface {
	// Settle comes as far as it can without waiting for what is yet to happen. True: from now on Await says
	// when there is a response. False: one is to be asked for first.
	Settle(ctx context.Context) bool
	// Await has wake called once there is a response or the end; false where there is now, and nothing is
	// called. wake does not wait.
	Await(wake func()) bool
}

// coming is where the responses of an operation come from.
type coming struct {
	source Source // nil: nobody has told
	reads  bool
}

type comingKey struct{}

// Comes tells the transport of an operation where its responses come from, and whether to make one takes
// reading: else it is made from memory.
func Comes(ctx context.Context, s Source, reads bool) {
	if to, ok := ctx.Value(comingKey{}).(*coming); ok {
		*to = coming{s, reads}
	}
}

// Until ends an answer that goes on when stopping does, which is to end with the server too.
func Until(ctx, stopping context.Context) {
	if c, ok := ctx.Value(courseKey{}).(*course); ok {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.stopping = stopping
	}
}
