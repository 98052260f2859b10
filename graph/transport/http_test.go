package transport_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/audelor/halles/internal/ordering"
)

const (
	typeJSON    = "application/json; charset=utf-8"
	typeGraphQL = "application/graphql-response+json; charset=utf-8"
)

// marker stands in requests that are refused, and must not come back.
const marker = "zq7wx"

// TestHTTP goes through the GraphQL over HTTP specification, and what a server may meet beyond.
func TestHTTP(t *testing.T) {
	t.Parallel()
	s := start(t)
	const (
		typename = `{"query":"{ __typename }"}`
		broken   = `{"query":"{ ` + marker + `"}`
		invalid  = `{"query":"{ ` + marker + ` }"}`
		coercion = `{"query":"query ($id: ID!) { shop(id: $id) { id } }","variables":{"id":null}}`
		unnamed  = `{"query":"query A { __typename } query B { __typename }","operationName":"` + marker + `"}`
		failing  = `{"query":"{ shops(first: 0) { nodes { id } } }"}` // non-null: `data` becomes null
		ok       = `{"data":{"__typename":"Query"}`
	)
	asJSON := []string{"Content-Type", "application/json"}
	with := func(headers ...string) []string { return append(headers, asJSON...) }
	accept := func(a string) []string { return with("Accept", a) }
	get := func(pairs ...string) string {
		v := url.Values{}
		for i := 0; i < len(pairs); i += 2 {
			v.Add(pairs[i], pairs[i+1])
		}
		return "?" + v.Encode()
	}
	type row struct {
		method, query, body string
		headers             []string
		status              int
		kind                string
		want                string // in the body
	}
	for name, c := range map[string]row{
		// What is answered, by Accept.
		"NoAccept":            {"POST", "", typename, asJSON, 200, typeJSON, ok},
		"Anything":            {"POST", "", typename, accept("*/*"), 200, typeJSON, ok},
		"AnyApplication":      {"POST", "", typename, accept("application/*"), 200, typeJSON, ok},
		"JSON":                {"POST", "", typename, accept("application/json"), 200, typeJSON, ok},
		"GraphQLResponse":     {"POST", "", typename, accept("application/graphql-response+json"), 200, typeGraphQL, ok},
		"GraphQLResponseUTF8": {"POST", "", typename, accept("application/graphql-response+json; charset=UTF-8"), 200, typeGraphQL, ok},
		"QualityDecides":      {"POST", "", typename, accept("application/json;q=0.5, application/graphql-response+json;q=0.9"), 200, typeGraphQL, ok},
		"QualityDecidesBack":  {"POST", "", typename, accept("application/graphql-response+json; q=0.1, application/json"), 200, typeJSON, ok},
		"FirstOfEquals":       {"POST", "", typename, accept("application/graphql-response+json, application/json, multipart/mixed"), 200, typeGraphQL, ok},
		"FirstOfEqualsBack":   {"POST", "", typename, accept("application/json, application/graphql-response+json"), 200, typeJSON, ok},
		"NotThisOne":          {"POST", "", typename, accept("application/json;q=0, */*"), 200, typeGraphQL, ok},
		"NamedBeforeAny":      {"POST", "", typename, accept("*/*;q=0.1, application/graphql-response+json"), 200, typeGraphQL, ok},
		"StreamLeastWanted":   {"POST", "", typename, accept("text/event-stream;q=0.1, application/json"), 200, typeJSON, ok},
		"StreamMostWanted":    {"POST", "", typename, accept("application/json;q=0.1, text/event-stream"), 200, "text/event-stream; charset=utf-8", "event: next\ndata: " + ok},
		"StreamOnly":          {"POST", "", typename, accept("text/html, text/event-stream"), 200, "text/event-stream; charset=utf-8", ok},
		"ABrowser":            {"GET", get("query", "{ __typename }"), "", []string{"Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"}, 200, typeJSON, ok},
		"NotAcceptable":       {"POST", "", typename, accept("text/html"), 406, typeJSON, `"code":"INVALID"`},
		"NotAcceptableByGet":  {"GET", get("query", "{ __typename }"), "", []string{"Accept", "text/csv"}, 406, typeJSON, "application/graphql-response+json"},
		"NothingAcceptable":   {"POST", "", typename, accept("*/*;q=0"), 406, typeJSON, ""},
		"UTF16Wanted":         {"POST", "", typename, accept("application/json;charset=utf-16"), 406, typeJSON, ""},
		"MalformedAccept":     {"POST", "", typename, accept(";;,/,q"), 406, typeJSON, ""},
		"QualityOfNothing":    {"POST", "", typename, accept("application/json;q=much"), 406, typeJSON, ""},

		// What is taken, by Content-Type.
		"UTF8":           {"POST", "", `{"query":"{ __type(name: \"Run🏃Swim🏊\") { name } }"}`, []string{"Content-Type", "application/json;charset=UTF-8"}, 200, typeJSON, `{"data":{"__type":null}`},
		"NoContentType":  {"POST", "", typename, nil, 415, typeJSON, "Content-Type: application/json"},
		"PlainText":      {"POST", "", typename, []string{"Content-Type", "text/plain"}, 415, typeJSON, ""},
		"Form":           {"POST", "", "query=%7B__typename%7D", []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, typeJSON, ""},
		"Multipart":      {"POST", "", "--x\r\nContent-Disposition: form-data; name=\"operations\"\r\n\r\n" + typename + "\r\n--x--", []string{"Content-Type", "multipart/form-data; boundary=x"}, 415, typeJSON, ""},
		"GraphQLBody":    {"POST", "", "{ __typename }", []string{"Content-Type", "application/graphql"}, 415, typeJSON, ""},
		"UTF16":          {"POST", "", typename, []string{"Content-Type", "application/json; charset=utf-16"}, 415, typeJSON, "UTF-8"},
		"Compressed":     {"POST", "", typename, with("Content-Encoding", "gzip"), 415, typeJSON, "sans compression"},
		"StreamOfAForm":  {"POST", "", "query=%7B__typename%7D", []string{"Content-Type", "application/x-www-form-urlencoded", "Accept", "text/event-stream"}, 415, typeJSON, ""},
		"OtherUpgrade":   {"POST", "", typename, with("Connection", "Upgrade", "Upgrade", "h2c"), 200, typeJSON, ok}, // as Java's client sends it
		"OtherUpgradeBy": {"GET", get("query", "{ __typename }"), "", []string{"Connection", "Upgrade", "Upgrade", "h2c"}, 200, typeJSON, ok},

		// What a body must be.
		"NoBody":           {"POST", "", "", asJSON, 400, typeJSON, "objet JSON"},
		"NotJSON":          {"POST", "", `{"query": ` + marker, asJSON, 400, typeJSON, "objet JSON"},
		"NotJSONNewer":     {"POST", "", `{"query": ` + marker, accept("application/graphql-response+json"), 400, typeGraphQL, "objet JSON"},
		"SecondValue":      {"POST", "", typename + `{"query":"{ ` + marker + ` }"}`, asJSON, 400, typeJSON, "objet JSON"},
		"RestAfterIt":      {"POST", "", typename + "\n" + marker, asJSON, 400, typeJSON, "objet JSON"},
		"SpaceAfterIt":     {"POST", "", " " + typename + " \r\n\t", asJSON, 200, typeJSON, ok},
		"Batch":            {"POST", "", " [" + typename + "," + typename + "]", asJSON, 400, typeJSON, "une seule opération"},
		"EmptyBatch":       {"POST", "", "[]", asJSON, 400, typeJSON, "une seule opération"},
		"Text":             {"POST", "", `"{ ` + marker + ` }"`, asJSON, 400, typeJSON, "objet JSON"},
		"InvalidUTF8":      {"POST", "", "{\"query\":\"{ shop(id: \\\"" + marker + "\xff\\\") { id } }\"}", asJSON, 400, typeJSON, "UTF-8"},
		"UTF16Bytes":       {"POST", "", "\xff\xfe{\x00\"\x00q\x00", asJSON, 400, typeJSON, "UTF-8"},
		"DeepJSON":         {"POST", "", `{"query":"{ __typename }","variables":{"x":` + strings.Repeat("[", 60_000) + strings.Repeat("]", 60_000) + `}}`, asJSON, 400, typeJSON, "objet JSON"},
		"NoQuery":          {"POST", "", `{"qeury":"{ ` + marker + ` }"}`, asJSON, 400, typeJSON, "Il manque query"},
		"EmptyQuery":       {"POST", "", `{"query":""}`, asJSON, 400, typeJSON, "Il manque query"},
		"NullQuery":        {"POST", "", `{"query":null}`, accept("application/graphql-response+json"), 400, typeGraphQL, "Il manque query"},
		"QueryIsNumber":    {"POST", "", `{"query":7}`, asJSON, 400, typeJSON, "query est un texte"},
		"QueryIsObject":    {"POST", "", `{"query":{"a":"` + marker + `"}}`, asJSON, 400, typeJSON, "query est un texte"},
		"NameIsList":       {"POST", "", `{"query":"{ __typename }","operationName":["` + marker + `"]}`, asJSON, 400, typeJSON, "operationName est un texte"},
		"VariablesAreText": {"POST", "", `{"query":"{ __typename }","variables":"` + marker + `"}`, asJSON, 400, typeJSON, "variables est un objet JSON"},
		"VariablesAreList": {"POST", "", `{"query":"{ __typename }","variables":["` + marker + `"]}`, asJSON, 400, typeJSON, "variables est un objet JSON"},
		"ExtensionsAreOne": {"POST", "", `{"query":"{ __typename }","extensions":1}`, asJSON, 400, typeJSON, "extensions est un objet JSON"},
		"NullMembers":      {"POST", "", `{"query":"{ __typename }","variables":null,"operationName":null,"extensions":null}`, asJSON, 200, typeJSON, ok},
		"NUL":              {"POST", "", `{"query":"{ \u0000 }"}`, asJSON, 200, typeJSON, `"errors":[{`},

		// GET.
		"ByGet":             {"GET", get("query", "{ __typename }"), "", nil, 200, typeJSON, ok},
		"ByHead":            {"HEAD", get("query", "{ __typename }"), "", nil, 200, typeJSON, ""},
		"VariablesByGet":    {"GET", get("query", "query ($n: String!) { __type(name: $n) { name } }", "variables", `{"n":"Shop"}`), "", nil, 200, typeJSON, `{"data":{"__type":{"name":"Shop"}}`},
		"NoQueryByGet":      {"GET", "", "", nil, 400, typeJSON, "Il manque query"},
		"QueryTwice":        {"GET", get("query", "{ __typename }", "query", marker), "", nil, 400, typeJSON, "plusieurs fois"},
		"BadEscape":         {"GET", "?query=%7B__typename%7D&variables=%" + marker, "", nil, 400, typeJSON, "bien codés"},
		"InvalidUTF8ByGet":  {"GET", "?query=%ff" + marker, "", nil, 400, typeJSON, "UTF-8"},
		"VariablesNotJSON":  {"GET", get("query", "{ __typename }", "variables", "{"+marker), "", nil, 400, typeJSON, "variables est un objet JSON"},
		"TwoVariables":      {"GET", get("query", "{ __typename }", "variables", "{}{}"), "", nil, 400, typeJSON, "variables est un objet JSON"},
		"MutationByGet":     {"GET", get("query", "mutation { __typename }"), "", nil, 405, typeJSON, "POST"},
		"MutationByHead":    {"HEAD", get("query", "mutation { __typename }"), "", nil, 405, typeJSON, ""},
		"SubscriptionByGet": {"GET", get("query", `subscription { orderUpdated(id: "x") { status } }`), "", nil, 406, typeJSON, "text/event-stream"},

		// Other methods.
		"PUT":     {"PUT", "", typename, asJSON, 405, typeJSON, ""},
		"PATCH":   {"PATCH", "", typename, asJSON, 405, typeJSON, ""},
		"DELETE":  {"DELETE", "", "", nil, 405, typeJSON, ""},
		"OPTIONS": {"OPTIONS", "", "", nil, 204, "", ""},

		// The status of what was refused, and of what failed.
		"Unparsable":           {"POST", "", broken, accept("application/json"), 200, typeJSON, "GRAPHQL_PARSE_FAILED"},
		"UnparsableNewer":      {"POST", "", broken, accept("application/graphql-response+json"), 400, typeGraphQL, "GRAPHQL_PARSE_FAILED"},
		"Invalid":              {"POST", "", invalid, accept("application/json"), 200, typeJSON, "GRAPHQL_VALIDATION_FAILED"},
		"InvalidNewer":         {"POST", "", invalid, accept("application/graphql-response+json"), 400, typeGraphQL, "GRAPHQL_VALIDATION_FAILED"},
		"InvalidByGet":         {"GET", get("query", "{ nothing }"), "", []string{"Accept", "application/graphql-response+json"}, 400, typeGraphQL, "GRAPHQL_VALIDATION_FAILED"},
		"Coercion":             {"POST", "", coercion, accept("application/json"), 200, typeJSON, "GRAPHQL_VALIDATION_FAILED"},
		"CoercionNewer":        {"POST", "", coercion, accept("application/graphql-response+json"), 400, typeGraphQL, "GRAPHQL_VALIDATION_FAILED"},
		"UnknownOperation":     {"POST", "", unnamed, accept("application/graphql-response+json"), 400, typeGraphQL, "GRAPHQL_VALIDATION_FAILED"},
		"NotPersisted":         {"POST", "", `{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"00"}}}`, asJSON, 200, typeJSON, "PERSISTED_QUERY_NOT_FOUND"},
		"FailedEntirely":       {"POST", "", failing, accept("application/json"), 200, typeJSON, `"data":null`},
		"FailedEntirelyNewer":  {"POST", "", failing, accept("application/graphql-response+json"), 200, typeGraphQL, `"data":null`},
		"FailedPartly":         {"POST", "", `{"query":"{ shop(id: \"x\") { id } communes { insee } }"}`, accept("application/graphql-response+json"), 200, typeGraphQL, `"data":{"shop":null,"communes":[{`},
		"SubscriptionRefused":  {"POST", "", `{"query":"subscription { orderUpdated(id: \"x\") { status } }"}`, asJSON, 406, typeJSON, "text/event-stream"},
		"InvalidOverTheStream": {"POST", "", invalid, accept("text/event-stream"), 200, "text/event-stream; charset=utf-8", "event: next\ndata: {\"errors\":["},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := s.request(t.Context(), t, c.method, c.query, c.body, c.headers...)
			text := body(t, a)
			if a.StatusCode != c.status || a.Header.Get("Content-Type") != c.kind || !strings.Contains(text, c.want) {
				t.Errorf("%d %s: %s", a.StatusCode, a.Header.Get("Content-Type"), text)
			}
			if c.method == http.MethodOptions && a.Header.Get("Allow") != "GET, POST, OPTIONS" {
				t.Errorf("Allow %q", a.Header.Get("Allow"))
			}
			if c.method == http.MethodHead || c.method == http.MethodOptions {
				return
			}
			if !strings.Contains(strings.Join(a.Header.Values("Vary"), ","), "Accept") && !strings.HasPrefix(c.kind, "text/event-stream") {
				t.Errorf("Vary %q: a cache would mix the media types", a.Header.Values("Vary"))
			}
			// A document's own names may come back in what is wrong with it, nothing else does.
			if named := strings.Contains(text, "GRAPHQL_"); strings.Contains(text, marker) && !named {
				t.Errorf("the request comes back: %s", text)
			}
			if strings.HasPrefix(c.kind, "text/event-stream") {
				return
			}
			if !gjson.Valid(text) {
				t.Fatalf("no JSON: %s", text)
			}
			if c.status != 200 || strings.Contains(c.want, "GRAPHQL_") || strings.Contains(c.want, "PERSISTED") {
				if gjson.Get(text, "data").Exists() || !gjson.Get(text, "errors.0.extensions.code").Exists() {
					t.Errorf("nothing was executed: %s", text)
				}
			}
			allow := map[int]string{405: "GET, POST, OPTIONS"}[c.status]
			if strings.HasPrefix(name, "Mutation") {
				allow = "POST"
			}
			if got := a.Header.Get("Allow"); got != allow {
				t.Errorf("Allow %q", got)
			}
			if got := a.Header.Get("Accept"); (got == "application/json") != (c.status == 415) {
				t.Errorf("Accept %q", got)
			}
		})
	}
}

