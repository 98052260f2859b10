package directory

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// unfinished is how long a dossier that nobody submitted is kept after its last answer: who has
// not gone on for three months begins anew, and what was told of a person has no purpose any more
// (RGPD, art. 5).
const unfinished = 90 * 24 * time.Hour

// forgottenAtOnce bounds a transaction of the sweep.
const forgottenAtOnce = 500

// ForgetUnfinished deletes the dossiers that were begun and not touched for three months, with the
// person in them; their SIRETs are free again. One that waits to be called back is kept. What the
// hotline counted of its calls stays, without the dossier.
func (r *Registrations) ForgetUnfinished(ctx context.Context) error {
	codes, err := r.Communes.Codes(ctx)
	if err != nil {
		return err
	}
	for _, commune := range codes {
		for n := int64(forgottenAtOnce); n == forgottenAtOnce; {
			err := r.DB.Write(ctx, workerScope(commune), func(ctx context.Context, tx pgx.Tx) error {
				tag, err := tx.Exec(ctx, `
					delete from registrations r using (
						select id from registrations where commune_id = $1 and status = 'STARTED' and updated_at < $2 and call_back_at is null
						order by id limit $3 for update skip locked) old
					where r.commune_id = $1 and r.id = old.id`, commune, r.now().Add(-unfinished), forgottenAtOnce)
				n = tag.RowsAffected()
				return err
			})
			if err != nil {
				return fmt.Errorf("forget the unfinished dossiers of %s: %w", commune, err)
			}
		}
	}
	return nil
}
