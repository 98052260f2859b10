package insight

import "github.com/audelor/halles/internal/insight/secrecy"

// step is how far somebody has come; within are the steps that whoever is here has taken too.
type step struct {
	key    string
	within []string
}

// nested are counts of which one is part of another. The rest between two is known when both are,
// so that it must keep the rules too; where it does not, the later of the list is hidden.
func nested(subject string, steps []step, measures []string, parts []part) []figure {
	by := map[string]map[string][]int64{}
	within := map[string]map[string]bool{}
	for _, s := range steps {
		by[s.key], within[s.key] = map[string][]int64{}, map[string]bool{}
		for _, w := range s.within {
			within[s.key][w] = true
		}
	}
	for _, p := range parts {
		if by[p.Key] != nil {
			by[p.Key][p.Siren] = p.Values
		}
	}
	told := map[string]bool{}
	var list []figure
	for _, s := range steps {
		c := judged(len(measures), by[s.key])
		for _, other := range steps {
			if c.Hidden != secrecy.None || !told[other.key] {
				continue
			}
			large, small := other.key, s.key
			if within[large][small] {
				large, small = small, large
			} else if !within[small][large] {
				continue
			}
			if rest := judged(len(measures), without(by[large], by[small])); rest.Units > 0 && rest.Hidden != secrecy.None {
				c.Hidden = secrecy.Secondary
			}
		}
		told[s.key] = c.Hidden == secrecy.None
		list = append(list, figuresAt(subject, s.key, measures, c)...)
	}
	return list
}

// judged is a cell by itself.
func judged(measures int, by map[string][]int64) *secrecy.Cell {
	t := secrecy.New(measures, 1)
	t.Exist(0)
	for siren, values := range by {
		t.Add(siren, values, 0)
	}
	t.Judge()
	return t.At(0)
}

// without is what each enterprise has in the one and not in the other.
func without(large, small map[string][]int64) map[string][]int64 {
	rest := map[string][]int64{}
	for siren, values := range large {
		left := make([]int64, len(values))
		for m, v := range values {
			if left[m] = v; small[siren] != nil {
				left[m] = max(0, v-small[siren][m])
			}
		}
		rest[siren] = left
	}
	return rest
}
