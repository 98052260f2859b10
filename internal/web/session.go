package web

import (
	"bytes"
	"context"
	_ "embed" // for the page
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/french"
	"github.com/audelor/halles/internal/identity"
)

// guardHeader and guardField carry what a page of ours shows beside its cookie to change
// something; see identity.Sessions. A socket carries it under the header's name in connection_init.
const (
	guardHeader = "X-Halles-CSRF"
	guardField  = "csrf"
)

// pages is where people sign in on pages of ours.
type pages struct {
	signIn   *identity.SignIn
	sessions *identity.Sessions
	site     *url.URL // how people reach us: where issuers send them back to
	session  string   // name of the session's cookie
	pending  string   // of a sign-in's
}

// callbackPath is registered with the issuers.
const callbackPath = "/session/callback"

// newPages names the cookies by how people reach the site. Over https they have the prefix __Host-:
// no other host of the domain, and nothing on the way, can plant one. Over http, which only this
// machine's own addresses may be, they have neither prefix nor Secure: Chromium would take them
// there all the same, Safari would not.
func newPages(o *Options, r *identity.Resolver) (*pages, error) {
	site, err := url.Parse(o.URL)
	if err != nil {
		return nil, err
	}
	site.Path = ""
	p := &pages{sessions: r.Sessions, site: site, session: "halles-session", pending: "halles-sign-in"}
	if p.secure() {
		p.session, p.pending = "__Host-"+p.session, "__Host-"+p.pending
	}
	p.signIn, err = identity.NewSignIn(r, o.Clients, site.String()+callbackPath, o.Secret)
	return p, err
}

func (p *pages) secure() bool { return p.site.Scheme == "https" }

// cookie is a cookie of ours; one without a value takes it out of the browser.
func (p *pages) cookie(name, value string, lives time.Duration) *http.Cookie {
	c := &http.Cookie{Name: name, Value: value, Path: "/", Secure: p.secure(), HttpOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: int(lives.Seconds())} //nolint:gosec // Secure wherever the site is https, see newPages
	if value == "" {
		c.MaxAge = -1
	}
	return c
}

func valueOf(r *http.Request, name string) string {
	c, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return c.Value
}

func (s *Server) sessionRoutes(r chi.Router) {
	r.Get("/session/start", s.startSession)
	r.Get(callbackPath, s.finishSession)
	r.Post("/session/end", s.endSession)
}

//go:embed assets/choose.html
var chooseHTML string

var chooseTemplate = french.Page{Template: template.Must(template.New("choose").Parse(chooseHTML))}

// startSession sends the browser to an issuer; of several it first asks which.
func (s *Server) startSession(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	// A machine of one's own has several names; the cookie must be under that which the issuer sends
	// people back to. Of a site's names its proxy takes care, which may send us another Host.
	if !s.pages.secure() && r.Host != s.pages.site.Host {
		http.Redirect(w, r, s.pages.site.String()+r.URL.RequestURI(), http.StatusSeeOther) //nolint:gosec // our own site, as configured
		return
	}
	issuer, next := r.URL.Query().Get("issuer"), r.URL.Query().Get("next")
	if next == "" {
		next = "/"
	}
	clients := s.pages.signIn.Clients()
	if issuer == "" && len(clients) == 1 {
		issuer = clients[0].Issuer
	}
	if issuer == "" {
		if err := identity.CheckNext(next); err != nil {
			s.fail(w, r, err)
			return
		}
		var page bytes.Buffer
		if err := chooseTemplate.Execute(&page, map[string]any{"Clients": clients, "Next": next, "Style": s.style}); err != nil {
			s.fail(w, r, err)
			return
		}
		writePage(w, page.Bytes(), pagePolicy)
		return
	}
	to, pending, err := s.pages.signIn.Start(r.Context(), issuer, next)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	http.SetCookie(w, s.pages.cookie(s.pages.pending, pending, identity.PendingLife))
	http.Redirect(w, r, to, http.StatusSeeOther) //nolint:gosec // a configured issuer's
}

// finishSession is where an issuer sends the browser back to.
func (s *Server) finishSession(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	q := r.URL.Query()
	done, err := s.pages.signIn.Finish(r.Context(), valueOf(r, s.pages.pending), identity.Answer{
		Code: q.Get("code"), State: q.Get("state"), Issuer: q.Get("iss"), Error: q.Get("error"),
	})
	if err != nil {
		s.fail(w, r, err)
		return
	}
	// Who was signed in here before is not any more.
	if before := valueOf(r, s.pages.session); before != "" {
		if _, _, err := s.pages.sessions.End(r.Context(), before); err != nil {
			s.fail(w, r, err)
			return
		}
	}
	http.SetCookie(w, s.pages.cookie(s.pages.pending, "", 0))
	http.SetCookie(w, s.pages.cookie(s.pages.session, done.Cookie, time.Until(done.EndsAt)))
	http.Redirect(w, r, done.Next, http.StatusSeeOther) //nolint:gosec // a page of ours, see identity.CheckNext
}

