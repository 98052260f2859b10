package calendar_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/audelor/halles/internal/calendar"
	"github.com/audelor/halles/internal/fault"
)

// What people read on the door.
func TestTheDoor(t *testing.T) {
	t.Parallel()
	s := calendar.Shop{
		Hours: calendar.Hours{Week: weekly, Closures: []calendar.Closure{
			calendar.ClosedDays(calendar.Day(2020, 12, 26), calendar.Day(2021, 1, 3), "congés"),
			{From: paris("2020-11-05 15:00"), Reason: "travaux"},
		}},
		Offers: []calendar.Offer{{Mode: calendar.Pickup}},
	}
	s.Closures[1].Until = paris("2020-11-05 16:30")
	night := calendar.Shop{Hours: calendar.Hours{Week: daily(calendar.Hm(22, 0), calendar.Hm(26, 0))}}
	long := calendar.Shop{Hours: calendar.Hours{Week: calendar.Week{
		4: {{calendar.Hm(8, 0), calendar.Hm(32, 0)}}, 5: {{calendar.Hm(8, 0), calendar.Hm(32, 0)}}, 6: {{calendar.Hm(8, 0), calendar.Hm(20, 0)}},
	}}}
	gone := calendar.Shop{Hours: calendar.Hours{Week: weekly, Closures: []calendar.Closure{{From: paris("2020-11-01 00:00")}}}}
	for name, c := range map[string]struct {
		shop *calendar.Shop
		mode calendar.Mode
		now  string
		want string
	}{
		"Open":               {&s, calendar.Visit, "2020-10-31 18:59", "Ouvert jusqu'à 19 h"},
		"OpenUntilLunch":     {&s, calendar.Visit, "2020-10-30 09:30", "Ouvert jusqu'à 12 h 30"},
		"OpenUntilClosure":   {&s, calendar.Visit, "2020-11-05 14:00", "Ouvert jusqu'à 15 h"},
		"Lunch":              {&s, calendar.Visit, "2020-10-30 12:30", "Ouvre à 14 h"},
		"Evening":            {&s, calendar.Visit, "2020-10-29 19:00", "Ouvre demain à 9 h 30"},
		"Weekend":            {&s, calendar.Visit, "2020-10-24 19:00", "Ouvre lundi à 14 h"},
		"LabourDay":          {&s, calendar.Visit, "2020-05-01 10:00", "Fermé le 1er mai (fête du Travail), ouvre demain à 9 h 30"},
		"ShortClosure":       {&s, calendar.Visit, "2020-11-05 15:00", "Fermé jusqu'au 5 novembre à 16 h 30 (travaux), ouvre à 16 h 30"},
		"Holidays":           {&s, calendar.Visit, "2020-12-26 10:00", "Fermé jusqu'au 3 janvier inclus (congés), ouvre le 4 janvier 2021 à 14 h"},
		"UntilFurtherNotice": {&gone, calendar.Visit, "2020-11-03 10:00", "Fermé"},
		"PickupEvening":      {&s, calendar.Pickup, "2020-10-29 19:00", "Retrait possible demain à 9 h 30"},
		"NoDelivery":         {&s, calendar.Delivery, "2020-10-29 10:00", "La boutique ne propose pas la livraison"},
		"BarAtNight":         {&night, calendar.Visit, "2020-10-29 23:00", "Ouvert jusqu'à 2 h"},
		"ThreeDaysOnEnd":     {&long, calendar.Visit, "2020-10-23 09:00", "Ouvert jusqu'à dimanche 25 octobre 20 h"},
		"NeverOpen":          {&calendar.Shop{}, calendar.Visit, "2020-10-29 10:00", "Fermé"},
	} {
		if got := plain(c.shop.StatusAt(c.mode, paris(c.now)).Text); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestHoursThatAreNoneAreRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		check func(path ...string) error
		want  string // part of the sentence; none: accepted
	}{
		"TownShop":           {weekly.Check, ""},
		"AlwaysOpen":         {(&calendar.Week{0: {{0, 1440}}, 1: {{0, 1440}}}).Check, ""},
		"ClosesBeforeOpens":  {(&calendar.Week{0: {{600, 540}}}).Check, "lundi de 10 h à 9 h n'en est pas une"},
		"MoreThanADay":       {(&calendar.Week{0: {{600, 2041}}}).Check, "n'en est pas une"},
		"OpensTomorrow":      {(&calendar.Week{0: {{1440, 1500}}}).Check, "n'en est pas une"},
		"Overlap":            {(&calendar.Week{2: {{540, 720}, {700, 900}}}).Check, "mercredi se chevauchent à 11 h 40"},
		"OverlapOverSunday":  {(&calendar.Week{6: {{1320, 1600}}, 0: {{120, 900}}}).Check, "chevauche celle du lundi"},
		"TooMany":            {(&calendar.Week{0: {{0, 1}, {2, 3}, {4, 5}, {6, 7}, {8, 9}, {10, 11}, {12, 13}, {14, 15}, {16, 17}}}).Check, "9 ouvertures ; 8 au plus"},
		"SpecialOverlap":     {(&calendar.Special{Date: calendar.Day(2020, 12, 24), Openings: []calendar.Opening{{540, 720}, {540, 720}}}).Check, "jeudi 24 décembre se chevauchent"},
		"ClosureBackwards":   {(&calendar.Closure{From: paris("2020-11-02 00:00"), Until: paris("2020-11-01 00:00")}).Check, "avant de commencer"},
		"ClosureWithoutEnd":  {(&calendar.Closure{From: paris("2020-11-02 00:00")}).Check, ""},
		"OrderWithoutRank":   {(&calendar.Restriction{Title: "arrêté"}).Check, "NATIONAL, PREFECT ou MAYOR"},
		"OrderWithoutTitle":  {(&calendar.Restriction{Rank: calendar.Mayor}).Check, "le public le lira"},
		"OrderBackwards":     {(&calendar.Restriction{Rank: calendar.Mayor, Title: "arrêté", From: paris("2020-11-02 00:00"), Until: paris("2020-11-02 00:00")}).Check, "avant de commencer"},
		"DensityOfNobody":    {(&calendar.Restriction{Rank: calendar.Mayor, Title: "arrêté", SquareMetres: 4}).Check, "Une jauge suppose"},
		"OfferToVisit":       {(&calendar.Offer{Mode: calendar.Visit}).Check, "PICKUP ou DELIVERY"},
		"LeadOfAMonth":       {(&calendar.Offer{Mode: calendar.Pickup, Lead: 30 * 24 * time.Hour}).Check, "de 0 à 14 jours"},
		"SlotOfASecond":      {(&calendar.Offer{Mode: calendar.Pickup, Slot: time.Second}).Check, "de 5 minutes à 24 heures"},
		"CutOffTomorrow":     {(&calendar.Offer{Mode: calendar.Pickup, CutOff: new(calendar.Hm(25, 0))}).Check, "au plus 14 jours avant"},
		"AnOfferAsItShallBe": {(&calendar.Offer{Mode: calendar.Delivery, Lead: time.Hour, Slot: 30 * time.Minute, CutOff: new(calendar.Hm(-6, 0))}).Check, ""},
		"AnOrderAsItShallBe": {(&calendar.Restriction{Rank: calendar.Mayor, Title: "arrêté", Visitors: true, SquareMetres: 4}).Check, ""},
	} {
		err := c.check("input", "hours")
		if c.want == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if !errors.Is(err, fault.Invalid) || !strings.Contains(plain(err.Error()), c.want) || strings.Join(fault.Of(err).Path, ".") != "input.hours" {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestDates(t *testing.T) {
	t.Parallel()
	day := time.Date(1960, time.January, 1, 12, 0, 0, 0, time.UTC)
	for d := calendar.Day(1960, time.January, 1); d < calendar.Day(2100, time.January, 1); d++ {
		weekday := (int(day.Weekday())+6)%7 + 1
		if d.String() != day.Format(time.DateOnly) || d.Weekday() != weekday {
			t.Fatalf("%s: weekday %d, want %s %d", d, d.Weekday(), day.Format(time.DateOnly), weekday)
		}
		if midnight := d.At(0); calendar.DateOf(midnight) != d || calendar.DateOf(midnight.Add(-time.Second)) != d-1 {
			t.Fatalf("%s begins at %s", d, midnight)
		}
		day = day.AddDate(0, 0, 1)
	}
	var d calendar.Date
	if err := d.UnmarshalText([]byte("2020-02-29")); err != nil || d != calendar.Day(2020, time.February, 29) {
		t.Fatalf("got %s, %v", d, err)
	}
	if err := d.UnmarshalText([]byte("2021-02-29")); err == nil {
		t.Fatal("2021 has no 29 February")
	}
}

// The local clock is the time package's, at each hour of fifty years and beyond what is kept.
func TestTheLocalClock(t *testing.T) {
	t.Parallel()
	check := func(u time.Time) {
		local := u.In(calendar.Paris)
		if d := calendar.DateOf(u); d != calendar.Day(local.Date()) {
			t.Fatalf("%s is on %s", local, d)
		}
	}
	for u := time.Date(2018, time.January, 1, 0, 0, 0, 0, time.UTC); u.Year() < 2068; u = u.Add(time.Hour) {
		check(u)
	}
	for year := 1950; year < 2300; year++ {
		for u := time.Date(year, time.March, 24, 22, 0, 0, 0, time.UTC); u.Month() < time.April; u = u.Add(time.Hour) {
			check(u)
		}
	}
}

func TestOpeningText(t *testing.T) {
	t.Parallel()
	for want, o := range map[string]calendar.Opening{
		"9 h – 12 h 30": {Opens: 540, Closes: 750}, "18 h – 2 h": {Opens: 1080, Closes: 1560}, "20 h – minuit": {Opens: 1200, Closes: 1440}, "24 h/24": {Opens: 0, Closes: 1440},
	} {
		if got := strings.ReplaceAll(o.Text(), "\u00a0", " "); got != want {
			t.Errorf("%v: %s, want %s", o, got, want)
		}
	}
}
