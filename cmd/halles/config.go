package main

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/audelor/halles/internal/identity"
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
	DatabaseURL string `name:"database-url" env:"HALLES_DATABASE_URL" placeholder:"postgres://HOST:5432/halles" help:"Where the database is. The name of each role is put into it; its password is in HALLES_DB_PASSWORD_PUBLIC, _APP, _IDENTITY, _WORKER, _LISTEN and, for migrate, _MIGRATE: variables only, since a command line is seen by everybody on the machine."`
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

// issuer signs and knows development tokens.
type issuer struct {
	TokenKey    string `env:"HALLES_TOKEN_KEY" placeholder:"BASE64" help:"Key of development tokens: 32 random bytes in base64, as openssl rand -base64 32 prints them. Whoever has it can sign in as anybody."`
	TokenIssuer string `env:"HALLES_TOKEN_ISSUER" default:"halles-development" help:"Issuer of development tokens: accounts are found by issuer and subject."`
}

// issuer returns nil when there is no key: then nobody can sign in.
func (i issuer) issuer(p *process) *identity.Issuer {
	if i.TokenKey == "" {
		return nil
	}
	seed, err := base64.StdEncoding.DecodeString(i.TokenKey)
	if err != nil || len(seed) != ed25519.SeedSize {
		p.wrong.addf("HALLES_TOKEN_KEY must be %d bytes in base64; make one with: openssl rand -base64 32.", ed25519.SeedSize)
		return nil
	}
	return &identity.Issuer{Name: i.TokenIssuer, Key: ed25519.NewKeyFromSeed(seed), Now: time.Now}
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
