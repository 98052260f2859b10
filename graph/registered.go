package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/audelor/halles/graph/documents"
	"github.com/audelor/halles/internal/fault"
)

// registered gives requests that name one of graph/documents by its hash its text, before the
// cache of what clients sent is asked; and refuses all other documents where only says so.
type registered struct {
	only func(context.Context) Audience // whose documents are all that the request may send; nil or "": it may send any
}

var _ graphql.OperationParameterMutator = registered{}

// ExtensionName names it for gqlgen.
func (registered) ExtensionName() string { return "Registered" }

// Validate accepts every schema: a test holds the documents against it.
func (registered) Validate(graphql.ExecutableSchema) error { return nil }

// registeredName marks the operations of registered documents.
const registeredName = "registered"

// MutateOperationParameters finds the document, or refuses the request.
func (r registered) MutateOperationParameters(ctx context.Context, params *graphql.RawParams) *gqlerror.Error {
	found := documents.ByText(params.Query)
	if params.Query == "" {
		persisted, _ := params.Extensions["persistedQuery"].(map[string]any)
		hash, _ := persisted["sha256Hash"].(string)
		if found = documents.ByHash(hash); found != nil {
			params.Query = found.Text
			delete(params.Extensions, "persistedQuery") // it needs no keeping
		}
	}
	if found != nil {
		graphql.GetOperationContext(ctx).Stats.SetExtension(registeredName, found)
	}
	if r.only == nil {
		return nil
	}
	if audience := r.only(ctx); audience != "" && (found == nil || found.Audience != string(audience)) {
		return gqlerror.Wrap(fault.Errorf(fault.Forbidden,
			"Ici on n'envoie que les documents enregistrés, par leur empreinte : documentId=… Ils sont à /documents.json?audience=%s.", audience))
	}
	return nil
}

// cacheable tells whether caches may keep an answer to a GET for as long as Cache-Control says: a
// registered query's is the same for all who ask without a credential.
func cacheable(operation *graphql.OperationContext) bool {
	return operation.Stats.GetExtension(registeredName) != nil && operation.Operation.Operation == ast.Query
}
