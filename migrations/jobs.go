package migrations

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

// jobsStep is the number of the step in this file, among those in *.sql. What else is made for
// River later gets a number of its own.
const jobsStep = 20

// riverVersion is what that step brings River's tables to; a newer River's changes are a later step.
const riverVersion = 8

// Who queues a job may add a row and read none: arguments are ids, but of every commune.
const jobsGrants = `
	comment on table river.river_job is 'owner: job. River''s: jobs that wait, run or ran; ids only.';
	comment on table river.river_leader is 'owner: job. River''s: which server does the periodic ones.';
	comment on table river.river_queue is 'owner: job. River''s: the queues that servers work off.';
	comment on table river.river_notification is 'owner: job. River''s, for other databases: unused.';
	comment on table river.river_migration is 'owner: job. River''s: which of its own steps were done.';
	grant usage on schema river to halles_app, halles_identity, halles_worker;
	grant usage on sequence river.river_job_id_seq to halles_app, halles_identity, halles_worker;
	grant insert (kind, args, queue, max_attempts, priority, state, scheduled_at, unique_key, unique_states)
		on river.river_job to halles_app, halles_identity;
	grant select, insert, update, delete on river.river_job, river.river_leader, river.river_queue to halles_worker;`

// jobs makes River's tables, by River's own migrator. That one commits step by step, and knows
// where it was when it is killed in between; goose's lock keeps other programs out meanwhile.
func jobs(url string, log *slog.Logger) *goose.Migration {
	return goose.NewGoMigration(jobsStep, &goose.GoFunc{RunDB: func(ctx context.Context, _ *sql.DB) error {
		config, err := pgxpool.ParseConfig(url)
		if err != nil {
			return err
		}
		config.ConnConfig.RuntimeParams["role"] = owner
		// Its steps are eight commits; what goose notes after them is written behind them, and waits
		// for all.
		config.ConnConfig.RuntimeParams["synchronous_commit"] = "off"
		config.MaxConns = 1
		pool, err := pgxpool.NewWithConfig(ctx, config)
		if err != nil {
			return err
		}
		defer pool.Close()
		if _, err := pool.Exec(ctx, `create schema if not exists river`); err != nil {
			return err
		}
		river, err := rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Schema: "river", Logger: log})
		if err != nil {
			return err
		}
		if _, err := river.Migrate(ctx, rivermigrate.DirectionUp, &rivermigrate.MigrateOpts{TargetVersion: riverVersion}); err != nil {
			return fmt.Errorf("river: %w", err)
		}
		_, err = pool.Exec(ctx, jobsGrants)
		return err
	}}, nil)
}
