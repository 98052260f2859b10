package cluster

import (
	"errors"
	"os"
	"os/exec"
)

type account struct{}

// A private cluster needs a Unix socket and POSIX signals; on Windows halles takes a database
// that is given.
func serverUser() (account, error) {
	return account{}, errors.New("on Windows, set HALLES_DATABASE_URL to an empty Postgres database")
}

func (account) own(string) error   { return nil }
func (account) run(*exec.Cmd)      {}
func (account) reach(string) error { return nil }

func acquire(path string) (*os.File, error) { return os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) }
func release(lock *os.File) error           { return lock.Close() }
func alive(int) bool                        { return false }
func isPostgres(int) bool                   { return true }
func startBound(cmd *exec.Cmd) error        { return cmd.Start() }
