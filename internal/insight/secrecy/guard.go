package secrecy

import (
	"cmp"
	"math"
	"slices"
)

// guards knows for each hidden cell what leaves its value open.
type guards struct {
	*Table
	inner []int    // inner cells that are not zero by structure
	sums  [][]int  // of an inner cell, what it counts in, by mask; see mask
	given []bool   // hidden by the caller: stays so
	stuck bool     // a cell was left without a guard
	kept  [][2]way // of each hidden cell, upwards and downwards

	// What a cell still has to give while one cell is moved; of a cell that was not yet asked for it
	// is its value.
	left  []int64
	asked []int // in which round
	round int
}

// way is how far a cell may move in one direction.
type way struct {
	open bool
	by   []int // corners of the blocks that move with it
}

func newGuards(t *Table) *guards {
	g := &guards{
		Table: t, given: make([]bool, len(t.cells)), kept: make([][2]way, len(t.cells)),
		sums: make([][]int, len(t.cells)), left: make([]int64, len(t.cells)*t.measures), asked: make([]int, len(t.cells)),
	}
	for i := range t.cells {
		g.given[i] = t.cells[i].Hidden != None
		if t.cells[i].Exists && t.mask(i) == 0 && len(t.sizes) > 1 {
			g.inner = append(g.inner, i)
			g.sums[i] = make([]int, 1<<len(t.sizes))
			for mask := range g.sums[i] {
				g.sums[i][mask] = i
				for k, size := range t.sizes {
					if mask>>k&1 == 1 {
						g.sums[i][mask] = t.shifted(g.sums[i][mask], k, size)
					}
				}
			}
		}
	}
	return g
}

// directions are upwards and downwards, as kept has them.
var directions = [2]bool{true, false}

// blocks calls do with each block around a cell: for each dimension one other index, the total
// included. minus tells which corners fall when the cell rises: along a dimension, of two inner
// cells one falls, while a total follows its cell. do may not keep the slices; false ends it.
func (t *Table) blocks(target int, do func(corners []int, minus []bool) bool) {
	n := len(t.sizes)
	corners, minus := make([]int, 1<<n), make([]bool, 1<<n)
	corners[0] = target
	var choose func(k int) bool
	choose = func(k int) bool {
		if k == n {
			return do(corners, minus)
		}
		own, size, half := t.coordinate(target, k), t.sizes[k], 1<<k
		for other := range size + 1 {
			if other == own {
				continue
			}
			turns := own < size && other < size
			for c := range half {
				corners[half+c] = t.shifted(corners[c], k, other)
				minus[half+c] = minus[c] != turns
			}
			if !choose(k + 1) {
				return false
			}
		}
		return true
	}
	choose(0)
}

// exchanges calls do with each exchange of an inner cell that counts in the one looked for with one
// that does not: the one rises by what the other falls, and with each the totals that the other is
// not part of. It is the difference of two blocks that reach to the total of all, which itself stays
// as it is. hidden asks for those alone in which everything is hidden.
func (g *guards) exchanges(target int, hidden bool, do func(corners []int, minus []bool) bool) {
	corners, minus := make([]int, 0, 2<<len(g.sizes)), make([]bool, 0, 2<<len(g.sizes))
	mask := g.mask(target)
	for _, a := range g.inner {
		if g.sums[a][mask] != target || hidden && g.cells[a].Hidden == None {
			continue
		}
	others:
		for _, b := range g.inner {
			if g.sums[b][mask] == target || hidden && g.cells[b].Hidden == None {
				continue
			}
			corners, minus = corners[:0], minus[:0]
			for m, rises := range g.sums[a] {
				if falls := g.sums[b][m]; rises != falls {
					if hidden && (g.cells[rises].Hidden == None || g.cells[falls].Hidden == None) {
						continue others
					}
					corners, minus = append(corners, rises, falls), append(minus, false, true)
				}
			}
			if !do(corners, minus) {
				return
			}
		}
	}
}

// mask tells along which dimensions a cell is a total, a bit for each.
func (t *Table) mask(i int) int {
	mask := 0
	for k, size := range t.sizes {
		if t.coordinate(i, k) == size {
			mask |= 1 << k
		}
	}
	return mask
}

// price is what it costs to hide a block; not possible where everybody knows a corner, as zero or
// from elsewhere.
func (t *Table) price(corners []int) (cost float64, possible bool) {
	for _, i := range corners {
		switch c := &t.cells[i]; {
		case !c.Exists, c.Known && c.Hidden == None:
			return 0, false
		case c.Hidden == None:
			cost += t.weight(i)
		}
	}
	return cost, true
}

// rest is what a cell still has to give, by measure.
func (g *guards) rest(i int) []int64 {
	rest := g.left[i*g.measures : (i+1)*g.measures]
	if g.asked[i] != g.round {
		g.asked[i] = g.round
		copy(rest, g.cells[i].Values)
	}
	return rest
}

// room is by how much a block can move in a measure, at most as much as is asked for.
func (g *guards) room(corners []int, minus []bool, up bool, m int, asked int64) int64 {
	for n, i := range corners {
		if minus[n] == up { // it falls, to zero at most
			asked = min(asked, g.rest(i)[m])
		}
	}
	return asked
}

