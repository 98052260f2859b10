package calendar_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/audelor/halles/internal/calendar"
)

// What the export writes of a week and of holidays, a table's cell takes back as it was.
func TestParseWeekReadsWhatOSMWrites(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var h calendar.Hours
		for d := range h.Week {
			from := calendar.Clock(0)
			for range rapid.IntRange(0, 3).Draw(t, "openings") {
				opens := from + calendar.Clock(rapid.IntRange(1, 200).Draw(t, "opens"))
				closes := opens + calendar.Clock(rapid.IntRange(1, 300).Draw(t, "lasts"))
				if opens < 1440 {
					h.Week[d] = append(h.Week[d], calendar.Opening{Opens: opens, Closes: closes})
				}
				from = closes
			}
		}
		if h.Week.Check() != nil {
			t.Skip("it is no week")
		}
		for _, holiday := range calendar.Holidays {
			if rapid.Bool().Draw(t, string(holiday)) {
				h.OpenOn = append(h.OpenOn, holiday)
			}
		}
		text := h.OSM(20000, 20000)
		if text == "" {
			t.Skip("it never opens")
		}
		week, openOn, err := calendar.ParseWeek(text)
		if len(openOn) == 0 && len(h.OpenOn) == 0 || len(h.OpenOn) == len(calendar.Holidays) { // no rule: it says nothing of them
			openOn = h.OpenOn
		}
		if err != nil || cmp.Diff(h.Week, week) != "" || !slices.Equal(h.OpenOn, openOn) {
			t.Errorf("%s: %v %v %v", text, week, openOn, err)
		}
	})
}

func TestParseWeek(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Lu-Ve 9h-12h30, 14h-19h; Sa 9h-13h":                      "Mo-Fr 09:00-12:30,14:00-19:00; Sa 09:00-13:00",
		"du lundi au vendredi de 9 h à 12 h 30 et de 14 h à 19 h": "Mo-Fr 09:00-12:30,14:00-19:00",
		"lundi : fermé ; mardi, jeudi : 10h–18h":                  "Tu,Th 10:00-18:00",
		"9h-19h; dimanche fermé":                                  "Mo-Sa 09:00-19:00",
		"Ve-Lu 18h-2h":                                            "Mo,Fr-Su 18:00-26:00",
		"24/7":                                                    "24/7",
		"Mo-Sa 08:00-20:00":                                       "Mo-Sa 08:00-20:00",
		"lun.-ven. 9:00-12:00/14:00-18:00":                        "Mo-Fr 09:00-12:00,14:00-18:00",
		"tous les jours 24h/24":                                   "24/7",
		"Me 9h-12h\nJe 14h-18h":                                   "We 09:00-12:00; Th 14:00-18:00",
		"Lu-Ve 9h-19h; Me 9h-12h":                                 "Mo,Tu,Th,Fr 09:00-19:00; We 09:00-12:00",
		"Lu 0h-24h":                                               "Mo 00:00-24:00",
		"Lu-Ve 9h-12h; 2026 Dec 24 off":                           "est pour une date",
		"Lu-Ve 9h-12h, 11h-14h":                                   "se chevauchent à 11",
		"Lu 22h-8h; Ma 6h-12h":                                    "chevauche celle du mardi",
		"sur rendez-vous":                                         "n'est pas une règle d'horaires",
		"Lx 9h-12h":                                               "n'est pas une règle d'horaires",
		"Lu 9h-25h61":                                             "n'est pas un horaire",
		"Lu 29h-30h":                                              "commence de 0h à 23h59",
		"Lu 9h":                                                   "n'est pas un horaire",
		";":                                                       "Il n'y a pas d'horaires",
		"Lu 1h-2h,3h-4h,5h-6h,7h-8h,9h-10h,11h-12h,13h-14h,15h-16h,17h-18h": "9 ouvertures ; 8 au plus",
	} {
		week, openOn, err := calendar.ParseWeek(text)
		got := strings.TrimSuffix((&calendar.Hours{Week: week}).OSM(20000, 20000), "; PH off")
		if err != nil {
			got = err.Error()
		}
		if openOn != nil || err == nil && got != want || err != nil && !strings.Contains(got, want) {
			t.Errorf("%q: %s %v, want %s", text, got, openOn, want)
		}
	}
}

func TestParseHolidays(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"8 mai, lundi de Pâques":            "EASTER_MONDAY VICTORY_DAY",
		"Le 1er mai ; l'Ascension ; 8 MAI":  "LABOUR_DAY VICTORY_DAY ASCENSION",
		"aucun":                             "",
		"14 juillet/15 août/fête nationale": "NATIONAL_DAY ASSUMPTION",
		"29 février":                        "!",
	} {
		var names []string
		list, err := calendar.ParseHolidays(text)
		for _, h := range list {
			names = append(names, string(h))
		}
		if got := strings.Join(names, " "); (err != nil) != (want == "!") || err == nil && got != want {
			t.Errorf("%q: %s %v", text, got, err)
		}
	}
	if all, err := calendar.ParseHolidays("tous"); err != nil || len(all) != 11 {
		t.Errorf("tous: %v %v", all, err)
	}
}
