package sheet_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/charmap"
	"pgregory.net/rapid"

	"github.com/audelor/halles/internal/sheet"
)

var columns = []sheet.Column{
	{Name: "reference", Required: true, Synonyms: []string{"sku"}, Example: "A-1"},
	{Name: "nom", Synonyms: []string{"désignation", "nom du produit"}, Example: "Galette"},
	{Name: "prix", Synonyms: []string{"prix ttc"}, Example: "8,50 €"},
}

// read is all rows of a file, cells joined by |, and what is wrong with it.
func read(file io.Reader) (rows []string, issues []sheet.Issue, err error) {
	r, err := sheet.Open(file, columns)
	for err == nil {
		var row *sheet.Row
		if row, err = r.Next(); err == nil {
			rows = append(rows, fmt.Sprintf("%d: %s|%s|%s", row.Line, row.Cell("reference"), row.Cell("nom"), row.Cell("prix")))
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return rows, r.Report.Issues, err
}

func TestSpreadsheetsAreRead(t *testing.T) {
	t.Parallel()
	cp1252, err := charmap.Windows1252.NewEncoder().String("Référence;SKU ;Prix TTC (€)\r\nA;Crêpe – œuf;8,50 €\r\n")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ file, want string }{
		"Semicolons":         {"reference;nom;prix\nA;Crêpe;8,50\n", "2: A|Crêpe|8,50"},
		"Commas":             {"reference,nom,prix\nA,Crêpe,\"8,50\"\n", "2: A|Crêpe|8,50"},
		"Tabs":               {"reference\tnom\tprix\nA\tCrêpe\t8,50\n", "2: A|Crêpe|8,50"},
		"SeparatorDeclared":  {"sep=,\nreference,nom,prix\nA,Crêpe,\"8,50\"\n", "3: A|Crêpe|8,50"},
		"BOM":                {"\ufeffreference;nom;prix\r\nA;Crêpe;8,50\r\n", "2: A|Crêpe|8,50"},
		"BOMAndQuotes":       {"\ufeff\"reference\";\"nom\";\"prix\"\r\n\"A\";\"Crêpe\";\"8,50\"\r\n", "2: A|Crêpe|8,50"},
		"Cp1252":             {strings.Replace(cp1252, "SKU ", "nom", 1), "2: A|Crêpe – œuf|8,50 €"},
		"Synonyms":           {"SKU;Désignations;PRIX  TTC\nA;Crêpe;8,50\n", "2: A|Crêpe|8,50"},
		"QuotedLines":        {"reference;nom\nA;\"Une\nligne \"\"et\"\" une autre\"\nB;C\n", "2: A|Une\nligne \"et\" une autre| / 4: B|C|"},
		"EmptyLines":         {"reference;nom\n\n;;\nA;B\n", "4: A|B|"},
		"ColumnsLeftOut":     {"reference;#marge;nom\nA;3;B\n", "2: A|B|"},
		"EmptyHeadings":      {"reference;nom;;\nA;B;;\n", "2: A|B|"},
		"NoEndOfLine":        {"reference;nom\nA;B", "2: A|B|"},
		"SpacesThatDoNotEnd": {"reference;nom\n\u00a0A ;\u202fB\n", "2: A|B|"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := c.file
			if name == "Cp1252" {
				file = strings.Replace(file, "R\xe9f\xe9rence", "reference", 1)
			}
			rows, issues, err := read(strings.NewReader(file))
			if got := strings.Join(rows, " / "); got != c.want || len(issues) > 0 || err != nil {
				t.Errorf("got %q %v %v, want %q", got, issues, err, c.want)
			}
		})
	}
}

