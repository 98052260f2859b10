package directory

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/job"
)

const (
	// confirmedFor is how many months a confirmation is good for: then the public is told that
	// nobody has confirmed the profile since.
	confirmedFor = 6
	// remindAfter is when the merchant is asked, a month before that; again each remindEvery.
	remindAfter = 5
	remindEvery = 30 * 24 * time.Hour
	// maxReminders bounds what one day sends: a large import would confirm all on one day, and ask
	// all on another.
	maxReminders = 200
)

// UnconfirmedSince is when the shop's profile was last confirmed, or changed where it never was,
// if that is more than six months ago; nil while it counts as right.
func (r *Registrations) UnconfirmedSince(s *Shop) *time.Time {
	last := s.UpdatedAt
	if s.LastConfirmedAt != nil {
		last = *s.LastConfirmedAt
	}
	if last.AddDate(0, confirmedFor, 0).After(r.now()) {
		return nil
	}
	return &last
}

// remind asks the merchants of shops that nobody has confirmed for long, the longest first. It
// does what is due by the clock, and each shop's once a month.
func (r *Registrations) remind(ctx context.Context) error {
	codes, err := r.Communes.Codes(ctx)
	if err != nil {
		return err
	}
	return r.DB.Write(ctx, workerScope(codes...), func(ctx context.Context, tx pgx.Tx) error {
		now := r.now()
		rows, err := tx.Query(ctx, `
			insert into shop_reminders as m (commune_id, shop_id, reminded_at)
			select s.commune_id, s.id, $2 from shops s left join shop_reminders d on d.commune_id = s.commune_id and d.shop_id = s.id
			where s.commune_id = any ($1) and s.status = 'PUBLISHED' and coalesce(s.last_confirmed_at, s.updated_at) < $3
			and (d.reminded_at is null or d.reminded_at < $4)
			order by coalesce(s.last_confirmed_at, s.updated_at), s.id limit $5
			on conflict (commune_id, shop_id) do update set reminded_at = excluded.reminded_at where m.reminded_at < $4
			returning commune_id as commune, shop_id as id`, codes, now, now.AddDate(0, -remindAfter, 0), now.Add(-remindEvery), maxReminders)
		if err != nil {
			return err
		}
		type shop struct {
			Commune string
			ID      uuid.UUID
		}
		due, err := pgx.CollectRows(rows, pgx.RowToStructByName[shop])
		if err != nil {
			return err
		}
		for _, s := range due {
			if err := job.QueueTx(ctx, tx, job.Mail{Template: "shop_unconfirmed", Commune: s.Commune, ID: s.ID}, time.Time{}); err != nil {
				return err
			}
		}
		return nil
	})
}
