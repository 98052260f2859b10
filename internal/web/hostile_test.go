package web_test

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/audelor/halles/graph/graphtest/hostile"
)

// What one hostile request may cost.
const (
	mostCPU   = 50 * time.Millisecond
	mostBytes = 10 << 20
)

// Whatever is sent to knock the server over is refused for little, and the server then is as
// before. Requests go through the whole front door, one after the other: what each takes of its
// thread's time and of the heap is measured. In short form a slow or busy machine is given what
// a hundred requests in their right mind take of it.
func TestHostile(t *testing.T) {
	s := start(t)
	requests := hostile.Requests()
	for name, d := range hostile.Documents() {
		body, err := json.Marshal(map[string]any{"query": d.Text, "variables": d.Vars})
		if err != nil {
			t.Fatal(err)
		}
		requests["Document"+name] = hostile.Request{Body: string(body)}
	}
	if len(requests) < 110 {
		t.Errorf("%d kinds", len(requests))
	}
	names := make([]string, 0, len(requests))
	for name := range requests {
		names = append(names, name)
	}
	slices.Sort(names)

	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	benign := hostile.Request{Body: `{"query":"{ viewer { kind } communes { name } categories { name children { name } } }"}`}
	allowed := mostCPU
	var usual []time.Duration
	for range 11 {
		a, cost := s.weighed(benign)
		if a.Code != http.StatusOK || !strings.Contains(a.Body.String(), "Lorient") {
			t.Fatalf("a usual request: %d %s", a.Code, a.Body)
		}
		usual = append(usual, cost.cpu)
	}
	slices.Sort(usual)
	if os.Getenv("HALLES_LONG") == "" {
		allowed = max(allowed, 100*usual[len(usual)/2])
	}
	goroutines := runtime.NumGoroutine()
	var worst, heaviest weight
	var slowest, fattest string
	for _, name := range names {
		// The best of three: a collection of garbage may fall into one.
		best := weight{cpu: time.Hour, bytes: 1 << 60}
		for range 3 {
			a, cost := s.weighed(requests[name])
			text := a.Body.String()
			refused := a.Code >= 400 && a.Code < 500 || gjson.Get(text, "errors.0.extensions.code").Exists() && !gjson.Get(text, "data").IsObject()
			if !refused || a.Body.Len() > 20_000 && name != "Entities" || strings.Contains(text, `"INTERNAL"`) {
				t.Errorf("%s: %d %.500s", name, a.Code, text)
			}
			best = weight{min(best.cpu, cost.cpu), min(best.bytes, cost.bytes)}
			if best.cpu < allowed && best.bytes < mostBytes {
				break
			}
		}
		if best.cpu > allowed || best.bytes > mostBytes {
			t.Errorf("%s: %v of CPU and %d KB to refuse", name, best.cpu, best.bytes>>10)
		}
		if best.cpu > worst.cpu {
			worst, slowest = best, name
		}
		if best.bytes > heaviest.bytes {
			heaviest, fattest = best, name
		}
	}
	t.Logf("%d kinds; a usual request %v; the slowest to refuse %s, %v; the heaviest %s, %d KB",
		len(names), usual[len(usual)/2], slowest, worst.cpu, fattest, heaviest.bytes>>10)

	if a, _ := s.weighed(benign); a.Code != http.StatusOK || !strings.Contains(a.Body.String(), "Lorient") {
		t.Errorf("afterwards: %d %s", a.Code, a.Body)
	}
	for range 100 {
		if runtime.NumGoroutine() <= goroutines+2 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if n := runtime.NumGoroutine(); n > goroutines+2 {
		t.Errorf("%d goroutines before, %d after", goroutines, n)
	}
	if log := s.log.String(); strings.Contains(log, "internal error") || strings.Contains(log, "panic") {
		t.Errorf("in the log: %.2000s", log[max(0, len(log)-2000):])
	}
}

type weight struct {
	cpu   time.Duration
	bytes uint64
}

// weighed sends a request through the handler in this thread.
func (s *site) weighed(q hostile.Request) (*httptest.ResponseRecorder, weight) {
	r := httptest.NewRequestWithContext(s.t.Context(), cmp.Or(q.Method, http.MethodPost), "/graphql?"+q.Query, strings.NewReader(q.Body))
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(q.Headers); i += 2 {
		r.Header.Set(q.Headers[i], q.Headers[i+1])
	}
	w := httptest.NewRecorder()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began := threadTime()
	s.web.Handler().ServeHTTP(w, r)
	taken := threadTime() - began
	runtime.ReadMemStats(&after)
	return w, weight{taken, after.TotalAlloc - before.TotalAlloc}
}
