package transport_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"

	"github.com/audelor/halles/graph"
	"github.com/audelor/halles/internal/ordering"
)

// Each way to break the protocol closes the socket with the code that graphql-transport-ws has
// for it.
func TestCloseCodes(t *testing.T) {
	t.Parallel()
	s := start(t, func(o *graph.ServerOptions) { o.InitTimeout = patience })
	s.place(t)
	good := s.token(t, time.Hour)
	id := func(id string) envelope { return envelope{ID: id, Type: "subscribe", Payload: s.watch("")} }
	for name, c := range map[string]struct {
		code websocket.StatusCode
		open func(t *testing.T) *socket
		send []any
	}{
		"NoJSON":              {4400, nil, []any{"{"}},
		"NotAnObject":         {4400, nil, []any{`"hello"`}},
		"UnknownType":         {4400, nil, []any{`{"type":"start","id":"1"}`}},
		"ServersType":         {4400, nil, []any{`{"type":"next","id":"1"}`}},
		"NoType":              {4400, nil, []any{`{}`}},
		"PayloadOfInitIsText": {4400, func(t *testing.T) *socket { return s.dial(t) }, []any{`{"type":"connection_init","payload":"me"}`}},
		"SubscribeWithoutID":  {4400, nil, []any{id("")}},
		"SubscribeWithNumber": {4400, nil, []any{`{"type":"subscribe","id":1,"payload":{"query":"{communes{insee}}"}}`}},
		"SubscribeWithoutDoc": {4400, nil, []any{`{"type":"subscribe","id":"1","payload":{}}`}},
		"VariablesAreText":    {4400, nil, []any{`{"type":"subscribe","id":"1","payload":{"query":"{communes{insee}}","variables":"x"}}`}},
		"CompleteWithoutID":   {4400, nil, []any{`{"type":"complete"}`}},
		"SubscribeBeforeInit": {4401, func(t *testing.T) *socket { return s.dial(t) }, []any{id("1")}},
		"InitTwice":           {4429, nil, []any{`{"type":"connection_init"}`}},
		"SameID":              {4409, nil, []any{id("1"), id("1")}},
		"NoSubprotocol":       {4406, func(t *testing.T) *socket { return s.dial(t, []string{}...) }, nil},
		"LegacySubprotocol":   {4406, func(t *testing.T) *socket { return s.dial(t, "graphql-ws") }, nil},
		"WrongToken":          {4403, func(t *testing.T) *socket { return s.dial(t) }, []any{`{"type":"connection_init","payload":{"authorization":"Bearer x"}}`}},
		"MessageTooBig":       {1009, nil, []any{`{"type":"ping","payload":{"x":"` + strings.Repeat("x", 200<<10) + `"}}`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var conn *socket
			if c.open == nil {
				conn = s.open(t, good)
			} else {
				conn = c.open(t)
			}
			for _, m := range c.send {
				conn.send(m)
			}
			conn.closed(c.code)
		})
	}
	t.Run("NoInit", func(t *testing.T) {
		t.Parallel()
		hasty := s.beside(t, func(o *graph.ServerOptions) { o.InitTimeout = 100 * time.Millisecond })
		hasty.dial(t).closed(4408)
	})
	t.Run("BinaryMessage", func(t *testing.T) {
		t.Parallel()
		conn := s.open(t, good)
		if err := conn.Write(t.Context(), websocket.MessageBinary, []byte(`{"type":"ping"}`)); err != nil {
			t.Fatal(err)
		}
		conn.closed(4400)
	})
	t.Run("AnotherOrigin", func(t *testing.T) {
		t.Parallel()
		_, response, err := websocket.Dial(t.Context(), s.Server.URL, &websocket.DialOptions{
			Subprotocols: []string{"graphql-transport-ws"}, HTTPHeader: http.Header{"Origin": {"https://ailleurs.example"}},
		})
		if err == nil || response == nil || response.StatusCode != http.StatusForbidden {
			t.Errorf("a page of another origin got in: %v, %v", response, err)
		}
	})
}

// A server that stops says so with a code that lets clients come back.
func TestServerStops(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.place(t)
	c := s.open(t, s.token(t, time.Hour))
	c.send(envelope{ID: "1", Type: "subscribe", Payload: s.watch("")})
	c.want("next", "1")
	s.leave()
	if before := c.closed(1001); len(before) > 0 {
		t.Errorf("said before closing: %v", before)
	}
}

