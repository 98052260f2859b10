package directory

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/audelor/halles/internal/calendar"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// Restriction is a law or an order imposed on many shops, as it is in force in one commune. The
// calendar says what comes of it.
type Restriction struct {
	CommuneID        string
	Row              uuid.UUID `db:"id"` // the same in all communes of its scope
	Rank             calendar.Rank
	Title            string  // "décret n° 2020-1310 du 29 octobre 2020"
	Reference        *string // "JORF n° 0264 du 30 octobre 2020, texte n° 45"
	URL              *string // of the legal text
	StartsAt         time.Time
	EndsAt           *time.Time // the first instant after it; null: until further notice
	Categories       []string
	NafCodes         []string
	ExceptCategories []string
	ExceptNafCodes   []string
	NafVersion       string
	AreaOver         *int `db:"area_over_m2"` // m² of sales area
	Visitors         bool
	SquareMetres     *int // for each visitor
	Condition        string
	Pickup           bool
	Delivery         bool
	DeclaredAs       identity.Kind // AGENT or ADMIN
	DeclaredAt       time.Time
	Version          int
}

const restrictionColumns = `r.commune_id, r.id, r.rank, r.title, r.reference, r.url, r.starts_at, r.ends_at, r.categories, r.naf_codes,
	r.except_categories, r.except_naf_codes, r.naf_version, r.area_over_m2, r.visitors, r.square_metres, r.condition, r.pickup, r.delivery,
	r.declared_as, r.declared_at, r.version`

// ID is the restriction's global ID: in one commune.
func (r *Restriction) ID() tenancy.ID {
	return tenancy.RowID(tenancy.KindRestriction, r.CommuneID, r.Row)
}

// Nafs are the activities concerned, codes or their beginnings.
func (r *Restriction) Nafs() []Naf { return nafs(r.NafCodes, r.NafVersion) }

// ExceptNafs are activities that it leaves free.
func (r *Restriction) ExceptNafs() []Naf { return nafs(r.ExceptNafCodes, r.NafVersion) }

func nafs(codes []string, version string) []Naf {
	list := make([]Naf, len(codes))
	for i, c := range codes {
		list[i] = Naf{Code: c, Version: version}
	}
	return list
}

// Allows are the modes that it leaves possible.
func (r *Restriction) Allows() []calendar.Mode {
	rule := r.rule()
	return slices.DeleteFunc(slices.Clone(calendar.Modes), func(m calendar.Mode) bool { return !rule.Allows(m) })
}

// rule is the restriction as the calendar knows it.
func (r *Restriction) rule() calendar.Restriction {
	activities := func(categories, codes []string) calendar.Activities {
		a := calendar.Activities{Categories: categories}
		for _, c := range codes {
			a.Nafs = append(a.Nafs, calendar.Naf{Code: c, Version: r.NafVersion})
		}
		return a
	}
	rule := calendar.Restriction{
		ID: r.ID().String(), Title: r.Title, Rank: r.Rank, From: r.StartsAt,
		Of: activities(r.Categories, r.NafCodes), Except: activities(r.ExceptCategories, r.ExceptNafCodes),
		Visitors: r.Visitors, Condition: r.Condition, Pickup: r.Pickup, Delivery: r.Delivery,
	}
	if r.EndsAt != nil {
		rule.Until = *r.EndsAt
	}
	if r.AreaOver != nil {
		rule.AreaOver = *r.AreaOver
	}
	if r.SquareMetres != nil {
		rule.SquareMetres = *r.SquareMetres
	}
	return rule
}

// RestrictionQuery asks for restrictions by time.
type RestrictionQuery struct {
	At       time.Time // zero: now
	Upcoming bool      // those that begin later too
}

// byRank sorts restrictions as they are told: highest rank first, then oldest.
func byRank(a, b *Restriction) int {
	ranks := []calendar.Rank{calendar.National, calendar.Prefect, calendar.Mayor}
	return cmp.Or(cmp.Compare(slices.Index(ranks, a.Rank), slices.Index(ranks, b.Rank)), a.StartsAt.Compare(b.StartsAt),
		cmp.Compare(a.Row.String(), b.Row.String()), cmp.Compare(a.CommuneID, b.CommuneID))
}

