package bench

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Processes are whose time and memory are read; 0: not known, or in this process with the rest.
type Processes struct{ Halles, Limit, Postgres int }

// tick is the unit of /proc (USER_HZ, the same on every Linux that Go runs on).
const tick = 10 * time.Millisecond

// stat reads a process's parent and its time on processors: its own, and that of its children who
// have ended. ok is false where there is no /proc.
func stat(pid int) (parent int, own, children time.Duration, ok bool) {
	content, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return 0, 0, 0, false
	}
	// After the name, which may hold anything: state, parent, … utime is the 14th field of all.
	fields := strings.Fields(string(content[bytes.LastIndexByte(content, ')')+1:]))
	if len(fields) < 15 {
		return 0, 0, 0, false
	}
	n := func(i int) int {
		v, _ := strconv.Atoi(fields[i]) // the kernel writes numbers
		return v
	}
	return n(1), time.Duration(n(11)+n(12)) * tick, time.Duration(n(13)+n(14)) * tick, true
}

// spent is the time of a process on processors; of Postgres with all its backends.
func spent(pid int, family bool) time.Duration {
	if pid == 0 {
		return 0
	}
	_, own, children, _ := stat(pid)
	if !family {
		return own
	}
	sum := own + children
	entries, _ := filepath.Glob("/proc/[0-9]*")
	for _, e := range entries {
		child, _ := strconv.Atoi(filepath.Base(e))
		if parent, own, _, ok := stat(child); ok && parent == pid {
			sum += own
		}
	}
	return sum
}

// Peak is the most memory that a process has held, in bytes; 0 where nobody tells.
func Peak(pid int) int64 {
	content, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil || pid == 0 {
		return 0
	}
	for line := range strings.Lines(string(content)) {
		var kilobytes int64
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &kilobytes); err == nil {
			return kilobytes << 10
		}
	}
	return 0
}

// PostgresOf is the process that all backends of a database are children of; 0 where it runs elsewhere.
func PostgresOf(ctx context.Context, db *pgxpool.Pool) int {
	var backend int
	if err := db.QueryRow(ctx, `select pg_backend_pid()`).Scan(&backend); err != nil {
		return 0
	}
	name, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(backend), "comm"))
	if err != nil || !strings.HasPrefix(string(name), "postgres") {
		return 0
	}
	parent, _, _, _ := stat(backend)
	return parent
}
