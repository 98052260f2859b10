package cluster

import (
	"errors"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// machineStart names the machine's last start.
func machineStart() string {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(id))
}

// syncAround waits until the file system of a folder is on the disk: file by file a new cluster, of more
// than a thousand, takes ten times as long.
func syncAround(folder string) error {
	f, err := os.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(unix.Syncfs(int(f.Fd())), f.Close())
}
