package catalog

import (
	"context"
	"errors"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/tenancy"
)

// StockReason is why a person moves stock.
type StockReason string

// The reasons, and which way each goes: see moves.
const (
	Received   StockReason = "RECEIVED"     // a delivery came in
	Found      StockReason = "FOUND"        // there were more than written down
	SoldInShop StockReason = "SOLD_IN_SHOP" // across the counter
	Damaged    StockReason = "DAMAGED"
	Lost       StockReason = "LOST"
	Other      StockReason = "OTHER"   // taken out for another reason
	Counted    StockReason = "COUNTED" // an inventory: so many there are
)

// moves says which kind of move of the ledger a reason makes, and which way.
var moves = map[StockReason]struct {
	kind MoveKind
	sign int // 0: to the number counted
}{
	Received: {incoming, 1}, Found: {incoming, 1},
	SoldInShop: {corrected, -1}, Damaged: {corrected, -1}, Lost: {corrected, -1}, Other: {corrected, -1},
	Counted: {corrected, 0},
}

// The moves of merchants.
const (
	incoming  MoveKind = "RECEIVED"
	corrected MoveKind = "CORRECTED"
)

// Valid tells whether r is one of the reasons.
func (r StockReason) Valid() bool { _, is := moves[r]; return is }

// CorrectStockInput is a move of a variant's stock.
type CorrectStockInput struct {
	Variant        tenancy.ID
	Reason         StockReason
	Pieces         int     // that came in or went out; of an inventory, that are there
	IdempotencyKey *string // the same again moves nothing
}

// StockPayload is a variant as it stands now: corrected or, with refusals, as it was.
type StockPayload struct {
	Variant  *Variant
	Refusals []Refusal
}

// CorrectStock moves a variant's stock for a reason, and writes the move into the ledger in the
// same transaction, so that the two never differ. An inventory says how many there are now: it
// waits for the orders that take pieces at this moment, and moves the difference to what they
// left.
//
// The lock is an order's own, on the variant's row; stock has no version, moves add up.
//
// Faults: NOT_FOUND, FORBIDDEN as for any change of a product; CONFLICT for a key that another
// move was made under.
func (c *Catalog) CorrectStock(ctx context.Context, v *identity.Viewer, in CorrectStockInput) (_ *StockPayload, err error) {
	defer fault.Wrap(&err, "CorrectStock(%s)", in.Variant)
	product, err := c.productOf(ctx, v, in.Variant)
	if err != nil {
		return nil, err
	}
	if err := c.mayEdit(ctx, v, product); err != nil {
		return nil, err
	}
	if err := checkKey(in.IdempotencyKey); err != nil {
		return nil, err
	}
	at := []string{"input", "pieces"}
	move, known := moves[in.Reason]
	if !known {
		return nil, fault.At([]string{"input", "reason"}, "Ce motif n'existe pas.")
	}
	var refusals []Refusal
	if least := min(1, move.sign*move.sign); in.Pieces < least || in.Pieces > maxStock {
		refusals = append(refusals, refuse(QuantityOutOfRange, at, "Pour ce motif, donnez de %d à %d pièces.", least, maxStock))
	}
	if len(refusals) == 0 {
		refusals, err = c.moveStock(ctx, v, in)
	}
	if err != nil && !errors.Is(err, errRefused) {
		return nil, err
	}
	found, err := c.VariantsByIDs(ctx, v, []tenancy.ID{in.Variant})
	return &StockPayload{found[in.Variant], slices.Concat([]Refusal{}, refusals)}, err
}

func (c *Catalog) moveStock(ctx context.Context, v *identity.Viewer, in CorrectStockInput) (refusals []Refusal, err error) {
	id, move := in.Variant, moves[in.Reason]
	scope := v.Scope().In(id.Commune)
	scope.Own = true // who orders sees and takes published pieces; nobody else's stock is told or counted here
	err = c.DB.Write(ctx, scope, func(ctx context.Context, tx pgx.Tx) error {
		refusals = nil
		var stock int
		if err := tx.QueryRow(ctx, `select stock from variants where commune_id = $1 and id = $2 for no key update`, id.Commune, id.Row).Scan(&stock); err != nil {
			return err
		}
		quantity := move.sign * in.Pieces
		if move.sign == 0 {
			quantity = in.Pieces - stock
		}
		if again, err := movedBefore(ctx, tx, in); again || err != nil {
			return err
		}
		switch {
		case stock+quantity < 0:
			r := refuse(NotEnoughStock, []string{"input", "pieces"}, "Il n'en reste que %d ; faites plutôt un inventaire (COUNTED) si le compte est faux.", stock)
			r.Available = &stock
			refusals = []Refusal{r}
			return errRefused
		case stock+quantity > maxStock:
			refusals = []Refusal{refuse(QuantityOutOfRange, []string{"input", "pieces"}, "Le stock va de 0 à %d pièces ; il y en a déjà %d.", maxStock, stock)}
			return errRefused
		case quantity == 0: // counted, and right: nothing moves
			return nil
		}
		now := c.now()
		b := &pgx.Batch{}
		b.Queue(`update variants set stock = stock + $3 where commune_id = $1 and id = $2`, id.Commune, id.Row, quantity)
		b.Queue(`insert into stock_moves (commune_id, id, variant_id, kind, quantity, at, reason, key) values ($1, $2, $3, $4, $5, $6, $7, $8)`,
			id.Commune, tenancy.NewRow(), id.Row, string(move.kind), quantity, now, string(in.Reason), in.IdempotencyKey)
		if lent(v) {
			identity.QueueAudit(b, identity.AuditEntry{By: v, At: now, Action: correctedStock, Object: id, Before: stock, After: stock + quantity})
		}
		return tx.SendBatch(ctx, b).Close()
	})
	return refusals, err
}

// movedBefore tells whether the key made this move before: an answer was lost on its way.
func movedBefore(ctx context.Context, tx pgx.Tx, in CorrectStockInput) (bool, error) {
	if in.IdempotencyKey == nil {
		return false, nil
	}
	var reason string
	var quantity int
	err := tx.QueryRow(ctx, `select reason, quantity from stock_moves where commune_id = $1 and variant_id = $2 and key = $3`,
		in.Variant.Commune, in.Variant.Row, *in.IdempotencyKey).Scan(&reason, &quantity)
	switch sign := moves[in.Reason].sign; {
	case errors.Is(err, pgx.ErrNoRows):
		return false, nil
	case err != nil:
		return false, err
	case reason != string(in.Reason) || sign != 0 && quantity != sign*in.Pieces:
		return false, fault.Errorf(fault.Conflict, "Cette clé a déjà servi pour un autre mouvement de cette déclinaison. Prenez une clé nouvelle.")
	}
	return true, nil
}
