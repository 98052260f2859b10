// Package secrecy hides in a table of sums what would tell one enterprise's figures: statistical
// secrecy (secret statistique), by INSEE's rules for business statistics. It is pure: it knows no
// database, no clock and none of the dimensions' names.
//
// A table is a cube of sums over any number of dimensions, with a total along each. Two rules
// hide a cell for its own sake (primary); further cells are hidden (secondary) so that nobody
// reckons a hidden one back from totals and neighbours. All measures share one pattern: revenue
// and orders hidden together give no basket away.
//
// https://inseefrlab.github.io/manuel-protection-tableaux/chapters/annexes/regles.html
package secrecy

import "fmt"

// The rules. A cell needs MinUnits enterprises, and none may hold more than MaxShare percent of it,
// strictly. Of what is hidden, nobody may know the value to within Margin percent.
const (
	MinUnits = 3
	MaxShare = 85
	Margin   = 15
)

// Reason says why a cell is hidden.
type Reason string

// The reasons. None is a cell that is published.
const (
	None           Reason = ""
	FewerThanThree Reason = "FEWER_THAN_THREE" // fewer than three enterprises contributed
	Dominance      Reason = "DOMINANCE"        // one enterprise holds more than 85 % of a measure
	Secondary      Reason = "SECONDARY"        // it would give a neighbour away
	Withheld       Reason = "WITHHELD"         // not part of the publication, whatever it holds
)

// Total is the index of a dimension's total.
const Total = -1

// Cell is one sum of a table.
type Cell struct {
	Values []int64 // by measure
	Units  int     // enterprises that contributed
	Exists bool    // somebody could have contributed: else its zero is public knowledge
	Hidden Reason
	Known  bool // from elsewhere: it cannot be hidden, see Know

	units map[string][]int64
}

// Table is a cube with its totals. Fill it with Exist and Add, hide what must be hidden with
// Protect, then read it with At.
type Table struct {
	sizes    []int // of each dimension, the total left out
	measures int
	cells    []Cell
	strides  []int
}

// New is an empty table with dimensions of the sizes given, whose cells hold so many measures.
// Measures are additive and not negative; the first is what a cell weighs when the cheapest is
// looked for.
func New(measures int, sizes ...int) *Table {
	t := &Table{sizes: sizes, measures: measures, strides: make([]int, len(sizes))}
	n := 1
	for k, size := range sizes {
		t.strides[k] = n
		n *= size + 1
	}
	t.cells = make([]Cell, n)
	for i := range t.cells {
		t.cells[i].Values = make([]int64, measures)
	}
	return t
}

// At is the cell at these indexes, Total among them.
func (t *Table) At(at ...int) *Cell { return &t.cells[t.index(at)] }

// index is where the cell lies; a dimension's total comes after its last index.
func (t *Table) index(at []int) int {
	if len(at) != len(t.sizes) {
		panic(fmt.Sprintf("secrecy: %d indexes for %d dimensions", len(at), len(t.sizes)))
	}
	i := 0
	for k, a := range at {
		if a == Total {
			a = t.sizes[k]
		}
		if a < 0 || a > t.sizes[k] {
			panic(fmt.Sprintf("secrecy: index %d of a dimension of %d", a, t.sizes[k]))
		}
		i += a * t.strides[k]
	}
	return i
}

// coordinate is a cell's index in a dimension; the total's is the dimension's size.
func (t *Table) coordinate(cell, k int) int { return cell / t.strides[k] % (t.sizes[k] + 1) }

// shifted is the cell beside another one, at a in dimension k.
func (t *Table) shifted(cell, k, a int) int {
	return cell + (a-t.coordinate(cell, k))*t.strides[k]
}

// sums calls do with the inner cell and with each total that it counts in.
func (t *Table) sums(at []int, do func(c *Cell)) {
	inner := t.index(at)
	for mask := range 1 << len(t.sizes) {
		i := inner
		for k, size := range t.sizes {
			if mask>>k&1 == 1 {
				i = t.shifted(i, k, size)
			}
		}
		do(&t.cells[i])
	}
}

// Exist says that somebody could contribute to an inner cell: a shop of the kind is there, whether
// or not it sold anything. Cells of which nobody says so are zero by structure, and published so.
func (t *Table) Exist(at ...int) { t.sums(at, func(c *Cell) { c.Exists = true }) }

// Add counts what a unit, an enterprise by its SIREN, contributes to an inner cell and to all its
// totals. Values are by measure, none negative; a unit counts that contributes to any of them.
func (t *Table) Add(unit string, values []int64, at ...int) {
	if len(values) != t.measures {
		panic(fmt.Sprintf("secrecy: %d values for %d measures", len(values), t.measures))
	}
	some := false
	for _, v := range values {
		if v < 0 {
			panic("secrecy: a negative contribution")
		}
		some = some || v > 0
	}
	t.sums(at, func(c *Cell) {
		c.Exists = true
		if !some {
			return
		}
		if c.units == nil {
			c.units = map[string][]int64{}
		}
		own := c.units[unit]
		if own == nil {
			own = make([]int64, t.measures)
			c.units[unit] = own
			c.Units++
		}
		for m, v := range values {
			c.Values[m] += v
			own[m] += v
		}
	})
}

// Hide hides a cell, inner or total, for a reason that the caller knows; before Protect.
func (t *Table) Hide(reason Reason, at ...int) { t.cells[t.index(at)].Hidden = reason }

// Know says that what a cell holds is told elsewhere, where it kept the rules: it stays as it is, and
// the others are protected with that in mind; before Protect.
func (t *Table) Know(at ...int) { t.cells[t.index(at)].Known = true }

// judge tells whether a sum of these cells, which share no contribution, may be known.
func (t *Table) judge(cells ...int) Reason {
	units := t.cells[cells[0]].units
	if len(cells) > 1 {
		units = map[string][]int64{}
		for _, i := range cells {
			for unit, values := range t.cells[i].units {
				own := units[unit]
				if own == nil {
					own = make([]int64, t.measures)
					units[unit] = own
				}
				for m, v := range values {
					own[m] += v
				}
			}
		}
	}
	if len(units) < MinUnits {
		return FewerThanThree
	}
	for m := range t.measures {
		var sum, most int64
		for _, values := range units {
			sum += values[m]
			most = max(most, values[m])
		}
		if most*100 > sum*MaxShare {
			return Dominance
		}
	}
	return None
}
