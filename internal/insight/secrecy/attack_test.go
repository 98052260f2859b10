package secrecy

import (
	"errors"
	"math"
	"math/big"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/optimize/convex/lp"
)

// known is all that a reader of the published table knows of its hidden cells: for each line an
// equation over them, in unknowns numbered as in cells.
type known struct {
	cells []int // hidden, by unknown
	rows  [][]int64
	right [][]int64 // by measure, of each row
	table *Table
}

// truth is the value itself: a reader finds any one that fits the equations, and their bounds are
// the same from all.
func (k known) truth(cell, measure int) int64 { return k.table.cells[cell].Values[measure] }

func read(t *Table) known {
	k := known{table: t, right: make([][]int64, t.measures)}
	number := map[int]int{}
	for i := range t.cells {
		if t.cells[i].Hidden != None {
			number[i] = len(k.cells)
			k.cells = append(k.cells, i)
		}
	}
	t.lines(func(total int, inner []int) {
		row, some := make([]int64, len(k.cells)), false
		right := make([]int64, t.measures)
		tell := func(i int, sign int64) {
			if n, hidden := number[i]; hidden {
				row[n], some = sign, true
				return
			}
			for m, v := range t.cells[i].Values {
				right[m] -= sign * v
			}
		}
		tell(total, -1)
		for _, i := range inner {
			tell(i, 1)
		}
		if some {
			k.rows = append(k.rows, row)
			for m := range right {
				k.right[m] = append(k.right[m], right[m])
			}
		}
	})
	return k
}

// solve brings the equations to reduced echelon form, exactly, with the right sides of a measure.
func (k known) solve(measure int) (rows [][]*big.Rat, pivots []int) {
	n := len(k.cells)
	for r, row := range k.rows {
		line := make([]*big.Rat, n+1)
		for c, v := range row {
			line[c] = big.NewRat(v, 1)
		}
		line[n] = big.NewRat(k.right[measure][r], 1)
		rows = append(rows, line)
	}
	done := 0
	for c := 0; c < n && done < len(rows); c++ {
		p := -1
		for r := done; r < len(rows); r++ {
			if rows[r][c].Sign() != 0 {
				p = r
				break
			}
		}
		if p < 0 {
			continue
		}
		rows[done], rows[p] = rows[p], rows[done]
		inverse := new(big.Rat).Inv(rows[done][c])
		for x := c; x <= n; x++ {
			rows[done][x].Mul(rows[done][x], inverse)
		}
		for r := range rows {
			if r == done || rows[r][c].Sign() == 0 {
				continue
			}
			f := new(big.Rat).Set(rows[r][c])
			for x := c; x <= n; x++ {
				if rows[done][x].Sign() != 0 {
					rows[r][x].Sub(rows[r][x], new(big.Rat).Mul(f, rows[done][x]))
				}
			}
		}
		pivots = append(pivots, c)
		done++
	}
	return rows[:done], pivots
}

// recovered lists the hidden cells whose value follows exactly from what is published.
func (k known) recovered() []int {
	rows, pivots := k.solve(0)
	var cells []int
	for r, p := range pivots {
		others := false
		for c := p + 1; c < len(k.cells); c++ {
			others = others || rows[r][c].Sign() != 0
		}
		if !others {
			cells = append(cells, k.cells[p])
		}
	}
	return cells
}

// bounds is between which values a hidden cell must lie, when no value is negative: the least and
// the greatest of a linear programme.
func (k known) bounds(tb testing.TB, measure int) (low, high map[int]float64) {
	tb.Helper()
	low, high = map[int]float64{}, map[int]float64{}
	n := len(k.cells)
	if n == 0 {
		return low, high
	}
	rows, pivots := k.solve(measure)
	pivot := make([]int, n) // the row that gives a cell by the free ones, else -1
	for c := range pivot {
		pivot[c] = -1
	}
	for r, p := range pivots {
		pivot[p] = r
	}
	var free []int
	for c := range n {
		if pivot[c] < 0 {
			free = append(free, c)
		}
	}
	// How far the free cells may move from where they are: x = truth + N·(up - down) ≥ 0. The truth is
	// itself a corner of that form, which spares the search for a first one.
	a, b := mat.NewDense(n, 2*len(free)+n, nil), make([]float64, n)
	moves := func(c, f int) float64 {
		if c == free[f] {
			return 1
		}
		if r := pivot[c]; r >= 0 {
			v, _ := rows[r][free[f]].Float64()
			return -v
		}
		return 0
	}
	first := make([]int, n)
	for c, i := range k.cells {
		b[c] = float64(k.truth(i, measure))
		for f := range free {
			a.Set(c, 2*f, -moves(c, f))
			a.Set(c, 2*f+1, moves(c, f))
		}
		first[c] = 2*len(free) + c
		a.Set(c, first[c], 1)
	}
	for c, i := range k.cells {
		for _, sign := range []float64{1, -1} {
			cost := make([]float64, 2*len(free)+n)
			for f := range free {
				cost[2*f], cost[2*f+1] = sign*moves(c, f), -sign*moves(c, f)
			}
			best, _, err := lp.Simplex(cost, a, b, 1e-9, first)
			at := b[c] + sign*best
			if errors.Is(err, lp.ErrUnbounded) && sign < 0 {
				at, err = math.Inf(1), nil
			}
			if err != nil {
				tb.Fatalf("linear programme of cell %d: %v", i, err)
			}
			if sign > 0 {
				low[i] = at
			} else {
				high[i] = at
			}
		}
	}
	return low, high
}

// betrayed lists the hidden cells that are known to within the margin.
func betrayed(tb testing.TB, t *Table, measure int) []int {
	tb.Helper()
	k := read(t)
	low, high := k.bounds(tb, measure)
	var cells []int
	for _, i := range k.cells {
		v := float64(t.cells[i].Values[measure])
		if low[i] >= v*(100-Margin)/100 && high[i] <= v*(100+Margin)/100 {
			cells = append(cells, i)
		}
	}
	return cells
}
