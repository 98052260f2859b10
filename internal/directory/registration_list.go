package directory

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/page"
	"github.com/audelor/halles/internal/pg"
)

// RegistrationFilter narrows a list of dossiers; what is absent does not narrow.
type RegistrationFilter struct {
	Communes  []string // INSEE codes; empty but not nil: none
	Statuses  []RegistrationStatus
	CallBack  *bool          // waits for a call
	Register  *RegisterState // what the register says
	Siret     *Siret
	Phone     *string // of the shop or of the person
	StartedIn *RegistrationChannel
	IdleHours *int // since the last answer
}

// RegistrationOrder is how a list of dossiers is sorted.
type RegistrationOrder string

// The orders.
const (
	NewestFirst RegistrationOrder = "NEWEST"    // begun last first
	ByCallBack  RegistrationOrder = "CALL_BACK" // to be called first first; those that wait for no call are left out
)

// RegistrationConnection is a page of a list of dossiers.
type RegistrationConnection struct {
	Edges    []RegistrationEdge
	PageInfo page.Info
	filter   *registrationQuery
}

// RegistrationEdge is a dossier at its place in a list.
type RegistrationEdge struct {
	Cursor string
	Node   *Registration
}

// Nodes are the dossiers of the page.
func (c *RegistrationConnection) Nodes() []*Registration {
	nodes := make([]*Registration, len(c.Edges))
	for i, e := range c.Edges {
		nodes[i] = e.Node
	}
	return nodes
}

// RegistrationCount is how many dossiers of a list have a status.
type RegistrationCount struct {
	Status RegistrationStatus
	Count  int
}

// registrationQuery is a checked list.
type registrationQuery struct {
	Filter   RegistrationFilter
	Order    RegistrationOrder
	Communes []string // the viewer's, of those asked for
	before   time.Time
}

// List is one page of the dossiers of the communes that the viewer serves.
//
// Faults: FORBIDDEN for who is no staff; a commune that the viewer does not serve is not in the list.
func (r *Registrations) List(ctx context.Context, v *identity.Viewer, filter *RegistrationFilter, order *RegistrationOrder, first int, after *string) (*RegistrationConnection, error) {
	if err := page.CheckFirst(first); err != nil {
		return nil, err
	}
	q, err := r.query(ctx, v, filter, order)
	if err != nil {
		return nil, err
	}
	type position struct {
		At  time.Time `json:"t"`
		Row uuid.UUID `json:"i"`
	}
	text, err := json.Marshal(q)
	if err != nil {
		return nil, err
	}
	list := "registrations " + string(text)
	var args pg.Args
	key, direction, compare := "r.created_at", "desc", "<"
	if q.Order == ByCallBack {
		key, direction, compare = "r.call_back_at", "asc", ">"
	}
	where := q.where(&args)
	if after != nil {
		var at position
		if err := r.Cursors.Open(list, *after, &at); err != nil {
			return nil, err
		}
		where += fmt.Sprintf(" and (%s, r.id) %s (%s::timestamptz, %s::uuid)", key, compare, args.Add(at.At), args.Add(at.Row))
	}
	rows, err := pg.Select[Registration](ctx, r.DB, v.Scope().In(q.Communes...), `
		select `+registrationColumns+` from registrations r where `+where+`
		order by `+key+" "+direction+", r.id "+direction+" limit "+args.Add(first+1), args...)
	if err != nil {
		return nil, fmt.Errorf("list registrations: %w", err)
	}
	c := &RegistrationConnection{filter: q}
	c.PageInfo.HasPreviousPage = after != nil
	if len(rows) > first {
		rows, c.PageInfo.HasNextPage = rows[:first], true
	}
	c.Edges = make([]RegistrationEdge, len(rows))
	for i := range rows {
		at := position{rows[i].CreatedAt, rows[i].Row}
		if q.Order == ByCallBack {
			at.At = *rows[i].CallBackAt
		}
		c.Edges[i] = RegistrationEdge{Node: &rows[i], Cursor: r.Cursors.Seal(list, at)}
	}
	if n := len(c.Edges); n > 0 {
		c.PageInfo.StartCursor, c.PageInfo.EndCursor = &c.Edges[0].Cursor, &c.Edges[n-1].Cursor
	}
	return c, nil
}

