// Package opendata publishes the directory for everybody to use again: the shops that a visitor
// sees, as CSV, JSON and GeoJSON under one Table Schema, and as schema.org's JSON-LD.
//
// Nothing personal is in it. A shop's telephone and web site are what it publishes to be reached
// by; its e-mail is left out, since a sole trader's is often a person's name, and a list of them is
// what senders of junk look for. Headcount and sales area are not public.
//
// For the same rows and the same day the same bytes come out, whatever the server: shops are in
// the order of their commune's code and their own slug, and nothing tells when the file was made.
package opendata

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"

	"github.com/audelor/halles/internal/calendar"
	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// Licence of everything that is published here.
const (
	Licence    = "etalab-2.0"
	LicenceURL = "https://www.etalab.gouv.fr/licence-ouverte-open-licence/"
)

// Data publishes.
type Data struct {
	DB        *pg.DB
	Communes  *tenancy.Register
	Directory *directory.Directory
	Now       func() time.Time // time.Now when nil
}

func (d *Data) now() time.Time {
	if d.Now != nil {
		return d.Now()
	}
	return time.Now()
}

// Format is how a file is written; it is the file's extension.
type Format string

// The formats.
const (
	CSV     Format = "csv"
	JSON    Format = "json"
	GeoJSON Format = "geojson"
)

// Formats lists them.
var Formats = []Format{CSV, JSON, GeoJSON}

// MediaType is the format's, as HTTP names it.
func (f Format) MediaType() string {
	switch f {
	case CSV:
		return "text/csv; charset=utf-8; header=present" // RFC 4180, RFC 7111
	case GeoJSON:
		return "application/geo+json" // RFC 7946
	}
	return "application/json; charset=utf-8"
}

// exceptionDays is how far ahead closures and special hours are told: a school holiday of two
// weeks, seen a month before.
const exceptionDays = 45

// page is how many shops are in memory at a time.
const page = 500

// Write writes the published shops of a commune, or of all where commune is "".
func (d *Data) Write(ctx context.Context, w io.Writer, format Format, commune string) error {
	codes, err := d.Communes.Codes(ctx)
	if err != nil {
		return err
	}
	if commune != "" {
		codes = []string{commune}
	}
	out := newWriter(format, w)
	if err := out.begin(); err != nil {
		return err
	}
	if err := d.each(ctx, codes, out.shop); err != nil {
		return fmt.Errorf("open data of %q as %s: %w", commune, format, err)
	}
	return out.end()
}

// row is a shop as the database has it.
type row struct {
	CommuneID       string
	ID              uuid.UUID
	Slug            string
	Name            string
	Siret           string
	NafCode         string
	NafVersion      string
	CategoryID      string
	Category        string
	Street          string
	Postcode        string
	City            string
	Latitude        float64
	Longitude       float64
	Phone           *string
	Website         *string
	Services        []string
	Accessibility   []string
	Pickup          bool
	Delivery        bool
	LastConfirmedAt *time.Time
	UpdatedAt       time.Time
	hours           string
}

// each tells the published shops, some at a time.
func (d *Data) each(ctx context.Context, codes []string, tell func(*row) error) error {
	everybody := pg.Scope{Role: pg.Public, Kind: "visitor", Communes: codes}
	commune, slug := "", ""
	for {
		shops, err := pg.Select[row](ctx, d.DB, everybody, `
			select s.commune_id, s.id, s.slug, s.name, s.siret, s.naf_code, s.naf_version, s.category_id, c.name as category,
				s.street, s.postcode, s.city, s.latitude, s.longitude, s.phone, s.website, s.services, s.accessibility,
				exists (select from fulfilments f where f.commune_id = s.commune_id and f.shop_id = s.id and f.mode = 'PICKUP') as pickup,
				exists (select from fulfilments f where f.commune_id = s.commune_id and f.shop_id = s.id and f.mode = 'DELIVERY') as delivery,
				s.last_confirmed_at, s.updated_at
			from shops s join categories c on c.id = s.category_id
			where s.commune_id = any($1) and s.status = 'PUBLISHED' and (s.commune_id, s.slug) > ($2::text collate "C", $3::text collate "C")
			order by s.commune_id, s.slug limit $4`, codes, commune, slug, page)
		if err != nil {
			return err
		}
		if err := d.addHours(ctx, codes, shops); err != nil {
			return err
		}
		for i := range shops {
			if err := tell(&shops[i]); err != nil {
				return err
			}
		}
		if len(shops) < page {
			return nil
		}
		commune, slug = shops[page-1].CommuneID, shops[page-1].Slug
	}
}

func (d *Data) addHours(ctx context.Context, codes []string, shops []row) error {
	ids := make([]tenancy.ID, len(shops))
	for i := range shops {
		ids[i] = shops[i].id()
	}
	of, err := d.hours(ctx, identity.Public(codes), ids)
	if err != nil {
		return err
	}
	first := calendar.DateOf(d.now())
	for i := range shops {
		if h := of[ids[i]]; h != nil {
			shops[i].hours = h.OSM(first, first+exceptionDays)
		}
	}
	return nil
}

// hours are when shops are open, closures and special hours to come among them.
func (d *Data) hours(ctx context.Context, v *identity.Viewer, ids []tenancy.ID) (map[tenancy.ID]*calendar.Hours, error) {
	shops, err := d.Directory.Calendars(ctx, v, ids, d.now())
	of := make(map[tenancy.ID]*calendar.Hours, len(shops))
	for id, shop := range shops {
		of[id] = &shop.Hours
	}
	return of, err
}

func (d *Data) hoursOf(ctx context.Context, v *identity.Viewer, id tenancy.ID) (*calendar.Hours, error) {
	of, err := d.hours(ctx, v, []tenancy.ID{id})
	if h := of[id]; h != nil {
		return h, err
	}
	return &calendar.Hours{}, err
}

func (r *row) id() tenancy.ID { return tenancy.RowID(tenancy.KindShop, r.CommuneID, r.ID) }
