package directory

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/patch"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// UpdateShopInput changes a shop's profile: what is absent stays as it was, null takes away what
// a shop need not have.
type UpdateShopInput struct {
	Shop          tenancy.ID
	Version       int // that the change was made to
	Name          *string
	Description   *string
	Category      *tenancy.ID
	Naf           *string
	Street        *string
	Postcode      *string
	City          *string
	Location      *tenancy.Point
	Phone         patch.Field[string]
	Email         patch.Field[string]
	Website       patch.Field[string]
	Services      []string // nil: as they were
	Accessibility []string
	SalesAreaM2   patch.Field[int]
	Headcount     patch.Field[int]
}

// field is a value that cannot be taken away.
func field[T any](value *T) patch.Field[T] {
	return patch.Field[T]{Set: value != nil, Value: value}
}

// check refuses what the client could have known to be wrong, and returns the columns to write.
func (in *UpdateShopInput) check() (assignments, error) {
	c := checker{path: []string{"input"}}
	for _, f := range []struct {
		name, column string
		value        *string
		most         int
	}{
		{"name", "name", in.Name, maxShopName}, {"street", "street", in.Street, maxStreet}, {"city", "city", in.City, maxCity},
	} {
		if c.text(f.name, f.column, field(f.value), f.most) == nil && f.value != nil {
			c.wrong(f.name, "Une boutique ne peut pas s'en passer : donnez un texte, ou retirez %s.", f.name)
		}
	}
	if in.Description != nil { // which may be empty
		if c.text("description", "description", field(in.Description), maxDescription) == nil {
			c.set[len(c.set)-1].value = ""
		}
	}
	c.category(field(in.Category))
	c.naf(field(in.Naf))
	c.postcode(field(in.Postcode))
	c.point(in.Location)
	c.phone("phone", "phone", in.Phone)
	c.email("email", "email", in.Email)
	c.read("website", "website", in.Website, website, "%s n'est pas l'adresse d'un site ; écrivez https://exemple.fr.")
	c.words("services", "services", in.Services)
	c.words("accessibility", "accessibility", in.Accessibility)
	c.count("salesAreaM2", "sales_area_m2", in.SalesAreaM2, maxSalesArea)
	c.count("headcount", "headcount", in.Headcount, maxHeadcount)
	return c.set, c.err
}

// Update changes a shop's profile: by its merchant, an agent of its commune or an admin. Its SIRET
// and its commune stay: with others it is another shop.
//
// Faults: NOT_FOUND for a shop that is not the viewer's, INVALID for what is wrong in itself,
// CONFLICT for a version that is no longer the shop's.
func (r *Registrations) Update(ctx context.Context, v *identity.Viewer, in UpdateShopInput) (_ *ShopLifePayload, err error) {
	defer fault.Wrap(&err, "Update(%s)", in.Shop)
	if err := in.Shop.Want(tenancy.KindShop, "input", "shop"); err != nil {
		return nil, err
	}
	set, err := in.check()
	if err != nil {
		return nil, err
	}
	d := Directory{DB: r.DB}
	found, err := d.ByIDs(ctx, v, []tenancy.ID{in.Shop})
	if err != nil {
		return nil, err
	}
	if found[in.Shop] == nil {
		return nil, in.Shop.NotFound()
	}
	if !v.Runs(in.Shop) && (v.Kind != identity.Agent && v.Kind != identity.Admin || !v.Serves(in.Shop.Commune)) {
		return nil, fault.Errorf(fault.Forbidden, "Seuls le commerçant, les agents de la commune et les administrateurs modifient une boutique.")
	}
	as := reader{scope: v.Scope().In(in.Shop.Commune), kind: v.Kind, by: v}
	p := &ShopLifePayload{Refusals: []DirectoryRefusal{}}
	err = r.DB.Write(ctx, as.scope, func(ctx context.Context, tx pgx.Tx) error {
		before, err := shopTx(ctx, tx, in.Shop)
		if err != nil {
			return err
		}
		if before.Version != in.Version {
			return fault.Errorf(fault.Conflict, "Cette boutique a été modifiée entre-temps (version %d). Relisez-la, puis recommencez.", before.Version)
		}
		if p.Shop = before; len(set) == 0 {
			return nil
		}
		now, changed := r.now(), set
		if in.Naf != nil {
			changed = append(changed[:len(changed):len(changed)], assignment{"naf_version", nafVersion(now)})
		}
		if p.Shop, err = setShopTx(ctx, tx, in.Shop, 1, append(changed[:len(changed):len(changed)], assignment{"updated_at", now})); err != nil {
			return err
		}
		if err := d.spansTx(ctx, tx, now, in.Shop); err != nil { // restrictions ask for trade and area
			return err
		}
		return auditShopTx(ctx, tx, as, auditUpdate, before, p.Shop, now)
	})
	if pg.Constraint(err) == "shops_category_fkey" {
		err = fault.At([]string{"input", "category"}, "Cette catégorie n'existe pas ; categories donne celles qu'il y a.")
	}
	if err != nil {
		return nil, err
	}
	return p, nil
}
