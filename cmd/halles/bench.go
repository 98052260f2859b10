package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/audelor/halles/internal/bench"
	"github.com/audelor/halles/internal/demo"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/pg/cluster"
)

type benchCmd struct {
	Data        string        `type:"path" env:"HALLES_BENCH_DATA" help:"Folder of the demo that is measured. It is filled at the first start, and orders are placed in it: give it one of its own. By default halles-bench beside that of the demo."`
	Shops       int           `default:"3000" help:"How many shops a new folder is filled with."`
	Orders      int           `default:"1000000" help:"And how many orders."`
	URL         string        `name:"url" placeholder:"http://127.0.0.1:8080/" help:"Measure a server that runs, started on the demo in --data, in place of one of our own. Set HALLES_RATE_NETWORK=none for it, and HALLES_CACHE=none unless the cache is meant."`
	PID         int           `name:"pid" help:"The process of that server, to read its time and memory."`
	For         time.Duration `default:"10s" help:"How long a round of each side lasts. The median of --rounds counts."`
	Rounds      int           `default:"3" help:"How many rounds each side has, in turn."`
	Connections int           `default:"16" help:"How many ask at once."`
	Workload    []string      `placeholder:"W2" help:"Only these, separated by commas."`
	Cache       bool          `help:"Let our own server keep answers; without it each is made anew."`
	JSON        string        `name:"json" type:"path" placeholder:"FILE" help:"Write the figures there too."`
}

// Help is the long form of the command's help.
func (benchCmd) Help() string {
	return "Each workload is asked of the server and of a hand-written handler, the limit, in turn and over the same rows, each a process of its own on this machine. Leave the machine alone meanwhile, and believe the ratios rather than the figures."
}

// limitCmd is the limit as a process of its own: bench starts it.
type limitCmd struct {
	DatabaseURL string `arg:"" help:"An administrator's URL of the database."`
}

// Run answers until ctx ends; the first line is where.
func (c *limitCmd) Run(ctx context.Context, p *process) error {
	l, err := bench.OpenLimit(ctx, c.DatabaseURL, nil)
	if err != nil {
		return err
	}
	defer l.Close()
	listener, err := listen("127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Fprintln(p.stdout, listener.Addr())
	return l.Serve(ctx, listener)
}

// Run measures and prints.
func (c *benchCmd) Run(ctx context.Context, p *process) error {
	if c.Data == "" {
		c.Data = filepath.Join(filepath.Dir(cluster.DefaultDir()), "halles-bench")
	}
	o := bench.Options{Connections: c.Connections, During: c.For, Rounds: c.Rounds, Only: c.Workload, Out: p.stdout}
	file := filepath.Join(c.Data, "demo.json")
	if c.URL == "" {
		if _, err := os.Stat(file); err != nil {
			// Once to fill it, so that the memory of the generator is not the server's.
			if stop, _, err := c.demo(ctx, p, file); err != nil {
				return err
			} else if err := stop(); err != nil {
				return err
			}
		}
		stop, pid, err := c.demo(ctx, p, file)
		if err != nil {
			return err
		}
		defer func() { _ = stop() }() // it has been measured
		o.Processes.Halles = pid
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("%w: name the folder of the server's demo with --data", err)
	}
	var d demo.File
	if err := json.Unmarshal(content, &d); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if c.URL != "" {
		d.URL, o.Processes.Halles = c.URL, c.PID
	}
	at, err := url.Parse(d.URL)
	if err != nil || at.Host == "" {
		return fmt.Errorf("%q is not the address of a server; write it as http://127.0.0.1:8080/", d.URL)
	}
	o.Halles, o.Tokens = at.Host, d.Tokens
	o.Database = pg.Options{URL: d.Postgres, Passwords: rolePasswords(p)}
	limit, line, err := start(ctx, p, nil, "limit", d.Postgres)
	if err != nil {
		return err
	}
	defer func() { _ = limit.stop() }()
	o.Limit, o.Processes.Limit = line, limit.cmd.Process.Pid
	report, err := bench.Run(ctx, o)
	if err != nil || c.JSON == "" {
		return err
	}
	text, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(c.JSON, append(text, '\n'), 0o644) //nolint:gosec // figures, for everybody
}

// demo starts the server on the demo's data and returns when it answers.
func (c *benchCmd) demo(ctx context.Context, p *process, file string) (stop func() error, pid int, err error) {
	if err := os.Remove(file); err != nil && !os.IsNotExist(err) {
		return nil, 0, err
	}
	env := []string{"HALLES_RATE_ACCOUNT=none", "HALLES_RATE_NETWORK=none", "HALLES_RATE_PAGES=none", "HALLES_LOG_LEVEL=warn"}
	if !c.Cache {
		env = append(env, "HALLES_CACHE=none")
	}
	child, _, err := start(ctx, p, env, "demo", "--listen", "127.0.0.1:0", "--data", c.Data, "--shops", fmt.Sprint(c.Shops), "--orders", fmt.Sprint(c.Orders))
	if err != nil {
		return nil, 0, err
	}
	for { // the file is there when the server answers
		select {
		case <-child.ended:
			return nil, 0, fmt.Errorf("the demo has not started: %w", child.err)
		case <-time.After(50 * time.Millisecond):
		}
		if _, err := os.Stat(file); err == nil {
			return child.stop, child.cmd.Process.Pid, nil
		}
	}
}

// child is this program once more, as another process.
type child struct {
	cmd   *exec.Cmd
	ended chan struct{}
	err   error
}

// start starts it; the limit's first line is returned, while a demo writes on our own output.
func start(ctx context.Context, p *process, env []string, command string, args ...string) (*child, string, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, "", err
	}
	c := &child{ended: make(chan struct{}), cmd: exec.CommandContext(ctx, program, append([]string{command}, args...)...)}
	c.cmd.Cancel = func() error { return c.cmd.Process.Signal(syscall.SIGINT) }
	c.cmd.WaitDelay = time.Minute
	for name, value := range p.env {
		c.cmd.Env = append(c.cmd.Env, name+"="+value)
	}
	c.cmd.Env = append(c.cmd.Env, env...)
	c.cmd.Stdout, c.cmd.Stderr = p.stderr, p.stderr
	var out io.ReadCloser
	if command == "limit" {
		c.cmd.Stdout = nil
		if out, err = c.cmd.StdoutPipe(); err != nil {
			return nil, "", err
		}
	}
	if err := c.cmd.Start(); err != nil {
		return nil, "", err
	}
	line := ""
	if out != nil {
		_, err = fmt.Fscanln(out, &line)
	}
	go func() {
		defer close(c.ended)
		c.err = c.cmd.Wait()
	}()
	if _, _, wrong := net.SplitHostPort(line); out != nil && (err != nil || wrong != nil) {
		return nil, "", fmt.Errorf("the limit has not started: %w", err)
	}
	return c, strings.TrimSpace(line), nil
}

// stop ends it in good order.
func (c *child) stop() error {
	if err := c.cmd.Process.Signal(syscall.SIGINT); err != nil {
		return err
	}
	<-c.ended
	return c.err
}
