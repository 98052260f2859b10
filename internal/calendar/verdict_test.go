package calendar_test

import (
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/audelor/halles/internal/calendar"
)

// Open now, the next opening, the spans and the door's status say the same as the oracle at
// each minute of three weeks, for each mode.
func TestOneAnswerMinuteByMinute(t *testing.T) {
	t.Parallel()
	eachShop(t, func(t *rapid.T, s *calendar.Shop, first calendar.Date) {
		m := rapid.SampledFrom(allModes).Draw(t, "mode")
		from := first.At(0)
		want := oracle(s, m, from, window)
		minute := func(i int) time.Time { return from.Add(time.Duration(i) * time.Minute) }

		inSpans := make([]bool, window)
		last := time.Time{}
		for _, span := range s.Spans(m, from, minute(window)) {
			if !span.Start.After(last) || !span.Start.Before(span.End) {
				t.Fatalf("spans touch, overlap or are empty: %v after %v", span, last)
			}
			last = span.End
			for i := int(span.Start.Sub(from).Minutes()); i < int(span.End.Sub(from).Minutes()); i++ {
				inSpans[i] = true
			}
		}
		next := window // the first open minute from i on, known when below window
		for i := window - 1; i >= 0; i-- {
			if want[i] {
				next = i
			}
			if inSpans[i] != want[i] {
				t.Fatalf("%s at %s: spans say %t", m, minute(i).In(calendar.Paris), inSpans[i])
			}
			if i%7 != 0 && (i == 0 || want[i] == want[i-1]) {
				continue // every switch, and every seventh minute: the rest is dear
			}
			if got := s.OpenAt(m, minute(i)); got != want[i] {
				t.Fatalf("%s at %s: OpenAt says %t", m, minute(i).In(calendar.Paris), got)
			}
			opening, ok := s.NextOpening(m, minute(i))
			if next < window {
				if !ok || !opening.Start.Equal(minute(next)) {
					t.Fatalf("%s at %s: next opening is %s, not %v", m, minute(i), minute(next), opening.Start)
				}
			} else if ok && opening.Start.Before(minute(window)) {
				t.Fatalf("%s at %s: no opening, but %v", m, minute(i), opening)
			}
			if i%35 == 0 {
				checkStatus(t, s, m, minute(i), want[i], opening)
			}
		}
	})
}

func checkStatus(t *rapid.T, s *calendar.Shop, m calendar.Mode, now time.Time, open bool, opening calendar.Span) {
	st := s.StatusAt(m, now)
	switch {
	case st.Open != open || (st.Refusal == nil) != open || st.Text == "":
		t.Fatalf("%s at %s: open %t, but %+v", m, now, open, st)
	case open && !st.Until.IsZero() && !st.Until.Equal(opening.End):
		t.Fatalf("%s at %s: closes at %s, but %s", m, now, opening.End, st.Until)
	case !open && (st.Refusal.Next == nil) != opening.Start.IsZero():
		t.Fatalf("%s at %s: next is %v, but %v", m, now, opening, st.Refusal.Next)
	case !open && st.Refusal.Code == calendar.Restricted && st.Refusal.Restriction == nil:
		t.Fatalf("%s at %s: restricted by nothing", m, now)
	}
}

// An answer may be kept until the next switch, and not for ever.
func TestNothingChangesBeforeTheNextSwitch(t *testing.T) {
	t.Parallel()
	eachShop(t, func(t *rapid.T, s *calendar.Shop, first calendar.Date) {
		now := first.At(calendar.Clock(spread(t, 0, 14*1440, "now")))
		until, ok := s.NextSwitch(now)
		if !ok || until.After(now.Add(7*24*time.Hour)) {
			until = now.Add(7 * 24 * time.Hour)
		}
		state := func(t time.Time) [4]any {
			return [4]any{s.OpenAt(calendar.Visit, t), s.OpenAt(calendar.Pickup, t), s.OpenAt(calendar.Delivery, t), s.RegimeAt(t)}
		}
		want := state(now)
		for u := now; u.Before(until); u = u.Add(7 * time.Minute) {
			if got := state(u); !reflect.DeepEqual(got, want) {
				t.Fatalf("%s: %v, but %v at %s, before %s", now, want, got, u, until)
			}
		}
		if last := until.Add(-time.Second); !reflect.DeepEqual(state(last), want) {
			t.Fatalf("%s: changed before %s", now, until)
		}
	})
}

