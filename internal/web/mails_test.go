package web_test

import (
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/audelor/halles/internal/notice"
	"github.com/audelor/halles/internal/notice/sink"
	"github.com/audelor/halles/internal/web"
)

// The demo shows what it wrote: a list, and each mail in a frame in which nothing runs. A
// deployment has no such page.
func TestMailsOfTheDemo(t *testing.T) {
	t.Parallel()
	box, err := sink.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = box.Close() })
	s := start(t)
	s.do("GET", "/mails", "").wants(t, 404)
	s.serve(&web.Demo{Mails: box})
	s.do("GET", "/mails", "").wants(t, 200, "Aucun encore")
	server, err := notice.ParseSMTP(box.URL(), "Les halles <halles@example.bzh>")
	if err != nil {
		t.Fatal(err)
	}
	err = server.Send(t.Context(), &notice.Mail{
		ID: "mail.1@example.bzh", To: mail.Address{Name: "Anna", Address: "anna@example.bzh"}, At: time.Now(),
		Subject: "Prête <b>", Text: "Votre commande <script>\n", HTML: "<p>Votre commande</p><script>alert(1)</script>\n",
	})
	if err != nil {
		t.Fatal(err)
	}
	s.do("GET", "/mails", "").wants(t, 200, "1 courriel", "anna@example.bzh", `<a href="/mails/1">Prête &lt;b&gt;</a>`)
	page := s.do("GET", "/mails/1", "")
	page.wants(t, 200, `<iframe src="/mails/1/html" sandbox `, "mail.1@example.bzh", "Votre commande &lt;script&gt;", "Les halles")
	body := s.do("GET", "/mails/1/html", "")
	body.wants(t, 200, "<p>Votre commande</p>")
	policy := body.Header.Get("Content-Security-Policy")
	if !strings.HasPrefix(policy, "sandbox; default-src 'none';") || strings.Contains(policy, "script") {
		t.Errorf("policy %q", policy)
	}
	for _, path := range []string{"/mails/2", "/mails/0/html", "/mails/x"} {
		s.do("GET", path, "").wants(t, 404)
	}
}
