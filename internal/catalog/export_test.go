package catalog

import (
	"time"

	"github.com/audelor/halles/internal/money"
)

// Change is a price changed by a rate and rounded.
func Change(r Rounding, cents money.Cents, by money.BasisPoints) money.Cents {
	return r.change(cents, by)
}

// WaitToCount has searches in vain wait so long to be counted.
func (c *Catalog) WaitToCount(d time.Duration) { c.missedWait = d }

// MakeAtOnce has an import make so many products in one statement.
func (c *Catalog) MakeAtOnce(products int) { c.madeAtOnce = products }

// AsTyped tells whether it found what has all the words as they were typed.
func (c *SearchConnection) AsTyped() bool { return c.at.Way == meant && c.Corrected == nil }

// Local is a query in the words of the index.
func Local(places []string, query string, sign byte) string { return local(places, query, sign) }
