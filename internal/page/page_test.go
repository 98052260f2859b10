package page_test

import (
	"errors"
	"testing"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/page"
)

type position struct {
	Name string
	N    int
}

func TestCursor(t *testing.T) {
	t.Parallel()
	s := page.NewSealer([]byte("0123456789abcdef0123456789abcdef"))
	cursor := s.Seal("shops", position{"Épicerie", 7})
	if again := s.Seal("shops", position{"Épicerie", 7}); again != cursor {
		t.Error("the same row has two cursors: answers could not be compared")
	}
	var got position
	if err := s.Open("shops", cursor, &got); err != nil || got != (position{"Épicerie", 7}) {
		t.Fatalf("got %v, %v", got, err)
	}
	flipped := []byte(cursor)
	flipped[len(flipped)/2] ^= 1
	for name, c := range map[string]string{
		"OfAnotherList": s.Seal("products", position{"Épicerie", 7}),
		"OfAnotherKey":  page.NewSealer([]byte("another secret of 32 bytes or so")).Seal("shops", position{"Épicerie", 7}),
		"Altered":       string(flipped),
		"CutOff":        cursor[:10],
		"Empty":         "",
		"Plain":         "eyJOYW1lIjoiYSJ9",
		"NotBase64":     "%%%",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := s.Open("shops", c, &position{}); !errors.Is(err, fault.Invalid) {
				t.Errorf("opened: %v", err)
			}
		})
	}
}

func TestCheckFirst(t *testing.T) {
	t.Parallel()
	for first, ok := range map[int]bool{-1: false, 0: false, 1: true, 100: true, 101: false, 100000: false} {
		if err := page.CheckFirst(first); (err == nil) != ok {
			t.Errorf("first: %d: %v", first, err)
		}
	}
}
