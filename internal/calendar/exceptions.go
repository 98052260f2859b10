package calendar

import (
	"cmp"
	"slices"
)

// Exception is what holds on some dates in a row in place of the week's hours.
type Exception struct {
	First, Last Date
	Openings    []Opening // those that begin on the date, in order; none: closed
	Reason      string    // in French; may be empty
}

// Exceptions are the dates from first to last whose hours are not the week's: special hours,
// closures and the holidays on which the shop is closed.
func (h *Hours) Exceptions(first, last Date) []Exception { return h.exceptions(first, last, true) }

// exceptions are the dates from first to last whose hours are not the week's: special hours,
// closures, and where asked the holidays. It is what the exports are written from.
func (h *Hours) exceptions(first, last Date, holidays bool) []Exception {
	affected := map[Date]bool{}
	for _, s := range h.Special {
		affected[s.Date] = true
	}
	for i := range h.Closures {
		b := h.Closures[i].block()
		to := last
		if b.to != forever {
			to = min(last, dateOf(b.to-1))
		}
		// From the day before: a closure after midnight may cut what opened then.
		for d := max(first, dateOf(b.from)-1); d <= to; d++ {
			affected[d] = true
		}
	}
	if holidays {
		for d := first; d <= last; d++ {
			if _, closed := h.holiday(d); closed {
				affected[d] = true
			}
		}
	}
	var list []Exception
	for d := first; d <= last; d++ {
		if !affected[d] {
			continue
		}
		e := Exception{d, d, h.pieces(d), ""}
		if c := h.closure(span{d.instant(0), (d + 1).instant(0)}); c == nil || len(e.Openings) > 0 {
			usual := h.Week[d.Weekday()-1]
			if _, closed := h.holiday(d); closed && !holidays {
				usual = nil // told by a rule of its own
			}
			if slices.Equal(e.Openings, sortedOpenings(usual)) {
				continue
			}
		} else {
			e.Reason = c.Reason
		}
		if s := h.special(d); e.Reason == "" && s != nil {
			e.Reason = s.Reason
		} else if holiday, closed := h.holiday(d); e.Reason == "" && closed {
			e.Reason = holiday.Name()
		}
		if n := len(list); n > 0 && list[n-1].Last == d-1 && list[n-1].Reason == e.Reason && slices.Equal(list[n-1].Openings, e.Openings) {
			list[n-1].Last = d
			continue
		}
		list = append(list, e)
	}
	return list
}

// pieces are what closures leave of the openings, where it begins on the date.
func (h *Hours) pieces(d Date) []Opening {
	var pieces []Opening
	for _, day := range []Date{d - 1, d} {
		for _, o := range h.openings(day) {
			if !o.valid() {
				continue
			}
			for _, left := range h.cut(span{day.instant(o.Opens), day.instant(o.Closes)}) {
				piece := Opening{d.clock(left.from), d.clock(left.to)}
				if dateOf(left.from) == d && piece.Opens < piece.Closes {
					pieces = append(pieces, piece)
				}
			}
		}
	}
	return sortedOpenings(pieces)
}

// cut takes the closures out of a span.
func (h *Hours) cut(s span) []span {
	left := []span{s}
	for i := range h.Closures {
		b := h.Closures[i].block()
		var rest []span
		for _, l := range left {
			if !l.meets(b) {
				rest = append(rest, l)
				continue
			}
			if l.from < b.from {
				rest = append(rest, span{l.from, b.from})
			}
			if b.to < l.to {
				rest = append(rest, span{b.to, l.to})
			}
		}
		left = rest
	}
	return left
}

// clock is an instant as local minutes after the date's midnight.
func (d Date) clock(unix int64) Clock {
	return Clock((unix + offset(unix) - int64(d)*86400) / 60)
}

// sortedOpenings are the valid ones of a day in order.
func sortedOpenings(day []Opening) []Opening {
	var sorted []Opening
	for _, o := range day {
		if o.valid() {
			sorted = append(sorted, o)
		}
	}
	slices.SortFunc(sorted, func(a, b Opening) int { return cmp.Compare(a.Opens, b.Opens) })
	return sorted
}
