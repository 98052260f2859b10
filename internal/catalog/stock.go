package catalog

import (
	"bytes"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/money"
	"github.com/audelor/halles/internal/tenancy"
)

// An order's moves of stock are queued on its transaction's batches: QueueTake in the first,
// QueueReturn and QueueMoves in the last. All lock variants in the order of their keys, so
// that two baskets with the same variants wait for each other and never in a circle (in
// basket order, 24 clients got 47 deadlocks in 4 s).

// Pieces is a number of pieces of a variant.
type Pieces struct {
	Variant  uuid.UUID
	Quantity int
}

// Taken is a variant as it was when pieces of it were taken.
type Taken struct {
	Name        string // the product's
	OptionValue string
	PriceCents  money.Cents
	VATRate     money.BasisPoints
}

// QueueTake takes pieces of published variants of a shop that are not on pause. got is told the index of each that
// was taken; of those that are not sold there, or not so many, it is told nothing, and the
// caller must roll back. The condition is part of the UPDATE: to look first and write
// after sells the last piece twice.
//
// That the shop is "not distinct" and not equal keeps the planner from the index of the shop's SKUs:
// with row-level security it takes both to be one row, and it read and threw away all of a shop's
// variants, 80 on average, for each.
func QueueTake(b *pgx.Batch, shop tenancy.ID, want []Pieces, got func(i int, t Taken)) {
	for _, i := range inKeyOrder(want) {
		b.Queue(`
			update variants v set stock = stock - $4
			where commune_id = $1 and id = $2 and shop_id is not distinct from $3 and published and stock >= $4 and (not paused or paused_until <= now())
			returning (select p.name from products p where p.commune_id = v.commune_id and p.id = v.product_id),
				option_value, price_cents, vat_rate`,
			shop.Commune, want[i].Variant, shop.Row, want[i].Quantity).QueryRow(func(row pgx.Row) error {
			var t Taken
			err := row.Scan(&t.Name, &t.OptionValue, &t.PriceCents, &t.VATRate)
			if errors.Is(err, pgx.ErrNoRows) {
				return nil
			}
			if err == nil {
				got(i, t)
			}
			return err
		})
	}
}

// QueueTakeKnown is QueueTake for who knows the variants already. It asks for nothing back: where pieces
// cannot be taken the transaction ends there, by the constraint "as_known".
func QueueTakeKnown(b *pgx.Batch, shop tenancy.ID, want []Pieces) {
	for _, i := range inKeyOrder(want) {
		b.Queue(`
			with taken as (
				update variants set stock = stock - $4
				where commune_id = $1 and id = $2 and shop_id is not distinct from $3 and published and stock >= $4 and (not paused or paused_until <= now())
				returning id)
			select case when not exists (select from taken) then not_as_known() end`,
			shop.Commune, want[i].Variant, shop.Row, want[i].Quantity)
	}
}

// QueueReturn gives pieces back, also of variants withdrawn since, which row-level security shows
// nobody else: it is told of these alone, for the rest of the transaction.
func QueueReturn(b *pgx.Batch, commune string, back []Pieces) {
	ids := make([]uuid.UUID, len(back))
	for i, p := range back {
		ids[i] = p.Variant
	}
	b.Queue(`select set_config('halles.returned', $1::uuid[]::text, true)`, ids)
	for _, i := range inKeyOrder(back) {
		b.Queue(`update variants set stock = stock + $3 where commune_id = $1 and id = $2`, commune, back[i].Variant, back[i].Quantity)
	}
}

// MoveKind is why stock moved.
type MoveKind string

// The moves of orders. An order makes each at most once for a variant: the ledger's unique
// index refuses the second.
const (
	Ordered  MoveKind = "ORDERED"
	Returned MoveKind = "RETURNED"
	Reduced  MoveKind = "REDUCED" // of a part, at each change of the order that its customer confirmed
)

// QueueMoves writes an order's moves into the ledger.
func QueueMoves(b *pgx.Batch, order tenancy.ID, kind MoveKind, pieces []Pieces, at time.Time) {
	ids, variants, quantities := make([]uuid.UUID, len(pieces)), make([]uuid.UUID, len(pieces)), make([]int, len(pieces))
	for i, p := range pieces {
		ids[i], variants[i], quantities[i] = tenancy.NewRow(), p.Variant, p.Quantity
		if kind == Ordered {
			quantities[i] = -p.Quantity
		}
	}
	b.Queue(`
		insert into stock_moves (commune_id, id, variant_id, order_id, kind, quantity, at)
		select $1, m.id, m.variant_id, $2, $3, m.quantity, $4
		from unnest($5::uuid[], $6::uuid[], $7::int[]) m (id, variant_id, quantity)`,
		order.Commune, order.Row, string(kind), at, ids, variants, quantities)
}

// QueueReduce takes pieces out of an order that goes on, and writes it into the ledger. They come
// back on sale; or, missing, they leave the stock as lost in the same instant: the order no longer
// has them, and neither has the shelf.
func QueueReduce(b *pgx.Batch, order tenancy.ID, off []Pieces, missing bool, at time.Time) {
	QueueMoves(b, order, Reduced, off, at)
	if !missing {
		QueueReturn(b, order.Commune, off)
		return
	}
	for _, i := range inKeyOrder(off) {
		b.Queue(`insert into stock_moves (commune_id, id, variant_id, kind, reason, quantity, at) values ($1, $2, $3, $4, $5, $6, $7)`,
			order.Commune, tenancy.NewRow(), off[i].Variant, string(corrected), string(Lost), -off[i].Quantity, at)
	}
}

func inKeyOrder(pieces []Pieces) []int {
	order := make([]int, len(pieces))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return bytes.Compare(pieces[i].Variant[:], pieces[j].Variant[:]) })
	return order
}
