package calendar_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/audelor/halles/internal/calendar"
)

// oracle answers minute by minute, from the rules as they are told and not as they are
// computed: a shop is open while the latest time that its clock has shown lies in an opening,
// no closure is on and no restriction refuses the mode. A clock that goes back shows nothing
// later, so that it counts as standing still.
func oracle(s *calendar.Shop, m calendar.Mode, from time.Time, minutes int) []bool {
	const warmUp = 3 * 1440
	open := make([]bool, minutes)
	shown := 0
	for i := -warmUp; i < minutes; i++ {
		t := from.Add(time.Duration(i) * time.Minute)
		l := t.In(calendar.Paris)
		day := int(time.Date(l.Year(), l.Month(), l.Day(), 0, 0, 0, 0, time.UTC).Unix() / 86400)
		shown = max(shown, day*1440+l.Hour()*60+l.Minute())
		if i >= 0 {
			open[i] = inHours(s, shown/1440, shown%1440) && !blocked(s, m, t)
		}
	}
	return open
}

func inHours(s *calendar.Shop, day, minute int) bool {
	for _, o := range openingsOf(s, day) {
		if int(o.Opens) <= minute && minute < int(o.Closes) {
			return true
		}
	}
	for _, o := range openingsOf(s, day-1) {
		if minute+1440 < int(o.Closes) {
			return true
		}
	}
	return false
}

func openingsOf(s *calendar.Shop, day int) []calendar.Opening {
	for _, special := range s.Special {
		if int(special.Date) == day {
			return special.Openings
		}
	}
	if h, ok := calendar.HolidayOn(calendar.Date(day)); ok && !slices.Contains(s.OpenOn, h) {
		return nil
	}
	return s.Week[(int(time.Unix(int64(day)*86400, 0).UTC().Weekday())+6)%7]
}

func blocked(s *calendar.Shop, m calendar.Mode, t time.Time) bool {
	in := func(from, until time.Time) bool {
		return !t.Before(from) && (until.IsZero() || t.Before(until))
	}
	for _, c := range s.Closures {
		if in(c.From, c.Until) {
			return true
		}
	}
	for _, r := range s.Restrictions {
		if r.Touches(&s.Place) && in(r.From, r.Until) && !r.Allows(m) {
			return true
		}
	}
	return m != calendar.Visit && !slices.ContainsFunc(s.Offers, func(o calendar.Offer) bool { return o.Mode == m })
}

// beginnings are days near which something happens: clock changes, holidays, turns of year.
var beginnings = []calendar.Date{
	calendar.Day(2020, time.October, 12), calendar.Day(2021, time.March, 15), calendar.Day(2020, time.December, 14),
	calendar.Day(2021, time.April, 26), calendar.Day(2024, time.February, 19), calendar.Day(2020, time.October, 26),
}

const window = 21 * 1440 // three weeks of minutes

// drawShop makes any shop, with what happens to it around the three weeks from first.
func drawShop(t *rapid.T, first calendar.Date) *calendar.Shop {
	s := &calendar.Shop{Place: calendar.Place{
		Commune: "56121", Categories: []string{"mode"}, Nafs: []calendar.Naf{{Code: "47.71Z", Version: "REV2"}}, SalesArea: 120,
	}}
	busy := spread(t, 0, 6, "busy")
	for i := range s.Week {
		if busy > 0 { // else it opens on special days only
			s.Week[i] = drawDay(t, fmt.Sprintf("day%d", i+1))
		}
	}
	for range spread(t, 0, 3, "specials") {
		s.Special = append(s.Special, calendar.Special{
			Date: first + calendar.Date(spread(t, -2, 22, "date")), Openings: drawDay(t, "special"), Reason: "essai",
		})
	}
	s.OpenOn = rapid.SliceOfNDistinct(rapid.SampledFrom(calendar.Holidays), 0, 11, rapid.ID).Draw(t, "openOn")
	for range spread(t, 0, 3, "closures") {
		from, until := drawPeriod(t, first)
		s.Closures = append(s.Closures, calendar.Closure{From: from, Until: until, Reason: "congés"})
	}
	for range spread(t, 0, 3, "restrictions") {
		s.Restrictions = append(s.Restrictions, drawRestriction(t, first))
	}
	for _, m := range []calendar.Mode{calendar.Pickup, calendar.Delivery} {
		if spread(t, 0, 4, "offered") > 0 {
			s.Offers = append(s.Offers, drawOffer(t, m))
		}
	}
	return s
}

