package graph

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	gqlgen "github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator/core"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/audelor/halles/graph/answers"
	"github.com/audelor/halles/graph/direct"
	"github.com/audelor/halles/graph/generated"
	"github.com/audelor/halles/graph/limits"
	"github.com/audelor/halles/graph/transport"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
)

// ServerOptions are what the transports need of the outside.
type ServerOptions struct {
	Log         *slog.Logger
	RequestID   func(context.Context) string
	IsRouter    func(context.Context) bool // whether the request came with the router's credential
	SocketInit  gqlgen.WebsocketInitFunc
	Viewer      func(context.Context) (context.Context, error) // renews the viewer before each operation, of which a socket has many; nil: as it came
	CheckOrigin func(*http.Request) bool
	Registered  func(context.Context) Audience                  // whose registered documents are all that a request may send; nil, or "" for a request: it may send any document
	Meter       Meter                                           // how often somebody may ask; the zero Meter counts nothing
	Watch       Watch                                           // is told of what is asked
	Admit       func(context.Context) (leave func(), err error) // lets a query begin, and is told of its end; nil: at once
	Wrote       func(context.Context)                           // a mutation of a request was done; nil: nobody asks
	Answers     *answers.Cache                                  // keeps answers to what anybody may ask; nil: none is kept
	Own         func(*http.Request) bool                        // whether a request wants an answer of its own for what it carries: a session, what it has seen; nil: none does
	Heartbeat   time.Duration                                   // between signs of life on sockets and streams; 12 s when zero
	InitTimeout time.Duration                                   // how long a socket may be silent at first; 5 s when zero
	Indirect    bool                                            // gqlgen answers all queries by itself, none by graph/direct: for comparisons
	Together    func(context.Context, []func(context.Context))  // does the look-ups of several loaders, in one round trip; nil: one after the other
	Apart       func(context.Context) bool                      // whether a visitor's look-up must not be done with what other visitors ask at the same time; nil: none may
	Directly    func(*direct.Schema)                            // is given what stands in front of gqlgen; nil: nobody asks
}

// parsedDocuments bounds the cache of parsed documents: a storefront has some dozens.
const parsedDocuments = 1000

// cachedBytes is the longest document that a cache keeps: comments would make them as long as
// a request may be, and a thousand of them 128 MB.
const cachedBytes = 16 << 10

const (
	// heartbeat keeps idle sockets and streams open through proxies, most of which cut at 30 or 60 s.
	heartbeat = 12 * time.Second
	// initTimeout is what graphql-ws's own server gives a client, and more than a slow phone needs.
	initTimeout = 5 * time.Second
)

