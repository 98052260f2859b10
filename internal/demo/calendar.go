package demo

import (
	"sync"
	"time"
	_ "time/tzdata" // a machine without zone files still knows Paris
)

// The year and the week of trade. Weights are relative: 1 is an ordinary day.

// season is the yearly rhythm of a trade.
type season int

const (
	everyday season = iota
	festive         // the table at Christmas and Easter
	gifts           // Christmas, mothers and fathers
	toys            // Saint Nicholas to Christmas
	fashion         // the sales
	school          // back to school, and gifts
	summer          // tourists and boats
	garden          // spring to autumn
	flowers         // Valentine, mothers, All Saints
)

// months are the weights of January to December.
var months = map[season][12]float64{
	everyday: {.95, .95, 1, 1, 1, 1.05, 1.15, 1.15, 1, .95, .95, 1.1},
	festive:  {.85, .85, .95, 1.1, 1, 1, 1.1, 1.15, .9, .9, 1, 1.8},
	gifts:    {.7, .85, .8, .95, 1.1, 1.1, 1.05, 1.05, .8, .85, 1.2, 2.4},
	toys:     {.6, .6, .65, .8, .75, .85, .95, .95, .7, .9, 1.7, 3.2},
	fashion:  {1.4, .9, 1, 1.05, 1.05, 1.1, 1.35, .95, 1.1, 1, 1.05, 1.35},
	school:   {.75, .75, .8, .85, .85, 1.05, 1, 1.35, 1.6, .9, 1, 1.9},
	summer:   {.55, .65, .75, 1.05, 1.15, 1.3, 2, 2.1, 1, .85, .65, .8},
	garden:   {.65, .75, 1.05, 1.3, 1.4, 1.3, 1.15, 1.05, .95, .85, .75, .9},
	flowers:  {.8, 1.3, .95, 1, 1.6, 1.1, .8, .75, .8, 1.5, 1, 1.2},
}

// weekdays are the weights of Sunday to Saturday.
var weekdays = [7]float64{.7, .55, .9, 1, 1, 1.35, 1.7}

// market is the day of a commune's market, by INSEE code; the others have theirs on Saturday.
var market = map[string]time.Weekday{
	"56121": time.Wednesday, "56083": time.Thursday, "56162": time.Sunday, "56098": time.Tuesday, "56107": time.Sunday,
	"56078": time.Sunday, "56166": time.Saturday, "56181": time.Saturday, "56101": time.Friday, "56185": time.Friday,
	"56090": time.Friday, "56193": time.Wednesday, "56069": time.Tuesday, "56118": time.Friday,
}

// seaside communes fill up in July and August.
var seaside = map[string]bool{"56107": true, "56078": true, "56069": true, "56062": true, "56181": true, "56162": true, "56193": true}

// day is one day of trade.
type day struct {
	date    time.Time // midnight, Europe/Paris
	base    int64     // Unix second from which local minutes count: noon less twelve hours
	weekday time.Weekday
	holiday bool // one of the eleven
	closed  bool // 1 May, Christmas, New Year: nearly everybody
	growth  float64
}

// at is the instant of a local minute of the day. Counted from noon, because a day may have 23
// or 25 hours: right from 3 o'clock on, and past the next midnight.
func (d *day) at(minute int) int64 { return d.base + int64(minute)*60 }

// margin is the days after the last one that the calendar knows, for what is still to happen
// to open orders.
const margin = 20

// days lists the days from start to the last, in order, and the margin after it.
func days(start, last time.Time) []day {
	var list []day
	for t := start; !t.After(last.AddDate(0, 0, margin)); t = t.AddDate(0, 0, 1) {
		y, m, n := t.Date()
		noon := time.Date(y, m, n, 12, 0, 0, 0, t.Location()).Unix()
		list = append(list, day{
			date: t, base: noon - 12*3600, weekday: t.Weekday(), holiday: holiday(t),
			closed: m == 5 && n == 1 || m == 12 && n == 25 || m == 1 && n == 1,
		})
	}
	for i := range list { // the platform grows threefold, fast at first
		x := float64(i) / float64(len(list))
		list[i].growth = 1 + 2*x*(2-x)
	}
	return list
}

// weight says how much a trade sells on a day in a commune.
func (s season) weight(d *day, insee string) float64 {
	if d.closed {
		return 0
	}
	y, m, n := d.date.Date()
	w := months[s][m-1] * weekdays[d.weekday] * d.growth
	if d.holiday {
		w *= .4
	}
	if market[insee] == d.weekday && (s == everyday || s == festive || s == flowers) {
		w *= 1.4
	}
	if seaside[insee] && (m == 7 && n > 6 || m == 8 && n < 25) {
		w *= 1.6
	}
	switch s {
	case festive, gifts, toys:
		if m == 12 && n >= 10 && n <= 24 {
			w *= 1.7
		}
		if before := easter(y).Sub(d.date).Hours() / 24; s == festive && before > -1 && before < 6 {
			w *= 2
		}
	case flowers:
		if m == 2 && n >= 12 && n <= 14 || m == 10 && n >= 29 || m == 5 && n >= 22 && d.weekday >= time.Friday {
			w *= 2.5
		}
	case fashion: // the sales begin on a Wednesday in January and late in June
		if m == 1 && n >= 8 && n <= 25 || m == 6 && n >= 25 || m == 7 && n <= 12 {
			w *= 1.4
		}
	case summer: // the Interceltique, ten days from the first Friday of August
		if insee == "56121" && m == 8 && n >= 3 && n <= 15 {
			w *= 1.6
		}
	}
	return w
}

