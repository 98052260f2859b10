//go:build unix

package main

import "golang.org/x/sys/unix"

// freeBytes is what is left for us on the disk of a folder.
func freeBytes(dir string) (uint64, error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return 0, err
	}
	return uint64(fs.Bavail) * uint64(fs.Bsize), nil //nolint:unconvert // types differ by system
}
