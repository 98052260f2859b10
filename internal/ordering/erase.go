package ordering

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// EraseContactsTx empties all that orders of a commune say of the person who ordered, in the
// caller's transaction, as a job's: the contact with its address and point, and what either side
// wrote beside the order (a note, the words to a refusal or a change), which may name somebody too.
// Number, lines, amounts and events stay: they are the shop's books. Orders that have nothing left
// to empty are not written, so that a job may come again.
//
// Whose orders these are is not decided here: retention asks by date, erasure by account, and what
// an account itself holds (orders.customer_id) is the caller's.
func EraseContactsTx(ctx context.Context, tx pgx.Tx, commune string, orders []uuid.UUID) error {
	for _, sql := range []string{
		`update order_contacts set name = null, phone = null, email = null, street = null, postcode = null, city = null, latitude = null, longitude = null
			where commune_id = $1 and order_id = any($2) and num_nonnulls(name, phone, email, street, postcode, city, latitude, longitude) > 0`,
		`update orders set note = null, reason_text = null where commune_id = $1 and id = any($2) and num_nonnulls(note, reason_text) > 0`,
		`update order_changes set text = null where commune_id = $1 and order_id = any($2) and text is not null`,
	} {
		if _, err := tx.Exec(ctx, sql, commune, orders); err != nil {
			return err
		}
	}
	return nil
}
