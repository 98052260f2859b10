package graph

import (
	"context"
	"time"

	"github.com/audelor/halles/internal/calendar"
	"github.com/audelor/halles/internal/catalog"
	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/ordering"
	"github.com/audelor/halles/internal/tenancy"
)

// calendarKey is what the calendar knows of a shop, from a date on.
type calendarKey struct {
	from calendar.Date
	shop tenancy.ID
}

func (k calendarKey) split() (calendar.Date, tenancy.ID) { return k.from, k.shop }

func joinCalendarKey(from calendar.Date, shop tenancy.ID) calendarKey {
	return calendarKey{from, shop}
}

func noCalendar(k calendarKey) (*calendar.Shop, error) { return nil, k.shop.NotFound() }

func (r *Resolver) calendars(v *identity.Viewer) func(context.Context, calendar.Date, []tenancy.ID) (map[tenancy.ID]*calendar.Shop, error) {
	return func(ctx context.Context, from calendar.Date, shops []tenancy.ID) (map[tenancy.ID]*calendar.Shop, error) {
		return r.Directory.Calendars(ctx, v, shops, from.At(0))
	}
}

// calendarAt is the calendar of a shop and the instant that it is asked about.
func (r *Resolver) calendarAt(ctx context.Context, shop tenancy.ID, at *time.Time) (*calendar.Shop, time.Time, error) {
	instant, from, err := r.Directory.Instant(at, "at")
	if err != nil {
		return nil, instant, err
	}
	s, err := load(ctx).other().calendar.Load(ctx, calendarKey{from, shop})
	return s, instant, err
}

// published is a shop's hours as others may take them over.
func (r *Resolver) published(ctx context.Context, shop tenancy.ID) (*directory.PublicHours, error) {
	s, _, err := r.calendarAt(ctx, shop, nil)
	if err != nil {
		return nil, err
	}
	return r.Directory.PublicHoursOf(s), nil
}

// affectedKey is the first affected orders of a shop.
type affectedKey struct {
	first int
	shop  tenancy.ID
}

func (k affectedKey) split() (int, tenancy.ID) { return k.first, k.shop }

func joinAffectedKey(first int, shop tenancy.ID) affectedKey { return affectedKey{first, shop} }

func (r *Resolver) affected(v *identity.Viewer) func(context.Context, int, []tenancy.ID) (map[tenancy.ID][]*ordering.Affected, error) {
	return func(ctx context.Context, first int, shops []tenancy.ID) (map[tenancy.ID][]*ordering.Affected, error) {
		return r.Ordering.AffectedOf(ctx, v, shops, first)
	}
}

// restrictionsKey is the restrictions of a commune at an instant.
type restrictionsKey struct {
	commune  string
	unix     int64 // in microseconds; 0: now
	upcoming bool
}

type restrictionsAt struct {
	unix     int64
	upcoming bool
}

func (k restrictionsKey) split() (restrictionsAt, string) {
	return restrictionsAt{k.unix, k.upcoming}, k.commune
}

func joinRestrictionsKey(at restrictionsAt, commune string) restrictionsKey {
	return restrictionsKey{commune, at.unix, at.upcoming}
}

func (at restrictionsAt) query() directory.RestrictionQuery {
	q := directory.RestrictionQuery{Upcoming: at.upcoming}
	if at.unix != 0 {
		q.At = time.UnixMicro(at.unix).UTC()
	}
	return q
}

func newRestrictionsAt(at *time.Time, upcoming bool) restrictionsAt {
	if at == nil {
		return restrictionsAt{upcoming: upcoming}
	}
	return restrictionsAt{at.UnixMicro(), upcoming}
}

func (r *Resolver) restrictionsOf(v *identity.Viewer) func(context.Context, restrictionsAt, []string) (map[string][]*directory.Restriction, error) {
	return func(ctx context.Context, at restrictionsAt, communes []string) (map[string][]*directory.Restriction, error) {
		return r.Directory.RestrictionsOf(ctx, v, communes, at.query())
	}
}

// categories are those of a restriction; there are none but known ones.
func (r *Resolver) categories(ctx context.Context, names []string) ([]*catalog.Category, error) {
	list := make([]*catalog.Category, len(names))
	for i, name := range names {
		var err error
		if list[i], err = r.Catalog.Category(ctx, name); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// restriction finds what the calendar names by its ID; nil where it names none.
func restriction(ctx context.Context, named *calendar.Restriction) (*directory.Restriction, error) {
	if named == nil {
		return nil, nil //nolint:nilnil // the field's null
	}
	id, err := tenancy.ParseID(named.ID)
	if err != nil {
		return nil, err
	}
	return visible(load(ctx).other().restriction.Load(ctx, id))
}
