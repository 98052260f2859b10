// Package spans traces what a request does, for whoever runs the server: a span for the request under
// its operation's name, one for each of its statements, one for each job. It is off, and costs nothing,
// without the standard variables of OpenTelemetry (OTEL_EXPORTER_OTLP_ENDPOINT).
//
// A trace never says who: what leaves is a list of attributes by name (see told), and no event, no
// message of an error, no parameter of a statement, no path, no address.
package spans

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/exaring/otelpgx"
	"github.com/jackc/pgx/v5"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Tracer makes spans; a nil one makes none.
type Tracer struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
}

// Start begins to trace as the settings say, or returns nil where they name no collector. What the
// exporter does not reach is lost, and told to log: no request waits for it.
func Start(s Settings, log *slog.Logger) *Tracer {
	if s.Endpoint == "" {
		return nil
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Warn("traces are not told", "error", err) }))
	attributes := []attribute.KeyValue{attribute.String("service.name", s.Service)}
	for name, value := range s.Resource {
		attributes = append(attributes, attribute.String(name, value))
	}
	p := sdk.NewTracerProvider( // sampling and batching by OTEL_TRACES_SAMPLER, OTEL_BSP_…
		sdk.WithBatcher(newExporter(s)),
		sdk.WithResource(resource.NewSchemaless(attributes...)),
	)
	return &Tracer{provider: p, tracer: p.Tracer("github.com/audelor/halles")}
}

// Stop sends what is left, for at most as long as ctx allows.
func (t *Tracer) Stop(ctx context.Context) error {
	if t == nil {
		return nil
	}
	return t.provider.Shutdown(ctx)
}

// SQL traces the statements of a request or a job; nil where nothing is traced. Statements outside one,
// as the feed's polls, are not.
func (t *Tracer) SQL() pgx.QueryTracer {
	if t == nil {
		return nil
	}
	return otelpgx.NewTracer(otelpgx.WithTracerProvider(t.provider), otelpgx.WithDisableConnectionDetailsInAttributes())
}

// Request traces the requests that wanted tells; trusted, whether the caller is our own router: then the
// span goes on with the trace of its header traceparent. Anybody else's begins a trace of its own, or
// strangers would decide what is sampled and join the traces of others. route names what was asked, when
// it was answered.
//
// Streams and sockets are better left out: a span of hours, with thousands of statements, tells nothing.
func (t *Tracer) Request(wanted, trusted func(*http.Request) bool, route func(*http.Request) string) func(http.Handler) http.Handler {
	if t == nil {
		return func(next http.Handler) http.Handler { return next }
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !wanted(r) {
				next.ServeHTTP(w, r)
				return
			}
			ctx := r.Context()
			if trusted(r) {
				ctx = propagation.TraceContext{}.Extract(ctx, propagation.HeaderCarrier(r.Header))
			}
			ctx, span := t.tracer.Start(ctx, r.Method, trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(attribute.String("http.request.method", r.Method)))
			defer span.End()
			r = r.WithContext(ctx)
			seen := &status{ResponseWriter: w}
			defer func() {
				if at := route(r); at != "" {
					span.SetAttributes(attribute.String("http.route", at))
				}
				span.SetAttributes(attribute.Int("http.response.status_code", max(seen.code, http.StatusOK)))
				if seen.code >= http.StatusInternalServerError {
					span.SetStatus(codes.Error, "")
				}
			}()
			next.ServeHTTP(seen, r)
		})
	}
}

// status remembers how a request was answered.
type status struct {
	http.ResponseWriter
	code int
}

func (s *status) WriteHeader(code int) {
	if s.code == 0 {
		s.code = code
	}
	s.ResponseWriter.WriteHeader(code)
}

// Unwrap lets http.ResponseController reach what is behind.
func (s *status) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// Flush sends on what was written.
func (s *status) Flush() { _ = http.NewResponseController(s.ResponseWriter).Flush() } // where that can be done

// Name gives the span of a request the name of its operation: the schema's or a registered document's,
// never a client's own.
func Name(ctx context.Context, operation string) {
	if span := trace.SpanFromContext(ctx); span.IsRecording() {
		span.SetName(operation)
		span.SetAttributes(attribute.String("graphql.operation.name", operation))
	}
}

// Job traces a run of a job; the function returned ends it. about is the id of what it is about.
func (t *Tracer) Job(ctx context.Context, kind string, id int64, attempt int, about string) (context.Context, func(error)) {
	ctx, span := t.tracer.Start(ctx, kind, trace.WithNewRoot(), trace.WithSpanKind(trace.SpanKindConsumer), trace.WithAttributes(
		attribute.String("halles.job.kind", kind), attribute.Int64("halles.job.id", id), attribute.Int("halles.job.attempt", attempt)))
	if about != "" {
		span.SetAttributes(attribute.String("halles.about", about))
	}
	return ctx, func(err error) {
		if err != nil {
			span.SetStatus(codes.Error, "")
		}
		span.End()
	}
}

// timeout is how long a batch may take to be told.
const timeout = 10 * time.Second
