package answers

import (
	"context"
	"reflect"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/audelor/halles/internal/tenancy"
)

// Plan says what the answer to a query depends on.
type Plan struct {
	communes []string // INSEE codes in order; nil for all
	clock    bool
	pieces   bool
}

// Plan looks at the operation of a question; false when its answer is not to be kept. The operation
// is valid. What a directive may leave out counts.
func (c *Cache) Plan(ctx context.Context, q Question, operation *ast.OperationDefinition, variables map[string]any) (Plan, bool) {
	if operation.Operation != ast.Query {
		return Plan{}, false
	}
	p := planner{ctx: ctx, named: c.named, variables: variables, spread: map[string]bool{}}
	p.selections(operation.SelectionSet)
	if p.never {
		return Plan{}, false
	}
	plan := Plan{clock: p.clock, pieces: p.pieces}
	switch {
	case !p.everywhere:
		plan.communes = append([]string{}, p.communes...)
	case q.by.Communes != nil: // nothing is anywhere else for such an asker, but what communes say of themselves
		plan.communes = slices.Concat(q.by.Communes, p.communes)
	default:
		return plan, true
	}
	slices.Sort(plan.communes)
	plan.communes = slices.Compact(plan.communes)
	return plan, true
}

type planner struct {
	depends
	ctx       context.Context
	named     func(context.Context, string) (insee string, ok bool)
	variables map[string]any
	communes  []string
	spread    map[string]bool
}

func (p *planner) selections(set ast.SelectionSet) {
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			p.field(s)
		case *ast.InlineFragment:
			p.selections(s.SelectionSet)
		case *ast.FragmentSpread:
			if !p.spread[s.Name] { // once is enough, and a fragment may be spread many times
				p.spread[s.Name] = true
				p.selections(s.Definition.SelectionSet)
			}
		}
	}
}

func (p *planner) field(f *ast.Field) {
	if f.Name == "__typename" {
		return
	}
	p.add(of(f.ObjectDefinition.Name, f.Name))
	if p.never {
		return
	}
	if len(f.Definition.Arguments) > 0 {
		p.arguments(f)
	}
	p.selections(f.SelectionSet)
}

// arguments finds the communes that a root field names, and conditions that need the clock. A list
// that goes beyond the commune that it is in is all communes'.
func (p *planner) arguments(f *ast.Field) {
	given := f.ArgumentMap(p.variables)
	if has(given, "openNow") {
		p.clock = true
	}
	if f.ObjectDefinition.Name != "Query" {
		p.everywhere = p.everywhere || has(given, "communes")
		return
	}
	found, ok := p.communesOf(f.Name, given)
	p.communes = append(p.communes, found...)
	p.everywhere = p.everywhere || !ok
}

// communesOf are the communes that a root field's arguments name; false when it may go beyond them.
func (p *planner) communesOf(field string, given map[string]any) ([]string, bool) {
	switch field {
	case "commune":
		if insee, ok := given["insee"].(string); ok {
			return []string{insee}, true
		}
		if slug, ok := given["slug"].(string); ok {
			insee, known := p.named(p.ctx, slug)
			return []string{insee}, known
		}
	case "shop", "product", "node":
		return ofIDs(given["id"])
	case "nodes":
		return ofIDs(items(given["ids"])...)
	case "restrictions":
		if given["commune"] != nil {
			return ofIDs(given["commune"])
		}
	case "shops", "products":
		if filter, ok := given["filter"].(map[string]any); ok {
			if filter["communes"] != nil {
				return texts(items(filter["communes"]))
			}
		}
	}
	return nil, false
}

func ofIDs(list ...any) (communes []string, ok bool) {
	for _, one := range list {
		text, _ := one.(string)
		id, err := tenancy.ParseID(text)
		if err != nil {
			return nil, false
		}
		if id.Commune != "" {
			communes = append(communes, id.Commune)
		}
	}
	return communes, true
}

// items are those of a list, which one value may stand for.
func items(value any) (list []any) {
	v := reflect.ValueOf(value)
	if !v.IsValid() || v.Kind() != reflect.Slice {
		return []any{value}
	}
	for i := range v.Len() {
		list = append(list, v.Index(i).Interface())
	}
	return list
}

func texts(list []any) (found []string, ok bool) {
	for _, one := range list {
		text, isText := one.(string)
		if !isText {
			return nil, false
		}
		found = append(found, text)
	}
	return found, true
}

// has tells whether a name is given somewhere in arguments.
func has(value any, name string) bool {
	switch value := value.(type) {
	case map[string]any:
		for key, v := range value {
			if key == name && v != nil || has(v, name) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(value, func(v any) bool { return has(v, name) })
	}
	return false
}
