package graph

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/audelor/halles/graph/generated"
	"github.com/audelor/halles/graph/limits"
	"github.com/audelor/halles/graph/transport"
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
		case f == nil && interrupted(ctx, err):
			shown.Message = "La requête a été interrompue avant la fin."
			shown.Extensions = map[string]any{"code": fault.Unavailable}
		case f != nil:
			shown.Message = f.Message
			shown.Extensions = map[string]any{"code": f.Kind}
			if f.Wait > 0 {
				shown.Extensions[transport.RetryAfter] = f.WaitSeconds()
			}
			if argument = append(argument, f.Path...); len(argument) > 0 {
				shown.Extensions["argument"] = argument
			}
			if f.Kind == fault.Unavailable && f.Wait == 0 && ctx.Err() == nil { // else it was turned away, or left in the middle
				log.WarnContext(ctx, "unavailable", "path", shown.Path.String(), "error", err)
			}
		case own != nil && own.Err == nil:
			// The parser's, the validator's or the executor's own: about the document, not about us.
			shown.Message, shown.Extensions = shorten(own.Message), own.Extensions
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

// interrupted tells an error that only says that nobody waits for the answer any more: the
// client left, or its time was up. It is no mistake of ours, and nothing for the log, which has
// the request's end.
func interrupted(ctx context.Context, err error) bool {
	return ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded))
}

// maxMessage bounds the sentences of the parser and the validator, in characters: they repeat
// names and values of the document.
const maxMessage = 300

func shorten(message string) string {
	if runes := []rune(message); len(runes) > maxMessage {
		return string(runes[:maxMessage]) + "…"
	}
	return message
}

const (
	// maxRefusals bounds what is said of one document: 22 KB of unknown fields gave 605 KB.
	maxRefusals = 20
	// maxErrors bounds those of an answer: each representation that a router sends may have one.
	maxErrors = limits.Representations
)

// withFewErrors says the first errors of a response, and how many there are beyond. Fields run
// side by side: without an order by path, the same question would be answered in other bytes
// each time.
func withFewErrors(response *graphql.Response) *graphql.Response {
	slices.SortStableFunc(response.Errors, func(a, b *gqlerror.Error) int { return slices.CompareFunc(a.Path, b.Path, compareSteps) })
	most := maxErrors
	if response.Data == nil {
		most = maxRefusals
	}
	if more := len(response.Errors) - most; more > 0 {
		response.Errors = append(response.Errors[:most:most], &gqlerror.Error{
			Message: fmt.Sprintf("Et %d autres erreurs.", more), Extensions: map[string]any{"code": fault.Limited},
		})
	}
	return response
}

func compareSteps(a, b ast.PathElement) int {
	i, isIndex := a.(ast.PathIndex)
	if j, alsoIndex := b.(ast.PathIndex); isIndex && alsoIndex {
		return cmp.Compare(i, j)
	}
	return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b))
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
	case strings.HasSuffix(err.Error(), " is not a map"):
		return fault.Of(fault.Errorf(fault.Invalid, "Une représentation est un objet JSON."))
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
