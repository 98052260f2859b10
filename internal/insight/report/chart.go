package report

import (
	"encoding/base64"
	"fmt"
	"html/template"
	"slices"
	"strings"

	"github.com/go-analyze/charts"

	"github.com/audelor/halles/internal/insight"
)

// maxBars bounds the bars of a chart: the largest are drawn, and the table has all.
const maxBars = 12

// Size is how wide a chart is drawn: text in it keeps its size, so that a telephone has its own.
type Size int

// The sizes, in CSS pixels.
const (
	Narrow Size = 320
	Wide   Size = 720
)

// sea is the site's own colour; 4.5:1 on white, as text and lines must be.
var sea = charts.Color{R: 11, G: 83, B: 117, A: 255}

// Drawn lists the rows that the chart draws: all of a line, of bars those that are shown, the largest
// first. What is hidden is not drawn as zero: a line has a gap there, and bars leave it out.
func (t Table) Drawn() []*insight.FigureRow {
	if t.Kind == Line {
		return t.Rows
	}
	var rows []*insight.FigureRow
	for _, r := range t.Rows {
		if r.Key != "*" && Shown(r.Figures[t.Of].Value) {
			rows = append(rows, r)
		}
	}
	if t.ordered() {
		slices.SortStableFunc(rows, func(a, b *insight.FigureRow) int { return value(b, t.Of) - value(a, t.Of) })
	}
	return rows[:min(len(rows), maxBars)]
}

// ordered tells whether bars are sorted by size; steps have an order of their own.
func (t Table) ordered() bool { return t.ID != "etapes" && t.ID != "attentes" }

func value(r *insight.FigureRow, column int) int {
	if v := r.Figures[column].Value; v.Number != nil {
		return *v.Number
	}
	return 0
}

// Summary says in words what the chart shows, for whoever does not see it.
func (t Table) Summary() string {
	rows := t.Drawn()
	hidden := 0
	for _, r := range t.Rows {
		if !Shown(r.Figures[t.Of].Value) {
			hidden++
		}
	}
	text := fmt.Sprintf("%s, %s : ", t.Title, t.Columns[t.Of].Label())
	if len(rows) == 0 || hidden == len(t.Rows) {
		return text + "rien à montrer, tout est secret ou absent."
	}
	parts := make([]string, 0, len(rows))
	for _, r := range rows {
		parts = append(parts, r.Label+" "+r.Figures[t.Of].Value.Formatted)
	}
	return text + strings.Join(parts, " ; ") + "."
}

// SVG draws the chart; nil where nothing may be shown.
func (t Table) SVG(size Size) ([]byte, error) {
	rows := t.Drawn()
	labels, numbers, some := make([]string, len(rows)), make([]float64, len(rows)), false
	for i, r := range rows {
		labels[i], numbers[i] = r.Label, charts.GetNullValue()
		if v := r.Figures[t.Of].Value; v.Number != nil {
			numbers[i], some = float64(*v.Number), true
		}
	}
	if !some {
		return nil, nil
	}
	indicator := t.Columns[t.Of]
	axis := func(v float64) string { return insight.Format(indicator, int64(v)) }
	common := func(height int) []charts.OptionFunc {
		return []charts.OptionFunc{
			charts.SVGOutputOptionFunc(), charts.DimensionsOptionFunc(int(size), height),
			charts.ThemeOptionFunc(charts.GetTheme(charts.ThemeLight).WithSeriesColors([]charts.Color{sea})),
			func(o *charts.ChartOption) { o.ValueFormatter = axis },
		}
	}
	var p *charts.Painter
	var err error
	if t.Kind == Line {
		if size == Narrow { // one label in two has no room
			for i := range labels {
				labels[i] = rows[i].Key
			}
		}
		p, err = charts.LineRender([][]float64{numbers}, append(common(280), charts.XAxisLabelsOptionFunc(labels), func(o *charts.ChartOption) {
			o.YAxis = []charts.YAxisOption{{Min: new(float64), ValueFormatter: axis}}
			o.XAxis.LabelFontStyle.FontSize = 9
			if size == Narrow {
				o.XAxis.LabelCount = 3
			}
		})...)
	} else {
		slices.Reverse(labels) // the library draws from below
		slices.Reverse(numbers)
		p, err = charts.HorizontalBarRender([][]float64{numbers}, append(common(70+34*len(labels)), charts.YAxisLabelsOptionFunc(labels), func(o *charts.ChartOption) {
			o.XAxis.LabelCount, o.XAxis.ValueFormatter, o.XAxis.LabelFontStyle.FontSize = 2, axis, 9
		})...)
	}
	if err != nil {
		return nil, fmt.Errorf("draw %s: %w", t.ID, err)
	}
	return p.Bytes()
}

// Image is the chart as an address that holds it, for an img: the page loads nothing, and its policy
// lets no inline style through, which SVG is full of. "" where nothing may be shown.
func (t Table) Image(size Size) (template.URL, error) {
	svg, err := t.SVG(size)
	if err != nil || svg == nil {
		return "", err
	}
	return template.URL("data:image/svg+xml;base64," + base64.StdEncoding.EncodeToString(svg)), nil //nolint:gosec // drawn by us
}
