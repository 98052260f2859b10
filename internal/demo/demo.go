// Package demo runs halles on a machine that has nothing but Go: a private Postgres, or a
// database that is given, filled with real communes and fictitious shops, products and
// orders, and tokens to ask as anyone. It is for trying and for developing, never for people.
package demo

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/identity/devissuer"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/pg/cluster"
	"github.com/audelor/halles/migrations"
)

// Options say where the demo lives and what it is filled with.
type Options struct {
	URL         string             // where the server will be, "http://127.0.0.1:8080/"
	Data        string             // folder of the private cluster, the secrets and demo.json
	DatabaseURL string             // an administrator's URL of an empty database or an earlier demo's; empty: a private cluster
	Passwords   map[pg.Role]string // of the roles in a given database; those missing are made up and kept in Data
	Repository  string             // where Postgres is downloaded from when the machine has none; empty: the public place
	Plan        Plan               // its Issuer is set here
	Out         io.Writer          // told what takes long, in sentences
	Progress    func(stage string, done, total int)
	Log         *slog.Logger

	// Starting is given the demo as soon as Database, Secret, RouterToken and the issuer are known, while
	// Postgres starts: time to make the server in. Answers is called when an earlier start's database
	// takes connections: time to make those that the first request waits for. Neither may wait; both
	// may be nil.
	Starting func(d *Demo)
	Answers  func(d *Demo)
}

// Demo is a filled database and what a server of it needs.
type Demo struct {
	Database    pg.Options
	Secret      []byte            // of the deployment; kept in Data, so that guests' links survive a restart
	Issuer      *devissuer.Issuer // of a key that lives as long as the program
	RouterToken string            // of the federation's router
	Filled      Plan              // what the database was filled with, which a later start does not change
	Fresh       bool              // whether that was now
	Kept        bool              // whether roles and schema are as an earlier start left them
	Tokens      map[string]string
	WidgetKeys  map[string]string // by the commune's slug; see OpenWidgets
	Site        string            // where the commune's site is, for demo.json
	People      People
	cluster     *cluster.Cluster // nil with a given database
	admin       *pgx.Conn        // of a private cluster, for OpenWidgets, which closes it
	unchecked   *mark            // of a load whose foreign keys are to be validated; or nil
	made        *ahead           // what Fill will need, begun before there is a database; or nil
	behind      chan struct{}    // closed when what is left to do with the data is done; nil before
	stop        context.CancelFunc
	data        string
}

// Refused is a reason not to start that the person can mend; the sentence says how.
type Refused string

func (r Refused) Error() string { return string(r) }

const (
	// issuer names the accounts of the demo.
	issuer = "https://demo.halles.invalid"
	// audience is what its tokens are for.
	audience = "halles"
)

// tokensValid is how long the demo's tokens last: a working day.
const tokensValid = 12 * time.Hour

// database is the name of the database in the private cluster.
const database = "halles"

// Open brings the demo up: Postgres, roles, migrations and, the first time, data.
func Open(ctx context.Context, o Options) (_ *Demo, err error) {
	o.Plan.Issuer = issuer
	if err := os.MkdirAll(o.Data, 0o755); err != nil { //nolint:gosec // Postgres may run as another user
		return nil, Refused(fmt.Sprintf("%s cannot be made (%v): choose a folder that you may write to with --data.", o.Data, err))
	}
	d := &Demo{data: o.Data, Filled: o.Plan}
	// What goes on behind outlives Open, and ends with Close.
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	d.stop = stop
	defer func() {
		if err != nil {
			err = errors.Join(err, d.Close())
		}
	}()
	if d.Secret, err = d.kept("secret", 32); err != nil {
		return nil, err
	}
	d.keys(o.URL)
	if o.DatabaseURL != "" {
		if d.Database.Passwords, err = d.passwords(o.Passwords); err != nil {
			return nil, err
		}
		d.starting(o, o.DatabaseURL)
	} else if err = d.private(ctx, o); err != nil {
		return nil, err
	}
	if err := d.prepare(ctx, d.Database.URL, o); err != nil {
		return nil, err
	}
	d.behind = make(chan struct{})
	rest := func(ctx context.Context) {
		defer close(d.behind)
		if d.Fresh && d.Filled.small() {
			d.analyse(ctx, o.Log)
		}
		d.check(ctx, o.Log)
		d.settle(ctx, o.Log)
	}
	if d.Filled.small() {
		go rest(background)
	} else { // it takes long, and what is measured next would pay for it
		rest(ctx)
	}
	return d, d.sign()
}

// starting says that the database is at url, or will be.
func (d *Demo) starting(o Options, url string) {
	d.Database.URL = url
	if o.Starting != nil {
		o.Starting(d)
	}
}

// Close stops the private Postgres.
func (d *Demo) Close() error {
	d.stop()
	if d.behind != nil {
		<-d.behind
	}
	if d.cluster == nil {
		return nil
	}
	d.closeAdmin()
	return d.cluster.Stop()
}

