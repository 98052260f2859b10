package pgtest

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/audelor/halles/internal/pg/cluster"
)

// Pair makes a database in a cluster of its own, and a streaming replica of that cluster. Both begin
// as copies of the kept cluster, so that no base backup is taken; where there is none, the test is
// skipped.
func Pair(t testing.TB) (*Database, *cluster.Cluster) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	binaries, from := keptOrSkip(ctx, t)
	dir := folder(t)
	start := func(name string, more ...string) *cluster.Cluster {
		o := cluster.Options{Dir: filepath.Join(dir, name), Binaries: binaries, Params: append([]string{
			"max_connections=100", "shared_buffers=32MB", "autovacuum=off", "wal_level=replica", "wal_keep_size=64MB",
			"synchronous_commit=on", // a position of the log is that of what was committed
		}, more...)}
		if err := cluster.Copy(from, o); err != nil {
			t.Fatal(err)
		}
		if len(more) > 0 {
			signal := filepath.Join(o.Dir, "pg"+strconv.Itoa(binaries.Major), "standby.signal")
			if err := os.WriteFile(signal, nil, 0o644); err != nil { //nolint:gosec // read by the server's user
				t.Fatal(err)
			}
		}
		c, err := cluster.Start(ctx, o)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	d := &Database{Cluster: start("primary"), name: template}
	t.Cleanup(func() { _ = d.Cluster.Stop() })
	standby := start("replica", "primary_conninfo=host="+d.Host()+" user=postgres")
	t.Cleanup(func() { _ = standby.Stop() }) // a test may have stopped it
	d.open(t)
	return d, standby
}
