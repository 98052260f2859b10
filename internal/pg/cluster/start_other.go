//go:build unix && !linux

package cluster

import "os/exec"

// startBound starts the server. Only Linux can bind its life to the program's; elsewhere, after
// a kill, the next start waits for it or says how to stop it.
func startBound(cmd *exec.Cmd) error { return cmd.Start() }
