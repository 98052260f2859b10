package directory

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// applicantKept is how long a dossier that was decided keeps whom to speak to about it: a year, in
// which an appeal or a question may come.
const applicantKept = 365 * 24 * time.Hour

// ForgetApplicants takes the person out of dossiers that were decided a year ago, and returns how
// many it were. What the shop publishes of itself is the shop's, and stays with it.
func (r *Registrations) ForgetApplicants(ctx context.Context) (n int, err error) {
	codes, err := r.Communes.Codes(ctx)
	if err != nil {
		return 0, err
	}
	for _, commune := range codes {
		err := r.DB.Write(ctx, workerScope(commune), func(ctx context.Context, tx pgx.Tx) error {
			tag, err := tx.Exec(ctx, `
				update registrations set contact_name = null, contact_phone = null, contact_email = null, reason_text = null
				where commune_id = $1 and status in ('VERIFIED', 'REJECTED', 'MOVED') and coalesce(decided_at, updated_at) < $2
				and (contact_name is not null or contact_phone is not null or contact_email is not null or reason_text is not null)`,
				commune, r.now().Add(-applicantKept))
			if err == nil {
				n += int(tag.RowsAffected())
			}
			return err
		})
		if err != nil {
			return n, fmt.Errorf("forget the applicants of %s: %w", commune, err)
		}
	}
	return n, nil
}

// Disown takes an account out of the dossiers that it began, and the person with it. A dossier that
// is not decided goes on by the hotline: nobody else holds its key.
func (r *Registrations) Disown(ctx context.Context, account uuid.UUID) error {
	codes, err := r.Communes.Codes(ctx)
	if err != nil {
		return err
	}
	return r.DB.Write(ctx, workerScope(codes...), func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `
			update registrations set account_id = null, contact_name = null, contact_phone = null, contact_email = null, reason_text = null,
				resume_key = coalesce(resume_key, gen_random_uuid()), resume_until = coalesce(resume_until, now())
			where commune_id = any($1) and account_id = $2`, codes, account)
		return err
	})
}
