package job

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Trouble is a job that failed: for good (discarded, cancelled) or until it is tried again
// (retryable). It names nobody: arguments are ids, and errors are discreet.
type Trouble struct {
	ID      int64
	Kind    string
	State   string
	Attempt int
	Most    int // attempts
	Args    string
	At      time.Time // of the last attempt
	Next    time.Time // when it is tried again, if retryable
	Error   string    // the last
}

// Troubles lists the jobs that failed, the last first, as halles_worker; at most limit.
func Troubles(ctx context.Context, worker *pgxpool.Pool, limit int) ([]Trouble, error) {
	rows, err := worker.Query(ctx, `
		select id, kind, state::text, attempt, max_attempts as most, args::text, coalesce(attempted_at, created_at) as at, scheduled_at as next,
			coalesce((errors[array_upper(errors, 1)] ->> 'error'), '') as error
		from river.river_job where state in ('retryable', 'discarded', 'cancelled')
		order by coalesce(attempted_at, created_at) desc, id desc limit $1`, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[Trouble])
}

// Retry has jobs that failed tried again, now and with one more attempt at least; without ids, all
// that failed for good. It returns the ids of those that will be: what runs, is done or waits
// anyway is left alone.
func Retry(ctx context.Context, worker *pgxpool.Pool, ids ...int64) ([]int64, error) {
	rows, err := worker.Query(ctx, `
		update river.river_job set state = 'available', scheduled_at = now(), finalized_at = null, max_attempts = greatest(max_attempts, attempt + 1)
		where case when $1::bigint[] = '{}' then state = 'discarded' else id = any($1) and state in ('retryable', 'discarded', 'cancelled') end
		returning id`, append([]int64{}, ids...))
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[int64])
}
