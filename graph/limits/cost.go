package limits

import (
	"encoding/json"
	"reflect"
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// Objects bounds what one operation may answer: a hundred shops with a page of a hundred
// products each fit; with all variants of these they do not.
const Objects = 20_000

// Representations bounds `_entities`: one batch of a router over 100 shops × 10 products.
const Representations = 1000

// introspectionObjects is the fixed price of `__schema` and of `__type`.
const introspectionObjects = 1000

// maxPage is the largest page that resolvers give; a larger one is refused by them, with the
// argument's name, and costs nothing.
const maxPage = 100

// elements is how many a list has that nothing in the document bounds.
const elements = 10

// lengths are the exceptions: the most that such a list has, or for Product.variants, which has
// no bound, and for photos, more than most have.
var lengths = map[string]int{
	"Query.communes":                  25,
	"Viewer.communes":                 25,
	"OpeningHours.weekly":             14, // a lunch break every day
	"Shop.fulfilments":                2,
	"Shop.closures":                   2,
	"Query.restrictions":              20,
	"Restriction.categories":          2,
	"Restriction.exceptCategories":    2,
	"EnterPhoneOrderPayload.refusals": 3,
	"OrderChange.lines":               3, // what is short is little
	"Commune.restrictions":            5,
	"Regime.because":                  3,
	"OpeningException.intervals":      2,
	"Shop.delegations":                3, // at most 50; who has had ten is rare
	"Product.variants":                3,
	"OrderTotals.vat":                 5, // there are five rates
	"PlaceOrdersPayload.results":      20,
	"PlaceOrdersResult.refusals":      3,
	"ChangeOrderPayload.refusals":     3,
	"ChangeSlotPayload.conflicts":     100,
	"BasketQuote.quotes":              20,
	"ShopQuote.modes":                 2,
	"ShopQuote.refusals":              3,
	"ChangeSlotPayload.refusals":      1,
	"ExchangeGuestLinkPayload.orders": 20,
	"SearchFacets.communes":           25,
	"SearchFacets.categories":         60,
	"SearchFacets.modes":              2,
	"ChangeProductPayload.refusals":   3,
	"CorrectStockPayload.refusals":    3,
	"ChangeProductsPayload.products":  1000, // its inputs take as many
	"ChangeProductsPayload.refusals":  20,
	"RegistrationConnection.counts":   5, // there are five statuses
	"Import.issues":                   100,
	"ImportPayload.refusals":          1,
	"Shop.photos":                     3, // ten at most
	"Product.photos":                  2, // six at most
	"RemovePhotoPayload.photos":       10,
	"ReorderPhotosPayload.photos":     10,
	"AddPhotoPayload.refusals":        1,
	"ReorderPhotosPayload.refusals":   1,
	"Activation.steps":                7,
	"Dashboard.figures":               8,
	"Dashboard.series":                12, // 36 at most
	"Dashboard.byCommune":             25,
	"Dashboard.byMode":                2,
	"Dashboard.channels":              5,
	"Dashboard.ends":                  4,
	"Dashboard.steps":                 6,
	"Dashboard.waits":                 2,
	"Dashboard.slots":                 2,
	"ShopDashboard.figures":           5,
	"ShopDashboard.days":              30, // 366 at most
	"ShopDashboard.byMode":            2,
	"ShopDashboard.byChannel":         4,
	"ShopDashboard.ends":              3,
	"FigureRow.figures":               8,
}

// Cost is what `extensions.cost` tells.
type Cost struct {
	Objects int `json:"objects"` // that the answer may have at most
	Limit   int `json:"limit"`
}

// AppendJSON writes the cost.
func (c Cost) AppendJSON(b []byte) []byte {
	b = strconv.AppendInt(append(b, `{"objects":`...), int64(c.Objects), 10)
	b = strconv.AppendInt(append(b, `,"limit":`...), int64(c.Limit), 10)
	return append(b, '}')
}

// Count counts the objects that an operation may answer with its variables, and refuses one
// that may answer too many. The document is valid.
//
// A field that gives an object costs 1 and what is selected of it; a list that, times its
// length. The length is `first`, of the field or of the connection that the list belongs to;
// for a field with a list as its one required argument (`nodes`, `_entities`) that list's; else
// what lengths says. Scalars come free, there are only so many in an object, but under an
// alias they cost 1: `a: name b: name …` can be written without end. An object has one type, so
// of the fragments on several object types only the dearest counts.
func Count(schema *ast.Schema, operation *ast.OperationDefinition, variables map[string]any) (Cost, *gqlerror.Error) {
	c := counter{schema: schema, variables: variables, done: map[spread]int{}}
	cost := Cost{Objects: c.selections(operation.SelectionSet, 0), Limit: Objects}
	switch {
	case c.representations > Representations:
		return cost, refused("%d représentations d'un coup ; %d au plus.", c.representations, Representations)
	case cost.Objects > Objects:
		return cost, refused("La réponse pourrait contenir %d objets ; %d au plus. Demandez des pages plus petites (first), ou moins de niveaux.", cost.Objects, Objects)
	}
	return cost, nil
}

type counter struct {
	schema          *ast.Schema
	variables       map[string]any
	done            map[spread]int
	representations int
	steps           int
}

// spread is a fragment in a connection with pages of a size, or elsewhere with 0: what it
// costs depends on nothing else.
type spread struct {
	fragment *ast.FragmentDefinition
	page     int
}

// selections is what one object costs beside itself; page is its `first` when it is a connection.
func (c *counter) selections(set ast.SelectionSet, page int) int {
	cost, only := 0, map[string]int(nil)
	add := func(on string, n int) {
		if d := c.schema.Types[on]; d == nil || d.Kind != ast.Object {
			cost = plus(cost, n)
			return
		}
		if only == nil {
			only = map[string]int{}
		}
		only[on] = plus(only[on], n)
	}
	for _, selection := range set {
		c.steps++
		switch selection := selection.(type) {
		case *ast.Field:
			cost = plus(cost, c.field(selection, page))
		case *ast.InlineFragment:
			add(selection.TypeCondition, c.selections(selection.SelectionSet, page))
		case *ast.FragmentSpread:
			of := spread{selection.Definition, page}
			n, counted := c.done[of]
			if !counted {
				n = c.selections(of.fragment.SelectionSet, page)
				c.done[of] = n
			}
			add(of.fragment.TypeCondition, n)
		}
	}
	dearest := 0
	for _, n := range only {
		dearest = max(dearest, n)
	}
	return plus(cost, dearest)
}

func (c *counter) field(f *ast.Field, page int) int {
	switch {
	case f.Name == "__schema" || f.Name == "__type":
		return introspectionObjects
	case len(f.SelectionSet) == 0 && f.Alias != f.Name:
		return 1
	case len(f.SelectionSet) == 0:
		return 0
	}
	first := 0
	if f.Definition.Arguments.ForName("first") != nil {
		first = min(max(c.number(f, "first"), 0), maxPage)
		page = first
	}
	n := 1
	if f.Definition.Type.Elem != nil {
		n = c.length(f, page)
	}
	return times(n, plus(1, c.selections(f.SelectionSet, first)))
}

// length is the length of a list.
func (c *counter) length(f *ast.Field, page int) int {
	if f.Definition.Arguments.ForName("first") != nil || page > 0 {
		return page
	}
	for _, a := range f.Definition.Arguments {
		if given := f.Arguments.ForName(a.Name); a.Type.NonNull && a.Type.Elem != nil && given != nil {
			n := c.count(given.Value)
			if f.Name == "_entities" {
				c.representations = max(c.representations, n)
			}
			return n
		}
	}
	if n, known := lengths[f.ObjectDefinition.Name+"."+f.Name]; known {
		return n
	}
	return elements
}

// number is the value of an Int argument; the largest page when it is none.
func (c *counter) number(f *ast.Field, name string) int {
	value := f.Definition.Arguments.ForName(name).DefaultValue
	if given := f.Arguments.ForName(name); given != nil {
		value = given.Value
	}
	if value == nil {
		return maxPage
	}
	v, err := value.Value(c.variables)
	if err != nil {
		return maxPage
	}
	switch v := v.(type) {
	case int64:
		return int(min(v, maxPage))
	case int:
		return v
	case float64:
		return int(min(v, maxPage))
	case json.Number:
		if n, err := v.Float64(); err == nil {
			return int(min(n, maxPage))
		}
	}
	return maxPage
}

// count is the length of a list argument. A single value stands for a list of one.
func (c *counter) count(value *ast.Value) int {
	switch value.Kind {
	case ast.ListValue:
		return len(value.Children)
	case ast.Variable:
		if list := reflect.ValueOf(c.variables[value.Raw]); list.Kind() == reflect.Slice {
			return list.Len()
		}
	}
	return 1
}
