package secrecy

import "math"

// Protect hides all that must be hidden, and knows of no way back:
//
//   - a cell that breaks a rule by itself;
//   - along each dimension, as much as it takes that the sum of the hidden cells, which is their
//     total less the others, keeps the rules too: of two shops alone in two hidden cells each would
//     know the other's figures;
//   - for each hidden cell, a block of hidden cells around it, two by two along each dimension, whose
//     values could all be others without that anything published changed, and by more than Margin
//     percent of the cell (the hypercube method of Repsilber). For a primary cell, both more and
//     less; for one that is hidden for another's sake one of the two is enough.
//
// Values are known not to be negative, and that is reckoned with. A block exists always: in the
// worst case, the one that reaches to the total of all, and then nothing much is published.
// The same table gives the same pattern.
func (t *Table) Protect() {
	var open []int // hidden, and not yet protected
	hide := func(i int, reason Reason) {
		if t.cells[i].Hidden == None {
			t.cells[i].Hidden = reason
		}
		open = append(open, i)
	}
	for i := range t.cells {
		switch c := &t.cells[i]; {
		case c.Hidden == Withheld:
		case c.Hidden != None:
			open = append(open, i)
		case c.Exists:
			if reason := t.judge(i); reason != None {
				hide(i, reason)
			}
		}
	}
	for len(open) > 0 {
		for len(open) > 0 {
			target := open[0]
			open = open[1:]
			for _, corner := range t.block(target) {
				if t.cells[corner].Hidden == None {
					hide(corner, Secondary)
				}
			}
		}
		t.lines(func(total int, inner []int) {
			for _, i := range t.complete(total, inner) {
				hide(i, Secondary)
			}
		})
	}
}

// Judge hides what breaks a rule by itself, and nothing else: for cells that add up to nothing that
// is published. In a table with totals it is not enough, see Protect.
func (t *Table) Judge() {
	for i := range t.cells {
		if c := &t.cells[i]; c.Exists && c.Hidden == None {
			c.Hidden = t.judge(i)
		}
	}
}

// lines calls do with each total along one dimension and the cells that it is the sum of.
func (t *Table) lines(do func(total int, inner []int)) {
	for k, size := range t.sizes {
		for i := range t.cells {
			if t.coordinate(i, k) != size {
				continue
			}
			inner := make([]int, size)
			for a := range size {
				inner[a] = t.shifted(i, k, a)
			}
			do(i, inner)
		}
	}
}

// complete lists what must be hidden along one line, so that what is hidden there keeps the rules
// as a sum. Where the total is hidden, nobody knows the sum from this line.
func (t *Table) complete(total int, inner []int) []int {
	if t.cells[total].Hidden != None {
		return nil
	}
	var hidden, shown, more []int
	for _, i := range inner {
		switch {
		case t.cells[i].Hidden != None:
			hidden = append(hidden, i)
		case t.cells[i].Exists:
			shown = append(shown, i)
		}
	}
	if len(hidden) == 0 {
		return nil
	}
	for len(hidden) < 2 || t.judge(hidden...) != None {
		if len(shown) == 0 {
			return append(more, total)
		}
		// The cheapest that is enough, else the dearest, which brings most to the sum.
		best, enough := -1, false
		for n, i := range shown {
			does := t.judge(append(hidden[:len(hidden):len(hidden)], i)...) == None
			switch {
			case best < 0, does && !enough,
				does && enough && t.weight(i) < t.weight(shown[best]),
				!does && !enough && t.weight(i) > t.weight(shown[best]):
				best, enough = n, does
			}
		}
		hidden, more = append(hidden, shown[best]), append(more, shown[best])
		shown = append(shown[:best:best], shown[best+1:]...)
	}
	return more
}

// weight is what it costs the reader that a cell is hidden: its first measure. A total weighs as
// much as what it is made of; to make it dearer than that hid more in the end, tried on 240 and on
// 3,000 shops.
func (t *Table) weight(i int) float64 { return float64(t.cells[i].Values[0] + 1) }

// block is the cheapest block that protects a cell: its corners, the cell among them.
func (t *Table) block(target int) []int {
	primary := t.cells[target].Hidden != Secondary
	best, cost := []int(nil), math.Inf(1)
	fallback, fallbackCost := []int(nil), math.Inf(1)
	t.blocks(target, func(corners []int, minus []bool) {
		sum := 0.0
		for _, i := range corners {
			if !t.cells[i].Exists {
				return // everybody knows its zero
			}
			if t.cells[i].Hidden == None {
				sum += t.weight(i)
			}
		}
		if sum >= cost {
			return
		}
		either, both := t.moves(target, corners, minus)
		if either && sum < fallbackCost {
			fallback, fallbackCost = append(fallback[:0], corners...), sum
		}
		if both || either && !primary {
			best, cost = append(best[:0], corners...), sum
		}
	})
	// What both ways would cost beside one way is bounded: see bothWays.
	if best == nil || cost > bothWays*fallbackCost && fallbackCost > 0 {
		return fallback
	}
	return best
}

// bothWays is how many times as much may be hidden to leave a primary cell open upwards and
// downwards as to leave it open one way, which is enough: without a bound, a cell that is almost its
// total takes the totals of everything with it.
const bothWays = 3

// blocks calls do with each block around a cell: for each dimension one other index, the total
// included. minus tells which corners fall when the cell rises: along a dimension, of two inner
// cells one falls, while a total follows its cell. do may not keep the slices.
func (t *Table) blocks(target int, do func(corners []int, minus []bool)) {
	n := len(t.sizes)
	corners, minus := make([]int, 1<<n), make([]bool, 1<<n)
	corners[0] = target
	var choose func(k int)
	choose = func(k int) {
		if k == n {
			do(corners, minus)
			return
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
			choose(k + 1)
		}
	}
	choose(0)
}

// moves tells whether a block leaves its cell open by more than the margin in every measure: one
// way, upwards or downwards, or both ways. What is zero needs to be open upwards only.
func (t *Table) moves(target int, corners []int, minus []bool) (either, both bool) {
	either, both = true, true
	for m := range t.measures {
		up, down := int64(math.MaxInt64), int64(math.MaxInt64)
		for n, i := range corners {
			if v := t.cells[i].Values[m]; minus[n] {
				up = min(up, v)
			} else {
				down = min(down, v)
			}
		}
		value := t.cells[target].Values[m]
		enough := func(room int64) bool { return room > 0 && float64(room)*100 > float64(value)*Margin }
		rises, falls := enough(up), enough(down)
		either = either && (rises || falls)
		both = both && rises && (falls || value == 0)
	}
	return either, both
}
