package web_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
	"github.com/google/uuid"
	"github.com/tidwall/gjson"

	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/web"
)

// TestStopInGoodOrder ends a server with a request half sent and a socket open: no new connection
// is taken, the request is answered, and the socket is closed last.
func TestStopInGoodOrder(t *testing.T) {
	t.Parallel()
	s := bare(t, pgtest.New(t))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- s.web.Serve(ctx, listener) }()

	socket, _, err := websocket.Dial(t.Context(), "ws://"+address+"/graphql", &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = socket.CloseNow() }()
	if err := wsjson.Write(t.Context(), socket, map[string]any{"type": "connection_init"}); err != nil {
		t.Fatal(err)
	}
	var ack map[string]any
	if err := wsjson.Read(t.Context(), socket, &ack); err != nil || ack["type"] != "connection_ack" {
		t.Fatal(ack, err)
	}

	slow, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	body := `{"query":"{ communes { name } }"}`
	fmt.Fprintf(slow, "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body[:10])
	time.Sleep(50 * time.Millisecond) // the server has begun to read it

	stop()
	closed := make(chan error, 1)
	go func() { _, _, err := socket.Read(context.Background()); closed <- err }()
	refused := false
	for range 2000 {
		c, err := net.Dial("tcp", address)
		if refused = err != nil; refused {
			break
		}
		c.Close()
		time.Sleep(10 * time.Millisecond)
	}
	if !refused {
		t.Error("new connections are taken")
	}
	if reasons := s.web.Unready(t.Context()); len(reasons) != 1 || !strings.Contains(reasons[0], "stopping") {
		t.Errorf("it says it is ready: %v", reasons)
	}
	select {
	case err := <-ended:
		t.Fatalf("it ended before the request did: %v", err)
	case <-closed:
		t.Fatal("the socket is closed before the request is answered")
	default:
	}
	if _, err := io.WriteString(slow, body[10:]); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(slow), nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, _ := io.ReadAll(response.Body)
	response.Body.Close()
	if response.StatusCode != 200 || !strings.Contains(string(answer), "Lorient") {
		t.Errorf("the request in flight got %d %s", response.StatusCode, answer)
	}
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Error("it does not end")
	}
	select {
	case <-closed:
	case <-time.After(time.Minute):
		t.Error("the socket stays open")
	}
}

// A server that leaves says so, and answers on until its balancer has seen it.
func TestLeavingServerAnswers(t *testing.T) {
	t.Parallel()
	s := bare(t, pgtest.New(t), func(o *web.Options) { o.Leave = time.Hour })
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	go func() { _ = s.web.Serve(ctx, listener) }() // it leaves for longer than the test
	s.URL = "http://" + listener.Addr().String()
	s.look("/readyz").wants(t, 200, `"ready":true`)
	s.ask("{ communes { name } }").wants(t, 200, "Lorient")
	stop()
	for began := time.Now(); s.look("/readyz").StatusCode == 200; time.Sleep(time.Millisecond) {
		if time.Since(began) > time.Minute {
			t.Fatal("it says that it is ready")
		}
	}
	a := s.ask("{ communes { name } }")
	a.wants(t, 200, "Lorient")
	if !a.Close {
		t.Error("the connection is kept")
	}
}

func TestStreamIsNotCompressed(t *testing.T) {
	t.Parallel()
	s := bare(t, pgtest.New(t))
	long := "{ communes { insee name slug postcodes population } }"
	if a := s.ask(long, "Accept-Encoding", "gzip"); a.Header.Get("Content-Encoding") != "gzip" {
		t.Errorf("an answer of %s bytes is not compressed", a.Header.Get("Content-Length"))
	}
	a := s.ask(long, "Accept-Encoding", "gzip", "Accept", "text/event-stream")
	a.wants(t, 200, "event: next", "Lorient")
	if got := a.Header.Get("Content-Encoding"); got != "" {
		t.Errorf("a stream is held back by %s", got)
	}
}

// A stream that goes on by itself is counted while it is open and logged once, when it ends; a server that
// stops ends it, without the word that there are no more events, and waits for it.
func TestStreamUntilTheServerStops(t *testing.T) {
	t.Parallel()
	s := start(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- s.web.Serve(ctx, listener) }()
	body := `{"query":"subscription { shopOrders(shops: [\"` + s.shop.String() + `\"]) { kind at } }"}`
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+listener.Addr().String()+"/graphql", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = http.Header{"Accept": {"text/event-stream"}, "Content-Type": {"application/json"}, "Authorization": {"Bearer " + s.merchant}}
	stream, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	give := time.AfterFunc(time.Minute, func() { _ = stream.Body.Close() })
	defer give.Stop()
	lines := bufio.NewReader(stream.Body)
	for range 2 { // the second, once the handler has returned
		variant := gjson.Get(s.ask(`{ shop(id: "`+s.shop.String()+`") { products(first: 1) { nodes { variants { id } } } } }`).body, "data.shop.products.nodes.0.variants.0.id").String()
		s.ask(`mutation { placeOrders(input: {idempotencyKey: "`+uuid.NewString()+`", contact: {name: "Anna", phone: "+33612345678"},
			orders: [{shop: "`+s.shop.String()+`", mode: PICKUP, lines: [{variant: "`+variant+`", quantity: 1}]}]}) { results { order { id } refusals { message } } } }`).wants(t, 200, `"order_`)
		for line := ""; !strings.Contains(line, `"kind":"PLACED"`); {
			if line, err = lines.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
		}
	}
	const logged = `"operation":"shopOrders"`
	if strings.Contains(s.log.String(), logged) || !strings.Contains(s.scrape(), "\nhalles_streams 1\n") {
		t.Errorf("while it is open: %s", s.log.String())
	}
	stop()
	if rest, err := io.ReadAll(lines); err != nil || strings.Contains(string(rest), "complete") {
		t.Errorf("it ends with %q, %v", rest, err)
	}
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Fatal("the server does not end")
	}
	for began := time.Now(); strings.Count(s.log.String(), logged) != 1 || !strings.Contains(s.scrape(), "\nhalles_streams 0\n"); time.Sleep(time.Millisecond) {
		if time.Since(began) > time.Minute {
			t.Fatalf("once it has ended: %s", s.log.String())
		}
	}
}