// Every file that cannot be read says why in a sentence, and where.
func TestBrokenFiles(t *testing.T) {
	t.Parallel()
	utf16 := "\xff\xfer\x00e\x00f\x00"
	for name, c := range map[string]struct{ file, want string }{
		"Empty":               {"", "Le fichier est vide"},
		"OnlyBOM":             {"\ufeff", "Le fichier est vide"},
		"XLSX":                {"PK\x03\x04\x14\x00", "classeur (.xlsx ou .ods)"},
		"XLS":                 {"\xd0\xcf\x11\xe0\xa1\xb1", "classeur Excel (.xls)"},
		"PDF":                 {"%PDF-1.7\n", "C'est un PDF"},
		"Gzip":                {"\x1f\x8b\x08\x00", "compressé"},
		"JPEG":                {"\xff\xd8\xff\xe0", "C'est une image"},
		"PNG":                 {"\x89PNG\r\n\x1a\n", "C'est une image"},
		"UTF16":               {utf16, "UTF-16"},
		"UTF16BigEndian":      {"\xfe\xff\x00r", "UTF-16"},
		"UTF16WithoutBOM":     {"r\x00e\x00f\x00;\x00n\x00", "octets nuls"},
		"NULInARow":           {"reference;nom\nA;B\x00\n", "octets nuls"},
		"BinaryRow":           {"reference;nom\nA;\x81\x8d\x8f\n", "ni de l'UTF-8 ni du Windows-1252"},
		"BothEncodings":       {"reference;nom\nA;é\nB;\xe9\n", "ligne 3 : Un caractère n'est pas de l'UTF-8"},
		"UnknownColumn":       {"reference;prixx\nA;3\n", "ligne 1, colonne « prixx » : Cette colonne n'est pas connue"},
		"WrongSeparator":      {"reference|nom|prix\nA|B|C\n", "Il manque la colonne reference"},
		"MissingColumn":       {"nom;prix\nB;3\n", "ligne 1 : Il manque la colonne reference"},
		"ColumnTwice":         {"reference;nom;désignation\nA;B;C\n", "colonne « désignation » : La colonne nom est là deux fois"},
		"TooManyColumns":      {"reference" + strings.Repeat(";nom", 300) + "\n", "La ligne des titres a 301 colonnes"},
		"QuoteInside":         {"reference;nom\nA;Une 5\" télé\nB;C\n", "ligne 2 : Un guillemet est au milieu d'une cellule"},
		"QuoteNotClosed":      {"reference;nom\nA;\"Une\nB;C\n", "ligne 2 : Un guillemet ouvert n'est pas refermé"},
		"TextAfterQuote":      {"reference;nom\nA;\"B\"x\n", "ligne 2 : Un guillemet ouvert n'est pas refermé, ou du texte suit"},
		"TooManyCells":        {"reference;nom\nA;B;C\n", "ligne 2 : La cellule « C » n'est sous aucun titre"},
		"TooFewCells":         {"reference;nom\nA\n", "ligne 2 : La ligne a 1 cellules"},
		"LongLine":            {"reference;nom\nA;" + strings.Repeat("x", 400<<10), "ligne 2 : Cette ligne dépasse 256 Kio"},
		"LongQuote":           {"reference;nom\nA;\"" + strings.Repeat("x\n", 200<<10), "ligne 2 : Cette ligne dépasse 256 Kio"},
		"LongHeading":         {strings.Repeat("x", 400<<10), "ligne 1 : Cette ligne dépasse 256 Kio"},
		"OnlyHeadingsUnknown": {"a;b;c\n", "Il manque la colonne reference"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rows, issues, err := read(strings.NewReader(c.file))
			var all strings.Builder
			for _, issue := range issues {
				fmt.Fprintln(&all, issue)
			}
			if !strings.Contains(all.String(), c.want) {
				t.Errorf("told %q (%v), want %q; rows %q", all.String(), err, c.want, rows)
			}
			for _, r := range all.String() {
				if r == 0 || r == '\ufffd' {
					t.Errorf("the report is not to be read: %q", all.String())
				}
			}
		})
	}
}

// endless is a file of any length, made as it is read.
type endless struct {
	head, body string
	left, read int
}

func (e *endless) Read(p []byte) (int, error) {
	if e.left <= 0 {
		return 0, io.EOF
	}
	n := copy(p, e.head)
	e.head = e.head[n:]
	for n < len(p) {
		at := (e.read + n) % len(e.body)
		n += copy(p[n:], e.body[at:])
	}
	e.left -= n
	e.read += n
	return n, nil
}

