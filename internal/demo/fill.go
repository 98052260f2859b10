package demo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"
)

// connections is how many load at once. Making rows and taking them in share the machine, so
// a few more than two cores have work for keep both busy.
const connections = 4

// Fill makes the plan's rows in a migrated database that has none, and returns the accounts.
// migrateURL logs in as halles_migrate. Keys and indexes are taken away before and given back
// after: when it fails half-way, nobody may use the database.
//
// progress may be nil; it is called from several goroutines.
func Fill(ctx context.Context, migrateURL string, plan Plan, progress func(stage string, done, total int)) (People, error) {
	return fill(ctx, migrateURL, plan, nil, progress)
}

// fill is Fill with rows of the plan that were made ahead, or nil. Those keep the keys to all that is
// written later, and are themselves still to be checked: see Demo.check.
func fill(ctx context.Context, migrateURL string, plan Plan, made *ahead, progress func(stage string, done, total int)) (_ People, err error) {
	if wrong := plan.Mistakes(); len(wrong) > 0 || plan.Issuer == "" || plan.Today.IsZero() {
		return People{}, fmt.Errorf("a plan needs an issuer and a day; %s", strings.Join(wrong, " "))
	}
	if progress == nil {
		progress = func(string, int, int) {}
	}
	config, err := pgxpool.ParseConfig(migrateURL)
	if err != nil {
		return People{}, fmt.Errorf("the migration URL: %w", err)
	}
	config.MaxConns = connections
	config.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		// A load that a crash cuts short starts again from nothing: it need not wait for the disk.
		// Locks are waited for: the only others are our own.
		// The connections are as many as there is work for: helpers of theirs, and code compiled for
		// one statement, cost more than they bring.
		_, err := conn.Exec(ctx, `set synchronous_commit = off; set maintenance_work_mem = '192MB'; set lock_timeout = 0; set statement_timeout = 0;
			set jit = off; set max_parallel_workers_per_gather = 0; set max_parallel_maintenance_workers = 0; set client_min_messages = warning`)
		return err
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return People{}, err
	}
	defer pool.Close()
	l := loader{pool: pool, plan: plan, made: made, progress: progress}
	if err := l.load(ctx); err != nil {
		return People{}, err
	}
	return peopleOf(plan), nil
}

// loader fills one database.
type loader struct {
	pool     *pgxpool.Pool
	plan     Plan
	made     *ahead // nil: rows are made as they are loaded, by commune
	progress func(stage string, done, total int)
	straight bool // COPY into the tables themselves
	world    *world
}

// job is work on one connection.
type job func(ctx context.Context, conn *pgx.Conn) error

// run does jobs on as many connections as the pool has, in the order given.
func run(ctx context.Context, pool *pgxpool.Pool, jobs []job) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(connections)
	for _, j := range jobs {
		g.Go(func() error {
			conn, err := pool.Acquire(ctx)
			if err != nil {
				return err
			}
			defer conn.Release()
			return j(ctx, conn.Conn())
		})
	}
	return g.Wait()
}

// execute is the job of running statements.
func execute(sql string, done func()) job {
	return func(ctx context.Context, conn *pgx.Conn) error {
		defer done()
		if _, err := conn.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
		return nil
	}
}

func (l *loader) load(ctx context.Context) error {
	if err := l.look(ctx); err != nil {
		return err
	}
	tables := make([]string, len(loaded))
	for i, t := range loaded {
		tables[i] = t.table
	}
	var k *keys
	if err := run(ctx, l.pool, []job{func(ctx context.Context, conn *pgx.Conn) (err error) {
		k, err = takeKeys(ctx, conn, tables, l.made.few()...)
		return err
	}}); err != nil {
		return fmt.Errorf("take the keys away: %w", err)
	}
	if l.made != nil {
		return l.loadAtOnce(ctx, k)
	}
	if err := l.loadShops(ctx); err != nil {
		return err
	}
	if err := l.loadOrders(ctx); err != nil {
		return err
	}
	done := l.counter("indexes", len(k.indexes)+len(tables)+2)
	if err := k.giveBack(ctx, l.pool, func() { done(1) }); err != nil {
		return fmt.Errorf("give the keys back: %w", err)
	}
	if l.plan.small() {
		return nil // see Demo.analyse
	}
	// Vacuumed too, so that the first reader need not.
	var sweeps []job
	for _, t := range append(tables, "stream_heads") {
		sweeps = append(sweeps, execute("vacuum (analyze) "+t, func() { done(1) }))
	}
	return run(ctx, l.pool, sweeps)
}

