package sheet

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

const (
	// maxLine bounds a line with all its cells, in bytes: the longest description is 20,000
	// characters. A file without an end of line must not fill the memory.
	maxLine = 256 << 10
	// maxColumns bounds the headings; a sheet has some dozens.
	maxColumns = 200
	// buffered is what is read ahead: the line of headings must fit to find the separator.
	buffered = 64 << 10
)

// ErrBroken says that a file cannot be read any further; the report says why.
var ErrBroken = errors.New("the file cannot be read any further")

// Reader reads a file.
type Reader struct {
	Report  Report
	columns []Column
	at      []int    // of each cell of a line, which column it belongs to; -1: none
	titles  []string // of each cell, its heading as the file has it
	has     []bool   // of each column, whether the file has it
	limited *limited
	csv     *csv.Reader
	coded   coding
	line    int // where the current row begins
	skipped int // lines before those that csv counts
}

// Row is a line that was read. It holds until the next one is.
type Row struct {
	Line   int // of the file, where the row begins
	r      *Reader
	cells  []string // of each column
	failed bool
}

// limited counts what the current line takes.
type limited struct {
	r    io.Reader
	line int
	nul  bool
}

var errLong = errors.New("line too long")

func (l *limited) Read(p []byte) (int, error) {
	if l.line > maxLine+buffered {
		return 0, errLong
	}
	n, err := l.r.Read(p[:min(len(p), 4096)]) // no more than the line needs, or the count would be the file's
	l.line += n
	l.nul = l.nul || bytes.IndexByte(p[:n], 0) >= 0
	return n, err
}

// coding is how letters are written. A file is UTF-8 or cp1252, the two that spreadsheets save:
// the first line with a letter beyond ASCII tells which.
type coding int

const (
	undecided coding = iota
	isUTF8
	isCP1252
)

// formats are files that are no CSV, by their first bytes.
var formats = []struct{ magic, what string }{
	{"PK\x03\x04", "C'est un classeur (.xlsx ou .ods), pas un fichier CSV. Ouvrez-le et enregistrez la feuille sous « CSV UTF-8 »."},
	{"\xd0\xcf\x11\xe0", "C'est un classeur Excel (.xls), pas un fichier CSV. Ouvrez-le et enregistrez la feuille sous « CSV UTF-8 »."},
	{"\xff\xfe", "Le fichier est enregistré en UTF-16 (« Texte Unicode »). Enregistrez-le sous « CSV UTF-8 »."},
	{"\xfe\xff", "Le fichier est enregistré en UTF-16 (« Texte Unicode »). Enregistrez-le sous « CSV UTF-8 »."},
	{"%PDF", "C'est un PDF, pas un fichier CSV."},
	{"\x1f\x8b", "Le fichier est compressé. Décompressez-le d'abord."},
	{"\xff\xd8\xff", "C'est une image, pas un fichier CSV."},
	{"\x89PNG", "C'est une image, pas un fichier CSV."},
}

// Open reads the headings of a file. With ErrBroken the reader's report says what is wrong.
func Open(r io.Reader, columns []Column) (*Reader, error) {
	s := &Reader{columns: columns, limited: &limited{r: r}}
	ahead := bufio.NewReaderSize(s.limited, buffered)
	head, err := peekLine(ahead)
	if err != nil {
		return s, err
	}
	for _, f := range formats {
		if bytes.HasPrefix(head, []byte(f.magic)) {
			return s, s.broken(0, "%s", f.what)
		}
	}
	if bytes.HasPrefix(head, []byte("\ufeff")) {
		_, _ = ahead.Discard(len("\ufeff"))
		head, s.coded = head[len("\ufeff"):], isUTF8
	}
	if s.limited.nul || bytes.IndexByte(head, 0) >= 0 {
		return s, s.broken(0, "Le fichier contient des octets nuls : ce n'est pas un fichier CSV. Enregistrez la feuille sous « CSV UTF-8 ».")
	}
	separator := byte(0)
	if name := bytes.TrimRight(head, "\r\n"); len(name) == 5 && bytes.HasPrefix(name, []byte("sep=")) { // Excel's own first line
		separator = name[4]
		_, _ = ahead.Discard(len(head))
		s.skipped = 1
		if head, err = peekLine(ahead); err != nil {
			return s, err
		}
	}
	if !strings.ContainsRune(";,\t", rune(separator)) || separator == 0 {
		separator = s.separator(head)
	}
	s.csv = csv.NewReader(ahead)
	s.csv.Comma, s.csv.FieldsPerRecord, s.csv.ReuseRecord = rune(separator), -1, true
	return s, s.headings()
}

