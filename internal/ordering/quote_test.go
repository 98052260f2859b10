package ordering_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/audelor/halles/internal/calendar"
	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/money"
	"github.com/audelor/halles/internal/ordering"
	"github.com/audelor/halles/internal/tenancy"
)

// said is refusals as a client gets them.
func said(refusals []ordering.Refusal) (list []string) {
	for _, r := range refusals {
		text := fmt.Sprintf("%s %q %v", r.Code, r.Message, r.Path)
		if r.Available != nil {
			text += fmt.Sprint(" ", *r.Available)
		}
		if r.Next != nil {
			text += " " + r.Next.Start.String()
		}
		list = append(list, text)
	}
	return list
}

// A quote and the order that follows it agree through Postgres too: what is quoted without a refusal
// is placed, at the quoted total; what is refused is refused for the same reasons, to the letter, and
// changes nothing. A quote itself changes nothing.
func TestAQuoteIsWhatPlacingDoes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	both := []directory.FulfilmentMode{directory.Pickup, directory.Delivery}
	shops := []tenancy.ID{
		fixture.Shop(t, b.Database, fixture.ShopOpts{Modes: both, Slots: 2, Minimum: 1500, Fee: 390}),
		fixture.Shop(t, b.Database, fixture.ShopOpts{Modes: both, Minimum: 500, Fee: 250}),
		fixture.Shop(t, b.Database, fixture.ShopOpts{Commune: fixture.Groix, Slots: 1}),
		fixture.Shop(t, b.Database, fixture.ShopOpts{Status: directory.Suspended}),
	}
	b.Exec(t, `update fulfilments set cut_off = 540 where shop_id = $1`, shops[0].Row)
	b.Exec(t, `update fulfilments set perimeter_m = 3000 where shop_id = $1 and mode = 'DELIVERY'`, shops[1].Row)
	b.Exec(t, `insert into closures (commune_id, id, shop_id, starts_at, ends_at, created_at) values ($1, $2, $3, $4, $5, $4)`,
		shops[1].Commune, tenancy.NewRow(), shops[1].Row, paris(t, "2020-11-12 10:15"), paris(t, "2020-11-13 00:00"))
	var variants [][]tenancy.ID
	for _, s := range shops {
		cheap := fixture.Product(t, b.Database, s, fixture.ProductOpts{PriceCents: 320, Stock: 400, Variants: 2})
		rare := fixture.Product(t, b.Database, s, fixture.ProductOpts{PriceCents: 1290, VATRate: 2000, Stock: 3})
		paused := fixture.Product(t, b.Database, s, fixture.ProductOpts{PriceCents: 900})
		b.Exec(t, `update variants set paused = true where product_id = $1`, paused.ID.Row)
		variants = append(variants, slices.Concat(cheap.Variants, rare.Variants, paused.Variants))
	}
	addresses := []*ordering.DeliveryAddress{
		nil, home, home, home,
		{Street: "Le Bourg", Postcode: "56590", City: "Groix"},
		{Street: "1 rue de Rivoli", Postcode: "75001", City: "Paris"},
		{Street: "1 rue de Rivoli", Postcode: "75001", City: "Paris", Location: &tenancy.Point{Latitude: 48.86, Longitude: 2.34}},
	}
	customer := fixture.Viewer(t, b.Database, identity.Customer)
	r := rand.New(rand.NewPCG(1, 2))
	placed, refused := 0, map[ordering.RefusalCode]int{}
	for n := range longer(400, 5000) {
		now := paris(t, "2020-11-09 07:00").Add(time.Duration(r.IntN(4)*1440+r.IntN(480)) * time.Minute)
		b.Now = func() time.Time { return now }
		i := []int{0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 3}[r.IntN(12)]
		one := ordering.ShopBasket{Shop: shops[i], Mode: both[r.IntN(2)]}
		for _, at := range r.Perm(4)[:1+r.IntN(2)] {
			l := ordering.BasketLine{Variant: variants[i][min(at, r.IntN(5))], Quantity: 1 + r.IntN(8)}
			if slices.ContainsFunc(one.Lines, func(m ordering.BasketLine) bool { return m.Variant == l.Variant }) {
				continue
			}
			if r.IntN(12) == 0 {
				l.Variant = variants[(i+1)%len(shops)][at] // another shop's
			}
			if r.IntN(6) == 0 {
				l.ExpectedCents = p[money.Cents](320)
			}
			one.Lines = append(one.Lines, l)
		}
		if r.IntN(4) > 0 {
			slot := (calendar.DateOf(now) + calendar.Date(r.IntN(2))).At(calendar.Hm(9, 30+30*r.IntN(6)))
			if r.IntN(8) == 0 {
				slot = slot.Add(7 * time.Minute)
			}
			one.Slot = &slot
		}
		v := []*identity.Viewer{b.visitor, customer}[r.IntN(2)]
		to := addresses[r.IntN(len(addresses))]
		before := b.fingerprint(t)
		quote, err := b.Quote(t.Context(), v, ordering.BasketInput{Orders: []ordering.ShopBasket{one}, Address: to})
		if err != nil {
			t.Fatal(err)
		}
		q := quote.Quotes[0]
		if n%5 == 0 {
			if b.fingerprint(t) != before {
				t.Fatal("a quote changed something")
			}
		}
		one.ExpectedCents = &q.Totals.Total.Cents
		order, refusals := b.tried(t, v, ordering.PlaceInput{IdempotencyKey: uuid.NewString(), Orders: []ordering.ShopBasket{one}, Contact: anna, Address: to})
		if order == nil && len(refusals) == 0 {
			t.Fatal("neither placed nor refused")
		}
		if !slices.Equal(said(q.Refusals), said(refusals)) {
			t.Fatalf("case %d, %s, %+v: quoted %v, placed %v", n, now, one, said(q.Refusals), said(refusals))
		}
		if order == nil {
			for _, no := range refusals {
				refused[no.Code]++
			}
			if n%5 == 0 && b.fingerprint(t) != before {
				t.Fatalf("refused with %v, and something changed", said(refusals))
			}
			continue
		}
		placed++
		if sum := order.ItemsCents + order.DeliveryCents; sum != q.Totals.Total.Cents || (order.Slot() == nil) != (q.Slot == nil) || order.Slot() != nil && !order.Slot().Start.Equal(q.Slot.Start) {
			t.Fatalf("placed at %d for %v, quoted %d for %v", sum, order.Slot(), q.Totals.Total.Cents, q.Slot)
		}
	}
	if differ, over := b.overbooked(t); differ+over+b.books(t) > 0 {
		t.Errorf("%d slots differ, %d overbooked", differ, over)
	}
	t.Logf("%d placed, refused: %v", placed, refused)
	for _, code := range []ordering.RefusalCode{
		ordering.ShopUnavailable, ordering.ModeNotOffered, ordering.SlotRequired, ordering.SlotPast, ordering.PastCutOff, ordering.SlotFull,
		ordering.AddressRequired, ordering.OutOfPerimeter, ordering.AddressUnknown, ordering.BelowMinimum, ordering.OutOfStock, ordering.OnPause, ordering.UnknownVariant, ordering.PriceChanged,
	} {
		if refused[code] == 0 {
			t.Errorf("no case of %s", code)
		}
	}
}

