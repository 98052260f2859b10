package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/go-analyze/charts"

	"github.com/audelor/halles/internal/insight"
)

// most is how many communes a matrix has a side at most, those with the largest sums: the table has all.
func (s Size) most() int {
	if s == Narrow {
		return 4
	}
	return 12
}

// shade is the colour of a matrix's fullest cell: as light as black text on it needs.
var shade = charts.GetTheme(charts.ThemeLight).WithSeriesColors([]charts.Color{{R: 96, G: 176, B: 208, A: 255}})

// grid is rows "FROM>TO" as a matrix, the communes with most on each side first. What is hidden or
// unknown is an empty cell.
type grid struct {
	from, to []string // labels
	values   [][]float64
}

func (t Table) grid(most int) *grid {
	sums := [2]map[string]int{{}, {}}
	labels, cells := [2]map[string]string{{}, {}}, map[string]int{}
	for _, r := range t.Rows {
		from, to, flow := strings.Cut(r.Key, ">")
		v := r.Figures[t.Of].Value.Number
		if !flow || v == nil {
			continue
		}
		sums[0][from] += *v
		sums[1][to] += *v
		cells[r.Key] = *v
		labels[0][from], labels[1][to], _ = strings.Cut(r.Label, " → ")
	}
	first := func(of map[string]int) []string {
		var keys []string
		for k := range of {
			keys = append(keys, k)
		}
		slices.SortFunc(keys, func(a, b string) int { return cmp.Or(of[b]-of[a], cmp.Compare(a, b)) })
		return keys[:min(len(keys), most)]
	}
	g := &grid{}
	from, to := first(sums[0]), first(sums[1])
	for _, k := range to {
		g.to = append(g.to, labels[1][k])
	}
	for _, f := range from {
		g.from = append(g.from, labels[0][f])
		row := make([]float64, len(to))
		for i, k := range to {
			row[i] = charts.GetNullValue()
			if v, told := cells[f+">"+k]; told {
				row[i] = float64(v)
			}
		}
		g.values = append(g.values, row)
	}
	return g
}

// has tells whether a row is one of the matrix's cells.
func (g *grid) has(r *insight.FigureRow) bool {
	from, to, _ := strings.Cut(r.Label, " → ")
	return slices.Contains(g.from, from) && slices.Contains(g.to, to)
}

const cell = 30 // px, the height of a row

func (g *grid) option(value charts.ValueFormatter) charts.HeatMapOption {
	o := charts.NewHeatMapOptionWithData(g.values)
	o.Theme, o.Padding, o.ScaleMinValue = shade, charts.Box{Left: 10, Top: 10, Right: 10, Bottom: 10, IsSet: true}, new(float64)
	o.YAxis = charts.HeatMapAxis{Labels: g.from, LabelFontStyle: textFont, LabelCount: len(g.from)}
	o.XAxis = charts.HeatMapAxis{Labels: g.to, LabelFontStyle: textFont, LabelCount: len(g.to), LabelRotation: charts.DegreesToRadians(90)}
	o.ValuesLabel = charts.SeriesLabel{Show: charts.Ptr(true), ValueFormatter: value, FontStyle: textFont}
	return o
}

// height is that of the rows and of the longest name below a column.
func (g *grid) height(p *charts.Painter) int {
	name := 0
	for _, label := range g.to {
		name = max(name, p.MeasureText(label, 0, textFont).Width())
	}
	return 40 + name + cell*len(g.from)
}

// middle are the texts of the values: the library begins them 5 px right of a cell's middle.
func (g *grid) middle(value charts.ValueFormatter) map[string]string {
	of := map[string]string{}
	for _, row := range g.values {
		for _, v := range row {
			if v == charts.GetNullValue() {
				continue
			}
			of[value(v)] = ` text-anchor="middle" dx="-5"`
		}
	}
	return of
}
