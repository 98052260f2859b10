// Package hostile collects what somebody might send to knock the server over: documents, and
// requests of which no document can be read.
package hostile

import (
	"fmt"
	"strings"
)

// Document is one that must be refused before anything of it is done.
type Document struct {
	Text    string
	Vars    map[string]any
	Because string // part of the sentence; "" where the parser or the validator says no
}

// Documents cost much, or would, or are made to confuse.
func Documents() map[string]Document {
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
	return map[string]Document{
		"ManyAliases":          {Text: `{ ` + each(20_000, "a%d: __typename ") + `}`, Because: "trop long"},
		"ManyRepeats":          {Text: `{ ` + repeat("__typename ", 20_000) + `}`, Because: "trop long"},
		"ManyComments":         {Text: "{ __typename }" + repeat("#\n", 50_000), Because: "trop long"},
		"ManyDirectives":       {Text: `{ __typename ` + repeat("@skip(if: false) ", 10_000) + `}`, Because: "trop long"},
		"ManyVariables":        {Text: `query (` + each(10_000, "$v%d: Int ") + `) { __typename }`, Because: "trop long"},
		"ManyOperations":       {Text: each(100, "query q%d { __typename } "), Because: "plus de 10 opérations"},
		"ManyRootFields":       {Text: `{ ` + each(11, "a%d: communes { name } ") + `}`, Because: "plus de 10 champs à la racine"},
		"ManyRootFieldsSpread": {Text: `{ ` + repeat("...f ", 6) + `} fragment f on Query { ` + repeat("communes { name } ", 2) + `}`, Because: "plus de 10 champs à la racine"},
		"FewerAliases":         {Text: `{ communes { ` + each(51, "a%d: name ") + `} }`, Because: "plus de 50 alias"},
		"AliasesInFragments":   {Text: `{ communes { ` + repeat("...f ", 11) + `} } fragment f on Commune { a: name b: name c: name d: name e: name }`, Because: "plus de 50 alias"},
		"FewerRepeats":         {Text: `{ communes { ` + repeat("name ", 400) + `} }`, Because: "plus de 400 champs"},
		"FewerDirectives":      {Text: `{ communes { ` + repeat("name @skip(if: false) ", 51) + `} }`, Because: "plus de 50 directives"},
		"DirectivesOfOne":      {Text: `query ` + repeat("@a ", 51) + `{ __typename }`, Because: "plus de 50 directives"},
		"DirectivesOfVariable": {Text: `query ($x: Int ` + repeat("@a ", 51) + `) { __typename }`, Because: "plus de 50 directives"},
		"DirectivesOfFragment": {Text: `{ ...f } fragment f on Query ` + repeat("@a ", 51) + `{ __typename }`, Because: "plus de 50 directives"},
		"Deep":                 {Text: `{ categories ` + repeat("{ parent ", 100) + `{ id }` + repeat("}", 100) + ` }`, Because: "plus de 15 niveaux"},
		"DeepByOne":            {Text: `{ categories ` + repeat("{ parent ", 14) + `{ id }` + repeat("}", 14) + ` }`, Because: "plus de 15 niveaux"},
		"DeepChain":            {Text: `{ categories { ...f0 } } ` + chainOfParents(20), Because: "plus de 15 niveaux"},
		"DeepType":             {Text: `query ($x: ` + repeat("[", 900) + "Int" + repeat("]", 900) + `) { __typename }`, Because: ""},
		"FragmentsDouble":      {Text: `{ shop(id: "x") { ...f0 } } ` + chain(30, "name"), Because: "plus de 400 champs"},
		"FragmentsDoubleMore":  {Text: `{ shop(id: "x") { ...f0 } } ` + chain(98, "name"), Because: "plus de 400 champs"},
		"FragmentsUnused":      {Text: `{ __typename } ` + chain(98, "name"), Because: "plus de 400 champs"},
		"FragmentsIntrospect":  {Text: `{ __schema { types { ...f0 } } } ` + strings.ReplaceAll(chain(30, "name"), "Shop", "__Type"), Because: "plus de 400 champs"},
		"Circular":             {Text: `{ ...a } fragment a on Query { ...a __typename }`, Because: "se contient lui-même"},
		"CircularOfTwo":        {Text: `{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }`, Because: "se contient lui-même"},
		"CircularInFields":     {Text: `{ categories { ...a } } fragment a on Category { parent { ...a } children { ...a } }`, Because: "se contient lui-même"},
		"CircularUnused":       {Text: `{ __typename } fragment a on Query { ...a }`, Because: "se contient lui-même"},
		"LongAlias":            {Text: `{ communes { ` + repeat("a", 101) + `: name } }`, Because: "dépasse 100 caractères"},
		"LongFragmentName":     {Text: `{ ...` + repeat("a", 100_000) + ` }`, Because: ""},
		"LongString":           {Text: `{ shop(id: "` + repeat("é", 50_000) + `", x: 1) { id } }`, Because: ""},
		"NullBytes":            {Text: "{ \x00\x00 }", Because: ""},
		"OnlyNullBytes":        {Text: repeat("\x00", 100_000), Because: ""},
		"Unclosed":             {Text: repeat("{ a ", 5000), Because: ""},
		"UnclosedValue":        {Text: `{ a(b: ` + repeat("[", 1500), Because: ""},
		"OnlySigns":            {Text: repeat("!$(", 3000), Because: ""},
		"Empty":                {Text: " ", Because: ""},
		"HugePages": {
			Text:    `{ shops(first: 100) { nodes { products(first: 100) { nodes { variants { sku } } } } } }`,
			Because: "La réponse pourrait contenir",
		},
		"HugePagesByVariable": {
			Text: `query ($n: Int!) { shops(first: $n) { nodes { products(first: $n) { nodes { variants { sku } } } } } }`,
			Vars: map[string]any{"n": int64(100)}, Because: "La réponse pourrait contenir",
		},
		"HugePagesByDefault": {
			Text:    `query ($n: Int! = 100) { shops(first: $n) { nodes { products(first: $n) { nodes { variants { sku } } } } } }`,
			Because: "La réponse pourrait contenir",
		},
		"HugePagesInFragments": {
			Text:    `{ shops(first: 100) { ...s } } fragment s on ShopConnection { nodes { products(first: 100) { ...p } } } fragment p on ProductConnection { nodes { variants { sku } } }`,
			Because: "La réponse pourrait contenir",
		},
		"HugeAliased": {
			Text:    `{ shops(first: 100) { nodes { products(first: 50) { nodes { ` + each(10, "a%d: description ") + `} } } } }`,
			Because: "La réponse pourrait contenir",
		},
		"HugeBackAndForth": {
			Text:    `{ communes { shops(first: 20) { nodes { commune { shops(first: 20) { nodes { commune { shops(first: 20) { nodes { id } } } } } } } } } }`,
			Because: "La réponse pourrait contenir",
		},
		"HugeSubscription": {
			Text:    `subscription { orderUpdated(id: "x") { order { shop { commune { shops(first: 100) { nodes { products(first: 100) { nodes { shop { name } variants { sku } } } } } } } } } }`,
			Because: "La réponse pourrait contenir",
		},
		"HugeMutation": {
			Text:    `mutation { acceptOrder(input: {order: "x"}) { order { shop { commune { shops(first: 100) { nodes { products(first: 100) { nodes { shop { name } variants { sku } } } } } } } } } }`,
			Because: "La réponse pourrait contenir",
		},
		"HugeNodes": {
			Text: `query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Commune { shops(first: 100) { nodes { fulfilments { mode } } } } } }`,
			Vars: map[string]any{"ids": ids(100)}, Because: "La réponse pourrait contenir",
		},
		"HugeEntities": {
			Text: `query ($r: [_Any!]!) { _entities(representations: $r) { ... on Commune { shops(first: 25) { nodes { id } } } } }`,
			Vars: map[string]any{"r": representations(1000)}, Because: "La réponse pourrait contenir",
		},
		"ManyEntities": {
			Text: `query ($r: [_Any!]!) { _entities(representations: $r) { __typename } }`,
			Vars: map[string]any{"r": representations(1001)}, Because: "1001 représentations d'un coup ; 1000 au plus",
		},
		"ManyNodes": {
			Text: `query ($ids: [ID!]!) { nodes(ids: $ids) { id } }`,
			Vars: map[string]any{"ids": ids(30_000)}, Because: "La réponse pourrait contenir",
		},
		"ManySchemas":        {Text: `{ ` + each(9, "s%d: __schema { types { name fields { name args { name type { name } } } inputFields { name } } } ") + `}`, Because: "L'introspection demande plus"},
		"DeepIntrospection":  {Text: `{ __schema { types { fields { type { fields { name } } } } } }`, Because: "L'introspection demande plus"},
		"DeepTypes":          {Text: `{ __type(name: "Shop") { fields { type { fields { type { fields { name } } } } } } }`, Because: "L'introspection demande plus"},
		"LongIntrospection":  {Text: `{ __type(name: "Shop") ` + repeat("{ ofType ", 25) + `{ name }` + repeat("}", 25) + ` }`, Because: "L'introspection demande plus"},
		"WideIntrospection":  {Text: `{ __schema { types { ` + repeat("name ", 600) + ` } } }`, Because: "L'introspection demande plus"},
		"AliasIntrospection": {Text: `{ __schema { types { ` + each(30, "a%d: fields { name } ") + `} } }`, Because: "L'introspection demande plus"},
		"BelowASchema":       {Text: `{ __schema { types { name } queryType { ... on __Type { ` + repeat("name ", 600) + `} } } }`, Because: "L'introspection demande plus"},
		// Circles and ladders of fragments.
		"CircularOfTen":         {Text: `{ ...f0 } ` + each(9, "fragment f%[1]d on Query { ...f%[2]d } ") + `fragment f9 on Query { ...f0 }`, Because: "se contient lui-même"},
		"CircularThroughInline": {Text: `{ categories { ...a } } fragment a on Category { ... { ... on Category { ... @skip(if: false) { children { ...a } } } } }`, Because: "se contient lui-même"},
		"CircularInMutation":    {Text: `mutation { acceptOrder(input: {order: "x"}) { order { ...o } } } fragment o on Order { history { order { ...o } } }`, Because: "se contient lui-même"},
		"FragmentsTriple":       {Text: `{ shop(id: "x") { ...f0 } } ` + each(25, "fragment f%[1]d on Shop { ...f%[2]d ...f%[2]d ...f%[2]d } ") + `fragment f25 on Shop { name }`, Because: "plus de 400 champs"},
		"FragmentsInFields":     {Text: `{ categories { ...f0 } } ` + each(12, "fragment f%[1]d on Category { parent { ...f%[2]d } children { ...f%[2]d } } ") + `fragment f12 on Category { id }`, Because: "plus de 400 champs"},
		"FragmentsOnInterface":  {Text: `{ node(id: "x") { ...f0 } } ` + each(40, "fragment f%[1]d on Node { ...f%[2]d ... on Shop { ...f%[2]d } } ") + `fragment f40 on Node { id }`, Because: "plus de 400 champs"},
		"FragmentsOfAliases":    {Text: `{ communes { ...f0 } } ` + each(10, "fragment f%[1]d on Commune { ...f%[2]d ...f%[2]d } ") + `fragment f10 on Commune { a: name }`, Because: "plus de"},
		"FragmentsOfDirectives": {Text: `{ communes { ...f0 } } ` + each(6, "fragment f%[1]d on Commune { ...f%[2]d @skip(if: false) ...f%[2]d } ") + `fragment f6 on Commune { name @skip(if: false) }`, Because: "plus de 50 directives"},
		"ManyFragments":         {Text: `{ __typename } ` + each(280, "fragment f%d on Shop { id } "), Because: "plus de 100 fragments"},
		"ManySpreads":           {Text: `{ shop(id: "x") { ` + each(101, "...f%d ") + `} } ` + each(101, "fragment f%d on Shop { id } "), Because: "plus de 100 fragments"},
		"ManyUnknownFragments":  {Text: `{ shop(id: "x") { ` + each(600, "...f%d ") + `} }`, Because: "qui n'y est pas"},
		"FragmentsOfOneName":    {Text: `{ ...f } ` + repeat("fragment f on Query { __typename } ", 200), Because: ""},
		"ImpossibleSpreads":     {Text: `{ ` + repeat("... on Shop { id } ", 300) + `}`, Because: ""},
		"ImpossibleNest":        {Text: `{ ` + repeat("... on Shop { ", 400) + `id` + repeat("}", 400) + ` }`, Because: ""},
		"SpreadOfAScalar":       {Text: `{ ... on ID { id } ...f } fragment f on Int { id }`, Because: ""},

		// Names and values.
		"ManyUnknownFields":  {Text: `{ viewer { ` + each(390, "unknown%d ") + `} }`, Because: ""},
		"ManyArguments":      {Text: `{ shops(` + repeat("first: 1 ", 600) + `) { totalCount } }`, Because: ""},
		"ManyUnknownArgs":    {Text: `{ shops(` + each(600, "a%d: 1 ") + `) { totalCount } }`, Because: ""},
		"ManyInputFields":    {Text: `{ shops(first: 1, filter: {` + repeat("text: 1 ", 600) + `}) { totalCount } }`, Because: ""},
		"ManyUnknownInputs":  {Text: `{ shops(first: 1, filter: {` + each(600, "a%d: 1 ") + `}) { totalCount } }`, Because: ""},
		"ManyListElements":   {Text: `{ nodes(ids: [` + repeat(`"x" `, 2100) + `]) { id } }`, Because: "trop long"},
		"ManyWrongElements":  {Text: `{ shop(id: "x") { orders(first: 1, status: [` + repeat("X ", 1900) + `]) { nodes { id } } } }`, Because: ""},
		"DeepList":           {Text: `{ shops(first: ` + repeat("[", 900) + repeat("]", 900) + `) { totalCount } }`, Because: ""},
		"DeepObject":         {Text: `{ shops(first: 1, filter: ` + repeat("{a: ", 450) + "1" + repeat("}", 450) + `) { totalCount } }`, Because: ""},
		"DeepDefault":        {Text: `query ($x: [Int] = ` + repeat("[", 900) + repeat("]", 900) + `) { __typename }`, Because: ""},
		"ConflictingAliases": {Text: `{ communes { ` + each(49, "x: shops(first: %d) { totalCount } ") + `} }`, Because: ""},
		"ConflictsSpread":    {Text: `{ communes { ` + each(20, "...f%d ") + `} } ` + each(20, "fragment f%[1]d on Commune { x: shops(first: %[1]d) { totalCount } } "), Because: ""},
		"ManyUnusedVars":     {Text: `query (` + each(350, "$v%d: Int ") + `) { __typename }`, Because: ""},
		"ManyUndefinedVars":  {Text: `{ nodes(ids: [` + each(600, "$v%d ") + `]) { id } }`, Because: ""},
		"OneVariableOften":   {Text: `query (` + repeat("$v: Int ", 400) + `) { shops(first: $v) { totalCount } }`, Because: ""},
		"UnknownDirectives":  {Text: `{ viewer ` + each(50, "@d%d ") + `{ kind } }`, Because: ""},
		"OneDirectiveOften":  {Text: `{ viewer ` + repeat("@skip(if: true) ", 50) + `{ kind } }`, Because: ""},
		"HugeInt":            {Text: `{ shops(first: ` + repeat("9", 50_000) + `) { totalCount } }`, Because: ""},
		"HugeExponent":       {Text: `{ shops(first: 1, near: {latitude: 1e` + repeat("9", 1000) + `, longitude: 0, x: 1}) { totalCount } }`, Because: ""},
		"LongFieldName":      {Text: `{ viewer { ` + repeat("x", 100_000) + ` } }`, Because: ""},
		"LongTypeName":       {Text: `{ node(id: "x") { ... on ` + repeat("X", 100_000) + ` { id } } }`, Because: ""},
		"LongDirectiveName":  {Text: `{ viewer @` + repeat("x", 100_000) + ` { kind } }`, Because: ""},
		"LongEnumValue":      {Text: `{ shops(first: 1, orderBy: ` + repeat("X", 100_000) + `) { totalCount } }`, Because: ""},
		"LongBlockString":    {Text: `{ shop(id: """` + repeat("  é\n", 20_000) + `""", x: 1) { id } }`, Because: ""},

		// What is no document.
		"OpenString":        {Text: `{ shop(id: "` + repeat("x", 100_000), Because: ""},
		"OpenBlockString":   {Text: `{ shop(id: """` + repeat("\n", 100_000), Because: ""},
		"BadEscape":         {Text: `{ shop(id: "\x41") { id } }`, Because: ""},
		"HalfEscape":        {Text: `{ shop(id: "\u00") { id } }`, Because: ""},
		"ControlCharacters": {Text: "{ viewer { \x01\x02\x1b[31m kind } }", Because: ""},
		"LookAlikes":        {Text: "{ v\u0456ewer { kind } }", Because: ""}, // a Cyrillic letter
		"TurnedRound":       {Text: "{ viewer { \u202ekind } }", Because: ""},
		"NoBreakSpaces":     {Text: repeat("\u00a0", 20_000) + "{ viewer { kind } }", Because: ""},
		"OnlyCommas":        {Text: repeat(",", 100_000), Because: ""},
		"OnlyComments":      {Text: repeat("#", 100_000), Because: ""},
		"OnlySpreads":       {Text: repeat("...", 1000), Because: ""},
		"ASchema":           {Text: `type Query { a: Int } ` + each(50, "extend type T%d { a: Int } "), Because: ""},
		"AnonymousBeside":   {Text: `{ __typename } query q { __typename }`, Because: ""},
		"OneNameTwice":      {Text: each(2, "query q { __typename } # %d\n"), Because: ""},
		"TwoSubscriptions":  {Text: `subscription { a: orderUpdated(id: "x") { status } b: orderUpdated(id: "y") { status } }`, Because: "une seule chose"},
		"NothingToFollow":   {Text: `subscription { ...f } fragment f on Subscription { orderUpdated(id: "x") @include(if: false) { status } }`, Because: "ni de @skip ni de @include"},
		"TwoSpread":         {Text: `subscription { ...f ...g } fragment f on Subscription { a: orderUpdated(id: "x") { status } } fragment g on Subscription { orderUpdated(id: "x") { status } }`, Because: "une seule chose"},
		"NoSelection":       {Text: `{ shops(first: 1) }`, Because: ""},
		"SelectionOfAText":  {Text: `{ viewer { name { a { b { c } } } } }`, Because: ""},

		// What would be much.
		"ManyMutations":     {Text: `mutation { ` + each(11, `a%d: acceptOrder(input: {order: "x"}) { refusals { code } } `) + `}`, Because: "plus de 10 champs à la racine"},
		"HugeByTree":        {Text: `{ categories { ` + repeat("children { parent { ", 5) + `id` + repeat("} }", 5) + ` } }`, Because: "La réponse pourrait contenir"},
		"HugeByHistory":     {Text: `{ viewer { orders(first: 100) { nodes { history { order { history { order { history { order { id } } } } } } } } } }`, Because: "La réponse pourrait contenir"},
		"HugeByLines":       {Text: `{ viewer { orders(first: 100) { nodes { lines { variant { product { shop { products(first: 100) { nodes { id } } } } } } } } } }`, Because: "La réponse pourrait contenir"},
		"HugeByAliases":     {Text: `{ ` + each(10, "a%d: shops(first: 100) { nodes { products(first: 100) { nodes { id } } } } ") + `}`, Because: "La réponse pourrait contenir"},
		"HugeByEdges":       {Text: `{ shops(first: 100) { edges { node { products(first: 100) { edges { node { shop { category { id } } } } } } } } }`, Because: "La réponse pourrait contenir"},
		"HugeByNodes":       {Text: `query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Shop { products(first: 100) { nodes { category { children { id } } } } } } }`, Vars: map[string]any{"ids": ids(100)}, Because: "La réponse pourrait contenir"},
		"HugeSkipped":       {Text: `{ shops(first: 100) @skip(if: true) { nodes { products(first: 100) { nodes { variants { sku } } } } } }`, Because: "La réponse pourrait contenir"},
		"IntrospectBetween": {Text: `{ __schema { types { possibleTypes { interfaces { possibleTypes { name } } } } } }`, Because: "L'introspection demande plus"},
		"IntrospectArgs":    {Text: `{ __schema { directives { ` + each(25, "a%d: args { name } ") + `} } }`, Because: "L'introspection demande plus"},
		"IntrospectSpread":  {Text: `{ __schema { types { ...t } } } fragment t on __Type { fields { type { ...u } } } fragment u on __Type { fields { type { fields { name } } } }`, Because: "L'introspection demande plus"},
	}
}

// each repeats a format with 0, 1, 2 …, which are %d or %[1]d; what comes next is %[2]d.
func each(n int, format string) string {
	var b strings.Builder
	for i := range n {
		text := strings.ReplaceAll(strings.ReplaceAll(format, "%[2]d", fmt.Sprint((i+1))), "%[1]d", fmt.Sprint(i))
		b.WriteString(strings.ReplaceAll(text, "%d", fmt.Sprint(i)))
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
