package main

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"

	"github.com/audelor/halles/graph"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/vitals/spans"
	"github.com/audelor/halles/internal/web"
	"github.com/audelor/halles/migrations"
)

type serveCmd struct {
	database
	issuers
	pages
	mails
	deadlines
	rates
	keeping
	Secret      string        `env:"HALLES_SECRET" placeholder:"BASE64" help:"The deployment's secret: 32 random bytes or more in base64, as openssl rand -base64 32 prints them. All servers of a deployment share it; with another one, cursors and guests' links no longer open."`
	Listen      string        `env:"HALLES_LISTEN" default:"127.0.0.1:8080" help:"Address and port to answer on."`
	Operations  string        `name:"operations-listen" env:"HALLES_OPERATIONS_LISTEN" placeholder:"127.0.0.1:9464" help:"Another address for those who run the server: /metrics for Prometheus, /healthz and /readyz. It asks for no credential: let nobody else reach it. Without it there are no metrics."`
	Leave       time.Duration `env:"HALLES_LEAVE" default:"3s" help:"How long a server that is told to stop says that it is not ready and still answers: longer than the balancer takes to see it. A second signal ends it at once."`
	Origins     []string      `env:"HALLES_ORIGINS" placeholder:"https://marche.example" help:"Origins of first-party web sites whose pages may call the API, separated by commas."`
	ListenURL   string        `name:"listen-url" env:"HALLES_LISTEN_URL" placeholder:"postgres://HOST:5432/halles" help:"Where the database itself is, when HALLES_DATABASE_URL is a pooler's: subscriptions are woken over a connection that a pooler would swallow."`
	ReplicaURL  string        `name:"replica-url" env:"HALLES_REPLICA_URL" placeholder:"postgres://REPLICA:5432/halles" help:"A streaming replica of the database: what the public and the dashboards read comes from it while it is less than a second behind."`
	Registered  []string      `env:"HALLES_REGISTERED_ONLY" default:"widget" help:"Audiences that may send the documents registered in the program only, by their hash (see /documents.json): widget (requests with a commune's key), spa (pages of HALLES_ORIGINS), or none. With none, a commune's developers may send documents of their own with its key."`
	RegisterURL string        `name:"register-url" env:"HALLES_REGISTER_URL" default:"https://recherche-entreprises.api.gouv.fr" placeholder:"URL" help:"Where SIRETs of new shops are looked up: the API Recherche d'entreprises. Empty: nowhere; agents then check them by hand."`
	RouterToken string        `env:"HALLES_ROUTER_TOKEN" help:"What the federation's router sends in the header X-Halles-Router. Without it, _service and _entities answer nobody."`
}

// Help is the long form of the command's help.
func (serveCmd) Help() string {
	return "The schema must be up to date: run `halles migrate` first. SIGINT and SIGTERM end it: it says not ready (--leave), takes nothing new, finishes what it is answering, for at most 10 s, and ends subscriptions last."
}

// minRouterToken is the least length of a credential that nobody may guess.
const minRouterToken = 20

