package graphtest_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/audelor/halles/graph/graphtest"
)

// chance writes documents by chance: valid ones from the schema, with arguments that fit, and
// from these others that fit no more.
type chance struct {
	*rand.Rand
	schema    *ast.Schema
	ids       []string // of things that there are
	variables []string // the declarations of the document that is being written
	values    graphtest.Vars
	left      int // fields that it may still have
}

// document writes a valid operation and its variables.
func (c *chance) document() (text string, vars graphtest.Vars) {
	c.variables, c.values, c.left = nil, graphtest.Vars{}, 40
	keyword, root := "query", c.schema.Query
	switch c.IntN(12) {
	case 0, 1:
		keyword, root = "mutation", c.schema.Mutation
	case 2:
		keyword, root = "subscription", c.schema.Subscription
	}
	var fields []string
	for range 1 + c.IntN(2) {
		f := root.Fields[c.IntN(len(root.Fields))]
		fields = append(fields, fmt.Sprintf("r%d: %s", len(fields), c.field(f, 1)))
		if keyword != "query" {
			break
		}
	}
	body := "{ " + strings.Join(fields, " ") + " }"
	if c.IntN(4) == 0 {
		body = "{ ...F } fragment F on " + root.Name + " " + body
	}
	if c.variables != nil {
		keyword += " Q(" + strings.Join(c.variables, ", ") + ")"
	}
	return keyword + " " + body, c.values
}

func (c *chance) field(f *ast.FieldDefinition, depth int) string {
	c.left--
	text := f.Name
	var args []string
	for _, a := range f.Arguments {
		if a.Type.NonNull && a.DefaultValue == nil || c.IntN(3) == 0 {
			args = append(args, a.Name+": "+c.argument(a.Name, a.Type))
		}
	}
	if args != nil {
		text += "(" + strings.Join(args, ", ") + ")"
	}
	if c.IntN(12) == 0 {
		text += fmt.Sprintf(" @%s(if: %v)", []string{"skip", "include"}[c.IntN(2)], c.IntN(2) == 0)
	}
	if d := c.schema.Types[f.Type.Name()]; d.IsCompositeType() {
		text += " " + c.selection(d, depth+1)
	}
	return text
}

func (c *chance) selection(d *ast.Definition, depth int) string {
	parts := []string{"__typename"}
	if d.IsAbstractType() {
		of := c.schema.GetPossibleTypes(d)
		t := of[c.IntN(len(of))]
		parts = append(parts, "... on "+t.Name+" "+c.selection(t, depth+1))
	}
	for range 1 + c.IntN(5) {
		if len(d.Fields) == 0 || c.left < 0 {
			break
		}
		f := d.Fields[c.IntN(len(d.Fields))]
		if strings.HasPrefix(f.Name, "__") || depth > 7 && c.schema.Types[f.Type.Name()].IsCompositeType() {
			continue
		}
		parts = append(parts, fmt.Sprintf("a%d: %s", c.left, c.field(f, depth)))
	}
	return "{ " + strings.Join(parts, " ") + " }"
}

// argument is a literal or a new variable.
func (c *chance) argument(name string, t *ast.Type) string {
	v := c.value(name, t, 0)
	if c.IntN(3) > 0 {
		return asLiteral(c.schema, t, v)
	}
	variable := fmt.Sprintf("v%d", len(c.variables))
	c.variables = append(c.variables, "$"+variable+": "+t.String())
	c.values[variable] = v
	return "$" + variable
}

func (c *chance) value(name string, t *ast.Type, depth int) any {
	if !t.NonNull && c.IntN(8) == 0 {
		return nil
	}
	if t.Elem != nil {
		list := []any{}
		for range c.IntN(3) {
			list = append(list, c.value(name, t.Elem, depth))
		}
		return list
	}
	d := c.schema.Types[t.Name()]
	switch d.Kind {
	case ast.Enum:
		return d.EnumValues[c.IntN(len(d.EnumValues))].Name
	case ast.InputObject:
		object := map[string]any{}
		for _, f := range d.Fields {
			if f.Type.NonNull || depth < 4 && c.IntN(3) == 0 {
				object[f.Name] = c.value(f.Name, f.Type, depth+1)
			}
		}
		return object
	}
	// pick takes one of the first two, which are in order, or now and then any.
	pick := func(from ...any) any {
		if c.IntN(8) > 0 {
			return from[c.IntN(2)]
		}
		return from[c.IntN(len(from))]
	}
	switch t.Name() {
	case "ID":
		return pick(c.ids[c.IntN(len(c.ids))], c.id(name), "x", "shop_56121_", "commune_99999", "")
	case "Int":
		if name == "first" {
			return pick(1, 2, 5, 0, 100)
		}
		return pick(1, 2, 7, 0, -1, 2147483647, -2147483648)
	case "Float":
		return pick(47.75, -3.36, 0.0, 91.5, -1e300)
	case "Boolean":
		return pick(true, false)
	case "Cents", "BasisPoints":
		return pick(0, 550, 1290, -1, int64(9007199254740993))
	case "InseeCode":
		return pick("56121", "56069", "2A004", "99999", "")
	case "DateTime":
		return pick("2020-10-30T08:00:00Z", "2030-01-01T00:00:00+01:00", "0000-01-01T00:00:00Z")
	case "_Any":
		return map[string]any{"__typename": pick("Shop", "Commune", "Nothing", 7), "id": c.ids[c.IntN(len(c.ids))], "insee": "56121"}
	}
	if good, known := map[string]any{
		"slug": "lorient", "text": "livre", "phone": "02 97 00 00 00", "email": "anna@exemple.fr", "reason": "OTHER",
	}[name]; known && c.IntN(4) > 0 {
		return good
	}
	return pick("0123456789abcdef", "lorient", "crêpe", "", "02 97 00 00 00", "anna@exemple.fr", "https://exemple.fr", "08:30", "2020-11-01", "73282932000074", "\u202e\u0301'; drop", strings.Repeat("é", 300), "\x00")
}

