package graphtest_test

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// maxFields bounds a generated document: the server takes 400.
const (
	maxFields = 300
	maxOf     = 2 // how often a type may come along a path: a product's shop's products, and no further
)

// maxDepth is how far below a root field everything is selected; one step more takes twice the time.
var maxDepth = map[bool]int{false: 3, true: 5}[os.Getenv("HALLES_LONG") != ""]

// blank is a variable of a document, for what leads to something: kind is "shop", "order",
// "cursor", "text" …, see keyKinds. A document is parsed once, and asked with many values.
type blank struct {
	name, typeName, kind string
	entity, key          string // of a representation: its type, and the field that the value is for
}

// document is a document and its variables.
type document struct {
	text   string
	blanks []blank
}

// fill takes note of a variable, and returns its place in the document.
type fill func(b blank) string

// generator makes valid documents for the whole schema from its types alone.
type generator struct {
	schema   *ast.Schema
	problems map[string]bool // what it cannot fill, and what to add
}

// question is a document but for the values of what it asks for.
type question struct {
	operation  ast.Operation
	root       string   // "shop"
	coordinate string   // "Query.shop", or "Shop.orders.after" where that argument is what is tried
	kinds      []string // of the values that it needs, in order
	documents  []document
	cursors    []document // what the cursors that it takes come from; none where it takes none
}

// keyKinds says what an argument leads to, where its name does not.
var keyKinds = map[string]string{
	"Query.node.id":                            "node",
	"Query.nodes.ids":                          "node",
	"Subscription.orderUpdated.id":             "order",
	"Query.commune.slug":                       "communeSlug",
	"DeclareRestrictionInput.categories":       "category",
	"DeclareRestrictionInput.exceptCategories": "category",
	"MarkOrderCollectedInput.code":             "code",
	"ExchangeGuestLinkInput.secret":            "secret",
	"AcceptInvitationInput.code":               "secret",
	"RotateWidgetKeyInput.key":                 "widgetKey",
	"RevokeWidgetKeyInput.key":                 "widgetKey",

	"ResumeRegistrationInput.secret": "secret",
	"SaveRegistrationInput.secret":   "secret",
	"SubmitRegistrationInput.secret": "secret",
	"Query.import.id":                "import",
	"UndoImportInput.import":         "import",
	"ImportInput.upload":             "upload",

	"DelegateShopInput.delegation":     "delegation",
	"DelegateShopInput.code":           "code",
	"EndDelegationInput.delegation":    "delegation",
	"InvitationInput.invitation":       "invitation",
	"DashboardInput.sectors":           "category",
	"AddPhotoInput.media":              "media",
	"RemovePhotoInput.photo":           "photo",
	"ReorderPhotosInput.photos":        "photo",
	"CallBackRegistrationInput.secret": "secret",
}

// keyNames are names of String arguments that lead to something.
var keyNames = map[string]string{
	"after": "cursor", "text": "text", "idempotencyKey": "key", "number": "number", "slug": "slug",
}

// freeNames are names of String arguments that are only written down.
var freeNames = []string{"note", "name", "street", "city", "description", "label", "comment", "url", "alt", "lang", "origins", "postcode", "buyerCommune"}

func (g *generator) problem(format string, args ...any) {
	g.problems[fmt.Sprintf(format, args...)] = true
}

// idKind is the kind of ID that an argument takes.
func (g *generator) idKind(coordinate string) string {
	if kind := keyKinds[coordinate]; kind != "" {
		return kind
	}
	parts := strings.Split(coordinate, ".")
	name := parts[len(parts)-1]
	if name == "id" && len(parts) == 3 { // shop(id:)
		name = parts[1]
	}
	for _, kind := range []string{"commune", "category", "shop", "product", "variant", "order", "account", "closure", "restriction", "registration"} {
		if name == kind || name == kind+"s" || name == kind+"Id" {
			return kind
		}
	}
	g.problem("%s takes an ID of a kind that its name does not tell: add it to keyKinds", coordinate)
	return "shop"
}

