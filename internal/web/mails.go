package web

import (
	"bytes"
	_ "embed" // for the page
	"html/template"
	"net/http"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/audelor/halles/internal/calendar"
	"github.com/audelor/halles/internal/french"
	"github.com/audelor/halles/internal/notice/sink"
)

//go:embed assets/mails.html
var mailsHTML string

var mailsTemplate = french.Page{Template: template.Must(template.New("mails").Funcs(template.FuncMap{
	"paris": func(at time.Time) time.Time { return at.In(calendar.Paris) },
}).Parse(mailsHTML))}

// mails shows what the demo wrote to people: the list, and below it the mail that was chosen.
func (s *Server) mails(a *assets) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		data := map[string]any{"Mails": s.demo.Mails.Mails(), "Kept": sink.Kept, "Style": a.URL("halles.css")}
		if number := chi.URLParam(r, "number"); number != "" {
			m := s.chosenMail(number)
			if m == nil {
				s.notFound(w, r)
				return
			}
			data["Chosen"] = m
		}
		var page bytes.Buffer
		if err := mailsTemplate.Execute(&page, data); err != nil {
			s.fail(w, r, err)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", pagePolicy)
		w.Header().Set("Cache-Control", "no-store")
		_, _ = page.WriteTo(w)
	}
}

// mailBody is the HTML of a mail, for the frame of the page above. It may do nothing: no script,
// no request, no form; only the styles that it carries itself.
func (s *Server) mailBody(w http.ResponseWriter, r *http.Request) {
	m := s.chosenMail(chi.URLParam(r, "number"))
	if m == nil {
		s.notFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "sandbox; default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write([]byte(m.HTML))
}

func (s *Server) chosenMail(number string) *sink.Mail {
	n, err := strconv.Atoi(number)
	if err != nil {
		return nil
	}
	return s.demo.Mails.Mail(n)
}