// A gigabyte without an end of line is refused after some hundred kilobytes; one of lines is read
// in the memory of a few.
func TestMemoryIsBounded(t *testing.T) {
	size := 32 << 20
	if os.Getenv("HALLES_LONG") != "" {
		size = 1 << 30
	}
	grown := func(f func()) uint64 {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		f()
		runtime.ReadMemStats(&after)
		return after.HeapSys - min(before.HeapSys, after.HeapSys) + after.StackSys - min(before.StackSys, after.StackSys)
	}
	const most = 16 << 20
	one := &endless{head: "reference;nom\nA;", body: "x", left: 1 << 30}
	if n := grown(func() { _, _, _ = read(one) }); n > most || one.read > 1<<20 {
		t.Errorf("a line of 1 GB took %d bytes of memory and was read to byte %d", n, one.read)
	}
	many := &endless{head: "reference;nom;prix\n", body: "ABCDEFGH;Une galette complète au blé noir;8,50 €\n", left: size}
	lines := 0
	n := grown(func() {
		r, err := sheet.Open(many, columns)
		for err == nil {
			if _, err = r.Next(); err == nil {
				lines++
			}
		}
	})
	if n > most || lines < size/60 {
		t.Errorf("%d bytes in %d lines took %d bytes of memory", size, lines, n)
	}
}

func TestValues(t *testing.T) {
	t.Parallel()
	all := []sheet.Column{{Name: "v", Required: true}, {Name: "id"}}
	value := func(cell string, of func(r *sheet.Row) any) (any, string) {
		r, err := sheet.Open(strings.NewReader("v;id\n\""+strings.ReplaceAll(cell, `"`, `""`)+"\";1\n"), all)
		if err != nil {
			t.Fatal(err)
		}
		row, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		v := of(row)
		if len(r.Report.Issues) > 0 {
			return nil, r.Report.Issues[0].Message
		}
		return v, ""
	}
	cents := func(r *sheet.Row) any { return r.Cents("v", 100_000_000) }
	count := func(r *sheet.Row) any { return r.Count("v", 1000) }
	rate := func(r *sheet.Row) any { return r.Percent("v", []int{2000, 1000, 550, 210, 0}) }
	yes := func(r *sheet.Row) any { return r.Bool("v") }
	day := func(r *sheet.Row) any { return r.Date("v") }
	text := func(r *sheet.Row) any { return r.Text("v", 10, false) }
	for _, c := range []struct {
		cell string
		of   func(*sheet.Row) any
		want any // a string beginning with ! is a part of the sentence
	}{
		{"12,30 €", cents, int64(1230)},
		{"12.30", cents, int64(1230)},
		{"12", cents, int64(1200)},
		{"€ 0,5", cents, int64(50)},
		{"1 234,50", cents, int64(123450)},
		{"1\u202f234,50\u00a0€", cents, int64(123450)},
		{"1.234,50", cents, int64(123450)},
		{"1,234.50", cents, int64(123450)},
		{"12,300", cents, int64(1230)},
		{"12 EUR", cents, int64(1200)},
		{"", cents, (*int64)(nil)},
		{"0", cents, int64(0)},
		{"-1", cents, "!négatif"},
		{"−1,00 €", cents, "!négatif"},
		{"12,345", cents, "!plus de deux décimales"},
		{"douze", cents, "!pas un montant"},
		{"1,2,3", cents, "!pas un montant"},
		{"12,", cents, "!pas un montant"},
		{"1.23.456,00", cents, "!pas un montant"},
		{"99999999999999999999", cents, "!dépasse"},
		{"1000001", cents, "!dépasse"},
		{"12", count, 12},
		{"1 000", count, 1000},
		{"12,0", count, 12},
		{"12,5", count, "!nombre entier"},
		{"-3", count, "!négatif"},
		{"1001", count, "!dépasse"},
		{"x", count, "!nombre entier"},
		{"5,5 %", rate, 550},
		{"20", rate, 2000},
		{"20,00%", rate, 2000},
		{"2.1", rate, 210},
		{"0", rate, 0},
		{"19,6", rate, "!taux de TVA"},
		{"vingt", rate, "!taux de TVA"},
		{"oui", yes, true},
		{"NON", yes, false},
		{"Vrai", yes, true},
		{"x", yes, true},
		{"0", yes, false},
		{"peut-être", yes, "!ni oui ni non"},
		{"30/10/2020", day, time.Date(2020, 10, 30, 0, 0, 0, 0, time.UTC)},
		{"2020-10-30", day, time.Date(2020, 10, 30, 0, 0, 0, 0, time.UTC)},
		{"1/2/2021", day, time.Date(2021, 2, 1, 0, 0, 0, 0, time.UTC)},
		{"30.10.2020", day, time.Date(2020, 10, 30, 0, 0, 0, 0, time.UTC)},
		{"31/02/2020", day, "!pas une date"},
		{"10/30/2020", day, "!pas une date"},
		{"'=1+1", text, "=1+1"},
		{" é\u0301 ", text, "é\u0301"},
		{"e\u0301", text, "é"},
		{"onze lettres", text, "!caractères ; 10 au plus"},
		{"a\u0007b", text, "!caractère de contrôle"},
		{"a\nb", text, "!caractère de contrôle"},
	} {
		got, wrong := value(c.cell, c.of)
		if want, ok := c.want.(string); ok && strings.HasPrefix(want, "!") {
			if !strings.Contains(wrong, want[1:]) {
				t.Errorf("%q: got %v %q, want a sentence with %q", c.cell, got, wrong, want[1:])
			}
			continue
		}
		if fmt.Sprint(deref(got)) != fmt.Sprint(deref(c.want)) || wrong != "" {
			t.Errorf("%q: got %v %q, want %v", c.cell, deref(got), wrong, c.want)
		}
	}
}

