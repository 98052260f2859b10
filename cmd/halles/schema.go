package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/audelor/halles/graph"
	"github.com/audelor/halles/graph/documents"
)

type schemaCmd struct {
	Documents bool   `help:"The registered documents and their hashes, as JSON, instead of the schema; with --contract those of the audience."`
	Contract  string `placeholder:"AUDIENCE" help:"Only the part for an audience: widget (commune websites, with their key), spa (the shared storefront) or staff (merchants and the staff)."`
}

// Run prints what `_service { sdl }` answers to the router, or an audience's part of it, or the
// documents.
func (c *schemaCmd) Run(ctx context.Context, p *process) error {
	if c.Contract != "" && !slices.Contains(graph.Audiences, graph.Audience(c.Contract)) {
		p.wrong.addf("--contract: there is none for %q; choose from %v.", c.Contract, graph.Audiences)
		return p.wrong.orNil()
	}
	if c.Documents {
		_, err := p.stdout.Write(documents.Manifest(c.Contract))
		return err
	}
	sdl, err := graph.FederatedSDL(ctx)
	if c.Contract != "" {
		sdl, err = graph.ContractSDL(graph.Audience(c.Contract))
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(p.stdout, sdl)
	return err
}
