package web_test

import (
	"fmt"
	"net/http"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/audelor/halles/internal/fixture"
)

// Analysts who look at one choice after another leave nothing behind: what a server keeps of
// dashboards is bounded. Beside others there would be their memory too, so that nothing runs here at
// the same time. HALLES_LONG=1 asks five thousand times, and tells figures.
func TestDashboardsLeaveNoMemory(t *testing.T) { //nolint:paralleltest // the heap is the process's
	const kept = 16                       // by package insight, which then begins anew: both looks are when it is full
	loads, most := 3*kept, int64(512<<10) // a choice is 27 kB of this site
	long := os.Getenv("HALLES_LONG") != ""
	if long {
		loads = 5008 // a multiple of kept
	}
	s, b := publishedSite(t)
	communes := []string{"", fixture.Lorient, fixture.Hennebont, fixture.Groix}
	months := []string{"2025-11", "2026-02", "2026-05", "2026-08", "2026-09", "2026-10"}
	sectors, modes := []string{"", "culture", "alimentation"}, []string{"", "PICKUP", "DELIVERY"}
	ask := func(n int) {
		// Each number up to 216 is a choice of its own: a period, which the year before it is compared with, and filters.
		query := fmt.Sprintf("?de=%s&a=2026-10&commune=%s&secteur=%s&mode=%s", months[n%6], communes[n/6%4], sectors[n/24%3], modes[n/72%3])
		kinds := []string{".csv", ".json"}
		if n%4 == 0 {
			kinds = append(kinds, "")
		}
		for _, kind := range kinds {
			b.do(http.MethodGet, "/tableau-de-bord"+kind+query, "").wants(t, http.StatusOK)
		}
	}
	var looks []int64
	look := func() {
		s.log.forget() // what the test keeps of the server's log grows with each request
		runtime.GC()   // the second one frees what a pool kept over the first
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		looks = append(looks, int64(m.HeapAlloc))
	}
	began := time.Now()
	for n := range kept + loads {
		if n == kept || long && n > kept && (n-kept)%1008 == 0 {
			look()
		}
		ask(n)
	}
	look()
	t.Logf("%d dashboards in %v, live bytes: %d", loads, time.Since(began).Round(time.Millisecond), looks)
	if grown := slices.Max(looks) - looks[0]; grown > most {
		t.Errorf("%d dashboards leave %d bytes behind", loads, grown)
	}
}
