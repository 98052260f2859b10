package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/ordering"
	"github.com/audelor/halles/internal/page"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/privacy"
	"github.com/audelor/halles/internal/tenancy"
)

type privacyCmd struct {
	Ledger privacyLedgerCmd `cmd:"" help:"Print the ledger of erasures, ids only: keep it beside the backups, and newer than they are."`
	Replay privacyReplayCmd `cmd:"" help:"After a restore, before the servers start: erase again what the ledger has, and let cursors of before expire."`
	Retain privacyRetainCmd `cmd:"" help:"Apply the rules of retention now, as the servers do once a day, and print the report."`
}

// clockwork opens the database for a command about persons.
func (d database) clockwork(ctx context.Context, p *process) (*pg.DB, *privacy.Privacy, error) {
	options := d.options(p)
	if err := p.wrong.orNil(); err != nil {
		return nil, nil, err
	}
	db, err := pg.Open(ctx, options)
	if err != nil {
		return nil, nil, err
	}
	if _, err := upToDate(ctx, db); err != nil {
		db.Close()
		return nil, nil, err
	}
	communes, key := tenancy.NewRegister(db), make([]byte, 32) // nothing that it seals leaves this process
	cursors := page.NewSealer(key)
	return db, &privacy.Privacy{
		DB: db, Ordering: ordering.New(db, cursors, nil), Registrations: directory.NewRegistrations(db, communes, cursors, nil, key), Now: time.Now,
	}, nil
}

type privacyLedgerCmd struct{ database }

// Run prints the ledger.
func (c *privacyLedgerCmd) Run(ctx context.Context, p *process) error {
	db, k, err := c.clockwork(ctx, p)
	if err != nil {
		return err
	}
	defer db.Close()
	n, err := k.WriteLedger(ctx, p.stdout)
	if err == nil {
		fmt.Fprintf(p.stderr, "%d erasures.\n", n)
	}
	return err
}

type privacyReplayCmd struct {
	database
	File string `arg:"" type:"existingfile" help:"What halles privacy ledger printed last."`
}

// Run replays the ledger.
func (c *privacyReplayCmd) Run(ctx context.Context, p *process) error {
	file, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer file.Close()
	db, k, err := c.clockwork(ctx, p)
	if err != nil {
		return err
	}
	defer db.Close()
	lines, erased, err := k.Replay(ctx, file)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "%d entries read, %d erasures carried out; cursors of before the restore have expired.\n", lines, erased)
	return nil
}

type privacyRetainCmd struct{ database }

// Run applies the rules.
func (c *privacyRetainCmd) Run(ctx context.Context, p *process) error {
	db, k, err := c.clockwork(ctx, p)
	if err != nil {
		return err
	}
	defer db.Close()
	runs, err := k.Retain(ctx)
	for _, r := range runs {
		fmt.Fprintf(p.stdout, "%-14s %d\n", r.RuleKey, r.Rows)
	}
	return err
}
