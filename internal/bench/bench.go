// Package bench measures halles beside the limit: what a hand-written handler of net/http and pgx
// does with the same rows on the same machine in the same run — a flat statement, binary rows, JSON
// appended by hand, nothing of GraphQL, of viewers or of policies. What counts is the ratio of the
// two: absolute figures are a machine's, and a busy one's are nobody's.
//
// Both answer over real HTTP on 127.0.0.1, and both must answer the same, leaf by leaf (see Same),
// so that nobody compares apples with pears.
//
//	go test ./internal/bench -bench . -run '^$'      # both in this process, some seconds
//	halles bench                                     # a process each, on a million orders
package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
)

// Workload is one thing that people ask again and again.
type Workload struct {
	Name  string // "W2"
	Title string // what is asked, in a few words

	// Halles and Limit make the n-th request, as it is sent; both ask for the same.
	Halles func(n int) []byte
	Limit  func(n int) []byte

	Staff bool // asked by somebody with an account: not in this process, where nobody signs in
}

// body is what the answer to a request must begin with: data, and no error before it.
var body = []byte(`{"data":{`)

// answered tells whether a response has what was asked for, and nothing was refused.
func answered(status int, answer []byte) error {
	if status != 200 || !bytes.HasPrefix(answer, body) || bytes.Contains(answer, []byte(`"errors":[`)) || bytes.Contains(answer, []byte(`"refusals":[{`)) {
		return fmt.Errorf("status %d: %.300s", status, answer)
	}
	return nil
}

// post is a request of halles: a document with variables. Nobody accepts gzip here, or both would
// have to.
func post(document string, variables any, headers ...string) []byte {
	return request("POST /graphql", asJSON(map[string]any{"query": document, "variables": variables}), headers...)
}

func asJSON(v any) []byte {
	content, err := json.Marshal(v)
	if err != nil {
		panic(err) // plain data
	}
	return content
}

// get is a request of the limit.
func get(path string) []byte { return request("GET "+path, nil) }

func request(line string, content []byte, headers ...string) []byte {
	b := append([]byte(line), " HTTP/1.1\r\nHost: 127.0.0.1\r\n"...)
	for _, h := range headers {
		b = append(append(b, h...), "\r\n"...)
	}
	if content != nil {
		b = append(b, "Content-Type: application/json\r\nContent-Length: "...)
		b = append(strconv.AppendInt(b, int64(len(content)), 10), "\r\n"...)
	}
	return append(append(b, "\r\n"...), content...)
}

// Same tells the first place where the data of two answers differ, as a path and both values, or "".
// What halles tells beside it, a request's cost, the limit has not.
func Same(one, other []byte) string {
	var a, b struct{ Data, Errors any }
	for _, read := range []struct {
		from []byte
		to   any
	}{{one, &a}, {other, &b}} {
		if err := json.Unmarshal(read.from, read.to); err != nil {
			return fmt.Sprintf("no JSON: %v in %.200s", err, read.from)
		}
	}
	if a.Errors != nil || b.Errors != nil || a.Data == nil {
		return fmt.Sprintf("an error, or no data: %.200s and %.200s", one, other)
	}
	return differ("data", a.Data, b.Data)
}

func differ(path string, a, b any) string {
	switch x := a.(type) {
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok {
			break
		}
		for _, name := range names(x, y) {
			in, is := x[name]
			if _, there := y[name]; is != there {
				return fmt.Sprintf("%s.%s: only one has it", path, name)
			}
			if d := differ(path+"."+name, in, y[name]); d != "" {
				return d
			}
		}
		return ""
	case []any:
		y, ok := b.([]any)
		if !ok {
			break
		}
		if len(x) != len(y) {
			return fmt.Sprintf("%s: %d and %d elements", path, len(x), len(y))
		}
		for i := range x {
			if d := differ(path+"."+strconv.Itoa(i), x[i], y[i]); d != "" {
				return d
			}
		}
		return ""
	}
	if !reflect.DeepEqual(a, b) {
		return fmt.Sprintf("%s: %v and %v", path, a, b)
	}
	return ""
}

// names are the fields of either, sorted.
func names(objects ...map[string]any) []string {
	var all []string
	for _, o := range objects {
		for name := range o {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
