package devissuer

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // for the page
	"encoding/base64"
	"html/template"
	"net/http"
	"strings"

	"github.com/audelor/halles/internal/french"
)

//go:embed page.html
var pageHTML string

var page = french.Page{Template: template.Must(template.New("page").Parse(pageHTML))}

// policy lets the page's own style through, by its hash, and nothing else. It says nothing of
// form-action: browsers would hold it against the client's address that the answer leads to.
var policy = func() string {
	_, style, _ := strings.Cut(pageHTML, "<style>")
	style, _, _ = strings.Cut(style, "</style>")
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; img-src data:; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; frame-ancestors 'none'"
}()

// ask shows "sign in as whom?".
func (i *Issuer) ask(w http.ResponseWriter, r *http.Request) {
	q, wrong := i.read(r)
	i.show(w, q, wrong == "", wrong)
}

// show draws the page; whoever came with a wrong request is not asked to choose.
func (i *Issuer) show(w http.ResponseWriter, q wanted, choose bool, wrong string) {
	var body bytes.Buffer
	if err := page.Execute(&body, map[string]any{"Asked": q, "Choose": choose, "People": i.People, "Wrong": wrong}); err != nil {
		http.Error(w, "no page", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", policy)
	w.Header().Set("Cache-Control", "no-store")
	if wrong != "" {
		w.WriteHeader(http.StatusBadRequest)
	}
	_, _ = w.Write(body.Bytes())
}

// chosen sends the browser back to the client with a code.
func (i *Issuer) chosen(w http.ResponseWriter, r *http.Request) {
	q, wrong := i.read(r)
	p, there := i.person(r.PostFormValue("subject"), r.PostFormValue("name"))
	switch {
	case wrong != "":
		i.show(w, q, false, wrong)
		return
	case !there:
		i.show(w, q, true, "Choisissez une personne, ou donnez un nom de 100 lettres au plus.")
		return
	}
	back := q.to.Query()
	back.Set("code", i.issue(p, q))
	back.Set("iss", i.URL) // RFC 9207: who answers
	if q.State != "" {
		back.Set("state", q.State)
	}
	q.to.RawQuery = back.Encode()
	http.Redirect(w, r, q.to.String(), http.StatusSeeOther)
}
