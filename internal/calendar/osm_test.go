package calendar_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/audelor/halles/internal/calendar"
)

// osmRule is a parsed rule: on which dates, and when.
type osmRule struct {
	on   func(d calendar.Date) bool
	open []calendar.Opening
}

var (
	osmRuleForm = regexp.MustCompile(`^(24/7|(?:(.+?) )?(off|\d\d:\d\d-\d\d:\d\d(?:,\d\d:\d\d-\d\d:\d\d)*))(?: "[^"]*")?$`)
	osmSpan     = regexp.MustCompile(`^(\d\d):(\d\d)-(\d\d):(\d\d)$`)
	osmWeekday  = regexp.MustCompile(`^(Mo|Tu|We|Th|Fr|Sa|Su)(?:-(Mo|Tu|We|Th|Fr|Sa|Su))?$`)
	osmEaster   = regexp.MustCompile(`^easter \+(\d+) days?$`)
)

// parseOSM reads the part of the opening_hours grammar that the export uses, and nothing else.
func parseOSM(text string) ([]osmRule, error) {
	var rules []osmRule
	if text == "" {
		return nil, nil
	}
	for _, part := range strings.Split(text, "; ") {
		m := osmRuleForm.FindStringSubmatch(part)
		if m == nil {
			return nil, fmt.Errorf("no rule: %q", part)
		}
		if m[1] == "24/7" {
			rules = append(rules, osmRule{func(calendar.Date) bool { return true }, []calendar.Opening{{0, 1440}}})
			continue
		}
		var r osmRule
		var err error
		if r.on, err = parseSelector(m[2]); err != nil {
			return nil, err
		}
		if m[3] != "off" {
			for _, span := range strings.Split(m[3], ",") {
				n := [4]int{}
				for i, digits := range osmSpan.FindStringSubmatch(span)[1:] {
					n[i], _ = strconv.Atoi(digits)
				}
				if n[0] > 23 || n[2] > 48 || n[1] > 59 || n[3] > 59 { // time, extended_time
					return nil, fmt.Errorf("no time: %q", span)
				}
				r.open = append(r.open, calendar.Opening{calendar.Hm(n[0], n[1]), calendar.Hm(n[2], n[3])})
			}
		}
		rules = append(rules, r)
	}
	return rules, nil
}

func parseSelector(text string) (func(calendar.Date) bool, error) {
	if text == "PH" {
		return func(d calendar.Date) bool { _, ok := calendar.HolidayOn(d); return ok }, nil
	}
	if m := osmEaster.FindStringSubmatch(text); m != nil {
		names := map[string]calendar.Holiday{"1": calendar.EasterMonday, "39": calendar.Ascension, "50": calendar.WhitMonday}
		return func(d calendar.Date) bool { h, ok := calendar.HolidayOn(d); return ok && h == names[m[1]] }, nil
	}
	if first, last, found := strings.Cut(text, "-"); regexp.MustCompile(`^\d{4} `).MatchString(text) {
		a, err := time.Parse("2006 Jan 02", first)
		b := a
		if err == nil && found {
			b, err = time.Parse("2006 Jan 02", last)
		}
		return func(d calendar.Date) bool { return calendar.Day(a.Date()) <= d && d <= calendar.Day(b.Date()) }, err
	}
	var any []func(calendar.Date) bool
	for _, part := range strings.Split(text, ",") {
		if m := osmWeekday.FindStringSubmatch(part); m != nil {
			const days = "MoTuWeThFrSaSu"
			from, to := strings.Index(days, m[1])/2+1, strings.Index(days, m[1])/2+1
			if m[2] != "" {
				to = strings.Index(days, m[2])/2 + 1
			}
			any = append(any, func(d calendar.Date) bool { return from <= d.Weekday() && d.Weekday() <= to })
			continue
		}
		at, err := time.Parse("Jan 02", part)
		if err != nil {
			return nil, fmt.Errorf("no selector: %q", part)
		}
		any = append(any, func(d calendar.Date) bool { _, m, day := d.Civil(); return m == at.Month() && day == at.Day() })
	}
	return func(d calendar.Date) bool {
		for _, on := range any {
			if on(d) {
				return true
			}
		}
		return false
	}, nil
}

// The exported string, read back by the rules of the specification (the last rule that matches
// a date holds for it), opens at the same minutes.
func TestOSMRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		first := calendar.Day(2020, time.December, 14) // no clock change, two holidays
		if rapid.Bool().Draw(t, "spring") {
			first = calendar.Day(2021, time.April, 26)
		}
		s := drawShop(t, first)
		text := s.OSM(first-1, first+21)
		rules, err := parseOSM(text)
		if err != nil {
			t.Fatal(err)
		}
		of := func(d calendar.Date) []calendar.Opening {
			for i := len(rules) - 1; i >= 0; i-- {
				if rules[i].on(d) {
					return rules[i].open
				}
			}
			return nil
		}
		hours := calendar.Shop{Hours: s.Hours}
		want := oracle(&hours, calendar.Visit, first.At(0), 20*1440)
		for i := range want {
			d, minute := first+calendar.Date(i/1440), calendar.Clock(i%1440)
			got := false
			for _, o := range of(d) {
				got = got || o.Opens <= minute && minute < o.Closes
			}
			for _, o := range of(d - 1) {
				got = got || minute+1440 < o.Closes
			}
			if got != want[i] {
				t.Fatalf("%s %s: %q says %t", d, minute, text, got)
			}
		}
	})
}

