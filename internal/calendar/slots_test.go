package calendar_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/audelor/halles/internal/calendar"
)

// Slots and the verdict agree for every start, and both with the rules as they are told: a slot
// lies within what is open, after the lead time, before the cut-off, and has a place left.
func TestSlotsAndVerdictAgree(t *testing.T) {
	t.Parallel()
	eachShop(t, func(t *rapid.T, s *calendar.Shop, first calendar.Date) {
		m := rapid.SampledFrom(allModes[1:]).Draw(t, "mode")
		if !slices.ContainsFunc(s.Offers, func(o calendar.Offer) bool { return o.Mode == m }) {
			s.Offers = append(s.Offers, drawOffer(t, m))
		}
		now := first.At(calendar.Clock(spread(t, 0, 6*1440, "now")))
		salt := rapid.Int64Range(0, 1000).Draw(t, "salt")
		loads := func(start time.Time) calendar.Load {
			n := start.Unix()/60 + salt
			return calendar.Load{Booked: int(n % 3), Capacity: int(n/7) % 5}
		}
		from := now.Add(-36 * time.Hour)
		to := now.Add(time.Duration(spread(t, 0, 16*1440, "to")) * time.Minute)

		open := map[time.Time]bool{} // minutes that belong to an open time
		for _, span := range s.Spans(m, from, to.Add(48*time.Hour)) {
			for u := span.Start; u.Before(span.End); u = u.Add(time.Minute) {
				open[u] = true
			}
		}
		slots := s.Slots(m, now, from, to, loads)
		at := map[time.Time]calendar.Slot{}
		var last time.Time
		for _, slot := range slots {
			if slot.Start.Before(from) || !slot.Start.Before(to) || slot.Start.Before(last) || !slot.Start.Before(slot.End) {
				t.Fatalf("slots overlap, are empty or lie outside: %v", slot)
			}
			last, at[slot.Start] = slot.End, slot
			got := s.Verdict(m, slot.Start, now, loads)
			if diff := cmp.Diff(slot.Refusal, got); diff != "" {
				t.Fatalf("%s at %s, slots and verdict differ: %s", m, slot.Start, diff)
			}
			checkSlot(t, s, m, now, slot, open, loads)
		}
		for range 50 { // starts that are no slot, or one by chance
			start := from.Add(time.Duration(spread(t, 0, int(to.Sub(from)/time.Minute), "start")) * time.Minute)
			if _, ok := at[start]; !ok && start.Before(to) {
				if r := s.Verdict(m, start, now, loads); r == nil {
					t.Fatalf("%s at %s is no slot, and was accepted", m, start)
				}
			}
		}
	})
}

func checkSlot(t *rapid.T, s *calendar.Shop, m calendar.Mode, now time.Time, slot calendar.Slot, open map[time.Time]bool, loads calendar.Loads) {
	var o calendar.Offer
	for _, o = range s.Offers {
		if o.Mode == m {
			break
		}
	}
	within := true
	for u := slot.Start; u.Before(slot.End); u = u.Add(time.Minute) {
		within = within && open[u]
	}
	if o.Slot > 0 && slot.End.Sub(slot.Start) != o.Slot {
		t.Fatalf("%v does not last %s", slot, o.Slot)
	}
	day := calendar.DateOf(slot.Start)
	load := loads(slot.Start)
	want := within && !slot.Start.Before(now.Add(o.Lead)) && day <= calendar.DateOf(now)+calendar.HorizonDays &&
		(o.CutOff == nil || now.Before(day.At(*o.CutOff))) && load.Booked < load.Capacity
	if got := slot.Refusal == nil; got != want {
		t.Fatalf("%s at %s, now %s: can be booked: %t, want %t (%+v)", m, slot.Start, now, got, want, slot.Refusal)
	}
	if r := slot.Refusal; r != nil {
		if !strings.HasSuffix(r.Message, ".") {
			t.Fatalf("not a sentence: %q", r.Message)
		}
		if r.Next != nil && s.Verdict(m, r.Next.Start, now, loads) != nil {
			t.Fatalf("%s at %s: the way on, %s, is refused too", m, slot.Start, r.Next.Start)
		}
	}
}