// The messages of operations, in the order that the protocol promises and none beside.
func TestMessages(t *testing.T) {
	t.Parallel()
	s := start(t)
	first := s.place(t)
	c := s.dial(t)
	c.fence() // a ping is answered before the acknowledgement
	c.init(s.token(t, time.Hour))

	c.send(`{"type":"subscribe","id":"q","payload":{"query":"{ viewer { kind } }"}}`)
	if kind := c.want("next", "q").Get("data.viewer.kind").String(); kind != "MERCHANT" {
		t.Errorf("viewer is %s", kind)
	}
	c.want("complete", "q")

	c.send(`{"type":"subscribe","id":"e","payload":{"query":"{ nothing }"}}`)
	if errs := c.want("error", "e"); !errs.IsArray() {
		t.Errorf("errors: %s", errs)
	}
	c.fence() // no complete after an error

	// The client's complete is not answered, and the id is free at once.
	for range 3 {
		c.send(envelope{ID: "s", Type: "subscribe", Payload: s.watch("")})
		if id := c.want("next", "s").Get("data.shopOrders.order.id").String(); id != first.String() {
			t.Errorf("order %s, want %s", id, first)
		}
		c.send(`{"type":"complete","id":"s"}`)
	}
	c.fence()
	c.send(envelope{ID: "s", Type: "subscribe", Payload: s.watch("")})
	c.want("next", "s")
	s.do(t, ordering.Accept, first)
	// Each event reads anew: the order stands where the event says.
	if p := c.want("next", "s"); p.Get("data.shopOrders.order.status").String() != "ACCEPTED" {
		t.Errorf("the event shows %s", p)
	}
	c.send(`{"type":"complete","id":"s"}`)
	c.fence() // it was heard
	s.do(t, ordering.MarkReady, first)
	c.send(`{"type":"complete","id":"s"}`) // both sides may complete at once
	c.send(envelope{ID: "l", Type: "subscribe", Payload: s.watch("")})
	c.want("next", "l") // the event that no "s" hears any more
	c.send(`{"type":"complete","id":"l"}`)
	c.fence()

	// What may not be seen ends at once, with its code.
	c.send(`{"type":"subscribe","id":"f","payload":{"query":"subscription { communeActivity(communes: [\"commune_56121\"]) { cursor } }"}}`)
	if p := c.want("next", "f"); p.Get("errors.0.extensions.code").String() != "FORBIDDEN" {
		t.Errorf("forbidden: %s", p)
	}
	c.want("complete", "f")
	c.fence()
}

// One socket carries twenty operations; one more is refused, and the others go on.
func TestOperationsOfASocket(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.place(t)
	c := s.open(t, s.token(t, time.Hour))
	for i := range 20 {
		c.send(envelope{ID: fmt.Sprint(i), Type: "subscribe", Payload: s.watch("")})
		c.want("next", fmt.Sprint(i))
	}
	c.send(envelope{ID: "more", Type: "subscribe", Payload: s.watch("")})
	if p := c.want("error", "more"); p.Get("0.extensions.code").String() != "LIMITED" {
		t.Errorf("the 21st: %s", p)
	}
	c.send(`{"type":"complete","id":"7"}`)
	c.send(envelope{ID: "more", Type: "subscribe", Payload: s.watch("")})
	c.want("next", "more")
	s.place(t)
	got := map[string]bool{}
	for range 20 {
		m, err := c.receive()
		if err != nil {
			t.Fatal(err)
		}
		got[m.Get("id").String()] = true
	}
	if len(got) != 20 || got["7"] {
		t.Errorf("heard of the event: %v", got)
	}
}

// An idle socket is kept open by pings; a peer that does not answer them is gone.
func TestHeartbeat(t *testing.T) {
	t.Parallel()
	s := start(t)
	token := s.token(t, time.Hour)
	lives := func(c *socket) error {
		for range 6 { // two without an answer end it
			if m, err := c.receive(); err != nil || m.Get("type").String() != "ping" {
				return fmt.Errorf("%s, %w", m, err)
			}
			if err := c.Write(t.Context(), websocket.MessageText, []byte(`{"type":"pong"}`)); err != nil {
				return err
			}
		}
		return nil
	}
	// A peer has twice the heartbeat for its answer: longer ones for a machine that is slow.
	for beat := 100 * time.Millisecond; ; beat *= 4 {
		beating := s.beside(t, func(o *graph.ServerOptions) { o.Heartbeat = beat })
		silent := beating.open(t, token)
		if err := lives(beating.open(t, token)); err == nil {
			silent.closed(-1)
			break
		} else if beat > 10*time.Second {
			t.Fatalf("a peer that answers is cut: %v", err)
		}
	}
}

// A stream that ends by the server's will says why, in an error that ends the operation.
func TestFeedEnds(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.place(t)
	token := s.token(t, time.Hour)
	c, e := s.open(t, token), s.post(t.Context(), t, s.watch(""), token, "text/event-stream")
	c.send(envelope{ID: "1", Type: "subscribe", Payload: s.watch("")})
	c.want("next", "1")
	e.want(t, "next")
	s.stop()
	if p := c.want("error", "1"); p.Get("0.extensions.code").String() != "UNAVAILABLE" {
		t.Errorf("socket: %s", p)
	}
	c.fence()
	e.cut(t, "UNAVAILABLE")
}

