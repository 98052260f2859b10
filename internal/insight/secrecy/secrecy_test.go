package secrecy

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestVectors goes through the cases of the rule, one dimension each.
func TestVectors(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("testdata/secrecy_vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Cases []struct {
			ID    string
			Cells map[string][]int64
			Siren map[string]map[string][]int64 `json:"cells_by_siren"`
			Total bool                          `json:"total_published"`
			Want  map[string]string             `json:"expected"`
		}
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Cases) < 8 {
		t.Fatalf("%d cases", len(file.Cases))
	}
	for _, c := range file.Cases {
		t.Run(c.ID, func(t *testing.T) {
			t.Parallel()
			var names []string
			for name := range c.Want {
				if name != "TOTAL" {
					names = append(names, name)
				}
			}
			slices.Sort(names)
			table := New(1, len(names))
			for i, name := range names {
				for n, v := range c.Cells[name] {
					table.Add(fmt.Sprint(name, n), []int64{v}, i)
				}
				for unit, shops := range c.Siren[name] {
					for _, v := range shops {
						table.Add(unit, []int64{v}, i)
					}
				}
			}
			if !c.Total {
				table.Hide(Withheld, Total)
			}
			table.Protect()
			words := map[Reason]string{None: "PUBLISH", FewerThanThree: "PRIMARY", Dominance: "PRIMARY", Secondary: "SECONDARY"}
			for name, want := range c.Want {
				at := Total
				if name != "TOTAL" {
					at = slices.Index(names, name)
				}
				if got := words[table.At(at).Hidden]; got != want {
					t.Errorf("%s: %s, want %s", name, got, want)
				}
			}
		})
	}
}

// random is a table of 6 communes, 4 sectors and 2 modes: few shops each, some of them large.
func random(r *rand.Rand, shops int) *Table {
	t := New(2, 6, 4, 2)
	for s := range shops {
		// Communes are unlike: the first has half of the shops.
		commune, sector := int(6*math.Pow(r.Float64(), 2)), r.IntN(4)
		unit := fmt.Sprint("siren", s)
		if r.IntN(8) == 0 {
			unit = fmt.Sprint("siren", r.IntN(s+1)) // a second shop
		}
		for mode := range 2 {
			if mode == 1 && r.IntN(3) == 0 {
				continue // does not deliver
			}
			t.Exist(commune, sector, mode)
			if r.IntN(6) == 0 {
				continue // sold nothing
			}
			revenue := int64(math.Exp(6 + 2*r.NormFloat64()))
			t.Add(unit, []int64{1 + revenue, 1 + revenue/int64(20+r.IntN(50))}, commune, sector, mode)
		}
	}
	return t
}

// TestElimination solves all that is published for the hidden values, exactly, over many tables.
func TestElimination(t *testing.T) {
	t.Parallel()
	leaks, hidden := 0, 0
	for seed := range uint64(40) {
		make := func() *Table { return random(rand.New(rand.NewPCG(seed, 1)), 20+int(seed)*6) }
		table := make()
		table.Protect()
		if found := read(table).recovered(); len(found) > 0 {
			t.Fatalf("seed %d: %d hidden cells follow from what is published", seed, len(found))
		}
		table = make()
		table.Judge() // what an attacker hopes for
		k := read(table)
		hidden += len(k.cells)
		leaks += len(k.recovered())
	}
	if leaks == 0 {
		t.Fatal("without secondary suppression the attack finds nothing: it proves nothing")
	}
	t.Logf("without secondary suppression %d of %d hidden cells are recovered; with it none", leaks, hidden)
}

// TestLinearProgrammes asks between which bounds each hidden value must lie.
func TestLinearProgrammes(t *testing.T) {
	t.Parallel()
	leaks, tables := 0, uint64(1)
	if os.Getenv("HALLES_LONG") != "" {
		tables = 40
	}
	for seed := range tables {
		make := func() *Table { return random(rand.New(rand.NewPCG(seed, 2)), 30+int(seed)*20%200) }
		table := make()
		table.Protect()
		for measure := range table.measures {
			if found := betrayed(t, table, measure); len(found) > 0 {
				t.Errorf("seed %d, measure %d: cells %v are known to within %d %%", seed, measure, found, Margin)
			}
		}
		table = make()
		table.Judge() // what an attacker hopes for
		leaks += len(betrayed(t, table, 0))
	}
	if leaks == 0 {
		t.Fatal("without secondary suppression the attack finds nothing: it proves nothing")
	}
	t.Logf("without secondary suppression %d cells are known to within %d %%; with it none", leaks, Margin)
}

// TestHiddenSums holds that no sum of hidden cells that follows from their total breaks the rules:
// two shops alone would know each other's figures.
func TestHiddenSums(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		table := random(rand.New(rand.NewPCG(rapid.Uint64().Draw(r, "seed"), 3)), rapid.IntRange(0, 300).Draw(r, "shops"))
		table.Protect()
		table.lines(func(total int, inner []int) {
			var hidden []int
			for _, i := range inner {
				if table.cells[i].Hidden != None {
					hidden = append(hidden, i)
				}
			}
			if table.cells[total].Hidden != None || len(hidden) == 0 {
				return
			}
			if reason := table.judge(hidden...); reason != None || len(hidden) == 1 {
				r.Fatalf("what is hidden under %d is known, and breaks %s", total, reason)
			}
		})
		for i := range table.cells {
			c := &table.cells[i]
			if c.Hidden == None && c.Exists && table.judge(i) != None {
				r.Fatalf("cell %d is published on %d enterprises", i, c.Units)
			}
			if !c.Exists && c.Hidden != None {
				r.Fatalf("cell %d is zero by structure, and hidden", i)
			}
		}
		if found := read(table).recovered(); len(found) > 0 {
			r.Fatalf("cells %v follow from what is published", found)
		}
	})
}

