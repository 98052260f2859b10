package graph

import (
	"context"
	"time"

	"github.com/audelor/halles/graph/direct"
	"github.com/audelor/halles/graph/scalar"
	"github.com/audelor/halles/internal/calendar"
	"github.com/audelor/halles/internal/catalog"
	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/media"
	"github.com/audelor/halles/internal/money"
	"github.com/audelor/halles/internal/ordering"
	"github.com/audelor/halles/internal/tenancy"
)

// The relations of the catalogue: the resolvers of gqlgen themselves, and which keys they will load.

// asks asks one loader ahead for a key of each object.
func asks[P, V any](loader func(*loaders) *loaderByID[V], key func(P) tenancy.ID) func(context.Context, *direct.Batch, P) {
	return func(ctx context.Context, b *direct.Batch, object P) { direct.Ask(b, loader(load(ctx)), key(object)) }
}

func variantsLoader(l *loaders) *loaderByID[[]*catalog.Variant]    { return l.variantsOf }
func noticeLoader(l *loaders) *loaderByID[*identity.CommuneNotice] { return l.other().notice }
func shopLoader(l *loaders) *loaderByID[*directory.Shop]           { return l.shop }

// asksCalendar asks ahead for what the calendar knows of a shop about an instant.
func (r *Resolver) asksCalendar(ctx context.Context, b *direct.Batch, shop tenancy.ID, at *time.Time) {
	if _, from, err := r.Directory.Instant(at, "at"); err == nil {
		direct.Ask(b, load(ctx).other().calendar, calendarKey{from, shop})
	}
}

func (r *Resolver) queryFields() *direct.Type {
	q := &queryResolver{(*Features)(r)}
	return direct.Object("Query",
		direct.EachBy("communes", direct.By(func(ctx context.Context, _ *direct.Query) ([]*tenancy.Commune, error) { return q.Communes(ctx) }, nil)),
		direct.OneBy("commune", direct.Relation[*direct.Query, communeArgs, *tenancy.Commune]{
			Args: func(a *direct.Args) communeArgs { return communeArgs{a.TextOr("insee"), a.TextOr("slug")} },
			Call: func(ctx context.Context, _ *direct.Query, a communeArgs) (*tenancy.Commune, error) {
				return q.Commune(ctx, a.insee, a.slug)
			},
		}),
		direct.OneBy("viewer", direct.By(func(ctx context.Context, _ *direct.Query) (*identity.Viewer, error) { return q.Viewer(ctx) }, nil)),
		direct.OneBy("shops", direct.Relation[*direct.Query, shopsArgs, *directory.ShopConnection]{
			Args: shopsOf, IO: true,
			Call: func(ctx context.Context, _ *direct.Query, a shopsArgs) (*directory.ShopConnection, error) {
				return q.Shops(ctx, a.filter, a.near, a.orderBy, a.first, a.after)
			},
		}),
		direct.OneBy("shop", direct.Relation[*direct.Query, tenancy.ID, *directory.Shop]{
			Args: idOf,
			Ask: func(ctx context.Context, b *direct.Batch, _ *direct.Query, id tenancy.ID) {
				if id.Kind == tenancy.KindShop {
					direct.Ask(b, load(ctx).shop, id)
				}
			},
			Stub: func(_ *direct.Query, id tenancy.ID) (*directory.Shop, bool) {
				return &directory.Shop{CommuneID: id.Commune, Row: id.Row}, id.Kind == tenancy.KindShop
			},
			Call: func(ctx context.Context, _ *direct.Query, id tenancy.ID) (*directory.Shop, error) {
				return q.Shop(ctx, id)
			},
		}),
		direct.EachBy("categories", direct.By(func(ctx context.Context, _ *direct.Query) ([]*catalog.Category, error) { return q.Categories(ctx) }, nil)),
		direct.OneBy("products", direct.Relation[*direct.Query, productsArgs, *catalog.ProductConnection]{
			Args: productsOf, IO: true,
			Call: func(ctx context.Context, _ *direct.Query, a productsArgs) (*catalog.ProductConnection, error) {
				return q.Products(ctx, a.filter, a.first, a.after)
			},
		}),
		direct.OneBy("product", direct.Relation[*direct.Query, tenancy.ID, *catalog.Product]{
			Args: idOf,
			Ask: func(ctx context.Context, b *direct.Batch, _ *direct.Query, id tenancy.ID) {
				if id.Kind == tenancy.KindProduct {
					direct.Ask(b, load(ctx).product, id)
				}
			},
			Stub: func(_ *direct.Query, id tenancy.ID) (*catalog.Product, bool) {
				return &catalog.Product{CommuneID: id.Commune, Row: id.Row}, id.Kind == tenancy.KindProduct
			},
			Call: func(ctx context.Context, _ *direct.Query, id tenancy.ID) (*catalog.Product, error) {
				return q.Product(ctx, id)
			},
		}),
		direct.OneBy("search", direct.Relation[*direct.Query, searchArgs, *catalog.SearchConnection]{
			Args: searchOf, IO: true,
			Call: func(ctx context.Context, _ *direct.Query, a searchArgs) (*catalog.SearchConnection, error) {
				return q.Search(ctx, a.text, a.filter, a.near, a.first, a.after)
			},
		}),
		direct.EachBy("suggest", direct.Relation[*direct.Query, suggestArgs, []*catalog.Suggestion]{
			Args: func(a *direct.Args) suggestArgs {
				return suggestArgs{a.Text("text"), a.Texts("communes"), a.Int("first")}
			},
			IO: true,
			Call: func(ctx context.Context, _ *direct.Query, a suggestArgs) ([]*catalog.Suggestion, error) {
				return q.Suggest(ctx, a.text, a.communes, a.first)
			},
		}),
		direct.EachBy("restrictions", direct.Relation[*direct.Query, restrictionsArgs, []*directory.Restriction]{
			Args: func(a *direct.Args) restrictionsArgs {
				return restrictionsArgs{a.IDOr("commune"), a.TimeOr("at"), a.Bool("upcoming")}
			},
			IO: true,
			Call: func(ctx context.Context, _ *direct.Query, a restrictionsArgs) ([]*directory.Restriction, error) {
				return q.Restrictions(ctx, a.commune, a.at, a.upcoming)
			},
		}))
}

