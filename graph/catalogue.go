package graph

import (
	"time"

	"github.com/audelor/halles/graph/direct"
	"github.com/audelor/halles/graph/scalar"
	"github.com/audelor/halles/internal/calendar"
	"github.com/audelor/halles/internal/catalog"
	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/media"
	"github.com/audelor/halles/internal/money"
	"github.com/audelor/halles/internal/opendata"
	"github.com/audelor/halles/internal/ordering"
	"github.com/audelor/halles/internal/page"
	"github.com/audelor/halles/internal/tenancy"
)

// catalogue is what graph/direct answers: the types of the catalogue and their plain members, as
// gqlgen binds them, and their relations (catalogue_relations.go). What is missing here is answered
// by gqlgen; a mistake is found by the differential test.
func (r *Resolver) catalogue() direct.Table {
	return direct.New(append(members(), r.queryFields(), r.communeFields(), r.shopFields(), r.productFields(), r.variantFields(), r.categoryFields(),
		r.hoursFields(), r.restrictionFields(), r.shopConnectionFields(), r.productConnectionFields(), r.searchFields(), r.searchEdgeFields(), r.facetsFields(),
		r.communeFacetFields(), r.categoryFacetFields(), r.suggestionFields(), r.refusalFields(), r.causeFields())...)
}

