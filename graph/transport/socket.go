// Package transport carries the schema over sockets, event streams and plain HTTP. It closes
// the gaps between gqlgen's transports and the protocols that clients are written for
// (graphql-transport-ws, graphql-sse); what an operation means is none of its business.
package transport

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	gqlgen "github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/coder/websocket"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
)

// The close codes of graphql-transport-ws, and RFC 6455's for a server that stops.
const (
	closeGoingAway    = 1001
	closeBadRequest   = 4400 // a message that the protocol does not have, or not like this
	closeUnauthorized = 4401 // a subscription before the acknowledgement
	closeForbidden    = 4403 // the credential does not hold, or no longer: get a new one and resume
	closeSubprotocol  = 4406 // no common protocol
	closeInitTimeout  = 4408 // no connection_init in time
	closeIDTaken      = 4409 // an operation with this id is running
	closeInitTwice    = 4429 // a second connection_init
)

const (
	subprotocol = "graphql-transport-ws"
	// maxMessage bounds a client's message: as much as a request body may have.
	maxMessage = 128 << 10
	// maxOperations bounds what runs on one socket: a page has a handful.
	maxOperations = 20
	// writeTimeout gives up a socket whose peer does not read: it resumes on another.
	writeTimeout = 5 * time.Second
)

// Socket serves graphql-transport-ws, to the letter. gqlgen runs the operations; the rules of
// the protocol that it does not keep are kept by a connection in between.
type Socket struct {
	Init        gqlgen.WebsocketInitFunc // who asks, from the payload of connection_init; its context's expiry ends the socket
	CheckOrigin func(*http.Request) bool // nil: pages of the same host only
	InitTimeout time.Duration
	Heartbeat   time.Duration // between pings; a peer that has not answered by the second one is gone
}

var _ graphql.Transport = Socket{}

// Supports tells whether the request wants to become a socket. Other upgrades may be offered
// with any request (Java's client offers h2c) and are passed over.
func (s Socket) Supports(r *http.Request) bool {
	return strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}

// Do serves the socket until it closes.
func (s Socket) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	options := websocket.AcceptOptions{Subprotocols: []string{subprotocol}}
	if s.CheckOrigin != nil {
		if !s.CheckOrigin(r) {
			http.Error(w, "this origin may not open a socket", http.StatusForbidden)
			return
		}
		options.InsecureSkipVerify = true // checked above
	}
	ws, err := websocket.Accept(w, r, &options)
	if err != nil {
		return // Accept has answered
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	c := newConn(ws, cancel)
	if ws.Subprotocol() != subprotocol {
		c.close(closeSubprotocol, "Subprotocol not acceptable")
		c.wait()
		return
	}
	defer c.wait()
	defer c.close(closeGoingAway, "Going away")
	ws.SetReadLimit(maxMessage)
	c.timers(s.InitTimeout)
	gqlgen.Websocket{
		Implementation:   c,
		InitFunc:         s.initialised,
		PingPongInterval: s.Heartbeat,
	}.Do(w, r.WithContext(context.WithValue(ctx, connKey{}, c)), presented{exec})
}

// presented shows what is wrong with an operation as every transport does: gqlgen's socket sends
// some of it as it came, without a code.
type presented struct{ graphql.GraphExecutor }

func (e presented) CreateOperationContext(ctx context.Context, params *graphql.RawParams) (*graphql.OperationContext, gqlerror.List) {
	operation, refused := e.GraphExecutor.CreateOperationContext(ctx, params)
	if refused == nil {
		return operation, nil
	}
	shown := e.GraphExecutor.DispatchError(graphql.WithOperationContext(ctx, operation), refused).Errors
	for _, err := range shown {
		if code := err.Extensions["code"]; code != nil {
			err.Extensions["code"] = fmt.Sprint(code) // gqlgen tells an error message's kind by a code of type string
		}
	}
	return operation, shown
}

func (presented) DispatchError(_ context.Context, shown gqlerror.List) *graphql.Response {
	return &graphql.Response{Errors: shown}
}

// initialised asks who it is, and ends the socket with that credential.
func (s Socket) initialised(ctx context.Context, payload gqlgen.InitPayload) (context.Context, *gqlgen.InitPayload, error) {
	var ack *gqlgen.InitPayload
	if s.Init != nil {
		var err error
		if ctx, ack, err = s.Init(ctx, payload); err != nil {
			return ctx, nil, err
		}
	}
	if at, ends := identity.Expiry(ctx); ends {
		connOf(ctx).expire(at)
	}
	return ctx, ack, nil
}

type connKey struct{}

