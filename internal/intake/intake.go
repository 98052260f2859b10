// Package intake takes in what people send: files, kept in pieces until they are used, and the
// rows of a spreadsheet, imported all or not at all. What a row means is the features' business:
// catalog and directory say it in Steps.
//
// # How an import is all or nothing and holds nobody up
//
// A hundred thousand changes in one transaction would hold each article that it has touched until
// the last, and an order for it would wait. In many transactions a crash, or a row that somebody
// changes meanwhile, would leave half of them. So:
//
//  1. Everything is checked first, in one transaction that locks nothing: the file is copied into
//     a temporary table, what is wrong with it is told by line and column, and each change that it
//     makes is written into a journal (import_changes), with what was there before. A dry run ends
//     here: its diff is the journal, and an import's is made by the same statement.
//  2. Rows that exist are changed in chunks of a few hundred, each a transaction of some 100 ms,
//     locked in the order of their keys as orders lock them, and ticked off in the journal in the
//     same transaction. A row that is not any more as the journal says is a conflict: the chunks
//     before are undone, and the import has FAILED as if it had not been.
//  3. Rows that are new are made last, in one transaction: nobody can order what nobody sees yet.
//     It marks the import APPLIED.
//
// Stock is a number that customers change meanwhile. What the file says was counted when the plan
// was made: the difference is applied, as a move in the ledger, so that what was sold between
// stays sold. It never goes below nothing.
//
// Whoever runs a step holds a lease of half a minute, which each chunk extends. After a crash the
// next server takes over and goes on where the journal stands (Resume).
//
// # Undo
//
// An undo walks the journal back in the same chunks. A row that was sold or changed since is left
// as it is, and listed; all others are put back. It could have refused as a whole: but an undo is
// asked for when wrong prices are online, and one sale among two thousand rows must not keep the
// other 1,999 there. Rows that the import made are archived with an empty stock and not deleted:
// the ledger is append-only, and the same file imported again finds them by their keys.
package intake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/page"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/sheet"
	"github.com/audelor/halles/internal/tenancy"
)

// Intake takes files and imports them.
type Intake struct {
	DB       *pg.DB
	Communes *tenancy.Register
	Cursors  *page.Sealer
	Steps    map[Kind]StepsOf // set by the features: see catalog and directory
	Now      func() time.Time // time.Now when nil
}

// New returns an intake into db, which knows no kind of file yet.
func New(db *pg.DB, communes *tenancy.Register, cursors *page.Sealer) *Intake {
	return &Intake{DB: db, Communes: communes, Cursors: cursors, Steps: map[Kind]StepsOf{}}
}

// StepsOf makes the steps of a kind for one import: it reads what rows are checked against.
type StepsOf func(ctx context.Context, tx pgx.Tx, v *identity.Viewer, commune string) (*Steps, error)

func (i *Intake) now() time.Time {
	if i.Now != nil {
		return i.Now()
	}
	return time.Now()
}

// Kind is what a file lists.
type Kind string

// The kinds of files.
const (
	Products Kind = "PRODUCTS"
	Shops    Kind = "SHOPS"
)

// Status is how far an import is.
type Status string

// The statuses of an import; see the table's comment.
const (
	Refused  Status = "REFUSED"
	Checked  Status = "CHECKED"
	Applying Status = "APPLYING"
	Applied  Status = "APPLIED"
	Undoing  Status = "UNDOING"
	Undone   Status = "UNDONE"
	Failed   Status = "FAILED"
)

// Import is a file that was imported, tried or refused.
type Import struct {
	CommuneID    string
	Row          uuid.UUID `db:"id"`
	Kind         Kind
	Status       Status
	FileName     string
	LineCount    int // rows of the file, its headings and empty lines not counted
	CreatedCount int
	ChangedCount int
	IssueCount   int
	Issues       []sheet.Issue // the first ones
	DoneCount    int           // rows changed or put back so far
	LeftCount    int           // rows that an undo left as they are
	CreatedAt    time.Time
	FinishedAt   *time.Time
}

const importColumns = `i.commune_id, i.id, i.kind, i.status, i.file_name, i.line_count, i.created_count, i.changed_count,
	i.issue_count, i.issues, i.done_count, i.left_count, i.created_at, i.finished_at`

// ID is the import's global ID.
func (i *Import) ID() tenancy.ID { return tenancy.RowID(tenancy.KindImport, i.CommuneID, i.Row) }

// UnchangedCount is how many rows of the file say what is there already.
func (i *Import) UnchangedCount() int {
	return max(i.LineCount-i.CreatedCount-i.ChangedCount, 0)
}

