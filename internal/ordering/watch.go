package ordering

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// Stream is a running subscription.
type Stream struct {
	C      <-chan *Event // closed at the end
	reader *reader
}

// Err tells, after C is closed, why: nil when the subscriber left, else a fault that says how
// to go on (slow reader, expired log, server stopping: resume with the last cursor).
func (s *Stream) Err() error {
	select {
	case <-s.reader.ended:
		return s.reader.err
	default:
		return nil
	}
}

// maxWatched bounds the shops, communes or orders of one subscription, as page.MaxFirst bounds a list.
const maxWatched = 100

// ShopOrders follows the orders of shops that the viewer runs: the last event of each open
// order first, oldest first, then each event that comes. With after, each event after that
// cursor. NOT_FOUND when one of the shops is not the viewer's.
func (f *Feed) ShopOrders(ctx context.Context, v *identity.Viewer, shops []tenancy.ID, after *string) (*Stream, error) {
	return f.stream(ctx, v, stream{
		field: "shopOrders", argument: "shops", ids: shops, kind: tenancy.KindShop, after: after,
		may:  func(v *identity.Viewer) bool { return v.Kind == identity.Merchant },
		owns: (*identity.Viewer).Runs, open: ordersOfShops, which: eventsOfShops,
	})
}

// CommuneActivity follows all orders of communes that the viewer serves, as ShopOrders does.
func (f *Feed) CommuneActivity(ctx context.Context, v *identity.Viewer, communes []tenancy.ID, after *string) (*Stream, error) {
	return f.stream(ctx, v, stream{
		field: "communeActivity", argument: "communes", ids: communes, kind: tenancy.KindCommune, after: after,
		may: func(v *identity.Viewer) bool {
			return v.Kind == identity.Agent || v.Kind == identity.Hotline || v.Kind == identity.Admin
		},
		owns: func(v *identity.Viewer, id tenancy.ID) bool { return v.Serves(id.Commune) }, open: all, which: all,
	})
}

// stream is a subscription to shops or communes, as it was asked for.
type stream struct {
	field, argument string
	ids             []tenancy.ID
	kind            tenancy.Kind
	after           *string
	may             func(*identity.Viewer) bool // the viewer's kind may ask at all
	owns            func(*identity.Viewer, tenancy.ID) bool
	open, which     string // SQL over orders and over events
}

func (s *stream) check(v *identity.Viewer) error {
	if identity.Checked && !s.may(v) {
		if err := v.SignedIn(); err != nil {
			return err
		}
		return errForbidden()
	}
	if n := len(s.ids); n == 0 || n > maxWatched {
		return fault.At([]string{s.argument}, "%s contient %d identifiants ; donnez-en de 1 à %d.", s.argument, n, maxWatched)
	}
	for _, id := range s.ids {
		if err := id.Want(s.kind); err != nil {
			return err
		}
		if !s.owns(v, id) {
			return id.NotFound()
		}
	}
	return nil
}

func (f *Feed) stream(ctx context.Context, v *identity.Viewer, s stream) (_ *Stream, err error) {
	defer fault.Wrap(&err, "%s(%v)", s.field, s.ids)
	if err := s.check(v); err != nil {
		return nil, err
	}
	list, communes := streamList(s.field, v, s.ids), communesOf(s.ids)
	w := &watch{
		scope: v.Scope().In(communes...), which: s.which, behind: map[string]bool{},
		stamp: func(w *watch, _ *Event) string { return f.seal(list, streamPosition{w.epoch, w.at}) },
	}
	var rows []uuid.UUID // null, not empty, for all events of a commune
	if w.keys = []uuid.UUID{uuid.Nil}; s.kind == tenancy.KindShop {
		_, rows = tenancy.Columns(s.ids)
		slices.SortFunc(rows, func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) })
		rows = slices.Compact(rows)
		w.keys = rows
	}
	w.rows = rows
	var pages map[string]*logPage
	if s.after == nil {
		if pages, err = f.readOpen(ctx, w.scope, communes, s.open, rows); err != nil {
			return nil, err
		}
		w.at = map[string]int64{}
		for c, p := range pages {
			// Whoever is cut off amid the present state resumes amid it.
			if w.at[c] = p.head; len(p.events) > 0 {
				w.at[c] = p.events[0].Seq - 1
			}
			w.epoch = p.epoch
		}
	} else {
		var from streamPosition
		if err := f.cursors.Open(list, *s.after, &from); err != nil {
			return nil, err
		}
		if pages, err = f.readLog(ctx, w.scope, from.At, s.which, rows); err != nil {
			return nil, err
		}
		for c, p := range pages {
			if p.epoch != from.Epoch || from.At[c] > p.head || from.At[c] < p.pruned {
				return nil, errExpired()
			}
			w.behind[c] = len(p.events) == pageSize
		}
		w.at, w.epoch = from.At, from.Epoch
	}
	if len(pages) != len(communes) {
		return nil, fmt.Errorf("%d of %d communes have a log", len(pages), len(communes))
	}
	w.heads = map[string]int64{}
	for c, p := range pages {
		if w.heads[c] = p.head; len(p.events) == 0 {
			w.at[c] = p.head
		}
	}
	w.first = merge(pages)
	return f.follow(ctx, w, granted{v, func(v *identity.Viewer) error {
		if s.check(v) != nil {
			return errWithdrawn()
		}
		return nil
	}})
}

