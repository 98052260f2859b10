package report

import (
	"encoding/base64"
	"fmt"
	"html"
	"html/template"
	"regexp"
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
// first, of a matrix those of the communes with most. What is hidden is not drawn as zero: a line has
// a gap there, a matrix an empty cell, and bars leave it out.
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
	if t.Kind == Matrix {
		g := t.grid(Wide.most())
		rows = slices.DeleteFunc(rows, func(r *insight.FigureRow) bool { return !g.has(r) })
	}
	if t.ordered() {
		slices.SortStableFunc(rows, func(a, b *insight.FigureRow) int { return value(b, t.Of) - value(a, t.Of) })
	}
	if t.Kind == Matrix {
		return rows
	}
	return rows[:min(len(rows), maxBars)]
}

// ordered tells whether bars are sorted by size; steps and sizes have an order of their own.
func (t Table) ordered() bool {
	return !slices.Contains([]string{"etapes", "attentes", "equite", "appels"}, t.ID)
}

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
	if t.Kind == Matrix {
		rows = rows[:min(len(rows), maxBars)] // in words, the largest are enough
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
	value := func(v float64) string { return insight.Format(indicator, int64(v)) }
	var g *grid
	painter := func(height int) *charts.Painter {
		return charts.NewPainter(charts.PainterOptions{OutputFormat: charts.ChartOutputSVG, Width: int(size), Height: height, Theme: theme})
	}
	p := painter(t.height(len(rows)))
	if t.Kind == Matrix {
		g = t.grid(size.most())
		p = painter(g.height(p))
	}
	var err error
	if g != nil {
		err = p.HeatMapChart(g.option(value))
	} else if t.Kind == Line {
		if size == Narrow || len(labels) > 4 { // months in words have no room
			for i := range labels {
				labels[i] = rows[i].Key
			}
		}
		err = p.LineChart(lineOption(labels, numbers, size, value))
	} else {
		slices.Reverse(labels) // the library draws from below
		slices.Reverse(numbers)
		err = p.BarChart(barOption(p, labels, numbers, size, value))
	}
	if err != nil {
		return nil, fmt.Errorf("draw %s: %w", t.ID, err)
	}
	svg, err := p.Bytes()
	if g != nil {
		return fitted(p, svg, g.middle(value)), err
	}
	return fitted(p, svg, nil), err
}

var textElement = regexp.MustCompile(`<text ([^>]*)font-size:13\.3px([^>]*)>([^<]+)</text>`)

// fitted has each text take the width that it was placed for: the library measures its own font, and
// a reader's may be wider and run into the bars. placed has more attributes for some texts.
func fitted(p *charts.Painter, svg []byte, placed map[string]string) []byte {
	return textElement.ReplaceAllFunc(svg, func(element []byte) []byte {
		part := textElement.FindSubmatch(element)
		text := html.UnescapeString(string(part[3]))
		return fmt.Appendf(nil, `<text textLength="%d" lengthAdjust="spacingAndGlyphs"%s %sfont-size:13.3px%s>%s</text>`,
			p.MeasureText(text, 0, textFont).Width(), placed[text], part[1], part[2], part[3])
	})
}

// textFont is that of all texts: 13 px.
var textFont = charts.FontStyle{FontSize: 10, FontColor: charts.ColorBlack}

// theme has one colour: a chart has one series.
var theme = charts.GetTheme(charts.ThemeLight).WithSeriesColors([]charts.Color{sea})

// height of a chart: that of bars grows with them.
func (t Table) height(rows int) int {
	if t.Kind == Line {
		return 280
	}
	return 24 + 34*rows
}

func lineOption(labels []string, numbers []float64, size Size, value charts.ValueFormatter) charts.LineChartOption {
	o := charts.NewLineChartOptionWithData([][]float64{numbers})
	o.Theme, o.Padding = theme, charts.Box{Left: 10, Top: 20, Right: 20, Bottom: 10, IsSet: true}
	o.XAxis.Labels, o.XAxis.LabelFontStyle = labels, textFont
	// One label in so many, counted from the last: more have no room, and the library's own choice is
	// uneven.
	most := 6
	if size == Narrow {
		most = 3
	}
	step := (len(labels) + most - 1) / most
	for i := range labels {
		if (len(labels)-1-i)%step != 0 {
			labels[i] = ""
		}
	}
	o.XAxis.LabelCount = len(labels)
	axis := func(v float64) string { return strings.Replace(value(v), ",00\u00a0", "\u00a0", 1) } // whole euros
	o.YAxis = []charts.YAxisOption{{Min: new(float64), LabelCount: 6, PreferNiceIntervals: charts.Ptr(true), ValueFormatter: axis, LabelFontStyle: textFont}}
	return o
}

// barOption has the value at each bar's end and no axis: a bar begins at zero, and is as long as its
// value.
func barOption(p *charts.Painter, labels []string, numbers []float64, size Size, value charts.ValueFormatter) charts.BarChartOption {
	o := charts.NewBarChartOptionWithData([][]float64{numbers})
	o.Theme, o.Padding, o.Horizontal, o.BarSize = theme, charts.Box{Left: 16, Top: 8, Right: 8, Bottom: 8, IsSet: true}, true, 0.55
	// The longest bar leaves room for its value beside it.
	var name, said int
	for i, l := range labels {
		name, said = max(name, p.MeasureText(l, 0, textFont).Width()), max(said, p.MeasureText(value(numbers[i]), 0, textFont).Width())
	}
	plot := float64(int(size) - o.Padding.Left - o.Padding.Right - name - 14)
	most := max(slices.Max(numbers)*plot/max(plot-float64(said)-12, 20), 1)
	o.ValueAxis = []charts.ValueAxisOption{{Show: charts.Ptr(false), Min: new(float64), Max: &most, SplitLineShow: charts.Ptr(false)}}
	o.CategoryAxis.Labels, o.CategoryAxis.LabelFontStyle = labels, textFont
	o.CategoryAxis.LabelOffset.Left = -6
	for i := range o.SeriesList {
		o.SeriesList[i].Label = charts.SeriesLabel{Show: charts.Ptr(true), ValueFormatter: value, FontStyle: textFont}
	}
	return o
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
