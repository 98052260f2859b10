package guide

import (
	"cmp"
	"html/template"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// reference is the schema as the page shows it.
type reference struct {
	Groups     []group
	Deprecated []deprecated
}

// group are the types of a kind.
type group struct {
	Name, Anchor, About string
	Types               []kind
}

type kind struct {
	Name, Keyword string
	Description   string
	Implements    []string
	Members       []string // of a union, or what implements an interface
	Fields        []field
	Values        []value
}

type field struct {
	Owner, Name string
	Description string
	Arguments   []argument
	Type        *ast.Type
	Default     string
	Audiences   []string // of a root field
	StaffOnly   bool
	Deprecated  string
}

type argument struct {
	Name, Description, Default string
	Type                       *ast.Type
}

type value struct{ Name, Description, Deprecated string }

type deprecated struct{ Where, Reason string }

func newReference(s *ast.Schema) reference {
	r := reference{Groups: []group{
		{Name: "Queries", Anchor: "queries", About: "What can be read."},
		{Name: "Mutations", Anchor: "mutations", About: "What can be changed."},
		{Name: "Subscriptions", Anchor: "subscriptions", About: "What can be followed."},
		{Name: "Objects", Anchor: "objects"},
		{Name: "Inputs", Anchor: "inputs"},
		{Name: "Enums", Anchor: "enums"},
		{Name: "Interfaces and unions", Anchor: "interfaces"},
		{Name: "Scalars", Anchor: "scalars"},
	}}
	for name, d := range s.Types {
		if strings.HasPrefix(name, "_") || name == "FieldSet" || d.BuiltIn && d.Kind != ast.Scalar || name == "Boolean" {
			continue
		}
		t := r.kindOf(s, d)
		i := 0
		switch {
		case d == s.Mutation:
			i = 1
		case d == s.Subscription:
			i = 2
		case d.Kind == ast.Object && d != s.Query:
			i = 3
		case d.Kind == ast.InputObject:
			i = 4
		case d.Kind == ast.Enum:
			i = 5
		case d.Kind == ast.Interface, d.Kind == ast.Union:
			i = 6
		case d.Kind == ast.Scalar:
			i = 7
		}
		r.Groups[i].Types = append(r.Groups[i].Types, t)
	}
	for _, g := range r.Groups {
		slices.SortFunc(g.Types, func(a, b kind) int { return cmp.Compare(a.Name, b.Name) })
	}
	slices.SortFunc(r.Deprecated, func(a, b deprecated) int { return cmp.Compare(a.Where, b.Where) })
	return r
}

func (r *reference) kindOf(s *ast.Schema, d *ast.Definition) kind {
	keyword := map[ast.DefinitionKind]string{
		ast.Object: "type", ast.InputObject: "input", ast.Enum: "enum", ast.Interface: "interface", ast.Union: "union", ast.Scalar: "scalar",
	}[d.Kind]
	t := kind{Name: d.Name, Keyword: keyword, Description: d.Description, Implements: d.Interfaces, Members: d.Types}
	if d.Kind == ast.Interface {
		for _, of := range s.GetPossibleTypes(d) {
			t.Members = append(t.Members, of.Name)
		}
		slices.Sort(t.Members)
	}
	root := d == s.Query || d == s.Mutation || d == s.Subscription
	for _, f := range d.Fields {
		shown := field{Owner: d.Name, Name: f.Name, Description: f.Description, Type: f.Type, Default: literal(f.DefaultValue), Deprecated: reason(f.Directives)}
		for _, tag := range f.Directives.ForNames("tag") {
			name := tag.Arguments.ForName("name").Value.Raw
			shown.StaffOnly = shown.StaffOnly || name == "staff-only"
			if root {
				shown.Audiences = append(shown.Audiences, name)
			}
		}
		for _, a := range f.Arguments {
			shown.Arguments = append(shown.Arguments, argument{a.Name, a.Description, literal(a.DefaultValue), a.Type})
			r.note(d.Name+"."+f.Name+"("+a.Name+")", reason(a.Directives))
		}
		r.note(d.Name+"."+f.Name, shown.Deprecated)
		t.Fields = append(t.Fields, shown)
	}
	for _, v := range d.EnumValues {
		t.Values = append(t.Values, value{v.Name, v.Description, reason(v.Directives)})
		r.note(d.Name+"."+v.Name, reason(v.Directives))
	}
	return t
}

func (r *reference) note(where, why string) {
	if why != "" {
		r.Deprecated = append(r.Deprecated, deprecated{where, why})
	}
}

func reason(list ast.DirectiveList) string {
	d := list.ForName("deprecated")
	if d == nil {
		return ""
	}
	if a := d.Arguments.ForName("reason"); a != nil {
		return a.Value.Raw
	}
	return "No longer supported"
}

func literal(v *ast.Value) string {
	if v == nil {
		return ""
	}
	return v.String()
}

// Anchor is where on the page a field is found.
func (f field) Anchor() string { return f.Owner + "." + f.Name }

// typeLink writes a type with a link to where it is described.
func typeLink(t *ast.Type) template.HTML {
	if t.Elem != nil {
		return "[" + typeLink(t.Elem) + "]" + mark(t)
	}
	name := template.HTMLEscapeString(t.NamedType)
	if name == "Boolean" {
		return template.HTML(name) + mark(t) //nolint:gosec // a constant
	}
	return template.HTML(`<a href="#`+name+`">`+name+`</a>`) + mark(t) //nolint:gosec // escaped above
}

func mark(t *ast.Type) template.HTML {
	if t.NonNull {
		return "!"
	}
	return ""
}

// prose writes a description: paragraphs at blank lines, code between backticks.
func prose(text string) template.HTML {
	var b strings.Builder
	for paragraph := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		b.WriteString("<p>" + code(paragraph) + "</p>")
	}
	return template.HTML(b.String()) //nolint:gosec // escaped by code
}

// inline is prose without paragraphs.
func inline(text string) template.HTML {
	return template.HTML(code(text)) //nolint:gosec // escaped by code
}

func code(text string) string {
	var b strings.Builder
	for i, part := range strings.Split(text, "`") {
		escaped := template.HTMLEscapeString(part)
		if i%2 == 1 {
			escaped = "<code>" + escaped + "</code>"
		}
		b.WriteString(escaped)
	}
	return b.String()
}
