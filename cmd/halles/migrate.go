package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/migrations"
)

type migrateCmd struct {
	database
	Roles     string `env:"HALLES_ADMIN_URL" placeholder:"postgres://ADMIN@HOST/halles" help:"First make the program's roles in the cluster, or bring them up to date, with this administrator's URL (it needs CREATEROLE) and the passwords in HALLES_DB_PASSWORD_<ROLE>."`
	OnlyRoles bool   `name:"only-roles" help:"Make the roles and no table: a dump is restored next."`
}

// Help is the long form of the command's help.
func (migrateCmd) Help() string {
	return "Safe to run again, and from several servers at once: each step is applied once. Connects straight to Postgres, as halles_migrate, and not through a pooler."
}

// Run makes the roles where asked, and applies what is missing.
func (c *migrateCmd) Run(ctx context.Context, p *process) error {
	options := c.database.options(p)
	if c.OnlyRoles && c.Roles == "" {
		p.wrong.addf("--only-roles needs --roles or HALLES_ADMIN_URL, an administrator's URL.")
	}
	if err := p.wrong.orNil(); err != nil {
		return err
	}
	if c.Roles != "" {
		passwords := map[string]string{}
		for role, password := range options.Passwords {
			passwords[string(role)] = password
		}
		if err := migrations.Roles(ctx, c.Roles, passwords); err != nil {
			return fmt.Errorf("make the roles: %w", err)
		}
		fmt.Fprintln(p.stdout, "The roles are there.")
	}
	if c.OnlyRoles {
		return nil
	}
	url, err := options.RoleURL(pg.Role("halles_migrate"))
	if err != nil {
		return err
	}
	steps, err := migrations.Up(ctx, url, p.log)
	if err != nil {
		hint := ""
		if strings.Contains(err.Error(), "SQLSTATE 28") { // no such role, wrong password
			hint = "; if the roles are not there yet, give an administrator's URL with --roles"
		}
		return fmt.Errorf("migrate: %w%s", err, hint)
	}
	fmt.Fprintf(p.stdout, "%d migrations applied; the schema is up to date.\n", steps)
	return nil
}
