package opendata

import (
	"bufio"
	"encoding/json"
	"io"
	"strings"
)

// writer writes shops in one format, as they come.
type writer interface {
	begin() error
	shop(r *row) error
	end() error
}

func newWriter(format Format, w io.Writer) writer {
	b := bufio.NewWriter(w)
	switch format {
	case CSV:
		return &csvWriter{b}
	case GeoJSON:
		return &jsonWriter{w: b, head: geoHead, tail: "]}\n", one: feature}
	}
	return &jsonWriter{w: b, head: jsonHead, tail: "]}\n", one: object}
}

// csvWriter quotes every cell, and puts an apostrophe before a text that a spreadsheet would take
// for a formula (OWASP ASVS 1.2.10). Numbers are written as they are: -3.37 is none.
type csvWriter struct{ w *bufio.Writer }

func (c *csvWriter) begin() error {
	cells := make([]any, len(fields))
	for i, f := range fields {
		cells[i] = f.Name
	}
	return c.line(cells)
}

func (c *csvWriter) shop(r *row) error {
	cells := make([]any, len(fields))
	for i, f := range fields {
		cells[i] = f.value(r)
	}
	return c.line(cells)
}

func (c *csvWriter) line(cells []any) error {
	for i, cell := range cells {
		if i > 0 {
			_ = c.w.WriteByte(',')
		}
		s := text(cell)
		if _, is := cell.(float64); is {
			_, _ = c.w.WriteString(s)
			continue
		}
		_ = c.w.WriteByte('"')
		_, _ = c.w.WriteString(strings.ReplaceAll(harmless(s), `"`, `""`))
		_ = c.w.WriteByte('"')
	}
	_, err := c.w.WriteString("\r\n")
	return err
}

func (c *csvWriter) end() error { return c.w.Flush() }

// phone is a text that begins like a formula and is none: an E.164 number.
func phone(s string) bool {
	return len(s) > 1 && s[0] == '+' && strings.Trim(s[1:], "0123456789") == ""
}

// harmless is a text that no spreadsheet takes for a formula.
func harmless(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r\n\x00|%", rune(s[0])) && !phone(s) {
		return "'" + s
	}
	return s
}

// jsonWriter writes one object a line, so that two versions of a file compare by line.
type jsonWriter struct {
	w          *bufio.Writer
	head, tail string
	one        func(r *row) any
	n          int
}

const (
	jsonHead = `{"licence":"` + Licence + `","schema":"/opendata/schema.json","commerces":[`
	geoHead  = `{"type":"FeatureCollection","features":[`
)

func (j *jsonWriter) begin() error {
	_, err := j.w.WriteString(j.head)
	return err
}

func (j *jsonWriter) shop(r *row) error {
	if j.n++; j.n > 1 {
		_ = j.w.WriteByte(',')
	}
	_ = j.w.WriteByte('\n')
	line, err := json.Marshal(j.one(r))
	if err != nil {
		return err
	}
	_, err = j.w.Write(line)
	return err
}

func (j *jsonWriter) end() error {
	if j.n > 0 {
		_ = j.w.WriteByte('\n')
	}
	_, _ = j.w.WriteString(j.tail)
	return j.w.Flush()
}

// ordered is an object with its members in the order of the columns.
type ordered struct {
	r    *row
	skip []string
}

func (o ordered) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for _, f := range fields {
		if len(o.skip) > 0 && (f.Name == o.skip[0] || f.Name == o.skip[1]) {
			continue
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(b, `"`+f.Name+`":`...)
		v := f.value(o.r)
		if list, ok := v.([]string); ok && list == nil {
			v = []string{}
		}
		text, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		b = append(b, text...)
	}
	return append(b, '}'), nil
}

func object(r *row) any { return ordered{r: r} }

// feature is a point of GeoJSON; its coordinates are east first (RFC 7946, 3.1.1).
func feature(r *row) any {
	return struct {
		Type     string `json:"type"`
		ID       string `json:"id"`
		Geometry struct {
			Type        string     `json:"type"`
			Coordinates [2]float64 `json:"coordinates"`
		} `json:"geometry"`
		Properties ordered `json:"properties"`
	}{
		Type: "Feature", ID: r.id().String(),
		Geometry: struct {
			Type        string     `json:"type"`
			Coordinates [2]float64 `json:"coordinates"`
		}{"Point", [2]float64{r.Longitude, r.Latitude}},
		Properties: ordered{r, []string{"latitude", "longitude"}},
	}
}
