package graphtest_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/audelor/halles/graph/graphtest"
	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/tenancy"
)

// people is a viewer of each kind, for a shop of Lorient.
func people(t *testing.T, h *graphtest.Harness, own tenancy.ID) (strangers, insiders map[string]*identity.Viewer) {
	other := fixture.Shop(t, h.Database, fixture.ShopOpts{Commune: own.Commune})
	elsewhere := fixture.Shop(t, h.Database, fixture.ShopOpts{Commune: fixture.Groix})
	d := h.Database
	strangers = map[string]*identity.Viewer{
		"Visitor": nil, "Customer": fixture.Viewer(t, d, identity.Customer),
		"AnotherMerchant": fixture.Viewer(t, d, identity.Merchant, other),
		"AnotherAgent":    fixture.Viewer(t, d, identity.Agent, elsewhere),
		"Analyst":         fixture.Viewer(t, d, identity.Analyst),
	}
	insiders = map[string]*identity.Viewer{
		"Merchant": fixture.Viewer(t, d, identity.Merchant, own),
		"Agent":    fixture.Viewer(t, d, identity.Agent, own),
		"Hotline":  fixture.Viewer(t, d, identity.Hotline),
		"Admin":    fixture.Viewer(t, d, identity.Admin),
	}
	return strangers, insiders
}

// questions are all the ways to ask for a thing by its id.
func questions(id tenancy.ID) map[string]string {
	s := id.String()
	typeName := map[tenancy.Kind]string{tenancy.KindShop: "Shop", tenancy.KindProduct: "Product", tenancy.KindVariant: "Variant"}[id.Kind]
	q := map[string]string{
		"node":     `{ node(id: "` + s + `") { __typename } }`,
		"nodes":    `{ nodes(ids: ["` + s + `"]) { __typename } }`,
		"entities": `{ _entities(representations: [{__typename: "` + typeName + `", id: "` + s + `"}]) { __typename } }`,
	}
	if id.Kind != tenancy.KindVariant {
		q["own"] = fmt.Sprintf(`{ %s(id: "%s") { __typename } }`, id.Kind, s)
	}
	return q
}

