package catalog

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/tenancy"
)

// UpdateProductInput is what to change of a product; what is absent stays.
type UpdateProductInput struct {
	Product     tenancy.ID
	Version     int
	Name        *string
	Description *string
	Category    *tenancy.ID
	OptionName  *string // what its variants differ in
}

// Update changes what is said of a product. Its slug stays: addresses that people keep lead to it.
func (c *Catalog) Update(ctx context.Context, v *identity.Viewer, in UpdateProductInput) (_ *ProductPayload, err error) {
	defer fault.Wrap(&err, "Update(%s)", in.Product)
	at := []string{"input"}
	if err := in.Product.Want(tenancy.KindProduct, under(at, "product")...); err != nil {
		return nil, err
	}
	var refusals []Refusal
	refused := func(r []Refusal) { refusals = append(refusals, r...) }
	var wrong []Refusal
	if in.Name != nil {
		*in.Name, wrong = checkName(*in.Name, under(at, "name"))
		refused(wrong)
	}
	if in.Description != nil {
		*in.Description, wrong = checkDescription(*in.Description, under(at, "description"))
		refused(wrong)
	}
	var category *string
	if in.Category != nil {
		if wrong, err = c.checkCategory(ctx, *in.Category, under(at, "category")); err != nil {
			return nil, err
		}
		category = &in.Category.Name
		refused(wrong)
	}
	if in.OptionName != nil {
		*in.OptionName = strings.TrimSpace(*in.OptionName)
		refused(checkOption(*in.OptionName, "-", under(at, "optionName")))
	}
	return c.edit(ctx, v, in.Product, in.Version, updatedProduct, func(e *edit) error {
		if e.refusals = refusals; len(refusals) > 0 {
			return nil
		}
		if in.OptionName != nil {
			if err := e.exec(`update variants set option_name = $3 where commune_id = $1 and product_id = $2 and option_value <> ''`, e.own(*in.OptionName)...); err != nil {
				return err
			}
		}
		return e.exec(`update products set name = coalesce($3, name), description = coalesce($4, description), category_id = coalesce($5, category_id)
			where commune_id = $1 and id = $2`, e.own(in.Name, in.Description, category)...)
	})
}

// ProductInput is a product as the viewer read it.
type ProductInput struct {
	Product tenancy.ID
	Version int
}

// Publish shows a product to the public, while its shop is published: a new one, or one that
// was archived.
func (c *Catalog) Publish(ctx context.Context, v *identity.Viewer, in ProductInput) (_ *ProductPayload, err error) {
	defer fault.Wrap(&err, "Publish(%s)", in.Product)
	if err := in.Product.Want(tenancy.KindProduct, "input", "product"); err != nil {
		return nil, err
	}
	return c.edit(ctx, v, in.Product, in.Version, publishedProduct, func(e *edit) error {
		if !slices.ContainsFunc(e.variants, func(x *Variant) bool { return !x.Archived }) {
			e.refuse(NoVariant, []string{"input", "product"}, "« %s » n'a aucune déclinaison à vendre ; ajoutez-en une d'abord.", e.product.Name)
			return nil
		}
		return e.exec(`update products set status = 'ACTIVE' where commune_id = $1 and id = $2`, e.own()...)
	})
}

// Archive takes a product out of the shop. Orders that name it stay as they are; Publish brings
// it back.
func (c *Catalog) Archive(ctx context.Context, v *identity.Viewer, in ProductInput) (_ *ProductPayload, err error) {
	defer fault.Wrap(&err, "Archive(%s)", in.Product)
	if err := in.Product.Want(tenancy.KindProduct, "input", "product"); err != nil {
		return nil, err
	}
	return c.edit(ctx, v, in.Product, in.Version, archivedProduct, func(e *edit) error {
		return e.exec(`update products set status = 'ARCHIVED' where commune_id = $1 and id = $2`, e.own()...)
	})
}

// PauseProductInput is a product to show and not to sell for a while.
type PauseProductInput struct {
	Product tenancy.ID
	Version int
	Until   *time.Time // when it is sold again by itself; nil: when it is resumed
}

