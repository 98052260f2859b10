package transport

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"

	"github.com/audelor/halles/internal/fault"
)

// members are what a request may have, and what each of them is.
var members = map[string]string{
	"query": "un texte", "operationName": "un texte", "variables": "un objet JSON", "extensions": "un objet JSON", "documentId": "un texte",
}

// read takes the operation from the query of a GET or the body of a POST. What is wrong is
// said by the name of the member; nothing of the request comes back.
func read(r *http.Request) (*graphql.RawParams, error) {
	params := &graphql.RawParams{Headers: r.Header}
	params.ReadTime.Start = graphql.Now()
	var err error
	if r.Method == http.MethodPost {
		err = readBody(r.Body, params)
	} else {
		err = readQuery(r.URL.RawQuery, params)
	}
	params.ReadTime.End = graphql.Now()
	if err == nil && params.Query == "" && params.Extensions["persistedQuery"] == nil {
		err = fault.At([]string{"query"}, "Il manque query, le document GraphQL, ou documentId, son empreinte.")
	}
	return params, err
}

// Body is a request's body that has been read whole.
type Body struct {
	bytes.Reader
	all []byte
}

// NewBody is a body for http.Request.
func NewBody(all []byte) *Body {
	b := &Body{all: all}
	b.Reset(all)
	return b
}

// Close does nothing.
func (*Body) Close() error { return nil }

// allOf is what r has; of what was read before, without reading it once more.
func allOf(r io.Reader) ([]byte, error) {
	if b, ok := r.(*Body); ok {
		return b.all, nil
	}
	return io.ReadAll(r)
}

// given is what a request's body may hold.
type given struct {
	Query         string         `json:"query"`
	OperationName string         `json:"operationName"`
	Variables     map[string]any `json:"variables"`
	Extensions    map[string]any `json:"extensions"`
	DocumentID    string         `json:"documentId"`
}

func readBody(r io.Reader, params *graphql.RawParams) error {
	body, err := allOf(r)
	if err != nil {
		return fault.Errorf(fault.Invalid, "Le corps de la requête n'a pas pu être lu en entier.")
	}
	if !utf8.Valid(body) { // encoding/json would put U+FFFD
		return fault.Errorf(fault.Invalid, "Le corps de la requête s'écrit en UTF-8.")
	}
	if bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("[")) {
		return fault.Errorf(fault.Invalid, "Une requête contient une seule opération : plusieurs d'un coup ne sont pas acceptées. Réunissez leurs champs en une opération.")
	}
	given, plain := readPlain(body)
	if plain {
		params.Query, params.OperationName = given.Query, given.OperationName
		params.Variables, params.Extensions = given.Variables, given.Extensions
		return named(params, given.DocumentID)
	}
	if err := decode(body, &given); err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) && members[wrong.Field] != "" {
			return fault.At([]string{wrong.Field}, "%s est %s.", wrong.Field, members[wrong.Field])
		}
		return fault.Errorf(fault.Invalid, "Le corps de la requête n'est pas un objet JSON {query, variables, operationName, extensions}.")
	}
	params.Query, params.OperationName = given.Query, given.OperationName
	params.Variables, params.Extensions = given.Variables, given.Extensions
	return named(params, given.DocumentID)
}

func readQuery(raw string, params *graphql.RawParams) error {
	query, err := url.ParseQuery(raw)
	if err != nil {
		return fault.Errorf(fault.Invalid, "Les paramètres de l'adresse ne sont pas bien codés (application/x-www-form-urlencoded).")
	}
	for name := range members {
		switch values := query[name]; {
		case len(values) > 1: // which one counts, a proxy may see otherwise
			return fault.At([]string{name}, "%s est donné plusieurs fois.", name)
		case !utf8.ValidString(query.Get(name)):
			return fault.At([]string{name}, "%s s'écrit en UTF-8.", name)
		}
	}
	params.Query, params.OperationName = query.Get("query"), query.Get("operationName")
	for name, to := range map[string]*map[string]any{"variables": &params.Variables, "extensions": &params.Extensions} {
		if text := query.Get(name); text != "" && decode([]byte(text), to) != nil {
			return fault.At([]string{name}, "%s est %s.", name, members[name])
		}
	}
	return named(params, query.Get("documentId"))
}

// named reads the id of a document as Apollo's extension writes it: there is one way to find a
// document by its hash.
func named(params *graphql.RawParams, id string) error {
	switch {
	case id == "":
		return nil
	case params.Query != "" || params.Extensions["persistedQuery"] != nil:
		return fault.At([]string{"documentId"}, "documentId tient lieu de query et de extensions.persistedQuery : donnez-en un seul.")
	case params.Extensions == nil:
		params.Extensions = map[string]any{}
	}
	params.Extensions["persistedQuery"] = map[string]any{"version": 1, "sha256Hash": strings.TrimPrefix(id, "sha256:")}
	return nil
}

// decode reads one JSON value, and nothing after it.
func decode(data []byte, to any) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	if err := decoder.Decode(to); err != nil {
		return err
	}
	if rest := data[decoder.InputOffset():]; strings.Trim(string(rest), " \t\r\n") != "" {
		return errors.New("a second value")
	}
	return nil
}
