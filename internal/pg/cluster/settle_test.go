package cluster

import (
	"context"
	"os"
	"testing"
	"time"
)

// A new cluster that may runs ahead of the disk until it is settled, also when its program ended meanwhile;
// and where the machine went down meanwhile, the next start begins from nothing.
func TestNewClusterRunsAheadOfTheDisk(t *testing.T) {
	t.Parallel()
	if machineStart() == "" {
		t.Skip("Linux alone names a machine's start; elsewhere every cluster waits for the disk, as the other tests' do")
	}
	o := Options{Dir: open(t), Binaries: must(Find(context.Background())), Durable: true, Later: true}
	run := func(work func(c *Cluster)) {
		t.Helper()
		c, err := Start(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := c.Stop(); err != nil {
				t.Error(err)
			}
		}()
		work(c)
	}
	wants := func(c *Cluster, fsync, table string, unsettled bool) {
		t.Helper()
		if got := query(t, c, `select current_setting('fsync') || ' ' || coalesce(to_regclass('kept')::text, 'none')`); got != fsync+" "+table || c.Unsettled() != unsettled {
			t.Errorf("fsync and table are %q, unsettled: %t; want %s, %s, %t", got, c.Unsettled(), fsync, table, unsettled)
		}
	}
	run(func(c *Cluster) {
		wants(c, "off", "none", true)
		query(t, c, "create table kept (n int)")
	})
	run(func(c *Cluster) { wants(c, "off", "kept", true) })
	if err := os.WriteFile(unsettled(o), []byte("a start before this one\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if Exists(o) || !Torn(o) {
		t.Error("data that the machine took down with it exist")
	}
	run(func(c *Cluster) {
		wants(c, "off", "none", true)
		query(t, c, "alter system reset fsync")
		query(t, c, "select pg_reload_conf()::text")
		for began := time.Now(); query(t, c, "show fsync") != "on"; time.Sleep(5 * time.Millisecond) {
			if time.Since(began) > time.Minute {
				t.Fatal("it does not wait for the disk again")
			}
		}
		query(t, c, "checkpoint")
		if err := c.Settled(); err != nil {
			t.Fatal(err)
		}
		query(t, c, "create table kept (n int)")
	})
	run(func(c *Cluster) { wants(c, "on", "kept", false) })
}
