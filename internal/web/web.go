// Package web is the front door: it answers HTTP with the schema, a few pages and the signs of
// health, says who is asking, and keeps out what is too big, too slow or from elsewhere. What a
// viewer may see and do is decided by the features behind the schema.
package web

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql/playground"
	"github.com/go-chi/chi/v5"
	"github.com/klauspost/compress/gzhttp"
	"github.com/klauspost/compress/gzip"
	"golang.org/x/sync/errgroup"

	"github.com/audelor/halles/graph"
	"github.com/audelor/halles/graph/answers"
	"github.com/audelor/halles/graph/loader"
	"github.com/audelor/halles/internal/catalog"
	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/directory/register"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/insight"
	"github.com/audelor/halles/internal/intake"
	"github.com/audelor/halles/internal/media"
	"github.com/audelor/halles/internal/notice"
	"github.com/audelor/halles/internal/notice/sink"
	"github.com/audelor/halles/internal/opendata"
	"github.com/audelor/halles/internal/ordering"
	"github.com/audelor/halles/internal/page"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/privacy"
	"github.com/audelor/halles/internal/tenancy"
	"github.com/audelor/halles/internal/versions"
	"github.com/audelor/halles/internal/vitals"
	"github.com/audelor/halles/internal/vitals/spans"
	"github.com/audelor/halles/internal/web/widget"
	"github.com/audelor/halles/migrations"
)

// Options is what a server is made of. DB, Secret and Log must be given.
type Options struct {
	DB          *pg.DB            // opened and closed by the caller
	Secret      []byte            // the deployment's, 32 bytes or more: all its servers share it
	Issuers     *identity.Issuers // nil: nobody can sign in
	URL         string            // how people reach the site, "https://marche.example": https, or http on this machine; needed with Clients; links in messages begin with it
	Clients     []identity.Client // what our pages are at the issuers; none: nobody signs in on pages
	RouterToken string            // what a federation router sends in X-Halles-Router; empty: no router is known
	Origins     []string          // "https://marche.example": pages there may call us from a browser
	ListenURL   string            // the database itself as halles_listen, past any pooler; empty: subscribers hear of other servers' changes up to a second late
	Registered  []graph.Audience  // audiences that may send registered documents only: graph.Widget, what comes with a commune's key; graph.SPA, what pages of Origins send
	RegisterURL string            // of the national register of establishments; empty: SIRETs are not looked up
	Log         *slog.Logger
	Limits      Limits             // how often somebody may ask; none when zero
	Keep        time.Duration      // how long what an account may do is remembered, in requests and again in subscriptions; 25 s when zero
	Leave       time.Duration      // how long a server that stops goes on answering, until balancers have seen that it is not ready
	SMTP        *notice.SMTP       // nil: mails are not sent
	Deadlines   ordering.Deadlines // ordering.DefaultDeadlines when zero
	Spans       *spans.Tracer      // nil: nothing is traced
	Cache       int                // bytes that kept answers to visitors may take; none is kept when zero
	Demo        *Demo              // nil in production

	// Settle is how long jobs and the reading of versions wait once the server answers: their five
	// connections take as long to make as a demonstration's first answers. Zero: not at all.
	Settle time.Duration
}

// Demo is what a demonstration shows beyond a deployment.
type Demo struct {
	Site   string                  // a commune's site with the widget, "http://127.0.0.1:8081/"; may be empty
	Tokens []DemoToken             // for the menu of the home page, in its order; the visitor comes before them
	Beside map[string]http.Handler // what else answers, each below its path: an issuer
	Mails  *sink.Sink              // what was written to people, for /mails; may be nil
}

// DemoToken lets a visitor of the home page ask as somebody.
type DemoToken struct {
	Role  string `json:"role"`  // "merchant"; what Example.Role names
	Label string `json:"label"` // "Commerçante de la Crêperie du Port"
	Token string `json:"token"`
}

