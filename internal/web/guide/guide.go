// Package guide is what a stranger reads before asking the API: how to begin, what answers
// mean, what is allowed, and every type and field with its description. The pages are made once,
// from the schema, the limits' own constants and the files of examples/, which tests run as they
// are shown: what the guide says cannot grow old unnoticed.
package guide

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"maps"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/audelor/halles/graph/limits"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/french"
	"github.com/audelor/halles/internal/page"
	"github.com/audelor/halles/internal/sheet"
)

//go:embed *.html
var pageFiles embed.FS

// Options are what the pages say of the server.
type Options struct {
	Schema  *ast.Schema // with its tags
	Style   []string    // addresses of style sheets
	MaxBody int         // bytes of a request's body
	Types   string      // the version of the types at /sdk/
	Sheets  []Sheet     // the files that may be imported
}

// Sheet is a file that may be imported: its template below /import, and its columns.
type Sheet struct {
	Template string
	Columns  []sheet.Column
}

// Paths are those of the guide's pages below /docs.
var Paths = slices.Sorted(maps.Keys(templateOf))

// templateOf is the template of each page by its path.
var templateOf = map[string]string{"": "guide.html", "/reference": "reference.html", "/changes": "changes.html"}

// Pages are the guide's pages by path below /docs.
func Pages(o Options) (map[string][]byte, error) {
	examples, err := Examples()
	if err != nil {
		return nil, err
	}
	templates, err := template.New("").Funcs(template.FuncMap{
		"prose": prose, "inline": inline, "typeLink": typeLink, "lower": strings.ToLower,
		"example": func(key string) (map[string]any, error) {
			e, err := find(examples, key)
			if err != nil {
				return nil, err
			}
			variables, err := e.shown()
			return map[string]any{"Example": e, "Variables": variables}, err
		},
		"enum": func(name string) ([]value, error) {
			d := o.Schema.Types[name]
			if d == nil || d.Kind != ast.Enum {
				return nil, fmt.Errorf("the schema has no enum %s", name)
			}
			var values []value
			for _, v := range d.EnumValues {
				values = append(values, value{v.Name, v.Description, reason(v.Directives)})
			}
			return values, nil
		},
	}).ParseFS(pageFiles, "*.html")
	if err != nil {
		return nil, err
	}
	data := map[string]any{
		"Style": o.Style, "Types": o.Types, "Reference": newReference(o.Schema),
		"Codes": codes(), "RefusalEnums": refusalEnums(o.Schema), "Limits": limitsOf(o), "Changes": changes, "Sheets": o.Sheets,
	}
	pages := map[string][]byte{}
	for path, name := range templateOf {
		var b bytes.Buffer
		if err := templates.ExecuteTemplate(&b, name, data); err != nil {
			return nil, err
		}
		pages[path] = french.HTML(b.Bytes())
	}
	return pages, nil
}

// meaning is a name and what it means.
type meaning struct{ Name, Means string }

// codes are the codes of errors, `extensions.code`.
func codes() []meaning {
	means := map[fault.Kind]string{
		fault.NotFound:        "Nothing is there, or nothing that the viewer may see: the two are told apart by nobody.",
		fault.Forbidden:       "The viewer's kind may never do this; asking again does not help.",
		fault.Invalid:         "The request breaks a rule that it could have known; `extensions.argument` says which argument.",
		fault.Conflict:        "The idempotency key or the version was used for something else: read again, then decide.",
		fault.Unauthenticated: "No credential, or one that holds no more: sign in, then repeat. HTTP 401; close code 4403 on a socket.",
		fault.Limited:         "Too much at once, or too often; the sentence says what to ask less of.",
		fault.CursorExpired:   "The cursor is too old to resume from: subscribe again without `after`.",
		fault.Unavailable:     "Try again later; nothing was changed. HTTP 503 where nothing was executed.",
		fault.Internal:        "A mistake of ours. `extensions.request` is the number under which our log has it.",
	}
	var list []meaning
	for _, kind := range fault.Kinds() {
		list = append(list, meaning{string(kind), means[kind]})
	}
	return append(list,
		meaning{"GRAPHQL_PARSE_FAILED", "The document is no GraphQL; `locations` says where."},
		meaning{"GRAPHQL_VALIDATION_FAILED", "The document does not fit the schema; nothing was executed."},
		meaning{"PERSISTED_QUERY_NOT_FOUND", "No document with this hash is known: send its text with it, once."})
}

// refusalEnums are the enums that say why the business says no.
func refusalEnums(s *ast.Schema) (names []string) {
	for name, d := range s.Types {
		if d.Kind == ast.Enum && strings.HasSuffix(name, "Code") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func limitsOf(o Options) []meaning {
	number := func(n int) string { return fmt.Sprint(n) }
	return []meaning{
		{number(o.MaxBody>>10) + " KiB", "of a request's body"},
		{number(limits.Tokens), "tokens of a document: names, values, signs, comments"},
		{number(limits.Depth), "levels of fields"},
		{number(limits.Fields), "fields, fragments expanded"},
		{number(limits.Aliases), "aliases"},
		{number(limits.RootFields), "fields at the root; 1 of a subscription"},
		{number(limits.Directives), "directives"},
		{number(limits.Fragments), "fragments"},
		{number(limits.Operations), "operations in one document, of which one is run"},
		{number(limits.Objects), "objects that an answer may hold: counted beforehand from `first` and lists of arguments, told in `extensions.cost`"},
		{number(page.MaxFirst), "elements of a page: `first`"},
		{number(limits.Representations), "representations of one `_entities`"},
	}
}