// counter reports the progress of a stage.
func (l *loader) counter(stage string, total int) func(n int) {
	var done atomic.Int64
	l.progress(stage, 0, total)
	return func(n int) { l.progress(stage, min(int(done.Add(int64(n))), total), total) }
}

// look reads what the generator builds on, and refuses a database that has shops.
func (l *loader) look(ctx context.Context) error {
	var filled bool
	err := l.pool.QueryRow(ctx, `select rolbypassrls or rolsuper, exists (select from shops) or exists (select from accounts)
		from pg_roles where rolname = current_user`).Scan(&l.straight, &filled)
	if err != nil {
		return err
	}
	if filled {
		return errors.New("the database has shops or accounts already")
	}
	rows, err := l.pool.Query(ctx, `select insee, slug, name, postcodes, population, latitude, longitude from communes order by insee`)
	if err != nil {
		return err
	}
	communes, err := pgx.CollectRows(rows, pgx.RowToAddrOfStructByName[commune])
	if err != nil {
		return err
	}
	if l.world = l.made.worldOf(l.plan, communes); l.world == nil {
		l.world, l.made = newWorld(l.plan, communes), nil
	}
	if l.world.commune(lorient) == nil || l.world.commune(larmorPlage) == nil {
		return errors.New("the communes of the demo's people are missing")
	}
	return nil
}

// batch is rows of all tables on their way.
type batch struct {
	shops, hours, fulfilments, products, variants *rows
	orders, lines, contacts, events, moves        *rows
	spans, closures, special, holidays, slots     *rows
	restrictions, accounts, grants                *rows
	registrations, steps, calls                   *rows
}

func newBatch() *batch {
	return &batch{
		shops: into("shops"), hours: into("opening_hours"), fulfilments: into("fulfilments"), products: into("products"),
		variants: into("variants"), orders: into("orders"), lines: into("order_lines"), contacts: into("order_contacts"),
		events: into("order_events"), moves: into("stock_moves"), accounts: into("accounts"), grants: into("grants"),
		spans: into("opening_spans"), closures: into("closures"), special: into("special_hours"), holidays: into("holiday_openings"),
		restrictions: into("restrictions"), slots: into("slots"),
		registrations: into("registrations"), steps: into("shop_steps"), calls: into("calls"),
	}
}

func (b *batch) all() []*rows {
	return []*rows{
		b.shops, b.hours, b.fulfilments, b.products, b.variants, b.orders, b.lines, b.contacts, b.events, b.moves, b.accounts, b.grants,
		b.spans, b.closures, b.special, b.holidays, b.restrictions, b.slots,
		b.registrations, b.steps, b.calls,
	}
}

func (b *batch) send(ctx context.Context, conn *pgx.Conn, straight bool) error {
	for _, r := range b.all() {
		if err := r.send(ctx, conn, straight); err != nil {
			return err
		}
	}
	return nil
}

// largest is the communes, those with most shops first, so that the last job is a short one.
func (w *world) largest() []*commune {
	list := slices.Clone(w.communes)
	slices.SortStableFunc(list, func(a, b *commune) int { return cmp.Compare(b.quota, a.quota) })
	return list
}

// makeAll makes a commune's shops, with what belongs to them.
func (c *commune) makeAll() *batch {
	b := newBatch()
	c.makeShops(b)
	c.makeDossiers(b)
	return b
}

func (l *loader) loadShops(ctx context.Context) error {
	done := l.counter("shops", l.plan.Shops)
	jobs := make([]job, 0, len(l.world.communes)+1)
	for _, c := range l.world.largest() {
		jobs = append(jobs, func(ctx context.Context, conn *pgx.Conn) error {
			if err := c.makeAll().send(ctx, conn, l.straight); err != nil {
				return err
			}
			if err := search(c.Insee)(ctx, conn); err != nil {
				return err
			}
			if err := known(c.Insee)(ctx, conn); err != nil {
				return err
			}
			done(c.quota)
			return nil
		})
	}
	if err := run(ctx, l.pool, jobs); err != nil {
		return err
	}
	return run(ctx, l.pool, []job{l.loadPeople, l.loadHolders})
}

