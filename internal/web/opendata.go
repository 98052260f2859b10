package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"html/template"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/audelor/halles/internal/french"
	"github.com/audelor/halles/internal/opendata"
	"github.com/audelor/halles/internal/tenancy"
)

// openDataRoutes publish the directory: files over all communes and of each, what their columns
// mean for programs and for people, and a page for each shop.
func (s *Server) openDataRoutes(r chi.Router, a *assets, zipped func(http.Handler) http.Handler) {
	r.Group(func(r chi.Router) {
		r.Use(zipped, anyOrigin)
		r.Get("/opendata", s.openDataPage(a))
		r.Get("/opendata/schema.json", func(w http.ResponseWriter, r *http.Request) {
			s.sendFile(w, r, "application/json; charset=utf-8", func(_ context.Context, w io.Writer) error {
				_, err := w.Write(opendata.TableSchema(siteOf(r)))
				return err
			})
		})
		for _, format := range opendata.Formats {
			file := "commerces." + string(format)
			r.Get("/opendata/"+file, s.openDataFile(format))
			r.Get("/opendata/{insee}/"+file, s.openDataFile(format))
		}
		r.Get("/boutique/{commune}/{slug}", s.shopPage(a))
	})
}

// anyOrigin lets pages everywhere read what is published for all, without credentials.
func anyOrigin(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
		next.ServeHTTP(w, r)
	})
}

// siteOf is where the request found us.
func siteOf(r *http.Request) string {
	if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

func (s *Server) openDataFile(format opendata.Format) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		insee := chi.URLParam(r, "insee")
		if insee != "" {
			if !tenancy.ValidInsee(insee) {
				s.notFound(w, r)
				return
			}
			if _, err := s.communes.ByInsee(r.Context(), insee); err != nil {
				s.answerFault(w, r, err)
				return
			}
		}
		w.Header().Set("Link", `</opendata/schema.json>; rel="describedby", <`+opendata.LicenceURL+`>; rel="license"`)
		name := "commerces"
		if insee != "" {
			name += "-" + insee
		}
		w.Header().Set("Content-Disposition", `inline; filename="`+name+"."+string(format)+`"`)
		s.sendFile(w, r, format.MediaType(), func(ctx context.Context, w io.Writer) error {
			return s.openData.Write(ctx, w, format, insee)
		})
	}
}

// openDataAge is how long a cache may hand a file out without asking again.
const openDataAge = "public, max-age=60"

// sendFile sends what write writes, or says that the client has it already. Its ETag is made of
// the bytes and stands before them: they wait in a file, so that they may be many. It is a weak
// one, since they may be compressed on their way.
func (s *Server) sendFile(w http.ResponseWriter, r *http.Request, kind string, write func(context.Context, io.Writer) error) {
	spool, err := os.CreateTemp("", "halles-opendata-")
	if err != nil {
		s.fail(w, r, err)
		return
	}
	defer func() { spool.Close(); os.Remove(spool.Name()) }()
	sum := sha256.New()
	if err := write(r.Context(), io.MultiWriter(spool, sum)); err != nil {
		w.Header().Del("Content-Disposition")
		s.answerFault(w, r, err)
		return
	}
	if _, err := spool.Seek(0, io.SeekStart); err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("ETag", `W/"`+hex.EncodeToString(sum.Sum(nil))[:32]+`"`)
	w.Header().Set("Cache-Control", openDataAge)
	w.Header().Set("Content-Type", kind)
	http.ServeContent(w, r, "", time.Time{}, spool)
}

func (s *Server) openDataPage(a *assets) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		communes, err := s.communes.All(r.Context())
		if err != nil {
			s.fail(w, r, err)
			return
		}
		s.sendFile(w, r, "text/html; charset=utf-8", func(_ context.Context, out io.Writer) error {
			w.Header().Set("Content-Security-Policy", pagePolicy)
			return openDataTemplate.Execute(out, map[string]any{
				"Style": a.URL("halles.css"), "Communes": communes, "Columns": opendata.Columns(), "Licence": opendata.LicenceURL,
			})
		})
	}
}

