package media

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/tenancy"
)

// audit writes down what staff does to shops that are not its own.
func audit(ctx context.Context, tx pgx.Tx, v *identity.Viewer, at time.Time, action identity.AuditAction, object tenancy.ID, before, after any) error {
	if v.Kind == identity.Merchant {
		return nil
	}
	b := &pgx.Batch{}
	identity.QueueAudit(b, identity.AuditEntry{By: v, At: at, Action: action, Object: object, Before: before, After: after})
	return tx.SendBatch(ctx, b).Close()
}