// Steps are what a kind of import does with its rows. All SQL of theirs names the commune.
type Steps struct {
	Columns []sheet.Column
	// Table makes the temporary table that rows are copied into, dropped on commit, whose columns
	// are Fields.
	Table  string
	Name   string
	Fields []string
	// Row reads a row; nil when something is wrong with it, which it has told the row.
	Row func(row *sheet.Row, has func(column string) bool) []any
	// Plan looks for what is wrong with the rows as a whole and, where nothing is, writes the
	// journal.
	Plan func(ctx context.Context, tx pgx.Tx, im *Import, report *sheet.Report) error
	// Lock locks the rows that changes of these lines touch, in the order that orders lock in.
	Lock func(ctx context.Context, tx pgx.Tx, im *Import, lines []int) error
	// Moved lists those of the locked lines whose rows are not as they were before the import or,
	// when undoing, as it left them.
	Moved func(ctx context.Context, tx pgx.Tx, im *Import, lines []int, undoing bool) ([]Moved, error)
	// Change carries the lines out or, when undoing, back.
	Change func(ctx context.Context, tx pgx.Tx, im *Import, lines []int, undoing bool, now time.Time) error
	// Create makes the rows that are new, and tells how many it has.
	Create func(ctx context.Context, tx pgx.Tx, im *Import, now time.Time, tell func(done int)) error
}

// Moved is a row that somebody else has changed.
type Moved struct {
	Line  int
	Label string
	Sold  bool // else changed in another way
}

const (
	// firstChunk is how many rows are locked at first; then as many as take some chunkTime, so that
	// on a busy machine nobody waits longer: a tenth of the second that is the limit. Below some
	// tens a chunk costs what its transaction costs, and fewer rows make it no shorter.
	firstChunk, leastChunk, mostChunk = 100, 25, 1000
	chunkTime                         = 100 * time.Millisecond
	// copied is how many rows are in memory on their way into the temporary table.
	copied = 2000
	// lease is how long a runner may be silent: the longest step is making 100,000 rows, during
	// which its own lock on the import keeps others away.
	lease = 30 * time.Second
	// MaxRows bounds a file.
	MaxRows = 200_000
	// undoable is how long a journal is kept.
	undoable = 30 * 24 * time.Hour
)

// Options say how to import a file.
type Options struct {
	Commune  string
	Kind     Kind
	FileName string
	DryRun   bool
	Progress func(stage string, done, total int) // may be nil; total 0: not known
}

// Run imports a file of a kind into a commune, in the viewer's name. What is wrong with the file
// is in the import that comes back, REFUSED; another's change in between makes it FAILED.
//
// Faults: FORBIDDEN.
func (i *Intake) Run(ctx context.Context, v *identity.Viewer, r io.Reader, o Options) (*Import, error) {
	return i.run(ctx, v, o, func(pgx.Tx) io.Reader { return r })
}

// RunUpload is Run for a file that was sent before.
func (i *Intake) RunUpload(ctx context.Context, v *identity.Viewer, upload tenancy.ID, o Options) (*Import, error) {
	u, err := i.upload(ctx, v, upload)
	if err != nil {
		return nil, err
	}
	o.Commune, o.FileName = u.CommuneID, u.Name
	return i.run(ctx, v, o, func(tx pgx.Tx) io.Reader { return &pieces{ctx: ctx, tx: tx, upload: u} })
}

func (i *Intake) run(ctx context.Context, v *identity.Viewer, o Options, open func(tx pgx.Tx) io.Reader) (_ *Import, err error) {
	defer fault.Wrap(&err, "import %s into %s", o.Kind, o.Commune)
	if err := acting(v, o.Commune); err != nil {
		return nil, err
	}
	w := &worker{Intake: i, v: v, scope: v.Scope().In(o.Commune), runner: tenancy.NewRow(), progress: o.Progress}
	if w.progress == nil {
		w.progress = func(string, int, int) {}
	}
	im := &Import{CommuneID: o.Commune, Row: tenancy.NewRow(), Kind: o.Kind, FileName: fileName(o.FileName), CreatedAt: i.now(), Issues: []sheet.Issue{}}
	if err := w.plan(ctx, im, o.DryRun, open); err != nil {
		return nil, err
	}
	if im.Status != Applying {
		return im, nil
	}
	// From here on it is said and written down: whoever asked may leave.
	if err := w.finish(context.WithoutCancel(ctx), im); err != nil {
		return nil, err
	}
	return im, nil
}

// worker is one process at work on one import.
type worker struct {
	*Intake
	v        *identity.Viewer
	scope    pg.Scope
	runner   uuid.UUID
	steps    *Steps
	progress func(stage string, done, total int)
}

// long gives a transaction of an import the time that it needs: the role's five seconds are for
// requests.
const long = `set local statement_timeout = '120s'; set local idle_in_transaction_session_timeout = '60s'; set local synchronous_commit = on`