// Server answers HTTP.
type Server struct {
	log        *slog.Logger
	db         *pg.DB
	newest     int64 // the last migration that this program knows
	identity   *identity.Resolver
	router     [sha256.Size]byte // of the router's token; zero: none
	keys       *identity.WidgetKeys
	origins    []string
	registered []graph.Audience
	demo       *Demo
	pages      *pages // nil: nobody signs in on pages
	style      string // address of the pages' style sheet
	limits     *limiters
	communes   *tenancy.Register
	directory  *directory.Directory
	catalog    *catalog.Catalog

	registrations *directory.Registrations

	ordering   *ordering.Ordering
	feed       *ordering.Feed
	guests     *identity.Guests
	shopLinks  *identity.ShopLinks
	secure     bool // people reach us by https: cookies say so
	notices    *notice.Notices
	intake     *intake.Intake
	media      *media.Media
	openData   *opendata.Data
	insight    *insight.Insight
	privacy    *privacy.Privacy
	home       *pg.Snapshot[*homeFacts]
	versions   *versions.Versions
	answers    *answers.Cache // nil: none is kept
	handler    http.Handler
	background []func(context.Context) error

	leave    time.Duration
	leaving  atomic.Bool  // /readyz says no
	inFlight atomic.Int64 // requests that are being answered, without streams and sockets
	public   *gate        // what visitors read
	vitals   *vitals.Vitals
	spans    *spans.Tracer   // nil: nothing is traced
	stopping context.Context // ends streams and sockets
	stop     context.CancelFunc
	streams  sync.WaitGroup // sockets: http.Server does not know them any more
}

