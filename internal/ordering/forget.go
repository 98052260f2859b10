package ordering

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/pg"
)

// ContactKept is how long an order keeps whose it was after its end, for complaints; lines and
// amounts stay as accounts want them, without a person (RGPD, art. 5; Code de commerce, art. L123-22).
const ContactKept = 90 * 24 * time.Hour

// erasedAtOnce bounds a transaction that empties orders.
const erasedAtOnce = 500

// Ended are, as a list in SQL, the statuses of orders that nobody waits for.
const Ended = `('COLLECTED', 'DELIVERED', 'REJECTED', 'CANCELLED', 'NO_SHOW')`

// Erase takes the person out of orders of a commune: contact, address, notes, what a shop wrote to
// it, the account, the links that open them. What was sold stays. Erased already, it changes nothing.
func (o *Ordering) Erase(ctx context.Context, commune string, orders []uuid.UUID) error {
	return o.empty(ctx, commune, orders, true)
}

// ForgetContacts does so for orders that ended three months ago, and returns how many it were. An
// account keeps its own: what it bought, not where it lived then.
func (o *Ordering) ForgetContacts(ctx context.Context) (n int, err error) {
	scope, err := o.jobScope(ctx)
	if err != nil {
		return 0, err
	}
	for _, commune := range scope.Communes {
		old, err := pg.SelectScalars[uuid.UUID](ctx, o.DB, scope.In(commune), `
			select o.id from orders o join order_contacts c on c.commune_id = o.commune_id and c.order_id = o.id
			where o.commune_id = $1 and o.status in `+Ended+` and o.updated_at < $2
			and (c.name is not null or c.phone is not null or c.email is not null or c.street is not null or c.latitude is not null)
			order by o.id`, commune, o.now().Add(-ContactKept))
		if err != nil {
			return n, fmt.Errorf("find the old contacts of %s: %w", commune, err)
		}
		if err := o.empty(ctx, commune, old, false); err != nil {
			return n, err
		}
		n += len(old)
	}
	return n, nil
}

func (o *Ordering) empty(ctx context.Context, commune string, orders []uuid.UUID, account bool) error {
	for part := range slices.Chunk(orders, erasedAtOnce) {
		err := o.DB.Write(ctx, pg.Scope{Role: pg.Worker, Kind: "job", Communes: []string{commune}}, func(ctx context.Context, tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, `select from orders where commune_id = $1 and id = any($2) order by id for update`, commune, part); err != nil {
				return err
			}
			if err := EraseContactsTx(ctx, tx, commune, part); err != nil {
				return err
			}
			b := &pgx.Batch{} // where the buyer lives stays: a commune of some thousands, for figures of flows
			if account {      // the scope names the account too; the key in it has served
				b.Queue(`update orders set customer_id = null, scope = id::text where commune_id = $1 and id = any($2) and scope <> id::text`, commune, part)
			}
			b.Queue(`delete from guest_links where commune_id = $1 and order_id = any($2)`, commune, part)
			return tx.SendBatch(ctx, b).Close()
		})
		if err != nil {
			return fmt.Errorf("empty the orders of %s: %w", commune, err)
		}
	}
	return nil
}
