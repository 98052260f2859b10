// Package money counts euros in cents and splits VAT.
//
// Amounts shown to customers include VAT (Code de la consommation, art. L112-1 and
// arrêté du 3 décembre 1987). There is one currency; nothing here divides an amount
// but VAT, and VAT is rounded once per rate, never per line.
package money

import (
	"sort"
	"strconv"
	"strings"
)

// Cents is an amount of euros, VAT included unless a name says otherwise.
type Cents int64

// BasisPoints is a rate in hundredths of a percent: 2000 is 20 %.
type BasisPoints int32

// Format writes an amount as French shops do: "1 234,50 €". The groups are parted by
// a narrow no-break space (U+202F) and the sign by a no-break space (U+00A0).
func (c Cents) Format() string {
	n, sign := int64(c), ""
	if n < 0 {
		n, sign = -n, "-"
	}
	euros, rest := strconv.FormatInt(n/100, 10), n%100
	var b strings.Builder
	b.WriteString(sign)
	for i, d := range euros {
		if i > 0 && (len(euros)-i)%3 == 0 {
			b.WriteString("\u202f")
		}
		b.WriteRune(d)
	}
	b.WriteByte(',')
	if rest < 10 {
		b.WriteByte('0')
	}
	b.WriteString(strconv.FormatInt(rest, 10))
	b.WriteString("\u00a0€")
	return b.String()
}

// VAT is the tax contained in an amount.
type VAT struct {
	Rate  BasisPoints `json:"rate"`  // 2000, 1000, 550, 210 or 0
	Cents Cents       `json:"cents"` // the tax, rounded half up once for the whole group
	Gross Cents       `json:"gross"` // the group's amount, tax included
}

// Line is an amount under one rate.
type Line struct {
	Cents Cents
	Rate  BasisPoints
}

// Split groups lines by rate, highest first, and takes the tax out of each group:
// gross × rate / (10000 + rate), rounded half up. The groups' gross amounts add up to
// the sum of the lines exactly.
func Split(lines []Line) []VAT {
	gross := map[BasisPoints]Cents{}
	for _, l := range lines {
		gross[l.Rate] += l.Cents
	}
	groups := make([]VAT, 0, len(gross))
	for rate, sum := range gross {
		groups = append(groups, VAT{Rate: rate, Cents: contained(sum, rate), Gross: sum})
	}
	sort.Slice(groups, func(i, j int) bool { return groups[i].Rate > groups[j].Rate })
	return groups
}

func contained(gross Cents, rate BasisPoints) Cents {
	num, den := int64(gross)*int64(rate), int64(10000)+int64(rate)
	if num < 0 {
		return Cents(-((-2*num + den) / (2 * den)))
	}
	return Cents((2*num + den) / (2 * den))
}

// Price is an amount as people see it: VAT included, in euros.
type Price struct{ Cents Cents }

// Currency is ISO 4217's code.
func (Price) Currency() string { return "EUR" }

// Formatted is the amount as French shops write it.
func (p Price) Formatted() string { return p.Cents.Format() }
