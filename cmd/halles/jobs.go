package main

import (
	"context"
	"fmt"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/audelor/halles/internal/job"
	"github.com/audelor/halles/internal/pg"
)

type jobsCmd struct {
	List  jobsListCmd  `cmd:"" help:"List the jobs that failed, the last first, with why."`
	Retry jobsRetryCmd `cmd:"" help:"Have jobs that failed tried again at once."`
}

type jobsListCmd struct {
	database
	Limit int `default:"50" help:"How many at most."`
}

// Help is the long form of the command's help.
func (jobsListCmd) Help() string {
	return "retryable: it is tried again by itself, at the time shown. discarded: all twelve tries of a day have failed. cancelled: no try would mend it. They stay for 90 days."
}

// Run lists jobs.
func (c *jobsListCmd) Run(ctx context.Context, p *process) error {
	db, err := c.open(ctx, p)
	if err != nil {
		return err
	}
	defer db.Close()
	list, err := job.Troubles(ctx, db.Pool(pg.Worker), c.Limit)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		fmt.Fprintln(p.stdout, "No job has failed.")
		return nil
	}
	out := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "ID\tKIND\tSTATE\tTRIES\tLAST\tNEXT\tARGUMENTS\tERROR")
	for _, j := range list {
		next := ""
		if j.State == "retryable" {
			next = j.Next.Local().Format(time.DateTime)
		}
		fmt.Fprintf(out, "%d\t%s\t%s\t%d of %d\t%s\t%s\t%s\t%s\n", j.ID, j.Kind, j.State, j.Attempt, j.Most, j.At.Local().Format(time.DateTime), next, j.Args, j.Error)
	}
	return out.Flush()
}

type jobsRetryCmd struct {
	database
	IDs []int64 `arg:"" optional:"" name:"id" help:"Which, by the numbers that list shows."`
	All bool    `help:"All that are discarded."`
}

// Run has jobs tried again.
func (c *jobsRetryCmd) Run(ctx context.Context, p *process) error {
	if c.All == (len(c.IDs) > 0) {
		p.wrong.addf("Say which jobs: their numbers, as halles jobs list shows them, or --all for those that are discarded.")
	}
	db, err := c.open(ctx, p)
	if err != nil {
		return err
	}
	defer db.Close()
	again, err := job.Retry(ctx, db.Pool(pg.Worker), c.IDs...)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "%d jobs are tried again; any server that runs takes them.\n", len(again))
	for _, id := range c.IDs {
		if !slices.Contains(again, id) {
			fmt.Fprintf(p.stdout, "%d has not failed, or is not there: left as it is.\n", id)
		}
	}
	return nil
}

// open opens the database for a command of those who run the server.
func (d database) open(ctx context.Context, p *process) (*pg.DB, error) {
	options := d.options(p)
	if err := p.wrong.orNil(); err != nil {
		return nil, err
	}
	db, err := pg.Open(ctx, options)
	if err != nil {
		return nil, err
	}
	if _, err := upToDate(ctx, db); err != nil {
		db.Close()
		return nil, err
	}
	return db, nil
}