// NewServer serves the schema.
func NewServer(r *Resolver, o ServerOptions) *handler.Server {
	srv := handler.New(r.schema(o))
	beat := cmp.Or(o.Heartbeat, heartbeat)
	srv.AddTransport(transport.Socket{
		Init: o.SocketInit, CheckOrigin: o.CheckOrigin,
		InitTimeout: cmp.Or(o.InitTimeout, initTimeout), Heartbeat: beat,
	})
	srv.AddTransport(transport.Events{Heartbeat: beat})
	srv.AddTransport(transport.HTTP{Heartbeat: beat, Cacheable: cacheable, Kept: o.kept(), Spent: direct.Spent}) // takes what is left

	good := known{lru.New[*ast.QueryDocument](parsedDocuments)}
	srv.SetQueryCache(good)
	srv.SetParserTokenLimit(limits.Tokens)
	srv.SetDisableSuggestion(true)
	srv.SetValidationRulesFn(validation)
	srv.Use(watched{o.Watch}) // around all that follows
	srv.Use(extension.Introspection{})
	srv.Use(registered{o.Registered})
	srv.Use(extension.AutomaticPersistedQuery{Cache: persisted{lru.New[string](parsedDocuments)}})
	srv.Use(&limits.Extension{Known: good}) // after the persisted documents have their text
	srv.Use(&widgetGate{})
	srv.Use(metered{o.Meter}) // last: what is refused for good has no price
	presenter := present(o.Log, o.RequestID)
	srv.SetErrorPresenter(presenter)
	srv.SetRecoverFunc(recovered(o.Log))

	if o.Viewer != nil {
		srv.AroundOperations(func(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
			asking, err := o.Viewer(ctx)
			if err != nil {
				return graphql.OneShot(&graphql.Response{Errors: gqlerror.List{presenter(ctx, err)}})
			}
			return next(asking)
		})
	}
	srv.AroundOperations(withEnding)
	if o.Admit != nil {
		srv.AroundResponses(func(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
			if operation := graphql.GetOperationContext(ctx).Operation; operation == nil || operation.Operation != ast.Query {
				return next(ctx)
			}
			leave, err := o.Admit(ctx)
			if err != nil {
				return &graphql.Response{Errors: gqlerror.List{presenter(ctx, err)}}
			}
			defer leave()
			return next(ctx)
		})
	}
	joint := newJoints(o.Apart)
	// Fresh loaders for each response: each event of a subscription reads anew.
	srv.AroundResponses(func(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
		if response := next(r.withLoaders(ctx, joint)); response != nil {
			if operation := graphql.GetOperationContext(ctx).Operation; o.Wrote != nil && operation != nil && operation.Operation == ast.Mutation {
				o.Wrote(ctx)
			}
			return withFewErrors(response)
		}
		return ended(ctx)
	})
	// gqlgen runs no directive on the federation's own fields: the guard is here, where aliases
	// and fragments come by too.
	srv.AroundRootFields(func(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
		name := graphql.GetRootFieldContext(ctx).Field.Name
		if (name == "_entities" || name == "_service") && !o.IsRouter(ctx) {
			graphql.AddError(ctx, fault.Errorf(fault.Forbidden, "%s répond au routeur de la fédération seulement.", name))
			return graphql.Null
		}
		if graphql.GetOperationContext(ctx).Operation.Operation == ast.Mutation {
			ctx = identity.With(ctx, identity.From(ctx).Doing(name)) // what the log tells of a delegated one
		}
		return next(ctx)
	})
	return srv
}

// schema is gqlgen's, with graph/direct in front of it.
func (r *Resolver) schema(o ServerOptions) graphql.ExecutableSchema {
	es := graphql.ExecutableSchema(&shared{ExecutableSchema: generated.NewExecutableSchema(generated.Config{Resolvers: r})})
	if o.Indirect {
		return es
	}
	over, err := direct.Over(es, r.catalogue())
	if err != nil {
		panic(err) // a test holds the table against the schema
	}
	over.Broken = func(ctx context.Context, err error) { o.Log.WarnContext(ctx, "not answered directly", "error", err) }
	if o.Together != nil {
		over.Together = o.Together
	}
	over.Joined = joined
	if o.Directly != nil {
		o.Directly(over)
	}
	return over
}

// validation is GraphQL's rules without "Did you mean": what is withheld from somebody must not
// be guessed from a name that is nearly right. gqlgen's own switch covers two of the five rules
// that suggest.
func validation() *rules.Rules {
	all := rules.NewDefaultRules()
	for suggesting, silent := range map[string]core.Rule{
		rules.KnownArgumentNamesRule.Name:  rules.KnownArgumentNamesRuleWithoutSuggestions,
		rules.KnownTypeNamesRule.Name:      rules.KnownTypeNamesRuleWithoutSuggestions,
		rules.ValuesOfCorrectTypeRule.Name: rules.ValuesOfCorrectTypeRuleWithoutSuggestions,
	} {
		all.RemoveRule(suggesting)
		all.AddRule(silent.Name, silent.RuleFunc)
	}
	return all
}

// known keeps the parsed documents that were found good by their text.
type known struct {
	graphql.Cache[*ast.QueryDocument]
}

// Add keeps a document of a usual length.
func (c known) Add(ctx context.Context, text string, document *ast.QueryDocument) {
	if len(text) <= cachedBytes {
		c.Cache.Add(ctx, text, document)
	}
}

// persisted keeps the texts of documents by their hash.
type persisted struct{ graphql.Cache[string] }

// Add keeps a document of a usual length; a client sends a longer one again.
func (c persisted) Add(ctx context.Context, hash, text string) {
	if len(text) <= cachedBytes {
		c.Cache.Add(ctx, hash, text)
	}
}
