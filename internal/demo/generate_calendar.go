package demo

import (
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/audelor/halles/internal/calendar"
	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/ordering"
)

// rules are the restrictions of the demo, the same in all communes: the decree that it began with,
// long over, and an order that is in force. The second takes no mode away, so that everything can
// be tried; it is of nobody's making.
func (w *world) rules() []calendar.Restriction {
	retail := []calendar.Naf{{Code: "47", Version: "REV2"}}
	local := func(year int, month time.Month, day int) time.Time { return calendar.Day(year, month, day).At(0) }
	today := calendar.DateOf(w.plan.now())
	return []calendar.Restriction{{
		ID: "decree of 2020", Rank: calendar.National, Title: "décret n° 2020-1310 du 29 octobre 2020, article 37",
		From: local(2020, time.October, 30), Until: local(2020, time.November, 28), Of: calendar.Activities{Nafs: retail},
		Except: calendar.Activities{Nafs: []calendar.Naf{
			{Code: "47.11", Version: "REV2"},
			{Code: "47.2", Version: "REV2"},
			{Code: "47.4", Version: "REV2"},
			{Code: "47.52", Version: "REV2"},
			{Code: "47.62", Version: "REV2"},
			{Code: "47.73", Version: "REV2"},
			{Code: "47.74", Version: "REV2"},
			{Code: "47.78A", Version: "REV2"},
		}},
		Pickup: true, Delivery: true,
	}, {
		ID: "order in force", Rank: calendar.Prefect, Title: "arrêté préfectoral (fictif) relatif aux grandes surfaces",
		From: (today - 12).At(calendar.Hm(8, 0)), Until: (today + 18).At(0), Of: calendar.Activities{Nafs: retail}, AreaOver: 200,
		Visitors: true, SquareMetres: 8, Condition: "masque obligatoire", Pickup: true, Delivery: true,
	}}
}

// restrict writes the restrictions of a commune.
func (c *commune) restrict(b *batch) {
	codes := func(list []calendar.Naf) (codes []string) {
		for _, n := range list {
			codes = append(codes, n.Code)
		}
		return codes
	}
	for _, r := range c.world.rules() {
		b.restrictions.row().text(c.Insee).uuid(uuid.NewSHA1(uuid.NameSpaceURL, []byte("halles demo restriction "+r.ID))).text(string(r.Rank)).text(r.Title)
		if r.Rank == calendar.National {
			b.restrictions.text("JORF n° 0264 du 30 octobre 2020").text("https://www.legifrance.gouv.fr/jorf/id/JORFTEXT000042475143")
		} else {
			b.restrictions.null().null()
		}
		b.restrictions.at(instantOf(r.From)).at(instantOf(r.Until)).texts(codes(r.Of.Nafs)).texts(codes(r.Except.Nafs)).text("REV2")
		if r.AreaOver > 0 {
			b.restrictions.int4(r.AreaOver)
		} else {
			b.restrictions.null()
		}
		b.restrictions.bool(r.Visitors)
		if r.SquareMetres > 0 {
			b.restrictions.int4(r.SquareMetres)
		} else {
			b.restrictions.null()
		}
		b.restrictions.text(r.Condition).bool(r.Pickup).bool(r.Delivery).text("ADMIN").at(instantOf(r.From) - 24*hour)
	}
}

// away are reasons for which small shops close.
var away = []string{"congés annuels", "travaux", "inventaire", "événement familial", "formation", ""}