// id is one of the kind that the argument's name wants, if it tells.
func (c *chance) id(name string) string {
	name = strings.TrimSuffix(name, "s")
	for _, id := range c.ids {
		if strings.HasPrefix(id, name+"_") {
			return id
		}
	}
	return c.ids[c.IntN(len(c.ids))]
}

// asLiteral is a value as a literal of the document.
func asLiteral(schema *ast.Schema, t *ast.Type, v any) string {
	switch v := v.(type) {
	case []any:
		var list []string
		for _, e := range v {
			list = append(list, asLiteral(schema, t.Elem, e))
		}
		return "[" + strings.Join(list, ", ") + "]"
	case map[string]any:
		var list []string
		for name, e := range v {
			var of *ast.Type
			if d := schema.Types[t.Name()]; d != nil && d.Fields.ForName(name) != nil {
				of = d.Fields.ForName(name).Type
			}
			list = append(list, name+": "+asLiteral(schema, of, e))
		}
		slices.Sort(list) // the same document each time
		return "{" + strings.Join(list, ", ") + "}"
	case string:
		if t != nil && schema.Types[t.Name()] != nil && schema.Types[t.Name()].Kind == ast.Enum {
			return v
		}
	}
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // texts, numbers and booleans
	}
	return string(text)
}

// odd is what a document is spoilt with.
var odd = []string{
	"{", "}", "(", ")", "...", "$x", "@skip(if: true)", "@include(if: $x)", "null", "-1", "1e400", "99999999999999999999", `""`, `"\u0000"`, "\x00", "\xff",
	"é", "fragment F on Shop { ...F }", "__typename", "__schema", "a: name", `"""block"""`, "#", "&", "ID", "[[[[", "[]", "{}", "true", "on", "first: 100", "first: -1",
}

// spoilt takes a document apart and puts it together by chance: words are dropped, doubled,
// exchanged and replaced, also by bytes that are no GraphQL.
func (c *chance) spoilt(document string) string {
	words := strings.Fields(strings.NewReplacer("{", " { ", "}", " } ", "(", " ( ", ")", " ) ", ":", " : ", ",", " ", "[", " [ ", "]", " ] ").Replace(document))
	for range 1 + c.IntN(4) {
		i, j := c.IntN(len(words)), c.IntN(len(words))
		switch c.IntN(6) {
		case 0:
			words[i] = ""
		case 1:
			words[i] = words[j] + " " + words[i]
		case 2:
			words[i], words[j] = words[j], words[i]
		case 3:
			words[i] = odd[c.IntN(len(odd))]
		case 4:
			words[i] += " " + strings.Repeat(odd[c.IntN(len(odd))]+" ", 1+c.IntN(40))
		case 5: // a byte
			if text := []byte(words[i]); len(text) > 0 {
				text[c.IntN(len(text))] = byte(c.IntN(256))
				words[i] = string(text)
			}
		}
	}
	return strings.Join(words, " ")
}

// wrong are values for variables that want others.
func (c *chance) wrong(vars graphtest.Vars) {
	values := []any{
		nil, "x", "", "\x00", 7, -1, 1e30, 2.5, true,
		[]any{},
		[]any{"x", nil, []any{1}},
		map[string]any{},
		map[string]any{"__typename": "Shop", "id": 5},
		c.ids[c.IntN(len(c.ids))], strings.Repeat("x", 5000),
	}
	for name := range vars {
		if c.IntN(3) == 0 {
			vars[name] = values[c.IntN(len(values))]
		}
	}
}
