package calendar

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/audelor/halles/internal/fault"
)

// What people write of hours in a cell of a table, and what our own export writes (OSM): days in
// French or as OpenStreetMap has them, "9h-12h30, 14h-19h" or "09:00-12:30,14:00-19:00".

var (
	hoursForm   = regexp.MustCompile(`^(\d{1,2})\s*(?:[h:]\s*(\d{2})?)?\s*-\s*(\d{1,2})\s*(?:[h:]\s*(\d{2})?)?$`)
	betweenForm = regexp.MustCompile(`\s*(?:,|/|&|\bet\b|\bpuis\b)\s*`)
	datedForm   = regexp.MustCompile(`^\d{4}\b`)
	// A rule is days, which may be left out, and times.
	ruleForm = regexp.MustCompile(`^(\D*?)\s*:?\s*(off|closed|ferme|24h?/24h?|\d.*)$`)
)

// plain is a text as it is compared: small letters without accents, one kind of dash and blank.
func plain(text string) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(text) {
		switch {
		case unicode.Is(unicode.Mn, r):
		case r == '–' || r == '—' || r == '−' || r == '‑' || r == '‐':
			b.WriteByte('-')
		case unicode.IsSpace(r):
			b.WriteByte(' ')
		case r == '’':
			b.WriteByte('\'')
		default:
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// ParseDay reads the openings of a day: "9h-12h30, 14h-19h", "09:00-12:30,14:00-19:00", "fermé". An
// end that is not after its beginning is on the next day.
//
// Faults: INVALID for what is no time, or overlaps.
func ParseDay(text string) ([]Opening, error) {
	day, err := parseTimes(plain(text), text)
	if err != nil {
		return nil, err
	}
	return day, checkDay(day, "jour", nil)
}

func parseTimes(text, shown string) ([]Opening, error) {
	switch text {
	case "off", "closed", "ferme", "fermee", "-", "non":
		return nil, nil
	case "24/7", "24/24", "24h/24", "24h/24h":
		return []Opening{{0, midnight}}, nil
	}
	text = strings.ReplaceAll(strings.TrimPrefix(text, "de "), " a ", "-")
	var day []Opening
	for _, part := range betweenForm.Split(text, -1) {
		m := hoursForm.FindStringSubmatch(strings.TrimPrefix(part, "de "))
		if m == nil {
			return nil, fault.Errorf(fault.Invalid, "%s n'est pas un horaire ; écrivez 9h-12h30, 14h-19h, ou fermé.", fault.Shown(shown))
		}
		n := [5]int{}
		for i := 1; i < len(m); i++ {
			n[i], _ = strconv.Atoi(m[i]) // digits, or nothing for the full hour
		}
		o := Opening{Hm(n[1], n[2]), Hm(n[3], n[4])}
		if n[1] > 23 || n[2] > 59 || n[4] > 59 || o.Closes > 2*midnight {
			return nil, fault.Errorf(fault.Invalid, "%s n'est pas un horaire : une ouverture commence de 0h à 23h59.", fault.Shown(shown))
		}
		if o.Closes <= o.Opens {
			o.Closes += midnight
		}
		if !o.valid() {
			return nil, fault.Errorf(fault.Invalid, "%s n'est pas un horaire : une ouverture dure au plus 24 heures.", fault.Shown(shown))
		}
		day = append(day, o)
	}
	return sortedOpenings(day), nil
}

// dayWords are the days by the first letters of their names.
var dayWords = func() map[string]int {
	words := map[string]int{}
	for i, name := range weekdays {
		words[name], words[name[:3]], words[name[:2]] = i, i, i
		words[strings.ToLower(osmDays[i])] = i
	}
	return words
}()

// parseDays reads "lu-ve, di"; no days at all are all of them.
func parseDays(text string) (days []int, ok bool) {
	if text == "" || text == "tous les jours" || text == "tlj" {
		return []int{0, 1, 2, 3, 4, 5, 6}, true
	}
	text = strings.ReplaceAll(strings.ReplaceAll(strings.TrimPrefix(text, "du "), " au ", "-"), " a ", "-")
	for _, part := range betweenForm.Split(text, -1) {
		first, last, ranged := strings.Cut(part, "-")
		from, ok := dayWords[strings.Trim(first, " .")]
		to := from
		if ranged && ok {
			to, ok = dayWords[strings.Trim(last, " .")]
		}
		if !ok {
			return nil, false
		}
		for d := from; ; d = (d + 1) % 7 {
			days = append(days, d)
			if d == to {
				break
			}
		}
	}
	return days, true
}

// ParseWeek reads a usual week, rules parted by semicolons of which a later one replaces earlier
// ones for its days: "Lu-Ve 9h-12h30, 14h-19h; Sa 9h-13h", "Mo-Fr 09:00-19:00; PH off", "24/7".
// Days that no rule names are closed. What it says of holidays comes as those on which the shop
// opens; nil when it says nothing.
//
// Faults: INVALID for what is no rule, for dates, which are no usual week, or hours that overlap.
func ParseWeek(text string) (week Week, openOn []Holiday, err error) {
	said := false
	for _, shown := range strings.FieldsFunc(text, func(r rune) bool { return r == ';' || r == '\n' }) {
		rule := plain(shown)
		if rule == "" {
			continue
		}
		said = true
		if closed := closedOn(rule); closed != nil {
			if openOn == nil {
				openOn = slices.Clone(Holidays)
			}
			openOn = slices.DeleteFunc(openOn, func(h Holiday) bool { return slices.Contains(closed, h) })
			continue
		}
		if datedForm.MatchString(rule) {
			return week, nil, fault.Errorf(fault.Invalid, "%s est pour une date : n'écrivez ici que la semaine habituelle, et retirez cette règle.", fault.Shown(shown))
		}
		var days []int
		m := ruleForm.FindStringSubmatch(rule)
		ok := m != nil
		if ok {
			days, ok = parseDays(strings.TrimSuffix(strings.Trim(m[1], " :"), " de"))
		}
		if !ok {
			return week, nil, fault.Errorf(fault.Invalid, "%s n'est pas une règle d'horaires ; écrivez Lu-Ve 9h-12h30, 14h-19h; Sa 9h-13h.", fault.Shown(shown))
		}
		openings, err := parseTimes(m[2], shown)
		if err != nil {
			return week, nil, err
		}
		for _, d := range days {
			week[d] = openings
		}
	}
	if !said {
		return week, nil, fault.Errorf(fault.Invalid, "Il n'y a pas d'horaires ici ; écrivez Lu-Ve 9h-12h30, 14h-19h; Sa 9h-13h.")
	}
	return week, openOn, week.Check()
}

// closedOn is the holidays of a rule that closes on them, as holidayRules writes it; nil for
// another rule.
func closedOn(rule string) []Holiday {
	dates := ""
	for _, end := range []string{" off", " closed", " ferme"} {
		if cut, ok := strings.CutSuffix(rule, end); ok {
			dates = cut
		}
	}
	switch dates {
	case "":
		return nil
	case "ph", "ferie", "feries", "jours feries":
		return Holidays
	}
	var closed []Holiday
	for _, date := range strings.Split(dates, ",") {
		i := slices.IndexFunc(Holidays, func(h Holiday) bool { return strings.EqualFold(osmHolidays[h], strings.TrimSpace(date)) })
		if i < 0 {
			return nil
		}
		closed = append(closed, Holidays[i])
	}
	return closed
}

// holidayWords are the holidays by name and by date, as plain has them.
var holidayWords = func() map[string]Holiday {
	words := map[string]Holiday{
		"1 janvier": NewYear, "1er janvier": NewYear, "nouvel an": NewYear, "jour de l'an": NewYear,
		"paques": EasterMonday, "pentecote": WhitMonday, "1 mai": LabourDay, "1er mai": LabourDay, "8 mai": VictoryDay,
		"14 juillet": NationalDay, "15 aout": Assumption, "1 novembre": AllSaints, "1er novembre": AllSaints,
		"11 novembre": Armistice, "25 decembre": Christmas,
	}
	for h, name := range holidayNames {
		words[plain(name)] = h
	}
	return words
}()

// ParseHolidays reads statutory holidays, by name or by date and parted by commas: "8 mai, lundi
// de Pâques", "tous", "aucun". They come in the order of the year.
//
// Faults: INVALID for what is none.
func ParseHolidays(text string) ([]Holiday, error) {
	list := []Holiday{}
	switch plain(text) {
	case "aucun", "aucune", "non", "-", "ferme":
		return list, nil
	case "tous", "oui":
		return slices.Clone(Holidays), nil
	}
	for _, shown := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ';' || r == '/' || r == '\n' }) {
		word := plain(shown)
		h, ok := holidayWords[strings.TrimPrefix(strings.TrimPrefix(word, "le "), "l'")]
		if !ok && word != "" {
			return nil, fault.Errorf(fault.Invalid, "%s n'est pas un jour férié ; écrivez par exemple 8 mai, lundi de Pâques, ou tous, ou aucun.", fault.Shown(shown))
		}
		if ok {
			list = append(list, h)
		}
	}
	slices.SortFunc(list, func(a, b Holiday) int { return slices.Index(Holidays, a) - slices.Index(Holidays, b) })
	return slices.Compact(list), nil
}
