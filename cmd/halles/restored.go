package main

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/ordering"
	"github.com/audelor/halles/internal/pg"
)

type restoredCmd struct{ database }

// Help is the long form of the command's help.
func (restoredCmd) Help() string {
	return "Begins a new life of the event log: the database that was restored may be behind what subscribers have seen, so each cursor from before answers CURSOR_EXPIRED and its client reads the present state again. Connects as halles_migrate. Run it before the first server starts; to run it twice does no harm."
}

// Run tells the database that it was restored.
func (c *restoredCmd) Run(ctx context.Context, p *process) error {
	options := c.database.options(p)
	if err := p.wrong.orNil(); err != nil {
		return err
	}
	url, err := options.RoleURL(pg.Role("halles_migrate"))
	if err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if err := ordering.NewEpoch(ctx, conn); err != nil {
		return err
	}
	fmt.Fprintln(p.stdout, "The event log has a new life: cursors from before have expired.")
	return nil
}