func (r *Resolver) communeFields() *direct.Type {
	c := &communeResolver{(*Features)(r)}
	notice := asks(noticeLoader, (*tenancy.Commune).ID)
	return direct.Object("Commune",
		direct.Put("id", (*tenancy.Commune).ID, scalar.AppendID),
		direct.Put("insee", func(c *tenancy.Commune) string { return c.Insee }, scalar.AppendText),
		direct.Put("slug", func(c *tenancy.Commune) string { return c.Slug }, scalar.AppendText),
		direct.Put("name", func(c *tenancy.Commune) string { return c.Name }, scalar.AppendText),
		direct.PutEach("postcodes", func(c *tenancy.Commune) []string { return c.Postcodes }, scalar.AppendText),
		direct.Put("population", func(c *tenancy.Commune) int { return c.Population }, scalar.AppendInt),
		direct.One("location", (*tenancy.Commune).Location),
		direct.PutOr("currentInsee", func(c *tenancy.Commune) *string { return c.CurrentInsee }, scalar.AppendText),
		direct.PutByOr("openingText", direct.By(c.OpeningText, notice), scalar.AppendText),
		direct.PutByOr("website", direct.By(c.Website, notice), scalar.AppendText),
		direct.PutByOr("ordersPausedAt", direct.By(c.OrdersPausedAt, notice), scalar.AppendDateTime),
		direct.PutByOr("ordersPausedText", direct.By(c.OrdersPausedText, notice), scalar.AppendText),
		direct.OneBy("openData", direct.By(c.OpenData, nil)),
		direct.OneBy("shops", direct.Relation[*tenancy.Commune, shopsArgs, *directory.ShopConnection]{
			Args: shopsOf,
			Ask: func(ctx context.Context, b *direct.Batch, o *tenancy.Commune, a shopsArgs) {
				direct.Ask(b, load(ctx).shopsOf, newShopsKey(o.Insee, directory.ShopQuery{Filter: a.filter, Near: a.near, OrderBy: a.orderBy}, a.first, a.after))
			},
			Call: func(ctx context.Context, o *tenancy.Commune, a shopsArgs) (*directory.ShopConnection, error) {
				return c.Shops(ctx, o, a.filter, a.near, a.orderBy, a.first, a.after)
			},
		}),
		direct.EachBy("restrictions", direct.Relation[*tenancy.Commune, restrictionsArgs, []*directory.Restriction]{
			Args: func(a *direct.Args) restrictionsArgs {
				return restrictionsArgs{at: a.TimeOr("at"), upcoming: a.Bool("upcoming")}
			},
			Ask: func(ctx context.Context, b *direct.Batch, o *tenancy.Commune, a restrictionsArgs) {
				direct.Ask(b, load(ctx).other().restricting, joinRestrictionsKey(newRestrictionsAt(a.at, a.upcoming), o.Insee))
			},
			Call: func(ctx context.Context, o *tenancy.Commune, a restrictionsArgs) ([]*directory.Restriction, error) {
				return c.Restrictions(ctx, o, a.at, a.upcoming)
			},
		}))
}

