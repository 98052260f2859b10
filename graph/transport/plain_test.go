package transport_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/audelor/halles/graph/transport"
)

// same fails where a body that is read the quick way is not as encoding/json reads it; quick: it was.
func same(t rapid.TB, body string) (quick bool) {
	t.Helper()
	got, quick := transport.ReadPlain([]byte(body))
	if !quick {
		return false
	}
	var want transport.Given
	if err := transport.Decode([]byte(body), &want); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%s: %#v, encoding/json has %#v, %v", body, got, want, err)
	}
	return true
}

// What a client may send is read the quick way, or left to encoding/json.
func TestPlainBodies(t *testing.T) {
	t.Parallel()
	for body, quick := range map[string]bool{
		`{"query":"{ a }"}`: true,
		` { "query" : "{ a }" , "variables" : { "n" : 1.50 , "l" : [ true, null, {} ] } , "operationName" : "A" } `:     true,
		`{"query":"\"é\\ \n","variables":null,"operationName":null,"extensions":null,"documentId":null}`:                true,
		`{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"ab"}},"variables":{"a":{"b":[[]]},"a":-0e1,"":""}}`: true,
		`{"documentId":"sha256:ab"}`:                true,
		`{"query":"\u00e9"}`:                        false,
		`{"query":"{ a }","query":"{ b }"}`:         false,
		`{"variables":{"a":1},"variables":{"b":1}}`: false,
		`{"Query":"{ a }"}`:                         false,
		`{"query":"{ a }","more":1}`:                false,
		`{"query":1}`:                               false,
		`{"query":["{ a }"]}`:                       false,
		`{"variables":[]}`:                          false,
		`{"variables":"{}"}`:                        false,
		`{"query":"{ a }"`:                          false,
		`{"query":"{ a }"} {}`:                      false,
		`{"query":"a` + "\n" + `"}`:                 false,
		`{"variables":{"a":01}}`:                    false,
		`{"variables":{"a":` + strings.Repeat("[", 7) + strings.Repeat("]", 7) + `}}`:           true,
		`{"variables":{"a":` + strings.Repeat("[", 8) + strings.Repeat("]", 8) + `}}`:           false,
		`{"variables":{"a":` + strings.Repeat(`{"a":`, 8) + `1` + strings.Repeat("}", 8) + `}}`: false,
		`[{"query":"{ a }"}]`: false,
		`{}`:                  false,
		`"query"`:             false,
		``:                    false,
		`{"query":"` + strings.Repeat("a", 8<<10) + `"}`:       false,
		`{"variables":{"a":` + strings.Repeat("[", 9000) + `}`: false,
	} {
		if same(t, body) != quick {
			t.Errorf("%s: quick %t", body, !quick)
		}
	}
}

func TestBodiesByChance(t *testing.T) {
	t.Parallel()
	scalar := rapid.OneOf(rapid.Just[any](nil), rapid.Bool().AsAny(), rapid.Int().AsAny(), rapid.Float64().AsAny(), rapid.String().AsAny())
	value := rapid.Deferred(func() *rapid.Generator[any] { return scalar })
	for range 3 {
		inner := value
		value = rapid.OneOf(scalar, rapid.SliceOfN(inner, 0, 3).AsAny(), rapid.MapOfN(rapid.String(), inner, 0, 3).AsAny())
	}
	member := rapid.SampledFrom([]string{"query", "operationName", "variables", "extensions", "documentId", "Query", "more"})
	rapid.Check(t, func(t *rapid.T) {
		all := map[string]any{"query": rapid.String().Draw(t, "query"), "variables": rapid.MapOfN(rapid.String(), value, 0, 3).Draw(t, "variables")}
		for range rapid.IntRange(0, 2).Draw(t, "others") {
			all[member.Draw(t, "member")] = value.Draw(t, "value")
		}
		body, err := json.Marshal(all)
		if err != nil {
			t.Fatal(err)
		}
		text := []byte(string(body))
		if at := rapid.IntRange(-9, len(text)-1).Draw(t, "spoiled"); at >= 0 {
			text[at] = rapid.SampledFrom([]byte(`{}[]",:0 eu\n`)).Draw(t, "by")
		}
		if utf8.Valid(text) { // others are refused before
			same(t, string(text))
		}
	})
}
