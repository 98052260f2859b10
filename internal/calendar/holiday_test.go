package calendar_test

import (
	"encoding/csv"
	"os"
	"testing"
	"time"

	"github.com/rickar/cal/v2/fr"

	"github.com/audelor/halles/internal/calendar"
)

// The names that the vectors use.
var vectorNames = map[calendar.Holiday]string{
	calendar.NewYear: "Jour de l'an", calendar.EasterMonday: "Lundi de Pâques", calendar.LabourDay: "Fête du travail",
	calendar.VictoryDay: "Victoire des alliés", calendar.Ascension: "Ascension", calendar.WhitMonday: "Lundi de Pentecôte",
	calendar.NationalDay: "Fête Nationale", calendar.Assumption: "Assomption", calendar.AllSaints: "Toussaint",
	calendar.Armistice: "Armistice", calendar.Christmas: "Noël",
}

func TestHolidaysOf2020To2030AreTheVectors(t *testing.T) {
	t.Parallel()
	f, err := os.Open("testdata/holidays_fr.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for _, row := range rows[1:] {
		want[row[0]] = row[1]
	}
	if len(want) != 11*11 {
		t.Fatalf("%d vectors", len(want))
	}
	for d := calendar.Day(2020, time.January, 1); d < calendar.Day(2031, time.January, 1); d++ {
		h, ok := calendar.HolidayOn(d)
		if ok && (!h.Valid() || h.Name() == "") {
			t.Errorf("%s: %q has no name", d, h)
		}
		if vectorNames[h] != want[d.String()] {
			t.Errorf("%s: got %q, want %q", d, h, want[d.String()])
		}
	}
}

// Another's computation of the same days, over two centuries: Easter by another formula.
func TestHolidaysAreThoseOfAnotherLibrary(t *testing.T) {
	t.Parallel()
	for year := 1950; year < 2150; year++ {
		want := map[calendar.Date]bool{}
		for _, h := range fr.Holidays {
			actual, _ := h.Calc(year)
			want[calendar.Day(actual.Date())] = true
		}
		for d := calendar.Day(year, time.January, 1); d < calendar.Day(year+1, time.January, 1); d++ {
			if _, ok := calendar.HolidayOn(d); ok != want[d] {
				t.Fatalf("%s: a holiday: %t", d, ok)
			}
		}
	}
}

func TestTwoHolidaysOnOneDay(t *testing.T) {
	t.Parallel()
	if h, _ := calendar.HolidayOn(calendar.Day(2008, time.May, 1)); h != calendar.LabourDay {
		t.Fatalf("1 May 2008 is Ascension too, and was taken for %s", h)
	}
}

// Closed on every holiday unless named; on 1 May no different, since the law binds employers.
func TestAHolidayIsClosedUnlessNamed(t *testing.T) {
	t.Parallel()
	s := calendar.Shop{Hours: calendar.Hours{Week: daily(calendar.Hm(9, 0), calendar.Hm(19, 0))}}
	noon := func(day string) bool { return s.OpenAt(calendar.Visit, paris(day+" 12:00")) }
	if noon("2020-05-01") || noon("2020-07-14") || !noon("2020-07-15") {
		t.Fatal("without a word a shop is closed on holidays only")
	}
	s.OpenOn = []calendar.Holiday{calendar.NationalDay}
	if noon("2020-05-01") || !noon("2020-07-14") {
		t.Fatal("open on the holiday named, and on no other")
	}
	s.OpenOn = []calendar.Holiday{calendar.LabourDay}
	if !noon("2020-05-01") || noon("2020-07-14") {
		t.Fatal("a florist may open on 1 May")
	}
	s.OpenOn = nil
	s.Special = []calendar.Special{{Date: calendar.Day(2020, time.May, 1), Openings: []calendar.Opening{{calendar.Hm(9, 0), calendar.Hm(11, 0)}}}}
	if noon("2020-05-01") || !s.OpenAt(calendar.Visit, paris("2020-05-01 10:00")) {
		t.Fatal("special hours hold in place of the holiday")
	}
}
