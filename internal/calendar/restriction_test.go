package calendar_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/audelor/halles/internal/calendar"
)

// Adding a restriction never allows more: not in the regime, not at the door, not in the slots.
func TestARestrictionOnlyTakes(t *testing.T) {
	t.Parallel()
	eachShop(t, func(t *rapid.T, s *calendar.Shop, first calendar.Date) {
		more := *s
		more.Restrictions = slices.Insert(slices.Clone(s.Restrictions),
			rapid.IntRange(0, len(s.Restrictions)).Draw(t, "place"), drawRestriction(t, first))
		from, to := first.At(0), (first + 21).At(0)
		for _, m := range allModes {
			wide := s.Spans(m, from, to)
			for _, span := range more.Spans(m, from, to) {
				if !slices.ContainsFunc(wide, func(w calendar.Span) bool { return !span.Start.Before(w.Start) && !span.End.After(w.End) }) {
					t.Fatalf("%s: %v was opened", m, span)
				}
			}
			now := from.Add(36 * time.Hour)
			before, after := s.Slots(m, now, from, to, nil), more.Slots(m, now, from, to, nil)
			if len(before) != len(after) {
				t.Fatalf("%s: %d slots became %d", m, len(before), len(after))
			}
			for i := range after {
				if before[i].Span != after[i].Span || before[i].Refusal != nil && after[i].Refusal == nil {
					t.Fatalf("%s: slot %v was opened", m, after[i])
				}
			}
		}
		for u := from; u.Before(to); u = u.Add(97 * time.Minute) {
			was, is := s.RegimeAt(u), more.RegimeAt(u)
			for _, m := range allModes {
				if is.Allows(m) && !was.Allows(m) {
					t.Fatalf("%s at %s was allowed", m, u)
				}
				if against := is.Against(m); (against == nil) != is.Allows(m) {
					t.Fatalf("%s at %s: refused by %v", m, u, against)
				}
			}
			if is.SquareMetres < was.SquareMetres || len(is.Because) < len(was.Because) {
				t.Fatalf("at %s: %+v became %+v", u, was, is)
			}
			for _, c := range was.Conditions {
				if !slices.Contains(is.Conditions, c) {
					t.Fatalf("at %s: condition %q was lifted", u, c)
				}
			}
			if n, limited := was.MaxVisitors(120); limited {
				if m, still := is.MaxVisitors(120); !still || m > n {
					t.Fatalf("at %s: %d visitors became %d", u, n, m)
				}
			}
		}
	})
}

func TestScope(t *testing.T) {
	t.Parallel()
	shop := calendar.Place{
		Commune: "56121", Categories: []string{"lingerie", "mode"}, SalesArea: 400,
		Nafs: []calendar.Naf{{Code: "47.71Z", Version: "REV2"}},
	}
	naf := func(codes ...string) calendar.Activities {
		var a calendar.Activities
		for _, c := range codes {
			a.Nafs = append(a.Nafs, calendar.Naf{Code: c, Version: "REV2"})
		}
		return a
	}
	for name, c := range map[string]struct {
		r    calendar.Restriction
		want bool
	}{
		"Everyone":               {calendar.Restriction{}, true},
		"ItsCommune":             {calendar.Restriction{Communes: []string{"56098", "56121"}}, true},
		"AnotherCommune":         {calendar.Restriction{Communes: []string{"56098"}}, false},
		"ItsCategory":            {calendar.Restriction{Of: calendar.Activities{Categories: []string{"lingerie"}}}, true},
		"TheCategoryAbove":       {calendar.Restriction{Of: calendar.Activities{Categories: []string{"mode"}}}, true},
		"AnotherCategory":        {calendar.Restriction{Of: calendar.Activities{Categories: []string{"culture"}}}, false},
		"ItsCode":                {calendar.Restriction{Of: naf("47.71Z")}, true},
		"ItsCodeWithoutPoint":    {calendar.Restriction{Of: naf("4771Z")}, true},
		"AllRetail":              {calendar.Restriction{Of: naf("47")}, true},
		"AllRetailWithPoint":     {calendar.Restriction{Of: naf("47.")}, true},
		"ItsGroup":               {calendar.Restriction{Of: naf("10", "47.7")}, true},
		"AnotherCode":            {calendar.Restriction{Of: naf("47.72")}, false},
		"ALongerCode":            {calendar.Restriction{Of: naf("47.71ZZ")}, false},
		"AnotherNomenclature":    {calendar.Restriction{Of: calendar.Activities{Nafs: []calendar.Naf{{Code: "47.71Z", Version: "2025"}}}}, false},
		"CategoryOrCode":         {calendar.Restriction{Of: calendar.Activities{Categories: []string{"culture"}, Nafs: naf("47").Nafs}}, true},
		"ListedAsFree":           {calendar.Restriction{Of: naf("47"), Except: naf("47.71")}, false},
		"ListedAsFreeByCategory": {calendar.Restriction{Except: calendar.Activities{Categories: []string{"mode"}}}, false},
		"AtTheThreshold":         {calendar.Restriction{AreaOver: 400}, false},
		"OverTheThreshold":       {calendar.Restriction{AreaOver: 399}, true},
	} {
		if got := c.r.Touches(&shop); got != c.want {
			t.Errorf("%s: touched: %t", name, got)
		}
	}
	shop.SalesArea = 0
	if r := (calendar.Restriction{AreaOver: 400}); r.Touches(&shop) {
		t.Error("a shop whose area is not known is taken for small")
	}
}

func TestTheHighestRankExplains(t *testing.T) {
	t.Parallel()
	from := paris("2020-10-30 00:00")
	s := calendar.Shop{Restrictions: []calendar.Restriction{
		{ID: "mayor", Rank: calendar.Mayor, From: from.Add(-time.Hour)},
		{ID: "density", Rank: calendar.National, From: from, Visitors: true, Pickup: true, Delivery: true, SquareMetres: 4},
		{ID: "prefect", Rank: calendar.Prefect, From: from, Delivery: true},
	}}
	g := s.RegimeAt(from)
	if g.Visitors || g.Pickup || g.Delivery || g.SquareMetres != 4 || len(g.Because) != 3 {
		t.Fatalf("got %+v", g)
	}
	if g.Because[0].ID != "density" || g.Against(calendar.Visit).ID != "prefect" || g.Against(calendar.Delivery).ID != "mayor" {
		t.Fatalf("visit by %s, delivery by %s", g.Against(calendar.Visit).ID, g.Against(calendar.Delivery).ID)
	}
}

func TestOneCustomerForEachShareOfTheArea(t *testing.T) {
	t.Parallel()
	g := calendar.Regime{Visitors: true, SquareMetres: 8}
	for area, want := range map[int]int{5: 1, 8: 1, 15: 1, 16: 2, 120: 15} {
		if got, limited := g.MaxVisitors(area); !limited || got != want {
			t.Errorf("%d m²: %d, want %d", area, got, want)
		}
	}
	if _, limited := g.MaxVisitors(0); limited {
		t.Error("an unknown area has no figure")
	}
}
