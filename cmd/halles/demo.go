package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/audelor/halles/internal/demo"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/identity/devissuer"
	"github.com/audelor/halles/internal/notice"
	"github.com/audelor/halles/internal/notice/sink"
	"github.com/audelor/halles/internal/ordering"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/pg/cluster"
	"github.com/audelor/halles/internal/web"
	"github.com/audelor/halles/internal/web/widget/town"
)

type demoCmd struct {
	rates
	keeping
	Listen      string   `env:"HALLES_LISTEN" default:"127.0.0.1:8080" help:"Address and port to answer on."`
	Site        string   `env:"HALLES_SITE" placeholder:"127.0.0.1:8081" help:"Address and port of a commune's site that shows the widget. By default the port after that of --listen, or a free one."`
	Data        string   `env:"HALLES_DATA" type:"path" help:"Folder of the private Postgres, the secrets and demo.json. By default /var/lib/halles as root, else halles in the user's cache folder."`
	Shops       int      `default:"300" help:"How many shops to make, over all communes."`
	Orders      int      `default:"20000" help:"How many orders to make, over the 24 months before."`
	Seed        uint64   `default:"1" help:"The same seed and day make the same data."`
	Today       string   `placeholder:"2020-10-30" help:"The day on which the data ends, at noon. By default today in Lorient, or yesterday until noon."`
	DatabaseURL string   `name:"database-url" env:"HALLES_DATABASE_URL" placeholder:"postgres://ADMIN@HOST/halles" help:"An administrator's URL of an empty database, or of an earlier demo's, to use in place of a private Postgres. The roles get the passwords of HALLES_DB_PASSWORD_<ROLE>, or ones that are made up."`
	Registered  []string `env:"HALLES_REGISTERED_ONLY" default:"none" help:"As of halles serve; there the default is widget. Here a key may send any document, so that you can write yours."`
	Repository  string   `env:"HALLES_POSTGRES_REPOSITORY" placeholder:"https://HOST/maven2" help:"Maven repository to download Postgres from when the machine has none."`
}

// Help is the long form of the command's help.
func (demoCmd) Help() string {
	return "Real communes, fictitious shops and orders. The first start makes the data; later ones find it as it was left. For trying and developing, not for people: it refuses HALLES_ENV=production."
}

func (c *demoCmd) options(p *process) demo.Options {
	o := demo.Options{
		Data: c.Data, DatabaseURL: c.DatabaseURL, Passwords: rolePasswords(p), Repository: c.Repository, Out: p.stdout, Log: quiet(p.log),
		Plan: demo.Plan{Shops: c.Shops, Orders: c.Orders, Seed: c.Seed},
	}
	if o.Data == "" {
		o.Data = cluster.DefaultDir()
	}
	if p.env["HALLES_ENV"] == "production" {
		p.wrong.addf("HALLES_ENV is production: the demo hands out tokens for everybody. Use `halles serve`.")
	}
	for _, wrong := range o.Plan.Mistakes() {
		p.wrong.addf("--shops or --orders: %s", wrong)
	}
	day, err := demo.Today(time.Now(), c.Today)
	if err != nil {
		p.wrong.addf("--today: %v", err)
	}
	o.Plan.Today = day
	return o
}

// Run brings the demo up and serves it until ctx ends.
func (c *demoCmd) Run(ctx context.Context, p *process) error {
	options, limits := c.options(p), c.limits(p)
	registered := registeredOnly(c.Registered, p)
	if err := p.wrong.orNil(); err != nil {
		return err
	}
	// The port first: it is the likeliest to be taken, and the quickest to try.
	listener, err := listen(c.Listen)
	if err != nil {
		return err
	}
	defer listener.Close()
	options.URL = "http://" + reachable(listener.Addr()) + "/"
	beside, err := listenBeside(c.Site, listener.Addr())
	if err != nil {
		return err
	}
	defer beside.Close()
	bar := &progress{out: p.stdout}
	options.Progress = bar.show
	// Beside the start of Postgres: the server, which asks nothing before it serves, and the connections
	// that the first request would wait for.
	mailbox, err := sink.Start("127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("a mail server for the demo: %w", err)
	}
	defer func() { _ = mailbox.Close() }() // its port; what it kept goes with the program
	shown := &web.Demo{Site: "http://" + reachable(beside.Addr()) + "/", Mails: mailbox}
	made := &beforehand{opened: make(chan struct{})}
	options.Starting = func(d *demo.Demo) {
		made.work.Go(func() {
			made.make(func() (*pg.DB, error) { return pg.Open(ctx, d.Database) }, func(db *pg.DB) (*web.Server, error) {
				return c.server(ctx, p, db, d, shown, web.Options{Registered: registered, Limits: limits, URL: options.URL})
			})
		})
	}
	options.Answers = func(*demo.Demo) {
		made.work.Go(func() { _ = made.warm(ctx) }) // tried again once the database is known to be right
	}
	d, err := demo.Open(ctx, options)
	made.work.Wait()
	if err != nil {
		made.close()
		return err
	}
	defer func() {
		if err := d.Close(); err != nil {
			p.log.ErrorContext(ctx, "stop Postgres", "error", err)
		}
	}()
	defer made.close()
	if made.err != nil {
		return made.err
	}
	shown.Tokens = menuOfTokens(d)
	var ready errgroup.Group
	ready.Go(func() error {
		if !d.Kept { // they may be from before what the roles are set to now
			made.forget()
		}
		return made.warm(ctx)
	})
	ready.Go(func() error {
		return d.OpenWidgets(ctx, append(origins(listener.Addr()), origins(beside.Addr())...)...)
	})
	if err := ready.Wait(); err != nil {
		return err
	}
	d.Site = shown.Site
	site := &http.Server{Handler: town.Site(strings.TrimSuffix(options.URL, "/"), d.WidgetKeys["lorient"]), ReadHeaderTimeout: 5 * time.Second}
	defer func() { _ = site.Close() }()
	go func() { _ = site.Serve(beside) }() // until it is closed: a page beside the program, no part of it
	file, err := d.WriteFile(options.URL)
	if err != nil {
		return err
	}
	c.say(p.stdout, options, d, options.URL, file)
	return serveUntilDone(ctx, made.server, listener, quiet(p.log), p.env)
}