// maxPause bounds a pause with an end: what lasts longer has none that anybody knows.
const maxPause = 366 * 24 * time.Hour

// Pause keeps a product visible and lets nobody order it.
func (c *Catalog) Pause(ctx context.Context, v *identity.Viewer, in PauseProductInput) (_ *ProductPayload, err error) {
	defer fault.Wrap(&err, "Pause(%s)", in.Product)
	if err := in.Product.Want(tenancy.KindProduct, "input", "product"); err != nil {
		return nil, err
	}
	return c.edit(ctx, v, in.Product, in.Version, pausedProduct, func(e *edit) error {
		if in.Until != nil && (!in.Until.After(e.now) || in.Until.After(e.now.Add(maxPause))) {
			e.refuse(DateOutOfRange, []string{"input", "until"}, "La date de retour est à venir, dans l'année ; sans date, la pause dure jusqu'à resumeProduct.")
			return nil
		}
		return e.exec(`update variants set paused = true, paused_until = $3 where commune_id = $1 and product_id = $2`, e.own(in.Until)...)
	})
}

// Resume ends a pause now.
func (c *Catalog) Resume(ctx context.Context, v *identity.Viewer, in ProductInput) (_ *ProductPayload, err error) {
	defer fault.Wrap(&err, "Resume(%s)", in.Product)
	if err := in.Product.Want(tenancy.KindProduct, "input", "product"); err != nil {
		return nil, err
	}
	return c.edit(ctx, v, in.Product, in.Version, resumedProduct, func(e *edit) error {
		return e.exec(`update variants set paused = false, paused_until = null where commune_id = $1 and product_id = $2`, e.own()...)
	})
}

// AddVariantInput is one more variant of a product.
type AddVariantInput struct {
	Product    tenancy.ID
	Version    int
	OptionName *string // when it is the second variant and the first has none
	NewVariantInput
}

// AddVariant adds a variant behind the others. Where it is the second, the first must say what
// it differs in: UpdateVariant, before.
func (c *Catalog) AddVariant(ctx context.Context, v *identity.Viewer, in AddVariantInput) (_ *ProductPayload, err error) {
	defer fault.Wrap(&err, "AddVariant(%s)", in.Product)
	at := []string{"input"}
	if err := in.Product.Want(tenancy.KindProduct, under(at, "product")...); err != nil {
		return nil, err
	}
	return c.edit(ctx, v, in.Product, in.Version, addedVariant, func(e *edit) error {
		option := ""
		for _, x := range e.variants {
			if option = x.OptionName; option != "" {
				break
			}
		}
		if in.OptionName != nil {
			option = strings.TrimSpace(*in.OptionName)
		}
		f, wrong := in.form(option, len(e.variants) > 0, at)
		e.refusals = wrong
		switch {
		case len(e.variants) >= maxVariants:
			e.refusals = append(e.refusals, tooMany(under(at, "product")))
		case slices.ContainsFunc(e.variants, func(x *Variant) bool { return strings.EqualFold(x.OptionValue, f.value) }):
			e.refuse(DuplicateOption, under(at, "optionValue"), "« %s » a déjà une déclinaison « %s ».", e.product.Name, f.value)
		case slices.ContainsFunc(e.variants, func(x *Variant) bool { return x.OptionValue == "" && !x.Archived }):
			e.refuse(OptionInvalid, under(at, "product"), "La première déclinaison ne dit pas encore en quoi elle diffère ; donnez-lui d'abord une valeur (updateVariant).")
		}
		wrong, err := checkForms(e.ctx, e.tx, e.product.ShopID(), []form{f}, e.now)
		if e.refusals = append(e.refusals, wrong...); err != nil || len(e.refusals) > 0 {
			return err
		}
		if err := insertForms(e.ctx, e.tx, e.product.ID(), []form{f}, e.now); err != nil || in.OptionName == nil {
			return err
		}
		return e.exec(`update variants set option_name = $3 where commune_id = $1 and product_id = $2 and option_value <> ''`, e.own(option)...)
	})
}
