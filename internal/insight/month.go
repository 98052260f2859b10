package insight

import (
	"fmt"
	"time"

	"github.com/audelor/halles/internal/calendar"
)

// Month is a month of the civil calendar, counted from January of year 0: months compare and add
// like numbers. In text it is "2026-10".
type Month int

// MonthOf is the month of a date.
func MonthOf(d calendar.Date) Month {
	year, month, _ := d.Civil()
	return Month(year*12 + int(month) - 1)
}

// ParseMonth reads "2026-10", from year 2000 to 2999.
func ParseMonth(text string) (Month, error) {
	t, err := time.Parse("2006-01", text)
	if err != nil || t.Year() < 2000 || t.Year() > 2999 {
		return 0, fmt.Errorf("month %q: want YYYY-MM", text)
	}
	return Month(t.Year()*12 + int(t.Month()) - 1), nil
}

// First is the month's first day.
func (m Month) First() calendar.Date { return calendar.Day(int(m)/12, time.Month(int(m)%12+1), 1) }

// Next is the month after.
func (m Month) Next() Month { return m + 1 }

// String is "2026-10".
func (m Month) String() string { return fmt.Sprintf("%04d-%02d", int(m)/12, int(m)%12+1) }

// names are French, as they are written inside a sentence.
var names = [...]string{"janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"}

// French is "octobre 2026".
func (m Month) French() string { return fmt.Sprintf("%s %d", names[int(m)%12], int(m)/12) }
