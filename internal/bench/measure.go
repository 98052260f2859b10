package bench

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync/atomic"
	"time"

	"github.com/audelor/halles/internal/pg"
)

// Options say how to measure.
type Options struct {
	Halles, Limit string        // addresses
	Connections   int           // 16
	During        time.Duration // of a round of each
	Rounds        int           // 3: their medians count
	Processes     Processes

	// For Run.
	Only     []string          // names of workloads; none: all
	Database pg.Options        // an administrator's
	Tokens   map[string]string // of the demo's people
	Out      io.Writer

	Following func() // for a test: those who follow of one side are there, and nothing has changed yet
}

// Side is what one of the two did with a workload. Milliseconds but for CPU, which is microseconds of
// all processors for a request.
type Side struct {
	PerSecond   float64 `json:"perSecond"`
	P50         float64 `json:"p50ms"`
	P99         float64 `json:"p99ms"`
	Bytes       float64 `json:"bytes"`
	CPU         float64 `json:"cpuMicros,omitempty"`
	PostgresCPU float64 `json:"postgresCPUMicros,omitempty"`
	Inside      *Inside `json:"inside,omitempty"`
}

// Compared is a workload, measured.
type Compared struct {
	Name   string  `json:"name"`
	Title  string  `json:"title"`
	Halles Side    `json:"halles"`
	Limit  Side    `json:"limit"`
	Ratio  float64 `json:"ratio"`    // of answers a second, halles's by the limit's
	P99    float64 `json:"p99Ratio"` // likewise
	CPU    float64 `json:"cpuRatio,omitempty"`
}

// Measure asks halles and the limit in turn, so that the machine's mood weighs on both, after a
// while that does not count.
func Measure(ctx context.Context, o Options, w Workload) (*Compared, error) {
	var sent atomic.Int64
	round := func(address string, pid int, during time.Duration, next func(int) []byte) (Side, error) {
		cpu, postgres := spent(pid, false), spent(o.Processes.Postgres, true)
		l, err := Ask(ctx, address, o.Connections, during, &sent, next)
		if err != nil {
			return Side{}, fmt.Errorf("%s at %s: %w", w.Name, address, err)
		}
		if l.Answers == 0 {
			return Side{}, fmt.Errorf("%s at %s: no answer in %s", w.Name, address, during)
		}
		each := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(l.Answers) }
		return Side{
			PerSecond: l.PerSecond(), P50: milliseconds(l.At(0.5)), P99: milliseconds(l.At(0.99)), Bytes: float64(l.Bytes) / float64(l.Answers),
			CPU: each(spent(pid, false) - cpu), PostgresCPU: each(spent(o.Processes.Postgres, true) - postgres),
		}, nil
	}
	var halles, limit []Side
	for n := range o.Rounds + 1 {
		during := o.During
		if n == 0 {
			during = min(during, max(during/4, time.Second))
		}
		ours, err := round(o.Halles, o.Processes.Halles, during, w.Halles)
		if err != nil {
			return nil, err
		}
		theirs, err := round(o.Limit, o.Processes.Limit, during, w.Limit)
		if err != nil {
			return nil, err
		}
		if n > 0 {
			halles, limit = append(halles, ours), append(limit, theirs)
		}
	}
	c := &Compared{Name: w.Name, Title: w.Title, Halles: middle(halles), Limit: middle(limit)}
	c.Ratio, c.P99 = c.Halles.PerSecond/c.Limit.PerSecond, c.Halles.P99/c.Limit.P99
	if o.Processes.Halles != 0 && o.Processes.Limit != 0 {
		c.CPU = (c.Halles.CPU + c.Halles.PostgresCPU) / (c.Limit.CPU + c.Limit.PostgresCPU)
	}
	return c, nil
}

// middle has the median of each figure.
func middle(rounds []Side) Side {
	of := func(figure func(Side) float64) float64 {
		all := make([]float64, len(rounds))
		for i, r := range rounds {
			all[i] = figure(r)
		}
		return median(all)
	}
	return Side{
		PerSecond: of(func(s Side) float64 { return s.PerSecond }),
		P50:       of(func(s Side) float64 { return s.P50 }), P99: of(func(s Side) float64 { return s.P99 }),
		Bytes: of(func(s Side) float64 { return s.Bytes }),
		CPU:   of(func(s Side) float64 { return s.CPU }), PostgresCPU: of(func(s Side) float64 { return s.PostgresCPU }),
	}
}

func median(all []float64) float64 {
	slices.Sort(all)
	n := len(all)
	if n%2 == 1 {
		return all[n/2]
	}
	return (all[n/2-1] + all[n/2]) / 2
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
