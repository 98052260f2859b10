package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"regexp"
	"runtime/debug"
	"strings"
	"time"

	"github.com/audelor/halles/graph/transport"
	"github.com/audelor/halles/internal/fault"
)

// request is what we know of a request on its way. All of it is one value in the context: for each that is
// added net/http copies the request, 300 bytes, and whoever asks for one looks through all above it.
type request struct {
	number string
	answer answering
	from   whence
}

type requestKey struct{}

// requestOf is the request in ctx, or an empty one of its own.
func requestOf(ctx context.Context) *request {
	if r, ok := ctx.Value(requestKey{}).(*request); ok {
		return r
	}
	return &request{}
}

// RequestID is the number of the request in ctx, or "": what an internal error tells the
// client, and where to look in the log.
func RequestID(ctx context.Context) string { return requestOf(ctx).number }

// numbered gives each request a number of ours, 16 letters that can be read out on the
// telephone. One from outside is not taken: it would go to the log unchecked.
func (s *Server) numbered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		one := &request{number: newNumber()}
		w.Header().Set("X-Request-Id", one.number)
		ctx := context.WithValue(r.Context(), requestKey{}, one)
		if streams(r) {
			ctx = transport.WithCourse(ctx, s.stopping)
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// newNumber is 16 of 32 letters and digits, 80 bits. It tells requests apart and is no secret.
func newNumber() string {
	const letters = "abcdefghijklmnopqrstuvwxyz234567"
	var b [16]byte
	drawn := rand.Uint64() //nolint:gosec // no secret, and crypto/rand takes a microsecond
	for i := range b {
		if i == 12 { // 60 bits are used
			drawn = rand.Uint64() //nolint:gosec // likewise
		}
		b[i] = letters[drawn%32]
		drawn /= 32
	}
	return string(b[:])
}

// withoutAddresses shortens the addresses of clients in what net/http itself logs, as "TLS handshake
// error from 192.0.2.7:5021".
type withoutAddresses struct{ slog.Handler }

func (h withoutAddresses) Handle(ctx context.Context, line slog.Record) error {
	line.Message = addressPort.ReplaceAllStringFunc(line.Message, func(found string) string {
		at, err := netip.ParseAddrPort(found)
		if err != nil {
			return "…"
		}
		return network(plain(at.Addr()), networkIPv4, networkIPv6).String()
	})
	return h.Handler.Handle(ctx, line)
}

var addressPort = regexp.MustCompile(`\[[0-9a-fA-F:.%]+\]:\d+|\b\d{1,3}(?:\.\d{1,3}){3}:\d+`)

// recovered answers a panic outside the schema, and lets the process live.
func (s *Server) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			switch panicked := recover(); panicked {
			case nil:
			case http.ErrAbortHandler:
				panic(panicked)
			default:
				s.fail(w, r, fmt.Errorf("panic: %v\n%s", panicked, debug.Stack()))
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// guarded sets the headers of every answer; pages widen the policy to what they load.
func guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/graphql" {
			maps.Copy(w.Header(), dataGuards)
		} else {
			maps.Copy(w.Header(), guards)
		}
		next.ServeHTTP(w, r)
	})
}

// guards are shared by all answers: nobody changes a value in its place.
var guards = http.Header{
	"X-Content-Type-Options":     {"nosniff"},
	"Referrer-Policy":            {"no-referrer"},
	"Cross-Origin-Opener-Policy": {"same-origin"},
	"Content-Security-Policy":    {"default-src 'none'; frame-ancestors 'none'"},
}

// dataGuards are those of data, which neither follows a link nor opens a window.
var dataGuards = http.Header{
	"X-Content-Type-Options":  guards["X-Content-Type-Options"],
	"Content-Security-Policy": guards["Content-Security-Policy"],
}

// maxBody bounds a request's body, in bytes: a basket of a hundred lines has a tenth of it.
const maxBody = 128 << 10

// bodyTime is how long a client may take over its body: ReadHeaderTimeout ends before it, and
// a ReadTimeout of the server would end streams.
const bodyTime = 10 * time.Second

// bounded reads the body, so that one that is too big or too slow (see counted) is refused with its
// own status before anything is parsed.
func (s *Server) bounded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			next.ServeHTTP(w, r)
			return
		}
		body, err := bodyOf(http.MaxBytesReader(w, r.Body, maxBody), r.ContentLength)
		if err == nil {
			// Else it stays: net/http reads what is left of a body before it lets the connection go, and
			// would wait for a client that sends a byte a second as long as that likes.
			_ = http.NewResponseController(w).SetReadDeadline(time.Time{}) // not every test's writer has one
		}
		var tooBig *http.MaxBytesError
		switch {
		case errors.As(err, &tooBig):
			s.refuse(w, r, http.StatusRequestEntityTooLarge, fault.Errorf(fault.Limited,
				"La requête dépasse %d Kio. Demandez moins à la fois, ou en plusieurs requêtes.", maxBody>>10))
		case err != nil:
			s.refuse(w, r, http.StatusBadRequest, fault.Errorf(fault.Invalid, "Le corps de la requête n'est pas arrivé en entier. Réessayez."))
		default:
			r.Body = transport.NewBody(body)
			next.ServeHTTP(w, r)
		}
	})
}

// bodyOf reads a body, in one piece where its length was told.
func bodyOf(r io.Reader, length int64) ([]byte, error) {
	if length < 0 || length > maxBody {
		return io.ReadAll(r)
	}
	b := bytes.NewBuffer(make([]byte, 0, length+bytes.MinRead)) // room for the read that finds the end
	_, err := b.ReadFrom(r)
	return b.Bytes(), err
}

// streams tells whether the client reads an answer that goes on.
func streams(r *http.Request) bool {
	accept := r.Header.Get("Accept")
	return strings.Contains(accept, "text/event-stream") || strings.Contains(accept, "multipart/mixed")
}

// ending ends streams and sockets when the server stops: they would outlast any patience.
func (s *Server) ending(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") == "" && !streams(r) {
			next.ServeHTTP(w, r)
			return
		}
		s.streams.Add(1)
		defer transport.AtEnd(r.Context(), func(transport.Ended) { s.streams.Done() })
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		defer context.AfterFunc(s.stopping, cancel)()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}
