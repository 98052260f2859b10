package ordering

import (
	"context"
	"slices"
	"strconv"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/calendar"
	"github.com/audelor/halles/internal/catalog"
	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/money"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// BasketInput is a basket to be quoted.
type BasketInput struct {
	Orders  []ShopBasket
	Address *DeliveryAddress
}

// BasketQuote is what a basket would come to if it were placed now.
type BasketQuote struct {
	Quotes []*ShopQuote // in the order of the input
}

// Orderable tells whether each of the orders would be made.
func (q *BasketQuote) Orderable() bool {
	for _, s := range q.Quotes {
		if len(s.Refusals) > 0 {
			return false
		}
	}
	return true
}

// Total is what all orders come to, delivery included.
func (q *BasketQuote) Total() money.Price {
	var sum money.Cents
	for _, s := range q.Quotes {
		sum += s.Totals.Total.Cents
	}
	return money.Price{Cents: sum}
}

// ShopQuote is what a basket would come to at one shop.
type ShopQuote struct {
	ShopID   tenancy.ID
	Mode     directory.FulfilmentMode
	Slot     *calendar.Span
	Lines    []*Line
	Totals   *Totals
	Modes    []*ModeQuote
	Refusals []Refusal
}

// ModeQuote is a mode that the shop offers for these goods.
type ModeQuote struct {
	Mode         directory.FulfilmentMode
	Minimum      money.Price
	Missing      money.Price // to the minimum
	Fee          money.Price
	SlotRequired bool
	NextSlot     *calendar.Span    // the first that can be booked
	Refusal      *calendar.Refusal // why no order can be handed over so; nil: it can
}

// Quote says what a basket would come to, and what keeps it from being placed: prices, VAT, what is
// left, modes, slots, fees and minimums, by the same verdict as Place. Nothing is taken or kept; who
// sends the totals along as expectedCents is asked again when they have changed.
//
// Faults: INVALID for an input that is wrong in itself.
func (o *Ordering) Quote(ctx context.Context, v *identity.Viewer, in BasketInput) (_ *BasketQuote, err error) {
	defer fault.Wrap(&err, "Quote")
	root := []string{"input"}
	to, err := in.Address.check(at(root, "address"))
	if err != nil {
		return nil, err
	}
	orders, err := checkShops(in.Orders, root)
	if err != nil {
		return nil, err
	}
	// As who places: a guest, who is shown what is published, or the private person.
	as := v.GuestOf()
	if v.Account != uuid.Nil {
		as = v.AsCustomer()
	}
	now := o.now()
	all := make([]*terms, len(orders))
	err = o.DB.Pipe(ctx, as.Scope(), func(ctx context.Context, tx *pg.Pipe) error {
		b := &pgx.Batch{}
		for i, s := range orders {
			t := &terms{now: now, goods: make([]*good, len(s.lines))}
			all[i] = t
			if !slices.Contains(v.AllCommunes(), s.shop.Commune) {
				continue // there is no such shop for a widget of another commune
			}
			queueOffers(b, s.shop, to, &t.offers)
			directory.QueueCalendar(b, s.shop, now, func(c *calendar.Shop) { t.shop = c })
			queueGoods(b, s, t.goods)
		}
		return tx.Send(ctx, b)
	})
	if err != nil {
		return nil, err
	}
	q := &BasketQuote{Quotes: make([]*ShopQuote, len(orders))}
	for i, s := range orders {
		q.Quotes[i] = s.quote(all[i], to)
	}
	return q, nil
}

// quote is the verdict for people to read, with the modes that there are.
func (s *shopOrder) quote(t *terms, to *address) *ShopQuote {
	v := s.judge(t, to)
	q := &ShopQuote{ShopID: s.shop, Mode: s.mode, Slot: v.slot, Lines: v.lines, Totals: &v.totals, Refusals: v.refusals, Modes: []*ModeQuote{}}
	if q.Refusals == nil {
		q.Refusals = []Refusal{}
	}
	if q.Lines == nil {
		q.Lines = []*Line{}
	}
	if t.shop == nil {
		return q
	}
	for i := range t.offers {
		f := &t.offers[i]
		if f.Mode == nil {
			continue
		}
		mode := calendar.Mode(*f.Mode)
		m := &ModeQuote{
			Mode: *f.Mode, Minimum: money.Price{Cents: *f.MinimumCents}, Fee: money.Price{Cents: *f.FeeCents},
			Missing:      money.Price{Cents: max(0, *f.MinimumCents-v.totals.Items.Cents)},
			SlotRequired: t.shop.Capacity(mode) > 0, NextSlot: t.shop.NextSlot(mode, t.now, t.shop.Loads(mode)),
		}
		m.Refusal = t.shop.Checkout(mode, nil, t.now, t.shop.Loads(mode))
		if m.Refusal != nil && m.NextSlot != nil && m.Refusal.Code == calendar.SlotRequired {
			m.Refusal = nil // one is there to be chosen
		}
		q.Modes = append(q.Modes, m)
	}
	return q
}

// checkShops refuses what the client could have known to be wrong in a basket.
func checkShops(baskets []ShopBasket, root []string) ([]*shopOrder, error) {
	if n := len(baskets); n < 1 || n > maxShops {
		return nil, fault.At(at(root, "orders"), "Le panier compte %d boutiques ; il en faut de 1 à %d.", n, maxShops)
	}
	seen := map[tenancy.ID]bool{}
	var orders []*shopOrder
	for i := range baskets {
		o, err := baskets[i].check(at(root, "orders", strconv.Itoa(i)))
		if err != nil {
			return nil, err
		}
		if seen[o.shop] {
			return nil, fault.At(at(o.path, "shop"), "Cette boutique est deux fois dans le panier ; réunissez ses articles.")
		}
		seen[o.shop] = true
		orders = append(orders, o)
	}
	return orders, nil
}

// pieces are the variants of the order's lines; another commune's get a key that no row has.
func (s *shopOrder) pieces() []catalog.Pieces {
	pieces := make([]catalog.Pieces, len(s.lines))
	for i, w := range s.lines {
		pieces[i] = catalog.Pieces{Variant: w.variant.Row, Quantity: w.quantity}
		if w.variant.Commune != s.shop.Commune {
			pieces[i].Variant = uuid.Nil
		}
	}
	return pieces
}
