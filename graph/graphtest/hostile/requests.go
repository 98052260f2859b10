package hostile

import (
	"encoding/binary"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf16"
)

// Request is one that must be refused, whatever document it has or has not.
type Request struct {
	Method  string // POST when empty
	Query   string // of the address
	Body    string
	Headers []string // in pairs; Content-Type is application/json where none is given
}

const (
	mutation     = `mutation { acceptOrder(input: {order: "x"}) { order { status } } }`
	subscription = `subscription { orderUpdated(id: "x") { status } }`
)

// Requests are hostile in their form.
func Requests() map[string]Request {
	repeat := strings.Repeat
	get := func(pairs ...string) string {
		values := url.Values{}
		for i := 0; i < len(pairs); i += 2 {
			values.Add(pairs[i], pairs[i+1]) //nolint:gosec // they come in pairs
		}
		return values.Encode()
	}
	form := get("query", mutation)
	as := func(kind string) []string { return []string{"Content-Type", kind} }
	typename := `{"query":"{ __typename }"}`
	entities := func(n int, alias string) string {
		return fmt.Sprintf(`{"query":"query ($r: [_Any!]!) { ...f } fragment f on Query { %s _entities(representations: $r) { __typename } }","variables":{"r":[%s]}}`,
			alias, strings.TrimSuffix(repeat(`{"__typename":"Commune","insee":"56121"},`, n), ","))
	}
	return map[string]Request{
		// Too big, too deep.
		"Body5MB":             {Body: `{"query":"{ __typename } #` + repeat("x", 5<<20) + `"}`},
		"Body5MBOfSpaces":     {Body: repeat(" ", 5<<20) + typename},
		"Body129KiB":          {Body: `{"query":"{ __typename } #` + repeat("x", 129<<10) + `"}`},
		"BodyOfLists":         {Body: `{"query":"{ __typename }","variables":{"x":` + repeat("[", 60_000) + repeat("]", 60_000) + `}}`},
		"BodyOfObjects":       {Body: `{"query":"{ __typename }","variables":` + repeat(`{"a":`, 20_000) + "1" + repeat("}", 20_000) + `}`},
		"BodyOfExtensions":    {Body: `{"query":"{ __typename }","extensions":` + repeat(`{"a":`, 20_000) + "1" + repeat("}", 20_000) + `}`},
		"VariableOfLists":     {Body: `{"query":"query ($c: [InseeCode!]) { shops(first: 1, filter: {communes: $c}) { totalCount } }","variables":{"c":` + repeat("[", 4000) + repeat("]", 4000) + `}}`},
		"VariableOfManyTexts": {Body: `{"query":"query ($c: [Int!]) { __typename @skip(if: $c) }","variables":{"c":[` + repeat(`"x",`, 20_000) + `"x"]}}`},
		"VariableOfUnknowns":  {Body: `{"query":"query ($f: ShopFilter) { shops(first: 1, filter: $f) { totalCount } }","variables":{"f":{` + members(5000) + `}}}`},
		"VariableHuge":        {Body: `{"query":"query ($n: Int!) { shops(first: $n) { totalCount } }","variables":{"n":` + repeat("9", 60_000) + `}}`},
		"VariableExponent":    {Body: `{"query":"query ($n: Float!) { shops(first: 1, near: {latitude: $n, longitude: 0}) { totalCount } }","variables":{"n":1e99999}}`},
		"VariableMissing":     {Body: `{"query":"query ($n: Int!) { shops(first: $n) { totalCount } }"}`},
		"VariableNUL":         {Body: `{"query":"query ($t: String) { shops(first: 1, filter: {text: $t}) { totalCount } }","variables":{"t":"\u0000"}}`},
		"AddressOf200KB":      {Method: "GET", Query: get("query", "{ "+repeat("a ", 100_000)+"}")},

		// Several at once.
		"BatchOfTwo":      {Body: "[" + typename + "," + typename + "]"},
		"BatchOfThousand": {Body: "[" + strings.TrimSuffix(repeat(typename+",", 1000), ",") + "]"},
		"BatchOfBatches":  {Body: repeat("[", 100) + typename + repeat("]", 100)},
		"BatchEmpty":      {Body: "[]"},
		"TwoBodies":       {Body: typename + typename},
		"QueryTwice":      {Method: "GET", Query: get("query", "{ __typename }", "query", mutation)},

		// Not the encoding, not JSON, not the shape.
		"UTF16":              {Body: inUTF16(typename), Headers: as("application/json; charset=utf-16")},
		"UTF16Undeclared":    {Body: "\xff\xfe" + inUTF16(typename)},
		"Latin1":             {Body: "{\"query\":\"{ __typename } # \xe9\"}"},
		"Latin1Declared":     {Body: typename, Headers: as("application/json; charset=iso-8859-1")},
		"InvalidUTF8InGet":   {Method: "GET", Query: "query=%7B__typename%7D%ff"},
		"NULs":               {Body: repeat("\x00", 100_000)},
		"NULInJSON":          {Body: "{\"query\":\"{ __typename\x00 }\"}"},
		"NULInAddress":       {Method: "GET", Query: "query=%00%00"},
		"NoBody":             {Body: ""},
		"HalfABody":          {Body: `{"query":"{ __type`},
		"AText":              {Body: `"{ __typename }"`},
		"ANumber":            {Body: "7"},
		"NullBody":           {Body: "null"},
		"QueryOfNumber":      {Body: `{"query":7}`},
		"QueryOfList":        {Body: `{"query":["{ __typename }"]}`},
		"VariablesOfList":    {Body: `{"query":"{ __typename }","variables":[]}`},
		"VariablesOfText":    {Body: `{"query":"{ __typename }","variables":"{}"}`},
		"ExtensionsOfText":   {Body: `{"query":"{ __typename }","extensions":"x"}`},
		"NameOfNumber":       {Body: `{"query":"{ __typename }","operationName":7}`},
		"NameOfNothing":      {Body: `{"query":"query a { __typename } query b { __typename }"}`},
		"NameOfNobody":       {Body: `{"query":"query a { __typename }","operationName":"` + repeat("b", 100_000) + `"}`},
		"BadEscapeInAddress": {Method: "GET", Query: "query=%7B__typename%7D&variables=%zz"},
		"VariablesNotJSON":   {Method: "GET", Query: get("query", "{ __typename }", "variables", repeat("[", 50_000))},
		"CompressedBomb":     {Body: "\x1f\x8b\x08\x00" + repeat("\x00", 1000), Headers: append(as("application/json"), "Content-Encoding", "gzip")},
		"CompressedTwice":    {Body: typename, Headers: append(as("application/json"), "Content-Encoding", "br, gzip")},

		// What another site's page, link or image could send without asking us first.
		"Form":              {Body: form, Headers: as("application/x-www-form-urlencoded")},
		"FormOfAnotherSite": {Body: form, Headers: append(as("application/x-www-form-urlencoded"), "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site")},
		"FormInParts": {
			Body:    "--b\r\nContent-Disposition: form-data; name=\"operations\"\r\n\r\n{\"query\":\"mutation { __typename }\"}\r\n--b\r\nContent-Disposition: form-data; name=\"map\"\r\n\r\n{}\r\n--b--\r\n",
			Headers: as("multipart/form-data; boundary=b"),
		},
		"PlainText":          {Body: `{"query":"mutation { __typename }"}`, Headers: as("text/plain")},
		"PlainTextJSON":      {Body: `{"query":"mutation { __typename }"}`, Headers: as("text/plain; application/json")},
		"NoType":             {Body: typename, Headers: as("")},
		"GraphQLType":        {Body: mutation, Headers: as("application/graphql")},
		"MutationByGet":      {Method: "GET", Query: get("query", mutation)},
		"MutationByHead":     {Method: "HEAD", Query: get("query", mutation)},
		"MutationBehind":     {Method: "GET", Query: get("query", "query a { __typename } "+strings.Replace(mutation, "mutation", "mutation b", 1), "operationName", "b")},
		"MutationAsEvents":   {Method: "GET", Query: get("query", mutation), Headers: []string{"Accept", "text/event-stream"}},
		"SubscriptionByGet":  {Method: "GET", Query: get("query", subscription)},
		"SubscriptionByPost": {Body: `{"query":"subscription { orderUpdated(id: \"x\") { status } }"}`},
		"PUT":                {Method: "PUT", Body: typename},
		"DELETE":             {Method: "DELETE", Body: typename},
		"PATCH":              {Method: "PATCH", Body: typename},
		"TRACE":              {Method: "TRACE"},
		"NothingAcceptable":  {Body: typename, Headers: append(as("application/json"), "Accept", "image/png;q=1, "+repeat("x/y, ", 5000)+"text/html")},

		// Hashes of documents.
		"HashUnknown":    {Body: `{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"` + repeat("0", 64) + `"}}}`},
		"HashLong":       {Body: `{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"` + repeat("0", 100_000) + `"}}}`},
		"HashOfAnother":  {Body: `{"query":"{ __typename }","extensions":{"persistedQuery":{"version":1,"sha256Hash":"` + repeat("0", 64) + `"}}}`},
		"HashVersion2":   {Body: `{"query":"{ __typename }","extensions":{"persistedQuery":{"version":2,"sha256Hash":"x"}}}`},
		"HashNoObject":   {Body: `{"query":"{ __typename }","extensions":{"persistedQuery":[[[[1]]]]}}`},
		"DocumentIDLong": {Method: "GET", Query: get("documentId", repeat("f", 100_000))},
		"DocumentIDTwo":  {Body: `{"query":"{ __typename }","documentId":"x"}`},

		// Credentials and what needs them.
		"TokenNonsense":   {Body: typename, Headers: append(as("application/json"), "Authorization", "Bearer "+repeat("x", 100_000))},
		"TokenOfDots":     {Body: typename, Headers: append(as("application/json"), "Authorization", "Bearer "+repeat(".", 10_000))},
		"TokenUnsigned":   {Body: typename, Headers: append(as("application/json"), "Authorization", "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.")},
		"KeyNonsense":     {Body: typename, Headers: append(as("application/json"), "X-Halles-Key", repeat("k", 50_000))},
		"Service":         {Body: `{"query":"{ a: _service { sdl } }"}`},
		"ServiceSpread":   {Body: `{"query":"{ ...f } fragment f on Query { ... { b: _service { sdl } } }"}`},
		"Entities":        {Body: entities(1000, "")},
		"EntitiesAlias":   {Body: entities(1, "commune:")},
		"EntitiesTooMany": {Body: entities(1001, "")},
		"RouterGuess":     {Body: `{"query":"{ _service { sdl } }"}`, Headers: append(as("application/json"), "X-Halles-Router", repeat("x", 50_000))},
	}
}

func members(n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `"a%d":1`, i)
	}
	return b.String()
}

func inUTF16(text string) string {
	var b []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		b = binary.LittleEndian.AppendUint16(b, unit)
	}
	return string(b)
}