var weekly = calendar.Week{ // a town shop: closed on Monday morning and Sunday
	0: {{calendar.Hm(14, 0), calendar.Hm(19, 0)}},
	1: {{calendar.Hm(9, 30), calendar.Hm(12, 30)}, {calendar.Hm(14, 0), calendar.Hm(19, 0)}},
	2: {{calendar.Hm(9, 30), calendar.Hm(12, 30)}, {calendar.Hm(14, 0), calendar.Hm(19, 0)}},
	3: {{calendar.Hm(9, 30), calendar.Hm(12, 30)}, {calendar.Hm(14, 0), calendar.Hm(19, 0)}},
	4: {{calendar.Hm(9, 30), calendar.Hm(12, 30)}, {calendar.Hm(14, 0), calendar.Hm(19, 0)}},
	5: {{calendar.Hm(9, 30), calendar.Hm(19, 0)}},
}

// paris reads "2020-10-25 02:30" as the first instant at which the clock shows it.
func paris(s string) time.Time {
	t, err := time.Parse("2006-01-02 15:04", s)
	if err != nil {
		panic(err)
	}
	return calendar.Day(t.Date()).At(calendar.Hm(t.Hour(), t.Minute()))
}

func daily(from, to calendar.Clock) calendar.Week {
	var w calendar.Week
	for i := range w {
		w[i] = []calendar.Opening{{from, to}}
	}
	return w
}

