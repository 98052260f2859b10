package ordering

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/audelor/halles/internal/calendar"
	"github.com/audelor/halles/internal/catalog"
	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// guestScope is the scope of a key of someone without an account, made from the key itself: it is
// the client's secret, so that row-level security shows a guest the row of its own key and no
// other. An order comes back only to who also knows all that was in it, the contact included.
func guestScope(key string) uuid.UUID {
	return uuid.NewHash(sha256.New(), uuid.NameSpaceOID, []byte(key), 8)
}

// linkLife is how long a guest's link is good for. Meant is until 30 days after hand-over; the
// hand-over is unknown when the link is made, and an order is over within a month.
const linkLife = 60 * 24 * time.Hour

// PlacePayload is what became of a basket, shop by shop, in the order of the input.
type PlacePayload struct {
	Results     []PlaceResult
	GuestSecret *string // of the link to all orders of the basket; a visitor's, when any was placed
}

// PlaceResult is what became of the order at one shop.
type PlaceResult struct {
	ShopID   tenancy.ID
	Refusals []Refusal
	order    *Order
	fault    error
}

// Order is the order that was placed; null with refusals, or with the fault that kept this
// shop's order from being made while others of the basket were.
func (r *PlaceResult) Order() (*Order, error) { return r.order, r.fault }

// Place makes the orders of a basket, each in a transaction of its own, in the order of
// (commune, shop): shops do not wait for one another, and what is sold out in one is no reason
// to lose the rest. A crash between two is completed by a retry under the same key, which
// returns what was made already and makes what was not.
//
// Faults: INVALID for an input that is wrong in itself, before anything is done; CONFLICT, in
// the shop's own result, for a key that came with another order for that shop before.
func (o *Ordering) Place(ctx context.Context, v *identity.Viewer, in PlaceInput) (*PlacePayload, error) {
	b, err := in.check(v)
	if err != nil {
		return nil, err
	}
	return o.placeAll(ctx, v, b)
}

func (o *Ordering) placeAll(ctx context.Context, v *identity.Viewer, b *basket) (*PlacePayload, error) {
	payload := &PlacePayload{Results: make([]PlaceResult, len(b.orders))}
	var secret string
	var digest []byte
	if v.Account == uuid.Nil {
		secret, digest = o.Guests.NewSecret()
	}
	inTurn := make([]int, len(b.orders))
	for i := range inTurn {
		inTurn[i] = i
		payload.Results[i] = PlaceResult{ShopID: b.orders[i].shop, Refusals: []Refusal{}}
	}
	slices.SortFunc(inTurn, func(i, j int) int {
		x, y := b.orders[i].shop, b.orders[j].shop
		return cmp.Or(strings.Compare(x.Commune, y.Commune), bytes.Compare(x.Row[:], y.Row[:]))
	})
	var placed []tenancy.ID
	for n, i := range inTurn {
		p := &placing{Ordering: o, v: v, basket: b, shopOrder: b.orders[i], digest: digest}
		order, refusals, err := p.run(ctx)
		result := &payload.Results[i]
		switch {
		case err == nil && order == nil:
			result.Refusals = refusals
		case err == nil:
			result.order = order
			placed = append(placed, order.ID())
		case errors.Is(err, fault.Conflict):
			result.fault = err
		case n == 0:
			return nil, err
		default: // the database is away, or the client is: the rest would fare no better
			for _, rest := range inTurn[n:] {
				payload.Results[rest].fault = err
			}
		}
		if err != nil && !errors.Is(err, fault.Conflict) {
			break
		}
	}
	if len(placed) == 0 {
		return payload, nil
	}
	reader := v
	if digest != nil {
		payload.GuestSecret, reader = &secret, v.GuestOf(placed...)
	} else if v.Kind != identity.Customer && !b.entered {
		reader = v.AsCustomer()
	}
	for i := range payload.Results {
		if r := &payload.Results[i]; r.order != nil {
			r.order.Reader = reader
		}
	}
	return payload, nil
}

// placing is one order being made.
type placing struct {
	*Ordering
	*shopOrder
	v      *identity.Viewer
	basket *basket
	digest []byte // of the guest's secret; nil with an account
}

// maxDraws bounds how often an order draws another number, code or moment. One in a million
// needs two.
const maxDraws = 5

// errAgain is for a try that met something that passes: a number taken, stock that came back.
var errAgain = errors.New("try again")

