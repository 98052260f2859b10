// Package client is a typed Go client of the registered documents, made by genqlient: the tests
// ask the server through it as another program would.
package client

import (
	"context"
	"net/http"

	"github.com/Khan/genqlient/graphql"
	"github.com/coder/websocket"
)

//go:generate go tool genqlient genqlient.yaml

// HTTP is a client over plain HTTP; token is "" for a visitor.
func HTTP(url, token string) graphql.Client {
	return graphql.NewClient(url, doer(token))
}

type doer string

// Do adds the token.
func (token doer) Do(r *http.Request) (*http.Response, error) {
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+string(token))
	}
	return http.DefaultClient.Do(r) //nolint:gosec // to the server that the test started
}

// Socket is a client over graphql-transport-ws.
func Socket(url, token string) graphql.WebSocketClient {
	return graphql.NewClientUsingWebSocket(url, dialer{}, graphql.WithConnectionParams(map[string]any{"authorization": "Bearer " + token}))
}

type dialer struct{}

// DialContext opens the socket.
func (dialer) DialContext(ctx context.Context, url string, header http.Header) (graphql.WSConn, error) {
	ws, _, err := websocket.Dial(ctx, url, &websocket.DialOptions{HTTPHeader: header, Subprotocols: []string{"graphql-transport-ws"}}) //nolint:bodyclose // the connection is the socket's
	if err != nil {
		return nil, err
	}
	return conn{context.WithoutCancel(ctx), ws}, nil
}

type conn struct {
	ctx context.Context
	ws  *websocket.Conn
}

func (c conn) Close() error { return c.ws.CloseNow() }

func (c conn) WriteMessage(kind int, data []byte) error {
	if kind != int(websocket.MessageText) {
		return c.ws.Close(websocket.StatusNormalClosure, "")
	}
	return c.ws.Write(c.ctx, websocket.MessageText, data)
}

func (c conn) ReadMessage() (int, []byte, error) {
	kind, data, err := c.ws.Read(c.ctx)
	return int(kind), data, err
}
