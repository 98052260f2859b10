package calendar

import (
	"fmt"
	"slices"
	"strings"
)

// OSM is the hours in the syntax of OpenStreetMap's opening_hours: the week, then the
// holidays, then the exceptions of the dates from first to last. A later rule replaces earlier
// ones for its dates. "22:00-26:00" closes at two in the night after; "PH off" stands for all
// statutory holidays, and where the shop opens on some, the others are named by date. No hours
// at all give "". Restrictions are left out: they are not the shop's own hours, and
// OpenStreetMap kept them apart too (opening_hours:covid19). A tag holds 255 characters there;
// many exceptions need more.
// https://wiki.openstreetmap.org/wiki/Key:opening_hours/specification
func (h *Hours) OSM(first, last Date) string {
	rules := h.weekRules()
	if len(rules) > 0 {
		rules = append(rules, h.holidayRules()...)
	}
	for _, e := range h.exceptions(first, last, false) {
		rules = append(rules, osmRange(e.First, e.Last)+" "+osmTimes(e.Openings)+osmComment(e.Reason))
	}
	return strings.Join(rules, "; ")
}

var osmDays = [7]string{"Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"}

// weekRules is one rule for each set of days with the same openings.
func (h *Hours) weekRules() []string {
	var rules []string
	var done [7]bool
	for i := range h.Week {
		times := osmTimes(sortedOpenings(h.Week[i]))
		if done[i] || times == "off" {
			continue
		}
		var same [7]bool
		for j := i; j < 7; j++ {
			same[j] = osmTimes(sortedOpenings(h.Week[j])) == times
			done[j] = done[j] || same[j]
		}
		rule := osmWeekdays(same) + " " + times
		if rule == "Mo-Su 00:00-24:00" {
			rule = "24/7"
		}
		rules = append(rules, rule)
	}
	return rules
}

// osmWeekdays is "Mo-Fr" or "Mo,We": a range from three days on.
func osmWeekdays(days [7]bool) string {
	var parts []string
	for i := 0; i < 7; {
		if !days[i] {
			i++
			continue
		}
		j := i
		for j < 6 && days[j+1] {
			j++
		}
		switch {
		case j-i >= 2:
			parts = append(parts, osmDays[i]+"-"+osmDays[j])
		default:
			parts = append(parts, osmDays[i:j+1]...)
		}
		i = j + 1
	}
	return strings.Join(parts, ",")
}

// osmHolidays are the holidays by date; Easter's move.
var osmHolidays = map[Holiday]string{
	NewYear: "Jan 01", EasterMonday: "easter +1 day", LabourDay: "May 01", VictoryDay: "May 08",
	Ascension: "easter +39 days", WhitMonday: "easter +50 days", NationalDay: "Jul 14",
	Assumption: "Aug 15", AllSaints: "Nov 01", Armistice: "Nov 11", Christmas: "Dec 25",
}

func (h *Hours) holidayRules() []string {
	var fixed, rules []string
	closed := 0
	for _, holiday := range Holidays {
		if slices.Contains(h.OpenOn, holiday) {
			continue
		}
		closed++
		if date := osmHolidays[holiday]; strings.HasPrefix(date, "easter") {
			rules = append(rules, date+" off")
		} else {
			fixed = append(fixed, date)
		}
	}
	if closed == len(Holidays) {
		return []string{"PH off"}
	}
	if len(fixed) > 0 {
		rules = append([]string{strings.Join(fixed, ",") + " off"}, rules...)
	}
	return rules
}

// osmTimes is "09:30-12:30,14:00-19:00", or "off".
func osmTimes(openings []Opening) string {
	if len(openings) == 0 {
		return "off"
	}
	parts := make([]string, len(openings))
	for i, o := range openings {
		parts[i] = o.Opens.String() + "-" + o.Closes.String()
	}
	return strings.Join(parts, ",")
}

func osmDate(d Date) string {
	year, month, day := d.Civil()
	return fmt.Sprintf("%d %s %02d", year, month.String()[:3], day)
}

func osmRange(first, last Date) string {
	if first == last {
		return osmDate(first)
	}
	return osmDate(first) + "-" + osmDate(last)
}

// osmComment is a reason for people. The syntax has no escape for its quotation mark.
func osmComment(reason string) string {
	if reason == "" {
		return ""
	}
	return ` "` + strings.ReplaceAll(reason, `"`, "'") + `"`
}
