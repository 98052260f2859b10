// Package ordering takes orders and sees them through: the basket, placing, the order's life
// and the log of its events. What is sold and how many are left is the catalog's; who asks is
// identity's.
//
// The pure part (order.go, life.go, basket.go) knows no database and no clock.
package ordering

import (
	"time"

	"github.com/google/uuid"

	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/money"
	"github.com/audelor/halles/internal/tenancy"
)

// Status is where an order stands in its life; transitions.go says what leads where.
type Status string

// PLACED → ACCEPTED → READY → COLLECTED, or → OUT_FOR_DELIVERY → DELIVERED; and the ways out.
const (
	Placed         Status = "PLACED"           // stock is taken; the shop has not answered
	Accepted       Status = "ACCEPTED"         // the shop prepares it
	Ready          Status = "READY"            // it can be fetched: a word of its own, customers came too early without
	OutForDelivery Status = "OUT_FOR_DELIVERY" // on its way
	Collected      Status = "COLLECTED"        // handed over at the shop
	Delivered      Status = "DELIVERED"        // handed over at the door
	Rejected       Status = "REJECTED"         // the shop said no; stock given back
	Cancelled      Status = "CANCELLED"        // called off before hand-over; stock given back
	NoShow         Status = "NO_SHOW"          // nobody came; stock given back
)

// statuses is every status, in the order of a life.
var statuses = []Status{Placed, Accepted, Ready, OutForDelivery, Collected, Delivered, Rejected, Cancelled, NoShow}

// Channel is where an order came in.
type Channel string

// The channels.
const (
	Web     Channel = "WEB"     // the shared site
	Widget  Channel = "WIDGET"  // a commune's website
	Phone   Channel = "PHONE"   // entered for a caller
	Counter Channel = "COUNTER" // entered at the shop
)

// Order is one order at one shop. Its columns are those that every reader of the order may
// see, but for the customer and the pickup code, which have methods that ask who reads.
type Order struct {
	CommuneID     string
	Row           uuid.UUID `db:"id"`
	ShopRow       uuid.UUID `db:"shop_id"`
	Number        string    // "7K3MQ9TX": said on the telephone, tells nothing of the volume
	Channel       Channel
	Mode          directory.FulfilmentMode
	Status        Status
	Version       int        // counts its events, from 1
	CustomerID    *uuid.UUID // account; null for a guest
	ItemsCents    money.Cents
	DeliveryCents money.Cents
	ItemCount     int    // pieces over all lines
	Code          string `db:"pickup_code"`
	Reason        *Reason
	ReasonText    *string // what the person who ended it added
	Note          *string // the customer's, for the shop
	PlacedAt      time.Time
	UpdatedAt     time.Time
	SlotStartsAt  *time.Time // when it is handed over, as promised; null: when it is ready
	SlotEndsAt    *time.Time
	ChangeVersion *int       // the proposed change that waits for the customer
	ChangeUntil   *time.Time // when the order is cancelled if it goes on waiting

	// Reader is as whom the order was read and its relations are. It is the request's viewer, but
	// for what a visitor has just placed: that it reads as a guest bound to its basket.
	Reader *identity.Viewer `db:"-"`

	// Written are its lines, where it was placed a moment ago: the answer need not read them again.
	// Nil: they are read.
	Written []*Line `db:"-"`
}

const orderColumns = `o.commune_id, o.id, o.shop_id, o.number, o.channel, o.mode, o.status, o.version, o.customer_id,
	o.items_cents, o.delivery_cents, o.item_count, o.pickup_code, o.reason, o.reason_text, o.note, o.placed_at, o.updated_at,
	o.slot_starts_at, o.slot_ends_at, o.change_version, o.change_until`

// ID is the order's global ID.
func (o *Order) ID() tenancy.ID { return tenancy.RowID(tenancy.KindOrder, o.CommuneID, o.Row) }

// ShopID is the ID of the shop that it was placed at.
func (o *Order) ShopID() tenancy.ID { return tenancy.RowID(tenancy.KindShop, o.CommuneID, o.ShopRow) }

// IsNode marks a type with an ID of its own.
func (*Order) IsNode() {}

// IsEntity marks a type that other subgraphs may extend.
func (*Order) IsEntity() {}

