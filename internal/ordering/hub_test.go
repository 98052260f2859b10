package ordering

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
)

// A reader that comes when the tail has gone on gets what it missed from the ring, exactly, or
// is sent back to the database when the ring does not reach so far.
func TestSeatsFromTheRing(t *testing.T) {
	t.Parallel()
	const n = 3*ringSize + 7
	order, shop, epoch := uuid.New(), uuid.New(), uuid.New()
	log := make([]*Event, n)
	for i := range log {
		log[i] = &Event{CommuneID: "56121", Seq: int64(i + 1), OrderRow: order, ShopRow: shop}
		if i%3 == 0 {
			log[i].ShopRow = uuid.New()
		}
	}
	h := newHub(func(_ context.Context, after map[string]int64) (map[string]*logPage, error) {
		at := int(after["56121"])
		return map[string]*logPage{"56121": {epoch: epoch, head: n, events: log[at:min(at+pageSize, n)]}}, nil
	}, slog.New(slog.DiscardHandler))
	defer h.close()
	if _, ok := h.seat(&reader{}, "56121", 0, epoch, []uuid.UUID{uuid.New()}); !ok { // keeps the tail
		t.Fatal("the first reader starts the tail")
	}
	for end := time.Now().Add(time.Minute); h.followed()["56121"].Seq < n; {
		if time.Now().After(end) {
			t.Fatal("the tail does not reach the head")
		}
		time.Sleep(time.Millisecond)
	}
	served := 0
	for at := int64(0); at <= n; at++ {
		r, keys := &reader{}, []uuid.UUID{shop}
		missed, ok := h.seat(r, "56121", at, epoch, keys)
		if !ok {
			if at > n-ringSize {
				t.Fatalf("sent back from %d, within the ring", at)
			}
			continue
		}
		served++
		var got, want []int64
		for _, e := range missed {
			got = append(got, e.Seq)
		}
		for _, e := range log[at:] {
			if e.ShopRow == shop {
				want = append(want, e.Seq)
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("from %d: %d events, want %d", at, len(got), len(want))
		}
		h.leave(r, "56121", keys)
	}
	if served < ringSize || served > 2*ringSize+pageSize {
		t.Errorf("the ring served %d places", served)
	}
}
