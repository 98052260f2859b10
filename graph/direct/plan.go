package direct

import (
	"context"
	"reflect"
	"slices"
	"strconv"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// plan is an operation, compiled: what to do is decided, what with is not.
type plan struct {
	root   *selection
	count  int                 // of the steps that need a level of their own
	places int                 // of the steps that write an object in the object
	size   atomic.Int64        // of an answer, as far as is known
	whole  []string            // the types with a short form of which more is asked
	asked  map[string][]string // the fields that are asked of each type
}

type planKey struct{}

// Short tells whether the short form of a type's objects is enough for all that ctx answers.
func Short(ctx context.Context, typ string) bool {
	p, planned := ctx.Value(planKey{}).(*plan)
	return planned && !slices.Contains(p.whole, typ)
}

// Only tells whether nothing that ctx answers asks other fields of a type's objects than these.
func Only(ctx context.Context, typ string, fields ...string) bool {
	p, planned := ctx.Value(planKey{}).(*plan)
	return planned && !slices.ContainsFunc(p.asked[typ], func(f string) bool { return !slices.Contains(fields, f) })
}

// selection is what is asked of the objects of one type at one place.
type selection struct {
	typ   *Type
	steps []*step
	plain bool // all below is plain members: it is written straight from the object
}

// step is a field of a selection.
type step struct {
	graphql.CollectedField
	*field         // nil for __typename
	key     []byte // `"alias":`, with the comma before it
	nonNull bool
	name    []byte   // the value of __typename
	below   []branch // of the objects that it gives, by their type
	level   int      // its place among the levels; -1: written straight from the object
	place   int      // among those that write an object in the object; see field.into
	args    *ast.FieldDefinition
}

// branch is a selection for objects of one Go type.
type branch struct {
	of reflect.Type
	*selection
}

// compiler makes plans. What it does not know makes it give up.
type compiler struct {
	table     Table
	schema    *ast.Schema
	operation *graphql.OperationContext
	levels    int
	places    int
	whole     []string
	asked     map[string][]string
}

// compile is nil for an operation that is not understood.
func compile(table Table, schema *ast.Schema, operation *graphql.OperationContext) *plan {
	c := &compiler{table: table, schema: schema, operation: operation, asked: map[string][]string{}}
	root := c.selection(table[schema.Query.Name], schema.Query, operation.Operation.SelectionSet)
	if root == nil {
		return nil
	}
	return &plan{root: root, count: c.levels, places: c.places, whole: c.whole, asked: c.asked}
}

func (c *compiler) selection(typ *Type, definition *ast.Definition, set ast.SelectionSet) *selection {
	if typ == nil {
		return nil
	}
	is := []string{definition.Name}
	for _, abstract := range c.schema.GetImplements(definition) {
		is = append(is, abstract.Name)
	}
	s := &selection{typ: typ, plain: true}
	for i, f := range graphql.CollectFields(c.operation, set, is) {
		one := c.step(typ, definition, f)
		if one == nil {
			return nil
		}
		one.key = strconv.AppendQuote(nil, f.Alias)
		if i > 0 {
			one.key = append([]byte{','}, one.key...)
		}
		one.key = append(one.key, ':')
		s.plain = s.plain && one.level < 0
		s.steps = append(s.steps, one)
	}
	return s
}

func (c *compiler) step(typ *Type, definition *ast.Definition, f graphql.CollectedField) *step {
	s := &step{CollectedField: f, level: -1}
	if f.Name == "__typename" {
		s.name = strconv.AppendQuote(nil, definition.Name)
		return s
	}
	s.field = typ.fields[f.Name]
	if s.field == nil || f.IsDeferred() {
		return nil
	}
	if typ.short != nil && !slices.Contains(typ.short, f.Name) {
		c.whole = append(c.whole, typ.name)
	}
	if !slices.Contains(c.asked[typ.name], f.Name) {
		c.asked[typ.name] = append(c.asked[typ.name], f.Name)
	}
	s.args = definition.Fields.ForName(f.Name)
	s.nonNull = s.args.Type.NonNull
	plain := s.plain()
	if s.shape != leaf {
		result := c.schema.Types[s.args.Type.Name()]
		for _, possible := range c.schema.GetPossibleTypes(result) {
			below := c.selection(c.table[possible.Name], possible, f.Selections)
			if below == nil {
				return nil
			}
			plain = plain && below.plain
			s.below = append(s.below, branch{c.table[possible.Name].of, below})
		}
	}
	if s.into != nil {
		s.place = c.places
		c.places++
	}
	if !plain {
		s.level = c.levels
		c.levels++
	}
	return s
}

// asked are the variables that an operation's directives ask; false where it has another directive
// than @include and @skip, or so many variables that plans for all their values would be no cache.
func asked(doc *ast.QueryDocument, operation *ast.OperationDefinition) (names []string, ok bool) {
	ok = len(operation.Directives) == 0
	note := func(list ast.DirectiveList) {
		for _, d := range list {
			ok = ok && (d.Name == "include" || d.Name == "skip")
			for _, a := range d.Arguments {
				if a.Value.Kind == ast.Variable && !slices.Contains(names, a.Value.Raw) {
					names = append(names, a.Value.Raw)
				}
			}
		}
	}
	var look func(ast.SelectionSet)
	look = func(set ast.SelectionSet) {
		for _, s := range set {
			switch s := s.(type) {
			case *ast.Field:
				note(s.Directives)
				look(s.SelectionSet)
			case *ast.InlineFragment:
				note(s.Directives)
				look(s.SelectionSet)
			case *ast.FragmentSpread:
				note(s.Directives)
			}
		}
	}
	look(operation.SelectionSet)
	for _, f := range doc.Fragments {
		note(f.Directives)
		look(f.SelectionSet)
	}
	return names, ok && len(names) <= maxAsked
}
