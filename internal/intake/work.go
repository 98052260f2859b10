package intake

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/sheet"
	"github.com/audelor/halles/internal/tenancy"
)

// errTaken ends a runner whose lease another has taken.
var errTaken = errors.New("another process has taken the import over")

// conflict ends an import: rows are not as the plan found them.
type conflict struct{ rows []Moved }

func (c *conflict) Error() string { return fmt.Sprintf("%d rows were changed meanwhile", len(c.rows)) }

// manyRows is from where on an import's rows change what the planner believes of their tables.
const manyRows = 1000

// statistics has the planner see what an import of many rows added, the journal's too. It takes no lock
// that a reader or a writer would wait for; where it cannot be had, all goes on, and slower.
func (w *worker) statistics(ctx context.Context, im *Import) {
	if im.CreatedCount+im.ChangedCount < manyRows {
		return
	}
	_ = w.DB.Write(ctx, w.scope, func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `select import_statistics()`)
		return err
	})
}

// finish carries a planned import out from wherever its journal stands.
func (w *worker) finish(ctx context.Context, im *Import) error {
	w.statistics(ctx, im)
	if im.Status == Applying {
		err := w.apply(ctx, im)
		var clash *conflict
		switch {
		case err == nil:
			return nil
		case !errors.As(err, &clash):
			return err
		}
		if err := w.giveUp(ctx, im, clash); err != nil {
			return err
		}
	}
	return w.undo(ctx, im)
}

func (w *worker) apply(ctx context.Context, im *Import) error {
	if err := w.walk(ctx, im, "PLANNED", false); err != nil {
		return err
	}
	return w.DB.Write(ctx, w.scope, func(ctx context.Context, tx pgx.Tx) error {
		now := w.now()
		if _, err := tx.Exec(ctx, long); err != nil {
			return err
		}
		if err := w.advance(ctx, tx, im, Applied, im.CreatedCount, 0); err != nil {
			return err
		}
		if im.CreatedCount == 0 {
			return nil
		}
		tell := func(done int) { w.progress("création", done, im.CreatedCount) }
		tell(0)
		if err := w.steps.Create(ctx, tx, im, now, tell); err != nil {
			if pg.Code(err) == "23505" { // unique_violation: somebody made one of them meanwhile
				return &conflict{}
			}
			return fmt.Errorf("create: %w", err)
		}
		tell(im.CreatedCount)
		im.DoneCount += im.CreatedCount
		_, err := tx.Exec(ctx, `update import_changes set state = 'APPLIED' where commune_id = $1 and import_id = $2 and kind = 'CREATED'`, im.CommuneID, im.Row)
		return err
	})
}

// advance extends the lease and counts, or ends the import with a status. The row stays locked
// until commit, so that nobody takes the import over in the middle of a step.
func (w *worker) advance(ctx context.Context, tx pgx.Tx, im *Import, to Status, done, left int) error {
	now := w.now()
	until, finished := new(time.Time), (*time.Time)(nil)
	*until = now.Add(lease)
	if to != Applying && to != Undoing {
		until, finished = nil, &now
	}
	tag, err := tx.Exec(ctx, `update imports set status = $4, done_count = done_count + $5, left_count = left_count + $6, lease_until = $7, finished_at = $8
		where commune_id = $1 and id = $2 and runner = $3`, im.CommuneID, im.Row, w.runner, string(to), done, left, until, finished)
	if err == nil && tag.RowsAffected() == 0 {
		return errTaken
	}
	if err == nil {
		im.Status, im.FinishedAt = to, finished
	}
	return err
}

// walk carries the lines in a state out or back, chunk by chunk.
func (w *worker) walk(ctx context.Context, im *Import, state string, undoing bool) error {
	last, done, size := uuid.Nil, 0, firstChunk
	total := im.ChangedCount
	if undoing {
		total += im.CreatedCount
	}
	for {
		n := 0
		var next uuid.UUID
		var left []Moved
		began := time.Now()
		err := w.DB.Write(ctx, w.scope, func(ctx context.Context, tx pgx.Tx) (err error) {
			var lines []int
			if err := tx.QueryRow(ctx, `
				select coalesce(array_agg(line), '{}'), coalesce((array_agg(lock_id order by lock_id desc))[1], $4) from (
					select line, lock_id from import_changes
					where commune_id = $1 and import_id = $2 and lock_id > $4 and state = $3 and (kind = 'CHANGED' or $6)
					order by lock_id limit $5) c`,
				im.CommuneID, im.Row, state, last, size, undoing).Scan(&lines, &next); err != nil {
				return err
			}
			if n = len(lines); n == 0 {
				return nil
			}
			left, err = w.chunk(ctx, tx, im, lines, undoing)
			return err
		})
		if err != nil || n == 0 {
			return err
		}
		switch took := time.Since(began); {
		case took > 2*chunkTime:
			size = max(size/2, leastChunk)
		case took < chunkTime/2:
			size = min(size*2, mostChunk)
		}
		im.DoneCount, im.LeftCount, last, done = im.DoneCount+n-len(left), im.LeftCount+len(left), next, done+n
		w.progress(map[bool]string{false: "modification", true: "annulation"}[undoing], done, total)
	}
}

