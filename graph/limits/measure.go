package limits

import (
	"unicode/utf8"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/audelor/halles/internal/fault"
)

// Measure refuses a document whose shape is out of bounds. It knows no schema: the document
// need not be valid.
func Measure(doc *ast.QueryDocument) *gqlerror.Error {
	refusal, _ := measure(doc)
	return refusal
}

// measure tells also how many selections it visited.
func measure(doc *ast.QueryDocument) (refusal *gqlerror.Error, steps int) {
	m := measurer{named: map[string]*ast.FragmentDefinition{}, done: map[*ast.FragmentDefinition]*shape{}}
	for _, f := range doc.Fragments {
		if m.named[f.Name] == nil { // of several with a name, the first is spread
			m.named[f.Name] = f
		}
	}
	if len(doc.Fragments) > Fragments {
		return refused("Le document contient plus de %d fragments. Demandez moins à la fois.", Fragments), m.steps
	}
	directives := 0
	for _, f := range doc.Fragments { // those that are spread nowhere are validated too
		directives += len(f.Directives)
		if refusal := m.fragment(f).refusal(); refusal != nil {
			return refusal, m.steps
		}
	}
	if len(doc.Operations) > Operations {
		return refused("Le document contient plus de %d opérations. Envoyez-les séparément.", Operations), m.steps
	}
	for _, o := range doc.Operations {
		s := m.selections(o.SelectionSet)
		s.directives = plus(s.directives, directives+len(o.Directives))
		for _, v := range o.VariableDefinitions {
			s.directives = plus(s.directives, len(v.Directives))
		}
		if s.level > RootFields {
			return refused("L'opération a plus de %d champs à la racine. Envoyez-en plusieurs.", RootFields), m.steps
		}
		if refusal := s.refusal(); refusal != nil {
			return refusal, m.steps
		}
	}
	if refusal := m.confused(doc); refusal != nil {
		return refusal, m.steps
	}
	return nil, m.steps
}

// confused refuses what cannot be meant: the validator would too, or would not notice.
func (m *measurer) confused(doc *ast.QueryDocument) *gqlerror.Error {
	switch {
	case m.unknown != "": // it compares 600 of them pair by pair: half a second
		return asGraphQL(fault.Errorf(fault.Invalid, "Le document utilise le fragment %s, qui n'y est pas.", fault.Shown(m.unknown)))
	case m.circular != "":
		return asGraphQL(fault.Errorf(fault.Invalid, "Le fragment %s se contient lui-même.", fault.Shown(m.circular)))
	case m.longName:
		return refused("Un alias dépasse %d caractères.", NameLength)
	}
	for _, o := range doc.Operations {
		if o.Operation != ast.Subscription {
			continue
		}
		keys := map[string]bool{}
		switch conditional := m.keys(o.SelectionSet, keys); {
		case len(keys) > 1:
			return asGraphQL(fault.Errorf(fault.Invalid, "Une souscription suit une seule chose : envoyez-en plusieurs."))
		case conditional: // left out, there would be nothing to follow (spec of 2025, 5.2.4.1)
			return asGraphQL(fault.Errorf(fault.Invalid, "Ce qu'une souscription suit ne dépend ni de @skip ni de @include."))
		}
	}
	return nil
}

// keys are the names in the answer of the fields at the top. There are RootFields at most and no
// circle. It tells also whether any of them depends on a directive.
func (m *measurer) keys(set ast.SelectionSet, keys map[string]bool) (conditional bool) {
	for _, selection := range set {
		var directives ast.DirectiveList
		switch selection := selection.(type) {
		case *ast.Field:
			directives, keys[selection.Alias] = selection.Directives, true
		case *ast.InlineFragment:
			directives = selection.Directives
			conditional = m.keys(selection.SelectionSet, keys) || conditional
		case *ast.FragmentSpread:
			directives = selection.Directives
			conditional = m.keys(m.named[selection.Name].SelectionSet, keys) || conditional
		}
		conditional = conditional || directives.ForName("skip") != nil || directives.ForName("include") != nil
	}
	return conditional
}

// shape is what a set of selections measures, fragments expanded.
type shape struct {
	level      int // fields side by side at its top
	fields     int
	depth      int
	aliases    int
	directives int
	lists      int // of types, where it is introspection
	levels     int // of such lists, one in the other
	inside     introspected
}

