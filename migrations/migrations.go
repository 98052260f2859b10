// Package migrations holds the database's schema, step by step, and applies it.
//
// Steps run as halles_migrate in the role of halles_owner, one program at a time: a session
// lock lets several servers start together. The roles themselves are cluster-wide and are
// made once, with an administrator's connection, by Roles.
package migrations

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed *.sql
var files embed.FS

// owner is the role that steps run in: what they create belongs to it.
const owner = "halles_owner"

// Up applies what is missing and returns how many steps that was. url must log in as
// halles_migrate, directly and not through a pooler: the lock belongs to the session.
func Up(ctx context.Context, url string, log *slog.Logger) (int, error) {
	newest, err := Newest()
	if err != nil {
		return 0, err
	}
	return UpTo(ctx, url, newest, log)
}

// UpTo is Up as far as a step.
func UpTo(ctx context.Context, url string, version int64, log *slog.Logger) (int, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return 0, fmt.Errorf("the migration URL: %w", err)
	}
	config.RuntimeParams["role"] = owner
	db := stdlib.OpenDB(*config)
	defer db.Close()
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return 0, err
	}
	steps, err := goose.NewProvider(goose.DialectPostgres, db, files,
		goose.WithGoMigrations(jobs(url, log)), goose.WithSessionLocker(locker), goose.WithSlog(log))
	if err != nil {
		return 0, err
	}
	done, err := steps.UpTo(ctx, version)
	return len(done), err
}

// Digest tells the steps of this program from those of another.
func Digest() (string, error) {
	sum := sha256.New()
	err := fs.WalkDir(files, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		step, err := files.ReadFile(path)
		fmt.Fprintf(sum, "%s %d\n%s", path, len(step), step)
		return err
	})
	return hex.EncodeToString(sum.Sum(nil)), err
}

// Newest is the version of the last step that this program knows.
func Newest() (newest int64, err error) {
	newest = jobsStep
	names, err := fs.Glob(files, "*.sql")
	for _, name := range names {
		version, err := goose.NumericComponent(name)
		if err != nil {
			return 0, err
		}
		newest = max(newest, version)
	}
	return newest, err
}

// Applied is the version of the last step that the database has; 0 before the first. The pool
// is halles_worker's, which may read goose's table.
func Applied(ctx context.Context, worker *pgxpool.Pool) (version int64, err error) {
	err = worker.QueryRow(ctx, `select coalesce(max(version_id), 0) from goose_db_version where is_applied`).Scan(&version)
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == "42P01" { // undefined_table: goose has not been here
		return 0, nil
	}
	return version, err
}
