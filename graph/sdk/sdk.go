// Package sdk writes TypeScript's types of the schema and of the registered documents: one file
// to download, with nothing to run. It is strict: what may be null says so, enums are unions of
// their values, an operation's data has the fields that it asks for and no others.
package sdk

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/audelor/halles/graph/documents"
)

// Types is the text of halles.d.ts and its version: a hash of what it says.
func Types(schema *ast.Schema, list []documents.Document) (text, version string, err error) {
	w := &writer{schema: schema}
	var names []string
	for name, d := range schema.Types {
		if !strings.HasPrefix(name, "_") && (!d.BuiltIn || d.Kind != ast.Scalar) && name != "FieldSet" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		w.definition(schema.Types[name])
	}
	if err := w.operations(list); err != nil {
		return "", "", err
	}
	sum := sha256.Sum256([]byte(w.b.String()))
	version = hex.EncodeToString(sum[:6])
	return fmt.Sprintf("// Types of the halles API, version %s. Generated from its schema; do not edit.\n", version) + w.b.String(), version, nil
}

// scalars are those that are no texts in JSON.
var scalars = map[string]string{
	"Int": "number", "Float": "number", "Cents": "number", "BasisPoints": "number", "WholeNumber": "number", "Boolean": "boolean", "JSON": "unknown",
}

type writer struct {
	schema *ast.Schema
	b      strings.Builder
}

func (w *writer) line(format string, args ...any) { fmt.Fprintf(&w.b, format+"\n", args...) }

// about writes a description as editors show it.
func (w *writer) about(indent, description string) {
	if description == "" {
		return
	}
	description = strings.ReplaceAll(strings.TrimSpace(description), "*/", "* /")
	if !strings.Contains(description, "\n") {
		w.line("%s/** %s */", indent, description)
		return
	}
	w.line("%s/**", indent)
	for line := range strings.SplitSeq(description, "\n") {
		w.line("%s", strings.TrimRight(indent+" * "+line, " "))
	}
	w.line("%s */", indent)
}

func (w *writer) definition(d *ast.Definition) {
	w.line("")
	w.about("", d.Description)
	switch d.Kind {
	case ast.Scalar:
		w.line("export type %s = %s;", d.Name, leaf(d.Name))
	case ast.Enum:
		w.line("export type %s =", d.Name)
		for i, v := range d.EnumValues {
			w.about("  ", v.Description)
			w.line("  | %q%s", v.Name, ending(i == len(d.EnumValues)-1))
		}
	case ast.Interface, ast.Union:
		w.line("export type %s = %s;", d.Name, strings.Join(w.possible(d), " | "))
	case ast.InputObject:
		w.line("export interface %s {", d.Name)
		for _, f := range d.Fields {
			w.about("  ", f.Description)
			w.line("  %s: %s;", optional(f.Name, f.Type, f.DefaultValue), w.input(f.Type))
		}
		w.line("}")
	case ast.Object:
		w.line("export interface %s {", d.Name)
		if d != w.schema.Query && d != w.schema.Mutation && d != w.schema.Subscription {
			w.line("  __typename: %q;", d.Name)
		}
		for _, f := range d.Fields {
			w.about("  ", f.Description)
			w.line("  %s: %s;", f.Name, w.output(f.Type))
		}
		w.line("}")
		for _, f := range d.Fields {
			w.arguments(d, f)
		}
	}
}

func ending(last bool) string {
	if last {
		return ";"
	}
	return ""
}

// arguments are those of a field, as variables would be.
func (w *writer) arguments(d *ast.Definition, f *ast.FieldDefinition) {
	if len(f.Arguments) == 0 {
		return
	}
	w.line("")
	w.line("/** The arguments of `%s.%s`. */", d.Name, f.Name)
	w.line("export interface %s%sArgs {", d.Name, strings.ToUpper(f.Name[:1])+f.Name[1:])
	for _, a := range f.Arguments {
		w.about("  ", a.Description)
		w.line("  %s: %s;", optional(a.Name, a.Type, a.DefaultValue), w.input(a.Type))
	}
	w.line("}")
}

// possible are the object types of an abstract one.
func (w *writer) possible(d *ast.Definition) (names []string) {
	for _, of := range w.schema.GetPossibleTypes(d) {
		names = append(names, of.Name)
	}
	slices.Sort(names)
	return names
}

func leaf(name string) string {
	if t, known := scalars[name]; known {
		return t
	}
	return "string"
}

// named is a type of the file, or of TypeScript's own.
func (w *writer) named(name string) string {
	if d := w.schema.Types[name]; d.BuiltIn && d.Kind == ast.Scalar {
		return leaf(name)
	}
	return name
}

