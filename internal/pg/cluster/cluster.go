package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Options say which cluster to run.
type Options struct {
	Dir      string   // holds the data (pg15/ …), the log and the lock; made when missing
	Binaries Binaries // from Find or Fetch
	Durable  bool     // false: no fsync, for tests that never pull the plug
	Params   []string // further settings, "name=value"
	Later    bool     // a new cluster does not wait for the disk before it is Settled

	// Starting is told the cluster as soon as its URL is known, before the server takes connections
	// and where there is no data yet: time to make in what will ask it. It must not wait. May be nil.
	Starting func(c *Cluster)
}

// Cluster is a running Postgres that only this program's user reaches: a socket in a private
// folder, no TCP.
type Cluster struct {
	options Options
	data    string // of this major version: another's files could not be read
	socket  string
	lock    *os.File
	process *exec.Cmd
	exited  chan struct{} // closed when the process is gone
}

// startTimeout bounds recovery after a crash, which replays what was not yet on its place.
const startTimeout = 60 * time.Second

// Start makes the cluster where it does not exist yet, and starts it. A second program on the
// same folder is refused; a Postgres that a killed program left behind is waited for.
func Start(ctx context.Context, o Options) (_ *Cluster, err error) {
	if o.Dir, err = filepath.Abs(o.Dir); err != nil {
		return nil, err
	}
	owner, err := serverUser()
	if err != nil {
		return nil, err
	}
	if err := prepare(o.Dir, owner); err != nil {
		return nil, err
	}
	c := &Cluster{options: o, data: dataDir(o)}
	if c.lock, err = acquire(filepath.Join(o.Dir, "lock")); err != nil {
		return nil, fmt.Errorf("%s is in use by another program: stop it, or choose another folder (%w)", o.Dir, err)
	}
	defer func() {
		if err != nil {
			_ = release(c.lock)
			os.RemoveAll(c.socket)
		}
	}()
	if err := c.sweep(); err != nil {
		return nil, err
	}
	if c.socket, err = os.MkdirTemp("", "halles-"); err != nil {
		return nil, err
	}
	if err := owner.own(c.socket); err != nil {
		return nil, err
	}
	// The next start finds the folder by this file when this program is killed.
	if err := os.WriteFile(filepath.Join(o.Dir, "socket"), []byte(c.socket), 0o600); err != nil {
		return nil, err
	}
	if o.Starting != nil {
		o.Starting(c)
	}
	if !Exists(o) {
		// A folder without PG_VERSION is what an interrupted initdb leaves: no data was ever in it.
		if err := os.RemoveAll(c.data); err != nil { // before the note that says it is another machine's start
			return nil, err
		}
		ahead, err := c.defers()
		if err == nil {
			err = c.initialise(ctx, owner)
		}
		if err == nil && ahead {
			err = c.runsAhead()
		}
		if err != nil {
			return nil, err
		}
	}
	return c, c.launch(ctx)
}

// prepare makes the folder and sees to it that the server's user can reach and write it.
func prepare(dir string, owner account) error {
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // the server's user passes through
		return fmt.Errorf("%s cannot be made: choose a folder that you may write to (%w)", dir, err)
	}
	probe, err := os.CreateTemp(dir, "probe")
	if err != nil {
		return fmt.Errorf("%s is not writable: choose a folder that you may write to (%w)", dir, err)
	}
	probe.Close()
	os.Remove(probe.Name())
	return owner.reach(dir)
}