// spread draws from lo to hi evenly: rapid's own ranges favour small values, and made shops that
// open for minutes after midnight.
func spread(t *rapid.T, lo, hi int, label string) int {
	x := rapid.Uint64().Draw(t, label)
	x *= 0x9e3779b97f4a7c15
	x ^= x >> 32
	return lo + int(x%uint64(hi-lo+1))
}

func drawDay(t *rapid.T, label string) []calendar.Opening {
	var day []calendar.Opening
	for range spread(t, 0, 3, label) {
		step := rapid.SampledFrom([]int{1, 15, 30}).Draw(t, "step")
		opens := spread(t, 0, 1439/step, "opens") * step
		lasts := rapid.SampledFrom([]int{10, 90, 240, 600, 1440}).Draw(t, "atMost")
		day = append(day, calendar.Opening{
			Opens: calendar.Clock(opens), Closes: calendar.Clock(opens + spread(t, 1, lasts, "lasts")),
		})
	}
	return day
}

func drawPeriod(t *rapid.T, first calendar.Date) (from, until time.Time) {
	from = first.At(calendar.Clock(spread(t, -3*1440, window, "from")))
	switch spread(t, 0, 9, "length") {
	case 0:
		return from, time.Time{}
	case 1, 2, 3:
		return from, from.Add(time.Duration(spread(t, 1, 90, "minutes")) * time.Minute)
	}
	return from, from.Add(time.Duration(spread(t, 1, 7*1440, "minutes")) * time.Minute)
}

func drawRestriction(t *rapid.T, first calendar.Date) calendar.Restriction {
	r := calendar.Restriction{
		ID: rapid.StringMatching(`[a-z]{4}`).Draw(t, "id"), Title: "arrêté",
		Rank:     []calendar.Rank{calendar.National, calendar.Prefect, calendar.Mayor}[spread(t, 0, 2, "rank")],
		Visitors: rapid.Bool().Draw(t, "visitors"), Pickup: rapid.Bool().Draw(t, "pickup"), Delivery: rapid.Bool().Draw(t, "delivery"),
		SquareMetres: 4 * spread(t, 0, 2, "m2"), Condition: rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "condition"),
		AreaOver: []int{0, 0, 100, 400}[spread(t, 0, 3, "areaOver")],
	}
	r.From, r.Until = drawPeriod(t, first)
	if spread(t, 0, 3, "scoped") == 0 {
		r.Communes = []string{rapid.SampledFrom([]string{"56121", "56098"}).Draw(t, "commune")}
		r.Except.Nafs = []calendar.Naf{{Code: rapid.SampledFrom([]string{"47.2", "47.71"}).Draw(t, "naf"), Version: "REV2"}}
	}
	return r
}

func drawOffer(t *rapid.T, m calendar.Mode) calendar.Offer {
	o := calendar.Offer{
		Mode: m,
		Lead: time.Duration(rapid.SampledFrom([]int{0, 30, 120, 1440, 4 * 1440}).Draw(t, "lead")) * time.Minute,
		Slot: time.Duration(rapid.SampledFrom([]int{0, 15, 20, 30, 45, 120}).Draw(t, "slot")) * time.Minute,
	}
	if rapid.Bool().Draw(t, "hasCutOff") {
		c := calendar.Clock(spread(t, -2*1440, 1440, "cutOff"))
		o.CutOff = &c
	}
	return o
}

var allModes = []calendar.Mode{calendar.Visit, calendar.Pickup, calendar.Delivery}

// eachShop runs a property on any shop, from any of the beginnings.
func eachShop(t *testing.T, property func(t *rapid.T, s *calendar.Shop, first calendar.Date)) {
	t.Helper()
	rapid.Check(t, func(t *rapid.T) {
		first := rapid.SampledFrom(beginnings).Draw(t, "first")
		property(t, drawShop(t, first), first)
	})
}
