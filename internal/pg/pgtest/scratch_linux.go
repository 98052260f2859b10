package pgtest

import (
	"os"
	"syscall"
)

// scratch is where the tests' clusters lie: in memory where there is plenty. A database is three
// hundred files, and to make and remove them on a disk costs twice what they do.
func scratch() string {
	const memory, plenty = "/dev/shm", 4 << 30
	var fs syscall.Statfs_t
	if err := syscall.Statfs(memory, &fs); err != nil || fs.Bavail*uint64(fs.Bsize) < plenty {
		return os.TempDir()
	}
	return memory
}
