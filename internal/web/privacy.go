package web

import (
	"context"
	"html/template"
	"io"
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/french"
	"github.com/audelor/halles/internal/privacy"
)

// privacyRoutes is the page that says what is kept of persons: written from the rules themselves.
func (s *Server) privacyRoutes(r chi.Router, a *assets, zipped func(http.Handler) http.Handler) {
	r.With(s.leafing, zipped).Get(privacy.Page, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", pagePolicy)
		s.sendFile(w, r, "text/html; charset=utf-8", func(_ context.Context, out io.Writer) error {
			return privacyTemplate.Execute(out, map[string]any{
				"Style": a.URL("halles.css"), "Rules": privacy.Rules, "Text": privacy.Checkout.Text, "Controllers": privacy.Controllers, "Number": directory.HotlineNumber,
			})
		})
	})
}

var privacyTemplate = french.Page{Template: template.Must(template.New("privacy").Parse(`<!DOCTYPE html>
<html lang="fr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Confidentialité · halles</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{{.Style}}">
</head>
<body>
<main>
<h1>Confidentialité</h1>
<p>{{.Text}}</p>
<h2>Ce qui est conservé, pourquoi et combien de temps</h2>
<div class="scroll" role="region" aria-label="Tableau : ce qui est conservé" tabindex="0"><table>
<thead><tr><th scope="col">Données</th><th scope="col">Pourquoi</th><th scope="col">Combien de temps</th><th scope="col">Fondement</th></tr></thead>
<tbody>
{{range .Rules}}<tr id="{{.Key}}"><th scope="row">{{.What}}</th><td>{{.Why}}</td><td>{{.Kept}}</td><td>{{.Basis}}</td></tr>
{{end}}</tbody>
</table></div>
<h2>Vos droits</h2>
<p>Vous pouvez obtenir tout ce qui est conservé de vous et le faire effacer : avec votre compte, avec le lien de votre commande, ou en appelant le numéro vert, le {{.Number}}. Une commande en cours garde le contact jusqu'à sa fin. Vous pouvez aussi saisir la <a href="https://www.cnil.fr/fr/plaintes">CNIL</a>.</p>
<p>{{.Controllers}} Aucune donnée n'est vendue ; le widget des sites ne pose aucun cookie.</p>
<p><a href="/">Retour à l'accueil</a></p>
</main>
</body>
</html>
`))}