// easter is Easter Sunday (Meeus's form of the Gregorian computus), Europe/Paris.
func easter(year int) time.Time {
	a, b, c := year%19, year/100, year%100
	d, e := b/4, b%4
	g := (8*b + 13) / 25
	h := (19*a + b - d - g + 15) % 30
	i, k := c/4, c%4
	l := (32 + 2*e + 2*i - h - k) % 7
	m := (a + 11*h + 19*l) / 433
	month := (h + l - 7*m + 90) / 25
	return time.Date(year, time.Month(month), (h+l-7*m+33*month+19)%32, 0, 0, 0, 0, paris())
}

func holiday(t time.Time) bool {
	y, m, n := t.Date()
	switch [2]int{int(m), n} {
	case [2]int{1, 1}, [2]int{5, 1}, [2]int{5, 8}, [2]int{7, 14}, [2]int{8, 15}, [2]int{11, 1}, [2]int{11, 11}, [2]int{12, 25}:
		return true
	}
	e := easter(y)
	return sameDay(t, e.AddDate(0, 0, 1)) || sameDay(t, e.AddDate(0, 0, 39)) || sameDay(t, e.AddDate(0, 0, 50))
}

func sameDay(a, b time.Time) bool { return a.YearDay() == b.YearDay() && a.Year() == b.Year() }

// paris is the zone of every shop.
var paris = sync.OnceValue(func() *time.Location {
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		panic(err) // the program carries the zones
	}
	return zone
})

// rhythm is the weekly hours of a trade.
type rhythm int

const (
	retail  rhythm = iota // Tuesday to Saturday with a lunch break, Monday afternoon in the towns
	bakery                // from 7 o'clock, Sunday morning, closed on Monday
	halls                 // food: morning and end of the afternoon, Sunday morning
	early                 // from 8 o'clock, six days
	service               // by appointment: Monday closed, Saturday without a break
	evening               // lunch and dinner, Wednesday to Sunday
	late                  // lunch and dinner, past midnight on Friday and Saturday
)

// interval is an opening, in minutes of its day; closes may lie past 1440.
type interval struct{ opens, closes int }

// week is a shop's openings, Sunday first as time.Weekday counts.
type week [7][]interval

func h(hour float64) int { return int(hour*60 + .5) }

// open makes the week of one shop.
func (r rhythm) open(g *rng, insee string, town bool) week {
	var w week
	set := func(from, to time.Weekday, list ...interval) {
		for d := from; d <= to; d++ {
			w[d] = append([]interval(nil), list...)
		}
	}
	shift := 15 * (g.IntN(5) - 2)
	day := func(opens, lunch, after, closes float64) []interval {
		return []interval{{h(opens) + shift, h(lunch)}, {h(after), h(closes) + shift}}
	}
	switch r {
	case retail:
		set(time.Tuesday, time.Saturday, day(10, 12.5, 14, 19)...)
		if town && g.chance(40) {
			set(time.Monday, time.Monday, interval{h(14), h(19)})
		}
		if g.chance(25) { // without a break
			set(time.Tuesday, time.Saturday, interval{h(10), h(19) + shift})
		}
	case bakery:
		set(time.Tuesday, time.Saturday, day(7, 13, 15.5, 19.25)...)
		set(time.Sunday, time.Sunday, interval{h(7) + shift, h(13)})
		if g.chance(25) { // another day of rest than Monday
			rest := time.Weekday(2 + g.IntN(3))
			w[time.Monday], w[rest] = w[rest], nil
		}
	case halls:
		set(time.Tuesday, time.Saturday, day(8.5, 12.75, 15, 19)...)
		set(time.Sunday, time.Sunday, interval{h(9), h(12.5)})
	case early:
		set(time.Monday, time.Saturday, day(8, 12.25, 14, 18.5)...)
	case service:
		set(time.Tuesday, time.Friday, day(9, 12, 14, 18.5)...)
		set(time.Saturday, time.Saturday, interval{h(9), h(17)})
	case evening:
		set(time.Wednesday, time.Saturday, interval{h(11.75), h(14)}, interval{h(18.5), h(22)})
		set(time.Sunday, time.Sunday, interval{h(11.75), h(14.5)})
		if g.chance(30) {
			set(time.Sunday, time.Sunday, interval{h(11.75), h(14.5)}, interval{h(18.5), h(21.5)})
		}
	case late:
		set(time.Tuesday, time.Saturday, interval{h(11.5), h(14.25)}, interval{h(18), h(22)})
		if g.chance(35) {
			set(time.Friday, time.Saturday, interval{h(11.5), h(14.25)}, interval{h(18), h(25.5)})
		}
	}
	// On market day the shops round the halles open early and stay open.
	if m := market[insee]; m != time.Sunday && (r == bakery || r == halls) && len(w[m]) > 0 && g.chance(60) {
		w[m] = []interval{{min(w[m][0].opens, h(8)), w[m][len(w[m])-1].closes}}
	}
	return w
}

// next is the first minute at or after the given one at which a shop is open. Minutes count
// from the first midnight of the calendar; 1440 a day, whatever the clocks do.
func (w *week) next(all []day, minute int) int {
	first := minute / 1440
	for n := max(first-1, 0); n < first+15; n++ { // the day before may run past midnight
		weekday := time.Weekday((int(all[0].weekday) + n) % 7)
		if n < len(all) && all[n].closed {
			continue
		}
		for _, i := range w[weekday] {
			if at := n*1440 + i.closes; at > minute {
				return max(minute, n*1440+i.opens)
			}
		}
	}
	return minute
}