// A page of another site may send these without asking first, in the name of whoever looks at
// it: none of them may act. Neither may a link.
func TestNoMutationWithoutPreflight(t *testing.T) {
	t.Parallel()
	s := start(t)
	order := s.place(t)
	authorization := "Bearer " + s.token(t, time.Hour)
	mutation := `mutation { acceptOrder(input: {order: "` + order.String() + `"}) { order { status } refusals { code } } }`
	send := func(method, query, body, contentType string) int {
		a := s.request(t.Context(), t, method, query, body, "Authorization", authorization, "Content-Type", contentType)
		_, _ = io.Copy(io.Discard, a.Body)
		return a.StatusCode
	}
	asJSON := `{"query":` + quote(mutation) + `}`
	for _, contentType := range []string{"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain; application/json"} {
		for _, body := range []string{asJSON, "query=" + url.QueryEscape(mutation), "--x\r\nContent-Disposition: form-data; name=\"operations\"\r\n\r\n" + asJSON + "\r\n--x\r\nContent-Disposition: form-data; name=\"map\"\r\n\r\n{}\r\n--x--\r\n"} {
			if status := send(http.MethodPost, "", body, contentType); status != http.StatusUnsupportedMediaType {
				t.Errorf("%q: status %d", contentType, status)
			}
		}
	}
	if status := send(http.MethodGet, "?query="+url.QueryEscape(mutation), "", ""); status != http.StatusMethodNotAllowed {
		t.Errorf("GET: status %d", status)
	}
	if log := s.log(t); len(log) != 1 {
		t.Errorf("the order moved: %v", log)
	}
	if send(http.MethodPost, "", asJSON, "application/json"); len(s.log(t)) != 2 || !strings.HasSuffix(s.log(t)[1], string(ordering.Accepted)) {
		t.Errorf("the mutation itself does nothing: %v", s.log(t))
	}
}

