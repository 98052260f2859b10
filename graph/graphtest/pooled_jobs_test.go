package graphtest_test

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"github.com/audelor/halles/internal/job"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/pg/pgtest"
)

// Jobs are queued and worked off behind a pooler in transaction mode as they are without:
// nothing of them needs a session of its own.
func TestJobsThroughPgBouncer(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	db, err := pg.Open(context.Background(), pg.Options{URL: startPgBouncer(t, d)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	const mails = 50
	var sent, swept atomic.Int64
	j := job.New(job.Options{Pool: db.Pool(pg.Worker), Log: slog.New(slog.DiscardHandler), Poll: 20 * time.Millisecond})
	job.Work(j, func(context.Context, *river.Job[job.Mail]) error { sent.Add(1); return nil })
	job.Every(j, "sweep", time.Hour, func(context.Context) error { swept.Add(1); return nil })
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- j.Run(ctx) }()
	for range mails {
		err := db.Write(t.Context(), pg.Scope{Role: pg.App}, func(ctx context.Context, tx pgx.Tx) error {
			return job.QueueTx(ctx, tx, job.Mail{Template: "test", ID: uuid.New()}, time.Time{})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for end := time.Now().Add(20 * time.Second); sent.Load() < mails || swept.Load() < 1; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d of %d mails and %d sweeps in 20 s", sent.Load(), mails, swept.Load())
		}
	}
	stop()
	if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if n := pgtest.Scan[int](t, d, `select count(*) from river.river_job where state = 'completed'`); n != mails+1 || sent.Load() != mails {
		t.Errorf("%d jobs completed, %d mails sent; want %d and %d", n, sent.Load(), mails+1, mails)
	}
}