// schedule gives a shop what its week does not say: closures, special hours, holidays on which it
// opens, and the spans that come of all. The merchant's own shops only plan a closure.
func (s *shop) schedule(g *rng, b *batch, rules []calendar.Restriction) {
	c, w := s.commune, s.commune.world
	today := calendar.DateOf(w.plan.now())
	own := c.Insee == lorient && (s == c.shops[0] || len(c.shops) > 1 && s == c.shops[1])
	at := &calendar.Shop{Place: calendar.Place{Commune: c.Insee, Nafs: []calendar.Naf{{Code: s.trade.naf, Version: "REV2"}}, SalesArea: s.area}, Restrictions: rules}
	for d, list := range s.hours {
		for _, i := range list {
			day := &at.Week[isoWeekday(time.Weekday(d))-1]
			*day = append(*day, calendar.Opening{Opens: calendar.Clock(i.opens), Closes: calendar.Clock(i.closes)})
		}
	}
	s.closeNowAndThen(g, b, at, today, own)
	switch {
	case s.trade.hours == bakery:
		at.OpenOn = []calendar.Holiday{calendar.AllSaints, calendar.Armistice, calendar.NationalDay, calendar.VictoryDay}
	case g.chance(15):
		at.OpenOn = []calendar.Holiday{pick(g, calendar.Holidays)}
	}
	for _, h := range at.OpenOn {
		b.holidays.row().text(c.Insee).uuid(s.id).text(string(h)).bool(s.published())
	}
	if !own && g.chance(6) {
		x := calendar.Special{Date: today + calendar.Date(g.between(2, 12)), Reason: "nocturne", Openings: []calendar.Opening{{Opens: calendar.Hm(10, 0), Closes: calendar.Hm(21, 0)}}}
		if g.chance(30) {
			x.Reason, x.Openings = "fermeture exceptionnelle", nil
		}
		at.Special = append(at.Special, x)
		var opens, closes []int
		for _, o := range x.Openings {
			opens, closes = append(opens, int(o.Opens)), append(closes, int(o.Closes))
		}
		b.special.row().text(c.Insee).uuid(s.id).date(x.Date).int2s(opens).int2s(closes).text(x.Reason).bool(s.published())
	}
	for m, o := range map[calendar.Mode]*offer{calendar.Pickup: s.pickup, calendar.Delivery: s.delivery} {
		if o != nil {
			at.Offers = append(at.Offers, calendar.Offer{Mode: m, Lead: time.Duration(o.lead) * time.Minute, Slot: slotLength, Capacity: o.slots})
		}
	}
	s.calendar = at
	from, to := directory.SpanWindow(w.plan.now())
	all := at.AllSpans(from, to)
	for _, m := range calendar.Modes {
		for _, span := range all[m] {
			b.spans.row().text(c.Insee).uuid(s.id).text(string(m)).at(instantOf(span.Start)).at(instantOf(span.End)).bool(s.published())
		}
	}
}

// slotLength is the schema's default.
const slotLength = 30 * time.Minute

// slot is when an open order is handed over whose shop counts orders by slot: as soon as a place is
// left; nil for all others.
func (o *order) slot() *calendar.Span {
	switch o.last().status {
	case ordering.Placed, ordering.Accepted, ordering.Ready:
	default:
		return nil
	}
	s, m := o.shop, calendar.Mode(o.mode)
	if o.offer().slots == 0 {
		return nil
	}
	if s.calendar.Loaded == nil {
		s.calendar.Loaded = map[calendar.Mode]map[int64]calendar.Load{}
	}
	if s.calendar.Loaded[m] == nil {
		s.calendar.Loaded[m] = map[int64]calendar.Load{}
	}
	slot := s.calendar.NextSlot(m, s.commune.world.plan.now(), s.calendar.Loads(m))
	if slot != nil {
		load := s.calendar.Loaded[m][slot.Start.Unix()]
		s.calendar.Loaded[m][slot.Start.Unix()] = calendar.Load{Booked: load.Booked + 1, Capacity: o.offer().slots}
	}
	return slot
}

// book writes the slots that orders hold.
func (s *shop) book(b *batch) {
	for _, m := range []calendar.Mode{calendar.Delivery, calendar.Pickup} {
		for _, start := range slices.Sorted(maps.Keys(s.calendar.Loaded[m])) {
			load := s.calendar.Loaded[m][start]
			b.slots.row().text(s.commune.Insee).uuid(s.id).text(string(m)).at(instantOf(time.Unix(start, 0))).int4(load.Capacity).int4(load.Booked).bool(s.published())
		}
	}
}

func (s *shop) published() bool { return s.status == directory.Published }

// closeNowAndThen plans closures of some shops, remembers those of others, and has one in 150
// closed now.
func (s *shop) closeNowAndThen(g *rng, b *batch, at *calendar.Shop, today calendar.Date, own bool) {
	c, w := s.commune, s.commune.world
	var first calendar.Date
	switch x := g.IntN(300); {
	case own:
		first = today + calendar.Date(g.between(16, 20))
	case x < 12:
		first = today + calendar.Date(g.between(3, 12))
	case x < 18:
		first = today - calendar.Date(g.between(40, 200))
	case x < 20:
		first = today - 2
	default:
		return
	}
	closure := calendar.ClosedDays(first, first+calendar.Date(g.between(4, 13)), pick(g, away))
	at.Closures = append(at.Closures, closure)
	b.closures.row().text(c.Insee).uuid(g.row(w.now - 30*24*hour)).uuid(s.id).at(instantOf(closure.From)).at(instantOf(closure.Until)).
		text(closure.Reason).at(max(s.created, min(instantOf(closure.From), w.now)-20*24*hour)).bool(s.published())
}
