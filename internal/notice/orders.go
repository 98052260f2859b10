package notice

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/audelor/halles/internal/calendar"
	"github.com/audelor/halles/internal/money"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// hotline is the numéro vert.
const hotline = "0 805 05 00 26"

func init() {
	for _, name := range []string{"order_placed", "order_accepted", "order_ready", "order_sent_out", "order_delivered", "order_rejected", "order_cancelled", "order_not_collected", "order_moved"} {
		loaders[name] = orderToCustomer
	}
	loaders["order_change_proposed"] = changeToCustomer
	for _, name := range []string{"shop_change_confirmed", "shop_order_new", "shop_order_reminder", "shop_order_withdrawn", "shop_delivery_open", "shop_order_moved"} {
		loaders[name] = orderToShop
	}
}

// orderWords is an order as its letters tell of it.
type orderWords struct {
	Number      string
	Customer    string // as the customer wrote it; empty where unknown
	Shop        string
	ShopPhone   string // as one dials it in France; empty where the shop has none
	ShopAddress string
	Delivery    bool
	Code        string
	Lines       []string // "2 × Pain de seigle : 7,00 €"
	Total       string
	Why         string // the reason as a sentence; empty without
	Words       string // what was added to the reason
	Note        string // the customer's
	Slot        string // "samedi 31 octobre, de 10 h à 10 h 30"; empty: when it is ready
	To          string // where it is brought to; empty for a pickup
	Hotline     string
	Counter     string // the shop's link that opens this order, for a day; empty without
}

// reasons are sentences for the shop, and those that a customer reads otherwise. What is not here
// needs none.
var reasons = map[string]string{
	"OUT_OF_STOCK":     "Un article n'est plus disponible.",
	"SHOP_CLOSED":      "La boutique est fermée ce jour-là.",
	"TOO_BUSY":         "La boutique a trop de commandes à préparer.",
	"CHANGED_MIND":     "Le client a changé d'avis.",
	"ORDERED_TWICE":    "La commande avait été passée deux fois.",
	"UNREACHABLE":      "Le client n'a pas pu être joint.",
	"NOT_COLLECTED":    "Personne n'est venu la retirer.",
	"NOT_ACKNOWLEDGED": "La boutique n'a pas répondu à temps.",

	"CHANGE_NOT_CONFIRMED": "La modification proposée n'a pas été confirmée à temps.",
}

var reasonsToCustomer = map[string]string{
	"CHANGED_MIND":  "Vous l'avez demandé.",
	"ORDERED_TWICE": "Elle avait été passée deux fois.",
	"UNREACHABLE":   "La boutique n'a pas pu vous joindre.",
}

func orderToCustomer(ctx context.Context, n *Notices, commune string, row uuid.UUID) (*letter, error) {
	w, c, err := n.order(ctx, commune, row)
	if err != nil {
		return nil, err
	}
	if why := reasonsToCustomer[c.Reason]; why != "" {
		w.Why = why
	}
	return &letter{Name: w.Customer, Address: c.Email, Phone: c.Phone, Data: w}, nil
}

func orderToShop(ctx context.Context, n *Notices, commune string, row uuid.UUID) (*letter, error) {
	w, c, err := n.order(ctx, commune, row)
	if err != nil {
		return nil, err
	}
	if n.ShopLinks != nil && n.URL != "" {
		w.Counter = n.URL + "comptoir/commande#" + n.ShopLinks.New(tenancy.RowID(tenancy.KindShop, commune, c.ShopID), tenancy.RowID(tenancy.KindOrder, commune, row))
	}
	return &letter{Name: w.Shop, Address: c.ShopEmail, Phone: c.ShopPhone, Data: w}, nil
}

// reached is how the two sides of an order are reached.
type reached struct {
	Email, Phone, ShopEmail, ShopPhone, Reason string
	ShopID                                     uuid.UUID
}

func (n *Notices) order(ctx context.Context, commune string, row uuid.UUID) (*orderWords, *reached, error) {
	type order struct {
		orderRow
		reached
	}
	rows, err := pg.Select[order](ctx, n.DB, worker(commune), `
		select o.number, o.mode, o.pickup_code, o.items_cents + o.delivery_cents as total, o.delivery_cents,
			coalesce(o.reason, '') as reason, coalesce(o.reason_text, '') as reason_text, coalesce(o.note, '') as note,
			o.slot_starts_at, o.slot_ends_at, coalesce(c.street || ', ' || c.postcode || ' ' || c.city, '') as recipient,
			s.id as shop_id, s.name as shop, s.street, s.postcode, s.city,
			coalesce(c.name, '') as name, coalesce(c.email, '') as email, coalesce(c.phone, '') as phone,
			coalesce(s.email, '') as shop_email, coalesce(s.phone, '') as shop_phone,
			array(select l.quantity from order_lines l where l.commune_id = o.commune_id and l.order_id = o.id and l.quantity > 0 order by l.line) as quantities,
			array(select l.name || case l.option_value when '' then '' else ' (' || l.option_value || ')' end
				from order_lines l where l.commune_id = o.commune_id and l.order_id = o.id and l.quantity > 0 order by l.line) as names,
			array(select l.quantity * l.unit_cents from order_lines l where l.commune_id = o.commune_id and l.order_id = o.id and l.quantity > 0 order by l.line) as amounts
		from orders o join shops s on s.commune_id = o.commune_id and s.id = o.shop_id
		left join order_contacts c on c.commune_id = o.commune_id and c.order_id = o.id
		where o.commune_id = $1 and o.id = $2`, commune, row)
	if err != nil {
		return nil, nil, err
	}
	if len(rows) == 0 {
		return nil, nil, errNothing
	}
	r := &rows[0].reached
	w := rows[0].words()
	w.Why, w.ShopPhone = reasons[r.Reason], dialled(r.ShopPhone)
	return w, r, nil
}

type orderRow struct {
	Number, Mode, PickupCode, ReasonText, Note string
	Total, DeliveryCents                       money.Cents
	Shop, Street, Postcode, City, Name         string
	Quantities                                 []int
	Names                                      []string
	Amounts                                    []money.Cents
	SlotStartsAt, SlotEndsAt                   *time.Time
	Recipient                                  string
}

func (o *orderRow) words() *orderWords {
	w := &orderWords{
		Number: o.Number, Customer: oneLine(o.Name), Shop: oneLine(o.Shop), ShopAddress: oneLine(o.Street + ", " + o.Postcode + " " + o.City),
		Delivery: o.Mode == "DELIVERY", Code: o.PickupCode, Total: o.Total.Format(),
		Words: oneLine(o.ReasonText), Note: oneLine(o.Note), Hotline: hotline,
	}
	w.To = oneLine(o.Recipient)
	if o.SlotStartsAt != nil && o.SlotEndsAt != nil {
		w.Slot = calendar.Span{Start: *o.SlotStartsAt, End: *o.SlotEndsAt}.Text()
	}
	for i, name := range o.Names {
		w.Lines = append(w.Lines, spell(o.Quantities[i], oneLine(name), o.Amounts[i]))
	}
	return w
}

func spell(quantity int, name string, amount money.Cents) string {
	return fmt.Sprintf("%d × %s : %s", quantity, name, amount.Format())
}

// dialled is a number as one dials it in France: "+33261910000" is "02 61 91 00 00".
func dialled(e164 string) string {
	local, french := strings.CutPrefix(e164, "+33")
	if !french || len(local) != 9 {
		return e164
	}
	local = "0" + local
	return strings.Join([]string{local[:2], local[2:4], local[4:6], local[6:8], local[8:]}, " ")
}