func (r *Resolver) shopFields() *direct.Type {
	s := &shopResolver{(*Features)(r)}
	service := func(ctx context.Context, b *direct.Batch, o *directory.Shop, a serviceArgs) {
		r.asksCalendar(ctx, b, o.ID(), a.at)
	}
	regime := func(ctx context.Context, b *direct.Batch, o *directory.Shop, at *time.Time) {
		r.asksCalendar(ctx, b, o.ID(), at)
	}
	slots := func(ctx context.Context, b *direct.Batch, o *directory.Shop, _ slotsArgs) {
		r.asksCalendar(ctx, b, o.ID(), nil)
		direct.Ask(b, load(ctx).other().slotCounts, o.ID())
	}
	products := func(ctx context.Context, b *direct.Batch, o *directory.Shop, a pageArgs) {
		direct.Ask(b, load(ctx).productsOf, newProductsKey(o.ID(), a.first, a.after))
	}
	return direct.Object("Shop",
		direct.Put("id", (*directory.Shop).ID, scalar.AppendID),
		direct.Put("slug", func(s *directory.Shop) string { return s.Slug }, scalar.AppendText),
		direct.Put("name", func(s *directory.Shop) string { return s.Name }, scalar.AppendText),
		direct.Put("description", func(s *directory.Shop) string { return s.Description }, scalar.AppendText),
		direct.One("naf", (*directory.Shop).Naf),
		direct.Put("siret", func(s *directory.Shop) directory.Siret { return s.Siret }, scalar.AppendQuoted),
		direct.One("address", (*directory.Shop).Address),
		direct.One("location", (*directory.Shop).Location),
		direct.One("contact", (*directory.Shop).Contact),
		direct.PutEach("services", func(s *directory.Shop) []string { return s.Services }, scalar.AppendText),
		direct.PutEach("accessibility", func(s *directory.Shop) []string { return s.Accessibility }, scalar.AppendText),
		direct.Put("status", func(s *directory.Shop) directory.ShopStatus { return s.Status }, scalar.AppendText),
		direct.PutOr("lastConfirmedAt", func(s *directory.Shop) *time.Time { return s.LastConfirmedAt }, scalar.AppendDateTime),
		direct.Put("updatedAt", func(s *directory.Shop) time.Time { return s.UpdatedAt }, scalar.AppendDateTime),
		direct.Put("version", func(s *directory.Shop) int { return s.Version }, scalar.AppendInt),
		direct.OneBy("commune", direct.By(s.Commune, nil)),
		direct.OneBy("category", direct.By(s.Category, nil)),
		direct.OneBy("openingHours", direct.ByID(s.OpeningHours, asks(func(l *loaders) *loaderByID[[]directory.OpeningInterval] { return l.other().hours }, (*directory.Shop).ID))),
		direct.EachBy("fulfilments", direct.ByID(s.Fulfilments, asks(func(l *loaders) *loaderByID[[]*directory.Fulfilment] { return l.other().fulfilments }, (*directory.Shop).ID))),
		direct.EachBy("closures", direct.ByID(s.Closures, asks(func(l *loaders) *loaderByID[[]*directory.Closure] { return l.other().closures }, (*directory.Shop).ID))),
		direct.EachBy("photos", direct.ByID(s.Photos, asks(func(l *loaders) *loaderByID[[]*media.Photo] { return l.other().shopPhotos }, (*directory.Shop).ID))),
		direct.PutBy("openNow", direct.ByID(s.OpenNow, func(ctx context.Context, b *direct.Batch, o *directory.Shop) { r.asksCalendar(ctx, b, o.ID(), nil) }), scalar.AppendBool),
		direct.OneBy("service", direct.Relation[*directory.Shop, serviceArgs, *calendar.Status]{
			Args: serviceOf, Ask: service, Ahead: service,
			Call: func(ctx context.Context, o *directory.Shop, a serviceArgs) (*calendar.Status, error) {
				return s.Service(ctx, o, a.mode, a.at)
			},
		}),
		direct.OneBy("nextOpening", direct.Relation[*directory.Shop, serviceArgs, *calendar.Span]{
			Args: serviceOf, Ask: service, Ahead: service,
			Call: func(ctx context.Context, o *directory.Shop, a serviceArgs) (*calendar.Span, error) {
				return s.NextOpening(ctx, o, a.mode, a.at)
			},
		}),
		direct.OneBy("regime", direct.Relation[*directory.Shop, *time.Time, *calendar.Regime]{
			Args: func(a *direct.Args) *time.Time { return a.TimeOr("at") }, Ask: regime, Ahead: regime,
			Call: s.Regime,
		}),
		direct.EachBy("slots", direct.Relation[*directory.Shop, slotsArgs, []*ordering.Slot]{
			Args: func(a *direct.Args) slotsArgs {
				return slotsArgs{direct.Enum[directory.FulfilmentMode](a, "mode"), a.TimeOr("from"), a.TimeOr("to"), a.Int("first")}
			},
			Ask: slots, Ahead: slots,
			Call: func(ctx context.Context, o *directory.Shop, a slotsArgs) ([]*ordering.Slot, error) {
				return s.Slots(ctx, o, a.mode, a.from, a.to, a.first)
			},
		}),
		direct.OneBy("products", direct.Relation[*directory.Shop, pageArgs, *catalog.ProductConnection]{
			Args: pageOf, Ask: products, Ahead: products,
			Call: func(ctx context.Context, o *directory.Shop, a pageArgs) (*catalog.ProductConnection, error) {
				return s.Products(ctx, o, a.first, a.after)
			},
		})).Short("id", "slug", "name", "address", "services", "status", "commune", "category", // what Cards reads, and what is found by its ID
		"openingHours", "fulfilments", "closures", "photos", "openNow", "service", "nextOpening", "regime", "slots", "products")
}

