package cluster

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Copy gives the folder of to the data of a stopped cluster, so that Start need not make them:
// initdb alone costs two seconds. Several may copy from one folder at a time.
func Copy(from, to Options) (err error) {
	owner, err := serverUser()
	if err != nil {
		return err
	}
	if to.Dir, err = filepath.Abs(to.Dir); err != nil {
		return err
	}
	if err := prepare(to.Dir, owner); err != nil {
		return err
	}
	lock, err := acquire(filepath.Join(to.Dir, "lock"))
	if err != nil {
		return fmt.Errorf("%s is in use by another program (%w)", to.Dir, err)
	}
	defer func() { err = errors.Join(err, release(lock)) }()
	if Exists(to) {
		return fmt.Errorf("%s has data already", to.Dir)
	}
	if !Exists(from) {
		return fmt.Errorf("%s has no data of Postgres %d", from.Dir, from.Binaries.Major)
	}
	if _, err := os.Stat(filepath.Join(dataDir(from), "postmaster.pid")); err == nil {
		return fmt.Errorf("a Postgres runs on %s, or was killed there: start it and stop it first", from.Dir)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(dataDir(to)))
		}
	}()
	return filepath.WalkDir(dataDir(from), func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(dataDir(from), path)
		if err != nil {
			return err
		}
		target := filepath.Join(dataDir(to), relative)
		if entry.IsDir() {
			err = os.MkdirAll(target, 0o700)
		} else {
			err = copyFile(path, target)
		}
		return errors.Join(err, owner.own(target))
	})
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
