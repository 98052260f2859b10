package cluster

import "syscall"

// init has those whose program died come to this one, which waits for nobody: as in a container whose first
// process is a shell or a sleep. A server that has ended then stays a zombie, and counts as one that runs
// wherever only its number is looked at.
func init() {
	const setChildSubreaper = 36 // prctl(2)
	_, _, _ = syscall.RawSyscall(syscall.SYS_PRCTL, setChildSubreaper, 1, 0)
}
