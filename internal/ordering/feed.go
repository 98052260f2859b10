package ordering

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/page"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// Feed tells subscribers of every change of an order: nothing lost, nothing twice, in the
// order of the commune's log, across reconnects, restarts and processes.
//
// The log in Postgres is the only truth. Wake-ups say "look again" and may be lost or merged:
// they come from our own commits in memory, from other processes by NOTIFY, and, should both
// fail, from a poll each second. A signal thus carries communes and never data.
type Feed struct {
	db        *pg.DB
	listenURL string
	cursors   *page.Sealer
	log       *slog.Logger
	hub       *hub
	process   string // tells our own notifications from others'
	pollEvery time.Duration

	// Again is the viewer as it is granted now: a subscription goes on for as long as its viewer
	// could begin it. Nil where nobody loses a right.
	Again func(context.Context, *identity.Viewer) (*identity.Viewer, error)
	// Heard is called when this or another process tells that something was committed, of the log or
	// not. Nil where nobody wants to know.
	Heard func()
	// Recheck is how often that is asked; recheckEvery when zero.
	Recheck time.Duration

	mu      sync.Mutex
	dirty   map[string]struct{} // communes that other processes have not heard of yet
	dirtied chan struct{}
	granted map[*reader]granted // the running subscriptions

	sealed    sealed
	listening atomic.Bool
	behind    atomic.Int64
}

// FeedState is how the feed of a process is.
type FeedState struct {
	Subscriptions int   // that run here
	Communes      int   // whose logs are followed for them
	Behind        int64 // events that the last poll found and no wake-up had told of
	Cut           int64 // subscriptions ended since the start since they could not keep up
	Listening     bool  // other processes' wake-ups are heard
}

// State tells how the feed is.
func (f *Feed) State() FeedState {
	f.mu.Lock()
	n := len(f.granted)
	f.mu.Unlock()
	return FeedState{Subscriptions: n, Communes: len(f.hub.followed()), Behind: f.behind.Load(), Cut: f.hub.cut.Load(), Listening: f.listening.Load()}
}

// granted is by what right a subscription runs.
type granted struct {
	viewer *identity.Viewer
	still  func(*identity.Viewer) error // whether the viewer, as it is now, may go on
}

const (
	wakeChannel = "halles_wake"
	// notifyEvery bounds the NOTIFYs of a process at 100 a second. They are sent apart from the
	// orders' transactions: inside, Postgres takes one lock of the whole cluster for each, and
	// half the commits a second are gone.
	notifyEvery = 10 * time.Millisecond
	// pollEvery bounds what the loss of every wake-up costs.
	pollEvery = time.Second
	// recheckEvery bounds how long a subscription outlives its right: this, and as long again as
	// a right is remembered (identity.Resolver).
	recheckEvery = 25 * time.Second
	// pingEvery finds a listener's connection that died in silence.
	pingEvery = 5 * time.Second
)

// NewFeed returns the feed in db. listenURL reaches Postgres as halles_listen, directly:
// through a pooler in transaction mode LISTEN succeeds and nothing ever comes. Empty, it has
// no listener, and what other processes commit is up to a second late.
func NewFeed(db *pg.DB, listenURL string, cursors *page.Sealer, log *slog.Logger) *Feed {
	f := &Feed{
		db: db, listenURL: listenURL, cursors: cursors, log: log, process: uuid.NewString(), pollEvery: pollEvery,
		dirty: map[string]struct{}{}, dirtied: make(chan struct{}, 1), granted: map[*reader]granted{},
	}
	f.hub = newHub(f.readTails, log)
	return f
}

// Run listens, notifies and polls until ctx ends; then it ends every subscription, telling it
// to resume elsewhere, and returns when all is still.
func (f *Feed) Run(ctx context.Context) error {
	var parts sync.WaitGroup
	parts.Go(func() { f.notify(ctx) })
	parts.Go(func() { f.poll(ctx) })
	if f.Again != nil {
		parts.Go(func() { f.recheck(ctx) })
	}
	if f.listenURL != "" {
		parts.Go(func() { f.listen(ctx) })
	}
	parts.Wait()
	f.hub.shut()
	f.mu.Lock()
	running := slices.Collect(maps.Keys(f.granted))
	f.mu.Unlock()
	for _, r := range running {
		r.end(errStopping())
	}
	f.hub.close()
	return nil
}

// Wake tells all subscribers, here and in other processes, that events of these communes were
// committed. It does not block, and costs nothing where nobody reads.
func (f *Feed) Wake(communes ...string) {
	f.hub.wake(communes...)
	f.Tell(communes...)
}

// Tell is Wake for what is in no log: whoever keeps what was read may look again.
func (f *Feed) Tell(communes ...string) {
	f.heard()
	f.mu.Lock()
	for _, c := range communes {
		f.dirty[c] = struct{}{}
	}
	f.mu.Unlock()
	select {
	case f.dirtied <- struct{}{}:
	default:
	}
}

