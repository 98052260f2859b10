package ordering

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/money"
	"github.com/audelor/halles/internal/tenancy"
)

// PlaceInput is a basket: one order at each of its shops.
type PlaceInput struct {
	IdempotencyKey string // the client's own, new for each basket and the same for each retry
	Orders         []ShopBasket
	Contact        *PersonContact   // a visitor must give one
	Address        *DeliveryAddress // where to bring what is delivered; nil where nothing is
	Channel        *Channel         // WEB when absent
	BuyerCommune   *string          // INSEE code of where the customer lives, for figures; never needed

	entered bool // for a caller, or at the counter; see Enter
}

// ShopBasket is what a basket holds of one shop.
type ShopBasket struct {
	Shop          tenancy.ID
	Mode          directory.FulfilmentMode
	Lines         []BasketLine
	Slot          *time.Time // the start of the slot in which it is handed over; nil: when it is ready
	Note          *string
	ExpectedCents *money.Cents // the total that the customer saw
}

// BasketLine is some pieces of a variant.
type BasketLine struct {
	Variant       tenancy.ID
	Quantity      int
	ExpectedCents *money.Cents // the price of one piece that the customer saw
}

// Bounds of a basket: more than a family's Saturday, less than a way to lock up a shop.
const (
	maxShops    = 20
	maxLines    = 100
	maxQuantity = 9999
	maxNote     = 1000 // characters
	maxText     = 500  // characters, beside a reason
	maxName     = 200  // characters
)

// A visitor's key is the one thing that tells its basket from another's, so it must be long
// enough that nobody guesses it; a random UUID has 36 characters.
var keyForm = regexp.MustCompile(`^[!-~]{16,100}$`)

// basket is a checked input: lines merged, contact in its canonical form.
type basket struct {
	key     string
	scope   uuid.UUID // whose the key is
	channel Channel
	contact *PersonContact
	address *address
	buyer   *string // commune
	orders  []*shopOrder
	entered bool // by the viewer, who is the shop or the hotline, for somebody else
}

// shopOrder is one order to be made.
type shopOrder struct {
	shop     tenancy.ID
	mode     directory.FulfilmentMode
	slot     *time.Time
	lines    []wanted
	note     *string
	expected *money.Cents
	path     []string
	hash     []byte // of all that the shop is asked for
}

// wanted is a variant with the pieces of all its lines.
type wanted struct {
	variant  tenancy.ID
	quantity int
	expected []money.Cents
	path     []string // of its first line
}

func at(path []string, names ...string) []string {
	return append(path[:len(path):len(path)], names...)
}

// check refuses what the client could have known to be wrong; it looks at the input only.
func (in *PlaceInput) check(v *identity.Viewer) (*basket, error) {
	root := []string{"input"}
	b := &basket{key: in.IdempotencyKey, scope: cmp.Or(v.Account, guestScope(in.IdempotencyKey)), channel: Web, entered: in.entered}
	if !keyForm.MatchString(in.IdempotencyKey) {
		return nil, fault.At(at(root, "idempotencyKey"), "La clé doit avoir de 16 à 100 caractères ASCII sans espace ; un UUID aléatoire convient.")
	}
	if in.Channel != nil {
		if b.channel = *in.Channel; b.channel != Web && b.channel != Widget && !in.entered {
			return nil, fault.At(at(root, "channel"), "Le canal est WEB ou WIDGET ; les commandes prises au téléphone ou au comptoir sont saisies par la boutique.")
		}
	}
	if v.Keyed() { // where a widget's orders come from is known
		if in.Channel != nil && *in.Channel != Widget {
			return nil, fault.At(at(root, "channel"), "Le widget d'une commune commande par le canal WIDGET ; retirez channel.")
		}
		b.channel = Widget
	}
	var err error
	if b.contact, err = in.contact(v, at(root, "contact")); err != nil {
		return nil, err
	}
	if b.buyer = trimmed(in.BuyerCommune); b.buyer != nil && !tenancy.ValidInsee(*b.buyer) {
		return nil, fault.At(at(root, "buyerCommune"), "%q n'est pas un code INSEE de commune ; écrivez 56121 pour Lorient, ou laissez vide.", clip(*b.buyer))
	}
	if b.address, err = in.Address.check(at(root, "address")); err != nil {
		return nil, err
	}
	if b.orders, err = checkShops(in.Orders, root); err != nil {
		return nil, err
	}
	for _, o := range b.orders {
		o.hash = hash(o, b)
	}
	return b, nil
}

