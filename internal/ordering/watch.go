package ordering

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/tenancy"
)

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

func errWithdrawn() error {
	return fault.Errorf(fault.Forbidden, "Votre compte ne permet plus de suivre ces commandes.")
}

func errForbidden() error {
	return fault.Errorf(fault.Forbidden, "Votre compte ne permet pas de suivre ces commandes.")
}
