package directory

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"github.com/audelor/halles/internal/directory/register"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/job"
	"github.com/audelor/halles/internal/pg"
)

// RegisterCheck asks the national register about the SIRET of a dossier.
type RegisterCheck struct {
	Commune string    `json:"commune"`
	ID      uuid.UUID `json:"id"`
}

// Kind is the name under which checks are queued.
func (RegisterCheck) Kind() string { return "register_check" }

// Jobs says what the dossiers need beside answering.
func (r *Registrations) Jobs(j *job.Jobs) {
	job.Work(j, func(ctx context.Context, w *river.Job[RegisterCheck]) error { return r.CheckRegister(ctx, w.Args) })
	job.Every(j, "register_waiting", 24*time.Hour, r.askAgain)
	job.Every(j, "unconfirmed_shops", 24*time.Hour, r.remind)
	job.Every(j, "registration_forget", 24*time.Hour, r.ForgetUnfinished)
}

// checkTx queues the check of a SIRET that the register has not answered for.
func (r *Registrations) checkTx(ctx context.Context, tx pgx.Tx, d *Registration) error {
	if d.RegisterState != RegisterWaiting {
		return nil
	}
	return job.QueueTx(ctx, tx, RegisterCheck{Commune: d.CommuneID, ID: d.Row}, time.Time{})
}

// workerScope reaches the dossiers of communes for a job.
func workerScope(communes ...string) pg.Scope {
	return pg.Scope{Role: pg.Worker, Kind: "job", Communes: communes}
}

// CheckRegister asks the register and keeps what it says, unless the SIRET has changed meanwhile.
// An error says that there was no answer: ask again later. Nobody waits for it.
func (r *Registrations) CheckRegister(ctx context.Context, c RegisterCheck) (err error) {
	defer fault.Wrap(&err, "CheckRegister(%s, %s)", c.Commune, c.ID)
	if r.Register == nil {
		return nil // there is none to ask: the agent checks by hand
	}
	waiting, err := pg.SelectScalars[Siret](ctx, r.DB, workerScope(c.Commune), `
		select siret from registrations where commune_id = $1 and id = $2 and siret is not null and register_state = 'WAITING'`, c.Commune, c.ID)
	if err != nil || len(waiting) == 0 {
		return err
	}
	siret := waiting[0]
	found, err := r.Register.Establishment(ctx, string(siret))
	state := RegisterActive
	switch {
	case errors.Is(err, register.ErrUnknown):
		found, state = &register.Establishment{}, RegisterUnknown
	case err != nil:
		return err
	case !found.Open:
		state = RegisterClosed
	}
	return r.DB.Write(ctx, workerScope(c.Commune), func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `
			update registrations set register_state = $4, register_answered_at = $5, register_name = nullif($6, ''), register_naf = nullif($7, ''),
				register_address = nullif($8, ''), register_commune = nullif($9, ''), register_latitude = $10, register_longitude = $11, register_closed_on = $12
			where commune_id = $1 and id = $2 and siret = $3 and register_state = 'WAITING'`,
			c.Commune, c.ID, siret, string(state), r.now(), found.Name, found.NafCode, found.Address, found.Commune, found.Latitude, found.Longitude, found.ClosedOn)
		return err
	})
}

// askAgain queues the checks whose tries have all failed.
func (r *Registrations) askAgain(ctx context.Context) error {
	codes, err := r.Communes.Codes(ctx)
	if err != nil || r.Register == nil {
		return err
	}
	return r.DB.Write(ctx, workerScope(codes...), func(ctx context.Context, tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `
			select commune_id as commune, id from registrations
			where commune_id = any ($1) and register_state = 'WAITING' and status in ('STARTED', 'SUBMITTED') and register_asked_at < $2 limit 1000`,
			codes, r.now().Add(-36*time.Hour))
		if err != nil {
			return err
		}
		checks, err := pgx.CollectRows(rows, pgx.RowToStructByName[RegisterCheck])
		if err != nil {
			return err
		}
		for _, c := range checks {
			if err := job.QueueTx(ctx, tx, c, time.Time{}); err != nil {
				return err
			}
		}
		return nil
	})
}