// When the token expires while events come thick, the socket closes with 4403 and nothing is
// sent after; with a new token the cursor resumes without a loss.
func TestTokenExpiresMidStream(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.place(t)
	s.expiring(t, 3*time.Second, func(token string, end time.Time) bool { return tokenExpires(t, s, token, end) })
}

func tokenExpires(t *testing.T, s *site, token string, end time.Time) (enough bool) {
	t.Helper()
	c, e := s.dial(t), s.get(t.Context(), t, s.watch(""), token)
	c.send(envelope{Type: "connection_init", Payload: map[string]any{"authorization": "Bearer " + token}})
	if m, err := c.receive(); err != nil || m.Get("type").String() != "connection_ack" || e.StatusCode != http.StatusOK {
		return false
	}
	c.send(envelope{ID: "1", Type: "subscribe", Payload: s.watch("")})
	writing, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-writing:
				return
			default:
				s.place(t)
			}
		}
	}()
	before := c.closed(4403)
	closed := time.Now()
	if closed.Before(end.Add(-50 * time.Millisecond)) {
		t.Errorf("closed %v before the token's end", end.Sub(closed))
	}
	t.Logf("closed %v after the token's end, after %d messages", closed.Sub(end), len(before))
	var names []string
	var final event
	for {
		ev, err := e.next()
		if err != nil {
			break
		}
		names, final = append(names, ev.name), event{ev.name, ev.data}
		if strings.Contains(ev.data, "UNAUTHENTICATED") {
			names = append(names, "expired")
		}
	}
	close(writing)
	<-done
	n := len(names)
	if n < 2 || names[n-1] != "complete" || names[n-2] != "expired" || final.data != "" {
		t.Errorf("the stream ended with %v", names[max(0, n-4):])
	}
	return len(before) >= 3 && n >= 4
}

// A subscriber whose connection breaks at any moment and who resumes with its last cursor has
// seen every event once and in order, over sockets and over event streams.
func TestResumeOverTransports(t *testing.T) {
	t.Parallel()
	for name, read := range map[string]func(*testing.T, *site, string, string, int, time.Duration) ([]string, string){
		"Socket": readSocket, "EventStream": readStream,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			s.place(t)
			token := s.token(t, time.Hour)
			got, cursor := read(t, s, token, "", 1, patience)
			writing, done := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(done)
				for {
					order := s.place(t)
					s.do(t, ordering.Accept, order)
					select {
					case <-writing:
						return
					case <-time.After(time.Duration(rand.N(5)) * time.Millisecond):
					}
				}
			}()
			for range longer(10, 100) {
				more, at := read(t, s, token, cursor, 1+rand.N(30), time.Duration(rand.N(200))*time.Millisecond)
				if got = append(got, more...); at != "" {
					cursor = at
				}
			}
			close(writing)
			<-done
			want := s.log(t)
			more, _ := read(t, s, token, cursor, len(want)-len(got), patience)
			if diff := cmp.Diff(want, append(got, more...)); diff != "" {
				t.Error(diff)
			}
			t.Logf("%d events", len(want))
		})
	}
}

func readSocket(t *testing.T, s *site, token, after string, n int, longest time.Duration) (got []string, cursor string) {
	t.Helper()
	if n <= 0 {
		return nil, ""
	}
	c := s.open(t, token)
	defer c.CloseNow() //nolint:errcheck // that is the cut
	ctx, cancel := context.WithTimeout(t.Context(), longest)
	defer cancel()
	c.send(envelope{ID: "1", Type: "subscribe", Payload: s.watch(after)})
	for len(got) < n {
		_, data, err := c.Read(ctx)
		if err != nil {
			return got, cursor
		}
		got, cursor = take(t, string(data), "payload.data.shopOrders", got, cursor)
	}
	return got, cursor
}

func readStream(t *testing.T, s *site, token, after string, n int, longest time.Duration) (got []string, cursor string) {
	t.Helper()
	if n <= 0 {
		return nil, ""
	}
	ctx, cancel := context.WithTimeout(t.Context(), longest)
	defer cancel()
	e := s.post(ctx, t, s.watch(after), token, "text/event-stream")
	if e == nil {
		return nil, ""
	}
	for len(got) < n {
		ev, err := e.next()
		if err != nil {
			return got, cursor
		}
		got, cursor = take(t, ev.data, "data.shopOrders", got, cursor)
	}
	return got, cursor
}