// Every code has its case, its sentence and the way on.
func TestRefusals(t *testing.T) {
	t.Parallel()
	eve := calendar.Hm(-6, 0)
	shop := calendar.Shop{
		Hours: calendar.Hours{
			Week: weekly,
			Closures: []calendar.Closure{
				calendar.ClosedDays(calendar.Day(2020, 11, 3), calendar.Day(2020, 11, 4), "inventaire"),
				{From: paris("2020-11-07 10:15"), Until: paris("2020-11-07 11:00"), Reason: "obsèques"},
			},
		},
		Offers: []calendar.Offer{{Mode: calendar.Pickup, Lead: 2 * time.Hour, Slot: 30 * time.Minute}},
		Restrictions: []calendar.Restriction{{
			Title: "arrêté du maire", Rank: calendar.Mayor, Visitors: true, Delivery: true,
			From: paris("2020-11-06 00:00"), Until: paris("2020-11-06 14:30"),
		}},
	}
	early := shop
	early.Offers = []calendar.Offer{{Mode: calendar.Pickup, Slot: 30 * time.Minute, CutOff: &eve}}
	ten, sharp := calendar.Hm(10, 0), shop
	sharp.Offers = []calendar.Offer{{Mode: calendar.Pickup, Slot: 30 * time.Minute, CutOff: &ten}}
	full := calendar.Loads(func(start time.Time) calendar.Load {
		switch clock := start.In(calendar.Paris).Format("15:04"); clock {
		case "16:00":
			return calendar.Load{Booked: 3, Capacity: 3}
		case "16:30":
			return calendar.Load{}
		}
		return calendar.Load{Capacity: 3}
	})
	now := paris("2020-10-30 10:00") // Friday
	for name, c := range map[string]struct {
		shop  *calendar.Shop
		mode  calendar.Mode
		start string
		code  calendar.Code
		says  string
		next  string
	}{
		"Booked":              {&shop, calendar.Pickup, "2020-10-30 15:00", "", "", ""},
		"Delivery":            {&shop, calendar.Delivery, "2020-10-30 15:00", calendar.ModeNotOffered, "La boutique ne propose pas la livraison.", ""},
		"Begun":               {&shop, calendar.Pickup, "2020-10-30 09:30", calendar.Past, "Ce créneau est passé.", "2020-10-30 12:00"},
		"TooFar":              {&shop, calendar.Pickup, "2020-11-14 10:00", calendar.BeyondHorizon, "Ce créneau est trop lointain : les commandes sont prises jusqu'au vendredi 13 novembre.", "2020-10-30 12:00"},
		"OrderOfTheMayor":     {&shop, calendar.Pickup, "2020-11-06 10:00", calendar.Restricted, "Retrait suspendu jusqu'au 6 novembre à 14 h 30 (arrêté du maire).", "2020-11-06 14:30"},
		"OrderEndsMidSlot":    {&shop, calendar.Pickup, "2020-11-06 14:00", calendar.Restricted, "Retrait suspendu jusqu'au 6 novembre à 14 h 30 (arrêté du maire).", "2020-11-06 14:30"},
		"Stocktaking":         {&shop, calendar.Pickup, "2020-11-03 10:00", calendar.InClosure, "Fermé jusqu'au 4 novembre inclus (inventaire).", "2020-11-05 09:30"},
		"ArmisticeDay":        {&shop, calendar.Pickup, "2020-11-11 10:00", calendar.OnHoliday, "Fermé le 11 novembre (armistice de 1918).", "2020-11-12 09:30"},
		"AtNight":             {&shop, calendar.Pickup, "2020-10-30 22:00", calendar.Closed, "La boutique est fermée à cette heure.", "2020-10-31 09:30"},
		"OffTheGrid":          {&shop, calendar.Pickup, "2020-10-30 15:10", calendar.NoSuchSlot, "Aucun créneau ne commence à 15 h 10.", "2020-10-30 15:30"},
		"LeadTime":            {&shop, calendar.Pickup, "2020-10-30 11:30", calendar.TooSoon, "Trop tôt : la boutique demande 2 h pour préparer une commande.", "2020-10-30 12:00"},
		"CutOffTheEve":        {&early, calendar.Pickup, "2020-10-30 15:00", calendar.PastCutOff, "Trop tard pour le vendredi 30 octobre : les commandes étaient prises jusqu'au jeudi 29 octobre à 18 h.", "2020-10-31 09:30"},
		"CutOffThisInstant":   {&sharp, calendar.Pickup, "2020-10-30 15:00", calendar.PastCutOff, "Trop tard pour le vendredi 30 octobre : les commandes étaient prises jusqu'au vendredi 30 octobre à 10 h.", "2020-10-31 09:30"},
		"LastDay":             {&shop, calendar.Pickup, "2020-11-13 18:30", "", "", ""},
		"LeadTimeThisInstant": {&shop, calendar.Pickup, "2020-10-30 12:00", "", "", ""},
		"ClosesMidSlot":       {&shop, calendar.Pickup, "2020-11-07 10:00", calendar.InClosure, "Fermé jusqu'au 7 novembre à 11 h (obsèques).", "2020-11-07 11:00"},
		"BeforeTheCutOff":     {&early, calendar.Pickup, "2020-10-31 09:30", "", "", ""},
		"SlotFull":            {&shop, calendar.Pickup, "2020-10-30 16:00", calendar.Full, "Ce créneau est complet.", "2020-10-30 17:00"},
		"SlotClosed":          {&shop, calendar.Pickup, "2020-10-30 16:30", calendar.SlotClosed, "La boutique a fermé ce créneau.", "2020-10-30 17:00"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := c.shop.Verdict(c.mode, paris(c.start), now, full)
			if r == nil {
				r = &calendar.Refusal{}
			}
			if r.Code != c.code || plain(r.Message) != c.says {
				t.Fatalf("got %s %q, want %s %q", r.Code, plain(r.Message), c.code, c.says)
			}
			if c.next == "" != (r.Next == nil) || c.next != "" && !r.Next.Start.Equal(paris(c.next)) {
				t.Fatalf("the way on is %v, want %s", r.Next, c.next)
			}
		})
	}
}

