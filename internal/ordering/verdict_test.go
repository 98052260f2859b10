package ordering

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/audelor/halles/internal/calendar"
	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/money"
	"github.com/audelor/halles/internal/tenancy"
)

// cases is how many times a pure property is asked for.
func cases() int {
	if os.Getenv("HALLES_LONG") != "" {
		return 100_000
	}
	return 10_000
}

// days are those on which something happens: clocks go back and forth, holidays, turns of month and
// year, a leap day.
var days = []calendar.Date{
	calendar.Day(2020, time.October, 25), calendar.Day(2021, time.March, 28), calendar.Day(2020, time.November, 11), calendar.Day(2020, time.December, 25),
	calendar.Day(2021, time.January, 1), calendar.Day(2021, time.May, 1), calendar.Day(2024, time.February, 29), calendar.Day(2020, time.November, 3),
}

// drawShop is a shop with hours, some past midnight, closures, a restriction and two modes.
func drawShop(r *rand.Rand, day calendar.Date) *calendar.Shop {
	s := &calendar.Shop{Place: calendar.Place{Commune: "56121", Nafs: []calendar.Naf{{Code: "47.61Z", Version: "REV2"}}}}
	for d := range s.Week {
		switch r.IntN(5) {
		case 0:
		case 1: // through the night
			s.Week[d] = []calendar.Opening{{Opens: calendar.Hm(20, 0), Closes: calendar.Hm(24+r.IntN(8), 30)}}
		case 2:
			s.Week[d] = []calendar.Opening{{Opens: calendar.Hm(0, 0), Closes: calendar.Hm(4, 15)}, {Opens: calendar.Hm(9, 30), Closes: calendar.Hm(19, 0)}}
		default:
			s.Week[d] = []calendar.Opening{{Opens: calendar.Hm(9, 30), Closes: calendar.Hm(12, 30)}, {Opens: calendar.Hm(14, 0), Closes: calendar.Hm(19, 0)}}
		}
	}
	if r.IntN(3) == 0 {
		s.OpenOn = calendar.Holidays
	}
	instant := func() time.Time { return (day + calendar.Date(r.IntN(6)-2)).At(calendar.Clock(r.IntN(1440))) }
	if r.IntN(2) == 0 {
		from := instant()
		s.Closures = []calendar.Closure{{From: from, Until: from.Add(time.Duration(1+r.IntN(40)) * time.Hour)}}
	}
	if r.IntN(2) == 0 {
		from := instant()
		s.Restrictions = []calendar.Restriction{{
			Title: "arrêté", Rank: calendar.Mayor, From: from, Until: from.Add(time.Duration(1+r.IntN(40)) * time.Hour),
			Visitors: true, Pickup: r.IntN(2) == 0, Delivery: r.IntN(2) == 0,
		}}
	}
	for _, m := range []calendar.Mode{calendar.Pickup, calendar.Delivery} {
		if r.IntN(8) == 0 {
			continue
		}
		o := calendar.Offer{Mode: m, Lead: time.Duration(r.IntN(300)) * time.Minute, Slot: []time.Duration{0, 15 * time.Minute, 30 * time.Minute, 45 * time.Minute}[r.IntN(4)], Capacity: r.IntN(4)}
		if r.IntN(2) == 0 {
			cutOff := calendar.Clock(r.IntN(2880) - 1440)
			o.CutOff = &cutOff
		}
		s.Offers = append(s.Offers, o)
	}
	return s
}

