package pgtest

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/audelor/halles/internal/pg/cluster"
)

// Archived is a database in a cluster of its own that archives its log, and the folder of its backups.
type Archived struct {
	*Database
	Backup   string
	binaries cluster.Binaries
	dir      string
}

// Archive makes one. settings are lines of postgresql.conf, in which /backup is the folder of the
// backups. Where no cluster is kept that it could begin from, the test is skipped.
func Archive(t testing.TB, settings string) *Archived {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	binaries, from := keptOrSkip(ctx, t)
	a := &Archived{binaries: binaries, dir: folder(t)}
	a.Backup = filepath.Join(a.dir, "backup")
	for _, dir := range []string{"wal", "base"} {
		dir = filepath.Join(a.Backup, dir)
		if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // the server's user passes through
			t.Fatal(err)
		}
		if err := os.Chmod(dir, 0o777); err != nil { //nolint:gosec // the server's user writes there
			t.Fatal(err)
		}
	}
	a.Database = a.start(ctx, t, "primary", from, settings)
	return a
}

// Recover starts another cluster from a base backup, on which the settings were added and
// recovery.signal lies, and returns when it takes reads. unpack is a command of the shell that puts the
// base into the folder DATA.
func (a *Archived) Recover(t testing.TB, unpack, settings string) *Database {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	from := cluster.Options{Dir: filepath.Join(a.dir, "base"), Binaries: a.binaries}
	data := filepath.Join(from.Dir, "pg"+strconv.Itoa(a.binaries.Major))
	if err := os.MkdirAll(from.Dir, 0o755); err != nil { //nolint:gosec // a test's
		t.Fatal(err)
	}
	a.Shell(t, strings.ReplaceAll(unpack, "DATA", data))
	d := a.start(ctx, t, "recovered", from, settings)
	return d
}

// Shell runs a command of a runbook as an administrator of the database would: with the programs of
// this Postgres, and /backup for the folder of the backups.
func (a *Archived) Shell(t testing.TB, command string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-ec", a.at(command))
	cmd.Dir = a.dir
	cmd.Env = append(os.Environ(), "PGHOST="+a.Host(), "PGUSER=postgres", "PATH="+a.binaries.Dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", command, err, said)
	}
}

func (a *Archived) at(text string) string { return strings.ReplaceAll(text, "/backup", a.Backup) }

func (a *Archived) start(ctx context.Context, t testing.TB, name string, from cluster.Options, settings string) *Database {
	t.Helper()
	o := cluster.Options{Dir: filepath.Join(a.dir, name), Binaries: a.binaries, Params: []string{"max_connections=100", "shared_buffers=32MB", "autovacuum=off"}}
	if err := cluster.Copy(from, o); err != nil {
		t.Fatal(err)
	}
	conf, err := os.OpenFile(filepath.Join(o.Dir, "pg"+strconv.Itoa(a.binaries.Major), "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = conf.WriteString("\n" + a.at(settings) + "\n")
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := conf.Close(); err != nil {
		t.Fatal(err)
	}
	d := &Database{name: template}
	if d.Cluster, err = cluster.Start(ctx, o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Cluster.Stop() }) // a test may have stopped it
	d.open(t)
	return d
}

// keptOrSkip is the kept cluster, to begin others from.
func keptOrSkip(ctx context.Context, t testing.TB) (cluster.Binaries, cluster.Options) {
	t.Helper()
	binaries, err := cluster.FindOrFetch(ctx, cluster.Source{
		Dir: cluster.DefaultDir(), Repository: os.Getenv("HALLES_POSTGRES_REPOSITORY"), Progress: os.Stderr,
	})
	if err != nil {
		t.Fatal(err)
	}
	from, ok := kept(ctx, binaries)
	if !ok {
		t.Skip("there is no place to keep a cluster in: another cannot be made of it")
	}
	return binaries, from
}

// folder is a folder of the test's, in memory and open to the server's user.
func folder(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp(scratch(), "halles-test-") //nolint:usetesting // see above
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o711); err != nil { //nolint:gosec // search permission only
		t.Fatal(err)
	}
	return dir
}