func (s *ShopBasket) check(path []string) (*shopOrder, error) {
	o := &shopOrder{shop: s.Shop, mode: s.Mode, note: trimmed(s.Note), expected: s.ExpectedCents, path: path}
	if err := s.Shop.Want(tenancy.KindShop, at(path, "shop")...); err != nil {
		return nil, err
	}
	if !s.Mode.Valid() {
		return nil, fault.At(at(path, "mode"), "Le mode est PICKUP ou DELIVERY.")
	}
	if err := checkLength(o.note, maxNote, at(path, "note")); err != nil {
		return nil, err
	}
	if s.Slot != nil {
		if err := directory.CheckInstant(*s.Slot, at(path, "slot")...); err != nil {
			return nil, err
		}
		slot := s.Slot.UTC().Truncate(time.Second)
		o.slot = &slot
	}
	if n := len(s.Lines); n < 1 || n > maxLines {
		return nil, fault.At(at(path, "lines"), "La commande compte %d lignes ; il en faut de 1 à %d.", n, maxLines)
	}
	index := map[tenancy.ID]int{}
	for i, l := range s.Lines {
		here := at(path, "lines", strconv.Itoa(i))
		if err := l.Variant.Want(tenancy.KindVariant, at(here, "variant")...); err != nil {
			return nil, err
		}
		if l.Quantity < 1 || l.Quantity > maxQuantity {
			return nil, fault.At(at(here, "quantity"), "La quantité vaut %d ; il en faut de 1 à %d.", l.Quantity, maxQuantity)
		}
		at, again := index[l.Variant]
		if !again {
			at = len(o.lines)
			index[l.Variant] = at
			o.lines = append(o.lines, wanted{variant: l.Variant, path: here})
		}
		w := &o.lines[at]
		if w.quantity += l.Quantity; w.quantity > maxQuantity {
			return nil, fault.At(append(here, "quantity"), "Les lignes de cet article font %d pièces ; au plus %d.", w.quantity, maxQuantity)
		}
		if l.ExpectedCents != nil {
			w.expected = append(w.expected, *l.ExpectedCents)
		}
	}
	return o, nil
}

// hash tells whether a key comes back with the same order: shop, mode, slot, pieces, note, contact,
// channel and, of a delivery, the address, whatever the order of the lines. What the customer expected
// to pay is left out: it decides whether the order is made, not what it is.
func hash(o *shopOrder, b *basket) []byte {
	pieces := map[string]int{} // encoding/json sorts keys
	for _, l := range o.lines {
		pieces[l.variant.String()] = l.quantity
	}
	parts := []any{o.shop.String(), o.mode, pieces, o.note, b.contact, b.channel}
	if o.slot != nil { // keys are older than slots and addresses
		parts = append(parts, o.slot)
	}
	if o.mode == directory.Delivery && b.address != nil {
		parts = append(parts, b.address)
	}
	canonical, err := json.Marshal(parts)
	if err != nil {
		panic(err) // plain data
	}
	sum := sha256.Sum256(canonical)
	return sum[:]
}

// check returns the contact in its canonical form, null for none.
func (c *PersonContact) check(v *identity.Viewer, path []string) (*PersonContact, error) {
	given := PersonContact{}
	if c != nil {
		given = PersonContact{Name: trimmed(c.Name), Phone: trimmed(c.Phone), Email: trimmed(c.Email)}
	}
	if given.Name == nil && v.Name != "" {
		given.Name = &v.Name
	}
	if err := checkLength(given.Name, maxName, at(path, "name")); err != nil {
		return nil, err
	}
	if given.Phone != nil {
		e164, ok := directory.Phone(*given.Phone)
		if !ok {
			return nil, fault.At(at(path, "phone"), "%q n'est pas un numéro de téléphone ; écrivez 06 12 34 56 78 ou +33612345678.", clip(*given.Phone))
		}
		given.Phone = &e164
	}
	if given.Email != nil && !directory.Email(*given.Email) {
		return nil, fault.At(at(path, "email"), "%q n'est pas une adresse électronique ; écrivez nom@exemple.fr.", clip(*given.Email))
	}
	// The shop must be able to say that the bread is gone.
	if v.Account == uuid.Nil && (given.Name == nil || given.Phone == nil && given.Email == nil) {
		return nil, fault.At(path, "Donnez un nom, et un téléphone ou une adresse électronique : la boutique doit pouvoir vous prévenir.")
	}
	if given == (PersonContact{}) {
		return nil, nil //nolint:nilnil // no contact is an answer
	}
	return &given, nil
}

// separators are what people write between the letters of a code.
var separators = strings.NewReplacer(" ", "", ".", "", "-", "", "(", "", ")", "", "\u00a0", "", "\u202f", "")

// trimmed is a text without the space around it; null when nothing is left.
func trimmed(s *string) *string {
	if s == nil {
		return nil
	}
	t := strings.TrimSpace(*s)
	if t == "" {
		return nil
	}
	return &t
}

func checkLength(s *string, most int, path []string) error {
	switch {
	case s == nil:
	case utf8.RuneCountInString(*s) > most:
		return fault.At(path, "Ce texte a %d caractères ; %d au plus.", utf8.RuneCountInString(*s), most)
	case strings.ContainsRune(*s, 0):
		return fault.At(path, "Ce texte contient un caractère nul.")
	}
	return nil
}

func clip(s string) string {
	if runes := []rune(s); len(runes) > 60 {
		return string(runes[:60]) + "…"
	}
	return s
}