// New builds the features, the schema over them and the routes. It opens nothing.
func New(ctx context.Context, o Options) (*Server, error) {
	if len(o.Secret) < 32 {
		return nil, fmt.Errorf("the secret has %d bytes; it needs 32 or more", len(o.Secret))
	}
	if !identity.Checked {
		return nil, errors.New("this program was built for a test, without its own checks (tag nochecks): build it without the tag")
	}
	newest, err := migrations.Newest()
	if err != nil {
		return nil, err
	}
	s := &Server{log: o.Log, db: o.DB, newest: newest, origins: o.Origins, registered: o.Registered, demo: o.Demo, limits: newLimiters(o.Limits)}
	s.vitals, s.leave, s.spans = vitals.New(), o.Leave, o.Spans
	s.public = newGate("public", publicForEach*runtime.GOMAXPROCS(0), s.vitals.Shed)
	s.stopping, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	if o.RouterToken != "" {
		s.router = sha256.Sum256([]byte(o.RouterToken))
	}
	cursors := page.NewSealer(o.Secret)
	s.communes = tenancy.NewRegister(o.DB)
	guests := identity.NewGuests(o.DB, s.communes, o.Secret)
	s.keys = identity.NewWidgetKeys(o.DB, s.communes)
	s.identity = &identity.Resolver{DB: o.DB, Communes: s.communes, Issuers: o.Issuers, Guests: guests, Keep: o.Keep}
	if len(o.Clients) > 0 {
		s.identity.Sessions = identity.NewSessions(o.DB, o.Secret)
		if s.pages, err = newPages(&o, s.identity); err != nil {
			return nil, err
		}
	}
	s.directory = &directory.Directory{DB: o.DB, Communes: s.communes, Cursors: cursors}
	s.catalog = catalog.New(o.DB, s.communes, cursors)
	s.catalog.Log = o.Log
	s.ordering = ordering.New(o.DB, cursors, guests)
	if o.Deadlines != (ordering.Deadlines{}) {
		s.ordering.Deadlines = o.Deadlines
	}
	s.openData = &opendata.Data{DB: o.DB, Communes: s.communes, Directory: s.directory}
	s.media = media.New(o.DB, s.communes)
	s.intake = intake.New(o.DB, s.communes, cursors)
	s.intake.Steps[intake.Products] = s.catalog.ImportSteps
	s.intake.Steps[intake.Shops] = s.directory.ImportSteps
	s.background = append(s.background, func(ctx context.Context) error { return s.intake.Work(ctx, o.Log) })
	feed := ordering.NewFeed(o.DB, o.ListenURL, cursors, o.Log)
	feed.Again, feed.Recheck = s.identity.Again, o.Keep
	s.feed, s.guests, s.shopLinks, s.secure = feed, guests, identity.NewShopLinks(s.communes, o.Secret), strings.HasPrefix(o.URL, "https:")
	s.ordering.Wake = feed.Wake
	s.insight = insight.New(o.DB, s.communes)
	s.insight.Log = o.Log
	s.privacy = &privacy.Privacy{DB: o.DB, Ordering: s.ordering, Now: time.Now, Forget: s.identity.Forget}
	s.notices = notice.New(o.DB, o.SMTP, o.URL, o.Log)
	members := identity.NewMembers(o.DB, s.communes, o.Secret)
	s.registrations = directory.NewRegistrations(o.DB, s.communes, cursors, members, o.Secret)
	s.privacy.Registrations = s.registrations
	if o.RegisterURL != "" {
		s.registrations.Register = register.New(o.RegisterURL)
	}
	s.versions = versions.New(o.DB, s.communes.Codes, o.Log)
	s.versions.Shared = func() { s.communes.Expire(); s.catalog.Expire() }
	s.background = append(s.background, feed.Run, After(o.Settle, s.jobs().Run))
	s.keepAnswers(o.Cache, o.Settle)
	s.home = pg.NewSnapshot(s.readHome)
	members.Forget = s.identity.Forget
	delegations := identity.NewDelegations(o.DB, o.Secret)
	s.notices.Members, s.notices.Delegations, s.notices.ShopLinks = members, delegations, s.shopLinks
	schema := graph.NewServer(&graph.Resolver{
		Communes: s.communes, Directory: s.directory, Catalog: s.catalog, Ordering: s.ordering, Feed: feed, Guests: guests, Keys: s.keys, Audit: &identity.Audit{DB: o.DB, Cursors: cursors},
		Members: members, Settings: &identity.Settings{DB: o.DB, Communes: s.communes, Now: time.Now}, Delegations: delegations, Wait: loader.Wait, Intake: s.intake, Media: s.media,
		Registrations: s.registrations, Insight: s.insight, Privacy: s.privacy,
	}, graph.ServerOptions{
		Log: o.Log, RequestID: RequestID, IsRouter: isRouter, SocketInit: s.socketInit, Viewer: s.sameViewer, CheckOrigin: s.allowedOrigin,
		Registered: s.registeredOnly, Meter: s.meter(), Watch: s.watch(), Admit: s.admit, Wrote: s.wrote, Answers: s.answers, Own: s.asksForItself, Together: pg.Together, Apart: pg.Apart,
	})
	s.readVitals()
	s.handler, err = s.routes(schema)
	return s, err
}

// Handler is the whole site.
func (s *Server) Handler() http.Handler { return s.handler }

// Operations answers those who run the server, at an address that the public does not reach:
// /metrics, and /healthz and /readyz as the site does.
func (s *Server) Operations() http.Handler {
	r := chi.NewRouter()
	r.Get("/metrics", s.vitals.Handler().ServeHTTP)
	r.Get("/healthz", s.healthz)
	r.Get("/readyz", s.readyz)
	return r
}

// Run runs what works beside the requests, until ctx ends.
func (s *Server) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, part := range s.background {
		group.Go(func() error { return part(ctx) })
	}
	if err := group.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// After is a part of what a program does beside its requests that begins a while later, and not at all
// where ctx ends before.
func After(wait time.Duration, part func(context.Context) error) func(context.Context) error {
	if wait == 0 {
		return part
	}
	return func(ctx context.Context) error {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
			return part(ctx)
		}
	}
}