// On clock changes a local time is the first instant at which the clock reaches it.
func TestClockChanges(t *testing.T) {
	t.Parallel()
	utc := func(s string) time.Time {
		at, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	for name, c := range map[string]struct {
		from, to calendar.Clock
		date     calendar.Date
		want     []string // UTC start and end; none: not open
	}{
		"MissingHourIsNoOpening":        {calendar.Hm(2, 15), calendar.Hm(2, 45), calendar.Day(2021, 3, 28), nil},
		"MissingHourIsSkipped":          {calendar.Hm(1, 30), calendar.Hm(3, 30), calendar.Day(2021, 3, 28), []string{"2021-03-28T00:30:00Z", "2021-03-28T01:30:00Z"}},
		"OpensInMissingHour":            {calendar.Hm(2, 15), calendar.Hm(4, 0), calendar.Day(2021, 3, 28), []string{"2021-03-28T01:00:00Z", "2021-03-28T02:00:00Z"}},
		"DoubledHourCountsOnce":         {calendar.Hm(2, 15), calendar.Hm(2, 45), calendar.Day(2020, 10, 25), []string{"2020-10-25T00:15:00Z", "2020-10-25T00:45:00Z"}},
		"ThroughDoubledHourIsLonger":    {calendar.Hm(2, 30), calendar.Hm(3, 0), calendar.Day(2020, 10, 25), []string{"2020-10-25T00:30:00Z", "2020-10-25T02:00:00Z"}},
		"BarClosesAtFirstPass":          {calendar.Hm(22, 0), calendar.Hm(26, 30), calendar.Day(2020, 10, 24), []string{"2020-10-24T20:00:00Z", "2020-10-25T00:30:00Z"}},
		"AfternoonIsItself":             {calendar.Hm(14, 0), calendar.Hm(19, 0), calendar.Day(2020, 10, 25), []string{"2020-10-25T13:00:00Z", "2020-10-25T18:00:00Z"}},
		"LongDayHas25Hours":             {0, calendar.Hm(24, 0), calendar.Day(2020, 10, 25), []string{"2020-10-24T22:00:00Z", "2020-10-25T23:00:00Z"}},
		"ShortDayHas23Hours":            {0, calendar.Hm(24, 0), calendar.Day(2021, 3, 28), []string{"2021-03-27T23:00:00Z", "2021-03-28T22:00:00Z"}},
		"OrdinaryNightBeforeTheLockout": {calendar.Hm(22, 0), calendar.Hm(26, 0), calendar.Day(2020, 10, 29), []string{"2020-10-29T21:00:00Z", "2020-10-30T01:00:00Z"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := calendar.Shop{Hours: calendar.Hours{Special: []calendar.Special{{Date: c.date, Openings: []calendar.Opening{{c.from, c.to}}}}}}
			spans := s.Spans(calendar.Visit, (c.date - 2).At(0), (c.date + 3).At(0))
			if len(c.want) == 0 {
				if len(spans) != 0 {
					t.Fatalf("got %v, want none", spans)
				}
				return
			}
			if len(spans) != 1 || !spans[0].Start.Equal(utc(c.want[0])) || !spans[0].End.Equal(utc(c.want[1])) {
				t.Fatalf("got %v, want %v", spans, c.want)
			}
		})
	}
}

func TestAlwaysOpenIsOneSpanAcrossAClockChange(t *testing.T) {
	t.Parallel()
	s := calendar.Shop{Hours: calendar.Hours{Week: daily(0, calendar.Hm(24, 0)), OpenOn: calendar.Holidays}}
	from, to := paris("2020-10-01 00:00"), paris("2020-12-31 00:00")
	if spans := s.Spans(calendar.Visit, from, to); len(spans) != 1 || !spans[0].Start.Equal(from) || !spans[0].End.Equal(to) {
		t.Fatalf("got %v", spans)
	}
	if st := s.StatusAt(calendar.Visit, from); !st.Until.IsZero() || st.Text != "Ouvert 24\u00a0h/24" {
		t.Fatalf("got %+v", st)
	}
}

// A shop that is closed until further notice is found so at once; one that reopens after two
// years is found too.
func TestLongClosures(t *testing.T) {
	t.Parallel()
	s := calendar.Shop{Hours: calendar.Hours{Week: weekly}}
	s.Closures = []calendar.Closure{{From: paris("2020-10-30 00:00"), Until: paris("2022-11-01 00:00"), Reason: "travaux"}}
	next, ok := s.NextOpening(calendar.Visit, paris("2020-11-02 15:00"))
	if !ok || !next.Start.Equal(paris("2022-11-02 09:30")) { // 1 November is a holiday
		t.Fatalf("got %v, %t", next, ok)
	}
	s.Closures[0].Until = time.Time{}
	if next, ok := s.NextOpening(calendar.Visit, paris("2020-11-02 15:00")); ok {
		t.Fatalf("got %v", next)
	}
}

func benchmark(b *testing.B, ask func(s *calendar.Shop, t time.Time)) {
	s := &calendar.Shop{Hours: calendar.Hours{Week: weekly}, Offers: []calendar.Offer{{Mode: calendar.Pickup, Slot: 30 * time.Minute}}}
	t := paris("2020-10-31 19:00") // Saturday at closing time: Sunday is closed, Monday opens at 14:00
	b.ReportAllocs()
	for b.Loop() {
		ask(s, t)
	}
}

func BenchmarkOpenAt(b *testing.B) {
	benchmark(b, func(s *calendar.Shop, t time.Time) { s.OpenAt(calendar.Visit, t) })
}

func BenchmarkNextOpening(b *testing.B) {
	benchmark(b, func(s *calendar.Shop, t time.Time) { s.NextOpening(calendar.Visit, t) })
}

func BenchmarkSpansOfTwoWeeks(b *testing.B) {
	benchmark(b, func(s *calendar.Shop, t time.Time) { s.Spans(calendar.Pickup, t, t.AddDate(0, 0, 14)) })
}

func BenchmarkSlotsOfTwoWeeks(b *testing.B) {
	benchmark(b, func(s *calendar.Shop, t time.Time) { s.Slots(calendar.Pickup, t, t, t.AddDate(0, 0, 14), nil) })
}
