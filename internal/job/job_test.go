package job_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
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

func TestMain(m *testing.M) { pgtest.Main(m) }

// poll is how often the tests' workers look, so that none waits for its job.
const poll = 20 * time.Millisecond

// start runs jobs until the function returned is called, or the test ends.
func start(t *testing.T, j *job.Jobs) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := j.Run(ctx); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}()
	stop = sync.OnceFunc(func() { cancel(); <-ended })
	t.Cleanup(stop)
	return stop
}

func jobs(d *pgtest.Database, log *bytes.Buffer) *job.Jobs {
	o := job.Options{Pool: d.DB.Pool(pg.Worker), Log: slog.New(slog.DiscardHandler), Poll: poll}
	if log != nil {
		o.Log = slog.New(slog.NewTextHandler(log, nil))
	}
	return job.New(o)
}

// eventually waits for what a worker does in its own time.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !done(); time.Sleep(poll) {
		if time.Now().After(end) {
			t.Fatalf("not in 20 s: %s", what)
		}
	}
}

func states(t *testing.T, d *pgtest.Database) string {
	t.Helper()
	return pgtest.Scan[string](t, d, `select coalesce(string_agg(state::text, ' ' order by id), '') from river.river_job`)
}

// A job exists exactly when its transaction was committed, whichever role queued it, and is done
// once. Nothing is notified from within, and no row is read: the roles may not.
func TestQueuedWithItsTransaction(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	listener, err := pgx.Connect(t.Context(), d.URL(pg.Listen))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close(context.WithoutCancel(t.Context()))
	if _, err := listener.Exec(t.Context(), `listen "river.river_insert"; listen done`); err != nil {
		t.Fatal(err)
	}
	for _, role := range []pg.Role{pg.App, pg.Identity, pg.Worker} {
		for _, commit := range []bool{true, false} {
			tx, err := d.DB.Pool(role).Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			args := job.Mail{Template: fmt.Sprint(role, commit), Commune: "56121", ID: uuid.New()}
			if err := job.QueueTx(t.Context(), tx, args, time.Time{}); err != nil {
				t.Fatalf("%s: %v", role, err)
			}
			b := &pgx.Batch{}
			job.Queue(b, job.Text(args), time.Time{})
			if err := tx.SendBatch(t.Context(), b).Close(); err != nil {
				t.Fatalf("%s: %v", role, err)
			}
			if end := tx.Rollback; commit {
				err = tx.Commit(t.Context())
			} else {
				err = end(t.Context())
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, sql := range []string{`select args from river.river_job`, `update river.river_job set args = '{}'`, `delete from river.river_job`, `select from river.river_leader`} {
		if _, err := d.DB.Pool(pg.App).Exec(t.Context(), sql); pg.Code(err) != "42501" {
			t.Errorf("halles_app may %s: %v", sql, err)
		}
	}
	d.Exec(t, "notify done")
	if n, err := listener.WaitForNotification(t.Context()); err != nil || n.Channel != "done" {
		t.Errorf("%v was notified, %v", n, err)
	}

	j := jobs(d, nil)
	var mu sync.Mutex
	did := map[string]int{}
	note := func(kind, template string) {
		mu.Lock()
		defer mu.Unlock()
		did[kind+" "+template]++
	}
	job.Work(j, func(_ context.Context, m *river.Job[job.Mail]) error { note("mail", m.Args.Template); return nil })
	job.Work(j, func(_ context.Context, m *river.Job[job.Text]) error { note("text", m.Args.Template); return nil })
	stop := start(t, j)
	eventually(t, "six jobs completed", func() bool { return states(t, d) == strings.Repeat(" completed", 6)[1:] })
	stop()
	want := map[string]int{}
	for _, role := range []pg.Role{pg.App, pg.Identity, pg.Worker} {
		want[fmt.Sprint("mail ", role, true)], want[fmt.Sprint("text ", role, true)] = 1, 1
	}
	if fmt.Sprint(did) != fmt.Sprint(want) {
		t.Errorf("did %v, want %v", did, want)
	}
}

func queue(t *testing.T, d *pgtest.Database, args river.JobArgs, at time.Time) {
	t.Helper()
	err := pgx.BeginFunc(t.Context(), d.DB.Pool(pg.Worker), func(tx pgx.Tx) error { return job.QueueTx(t.Context(), tx, args, at) })
	if err != nil {
		t.Fatal(err)
	}
}

type daily struct {
	Day string `json:"day"`
}

func (daily) Kind() string { return "daily" }

func (daily) InsertOpts() river.InsertOpts {
	return river.InsertOpts{UniqueOpts: river.UniqueOpts{ByArgs: true}}
}

// A unique job is queued once until it is done, and may then come again.
func TestUnique(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	for range 3 {
		queue(t, d, daily{"monday"}, time.Time{})
		queue(t, d, daily{"tuesday"}, time.Time{})
	}
	if got := states(t, d); got != "available available" {
		t.Errorf("queued %s", got)
	}
	var did atomic.Int64
	j := jobs(d, nil)
	job.Work(j, func(context.Context, *river.Job[daily]) error { did.Add(1); return nil })
	start(t, j)
	eventually(t, "both are done", func() bool { return states(t, d) == "completed completed" })
	queue(t, d, daily{"monday"}, time.Time{})
	eventually(t, "it is done again", func() bool { return did.Load() == 3 })
}

// A worker that is killed leaves a job that says it is running. Another takes it over after two
// minutes, and it is tried again.
func TestKilledWorkerIsReplaced(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	queue(t, d, job.Mail{Template: "left", ID: uuid.New()}, time.Time{})
	queue(t, d, job.Mail{Template: "running", ID: uuid.New()}, time.Time{})
	d.Exec(t, `update river.river_job set state = 'running', attempt = 1, attempted_by = '{gone}',
		attempted_at = now() - case args ->> 'template' when 'left' then interval '125 s' else interval '90 s' end`)
	var did atomic.Pointer[string]
	var ahead atomic.Int64
	j := jobs(d, nil)
	j.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	job.Work(j, func(_ context.Context, m *river.Job[job.Mail]) error {
		did.Store(&m.Args.Template)
		if m.Attempt != 2 {
			t.Errorf("try %d", m.Attempt)
		}
		return nil
	})
	start(t, j)
	eventually(t, "the job is taken over", func() bool { return states(t, d) == "retryable running" })
	ahead.Store(int64(15 * time.Second))
	eventually(t, "it is done", func() bool { return states(t, d) == "completed running" })
	if got := did.Load(); got == nil || *got != "left" {
		t.Errorf("did %v", got)
	}
}

// What fails is tried again later, is kept when all tries have failed, and tells nobody's address.
func TestFailureIsDiscreet(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	log := &bytes.Buffer{}
	j := jobs(d, log)
	job.Work(j, func(_ context.Context, m *river.Job[job.Mail]) error {
		switch m.Args.Template {
		case "panic":
			panic("no such mailbox: anna@example.bzh")
		case "final":
			return river.JobCancel(errors.New("550 5.1.1 <anna@example.bzh>: user unknown"))
		}
		return fmt.Errorf("451 <anna@example.bzh> or +33 6 12 34 56 78, 06.12.34.56.78: %w", context.DeadlineExceeded)
	})
	for _, template := range []string{"error", "panic", "final", "last"} {
		queue(t, d, job.Mail{Template: template, ID: uuid.New()}, time.Time{})
	}
	d.Exec(t, `update river.river_job set attempt = max_attempts - 1 where args ->> 'template' = 'last'`)
	stop := start(t, j)
	eventually(t, "all have failed", func() bool { return states(t, d) == "retryable retryable cancelled discarded" })
	stop()
	kept := pgtest.Scan[string](t, d, `select string_agg(errors::text, ' ') from river.river_job`)
	for _, place := range []string{kept, log.String()} {
		for _, private := range []string{"anna", "12 34", "12.34"} {
			if strings.Contains(place, private) {
				t.Errorf("%q is told in %s", private, place)
			}
		}
		for _, public := range []string{"451", "user unknown", "no such mailbox", "deadline exceeded"} {
			if !strings.Contains(place, public) {
				t.Errorf("%q is not told in %s", public, place)
			}
		}
	}
	wait := pgtest.Scan[time.Duration](t, d, `select scheduled_at - attempted_at from river.river_job where args ->> 'template' = 'error'`)
	if wait < 8*time.Second || wait > 12*time.Second {
		t.Errorf("the next try is after %s", wait)
	}
}

// A server that stops lets its jobs end.
func TestStopWaits(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t, pgtest.Crowd)
	begun, end := make(chan struct{}), make(chan struct{})
	j := jobs(d, nil)
	job.Work(j, func(ctx context.Context, _ *river.Job[job.Mail]) error {
		close(begun)
		<-end
		return ctx.Err()
	})
	queue(t, d, job.Mail{ID: uuid.New()}, time.Time{})
	stop := start(t, j)
	<-begun
	stopped := make(chan struct{})
	go func() { stop(); close(stopped) }()
	select {
	case <-stopped:
		t.Error("it did not wait")
	case <-time.After(10 * poll):
	}
	close(end)
	<-stopped
	if got := states(t, d); got != "completed" {
		t.Errorf("the job is %s", got)
	}
}

// Periodic jobs run on one server at a time, and not before their predecessor has ended; a later
// job waits for its time.
func TestEvery(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	queue(t, d, job.Mail{ID: uuid.New()}, time.Now().Add(time.Hour))
	var runs, overlapping, most atomic.Int64
	for range 2 {
		j := jobs(d, nil)
		job.Every(j, "sweep", 50*time.Millisecond, func(context.Context) error {
			most.Store(max(most.Load(), overlapping.Add(1)))
			time.Sleep(200 * time.Millisecond)
			overlapping.Add(-1)
			runs.Add(1)
			return errors.New("a failure is left to the next period")
		})
		job.Work(j, func(context.Context, *river.Job[job.Mail]) error { t.Error("too early"); return nil })
		start(t, j)
	}
	eventually(t, "three runs", func() bool { return runs.Load() >= 3 })
	if most.Load() != 1 {
		t.Errorf("%d ran at once", most.Load())
	}
}

// A server that starts does not do again what was done in this period, but for what comes every few
// minutes and what failed.
func TestRoundsOfARestart(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	const years = 1000 * 24 * time.Hour // so that none ends meanwhile
	var often, seldom, failed atomic.Int64
	for life := int64(1); life <= 2; life++ {
		j := jobs(d, nil)
		job.Every(j, "often", time.Minute, func(context.Context) error { often.Add(1); return nil })
		job.Every(j, "seldom", years, func(context.Context) error { seldom.Add(1); return nil })
		job.Every(j, "failed", years, func(context.Context) error { failed.Add(1); return errors.New("no") })
		stop := start(t, j)
		eventually(t, "the rounds", func() bool {
			return often.Load() >= life && failed.Load() >= life && pgtest.Scan[int](t, d, `select count(*)::int from river.river_job where finalized_at is null`) == 0
		})
		stop()
	}
	if n := seldom.Load(); n != 1 {
		t.Errorf("it was done %d times", n)
	}
}

// What may take longer than others is given its time, and is not taken from a worker that has it.
func TestTimeOfARound(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	j := jobs(d, nil)
	type round struct {
		name string
		left time.Duration
	}
	rounds := make(chan round, 8)
	tell := func(name string) func(ctx context.Context) error {
		return func(ctx context.Context) error {
			until, _ := ctx.Deadline()
			rounds <- round{name, time.Until(until)}
			return nil
		}
	}
	most := map[string]time.Duration{"minute": job.Timeout, "hour": 6 * time.Minute, "day": job.LongestRound, "long": time.Hour}
	job.Every(j, "minute", time.Minute, tell("minute"))
	job.Every(j, "hour", time.Hour, tell("hour"))
	job.Every(j, "day", 24*time.Hour, tell("day"))
	job.EveryWithin(j, "long", time.Hour, time.Hour, tell("long"))
	start(t, j)
	for len(most) > 0 {
		select {
		case r := <-rounds:
			if want := most[r.name]; r.left > want || r.left < want/2 {
				t.Errorf("%s has %v, of %v", r.name, r.left, want)
			}
			delete(most, r.name)
		case <-time.After(time.Minute):
			t.Fatalf("these do not run: %v", most)
		}
	}
}