func (r *Resolver) hoursFields() *direct.Type {
	h := &openingHoursResolver{(*Features)(r)}
	published := func(ctx context.Context, b *direct.Batch, o *directory.OpeningHours) {
		r.asksCalendar(ctx, b, o.ShopID, nil)
	}
	return direct.Object("OpeningHours",
		direct.Each("weekly", func(o *directory.OpeningHours) []directory.OpeningInterval { return o.Weekly }),
		direct.PutBy("openHolidays", direct.By(h.OpenHolidays, published), func(b []byte, list []calendar.Holiday) []byte {
			return scalar.AppendEach(b, list, scalar.AppendText)
		}),
		direct.EachBy("exceptions", direct.By(h.Exceptions, published)),
		direct.PutBy("osm", direct.By(h.Osm, published), scalar.AppendText),
		direct.PutBy("schemaOrg", direct.By(h.SchemaOrg, published), scalar.AppendJSON))
}

func (r *Resolver) productFields() *direct.Type {
	p := &productResolver{(*Features)(r)}
	variants := asks(variantsLoader, (*catalog.Product).ID)
	// The shop of a product that is itself being read: what it finds, the resolver's loader knows then.
	shop := direct.By(p.Shop, asks(shopLoader, (*catalog.Product).ShopID))
	shop.Ahead = func(ctx context.Context, b *direct.Batch, o *catalog.Product, _ direct.None) {
		direct.Ask(b, load(ctx).shopSelling, o.ID())
	}
	return direct.Object("Product",
		direct.Put("id", (*catalog.Product).ID, scalar.AppendID),
		direct.Put("slug", func(p *catalog.Product) string { return p.Slug }, scalar.AppendText),
		direct.Put("name", func(p *catalog.Product) string { return p.Name }, scalar.AppendText),
		direct.Put("description", func(p *catalog.Product) string { return p.Description }, scalar.AppendText),
		direct.Put("status", func(p *catalog.Product) catalog.ProductStatus { return p.Status }, scalar.AppendText),
		direct.Put("updatedAt", func(p *catalog.Product) time.Time { return p.UpdatedAt }, scalar.AppendDateTime),
		direct.Put("version", func(p *catalog.Product) int { return p.Version }, scalar.AppendInt),
		direct.OneBy("shop", shop),
		direct.OneBy("category", direct.By(p.Category, nil)),
		direct.EachBy("variants", direct.ByID(p.Variants, variants)),
		direct.OneBy("priceRange", direct.ByID(p.PriceRange, variants)),
		direct.OneBy("availability", direct.ByID(p.Availability, variants)),
		direct.EachBy("photos", direct.ByID(p.Photos, asks(func(l *loaders) *loaderByID[[]*media.Photo] { return l.other().goodsPhotos }, (*catalog.Product).ID))))
}