func connOf(ctx context.Context) *conn {
	c, _ := ctx.Value(connKey{}).(*conn)
	return c
}

// EndedWith tells the subscriber of a socket why its subscription ends, in a message of the
// protocol; false when ctx is not a socket's, and the transport must be told otherwise.
func EndedWith(ctx context.Context, errs gqlerror.List) bool {
	if connOf(ctx) == nil {
		return false
	}
	for _, err := range errs {
		gqlgen.AddSubscriptionError(ctx, err) // panics without a socket
	}
	return true
}

// conn stands between gqlgen and the socket. It gives gqlgen only messages that are right, each
// operation under a number of its own, and lets through of gqlgen's what the protocol allows:
// a late answer to an operation that the client has completed finds its number gone.
type conn struct {
	ws     *websocket.Conn
	cancel context.CancelFunc // of all that runs on the socket
	closed atomic.Bool        // nothing is written any more
	done   chan struct{}      // closed when the socket is

	mu          sync.Mutex // of the state and of writing
	initialised bool
	acked       bool
	counter     int
	numbers     map[string]string // client's id → number
	ids         map[string]string // number → client's id
	init, end   *time.Timer       // of connection_init and of the credential
	silence     *time.Timer       // of the peer
}

func newConn(ws *websocket.Conn, cancel context.CancelFunc) *conn {
	return &conn{ws: ws, cancel: cancel, done: make(chan struct{}), numbers: map[string]string{}, ids: map[string]string{}}
}

func (c *conn) timers(initTimeout time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.init = time.AfterFunc(initTimeout, func() { c.close(closeInitTimeout, "Connection initialisation timeout") })
}

// expire closes the socket at an instant. Nothing is sent after it.
func (c *conn) expire(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.end = time.AfterFunc(time.Until(at), func() { c.close(closeForbidden, "Token expired: resume with a new one") })
}

// Accept hands gqlgen the connection; it was accepted before.
func (c *conn) Accept(http.ResponseWriter, *http.Request, gqlgen.WebsocketAcceptOptions) (gqlgen.WebsocketConn, error) {
	return c, nil
}

// Subprotocol is the only one spoken here.
func (*conn) Subprotocol() string { return subprotocol }

