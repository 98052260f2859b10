// Package versions tells when something published of a commune has changed, within a second: whoever
// keeps an answer asks whether it still holds.
//
// A commune has two versions: its profile (shops, hours, restrictions, products, prices, photos,
// settings), and the availability of its variants and slots, which moves only where the public sees
// another number. Triggers write down each change in its own transaction (migrations/00140); each
// process reads what was written since, twice a second and sooner when it is woken. A version
// here is a count of this process, good for comparing with what it was and for nothing else.
package versions

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/audelor/halles/internal/job"
	"github.com/audelor/halles/internal/pg"
)

const (
	// readEvery is how often they are read when nobody wakes.
	readEvery = 500 * time.Millisecond
	// readAtMost bounds the readings in a rush of wake-ups at 20 a second: half a millisecond each.
	readAtMost = 50 * time.Millisecond
	// fresh is how old a reading may be that anybody relies on: two periods. Within it a reader that
	// comes late on a busy machine costs nothing, beyond it nothing is known.
	fresh = time.Second
	// readTime gives up a reading on a dead connection.
	readTime = 2 * time.Second
	// noticedKept is how long a change can be read after it was noticed; lost is after how long without
	// a reading a process takes everything for changed. The one is many times the other.
	noticedKept, lost = 10 * time.Minute, time.Minute
	// soon is how far ahead a reading looks for what changes by itself: over the next whole minute,
	// at which everything that depends on the clock is asked anew anyway.
	soon = 2 * time.Minute
)

// Versions are those of all communes, as this process knows them.
type Versions struct {
	// Shared is called when something changed that is all communes', before anybody is told so: what
	// is kept of it in memory must go first. nil: nothing is.
	Shared func()

	db       *pg.DB
	communes func(context.Context) ([]string, error)
	log      *slog.Logger
	nudged   chan struct{}
	state    atomic.Pointer[State]
	reads    atomic.Int64
	failing  bool // the last reading failed; the reader's own
}

// New returns the versions of the communes in db; nothing is known of them before Run.
func New(db *pg.DB, communes func(context.Context) ([]string, error), log *slog.Logger) *Versions {
	return &Versions{db: db, communes: communes, log: log, nudged: make(chan struct{}, 1)}
}

// State is what one reading found. It does not change.
type State struct {
	began    time.Time // before the statement that read it
	horizon  int64     // every transaction before this one had ended
	position pg.Position
	seen     map[int64]struct{} // changes at or after the horizon
	shared   uint64             // counts what is all communes'
	of       map[string]commune
	all      commune
}

// commune is what is known of one; the zero commune of one that has not changed yet.
type commune struct {
	profile, availability uint64
	next                  time.Time // when something of it changes by itself, soon and not on a whole minute; else zero
}

// Now is the last reading; false when there is none of the last second.
func (v *Versions) Now() (*State, bool) {
	s := v.state.Load()
	return s, s != nil && time.Since(s.began) < fresh
}

// Reads is how many readings succeeded.
func (v *Versions) Reads() int64 { return v.reads.Load() }

// Stamp is the sum of what counts the changes of communes, of all without any: another one means that
// something changed. Without availability, that is left out.
func (s *State) Stamp(communes []string, availability bool) uint64 {
	sum := s.shared
	each := func(c commune) {
		sum += c.profile
		if availability {
			sum += c.availability
		}
	}
	if communes == nil {
		each(s.all)
	}
	for _, insee := range communes {
		each(s.of[insee])
	}
	return sum
}

// Until is the instant before which nothing of communes changes by itself, as far as clocks go: the
// next whole minute after now or, sooner, the end of a pause or the begin or end of a closure or a
// restriction. Opening hours, slots, lead times and cut-offs all lie on whole minutes.
func (s *State) Until(communes []string, now time.Time) time.Time {
	until := now.Truncate(time.Minute).Add(time.Minute)
	each := func(c commune) {
		if !c.next.IsZero() && c.next.Before(until) {
			until = c.next
		}
	}
	if communes == nil {
		each(s.all)
	}
	for _, insee := range communes {
		each(s.of[insee])
	}
	return until
}

// Context has reads in ctx be no older than the reading, on a replica too.
func (s *State) Context(ctx context.Context) context.Context { return pg.After(ctx, s.position) }

// Nudge has the versions read soon: something has probably changed.
func (v *Versions) Nudge() {
	select {
	case v.nudged <- struct{}{}:
	default: // somebody has
	}
}

// Run reads until ctx ends.
func (v *Versions) Run(ctx context.Context) error {
	tick := time.NewTicker(readEvery)
	defer tick.Stop()
	for {
		v.Read(ctx)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(readAtMost):
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		case <-v.nudged:
		}
	}
}

