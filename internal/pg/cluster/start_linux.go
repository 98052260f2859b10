package cluster

import (
	"os/exec"
	"runtime"
	"syscall"
)

// startBound starts a server that stops when this program dies, however it dies: the kernel
// sends SIGINT (fast shutdown) when the starting thread ends. That thread is kept for good,
// since an idle one may end before the program does.
func startBound(cmd *exec.Cmd) error {
	cmd.SysProcAttr.Pdeathsig = syscall.SIGINT
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		started <- cmd.Start()
		select {} // one parked thread a cluster; a program starts one
	}()
	return <-started
}
