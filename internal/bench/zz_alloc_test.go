package bench_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/audelor/halles/internal/bench"
	"github.com/audelor/halles/internal/demo"
	"github.com/audelor/halles/internal/pg"
)

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func slicesSort(l []int64) { slices.Sort(l) }

func pgns(pid int) (n int64) {
	all, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, f := range all {
		b, _ := os.ReadFile(f)
		i := strings.LastIndexByte(string(b), ')')
		if i < 0 {
			continue
		}
		w := strings.Fields(string(b)[i+1:])
		if w[1] == strconv.Itoa(pid) {
			c, _ := os.ReadFile(filepath.Dir(f) + "/schedstat")
			x, _ := strconv.ParseInt(strings.Fields(string(c) + " 0")[0], 10, 64)
			n += x
		}
	}
	return n
}

func TestZZ(t *testing.T) {
	content, err := os.ReadFile("/tmp/wt/bench-data/demo.json")
	if err != nil {
		t.Fatal(err)
	}
	var d demo.File
	_ = json.Unmarshal(content, &d)
	db, err := pg.Open(t.Context(), pg.Options{URL: d.Postgres})
	if err != nil {
		t.Fatal(err)
	}
	h, err := bench.NewHalles(t.Context(), db, make([]byte, 32), nil)
	if err != nil {
		t.Fatal(err)
	}
	l, _ := bench.OpenLimit(t.Context(), d.Postgres, nil)
	s, err := bench.Draw(t.Context(), l.DB())
	if err != nil {
		t.Fatal(err)
	}
	if os.Getenv("ZZ") != "" {
		runtime.MemProfileRate = 1
	}
	postmaster := bench.PostgresOf(t.Context(), l.DB())
	for _, w := range s.Reads()[:3] {
		if o := os.Getenv("ZZC") + os.Getenv("ZZ"); o != "" && o != w.Name {
			continue
		}
		n := 3000
		if w.Name == "W2" {
			n = 200
		}
		for i := range 30 {
			if a := ask(t, h, w.Halles(i)); i == 0 || strings.Contains(string(a), `"errors"`) {
				fmt.Printf("%.300s\n", a)
			}
		}
		side := func(name string, h http.Handler, next func(int) []byte) {
			var own, theirs []int64
			var allocs, bytes uint64
			slices := 20
			for range slices {
				var a, b runtime.MemStats
				runtime.ReadMemStats(&a)
				p, c := pgns(postmaster), cpu()
				for i := range n / slices {
					ask(t, h, next(i))
				}
				c = cpu() - c
				p = pgns(postmaster) - p
				runtime.ReadMemStats(&b)
				own, theirs = append(own, c.Microseconds()/int64(n/slices)), append(theirs, p/1000/int64(n/slices))
				allocs, bytes = (b.Mallocs-a.Mallocs)/uint64(n/slices), (b.TotalAlloc-a.TotalAlloc)/uint64(n/slices)
			}
			slicesSort(own)
			slicesSort(theirs)
			fmt.Printf("%s %s: p10 %d + %d, median %d + %d us; %d allocs, %d B\n", w.Name, name, own[2], theirs[2], own[10], theirs[10], allocs, bytes)
		}
		if os.Getenv("ZZC") == w.Name {
			n *= 4
			f, _ := os.Create("/tmp/wt/read-" + w.Name + ".cpu")
			_ = pprof.StartCPUProfile(f)
		}
		side("halles", h, w.Halles)
		pprof.StopCPUProfile()
		if os.Getenv("ZZC")+os.Getenv("ZZ") == "" {
			side("limit ", l, w.Limit)
		}
		if os.Getenv("ZZ") == w.Name {
			f, _ := os.Create("/tmp/wt/read-" + w.Name + ".mem")
			_ = pprof.Lookup("allocs").WriteTo(f, 0)
			f.Close()
			return
		}
	}
}