// What a GET answers is, byte for byte, what a POST does.
func TestGetAndPostAgree(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.place(t)
	token := s.token(t, time.Hour)
	for _, query := range []string{
		`{ shops(first: 3) { nodes { name description commune { name } } } viewer { kind } }`,
		`{ shop(id: "x") { id } communes { name } }`,
		`{ nothing }`,
	} {
		for _, kind := range []string{"application/json", "application/graphql-response+json"} {
			byGet := s.request(t.Context(), t, http.MethodGet, "?query="+url.QueryEscape(query), "", "Authorization", "Bearer "+token, "Accept", kind)
			byPost := s.post(t.Context(), t, map[string]any{"query": query}, token, kind)
			if g, p := body(t, byGet), body(t, byPost); g != p || byGet.StatusCode != byPost.StatusCode || byGet.Header.Get("Content-Length") == "" {
				t.Errorf("%s: %d %s\n%d %s", query, byGet.StatusCode, g, byPost.StatusCode, p)
			}
		}
	}
}

func quote(text string) string {
	b, _ := json.Marshal(text)
	return string(b)
}

// The limits hold on a socket too: the operation gets an `error` message, the socket lives on.
func TestLimitsOverTheSocket(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := s.open(t, s.token(t, time.Hour))
	ask := func(id, query string) {
		c.send(envelope{ID: id, Type: "subscribe", Payload: map[string]any{"query": query}})
	}
	for i, query := range []string{
		`{ shops(first: 100) { nodes { products(first: 100) { nodes { variants { sku } } } } } }`,
		`{ ` + strings.Repeat("__typename ", 5000) + `}`,
		`{ ...a } fragment a on Query { ...a }`,
	} {
		id := string(rune('a' + i))
		ask(id, query)
		if p := c.want("error", id); p.Get("0.extensions.code").String() != []string{"LIMITED", "LIMITED", "INVALID"}[i] {
			t.Errorf("%.60s: %s", query, p)
		}
	}
	ask("z", "{ viewer { kind } }")
	if p := c.want("next", "z"); p.Get("data.viewer.kind").String() != "MERCHANT" {
		t.Errorf("afterwards: %s", p)
	}
	c.want("complete", "z")
}

// An answer is its asker's own until it is written, whatever is answered meanwhile: the memory that it
// is in is lent.
func TestHTTPAnswersMeanwhile(t *testing.T) {
	t.Parallel()
	s := start(t)
	ask := func(w http.ResponseWriter, alias string) {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(`{"query":"{ `+alias+`: __typename }"}`))
		r.Header.Set("Content-Type", "application/json")
		s.Config.Handler.ServeHTTP(w, r)
	}
	for n := range 20 {
		first := httptest.NewRecorder()
		ask(meanwhile{first, func() { ask(httptest.NewRecorder(), "other") }}, fmt.Sprintf("first%d", n))
		if want := fmt.Sprintf(`{"data":{"first%d":"Query"}`, n); !strings.HasPrefix(first.Body.String(), want) {
			t.Fatalf("%.60s; want %s", first.Body, want)
		}
	}
}

// meanwhile does something before it writes.
type meanwhile struct {
	http.ResponseWriter
	do func()
}

func (w meanwhile) Write(b []byte) (int, error) {
	w.do()
	return w.ResponseWriter.Write(b)
}
