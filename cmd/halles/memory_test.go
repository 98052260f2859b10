package main

import (
	"math"
	"testing"
)

// There is room for as much as is in use and more, but never for more than the service may have.
func TestMemoryLimit(t *testing.T) {
	t.Parallel()
	for _, most := range []int64{64 << 20, 256 << 20, math.MaxInt64} {
		for live := int64(0); live < 2<<30; live += 5 << 20 {
			got := memoryLimit(live, most)
			if got > most || got < min(most, 2*live) || got < min(most, smallServer) {
				t.Errorf("%d in use of %d: limit %d", live, most, got)
			}
			if got > smallServer && got > 2*live+32<<20 {
				t.Errorf("%d in use: limit %d, more than twice", live, got)
			}
		}
	}
}