// peekLine looks at the first line of what is to come, or at as much of it as is read ahead.
func peekLine(r *bufio.Reader) ([]byte, error) {
	for n := 512; ; n *= 2 {
		head, err := r.Peek(min(n, buffered))
		if end := bytes.IndexByte(head, '\n'); end >= 0 {
			return head[:end+1], nil
		}
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, errLong), errors.Is(err, bufio.ErrBufferFull), n >= buffered && err == nil:
			return head, nil
		case err != nil:
			return nil, err
		}
	}
}

// separator is the one that makes the most known headings of a line, the semicolon of a French
// spreadsheet first.
func (s *Reader) separator(head []byte) byte {
	best, most := byte(';'), 0
	for _, try := range []byte(";,\t") {
		known := 0
		for _, cell := range bytes.Split(head, []byte{try}) {
			if s.column(strings.Trim(s.peeked(cell), `" `+"\r\n")) >= 0 {
				known++
			}
		}
		if known > most {
			best, most = try, known
		}
	}
	return best
}

// peeked decodes a cell without deciding on the file's encoding.
func (s *Reader) peeked(cell []byte) string {
	if utf8.Valid(cell) {
		return string(cell)
	}
	text, _ := charmap.Windows1252.NewDecoder().Bytes(cell)
	return string(text)
}

// column finds a column by its heading; -1 for none.
func (s *Reader) column(title string) int {
	name := heading(title)
	return slices.IndexFunc(s.columns, func(c Column) bool {
		return heading(c.Name) == name || slices.ContainsFunc(c.Synonyms, func(other string) bool { return heading(other) == name })
	})
}

func (s *Reader) headings() error {
	titles, err := s.record()
	switch {
	case errors.Is(err, io.EOF):
		return s.broken(0, "Le fichier est vide. Téléchargez le modèle et remplissez-le.")
	case err != nil:
		return err
	case len(titles) > maxColumns:
		return s.broken(s.line, "La ligne des titres a %d colonnes ; %d au plus.", len(titles), maxColumns)
	}
	s.has = make([]bool, len(s.columns))
	for _, title := range titles {
		title = strings.Clone(title) // the record is used again
		column := s.column(title)
		s.at, s.titles = append(s.at, column), append(s.titles, title)
		switch {
		case strings.TrimSpace(title) == "" || strings.HasPrefix(title, "#"):
		case column < 0:
			s.Report.Add(s.line, title, "Cette colonne n'est pas connue. Les colonnes sont %s ; commencez un titre par # pour que la colonne ne compte pas.", s.names(false))
		case s.has[column]:
			s.Report.Add(s.line, title, "La colonne %s est là deux fois. Retirez-en une.", s.columns[column].Name)
		default:
			s.has[column] = true
		}
	}
	for i, c := range s.columns {
		if c.Required && !s.has[i] {
			s.Report.Add(s.line, "", "Il manque la colonne %s. Les colonnes nécessaires sont %s.", c.Name, s.names(true))
		}
	}
	if s.Report.Count > 0 {
		return ErrBroken
	}
	return nil
}

func (s *Reader) names(required bool) string {
	var list []string
	for _, c := range s.columns {
		if c.Required || !required {
			list = append(list, c.Name)
		}
	}
	return strings.Join(list, ", ")
}

// Has tells whether the file has a column.
func (s *Reader) Has(column string) bool { return s.has[s.index(column)] }

// Title is the heading that the file gives a column; its name where it has none.
func (s *Reader) Title(column string) string {
	if i := slices.Index(s.at, s.index(column)); i >= 0 {
		return s.titles[i]
	}
	return column
}

