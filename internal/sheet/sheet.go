// Package sheet reads the CSV files that people save from a spreadsheet, line by line and in
// bounded memory. The separator, the encoding and the columns are found out from the file; what
// is wrong is told by line and column, in French. It knows no database and no business.
package sheet

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Column is a column that a file may have.
type Column struct {
	Name     string   // as it is documented: "prix"
	Synonyms []string // other headings that mean it
	Required bool     // the file makes no sense without it
	Help     string   // what to write there, a French sentence
	Example  string   // a value, for the template
}

// Issue is something wrong in a file.
type Issue struct {
	Line    int    `json:"line"`   // of the file, 1 is its first; 0: the file as a whole
	Column  string `json:"column"` // its heading; empty: the line as a whole
	Message string `json:"message"`
}

// String is the issue as a person reads it.
func (i Issue) String() string {
	switch {
	case i.Line == 0:
		return i.Message
	case i.Column == "":
		return fmt.Sprintf("ligne %d : %s", i.Line, i.Message)
	}
	return fmt.Sprintf("ligne %d, colonne « %s » : %s", i.Line, i.Column, i.Message)
}

// Listed is how many issues a report lists; the others it counts. Nobody reads more, and a file
// with the wrong separator has one in each line.
const Listed = 100

// Report is what is wrong with a file.
type Report struct {
	Issues []Issue // the first ones
	Count  int     // of all
}

// Add notes an issue.
func (r *Report) Add(line int, column, format string, args ...any) {
	if r.Count++; len(r.Issues) < Listed {
		r.Issues = append(r.Issues, Issue{Line: line, Column: column, Message: fmt.Sprintf(format, args...)})
	}
}

// Merge adds the issues of another report and sorts all by line.
func (r *Report) Merge(other Report) {
	r.Count += other.Count
	r.Issues = append(r.Issues, other.Issues...)
	slices.SortStableFunc(r.Issues, func(a, b Issue) int { return a.Line - b.Line })
	r.Issues = r.Issues[:min(len(r.Issues), Listed)]
}

// Template is an empty file of the columns with one example: with a BOM and semicolons, as
// spreadsheets set to French open it without a question.
func Template(columns []Column) []byte {
	var names, examples []string
	for _, c := range columns {
		names, examples = append(names, c.Name), append(examples, c.Example)
	}
	return []byte("\ufeff" + strings.Join(names, ";") + "\r\n" + strings.Join(examples, ";") + "\r\n")
}

// Key is a word as headings and choices are compared: see heading.
func Key(text string) string { return heading(text) }

// heading is a column's name without what people write in one way or another: capitals, accents,
// plural s at the end of words, and all that is no letter or digit.
func heading(text string) string {
	var b strings.Builder
	for _, r := range norm.NFD.String(text) {
		switch {
		case unicode.Is(unicode.Mn, r):
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			b.WriteRune(unicode.ToLower(r))
		default:
			b.WriteByte(' ')
		}
	}
	words := strings.Fields(b.String())
	for i, w := range words {
		words[i] = strings.TrimSuffix(w, "s")
	}
	return strings.Join(words, " ")
}

// shown quotes what a file says for a sentence: printable and cut short.
func shown(text string) string {
	const most = 40
	runes := []rune(text)
	if len(runes) > most {
		runes = append(runes[:most], '…')
	}
	for i, r := range runes {
		if !unicode.IsPrint(r) {
			runes[i] = '\ufffd'
		}
	}
	return "« " + string(runes) + " »"
}
