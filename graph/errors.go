package graph

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/audelor/halles/graph/generated"
	"github.com/audelor/halles/internal/fault"
)

// present turns an error into what a client reads: a fault with its code and sentence;
// GraphQL's own refusals of a document as they are; nothing of anything else, which goes to
// the log under the same request id.
func present(log *slog.Logger, requestID func(context.Context) string) graphql.ErrorPresenterFunc {
	return func(ctx context.Context, err error) *gqlerror.Error {
		shown := &gqlerror.Error{Path: graphql.GetPath(ctx)}
		var own *gqlerror.Error
		if errors.As(err, &own) {
			shown.Locations, shown.Rule = own.Locations, own.Rule
			if own.Path != nil {
				shown.Path = own.Path
			}
		}
		f := fault.Of(err)
		if f == nil {
			f = federation(err)
		}
		path, argument := splitPath(ctx, shown.Path)
		shown.Path = path
		switch {
		case f != nil:
			shown.Message = f.Message
			shown.Extensions = map[string]any{"code": f.Kind}
			if argument = append(argument, f.Path...); len(argument) > 0 {
				shown.Extensions["argument"] = argument
			}
			if f.Kind == fault.Unavailable {
				log.WarnContext(ctx, "unavailable", "path", shown.Path.String(), "error", err)
			}
		case own != nil && own.Err == nil:
			// The parser's, the validator's or the executor's own: about the document, not about us.
			shown.Message, shown.Extensions = own.Message, own.Extensions
			if shown.Extensions == nil {
				shown.Extensions = map[string]any{"code": fault.Invalid}
			}
		default:
			id := requestID(ctx)
			shown.Message = fmt.Sprintf("Erreur interne. Réessayez ; si cela dure, donnez ce numéro à l'assistance : %s.", id)
			shown.Extensions = map[string]any{"code": fault.Internal, "request": id}
			log.ErrorContext(ctx, "internal error", "path", shown.Path.String(), "request", id, "error", err)
		}
		return shown
	}
}

// splitPath parts the path of the field in the response from that of an argument behind it:
// gqlgen writes both in one when a value does not fit its type. An index behind the field is an
// element of its list.
func splitPath(ctx context.Context, path ast.Path) (field ast.Path, argument []string) {
	fc := graphql.GetFieldContext(ctx)
	if fc == nil {
		return path, nil
	}
	n := len(fc.Path())
	if len(path) <= n {
		return path, nil
	}
	if _, name := path[n].(ast.PathName); !name {
		return path, nil
	}
	for _, step := range path[n:] {
		argument = append(argument, fmt.Sprint(step))
	}
	return path[:n], argument
}

// federation turns the refusals of gqlgen's own code for _entities into sentences.
func federation(err error) *fault.Error {
	switch {
	case errors.Is(err, generated.ErrUnknownType):
		return fault.Of(fault.At([]string{"representations"}, "Une représentation nomme un type (__typename) qui n'est pas une entité d'ici."))
	case errors.Is(err, generated.ErrTypeNotFound):
		return fault.Of(fault.At([]string{"representations"}, "Une représentation n'a aucune des clés de son type."))
	case strings.Contains(err.Error(), "__typename must be an existing string"):
		return fault.Of(fault.At([]string{"representations"}, "Une représentation n'a pas de __typename."))
	}
	return nil
}

// recovered turns a panic into an internal error; the log has where it happened.
func recovered(log *slog.Logger) graphql.RecoverFunc {
	return func(ctx context.Context, panicked any) error {
		log.ErrorContext(ctx, "panic", "value", panicked, "stack", string(debug.Stack()))
		return fmt.Errorf("panic: %v", panicked)
	}
}
