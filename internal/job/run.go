package job

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"regexp"
	"runtime/debug"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertype"
)

const (
	// Timeout is how long a job may take that says nothing else; then its context ends, and it is
	// tried again later.
	Timeout = time.Minute
	// LongestRound is how long a round of Every may take.
	LongestRound = 20 * time.Minute

	// rescueAfter is when a job that says it is running is taken from a worker that was killed. It
	// must be later than any job can be running still; of one that may take longer, it is taken
	// when its own time is over.
	rescueAfter = 2 * time.Minute

	// drain is how long jobs under way may take to end once the server stops.
	drain = 8 * time.Second

	// Messages wait for the network, other jobs for the database: their number bounds the
	// connections that they take.
	messageWorkers, otherWorkers = 8, 3

	// completedFor and failedFor say how long a job stays readable when it is done, and when all
	// its tries have failed.
	completedFor, failedFor = 24 * time.Hour, 90 * 24 * time.Hour
)

// Options is what jobs run on. Pool and Log must be given.
type Options struct {
	Pool *pgxpool.Pool    // halles_worker's; a pooler in transaction mode may be in between
	Log  *slog.Logger     //
	Now  func() time.Time // when nil, time.Now: what schedules and retries go by
	Poll time.Duration    // how often queued jobs are looked for; when zero, each second

	// Begin is told that a run begins, with the id that the arguments name, if they name one; the job runs
	// in the context that it returns, and the function is called at the end. It may be nil.
	Begin func(ctx context.Context, kind string, job int64, attempt int, about string) (context.Context, func(error))

	// Done is told of each run of a job; it may be nil.
	Done func(kind string, took time.Duration, err error)
}

// Jobs is all that a server works off. Say what each kind of job does with Work and Every, then
// Run.
type Jobs struct {
	Options
	workers  *river.Workers
	periodic []*river.PeriodicJob
	some     bool
}

// New is a server that has no job yet.
func New(o Options) *Jobs {
	o.Poll = orDefault(o.Poll, time.Second)
	return &Jobs{Options: o, workers: river.NewWorkers()}
}

// Work says what jobs with arguments of type T do. They are tried again when do returns an
// error, and it may run twice for one job: a worker can be killed between its end and the note
// of it. Return river.JobCancel(err) for what no retry mends.
//
// An error is kept with the job and logged. E-mail addresses and telephone numbers in it are
// left out; the names of people must not be in it.
func Work[T river.JobArgs](j *Jobs, do func(ctx context.Context, job *river.Job[T]) error) {
	river.AddWorker(j.workers, river.WorkFunc(do))
	j.some = true
}

// sweep is a periodic job.
type sweep struct{ name string }

func (s sweep) Kind() string { return s.name }

// sweeper is the worker of a sweep.
type sweeper struct {
	river.WorkerDefaults[sweep]
	do      func(ctx context.Context) error
	timeout time.Duration
}

// Work does it.
func (s *sweeper) Work(ctx context.Context, _ *river.Job[sweep]) error { return s.do(ctx) }

// Timeout is its own.
func (s *sweeper) Timeout(*river.Job[sweep]) time.Duration { return s.timeout }

// Every has one server of the deployment do something each period, and when it begins to be the
// one. It is not begun again while it runs, and a failure is left to the next period: it does
// what is due by the clock, and not what is due since the last time. What is done once an hour or
// less often, and has come to its end in this period (UTC), is not done anew by a server that starts.
//
// A round has a tenth of its period, and no less than Timeout nor more than LongestRound: a daily
// one that looks at ten million orders took more than a minute on a small machine that was busy.
func Every(j *Jobs, name string, period time.Duration, do func(ctx context.Context) error) {
	EveryWithin(j, name, period, min(max(Timeout, period/10), LongestRound), do)
}

// EveryWithin is Every for what needs another time: the first run on a platform with years of orders.
// It must come in steps that hold by themselves, since a stop of the server cuts it off.
func EveryWithin(j *Jobs, name string, period, timeout time.Duration, do func(ctx context.Context) error) {
	args := sweep{name}
	river.AddWorkerArgs(j.workers, args, &sweeper{do: do, timeout: timeout})
	j.some = true
	once := &river.InsertOpts{MaxAttempts: 1, UniqueOpts: river.UniqueOpts{ByState: []rivertype.JobState{
		rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable, rivertype.JobStateRunning, rivertype.JobStateScheduled,
	}}}
	if period >= time.Hour {
		once.UniqueOpts.ByPeriod, once.UniqueOpts.ByState = period, append(once.UniqueOpts.ByState, rivertype.JobStateCompleted)
	}
	j.periodic = append(j.periodic, river.NewPeriodicJob(river.PeriodicInterval(period),
		func() (river.JobArgs, *river.InsertOpts) { return args, once }, &river.PeriodicJobOpts{ID: name, RunOnStart: true}))
}