// What is withheld is not there for strangers, and is for the shop's own people; the answer for
// it is that for an id that nobody has, byte for byte.
func TestWithheld(t *testing.T) {
	t.Parallel()
	h := graphtest.New(t)
	type thing struct{ id, unknown tenancy.ID }
	things := func(shop tenancy.ID, product fixture.ProductIDs) []thing {
		var all []thing
		for _, id := range []tenancy.ID{shop, product.ID, product.Variants[0]} {
			all = append(all, thing{id, tenancy.NewID(id.Kind, id.Commune)})
		}
		return all
	}
	for _, c := range []struct {
		status  directory.ShopStatus
		product string
		hidden  int // of shop, product, variant: how many from the end
	}{
		{directory.Draft, "ACTIVE", 3},
		{directory.Pending, "ACTIVE", 3},
		{directory.Suspended, "ACTIVE", 3},
		{directory.Published, "DRAFT", 2},
		{directory.Published, "ARCHIVED", 2},
		{directory.Published, "ACTIVE", 0},
	} {
		t.Run(string(c.status)+c.product, func(t *testing.T) {
			t.Parallel()
			mark := string(c.status) + " " + c.product
			shop := fixture.Shop(t, h.Database, fixture.ShopOpts{Status: c.status, Name: "Boutique " + mark})
			product := fixture.Product(t, h.Database, shop, fixture.ProductOpts{Status: c.product, Name: "Produit " + mark})
			strangers, insiders := people(t, h, shop)
			for i, thing := range things(shop, product) {
				hidden := i >= 3-c.hidden
				for way, document := range questions(thing.id) {
					for name, v := range strangers {
						a := h.As(v).Router().Query(t, document, nil)
						found := strings.Contains(string(a.Body), `"__typename"`)
						if found == hidden {
							t.Errorf("%s asks %s for a %s: %s", name, way, thing.id.Kind, a.Body)
						}
						if !hidden {
							continue
						}
						if a.Code() != "NOT_FOUND" {
							t.Errorf("%s asks %s for a withheld %s: %s", name, way, thing.id.Kind, a.Body)
						}
						unknown := h.As(v).Router().Query(t, strings.Replace(document, thing.id.String(), thing.unknown.String(), 1), nil)
						elsewhere := h.As(v).Router().Query(t, strings.Replace(document, thing.id.String(), tenancy.RowID(thing.id.Kind, fixture.Groix, thing.id.Row).String(), 1), nil)
						nowhere := h.As(v).Router().Query(t, strings.Replace(document, thing.id.String(), tenancy.RowID(thing.id.Kind, "75056", thing.id.Row).String(), 1), nil)
						for _, other := range []*graphtest.Answer{unknown, elsewhere, nowhere} {
							if !bytes.Equal(other.Body, a.Body) || other.Status != a.Status {
								t.Errorf("%s asks %s: a withheld %s answers %s, an unknown one %s", name, way, thing.id.Kind, a.Body, other.Body)
							}
						}
					}
					for name, v := range insiders {
						h.As(v).Router().Query(t, document, nil).OK(t)
						// In another commune's name it is nobody's.
						foreign := h.As(v).Router().Query(t, strings.Replace(document, thing.id.String(), tenancy.RowID(thing.id.Kind, fixture.Groix, thing.id.Row).String(), 1), nil)
						if foreign.Code() != "NOT_FOUND" {
							t.Errorf("%s asks %s for another commune's %s: %s", name, way, thing.id.Kind, foreign.Body)
						}
					}
				}
			}
			// No list of the public catalogue has it, whoever asks; the shop's own list has it for its people.
			const lists = `query ($text: String!) { shops(first: 100) { nodes { name products(first: 100) { nodes { name } } } } products(first: 100) { nodes { name } }
				commune(insee: "56121") { shops(first: 100) { nodes { name } } } found: shops(first: 100, filter: {text: $text}) { nodes { name } } foundToo: products(first: 100, filter: {text: $text}) { nodes { name } } }`
			if c.hidden == 3 {
				for name, v := range insiders {
					own := h.As(v).Query(t, `query ($id: ID!) { shop(id: $id) { products(first: 1) { totalCount nodes { variants { stock } } } } }`, graphtest.Vars{"id": shop.String()}).OK(t)
					if own.Get("shop.products.nodes.0.variants.0.stock").Int() != 10 || own.Get("shop.products.totalCount").Int() != 1 {
						t.Errorf("%s sees of its shop %s", name, own.Body)
					}
				}
			}
			for name, v := range strangers {
				body := string(h.As(v).Query(t, lists, graphtest.Vars{"text": mark}).OK(t).Body)
				for thing, hidden := range map[string]bool{`"Boutique ` + mark + `"`: c.hidden == 3, `"Produit ` + mark + `"`: c.hidden > 0} {
					if strings.Contains(body, thing) == hidden {
						t.Errorf("%s: %s is withheld: %v, and the lists are %s", name, thing, hidden, body)
					}
				}
			}
		})
	}
}

// The exact stock is for the shop's own people.
func TestStock(t *testing.T) {
	t.Parallel()
	h := graphtest.New(t)
	shop := fixture.Shop(t, h.Database, fixture.ShopOpts{})
	product := fixture.Product(t, h.Database, shop, fixture.ProductOpts{Stock: 42})
	strangers, insiders := people(t, h, shop)
	vars := graphtest.Vars{"id": product.ID.String()}
	const document = `query ($id: ID!) { product(id: $id) { variants { stock availability { orderable quantityUpTo } } } }`
	for name, v := range strangers {
		if a := h.As(v).Query(t, document, vars).OK(t); a.Get("product.variants.0.stock").Raw != "null" || a.Get("product.variants.0.availability.quantityUpTo").Int() != 5 {
			t.Errorf("%s sees %s", name, a.Body)
		}
	}
	for name, v := range insiders {
		if a := h.As(v).Query(t, document, vars).OK(t); a.Get("product.variants.0.stock").Int() != 42 {
			t.Errorf("%s sees %s", name, a.Body)
		}
	}
}
