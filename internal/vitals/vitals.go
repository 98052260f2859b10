// Package vitals is what a server tells those who run it, as figures for Prometheus: how much is
// asked and how long it takes, what is refused, and how its pools, its feed and its jobs are. It
// knows no feature: web hands it what it measures.
//
// A label has as many values as the program knows, and never one that a client wrote: routes,
// root fields and registered documents, codes, roles, kinds of jobs. No figure names a person, a
// shop or a commune.
package vitals

import (
	"net/http"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Vitals are the figures of one server.
type Vitals struct {
	registry *prometheus.Registry

	InFlight prometheus.Gauge // requests that are being answered, without streams and sockets
	Streams  prometheus.Gauge // streams and sockets that are open

	requests     *prometheus.CounterVec
	requestTime  *prometheus.HistogramVec
	operations   *prometheus.CounterVec
	operationErr *prometheus.CounterVec
	operateTime  *prometheus.HistogramVec
	events       *prometheus.CounterVec
	refusals     *prometheus.CounterVec
	shed         *prometheus.CounterVec
	jobs         *prometheus.CounterVec
	jobTime      *prometheus.HistogramVec

	routes labelled[routeLabels]
	named  labelled[operationLabels]
}

type routeLabels struct {
	route, method string
	status        int
}

type operationLabels struct{ name, kind string }

// labelled keeps the figures of labels that came before: to look the labels up took 2 % of a product's
// answer. There are as many as labels have values.
type labelled[Labels comparable] struct {
	mu sync.RWMutex
	of map[Labels]timed
}

// timed counts, and has the time of each.
type timed struct {
	count prometheus.Counter
	took  prometheus.Observer
}

func (f *labelled[Labels]) get(labels Labels, look func() timed) timed {
	f.mu.RLock()
	t, known := f.of[labels]
	f.mu.RUnlock()
	if known {
		return t
	}
	t = look()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.of == nil {
		f.of = map[Labels]timed{}
	}
	f.of[labels] = t
	return t
}

// seconds are the bounds of all histograms: from what a cached answer takes to what a client gives
// up at.
var seconds = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

// New returns the figures, all at zero, with those of Go and of the process.
func New() *Vitals {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "halles_" + name, Help: help}, labels)
	}
	histogram := func(name, help string, labels ...string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "halles_" + name, Help: help, Buckets: seconds}, labels)
	}
	v := &Vitals{
		registry: prometheus.NewRegistry(),
		InFlight: prometheus.NewGauge(prometheus.GaugeOpts{Name: "halles_http_requests_in_flight", Help: "Requests that are being answered, without streams and sockets."}),
		Streams:  prometheus.NewGauge(prometheus.GaugeOpts{Name: "halles_streams", Help: "Event streams and sockets that are open."}),

		requests:     counter("http_requests_total", "Requests answered, by the route's pattern. A stream or a socket counts when it ends.", "route", "method", "code"),
		requestTime:  histogram("http_request_duration_seconds", "How long requests took, without streams and sockets.", "route"),
		operations:   counter("operations_total", "GraphQL operations answered: a registered document by its name, any other by its one root field, several for many, invalid when it was refused before it was understood.", "operation", "type"),
		operationErr: counter("operation_errors_total", "Errors in answers, by extensions.code. LIMITED, NOT_FOUND, FORBIDDEN and INVALID are the clients' own; INTERNAL is ours.", "code"),
		operateTime:  histogram("operation_duration_seconds", "How long queries and mutations took, parsing included.", "operation"),
		events:       counter("events_sent_total", "Responses of subscriptions that were sent.", "operation"),
		refusals:     counter("refusals_total", "Refusals by the business that mutations answered, by code: OUT_OF_STOCK, SLOT_FULL and the like.", "code"),
		shed:         counter("shed_total", "Operations that were turned away with 503 since too many of their kind waited.", "lane"),
		jobs:         counter("job_runs_total", "Jobs that this server worked off.", "kind", "outcome"),
		jobTime:      histogram("job_duration_seconds", "How long jobs took.", "kind"),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "halles_build_info", Help: "1; the labels say what runs.", ConstLabels: prometheus.Labels{"version": version(), "go": goVersion()},
	})
	build.Set(1)
	v.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), build,
		v.InFlight, v.Streams, v.requests, v.requestTime, v.operations, v.operationErr, v.operateTime, v.events, v.refusals, v.shed, v.jobs, v.jobTime)
	return v
}

// Version is what runs, as the Go command noted it: a tag, or the commit; "unknown" in a build
// without either.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	return "unknown"
}

func goVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.GoVersion
	}
	return "unknown"
}

// Handler answers a scrape.
func (v *Vitals) Handler() http.Handler {
	return promhttp.HandlerFor(v.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
}

// Request counts an answered request. route is its pattern; a stream has no time.
func (v *Vitals) Request(route, method string, status int, took time.Duration, stream bool) {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodOptions:
	default:
		method = "other" // a client may write anything
	}
	if stream {
		v.requests.WithLabelValues(route, method, strconv.Itoa(status)).Inc()
		return
	}
	t := v.routes.get(routeLabels{route, method, status}, func() timed {
		return timed{v.requests.WithLabelValues(route, method, strconv.Itoa(status)), v.requestTime.WithLabelValues(route)}
	})
	t.count.Inc()
	t.took.Observe(took.Seconds())
}

// Operation counts an answered query or mutation, and the codes of its errors.
func (v *Vitals) Operation(name, kind string, took time.Duration, codes []string) {
	t := v.named.get(operationLabels{name, kind}, func() timed {
		return timed{v.operations.WithLabelValues(name, kind), v.operateTime.WithLabelValues(name)}
	})
	t.count.Inc()
	t.took.Observe(took.Seconds())
	v.errors(codes)
}

// Event counts a response of a subscription.
func (v *Vitals) Event(name string, codes []string) {
	v.events.WithLabelValues(name).Inc()
	v.errors(codes)
}

func (v *Vitals) errors(codes []string) {
	for _, c := range codes {
		v.operationErr.WithLabelValues(c).Inc()
	}
}

// Refused counts refusals by the business.
func (v *Vitals) Refused(codes ...string) {
	for _, c := range codes {
		v.refusals.WithLabelValues(c).Inc()
	}
}

// Shed counts an operation that was turned away.
func (v *Vitals) Shed(lane string) { v.shed.WithLabelValues(lane).Inc() }

// Job counts a run of a job.
func (v *Vitals) Job(kind string, took time.Duration, err error) {
	outcome := "done"
	if err != nil {
		outcome = "failed"
	}
	v.jobs.WithLabelValues(kind, outcome).Inc()
	v.jobTime.WithLabelValues(kind).Observe(took.Seconds())
}
