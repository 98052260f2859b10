package identity

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// Member is an account and roles that it holds.
type Member struct {
	Row   uuid.UUID
	Name  string
	Roles []*Role
}

// Account is the account's ID.
func (m *Member) Account() tenancy.ID { return tenancy.AccountID(m.Row) }

// List lists the members that act for a shop, for a commune as a whole or, given neither, for the
// platform, by name.
//
// Faults: FORBIDDEN for what the viewer does not decide on.
func (m *Members) List(ctx context.Context, v *Viewer, commune, shop *tenancy.ID) ([]*Member, error) {
	r, err := listed(commune, shop).check(v)
	if err != nil {
		return nil, err
	}
	return m.list(ctx, `g.commune_id is not distinct from $1 and g.shop_id is not distinct from $2`, r.CommuneID, r.ShopRow)
}

// listed is what a list is over: a shop, a commune or, given neither, the platform.
func listed(commune, shop *tenancy.ID) *RoleScope {
	s := &RoleScope{Role: Agent, Commune: commune, Shop: shop}
	switch {
	case shop != nil && commune == nil:
		s.Role = Merchant
	case shop == nil && commune == nil:
		s.Role = Admin
	}
	return s
}

// maxMembers bounds a list: no town hall has as many agents, and no shop as many hands.
const maxMembers = 500

func (m *Members) list(ctx context.Context, where string, args ...any) ([]*Member, error) {
	type row struct {
		Role
		AccountID uuid.UUID
		Name      string
	}
	rows, err := pg.Select[row](ctx, m.DB, pg.Scope{Role: pg.Identity}, `
		select g.account_id, a.name, g.role, g.commune_id, g.shop_id, g.granted_at
		from grants g join accounts a on a.id = g.account_id where `+where+`
		order by a.name collate french, a.id, g.role limit `+fmt.Sprint(maxMembers), args...)
	list := []*Member{}
	for i := range rows {
		r := &rows[i]
		if n := len(list); n == 0 || list[n-1].Row != r.AccountID {
			list = append(list, &Member{Row: r.AccountID, Name: r.Name})
		}
		last := list[len(list)-1]
		last.Roles = append(last.Roles, &r.Role)
	}
	return list, err
}
