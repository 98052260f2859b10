package transport_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"

	"github.com/audelor/halles/graph"
	"github.com/audelor/halles/internal/ordering"
)

// own follows the shop by what an event says by itself: such a stream goes on without its handler.
func (s *site) own(after string) map[string]any {
	watch := s.watch(after)
	watch["query"] = `subscription ($shops: [ID!]!, $after: String) { shopOrders(shops: $shops, after: $after) { cursor status } }`
	return watch
}

// statuses are the log, as those who follow by own see it.
func (s *site) statuses(t testing.TB) (list []string) {
	t.Helper()
	for _, line := range s.log(t) {
		_, status, _ := strings.Cut(line, " ")
		list = append(list, status)
	}
	return list
}

// until waits for what a server does in its own time.
func until(t testing.TB, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// A stream goes on when its handler has returned, with nobody behind it: each event comes, in order, and
// signs of life between them; it is over when its client leaves, and what it held is given back.
func TestStreamGoesOnByItself(t *testing.T) {
	t.Parallel()
	s := start(t, func(o *graph.ServerOptions) { o.Heartbeat = 50 * time.Millisecond })
	s.place(t)
	token := s.token(t, time.Hour)
	ctx, leave := context.WithCancel(t.Context())
	e := s.post(ctx, t, s.own(""), token, "text/event-stream")
	first := e.want(t, "next")
	until(t, "the handler returns", func() bool { return s.apart.Load() == 1 })
	got := []string{first.Get("data.shopOrders.status").String()}
	for range 10 {
		s.do(t, ordering.Accept, s.place(t))
	}
	var cursor string
	for range 20 {
		data := e.want(t, "next").Get("data.shopOrders")
		got, cursor = append(got, data.Get("status").String()), data.Get("cursor").String()
	}
	if diff := cmp.Diff(s.statuses(t), got); diff != "" {
		t.Error(diff)
	}
	for comments := 0; comments < 3; {
		if !e.lines.Scan() {
			t.Fatal("an idle stream ends")
		}
		if strings.HasPrefix(e.lines.Text(), ":") {
			comments++
		}
	}
	select {
	case how := <-s.ended:
		t.Fatalf("it is over: %+v", how)
	default:
	}
	leave()
	select {
	case how := <-s.ended:
		if !how.Left || how.Sent < 20*100 {
			t.Errorf("ended as %+v", how)
		}
	case <-time.After(patience):
		t.Error("the client has left, and it goes on")
	}
	until(t, "the subscription is given back", func() bool { return s.Resolver.Feed.State().Subscriptions == 0 })

	s.place(t)
	s.place(t)
	again := s.post(t.Context(), t, s.own(cursor), token, "multipart/mixed;subscriptionSpec=1.0")
	for parts := 0; parts < 2; {
		if !again.lines.Scan() {
			t.Fatal("parts end")
		}
		if strings.Contains(again.lines.Text(), `"status":"PLACED"`) {
			parts++
		}
	}
	until(t, "the parts' handler returns", func() bool { return s.apart.Load() == 2 })
	// And so does one whose every event takes reading.
	other := s.post(t.Context(), t, s.watch(cursor), token, "text/event-stream")
	other.want(t, "next")
	other.want(t, "next")
	until(t, "its handler returns", func() bool { return s.apart.Load() == 3 })
	last := s.place(t)
	if e := other.want(t, "next").Get("data.shopOrders.order"); e.Get("id").String() != last.String() || e.Get("status").String() != "PLACED" {
		t.Errorf("got %s", e)
	}
}

// It ends as any stream does: when the client leaves, when the feed says why, when the credential ends,
// and, without a word, with the server.
func TestStreamByItselfEnds(t *testing.T) {
	t.Parallel()
	s := start(t, func(o *graph.ServerOptions) { o.Heartbeat = time.Hour }) // which would find out that a client has left
	s.place(t)
	gone := func(ctx context.Context) (e *stream) {
		before := s.apart.Load()
		e = s.post(ctx, t, s.own(""), s.token(t, time.Hour), "text/event-stream")
		e.want(t, "next")
		until(t, "the handler returns", func() bool { return s.apart.Load() > before })
		return e
	}
	t.Run("Client", func(t *testing.T) {
		ctx, leave := context.WithCancel(t.Context())
		gone(ctx)
		leave()
		select {
		case how := <-s.ended:
			if !how.Left {
				t.Errorf("ended as %+v", how)
			}
		case <-time.After(patience):
			t.Error("the client has left, and it goes on")
		}
	})
	t.Run("Credential", func(t *testing.T) {
		s.expiring(t, 3*time.Second, func(token string, end time.Time) bool {
			before := s.apart.Load()
			e := s.post(t.Context(), t, s.own(""), token, "text/event-stream")
			if e.StatusCode != http.StatusOK {
				return false
			}
			e.want(t, "next")
			p := e.want(t, "next")
			if code := p.Get("errors.0.extensions.code").String(); code != "UNAUTHENTICATED" {
				t.Errorf("ended with %s", p)
			}
			if now := time.Now(); now.Before(end.Add(-50 * time.Millisecond)) {
				t.Errorf("ended %v before its credential", end.Sub(now))
			}
			e.want(t, "complete")
			e.ended(t)
			return s.apart.Load() > before
		})
	})
	t.Run("Server", func(t *testing.T) {
		twin := *s
		s := twin.beside(t)
		e := s.post(t.Context(), t, s.own(""), s.token(t, time.Hour), "text/event-stream")
		e.want(t, "next")
		until(t, "the handler returns", func() bool { return s.apart.Load() == 1 })
		s.leave()
		if rest, err := io.ReadAll(e.Body); err != nil || strings.Contains(string(rest), "complete") {
			t.Errorf("it looks ended: %q, %v", rest, err)
		}
		if how := <-s.ended; !how.Left {
			t.Errorf("ended as %+v", how)
		}
	})
	e := gone(t.Context())
	s.stop()
	e.cut(t, "UNAVAILABLE")
}

// What breaks one stream ends that one, with an internal error; the others of its worker go on.
func TestStreamByItselfBreaks(t *testing.T) {
	t.Parallel()
	var breaks atomic.Bool
	s := start(t, func(o *graph.ServerOptions) {
		o.Watch.Event = func(string, []string) {
			if breaks.CompareAndSwap(true, false) {
				panic("a test's") // the executor makes an internal error of it, see apart.broken
			}
		}
	})
	s.place(t)
	var both []*stream
	for range 2 {
		e := s.post(t.Context(), t, s.own(""), s.token(t, time.Hour), "text/event-stream")
		e.want(t, "next")
		both = append(both, e)
	}
	until(t, "the handlers return", func() bool { return s.apart.Load() == 2 })
	breaks.Store(true)
	s.place(t)
	broken := 0
	for _, e := range both {
		if p := e.want(t, "next"); p.Get("errors.0.extensions.code").String() == "INTERNAL" {
			broken++
			e.want(t, "complete")
			e.ended(t)
			continue
		}
		s.place(t)
		e.want(t, "next")
	}
	if broken != 1 {
		t.Errorf("%d streams broke, want 1", broken)
	}
}

// Clients that do not read keep nobody waiting, though there are more than workers; and whether they are
// cut or only late, with what they have and what they resume with they have all of it.
func TestStreamsThatAreNotRead(t *testing.T) {
	t.Parallel()
	s := start(t)
	small := *s
	s = small.besideAs(t, func(server *http.Server) {
		server.ConnState = func(c net.Conn, state http.ConnState) {
			if tcp, ok := c.(*net.TCPConn); ok && state == http.StateNew {
				_ = tcp.SetWriteBuffer(2 << 10)
			}
		}
	})
	s.place(t)
	token := s.token(t, time.Hour)
	raw := func() *bufio.Reader {
		conn, err := net.Dial("tcp", s.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		_ = conn.(*net.TCPConn).SetReadBuffer(2 << 10)
		_ = conn.SetReadDeadline(time.Now().Add(2 * patience))
		body, err := json.Marshal(s.own(""))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Fprintf(conn, "POST /graphql HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nAccept: text/event-stream\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
			token, len(body), body); err != nil {
			t.Fatal(err)
		}
		return bufio.NewReaderSize(conn, 16)
	}
	var late []*bufio.Reader
	for range runtime.GOMAXPROCS(0) + 1 {
		late = append(late, raw())
	}
	quick := s.post(t.Context(), t, s.own(""), token, "text/event-stream")
	quick.want(t, "next")
	until(t, "the handlers return", func() bool { return int(s.apart.Load()) == len(late)+1 })
	const events = 150
	for range events / 2 {
		s.do(t, ordering.Accept, s.place(t))
		quick.want(t, "next")
		quick.want(t, "next")
	}
	want := s.statuses(t)
	var reading sync.WaitGroup
	for _, r := range late {
		reading.Go(func() {
			response, err := http.ReadResponse(r, nil) //nolint:bodyclose // its connection is closed: the body has no end
			if err != nil {
				t.Error(err)
				return
			}
			var got []string
			var cursor string
			read := func(data string) {
				if e := gjson.Get(data, "data.shopOrders"); e.Exists() {
					got, cursor = append(got, e.Get("status").String()), e.Get("cursor").String()
				}
			}
			lines, data := bufio.NewScanner(response.Body), ""
			for len(got) < len(want) && lines.Scan() {
				switch line := lines.Text(); {
				case strings.HasPrefix(line, "data: "):
					data = line[len("data: "):]
				case line == "": // an event is whole with the line behind it
					read(data)
					data = ""
				}
			}
			t.Logf("%d of %d events before it was cut (%v)", len(got), len(want), lines.Err())
			if len(got) < len(want) {
				rest := s.post(t.Context(), t, s.own(cursor), token, "text/event-stream")
				for len(got) < len(want) {
					ev, err := rest.next()
					if err != nil {
						t.Error(err)
						return
					}
					read(ev.data)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	reading.Wait()
}