// PostgresURL is where an administrator reaches the database, to look into it.
func (d *Demo) PostgresURL() string { return d.Database.URL }

// private starts the private cluster.
func (d *Demo) private(ctx context.Context, o Options) error {
	binaries, err := cluster.FindOrFetch(ctx, cluster.Source{Dir: cluster.DefaultDir(), Repository: o.Repository, Progress: o.Out})
	if err != nil {
		return err
	}
	options := cluster.Options{
		Dir: o.Data, Binaries: binaries, Durable: true, Later: true,
		// A million orders are loaded at once: few checkpoints. Nobody subscribes to tables: one process
		// less that starts when the first request is waiting.
		Params:   []string{"shared_buffers=128MB", "max_wal_size=4GB", "max_connections=100", "max_logical_replication_workers=0"},
		Starting: func(c *cluster.Cluster) { d.starting(o, c.URL("postgres", database)) },
	}
	earlier := cluster.Exists(options)
	if cluster.Torn(options) {
		fmt.Fprintln(o.Out, "The machine stopped before all of the demo was on its disk: starting again from nothing.")
	}
	if !earlier {
		d.made = makeAhead(o.Plan)
	}
	if d.cluster, err = cluster.Start(ctx, options); err != nil {
		return err
	}
	if earlier && o.Answers != nil {
		o.Answers(d)
	}
	return nil
}

// prepare makes roles and schema and fills the database, unless an earlier start did.
func (d *Demo) prepare(ctx context.Context, admin string, o Options) error {
	var conn *pgx.Conn
	var err error
	if d.made == nil { // else the cluster is known to be new
		conn, err = pgx.Connect(ctx, admin)
	}
	if d.cluster != nil && (d.made != nil || pg.Code(err) == "3D000") { // a new cluster has no database of ours
		if err = nameDatabase(ctx, d.cluster.URL("postgres", "template1"), database); err == nil {
			conn, err = pgx.Connect(ctx, admin)
		}
	}
	if err != nil {
		return fmt.Errorf("%w%w", Refused(fmt.Sprintf("The database cannot be reached (%v): check HALLES_DATABASE_URL, or unset it to use a private one.", err)), silent{err})
	}
	if d.cluster != nil {
		d.admin = conn // a connection costs as much as all that is asked on it
	} else {
		defer conn.Close(context.WithoutCancel(ctx))
	}
	found, err := look(ctx, conn)
	if err != nil {
		return err
	}
	if found.state == filling {
		fmt.Fprintln(o.Out, "An earlier start was interrupted while it filled the database: starting again from nothing.")
		if err := empty(ctx, conn); err != nil {
			return err
		}
		found.state = nothing
	}
	if found.state == foreign {
		return Refused("The database of HALLES_DATABASE_URL is not empty, and no demo filled it: name an empty database, or unset the variable to use a private one.")
	}
	if found.state == nothing {
		if err := put(ctx, conn, mark{State: filling}); err != nil {
			return err
		}
	}
	newest, err := migrations.Newest()
	if err != nil {
		return err
	}
	if d.cluster != nil && found.state == filled && found.mark.Migration == newest {
		// Nobody else reaches a private cluster: roles and schema are as this program left them.
		d.Kept = true
		return d.recall(found)
	}
	passwords := map[string]string{}
	for role, p := range d.Database.Passwords {
		passwords[string(role)] = p
	}
	if err := migrations.RolesBy(ctx, conn, passwords); err != nil {
		return err
	}
	migrate, err := d.Database.RoleURL(migrateRole)
	if err != nil {
		return err
	}
	if _, err := migrations.Up(ctx, migrate, o.Log); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if found.state == filled {
		found.mark.Migration = newest
		return errors.Join(d.recall(found), put(ctx, conn, found.mark))
	}
	if d.People, err = fill(ctx, migrate, o.Plan, d.made, o.Progress); err != nil {
		return fmt.Errorf("fill the database: %w", err)
	}
	m := markOf(o.Plan, newest)
	if d.made != nil {
		m.Unchecked, d.unchecked = true, &m
	}
	d.Fresh, d.made = true, nil
	return put(ctx, conn, m)
}

// check validates the foreign keys of what was filled, beside the first requests, which it takes no lock
// from: half a second that nobody need wait for. What is stopped, the next start does. The rows are ours,
// so that one which breaks a key is a bug of the generator's.
func (d *Demo) check(ctx context.Context, log *slog.Logger) {
	if d.unchecked == nil {
		return
	}
	url, err := d.Database.RoleURL(migrateRole)
	if err == nil {
		err = validate(ctx, url)
	}
	if err == nil {
		m := *d.unchecked
		m.Unchecked = false
		err = withConn(ctx, d.Database.URL, func(conn *pgx.Conn) error { return put(ctx, conn, m) })
	}
	if err != nil && ctx.Err() == nil {
		log.ErrorContext(ctx, "the foreign keys of what was filled", "error", err)
	}
}