// settings reads the configuration; what is wrong with it stands in p.wrong.
func (c *serveCmd) settings(p *process) (options web.Options, databaseOptions pg.Options, trusted []identity.Issuer) {
	options = web.Options{Origins: c.Origins, RouterToken: c.RouterToken, RegisterURL: c.RegisterURL, Log: p.log}
	databaseOptions = c.database.options(p)
	databaseOptions.ReplicaURL, databaseOptions.Log = c.ReplicaURL, p.log
	if u, err := url.Parse(c.ReplicaURL); c.ReplicaURL != "" && (err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql") {
		p.wrong.addf("HALLES_REPLICA_URL is not a URL of Postgres: write it as postgres://REPLICA:5432/halles.")
	}
	var err error
	if options.Secret, err = base64.StdEncoding.DecodeString(c.Secret); err != nil || len(options.Secret) < 32 {
		p.wrong.addf("HALLES_SECRET must be 32 bytes or more in base64; make one with: openssl rand -base64 32.")
	}
	if c.RouterToken != "" && len(c.RouterToken) < minRouterToken {
		p.wrong.addf("HALLES_ROUTER_TOKEN has %d characters; give it %d or more, so that nobody guesses it.", len(c.RouterToken), minRouterToken)
	}
	for _, origin := range c.Origins {
		if u, err := url.Parse(origin); err != nil || u.Host == "" || u.Scheme+"://"+u.Host != origin || u.Scheme != "https" && u.Scheme != "http" {
			p.wrong.addf("HALLES_ORIGINS: %q is not an origin; write a scheme and a host and nothing after, as https://marche.example.", origin)
		}
	}
	options.Registered = registeredOnly(c.Registered, p)
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		p.wrong.addf("--listen: %q is not an address and a port; write 127.0.0.1:8080, or :8080 for all addresses.", c.Listen)
	}
	if _, _, err := net.SplitHostPort(c.Operations); c.Operations != "" && err != nil {
		p.wrong.addf("HALLES_OPERATIONS_LISTEN: %q is not an address and a port; write 127.0.0.1:9464.", c.Operations)
	}
	trusted = c.issuers.list(p)
	options.URL, options.Clients = c.URL, c.pages.list(p, trusted)
	options.SMTP, options.Deadlines = c.server(p), c.of(p)
	options.Limits, options.Cache = c.limits(p), int(c.Cache)
	if options.Leave = c.Leave; c.Leave < 0 {
		p.wrong.addf("HALLES_LEAVE: %s is less than nothing; write a time such as 3s, or 0s.", c.Leave)
	}
	listenOptions := databaseOptions
	listenOptions.URL = cmp.Or(c.ListenURL, databaseOptions.URL)
	if options.ListenURL, err = listenOptions.RoleURL(pg.Listen); err != nil && c.ListenURL != "" {
		p.wrong.addf("HALLES_LISTEN_URL is not a URL of Postgres: write it as postgres://HOST:5432/halles.")
	}
	return options, databaseOptions, trusted
}

// lastSpans is how long the end waits for a collector of traces.
const lastSpans = 3 * time.Second

// Run serves until ctx ends.
func (c *serveCmd) Run(ctx context.Context, p *process) error {
	options, databaseOptions, trusted := c.settings(p)
	told := spans.FromEnv(p.env, p.wrong.addf)
	err := p.wrong.orNil()
	if err != nil {
		return err
	}
	// The heap stays below what the service may have (GOMEMLIMIT, where set, goes before).
	if _, err := memlimit.Set(); err != nil {
		p.log.WarnContext(ctx, "the limit of memory cannot be read", "error", err)
	}
	options.Spans = spans.Start(told, p.log)
	defer func() {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastSpans)
		defer cancel()
		if err := options.Spans.Stop(last); err != nil {
			p.log.WarnContext(ctx, "the last traces are not told", "error", err)
		}
	}()
	databaseOptions.Tracer = options.Spans.SQL()
	if options.DB, err = pg.Open(ctx, databaseOptions); err != nil {
		return err
	}
	defer options.DB.Close()
	newer, err := upToDate(ctx, options.DB)
	if err != nil {
		return err
	}
	if err := keepsApart(ctx, options.DB, newer, p.log); err != nil {
		return err
	}
	if len(trusted) == 0 {
		p.log.WarnContext(ctx, "nobody can sign in: HALLES_ISSUERS is not set")
	} else {
		options.Issuers = identity.NewIssuers(trusted, nil, p.log)
		options.Issuers.Warm(ctx)
	}
	if options.SMTP == nil {
		p.log.WarnContext(ctx, "nobody gets a mail: HALLES_SMTP_URL is not set")
	}
	server, err := web.New(ctx, options)
	if err != nil {
		return err
	}
	listener, err := listen(c.Listen)
	if err != nil {
		return err
	}
	if c.Operations != "" {
		operations, err := listen(c.Operations)
		if err != nil {
			return errors.Join(err, listener.Close())
		}
		stop := serveOperations(server, operations, p.log)
		defer stop()
	}
	return serveUntilDone(ctx, server, listener, p.log, p.env)
}

