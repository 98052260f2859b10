package sdk_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/audelor/halles/graph"
	"github.com/audelor/halles/graph/documents"
	"github.com/audelor/halles/graph/sdk"
)

const small = `
type Query { pet(id: ID!, as: Mode = FULL): Pet pets(first: Int!, names: [String!]): [Pet!]! either: Either, price: Cents! }
interface Pet { id: ID! name: String }
type Cat implements Pet { id: ID! name: String lives: Int! }
type Dog implements Pet { id: ID! name: String friends: [Pet] }
union Either = Cat | Dog
enum Mode { "All of it." FULL SHORT }
input Filter { mode: Mode! = FULL tags: [String!] all: [Mode]! }
type Mutation { tell(filter: Filter!): Boolean! }
type Subscription { seen: Cat! }
scalar Cents
`

// Each form of the schema and of a selection has its form in TypeScript.
func TestTypes(t *testing.T) {
	t.Parallel()
	schema := gqlparser.MustLoadSchema(&ast.Source{Input: small})
	text, version, err := sdk.Types(schema, []documents.Document{{Name: "All", Kind: "query", Hash: "00", Text: `# All pets.
query All($first: Int!, $names: [String!]) {
  pets(first: $first, names: $names) { __typename name ... on Cat { lives } ...D }
  mine: pet(id: "x") { id name }
  mine: pet(id: "x") { id again: name }
  price
}
fragment D on Dog { friends { name } }`}})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`export type Cents = number;`, `export type Either = Cat | Dog;`, `export type Pet = Cat | Dog;`,
		"export type Mode =\n  /** All of it. */\n  | \"FULL\"\n  | \"SHORT\";",
		"export interface Filter {\n  mode?: Mode;\n  tags?: readonly string[] | null;\n  all: readonly (Mode | null)[];\n}",
		"export interface Dog {\n  __typename: \"Dog\";\n  id: string;\n  name: string | null;\n  friends: (Pet | null)[] | null;\n}",
		"export interface QueryPetArgs {\n  id: string;\n  as?: Mode | null;\n}",
		"/** All pets. */\nexport interface AllVariables {\n  first: number;\n  names?: readonly string[] | null;\n}",
		"  pets: ({\n    __typename: \"Cat\";\n    name: string | null;\n    lives: number;\n  } | {\n    __typename: \"Dog\";\n    name: string | null;\n    friends: ({\n      name: string | null;\n    } | null)[] | null;\n  })[];",
		"  mine: {\n    id: string;\n    name: string | null;\n    again: string | null;\n  } | null;\n  price: Cents;",
		`  All: { kind: "query"; hash: "00"; variables: AllVariables; data: AllData };`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	again, same, err := sdk.Types(schema, nil)
	if err != nil || same == version || strings.Contains(again, "AllData") || !regexp.MustCompile(`^[0-9a-f]{12}$`).MatchString(version) {
		t.Errorf("the version is %s, and %s of another text: %v", version, same, err)
	}
}

// The file is whole, and the same each time.
func TestTypesOfTheSchema(t *testing.T) {
	t.Parallel()
	text, version, err := sdk.Types(graph.Schema(), documents.All())
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if again, v, err := sdk.Types(graph.Schema(), documents.All()); err != nil || again != text || v != version {
			t.Errorf("another text each time: %v", err)
		}
	}
	for name, d := range graph.Schema().Types {
		if !strings.HasPrefix(name, "_") && !d.BuiltIn && !regexp.MustCompile(`export (interface|type) `+name+`\b`).MatchString(text) {
			t.Errorf("no %s", name)
		}
	}
	for _, d := range documents.All() {
		if !strings.Contains(text, "export type "+d.Name+"Data = {") || !strings.Contains(text, d.Hash) {
			t.Errorf("no %s", d.Name)
		}
	}
	if strings.Contains(text, "any;") || strings.Contains(text, "undefined") {
		t.Error("a type that says nothing")
	}
}