// message is any message of the protocol.
type message struct {
	ID      string          `json:"id,omitempty"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

// NextReader gives gqlgen the client's next message that is for it.
func (c *conn) NextReader() (int, io.Reader, error) {
	for {
		kind, data, err := c.ws.Read(context.Background()) // ends with the connection
		if err != nil || c.closed.Load() {
			return 0, nil, gqlgen.ErrWebsocketClosed
		}
		var m message
		if kind != websocket.MessageText || json.Unmarshal(data, &m) != nil {
			c.close(closeBadRequest, "Invalid message received")
			continue
		}
		if c.receive(&m) {
			data, err := json.Marshal(m)
			return int(websocket.MessageText), bytes.NewReader(data), err
		}
	}
}

// receive keeps the protocol's rules for a client's message; it tells whether to pass it on.
func (c *conn) receive(m *message) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch m.Type {
	case "connection_init":
		if !isObject(m.Payload) && !absent(m.Payload) {
			return c.refuse(closeBadRequest, `"connection_init" takes an object`)
		}
		if c.initialised {
			return c.refuse(closeInitTwice, "Too many initialisation requests")
		}
		c.initialised = true
		c.init.Stop()
		return true
	case "ping":
		if !isObject(m.Payload) && !absent(m.Payload) {
			return c.refuse(closeBadRequest, `"ping" takes an object`)
		}
		_ = c.write(message{Type: "pong", Payload: m.Payload}) // allowed at any time, before the acknowledgement too
		return false
	case "pong":
		return c.acked
	case "subscribe":
		switch {
		case !c.acked:
			return c.refuse(closeUnauthorized, "Unauthorized")
		case m.ID == "" || !isOperation(m.Payload):
			return c.refuse(closeBadRequest, `"subscribe" takes an id and a payload with a query`)
		case c.numbers[m.ID] != "":
			return c.refuse(closeIDTaken, "Subscriber for "+shorten(m.ID)+" already exists")
		case len(c.numbers) >= maxOperations:
			c.limited(m.ID)
			return false
		}
		c.counter++
		number := strconv.Itoa(c.counter)
		c.numbers[m.ID], c.ids[number] = number, m.ID
		m.ID = number
		return true
	case "complete":
		if m.ID == "" {
			return c.refuse(closeBadRequest, `"complete" takes an id`)
		}
		number, running := c.numbers[m.ID]
		c.forget(m.ID, number)
		m.ID = number
		return running // else it ended meanwhile: both sides may complete at once
	}
	return c.refuse(closeBadRequest, "Invalid message received")
}

func (c *conn) refuse(code int, reason string) bool {
	c.close(code, reason)
	return false
}

// limited refuses one operation; the others go on.
func (c *conn) limited(id string) {
	payload, err := json.Marshal([]any{map[string]any{
		"message":    fmt.Sprintf("%d opérations sont en cours sur cette connexion ; terminez-en une, ou ouvrez-en une autre.", maxOperations),
		"extensions": map[string]any{"code": fault.Limited},
	}})
	if err != nil {
		panic(err) // plain data
	}
	_ = c.write(message{ID: id, Type: "error", Payload: payload})
}

// WriteJSON sends a message of gqlgen's, where the protocol has it.
func (c *conn) WriteJSON(v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	var m message
	if err := json.Unmarshal(data, &m); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch m.Type {
	case "connection_ack":
		c.acked = true
	case "next", "error", "complete":
		id, running := c.ids[m.ID]
		if !running {
			return nil // completed by the client, or ended by an error: no word more of it
		}
		if m.Type != "next" {
			c.forget(id, m.ID)
		}
		m.ID = id
	}
	return c.write(m)
}

func (c *conn) forget(id, number string) {
	delete(c.numbers, id)
	delete(c.ids, number)
}

func (c *conn) write(m message) error {
	if c.closed.Load() {
		return nil
	}
	data, err := json.Marshal(m)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), writeTimeout)
	defer cancel()
	return c.ws.Write(ctx, websocket.MessageText, data) // a timeout closes the connection
}

// WriteClose closes as gqlgen wishes, with the protocol's codes: gqlgen says 1000 or 1002
// whatever it was, but for those that Init chose.
func (c *conn) WriteClose(code int, reason string) error {
	c.mu.Lock()
	acked := c.acked
	c.mu.Unlock()
	switch {
	case code == gqlgen.WebsocketCloseProtocolError:
		code, reason = closeBadRequest, "Invalid message received"
	case code == gqlgen.WebsocketCloseNormalClosure && acked:
		code, reason = closeGoingAway, "Going away" // the server stops; 1000 would tell clients not to come back
	case code == gqlgen.WebsocketCloseNormalClosure:
		code, reason = closeForbidden, "Forbidden"
	}
	c.close(code, reason)
	return nil
}

// close says why, once, and closes. It does not wait for the peer.
func (c *conn) close(code int, reason string) {
	if c.closed.Swap(true) {
		return
	}
	c.cancel()
	go func() {
		defer close(c.done)
		_ = c.ws.Close(websocket.StatusCode(code), reason)
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, t := range []*time.Timer{c.init, c.end, c.silence} {
			if t != nil {
				t.Stop()
			}
		}
	}()
}

// wait waits for close: at most as long as a peer may take to answer.
func (c *conn) wait() { <-c.done }

// Close is gqlgen's last word; close has been before.
func (c *conn) Close() error {
	c.close(closeGoingAway, "Going away")
	return nil
}

// SetReadDeadline cuts off a peer that does not answer a ping in time; zero lets it live.
func (c *conn) SetReadDeadline(at time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.silence != nil {
		c.silence.Stop()
		c.silence = nil
	}
	if !at.IsZero() && !c.closed.Load() {
		c.silence = time.AfterFunc(time.Until(at), func() { _ = c.ws.CloseNow() })
	}
	return nil
}

func absent(payload json.RawMessage) bool { return len(payload) == 0 || string(payload) == "null" }

func isObject(payload json.RawMessage) bool {
	payload = bytes.TrimLeft(payload, " \t\r\n")
	return len(payload) > 0 && payload[0] == '{'
}

// isOperation tells whether a payload has the members that subscribe takes, in their types.
func isOperation(payload json.RawMessage) bool {
	var p struct {
		Query         *string         `json:"query"`
		OperationName *string         `json:"operationName"`
		Variables     json.RawMessage `json:"variables"`
		Extensions    json.RawMessage `json:"extensions"`
	}
	if json.Unmarshal(payload, &p) != nil {
		return false
	}
	// A persisted document has its hash among the extensions, in the query's place.
	return (p.Query != nil || isObject(p.Extensions)) &&
		(isObject(p.Variables) || absent(p.Variables)) && (isObject(p.Extensions) || absent(p.Extensions))
}

// shorten keeps a close reason within the 123 bytes that a frame has for it.
func shorten(id string) string {
	if len(id) > 60 {
		return id[:60]
	}
	return id
}
