package main

import (
	"context"
	"fmt"
	"time"

	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/tenancy"
)

type pauseCmd struct {
	database
	Commune string `arg:"" help:"The commune: its slug or INSEE code."`
	Text    string `required:"" placeholder:"SENTENCE" help:"Why, in a sentence that customers read."`
}

// Help is the long form of the command's help.
func (pauseCmd) Help() string {
	return "No shop of the commune takes an order until `halles resume COMMUNE`; those that were placed go on. It stands in the commune's audit log. What `pauseOrders` does by the API."
}

// Run stops a commune's orders.
func (c *pauseCmd) Run(ctx context.Context, p *process) error {
	return c.database.settle(ctx, p, c.Commune, func(s *identity.Settings, v *identity.Viewer, commune *tenancy.Commune) error {
		done, err := s.Pause(ctx, v, identity.PauseOrdersInput{Commune: commune.ID(), Text: c.Text})
		if err != nil {
			return err
		}
		fmt.Fprintf(p.stdout, "%s takes no orders since %s: %s\n", commune.Name, done.Settings.PausedAt.Format(time.RFC3339), *done.Settings.PauseText)
		return nil
	})
}

type resumeCmd struct {
	database
	Commune string `arg:"" help:"The commune: its slug or INSEE code."`
}

// Run lets a commune's shops take orders again.
func (c *resumeCmd) Run(ctx context.Context, p *process) error {
	return c.database.settle(ctx, p, c.Commune, func(s *identity.Settings, v *identity.Viewer, commune *tenancy.Commune) error {
		if _, err := s.Resume(ctx, v, identity.ResumeOrdersInput{Commune: commune.ID()}); err != nil {
			return err
		}
		fmt.Fprintf(p.stdout, "%s takes orders.\n", commune.Name)
		return nil
	})
}

// settle changes a commune's settings as the platform itself.
func (d database) settle(ctx context.Context, p *process, name string, do func(*identity.Settings, *identity.Viewer, *tenancy.Commune) error) error {
	db, _, viewer, err := d.operator(ctx, p)
	if err != nil {
		return err
	}
	defer db.Close()
	communes := tenancy.NewRegister(db)
	insee, slug := &name, (*string)(nil)
	if !tenancy.ValidInsee(name) {
		insee, slug = nil, &name
	}
	commune, err := communes.Find(ctx, insee, slug)
	if err != nil {
		return err
	}
	return do(&identity.Settings{DB: db, Communes: communes, Now: time.Now}, viewer, commune)
}
