package graph

import (
	"maps"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/audelor/halles/internal/fault"
)

// Audience is one of those whom the API is made for, and has a contract: the part of the schema
// that it needs. Each root field names its audiences by tags; types follow from them, see
// graph/audience.
type Audience string

// The audiences.
const (
	Widget Audience = "widget" // pages of a commune's website, with its key
	SPA    Audience = "spa"    // the shared storefront: visitors, customers, guests
	Staff  Audience = "staff"  // the back office: merchants, agents, hotline, analysts, admins
)

// Audiences lists them, from the narrowest.
var Audiences = []Audience{Widget, SPA, Staff}

// staffOnly tags what the other audiences do not see of a type that they share.
const staffOnly = "staff-only"

// ContractSDL is an audience's part of the schema, as a router composes it. It is filtered as
// Apollo's contracts filter with include AUDIENCE, exclude staff-only but for the staff, and
// unreachable types hidden: of object and interface fields and of unions stay those that carry
// the tag, themselves or by their type; of all else what these reach.
func ContractSDL(a Audience) (string, error) {
	s, err := contract(parsed(), a)
	if err != nil {
		return "", err
	}
	return printed(without(s, all, forRouters)), nil
}

// PublicContractSDL is an audience's part of the schema as a client sees it.
func PublicContractSDL(a Audience) (string, error) {
	s, err := contract(parsed(), a)
	if err != nil {
		return "", err
	}
	s.SchemaDirectives = nil
	return printed(without(s, all, forClients)), nil
}

func all(*ast.Definition, *ast.FieldDefinition) bool { return true }

func contract(full *ast.Schema, a Audience) (*ast.Schema, error) {
	if !slices.Contains(Audiences, a) {
		return nil, fault.Errorf(fault.NotFound, "Il n'y a pas de contrat %s ; il y a %s, %s et %s.", fault.Shown(string(a)), Widget, SPA, Staff)
	}
	s := without(full, func(owner *ast.Definition, f *ast.FieldDefinition) bool {
		hidden := a != Staff && (tagged(owner.Directives, staffOnly) || tagged(f.Directives, staffOnly))
		return !hidden && (tagged(owner.Directives, string(a)) || tagged(f.Directives, string(a)))
	}, func(string) bool { return true })
	reached := map[string]bool{}
	for _, root := range []*ast.Definition{s.Query, s.Mutation, s.Subscription} {
		if root != nil {
			reach(s, root.Name, reached)
		}
	}
	maps.DeleteFunc(s.Types, func(name string, _ *ast.Definition) bool { return !reached[name] })
	for _, d := range s.Types {
		d.Interfaces = slices.DeleteFunc(slices.Clone(d.Interfaces), func(name string) bool { return s.Types[name] == nil })
		d.Types = slices.DeleteFunc(slices.Clone(d.Types), func(name string) bool { return s.Types[name] == nil })
	}
	return s, nil
}

// reach marks a type and what it leads to.
func reach(s *ast.Schema, name string, reached map[string]bool) {
	d := s.Types[name]
	if d == nil || reached[name] {
		return
	}
	reached[name] = true
	for _, f := range d.Fields {
		reach(s, f.Type.Name(), reached)
		for _, argument := range f.Arguments {
			reach(s, argument.Type.Name(), reached)
		}
	}
	for _, other := range slices.Concat(d.Interfaces, d.Types) {
		reach(s, other, reached)
	}
}

func tagged(list ast.DirectiveList, name string) bool {
	return slices.ContainsFunc(list, func(d *ast.Directive) bool {
		return d.Name == "tag" && d.Arguments.ForName("name").Value.Raw == name
	})
}

// rootFieldsOf are the names of the root fields of an audience, by operation.
func rootFieldsOf(s *ast.Schema, a Audience) map[ast.Operation][]string {
	fields := map[ast.Operation][]string{}
	for operation, root := range map[ast.Operation]*ast.Definition{ast.Query: s.Query, ast.Mutation: s.Mutation, ast.Subscription: s.Subscription} {
		for _, f := range root.Fields {
			if tagged(f.Directives, string(a)) {
				fields[operation] = append(fields[operation], f.Name)
			}
		}
	}
	return fields
}