// What changed between the quote and the order is refused, never charged: a price, a fee, the
// cut-off, the slot. What is quoted anew is then placed.
func TestWhatChangedSinceTheQuoteIsRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.at(t, "2020-11-09 08:00")
	shop := fixture.Shop(t, b.Database, fixture.ShopOpts{Modes: []directory.FulfilmentMode{directory.Pickup, directory.Delivery}, Slots: 1, Fee: 300})
	book := fixture.Product(t, b.Database, shop, fixture.ProductOpts{PriceCents: 1000, Stock: 50})
	slot := paris(t, "2020-11-09 14:00")
	merchant := fixture.Viewer(t, b.Database, identity.Merchant, shop)
	for name, c := range map[string]struct {
		change string
		code   ordering.RefusalCode
	}{
		"Price":  {`update variants set price_cents = price_cents + 10`, ordering.PriceChanged},
		"Fee":    {`update fulfilments set fee_cents = fee_cents + 10 where mode = 'DELIVERY'`, ordering.PriceChanged},
		"CutOff": {`update fulfilments set cut_off = 420`, ordering.PastCutOff},
	} {
		one := ordering.ShopBasket{Shop: shop, Mode: directory.Delivery, Slot: &slot, Lines: []ordering.BasketLine{{Variant: book.Variants[0], Quantity: 2}}}
		ask := func() *ordering.ShopQuote {
			t.Helper()
			q, err := b.Quote(t.Context(), b.visitor, ordering.BasketInput{Orders: []ordering.ShopBasket{one}, Address: home})
			if err != nil {
				t.Fatal(err)
			}
			return q.Quotes[0]
		}
		q := ask()
		if len(q.Refusals) > 0 || len(q.Modes) != 2 || q.Modes[1].NextSlot == nil || !q.Modes[1].SlotRequired || q.Modes[1].Refusal != nil {
			t.Fatalf("%s: %+v", name, q)
		}
		one.ExpectedCents = &q.Totals.Total.Cents
		b.Exec(t, c.change)
		order, refusals := b.tried(t, b.visitor, basket(one))
		if order != nil || len(refusals) != 1 || refusals[0].Code != c.code {
			t.Fatalf("%s: %v %v", name, order, said(refusals))
		}
		b.Exec(t, `update fulfilments set cut_off = null`)
		again := ask()
		one.ExpectedCents = &again.Totals.Total.Cents
		if order, refusals = b.tried(t, b.visitor, basket(one)); order == nil {
			t.Fatalf("%s: as quoted anew, %v", name, said(refusals))
		}
		if _, err := b.Do(t.Context(), merchant, ordering.Reject, ordering.ChangeInput{Order: order.ID()}); err != nil {
			t.Fatal(err)
		}
	}
}
