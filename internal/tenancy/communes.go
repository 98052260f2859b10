// Package tenancy knows the tenants, the communes, and the global IDs that carry them.
//
// A commune's key is its INSEE code at entry and stays when communes merge. A postcode is
// not a key: 56240 covers four of the communes.
package tenancy

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strconv"

	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/pg"
)

// Commune is a tenant: its shops, products and orders are its own.
type Commune struct {
	Insee        string
	Slug         string
	Name         string
	Postcodes    []string
	Population   int
	Latitude     float64
	Longitude    float64
	CurrentInsee *string
}

// ID is the commune's global ID.
func (c *Commune) ID() ID { return ID{Kind: KindCommune, Commune: c.Insee} }

// Location is the town point: the town hall or the centre of the town, not the centroid.
func (c *Commune) Location() Point { return Point{c.Latitude, c.Longitude} }

// IsNode marks a type with an ID of its own.
func (*Commune) IsNode() {}

// IsEntity marks a type that other subgraphs may extend.
func (*Commune) IsEntity() {}

// Point is a place on the earth, WGS84, in degrees.
type Point struct {
	Latitude  float64
	Longitude float64
}

// Check refuses a point outside the earth.
func (p Point) Check(path ...string) error {
	switch {
	case !(p.Latitude >= -90 && p.Latitude <= 90):
		return fault.At(append(path, "latitude"), "La latitude %v est hors de la Terre ; donnez un nombre de -90 à 90.", p.Latitude)
	case !(p.Longitude >= -180 && p.Longitude <= 180):
		return fault.At(append(path, "longitude"), "La longitude %v est hors de la Terre ; donnez un nombre de -180 à 180.", p.Longitude)
	}
	return nil
}

// Register is the list of communes, kept in memory: it is read before the commune of a
// request is known, and by nearly every request.
type Register struct{ snapshot *pg.Snapshot[*list] }

type list struct {
	sorted  []*Commune // by French name
	codes   []string
	byInsee map[string]*Commune
	bySlug  map[string]*Commune
}

// NewRegister returns the register of the communes in db.
func NewRegister(db *pg.DB) *Register {
	return &Register{pg.NewSnapshot(func(ctx context.Context) (*list, error) {
		rows, err := db.Pool(pg.Identity).Query(ctx, `
			select insee, slug, name, postcodes, population, latitude, longitude, current_insee
			from communes order by name`)
		if err != nil {
			return nil, err
		}
		all, err := pgx.CollectRows(rows, pgx.RowToAddrOfStructByName[Commune])
		l := &list{sorted: all, byInsee: map[string]*Commune{}, bySlug: map[string]*Commune{}}
		for _, c := range all {
			l.codes = append(l.codes, c.Insee)
			l.byInsee[c.Insee], l.bySlug[c.Slug] = c, c
		}
		sort.Strings(l.codes)
		return l, err
	})}
}

// Expire makes the next reader read the communes again: one has just changed.
func (r *Register) Expire() { r.snapshot.Expire() }

// SucceedTx notes the commune that took over another, nil for none, and returns which it was before.
func SucceedTx(ctx context.Context, tx pgx.Tx, insee string, successor *string) (before *string, err error) {
	if err := tx.QueryRow(ctx, `select current_insee from communes where insee = $1 for no key update`, insee).Scan(&before); err != nil {
		return nil, fmt.Errorf("commune %s: %w", insee, err)
	}
	_, err = tx.Exec(ctx, `update communes set current_insee = $2 where insee = $1`, insee, successor)
	return before, err
}

// All lists the communes by French name.
func (r *Register) All(ctx context.Context) ([]*Commune, error) {
	l, err := r.snapshot.Get(ctx)
	if err != nil {
		return nil, err
	}
	return l.sorted, nil
}

// Codes lists the INSEE codes of all communes, in order.
func (r *Register) Codes(ctx context.Context) ([]string, error) {
	l, err := r.snapshot.Get(ctx)
	if err != nil {
		return nil, err
	}
	return l.codes, nil
}

// ByInsee finds a commune by its code, or says NOT_FOUND.
func (r *Register) ByInsee(ctx context.Context, insee string) (*Commune, error) {
	l, err := r.snapshot.Get(ctx)
	if err != nil {
		return nil, err
	}
	if c := l.byInsee[insee]; c != nil {
		return c, nil
	}
	return nil, fault.Errorf(fault.NotFound, "Aucune commune n'a le code INSEE %s. La requête communes donne la liste.", fault.Shown(insee))
}

// Find finds a commune by its code or by its slug, of which exactly one must be given.
func (r *Register) Find(ctx context.Context, insee, slug *string) (*Commune, error) {
	switch {
	case (insee == nil) == (slug == nil):
		return nil, fault.Errorf(fault.Invalid, "Donnez insee ou slug, l'un des deux.")
	case insee != nil:
		return r.ByInsee(ctx, *insee)
	}
	l, err := r.snapshot.Get(ctx)
	if err != nil {
		return nil, err
	}
	if c := l.bySlug[*slug]; c != nil {
		return c, nil
	}
	return nil, fault.Errorf(fault.NotFound, "Aucune commune ne s'appelle %s. La requête communes donne la liste.", fault.Shown(*slug))
}

// Filter checks and sorts the codes of a list's filter: each must be a commune's and come once.
// A list without codes is one that nothing matches; nil is no filter.
func (r *Register) Filter(ctx context.Context, codes []string, path ...string) ([]string, error) {
	if codes == nil {
		return nil, nil
	}
	l, err := r.snapshot.Get(ctx)
	if err != nil {
		return nil, err
	}
	if len(codes) > len(l.codes) {
		return nil, fault.At(path, "Le filtre nomme %d communes ; il n'y en a que %d.", len(codes), len(l.codes))
	}
	sorted := append([]string{}, codes...)
	sort.Strings(sorted)
	for i, insee := range codes {
		at := append(append([]string{}, path...), strconv.Itoa(i))
		switch {
		case l.byInsee[insee] == nil:
			return nil, &fault.Error{Kind: fault.NotFound, Path: at, Message: fmt.Sprintf(
				"Aucune commune n'a le code INSEE %s. La requête communes donne la liste.", fault.Shown(insee))}
		case slices.Contains(codes[:i], insee):
			return nil, fault.At(at, "La commune %s est nommée deux fois ; une fois suffit.", insee)
		}
	}
	return sorted, nil
}

// ByInsees finds several communes, in the order asked.
func (r *Register) ByInsees(ctx context.Context, codes []string) ([]*Commune, error) {
	found := make([]*Commune, len(codes))
	for i, insee := range codes {
		c, err := r.ByInsee(ctx, insee)
		if err != nil {
			return nil, err
		}
		found[i] = c
	}
	return found, nil
}