func (f *Feed) heard() {
	if f.Heard != nil {
		f.Heard()
	}
}

// notify passes wake-ups on to other processes, merged.
func (f *Feed) notify(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-f.dirtied:
		}
		f.mu.Lock()
		communes := slices.Sorted(maps.Keys(f.dirty))
		clear(f.dirty)
		f.mu.Unlock()
		// 25 communes are 150 bytes; NOTIFY carries 8,000.
		if _, err := f.db.Pool(pg.Worker).Exec(ctx, `select pg_notify($1, $2)`, wakeChannel, f.process+" "+strings.Join(communes, ",")); err != nil && ctx.Err() == nil {
			f.log.WarnContext(ctx, "no wake-up sent; other processes find out by their poll", "error", err)
		}
		pause(ctx, notifyEvery)
	}
}

// poll finds what no wake-up told.
func (f *Feed) poll(ctx context.Context) {
	for pause(ctx, f.pollEvery) {
		f.pollOnce(ctx)
	}
}

func (f *Feed) pollOnce(ctx context.Context) {
	followed := f.hub.followed()
	if len(followed) == 0 {
		f.behind.Store(0)
		return
	}
	communes := slices.Collect(maps.Keys(followed))
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	heads, err := pg.Select[streamHead](ctx, f.db, feedScope(communes...), `
		select h.commune_id, h.seq, f.epoch from stream_heads h cross join feed_epoch f where h.commune_id = any($1)`, communes)
	if err != nil {
		if ctx.Err() == nil {
			f.log.WarnContext(ctx, "the feed cannot poll; it tries again", "error", err)
		}
		return
	}
	behind := int64(0)
	for _, h := range heads {
		if at := followed[h.CommuneID]; at != h {
			behind += max(h.Seq-at.Seq, 0)
			f.hub.wake(h.CommuneID)
		}
	}
	f.behind.Store(behind)
}

// recheck ends the subscriptions whose right is gone.
func (f *Feed) recheck(ctx context.Context) {
	for pause(ctx, cmp.Or(f.Recheck, recheckEvery)) {
		f.mu.Lock()
		running := maps.Clone(f.granted)
		f.mu.Unlock()
		for r, g := range running {
			v, err := f.Again(ctx, g.viewer)
			if err == nil {
				err = g.still(v)
			}
			switch {
			case err == nil:
			case fault.Of(err) != nil && !errors.Is(err, fault.Unavailable):
				r.end(err)
			case ctx.Err() == nil: // the database is away, and so is every event
				f.log.WarnContext(ctx, "the rights of a subscription cannot be read; they are asked for again", "error", err)
			}
		}
	}
}

// listen hears other processes' wake-ups, over a connection of its own that it makes again
// whenever it breaks.
func (f *Feed) listen(ctx context.Context) {
	const shortest, longest = 50 * time.Millisecond, 2 * time.Second
	wait := shortest
	for ctx.Err() == nil {
		began := time.Now()
		err := f.hear(ctx)
		if ctx.Err() != nil {
			return
		}
		f.log.WarnContext(ctx, "the listener lost its connection; the poll serves until it is back", "error", err)
		if time.Since(began) > longest {
			wait = shortest
		}
		pause(ctx, wait/2+rand.N(wait)) //nolint:gosec // processes should not come back in step; no secret
		wait = min(2*wait, longest)
	}
}

func (f *Feed) hear(ctx context.Context) error {
	connecting, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	conn, err := pgx.Connect(connecting, f.listenURL)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(connecting, "listen "+wakeChannel); err != nil {
		return err
	}
	f.listening.Store(true)
	defer f.listening.Store(false)
	f.hub.wake() // whatever was told while nobody listened
	for {
		waiting, cancel := context.WithTimeout(ctx, pingEvery)
		told, err := conn.WaitForNotification(waiting)
		silent := waiting.Err() != nil
		cancel()
		switch {
		case err == nil:
			if process, communes, ok := strings.Cut(told.Payload, " "); ok && process != f.process {
				f.heard()
				f.hub.wake(strings.Split(communes, ",")...)
			}
		case ctx.Err() != nil || !silent:
			return err
		default:
			pinging, cancel := context.WithTimeout(ctx, readTimeout)
			err := conn.Ping(pinging)
			cancel()
			if err != nil {
				return err
			}
		}
	}
}

// pause waits; it tells whether ctx goes on.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// feedScope reads whole logs: what each subscriber may see of them is decided by where it sits.
func feedScope(communes ...string) pg.Scope {
	return pg.Scope{Role: pg.Worker, Kind: "feed", Communes: communes}
}

// logPage is what one statement read of a commune's log, and how that log stood.
type logPage struct {
	epoch  uuid.UUID
	head   int64 // the commune's last event
	pruned int64 // events up to here are no longer kept
	events []*Event
}