// keyKind tells what a value of a type leads to; "" for what leads nowhere.
func (g *generator) keyKind(typeName, coordinate string) string {
	parent, name := coordinate[:strings.LastIndex(coordinate, ".")], coordinate[strings.LastIndex(coordinate, ".")+1:]
	switch typeName {
	case "ID":
		return g.idKind(coordinate)
	case "InseeCode":
		return "insee"
	case "Siret":
		return "siret"
	case "PhoneNumber":
		return "phone"
	case "EmailAddress":
		return "email"
	case "String":
		switch kind := keyKinds[coordinate]; {
		case kind != "":
			return kind
		case name == "text" && strings.HasSuffix(parent, "Input"): // what somebody says, not what is looked for
		case keyNames[name] != "":
			return keyNames[name]
		case slices.Contains(freeNames, name):
		case strings.HasSuffix(name, "Key") || strings.HasSuffix(name, "Id") || strings.HasSuffix(name, "ode") ||
			strings.HasSuffix(name, "ecret") || strings.HasSuffix(name, "oken") || strings.HasSuffix(name, "ursor") || name == "before":
			g.problem("%s looks like a key: add it to keyKinds, and its values to candidates, or to freeNames", coordinate)
		}
	}
	return ""
}

// plain are values of scalars that lead nowhere.
var plain = map[string]string{
	"Boolean": "false", "Float": "47.7", "DateTime": `"2020-11-03T09:00:00Z"`, "Date": `"2020-11-03"`, "Month": `"2020-11"`, "WholeNumber": "1", "LocalTime": `"09:30"`,
	"Cents": "1000", "BasisPoints": "2000", "Currency": `"EUR"`, "URL": `"https://example.org/"`, "String": `"Essai"`, "Int": "1",
}

// formed are values of texts that must have a form, by the argument's name.
var formed = map[string]string{
	"origins": `"https://example.org"`, "postcode": `"56100"`, "naf": `"47.71Z"`, "services": `"card"`, "accessibility": `"step-free"`, "consent": `"2026-11"`,
}

