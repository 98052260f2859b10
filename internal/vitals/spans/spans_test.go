package spans

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
)

// collector takes what is posted.
func collector(t *testing.T, refuse int) (s Settings, posts *[]request) {
	t.Helper()
	posts = &[]request{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if refuse > 0 {
			refuse--
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		var got request
		if err := json.Unmarshal(body, &got); err != nil || r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/json" || r.Header.Get("X-Key") != "a b" {
			t.Errorf("%s %v %v: %s", r.URL, r.Header, err, body)
		}
		*posts = append(*posts, got)
	}))
	t.Cleanup(server.Close)
	s = FromEnv(map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": server.URL, "OTEL_EXPORTER_OTLP_HEADERS": "X-Key=a%20b", "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test"},
		func(format string, args ...any) { t.Errorf(format, args...) })
	return s, posts
}

func everywhere(*http.Request) bool { return true }

// A request, what is refused at first, and only what may be told.
func TestTold(t *testing.T) {
	t.Parallel()
	s, posts := collector(t, 1)
	tracer := Start(s, slog.New(slog.DiscardHandler))
	trusted := func(r *http.Request) bool { return r.Header.Get("X-Router") != "" }
	h := tracer.Request(everywhere, trusted, func(*http.Request) string { return "/boutique/{slug}" })(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		Name(r.Context(), "shops")
		_, span := tracer.tracer.Start(r.Context(), "SELECT")
		span.SetAttributes(attribute.String("db.query.text", "select $1"), attribute.String("pgx.query.parameters", "Anna"))
		span.RecordError(errors.New("Anna is there already"))
		span.SetStatus(codes.Error, "Anna is there already")
		span.End()
		w.WriteHeader(http.StatusTeapot)
	}))
	const parent = "0af7651916cd43dd8448eb211c80319c"
	for _, router := range []string{"", "yes"} {
		r := httptest.NewRequest(http.MethodGet, "/boutique/anna?name=Anna", nil)
		r.Header.Set("Traceparent", "00-"+parent+"-b7ad6b7169203331-01")
		r.Header.Set("X-Router", router)
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
	if err := tracer.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(*posts)
	if err != nil || strings.Contains(strings.ToLower(string(text)), "anna") {
		t.Errorf("told: %s", text)
	}
	ours := 0
	for _, post := range *posts {
		for _, of := range post.ResourceSpans {
			if len(of.Resource.Attributes) != 2 {
				t.Errorf("of %+v", of.Resource)
			}
			for _, scope := range of.ScopeSpans {
				for _, s := range scope.Spans {
					if s.TraceID == parent {
						ours++
					}
					if s.Name == "SELECT" && (s.Status.Code != 2 || len(s.Attributes) != 1 || s.Parent == "") {
						t.Errorf("a statement: %+v", s)
					}
					if s.Name == "shops" && (s.Kind != 2 || len(s.Attributes) != 4 || s.Start >= s.End) {
						t.Errorf("a request: %+v", s)
					}
				}
			}
		}
	}
	if ours != 2 {
		t.Errorf("%d spans go on with a foreign trace; the router's request and its statement may", ours)
	}
}

// Without a collector nothing is in the way: no handler more, no allocation. Not beside others, whose
// allocations would count.
func TestOffCostsNothing(t *testing.T) {
	tracer := Start(FromEnv(map[string]string{}, nil), nil)
	next := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	if tracer != nil || tracer.SQL() != nil || tracer.Stop(t.Context()) != nil || fmt.Sprintf("%p", tracer.Request(nil, nil, nil)(next)) != fmt.Sprintf("%p", next) {
		t.Error("something is in the way")
	}
	if n := testing.AllocsPerRun(100, func() { Name(context.Background(), "shops") }); n != 0 {
		t.Errorf("a name costs %.0f allocations", n)
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	read := func(env map[string]string) (Settings, string) {
		var wrong []string
		s := FromEnv(env, func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) })
		return s, strings.Join(wrong, "\n")
	}
	s, wrong := read(map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT": "http://one:4318", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://two/here", "OTEL_EXPORTER_OTLP_TIMEOUT": "500",
		"OTEL_RESOURCE_ATTRIBUTES": "service.name=a,service.instance.id=b%2Cc", "OTEL_SERVICE_NAME": "mine",
	})
	if wrong != "" || s.Endpoint != "https://two/here" || s.Timeout.Milliseconds() != 500 || s.Service != "mine" || s.Resource["service.instance.id"] != "b,c" || len(s.Resource) != 1 {
		t.Errorf("%+v %s", s, wrong)
	}
	if s, _ := read(map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://one:4318/", "OTEL_SDK_DISABLED": "true"}); s.Endpoint != "" {
		t.Errorf("disabled: %+v", s)
	}
	_, wrong = read(map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT": "http://one", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_TIMEOUT": "soon", "OTEL_EXPORTER_OTLP_HEADERS": "hunter2",
	})
	if strings.Count(wrong, "\n") != 2 || strings.Contains(wrong, "hunter2") {
		t.Error(wrong)
	}
	if _, wrong := read(map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "collector:4317"}); !strings.Contains(wrong, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is not") {
		t.Error(wrong)
	}
}