// Run works jobs off until ctx ends, and then lets those under way come to their end, for
// at most 8 s; what is cut off is tried again by another server, or after the restart. While the
// database is away it waits.
func (j *Jobs) Run(ctx context.Context) error {
	if !j.some {
		<-ctx.Done()
		return ctx.Err()
	}
	for ctx.Err() == nil {
		client, err := river.NewClient(riverpgxv5.New(j.Pool), j.config())
		if err != nil {
			return fmt.Errorf("jobs: %w", err)
		}
		if err = client.Start(ctx); err == nil {
			<-client.Stopped()
			continue
		}
		if ctx.Err() == nil {
			j.Log.ErrorContext(ctx, "jobs do not start", "error", err)
			select {
			case <-ctx.Done():
			case <-time.After(j.Poll):
			}
		}
	}
	return ctx.Err()
}

func (j *Jobs) config() *river.Config {
	c := &river.Config{
		Schema:       "river",
		Workers:      j.workers,
		PeriodicJobs: j.periodic,
		Queues:       map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: otherWorkers}, messageQueue: {MaxWorkers: messageWorkers}},
		MaxAttempts:  Tries,
		// To LISTEN takes a session of one's own, which a pooler does not give; and nobody notifies,
		// see insert.
		PollOnly: true, FetchCooldown: min(j.Poll, river.FetchCooldownDefault), FetchPollInterval: j.Poll,
		JobTimeout: Timeout, RescueStuckJobsAfter: rescueAfter, SoftStopTimeout: drain,
		CompletedJobRetentionPeriod: completedFor, DiscardedJobRetentionPeriod: failedFor, CancelledJobRetentionPeriod: failedFor,
		RetryPolicy: backoff{j.now},
		Middleware:  []rivertype.Middleware{river.WorkerMiddlewareFunc(j.guard)},
		// To rebuild an index is the owner's right; autovacuum is enough for tables this small.
		ReindexerIndexNames: []string{},
		Logger:              slog.New(leastWarn{j.Log.Handler()}),
	}
	if j.Now != nil {
		c.Test.Time = clock{j.Now}
	}
	return c
}

func (j *Jobs) now() time.Time {
	if j.Now != nil {
		return j.Now()
	}
	return time.Now()
}

// clock is River's view of a clock that a test sets.
type clock struct{ now func() time.Time }

func (c clock) Now() time.Time { return c.now() }

func (c clock) NowOrNil() *time.Time {
	now := c.now().UTC()
	return &now
}

// backoff spaces the tries of a job: 10 s, 30 s, 90 s … at most 6 h, twelve tries in 27 hours: a
// mail server that fails in the evening may be mended in the morning.
type backoff struct{ now func() time.Time }

const shortestWait, longestWait = 10 * time.Second, 6 * time.Hour

// NextRetry is when a job that failed is tried again; a tenth to and fro, so that what failed
// together does not come back together.
func (b backoff) NextRetry(job *rivertype.JobRow) time.Time {
	wait := shortestWait
	for n := 1; n < job.Attempt && wait < longestWait; n++ {
		wait *= 3
	}
	wait = min(wait, longestWait)
	wait += time.Duration((rand.Float64() - 0.5) * 0.2 * float64(wait)) //nolint:gosec // spreads load, keeps no secret
	return b.now().UTC().Add(wait)
}

// guard stands around each job: a panic is an error, and no error names anybody.
func (j *Jobs) guard(ctx context.Context, job *rivertype.JobRow, do func(context.Context) error) (err error) {
	began, end := time.Now(), func(error) {}
	if j.Begin != nil {
		var about struct{ ID string }
		_ = json.Unmarshal(job.EncodedArgs, &about) // a sweep is about nothing
		ctx, end = j.Begin(ctx, job.Kind, job.ID, job.Attempt, about.ID)
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
			j.Log.ErrorContext(ctx, "job panicked", "kind", job.Kind, "job", job.ID, "stack", string(debug.Stack()))
		}
		var snooze *rivertype.JobSnoozeError
		later := errors.As(err, &snooze)
		if later {
			end(nil)
		} else {
			end(err)
		}
		if j.Done != nil && !later {
			j.Done(job.Kind, time.Since(began), err)
		}
		if err == nil || later {
			return
		}
		err = discreet(err)
		level := slog.LevelWarn
		if job.Attempt >= job.MaxAttempts {
			level = slog.LevelError
		}
		j.Log.Log(ctx, level, "job failed", "kind", job.Kind, "job", job.ID, "attempt", job.Attempt, "of", job.MaxAttempts, "error", err)
	}()
	return do(ctx)
}

// address and telephone find what names a person in the words of a mail server or a register.
var (
	address   = regexp.MustCompile(`[^\s<>"'(),;:]+@[^\s<>"'(),;:]+`)
	telephone = regexp.MustCompile(`\+\d[\d .-]{6,}\d|\b0[1-9](?:[ .-]?\d{2}){4}\b`)
)

// discreet is err without addresses and numbers. The chain of errors behind it is cut: it holds
// them still.
func discreet(err error) error {
	text := telephone.ReplaceAllString(address.ReplaceAllString(err.Error(), "…@…"), "…")
	var cancel *rivertype.JobCancelError
	if errors.As(err, &cancel) {
		return river.JobCancel(errors.New(text))
	}
	return errors.New(text)
}

// leastWarn keeps River's account of its daily round out of the log.
type leastWarn struct{ slog.Handler }

func (h leastWarn) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && h.Handler.Enabled(ctx, level)
}
