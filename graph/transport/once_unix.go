//go:build unix

package transport

import (
	"errors"
	"syscall"
)

// writeOnce writes what a socket takes now.
func writeOnce(fd uintptr, b []byte) (int, error) {
	n, err := syscall.Write(int(fd), b)
	if errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EINTR) {
		return 0, nil
	}
	return n, err
}
