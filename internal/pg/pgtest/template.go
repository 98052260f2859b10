package pgtest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/pg/cluster"
	"github.com/audelor/halles/migrations"
)

const template = "halles_template"

// sources is what decides how the template looks; other files of the repository may change and
// the kept one stays right.
var sources = []string{"go.mod", "migrations/*.sql", "migrations/*.go", "internal/pg/cluster/*.go", "internal/pg/pgtest/*.go"}

// kept is the stopped cluster that a package's tests copy theirs from. To make it takes some four
// seconds of processor time, to copy it a tenth: it stays beside the demo's data under the hash
// of its sources, and the next package and the next run find it. Where there is no place for it,
// or no source, each package makes its own, and ok is false.
func kept(ctx context.Context, binaries cluster.Binaries) (_ cluster.Options, ok bool) {
	key, err := hash(binaries)
	if err != nil {
		return cluster.Options{}, false
	}
	all := filepath.Join(cluster.DefaultDir(), "tests")
	o := cluster.Options{Dir: filepath.Join(all, key), Binaries: binaries}
	if cluster.Exists(o) {
		return o, true
	}
	if !filepath.IsAbs(all) || os.MkdirAll(all, 0o755) != nil { //nolint:gosec // the server's user passes through
		return o, false
	}
	fresh := o
	if fresh.Dir, err = os.MkdirTemp(all, "new-"); err != nil {
		return o, false
	}
	defer os.RemoveAll(fresh.Dir)
	if os.Chmod(fresh.Dir, 0o711) != nil || fill(ctx, fresh) != nil { //nolint:gosec // search permission only
		return o, false // whoever makes it for itself meets the same fault, and tells it
	}
	// Another package's tests may have been faster: theirs is as good.
	_ = os.Rename(fresh.Dir, o.Dir)
	sweep(all, "*") // of older sources
	return o, cluster.Exists(o)
}

// hash tells templates apart: by their sources and by who made them, with which Postgres.
func hash(binaries cluster.Binaries) (string, error) {
	root, err := os.Getwd()
	for err == nil {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			break
		}
		if root == filepath.Dir(root) {
			return "", errors.New("the tests do not run in the repository")
		}
		root = filepath.Dir(root)
	}
	// The files may be newer than the program, which would fill the template of theirs with its own steps.
	steps, err := migrations.Digest()
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	fmt.Fprintln(sum, binaries, os.Geteuid(), steps)
	for _, pattern := range sources {
		names, err := filepath.Glob(filepath.Join(root, pattern)) // sorted
		if err != nil || len(names) == 0 {
			return "", fmt.Errorf("no %s: %w", pattern, err)
		}
		for _, name := range names {
			fmt.Fprintln(sum, filepath.Base(name))
			f, err := os.Open(name)
			if err != nil {
				return "", err
			}
			_, err = io.Copy(sum, f)
			if err := errors.Join(err, f.Close()); err != nil {
				return "", err
			}
		}
	}
	return hex.EncodeToString(sum.Sum(nil))[:16], err
}

// sweep removes what was left a day ago or more: longer than any run of tests that still needs it.
func sweep(dir, pattern string) {
	left, _ := filepath.Glob(filepath.Join(dir, pattern))
	for _, path := range left {
		if info, err := os.Stat(path); err == nil && time.Since(info.ModTime()) > 24*time.Hour {
			os.RemoveAll(path)
		}
	}
}

// fill makes a cluster with the template and stops it.
func fill(ctx context.Context, o cluster.Options) error {
	c, err := cluster.Start(ctx, o)
	if err != nil {
		return err
	}
	return errors.Join(migrate(ctx, c), c.Stop())
}

// migrate makes the template in a cluster that runs.
func migrate(ctx context.Context, c *cluster.Cluster) error {
	conn, err := pgx.Connect(ctx, c.URL("postgres", "postgres"))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "create database "+template)
	if err := errors.Join(err, conn.Close(ctx)); err != nil {
		return err
	}
	if err := migrations.Roles(ctx, c.URL("postgres", template), nil); err != nil {
		return err
	}
	_, err = migrations.Up(ctx, c.URL("halles_migrate", template), slog.New(slog.DiscardHandler))
	return err
}
