package main

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/notice"
	"github.com/audelor/halles/internal/ordering"
	"github.com/audelor/halles/internal/pg"
)

// mistakes is everything that is wrong with a configuration, to be said in one go: each a
// sentence that says what to do.
type mistakes []string

func (m mistakes) Error() string {
	var b strings.Builder
	b.WriteString("The configuration is not right; nothing was done. Mend this:\n")
	for _, one := range m {
		fmt.Fprintf(&b, "  - %s\n", one)
	}
	return b.String()
}

func (m *mistakes) addf(format string, args ...any) { *m = append(*m, fmt.Sprintf(format, args...)) }

// orNil is an error only when there is a mistake.
func (m mistakes) orNil() error {
	if len(m) == 0 {
		return nil
	}
	return m
}

// database is how to reach Postgres.
type database struct {
	DatabaseURL string `name:"database-url" env:"HALLES_DATABASE_URL" placeholder:"postgres://HOST:5432/halles" help:"Where the database is. The name of each role is put into it; its password is in HALLES_DB_PASSWORD_PUBLIC, _APP, _IDENTITY, _STATS, _WORKER, _LISTEN and, for migrate, _MIGRATE: variables only, since a command line is seen by everybody on the machine."`
}

// options reads the passwords of the roles beside the URL.
func (d database) options(p *process) pg.Options {
	u, err := url.Parse(d.DatabaseURL)
	switch {
	case d.DatabaseURL == "":
		p.wrong.addf("Say where the database is: --database-url or HALLES_DATABASE_URL, as postgres://HOST:5432/halles.")
	case err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql":
		// Not repeated: it may hold a password.
		p.wrong.addf("HALLES_DATABASE_URL is not a URL of Postgres: write it as postgres://HOST:5432/halles.")
	}
	return pg.Options{URL: d.DatabaseURL, Passwords: rolePasswords(p)}
}

// rolePasswords are the passwords of the roles that the environment has.
func rolePasswords(p *process) map[pg.Role]string {
	passwords := map[pg.Role]string{}
	for name, value := range p.env {
		if role, ok := strings.CutPrefix(name, "HALLES_DB_PASSWORD_"); ok && value != "" {
			passwords[pg.Role("halles_"+strings.ToLower(role))] = value
		}
	}
	return passwords
}

// issuers are who may sign people in.
type issuers struct {
	Issuers []string `env:"HALLES_ISSUERS" placeholder:"https://ISSUER|AUDIENCE" help:"Who may sign people in, separated by commas. Of each, the URL as its tokens have it in iss, |, and the audience that they must name in aud; then, if it should sign with less than RS256, ES256 and EdDSA, | and with what: https://auth.example/realms/town|halles|ES256+EdDSA."`
}

// list returns none when nothing is configured: then nobody can sign in.
func (c issuers) list(p *process) []identity.Issuer {
	var list []identity.Issuer
	for n, text := range c.Issuers {
		wrong := func(format string, args ...any) {
			p.wrong.addf("HALLES_ISSUERS, number %d: %s", n+1, fmt.Sprintf(format, args...))
		}
		parts := strings.Split(strings.TrimSpace(text), "|")
		if len(parts) < 2 || len(parts) > 3 || parts[1] == "" {
			wrong("write the issuer's URL and its audience, as https://auth.example/realms/town|halles.")
			continue
		}
		issuer := identity.Issuer{URL: parts[0], Audience: parts[1]}
		u, err := url.Parse(issuer.URL)
		switch {
		case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
			wrong("what stands before the first | is not an issuer's URL; write it as https://auth.example/realms/town.")
		case u.Scheme != "https" && !(u.Scheme == "http" && loopback(u.Hostname())):
			wrong("%s is not https; only an issuer on this machine may be http.", issuer.URL)
		case slices.ContainsFunc(list, func(other identity.Issuer) bool { return other.URL == issuer.URL }):
			wrong("%s is there twice; an issuer has one audience here.", issuer.URL)
		}
		if len(parts) == 3 {
			issuer.Algorithms = strings.Split(parts[2], "+")
			for _, a := range issuer.Algorithms {
				if !slices.Contains(identity.Algorithms, a) {
					wrong("%q is not an algorithm that we accept; choose among %s.", a, strings.Join(identity.Algorithms, ", "))
				}
			}
		}
		list = append(list, issuer)
	}
	return list
}

// pages is how people sign in on pages of ours.
type pages struct {
	URL     string   `name:"url" env:"HALLES_URL" placeholder:"https://marche.example" help:"How people reach this site: where issuers send them back to, at /session/callback. Needed with HALLES_CLIENTS."`
	Clients []string `env:"HALLES_CLIENTS" placeholder:"https://ISSUER|CLIENT|SECRET|LABEL" help:"What the pages are at the issuers, so that people sign in on them; separated by commas, of HALLES_ISSUERS each. The issuer's URL, the client_id, its secret, and what people call the issuer: https://auth.example/realms/town|halles|…|Mon compte. The secret is empty for a public client. In the variable only: a command line is seen by everybody on the machine."`
}

