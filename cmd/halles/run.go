package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/alecthomas/kong"
)

// cli is the command line: each command is a struct in a file of its own, with the flag, the
// environment variable, the default and the help of a setting in one place.
type cli struct {
	LogFormat string `env:"HALLES_LOG_FORMAT" default:"text" help:"How log lines are written on standard error: text or json."`
	LogLevel  string `env:"HALLES_LOG_LEVEL" default:"info" help:"The least that is logged: debug, info, warn or error."`

	Demo     demoCmd     `cmd:"" help:"Run everything on this machine: a private Postgres, the schema, fictitious data and the server."`
	Serve    serveCmd    `cmd:"" help:"Serve the API and the pages."`
	Doctor   doctorCmd   `cmd:"" help:"Look whether what serve needs is there and right, and say what to do."`
	Jobs     jobsCmd     `cmd:"" help:"See the jobs that failed, and have them tried again."`
	Pause    pauseCmd    `cmd:"" help:"Stop the orders of a commune's shops."`
	Resume   resumeCmd   `cmd:"" help:"Let a commune's shops take orders again."`
	Restored restoredCmd `cmd:"" help:"Say that the database was restored from a backup."`
	Export   exportCmd   `cmd:"" help:"Write what is published into files."`
	Import   importCmd   `cmd:"" help:"Import what shops sell, from a spreadsheet."`
	Migrate  migrateCmd  `cmd:"" help:"Bring the database's schema up to this program's."`
	Privacy  privacyCmd  `cmd:"" help:"Erasures and retention of what is kept of persons."`
	Schema   schemaCmd   `cmd:"" help:"Print the schema as a federation router composes it."`
	Bench    benchCmd    `cmd:"" help:"Measure a server beside a hand-written one."`
	Limit    limitCmd    `cmd:"" hidden:"" help:"The hand-written one."`
}

// process is what a command has of the outside.
type process struct {
	env    map[string]string
	stdout io.Writer
	stderr io.Writer
	log    *slog.Logger
	wrong  mistakes // so far: each command adds its own before it gives up

	variables map[*kong.Flag][]string // each flag's environment variables
}

// Exit codes.
const (
	exitFailure = 1 // it was tried and failed
	exitUsage   = 2 // nothing was tried: the command line or the configuration is wrong
)

// run runs the program with the given arguments and environment and returns its exit code.
func run(ctx context.Context, args, env []string, stdout, stderr io.Writer) (code int) {
	p := &process{env: map[string]string{}, variables: map[*kong.Flag][]string{}, stdout: stdout, stderr: stderr}
	for _, pair := range env {
		name, value, _ := strings.Cut(pair, "=")
		p.env[name] = value
	}
	defer func() { // --help ends the parse from within
		if ended, ok := recover().(exit); ok {
			code = int(ended)
		}
	}()
	var c cli
	parser, err := kong.New(&c, kong.Name("halles"),
		kong.Description("Click & collect for every commune of an agglomeration: one program, one Postgres."),
		kong.Writers(stdout, stderr), kong.Exit(func(code int) { panic(exit(code)) }),
		kong.PostBuild(p.ownEnvironment), kong.Resolvers(kong.ResolverFunc(p.fromEnvironment)),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(p))
	if err != nil {
		fmt.Fprintln(stderr, "halles:", err)
		return exitFailure
	}
	command, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(stderr, "halles: %v\nSee halles --help.\n", err)
		return exitUsage
	}
	p.log = c.logger(p)
	err = command.Run()
	var wrong mistakes
	switch {
	case errors.As(err, &wrong):
		fmt.Fprint(stderr, wrong)
		return exitUsage
	case err != nil:
		fmt.Fprintln(stderr, "halles:", err)
		return refusal(err)
	}
	return 0
}

// exit carries a code out of kong, which would end the process.
type exit int

func (c *cli) logger(p *process) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		p.wrong.addf("--log-level or HALLES_LOG_LEVEL: %q is not a level; choose debug, info, warn or error.", c.LogLevel)
	}
	options := &slog.HandlerOptions{Level: level}
	switch c.LogFormat {
	case "json":
		return slog.New(slog.NewJSONHandler(p.stderr, options))
	case "text":
	default:
		p.wrong.addf("--log-format or HALLES_LOG_FORMAT: %q is not a format; choose text or json.", c.LogFormat)
	}
	return slog.New(slog.NewTextHandler(p.stderr, options))
}

// ownEnvironment takes the variables away from kong, which would ask the process for them:
// tests that run side by side give each run its own. The help keeps their names.
func (p *process) ownEnvironment(k *kong.Kong) error {
	return kong.Visit(k.Model, func(node kong.Visitable, next kong.Next) error {
		if flag, ok := node.(*kong.Flag); ok && len(flag.Tag.Envs) > 0 {
			flag.Help = kong.DefaultHelpValueFormatter(flag.Value)
			p.variables[flag], flag.Tag.Envs = flag.Tag.Envs, nil
		}
		return next(nil)
	})
}

// fromEnvironment gives a flag that was not on the command line its variable. An empty
// variable is an absent one, as compose files write them.
func (p *process) fromEnvironment(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	for _, name := range p.variables[flag] {
		if value := p.env[name]; value != "" {
			return value, nil
		}
	}
	return nil, nil
}
