package ordering

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/google/uuid"

	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// DeliveryAddress is where an order is brought to.
//
// Its point is Location where the client gives one, as a site that completes addresses does (Base
// adresse nationale); else the centre of the commune that the postcode and the city name. The centre
// may lie kilometres from the door: it refuses who is far, and the shop, which reads the address,
// may still reject.
type DeliveryAddress struct {
	Street   string
	Postcode string
	City     string
	Location *tenancy.Point
}

// address is a checked one.
type address DeliveryAddress

// Bounds of an address, in characters.
const (
	maxStreet = 200
	maxCity   = 100
)

var postcodeForm = regexp.MustCompile(`^[0-9]{5}$`)

func (a *DeliveryAddress) check(path []string) (*address, error) {
	if a == nil {
		return nil, nil //nolint:nilnil // no address is an answer
	}
	c := address{Street: strings.TrimSpace(a.Street), Postcode: strings.ReplaceAll(a.Postcode, " ", ""), City: strings.TrimSpace(a.City), Location: a.Location}
	switch {
	case c.Street == "":
		return nil, fault.At(at(path, "street"), "Donnez le numéro et la rue, ou le lieu-dit.")
	case c.City == "":
		return nil, fault.At(at(path, "city"), "Donnez la ville.")
	case !postcodeForm.MatchString(c.Postcode):
		return nil, fault.At(at(path, "postcode"), "%q n'est pas un code postal ; écrivez 56100.", clip(a.Postcode))
	}
	if err := checkLength(&c.Street, maxStreet, at(path, "street")); err != nil {
		return nil, err
	}
	if err := checkLength(&c.City, maxCity, at(path, "city")); err != nil {
		return nil, err
	}
	if p := c.Location; p != nil {
		if err := p.Check(at(path, "location")...); err != nil {
			return nil, err
		}
	}
	return &c, nil
}

func (a *address) columns() (latitude, longitude *float64, postcode, city *string) {
	if a == nil {
		return nil, nil, nil, nil
	}
	if a.Location != nil {
		latitude, longitude = &a.Location.Latitude, &a.Location.Longitude
	}
	return latitude, longitude, &a.Postcode, &a.City
}

// reached says no to a delivery without an address, or to one that the shop does not go to.
func (s *shopOrder) reached(t *terms, offered *offer, to *address, v *verdict) {
	other := ""
	for _, f := range t.offers {
		if f.Mode != nil && *f.Mode == directory.Pickup {
			other = ", ou choisissez le retrait à la boutique (PICKUP)"
		}
	}
	path := []string{"input", "address"}
	switch {
	case to == nil:
		v.refuse(AddressRequired, path, "Donnez l'adresse de livraison%s.", other)
	case offered.Metres == nil:
		v.refuse(AddressUnknown, at(path, "postcode"), "Nous ne savons pas où est %s %s. Vérifiez le code postal, ou donnez un point (location)%s.", to.Postcode, to.City, other)
	case offered.PerimeterM != nil && *offered.Metres > float64(*offered.PerimeterM):
		v.refuse(OutOfPerimeter, path, "La boutique livre à %s à la ronde ; cette adresse est à %s. Donnez une adresse plus proche%s.",
			kilometres(float64(*offered.PerimeterM)), kilometres(*offered.Metres), other)
	}
}

// kilometres is "4 km", "7,2 km", "350 m".
func kilometres(metres float64) string {
	if metres < 1000 {
		return fmt.Sprintf("%.0f\u00a0m", metres)
	}
	return strings.Replace(strings.TrimSuffix(fmt.Sprintf("%.1f", metres/1000), ".0"), ".", ",", 1) + "\u00a0km"
}

// AddressesOf reads where orders are brought to, for the customer and the merchant of each order;
// of other orders it says nothing.
func (o *Ordering) AddressesOf(ctx context.Context, v *identity.Viewer, orders []tenancy.ID) (map[tenancy.ID]*DeliveryAddress, error) {
	type row struct {
		CommuneID              string
		OrderID, ShopID        uuid.UUID
		CustomerID             *uuid.UUID
		Street, Postcode, City string
		Latitude, Longitude    *float64
	}
	as, ok := reads(v)
	if !ok {
		return nil, nil
	}
	communes, rows := tenancy.Columns(orders)
	list, err := pg.Select[row](ctx, o.DB, as.Scope().In(communes...), `
		select c.commune_id, c.order_id, o.shop_id, o.customer_id, c.street, c.postcode, c.city, c.latitude, c.longitude
		from unnest($1::text[], $2::uuid[]) k (commune_id, order_id)
		join order_contacts c using (commune_id, order_id) join orders o on o.commune_id = c.commune_id and o.id = c.order_id
		where c.street is not null and c.postcode is not null and c.city is not null`, communes, rows)
	of := make(map[tenancy.ID]*DeliveryAddress, len(orders))
	for _, c := range list {
		order := Order{CommuneID: c.CommuneID, Row: c.OrderID, ShopRow: c.ShopID, CustomerID: c.CustomerID}
		if !order.Between(v) {
			continue
		}
		a := &DeliveryAddress{Street: c.Street, Postcode: c.Postcode, City: c.City}
		if c.Latitude != nil && c.Longitude != nil {
			a.Location = &tenancy.Point{Latitude: *c.Latitude, Longitude: *c.Longitude}
		}
		of[order.ID()] = a
	}
	return of, err
}
