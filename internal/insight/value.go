package insight

import (
	"strconv"
	"strings"

	"github.com/audelor/halles/internal/insight/secrecy"
	"github.com/audelor/halles/internal/money"
)

// Indicator is what a figure measures. The schema's descriptions define each.
type Indicator string

// The indicators. Those of the cube come first.
const (
	Revenue    Indicator = "REVENUE"
	RevenueNet Indicator = "REVENUE_WITHOUT_VAT"
	Orders     Indicator = "ORDERS"
	Basket     Indicator = "BASKET"
	Items      Indicator = "ITEMS"
	Shops      Indicator = "ACTIVE_SHOPS"
	Companies  Indicator = "ENTERPRISES"
	Median     Indicator = "MEDIAN_ORDERS"
	Headcount  Indicator = "HEADCOUNT"
	Count      Indicator = "SHOPS"
	HalfWaited Indicator = "MEDIAN_WAIT"
	MostWaited Indicator = "P90_WAIT"
	Lost       Indicator = "LOST_ORDERS"
	Booked     Indicator = "BOOKED_IN_SLOTS"
	Capacity   Indicator = "SLOT_CAPACITY"

	Missed       Indicator = "SEARCHES_WITHOUT_RESULT"
	Outreach     Indicator = "OUTREACH"
	Density      Indicator = "SHOPS_PER_10000"
	MiddleSales  Indicator = "MEDIAN_REVENUE"
	OrdersChange Indicator = "ORDERS_CHANGE"
	OthersChange Indicator = "OTHERS_CHANGE"
)

// cubed are the indicators that the cube has.
var cubed = []Indicator{Revenue, RevenueNet, Orders, Basket, Items, Shops, Companies, Median}

// Unit is what a figure counts in.
type Unit string

// The units.
const (
	Cents    Unit = "CENTS"
	Pieces   Unit = "COUNT"
	Minutes  Unit = "MINUTES"
	Tenths   Unit = "TENTHS"
	Percents Unit = "PERCENT"
)

// Unit is an indicator's.
func (i Indicator) Unit() Unit {
	switch i {
	case Revenue, RevenueNet, Basket, MiddleSales:
		return Cents
	case Median, Density:
		return Tenths
	case OrdersChange, OthersChange:
		return Percents
	case HalfWaited, MostWaited:
		return Minutes
	}
	return Pieces
}

// Label is what people read above the figure.
func (i Indicator) Label() string {
	return map[Indicator]string{
		Revenue: "Chiffre d'affaires TTC", RevenueNet: "Chiffre d'affaires HT", Orders: "Commandes", Basket: "Panier moyen", Items: "Articles",
		Shops: "Boutiques actives", Companies: "Entreprises", Median: "Commandes par boutique (médiane)", Headcount: "Emplois concernés",
		Count: "Boutiques", HalfWaited: "Attente médiane", MostWaited: "Attente, 9 sur 10", Lost: "Commandes sans suite",
		Booked: "Commandes dans les créneaux", Capacity: "Places des créneaux",
		Missed: "Recherches sans résultat", Outreach: "Appels, dossiers, boutiques", Density: "Boutiques pour 10 000 habitants",
		MiddleSales: "Chiffre d'affaires par boutique (médiane)", OrdersChange: "Commandes, boutiques concernées", OthersChange: "Commandes, autres boutiques",
	}[i]
}

// HiddenReason says why there is no value.
type HiddenReason string

// The reasons: those of statistical secrecy, and those of the calendar.
const (
	FewerThanThree HiddenReason = HiddenReason(secrecy.FewerThanThree)
	Dominance      HiddenReason = HiddenReason(secrecy.Dominance)
	Secondary      HiddenReason = HiddenReason(secrecy.Secondary)
	RunningPeriod  HiddenReason = "RUNNING_PERIOD" // the month is not closed: only the total of all is told
	NotPublished   HiddenReason = "NOT_PUBLISHED"  // no version: before the first order
	NotAdditive    HiddenReason = "NOT_ADDITIVE"   // does not add up over the cells asked for
	NotDefined     HiddenReason = "NOT_DEFINED"    // a mean of nothing; a median of fewer than ten
)