// TestSameTableSamePattern holds that a pattern does not hang on chance: twice published, it would
// tell the difference.
func TestSameTableSamePattern(t *testing.T) {
	t.Parallel()
	a, b := random(rand.New(rand.NewPCG(5, 5)), 150), random(rand.New(rand.NewPCG(5, 5)), 150)
	a.Protect()
	b.Protect()
	for i := range a.cells {
		if a.cells[i].Hidden != b.cells[i].Hidden {
			t.Fatalf("cell %d: %q and %q", i, a.cells[i].Hidden, b.cells[i].Hidden)
		}
	}
}

// TestTotalsAreLast holds that what is hidden where most cells are leaves the totals of all and of
// each mode: they are what people look for.
func TestTotalsAreLast(t *testing.T) {
	t.Parallel()
	for seed := range uint64(30) {
		table := random(rand.New(rand.NewPCG(seed, 9)), 20+int(seed)*4)
		table.Protect()
		for _, at := range [][]int{{Total, Total, Total}, {Total, Total, 0}, {Total, Total, 1}} {
			if c := table.At(at...); c.Hidden != None {
				t.Errorf("seed %d: the total %v of %d enterprises is hidden: %s", seed, at, c.Units, c.Hidden)
			}
		}
	}
}

// TestPublishedShare measures what is left to publish with 3,000 shops in communes of the sizes of
// the 25 around Lorient.
func TestPublishedShare(t *testing.T) {
	t.Parallel()
	population := []float64{
		1480, 2262, 1267, 7110, 3404, 685, 2569, 2308, 12236, 15831, 2196, 6631, 23188, 8046, 809, 8368, 4094,
		58202, 18873, 5779, 4015, 2689, 8906, 1423, 5742,
	}
	var people float64
	for _, p := range population {
		people += p
	}
	r := rand.New(rand.NewPCG(8, 8))
	table := New(1, len(population), 7, 2)
	for s := range 3000 {
		commune, at := 0, r.Float64()*people
		for at > population[commune] {
			at -= population[commune]
			commune++
		}
		sector, size := int(7*math.Pow(r.Float64(), 1.5)), math.Exp(11+1.2*r.NormFloat64())
		for mode, share := range []float64{0.8, 0.2} {
			if mode == 0 || r.IntN(3) == 0 {
				table.Add(fmt.Sprint(s), []int64{int64(size * share)}, commune, sector, mode)
			}
		}
	}
	table.Protect()
	share := func(at func(c int) *Cell, n int) float64 {
		var all, shown int64
		for c := range n {
			cell := at(c)
			all += cell.Values[0]
			if cell.Hidden == None {
				shown += cell.Values[0]
			}
		}
		return 100 * float64(shown) / float64(all)
	}
	byCommune := share(func(c int) *Cell { return table.At(c, Total, Total) }, len(population))
	inner := share(func(c int) *Cell { return table.At(c/14, c/2%7, c%2) }, len(population)*14)
	t.Logf("published revenue: commune × month %.1f %%, commune × sector × mode %.1f %%", byCommune, inner)
	if byCommune < 80 {
		t.Errorf("commune × month carries %.1f %% of the revenue, want 80", byCommune)
	}
	if table.At(Total, Total, Total).Hidden != None {
		t.Error("the total of all is hidden")
	}
}

// TestKnownTotals holds for a table whose totals are told in another one that nothing recovers what
// breaks a rule, though those totals cannot be hidden.
func TestKnownTotals(t *testing.T) {
	t.Parallel()
	stuck, hidden := 0, 0
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 4))
		first, second := New(1, 6, 3), New(1, 5, 6)
		for s := range 4 + int(seed)*2 {
			commune, unit := int(6*math.Pow(r.Float64(), 2)), fmt.Sprint(s)
			for buyer := range 5 {
				if revenue := int64(math.Exp(6+2*r.NormFloat64())) * int64(r.IntN(2)); revenue > 0 {
					first.Add(unit, []int64{revenue}, commune, s%3)
					second.Add(unit, []int64{revenue}, buyer, commune)
				}
			}
		}
		first.Protect()
		for commune := range 6 {
			if c := first.At(commune, Total); c.Hidden != None {
				second.Hide(c.Hidden, Total, commune)
			} else {
				second.Know(Total, commune)
			}
		}
		second.Protect()
		for i := range second.cells {
			c := &second.cells[i]
			if c.Known && c.Hidden != None {
				t.Fatalf("seed %d: cell %d is known elsewhere, and hidden", seed, i)
			}
			if c.Hidden != None {
				hidden++
			}
		}
		for _, i := range read(second).recovered() {
			if reason := second.judge(i); reason != None {
				t.Errorf("seed %d: cell %d is recovered, and breaks %s", seed, i, reason)
			}
			stuck++
		}
	}
	t.Logf("%d cells hidden, %d follow from totals that are told elsewhere, and keep the rules", hidden, stuck)
}