// introspected is what `__schema` and `__type` below a set of selections measure together.
type introspected struct{ fields, depth, lists, levels int }

func (s shape) refusal() *gqlerror.Error {
	switch {
	case s.depth > Depth:
		return refused("La requête va à plus de %d niveaux de profondeur. Posez-la en deux fois, avec les identifiants de la première.", Depth)
	case s.fields > Fields:
		return refused("La requête compte plus de %d champs, fragments développés. Demandez-en moins à la fois.", Fields)
	case s.aliases > Aliases:
		return refused("La requête compte plus de %d alias, fragments développés. Demandez plusieurs objets par nodes, ou en plusieurs fois.", Aliases)
	case s.directives > Directives:
		return refused("La requête compte plus de %d directives, fragments développés.", Directives)
	case s.inside.fields > introspectionFields, s.inside.depth > introspectionDepth,
		s.inside.lists > introspectionLists, s.inside.levels > introspectionLevels:
		return refused("L'introspection demande plus que la requête d'introspection usuelle. Le schéma entier se lit à /schema.graphql.")
	}
	return nil
}

type measurer struct {
	named    map[string]*ast.FragmentDefinition
	done     map[*ast.FragmentDefinition]*shape // nil while it is being measured
	circular string                             // a fragment that contains itself
	unknown  string                             // a fragment that is spread and is not there
	longName bool
	steps    int
}

func (m *measurer) fragment(f *ast.FragmentDefinition) shape {
	s, seen := m.done[f]
	switch {
	case !seen:
		m.done[f] = nil
		measured := m.selections(f.SelectionSet)
		s = &measured
		m.done[f] = s
	case s == nil:
		m.circular = f.Name
		return shape{}
	}
	return *s
}

func (m *measurer) selections(set ast.SelectionSet) (all shape) {
	for _, selection := range set {
		m.steps++
		switch selection := selection.(type) {
		case *ast.Field:
			all.add(m.field(selection), len(selection.Directives))
		case *ast.InlineFragment:
			all.add(m.selections(selection.SelectionSet), len(selection.Directives))
		case *ast.FragmentSpread:
			f := m.named[selection.Name]
			if f == nil {
				m.unknown = selection.Name
				continue
			}
			all.add(m.fragment(f), len(selection.Directives))
		}
	}
	return all
}

func (m *measurer) field(f *ast.Field) shape {
	below := m.selections(f.SelectionSet)
	s := shape{
		level: 1, fields: plus(below.fields, 1), depth: below.depth + 1, aliases: below.aliases,
		directives: below.directives, lists: below.lists, levels: below.levels, inside: below.inside,
	}
	if f.Alias != f.Name {
		s.aliases = plus(s.aliases, 1)
		m.longName = m.longName || utf8.RuneCountInString(f.Alias) > NameLength
	}
	switch f.Name {
	case "types", "fields", "inputFields", "interfaces", "possibleTypes":
		s.lists, s.levels = plus(s.lists, 1), s.levels+1
	case "enumValues", "args", "directives":
		s.lists = plus(s.lists, 1) // of no types: they grow the answer once
	case "__schema", "__type":
		s.inside.add(introspected{fields: below.fields, depth: below.depth, lists: below.lists, levels: below.levels})
		s.fields, s.depth, s.lists, s.levels = 1, 1, 0, 0
	}
	return s
}

func (s *shape) add(other shape, directives int) {
	s.level = plus(s.level, other.level)
	s.fields = plus(s.fields, other.fields)
	s.depth = max(s.depth, other.depth)
	s.aliases = plus(s.aliases, other.aliases)
	s.directives = plus(s.directives, other.directives+directives)
	s.lists = plus(s.lists, other.lists)
	s.levels = max(s.levels, other.levels)
	s.inside.add(other.inside)
}

func (i *introspected) add(other introspected) {
	i.fields = plus(i.fields, other.fields)
	i.depth = max(i.depth, other.depth)
	i.lists = plus(i.lists, other.lists)
	i.levels = max(i.levels, other.levels)
}

// most is where counting stops: far above every bound, and far below an overflow.
const most = 1 << 30

func plus(a, b int) int  { return min(a+b, most) }
func times(a, b int) int { return min(a*b, most) }
