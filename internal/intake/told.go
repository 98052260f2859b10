package intake

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/audelor/halles/internal/calendar"
	"github.com/audelor/halles/internal/money"
)

// statuses are what a file calls them.
var statuses = map[string]string{"ACTIVE": "actif", "DRAFT": "brouillon", "ARCHIVED": "archivé"}

// told writes a value of the journal as the file would.
func told(name string, value any) string {
	switch value := value.(type) {
	case nil:
		return ""
	case string:
		if word := statuses[value]; name == "statut" && word != "" {
			return word
		}
		if h := calendar.Holiday(value); name == "jours_feries" && h.Valid() {
			return h.Name()
		}
		return value
	case bool:
		return map[bool]string{true: "oui", false: "non"}[value]
	case float64:
		switch name {
		case "prix":
			return money.Cents(value).Format()
		case "tva":
			return strings.Replace(strconv.FormatFloat(value/100, 'f', -1, 64), ".", ",", 1) + "\u00a0%"
		}
		return strings.Replace(strconv.FormatFloat(value, 'f', -1, 64), ".", ",", 1)
	case map[string]any:
		return mode(value)
	case []any:
		if slices.Contains(days, name) {
			return openings(value)
		}
		if none := map[string]string{"jours_feries": "aucun", "modes": "aucun"}[name]; none != "" && len(value) == 0 {
			return none
		}
		words := make([]string, len(value))
		for i, v := range value {
			words[i] = told(name, v)
		}
		return strings.Join(words, ", ")
	}
	return fmt.Sprint(value)
}

// days are the columns whose values are openings.
var days = []string{"lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"}

// openings is "9h-12h30, 14h-19h", or "fermé": pairs of minutes after midnight.
func openings(list []any) string {
	if len(list) == 0 {
		return "fermé"
	}
	clock := func(minutes any) string {
		n, _ := minutes.(float64)
		text := fmt.Sprintf("%dh", int(n)/60)
		if n := int(n) % 60; n > 0 {
			text += fmt.Sprintf("%02d", n)
		}
		return text
	}
	parts := make([]string, len(list))
	for i, o := range list {
		pair, ok := o.([]any)
		if !ok || len(pair) != 2 {
			return fmt.Sprint(list)
		}
		if closes, ok := pair[1].(float64); ok && closes > 1440 {
			pair = []any{pair[0], closes - 1440}
		}
		parts[i] = clock(pair[0]) + "-" + clock(pair[1])
	}
	return strings.Join(parts, ", ")
}

// mode is "livraison (60 min, 5 km, frais 3,50 €, minimum 20,00 €)".
func mode(m map[string]any) string {
	number := func(name string) float64 { n, _ := m[name].(float64); return n }
	kind, _ := m["mode"].(string)
	parts := []string{fmt.Sprintf("%.0f\u00a0min", number("lead"))}
	if metres := number("perimeter"); metres > 0 {
		parts = append(parts, strings.Replace(strconv.FormatFloat(metres/1000, 'f', -1, 64), ".", ",", 1)+"\u00a0km")
	}
	if fee := number("fee"); fee > 0 {
		parts = append(parts, "frais "+money.Cents(fee).Format())
	}
	if least := number("minimum"); least > 0 {
		parts = append(parts, "minimum "+money.Cents(least).Format())
	}
	return map[string]string{"PICKUP": "retrait", "DELIVERY": "livraison"}[kind] + " (" + strings.Join(parts, ", ") + ")"
}
