package calendar

import (
	"time"

	"github.com/audelor/halles/internal/fault"
)

// Closure is a time for which a shop closes of its own accord: holidays, works, illness. It
// stops every mode, whatever the hours say.
type Closure struct {
	From   time.Time
	Until  time.Time // the first instant after it; zero: until further notice
	Reason string    // in French, for customers; may be empty: "congés d'hiver"
}

// ClosedDays closes whole local days, first and last included.
func ClosedDays(first, last Date, reason string) Closure {
	return Closure{From: first.At(0), Until: (last + 1).At(0), Reason: reason}
}

// Check refuses a closure that ends before it begins.
func (c *Closure) Check(path ...string) error {
	if end(c.Until) <= c.From.Unix() {
		return fault.At(path, "La fermeture finit le %s avant de commencer le %s.", instantText(c.Until), instantText(c.From))
	}
	return nil
}

// block is the closure as a span in which nothing is open.
func (c *Closure) block() span { return span{c.From.Unix(), end(c.Until)} }

// closure is the one in force at some instant of s that lasts longest, or nil.
func (h *Hours) closure(s span) *Closure {
	var longest *Closure
	for i := range h.Closures {
		c := &h.Closures[i]
		if b := c.block(); b.meets(s) && (longest == nil || b.to > end(longest.Until)) {
			longest = c
		}
	}
	return longest
}

// meets tells whether two spans share an instant.
func (s span) meets(t span) bool { return s.from < t.to && t.from < s.to }
