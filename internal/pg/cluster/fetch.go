package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	embedded "github.com/fergusstrange/embedded-postgres"
)

// fetched is the version that Fetch brings.
const (
	fetched      = embedded.V18
	fetchedMajor = 18
)

// Source says where Postgres comes from on a machine that has none.
type Source struct {
	Dir        string    // holds postgres-18.3.0/ …; shared by all programs of the machine
	Repository string    // URL of a Maven repository with zonky's builds; empty: the public one
	Progress   io.Writer // told before a download starts
}

// FindOrFetch returns the newest local Postgres, or else downloads one.
func FindOrFetch(ctx context.Context, s Source) (Binaries, error) {
	b, err := Find(ctx)
	if !errors.Is(err, ErrNone) {
		return b, err
	}
	return Fetch(ctx, s)
}

// Fetch downloads Postgres once and returns it from then on. Programs that start together
// download once: the others wait.
func Fetch(ctx context.Context, s Source) (Binaries, error) {
	home := filepath.Join(s.Dir, "postgres-"+string(fetched))
	b := Binaries{Dir: filepath.Join(home, "bin"), Major: fetchedMajor}
	if complete(b) {
		return b, nil
	}
	if err := os.MkdirAll(s.Dir, 0o755); err != nil { //nolint:gosec // the server's user reads it
		return Binaries{}, fmt.Errorf("%s cannot be made: choose a folder that you may write to (%w)", s.Dir, err)
	}
	lock, err := waitFor(ctx, filepath.Join(s.Dir, "download.lock"))
	if err != nil {
		return Binaries{}, err
	}
	defer func() { _ = release(lock) }()
	if complete(b) {
		return b, nil
	}
	fmt.Fprintf(s.Progress, "No Postgres on this machine: downloading version %s (about 20 MB)…\n", fetched)
	if err := download(ctx, s, home); err != nil {
		return Binaries{}, fmt.Errorf("no Postgres on this machine, and downloading one failed: %w; install Postgres %d or later, or set HALLES_DATABASE_URL to an empty database", err, Oldest)
	}
	return b, nil
}

// complete tells whether the programs are there. The folder is renamed into place whole.
func complete(b Binaries) bool {
	for _, name := range []string{"postgres", "initdb"} {
		if _, err := os.Stat(filepath.Join(b.Dir, executable(name))); err != nil {
			return false
		}
	}
	return true
}

func waitFor(ctx context.Context, path string) (*os.File, error) {
	for {
		f, err := acquire(path)
		if err == nil {
			return f, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("another program downloads Postgres and holds %s: %w", path, ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// download fetches and unpacks with the library's Start. What it goes on to do, a server of
// its own, is made to fail at once: its data folder holds a version and nothing else. (As root
// that would fail anyway, and its initdb as another user takes seconds.)
func download(ctx context.Context, s Source, home string) error {
	work, err := os.MkdirTemp(s.Dir, "download-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	data, unpacked := filepath.Join(work, "data"), filepath.Join(work, "unpacked")
	if err := os.Mkdir(data, 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(data, "PG_VERSION"), fmt.Appendln(nil, fetchedMajor), 0o600); err != nil {
		return err
	}
	config := embedded.DefaultConfig().Version(fetched).Port(0).Logger(io.Discard).
		CachePath(filepath.Join(work, "archive")).RuntimePath(filepath.Join(work, "runtime")).
		BinariesPath(unpacked).DataPath(data)
	if s.Repository != "" {
		config = config.BinaryRepositoryURL(s.Repository)
	}
	defer removeLogs(time.Now())
	started := make(chan error, 1)
	go func() { started <- embedded.NewDatabase(config).Start() }()
	select {
	case <-ctx.Done(): // the library's download knows no context; it ends with the program
		return ctx.Err()
	case err = <-started:
	}
	if !complete(Binaries{Dir: filepath.Join(unpacked, "bin")}) {
		return err
	}
	// It unpacks into a folder that only its user may enter; Postgres may run as another.
	if err := os.Chmod(unpacked, 0o755); err != nil { //nolint:gosec // programs for all
		return err
	}
	return os.Rename(unpacked, home)
}

// removeLogs removes the log that the library leaves in the folder of temporary files.
func removeLogs(since time.Time) {
	logs, _ := filepath.Glob(filepath.Join(os.TempDir(), "embedded_postgres_log*")) // the pattern is well-formed
	for _, path := range logs {
		if info, err := os.Stat(path); err == nil && !info.ModTime().Before(since.Truncate(time.Second)) {
			os.Remove(path)
		}
	}
}
