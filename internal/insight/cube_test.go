package insight

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/audelor/halles/internal/insight/secrecy"
)

// TestTwoVersionsTellNothing lays two versions of a month side by side: of no cell or total does the
// difference come from fewer than three enterprises, or nearly all from one.
func TestTwoVersionsTellNothing(t *testing.T) {
	t.Parallel()
	changes := 0
	rapid.Check(t, func(r *rapid.T) {
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(r, "seed"), 1))
		var before, after []contribution
		for s := range rapid.IntRange(1, 120).Draw(r, "shops") {
			shop := uuid.UUID{byte(s), 1}
			commune, sector, siren := []string{"56121", "56069", "56098"}[random.IntN(3)], []string{"mode", "culture"}[random.IntN(2)], fmt.Sprint(s/(1+random.IntN(2)))
			for _, mode := range modes {
				c := contribution{
					CommuneID: commune, ShopID: shop, Mode: mode, Sector: sector, Siren: siren, Orders: int64(random.IntN(20)), Items: int64(random.IntN(50)), Gross: int64(random.IntN(100_000)),
				}
				c.VAT = c.Gross / 6
				if random.IntN(10) > 0 {
					before = append(before, c)
				}
				if random.IntN(3) == 0 { // called off, or entered late
					c.Gross, c.Orders = c.Gross+int64(random.IntN(5000)), c.Orders+int64(random.IntN(3))
				}
				if random.IntN(20) > 0 {
					after = append(after, c)
				}
			}
		}
		made, changed := revised(before, after)
		if changed {
			changes++
		}
		for mask := range 8 {
			cells := map[string][2][]contribution{}
			for n, list := range [][]contribution{before, made} {
				for _, c := range list {
					key := [3]string{all, all, all}
					for k, v := range []string{c.CommuneID, c.Sector, c.Mode} {
						if mask>>k&1 == 1 {
							key[k] = v
						}
					}
					both := cells[fmt.Sprint(key)]
					both[n] = append(both[n], c)
					cells[fmt.Sprint(key)] = both
				}
			}
			for key, both := range cells {
				if total(both[0]) != total(both[1]) && !safe(both[0], both[1]) {
					r.Fatalf("%s: the difference of two versions is that of too few", key)
				}
			}
		}
	})
	if changes < 10 {
		t.Errorf("only %d revisions changed anything", changes)
	}
}

func total(list []contribution) (sum [4]int64) {
	for _, c := range list {
		for m, v := range c.values() {
			sum[m] += v
		}
	}
	return sum
}

func TestMedian(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		orders []int64
		want   int // tenths; 0 for none
	}{
		{[]int64{1, 2, 3}, 0},
		{[]int64{1, 2, 3, 4, 5, 6, 7, 8, 9}, 0},
		{[]int64{10, 2, 3, 4, 5, 6, 7, 8, 9, 1}, 55},
		{[]int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1000}, 60},
	} {
		active := map[uuid.UUID]int64{}
		for i, n := range c.orders {
			active[uuid.UUID{byte(i)}] = n
		}
		got := 0
		if m := median(active); m != nil {
			got = *m
		}
		if got != c.want {
			t.Errorf("%v: %d, want %d", c.orders, got, c.want)
		}
	}
}

func TestMonths(t *testing.T) {
	t.Parallel()
	m, err := ParseMonth("2026-12")
	if err != nil {
		t.Fatal(err)
	}
	got := []string{m.String(), m.Next().String(), (m - 11).String(), m.First().String(), m.closes().String(), m.French()}
	if want := []string{"2026-12", "2027-01", "2026-01", "2026-12-01", "2027-01-05", "décembre 2026"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	for _, text := range []string{"", "2026", "2026-13", "2026-1", "26-01", "1999-01", "2026-10-01", "octobre"} {
		if _, err := ParseMonth(text); err == nil {
			t.Errorf("%q is a month", text)
		}
	}
}

// reasonOf is why a figure has no value; "" where it has.
func reasonOf(list []figure, subject, key string) secrecy.Reason {
	for _, f := range list {
		if f.subject == subject && f.key == key {
			return f.hidden
		}
	}
	return "missing"
}

// TestRestOfTwoSteps holds that what is between two counts keeps the rules as they do.
func TestRestOfTwoSteps(t *testing.T) {
	t.Parallel()
	steps := []step{{"PUBLISHED", []string{"REGISTERED"}}, {"REGISTERED", nil}}
	parts := func(registered, published int) (list []part) {
		for i := range registered {
			list = append(list, part{"REGISTERED", fmt.Sprint(i), []int64{1, 4}})
			if i < published {
				list = append(list, part{"PUBLISHED", fmt.Sprint(i), []int64{1, 4}})
			}
		}
		return list
	}
	for _, c := range []struct {
		registered, published int
		want                  secrecy.Reason
	}{{8, 8, secrecy.None}, {8, 7, secrecy.Secondary}, {8, 6, secrecy.Secondary}, {8, 5, secrecy.None}, {8, 2, secrecy.None}} {
		list := nested(byStep, steps, []string{"shops", "headcount"}, parts(c.registered, c.published))
		if got := reasonOf(list, byStep, "REGISTERED"); got != c.want {
			t.Errorf("%d of %d: the larger is %q, want %q", c.published, c.registered, got, c.want)
		}
	}
}

// TestEndsAndReasonsAreOne holds that the list of reasons does not give an end away, nor the other
// way: orders that were not collected are no-shows, and all of them.
func TestEndsAndReasonsAreOne(t *testing.T) {
	t.Parallel()
	var parts []linked
	for i := range 6 {
		siren := fmt.Sprint(i)
		parts = append(parts, linked{"NO_SHOW", "NOT_COLLECTED", siren, []int64{3}}, linked{"CANCELLED", "CHANGED_MIND", siren, []int64{20}})
		if i < 2 {
			parts = append(parts, linked{"REJECTED", "OUT_OF_STOCK", siren, []int64{4}})
		}
	}
	list := lostOf(parts)
	if got := reasonOf(list, byEnd, "REJECTED"); got != secrecy.FewerThanThree {
		t.Errorf("orders that two rejected: %q", got)
	}
	if got := reasonOf(list, byEnd, all); got != secrecy.None {
		t.Errorf("the total: %q", got)
	}
	for end, reason := range map[string]string{"NO_SHOW": "NOT_COLLECTED", "CANCELLED": "CHANGED_MIND", "REJECTED": "OUT_OF_STOCK"} {
		a, b := reasonOf(list, byEnd, end), reasonOf(list, byReason, reason)
		if (a == secrecy.None) != (b == secrecy.None) {
			t.Errorf("%s is %q, and %s, the same orders, %q", end, a, reason, b)
		}
	}
}