func TestOSM(t *testing.T) {
	t.Parallel()
	bar := calendar.Week{4: {{calendar.Hm(22, 0), calendar.Hm(26, 0)}}, 5: {{calendar.Hm(22, 0), calendar.Hm(26, 0)}}}
	for name, c := range map[string]struct {
		hours calendar.Hours
		want  string
	}{
		"Unknown":              {calendar.Hours{}, ""},
		"TownShop":             {calendar.Hours{Week: weekly}, "Mo 14:00-19:00; Tu-Fr 09:30-12:30,14:00-19:00; Sa 09:30-19:00; PH off"},
		"PastMidnight":         {calendar.Hours{Week: bar}, "Fr,Sa 22:00-26:00; PH off"},
		"AlwaysOpen":           {calendar.Hours{Week: daily(0, 1440), OpenOn: calendar.Holidays}, "24/7"},
		"OpenOnMost":           {calendar.Hours{Week: daily(540, 1140), OpenOn: calendar.Holidays[3:]}, "Mo-Su 09:00-19:00; Jan 01,May 01 off; easter +1 day off"},
		"WinterHoliday":        {calendar.Hours{Week: weekly, Closures: []calendar.Closure{calendar.ClosedDays(calendar.Day(2020, 11, 2), calendar.Day(2020, 11, 15), `congés "d'hiver"`)}}, `Mo 14:00-19:00; Tu-Fr 09:30-12:30,14:00-19:00; Sa 09:30-19:00; PH off; 2020 Nov 02-2020 Nov 15 off "congés 'd'hiver'"`},
		"AfternoonOff":         {calendar.Hours{Week: weekly, Closures: []calendar.Closure{{From: paris("2020-11-03 15:00"), Until: paris("2020-11-04 10:00")}}}, "Mo 14:00-19:00; Tu-Fr 09:30-12:30,14:00-19:00; Sa 09:30-19:00; PH off; 2020 Nov 03 09:30-12:30,14:00-15:00; 2020 Nov 04 10:00-12:30,14:00-19:00"},
		"NightCutShort":        {calendar.Hours{Week: bar, Closures: []calendar.Closure{{From: paris("2020-11-07 00:30"), Until: paris("2020-11-07 01:00")}}}, "Fr,Sa 22:00-26:00; PH off; 2020 Nov 06 22:00-24:30; 2020 Nov 07 01:00-02:00,22:00-26:00"},
		"UsualHoursOnAHoliday": {calendar.Hours{Week: weekly, Special: []calendar.Special{{Date: calendar.Day(2020, 11, 11), Openings: weekly[2]}}}, "Mo 14:00-19:00; Tu-Fr 09:30-12:30,14:00-19:00; Sa 09:30-19:00; PH off; 2020 Nov 11 09:30-12:30,14:00-19:00"},
		"MarketSunday":         {calendar.Hours{Week: weekly, Special: []calendar.Special{{Date: calendar.Day(2020, 12, 20), Openings: []calendar.Opening{{600, 1080}}}}}, "Mo 14:00-19:00; Tu-Fr 09:30-12:30,14:00-19:00; Sa 09:30-19:00; PH off; 2020 Dec 20 10:00-18:00"},
	} {
		if got := c.hours.OSM(calendar.Day(2020, 10, 1), calendar.Day(2020, 12, 31)); got != c.want {
			t.Errorf("%s: got  %s\nwant %s", name, got, c.want)
		}
	}
}

func TestSchemaOrg(t *testing.T) {
	t.Parallel()
	h := calendar.Hours{
		Week: calendar.Week{
			4: {{calendar.Hm(9, 30), calendar.Hm(12, 30)}, {calendar.Hm(22, 0), calendar.Hm(26, 0)}},
			5: {{calendar.Hm(9, 30), calendar.Hm(12, 30)}},
			2: {{0, calendar.Hm(24, 0)}},
		},
		Special:  []calendar.Special{{Date: calendar.Day(2020, 12, 20), Openings: []calendar.Opening{{calendar.Hm(10, 0), calendar.Hm(18, 0)}}, Reason: "marché de Noël"}},
		Closures: []calendar.Closure{calendar.ClosedDays(calendar.Day(2020, 12, 26), calendar.Day(2020, 12, 30), "congés")},
	}
	got, err := json.MarshalIndent(h.SchemaOrg(calendar.Day(2020, 12, 1), calendar.Day(2020, 12, 31)), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	const want = `{
 "openingHoursSpecification": [
  {
   "@type": "OpeningHoursSpecification",
   "dayOfWeek": [
    "Wednesday"
   ],
   "opens": "00:00",
   "closes": "23:59"
  },
  {
   "@type": "OpeningHoursSpecification",
   "dayOfWeek": [
    "Friday",
    "Saturday"
   ],
   "opens": "09:30",
   "closes": "12:30"
  },
  {
   "@type": "OpeningHoursSpecification",
   "dayOfWeek": [
    "Friday"
   ],
   "opens": "22:00",
   "closes": "02:00"
  }
 ],
 "specialOpeningHoursSpecification": [
  {
   "@type": "OpeningHoursSpecification",
   "opens": "10:00",
   "closes": "18:00",
   "validFrom": "2020-12-20",
   "validThrough": "2020-12-20",
   "description": "marché de Noël"
  },
  {
   "@type": "OpeningHoursSpecification",
   "opens": "00:00",
   "closes": "00:00",
   "validFrom": "2020-12-25",
   "validThrough": "2020-12-25",
   "description": "Noël"
  },
  {
   "@type": "OpeningHoursSpecification",
   "opens": "00:00",
   "closes": "00:00",
   "validFrom": "2020-12-26",
   "validThrough": "2020-12-30",
   "description": "congés"
  }
 ]
}`
	if string(got) != want {
		t.Fatalf("got %s", got)
	}
}