func deref(v any) any {
	switch v := v.(type) {
	case *int64:
		if v != nil {
			return *v
		}
	case *int:
		if v != nil {
			return *v
		}
	case *bool:
		if v != nil {
			return *v
		}
	case *time.Time:
		if v != nil {
			return *v
		}
	case *string:
		if v != nil {
			return *v
		}
	default:
		return v
	}
	return nil
}

// Whatever text a cell holds, a spreadsheet that saves it is read back the same.
func TestAnyTextComesBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := strings.ReplaceAll(rapid.StringMatching(`[^\x00\r]{0,40}`).Draw(t, "text"), "\x00", "")
		separator := rapid.SampledFrom([]string{";", ",", "\t"}).Draw(t, "separator")
		file := "\ufeffreference" + separator + "nom\nA" + separator + `"` + strings.ReplaceAll(want, `"`, `""`) + "\"\n"
		r, err := sheet.Open(strings.NewReader(file), columns)
		if err != nil {
			t.Fatalf("%v %v", err, r.Report)
		}
		row, err := r.Next()
		if err != nil {
			t.Fatalf("%v %v", err, r.Report)
		}
		if got := row.Cell("nom"); !strings.Contains(want, got) || strings.TrimSpace(strings.Trim(strings.ReplaceAll(want, got, ""), "\u00a0\u202f\ufeff")) != "" && got == "" {
			t.Fatalf("got %q, want %q", got, want)
		}
	})
}

// Nothing that is sent makes the reader panic, or hang.
func FuzzAnyFile(f *testing.F) {
	for _, seed := range []string{"reference;nom\nA;B\n", "sep=;\n", "\ufeff\"a", "PK\x03\x04", "reference\n\"\n\""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, file string) {
		rows, issues, err := read(strings.NewReader(file))
		if err != nil && len(issues) == 0 {
			t.Errorf("%v without a word, after %q", err, rows)
		}
	})
}

func TestTemplateIsReadBack(t *testing.T) {
	t.Parallel()
	rows, issues, err := read(strings.NewReader(string(sheet.Template(columns))))
	if len(rows) != 1 || rows[0] != "2: A-1|Galette|8,50 €" || issues != nil || err != nil {
		t.Errorf("got %q %v %v", rows, issues, err)
	}
}