// sway moves a cell one way by more than the margin, within what is hidden, block after block. It
// tells what is missing then in each measure; the cells are left as they are by that far. Of
// measures that are zero it asks to rise only.
func (g *guards) sway(target int, up bool) (missing []int64, w way) {
	g.round++
	missing = make([]int64, g.measures)
	open := 0
	for m, v := range g.cells[target].Values {
		if up || v > 0 {
			missing[m] = v*Margin/100 + 1
			open++
		}
	}
	if open == 0 {
		return missing, w // nothing falls from zero
	}
	use := func(corners []int, minus []bool) bool {
		if cost, possible := g.price(corners); cost > 0 || !possible {
			return true
		}
		moved := false
		for m := range missing {
			by := g.room(corners, minus, up, m, missing[m])
			if by == 0 {
				continue
			}
			for n, i := range corners {
				if minus[n] == up {
					g.rest(i)[m] -= by
				} else {
					g.rest(i)[m] += by
				}
			}
			if missing[m] -= by; missing[m] == 0 {
				open--
			}
			moved = true
		}
		if moved {
			w.by = append(w.by, corners...)
		}
		return open > 0
	}
	if g.blocks(target, use); open > 0 {
		g.exchanges(target, true, use)
	}
	w.open = open == 0
	return missing, w
}

// bothWays is how many times a primary cell's own weight may be hidden to leave it open both upwards
// and downwards, where one way is open already, which is enough: without a bound, a cell that is
// almost its total takes the totals of everything with it.
const bothWays = 3

// surround hides what it takes to leave a hidden cell open, and tells what it hid: block after block
// the one that gives most for what it costs.
func (g *guards) surround(target int) (more []int) {
	primary := g.cells[target].Hidden != Secondary && !g.given[target]
	for {
		var best []int
		ratio := math.Inf(1)
		ways := 0
		for d, up := range directions {
			missing, w := g.sway(target, up)
			if g.kept[target][d].open {
				w = g.kept[target][d] // what is open stays open when more is hidden
			}
			g.kept[target][d] = w
			if w.open {
				ways++
				continue
			}
			look := func(corners []int, minus []bool) bool {
				cost, possible := g.price(corners)
				if !possible || cost == 0 || cost >= ratio {
					return true
				}
				gain := 1.0
				for m, lack := range missing {
					if lack > 0 {
						gain = min(gain, float64(g.room(corners, minus, up, m, lack))/float64(lack))
					}
				}
				if gain > 0 && cost/gain < ratio {
					best, ratio = append(best[:0], corners...), cost/gain
				}
				return true
			}
			g.blocks(target, look)
			g.exchanges(target, false, look)
		}
		g.stuck = g.stuck || ways == 0 && best == nil
		if ways == 2 || best == nil || ways == 1 && (!primary || ratio > bothWays*g.weight(target)) {
			return more
		}
		for _, i := range best {
			if g.cells[i].Hidden == None {
				g.cells[i].Hidden = Secondary
				more = append(more, i)
			}
		}
	}
}

// reveal shows again what was hidden for another's sake and turned out not to be needed, totals and
// the dearest first: a cell that is hidden late often does the work of earlier ones. A cell may be
// shown when every other hidden cell stays open without it, a primary one as far as it was, and each
// sum of hidden cells that is known then keeps the rules.
func (g *guards) reveal() {
	var hidden, spare []int
	for i := range g.cells {
		switch c := &g.cells[i]; {
		case c.Hidden == None || c.Hidden == Withheld:
		case c.Hidden == Secondary && !g.given[i]:
			spare = append(spare, i)
			fallthrough
		default:
			hidden = append(hidden, i)
		}
	}
	slices.SortStableFunc(spare, func(a, b int) int {
		return cmp.Or(cmp.Compare(g.totals(b), g.totals(a)), cmp.Compare(g.weight(b), g.weight(a)))
	})
	for _, i := range hidden { // the first blocks that do: totals come last in them
		for d, up := range directions {
			if _, w := g.sway(i, up); w.open {
				g.kept[i][d] = w
			}
		}
	}
	for _, x := range spare {
		g.cells[x].Hidden = None
		if !g.without(x, hidden) {
			g.cells[x].Hidden = Secondary
		}
	}
}

// without finds other guards for the cells that x has guarded; it changes nothing where one is left
// without.
func (g *guards) without(x int, hidden []int) bool {
	for k, size := range g.sizes {
		if g.cells[g.shifted(x, k, size)].Hidden != None {
			continue
		}
		if !g.maySum(slices.DeleteFunc(g.line(x, k), func(i int) bool { return g.cells[i].Hidden == None })) {
			return false
		}
	}
	found := map[int][2]way{}
	for _, i := range hidden {
		if i == x || g.cells[i].Hidden == None {
			continue
		}
		before, after := g.kept[i], g.kept[i]
		for d, up := range directions {
			if before[d].open && !slices.Contains(before[d].by, x) {
				continue
			}
			if _, after[d] = g.sway(i, up); before[d].open && !after[d].open && g.cells[i].Hidden != Secondary {
				return false
			}
		}
		if !after[0].open && !after[1].open {
			return false
		}
		found[i] = after
	}
	for i, ways := range found {
		g.kept[i] = ways
	}
	return true
}
