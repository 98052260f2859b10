// Package directory is the register of shops: who they are, where, when they are open and how
// they hand over what was ordered. Products are the catalog's.
package directory

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/audelor/halles/internal/money"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// ShopStatus says who sees a shop.
type ShopStatus string

// DRAFT → PENDING (handed to the commune's agent) → PUBLISHED ⇄ SUSPENDED.
const (
	Draft     ShopStatus = "DRAFT"
	Pending   ShopStatus = "PENDING"
	Published ShopStatus = "PUBLISHED"
	Suspended ShopStatus = "SUSPENDED"
)

// FulfilmentMode is how an order reaches the customer.
type FulfilmentMode string

// The two modes.
const (
	Pickup   FulfilmentMode = "PICKUP"   // click & collect, without entering the shop
	Delivery FulfilmentMode = "DELIVERY" // by the shop, within its perimeter
)

// Valid tells whether m is one of the modes.
func (m FulfilmentMode) Valid() bool { return m == Pickup || m == Delivery }

// Shop is a boutique of one commune.
type Shop struct {
	CommuneID       string
	Row             uuid.UUID `db:"id"`
	Slug            string
	Name            string
	Description     string
	CategoryID      string
	NafCode         string
	NafVersion      string
	Siret           Siret
	Status          ShopStatus
	Street          string
	Postcode        string
	City            string
	Latitude        float64
	Longitude       float64
	Phone           *string
	Email           *string
	Website         *string
	Services        []string
	Accessibility   []string
	LastConfirmedAt *time.Time
	UpdatedAt       time.Time
	Version         int
}

const shopColumns = `s.commune_id, s.id, s.slug, s.name, s.description, s.category_id, s.naf_code, s.naf_version,
	s.siret, s.status, s.street, s.postcode, s.city, s.latitude, s.longitude, s.phone, s.email, s.website,
	s.services, s.accessibility, s.last_confirmed_at, s.updated_at, s.version`

// cardColumns are what a list shows of a shop: see Cards.
const cardColumns = `s.commune_id, s.id, s.slug, s.name, s.category_id, s.status, s.street, s.postcode, s.city, s.services`

// Cards is the directory for who shows no more of a shop than its IDs, slug, name, category, status,
// address and services: its look-ups and lists leave all else of Shop empty. A page of 20 costs
// Postgres half as much.
func (d *Directory) Cards() *Directory {
	cards := *d
	cards.cards = true
	return &cards
}

// Columns are those that it reads of a table `s`.
func (d *Directory) Columns() string {
	if d.cards {
		return cardColumns
	}
	return shopColumns
}

// read reads rows with the columns of shops.
func read[T any](ctx context.Context, d *Directory, s pg.Scope, sql string, args ...any) ([]T, error) {
	if d.cards {
		return pg.SelectPart[T](ctx, d.DB, s, sql, args...)
	}
	return pg.Select[T](ctx, d.DB, s, sql, args...)
}

// ID is the shop's global ID.
func (s *Shop) ID() tenancy.ID { return tenancy.RowID(tenancy.KindShop, s.CommuneID, s.Row) }

// IsNode marks a type with an ID of its own.
func (*Shop) IsNode() {}

// IsEntity marks a type that other subgraphs may extend.
func (*Shop) IsEntity() {}

// Location is the shop's door, WGS84.
func (s *Shop) Location() tenancy.Point {
	return tenancy.Point{Latitude: s.Latitude, Longitude: s.Longitude}
}

// Naf is the shop's activity.
func (s *Shop) Naf() Naf { return Naf{Code: s.NafCode, Version: s.NafVersion} }

// Address is where the shop is, in the commune that it belongs to.
func (s *Shop) Address() Address {
	return Address{Street: s.Street, Postcode: s.Postcode, City: s.City, Insee: s.CommuneID}
}

// Contact is how to reach the shop.
func (s *Shop) Contact() Contact { return Contact{Phone: s.Phone, Email: s.Email, Website: s.Website} }

// Naf is an activity of the Nomenclature d'activités française.
type Naf struct {
	Code    string // "47.71Z"
	Version string // REV2 until 2026-12-31, 2025 after
}

// Address is a postal address in a commune.
type Address struct {
	Street   string
	Postcode string
	City     string
	Insee    string
}

// Contact is what a shop publishes to be reached by; each part may be missing.
type Contact struct {
	Phone   *string // E.164
	Email   *string
	Website *string
}

// OpeningInterval is one opening of a weekday, local time of Europe/Paris.
type OpeningInterval struct {
	CommuneID string
	ShopID    uuid.UUID
	Weekday   int // ISO 8601: 1 is Monday
	OpensMin  int `db:"opens"`  // minutes after midnight
	ClosesMin int `db:"closes"` // minutes after the same midnight; over 1440 is the next day
}

// OpeningHours is when a shop is open.
type OpeningHours struct {
	ShopID tenancy.ID
	Weekly []OpeningInterval // Monday first
}

// Opens is the time of opening, "09:30".
func (i OpeningInterval) Opens() string { return clock(i.OpensMin) }

// Closes is the time of closing, "19:00"; before Opens when it is on the next day.
func (i OpeningInterval) Closes() string { return clock(i.ClosesMin % 1440) }

func clock(minutes int) string { return fmt.Sprintf("%02d:%02d", minutes/60, minutes%60) }

// Fulfilment is a mode that a shop offers, with its conditions.
type Fulfilment struct {
	CommuneID       string
	ShopID          uuid.UUID
	Mode            FulfilmentMode
	LeadMinutes     int         // from the order to the earliest hand-over
	CutOffMinutes   *int        `db:"cut_off"` // see the column
	SlotMinutes     int         // how long a slot lasts; 0: each opening is one
	SlotCapacity    *int        // orders that a slot takes; nil: as many as come, and none need be chosen
	MinimumCents    money.Cents // of the items, VAT included
	FeeCents        money.Cents
	PerimeterMetres *int `db:"perimeter_m"` // around the shop; DELIVERY only
}

const fulfilmentColumns = `f.commune_id, f.shop_id, f.mode, f.lead_minutes, f.cut_off, f.slot_minutes, f.slot_capacity, f.minimum_cents, f.fee_cents, f.perimeter_m`

// Minimum is the least that must be ordered.
func (f Fulfilment) Minimum() money.Price { return money.Price{Cents: f.MinimumCents} }

// Fee is what the mode costs the customer.
func (f Fulfilment) Fee() money.Price { return money.Price{Cents: f.FeeCents} }
