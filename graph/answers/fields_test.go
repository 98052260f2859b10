package answers_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/audelor/halles/graph/answers"
	"github.com/audelor/halles/graph/generated"
)

// Somebody has looked at each root field, and at each field that an answer which is kept may have: a
// new one fails this until fields.txt says what it depends on.
func TestEveryFieldIsLookedAt(t *testing.T) {
	t.Parallel()
	schema := generated.NewExecutableSchema(generated.Config{}).Schema()
	known := map[string]bool{}
	seen := map[string]bool{}
	var visit func(d *ast.Definition)
	visit = func(d *ast.Definition) {
		if d == nil || seen[d.Name] || d.IsLeafType() {
			return
		}
		seen[d.Name] = true
		if d.IsAbstractType() {
			for _, p := range schema.GetPossibleTypes(d) {
				visit(p)
			}
		}
		for _, f := range d.Fields {
			never, there := answers.Known(d.Name, f.Name)
			if !there {
				t.Errorf("%s.%s: fields.txt does not say what it depends on", d.Name, f.Name)
			}
			known[d.Name+"."+f.Name], known[d.Name+".*"] = true, true
			if there && !never {
				visit(schema.Types[f.Type.Name()])
			}
		}
	}
	visit(schema.Query)
	for _, name := range slices.Sorted(maps.Keys(answers.Names())) {
		if !known[name] {
			t.Errorf("fields.txt has %s, which the schema has not, or nothing that is kept leads to", name)
		}
	}
}
