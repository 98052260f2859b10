package spans

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/trace"
)

// exporter posts spans as OTLP in JSON (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding),
// which every collector takes beside protobuf. The SDK's own exporter would add gRPC and protobuf to
// the program, 3.4 MB, for a body that is a third shorter; and it would send all that a library says of
// a span, where this one sends what told has.
type exporter struct {
	settings Settings
	client   *http.Client
}

func newExporter(s Settings) *exporter {
	return &exporter{settings: s, client: &http.Client{Timeout: s.Timeout, Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: 1}}}
}

// told are the attributes that leave the server. None has a value that a person wrote: a statement has
// placeholders, a route its pattern, a job the id of its row.
var told = map[attribute.Key]bool{
	"http.request.method": true, "http.route": true, "http.response.status_code": true, "graphql.operation.name": true,
	"db.system.name": true, "db.operation.name": true, "db.query.text": true, "db.response.status_code": true, "pgx.operation.type": true, "pgx.sql_state": true, "pgx.rows_affected": true,
	"halles.job.kind": true, "halles.job.id": true, "halles.job.attempt": true, "halles.about": true,
}

// The messages of opentelemetry/proto/collector/trace/v1, as far as they are sent. 64-bit numbers are
// strings, ids are hexadecimal.
type (
	request struct {
		ResourceSpans []resourceSpans `json:"resourceSpans"`
	}
	resourceSpans struct {
		Resource   attributes   `json:"resource"`
		ScopeSpans []scopeSpans `json:"scopeSpans"`
	}
	attributes struct {
		Attributes []keyValue `json:"attributes"`
	}
	scopeSpans struct {
		Scope struct {
			Name string `json:"name"`
		} `json:"scope"`
		Spans []span `json:"spans"`
	}
	span struct {
		TraceID    string     `json:"traceId"`
		SpanID     string     `json:"spanId"`
		Parent     string     `json:"parentSpanId,omitempty"`
		Flags      uint32     `json:"flags"`
		Name       string     `json:"name"`
		Kind       int        `json:"kind"`
		Start      string     `json:"startTimeUnixNano"`
		End        string     `json:"endTimeUnixNano"`
		Attributes []keyValue `json:"attributes,omitempty"`
		Status     struct {
			Code int `json:"code,omitempty"`
		} `json:"status"`
	}
	keyValue struct {
		Key   string `json:"key"`
		Value value  `json:"value"`
	}
	value struct {
		String *string  `json:"stringValue,omitempty"`
		Bool   *bool    `json:"boolValue,omitempty"`
		Int    *string  `json:"intValue,omitempty"`
		Double *float64 `json:"doubleValue,omitempty"`
	}
)

func valueOf(v attribute.Value) value {
	switch v.Type() {
	case attribute.BOOL:
		b := v.AsBool()
		return value{Bool: &b}
	case attribute.INT64:
		n := strconv.FormatInt(v.AsInt64(), 10)
		return value{Int: &n}
	case attribute.FLOAT64:
		f := v.AsFloat64()
		return value{Double: &f}
	default:
		s := v.Emit()
		return value{String: &s}
	}
}

// encode is what is posted.
func encode(list []sdk.ReadOnlySpan) ([]byte, error) {
	of := resourceSpans{}
	for _, kv := range list[0].Resource().Attributes() {
		of.Resource.Attributes = append(of.Resource.Attributes, keyValue{string(kv.Key), valueOf(kv.Value)})
	}
	scopes := map[string]int{}
	for _, s := range list {
		at, ok := scopes[s.InstrumentationScope().Name]
		if !ok {
			at = len(of.ScopeSpans)
			scopes[s.InstrumentationScope().Name] = at
			of.ScopeSpans = append(of.ScopeSpans, scopeSpans{})
			of.ScopeSpans[at].Scope.Name = s.InstrumentationScope().Name
		}
		of.ScopeSpans[at].Spans = append(of.ScopeSpans[at].Spans, spanOf(s))
	}
	return json.Marshal(request{[]resourceSpans{of}})
}

func spanOf(s sdk.ReadOnlySpan) span {
	c := s.SpanContext()
	traceID, spanID := c.TraceID(), c.SpanID()
	one := span{
		TraceID: hex.EncodeToString(traceID[:]), SpanID: hex.EncodeToString(spanID[:]), Flags: uint32(c.TraceFlags()),
		Name: s.Name(), Kind: int(s.SpanKind()), // both begin with unspecified, internal, server
		Start: nanoseconds(s.StartTime()), End: nanoseconds(s.EndTime()),
	}
	if p := s.Parent(); p.HasSpanID() {
		parent := p.SpanID()
		one.Parent = hex.EncodeToString(parent[:])
	}
	for _, kv := range s.Attributes() {
		if told[kv.Key] {
			one.Attributes = append(one.Attributes, keyValue{string(kv.Key), valueOf(kv.Value)})
		}
	}
	// codes.Error is 1 in Go and 2 in the protocol. Its words may be Postgres's, with a value in them.
	if s.Status().Code.String() == "Error" {
		one.Status.Code = 2
	}
	return one
}

func nanoseconds(t time.Time) string { return strconv.FormatInt(t.UnixNano(), 10) }

// ExportSpans posts the spans. What a collector does not take at the moment is sent twice again, as the
// protocol says.
func (e *exporter) ExportSpans(ctx context.Context, list []sdk.ReadOnlySpan) error {
	if len(list) == 0 {
		return nil
	}
	body, err := encode(list)
	if err != nil {
		return err
	}
	for wait := time.Second; ; wait *= 2 {
		again, err := e.post(ctx, body)
		if err == nil || !again || wait > 2*time.Second {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(wait):
		}
	}
}

// post tells whether it may be tried again.
func (e *exporter) post(ctx context.Context, body []byte) (again bool, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, e.settings.Endpoint, bytes.NewReader(body))
	if err != nil {
		return false, err
	}
	r.Header.Set("Content-Type", "application/json")
	for name, value := range e.settings.Headers {
		r.Header.Set(name, value)
	}
	answer, err := e.client.Do(r)
	if err != nil {
		return true, fmt.Errorf("the collector of traces is not reached: %w", err)
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 1<<16)) // so that the connection is used again
	switch answer.StatusCode {
	case http.StatusOK, http.StatusAccepted, http.StatusNoContent:
		return false, nil
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		again = true
	}
	return again, fmt.Errorf("the collector of traces answers %s", answer.Status)
}

// Shutdown ends the connections.
func (e *exporter) Shutdown(context.Context) error {
	e.client.CloseIdleConnections()
	return nil
}
