package ordering

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/catalog"
	"github.com/audelor/halles/internal/pg"
)

// errNotKnown is for an order that cannot be made on what is known: it must be read.
var errNotKnown = errors.New("not known")

// atOnce makes an order on terms and goods that this server knows, judged before anything is sent, in
// one round trip: the same locks in the same order as try's, held for none of our own time. What may
// have become untrue ends the transaction: a key that was used, pieces that cannot be taken, anything
// published of the commune that has changed. This is asked after the variants are locked, so that no
// price changes behind it.
//
// All else is errNotKnown, refusals too: nobody is refused for what was true a minute ago. It saves an
// order a quarter of our own time, and the database a wait and the names of the goods.
func (p *placing) atOnce(ctx context.Context) (*Order, error) {
	order := p.draw()
	s, ok := p.knownTerms(order.PlacedAt)
	if !ok {
		return nil, errNotKnown
	}
	t := &terms{now: order.PlacedAt, offers: s.offers, shop: s.shop, goods: make([]*good, len(p.lines))}
	for i, l := range p.lines {
		if t.goods[i] = s.goods[l.variant.Row]; t.goods[i] == nil {
			return nil, errNotKnown
		}
	}
	if refusals := p.fill(order, t); refusals != nil {
		return nil, errNotKnown
	}
	err := p.DB.Pipe(ctx, p.as(order.ID()), func(ctx context.Context, tx *pg.Pipe) error {
		b := &pgx.Batch{}
		p.queueKey(b, order, "")
		catalog.QueueTakeKnown(b, p.shop, p.pieces())
		p.queueUnchanged(b, s, order.PlacedAt)
		p.queueOrder(b, order)
		return tx.Commit(ctx, b)
	})
	switch pg.Constraint(err) {
	case "as_known":
		p.known.unlearn(p.shop)
		return nil, errNotKnown
	case "idempotency_keys_pkey":
		return nil, errNotKnown
	}
	if err = meant(err); err != nil {
		return nil, err
	}
	return order, nil
}
