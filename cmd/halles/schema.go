package main

import (
	"context"
	"fmt"

	"github.com/audelor/halles/graph"
)

type schemaCmd struct{}

// Run prints what `_service { sdl }` answers to the router.
func (schemaCmd) Run(ctx context.Context, p *process) error {
	sdl, err := graph.FederatedSDL(ctx)
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(p.stdout, sdl)
	return err
}