// list returns none when nothing is configured: then nobody signs in on pages.
func (c pages) list(p *process, trusted []identity.Issuer) []identity.Client {
	site, err := url.Parse(c.URL)
	switch {
	case c.URL == "" && len(c.Clients) > 0:
		p.wrong.addf("HALLES_CLIENTS needs HALLES_URL, how people reach this site: https://marche.example.")
	case c.URL == "":
	case err != nil || site.Host == "" || site.Scheme+"://"+site.Host != strings.TrimSuffix(c.URL, "/"):
		p.wrong.addf("HALLES_URL: %q is not the address of a site; write a scheme and a host and nothing after, as https://marche.example.", c.URL)
	case site.Scheme != "https" && !(site.Scheme == "http" && loopback(site.Hostname())):
		p.wrong.addf("HALLES_URL: %s is not https; only a site on this machine may be http.", c.URL)
	}
	var list []identity.Client
	for n, text := range c.Clients {
		parts := strings.Split(strings.TrimSpace(text), "|")
		switch {
		case len(parts) != 4 || parts[1] == "": // not repeated: it holds a secret
			p.wrong.addf("HALLES_CLIENTS, number %d: write the issuer's URL, the client_id, its secret and a label, as https://auth.example/realms/town|halles|SECRET|Mon compte.", n+1)
			continue
		case !slices.ContainsFunc(trusted, func(i identity.Issuer) bool { return i.URL == parts[0] }):
			p.wrong.addf("HALLES_CLIENTS, number %d: %q is not one of HALLES_ISSUERS.", n+1, parts[0])
		case slices.ContainsFunc(list, func(other identity.Client) bool { return other.Issuer == parts[0] }):
			p.wrong.addf("HALLES_CLIENTS, number %d: %s is there twice.", n+1, parts[0])
		}
		list = append(list, identity.Client{Issuer: parts[0], ID: parts[1], Secret: parts[2], Label: parts[3]})
	}
	return list
}

// mails is how the program writes to people.
type mails struct {
	SMTPURL  string `name:"smtp-url" env:"HALLES_SMTP_URL" placeholder:"smtps://USER:PASSWORD@HOST" help:"The mail server that takes our mails: smtps:// for TLS from the first byte, smtp:// for STARTTLS. Better as a variable: a command line is seen by everybody on the machine. Without it no mail is sent."`
	MailFrom string `env:"HALLES_MAIL_FROM" placeholder:"Mes halles <ne-pas-repondre@halles.example>" help:"Whom our mails are from."`
}

// server is nil when no mail is to be sent.
func (m mails) server(p *process) *notice.SMTP {
	if m.SMTPURL == "" {
		return nil
	}
	s, err := notice.ParseSMTP(m.SMTPURL, m.MailFrom)
	if err != nil {
		p.wrong.addf("HALLES_SMTP_URL and HALLES_MAIL_FROM: %v.", err)
	}
	return s
}

// deadlines are how long an order may wait for its shop's answer.
type deadlines struct {
	RemindAfter time.Duration `env:"HALLES_REMIND_AFTER" default:"30m" help:"The shop is told again of an order that it has not answered for this long, counted while it is open."`
	CallAfter   time.Duration `env:"HALLES_CALL_AFTER" default:"1h" help:"The order comes on the hotline's call list."`
	CancelAfter time.Duration `env:"HALLES_CANCEL_AFTER" default:"4h" help:"The order is cancelled, its stock given back and the customer told."`
}

func (d deadlines) of(p *process) ordering.Deadlines {
	if d.RemindAfter <= 0 || d.CallAfter < d.RemindAfter || d.CancelAfter <= d.CallAfter {
		p.wrong.addf("HALLES_REMIND_AFTER, HALLES_CALL_AFTER and HALLES_CANCEL_AFTER: %s, %s and %s do not come one after the other.", d.RemindAfter, d.CallAfter, d.CancelAfter)
	}
	return ordering.Deadlines{Remind: d.RemindAfter, Call: d.CallAfter, GiveUp: d.CancelAfter}
}

// loopback tells whether a host is this machine itself.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// listen opens the port, or says in one sentence what to do.
func listen(address string) (net.Listener, error) {
	listener, err := net.Listen("tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s is in use: stop the other program or choose another port with --listen", address)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("%s is not ours to open: choose a port above 1023 with --listen", address)
	case err != nil:
		return nil, fmt.Errorf("cannot listen on %s (%w): choose another address with --listen", address, err)
	}
	return listener, nil
}