func (r *Resolver) variantFields() *direct.Type {
	v := &variantResolver{(*Features)(r)}
	return direct.Object("Variant",
		direct.Put("id", (*catalog.Variant).ID, scalar.AppendID),
		direct.Put("sku", func(v *catalog.Variant) string { return v.SKU }, scalar.AppendText),
		direct.OneOr("option", (*catalog.Variant).Option),
		direct.One("price", (*catalog.Variant).Price),
		direct.Put("vatRate", func(v *catalog.Variant) money.BasisPoints { return v.VATRate }, scalar.AppendBasisPoints),
		direct.One("availability", (*catalog.Variant).Availability),
		direct.Put("archived", func(v *catalog.Variant) bool { return v.Archived }, scalar.AppendBool),
		direct.OneBy("product", direct.By(v.Product, asks(func(l *loaders) *loaderByID[*catalog.Product] { return l.product }, (*catalog.Variant).ProductID))),
		direct.PutByOr("stock", direct.By(v.Stock, asks(func(l *loaders) *loaderByID[*int] { return l.other().stock }, (*catalog.Variant).ID)), scalar.AppendInt))
}

func (r *Resolver) categoryFields() *direct.Type {
	c := &categoryResolver{(*Features)(r)}
	return direct.Object("Category",
		direct.Put("id", (*catalog.Category).ID, scalar.AppendID),
		direct.Put("slug", func(c *catalog.Category) string { return c.Slug }, scalar.AppendText),
		direct.Put("name", func(c *catalog.Category) string { return c.Name }, scalar.AppendText),
		direct.OneBy("parent", direct.By(c.Parent, nil)),
		direct.EachBy("children", direct.By(c.Children, nil)))
}

func (r *Resolver) shopConnectionFields() *direct.Type {
	c := &shopConnectionResolver{(*Features)(r)}
	total := direct.By(c.TotalCount, func(ctx context.Context, b *direct.Batch, o *directory.ShopConnection) {
		if commune, q := o.Counted(); commune != "" {
			direct.Ask(b, load(ctx).other().shopsIn, newShopsKey(commune, q, 0, nil))
		}
	})
	return direct.Object("ShopConnection",
		direct.Each("edges", func(c *directory.ShopConnection) []directory.ShopEdge { return c.Edges }),
		direct.EachAt("nodes", (*directory.ShopConnection).Nodes),
		direct.One("pageInfo", (*directory.ShopConnection).PageInfo),
		direct.PutBy("totalCount", total, scalar.AppendInt))
}