// merge joins the events of several communes, oldest first, each commune's in its own order.
func merge(pages map[string]*logPage) []*Event {
	communes := slices.Sorted(maps.Keys(pages))
	next, total := map[string]int{}, 0
	for _, p := range pages {
		total += len(p.events)
	}
	merged := make([]*Event, 0, total)
	for len(merged) < total {
		var oldest *Event
		for _, c := range communes {
			if left := pages[c].events[next[c]:]; len(left) > 0 && (oldest == nil || left[0].At.Before(oldest.At)) {
				oldest = left[0]
			}
		}
		merged = append(merged, oldest)
		next[oldest.CommuneID]++
	}
	return merged
}

// watch is a subscription under way. Only its goroutine touches it.
type watch struct {
	scope  pg.Scope         // as whom the log is read: row-level security holds here too
	which  string           // SQL: its events
	rows   []uuid.UUID      // the rows that which is about
	keys   []uuid.UUID      // where it sits at the tails
	epoch  uuid.UUID        // of the log
	at     map[string]int64 // in each commune, the last event sent or passed over
	heads  map[string]int64 // where each log stood when first was read
	behind map[string]bool  // communes with more to read from the database before the tail can serve
	first  []*Event         // what to send first
	stamp  func(*watch, *Event) string
}

// follow sends what was read, then what the database has beyond, then what the tails bring.
func (f *Feed) follow(ctx context.Context, w *watch, by granted) (*Stream, error) {
	r, out := newReader(), make(chan *Event)
	f.mu.Lock()
	f.granted[r] = by
	f.mu.Unlock()
	forget := func() {
		f.mu.Lock()
		delete(f.granted, r)
		f.mu.Unlock()
	}
	started := f.hub.start(func() {
		defer close(out)
		defer forget()
		defer func() {
			for c := range w.at {
				f.hub.leave(r, c, w.keys)
			}
		}()
		defer r.end(nil)
		w.send(ctx, f, r, out)
	})
	if !started {
		forget()
		return nil, errStopping()
	}
	return &Stream{C: out, reader: r}, nil
}

func (w *watch) send(ctx context.Context, f *Feed, r *reader, out chan<- *Event) {
	emit := func(e *Event) bool {
		own := *e // others are sent the same event with their own cursor
		own.Cursor = w.stamp(w, e)
		select { // one that has ended says nothing more, whoever waits
		case <-r.ended:
			return false
		default:
		}
		select {
		case out <- &own:
			return true
		case <-r.ended:
		case <-f.hub.ctx.Done():
			r.end(errStopping())
		case <-ctx.Done():
		}
		return false
	}
	last := map[string]*Event{}
	for _, e := range w.first {
		last[e.CommuneID] = e
	}
	for _, e := range w.first {
		w.passed(e, last[e.CommuneID] == e)
		if !emit(e) {
			return
		}
	}
	w.first = nil
	for commune := range w.at {
		if !w.catchUp(ctx, f, r, commune, emit) {
			return
		}
	}
	for {
		select {
		case e := <-r.queue:
			w.at[e.CommuneID] = e.Seq
			if !emit(e) {
				return
			}
		case <-r.ended:
			return
		case <-f.hub.ctx.Done():
			r.end(errStopping())
			return
		case <-ctx.Done():
			return
		}
	}
}

// passed moves the position to an event of first, or to the head behind the last one: nothing
// else up to there is for this subscription.
func (w *watch) passed(e *Event, last bool) {
	if w.heads == nil {
		return // an order's events count by themselves; its place in the commune is the head
	}
	if w.at[e.CommuneID] = e.Seq; last && !w.behind[e.CommuneID] {
		w.at[e.CommuneID] = w.heads[e.CommuneID]
	}
}

// catchUp reads on from the database until the commune's tail can take over without a gap.
func (w *watch) catchUp(ctx context.Context, f *Feed, r *reader, commune string, emit func(*Event) bool) bool {
	for {
		if !w.behind[commune] {
			missed, ok := f.hub.seat(r, commune, w.at[commune], w.epoch, w.keys)
			for _, e := range missed {
				if w.at[commune] = e.Seq; !emit(e) {
					return false
				}
			}
			if ok {
				return true
			}
		}
		pages, err := f.readLog(ctx, w.scope, map[string]int64{commune: w.at[commune]}, w.which, w.rows)
		if err != nil {
			r.end(err)
			return false
		}
		p := pages[commune]
		if p == nil || p.epoch != w.epoch || p.head < w.at[commune] || p.pruned > w.at[commune] {
			r.end(errExpired())
			return false
		}
		for _, e := range p.events {
			if w.at[commune] = e.Seq; !emit(e) {
				return false
			}
		}
		if w.behind[commune] = len(p.events) == pageSize; !w.behind[commune] {
			w.at[commune] = p.head
		}
	}
}

func errWithdrawn() error {
	return fault.Errorf(fault.Forbidden, "Votre compte ne permet plus de suivre ces commandes.")
}

func errForbidden() error {
	return fault.Errorf(fault.Forbidden, "Votre compte ne permet pas de suivre ces commandes.")
}