func (p *placing) run(ctx context.Context) (order *Order, refusals []Refusal, err error) {
	defer fault.Wrap(&err, "Place(%s)", p.shop)
	if !slices.Contains(p.v.AllCommunes(), p.shop.Commune) {
		return nil, p.refuse(ShopUnavailable, "shop", sayUnavailable), nil
	}
	for range maxDraws {
		if order, err = p.atOnce(ctx); errors.Is(err, errNotKnown) {
			order, refusals, err = p.try(ctx)
		}
		if err == nil && order != nil {
			p.wake(order.CommuneID)
		}
		if !errors.Is(err, errAgain) {
			return order, refusals, err
		}
	}
	return nil, nil, fmt.Errorf("%w: %w", fault.Errorf(fault.Unavailable, "La commande n'a pas pu être prise. Réessayez dans quelques secondes."), err)
}

func (p *placing) refuse(code RefusalCode, argument, format string, args ...any) []Refusal {
	return []Refusal{{Code: code, Message: fmt.Sprintf(format, args...), Path: at(p.path, argument)}}
}

// as is whom the order is written as: the customer, or a guest bound to exactly this order.
func (p *placing) as(order tenancy.ID) pg.Scope {
	if p.basket.entered {
		return p.v.Scope().In(order.Commune)
	}
	if p.digest != nil {
		s := p.v.GuestOf(order).Scope().In(order.Commune)
		s.Viewer = p.basket.scope // no account: whose key it is
		return s
	}
	return p.v.AsCustomer().Scope().In(order.Commune)
}

func (p *placing) key() string { return p.basket.key + "/" + p.shop.String() }

// errRefused rolls a transaction back for a reason that is data.
var errRefused = errors.New("refused")

// draw is the order before anything of it is known, with a number and a code of its own.
func (p *placing) draw() *Order {
	order := &Order{
		CommuneID: p.shop.Commune, Row: tenancy.NewRow(), ShopRow: p.shop.Row, Number: newNumber(), Channel: p.basket.channel, Mode: p.mode,
		Status: Placed, Version: 1, Code: newCode(), Note: p.note, PlacedAt: p.now(),
	}
	order.UpdatedAt = order.PlacedAt
	if p.digest == nil && !p.basket.entered {
		order.CustomerID = &p.v.Account
	}
	return order
}

// try makes the order in one transaction of two round trips. Its locks are, always in this
// order: the key; the variants, sorted; the slot; then the rows that it makes itself, which nobody
// waits for; and last the commune's head of the event log. A transaction that waits for a key holds
// nothing, one that waits for a variant holds the key and smaller variants, one that waits for a
// slot these and no other slot, one that waits for the head holds what nobody who has the head
// waits for: no circle. (life.go says why changes
// of an order fit in.)
func (p *placing) try(ctx context.Context) (*Order, []Refusal, error) {
	order := p.draw()
	var refusals []Refusal
	var replay *uuid.UUID
	var took *terms
	read := false
	err := p.DB.Pipe(ctx, p.as(order.ID()), func(ctx context.Context, tx *pg.Pipe) error {
		refusals, replay = nil, nil
		fresh := false
		t := &terms{now: order.PlacedAt, goods: make([]*good, len(p.lines))}

		// A twin under the same key is waited for here. Once it has committed its row is there to be
		// read, but not by a statement of this batch: nearly always there is none, and nothing to read.
		first := &pgx.Batch{}
		p.queueKey(first, order, " on conflict do nothing").Exec(func(tag pgconn.CommandTag) error {
			fresh = tag.RowsAffected() == 1
			return nil
		})
		p.queueTerms(first, t)
		catalog.QueueTake(first, p.shop, p.pieces(), func(i int, got catalog.Taken) {
			t.goods[i] = &good{Name: got.Name, OptionValue: got.OptionValue, PriceCents: got.PriceCents, VATRate: got.VATRate, Enough: true}
		})
		if p.slot != nil {
			queueBook(first, p.shop, p.mode, *p.slot, &t.booked)
		}
		if err := tx.Send(ctx, first); err != nil {
			return err
		}
		if !fresh {
			var err error
			replay, err = p.before(ctx, tx)
			return cmp.Or(err, errRefused)
		}
		read = !t.unread // before the goods, or never
		var err error
		if refusals, err = p.agree(ctx, tx, order, t); err != nil {
			return err
		}
		if refusals != nil {
			return errRefused
		}
		took = t
		last := &pgx.Batch{}
		p.queueOrder(last, order)
		return tx.Commit(ctx, last)
	})
	err = meant(err)
	switch {
	case replay != nil:
		order, err := p.again(ctx, *replay)
		return order, nil, err
	case errors.Is(err, errRefused):
		return nil, refusals, nil
	case err != nil:
		return nil, nil, err
	}
	if read && p.plain() {
		p.known.learn(p.shop, took.shop, p.lines, took.goods)
	}
	return order, nil, nil
}

