package web

import (
	"bytes"
	_ "embed" // for the pages
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/french"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/insight"
	"github.com/audelor/halles/internal/insight/report"
	"github.com/audelor/halles/internal/tenancy"
)

//go:embed assets/dashboard.html
var dashboardHTML string

//go:embed assets/definitions.html
var definitionsHTML string

var (
	dashboardTemplate   = french.Page{Template: template.Must(template.New("dashboard").Funcs(report.Funcs).Parse(dashboardHTML))}
	definitionsTemplate = french.Page{Template: template.Must(template.New("definitions").Parse(definitionsHTML))}
)

const dashboardPath = "/tableau-de-bord"

// dashboardRoutes are the pages of published figures, for analysts and, of their communes, agents.
// They need no script: filters are a form whose answer has an address.
func (s *Server) dashboardRoutes(r chi.Router, a *assets, zipped func(http.Handler) http.Handler) {
	r.Group(func(r chi.Router) {
		r.Use(s.leafing, zipped, s.SignedIn(identity.Analyst, identity.Agent))
		r.Get(dashboardPath, s.dashboardPage(a))
		r.Get(dashboardPath+"/definitions", s.definitionsPage(a))
		r.Get(dashboardPath+".csv", s.dashboardFile("text/csv; charset=utf-8; header=present", func(w *bytes.Buffer, d *insight.Dashboard) error { return report.CSV(w, d) }))
		r.Get(dashboardPath+".json", s.dashboardFile("application/json; charset=utf-8", func(w *bytes.Buffer, d *insight.Dashboard) error { return report.JSON(w, d) }))
	})
}

// dashboardFilters reads the form's fields from an address; an empty field is one that is not set.
func dashboardFilters(q url.Values) (in insight.DashboardInput, err error) {
	for _, c := range q["commune"] {
		if c != "" {
			in.Communes = append(in.Communes, c)
		}
	}
	for _, c := range q["secteur"] {
		if c != "" {
			in.Sectors = append(in.Sectors, tenancy.ID{Kind: tenancy.KindCategory, Name: c})
		}
	}
	if m := directory.FulfilmentMode(q.Get("mode")); m != "" {
		if m != directory.Pickup && m != directory.Delivery {
			return in, fault.Errorf(fault.Invalid, "Le mode %s n'existe pas : choisissez PICKUP ou DELIVERY.", fault.Shown(string(m)))
		}
		in.Mode = &m
	}
	for name, into := range map[string]**insight.Month{"de": &in.From, "a": &in.To} {
		if text := q.Get(name); text != "" {
			m, err := insight.ParseMonth(text)
			if err != nil {
				return in, fault.Errorf(fault.Invalid, "%s n'est pas un mois : écrivez-le comme 2026-10.", fault.Shown(text))
			}
			*into = &m
		}
	}
	return in, nil
}

func (s *Server) dashboard(r *http.Request) (*insight.Dashboard, error) {
	in, err := dashboardFilters(r.URL.Query())
	if err != nil {
		return nil, err
	}
	return s.insight.Dashboard(r.Context(), identity.From(r.Context()), in)
}

// choice is one line of a select.
type choice struct {
	Value, Label string
	Chosen       bool
}

func choices(q url.Values, field string, all [][2]string) []choice {
	list := make([]choice, len(all))
	for i, c := range all {
		list[i] = choice{c[0], c[1], q.Get(field) == c[0]}
	}
	return list
}

// dashboardPage shows the figures that the address asks for. What it cannot show it says above the
// form, which keeps what was entered.
func (s *Server) dashboardPage(a *assets) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		q, v := r.URL.Query(), identity.From(r.Context())
		communes, sectors, err := s.insight.Choices(r.Context(), v)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		data := map[string]any{
			"Style": a.URL("halles.css"), "Own": a.URL("dashboard.css"), "Name": v.Name, "Guard": guardOf(r.Context()),
			"Communes": choices(q, "commune", communes), "Sectors": choices(q, "secteur", sectors),
			"Modes": choices(q, "mode", [][2]string{{"PICKUP", "Retrait"}, {"DELIVERY", "Livraison"}}), "From": q.Get("de"), "To": q.Get("a"),
		}
		status := http.StatusOK
		d, err := s.dashboard(r)
		switch f := fault.Of(err); {
		case err == nil:
			drawings, err := report.Drawings(d)
			if err != nil {
				s.fail(w, r, err)
				return
			}
			data["Dashboard"], data["Period"], data["Tables"], data["Query"] = d, report.Period(d), drawings, template.URL(q.Encode()) //nolint:gosec // encoded
			data["From"], data["To"] = d.From.String(), d.To.String()
			q.Set("de", (d.To - 11).String())
			q.Set("a", d.To.String())
			data["Year"] = template.URL(q.Encode()) //nolint:gosec // encoded
		case f != nil && (errors.Is(err, fault.Invalid) || errors.Is(err, fault.NotFound)):
			status, data["Wrong"] = http.StatusBadRequest, f.Message
		default:
			s.fail(w, r, err)
			return
		}
		var page bytes.Buffer
		if err := dashboardTemplate.Execute(&page, data); err != nil {
			s.fail(w, r, err)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", s.formPolicy())
		w.WriteHeader(status)
		_, _ = page.WriteTo(w)
	}
}

// dashboardFile is what the page at the same address shows, to take away.
func (s *Server) dashboardFile(kind string, write func(w *bytes.Buffer, d *insight.Dashboard) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		d, err := s.dashboard(r)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		var file bytes.Buffer
		if err := write(&file, d); err != nil {
			s.fail(w, r, err)
			return
		}
		name := "tableau-de-bord-" + d.From.String()
		if d.From != d.To {
			name += "-" + d.To.String()
		}
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Content-Disposition", `attachment; filename="`+name+r.URL.Path[strings.LastIndexByte(r.URL.Path, '.'):]+`"`)
		_, _ = file.WriteTo(w)
	}
}

func (s *Server) definitionsPage(a *assets) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var page bytes.Buffer
		if err := definitionsTemplate.Execute(&page, map[string]any{"Style": a.URL("halles.css"), "Own": a.URL("dashboard.css"), "Definitions": report.Definitions(), "Rules": report.Rules()}); err != nil {
			s.fail(w, r, err)
			return
		}
		writePage(w, page.Bytes(), pagePolicy)
	}
}
