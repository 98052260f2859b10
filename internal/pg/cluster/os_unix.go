//go:build unix

package cluster

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// account is whom Postgres runs as: it refuses to run as root, so a root program lends it an
// unprivileged user.
type account struct {
	name     string
	uid, gid int
	other    bool // not the program's own user
}

func serverUser() (account, error) {
	if os.Geteuid() != 0 {
		return account{}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			uid, _ := strconv.Atoi(u.Uid) // numbers on every unix
			gid, _ := strconv.Atoi(u.Gid)
			return account{name: name, uid: uid, gid: gid, other: true}, nil
		}
	}
	return account{}, errors.New("Postgres cannot run as root, and there is no user postgres or nobody to run it as: start halles as another user")
}

func (a account) own(path string) error {
	if !a.other {
		return nil
	}
	return os.Chown(path, a.uid, a.gid)
}

// run makes cmd run as the account, out of reach of the terminal's Ctrl-C: the server ends
// after the program, not before it.
func (a account) run(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if a.other {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}
	}
}

// reach refuses a folder that the account cannot get to, before initdb fails in its own words.
func (a account) reach(dir string) error {
	if !a.other {
		return nil
	}
	for d := dir; ; d = filepath.Dir(d) {
		info, err := os.Stat(d)
		if err != nil {
			return err
		}
		if info.Mode().Perm()&0o001 == 0 {
			return fmt.Errorf("the user %s, as whom Postgres runs, cannot enter %s: choose a data folder elsewhere, such as /var/lib/halles, or run `chmod o+x %s`", a.name, d, d)
		}
		if d == filepath.Dir(d) {
			return nil
		}
	}
}

func acquire(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// release says so by itself: a program that is just being started still has the file open, as a copy,
// and would keep the lock for a moment.
func release(lock *os.File) error {
	return errors.Join(syscall.Flock(int(lock.Fd()), syscall.LOCK_UN), lock.Close())
}

func alive(pid int) bool { return syscall.Kill(pid, 0) == nil }

// isPostgres tells whether the process is a Postgres; where /proc does not say, it may be one. One that has
// ended and that nobody waited for, a zombie, is none: in a container whose first process waits for nobody
// it would stay for good.
func isPostgres(pid int) bool {
	state, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat") // 12552 (postgres) S 1 …
	return err != nil || strings.Contains(string(state), " (postgres") && !strings.Contains(string(state), ") Z ")
}
