package limits

import (
	"fmt"
	"strings"
)

// hostile are documents that cost much, or would, each with what it must be refused for; ""
// where the parser or the validator says no.
func hostile() map[string]document {
	repeat := strings.Repeat
	// chain is n fragments that each spread the next one twice: 2ⁿ fields.
	chain := func(n int, leaf string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "fragment f%d on Shop { ...f%d ...f%d } ", i, i+1, i+1)
		}
		fmt.Fprintf(&b, "fragment f%d on Shop { %s }", n, leaf)
		return b.String()
	}
	ids := func(n int) []any {
		list := make([]any, n)
		for i := range list {
			list[i] = "commune_56121"
		}
		return list
	}
	representations := func(n int) []any {
		list := make([]any, n)
		for i := range list {
			list[i] = map[string]any{"__typename": "Commune", "insee": "56121"}
		}
		return list
	}
	return map[string]document{
		"ManyAliases":          {text: `{ ` + each(20_000, "a%d: __typename ") + `}`, because: "trop long"},
		"ManyRepeats":          {text: `{ ` + repeat("__typename ", 20_000) + `}`, because: "trop long"},
		"ManyComments":         {text: "{ __typename }" + repeat("#\n", 50_000), because: "trop long"},
		"ManyDirectives":       {text: `{ __typename ` + repeat("@skip(if: false) ", 10_000) + `}`, because: "trop long"},
		"ManyVariables":        {text: `query (` + each(10_000, "$v%d: Int ") + `) { __typename }`, because: "trop long"},
		"ManyOperations":       {text: each(100, "query q%d { __typename } "), because: "plus de 10 opérations"},
		"ManyRootFields":       {text: `{ ` + each(11, "a%d: communes { name } ") + `}`, because: "plus de 10 champs à la racine"},
		"ManyRootFieldsSpread": {text: `{ ` + repeat("...f ", 6) + `} fragment f on Query { ` + repeat("communes { name } ", 2) + `}`, because: "plus de 10 champs à la racine"},
		"FewerAliases":         {text: `{ communes { ` + each(51, "a%d: name ") + `} }`, because: "plus de 50 alias"},
		"AliasesInFragments":   {text: `{ communes { ` + repeat("...f ", 11) + `} } fragment f on Commune { a: name b: name c: name d: name e: name }`, because: "plus de 50 alias"},
		"FewerRepeats":         {text: `{ communes { ` + repeat("name ", 400) + `} }`, because: "plus de 400 champs"},
		"FewerDirectives":      {text: `{ communes { ` + repeat("name @skip(if: false) ", 51) + `} }`, because: "plus de 50 directives"},
		"DirectivesOfOne":      {text: `query ` + repeat("@a ", 51) + `{ __typename }`, because: "plus de 50 directives"},
		"DirectivesOfVariable": {text: `query ($x: Int ` + repeat("@a ", 51) + `) { __typename }`, because: "plus de 50 directives"},
		"DirectivesOfFragment": {text: `{ ...f } fragment f on Query ` + repeat("@a ", 51) + `{ __typename }`, because: "plus de 50 directives"},
		"Deep":                 {text: `{ categories ` + repeat("{ parent ", 100) + `{ id }` + repeat("}", 100) + ` }`, because: "plus de 15 niveaux"},
		"DeepByOne":            {text: `{ categories ` + repeat("{ parent ", 14) + `{ id }` + repeat("}", 14) + ` }`, because: "plus de 15 niveaux"},
		"DeepChain":            {text: `{ categories { ...f0 } } ` + chainOfParents(20), because: "plus de 15 niveaux"},
		"DeepType":             {text: `query ($x: ` + repeat("[", 900) + "Int" + repeat("]", 900) + `) { __typename }`, because: ""},
		"FragmentsDouble":      {text: `{ shop(id: "x") { ...f0 } } ` + chain(30, "name"), because: "plus de 400 champs"},
		"FragmentsDoubleMore":  {text: `{ shop(id: "x") { ...f0 } } ` + chain(150, "name"), because: "plus de 400 champs"},
		"FragmentsUnused":      {text: `{ __typename } ` + chain(150, "name"), because: "plus de 400 champs"},
		"FragmentsIntrospect":  {text: `{ __schema { types { ...f0 } } } ` + strings.ReplaceAll(chain(30, "name"), "Shop", "__Type"), because: "plus de 400 champs"},
		"Circular":             {text: `{ ...a } fragment a on Query { ...a __typename }`, because: "se contient lui-même"},
		"CircularOfTwo":        {text: `{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }`, because: "se contient lui-même"},
		"CircularInFields":     {text: `{ categories { ...a } } fragment a on Category { parent { ...a } children { ...a } }`, because: "se contient lui-même"},
		"CircularUnused":       {text: `{ __typename } fragment a on Query { ...a }`, because: "se contient lui-même"},
		"LongAlias":            {text: `{ communes { ` + repeat("a", 101) + `: name } }`, because: "dépasse 100 caractères"},
		"LongFragmentName":     {text: `{ ...` + repeat("a", 100_000) + ` }`, because: ""},
		"LongString":           {text: `{ shop(id: "` + repeat("é", 50_000) + `", x: 1) { id } }`, because: ""},
		"NullBytes":            {text: "{ \x00\x00 }", because: ""},
		"OnlyNullBytes":        {text: repeat("\x00", 100_000), because: ""},
		"Unclosed":             {text: repeat("{ a ", 5000), because: ""},
		"UnclosedValue":        {text: `{ a(b: ` + repeat("[", 1500), because: ""},
		"OnlySigns":            {text: repeat("!$(", 3000), because: ""},
		"Empty":                {text: " ", because: ""},
		"HugePages": {
			text:    `{ shops(first: 100) { nodes { products(first: 100) { nodes { variants { sku } } } } } }`,
			because: "La réponse pourrait contenir",
		},
		"HugePagesByVariable": {
			text: `query ($n: Int!) { shops(first: $n) { nodes { products(first: $n) { nodes { variants { sku } } } } } }`,
			vars: map[string]any{"n": int64(100)}, because: "La réponse pourrait contenir",
		},
		"HugePagesByDefault": {
			text:    `query ($n: Int! = 100) { shops(first: $n) { nodes { products(first: $n) { nodes { variants { sku } } } } } }`,
			because: "La réponse pourrait contenir",
		},
		"HugePagesInFragments": {
			text:    `{ shops(first: 100) { ...s } } fragment s on ShopConnection { nodes { products(first: 100) { ...p } } } fragment p on ProductConnection { nodes { variants { sku } } }`,
			because: "La réponse pourrait contenir",
		},
		"HugeAliased": {
			text:    `{ shops(first: 100) { nodes { products(first: 50) { nodes { ` + each(10, "a%d: description ") + `} } } } }`,
			because: "La réponse pourrait contenir",
		},
		"HugeBackAndForth": {
			text:    `{ communes { shops(first: 20) { nodes { commune { shops(first: 20) { nodes { commune { shops(first: 20) { nodes { id } } } } } } } } } }`,
			because: "La réponse pourrait contenir",
		},
		"HugeSubscription": {
			text:    `subscription { orderUpdated(id: "x") { order { shop { commune { shops(first: 100) { nodes { products(first: 100) { nodes { shop { name } variants { sku } } } } } } } } } }`,
			because: "La réponse pourrait contenir",
		},
		"HugeMutation": {
			text:    `mutation { acceptOrder(input: {order: "x"}) { order { shop { commune { shops(first: 100) { nodes { products(first: 100) { nodes { shop { name } variants { sku } } } } } } } } } }`,
			because: "La réponse pourrait contenir",
		},
		"HugeNodes": {
			text: `query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Commune { shops(first: 100) { nodes { fulfilments { mode } } } } } }`,
			vars: map[string]any{"ids": ids(100)}, because: "La réponse pourrait contenir",
		},
		"HugeEntities": {
			text: `query ($r: [_Any!]!) { _entities(representations: $r) { ... on Commune { shops(first: 25) { nodes { id } } } } }`,
			vars: map[string]any{"r": representations(1000)}, because: "La réponse pourrait contenir",
		},
		"ManyEntities": {
			text: `query ($r: [_Any!]!) { _entities(representations: $r) { __typename } }`,
			vars: map[string]any{"r": representations(1001)}, because: "1001 représentations d'un coup ; 1000 au plus",
		},
		"ManyNodes": {
			text: `query ($ids: [ID!]!) { nodes(ids: $ids) { id } }`,
			vars: map[string]any{"ids": ids(30_000)}, because: "La réponse pourrait contenir",
		},
		"ManySchemas":        {text: `{ ` + each(9, "s%d: __schema { types { name fields { name args { name type { name } } } inputFields { name } } } ") + `}`, because: "L'introspection demande plus"},
		"DeepIntrospection":  {text: `{ __schema { types { fields { type { fields { name } } } } } }`, because: "L'introspection demande plus"},
		"DeepTypes":          {text: `{ __type(name: "Shop") { fields { type { fields { type { fields { name } } } } } } }`, because: "L'introspection demande plus"},
		"LongIntrospection":  {text: `{ __type(name: "Shop") ` + repeat("{ ofType ", 25) + `{ name }` + repeat("}", 25) + ` }`, because: "L'introspection demande plus"},
		"WideIntrospection":  {text: `{ __schema { types { ` + repeat("name ", 600) + ` } } }`, because: "L'introspection demande plus"},
		"AliasIntrospection": {text: `{ __schema { types { ` + each(30, "a%d: fields { name } ") + `} } }`, because: "L'introspection demande plus"},
		"BelowASchema":       {text: `{ __schema { types { name } queryType { ... on __Type { ` + repeat("name ", 600) + `} } } }`, because: "L'introspection demande plus"},
	}
}

type document struct {
	text    string
	vars    map[string]any
	because string
}

// each repeats a format with 0, 1, 2 …
func each(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

func chainOfParents(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "fragment f%d on Category { parent { ...f%d } } ", i, i+1)
	}
	fmt.Fprintf(&b, "fragment f%d on Category { id }", n)
	return b.String()
}
