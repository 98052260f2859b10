package report

import (
	_ "embed" // for the page
	"html/template"
	"io"
	"time"

	"github.com/audelor/halles/internal/calendar"
	"github.com/audelor/halles/internal/french"
	"github.com/audelor/halles/internal/insight"
)

// Funcs are what templates of dashboards use.
var Funcs = template.FuncMap{
	"shown": Shown, "trend": Trend, "paris": func(at time.Time) time.Time { return at.In(calendar.Paris) },
}

//go:embed bulletin.html
var bulletinHTML string

var bulletinTemplate = french.Page{Template: template.Must(template.New("bulletin").Funcs(Funcs).Parse(bulletinHTML))}

// Drawing is a table with its chart, for a template.
type Drawing struct {
	Table
	Narrow, Wide template.URL    // "" where nothing may be shown
	Set          template.Srcset // Wide, where several could stand: a URL's comma would be escaped there
}

// Drawings are a dashboard's tables with their charts.
func Drawings(d *insight.Dashboard) ([]Drawing, error) {
	tables := Tables(d)
	list := make([]Drawing, len(tables))
	for i, t := range tables {
		list[i].Table = t
		var err error
		if list[i].Narrow, err = t.Image(Narrow); err != nil {
			return nil, err
		}
		if list[i].Wide, err = t.Image(Wide); err != nil {
			return nil, err
		}
		list[i].Set = template.Srcset(list[i].Wide) //nolint:gosec // drawn by us
	}
	return list, nil
}

// Bulletin writes a month's dashboard as one file that needs no other: charts, tables and
// definitions, ready to send.
func Bulletin(w io.Writer, d *insight.Dashboard) error {
	drawings, err := Drawings(d)
	if err != nil {
		return err
	}
	return bulletinTemplate.Execute(w, map[string]any{"Dashboard": d, "Period": Period(d), "Tables": drawings, "Definitions": Definitions(), "Rules": Rules()})
}