// Read reads once. It is Run's; a test that has no Run may call it.
func (v *Versions) Read(ctx context.Context) {
	reading, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	next, shared, err := v.read(reading, v.state.Load())
	switch {
	case ctx.Err() != nil:
		return
	case err != nil:
		if !v.failing {
			v.log.WarnContext(ctx, "the versions cannot be read; no answer is kept or served from memory until they are", "error", err)
		}
		v.failing = true
		return
	}
	v.failing = false
	if shared && v.Shared != nil {
		v.Shared()
	}
	v.state.Store(next)
	v.reads.Add(1)
}

// line is a row of a reading: the first tells how far it is, others a change or an instant.
type line struct {
	Horizon   *int64
	Position  *int64
	ID        *int64
	CommuneID *string
	Part      *string
	Next      *time.Time
}

// What a transaction wrote is found once it is committed: it was under way at the reading before, or
// began later, so its number is not below the oldest that was under way then. The position is read in
// the statement, after its snapshot: who has come so far has all that the snapshot shows. The calendar
// counts in whole seconds, so what lies within one has begun at its beginning.
const readSQL = `
	select pg_snapshot_xmin(pg_current_snapshot())::text::bigint as horizon, (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint as position,
		null::bigint as id, null::text as commune_id, null::text as part, null::timestamptz as next
	union all
	select null, null, c.id, c.commune_id, c.part, null from published_changes c where c.xid >= $1::text::xid8
	union all
	select null, null, null, t.commune_id, null, date_trunc('second', min(t.at)) from (
		select commune_id, starts_at as at from closures union all select commune_id, ends_at from closures
		union all select commune_id, starts_at from restrictions union all select commune_id, ends_at from restrictions
		union all select commune_id, paused_until from variants where paused_until is not null and paused_until > now() and paused_until < now() + $2::interval) t
	where t.at > now() and t.at < now() + $2::interval
	group by t.commune_id`

func (v *Versions) read(ctx context.Context, before *State) (_ *State, shared bool, err error) {
	next := &State{began: time.Now(), seen: map[int64]struct{}{}, of: map[string]commune{}}
	after := int64(0)
	if before != nil {
		after = before.horizon
		next.shared, next.all = before.shared, before.all
		maps.Copy(next.of, before.of)
	}
	communes, err := v.communes(ctx)
	if err != nil {
		return nil, false, err
	}
	lines, err := pg.Select[line](ctx, v.db, pg.Scope{Role: pg.Worker, Kind: "feed", Communes: communes}, readSQL, fmt.Sprint(after), soon)
	if err != nil {
		return nil, false, err
	}
	at := slices.IndexFunc(lines, func(l line) bool { return l.Horizon != nil })
	next.horizon, next.position = *lines[at].Horizon, pg.Position(*lines[at].Position)
	for insee, c := range next.of {
		c.next = time.Time{}
		next.of[insee] = c
	}
	next.all.next = time.Time{}
	for _, l := range lines {
		switch {
		case l.ID != nil:
			next.seen[*l.ID] = struct{}{}
			if before != nil {
				if _, known := before.seen[*l.ID]; !known {
					shared = next.moved(*l.CommuneID, *l.Part) || shared
				}
			}
		case l.Next != nil:
			c := next.of[*l.CommuneID]
			c.next = *l.Next
			next.of[*l.CommuneID] = c
			if next.all.next.IsZero() || c.next.Before(next.all.next) {
				next.all.next = c.next
			}
		}
	}
	// Too long away, or in another database, which a restore has put in the place of the first:
	// anything may have changed.
	if before == nil || next.began.Sub(before.began) > lost || next.horizon < before.horizon {
		next.shared++
		shared = true
	}
	return next, shared, nil
}

// moved counts a change, and tells whether it is all communes'.
func (s *State) moved(insee, part string) bool {
	if insee == "" {
		s.shared++
		return true
	}
	c := s.of[insee]
	if part == "AVAILABILITY" {
		c.availability++
		s.all.availability++
	} else {
		c.profile++
		s.all.profile++
	}
	s.of[insee] = c
	return false
}

// Jobs are what the versions need beside reading: changes that every process has read long since go.
func (v *Versions) Jobs(j *job.Jobs) { job.Every(j, "published_changes", 5*time.Minute, v.Sweep) }

// Sweep deletes what was noticed ten minutes ago, and notices the rest. By the clock of the change
// itself, one whose transaction took longer would be gone before anybody had read it.
func (v *Versions) Sweep(ctx context.Context) error {
	pool := v.db.Pool(pg.Worker)
	if _, err := pool.Exec(ctx, `delete from published_changes where noticed_at < now() - $1::interval`, noticedKept); err != nil {
		return err
	}
	_, err := pool.Exec(ctx, `update published_changes set noticed_at = now() where noticed_at is null`)
	return err
}