// When nothing is left after the slots asked for, the way on leads back to the first one.
func TestTheWayOnLeadsBack(t *testing.T) {
	t.Parallel()
	s := calendar.Shop{Hours: calendar.Hours{Week: weekly}, Offers: []calendar.Offer{{Mode: calendar.Pickup, Slot: 30 * time.Minute}}}
	last := paris("2020-11-13 00:00")
	loads := func(start time.Time) calendar.Load {
		if start.After(last) {
			return calendar.Load{Booked: 3, Capacity: 3}
		}
		return calendar.Load{Capacity: 3}
	}
	slots := s.Slots(calendar.Pickup, paris("2020-10-30 10:00"), last, paris("2020-12-01 00:00"), loads)
	if len(slots) != 16 { // the last day: 3 hours and 5; the days after are not listed
		t.Fatalf("%d slots", len(slots))
	}
	for _, slot := range slots {
		if r := slot.Refusal; r == nil || r.Code != calendar.Full || r.Next == nil || !r.Next.Start.Equal(paris("2020-10-30 10:00")) {
			t.Fatalf("%s: %+v", slot.Start, slot.Refusal)
		}
	}
}

// plain makes sentences readable in tests.
func plain(s string) string { return strings.ReplaceAll(s, "\u00a0", " ") }

// A booked slot stays a slot when something closes before it: the grid does not move.
func TestAClosureDoesNotMoveTheGrid(t *testing.T) {
	t.Parallel()
	s := calendar.Shop{Hours: calendar.Hours{Week: weekly}, Offers: []calendar.Offer{{Mode: calendar.Pickup, Slot: time.Hour}}}
	now, from, to := paris("2020-10-29 08:00"), paris("2020-10-31 00:00"), paris("2020-11-01 00:00")
	before := s.Slots(calendar.Pickup, now, from, to, nil)
	s.Closures = []calendar.Closure{{From: paris("2020-10-31 09:00"), Until: paris("2020-10-31 10:10"), Reason: "livraison"}}
	after := s.Slots(calendar.Pickup, now, from, to, nil)
	if len(before) != 9 || len(after) != len(before) {
		t.Fatalf("%d slots, then %d; want 9", len(before), len(after))
	}
	for i := range before {
		if before[i].Span != after[i].Span || (after[i].Refusal == nil) != (i > 0) {
			t.Fatalf("slot %d: %v became %v", i, before[i], after[i])
		}
	}
	if next := after[0].Refusal.Next; next == nil || !next.Start.Equal(paris("2020-10-31 10:30")) {
		t.Fatalf("the way on is %v", next)
	}
}