// value writes a value of a type: the required parts of an input and, where all is set, those of
// its optional ones that name something; or the one optional part that only names.
func (g *generator) value(t *ast.Type, coordinate string, all bool, only []string, f fill) string {
	if t.Elem != nil {
		return "[" + g.value(t.Elem, coordinate, all, only, f) + "]"
	}
	if kind := g.keyKind(t.NamedType, coordinate); kind != "" {
		return f(blank{typeName: t.NamedType, kind: kind})
	}
	def := g.schema.Types[t.NamedType]
	switch def.Kind {
	case ast.Enum:
		return def.EnumValues[0].Name
	case ast.InputObject:
		var parts []string
		for _, field := range def.Fields {
			own := def.Name + "." + field.Name
			wanted := field.Type.NonNull && field.DefaultValue == nil
			var below []string
			switch {
			case len(only) > 0 && only[0] == field.Name:
				wanted, below = true, only[1:]
			case all && g.worthFilling(field):
				wanted = true
			}
			if wanted {
				parts = append(parts, field.Name+": "+g.value(field.Type, own, all, below, f))
			}
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case ast.Scalar:
		if strings.HasSuffix(coordinate, ".first") {
			return "4"
		}
		if v, ok := formed[coordinate[strings.LastIndex(coordinate, ".")+1:]]; ok {
			return v
		}
		if v, ok := plain[def.Name]; ok {
			return v
		}
	}
	g.problem("%s is a %s: add a value to plain, or a kind to keyKind", coordinate, def.Name)
	return "null"
}

// worthFilling tells whether a mutation's optional input is set: what the shopper expected to pay
// would only be in the way.
func (g *generator) worthFilling(field *ast.FieldDefinition) bool {
	def := g.schema.Types[field.Type.Name()]
	return def.Kind == ast.InputObject || def.Kind == ast.Enum && field.Name == "channel" || slices.Contains([]string{"ID", "String", "PhoneNumber", "EmailAddress"}, def.Name)
}

// arguments writes those of a field: required ones, and one optional one, by its path.
func (g *generator) arguments(parent string, field *ast.FieldDefinition, only []string, f fill) string {
	var parts []string
	for _, a := range field.Arguments {
		coordinate := parent + "." + field.Name + "." + a.Name
		switch {
		case len(only) > 0 && only[0] == a.Name:
			parts = append(parts, a.Name+": "+g.value(a.Type, coordinate, false, only[1:], f))
		case a.Type.NonNull && a.DefaultValue == nil:
			parts = append(parts, a.Name+": "+g.value(a.Type, coordinate, parent == "Mutation", nil, f))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

// selection is a field or fragment and what is selected below it.
type selection struct {
	head string
	kids []*selection
}

func (s *selection) count() int {
	n := 1
	for _, k := range s.kids {
		n += k.count()
	}
	return n
}

func (s *selection) write(b *strings.Builder) {
	b.WriteString(s.head)
	if len(s.kids) > 0 {
		b.WriteString(" { ")
		for _, k := range s.kids {
			k.write(b)
			b.WriteByte(' ')
		}
		b.WriteByte('}')
	}
}

// selections select every field of a type, down to a depth.
func (g *generator) selections(typeName string, depth int, path []string, prefix string, f fill) []*selection {
	def := g.schema.Types[typeName]
	if def.Kind == ast.Interface || def.Kind == ast.Union {
		list := []*selection{{head: "__typename"}}
		for _, possible := range g.schema.GetPossibleTypes(def) {
			// An alias each: fields of two types that share a name may not differ in type.
			kids := g.selections(possible.Name, depth, path, possible.Name+"_", f)
			list = append(list, &selection{head: "... on " + possible.Name, kids: kids})
		}
		return list
	}
	list := []*selection{}
	path = append(path[:len(path):len(path)], typeName)
	nested := slices.ContainsFunc(path[:len(path)-1], func(p string) bool { return strings.HasSuffix(p, "Connection") })
	for _, field := range def.Fields {
		if strings.HasPrefix(field.Name, "_") {
			continue
		}
		target := g.schema.Types[field.Type.Name()]
		head := field.Name + g.arguments(typeName, field, nil, f)
		if prefix != "" {
			head = prefix + field.Name + ": " + head
		}
		if target.IsLeafType() {
			list = append(list, &selection{head: head})
			continue
		}
		times := 0
		for _, p := range path {
			if p == target.Name {
				times++
			}
		}
		switch {
		case depth == 0 || times >= maxOf:
		case nested && field.Name == "nodes" && strings.HasSuffix(typeName, "Connection"): // its edges have them
		default:
			list = append(list, &selection{head: head, kids: g.selections(target.Name, depth-1, path, "", f)})
		}
	}
	if len(list) == 0 {
		list = append(list, &selection{head: "__typename"})
	}
	return list
}

// split parts selections into documents that the server takes.
func split(kids []*selection, limit int) [][]*selection {
	var parts [][]*selection
	var part []*selection
	size := 0
	add := func(k *selection) {
		if n := k.count(); size+n > limit && size > 0 {
			parts, part, size = append(parts, part), nil, 0
		}
		part, size = append(part, k), size+k.count()
	}
	for _, k := range kids {
		if k.count() <= limit {
			add(k)
			continue
		}
		for _, below := range split(k.kids, limit-1) {
			add(&selection{head: k.head, kids: below})
		}
	}
	return append(parts, part)
}

// step is a field on the way to another.
type step struct {
	parent string
	field  *ast.FieldDefinition
}

// write writes the documents that go along a path and select all that lies below its end.
func (g *generator) write(operation ast.Operation, path []step, only []string, depth int) []document {
	return documents(operation, func(f fill) []*selection { return g.below(path, only, depth, f) })
}

// documents writes each selection as a document of its own, with the variables that it has; those
// of the selections' common part are in all of them.
func documents(operation ast.Operation, selections func(fill) []*selection) []document {
	var blanks []blank
	list := selections(func(b blank) string {
		b.name = fmt.Sprintf("$v%d", len(blanks))
		blanks = append(blanks, b)
		return b.name
	})
	docs := make([]document, len(list))
	for i, s := range list {
		var b strings.Builder
		s.write(&b)
		var declared []string
		for _, blank := range blanks {
			if regexp.MustCompile(`\` + blank.name + `\b`).MatchString(b.String()) {
				docs[i].blanks = append(docs[i].blanks, blank)
				declared = append(declared, blank.name+": "+blank.typeName+"!")
			}
		}
		head := string(operation)
		if len(declared) > 0 {
			head += " (" + strings.Join(declared, ", ") + ")"
		}
		docs[i].text = head + " { " + b.String() + " }"
	}
	return docs
}

func (g *generator) below(path []step, only []string, depth int, f fill) []*selection {
	last := path[len(path)-1]
	target := g.schema.Types[last.field.Type.Name()]
	parts := [][]*selection{nil}
	if target.IsAbstractType() {
		depth = min(depth, 2) // what its types have below, their own fields are asked for
	}
	if !target.IsLeafType() {
		parts = split(g.selections(target.Name, depth, nil, "", f), maxFields)
	}
	var list []*selection
	head := last.field.Name + g.arguments(last.parent, last.field, only, f)
	above := make([]string, len(path)-1)
	for i, s := range path[:len(path)-1] {
		above[i] = s.field.Name + g.arguments(s.parent, s.field, nil, f)
	}
	for _, kids := range parts {
		s := &selection{head: head, kids: kids}
		for _, head := range slices.Backward(above) {
			s = &selection{head: head, kids: []*selection{s}}
		}
		list = append(list, s)
	}
	return list
}

// questions are documents for every root field, and for every argument anywhere that leads to
// something and may be left out.
func (g *generator) questions() []question {
	var all []question
	add := func(q question) {
		for _, d := range q.documents {
			for _, b := range d.blanks {
				if !slices.Contains(q.kinds, b.kind) {
					q.kinds = append(q.kinds, b.kind)
				}
			}
		}
		all = append(all, q)
	}
	for _, operation := range []ast.Operation{ast.Query, ast.Mutation, ast.Subscription} {
		root := map[ast.Operation]*ast.Definition{ast.Query: g.schema.Query, ast.Mutation: g.schema.Mutation, ast.Subscription: g.schema.Subscription}[operation]
		var ways [][]step
		for _, field := range root.Fields {
			if strings.HasPrefix(field.Name, "_") {
				continue
			}
			way := []step{{root.Name, field}}
			ways = append(ways, way)
			add(question{operation: operation, root: field.Name, coordinate: root.Name + "." + field.Name, documents: g.write(operation, way, nil, maxDepth)})
		}
		if operation == ast.Mutation {
			continue // what it answers with, queries do too
		}
		seen := map[string]bool{}
		for len(ways) > 0 {
			way := ways[0]
			ways = ways[1:]
			last := way[len(way)-1]
			coordinate := last.parent + "." + last.field.Name
			if seen[coordinate] {
				continue
			}
			seen[coordinate] = true
			for _, a := range last.field.Arguments {
				for _, only := range g.optional(a.Type, coordinate+"."+a.Name, []string{a.Name}, a.Type.NonNull) {
					q := question{operation: operation, root: way[0].field.Name, coordinate: coordinate + "." + strings.Join(only, ".")}
					q.documents = g.write(operation, way, only, 3)
					if strings.HasSuffix(q.coordinate, ".after") {
						q.cursors = g.write(operation, way, nil, 2)
					}
					add(q)
				}
			}
			target := g.schema.Types[last.field.Type.Name()]
			if target.Kind != ast.Object || operation == ast.Subscription { // below an event is what queries have
				continue
			}
			for _, field := range target.Fields {
				ways = append(ways, append(way[:len(way):len(way)], step{target.Name, field}))
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(g.schema.Types)) {
		def := g.schema.Types[name]
		for _, key := range def.Directives.ForNames("key") {
			field := def.Fields.ForName(key.Arguments.ForName("fields").Value.Raw)
			if field == nil {
				g.problem("%s has a @key of several fields: teach questions to fill it", name)
				continue
			}
			kind := strings.ToLower(name)
			if field.Name != "id" {
				kind = map[string]string{"insee": "insee", "slug": "communeSlug"}[field.Name]
			}
			if kind == "" {
				g.problem("%s has a @key %s: say in questions what it leads to", name, field.Name)
			}
			add(question{operation: ast.Query, root: "_entities", coordinate: name + " @key " + field.Name, documents: documents(ast.Query, func(f fill) []*selection {
				at := f(blank{typeName: "_Any", kind: kind, entity: name, key: field.Name})
				var list []*selection
				for _, kids := range split(g.selections(name, maxDepth-1, nil, "", f), maxFields) {
					list = append(list, &selection{head: "_entities(representations: [" + at + "])", kids: []*selection{{head: "... on " + name, kids: kids}}})
				}
				return list
			})})
		}
	}
	return all
}

// optional are the paths below an argument to what leads somewhere and may be left out.
func (g *generator) optional(t *ast.Type, coordinate string, path []string, required bool) [][]string {
	def := g.schema.Types[t.Name()]
	if def.Kind != ast.InputObject {
		if !required && g.keyKind(t.Name(), coordinate) != "" {
			return [][]string{path}
		}
		return nil
	}
	var all [][]string
	for _, field := range def.Fields {
		if len(path) < 5 {
			all = append(all, g.optional(field.Type, def.Name+"."+field.Name, append(path[:len(path):len(path)], field.Name), required && field.Type.NonNull)...)
		}
	}
	return all
}
