package directory

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// ActivationStepKind is a step from a dossier to a shop that sells.
type ActivationStepKind string

// The steps, in the order of a checklist. Sign-ups say little (Nantes, 2020: 2,200 merchants, 245
// items a month): only the last is what the platform is for.
const (
	IsRegistered ActivationStepKind = "REGISTERED"
	IsVerified   ActivationStepKind = "VERIFIED"
	HasProducts  ActivationStepKind = "TEN_PRODUCTS"
	HasHours     ActivationStepKind = "HOURS"
	HasModes     ActivationStepKind = "FULFILMENT"
	HasOrder     ActivationStepKind = "FIRST_ORDER"
	IsActive     ActivationStepKind = "ACTIVE"
)

const (
	// enoughProducts is when a shop is worth a visit.
	enoughProducts = 10
	// activeFor is how long an order that was handed over makes a shop an active one.
	activeFor = 30 * 24 * time.Hour
)

// ActivationStep is one line of the checklist.
type ActivationStep struct {
	Kind  ActivationStepKind
	Done  bool
	At    *time.Time // since when, where that is known
	Count *int       // of products, so far
}

// Activation is how far a shop has come.
type Activation struct{ Steps []*ActivationStep }

// Done is how many steps are done.
func (a *Activation) Done() (n int) {
	for _, s := range a.Steps {
		if s.Done {
			n++
		}
	}
	return n
}

// Next is the first step that is not done; nil for an active shop.
func (a *Activation) Next() *ActivationStepKind {
	for _, s := range a.Steps {
		if !s.Done {
			return &s.Kind
		}
	}
	return nil
}

// ShopDetails are what a shop's merchant and staff know of it beside its public profile.
type ShopDetails struct {
	CommuneID   string
	Row         uuid.UUID `db:"id"`
	Headcount   *int
	SalesAreaM2 *int `db:"sales_area_m2"`
	CreatedAt   time.Time
}

// insiders keeps the shops that the viewer runs or whose commune it serves.
func insiders(v *identity.Viewer, shops []tenancy.ID) []tenancy.ID {
	var own []tenancy.ID
	if v.Scope().Role != pg.App {
		return nil
	}
	for _, id := range shops {
		if v.Runs(id) || v.Serves(id.Commune) {
			own = append(own, id)
		}
	}
	return own
}

// DetailsOf are the details of the shops that the viewer runs or whose commune it serves.
func (d *Directory) DetailsOf(ctx context.Context, v *identity.Viewer, shops []tenancy.ID) (map[tenancy.ID]*ShopDetails, error) {
	of := map[tenancy.ID]*ShopDetails{}
	communes, rows := tenancy.Columns(insiders(v, shops))
	if len(rows) == 0 {
		return of, nil
	}
	scope := v.Scope().In(communes...)
	scope.Own = true
	all, err := pg.Select[ShopDetails](ctx, d.DB, scope, `
		select s.commune_id, s.id, s.headcount, s.sales_area_m2, s.created_at
		from unnest($1::text[], $2::uuid[]) k (commune_id, id) join shops s using (commune_id, id)`, communes, rows)
	for i := range all {
		of[tenancy.RowID(tenancy.KindShop, all[i].CommuneID, all[i].Row)] = &all[i]
	}
	return of, err
}

// ActivationOf is how far the shops have come that the viewer runs or whose commune it serves.
func (r *Registrations) ActivationOf(ctx context.Context, v *identity.Viewer, shops []tenancy.ID) (map[tenancy.ID]*Activation, error) {
	of := map[tenancy.ID]*Activation{}
	communes, rows := tenancy.Columns(insiders(v, shops))
	if len(rows) == 0 {
		return of, nil
	}
	type facts struct {
		CommuneID  string
		ID         uuid.UUID
		Status     ShopStatus
		StartedAt  time.Time
		VerifiedAt *time.Time
		Products   int
		Hours      bool
		Modes      bool
		FirstOrder *time.Time
		LastServed *time.Time
	}
	now := r.now()
	scope := v.Scope().In(communes...)
	scope.Own = true
	// A shop that was entered otherwise has no dossier: it begins when it was made.
	all, err := pg.Select[facts](ctx, r.DB, scope, `
		select s.commune_id, s.id, s.status,
			coalesce((select min(e.at) from shop_steps e where e.commune_id = s.commune_id and e.shop_id = s.id and e.kind = 'STARTED'), s.created_at) as started_at,
			(select min(e.at) from shop_steps e where e.commune_id = s.commune_id and e.shop_id = s.id and e.kind = 'VERIFIED') as verified_at,
			(select count(*) from (select from products p where p.commune_id = s.commune_id and p.shop_id = s.id and p.status = 'ACTIVE' limit $3) p) as products,
			exists (select from opening_hours h where h.commune_id = s.commune_id and h.shop_id = s.id) as hours,
			exists (select from fulfilments f where f.commune_id = s.commune_id and f.shop_id = s.id) as modes,
			(select min(o.placed_at) from orders o where o.commune_id = s.commune_id and o.shop_id = s.id) as first_order,
			(select max(o.updated_at) from orders o where o.commune_id = s.commune_id and o.shop_id = s.id
				and o.status in ('COLLECTED', 'DELIVERED') and o.updated_at > $4) as last_served
		from unnest($1::text[], $2::uuid[]) k (commune_id, id) join shops s using (commune_id, id)`, communes, rows, enoughProducts, now.Add(-activeFor))
	for i := range all {
		f := &all[i]
		verified := f.Status == Published || f.Status == Suspended || f.VerifiedAt != nil
		of[tenancy.RowID(tenancy.KindShop, f.CommuneID, f.ID)] = &Activation{[]*ActivationStep{
			{Kind: IsRegistered, Done: true, At: &f.StartedAt},
			{Kind: IsVerified, Done: verified, At: f.VerifiedAt},
			{Kind: HasProducts, Done: f.Products >= enoughProducts, Count: &f.Products},
			{Kind: HasHours, Done: f.Hours},
			{Kind: HasModes, Done: f.Modes},
			{Kind: HasOrder, Done: f.FirstOrder != nil, At: f.FirstOrder},
			{Kind: IsActive, Done: f.LastServed != nil, At: f.LastServed},
		}}
	}
	return of, err
}