// meant is what an error of the transaction says of the order.
func meant(err error) error {
	switch pg.Constraint(err) {
	case "orders_number_unique", "orders_open_pickup_code":
		return fmt.Errorf("%w: %w", errAgain, err)
	case "orders_key_unique": // the key's own row was pruned; what was in the order then, nobody knows
		return conflict()
	}
	return err
}

// before is the order that was made under the key, of the same content.
func (p *placing) before(ctx context.Context, tx *pg.Pipe) (*uuid.UUID, error) {
	var hash []byte
	var order uuid.UUID
	b := &pgx.Batch{}
	b.Queue(`select payload_hash, order_id from idempotency_keys where commune_id = $1 and scope = $2 and key = $3`,
		p.shop.Commune, p.basket.scope.String(), p.key()).QueryRow(func(row pgx.Row) error { return row.Scan(&hash, &order) })
	switch err := tx.Send(ctx, b); {
	case errors.Is(err, pgx.ErrNoRows): // pruned meanwhile
		return nil, errAgain
	case err != nil:
		return nil, err
	}
	if !bytes.Equal(hash, p.hash) {
		return nil, conflict()
	}
	return &order, nil
}

func conflict() error {
	return fault.Errorf(fault.Conflict, "Cette clé a déjà servi pour une autre commande à cette boutique. Prenez une clé nouvelle pour un panier nouveau.")
}

// agree judges what was asked for by what the shop has, and fills in the order's amounts, slot and
// lines; or it says all that keeps the order from being made.
func (p *placing) agree(ctx context.Context, tx *pg.Pipe, order *Order, t *terms) ([]Refusal, error) {
	if err := p.complete(ctx, tx, t); err != nil {
		return nil, err
	}
	return p.fill(order, t), nil
}

// fill judges and fills the order in.
func (p *placing) fill(order *Order, t *terms) []Refusal {
	v := p.judge(t, p.basket.address)
	if len(v.refusals) > 0 {
		return v.refusals
	}
	order.ItemCount = 0 // the transaction may run again
	for _, l := range v.lines {
		l.OrderRow = order.Row
		order.ItemCount += l.Quantity
	}
	order.ItemsCents, order.DeliveryCents = v.totals.Items.Cents, v.delivery
	order.Written = v.lines
	if v.slot != nil {
		start, end := v.slot.Start.UTC(), v.slot.End.UTC()
		order.SlotStartsAt, order.SlotEndsAt = &start, &end
	}
	return nil
}

// complete reads what is known no longer. It reads again what was not had, for the reason: variants
// that were not taken, and a slot without a place that the calendar, read before, had one in. What came
// back since is tried again.
func (p *placing) complete(ctx context.Context, tx *pg.Pipe, t *terms) error {
	if t.unread {
		b := &pgx.Batch{}
		p.queueRead(b, t)
		if err := tx.Send(ctx, b); err != nil {
			return err
		}
	}
	if t.shop == nil {
		return nil
	}
	b := &pgx.Batch{}
	left := make([]*good, len(t.goods))
	if slices.Contains(t.goods, nil) {
		queueGoods(b, p.shopOrder, left)
	}
	mode := calendar.Mode(p.mode)
	full := p.slot != nil && !t.booked && t.shop.Checkout(mode, p.slot, t.now, t.shop.Loads(mode)) == nil
	if full {
		directory.QueueCalendar(b, p.shop, t.now, func(s *calendar.Shop) { t.shop = s })
	}
	if b.Len() == 0 {
		return nil
	}
	if err := tx.Send(ctx, b); err != nil {
		return err
	}
	for i, g := range t.goods {
		if g != nil {
			continue
		}
		if g = left[i]; g != nil && g.Enough && !g.Paused { // it came back: another order was called off
			return errAgain
		}
		t.goods[i] = g
	}
	if full && t.shop.Checkout(mode, p.slot, t.now, t.shop.Loads(mode)) == nil {
		return errAgain
	}
	return nil
}

// queueKey writes the key; whoever has it waits there for a twin.
func (p *placing) queueKey(b *pgx.Batch, o *Order, otherwise string) *pgx.QueuedQuery {
	return b.Queue(`insert into idempotency_keys (commune_id, scope, key, payload_hash, order_id, at) values ($1, $2, $3, $4, $5, $6)`+otherwise,
		o.CommuneID, p.basket.scope.String(), p.key(), p.hash, o.Row, o.PlacedAt)
}

