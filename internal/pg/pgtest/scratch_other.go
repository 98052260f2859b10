//go:build !linux

package pgtest

import "os"

// scratch is where the tests' clusters lie.
func scratch() string { return os.TempDir() }
