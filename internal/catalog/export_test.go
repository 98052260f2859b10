package catalog

import "github.com/audelor/halles/internal/money"

// Change is a price changed by a rate and rounded.
func Change(r Rounding, cents money.Cents, by money.BasisPoints) money.Cents {
	return r.change(cents, by)
}
