package calendar

import "time"

// Holiday is one of the eleven statutory holidays (Code du travail, art. L3133-1).
type Holiday string

// The statutory holidays, in the order of the year.
//
// Only LABOUR_DAY must be a day of rest (art. L3133-4), and for employees: who owns a shop may
// keep it open alone, and trades that cannot stop may employ people (art. L3133-6). So the law
// closes no shop, and which case a shop is in we cannot know. A shop is closed on each holiday
// unless it says by name that it opens (Hours.OpenOn), LABOUR_DAY included: a customer before a
// closed door is worse off than one who did not come. It then keeps the hours of the weekday;
// other hours are Special.
const (
	NewYear      Holiday = "NEW_YEAR"
	EasterMonday Holiday = "EASTER_MONDAY"
	LabourDay    Holiday = "LABOUR_DAY"
	VictoryDay   Holiday = "VICTORY_DAY" // 8 May 1945
	Ascension    Holiday = "ASCENSION"
	WhitMonday   Holiday = "WHIT_MONDAY"
	NationalDay  Holiday = "NATIONAL_DAY"
	Assumption   Holiday = "ASSUMPTION"
	AllSaints    Holiday = "ALL_SAINTS"
	Armistice    Holiday = "ARMISTICE" // 11 November 1918
	Christmas    Holiday = "CHRISTMAS"
)

// Holidays are all of them.
var Holidays = []Holiday{
	NewYear, EasterMonday, LabourDay, VictoryDay, Ascension, WhitMonday,
	NationalDay, Assumption, AllSaints, Armistice, Christmas,
}

// holidayNames are as French sentences write them.
var holidayNames = map[Holiday]string{
	NewYear: "jour de l'An", EasterMonday: "lundi de Pâques", LabourDay: "fête du Travail",
	VictoryDay: "victoire de 1945", Ascension: "Ascension", WhitMonday: "lundi de Pentecôte",
	NationalDay: "fête nationale", Assumption: "Assomption", AllSaints: "Toussaint",
	Armistice: "armistice de 1918", Christmas: "Noël",
}

// Valid tells whether h is one of the holidays.
func (h Holiday) Valid() bool { return holidayNames[h] != "" }

// Name is the holiday's French name, as within a sentence: "fête du Travail".
func (h Holiday) Name() string { return holidayNames[h] }

// HolidayOn is the statutory holiday of a date. Where Ascension falls on another (1 May 2008),
// that other one counts.
func HolidayOn(d Date) (Holiday, bool) {
	year, month, day := d.Civil()
	switch {
	case month == time.January && day == 1:
		return NewYear, true
	case month == time.May && day == 1:
		return LabourDay, true
	case month == time.May && day == 8:
		return VictoryDay, true
	case month == time.July && day == 14:
		return NationalDay, true
	case month == time.August && day == 15:
		return Assumption, true
	case month == time.November && day == 1:
		return AllSaints, true
	case month == time.November && day == 11:
		return Armistice, true
	case month == time.December && day == 25:
		return Christmas, true
	case month < time.March || month > time.June:
		return "", false // Easter lies from 22 March to 25 April
	}
	switch d - easter(year) {
	case 1:
		return EasterMonday, true
	case 39:
		return Ascension, true
	case 50:
		return WhitMonday, true
	}
	return "", false
}

// easter is Easter Sunday of the Gregorian calendar ("Nature", 20 April 1876, after an
// anonymous correspondent).
func easter(year int) Date {
	a, b, c := year%19, year/100, year%100
	h := (19*a + b - b/4 - (b-(b+8)/25+1)/3 + 15) % 30
	l := (32 + 2*(b%4) + 2*(c/4) - h - c%4) % 7
	m := (a + 11*h + 22*l) / 451
	n := h + l - 7*m + 114
	return Day(year, time.Month(n/31), n%31+1)
}
