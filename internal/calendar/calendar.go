// Package calendar says when a shop is open, when it can hand an order over, and why not.
//
// It is pure: it knows no database and no clock; instants come in as arguments. Everything is
// drawn from one function, Hours.day, which turns local opening times into instants, and from
// one list of blocks (closures, and restrictions that refuse a mode). Open now, next opening,
// spans, slots and the verdict at checkout all read these two, so they cannot disagree.
//
// Local times are Europe/Paris whatever the server's zone; only this package converts. A local
// time is the first instant at which the clock on the wall reaches it: 02:30 is its first pass
// when the hour is doubled in October, and 03:00 when it is missing in March. Every interval is
// half-open and precise to the second: open at 19:00 until 19:00 means closed at 19:00.
package calendar

import (
	"math"
	"slices"
	"time"
	_ "time/tzdata" // a bare machine has no zone files
)

// Paris is the time zone of every shop.
var Paris = func() *time.Location {
	loc, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		panic(err) // the zone is embedded
	}
	return loc
}()

// Mode is a way to be served.
type Mode string

// The modes. A restriction may refuse each apart.
const (
	Visit    Mode = "VISIT"    // enter the shop
	Pickup   Mode = "PICKUP"   // click & collect, without entering
	Delivery Mode = "DELIVERY" // by the shop
)

// Modes are all of them.
var Modes = []Mode{Visit, Pickup, Delivery}

// Valid tells whether m is one of the modes.
func (m Mode) Valid() bool { return slices.Contains(Modes, m) }

// Shop is what the calendar must know of a shop.
type Shop struct {
	Hours
	Place
	Restrictions []Restriction // any; those that do not touch the shop are passed over
	Offers       []Offer       // how it hands orders over, at most one for each mode

	Loaded map[Mode]map[int64]Load // slots by their start, in Unix seconds, of which something is taken or that the shop closed
}

// Span is a time from Start to before End.
type Span struct {
	Start time.Time
	End   time.Time
}

// span is a Span in Unix seconds, for arithmetic without allocation.
type span struct{ from, to int64 }

// forever ends what has no end.
const forever = math.MaxInt64

func (s span) export() Span { return Span{Start: at(s.from), End: at(s.to)} }

// at is an instant, shown in local time.
func at(unix int64) time.Time { return time.Unix(unix, 0).In(Paris) }

// end is the Unix second of a time that may be missing.
func end(t time.Time) int64 {
	if t.IsZero() {
		return forever
	}
	return t.Unix()
}
