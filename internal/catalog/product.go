// Package catalog is what shops sell: categories, products, their variants and the stock; and how
// people find it.
//
// For whoever makes figures of it: search_misses (place, day, searches) counts the searches that
// found nothing, by the commune that was searched or, for a search over several, the place "", and
// by the day in Europe/Paris; search_miss_terms (place, day, term, sessions) has what three distinct
// sessions or more of a day searched there in vain, for 13 months. halles_worker reads both. A
// search counts in one place only, so that places add up; those narrowed by category, mode or hour
// do not count. A person's second try of the same day counts as a search, and as one session.
package catalog

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/audelor/halles/internal/calendar"
	"github.com/audelor/halles/internal/money"
	"github.com/audelor/halles/internal/tenancy"
)

// Category is a trade or a kind of goods, in one tree of two levels for all communes.
type Category struct {
	Slug     string  `db:"id"`
	ParentID *string // null at the root
	Name     string
	Position int
}

// ID is the category's global ID.
func (c *Category) ID() tenancy.ID { return CategoryID(c.Slug) }

// CategoryID is the ID of the category with this slug.
func CategoryID(slug string) tenancy.ID {
	return tenancy.ID{Kind: tenancy.KindCategory, Name: slug}
}

// IsNode marks a type with an ID of its own.
func (*Category) IsNode() {}

// IsEntity marks a type that other subgraphs may extend.
func (*Category) IsEntity() {}

// ProductStatus says who sees a product.
type ProductStatus string

// DRAFT → ACTIVE ⇄ ARCHIVED. Only ACTIVE products of published shops are public.
const (
	Draft    ProductStatus = "DRAFT"
	Active   ProductStatus = "ACTIVE"
	Archived ProductStatus = "ARCHIVED"
)

// Product is what a shop sells, in one or several variants.
type Product struct {
	CommuneID   string
	Row         uuid.UUID `db:"id"`
	ShopRow     uuid.UUID `db:"shop_id"`
	Slug        string
	Name        string
	Description string
	CategoryID  string
	Status      ProductStatus
	UpdatedAt   time.Time
	Version     int
}

const productColumns = `p.commune_id, p.id, p.shop_id, p.slug, p.name, p.description, p.category_id, p.status, p.updated_at, p.version`

// ID is the product's global ID.
func (p *Product) ID() tenancy.ID { return tenancy.RowID(tenancy.KindProduct, p.CommuneID, p.Row) }

// ShopID is the ID of the shop that sells it.
func (p *Product) ShopID() tenancy.ID { return tenancy.RowID(tenancy.KindShop, p.CommuneID, p.ShopRow) }

// IsNode marks a type with an ID of its own.
func (*Product) IsNode() {}

// IsEntity marks a type that other subgraphs may extend.
func (*Product) IsEntity() {}

// Variant is one orderable form of a product.
type Variant struct {
	CommuneID   string
	Row         uuid.UUID `db:"id"`
	ProductRow  uuid.UUID `db:"product_id"`
	ShopRow     uuid.UUID `db:"shop_id"`
	Position    int       // in the merchant's order
	SKU         string    `db:"sku"`
	OptionName  string
	OptionValue string
	PriceCents  money.Cents
	VATRate     money.BasisPoints `db:"vat_rate"`
	Available   int               // pieces left, as the public sees them: 5 is 5 or more
	Archived    bool              // no longer sold
	Paused      bool              // not sold now, for a while; see Catalog.Pause
	PausedUntil *time.Time        // by itself; nil: until the merchant says so
	Version     int
}

const variantColumns = `v.commune_id, v.id, v.product_id, v.shop_id, v.position, v.sku, v.option_name, v.option_value, v.price_cents, v.vat_rate, v.available,
	v.archived, v.paused and coalesce(v.paused_until > now(), true) as paused, v.paused_until, v.version`