// chunk changes or restores some rows. When applying, one that has moved is a conflict; when
// undoing, it is left as it is.
func (w *worker) chunk(ctx context.Context, tx pgx.Tx, im *Import, lines []int, undoing bool) ([]Moved, error) {
	if err := w.steps.Lock(ctx, tx, im, lines); err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	moved, err := w.steps.Moved(ctx, tx, im, lines, undoing)
	if err != nil {
		return nil, fmt.Errorf("compare: %w", err)
	}
	if len(moved) > 0 && !undoing {
		return nil, &conflict{moved}
	}
	kept := map[int]bool{}
	var sold, changed []int
	for _, m := range moved {
		if kept[m.Line] = true; m.Sold {
			sold = append(sold, m.Line)
		} else {
			changed = append(changed, m.Line)
		}
	}
	free := lines[:0:0]
	for _, line := range lines {
		if !kept[line] {
			free = append(free, line)
		}
	}
	if err := w.steps.Change(ctx, tx, im, free, undoing, w.now()); err != nil {
		return nil, fmt.Errorf("change: %w", err)
	}
	state, status := "APPLIED", Applying
	if undoing {
		state, status = "UNDONE", Undoing
	}
	_, err = tx.Exec(ctx, `update import_changes set state = case when line = any($4) then 'LEFT_SOLD' when line = any($5) then 'LEFT_CHANGED' else $6 end
		where commune_id = $1 and import_id = $2 and line = any($3)`, im.CommuneID, im.Row, lines, sold, changed, state)
	if err != nil {
		return nil, err
	}
	return moved, w.advance(ctx, tx, im, status, len(free), len(moved))
}

// giveUp begins to undo an import that met rows changed by somebody else, and says which.
func (w *worker) giveUp(ctx context.Context, im *Import, clash *conflict) error {
	report := sheet.Report{}
	for _, m := range clash.rows {
		report.Add(m.Line, "", "« %s » vient d'être modifié par quelqu'un d'autre. Rien n'a été importé ; relancez l'import.", m.Label)
	}
	if len(clash.rows) == 0 {
		report.Add(0, "", "Un article ou une boutique du fichier vient d'être créé par quelqu'un d'autre. Rien n'a été importé ; relancez l'import.")
	}
	im.IssueCount, im.Issues = report.Count, report.Issues
	return w.DB.Write(ctx, w.scope, func(ctx context.Context, tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `update imports set issues = $3, issue_count = $4 where commune_id = $1 and id = $2`,
			im.CommuneID, im.Row, im.Issues, im.IssueCount); err != nil {
			return err
		}
		return w.advance(ctx, tx, im, Undoing, 0, 0)
	})
}

// undo puts back what was done. An import that failed has FAILED then, one that was asked back is
// UNDONE.
func (w *worker) undo(ctx context.Context, im *Import) error {
	w.statistics(ctx, im)
	if err := w.walk(ctx, im, "APPLIED", true); err != nil {
		return err
	}
	to := Undone
	if im.IssueCount > 0 {
		to = Failed
	}
	return w.DB.Write(ctx, w.scope, func(ctx context.Context, tx pgx.Tx) error {
		return w.advance(ctx, tx, im, to, 0, 0)
	})
}

// Refusal is a no of the business: nothing was changed.
type Refusal struct {
	Code    RefusalCode
	Message string
	Path    []string
}

// RefusalCode is a Refusal for programs.
type RefusalCode string

// The refusals.
const (
	NotApplied RefusalCode = "IMPORT_NOT_APPLIED" // nothing to undo: it was refused, tried, or undone already
	StillBusy  RefusalCode = "IMPORT_RUNNING"     // it is being applied or undone
)

