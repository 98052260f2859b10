package web

import (
	"context"
	"slices"

	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/money"
	"github.com/audelor/halles/internal/tenancy"
)

// story lists the examples of an order's life: a visitor orders at the demonstration's
// merchant, follows the order by its link, and the merchant hands it over. It is empty while
// the merchant has nothing to sell for pickup.
func (s *Server) story(ctx context.Context, visitor *identity.Viewer, merchantToken string) ([]Example, error) {
	merchant, _, err := s.identity.FromToken(ctx, merchantToken)
	switch {
	case fault.Of(err) != nil && fault.Of(err).Kind == fault.Unauthenticated:
		return nil, nil // the demonstration's tokens have expired: it must be started again
	case err != nil:
		return nil, err
	}
	shop, line, err := s.forSale(ctx, visitor, merchant.Shops)
	if err != nil || line == nil {
		return nil, err
	}
	const orderID = "placeOrders.results.0.order.id"
	takeOrder := []Take{{Variable: "commande", Example: "commander", Path: orderID}}
	return []Example{{
		Key: "commander", Title: "Commander, sans compte",
		Explanation: "Un visiteur commande pour un retrait en boutique. La clé d'idempotence est nouvelle à chaque clic ; la même requête envoyée deux fois ne ferait qu'une commande.",
		Query: `mutation Commander($panier: PlaceOrdersInput!) {
  placeOrders(input: $panier) {
    guestSecret
    results {
      shop { name }
      order {
        id
        number
        status
        lines { name quantity total { formatted } }
        totals { total { formatted } vat { rate cents } }
        pickupCode { text }
      }
      refusals { code message path available }
    }
  }
}`,
		Variables: map[string]any{"panier": map[string]any{
			"contact": map[string]any{"name": "Camille Le Gall", "phone": "02 97 00 00 00"},
			"orders":  []any{map[string]any{"shop": shop.String(), "mode": "PICKUP", "lines": []any{line}}},
		}},
		Fresh: []string{"panier.idempotencyKey"},
	}, {
		Key: "lien", Title: "Ouvrir le lien de suivi",
		Explanation: "Le secret du lien s'échange contre une session de trente minutes, limitée aux commandes de ce panier.",
		Query: `mutation OuvrirLeLien($secret: String!) {
  exchangeGuestLink(input: { secret: $secret }) {
    token
    expiresAt
    orders { id number status }
  }
}`,
		Take: []Take{{Variable: "secret", Example: "commander", Path: "placeOrders.guestSecret"}},
	}, {
		Key: "suivi", Title: "Lire sa commande, avec le lien",
		Explanation: "Sans cette session, la même requête répond : introuvable.",
		Query: `query MaCommande($commande: ID!) {
  order(id: $commande) {
    number
    status
    pickupCode { text }
    history { kind status at by }
    nextActions
  }
}`,
		Take:   takeOrder,
		Bearer: &Take{Example: "lien", Path: "exchangeGuestLink.token"},
	}, {
		Key: "direct", Title: "Suivre la commande en direct",
		Explanation: "L'état présent d'abord, puis chaque étape dès qu'elle a lieu : laissez le suivi ouvert et continuez. Après une coupure il reprend au dernier curseur reçu.",
		Query: `subscription Suivre($commande: ID!, $after: String) {
  orderUpdated(id: $commande, after: $after) {
    cursor
    kind
    status
    at
    by
  }
}`,
		Take:   takeOrder,
		Bearer: &Take{Example: "lien", Path: "exchangeGuestLink.token"},
	}, {
		Key: "accepter", Title: "Accepter la commande, côté boutique",
		Explanation: "La commerçante la prend en charge. Un refus du métier arrive dans refusals, avec une phrase qui dit quoi faire.",
		Role:        merchantRole,
		Query: `mutation Accepter($commande: ID!) {
  acceptOrder(input: { order: $commande }) {
    order { number status contact { name phone } nextActions }
    refusals { code message }
  }
}`,
		Take: takeOrder,
	}, {
		Key: "prete", Title: "La commande est prête",
		Explanation: "« Prête » est un état à part : sans lui, les clients viennent trop tôt.",
		Role:        merchantRole,
		Query: `mutation Prete($commande: ID!) {
  markOrderReady(input: { order: $commande }) {
    order { number status nextActions }
    refusals { code message }
  }
}`,
		Take: takeOrder,
	}, {
		Key: "retirer", Title: "Remettre la commande, contre son code",
		Explanation: "Le client dit le code à la porte, sans entrer dans la boutique.",
		Role:        merchantRole,
		Query: `mutation Remettre($commande: ID!, $code: String) {
  markOrderCollected(input: { order: $commande, code: $code }) {
    order { number status history { kind at by } }
    refusals { code message }
  }
}`,
		Take: append(slices.Clone(takeOrder), Take{Variable: "code", Example: "commander", Path: "placeOrders.results.0.order.pickupCode.text"}),
	}}, nil
}

// forSale finds a line that one of the shops would take for pickup now, as a basket has it.
func (s *Server) forSale(ctx context.Context, visitor *identity.Viewer, shops []tenancy.ID) (shop tenancy.ID, line map[string]any, err error) {
	modes, err := s.directory.FulfilmentsOf(ctx, visitor, shops)
	if err != nil {
		return shop, nil, err
	}
	lists, err := s.catalog.ListByShop(ctx, visitor, shops, 20, nil)
	if err != nil {
		return shop, nil, err
	}
	for _, shop := range shops {
		pickup := slices.IndexFunc(modes[shop], func(f *directory.Fulfilment) bool { return f.Mode == directory.Pickup })
		if pickup < 0 || lists[shop] == nil {
			continue
		}
		var products []tenancy.ID
		for _, p := range lists[shop].Nodes() {
			products = append(products, p.ID())
		}
		variants, err := s.catalog.VariantsOf(ctx, visitor, products)
		if err != nil {
			return shop, nil, err
		}
		for _, p := range products {
			for _, v := range variants[p] {
				for quantity := 1; quantity <= v.Available; quantity++ {
					if v.PriceCents*money.Cents(quantity) >= modes[shop][pickup].MinimumCents {
						return shop, map[string]any{"variant": v.ID().String(), "quantity": quantity}, nil
					}
				}
			}
		}
	}
	return shop, nil, nil
}
