package ordering

import (
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/audelor/halles/internal/calendar"
	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/tenancy"
)

// Slot is when the order is handed over, as promised; nil: when it is ready.
func (o *Order) Slot() *calendar.Span {
	if o.SlotStartsAt == nil || o.SlotEndsAt == nil {
		return nil
	}
	return &calendar.Span{Start: *o.SlotStartsAt, End: *o.SlotEndsAt}
}

// queueSlot makes the row of a slot, free and with the usual capacity of its mode, where there is
// none yet. That capacity does not change until commit.
func queueSlot(b *pgx.Batch, shop tenancy.ID, mode directory.FulfilmentMode, start time.Time) {
	b.Queue(`select pg_advisory_xact_lock_shared(slots_lock($1, $2, $3))`, shop.Commune, shop.Row, string(mode))
	b.Queue(`
		insert into slots (commune_id, shop_id, mode, starts_at, capacity)
		select f.commune_id, f.shop_id, f.mode, $4, f.slot_capacity from fulfilments f where f.commune_id = $1 and f.shop_id = $2 and f.mode = $3
		on conflict do nothing`, shop.Commune, shop.Row, string(mode), start)
}

// queueBook takes a place in a slot and tells whether there was one; where not, the caller must
// roll back. It locks the slot's row until commit, after the variants and before the order's own
// rows. The condition is part of the UPDATE: a count that is looked at first overbooks.
func queueBook(b *pgx.Batch, shop tenancy.ID, mode directory.FulfilmentMode, start time.Time, booked *bool) {
	queueSlot(b, shop, mode, start)
	b.Queue(`
		update slots set booked = booked + 1
		where commune_id = $1 and shop_id = $2 and mode = $3 and starts_at = $4 and not closed and not taken`,
		shop.Commune, shop.Row, string(mode), start).Exec(func(tag pgconn.CommandTag) error {
		*booked = tag.RowsAffected() == 1
		return nil
	})
}

// queueSlotReturn gives an order's place back. Its caller has just moved the order out of the
// statuses that hold one, which one transaction alone can do: a place comes back once.
func queueSlotReturn(b *pgx.Batch, o *Order) {
	if o.SlotStartsAt != nil {
		b.Queue(`update slots set booked = booked - 1 where commune_id = $1 and shop_id = $2 and mode = $3 and starts_at = $4`,
			o.CommuneID, o.ShopRow, string(o.Mode), *o.SlotStartsAt)
	}
}
