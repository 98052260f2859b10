package graph

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/audelor/halles/graph/generated"
	"github.com/audelor/halles/internal/fault"
)

// ServerOptions are what the transports need of the outside.
type ServerOptions struct {
	Log         *slog.Logger
	RequestID   func(context.Context) string
	IsRouter    func(context.Context) bool // whether the request came with the router's credential
	SocketInit  transport.WebsocketInitFunc
	CheckOrigin func(*http.Request) bool
}

// parsedDocuments bounds the cache of parsed documents: a storefront has some dozens.
const parsedDocuments = 1000

// tokenLimit bounds a document before it is parsed: validation takes quadratic time in
// repeated fields (20,000 of them kept a core busy for 12 s).
const tokenLimit = 2000

// heartbeat keeps idle sockets open through proxies, most of which cut at 30 or 60 s.
const heartbeat = 12 * time.Second

// NewServer serves the schema.
func NewServer(r *Resolver, o ServerOptions) *handler.Server {
	srv := handler.New(generated.NewExecutableSchema(generated.Config{Resolvers: r, Complexity: generated.ComplexityRoot{}}))
	srv.AddTransport(transport.Options{})
	srv.AddTransport(transport.Websocket{
		Implementation: transport.CoderWebsocketImplementation{},
		InitFunc:       o.SocketInit, InitTimeout: 5 * time.Second, PingPongInterval: heartbeat,
	})
	srv.AddTransport(sse{transport.SSE{KeepAlivePingInterval: heartbeat}})
	srv.AddTransport(transport.GET{})
	srv.AddTransport(transport.POST{})

	srv.SetQueryCache(lru.New[*ast.QueryDocument](parsedDocuments))
	srv.SetParserTokenLimit(tokenLimit)
	srv.SetDisableSuggestion(true)
	srv.Use(extension.Introspection{})
	srv.Use(extension.AutomaticPersistedQuery{Cache: lru.New[string](parsedDocuments)})
	srv.SetErrorPresenter(present(o.Log, o.RequestID))
	srv.SetRecoverFunc(recovered(o.Log))

	// Fresh loaders for each response: each event of a subscription reads anew.
	srv.AroundResponses(func(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
		return next(r.withLoaders(ctx))
	})
	// gqlgen runs no directive on the federation's own fields: the guard is here, where aliases
	// and fragments come by too.
	srv.AroundRootFields(func(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
		name := graphql.GetRootFieldContext(ctx).Field.Name
		if (name == "_entities" || name == "_service") && !o.IsRouter(ctx) {
			graphql.AddError(ctx, fault.Errorf(fault.Forbidden, "%s répond au routeur de la fédération seulement.", name))
			return graphql.Null
		}
		return next(ctx)
	})
	return srv
}

// sse answers those who put text/event-stream first in Accept: gqlgen's takes every request
// that merely lists it, and so breaks the queries of clients that list all they know.
type sse struct{ transport.SSE }

func (t sse) Supports(r *http.Request) bool {
	const want = "text/event-stream"
	accept := r.Header.Get("Accept")
	return len(accept) >= len(want) && accept[:len(want)] == want && t.SSE.Supports(r)
}