// sweep waits for a Postgres whose program was killed and removes the socket folder it left.
func (c *Cluster) sweep() error {
	if old, err := os.ReadFile(filepath.Join(c.options.Dir, "socket")); err == nil && strings.Contains(string(old), "halles-") {
		defer os.RemoveAll(string(old))
	}
	pidFile := filepath.Join(c.data, "postmaster.pid")
	deadline := time.Now().Add(startTimeout)
	for {
		content, err := os.ReadFile(pidFile)
		if err != nil {
			return nil
		}
		first, _, _ := strings.Cut(string(content), "\n")
		pid, err := strconv.Atoi(strings.TrimSpace(first))
		if err != nil || !alive(pid) || !isPostgres(pid) {
			// After a reboot the number may be another program's, and postgres would refuse to
			// start. The lock on the folder says that no server of ours runs here.
			return os.Remove(pidFile)
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("a Postgres (process %d) still runs on %s: stop it with `kill -INT %d`", pid, c.data, pid)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func (c *Cluster) program(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(c.options.Binaries.Dir, executable(name)), args...)
	cmd.Dir = c.options.Dir // the caller's folder may be closed to the server's user
	// TZ too: without it initdb compares the machine's clock with every zone there is.
	cmd.Env = append(os.Environ(), "LC_ALL=C", "PGTZ=UTC", "TZ=UTC")
	return cmd
}

func (c *Cluster) initialise(ctx context.Context, owner account) error {
	if err := os.Mkdir(c.data, 0o700); err != nil {
		return err
	}
	if err := owner.own(c.data); err != nil {
		return err
	}
	cmd := c.program(ctx, "initdb", "-D", c.data, "-U", "postgres", "-A", "trust", "--no-sync", "--no-instructions",
		"-E", "UTF8", "--locale=C", "--locale-provider=icu", "--icu-locale=fr-FR")
	owner.run(cmd)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		os.RemoveAll(c.data)
		return fmt.Errorf("initdb: %w: %s", err, strings.TrimSpace(out.String()))
	}
	return nil
}

// launch starts the server and waits until it takes connections. It runs `postgres` itself and not
// pg_ctl: the server must be a child of this program to die with it.
func (c *Cluster) launch(ctx context.Context) error {
	owner, err := serverUser()
	if err != nil {
		return err
	}
	args := []string{"-D", c.data, "-k", c.socket, "-c", "listen_addresses=", "-c", "unix_socket_permissions=0700"}
	if !c.options.Durable {
		args = append(args, "-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")
	}
	for _, p := range c.options.Params {
		args = append(args, "-c", p)
	}
	log, err := os.OpenFile(c.LogPath(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644) //nolint:gosec // a log without secrets, for whoever looks for a fault
	if err != nil {
		return err
	}
	defer log.Close()
	c.process = c.program(context.WithoutCancel(ctx), "postgres", args...)
	c.process.Stdout, c.process.Stderr = log, log
	owner.run(c.process)
	if err := startBound(c.process); err != nil {
		return fmt.Errorf("start Postgres: %w", err)
	}
	c.exited = make(chan struct{})
	go func(p *exec.Cmd, exited chan struct{}) {
		_ = p.Wait() // the log says why
		close(exited)
	}(c.process, c.exited)
	return c.ready(ctx)
}

func (c *Cluster) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	// Its own word for it, as pg_ctl takes it. To try and connect is to have it fork a process for
	// each no, which is what it then has no time to start for: 80 ms of 270.
	for !c.saysReady() {
		select {
		case <-c.exited:
			return fmt.Errorf("Postgres stopped at once; its log ends with:\n%s", c.logTail())
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("Postgres does not answer; its log ends with:\n%s", c.logTail()), c.Stop())
		case <-time.After(time.Millisecond):
		}
	}
	return nil
}

// saysReady reads the server's lock file: its process first, which another's that crashed is
// not, and its state last.
func (c *Cluster) saysReady() bool {
	content, err := os.ReadFile(filepath.Join(c.data, "postmaster.pid"))
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")
	return err == nil && lines[0] == strconv.Itoa(c.PID()) && strings.TrimSpace(lines[len(lines)-1]) == "ready"
}

// URL is where a role reaches a database of the cluster.
func (c *Cluster) URL(role, database string) string {
	u := url.URL{Scheme: "postgres", User: url.User(role), Path: "/" + database}
	u.RawQuery = url.Values{"host": {c.socket}}.Encode()
	return u.String()
}

// Exists tells whether Start finds data in the folder, or has to make them.
func Exists(o Options) bool {
	_, err := os.Stat(filepath.Join(dataDir(o), "PG_VERSION"))
	return err == nil && !Torn(o)
}

func dataDir(o Options) string { return filepath.Join(o.Dir, "pg"+strconv.Itoa(o.Binaries.Major)) }

// LogPath is the server's log.
func (c *Cluster) LogPath() string { return filepath.Join(c.options.Dir, "postgres.log") }

func (c *Cluster) logTail() string {
	f, err := os.Open(c.LogPath())
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	const tail = 2000
	if info, err := f.Stat(); err == nil && info.Size() > tail {
		_, _ = f.Seek(-tail, io.SeekEnd)
	}
	content, _ := io.ReadAll(f)
	return strings.TrimSpace(string(content))
}

// Program is where a program of the installation lies, as pg_dump; a small installation has initdb
// and postgres only.
func (c *Cluster) Program(name string) string { return filepath.Join(c.options.Binaries.Dir, name) }

// PID is the server's process.
func (c *Cluster) PID() int { return c.process.Process.Pid }

// Stop ends the server (fast shutdown: transactions under way are rolled back), and removes
// its socket.
func (c *Cluster) Stop() error {
	err := c.end(syscall.SIGINT)
	os.RemoveAll(c.socket)
	os.Remove(filepath.Join(c.options.Dir, "socket"))
	return errors.Join(err, release(c.lock))
}

// Crash ends the server without a checkpoint, as a power cut would; Restart recovers.
func (c *Cluster) Crash() error { return c.end(syscall.SIGQUIT) }

// Restart starts the server again on the same socket.
func (c *Cluster) Restart(ctx context.Context) error { return c.launch(ctx) }

func (c *Cluster) end(signal syscall.Signal) error {
	select {
	case <-c.exited:
		return nil
	default:
	}
	if err := c.process.Process.Signal(signal); err != nil {
		return err
	}
	select {
	case <-c.exited:
		return nil
	case <-time.After(20 * time.Second):
		return errors.Join(errors.New("Postgres did not stop in 20 s and was killed"), c.process.Process.Kill())
	}
}

// DefaultDir is where the demo keeps its data: reachable by the server's user when the
// program runs as root.
func DefaultDir() string {
	if os.Geteuid() == 0 {
		return "/var/lib/halles"
	}
	if cache, err := os.UserCacheDir(); err == nil {
		return filepath.Join(cache, "halles")
	}
	return ".demo"
}
