package transport

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	gqlgen "github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/audelor/halles/internal/fault"
)

// Post is gqlgen's POST, for queries and mutations. A subscription would end there after its
// first event: it becomes an event stream where the client can read one, and is refused where
// not.
type Post struct {
	gqlgen.POST
	Events Events
}

// Do answers the request.
func (t Post) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		refuse(w, http.StatusBadRequest, fault.Errorf(fault.Invalid, "Le corps de la requête n'a pas pu être lu en entier."))
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if params, err := read(r); err == nil {
		operation, errs := exec.CreateOperationContext(r.Context(), params)
		if errs == nil && operation.Operation.Operation == ast.Subscription {
			if strings.Contains(r.Header.Get("Accept"), eventStream) {
				t.Events.serve(r.Context(), w, exec, operation, nil)
				return
			}
			refuse(w, http.StatusNotAcceptable, fault.Errorf(fault.Invalid,
				"Une souscription se suit par WebSocket (graphql-transport-ws) ou, à cette adresse, avec l'en-tête « Accept: text/event-stream »."))
			return
		}
		exec = created{exec, operation, errs}
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	t.POST.Do(w, r, exec)
}

// created keeps gqlgen from preparing an operation a second time.
type created struct {
	graphql.GraphExecutor
	operation *graphql.OperationContext
	errs      gqlerror.List
}

// CreateOperationContext is what came of the first time.
func (c created) CreateOperationContext(context.Context, *graphql.RawParams) (*graphql.OperationContext, gqlerror.List) {
	return c.operation, c.errs
}
