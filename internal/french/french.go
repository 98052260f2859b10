// Package french sets texts as French is printed: what stands before ":" and "»" and behind "«" is
// a no-break space (U+00A0), and before ";", "!" and "?" a narrow one (U+202F), as money writes
// prices; no line begins with one of these signs. Sources, tests and the API's messages keep
// ordinary spaces, which people see and programs compare: a text is set where it becomes a page or
// a mail, and nowhere before. Text messages stay as they are, since neither space is in their
// alphabet and one would halve what a message holds. The widget does the same in dom.ts, and the
// home page's script in console.js.
package french

import (
	"bytes"
	"html/template"
	"io"
	"strings"
)

const (
	wide   = "\u00a0"
	narrow = "\u202f"
)

// Text sets a plain text. A sign counts where nothing that continues it follows, so that ":8080",
// "?page=2" and "!important" are left alone; and what has no space before it gets none.
func Text(s string) string { return string(set(nil, []byte(s))) }

func set(to, s []byte) []byte {
	for i := range s {
		rest := s[i+1:]
		switch {
		case s[i] != ' ':
			to = append(to, s[i])
		case bytes.HasSuffix(s[:i], []byte("«")), bytes.HasPrefix(rest, []byte("»")):
			to = append(to, wide...)
		case len(rest) > 0 && strings.IndexByte(":;!?", rest[0]) >= 0 && ends(rest[1:]):
			if rest[0] == ':' {
				to = append(to, wide...)
			} else {
				to = append(to, narrow...)
			}
		default:
			to = append(to, ' ')
		}
	}
	return to
}

// ends tells whether a sign before s is one of punctuation: the text ends, or a space, another sign
// or the end of a quotation follows.
func ends(s []byte) bool {
	return len(s) == 0 || strings.IndexByte(" \t\r\n!?.,)&", s[0]) >= 0 ||
		bytes.HasPrefix(s, []byte(wide)) || bytes.HasPrefix(s, []byte(narrow)) || bytes.HasPrefix(s, []byte("»"))
}

// verbatim are the elements whose text is no French: code, and what a person typed.
var verbatim = map[string]bool{"script": true, "style": true, "pre": true, "code": true, "kbd": true, "samp": true, "textarea": true}

// HTML sets what people read of a page: the text between tags where the nearest lang is French, or
// Breton, which is set alike; neither tags nor code. It takes what html/template writes, where each element with a lang is
// closed and < stands for nothing but a tag.
func HTML(page []byte) []byte {
	to := make([]byte, 0, len(page)+len(page)/64)
	var langs []element
	for len(page) > 0 {
		at := bytes.IndexByte(page, '<')
		if at < 0 {
			at = len(page)
		}
		if len(langs) > 0 && langs[len(langs)-1].french {
			to = set(to, page[:at])
		} else {
			to = append(to, page[:at]...)
		}
		page = page[at:]
		n := tag(page)
		name, lang := read(page[:n])
		if verbatim[name] {
			if end := bytes.Index(page[n:], []byte("</"+name)); end >= 0 {
				n += end
			}
		}
		to, page = append(to, page[:n]...), page[n:]
		langs = nest(langs, name, lang)
	}
	return to
}

// element is one with a lang that is open, and how many of its name are open in it, itself too.
type element struct {
	name   string
	french bool
	open   int
}

func nest(langs []element, name, lang string) []element {
	last := len(langs) - 1
	switch {
	case lang != "":
		return append(langs, element{name, lang == "fr" || lang == "br", 1})
	case last < 0:
	case name == langs[last].name:
		langs[last].open++
	case name == "/"+langs[last].name:
		if langs[last].open--; langs[last].open == 0 {
			return langs[:last]
		}
	}
	return langs
}

// tag is how long the tag is that page begins with; > in an attribute does not end it.
func tag(page []byte) int {
	var quote byte
	for i, c := range page {
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '>':
			return i + 1
		}
	}
	return len(page)
}

// read is the name of a tag, "/p" of one that closes, and its lang.
func read(tag []byte) (name, lang string) {
	s := strings.Trim(string(tag), "<>")
	name = s
	if at := strings.IndexAny(s, " \t\r\n"); at >= 0 {
		name = s[:at]
	}
	if _, after, has := strings.Cut(s, ` lang="`); has {
		lang, _, _ = strings.Cut(after, `"`)
	}
	return name, lang
}

// Page is a template of a page, whose text is set as it is drawn.
type Page struct{ *template.Template }

// Execute draws the page.
func (p Page) Execute(w io.Writer, data any) error { return p.ExecuteTemplate(w, p.Name(), data) }

// ExecuteTemplate draws the page of that name; w gets all of it, or nothing after an error.
func (p Page) ExecuteTemplate(w io.Writer, name string, data any) error {
	var page bytes.Buffer
	if err := p.Template.ExecuteTemplate(&page, name, data); err != nil {
		return err
	}
	_, err := w.Write(HTML(page.Bytes()))
	return err
}
