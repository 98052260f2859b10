package pg

import "strconv"

// Args are the arguments of a statement whose text depends on what was asked for: a condition
// that nobody asked for is left out, so that each shape gets a plan of its own.
type Args []any

// Add appends an argument and returns its placeholder, "$3".
func (a *Args) Add(v any) string {
	*a = append(*a, v)
	return "$" + strconv.Itoa(len(*a))
}