func (s *Reader) index(column string) int {
	i := slices.IndexFunc(s.columns, func(c Column) bool { return c.Name == column })
	if i < 0 {
		panic("not a column of this reader: " + column)
	}
	return i
}

// Next reads the next row that is not empty, io.EOF after the last. ErrBroken ends it: what
// follows a quote that is not closed cannot be told apart any more.
func (s *Reader) Next() (*Row, error) {
	for {
		cells, err := s.record()
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(cells, func(c string) bool { return strings.TrimSpace(c) != "" }) {
			continue
		}
		row := &Row{Line: s.line, r: s, cells: make([]string, len(s.columns))}
		if len(cells) < len(s.at) {
			row.failed = true
			s.Report.Add(s.line, "", "La ligne a %d cellules ; la ligne des titres en a %d.", len(cells), len(s.at))
		}
		for i, cell := range cells {
			switch {
			case i >= len(s.at) || s.at[i] < 0 && !strings.HasPrefix(s.titles[i], "#"):
				if strings.TrimSpace(cell) != "" {
					row.failed = true
					s.Report.Add(s.line, "", "La cellule %s n'est sous aucun titre. Un séparateur ou un guillemet est de trop, ou un titre manque.", shown(cell))
				}
			case s.at[i] >= 0:
				row.cells[s.at[i]] = cell
			}
		}
		return row, nil
	}
}

// record reads a line with quotes resolved and letters decoded.
func (s *Reader) record() ([]string, error) {
	s.limited.line = 0
	cells, err := s.csv.Read()
	var wrong *csv.ParseError
	switch {
	case errors.Is(err, errLong), err == nil && size(cells) > maxLine:
		return nil, s.broken(s.line+1, "Cette ligne dépasse %d Kio. Un guillemet n'est pas refermé, ou ce n'est pas un fichier CSV.", maxLine>>10)
	case errors.As(err, &wrong):
		s.line = wrong.StartLine + s.skipped
		what := "Un guillemet est au milieu d'une cellule. Doublez-le (\"\") et mettez la cellule entre guillemets."
		if errors.Is(wrong.Err, csv.ErrQuote) {
			what = "Un guillemet ouvert n'est pas refermé, ou du texte suit le guillemet qui ferme."
		}
		return nil, s.broken(s.line, "%s La suite du fichier n'a pas été lue.", what)
	case err != nil:
		return nil, err
	}
	s.line, _ = s.csv.FieldPos(0)
	s.line += s.skipped
	if s.limited.nul {
		return nil, s.broken(s.line, "Le fichier contient des octets nuls : ce n'est pas un fichier CSV. Enregistrez la feuille sous « CSV UTF-8 ».")
	}
	return cells, s.decode(cells)
}

func size(cells []string) (n int) {
	for _, c := range cells {
		n += len(c) + 1
	}
	return n
}

func (s *Reader) decode(cells []string) error {
	for i, cell := range cells {
		if ascii(cell) {
			continue
		}
		valid := utf8.ValidString(cell)
		if s.coded == undecided {
			if s.coded = isCP1252; valid {
				s.coded = isUTF8
			}
		}
		switch {
		case s.coded == isCP1252:
			text, err := charmap.Windows1252.NewDecoder().String(cell)
			if err != nil || strings.ContainsRune(text, utf8.RuneError) {
				return s.broken(s.line, "Un caractère n'est ni de l'UTF-8 ni du Windows-1252. Enregistrez la feuille sous « CSV UTF-8 ».")
			}
			cells[i] = text
		case !valid:
			return s.broken(s.line, "Un caractère n'est pas de l'UTF-8, alors que le début du fichier l'est. Enregistrez la feuille sous « CSV UTF-8 ».")
		}
	}
	return nil
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func (s *Reader) broken(line int, format string, args ...any) error {
	s.Report.Add(line, "", format, args...)
	return fmt.Errorf("%w: %s", ErrBroken, s.Report.Issues[len(s.Report.Issues)-1])
}
