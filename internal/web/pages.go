package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"html"
	"html/template"
	"io/fs"
	"mime"
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/french"
	"github.com/audelor/halles/internal/identity"
)

//go:embed assets/*.css assets/*.js
var assetFiles embed.FS

// assets serves our own style sheets and scripts, under one version made of their bytes: they
// may be kept for ever, since other bytes have another address.
type assets struct {
	version string
	files   map[string][]byte
}

func newAssets() (*assets, error) {
	a := &assets{files: map[string][]byte{}}
	sum := sha256.New()
	err := fs.WalkDir(assetFiles, "assets", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		body, err := assetFiles.ReadFile(name)
		fmt.Fprintf(sum, "%s %d\n", name, len(body))
		sum.Write(body)
		a.files[path.Base(name)] = body
		return err
	})
	a.version = hex.EncodeToString(sum.Sum(nil))[:12]
	return a, err
}

// URL is the address of a file of ours.
func (a *assets) URL(file string) string { return "/assets/" + a.version + "/" + file }

func (a *assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, ok := a.files[chi.URLParam(r, "file")]
	if !ok || chi.URLParam(r, "version") != a.version {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", mime.TypeByExtension(path.Ext(r.URL.Path)))
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(body)
}

// pagePolicy is what a page of ours may load: our own files, and our own answers.
const pagePolicy = "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"

//go:embed assets/home.html
var homeHTML string

var homeTemplate = french.Page{Template: template.Must(template.New("home").Funcs(template.FuncMap{"number": number, "plural": plural}).Parse(homeHTML))}

// homeFacts are what the home page says of the database, at most a minute old.
type homeFacts struct {
	Communes, Shops, Products int
	Examples                  []Example
}

func (s *Server) readHome(ctx context.Context) (*homeFacts, error) {
	visitor, err := s.identity.Visitor(ctx)
	if err != nil {
		return nil, err
	}
	f := &homeFacts{Communes: len(visitor.AllCommunes())}
	if f.Shops, err = s.directory.Count(ctx, visitor, directory.ShopQuery{}); err != nil {
		return nil, err
	}
	if f.Products, err = s.catalog.Count(ctx, visitor, nil); err != nil {
		return nil, err
	}
	f.Examples, err = s.examples(ctx, visitor)
	return f, err
}

// formPolicy is pagePolicy for a page with forms, of which the one that signs out leads to an
// issuer: browsers hold form-action against where an answer leads, too.
func (s *Server) formPolicy() string {
	actions := []string{"form-action 'self'"}
	if s.pages != nil {
		actions = append(actions, s.pages.signIn.Ends()...)
	}
	return strings.Replace(pagePolicy, "form-action 'none'", strings.Join(actions, " "), 1)
}

// writePage sends a page that nobody keeps: it is for one person.
func writePage(w http.ResponseWriter, page []byte, policy string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", policy)
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(page)
}

// kindNames says in French in which capacity somebody is signed in.
var kindNames = map[identity.Kind]string{
	identity.Customer: "client", identity.Merchant: "commerçant", identity.Agent: "agent de commune", identity.Hotline: "numéro vert",
	identity.Analyst: "analyste", identity.Admin: "administration",
}

func (s *Server) homePage(a *assets) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		facts, err := s.home.Get(r.Context())
		if err != nil {
			s.fail(w, r, err)
			return
		}
		v := identity.From(r.Context())
		tokens := []DemoToken{{Label: "Visiteur, sans se connecter"}}
		if v.InSession() {
			tokens = append([]DemoToken{{Role: "me", Label: "Moi-même, par ma session"}}, tokens...)
		}
		if s.demo != nil {
			tokens = append(tokens, s.demo.Tokens...)
		}
		site := ""
		if s.demo != nil {
			site = s.demo.Site
		}
		var page bytes.Buffer
		err = homeTemplate.Execute(&page, map[string]any{
			"Site":  site,
			"Facts": facts, "Tokens": tokens, "Demo": s.demo != nil, "Mails": s.demo != nil && s.demo.Mails != nil,
			"SignIn": s.pages != nil, "SignedIn": v.InSession(), "Name": v.Name, "Kind": kindNames[v.Kind], "Guard": guardOf(r.Context()),
			"Style": a.URL("halles.css"), "Script": a.URL("console.js"),
			"Console": map[string]any{"examples": facts.Examples, "tokens": tokens, "guard": guardOf(r.Context())},
		})
		if err != nil {
			s.fail(w, r, err)
			return
		}
		writePage(w, page.Bytes(), s.formPolicy())
	}
}

// number writes a count as French readers expect: 20 000, with a space that does not break.
func number(n int) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "\u202f" + digits[i:]
	}
	return digits
}

// plural adds the s that French takes from two on.
func plural(n int, noun string) string {
	if n < 2 {
		return noun
	}
	return noun + "s"
}

// graphiQL is gqlgen's page, drawn anew for whoever is signed in: what guards its session is in it.
type graphiQL struct {
	draw    func(headers map[string]string) http.Handler
	visitor *graphiQLPage
}

// graphiQLPage is gqlgen's page, with a policy that lets through what it loads and nothing else:
// the files that it names, whose integrity it checks, and its own inline script by its hash.
type graphiQLPage struct {
	body   []byte
	policy string
}

var (
	scriptFile = regexp.MustCompile(`(?s)<script\s+src="([^"]+)"`)
	styleFile  = regexp.MustCompile(`(?s)<link\s+rel="stylesheet"\s+href="([^"]+)"`)
	inline     = regexp.MustCompile(`(?s)<script>(.*?)</script>`)
)

func newGraphiQL(draw func(headers map[string]string) http.Handler) (*graphiQL, error) {
	visitor, err := drawGraphiQL(draw(nil))
	return &graphiQL{draw, visitor}, err
}

func drawGraphiQL(page http.Handler) (*graphiQLPage, error) {
	drawn := httptest.NewRecorder()
	page.ServeHTTP(drawn, httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/graphiql", nil))
	// Where a network keeps these files away, the page stays as it is drawn: it says what it waits for.
	g := &graphiQLPage{body: bytes.Replace(drawn.Body.Bytes(), []byte("Loading…"), []byte("Loading from cdn.jsdelivr.net…"), 1)}
	scripts, styles := []string{"script-src"}, []string{"style-src 'unsafe-inline'"} // it sets styles as it draws
	for _, m := range scriptFile.FindAllSubmatch(g.body, -1) {
		scripts = append(scripts, html.UnescapeString(string(m[1])))
	}
	for _, m := range inline.FindAllSubmatch(g.body, -1) {
		sum := sha256.Sum256(m[1])
		scripts = append(scripts, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'")
	}
	for _, m := range styleFile.FindAllSubmatch(g.body, -1) {
		styles = append(styles, html.UnescapeString(string(m[1])))
	}
	if len(scripts) != 5 || len(styles) != 2 {
		return nil, fmt.Errorf("gqlgen's GraphiQL page has %d scripts and %d styles, not the 4 and 1 that its policy is made for", len(scripts)-1, len(styles)-1)
	}
	g.policy = strings.Join([]string{
		"default-src 'none'", strings.Join(scripts, " "), strings.Join(styles, " "), "img-src data:", "font-src data:",
		"connect-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
	}, "; ")
	return g, nil
}

func (s *Server) graphiQLPage(g *graphiQL) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		page := g.visitor
		if guard := guardOf(r.Context()); guard != "" {
			own, err := drawGraphiQL(g.draw(map[string]string{guardHeader: guard}))
			if err != nil {
				s.fail(w, r, err)
				return
			}
			page = own
		}
		writePage(w, page.body, page.policy)
	}
}
