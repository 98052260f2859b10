package cluster

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// A new cluster whose Options say Later does not wait for the disk while it is filled, which takes a tenth
// of that time: what is in it can be made again. A program that dies loses nothing by it, for what it wrote
// is the system's by then. A machine that goes down may lose any part of it, and nothing tells which; so
// the start of the machine is noted beside the data until all of it is on the disk (Settled), and where the
// next Start finds another one noted there it begins from nothing.

// unsettled is the file of that note.
func unsettled(o Options) string { return filepath.Join(o.Dir, "unsettled") }

// Torn tells whether the machine has started anew since it had data that were not on the disk: Start
// throws them away.
func Torn(o Options) bool {
	noted, err := os.ReadFile(unsettled(o))
	return err == nil && strings.TrimSpace(string(noted)) != machineStart()
}

// defers notes that the data, which are not there yet, do not wait for the disk; ok: that they may. It is
// on the disk before they are.
func (c *Cluster) defers() (ok bool, err error) {
	start := machineStart()
	if !c.options.Later || start == "" {
		return false, c.forget()
	}
	f, err := os.Create(unsettled(c.options))
	if err != nil {
		return false, err
	}
	_, err = fmt.Fprintln(f, start)
	return true, errors.Join(err, f.Sync(), f.Close(), syncFile(c.options.Dir))
}

// forget removes the note.
func (c *Cluster) forget() error {
	if err := os.Remove(unsettled(c.options)); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// fsyncOff is a line of Postgres's own file of settings, and not of its command line: ALTER SYSTEM takes
// it out again.
const fsyncOff = "fsync = off\n"

// runsAhead has the server not wait for the disk.
func (c *Cluster) runsAhead() error {
	f, err := os.OpenFile(filepath.Join(c.data, "postgresql.auto.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(fsyncOff)
	return errors.Join(err, f.Close())
}

// Unsettled tells whether the data are not on the disk for certain. Whoever has them settle has the server
// wait for the disk again, which RESET of fsync and a reload do, then write all that it has, by a CHECKPOINT,
// and last calls Settled.
func (c *Cluster) Unsettled() bool {
	_, err := os.Stat(unsettled(c.options))
	return err == nil
}

// Settled waits until all that was written is on the disk.
func (c *Cluster) Settled() error {
	if err := syncAround(c.data); err != nil {
		return fmt.Errorf("wait for the disk: %w", err)
	}
	return errors.Join(c.forget(), syncFile(c.options.Dir))
}

// syncFile waits until a file, or a folder's list of files, is on the disk.
func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