// Text is the reason in French.
func (r HiddenReason) Text() string {
	return map[HiddenReason]string{
		FewerThanThree: "secret : moins de trois entreprises", Dominance: "secret : une entreprise domine", Secondary: "secret : protège une autre case",
		RunningPeriod: "mois en cours : total seulement", NotPublished: "pas encore publié", NotAdditive: "ne s'additionne pas", NotDefined: "sans objet",
	}[r]
}

// FigureValue is a value that may be told, or why it may not: one of Number and Hidden is nil.
type FigureValue struct {
	Number    *int          // in the indicator's unit
	Hidden    *HiddenReason // why there is none
	Formatted string        // the value as French people write it, or the reason in French
}

// Hide is a value that may not be told.
func Hide(r HiddenReason) FigureValue { return FigureValue{Hidden: &r, Formatted: r.Text()} }

// Figure is an indicator of a period, beside the period before and the same one a year before.
type Figure struct {
	Indicator Indicator
	Value     FigureValue
	Previous  FigureValue
	LastYear  FigureValue
}

// Unit is what the value counts in.
func (f *Figure) Unit() Unit { return f.Indicator.Unit() }

// Label is what people read above it.
func (f *Figure) Label() string { return f.Indicator.Label() }

// Change is the value's change from the period before, in tenths of a percent; nil where one of
// the two is hidden or the first is zero.
func (f *Figure) Change() *int { return change(f.Previous, f.Value) }

// ChangeOnYear is the change from a year before; see Change.
func (f *Figure) ChangeOnYear() *int { return change(f.LastYear, f.Value) }

func change(before, after FigureValue) *int {
	if before.Number == nil || after.Number == nil || *before.Number == 0 {
		return nil
	}
	b, d := int64(*before.Number), int64(*after.Number-*before.Number)
	tenths := int((d*2000 + sign(d)*b) / (2 * b))
	return &tenths
}

func sign(n int64) int64 {
	if n < 0 {
		return -1
	}
	return 1
}

// FigureRow is the figures of one month, sector, commune, mode, channel, reason or step.
type FigureRow struct {
	Key     string // "2026-10", "alimentation", "56121", "PICKUP", "WEB" …
	Label   string // French
	Figures []*Figure
}

// Format writes a number of an indicator's unit as French people do.
func Format(i Indicator, n int64) string {
	return number(i, n).Formatted
}

// number is a published value, formatted.
func number(i Indicator, n int64) FigureValue {
	text := spaced(n)
	switch i.Unit() {
	case Cents:
		text = money.Cents(n).Format()
	case Tenths:
		text = decimal(n)
	case Minutes:
		text += "\u00a0min"
	case Percents:
		if text += "\u00a0%"; n > 0 {
			text = "+" + text
		}
	}
	whole := int(n)
	return FigureValue{Number: &whole, Formatted: text}
}

// decimal writes tenths: "12,5".
func decimal(tenths int64) string {
	if tenths < 0 {
		return "-" + decimal(-tenths)
	}
	return spaced(tenths/10) + "," + strconv.FormatInt(tenths%10, 10)
}

// spaced writes a whole number in groups of three: "1 234".
func spaced(n int64) string {
	if n < 0 {
		return "-" + spaced(-n)
	}
	digits := strconv.FormatInt(n, 10)
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteRune('\u202f')
		}
		b.WriteRune(d)
	}
	return b.String()
}

// Percent writes tenths of a percent with their sign: "+12,5 %".
func Percent(tenths int) string {
	text := decimal(int64(tenths)) + "\u00a0%"
	if tenths > 0 {
		text = "+" + text
	}
	return text
}