func (s *Server) routes(schema http.Handler) (http.Handler, error) {
	// Answers of a stream must leave at once; gzip would hold them back.
	streamsStay := gzhttp.ExceptContentTypes([]string{"text/event-stream", "multipart/mixed", "image/png"})
	compress, err := gzhttp.NewWrapper(streamsStay)
	if err != nil {
		return nil, err
	}
	zipped := func(next http.Handler) http.Handler { return compress(next) }
	// Answers are made for each request: at level 1 for a fifth of the time, a fifth longer.
	quick, err := gzhttp.NewWrapper(streamsStay, gzhttp.CompressionLevel(gzip.BestSpeed), gzhttp.MinSize(1<<10))
	if err != nil {
		return nil, err
	}
	quickly := func(next http.Handler) http.Handler { return quick(next) }
	graphiql, err := newGraphiQL(func(headers map[string]string) http.Handler {
		return playground.Handler("GraphiQL · halles", "/graphql", playground.WithGraphiqlFetcherHeaders(headers))
	})
	if err != nil {
		return nil, err
	}
	assets, err := newAssets()
	if err != nil {
		return nil, err
	}

	releases, err := widget.All()
	if err != nil {
		return nil, err
	}
	s.style = assets.URL("halles.css")

	r := chi.NewRouter()
	r.Use(s.numbered)
	if s.spans != nil {
		r.Use(s.traced)
	}
	r.Use(s.logged, s.counted, s.recovered, guarded, s.located, heads)
	r.NotFound(s.notFound)
	r.MethodNotAllowed(s.methodNotAllowed)
	r.Get("/healthz", s.healthz)
	r.Get("/readyz", s.readyz)
	r.Group(func(r chi.Router) {
		r.Use(s.leafing, zipped)
		r.With(s.recognized).Get("/", s.homePage(assets))
		r.With(s.recognized).Get("/graphiql", s.graphiQLPage(graphiql))
		r.Get("/schema.graphql", s.schemaFile())
		r.Get("/documents.json", s.documentsFile)
		r.Get("/assets/{version}/{file}", assets.ServeHTTP)
		s.docs(r, assets)
	})
	if s.pages != nil {
		r.Group(func(r chi.Router) {
			r.Use(s.leafing)
			s.sessionRoutes(r)
		})
	}
	s.counterRoutes(r, assets)
	s.guestRoutes(r, assets)
	if s.demo != nil {
		r.Get("/metrics", s.vitals.Handler().ServeHTTP) // elsewhere at an address of its own, see Vitals
		for path, h := range s.demo.Beside {
			r.With(s.leafing).Mount(path, h)
		}
		if s.demo.Mails != nil {
			r.Get("/mails", s.mails(assets))
			r.Get("/mails/{number}", s.mails(assets))
			r.Get("/mails/{number}/html", s.mailBody)
		}
	}
	r.Group(func(r chi.Router) {
		r.Use(s.cors(), s.paying, quickly, s.ending, s.bounded, s.seeing, s.authenticated)
		r.Get("/graphql", schema.ServeHTTP)
		r.Post("/graphql", schema.ServeHTTP)
		r.Options("/graphql", schema.ServeHTTP)
	})
	s.importRoutes(r)
	s.mediaRoutes(r)
	s.openDataRoutes(r, assets, zipped)
	s.privacyRoutes(r, assets, zipped)
	s.dashboardRoutes(r, assets, zipped)
	s.widgetRoutes(r, assets, releases, zipped)
	return r, nil
}

// foreign tells whether a request comes from a page that is neither ours nor a first party's.
func (s *Server) foreign(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" || slices.Contains(s.origins, origin) {
		return false
	}
	u, err := url.Parse(origin)
	return err != nil || !strings.EqualFold(u.Host, r.Host)
}
