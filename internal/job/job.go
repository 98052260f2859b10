// Package job does what need not be done before the answer: messages, deadlines, sweeps. A
// feature queues a job in its own transaction, so that the job exists exactly when the change
// does; any server of the deployment works it off soon after, at least once.
//
// A job carries ids and nothing else. What it says and whom it reaches is read when it runs:
// what was erased meanwhile is not in it.
//
// River keeps the jobs, in a schema of its own; see migrations/jobs.go.
package job

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
)

// Mail asks for a mail: the template says to whom it goes and what the object is, of which it is
// given the commune and the row.
type Mail struct {
	Template string    `json:"template"` // "order_placed"
	Commune  string    `json:"commune"`  // INSEE code; empty for an object of none
	ID       uuid.UUID `json:"id"`
}

// Kind is the name under which mails are queued.
func (Mail) Kind() string { return "mail" }

// InsertOpts gives messages a queue of their own: a mail server that hangs keeps no other job
// waiting.
func (Mail) InsertOpts() river.InsertOpts { return messages }

// Text asks for a text message to a telephone; otherwise it is as Mail.
type Text struct {
	Template string    `json:"template"`
	Commune  string    `json:"commune"`
	ID       uuid.UUID `json:"id"`
}

// Kind is the name under which text messages are queued.
func (Text) Kind() string { return "text" }

// InsertOpts is Mail's.
func (Text) InsertOpts() river.InsertOpts { return messages }

// Tries is how often a job is tried, over about a day; see backoff.
const Tries = 12

const messageQueue = "messages"

var messages = river.InsertOpts{Queue: messageQueue, MaxAttempts: Tries}

// Our own INSERT and not River's: that one reads rows back and asks for the right to change
// them, is a round trip of its own, and sends a NOTIFY from within the transaction, which makes
// all transactions of the database commit one after the other. This one adds a row to the
// batch that is sent anyway; a worker looks for it once a second.
//
// The states in which a unique job keeps its twin away are all but the final three.
const insert = `
	insert into river.river_job (kind, args, queue, max_attempts, priority, unique_key, state, scheduled_at, unique_states)
	select k.kind, k.args::jsonb, k.queue, k.max_attempts, k.priority, k.unique_key,
		(case when $7::timestamptz > now() then 'scheduled' else 'available' end)::river.river_job_state, coalesce($7::timestamptz, now()),
		case when k.unique_key is not null then B'11110001' end
	from unnest($1::text[], $2::text[], $3::text[], $4::smallint[], $5::smallint[], $6::bytea[]) k (kind, args, queue, max_attempts, priority, unique_key)
	on conflict do nothing`

// QueueTx queues a job in the caller's transaction, as any of halles_app, halles_identity and
// halles_worker. It runs after the commit and not before at; the zero time is at once.
//
// Where the arguments' InsertOpts say UniqueOpts{ByArgs: true}, a job with the same arguments that
// waits or runs already is enough. One that runs may have looked before this transaction
// commits: unique is for what comes again anyway, as a sweep.
func QueueTx(ctx context.Context, tx pgx.Tx, args river.JobArgs, at time.Time) error {
	values, err := insertArgs(at, args)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, insert, values...)
	return err
}

// Queue is QueueTx for a transaction that is sent in batches.
func Queue(b *pgx.Batch, args river.JobArgs, at time.Time) { QueueAll(b, at, args) }

// QueueAll is Queue for several jobs, in one statement. It panics on arguments that are no JSON:
// they are structs of ids.
func QueueAll(b *pgx.Batch, at time.Time, all ...river.JobArgs) {
	if len(all) == 0 {
		return
	}
	values, err := insertArgs(at, all...)
	if err != nil {
		panic(err)
	}
	b.Queue(insert, values...)
}

func insertArgs(at time.Time, all ...river.JobArgs) ([]any, error) {
	n := len(all)
	kinds, texts, queues := make([]string, n), make([]string, n), make([]string, n)
	tries, priorities, keys := make([]int16, n), make([]int16, n), make([][]byte, n)
	for i, args := range all {
		encoded, err := json.Marshal(args)
		if err != nil {
			return nil, fmt.Errorf("queue a job %s: %w", args.Kind(), err)
		}
		o := river.InsertOpts{}
		if with, ok := args.(river.JobArgsWithInsertOpts); ok {
			o = with.InsertOpts()
		}
		if o.UniqueOpts.ByArgs {
			sum := sha256.Sum256(append([]byte(args.Kind()+"\x00"), encoded...))
			keys[i] = sum[:]
		}
		kinds[i], texts[i], queues[i] = args.Kind(), string(encoded), orDefault(o.Queue, river.QueueDefault)
		tries[i], priorities[i] = int16(orDefault(o.MaxAttempts, Tries)), int16(orDefault(o.Priority, river.PriorityDefault))
	}
	var when *time.Time
	if !at.IsZero() {
		when = &at
	}
	return []any{kinds, texts, queues, tries, priorities, keys, when}, nil
}

func orDefault[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}