// search writes the entries of the communes' published shops and products: what the triggers of
// the tables do, which a load silences. Shops of a trade sell the same things: each text is taken
// apart once.
func search(communes ...string) job {
	return func(ctx context.Context, conn *pgx.Conn) error {
		if _, err := conn.Exec(ctx, searchSQL, communes); err != nil {
			return fmt.Errorf("search index of %v: %w", communes, err)
		}
		return nil
	}
}

const searchSQL = `
	with trade as materialized (select id, trade_words(id) as words from categories),
	shop as materialized (
		select commune_id, id, name, slug, category_id, search_words(name) as words, description, latitude, longitude,
			(commune_id, id) in (select commune_id, shop_id from fulfilments where mode = 'PICKUP') as pickup,
			(commune_id, id) in (select commune_id, shop_id from fulfilments where mode = 'DELIVERY') as delivery
		from shops where commune_id = any ($1) and status = 'PUBLISHED'),
	product as materialized (
		select commune_id, id, shop_id, category_id, name, slug, description from products where commune_id = any ($1) and published),
	text as materialized (
		select told, search_words(told) as words from (select name::text as told from product union select description from product) t)
	insert into catalog_search (commune_id, kind, id, shop_id, category_id, words, latitude, longitude, pickup, delivery, length, name, slug, shop_name, shop_slug)
	select s.commune_id, 'SHOP', s.id, s.id, s.category_id, catalog_words(s.words, t.words, '', search_words(s.description)),
		s.latitude, s.longitude, s.pickup, s.delivery, length(s.words), s.name, s.slug, s.name, s.slug
	from shop s join trade t on t.id = s.category_id
	union all
	select p.commune_id, 'PRODUCT', p.id, p.shop_id, p.category_id, catalog_words(n.words, t.words, s.words, d.words),
		s.latitude, s.longitude, s.pickup, s.delivery, length(n.words), p.name, p.slug, s.name, s.slug
	from product p join shop s on s.commune_id = p.commune_id and s.id = p.shop_id join trade t on t.id = p.category_id
	join text n on n.told = p.name join text d on d.told = p.description`

// loadHolders gives each shop and dossier its SIRET, as a trigger does that is silent during the load.
func (l *loader) loadHolders(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, `insert into siret_holders (siret, commune_id, holder_id, since) 
		select siret, commune_id, id, created_at from shops
		union all
		select siret, commune_id, id, created_at from registrations where status = 'SUBMITTED'`)
	return err
}

// known writes the words of the communes' names and trades, as search_known does, which takes a name
// apart in each commune that has it.
func known(communes ...string) job {
	return func(ctx context.Context, conn *pgx.Conn) error {
		if _, err := conn.Exec(ctx, knownSQL, communes); err != nil {
			return fmt.Errorf("known words of %v: %w", communes, err)
		}
		return nil
	}
}

const knownSQL = `
	with shop as materialized (select commune_id, name::text, category_id from shops where commune_id = any ($1) and status = 'PUBLISHED'),
	named as materialized (
		select commune_id, name from shop
		union select s.commune_id, c.name::text from shop s join categories c on c.id = s.category_id
		union select commune_id, name::text from products where commune_id = any ($1) and published),
	token as materialized (select n.name, t.term, t.shown from (select distinct name from named) n, search_tokens(n.name) t),
	lexeme as materialized (
		select term, coalesce((tsvector_to_array(to_tsvector('french_unaccent', term)))[1], '') as lexeme from (select distinct term from token) t)
	insert into search_terms (commune_id, term, shown, lexeme)
	select distinct on (n.commune_id, t.term) n.commune_id, t.term, t.shown, l.lexeme
	from named n join token t using (name) join lexeme l using (term)
	order by n.commune_id, t.term, t.shown`

// loadPeople writes the demo's accounts and what they may act for.
func (l *loader) loadPeople(ctx context.Context, conn *pgx.Conn) error {
	return l.world.people().send(ctx, conn, l.straight)
}