// query checks what is asked for and by whom.
func (r *Registrations) query(ctx context.Context, v *identity.Viewer, filter *RegistrationFilter, order *RegistrationOrder) (*registrationQuery, error) {
	if err := v.SignedIn(); err != nil {
		return nil, err
	}
	if v.Kind != identity.Agent && v.Kind != identity.Hotline && v.Kind != identity.Admin {
		return nil, fault.Errorf(fault.Forbidden, "Les dossiers d'inscription sont lus par les agents des communes et par le numéro vert.")
	}
	q := &registrationQuery{Order: NewestFirst, Communes: v.Communes, before: r.now()}
	if filter != nil {
		q.Filter = *filter
	}
	f := &q.Filter
	communes, err := r.Communes.Filter(ctx, f.Communes, "filter", "communes")
	if err != nil {
		return nil, err
	}
	if communes != nil {
		q.Communes = slices.DeleteFunc(communes, func(insee string) bool { return identity.Checked && !v.Serves(insee) })
	}
	if order != nil {
		q.Order = *order
	}
	if f.Phone != nil {
		e164, ok := Phone(*f.Phone)
		if !ok {
			return nil, fault.At([]string{"filter", "phone"}, "%s n'est pas un numéro de téléphone ; écrivez 02 97 12 34 56 ou +33297123456.", fault.Shown(*f.Phone))
		}
		f.Phone = &e164
	}
	if f.IdleHours != nil && (*f.IdleHours < 0 || *f.IdleHours > 24*366) {
		return nil, fault.At([]string{"filter", "idleHours"}, "Il faut un nombre d'heures de 0 à %d.", 24*366)
	}
	return q, nil
}

// where narrows dossiers r to the query's.
func (q *registrationQuery) where(a *pg.Args) string {
	f := &q.Filter
	sql := "r.commune_id = any (" + a.Add(q.Communes) + ")"
	if f.Statuses != nil {
		statuses := make([]string, len(f.Statuses))
		for i, s := range f.Statuses {
			statuses[i] = string(s)
		}
		sql += " and r.status = any (" + a.Add(statuses) + ")"
	}
	if q.Order == ByCallBack || f.CallBack != nil && *f.CallBack {
		sql += " and r.call_back_at is not null"
	} else if f.CallBack != nil {
		sql += " and r.call_back_at is null"
	}
	if f.Register != nil {
		sql += " and r.register_state = " + a.Add(string(*f.Register))
	}
	if f.Siret != nil {
		sql += " and r.siret = " + a.Add(string(*f.Siret))
	}
	if f.Phone != nil {
		p := a.Add(*f.Phone)
		sql += " and " + p + " in (r.phone, r.contact_phone)"
	}
	if f.StartedIn != nil {
		sql += " and r.channel = " + a.Add(string(*f.StartedIn))
	}
	if f.IdleHours != nil {
		sql += " and r.updated_at < " + a.Add(q.before.Add(-time.Duration(*f.IdleHours)*time.Hour))
	}
	return sql
}

// Counts tells how many dossiers a list has of each status, in the order of their life; those
// without are left out.
func (r *Registrations) Counts(ctx context.Context, v *identity.Viewer, c *RegistrationConnection) ([]*RegistrationCount, error) {
	var args pg.Args
	counts, err := pg.Select[RegistrationCount](ctx, r.DB, v.Scope().In(c.filter.Communes...), `
		select r.status, count(*) from registrations r where `+c.filter.where(&args)+`
		group by r.status order by array_position(array['STARTED', 'SUBMITTED', 'VERIFIED', 'REJECTED', 'MOVED'], r.status)`, args...)
	if err != nil {
		return nil, fmt.Errorf("count registrations: %w", err)
	}
	list := make([]*RegistrationCount, len(counts))
	for i := range counts {
		list[i] = &counts[i]
	}
	return list, nil
}

// TotalCount is how many dossiers a list has.
func (r *Registrations) TotalCount(ctx context.Context, v *identity.Viewer, c *RegistrationConnection) (n int, err error) {
	counts, err := r.Counts(ctx, v, c)
	for _, one := range counts {
		n += one.Count
	}
	return n, err
}