var openDataTemplate = french.Page{Template: template.Must(template.New("opendata").Parse(`<!DOCTYPE html>
<html lang="fr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Données ouvertes · halles</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{{.Style}}">
</head>
<body>
<main>
<h1>Données ouvertes</h1>
<p>Les commerces publiés sur la place de marché, à réutiliser librement sous <a href="{{.Licence}}">Licence Ouverte 2.0</a> : citez la source et la date de votre extraction. Aucune donnée personnelle : le téléphone et le site sont ceux que la boutique publie pour être jointe.</p>
<h2>Tous les commerces</h2>
<ul>
<li><a href="/opendata/commerces.csv">commerces.csv</a> : pour un tableur</li>
<li><a href="/opendata/commerces.json">commerces.json</a> : pour un programme</li>
<li><a href="/opendata/commerces.geojson">commerces.geojson</a> : pour une carte</li>
<li><a href="/opendata/schema.json">schema.json</a> : le schéma des colonnes (Table Schema)</li>
</ul>
<h2>Par commune</h2>
<table>
<thead><tr><th scope="col">Commune</th><th scope="col">Fichiers</th></tr></thead>
<tbody>
{{range .Communes}}<tr><th scope="row">{{.Name}}</th><td><a href="/opendata/{{.Insee}}/commerces.csv" aria-label="CSV, {{.Name}}">CSV</a> <a href="/opendata/{{.Insee}}/commerces.json" aria-label="JSON, {{.Name}}">JSON</a> <a href="/opendata/{{.Insee}}/commerces.geojson" aria-label="GeoJSON, {{.Name}}">GeoJSON</a></td></tr>
{{end}}</tbody>
</table>
<h2>Colonnes</h2>
<table>
<thead><tr><th scope="col">Nom</th><th scope="col">Sens</th></tr></thead>
<tbody>
{{range .Columns}}<tr><th scope="row"><code>{{.Name}}</code></th><td>{{.Title}}. {{.Description}}</td></tr>
{{end}}</tbody>
</table>
<p>Dans les fichiers CSV, une apostrophe précède un texte qu'un tableur prendrait pour une formule. Pour un même contenu, un fichier est le même octet pour octet ; demandez-le avec <code>If-None-Match</code>.</p>
<p><a href="/">Retour à l'accueil</a></p>
</main>
</body>
</html>
`))}

// shopPage is a shop for whoever has no program: its card, and the same for search engines.
func (s *Server) shopPage(a *assets) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		commune, slug := chi.URLParam(r, "commune"), chi.URLParam(r, "slug")
		slug, machine := strings.CutSuffix(slug, ".jsonld")
		card, err := s.openData.Card(r.Context(), siteOf(r), commune, slug)
		if err != nil {
			s.answerFault(w, r, err)
			return
		}
		if machine {
			s.sendFile(w, r, "application/ld+json", func(_ context.Context, out io.Writer) error {
				_, err := out.Write(card.JSONLD)
				return err
			})
			return
		}
		w.Header().Set("Content-Security-Policy", pagePolicy)
		s.sendFile(w, r, "text/html; charset=utf-8", func(_ context.Context, out io.Writer) error {
			// In a script element the text must not end it: < is written otherwise by encoding/json.
			return shopTemplate.Execute(out, map[string]any{"Style": a.URL("halles.css"), "Card": card, "JSONLD": template.JS(bytes.TrimSpace(card.JSONLD))}) //nolint:gosec // made by encoding/json, which escapes < > and &
		})
	}
}

var shopTemplate = french.Page{Template: template.Must(template.New("shop").Funcs(template.FuncMap{"dialled": dialled}).Parse(`<!DOCTYPE html>
<html lang="fr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{{.Card.Name}} · {{.Card.Commune}} · halles</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{{.Style}}">
<link rel="alternate" type="application/ld+json" href="{{.Card.URL}}.jsonld">
<script type="application/ld+json">{{.JSONLD}}</script>
</head>
<body>
<main>
<h1>{{.Card.Name}}</h1>
<p>{{.Card.Category}} · {{.Card.Commune}}</p>
{{with .Card.Description}}<p>{{.}}</p>{{end}}
<address>{{.Card.Street}}, {{.Card.Postcode}} {{.Card.City}}</address>
{{with .Card.Phone}}<p>Téléphone : <a href="tel:{{.}}">{{dialled .}}</a></p>{{end}}
{{with .Card.Website}}<p>Site : <a href="{{.}}" rel="nofollow">{{.}}</a></p>{{end}}
{{with .Card.Hours}}<h2>Horaires</h2><table class="hours"><tbody>{{range .}}<tr><th scope="row">{{.Day}}</th><td>{{range $i, $t := .Times}}{{if $i}}, {{end}}<span>{{$t}}</span>{{end}}</td></tr>{{end}}</tbody></table>{{end}}
{{if or .Card.Pickup .Card.Delivery}}<p>{{if .Card.Pickup}}Retrait en boutique. {{end}}{{if .Card.Delivery}}Livraison.{{end}}</p>{{end}}
<p><a href="/opendata">Données ouvertes</a> · <a href="/">Accueil</a></p>
</main>
</body>
</html>
`))}
