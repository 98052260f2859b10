package transport

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
)

// maxPlain is the longest body that is read so, in bytes: with all of them brackets it is no deeper than
// encoding/json goes (10,000).
const maxPlain = 8 << 10

// readPlain reads a body as nearly all clients write it, in a third of the time that encoding/json takes,
// which was a twentieth of a product's answer. False for any other: one that is wrong, has a member twice or
// one that we do not know, escapes characters by their number, or goes deep.
func readPlain(body []byte) (g given, ok bool) {
	if len(body) > maxPlain || bytes.Contains(body, []byte(`\u`)) || !gjson.ValidBytes(body) {
		return given{}, false
	}
	root := gjson.ParseBytes(body)
	if !root.IsObject() {
		return given{}, false
	}
	seen := make([]string, 0, len(members))
	root.ForEach(func(name, value gjson.Result) bool {
		if ok = members[name.Str] != "" && !slices.Contains(seen, name.Str); !ok {
			return false
		}
		seen = append(seen, name.Str)
		switch {
		case value.Type == gjson.Null: // as if it were not there
		case name.Str == "variables":
			g.Variables, ok = plainObject(value, 0)
		case name.Str == "extensions":
			g.Extensions, ok = plainObject(value, 0)
		case value.Type != gjson.String:
			ok = false
		case name.Str == "query":
			g.Query = strings.Clone(value.Str) // it is kept, and not what stands beside it
		case name.Str == "operationName":
			g.OperationName = value.Str
		case name.Str == "documentId":
			g.DocumentID = value.Str
		}
		return ok
	})
	if !ok {
		return given{}, false
	}
	return g, true
}

// maxPlainDepth is how deep variables go that are read so: at each level gjson looks for the end of what
// begins there, which for 4,000 levels took 40 ms.
const maxPlainDepth = 8

// plainObject is an object's members as encoding/json gives them, numbers as they are written.
func plainObject(of gjson.Result, depth int) (all map[string]any, ok bool) {
	if ok = of.IsObject() && depth < maxPlainDepth; !ok {
		return nil, false
	}
	all = map[string]any{}
	of.ForEach(func(name, value gjson.Result) bool {
		all[name.Str], ok = plainValue(value, depth+1)
		return ok
	})
	return all, ok
}

func plainValue(of gjson.Result, depth int) (_ any, ok bool) {
	switch {
	case of.Type == gjson.Null:
		return nil, true
	case of.IsBool():
		return of.Bool(), true
	case of.Type == gjson.Number:
		return json.Number(of.Raw), true
	case of.Type == gjson.String:
		return of.Str, true
	case of.IsObject():
		return plainObject(of, depth)
	}
	if ok = depth < maxPlainDepth; !ok {
		return nil, false
	}
	all := []any{}
	of.ForEach(func(_, value gjson.Result) bool {
		var one any
		one, ok = plainValue(value, depth+1)
		all = append(all, one)
		return ok
	})
	return all, ok
}