// analyse tells the planner about a small load, beside the first requests: they find an index
// for all that they ask, statistics or not. A large load is analysed by Fill.
func (d *Demo) analyse(ctx context.Context, log *slog.Logger) {
	err := func() error {
		url, err := d.Database.RoleURL(migrateRole)
		if err != nil {
			return err
		}
		return withConn(ctx, url, func(conn *pgx.Conn) error {
			for _, t := range loaded {
				if _, err := conn.Exec(ctx, "analyze "+t.table); err != nil {
					return err
				}
			}
			return nil
		})
	}()
	if err != nil && ctx.Err() == nil {
		log.WarnContext(ctx, "analyse what was filled", "error", err) // autovacuum will
	}
}

// recall takes up what an earlier start filled the database with.
func (d *Demo) recall(f found) (err error) {
	if f.mark.Unchecked {
		d.unchecked = &f.mark
	}
	d.Filled, err = f.plan()
	d.People = peopleOf(d.Filled)
	return err
}

const migrateRole pg.Role = "halles_migrate"

// keys makes the keys of this run.
func (d *Demo) keys(url string) {
	var people []devissuer.Person
	for _, r := range Roles() {
		people = append(people, devissuer.Person{Subject: string(r.Subject), Name: r.Name, Email: r.Email, Label: r.Label})
	}
	d.Issuer = devissuer.New(strings.TrimSuffix(url, "/")+devissuer.Path, audience, people...)
	d.RouterToken = rand.Text()
}

// sign makes a token for each of the demo's people.
func (d *Demo) sign() error {
	d.Tokens = map[string]string{}
	for who, subject := range d.People.Accounts {
		var err error
		if d.Tokens[who], err = d.Issuer.Sign(string(subject), tokensValid); err != nil {
			return err
		}
	}
	return nil
}

// Trusted is the demo's issuer, as a server checks its tokens: the name of its accounts stays
// when the port changes.
func (d *Demo) Trusted() identity.Issuer {
	return identity.Issuer{URL: d.Issuer.URL, Audience: audience, Algorithms: []string{"EdDSA"}, Name: issuer}
}

// kept is a random secret that outlives the program, in a file that only its user reads.
func (d *Demo) kept(name string, size int) ([]byte, error) {
	path := filepath.Join(d.data, name)
	if text, err := os.ReadFile(path); err == nil {
		secret, err := base64.StdEncoding.DecodeString(string(text))
		if err != nil || len(secret) < size {
			return nil, Refused(fmt.Sprintf("%s is damaged: remove it; links that guests hold stop working.", path))
		}
		return secret, nil
	}
	secret := make([]byte, size)
	_, _ = rand.Read(secret) // never fails
	return secret, os.WriteFile(path, []byte(base64.StdEncoding.EncodeToString(secret)), 0o600)
}

// passwords are those given, and for the other roles ones made up once.
func (d *Demo) passwords(given map[pg.Role]string) (map[pg.Role]string, error) {
	all := map[pg.Role]string{}
	path := filepath.Join(d.data, "passwords.json")
	if text, err := os.ReadFile(path); err == nil {
		if err := json.Unmarshal(text, &all); err != nil {
			return nil, Refused(fmt.Sprintf("%s is damaged: remove it; the roles get new passwords.", path))
		}
	}
	for _, role := range []pg.Role{migrateRole, pg.Public, pg.App, pg.Identity, pg.Stats, pg.Worker, pg.Listen} {
		if all[role] == "" {
			all[role] = rand.Text()
		}
	}
	text, err := json.MarshalIndent(all, "", "  ")
	if err == nil {
		err = os.WriteFile(path, text, 0o600)
	}
	for role, p := range given {
		all[role] = p
	}
	return all, err
}

// File is what DATA/demo.json tells other programs.
type File struct {
	URL      string            `json:"url"`
	GraphQL  string            `json:"graphql"`
	Postgres string            `json:"postgres"`
	Site     string            `json:"site"`   // a commune's site with the widget
	Tokens   map[string]string `json:"tokens"` // customer, merchant, agent, hotline, analyst, admin; router: its own header

	WidgetKeys map[string]string `json:"widgetKeys"` // by the commune's slug: lorient, for pages of this server
}

// WriteFile writes demo.json for a server at url, readable by its user only, and returns its
// path.
func (d *Demo) WriteFile(url string) (string, error) {
	f := File{URL: url, GraphQL: url + "graphql", Postgres: d.PostgresURL(), Site: d.Site, Tokens: map[string]string{"router": d.RouterToken}, WidgetKeys: d.WidgetKeys}
	for who, token := range d.Tokens {
		f.Tokens[who] = token
	}
	text, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return "", err
	}
	path := filepath.Join(d.data, "demo.json")
	// Whole or not at all: a script may read it at any moment.
	if err := os.WriteFile(path+".new", append(text, '\n'), 0o600); err != nil {
		return "", err
	}
	return path, os.Rename(path+".new", path)
}
