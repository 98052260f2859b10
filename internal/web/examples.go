package web

import (
	"context"

	"github.com/audelor/halles/internal/identity"
)

// Example is a request that the home page offers to run. The list is read in order, as a
// story: an example may take values from the answers of earlier ones.
type Example struct {
	Key         string         `json:"key"` // names it for Take
	Title       string         `json:"title"`
	Explanation string         `json:"explanation"`
	Query       string         `json:"query"`
	Variables   map[string]any `json:"variables,omitempty"`
	Role        string         `json:"role"` // a DemoToken's; "" asks as a visitor
	Take        []Take         `json:"take,omitempty"`
	Fresh       []string       `json:"fresh,omitempty"`  // variables that get a new random text at each click: keys of idempotency
	Bearer      *Take          `json:"bearer,omitempty"` // asks with the token of an earlier answer, instead of a role; Variable is empty
}

// Take puts a value of an earlier answer into a variable.
type Take struct {
	Variable string `json:"variable"` // "input.order": where in Variables
	Example  string `json:"example"`  // whose answer: its Key
	Path     string `json:"path"`     // "placeOrders.results.0.order.id": where in its data
}

// examples lists what the home page offers, with ids of the running database. Those that need
// a demonstration's tokens, or a product where there is none, are left out.
func (s *Server) examples(ctx context.Context, visitor *identity.Viewer) ([]Example, error) {
	list := []Example{{
		Key: "communes", Title: "Les communes de l'agglomération",
		Explanation: "La liste complète, par ordre alphabétique français. Un code postal n'est pas une commune : 56240 en couvre quatre.",
		Query: `query Communes {
  communes {
    insee
    name
    postcodes
    population
    location { latitude longitude }
  }
}`,
	}, {
		Key: "lorient", Title: "Les boutiques de Lorient et leurs horaires",
		Explanation: "Une page de dix boutiques ; la suite se demande avec after: endCursor.",
		Query: `query BoutiquesDUneCommune($commune: String!, $after: String) {
  commune(slug: $commune) {
    name
    shops(first: 10, after: $after) {
      totalCount
      nodes {
        name
        category { name }
        address { street postcode city }
        openingHours { weekly { weekday opens closes } }
        fulfilments { mode leadMinutes minimum { formatted } fee { formatted } }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
}`,
		Variables: map[string]any{"commune": "lorient"},
	}, {
		Key: "ouvertes", Title: "Qui est ouvert, et ce qui est imposé",
		Explanation: "Les boutiques ouvertes en ce moment, ce que dit leur porte, quand elles ouvrent ensuite, et les arrêtés en vigueur. Chaque « non » porte un code, une phrase et la prochaine possibilité.",
		Query: `query Ouvertes {
  shops(filter: { openNow: true }, first: 10) {
    totalCount
    nodes {
      name
      service { text }
      pickup: service(mode: PICKUP) { open text refusal { code message next { start } } }
      nextOpening { start end }
      regime { modes density conditions because { restriction { title } } }
    }
  }
  restrictions { rank title reference from until areaOver allows squareMetres }
}`,
	}, {
		Key: "gare", Title: "Retrait en boutique, près de la gare",
		Explanation: "Les boutiques qui préparent des commandes à retirer, de la plus proche de la gare de Lorient à la plus lointaine.",
		Query: `query PresDeLaGare($gare: GeoPointInput!) {
  shops(near: $gare, filter: { fulfilment: PICKUP }, first: 10) {
    edges {
      distanceMetres
      node { id name commune { name } category { name } }
    }
  }
}`,
		Variables: map[string]any{"gare": map[string]any{"latitude": 47.7553, "longitude": -3.3664}},
	}, {
		Key: "page", Title: "Une page de marché : 20 boutiques, leurs produits, leurs déclinaisons",
		Explanation: "Environ 600 objets, en six requêtes SQL au plus, quel que soit le nombre de boutiques.",
		Query: `query PageDeMarche {
  shops(first: 20) {
    nodes {
      name
      commune { name }
      category { name }
      products(first: 10) {
        nodes {
          name
          category { name }
          variants {
            option { name value }
            price { formatted }
            availability { orderable quantityUpTo because { message } }
          }
        }
      }
    }
  }
}`,
	}, {
		Key: "chercher", Title: "Chercher un produit",
		Explanation: "Les meilleurs d'abord. Les accents et les terminaisons sont pardonnés, les fautes corrigées si rien ne s'écrit ainsi : « crepe » trouve « crêpes ».",
		Query: `query Chercher($texte: String!) {
  search(text: $texte, filter: { kind: PRODUCT }, first: 10) {
    totalCount
    corrected
    edges {
      node {
        ... on Product {
          id
          name
          shop { name commune { name } }
          priceRange { min { formatted } max { formatted } }
        }
      }
    }
  }
}`,
		Variables: map[string]any{"texte": "crepe"},
	}}
	products, err := s.catalog.List(ctx, visitor, nil, 1, nil)
	if err != nil {
		return nil, err
	}
	if nodes := products.Nodes(); len(nodes) > 0 {
		list = append(list, Example{
			Key: "produit", Title: "Un produit, tout ce qu'on en sait",
			Explanation: "Le premier produit de la recherche précédente ; si vous ne l'avez pas lancée, le premier du catalogue.",
			Query: `query Produit($id: ID!) {
  product(id: $id) {
    name
    description
    category { name parent { name } }
    variants {
      sku
      option { name value }
      price { cents currency formatted }
      vatRate
      availability { orderable quantityUpTo because { code message } }
    }
    shop {
      id
      name
      contact { phone email website }
      openingHours { weekly { weekday opens closes } }
    }
    updatedAt
    version
  }
}`,
			Variables: map[string]any{"id": nodes[0].ID().String()},
			Take:      []Take{{Variable: "id", Example: "chercher", Path: "search.edges.0.node.id"}},
		}, Example{
			Key: "relire", Title: "Relire n'importe quoi par son identifiant",
			Explanation: "node retrouve une commune, une boutique, un produit… ; ici la boutique du produit ci-dessus. Un identifiant inconnu ou d'ailleurs reçoit la même réponse : introuvable.",
			Query: `query Relire($id: ID!) {
  node(id: $id) {
    __typename
    id
    ... on Shop { name status commune { name } }
    ... on Product { name shop { name } }
    ... on Commune { name }
  }
}`,
			Variables: map[string]any{"id": nodes[0].ShopID().String()},
			Take:      []Take{{Variable: "id", Example: "produit", Path: "product.shop.id"}},
		})
	}
	if token := s.tokenOf(merchantRole); token != "" {
		list = append(list, Example{
			Key: "comptoir", Title: "Le stock d'une commerçante",
			Explanation: "Ce que la commerçante voit de sa propre boutique : les brouillons et le stock exact. Un visiteur reçoit stock: null.",
			Role:        merchantRole,
			Query: `query MonStock {
  viewer {
    kind
    name
    shops {
      name
      status
      products(first: 5) {
        totalCount
        nodes { name status variants { sku stock } }
      }
    }
  }
}`,
		})
		story, err := s.story(ctx, visitor, token)
		if err != nil {
			return nil, err
		}
		list = append(list, story...)
	}
	return list, nil
}

// merchantRole is the demonstration's merchant, on whose side of the counter examples stand.
const merchantRole = "merchant"

// tokenOf is the token that the demonstration gives out for a role, or "".
func (s *Server) tokenOf(role string) string {
	if s.demo != nil {
		for _, t := range s.demo.Tokens {
			if t.Role == role {
				return t.Token
			}
		}
	}
	return ""
}