func (r *Resolver) productConnectionFields() *direct.Type {
	c := &productConnectionResolver{(*Features)(r)}
	total := direct.By(c.TotalCount, func(ctx context.Context, b *direct.Batch, o *catalog.ProductConnection) {
		if of := o.Counted(); of.Shop != (tenancy.ID{}) {
			direct.Ask(b, load(ctx).other().productsIn, of.Shop)
		}
	})
	return direct.Object("ProductConnection",
		direct.Each("edges", func(c *catalog.ProductConnection) []catalog.ProductEdge { return c.Edges }),
		direct.EachAt("nodes", (*catalog.ProductConnection).Nodes),
		direct.One("pageInfo", (*catalog.ProductConnection).PageInfo),
		direct.PutBy("totalCount", total, scalar.AppendInt))
}

func (r *Resolver) searchFields() *direct.Type {
	facets := direct.By(func(ctx context.Context, c *catalog.SearchConnection) (*catalog.SearchFacets, error) {
		return c.Facets(ctx)
	}, nil)
	facets.IO = true
	total := direct.By(func(ctx context.Context, c *catalog.SearchConnection) (int, error) { return c.TotalCount(ctx) }, nil)
	total.IO = true
	return direct.Object("SearchConnection",
		direct.Each("edges", func(c *catalog.SearchConnection) []catalog.SearchEdge { return c.Edges }),
		direct.One("pageInfo", (*catalog.SearchConnection).PageInfo),
		direct.PutOr("corrected", func(c *catalog.SearchConnection) *string { return c.Corrected }, scalar.AppendText),
		direct.OneBy("facets", facets),
		direct.PutBy("totalCount", total, scalar.AppendInt))
}

func (r *Resolver) searchEdgeFields() *direct.Type {
	e := &searchEdgeResolver{(*Features)(r)}
	node := direct.By(e.Node, func(ctx context.Context, b *direct.Batch, o *catalog.SearchEdge) {
		if o.ID.Kind == tenancy.KindShop {
			direct.Ask(b, load(ctx).shop, o.ID)
		} else {
			direct.Ask(b, load(ctx).product, o.ID)
		}
	})
	return direct.Object("SearchEdge",
		direct.Put("cursor", (*catalog.SearchEdge).Cursor, scalar.AppendText),
		direct.AnyBy("node", node),
		direct.Put("score", func(e *catalog.SearchEdge) int { return e.Score }, scalar.AppendInt),
		direct.PutOr("distanceMetres", func(e *catalog.SearchEdge) *int { return e.DistanceMetres }, scalar.AppendInt))
}

func (r *Resolver) facetsFields() *direct.Type {
	open := direct.By(func(ctx context.Context, f *catalog.SearchFacets) (int, error) { return f.OpenNow(ctx) }, nil)
	open.IO = true
	return direct.Object("SearchFacets",
		direct.Put("exact", func(f *catalog.SearchFacets) bool { return f.Exact }, scalar.AppendBool),
		direct.EachAt("communes", func(f *catalog.SearchFacets) []*catalog.CommuneFacet { return f.Communes }),
		direct.EachAt("categories", func(f *catalog.SearchFacets) []*catalog.CategoryFacet { return f.Categories }),
		direct.EachAt("modes", func(f *catalog.SearchFacets) []*catalog.ModeFacet { return f.Modes }),
		direct.PutBy("openNow", open, scalar.AppendInt))
}

func (r *Resolver) communeFacetFields() *direct.Type {
	return direct.Object("CommuneFacet",
		direct.OneBy("commune", direct.By((&communeFacetResolver{(*Features)(r)}).Commune, nil)),
		direct.Put("count", func(f *catalog.CommuneFacet) int { return f.Count }, scalar.AppendInt))
}

func (r *Resolver) categoryFacetFields() *direct.Type {
	return direct.Object("CategoryFacet",
		direct.OneBy("category", direct.By((&categoryFacetResolver{(*Features)(r)}).Category, nil)),
		direct.Put("count", func(f *catalog.CategoryFacet) int { return f.Count }, scalar.AppendInt))
}

func (r *Resolver) suggestionFields() *direct.Type {
	shop := direct.By((&suggestionResolver{(*Features)(r)}).Shop, func(ctx context.Context, b *direct.Batch, o *catalog.Suggestion) {
		if o.ShopID != nil {
			direct.Ask(b, load(ctx).shop, *o.ShopID)
		}
	})
	return direct.Object("Suggestion",
		direct.Put("text", func(s *catalog.Suggestion) string { return s.Text }, scalar.AppendText),
		direct.OneBy("shop", shop))
}