// server makes the demo's server of what the options say already.
func (c *demoCmd) server(ctx context.Context, p *process, db *pg.DB, d *demo.Demo, shown *web.Demo, o web.Options) (*web.Server, error) {
	var err error
	if o.ListenURL, err = d.Database.RoleURL(pg.Listen); err != nil {
		return nil, err
	}
	if o.SMTP, err = notice.ParseSMTP(shown.Mails.URL(), "Les halles du pays de Lorient <ne-pas-repondre@halles.invalid>"); err != nil {
		return nil, err
	}
	shown.Beside = map[string]http.Handler{devissuer.Path: d.Issuer}
	o.DB, o.Secret, o.RouterToken, o.Log, o.Cache, o.Demo = db, d.Secret, d.RouterToken, p.log, int(c.Cache), shown
	o.Settle = time.Second // what waits comes after the first answers
	// The issuer's keys come over our own port, as another's would over theirs; past any proxy.
	o.Issuers = identity.NewIssuers([]identity.Issuer{d.Trusted()}, &http.Client{Transport: &http.Transport{}}, p.log)
	// The data's open orders are of its own day. They come on the hotline's list, and are there to
	// be tried on another day too.
	o.Deadlines = ordering.Deadlines{Remind: 30 * time.Minute, Call: time.Hour, GiveUp: 10 * 365 * 24 * time.Hour}
	o.Clients = []identity.Client{{Issuer: d.Trusted().URL, ID: "halles-pages", Label: "Démonstration"}}
	return web.New(ctx, o)
}

// listenBeside opens the port of the commune's site.
func listenBeside(site string, beside net.Addr) (net.Listener, error) {
	if site != "" {
		return listen(site)
	}
	host, port, err := net.SplitHostPort(beside.String())
	if err != nil {
		return nil, err
	}
	if number, err := strconv.Atoi(port); err == nil {
		if next, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(number+1))); err == nil {
			return next, nil
		}
	}
	return listen(net.JoinHostPort(host, "0"))
}

// origins are those under which a browser on this machine knows pages of the server.
func origins(address net.Addr) []string {
	_, port, _ := net.SplitHostPort(address.String())
	list := []string{"http://" + reachable(address), "http://localhost:" + port, "http://127.0.0.1:" + port}
	slices.Sort(list)
	return slices.Compact(list)
}

// say prints what was made and what to open.
func (c *demoCmd) say(out io.Writer, o demo.Options, d *demo.Demo, url, file string) {
	day := d.Filled.Today.Format(time.DateOnly)
	fmt.Fprintf(out, "halles demo: 25 communes, %d shops, %d orders (seed %d, as of %s)\n", d.Filled.Shops, d.Filled.Orders, d.Filled.Seed, day)
	if asked, is := o.Plan, d.Filled; !d.Fresh && (asked.Shops != is.Shops || asked.Orders != is.Orders || asked.Seed != is.Seed || !asked.Today.Equal(is.Today)) {
		fmt.Fprintf(out, "  The data is an earlier start's and was not changed. For new data, stop, remove %s and start again, or choose another folder with --data.\n", o.Data)
	}
	fmt.Fprintf(out, `
  home page   %[1]s
  town site   %[4]s
  GraphQL     %[1]sgraphql
  GraphiQL    %[1]sgraphiql
  mails       %[1]smails
  sign in     %[1]ssession/start
  tokens      %[2]s
  Postgres    psql '%[3]s'

Ctrl-C stops it.
`, url, file, d.PostgresURL(), d.Site)
}

// menuOfTokens is what the home page offers to ask as.
func menuOfTokens(d *demo.Demo) []web.DemoToken {
	var menu []web.DemoToken
	for _, r := range demo.Roles() {
		menu = append(menu, web.DemoToken{Role: r.Who, Label: r.Label, Token: d.Tokens[r.Who]})
	}
	return menu
}

// quiet keeps the steps of the migrations and the like off the screen: the demo says in its
// own words what there is to know.
func quiet(log *slog.Logger) *slog.Logger { return slog.New(leastWarn{log.Handler()}) }

type leastWarn struct{ slog.Handler }

func (h leastWarn) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && h.Handler.Enabled(ctx, level)
}

// progress draws a bar on a terminal, and nothing elsewhere.
type progress struct {
	out  io.Writer
	mu   sync.Mutex
	last time.Time
}

func (b *progress) show(stage string, done, total int) {
	const width = 30
	b.mu.Lock()
	defer b.mu.Unlock()
	if file, ok := b.out.(*os.File); !ok || total == 0 || !terminal(file) || done < total && time.Since(b.last) < 50*time.Millisecond {
		return
	}
	b.last = time.Now()
	full := done * width / total
	fmt.Fprintf(b.out, "\r%-24s %s%s %3d %%", stage, strings.Repeat("█", full), strings.Repeat("░", width-full), done*100/total)
	if done >= total {
		fmt.Fprint(b.out, "\r\x1b[K")
	}
}

func terminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// refusal is the exit code of a reason that the person can mend, else of a failure.
func refusal(err error) int {
	var refused demo.Refused
	if errors.As(err, &refused) {
		return exitUsage
	}
	return exitFailure
}