// members are the types that have plain members only.
func members() []*direct.Type {
	return []*direct.Type{
		direct.Object("PageInfo",
			direct.Put("hasNextPage", func(p *page.Info) bool { return p.HasNextPage }, scalar.AppendBool),
			direct.Put("hasPreviousPage", func(p *page.Info) bool { return p.HasPreviousPage }, scalar.AppendBool),
			direct.PutOr("startCursor", func(p *page.Info) *string { return p.StartCursor }, scalar.AppendText),
			direct.PutOr("endCursor", func(p *page.Info) *string { return p.EndCursor }, scalar.AppendText)),
		direct.Object("GeoPoint",
			direct.Put("latitude", func(p *tenancy.Point) float64 { return p.Latitude }, scalar.AppendFloat),
			direct.Put("longitude", func(p *tenancy.Point) float64 { return p.Longitude }, scalar.AppendFloat)),
		direct.Object("Price",
			direct.Put("cents", func(p *money.Price) money.Cents { return p.Cents }, scalar.AppendCents),
			direct.Put("currency", (*money.Price).Currency, scalar.AppendText),
			direct.Put("formatted", (*money.Price).Formatted, scalar.AppendText)),
		direct.Object("PriceRange",
			direct.One("min", func(p *catalog.PriceRange) money.Price { return p.Min }),
			direct.One("max", func(p *catalog.PriceRange) money.Price { return p.Max })),
		direct.Object("Availability",
			direct.Put("orderable", func(a *catalog.Availability) bool { return a.Orderable }, scalar.AppendBool),
			direct.PutOr("quantityUpTo", func(a *catalog.Availability) *int { return a.QuantityUpTo }, scalar.AppendInt),
			direct.OneOr("because", func(a *catalog.Availability) *catalog.Reason { return a.Because })),
		direct.Object("UnavailableReason",
			direct.Put("code", func(u *catalog.Reason) catalog.ReasonCode { return u.Code }, scalar.AppendText),
			direct.Put("message", func(u *catalog.Reason) string { return u.Message }, scalar.AppendText),
			direct.PutOr("until", func(u *catalog.Reason) *time.Time { return u.Until }, scalar.AppendDateTime)),
		direct.Object("VariantOption",
			direct.Put("name", func(o *catalog.Option) string { return o.Name }, scalar.AppendText),
			direct.Put("value", func(o *catalog.Option) string { return o.Value }, scalar.AppendText)),
		direct.Object("ShopEdge",
			direct.Put("cursor", (*directory.ShopEdge).Cursor, scalar.AppendText),
			direct.OneAt("node", func(e *directory.ShopEdge) *directory.Shop { return e.Node }),
			direct.PutOr("distanceMetres", func(e *directory.ShopEdge) *int { return e.DistanceMetres }, scalar.AppendInt)),
		direct.Object("ProductEdge",
			direct.Put("cursor", (*catalog.ProductEdge).Cursor, scalar.AppendText),
			direct.OneAt("node", func(e *catalog.ProductEdge) *catalog.Product { return e.Node })),
		direct.Object("Naf",
			direct.Put("code", func(n *directory.Naf) string { return n.Code }, scalar.AppendText),
			direct.Put("version", func(n *directory.Naf) string { return n.Version }, scalar.AppendText)),
		direct.Object("Address",
			direct.Put("street", func(a *directory.Address) string { return a.Street }, scalar.AppendText),
			direct.Put("postcode", func(a *directory.Address) string { return a.Postcode }, scalar.AppendText),
			direct.Put("city", func(a *directory.Address) string { return a.City }, scalar.AppendText),
			direct.Put("insee", func(a *directory.Address) string { return a.Insee }, scalar.AppendText)),
		direct.Object("Contact",
			direct.PutOr("phone", func(c *directory.Contact) *string { return c.Phone }, scalar.AppendText),
			direct.PutOr("email", func(c *directory.Contact) *string { return c.Email }, scalar.AppendText),
			direct.PutOr("website", func(c *directory.Contact) *string { return c.Website }, scalar.AppendText)),
		direct.Object("OpeningInterval",
			direct.Put("weekday", func(i *directory.OpeningInterval) int { return i.Weekday }, scalar.AppendInt),
			direct.Put("opens", (*directory.OpeningInterval).Opens, scalar.AppendText),
			direct.Put("closes", (*directory.OpeningInterval).Closes, scalar.AppendText)),
		direct.Object("OpeningException",
			direct.Put("first", func(e *directory.OpeningException) calendar.Date { return e.First }, scalar.AppendDate),
			direct.Put("last", func(e *directory.OpeningException) calendar.Date { return e.Last }, scalar.AppendDate),
			direct.Each("intervals", func(e *directory.OpeningException) []directory.TimeInterval { return e.Intervals }),
			direct.Put("reason", func(e *directory.OpeningException) string { return e.Reason }, scalar.AppendText)),
		direct.Object("TimeInterval",
			direct.Put("opens", func(i *directory.TimeInterval) string { return i.Opens }, scalar.AppendText),
			direct.Put("closes", func(i *directory.TimeInterval) string { return i.Closes }, scalar.AppendText)),
		direct.Object("Fulfilment",
			direct.Put("mode", func(f *directory.Fulfilment) directory.FulfilmentMode { return f.Mode }, scalar.AppendText),
			direct.Put("leadMinutes", func(f *directory.Fulfilment) int { return f.LeadMinutes }, scalar.AppendInt),
			direct.PutOr("cutOffMinutes", func(f *directory.Fulfilment) *int { return f.CutOffMinutes }, scalar.AppendInt),
			direct.Put("slotMinutes", func(f *directory.Fulfilment) int { return f.SlotMinutes }, scalar.AppendInt),
			direct.PutOr("slotCapacity", func(f *directory.Fulfilment) *int { return f.SlotCapacity }, scalar.AppendInt),
			direct.One("minimum", (*directory.Fulfilment).Minimum),
			direct.One("fee", (*directory.Fulfilment).Fee),
			direct.PutOr("perimeterMetres", func(f *directory.Fulfilment) *int { return f.PerimeterMetres }, scalar.AppendInt)),
		direct.Object("Closure",
			direct.Put("id", (*directory.Closure).ID, scalar.AppendID),
			direct.Put("from", func(c *directory.Closure) time.Time { return c.StartsAt }, scalar.AppendDateTime),
			direct.PutOr("until", func(c *directory.Closure) *time.Time { return c.EndsAt }, scalar.AppendDateTime),
			direct.Put("reason", func(c *directory.Closure) string { return c.Reason }, scalar.AppendText)),
		direct.Object("OpeningSpan",
			direct.Put("start", func(s *calendar.Span) time.Time { return s.Start }, scalar.AppendDateTime),
			direct.Put("end", func(s *calendar.Span) time.Time { return s.End }, scalar.AppendDateTime)),
		direct.Object("ServiceStatus",
			direct.Put("open", func(s *calendar.Status) bool { return s.Open }, scalar.AppendBool),
			direct.PutOr("until", untilOf, scalar.AppendDateTime),
			direct.Put("text", func(s *calendar.Status) string { return s.Text }, scalar.AppendText),
			direct.OneOr("refusal", func(s *calendar.Status) *calendar.Refusal { return s.Refusal })),
		direct.Object("Regime",
			direct.Put("visitors", func(g *calendar.Regime) bool { return g.Visitors }, scalar.AppendBool),
			direct.PutEach("modes", (*calendar.Regime).Modes, scalar.AppendText),
			direct.PutOr("density", (*calendar.Regime).Density, scalar.AppendInt),
			direct.PutEach("conditions", func(g *calendar.Regime) []string { return g.Conditions }, scalar.AppendText),
			direct.EachAt("because", func(g *calendar.Regime) []*calendar.Restriction { return g.Because })),
		direct.Object("Slot",
			direct.Put("start", func(s *ordering.Slot) time.Time { return s.Start }, scalar.AppendDateTime),
			direct.Put("end", func(s *ordering.Slot) time.Time { return s.End }, scalar.AppendDateTime),
			direct.OneOr("refusal", func(s *ordering.Slot) *calendar.Refusal { return s.Refusal }),
			direct.PutOr("booked", func(s *ordering.Slot) *int { return s.Booked }, scalar.AppendInt),
			direct.PutOr("capacity", func(s *ordering.Slot) *int { return s.Capacity }, scalar.AppendInt)),
		direct.Object("Photo",
			direct.Put("id", (*media.Photo).ID, scalar.AppendID),
			direct.Put("url", (*media.Photo).URL, scalar.AppendText),
			direct.Put("smallUrl", (*media.Photo).SmallURL, scalar.AppendText),
			direct.Put("alt", func(p *media.Photo) string { return p.Alt }, scalar.AppendText),
			direct.Put("width", func(p *media.Photo) int { return p.Width }, scalar.AppendInt),
			direct.Put("height", func(p *media.Photo) int { return p.Height }, scalar.AppendInt)),
		direct.Object("ModeFacet",
			direct.Put("mode", func(f *catalog.ModeFacet) directory.FulfilmentMode { return f.Mode }, scalar.AppendText),
			direct.Put("count", func(f *catalog.ModeFacet) int { return f.Count }, scalar.AppendInt)),
		direct.Object("OpenDataLinks",
			direct.Put("csv", func(l *opendata.Links) string { return l.CSV }, scalar.AppendText),
			direct.Put("json", func(l *opendata.Links) string { return l.JSON }, scalar.AppendText),
			direct.Put("geojson", func(l *opendata.Links) string { return l.GeoJSON }, scalar.AppendText),
			direct.Put("schema", func(l *opendata.Links) string { return l.Schema }, scalar.AppendText),
			direct.Put("page", func(l *opendata.Links) string { return l.Page }, scalar.AppendText)),
		direct.Object("Viewer",
			direct.Put("kind", func(v *identity.Viewer) identity.Kind { return v.Kind }, scalar.AppendText),
			direct.PutOr("name", func(v *identity.Viewer) *string {
				if v.Name == "" {
					return nil
				}
				return &v.Name
			}, scalar.AppendText)),
	}
}

func untilOf(s *calendar.Status) *time.Time {
	if s.Until.IsZero() {
		return nil
	}
	return &s.Until
}
