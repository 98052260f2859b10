package web

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/french"
	"github.com/audelor/halles/internal/tenancy"
	"github.com/audelor/halles/internal/web/widget"
)

// How long browsers and caches keep the widget: what pages load as v1 is looked at again soon, so
// that a mistake of ours is mended within minutes; what they pin by its version never changes.
const (
	widgetMoves = "public, max-age=300"
	widgetStays = "public, max-age=31536000, immutable"
)

func (s *Server) widgetRoutes(r chi.Router, a *assets, releases *widget.Releases, zipped func(http.Handler) http.Handler) {
	r.Group(func(r chi.Router) {
		r.Use(s.leafing, zipped, anyOrigin)
		r.Get("/widget/{version}/{file}", func(w http.ResponseWriter, r *http.Request) {
			version := chi.URLParam(r, "version")
			release := releases.Find(version)
			if release == nil || release.Files[chi.URLParam(r, "file")] == nil {
				s.notFound(w, r)
				return
			}
			file := release.Files[chi.URLParam(r, "file")]
			keep := widgetStays
			if version == "v1" {
				keep = widgetMoves
			}
			w.Header().Set("Content-Type", file.MediaType)
			w.Header().Set("Cache-Control", keep)
			w.Header().Set("ETag", `W/"`+file.Integrity[len("sha384-"):]+`"`)
			body := file.Body
			if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
				w.Header().Set("Content-Encoding", "gzip")
				body = file.Zipped
			}
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
		})
		r.Get("/widget/v1/check", s.checkKey)
		r.Get("/widget/v1/shops.html", s.plainShops(a))
		r.Get("/docs/widget", s.webmasterPage(a, releases))
	})
}

//go:embed assets/webmaster.html
var webmasterHTML string

var webmasterTemplate = french.Page{Template: template.Must(template.New("webmaster").Parse(webmasterHTML))}

// webmasterPage tells how a commune's site shows the shops, with lines to copy that name this
// server.
func (s *Server) webmasterPage(a *assets, releases *widget.Releases) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		data := map[string]any{"Style": []string{a.URL("halles.css"), a.URL("docs.css")}, "Here": siteOf(r), "Pinned": releases.Pinned, "Script": widget.Script}
		if s.demo != nil {
			data["Site"] = s.demo.Site
		}
		w.Header().Set("Content-Security-Policy", pagePolicy)
		s.sendFile(w, r, "text/html; charset=utf-8", func(_ context.Context, out io.Writer) error { return webmasterTemplate.Execute(out, data) })
	}
}

// checkKey says to a page why the API does not answer it: a browser keeps what is refused by CORS
// from it. The API itself says as much to a program that tries a key.
func (s *Server) checkKey(w http.ResponseWriter, r *http.Request) {
	code := "OK"
	switch _, err := s.keys.Use(r.Context(), r.URL.Query().Get("key"), r.Header.Get("Origin")); {
	case errors.Is(err, fault.Unauthenticated):
		code = "KEY"
	case errors.Is(err, fault.Forbidden):
		code = "ORIGIN"
	case err != nil:
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = io.WriteString(w, `{"code":"`+code+`"}`)
}

// plainLength is how many shops a page without JavaScript has.
const plainLength = 100

// plainShop is a shop on such a page.
type plainShop struct {
	*directory.Shop
	Category string
	Modes    []*directory.Fulfilment
	Dialled  string
}

// plainShops is the widget's list for people without JavaScript, and where the widget leads to
// when it cannot go on.
func (s *Server) plainShops(a *assets) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		slug := query.Get("commune")
		commune, err := s.communes.Find(r.Context(), nil, &slug)
		if err != nil {
			s.answerFault(w, r, err)
			return
		}
		var after *string
		if query.Has("after") {
			given := query.Get("after")
			after = &given
		}
		shops, next, err := s.plainList(r.Context(), commune.Insee, after)
		if err != nil {
			s.answerFault(w, r, err)
			return
		}
		if next != "" {
			next = "?" + url.Values{"commune": {slug}, "after": {next}}.Encode()
		}
		w.Header().Set("Content-Security-Policy", strings.Replace(pagePolicy, "frame-ancestors 'none'", "frame-ancestors *", 1)) // nothing to click that acts
		s.sendFile(w, r, "text/html; charset=utf-8", func(_ context.Context, out io.Writer) error {
			return plainTemplate.Execute(out, map[string]any{"Style": a.URL("halles.css"), "Commune": commune, "Shops": shops, "Next": next})
		})
	}
}

func (s *Server) plainList(ctx context.Context, commune string, after *string) (shops []plainShop, next string, err error) {
	visitor, err := s.identity.Visitor(ctx)
	if err != nil {
		return nil, "", err
	}
	page, err := s.directory.List(ctx, visitor, directory.ShopQuery{Filter: &directory.ShopFilter{Communes: []string{commune}}}, plainLength, after)
	if err != nil {
		return nil, "", err
	}
	var ids []tenancy.ID
	for _, e := range page.Edges {
		ids = append(ids, e.Node.ID())
	}
	modes, err := s.directory.FulfilmentsOf(ctx, visitor, ids)
	if err != nil {
		return nil, "", err
	}
	for _, e := range page.Edges {
		category, err := s.catalog.Category(ctx, e.Node.CategoryID)
		if err != nil {
			return nil, "", err
		}
		shop := plainShop{Shop: e.Node, Category: category.Name, Modes: modes[e.Node.ID()]}
		if e.Node.Phone != nil {
			shop.Dialled = dialled(*e.Node.Phone)
		}
		shops = append(shops, shop)
	}
	if info := page.PageInfo(); info.HasNextPage && info.EndCursor != nil {
		next = *info.EndCursor
	}
	return shops, next, nil
}

var plainTemplate = french.Page{Template: template.Must(template.New("shops").Parse(`<!DOCTYPE html>
<html lang="fr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Les boutiques de {{.Commune.Name}}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{{.Style}}">
</head>
<body>
<main>
<h1>Les boutiques de {{.Commune.Name}}</h1>
{{if .Shops}}<ul>
{{range .Shops}}<li>
<p><a href="/boutique/{{$.Commune.Slug}}/{{.Slug}}" target="_top"><strong>{{.Name}}</strong></a>, {{.Category}}<br>
{{.Street}}, {{.Postcode}} {{.City}}{{if .Phone}} · <a href="tel:{{.Phone}}">{{.Dialled}}</a>{{end}}{{range .Modes}} · {{if eq .Mode "PICKUP"}}retrait en boutique{{else}}livraison{{end}}{{end}}</p>
</li>
{{end}}</ul>
{{else}}<p>Aucune boutique n'est encore en ligne ici.</p>
{{end}}{{with .Next}}<p><a href="{{.}}">Boutiques suivantes</a></p>
{{end}}</main>
</body>
</html>
`))}
