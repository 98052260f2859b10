package ordering

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/tenancy"
)

// EnterInput is an order for somebody else.
type EnterInput struct {
	IdempotencyKey string
	Order          ShopBasket
	Contact        PersonContact
	Channel        Channel // PHONE or COUNTER
	BuyerCommune   *string
}

// Enter places an order for somebody who telephones or stands at the counter: by the way of Place,
// with its guarantees, its key and its refusals, but written as the shop's merchant or the
// hotline's, and of no account. What the shop itself entered it has accepted, too: a retry after
// a crash between the two completes it.
//
// Faults: as Place's; FORBIDDEN for all but the hotline and merchants, NOT_FOUND for another's shop.
func (o *Ordering) Enter(ctx context.Context, v *identity.Viewer, in EnterInput) (_ *ChangePayload, err error) {
	defer fault.Wrap(&err, "Enter(%s)", in.Order.Shop)
	if err := in.may(v); err != nil {
		return nil, err
	}
	placed, err := o.Place(ctx, v, PlaceInput{
		IdempotencyKey: in.IdempotencyKey, Orders: []ShopBasket{in.Order}, Contact: &in.Contact, Channel: &in.Channel, BuyerCommune: in.BuyerCommune, entered: true,
	})
	if err != nil {
		return nil, err
	}
	result := &placed.Results[0]
	if result.fault != nil || result.order == nil {
		return &ChangePayload{Refusals: moved(result.Refusals)}, result.fault
	}
	if v.Kind == identity.Merchant && result.order.Status == Placed {
		return o.Do(ctx, v, Accept, ChangeInput{Order: result.order.ID()})
	}
	return &ChangePayload{result.order.as(v), []Refusal{}}, nil
}

// moved has the refusals of the one shop of a basket name the arguments of Enter.
func moved(refusals []Refusal) []Refusal {
	for i := range refusals {
		if path := refusals[i].Path; len(path) > 3 && path[1] == "orders" {
			refusals[i].Path = at([]string{"input", "order"}, path[3:]...)
		}
	}
	return refusals
}

// may refuses who enters no orders for others.
func (in *EnterInput) may(v *identity.Viewer) error {
	if err := in.Order.Shop.Want(tenancy.KindShop, "input", "order", "shop"); err != nil {
		return err
	}
	if in.Channel != Phone && in.Channel != Counter {
		return fault.At([]string{"input", "channel"}, "Le canal est PHONE pour un appel, COUNTER à la boutique ; une commande en ligne se passe par placeOrders.")
	}
	shop := in.Order.Shop
	switch {
	case !identity.Checked:
		return nil
	case v.Kind == identity.Merchant && !v.Runs(shop), v.Kind == identity.Hotline && !v.Serves(shop.Commune):
		return shop.NotFound()
	case v.Kind == identity.Hotline && in.Channel == Counter:
		return fault.At([]string{"input", "channel"}, "Le numéro vert prend des commandes par téléphone : le canal est PHONE.")
	case v.Kind == identity.Merchant || v.Kind == identity.Hotline:
		return nil
	}
	if err := v.SignedIn(); err != nil {
		return err
	}
	return fault.Errorf(fault.Forbidden, "Une commande se saisit à la boutique ou au numéro vert ; pour vous-même, passez-la par placeOrders.")
}

// contact is the checked contact of an order. Who enters one for another gives that one's name, and
// who telephones has a number.
func (in *PlaceInput) contact(v *identity.Viewer, path []string) (*PersonContact, error) {
	if !in.entered {
		return in.Contact.check(v, path)
	}
	c, err := in.Contact.check(&identity.Viewer{Account: v.Account}, path) // no name of its own
	switch {
	case err != nil:
		return nil, err
	case c == nil || c.Name == nil:
		return nil, fault.At(at(path, "name"), "Donnez le nom du client : il le dira à la porte.")
	case *in.Channel == Phone && c.Phone == nil:
		return nil, fault.At(at(path, "phone"), "Donnez le téléphone du client : la boutique doit pouvoir le rappeler.")
	}
	return c, nil
}

// queueEntered says by whom an order was entered: in its event, and of the hotline in the audit log.
func (p *placing) queueEntered(b *pgx.Batch, order *Order, e *Event) {
	switch {
	case !p.basket.entered:
	case p.v.Kind == identity.Hotline:
		e.Actor = ByHotline
		identity.QueueAudit(b, identity.AuditEntry{By: p.v, At: order.PlacedAt, Action: "ORDER_ENTER", Object: order.ID(), After: order.state()})
	default:
		e.Actor = ByMerchant
	}
}