// Undo puts back what an import did, but for rows that were sold or changed since: these are left,
// and listed among its changes.
//
// Faults: NOT_FOUND for an import that is not the viewer's, nor of a commune that it serves.
func (i *Intake) Undo(ctx context.Context, v *identity.Viewer, id tenancy.ID, progress func(stage string, done, total int)) (_ *Import, _ []Refusal, err error) {
	defer fault.Wrap(&err, "undo %s", id)
	im, err := i.ByID(ctx, v, id)
	if err != nil {
		return nil, nil, err
	}
	w, err := i.worker(ctx, v, im, progress)
	if err != nil {
		return nil, nil, err
	}
	var refused []Refusal
	err = i.DB.Write(ctx, w.scope, func(ctx context.Context, tx pgx.Tx) error {
		until := w.now().Add(lease)
		tag, err := tx.Exec(ctx, `update imports set status = 'UNDOING', done_count = 0, left_count = 0, lease_until = $3, runner = $4
			where commune_id = $1 and id = $2 and status = 'APPLIED'`, im.CommuneID, im.Row, until, w.runner)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			refused = []Refusal{refusalOf(im)}
			return nil
		}
		if err := w.audit(ctx, tx, im, "IMPORT_UNDO", Applied, Undoing); err != nil {
			return err
		}
		im.Status, im.DoneCount, im.LeftCount = Undoing, 0, 0
		return nil
	})
	if err != nil || refused != nil {
		return im, refused, err
	}
	return im, nil, w.undo(context.WithoutCancel(ctx), im)
}

func refusalOf(im *Import) Refusal {
	if im.Status == Applying || im.Status == Undoing || im.Status == Applied {
		return Refusal{Code: StillBusy, Message: "Cet import est en cours. Attendez qu'il soit terminé.", Path: []string{"input", "import"}}
	}
	return Refusal{Code: NotApplied, Message: "Cet import n'a rien changé, ou il est déjà annulé : il n'y a rien à défaire.", Path: []string{"input", "import"}}
}

func (i *Intake) worker(ctx context.Context, v *identity.Viewer, im *Import, progress func(string, int, int)) (*worker, error) {
	w := &worker{Intake: i, v: v, scope: v.Scope().In(im.CommuneID), runner: tenancy.NewRow(), progress: progress}
	if w.progress == nil {
		w.progress = func(string, int, int) {}
	}
	return w, i.DB.Write(ctx, w.scope, func(ctx context.Context, tx pgx.Tx) (err error) {
		w.steps, err = i.Steps[im.Kind](ctx, tx, v, im.CommuneID)
		return err
	})
}

// Resume goes on with imports whose runner has gone, one after the other, and says how many there
// were. Every server may run it at any time.
func (i *Intake) Resume(ctx context.Context) (int, error) {
	codes, err := i.Communes.Codes(ctx)
	if err != nil {
		return 0, err
	}
	stale, err := pg.Select[Import](ctx, i.DB, pg.Scope{Role: pg.Worker, Communes: codes},
		"select "+importColumns+" from imports i where i.commune_id = any($1) and i.lease_until < $2 order by i.lease_until", codes, i.now())
	if err != nil {
		return 0, fmt.Errorf("imports whose runner has gone: %w", err)
	}
	n := 0
	for _, im := range stale {
		w, err := i.worker(ctx, identity.Platform(codes), &im, nil)
		if err != nil {
			return n, err
		}
		taken := false
		err = i.DB.Write(ctx, w.scope, func(ctx context.Context, tx pgx.Tx) error {
			tag, err := tx.Exec(ctx, `update imports i set runner = $3, lease_until = $4 from (
					select id from imports where commune_id = $1 and id = $2 and lease_until < $5 for update skip locked) free
				where i.commune_id = $1 and i.id = free.id`, im.CommuneID, im.Row, w.runner, w.now().Add(lease), w.now())
			taken = tag.RowsAffected() > 0
			return err
		})
		if err == nil && taken {
			n++
			err = w.finish(ctx, &im)
		}
		if err != nil && !errors.Is(err, errTaken) {
			return n, fmt.Errorf("resume import %s: %w", im.ID(), err)
		}
	}
	return n, nil
}

// resumed is how often a server looks for imports whose runner has gone.
const resumed = 30 * time.Second

// Work resumes until ctx ends. All servers may do so side by side; it is no job, which would have
// a minute for what may take longer.
func (i *Intake) Work(ctx context.Context, log *slog.Logger) error {
	tick := time.NewTicker(resumed)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
			if _, err := i.Resume(ctx); err != nil && ctx.Err() == nil {
				log.WarnContext(ctx, "imports", "error", err)
			}
		}
	}
}
