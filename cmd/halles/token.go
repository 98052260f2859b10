package main

import (
	"fmt"
	"time"
)

type tokenCmd struct {
	issuer
	Subject string `arg:"" help:"The account's subject, as in the table accounts."`
	Valid   string `default:"12h" help:"How long the token is good: 30m, 12h."`
}

// maxValid bounds a development token: whoever finds one should not have it for long.
const maxValid = 31 * 24 * time.Hour

// Run signs a token. What it may do is decided at each request, by the account's grants.
func (c *tokenCmd) Run(p *process) error {
	signer := c.issuer.issuer(p)
	if c.TokenKey == "" {
		p.wrong.addf("Give the key that the server checks tokens with: --token-key or HALLES_TOKEN_KEY.")
	}
	valid, err := time.ParseDuration(c.Valid)
	if err != nil || valid <= 0 || valid > maxValid {
		p.wrong.addf("--valid: %q is not a life for a token; give 12h, or at most %dh.", c.Valid, int(maxValid.Hours()))
	}
	if err := p.wrong.orNil(); err != nil {
		return err
	}
	token, err := signer.Sign(c.Subject, valid)
	if err != nil {
		return err
	}
	fmt.Fprintln(p.stdout, token)
	return nil
}