// endSession signs out, here and with the issuer.
func (s *Server) endSession(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	cookie := valueOf(r, s.pages.session)
	back := s.pages.site.String() + "/"
	if cookie == "" {
		http.Redirect(w, r, back, http.StatusSeeOther)
		return
	}
	if err := s.guardedBy(r, cookie); err != nil {
		s.fail(w, r, err)
		return
	}
	to, err := s.pages.signIn.End(r.Context(), cookie, back)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	http.SetCookie(w, s.pages.cookie(s.pages.session, "", 0))
	http.Redirect(w, r, to, http.StatusSeeOther) //nolint:gosec // a configured issuer's
}

// cookieOf is the session's cookie where it counts: the request says in no other way who asks.
func (s *Server) cookieOf(r *http.Request) string {
	if s.pages == nil || r.Header.Get("Authorization") != "" || keyOf(r) != "" {
		return ""
	}
	return valueOf(r, s.pages.session)
}

// guardedBy refuses a request that a page of another site may have sent: browsers add the cookie by
// themselves, and cannot add its guard.
func (s *Server) guardedBy(r *http.Request, cookie string) error {
	guard := r.Header.Get(guardHeader)
	if guard == "" && strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		guard = r.PostFormValue(guardField)
	}
	if !s.pages.sessions.Guarded(cookie, guard) {
		return fault.Errorf(fault.Forbidden, "Cette demande ne vient pas d'une page de votre session. Rechargez la page et recommencez.")
	}
	return nil
}

// safe methods change nothing (RFC 9110, 9.2.1).
func safe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

// bySession puts the viewer of a cookie into ctx, until when, and what guards its forms.
func (s *Server) bySession(ctx context.Context, cookie string) (context.Context, error) {
	v, ends, err := s.identity.FromSession(ctx, cookie)
	if err != nil {
		return ctx, err
	}
	ctx = context.WithValue(ctx, guardKey{}, s.pages.sessions.Guard(cookie))
	return identity.WithExpiry(identity.With(ctx, v), ends), nil
}

type guardKey struct{}

// guardOf is what a page's forms carry in the field csrf; empty without a session.
func guardOf(ctx context.Context) string {
	guard, _ := ctx.Value(guardKey{}).(string)
	return guard
}

// askedBySession is who asks the API by a cookie.
func (s *Server) askedBySession(r *http.Request, cookie string) (context.Context, error) {
	if !safe(r.Method) {
		if err := s.guardedBy(r, cookie); err != nil {
			return r.Context(), err
		}
	}
	return s.bySession(r.Context(), cookie)
}

// forget takes a cookie that opens nothing out of the browser.
func (s *Server) forget(w http.ResponseWriter) {
	http.SetCookie(w, s.pages.cookie(s.pages.session, "", 0))
}

// recognized puts into a page's request who is signed in, or the visitor.
func (s *Server) recognized(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, err := s.viewer(r.Context(), "")
		if cookie := s.cookieOf(r); cookie != "" && err == nil {
			var signedIn context.Context
			switch signedIn, err = s.bySession(r.Context(), cookie); {
			case err == nil:
				ctx = signedIn
			case errors.Is(err, fault.Unauthenticated):
				s.forget(w)
				err = nil
			}
		}
		if err != nil {
			s.fail(w, r, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// SignedIn is for pages of certain kinds of viewers: others are sent to sign in, or told that this
// is not for them. Forms carry guardOf in their field csrf.
func (s *Server) SignedIn(kinds ...identity.Kind) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return s.recognized(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "no-store")
			v := identity.From(r.Context())
			switch {
			case !v.InSession() && safe(r.Method) && s.pages != nil:
				http.Redirect(w, r, "/session/start?next="+url.QueryEscape(r.URL.RequestURI()), http.StatusSeeOther)
				return
			case !v.InSession():
				s.fail(w, r, fault.Errorf(fault.Unauthenticated, "Connectez-vous pour continuer."))
				return
			case !slices.Contains(kinds, v.Kind):
				s.fail(w, r, fault.Errorf(fault.Forbidden, "Cette page n'est pas pour votre compte. Si elle doit l'être, demandez une invitation à votre commune."))
				return
			}
			if !safe(r.Method) {
				if err := s.guardedBy(r, s.cookieOf(r)); err != nil {
					s.fail(w, r, err)
					return
				}
			}
			next.ServeHTTP(w, r)
		}))
	}
}