// asksRestriction asks ahead for what the calendar names.
func asksRestriction(ctx context.Context, b *direct.Batch, named *calendar.Restriction) {
	if named == nil {
		return
	}
	if id, err := tenancy.ParseID(named.ID); err == nil {
		direct.Ask(b, load(ctx).other().restriction, id)
	}
}

func (r *Resolver) refusalFields() *direct.Type {
	return direct.Object("ServiceRefusal",
		direct.Put("code", func(f *calendar.Refusal) calendar.Code { return f.Code }, scalar.AppendText),
		direct.Put("message", func(f *calendar.Refusal) string { return f.Message }, scalar.AppendText),
		direct.OneBy("restriction", direct.By((&serviceRefusalResolver{(*Features)(r)}).Restriction, func(ctx context.Context, b *direct.Batch, f *calendar.Refusal) {
			asksRestriction(ctx, b, f.Restriction)
		})),
		direct.OneOr("next", func(f *calendar.Refusal) *calendar.Span { return f.Next }))
}

func (r *Resolver) causeFields() *direct.Type {
	return direct.Object("RegimeCause",
		direct.OneBy("restriction", direct.By((&regimeCauseResolver{(*Features)(r)}).Restriction, func(ctx context.Context, b *direct.Batch, c *calendar.Restriction) {
			asksRestriction(ctx, b, c)
		})),
		direct.PutEach("refuses", (*calendar.Restriction).Refuses, scalar.AppendText))
}

func (r *Resolver) restrictionFields() *direct.Type {
	f := &restrictionResolver{(*Features)(r)}
	communes := direct.By(f.Communes, asks(func(l *loaders) *loaderByID[[]string] { return l.other().scope }, (*directory.Restriction).ID))
	return direct.Object("Restriction",
		direct.Put("id", (*directory.Restriction).ID, scalar.AppendID),
		direct.Put("insee", func(r *directory.Restriction) string { return r.CommuneID }, scalar.AppendText),
		direct.PutBy("communes", communes, func(b []byte, list []string) []byte { return scalar.AppendEach(b, list, scalar.AppendText) }),
		direct.Put("rank", func(r *directory.Restriction) calendar.Rank { return r.Rank }, scalar.AppendText),
		direct.Put("title", func(r *directory.Restriction) string { return r.Title }, scalar.AppendText),
		direct.PutOr("reference", func(r *directory.Restriction) *string { return r.Reference }, scalar.AppendText),
		direct.PutOr("url", func(r *directory.Restriction) *string { return r.URL }, scalar.AppendText),
		direct.Put("from", func(r *directory.Restriction) time.Time { return r.StartsAt }, scalar.AppendDateTime),
		direct.PutOr("until", func(r *directory.Restriction) *time.Time { return r.EndsAt }, scalar.AppendDateTime),
		direct.EachBy("categories", direct.By(f.Categories, nil)),
		direct.Each("nafs", (*directory.Restriction).Nafs),
		direct.PutOr("areaOver", func(r *directory.Restriction) *int { return r.AreaOver }, scalar.AppendInt),
		direct.EachBy("exceptCategories", direct.By(f.ExceptCategories, nil)),
		direct.Each("exceptNafs", (*directory.Restriction).ExceptNafs),
		direct.PutEach("allows", (*directory.Restriction).Allows, scalar.AppendText),
		direct.PutOr("squareMetres", func(r *directory.Restriction) *int { return r.SquareMetres }, scalar.AppendInt),
		direct.Put("condition", func(r *directory.Restriction) string { return r.Condition }, scalar.AppendText),
		direct.Put("declaredAs", func(r *directory.Restriction) identity.Kind { return r.DeclaredAs }, scalar.AppendText),
		direct.Put("declaredAt", func(r *directory.Restriction) time.Time { return r.DeclaredAt }, scalar.AppendDateTime),
		direct.Put("version", func(r *directory.Restriction) int { return r.Version }, scalar.AppendInt))
}