func (w *world) people() *batch {
	b := newBatch()
	made := w.midnight(0) + 8*hour
	for _, p := range cast {
		b.accounts.row().uuid(p.account()).text(w.plan.Issuer).text(string(p.subject())).text(p.name).text(p.email()).at(made)
		switch p.who {
		case "customer":
		case "merchant":
			shops := w.commune(lorient).shops
			for _, s := range shops[:min(2, len(shops))] {
				b.grants.row().uuid(p.account()).text(string(p.grant)).text(lorient).uuid(s.id).at(made)
			}
		case "agent":
			b.grants.row().uuid(p.account()).text(string(p.grant)).text(lorient).null().at(made)
			b.grants.row().uuid(p.account()).text(string(p.grant)).text(larmorPlage).null().at(made)
		default:
			b.grants.row().uuid(p.account()).text(string(p.grant)).null().null().at(made)
		}
	}
	return b
}

func (l *loader) loadOrders(ctx context.Context) error {
	done := l.counter("orders", l.plan.Orders)
	sellers := l.world.sellers()
	slices.SortStableFunc(sellers, func(a, b *seller) int { return cmp.Compare(b.commune.quota, a.commune.quota) })
	jobs := make([]job, len(sellers))
	for i, s := range sellers {
		jobs[i] = func(ctx context.Context, conn *pgx.Conn) error { return l.loadSeller(ctx, conn, s, done) }
	}
	return run(ctx, l.pool, jobs)
}

// chunk is how many orders of a commune are held in memory at a time: some 15 MB.
const chunk = 12_000

// loadSeller writes a commune's orders.
func (l *loader) loadSeller(ctx context.Context, conn *pgx.Conn, s *seller, done func(int)) error {
	seq, err := s.orders(func(b *batch, orders int) error {
		defer done(orders)
		return b.send(ctx, conn, l.straight)
	})
	if err != nil {
		return err
	}
	return heads(ctx, conn, map[string]int{s.commune.Insee: seq})
}

// heads writes the number of the last event of communes.
func heads(ctx context.Context, conn *pgx.Conn, last map[string]int) error {
	communes, seqs := []string{}, []int{}
	for c, seq := range last {
		communes, seqs = append(communes, c), append(seqs, seq)
	}
	_, err := conn.Exec(ctx, `update stream_heads h set seq = n.seq from unnest($1::text[], $2::bigint[]) n (commune_id, seq) where h.commune_id = n.commune_id`, communes, seqs)
	if err != nil {
		return fmt.Errorf("stream heads of %v: %w", communes, err)
	}
	return nil
}

// orders makes a commune's orders day by day, hands them over in chunks, and returns the number
// of the last event. Events are numbered in the order of time, which is not that of their
// orders: those of the days to come wait.
func (s *seller) orders(take func(b *batch, orders int) error) (seq int, err error) {
	c, w := s.commune, s.commune.world
	b := newBatch()
	var waiting []event
	numbers := &numbers{key: w.plan.rng("numbers", c.number()).Uint64()}
	held := 0
	for n := range w.today + 1 {
		waiting = s.day(n, b, waiting, numbers)
		held += s.quota[n] + len(s.script[n])
		slices.SortFunc(waiting, func(a, b event) int {
			return cmp.Or(cmp.Compare(a.at, b.at), strings.Compare(string(a.order.id[:]), string(b.order.id[:])), cmp.Compare(a.seq, b.seq))
		})
		tomorrow, past := w.midnight(n+1), 0
		for ; past < len(waiting) && waiting[past].at < tomorrow; past++ {
			e := &waiting[past]
			seq++
			b.events.row().text(c.Insee).int8(seq).uuid(e.order.id).int4(e.seq).uuid(e.order.shop.id).
				text(string(e.status)).text(string(e.status)).text(string(e.actor)).some(string(e.reason)).at(e.at)
		}
		waiting = slices.Delete(waiting, 0, past)
		if held >= chunk || n == w.today {
			if n == w.today {
				g := w.plan.rng("ledger", c.number())
				for _, sh := range c.shops {
					sh.ledger(g, b)
					sh.book(b)
				}
			}
			if err := take(b, held); err != nil {
				return seq, err
			}
			held = 0
		}
	}
	return seq, nil
}