// follows tells whether a page of the whole log begins right after an event and has no hole.
func (p *logPage) follows(at int64) bool {
	for i, e := range p.events {
		if e.Seq != at+1+int64(i) {
			return false
		}
	}
	return len(p.events) == pageSize || p.head == at+int64(len(p.events))
}

// readTails reads whole logs on, for all who read them here.
func (f *Feed) readTails(ctx context.Context, after map[string]int64) (map[string]*logPage, error) {
	return f.readLog(ctx, feedScope(slices.Collect(maps.Keys(after))...), after, all, nil)
}

// Which events or orders a reading is about; $2 are rows of orders or shops.
const (
	all            = "$2::uuid[] is null"
	eventsOfShops  = "e.shop_id = any($2)"
	eventsOfOrders = "e.order_id = any($2)"
	ordersOfShops  = "o.shop_id = any($2)"
)

// headColumns go before eventColumns in every reading: in the same statement, that is in one
// snapshot, so that "all events up to the head" is exactly what was seen.
const headColumns = "h.commune_id, h.seq as head, h.pruned, f.epoch"

// logRow is an event beside the head of its commune's log, or the head alone.
type logRow struct {
	CommuneID string
	Head      int64
	Pruned    int64
	Epoch     uuid.UUID
	Seq       *int64
	OrderID   *uuid.UUID
	OrderSeq  *int
	ShopID    *uuid.UUID
	Kind      *EventKind
	Status    *Status
	Actor     *Actor
	Reason    *Reason
	At        *time.Time
}

// changeColumns are those of an event but for the commune, which the head has.
const changeColumns = "e.seq, e.order_id, e.order_seq, e.shop_id, e.kind, e.status, e.actor, e.reason, e.at"

// readLog is how a page of logs is read, see Feed.readLog.
type readLog func(ctx context.Context, s pg.Scope, after map[string]int64, which string, rows []uuid.UUID) (map[string]*logPage, error)

// readLog reads a page of the log of each commune after its position.
func (f *Feed) readLog(ctx context.Context, s pg.Scope, after map[string]int64, which string, rows []uuid.UUID) (map[string]*logPage, error) {
	communes := slices.Sorted(maps.Keys(after))
	positions := make([]int64, len(communes))
	for i, c := range communes {
		positions[i] = after[c]
	}
	return f.pages(ctx, s.In(communes...), `
		select `+headColumns+`, `+changeColumns+`
		from unnest($1::text[], $3::bigint[]) k (commune_id, after)
		join stream_heads h using (commune_id) cross join feed_epoch f
		left join lateral (
			select `+changeColumns+` from order_events e
			where e.commune_id = h.commune_id and e.seq > k.after and `+which+`
			order by e.seq limit $4) e on true
		order by h.commune_id, e.seq`, communes, rows, positions, pageSize)
}

// readOpen reads the last event of each open order of communes: the present state, and where
// each log stood.
func (f *Feed) readOpen(ctx context.Context, s pg.Scope, communes []string, which string, rows []uuid.UUID) (map[string]*logPage, error) {
	return f.pages(ctx, s.In(communes...), `
		select `+headColumns+`, `+changeColumns+`
		from unnest($1::text[]) k (commune_id) join stream_heads h using (commune_id) cross join feed_epoch f
		left join lateral (
			select `+changeColumns+` from orders o join order_events e on e.commune_id = o.commune_id and e.order_id = o.id and e.order_seq = o.version
			where o.commune_id = h.commune_id and o.status in ('PLACED', 'ACCEPTED', 'READY', 'OUT_FOR_DELIVERY') and `+which+`) e on true
		order by h.commune_id, e.seq`, communes, rows)
}

func (f *Feed) pages(ctx context.Context, s pg.Scope, sql string, args ...any) (map[string]*logPage, error) {
	rows, err := pg.Select[logRow](ctx, f.db, s, sql, args...)
	if err != nil {
		return nil, err
	}
	pages := map[string]*logPage{}
	for _, r := range rows {
		p := pages[r.CommuneID]
		if p == nil {
			p = &logPage{epoch: r.Epoch, head: r.Head, pruned: r.Pruned}
			pages[r.CommuneID] = p
		}
		if r.Seq != nil {
			p.events = append(p.events, r.event())
		}
	}
	return pages, nil
}

func (r *logRow) event() *Event {
	return &Event{
		CommuneID: r.CommuneID, Seq: *r.Seq, OrderRow: *r.OrderID, OrderSeq: *r.OrderSeq, ShopRow: *r.ShopID,
		Kind: *r.Kind, Status: *r.Status, Actor: *r.Actor, Reason: r.Reason, At: *r.At,
	}
}

// communesOf lists the communes of IDs, each once, in order.
func communesOf(ids []tenancy.ID) []string {
	communes := make([]string, len(ids))
	for i, id := range ids {
		communes[i] = id.Commune
	}
	slices.Sort(communes)
	return slices.Compact(communes)
}