// registeredOnly reads the audiences of HALLES_REGISTERED_ONLY.
func registeredOnly(names []string, p *process) (audiences []graph.Audience) {
	for _, name := range names {
		switch a := graph.Audience(name); a {
		case graph.Widget, graph.SPA:
			audiences = append(audiences, a)
		case "none":
		default:
			p.wrong.addf("HALLES_REGISTERED_ONLY: %q is not an audience that can be bound to its documents; write widget, spa, both with a comma, or none.", name)
		}
	}
	return audiences
}

// upToDate refuses a database that is older than this program, and tells whether it is newer.
// That is fine: migrations are written so that the running version survives them.
func upToDate(ctx context.Context, db *pg.DB) (newer bool, err error) {
	newest, err := migrations.Newest()
	if err != nil {
		return false, err
	}
	applied, err := migrations.Applied(ctx, db.Pool(pg.Worker))
	if err != nil {
		return false, fmt.Errorf("the database cannot be read: check HALLES_DATABASE_URL and the passwords, and run `halles migrate` if it is new (%w)", err)
	}
	if applied < newest {
		return false, fmt.Errorf("the database is at migration %d and this program needs %d: run `halles migrate`", applied, newest)
	}
	return applied > newest, nil
}

// keepsApart refuses a database in which nothing would hold the communes apart where a query of
// ours forgets to: see migrations.Check. Of a newer database this program does not know all
// the exceptions: there what it finds about tables is a warning, and about roles still a no.
func keepsApart(ctx context.Context, db *pg.DB, newer bool, log *slog.Logger) error {
	found, err := migrations.Check(ctx, db.Pool(pg.App))
	if err != nil {
		return err
	}
	for i := range found {
		found[i].Warning = found[i].Warning || newer
	}
	for _, role := range []pg.Role{pg.Public, pg.App, pg.Identity, pg.Worker} {
		own, err := migrations.CheckSelf(ctx, db.Pool(role))
		if err != nil {
			return err
		}
		found = append(found, own...)
	}
	var refused []string
	for _, f := range found {
		if f.Warning {
			log.WarnContext(ctx, f.String())
		} else {
			refused = append(refused, f.String())
		}
	}
	if len(refused) > 0 {
		return fmt.Errorf("the database does not hold the communes apart:\n  %s", strings.Join(refused, "\n  "))
	}
	return nil
}

// serveOperations answers those who run the server, until the function returned is called: after
// the last request has ended, so that they see the server stop.
func serveOperations(server *web.Server, listener net.Listener, log *slog.Logger) (stop func()) {
	operations := &http.Server{Handler: server.Operations(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := operations.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Error("operations are not answered any more", "error", err)
		}
	}()
	return func() { _ = operations.Close(); <-ended }
}

// serveUntilDone answers on the listener until ctx ends, and then ends in good order.
func serveUntilDone(ctx context.Context, server *web.Server, listener net.Listener, log *slog.Logger, env map[string]string) error {
	spare, enough := context.WithCancel(ctx)
	defer enough()
	go spareCollections(spare, env)
	log.InfoContext(ctx, "serving", "url", "http://"+reachable(listener.Addr()))
	err := server.Serve(ctx, listener)
	if err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	log.InfoContext(context.WithoutCancel(ctx), "stopped")
	return nil
}

// reachable is an address that a browser on this machine can open.
func reachable(address net.Addr) string {
	for _, every := range []string{"[::]", "0.0.0.0"} {
		if port, ok := strings.CutPrefix(address.String(), every); ok {
			return "localhost" + port
		}
	}
	return address.String()
}
