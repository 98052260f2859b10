package sheet

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Cell is what a row has in a column, without blanks around it; "" where the file lacks it.
func (r *Row) Cell(column string) string {
	return strings.TrimFunc(r.cells[r.r.index(column)], blank)
}

// Wrong notes that the cell of a column is wrong.
func (r *Row) Wrong(column, format string, args ...any) {
	r.failed = true
	r.r.Report.Add(r.Line, r.r.Title(column), format, args...)
}

// Failed tells whether anything is wrong with the row so far.
func (r *Row) Failed() bool { return r.failed }

// blank tells the spaces that spreadsheets put around and into things: no-break ones too.
func blank(r rune) bool { return unicode.IsSpace(r) || r == '\u00a0' || r == '\u202f' || r == '\ufeff' }

func compact(text string) string {
	return strings.Map(func(r rune) rune {
		if blank(r) {
			return -1
		}
		return r
	}, text)
}

// Text is a text of at most most characters; nil for none. Lines are kept where lines is true,
// other control characters are refused. An apostrophe that our own exports put before = + - and @,
// so that no spreadsheet takes the text for a formula, is taken off again.
func (r *Row) Text(column string, most int, lines bool) *string {
	text := norm.NFC.String(strings.ReplaceAll(r.Cell(column), "\r\n", "\n"))
	if len(text) > 1 && text[0] == '\'' && strings.ContainsRune("=+-@", rune(text[1])) {
		text = text[1:]
	}
	if text == "" {
		return nil
	}
	if n := utf8.RuneCountInString(text); n > most {
		r.Wrong(column, "Ce texte a %d caractères ; %d au plus.", n, most)
		return nil
	}
	for _, c := range text {
		if unicode.IsControl(c) && !(lines && (c == '\n' || c == '\t')) {
			r.Wrong(column, "Ce texte contient un caractère de contrôle (%U) ou un retour à la ligne. Retirez-le.", c)
			return nil
		}
	}
	return &text
}

// number reads a decimal number as people write it in French or in English: "1 234,50",
// "1234.5", "1.234,50". It gives the digits before and after the comma.
func number(text string) (whole, rest string, ok bool) {
	text = compact(text)
	comma, dot := strings.LastIndexByte(text, ','), strings.LastIndexByte(text, '.')
	at := max(comma, dot)
	if at >= 0 {
		whole, rest = text[:at], text[at+1:]
	} else {
		whole = text
	}
	if comma >= 0 && dot >= 0 { // the one that comes first parts thousands
		other := "."
		if comma < dot {
			other = ","
		}
		groups := strings.Split(whole, other)
		for i, g := range groups {
			if i > 0 && len(g) != 3 {
				return "", "", false
			}
		}
		whole = strings.Join(groups, "")
	}
	digits := func(s string) bool { return strings.IndexFunc(s, func(c rune) bool { return c < '0' || c > '9' }) < 0 }
	return whole, rest, whole != "" && digits(whole) && digits(rest) && (at < 0 || rest != "")
}

// Cents is an amount of euros, "12,30 €", at most most cents; nil for none.
func (r *Row) Cents(column string, most int64) *int64 {
	cell := r.Cell(column)
	if cell == "" {
		return nil
	}
	text := strings.TrimSuffix(strings.TrimPrefix(compact(cell), "€"), "€")
	if text = strings.TrimSuffix(strings.ToUpper(text), "EUR"); strings.HasPrefix(text, "-") || strings.HasPrefix(text, "−") {
		r.Wrong(column, "Le montant %s est négatif.", shown(cell))
		return nil
	}
	whole, rest, ok := number(text)
	if len(rest) > 2 && strings.Trim(rest[2:], "0") == "" { // 12,300
		rest = rest[:2]
	}
	switch {
	case !ok:
		r.Wrong(column, "%s n'est pas un montant ; écrivez par exemple 12,30 €.", shown(cell))
		return nil
	case len(rest) > 2:
		r.Wrong(column, "%s a plus de deux décimales ; un centime est le plus petit montant.", shown(cell))
		return nil
	}
	n, err := strconv.ParseInt(whole+(rest + "00")[:2], 10, 64)
	if err != nil || n > most {
		r.Wrong(column, "%s dépasse le plus grand montant, %d €.", shown(cell), most/100)
		return nil
	}
	return &n
}

