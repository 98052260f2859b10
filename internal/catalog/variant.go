package catalog

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/money"
	"github.com/audelor/halles/internal/tenancy"
)

// editVariant makes a change of one variant of a product that stands at version.
func (c *Catalog) editVariant(ctx context.Context, v *identity.Viewer, id tenancy.ID, version int, action identity.AuditAction, do func(*edit, *Variant) error) (_ *ProductPayload, err error) {
	defer fault.Wrap(&err, "%s(%s)", action, id)
	product, err := c.productOf(ctx, v, id)
	if err != nil {
		return nil, err
	}
	return c.edit(ctx, v, product, version, action, func(e *edit) error {
		x := e.variant(id)
		if x == nil {
			return fmt.Errorf("variant %s is not in its product", id)
		}
		if err := do(e, x); err != nil || len(e.refusals) > 0 {
			return err
		}
		return e.exec(`update variants set version = version + 1 where commune_id = $1 and id = $2`, id.Commune, id.Row)
	})
}

// UpdateVariantInput is what to change of a variant; what is absent stays.
type UpdateVariantInput struct {
	Variant     tenancy.ID
	Version     int     // of its product
	OptionName  *string // of all the product's variants
	OptionValue *string
	Sku         *string
}

// UpdateVariant changes what a variant is called.
func (c *Catalog) UpdateVariant(ctx context.Context, v *identity.Viewer, in UpdateVariantInput) (*ProductPayload, error) {
	at := []string{"input"}
	return c.editVariant(ctx, v, in.Variant, in.Version, updatedVariant, func(e *edit, x *Variant) error {
		option, value, sku := x.OptionName, x.OptionValue, x.SKU
		if in.OptionName != nil {
			option = strings.TrimSpace(*in.OptionName)
		}
		if in.OptionValue != nil {
			value = strings.TrimSpace(*in.OptionValue)
		}
		if in.OptionName != nil || in.OptionValue != nil {
			e.refusals = append(e.refusals, checkOption(option, value, under(at, "optionValue"))...)
		}
		if slices.ContainsFunc(e.variants, func(o *Variant) bool { return o != x && strings.EqualFold(o.OptionValue, value) }) {
			e.refuse(DuplicateOption, under(at, "optionValue"), "« %s » a déjà une déclinaison « %s ».", e.product.Name, value)
		}
		if in.Sku != nil {
			var wrong []Refusal
			sku, wrong = checkSKU(*in.Sku, under(at, "sku"))
			e.refusals = append(e.refusals, wrong...)
		}
		if len(e.refusals) > 0 {
			return nil
		}
		if err := e.exec(`update variants set option_value = $3, sku = $4 where commune_id = $1 and id = $2`, x.CommuneID, x.Row, value, sku); err != nil {
			return err
		}
		return e.exec(`update variants set option_name = $3 where commune_id = $1 and product_id = $2 and option_value <> '' and option_name <> $3`, e.own(option)...)
	})
}

// VariantInput is a variant, of a product as the viewer read it.
type VariantInput struct {
	Variant tenancy.ID
	Version int // of its product
}

// ArchiveVariant takes a variant out of the shop; orders that name it stay as they are. The last
// one of a product that is public goes with its product.
func (c *Catalog) ArchiveVariant(ctx context.Context, v *identity.Viewer, in VariantInput) (*ProductPayload, error) {
	return c.editVariant(ctx, v, in.Variant, in.Version, archivedVariant, func(e *edit, x *Variant) error {
		if e.product.Status == Active && !slices.ContainsFunc(e.variants, func(o *Variant) bool { return o != x && !o.Archived }) {
			e.refuse(NoVariant, []string{"input", "variant"}, "C'est la dernière déclinaison en vente de « %s » ; archivez plutôt le produit.", e.product.Name)
			return nil
		}
		return e.exec(`update variants set archived = true, published = false where commune_id = $1 and id = $2`, x.CommuneID, x.Row)
	})
}

// RestoreVariant brings an archived variant back.
func (c *Catalog) RestoreVariant(ctx context.Context, v *identity.Viewer, in VariantInput) (*ProductPayload, error) {
	return c.editVariant(ctx, v, in.Variant, in.Version, restoredVariant, func(e *edit, x *Variant) error {
		return e.exec(`update variants v set archived = false, published = p.published from products p
			where v.commune_id = $1 and v.id = $2 and p.commune_id = v.commune_id and p.id = v.product_id`, x.CommuneID, x.Row)
	})
}

// SetPriceInput is a variant's new price.
type SetPriceInput struct {
	Variant    tenancy.ID
	Version    int // of its product
	PriceCents money.Cents
	VatRate    *money.BasisPoints // stays when absent
}

// SetPrice sets what customers pay from now on. Orders keep the price that they were placed at.
func (c *Catalog) SetPrice(ctx context.Context, v *identity.Viewer, in SetPriceInput) (*ProductPayload, error) {
	at := []string{"input"}
	return c.editVariant(ctx, v, in.Variant, in.Version, pricedVariant, func(e *edit, x *Variant) error {
		e.refusals = checkPrice(in.PriceCents, under(at, "priceCents"))
		if in.VatRate != nil {
			wrong, err := checkRate(e.ctx, e.tx, *in.VatRate, e.now, under(at, "vatRate"))
			if e.refusals = append(e.refusals, wrong...); err != nil {
				return err
			}
		}
		if len(e.refusals) > 0 {
			return nil
		}
		return e.exec(`update variants set price_cents = $3, vat_rate = coalesce($4, vat_rate) where commune_id = $1 and id = $2`,
			x.CommuneID, x.Row, in.PriceCents, in.VatRate)
	})
}
