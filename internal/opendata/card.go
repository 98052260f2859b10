package opendata

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/audelor/halles/internal/calendar"
	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// Card is a published shop as its page shows it, and as search engines read it.
type Card struct {
	URL         string
	Name        string
	Description string
	Category    string
	Commune     string
	Street      string
	Postcode    string
	City        string
	Phone       string
	Website     string
	Pickup      bool
	Delivery    bool
	Hours       []DayHours
	JSONLD      []byte
}

// DayHours is a weekday and its openings, in French.
type DayHours struct {
	Day   string
	Times []string // "9 h – 12 h 30", or "fermé"
}

// Card is the published shop with a slug, of the commune with a slug. site is where our pages are:
// "https://marche.example".
//
// Faults: NOT_FOUND.
func (d *Data) Card(ctx context.Context, site, commune, slug string) (*Card, error) {
	in, err := d.Communes.Find(ctx, nil, &commune)
	if err != nil {
		return nil, err
	}
	found, err := pg.SelectScalars[uuid.UUID](ctx, d.DB, pg.Scope{Role: pg.Public, Kind: "visitor", Communes: []string{in.Insee}},
		`select id from shops where commune_id = $1 and slug = $2 and status = 'PUBLISHED'`, in.Insee, slug)
	if err != nil {
		return nil, fmt.Errorf("shop %s of %s: %w", slug, commune, err)
	}
	if len(found) == 0 {
		return nil, fault.Errorf(fault.NotFound, "Il n'y a pas de boutique publiée à cette adresse.")
	}
	id := tenancy.RowID(tenancy.KindShop, in.Insee, found[0])
	everybody := identity.Public([]string{in.Insee})
	shops, err := d.Directory.ByIDs(ctx, everybody, []tenancy.ID{id})
	if err != nil {
		return nil, err
	}
	s := shops[id]
	if s == nil {
		return nil, fault.Errorf(fault.NotFound, "Il n'y a pas de boutique publiée à cette adresse.")
	}
	return d.card(ctx, site, in, s)
}

// JSONLD is a shop as schema.org describes it.
func (d *Data) JSONLD(ctx context.Context, site string, s *directory.Shop) (string, error) {
	in, err := d.Communes.ByInsee(ctx, s.CommuneID)
	if err != nil {
		return "", err
	}
	card, err := d.card(ctx, site, in, s)
	if err != nil {
		return "", err
	}
	return string(card.JSONLD), nil
}

// thing is schema.org's Store (https://schema.org/Store).
type thing struct {
	Context     string   `json:"@context"`
	Type        string   `json:"@type"`
	ID          string   `json:"@id"`
	URL         string   `json:"url"`
	Name        string   `json:"name"`
	Description string   `json:"description,omitempty"`
	Identifier  property `json:"identifier"`
	Address     address  `json:"address"`
	Geo         geo      `json:"geo"`
	Telephone   string   `json:"telephone,omitempty"`
	SameAs      string   `json:"sameAs,omitempty"`
	calendar.SchemaOrg
}

type property struct {
	Type  string `json:"@type"`
	Name  string `json:"propertyID"`
	Value string `json:"value"`
}

type address struct {
	Type     string `json:"@type"`
	Street   string `json:"streetAddress"`
	Postcode string `json:"postalCode"`
	City     string `json:"addressLocality"`
	Country  string `json:"addressCountry"`
}

type geo struct {
	Type      string  `json:"@type"`
	Latitude  float64 `json:"latitude"`
	Longitude float64 `json:"longitude"`
}

func (d *Data) card(ctx context.Context, site string, in *tenancy.Commune, s *directory.Shop) (*Card, error) {
	everybody, id := identity.Public([]string{in.Insee}), s.ID()
	hours, err := d.hoursOf(ctx, everybody, id)
	if err != nil {
		return nil, err
	}
	modes, err := d.Directory.FulfilmentsOf(ctx, everybody, []tenancy.ID{id})
	if err != nil {
		return nil, err
	}
	names, err := pg.SelectScalars[string](ctx, d.DB, everybody.Scope(), `select name from categories where id = $1`, s.CategoryID)
	if err != nil {
		return nil, err
	}
	c := &Card{
		URL: site + "/boutique/" + in.Slug + "/" + s.Slug, Name: s.Name, Description: s.Description, Category: strings.Join(names, ""), Commune: in.Name,
		Street: s.Street, Postcode: s.Postcode, City: s.City, Phone: deref(s.Phone), Website: deref(s.Website), Hours: frenchWeek(&hours.Week),
	}
	for _, f := range modes[id] {
		c.Pickup, c.Delivery = c.Pickup || f.Mode == directory.Pickup, c.Delivery || f.Mode == directory.Delivery
	}
	today := calendar.DateOf(d.now())
	c.JSONLD, err = json.MarshalIndent(thing{
		Context: "https://schema.org", Type: "Store", ID: c.URL, URL: c.URL, Name: c.Name, Description: c.Description,
		Identifier: property{"PropertyValue", "SIRET", string(s.Siret)},
		Address:    address{"PostalAddress", s.Street, s.Postcode, s.City, "FR"},
		Geo:        geo{"GeoCoordinates", s.Latitude, s.Longitude},
		Telephone:  c.Phone, SameAs: c.Website, SchemaOrg: hours.SchemaOrg(today, today+exceptionDays),
	}, "", "  ")
	return c, err
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

var frenchDays = [7]string{"lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"}

// frenchWeek is the week as a notice on the door has it; none when the shop tells no hours.
func frenchWeek(week *calendar.Week) []DayHours {
	var days []DayHours
	told := false
	for i, day := range week {
		times := make([]string, len(day))
		for n, o := range day {
			times[n] = o.Text()
		}
		told = told || len(day) > 0
		if len(day) == 0 {
			times = []string{"fermé"}
		}
		days = append(days, DayHours{frenchDays[i], times})
	}
	if !told {
		return nil
	}
	return days
}