// plan reads and checks the file and writes the journal, in one transaction that locks no row of
// anybody's.
func (w *worker) plan(ctx context.Context, im *Import, dry bool, open func(tx pgx.Tx) io.Reader) error {
	read := false
	return w.DB.Write(ctx, w.scope, func(ctx context.Context, tx pgx.Tx) (err error) {
		if read { // a second try would find the file at its end, and import nothing as if that were all
			return errors.New("the transaction was given up, and the file cannot be read again")
		}
		read = true
		if _, err := tx.Exec(ctx, long); err != nil {
			return err
		}
		if w.steps, err = w.Steps[im.Kind](ctx, tx, w.v, im.CommuneID); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, w.steps.Table); err != nil {
			return fmt.Errorf("the temporary table: %w", err)
		}
		report, err := w.copy(ctx, tx, im, open(tx))
		if err != nil {
			return err
		}
		im.Status = Refused
		if err := w.save(ctx, tx, im, report); err != nil {
			return err
		}
		if !report.broken {
			if _, err := tx.Exec(ctx, "analyze "+w.steps.Name); err != nil {
				return err
			}
			if err := w.steps.Plan(ctx, tx, im, &report.Report); err != nil {
				return fmt.Errorf("plan: %w", err)
			}
		}
		if report.Count == 0 {
			if im.Status = Checked; !dry {
				im.Status = Applying
				if err := w.audit(ctx, tx, im, "IMPORT", nil, Applying); err != nil {
					return err
				}
			}
			err := tx.QueryRow(ctx, `select count(*) filter (where kind = 'CREATED'), count(*) filter (where kind = 'CHANGED')
				from import_changes where commune_id = $1 and import_id = $2`, im.CommuneID, im.Row).Scan(&im.CreatedCount, &im.ChangedCount)
			if err != nil {
				return err
			}
		}
		return w.save(ctx, tx, im, report)
	})
}

type fileReport struct {
	sheet.Report
	broken bool // it was not read to its end
}

// copy reads the file into the temporary table, some rows at a time.
func (w *worker) copy(ctx context.Context, tx pgx.Tx, im *Import, file io.Reader) (*fileReport, error) {
	report := &fileReport{}
	reader, err := sheet.Open(file, w.steps.Columns)
	rows := make([][]any, 0, copied)
	send := func() error {
		_, err := tx.CopyFrom(ctx, pgx.Identifier{w.steps.Name}, w.steps.Fields, pgx.CopyFromRows(rows))
		rows = rows[:0]
		w.progress("lecture", im.LineCount, 0)
		return err
	}
	im.LineCount = 0
	for err == nil {
		var row *sheet.Row
		if row, err = reader.Next(); err != nil {
			break
		}
		if im.LineCount++; im.LineCount > MaxRows {
			reader.Report.Add(row.Line, "", "Le fichier a plus de %d lignes. Partagez-le en plusieurs.", MaxRows)
			err = sheet.ErrBroken
			break
		}
		if values := w.steps.Row(row, reader.Has); values != nil {
			rows = append(rows, values)
		}
		if len(rows) == copied {
			if err := send(); err != nil {
				return nil, fmt.Errorf("copy the rows: %w", err)
			}
		}
	}
	report.broken = errors.Is(err, sheet.ErrBroken)
	if err != nil && !errors.Is(err, io.EOF) && !report.broken {
		return nil, fmt.Errorf("read the file: %w", err)
	}
	if im.LineCount == 0 && !report.broken {
		reader.Report.Add(0, "", "Le fichier n'a que la ligne des titres : il n'y a rien à importer.")
	}
	report.Report = reader.Report
	if err := send(); err != nil {
		return nil, fmt.Errorf("copy the rows: %w", err)
	}
	return report, nil
}

// save writes the import as it stands, with its lease when there is work left.
func (w *worker) save(ctx context.Context, tx pgx.Tx, im *Import, report *fileReport) error {
	im.IssueCount, im.Issues = report.Count, append([]sheet.Issue{}, report.Issues...)
	now := w.now()
	until := now.Add(lease)
	finished, leased := &now, (*time.Time)(nil)
	if im.Status == Applying {
		finished, leased = nil, &until
	}
	im.FinishedAt = finished
	_, err := tx.Exec(ctx, `
		insert into imports as i (commune_id, id, account_id, kind, status, file_name, line_count, created_count, changed_count,
			issue_count, issues, created_at, finished_at, runner, lease_until)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
		on conflict (commune_id, id) do update set status = excluded.status, created_count = excluded.created_count,
			changed_count = excluded.changed_count, issue_count = excluded.issue_count, issues = excluded.issues,
			finished_at = excluded.finished_at, lease_until = excluded.lease_until`,
		im.CommuneID, im.Row, owner(w.v), string(im.Kind), string(im.Status), im.FileName, im.LineCount, im.CreatedCount, im.ChangedCount,
		im.IssueCount, im.Issues, im.CreatedAt, im.FinishedAt, w.runner, leased)
	return err
}

// audit writes down what staff does to shops that are not its own: what the import was, and is now.
func (w *worker) audit(ctx context.Context, tx pgx.Tx, im *Import, action identity.AuditAction, was any, is Status) error {
	if w.v.Kind == identity.Merchant {
		return nil
	}
	b := &pgx.Batch{}
	identity.QueueAudit(b, identity.AuditEntry{By: w.v, At: w.now(), Action: action, Object: im.ID(), Before: was, After: is})
	return tx.SendBatch(ctx, b).Close()
}