// The quote, the slots that are shown and the verdict when the order is placed agree, whatever the
// shop's hours, the day and the load: the quote has nothing against the order exactly where the slot
// is shown as free, and exactly where placing it, which books first, makes it; their refusals are
// the same to the letter. Each way on is free.
func TestQuoteSlotsAndCheckoutAgree(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(6, 2020))
	asked, free, no := 0, 0, map[RefusalCode]int{}
	for asked < cases() {
		day := days[r.IntN(len(days))]
		s := drawShop(r, day)
		now := (day - calendar.Date(r.IntN(3))).At(calendar.Clock(r.IntN(1440)))
		mode := []directory.FulfilmentMode{directory.Pickup, directory.Delivery}[r.IntN(2)]
		m := calendar.Mode(mode)
		booked := func(at time.Time) calendar.Load { // of the rows that there are
			return calendar.Load{Booked: int(at.Unix()/900) % 4, Capacity: int(at.Unix()/2700) % 4}
		}
		shown := s.Slots(m, now, now.Add(-26*time.Hour), day.At(0).Add(50*time.Hour), nil)
		s.Loaded = map[calendar.Mode]map[int64]calendar.Load{m: {}}
		for _, slot := range shown {
			if slot.Start.Unix()/900%3 > 0 {
				s.Loaded[m][slot.Start.Unix()] = booked(slot.Start)
			}
		}
		shown = s.Slots(m, now, now.Add(-26*time.Hour), day.At(0).Add(50*time.Hour), s.Loads(m))
		listed, starts := map[time.Time]bool{}, []time.Time{}
		for i := range shown {
			listed[shown[i].Start] = shown[i].Refusal == nil
			starts = append(starts, shown[i].Start)
		}
		for range 5 { // and some that are no slot, or one by chance
			starts = append(starts, now.Add(time.Duration(r.IntN(4000)-600)*time.Minute).Truncate(time.Minute))
		}
		for _, start := range starts {
			asked++
			fee, least := money.Cents(0), money.Cents(0)
			t1 := &terms{now: now, shop: s, goods: []*good{{Name: "x", PriceCents: 100, VATRate: 550, Enough: true}}}
			for i := range s.Offers {
				offered := directory.FulfilmentMode(s.Offers[i].Mode)
				perimeter, metres := 5000, 100.0
				t1.offers = append(t1.offers, offer{Mode: &offered, MinimumCents: &least, FeeCents: &fee, PerimeterM: &perimeter, Metres: &metres})
			}
			if len(t1.offers) == 0 {
				t1.offers = []offer{{}}
			}
			order := &shopOrder{shop: tenancy.ID{Commune: "56121"}, mode: mode, slot: &start, lines: []wanted{{quantity: 1}}, path: []string{"input"}}
			to := &address{Street: "x", Postcode: "56100", City: "Lorient"}
			quote := order.quote(t1, to)
			load, there := s.Loaded[m][start.Unix()]
			t2 := *t1
			t2.booked = len(s.Offers) > 0 && slices.ContainsFunc(s.Offers, func(o calendar.Offer) bool { return o.Mode == m }) && (!there || load.Booked < load.Capacity)
			placed := order.judge(&t2, to)
			if open, ok := listed[start]; ok && (len(quote.Refusals) == 0) != open {
				t.Fatalf("%s at %s, now %s: quoted %s, shown as free: %t", mode, start, now, said(quote.Refusals), open)
			}
			if said(quote.Refusals) != said(placed.refusals) || quote.Totals.Total != placed.totals.Total {
				t.Fatalf("%s at %s, now %s: quoted %s %v, placed %s %v", mode, start, now, said(quote.Refusals), quote.Totals, said(placed.refusals), placed.totals)
			}
			if len(quote.Refusals) == 0 {
				free++
				continue
			}
			no[quote.Refusals[0].Code]++
			if next := quote.Refusals[0].Next; next != nil {
				order.slot = &next.Start
				if again := order.judge(t1, to); len(again.refusals) > 0 {
					t.Fatalf("%s at %s, now %s: the way on, %s, is refused: %v", mode, start, now, next.Start, again.refusals)
				}
			}
		}
	}
	t.Logf("%d cases, %d free, refused: %v", asked, free, no)
	for _, code := range []RefusalCode{ModeNotOffered, SlotPast, Restricted, ShopInClosure, OnHoliday, OutOfHours, NoSuchSlot, TooSoon, PastCutOff, SlotClosed, SlotFull} {
		if no[code] == 0 {
			t.Errorf("no case of %s", code)
		}
	}
}

// said is refusals as a client gets them.
func said(refusals []Refusal) (text string) {
	for _, r := range refusals {
		text += fmt.Sprintf("%s %q %v", r.Code, r.Message, r.Path)
		if r.Next != nil {
			text += r.Next.Start.String()
		}
	}
	return text
}

// VAT is rounded once for each rate, and the groups add up to the total, to the cent; the same
// sandwich at 5.5 % to take home and at 10 % to eat now are two groups.
func TestVATAddsUp(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(55, 100))
	rates := []money.BasisPoints{2000, 1000, 550, 210, 0}
	for range cases() {
		lines := []*Line{{Name: "Sandwich", Quantity: 1 + r.IntN(9), UnitCents: 450, VATRate: 550}, {Name: "Sandwich", Quantity: 1 + r.IntN(9), UnitCents: 450, VATRate: 1000}}
		for range r.IntN(20) {
			lines = append(lines, &Line{Quantity: 1 + r.IntN(200), UnitCents: money.Cents(r.IntN(100_000)), VATRate: rates[r.IntN(len(rates))]})
		}
		delivery := money.Cents(r.IntN(3) * r.IntN(1000))
		sum := totals(lines, delivery)
		var gross money.Cents
		groups := map[money.BasisPoints]money.Cents{}
		for _, l := range lines {
			groups[l.VATRate] += l.UnitCents * money.Cents(l.Quantity)
		}
		if delivery > 0 {
			groups[normalRate] += delivery
		}
		for _, g := range sum.VAT {
			gross += g.Gross
			// Half a cent at most from the exact tax of the whole group.
			exact := float64(groups[g.Rate]) * float64(g.Rate) / float64(10000+g.Rate)
			if off := float64(g.Cents) - exact; g.Gross != groups[g.Rate] || off > .5000001 || off < -.5000001 {
				t.Fatalf("%d: %d of %d, exactly %f of %d", g.Rate, g.Cents, g.Gross, exact, groups[g.Rate])
			}
		}
		if gross != sum.Total.Cents || sum.Items.Cents+delivery != sum.Total.Cents || len(sum.VAT) < 2 {
			t.Fatalf("the groups come to %d, the total is %d: %v", gross, sum.Total.Cents, sum.VAT)
		}
	}
}
