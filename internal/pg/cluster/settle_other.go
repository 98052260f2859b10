//go:build !linux

package cluster

// machineStart names the machine's last start, where it can be told: here it cannot, and nothing runs
// ahead of the disk.
func machineStart() string { return "" }

func syncAround(string) error { return nil }
