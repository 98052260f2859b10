package graph

import (
	"time"

	"github.com/audelor/halles/graph/direct"
	"github.com/audelor/halles/internal/calendar"
	"github.com/audelor/halles/internal/catalog"
	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/tenancy"
)

// The arguments of the catalogue's fields, and how they are read.
type (
	shopsArgs struct {
		filter  *directory.ShopFilter
		near    *tenancy.Point
		orderBy *directory.ShopOrder
		pageArgs
	}
	pageArgs struct {
		first int
		after *string
	}
	productsArgs struct {
		filter *catalog.ProductFilter
		pageArgs
	}
	searchArgs struct {
		text   string
		filter *catalog.SearchFilter
		near   *tenancy.Point
		pageArgs
	}
	suggestArgs struct {
		text     string
		communes []string
		first    int
	}
	communeArgs      struct{ insee, slug *string }
	restrictionsArgs struct {
		commune  *tenancy.ID
		at       *time.Time
		upcoming bool
	}
	serviceArgs struct {
		mode calendar.Mode
		at   *time.Time
	}
	slotsArgs struct {
		mode     directory.FulfilmentMode
		from, to *time.Time
		first    int
	}
)

func pageOf(a *direct.Args) pageArgs { return pageArgs{a.Int("first"), a.TextOr("after")} }

func idOf(a *direct.Args) tenancy.ID { return a.ID("id") }

func pointOf(a *direct.Args) *tenancy.Point {
	return direct.InputOr(a, "near", func(a *direct.Args) tenancy.Point {
		return tenancy.Point{Latitude: a.Float("latitude"), Longitude: a.Float("longitude")}
	})
}

func shopsOf(a *direct.Args) shopsArgs {
	return shopsArgs{direct.InputOr(a, "filter", func(a *direct.Args) directory.ShopFilter {
		return directory.ShopFilter{
			Communes: a.Texts("communes"), Category: a.IDOr("category"), Fulfilment: direct.EnumOr[directory.FulfilmentMode](a, "fulfilment"),
			Text: a.TextOr("text"), OpenNow: a.BoolOr("openNow"),
		}
	}), pointOf(a), direct.EnumOr[directory.ShopOrder](a, "orderBy"), pageOf(a)}
}

func productsOf(a *direct.Args) productsArgs {
	return productsArgs{direct.InputOr(a, "filter", func(a *direct.Args) catalog.ProductFilter {
		return catalog.ProductFilter{Communes: a.Texts("communes"), Category: a.IDOr("category"), Text: a.TextOr("text")}
	}), pageOf(a)}
}

func searchOf(a *direct.Args) searchArgs {
	return searchArgs{a.Text("text"), direct.InputOr(a, "filter", func(a *direct.Args) catalog.SearchFilter {
		return catalog.SearchFilter{
			Kind: direct.EnumOr[catalog.SearchKind](a, "kind"), Communes: a.Texts("communes"), Category: a.IDOr("category"),
			Fulfilment: direct.EnumOr[directory.FulfilmentMode](a, "fulfilment"), OpenNow: a.BoolOr("openNow"),
		}
	}), pointOf(a), pageOf(a)}
}

func serviceOf(a *direct.Args) serviceArgs {
	return serviceArgs{direct.Enum[calendar.Mode](a, "mode"), a.TimeOr("at")}
}