// Count is a whole number from 0 to most; nil for none.
func (r *Row) Count(column string, most int) *int {
	cell := r.Cell(column)
	if cell == "" {
		return nil
	}
	whole, rest, ok := number(cell)
	n, err := strconv.Atoi(whole)
	switch {
	case strings.HasPrefix(cell, "-"):
		r.Wrong(column, "Le nombre %s est négatif.", shown(cell))
	case !ok || strings.Trim(rest, "0") != "":
		r.Wrong(column, "%s n'est pas un nombre entier.", shown(cell))
	case err != nil || n > most:
		r.Wrong(column, "%s dépasse le plus grand nombre, %d.", shown(cell), most)
	default:
		return &n
	}
	return nil
}

// Decimal is a number from least to most, "47,748"; nil for none.
func (r *Row) Decimal(column string, least, most float64) *float64 {
	cell := r.Cell(column)
	if cell == "" {
		return nil
	}
	n, err := strconv.ParseFloat(strings.Replace(compact(cell), ",", ".", 1), 64)
	if err != nil || !(n >= least && n <= most) {
		french := func(n float64) string { return strings.Replace(strconv.FormatFloat(n, 'f', -1, 64), ".", ",", 1) }
		r.Wrong(column, "%s n'est pas un nombre de %s à %s.", shown(cell), french(least), french(most))
		return nil
	}
	return &n
}

// Percent is a rate in hundredths of a percent, one of the rates given: "5,5 %" is 550. Nil for
// none.
func (r *Row) Percent(column string, rates []int) *int {
	cell := r.Cell(column)
	if cell == "" {
		return nil
	}
	whole, rest, ok := number(strings.TrimSuffix(compact(cell), "%"))
	if ok && len(rest) <= 2 {
		n, err := strconv.Atoi(whole + (rest + "00")[:2])
		if err == nil && slices.Contains(rates, n) {
			return &n
		}
	}
	var list []string
	for _, rate := range rates {
		list = append(list, strings.Replace(strconv.FormatFloat(float64(rate)/100, 'f', -1, 64), ".", ",", 1))
	}
	r.Wrong(column, "%s n'est pas un taux de TVA ; les taux sont %s (en %%).", shown(cell), strings.Join(list, " ; "))
	return nil
}

// Choice is one of the words given, which stand for the values beside them: capitals, accents and
// blanks do not matter. Nil for none.
func (r *Row) Choice(column string, words map[string]string) *string {
	cell := r.Cell(column)
	if cell == "" {
		return nil
	}
	if value, ok := words[heading(cell)]; ok {
		return &value
	}
	var list []string
	for word := range words {
		list = append(list, word)
	}
	slices.Sort(list)
	r.Wrong(column, "%s n'est pas un choix ; écrivez %s.", shown(cell), strings.Join(list, ", "))
	return nil
}

var yes, no = []string{"oui", "o", "vrai", "x", "1", "yes", "true"}, []string{"non", "n", "faux", "0", "no", "false"}

// Bool is yes or no, "oui" or "non"; nil for none.
func (r *Row) Bool(column string) *bool {
	cell := r.Cell(column)
	word := heading(cell)
	is := slices.Contains(yes, word)
	switch {
	case cell == "":
		return nil
	case !is && !slices.Contains(no, word):
		r.Wrong(column, "%s n'est ni oui ni non.", shown(cell))
		return nil
	}
	return &is
}

// Date is a day, "30/10/2020" or "2020-10-30", as midnight UTC; nil for none.
func (r *Row) Date(column string) *time.Time {
	cell := r.Cell(column)
	if cell == "" {
		return nil
	}
	for _, layout := range []string{"02/01/2006", "2/1/2006", "2006-01-02", "02-01-2006", "02.01.2006", "02/01/06"} {
		if day, err := time.Parse(layout, cell); err == nil {
			return &day
		}
	}
	r.Wrong(column, "%s n'est pas une date ; écrivez jour/mois/année, par exemple 30/10/2020.", shown(cell))
	return nil
}
