package main

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// heapGrowth is how far the heap may grow between two collections, in percent, where memory is not
	// scarce (GOGC): a request leaves nothing behind, and at 100 a fifth of the time goes into finding
	// that out.
	heapGrowth = 400
	// smallServer is what all of Go's memory may take while little of it is in use, in bytes; the
	// program itself comes to it.
	smallServer = 96 << 20
	// memoryEvery is how often it is looked at.
	memoryEvery = time.Second
)

// spareCollections has memory collected seldom while there is little in use, and as usual where there is
// much: a limit at what is in use would have nothing done but collecting. What GOGC and GOMEMLIMIT say
// stands, and so does the limit of the service.
func spareCollections(ctx context.Context, env map[string]string) {
	if env["GOGC"] != "" || env["GOMEMLIMIT"] != "" {
		return
	}
	most := debug.SetMemoryLimit(-1)
	defer debug.SetMemoryLimit(most)
	defer debug.SetGCPercent(debug.SetGCPercent(heapGrowth))
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	tick := time.NewTicker(memoryEvery)
	defer tick.Stop()
	for now := int64(0); ; {
		metrics.Read(live)
		limit := memoryLimit(int64(live[0].Value.Uint64()), most)
		if limit != now {
			debug.SetMemoryLimit(limit)
			now = limit
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// memoryLimit is what memory may take with so much of the heap in use. In steps: to change it stops the
// world.
func memoryLimit(live, most int64) int64 {
	const step = 16 << 20
	return min(max(smallServer, (2*live/step+1)*step), most)
}