// queueOrder writes all of an order, and last its event.
func (p *placing) queueOrder(b *pgx.Batch, o *Order) {
	p.queueRows(b, o, o.Written)
	catalog.QueueMoves(b, o.ID(), catalog.Ordered, p.pieces(), o.PlacedAt)
	p.queueLink(b, o)
	e := Event{
		CommuneID: o.CommuneID, OrderRow: o.Row, OrderSeq: o.Version, ShopRow: o.ShopRow,
		Kind: EventKind(Placed), Status: Placed, Actor: ByCustomer, At: o.PlacedAt,
	}
	p.queueEntered(b, o, &e)
	queueMessages(b, &e)
	b.Queue(appendEvent, e.appendArgs()...)
}

// queueRows writes the order, its lines and whom it is for.
func (p *placing) queueRows(b *pgx.Batch, o *Order, lines []*Line) {
	b.Queue(`
		insert into orders (commune_id, id, shop_id, number, channel, mode, status, version, customer_id, scope, idempotency_key,
			items_cents, delivery_cents, item_count, pickup_code, note, placed_at, updated_at, slot_starts_at, slot_ends_at, buyer_commune)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $17, $18, $19, $20)`,
		o.CommuneID, o.Row, o.ShopRow, o.Number, o.Channel, o.Mode, o.Status, o.Version, o.CustomerID, p.basket.scope.String(), p.key(),
		o.ItemsCents, o.DeliveryCents, o.ItemCount, o.Code, o.Note, o.PlacedAt, o.SlotStartsAt, o.SlotEndsAt, p.basket.buyer)
	n := len(lines)
	numbers, variants, quantities := make([]int, n), make([]uuid.UUID, n), make([]int, n)
	names, options := make([]string, n), make([]string, n)
	prices, rates := make([]int64, n), make([]int, n)
	for i, l := range lines {
		numbers[i], variants[i], quantities[i], names[i], options[i] = l.Line, l.VariantRow, l.Quantity, l.Name, l.OptionValue
		prices[i], rates[i] = int64(l.UnitCents), int(l.VATRate)
	}
	b.Queue(`
		insert into order_lines (commune_id, order_id, line, variant_id, name, option_value, quantity, unit_cents, vat_rate)
		select $1, $2, l.* from unnest($3::int[], $4::uuid[], $5::text[], $6::text[], $7::int[], $8::bigint[], $9::int[]) l`,
		o.CommuneID, o.Row, numbers, variants, names, options, quantities, prices, rates)
	to := p.basket.address
	if p.mode != directory.Delivery {
		to = nil
	}
	if c := p.basket.contact; c != nil || to != nil {
		if c == nil {
			c = &PersonContact{}
		}
		latitude, longitude, postcode, city := to.columns()
		var street *string
		if to != nil {
			street = &to.Street
		}
		b.Queue(`insert into order_contacts (commune_id, order_id, name, phone, email, street, postcode, city, latitude, longitude)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
			o.CommuneID, o.Row, c.Name, c.Phone, c.Email, street, postcode, city, latitude, longitude)
	}
}

func (p *placing) queueLink(b *pgx.Batch, o *Order) {
	if p.digest != nil {
		b.Queue(`insert into guest_links (digest, commune_id, order_id, created_at, expires_at) values ($1, $2, $3, $4, $5)`,
			p.digest, o.CommuneID, o.Row, p.now(), o.PlacedAt.Add(linkLife))
	}
}

// again returns the order that the key made before, and opens it to the fresh secret: the
// first answer, with the first secret, may never have arrived.
func (p *placing) again(ctx context.Context, row uuid.UUID) (*Order, error) {
	id := tenancy.RowID(tenancy.KindOrder, p.shop.Commune, row)
	var order *Order
	err := p.DB.Pipe(ctx, p.as(id), func(ctx context.Context, tx *pg.Pipe) error {
		b := &pgx.Batch{}
		queueOne(b, id, &order)
		if p.digest == nil {
			return tx.Send(ctx, b)
		}
		if err := tx.Send(ctx, b); err != nil || order == nil {
			return err
		}
		b = &pgx.Batch{}
		p.queueLink(b, order)
		return tx.Commit(ctx, b)
	})
	if err == nil && order == nil {
		err = fmt.Errorf("order %s of a stored key is gone", id)
	}
	return order, err
}