// Line is one variant of an order, with name, price and VAT as they were when it was placed.
type Line struct {
	CommuneID   string
	OrderRow    uuid.UUID `db:"order_id"`
	Line        int       // from 1, as the customer gave them
	VariantRow  uuid.UUID `db:"variant_id"`
	Name        string    // the product's
	OptionValue string    // the variant's: "38"; empty where there is only one
	Quantity    int
	UnitCents   money.Cents
	VATRate     money.BasisPoints `db:"vat_rate"`
}

const lineColumns = `l.commune_id, l.order_id, l.line, l.variant_id, l.name, l.option_value, l.quantity, l.unit_cents, l.vat_rate`

// VariantID is the ID of the variant that was ordered; it may no longer be sold.
func (l *Line) VariantID() tenancy.ID {
	return tenancy.RowID(tenancy.KindVariant, l.CommuneID, l.VariantRow)
}

// UnitPrice is the price of one piece.
func (l *Line) UnitPrice() money.Price { return money.Price{Cents: l.UnitCents} }

// Total is the price of the line.
func (l *Line) Total() money.Price {
	return money.Price{Cents: l.UnitCents * money.Cents(l.Quantity)}
}

// Totals is what an order costs.
type Totals struct {
	Items    money.Price
	Delivery money.Price
	VAT      []money.VAT // contained in Total, one for each rate, highest first
	Total    money.Price
}

// normalRate is France's normal rate of VAT (CGI, art. 278).
const normalRate money.BasisPoints = 2000

// TotalsOf adds an order up. VAT is rounded once for each rate, over the whole order, so that
// the groups add up to the total.
func (o *Order) TotalsOf(lines []*Line) *Totals {
	sum := totals(lines, o.DeliveryCents)
	return &sum
}

func totals(lines []*Line, delivery money.Cents) Totals {
	// Delivery is taxed at the normal rate: never too little, whatever the goods are. (CGI art.
	// 267-I-2° would let it follow the rates of the goods.) A shop under the franchise en base
	// (art. 293 B) sells all at rate 0 and may state VAT on nothing, delivery included.
	deliveryRate := money.BasisPoints(0)
	var items money.Cents
	groups := make([]money.Line, 0, len(lines)+1)
	for _, l := range lines {
		items += l.Total().Cents
		groups = append(groups, money.Line{Cents: l.Total().Cents, Rate: l.VATRate})
		if l.VATRate > 0 {
			deliveryRate = normalRate
		}
	}
	if delivery > 0 {
		groups = append(groups, money.Line{Cents: delivery, Rate: deliveryRate})
	}
	return Totals{
		Items: money.Price{Cents: items}, Delivery: money.Price{Cents: delivery},
		VAT: money.Split(groups), Total: money.Price{Cents: items + delivery},
	}
}

// PersonContact is how to reach whoever ordered. Each part may be missing: a caller has no e-mail.
type PersonContact struct {
	Name  *string
	Phone *string // E.164
	Email *string
}

// Reason is why an order was rejected, cancelled or not collected, for programs and figures.
type Reason string

// The reasons.
const (
	OutOfStockReason Reason = "OUT_OF_STOCK"     // the shop found that it has not got it
	ShopClosed       Reason = "SHOP_CLOSED"      // the shop cannot serve on that day
	TooBusy          Reason = "TOO_BUSY"         // more than the shop can prepare
	ChangedMind      Reason = "CHANGED_MIND"     // the customer's own
	OrderedTwice     Reason = "ORDERED_TWICE"    // by mistake
	Unreachable      Reason = "UNREACHABLE"      // the customer could not be reached
	NotCollected     Reason = "NOT_COLLECTED"    // nobody came
	NotAcknowledged  Reason = "NOT_ACKNOWLEDGED" // the shop did not answer in time; the platform's own
	OtherReason      Reason = "OTHER"            // see the text beside it

	ChangeNotConfirmed Reason = "CHANGE_NOT_CONFIRMED" // the customer did not answer a proposed change in time; the platform's own
)

// reasons is every reason that a person may give; the others are the platform's.
var reasons = []Reason{OutOfStockReason, ShopClosed, TooBusy, ChangedMind, OrderedTwice, Unreachable, NotCollected, OtherReason}