// ID is the variant's global ID.
func (v *Variant) ID() tenancy.ID { return tenancy.RowID(tenancy.KindVariant, v.CommuneID, v.Row) }

// ProductID is the ID of the product that it is a form of.
func (v *Variant) ProductID() tenancy.ID {
	return tenancy.RowID(tenancy.KindProduct, v.CommuneID, v.ProductRow)
}

// ShopID is the ID of the shop that sells it.
func (v *Variant) ShopID() tenancy.ID { return tenancy.RowID(tenancy.KindShop, v.CommuneID, v.ShopRow) }

// IsNode marks a type with an ID of its own.
func (*Variant) IsNode() {}

// IsEntity marks a type that other subgraphs may extend.
func (*Variant) IsEntity() {}

// Option is what tells the variant from its siblings; null where there is only one.
func (v *Variant) Option() *Option {
	if v.OptionName == "" {
		return nil
	}
	return &Option{Name: v.OptionName, Value: v.OptionValue}
}

// Price is what the customer pays for one piece.
func (v *Variant) Price() money.Price { return money.Price{Cents: v.PriceCents} }

// Availability says whether it can be ordered now.
func (v *Variant) Availability() Availability {
	switch {
	case v.Paused:
		return paused(v.PausedUntil)
	case v.Archived:
		return availability(0)
	}
	return availability(v.Available)
}

// Option is a property in which variants differ: "Taille" "38".
type Option struct {
	Name  string
	Value string
}

// Availability says whether something can be ordered, and if not, why.
type Availability struct {
	Orderable    bool
	QuantityUpTo *int // at most this many in one order; 5 is 5 or more
	Because      *Reason
}

// Reason is why something cannot be ordered.
type Reason struct {
	Code    ReasonCode
	Message string     // a French sentence for the customer
	Until   *time.Time // ON_PAUSE: when it is sold again; nil: nobody knows yet
}

// ReasonCode is a Reason for programs.
type ReasonCode string

// OutOfStock says that no piece is left; OnPause that there are, and none is sold for a while.
const (
	OutOfStock ReasonCode = "OUT_OF_STOCK"
	OnPause    ReasonCode = "ON_PAUSE"
)

func availability(pieces int) Availability {
	if pieces < 1 {
		return Availability{Because: &Reason{Code: OutOfStock, Message: "Épuisé pour le moment ; le commerçant peut vous dire quand il en aura."}}
	}
	return Availability{Orderable: true, QuantityUpTo: &pieces}
}

func paused(until *time.Time) Availability {
	message := "Pas en vente en ce moment ; le commerçant peut vous dire quand il le sera de nouveau."
	if until != nil {
		year, month, day := calendar.DateOf(*until).Civil()
		message = fmt.Sprintf("Pas en vente en ce moment ; de nouveau à partir du %02d/%02d/%d.", day, month, year)
	}
	return Availability{Because: &Reason{Code: OnPause, Message: message, Until: until}}
}

// PriceRange is the lowest and the highest price among a product's variants.
type PriceRange struct {
	Min money.Price
	Max money.Price
}

// RangeOf is the price range of variants; nil for none. Archived ones do not count.
func RangeOf(variants []*Variant) *PriceRange {
	var r *PriceRange
	for _, v := range variants {
		switch p := v.Price(); {
		case v.Archived:
		case r == nil:
			r = &PriceRange{Min: p, Max: p}
		case p.Cents < r.Min.Cents:
			r.Min = p
		case p.Cents > r.Max.Cents:
			r.Max = p
		}
	}
	return r
}

// BestOf is the availability of a product: that of its most available variant.
func BestOf(variants []*Variant) *Availability {
	best := availability(0)
	for _, v := range variants {
		switch a := v.Availability(); {
		case v.Archived:
		case a.Orderable && (!best.Orderable || *a.QuantityUpTo > *best.QuantityUpTo), !best.Orderable && a.Because != nil && a.Because.Code == OnPause:
			best = a
		}
	}
	return &best
}