// RestrictionsOf are the restrictions in force in communes at an instant, the highest rank first.
func (d *Directory) RestrictionsOf(ctx context.Context, v *identity.Viewer, communes []string, q RestrictionQuery) (map[string][]*Restriction, error) {
	if q.At.IsZero() {
		q.At = d.now()
	}
	if err := CheckInstant(q.At, "at"); err != nil {
		return nil, err
	}
	communes = v.Spans(communes)
	all, err := pg.Select[Restriction](ctx, d.DB, v.PublicScope().In(communes...), `
		select `+restrictionColumns+` from restrictions r
		where r.commune_id = any($1) and coalesce(r.ends_at, 'infinity') > greatest($2::timestamptz, r.starts_at) and ($3 or r.starts_at <= $2)`,
		communes, q.At, q.Upcoming)
	if err != nil {
		return nil, fmt.Errorf("restrictions of %d communes: %w", len(communes), err)
	}
	of := map[string][]*Restriction{}
	for i := range all {
		of[all[i].CommuneID] = append(of[all[i].CommuneID], &all[i])
	}
	for _, list := range of {
		slices.SortFunc(list, byRank)
	}
	return of, nil
}

// Restrictions are those in force in a commune, or in any of the viewer's catalogue: each once,
// with the first of its communes.
func (d *Directory) Restrictions(ctx context.Context, v *identity.Viewer, commune *tenancy.ID, q RestrictionQuery) ([]*Restriction, error) {
	communes := v.AllCommunes()
	if commune != nil {
		if err := commune.Want(tenancy.KindCommune, "commune"); err != nil {
			return nil, err
		}
		if _, err := d.Communes.ByInsee(ctx, commune.Commune); err != nil {
			return nil, commune.NotFound()
		}
		communes = []string{commune.Commune}
	}
	of, err := d.RestrictionsOf(ctx, v, communes, q)
	if err != nil {
		return nil, err
	}
	list := []*Restriction{}
	seen := map[uuid.UUID]bool{}
	for _, c := range communes {
		for _, r := range of[c] {
			if !seen[r.Row] {
				seen[r.Row] = true
				list = append(list, r)
			}
		}
	}
	slices.SortFunc(list, byRank)
	return list, nil
}

// RestrictionsByIDs finds restrictions: what the public must obey, everybody may read.
func (d *Directory) RestrictionsByIDs(ctx context.Context, v *identity.Viewer, ids []tenancy.ID) (map[tenancy.ID]*Restriction, error) {
	communes, rows := tenancy.Columns(ids)
	all, err := pg.Select[Restriction](ctx, d.DB, v.PublicScope().In(communes...), `
		select r.* from `+tenancy.Keys+` k (commune_id, id) cross join lateral (
			select `+restrictionColumns+` from restrictions r where r.commune_id = k.commune_id and r.id = k.id offset 0) r`, communes, rows)
	found := map[tenancy.ID]*Restriction{}
	for i := range all {
		found[all[i].ID()] = &all[i]
	}
	return found, err
}

// ScopesOf are the INSEE codes of the communes that restrictions are in force in, of those of the
// viewer's catalogue.
func (d *Directory) ScopesOf(ctx context.Context, v *identity.Viewer, ids []tenancy.ID) (map[tenancy.ID][]string, error) {
	type place struct {
		CommuneID string
		ID        uuid.UUID
	}
	_, rows := tenancy.Columns(ids)
	places, err := pg.Select[place](ctx, d.DB, v.PublicScope(), `
		select commune_id, id from restrictions where commune_id = any($1) and id = any($2) order by commune_id`, v.AllCommunes(), rows)
	byRow := map[uuid.UUID][]string{}
	for _, p := range places {
		byRow[p.ID] = append(byRow[p.ID], p.CommuneID)
	}
	of := map[tenancy.ID][]string{}
	for _, id := range ids {
		of[id] = byRow[id.Row]
	}
	return of, err
}

// The instants that questions may be about: before, nothing was restricted here; after, nothing is
// planned.
var firstInstant, lastInstant = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)

// CheckInstant refuses an instant that no question can be about.
func CheckInstant(at time.Time, path ...string) error {
	if at.Before(firstInstant) || at.After(lastInstant) {
		return fault.At(path, "Donnez un instant entre 2000 et 2100.")
	}
	return nil
}
