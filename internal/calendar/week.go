package calendar

import (
	"cmp"
	"math"
	"slices"

	"github.com/audelor/halles/internal/fault"
)

// Opening is one opening of a day, local time. Closes may lie on the next day, at most 24
// hours after Opens. An opening belongs to the day on which it opens: what holds for that day
// (a holiday, special hours) holds for its hours after midnight too.
type Opening struct {
	Opens  Clock // 0 to 1439
	Closes Clock // after Opens, at most Opens + 1440
}

// Week is the openings of each weekday, Monday first.
type Week [7][]Opening

// Special gives a date hours of its own in place of the week's and of a holiday's; none: closed.
type Special struct {
	Date     Date
	Openings []Opening
	Reason   string // in French, may be empty: "marché de Noël"
}

// Hours is when a shop says that it is open.
type Hours struct {
	Week     Week
	Special  []Special // the first of a date counts
	OpenOn   []Holiday // the statutory holidays on which it keeps the week's hours
	Closures []Closure
}

// maxOpenings bounds a day: morning, afternoon, evening, and room for odd cases.
const maxOpenings = 8

// Check refuses hours that a merchant could have known to be wrong. The path is the argument's.
func (w *Week) Check(path ...string) error {
	for i, day := range w {
		if err := checkDay(day, weekdays[i], path); err != nil {
			return err
		}
		for _, o := range day {
			for _, next := range w[(i+1)%7] {
				if o.Closes-midnight > next.Opens {
					return fault.At(path, "L'ouverture du %s de %s à %s chevauche celle du %s à %s.",
						weekdays[i], clockText(o.Opens), clockText(o.Closes), weekdays[(i+1)%7], clockText(next.Opens))
				}
			}
		}
	}
	return nil
}

// Check refuses special hours that a merchant could have known to be wrong.
func (s *Special) Check(path ...string) error {
	return checkDay(s.Openings, dateText(s.Date), path)
}

func checkDay(day []Opening, name string, path []string) error {
	if len(day) > maxOpenings {
		return fault.At(path, "Le %s a %d ouvertures ; %d au plus.", name, len(day), maxOpenings)
	}
	sorted := slices.SortedFunc(slices.Values(day), func(a, b Opening) int { return cmp.Compare(a.Opens, b.Opens) })
	for i, o := range sorted {
		if !o.valid() {
			return fault.At(path, "L'ouverture du %s de %s à %s n'en est pas une : elle commence dans la journée et dure au plus 24 heures.",
				name, clockText(o.Opens), clockText(o.Closes))
		}
		if i > 0 && o.Opens < sorted[i-1].Closes {
			return fault.At(path, "Les ouvertures du %s se chevauchent à %s.", name, clockText(o.Opens))
		}
	}
	return nil
}

func (o Opening) valid() bool {
	return o.Opens >= 0 && o.Opens < midnight && o.Closes > o.Opens && o.Closes <= o.Opens+midnight
}

// openings is what the shop says of a date, closures apart.
func (h *Hours) openings(d Date) []Opening {
	if s := h.special(d); s != nil {
		return s.Openings
	}
	if _, closed := h.holiday(d); closed {
		return nil
	}
	return h.Week[d.Weekday()-1]
}

func (h *Hours) special(d Date) *Special {
	for i := range h.Special {
		if h.Special[i].Date == d {
			return &h.Special[i]
		}
	}
	return nil
}

// holiday is the date's statutory holiday, and whether the shop is closed for it.
func (h *Hours) holiday(d Date) (_ Holiday, closed bool) {
	holiday, ok := HolidayOn(d)
	return holiday, ok && !slices.Contains(h.OpenOn, holiday)
}

// day is the openings that begin on a date, as instants, in order and apart from each other:
// one that begins before an earlier one ends, begins where that one ends. Closures are not
// taken out. buf is reused.
func (h *Hours) day(d Date, buf []span) []span {
	buf = buf[:0]
	for _, o := range h.openings(d) {
		if o.valid() {
			buf = append(buf, span{d.instant(o.Opens), d.instant(o.Closes)})
		}
	}
	slices.SortFunc(buf, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	ended := int64(math.MinInt64) // openings last 24 hours at most: only the day before reaches into this one
	for _, o := range h.openings(d - 1) {
		if o.valid() && o.Closes > midnight {
			ended = max(ended, (d - 1).instant(o.Closes))
		}
	}
	kept := buf[:0]
	for _, o := range buf {
		o.from = max(o.from, ended)
		if o.from < o.to {
			kept, ended = append(kept, o), o.to
		}
	}
	return kept
}

// searchDays bounds the search for an opening: a year and a month without one is closed.
const searchDays = 400

// next is the first instant from t on that lies in an opening.
func (h *Hours) next(t int64) (int64, bool) {
	var room [maxOpenings]span
	first := dateOf(t) - 1 // its openings may last past midnight
	for d := first; d < first+searchDays; d++ {
		for _, o := range h.day(d, room[:0]) {
			if o.to > t {
				return max(o.from, t), true
			}
		}
	}
	return 0, false
}

// alwaysOpen is where a run of openings that touch each other is cut: there is no closing time
// to speak of. It is longer than the days that are planned ahead.
const alwaysOpen = 21 * 86400

// until is the end of the run of openings that t, an open instant, lies in.
func (h *Hours) until(t int64) int64 {
	var room [maxOpenings]span
	run := t
	for d := dateOf(t) - 1; d.instant(0) <= run && run-t < alwaysOpen; d++ {
		for _, o := range h.day(d, room[:0]) {
			if o.from <= run {
				run = max(run, o.to)
			}
		}
	}
	return run
}
