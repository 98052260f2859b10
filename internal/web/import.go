package web

import (
	"io"
	"mime"
	"net/http"
	"slices"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/audelor/halles/internal/catalog"
	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/intake"
	"github.com/audelor/halles/internal/sheet"
	"github.com/audelor/halles/internal/tenancy"
)

// importRoutes takes files, which are too large for the schema's body, and hands out the templates
// of those to fill in.
func (s *Server) importRoutes(r chi.Router) {
	r.Group(func(r chi.Router) {
		r.Use(s.cors(), s.authenticated)
		r.Post("/import", s.receive)
		r.Options("/import", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	})
	r.Get("/import/produits.csv", sheetTemplate("produits.csv", catalog.ImportColumns()))
	r.Get("/import/boutiques.csv", sheetTemplate("boutiques.csv", directory.ImportColumns()))
}

func sheetTemplate(name string, columns []sheet.Column) http.HandlerFunc {
	body := sheet.Template(columns)
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/csv; charset=utf-8; header=present")
		w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
		_, _ = w.Write(body)
	}
}

// sheetTypes are what browsers and programs call a CSV file. A form's types are not among them: a
// page elsewhere cannot send one of these without asking first (CORS), and is told no.
var sheetTypes = []string{"text/csv", "application/csv", "application/vnd.ms-excel", "application/octet-stream"}

const (
	// sendTime is how long a file may take in all: 50 MB at 1.4 Mbit/s.
	sendTime = 5 * time.Minute
	// stallTime is how long nothing may come.
	stallTime = 15 * time.Second
)

// receive keeps a file for an import, as it comes, and answers its id.
func (s *Server) receive(w http.ResponseWriter, r *http.Request) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || !slices.Contains(sheetTypes, kind) {
		s.refuse(w, r, http.StatusUnsupportedMediaType, fault.Errorf(fault.Invalid, "Envoyez le fichier seul, avec Content-Type: text/csv."))
		return
	}
	commune, err := s.communeOf(r)
	if err != nil {
		s.answerFault(w, r, err)
		return
	}
	if r.ContentLength > intake.MaxUpload {
		s.answerFault(w, r, fault.Errorf(fault.Limited, "Le fichier dépasse %d Mio. Partagez-le en plusieurs.", intake.MaxUpload>>20))
		return
	}
	name := r.URL.Query().Get("name")
	body := paced(w, http.MaxBytesReader(w, r.Body, intake.MaxUpload+1))
	upload, err := s.intake.Receive(r.Context(), identity.From(r.Context()), commune, name, body)
	if err != nil {
		s.answerFault(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, "application/json; charset=utf-8", http.StatusCreated, map[string]any{
		"id": upload.ID().String(), "name": upload.Name, "size": upload.Size, "expiresAt": upload.ExpiresAt.UTC().Format(time.RFC3339),
	})
}

// communeOf is the commune that a request names, by its slug or its code.
func (s *Server) communeOf(r *http.Request) (tenancy.ID, error) {
	asked := r.URL.Query().Get("commune")
	if asked == "" {
		return tenancy.ID{}, fault.Errorf(fault.Invalid, "Dites pour quelle commune : ?commune=lorient, ou son code INSEE.")
	}
	insee, slug := &asked, (*string)(nil)
	if !tenancy.ValidInsee(asked) {
		insee, slug = nil, &asked
	}
	c, err := s.communes.Find(r.Context(), insee, slug)
	if err != nil {
		return tenancy.ID{}, err
	}
	return c.ID(), nil
}

// paced reads a body that may be long but not for ever silent.
func paced(w http.ResponseWriter, body io.Reader) io.Reader {
	return &pacedBody{body: body, connection: http.NewResponseController(w), until: time.Now().Add(sendTime)}
}

type pacedBody struct {
	body       io.Reader
	connection *http.ResponseController
	until      time.Time
}

func (p *pacedBody) Read(into []byte) (int, error) {
	next := time.Now().Add(stallTime)
	if p.until.Before(next) {
		next = p.until
	}
	_ = p.connection.SetReadDeadline(next) // not every test's writer has one
	return p.body.Read(into)
}
