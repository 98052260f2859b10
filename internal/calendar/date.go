package calendar

import (
	"fmt"
	"time"
)

// Date is a day of the civil calendar, counted from 1970-01-01: dates compare and add like
// numbers. In JSON and text it is "2020-10-30".
type Date int

// Day makes a date: Day(2020, time.October, 30).
func Day(year int, month time.Month, day int) Date {
	return Date(floorDiv(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix(), 86400))
}

// DateOf is the local date of an instant.
func DateOf(t time.Time) Date { return dateOf(t.Unix()) }

// Civil is the date's year, month and day.
func (d Date) Civil() (int, time.Month, int) { return d.utc().Date() }

// Weekday is ISO 8601's: 1 is Monday, 7 Sunday.
func (d Date) Weekday() int { return int(((d+3)%7+7)%7) + 1 } // 1970-01-01 was a Thursday

// At is the first instant at which the local clock reaches a time of this date.
func (d Date) At(c Clock) time.Time { return at(d.instant(c)) }

// String is the date as ISO 8601 writes it.
func (d Date) String() string { return d.utc().Format(time.DateOnly) }

// MarshalText writes "2020-10-30".
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads "2020-10-30".
func (d *Date) UnmarshalText(text []byte) error {
	t, err := time.Parse(time.DateOnly, string(text))
	if err != nil {
		return fmt.Errorf("date %q: want YYYY-MM-DD", text)
	}
	*d = Date(floorDiv(t.Unix(), 86400))
	return nil
}

func (d Date) utc() time.Time { return time.Unix(int64(d)*86400, 0).UTC() }

// Clock is a local time in minutes after midnight: 570 is 9:30. Over 1440 it is on the next
// day, below 0 on the day before.
type Clock int

// Hm makes a clock: Hm(9, 30).
func Hm(hour, minute int) Clock { return Clock(hour*60 + minute) }

// midnight ends a day.
const midnight Clock = 1440

// String is "09:30", and "26:00" for two in the night after.
func (c Clock) String() string { return fmt.Sprintf("%02d:%02d", int(c)/60, int(c)%60) }

// instant is At in Unix seconds. Only clock changes make it hard: the offset of a day earlier
// is right unless the clock changed since; then the new one is, unless the time was skipped.
// time.Date would do but for that hour, where it "does not guarantee which" of two it answers.
func (d Date) instant(c Clock) int64 {
	local := int64(d)*86400 + int64(c)*60
	before := offset(local - 86400)
	t := local - before
	after := offset(t)
	if after == before {
		return t
	}
	if u := local - after; offset(u) == after {
		return u
	}
	change, _ := time.Unix(t, 0).In(Paris).ZoneBounds()
	return change.Unix()
}

// offset is how many seconds the local clock is ahead of UTC.
func offset(unix int64) int64 {
	_, seconds := time.Unix(unix, 0).In(Paris).Zone()
	return int64(seconds)
}

func dateOf(unix int64) Date { return Date(floorDiv(unix+offset(unix), 86400)) }

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