// wrapped is a type with its lists and nulls; what is within is written by name.
func wrapped(t *ast.Type, readonly string, name func(string) string) string {
	var text string
	switch {
	case t.Elem == nil:
		text = name(t.NamedType)
	default:
		text = wrapped(t.Elem, readonly, name)
		if strings.Contains(text, "|") || readonly != "" && strings.Contains(text, " ") {
			text = "(" + text + ")"
		}
		text = readonly + text + "[]"
	}
	if t.NonNull {
		return text
	}
	return text + " | null"
}

func (w *writer) output(t *ast.Type) string { return wrapped(t, "", w.named) }
func (w *writer) input(t *ast.Type) string  { return wrapped(t, "readonly ", w.named) }

// optional is the name of what may be left out.
func optional(name string, t *ast.Type, byDefault *ast.Value) string {
	if t.NonNull && byDefault == nil {
		return name
	}
	return name + "?"
}

// operations writes what each registered document takes and gives.
func (w *writer) operations(list []documents.Document) error {
	for _, d := range list {
		doc, errs := gqlparser.LoadQueryWithRules(w.schema, d.Text, rules.NewDefaultRules())
		if errs != nil {
			return fmt.Errorf("%s: %w", d.Name, errs)
		}
		o := doc.Operations[0]
		about := ""
		for line := range strings.Lines(d.Text) {
			comment, is := strings.CutPrefix(line, "# ")
			if !is {
				break
			}
			about += comment
		}
		w.line("")
		w.about("", about)
		w.line("export interface %sVariables {", d.Name)
		for _, v := range o.VariableDefinitions {
			w.line("  %s: %s;", optional(v.Variable, v.Type, v.DefaultValue), w.input(v.Type))
		}
		w.line("}")
		w.line("")
		w.line("/** What `%s` answers. */", d.Name)
		root := map[ast.Operation]*ast.Definition{ast.Query: w.schema.Query, ast.Mutation: w.schema.Mutation, ast.Subscription: w.schema.Subscription}[o.Operation]
		w.line("export type %sData = %s;", d.Name, w.selected(o.SelectionSet, root, ""))
	}
	w.line("")
	w.about("", "The registered documents by name: the hash to send as `documentId`, what they take and what they answer.")
	w.line("export interface Operations {")
	for _, d := range list {
		w.line("  %s: { kind: %q; hash: %q; variables: %sVariables; data: %sData };", d.Name, d.Kind, d.Hash, d.Name, d.Name)
	}
	w.line("}")
	return nil
}

// selected is the type of an object with the fields that are asked for; of an abstract type a
// union, where fragments ask different things of its types.
func (w *writer) selected(set ast.SelectionSet, d *ast.Definition, indent string) string {
	if !d.IsAbstractType() || !conditional(set) {
		return w.object(set, d, indent)
	}
	var variants []string
	for _, name := range w.possible(d) {
		if text := w.object(set, w.schema.Types[name], indent); !slices.Contains(variants, text) {
			variants = append(variants, text)
		}
	}
	return strings.Join(variants, " | ")
}

func conditional(set ast.SelectionSet) bool {
	return slices.ContainsFunc(set, func(s ast.Selection) bool { _, field := s.(*ast.Field); return !field })
}

func (w *writer) object(set ast.SelectionSet, d *ast.Definition, indent string) string {
	fields := map[string]*ast.Field{}
	below := map[string]ast.SelectionSet{}
	var order []string
	w.collect(set, d, func(f *ast.Field) {
		if fields[f.Alias] == nil {
			fields[f.Alias] = f
			order = append(order, f.Alias)
		}
		below[f.Alias] = append(below[f.Alias], f.SelectionSet...)
	})
	var b strings.Builder
	b.WriteString("{\n")
	for _, name := range order {
		f := fields[name]
		text := fmt.Sprintf("%q", d.Name)
		if f.Name != "__typename" {
			text = wrapped(f.Definition.Type, "", func(of string) string {
				if inner := w.schema.Types[of]; inner.IsCompositeType() {
					return w.selected(below[name], inner, indent+"  ")
				}
				return w.named(of)
			})
		}
		fmt.Fprintf(&b, "%s  %s: %s;\n", indent, name, text)
	}
	b.WriteString(indent + "}")
	return b.String()
}

// collect visits the fields that apply to an object of a type.
func (w *writer) collect(set ast.SelectionSet, d *ast.Definition, visit func(*ast.Field)) {
	applies := func(condition string) bool {
		on := w.schema.Types[condition]
		return condition == "" || condition == d.Name || on != nil && on.IsAbstractType() && slices.Contains(w.possible(on), d.Name)
	}
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			visit(s)
		case *ast.InlineFragment:
			if applies(s.TypeCondition) {
				w.collect(s.SelectionSet, d, visit)
			}
		case *ast.FragmentSpread:
			if applies(s.Definition.TypeCondition) {
				w.collect(s.Definition.SelectionSet, d, visit)
			}
		}
	}
}
