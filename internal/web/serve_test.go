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
