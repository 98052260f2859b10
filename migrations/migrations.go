// Package migrations holds the database's schema, step by step, and applies it.
//
// Steps run as halles_migrate in the role of halles_owner, one program at a time: a session
// lock lets several servers start together. The roles themselves are cluster-wide and are
// made once, with an administrator's connection, by Roles.
package migrations

import (
	"context"
	"embed"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed *.sql
var files embed.FS

// Up applies what is missing and returns how many steps that was. url must log in as
// halles_migrate, directly and not through a pooler: the lock belongs to the session.
func Up(ctx context.Context, url string, log *slog.Logger) (int, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return 0, fmt.Errorf("the migration URL: %w", err)
	}
	config.RuntimeParams["role"] = "halles_owner" // what a step creates belongs to the owner
	db := stdlib.OpenDB(*config)
	defer db.Close()
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return 0, err
	}
	steps, err := goose.NewProvider(goose.DialectPostgres, db, files, goose.WithSessionLocker(locker), goose.WithSlog(log))
	if err != nil {
		return 0, err
	}
	done, err := steps.Up(ctx)
	return len(done), err
}
