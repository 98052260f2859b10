package transport

import (
	"cmp"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/audelor/halles/internal/fault"
)

// The media types of our answers.
const (
	plainJSON   = "application/json"
	graphQLJSON = "application/graphql-response+json"
	eventStream = "text/event-stream"
	// subscriptionParts is ours only with the parameter subscriptionSpec=1.0: without it, clients
	// mean the parts of a @defer.
	subscriptionParts = "multipart/mixed"
)

// unnamed is what is accepted where nothing is named. Nobody changes the list.
var unnamed = []string{plainJSON}

// accepted lists those media types of ours that the request takes, the most wanted first
// (RFC 9110, 12.5.1): by q, then in its own order. Who names none reads application/json, and
// a stream goes only to those who name it: it is no form of JSON.
func accepted(r *http.Request) []string {
	header := strings.Join(r.Header.Values("Accept"), ",")
	if strings.TrimSpace(header) == "" {
		return unnamed
	}
	type wish struct {
		kind string
		q    float64
		at   int // its place in the header
	}
	var wishes []wish
	for _, kind := range []string{plainJSON, graphQLJSON, eventStream, subscriptionParts} {
		w, closest := wish{kind: kind}, 0
		for at, text := range strings.Split(header, ",") {
			named, parameters, err := mime.ParseMediaType(text)
			if err != nil || !isUTF8(parameters) || named == subscriptionParts && parameters["subscriptionspec"] != "1.0" {
				continue
			}
			// The nearest name decides: "application/json;q=0, */*" does not want application/json.
			if c := closeness(named, kind); c > closest {
				closest, w.at, w.q = c, at, quality(parameters)
			}
		}
		if w.q > 0 {
			wishes = append(wishes, w)
		}
	}
	slices.SortStableFunc(wishes, func(a, b wish) int {
		return cmp.Or(cmp.Compare(b.q, a.q), cmp.Compare(a.at, b.at))
	})
	var kinds []string
	for _, w := range wishes {
		kinds = append(kinds, w.kind)
	}
	return kinds
}

// MediaType is the form of JSON that the request wants a refusal in: ours, when it can read none.
func MediaType(r *http.Request) string { return jsonOf(accepted(r)) }

func jsonOf(kinds []string) string {
	for _, kind := range kinds {
		if isJSON(kind) {
			return kind
		}
	}
	return plainJSON
}

func isJSON(kind string) bool { return kind == plainJSON || kind == graphQLJSON }

// closeness tells how nearly a name of Accept means a type: 0 not at all, 3 exactly.
func closeness(named, kind string) int {
	switch {
	case named == kind:
		return 3
	case !isJSON(kind):
		return 0
	case named == "application/*":
		return 2
	case named == "*/*":
		return 1
	}
	return 0
}

func quality(parameters map[string]string) float64 {
	text, given := parameters["q"]
	if !given {
		return 1
	}
	q, err := strconv.ParseFloat(text, 64)
	if err != nil || !(q >= 0 && q <= 1) {
		return 0
	}
	return q
}

// isUTF8 tells whether a media type leaves us UTF-8, the only encoding that GraphQL has.
func isUTF8(parameters map[string]string) bool {
	charset, given := parameters["charset"]
	return !given || strings.EqualFold(charset, "utf-8")
}

// unreadable says why a body cannot be read, or nil. Only JSON is: a form or plain text can be
// sent by a page of any other site, without asking us first, and would act in its visitor's name.
func unreadable(h http.Header) error {
	kind, parameters, err := mime.ParseMediaType(h.Get("Content-Type"))
	switch {
	case err != nil || kind != plainJSON:
		return fault.Errorf(fault.Invalid, "Le corps de la requête s'envoie en JSON, avec l'en-tête « Content-Type: application/json ».")
	case !isUTF8(parameters):
		return fault.Errorf(fault.Invalid, "Le corps de la requête s'écrit en UTF-8.")
	case h.Get("Content-Encoding") != "" && !strings.EqualFold(h.Get("Content-Encoding"), "identity"):
		return fault.Errorf(fault.Invalid, "Le corps de la requête s'envoie sans compression.")
	}
	return nil
}
