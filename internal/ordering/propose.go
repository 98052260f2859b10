package ordering

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/catalog"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/money"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// ProposeInput is an order with less in it.
type ProposeInput struct {
	Order   tenancy.ID
	Lines   []ProposedLine // those that are short; the others stay
	Missing bool           // the pieces are not there; else they come back on sale once confirmed
	Hours   int            // that the customer has to answer
	Text    *string        // to the customer
}

// ProposedLine is what the shop can give of a line.
type ProposedLine struct {
	Variant  tenancy.ID
	Quantity int // fewer than were ordered; 0: none
}

// Bounds of how long a proposed change waits: an hour is short for who works, three days long for
// bread.
const (
	minHours = 1
	maxHours = 72
)

// Change is a proposed change of an order, while it waits for the customer.
type Change struct {
	Version int // of the order after it was proposed: what is confirmed by
	Lines   []*ChangeLine
	Text    *string // the shop's words; nil to all but customer and merchant
	Until   time.Time
	Total   money.Price // of the order, once confirmed
}

// ChangeLine is a line of the order that is short.
type ChangeLine struct {
	Name        string
	OptionValue string
	Ordered     int
	Quantity    int // that the shop can give
}

// stored is a row of order_changes.
type stored struct {
	CommuneID  string
	OrderID    uuid.UUID
	Version    int
	Lines      []int
	Quantities []int
	Missing    bool
	Text       *string
}

const storedColumns = `c.commune_id, c.order_id, c.version, c.lines, c.quantities, c.missing, c.text`

// left is what lines are once a change is confirmed.
func (c *stored) left(lines []*Line) []*Line {
	left := make([]*Line, len(lines))
	for i, l := range lines {
		copied := *l
		if n := slices.Index(c.Lines, l.Line); n >= 0 {
			copied.Quantity = c.Quantities[n]
		}
		left[i] = &copied
	}
	return left
}

// check refuses what the client could have known to be wrong.
func (in *ProposeInput) check() error {
	if err := in.Order.Want(tenancy.KindOrder, "input", "order"); err != nil {
		return err
	}
	if n := len(in.Lines); n < 1 || n > maxLines {
		return fault.At([]string{"input", "lines"}, "La proposition compte %d lignes ; il en faut de 1 à %d.", n, maxLines)
	}
	for i, l := range in.Lines {
		here := []string{"input", "lines", strconv.Itoa(i)}
		if err := l.Variant.Want(tenancy.KindVariant, at(here, "variant")...); err != nil {
			return err
		}
		if l.Quantity < 0 || l.Quantity > maxQuantity {
			return fault.At(at(here, "quantity"), "La quantité vaut %d ; il en faut de 0 à %d.", l.Quantity, maxQuantity)
		}
		if slices.ContainsFunc(in.Lines[:i], func(o ProposedLine) bool { return o.Variant == l.Variant }) {
			return fault.At(at(here, "variant"), "Cet article est deux fois dans la proposition ; réunissez ses lignes.")
		}
	}
	if in.Hours < minHours || in.Hours > maxHours {
		return fault.At([]string{"input", "hours"}, "Le client a %d heures pour répondre ; il en faut de %d à %d.", in.Hours, minHours, maxHours)
	}
	in.Text = trimmed(in.Text)
	return checkLength(in.Text, maxText, []string{"input", "text"})
}

// of makes the change of an order's lines, or says why there is none to propose.
func (in *ProposeInput) of(lines []*Line) (*stored, *Refusal) {
	c := &stored{Missing: in.Missing, Text: in.Text}
	for i, l := range in.Lines {
		here := []string{"input", "lines", strconv.Itoa(i)}
		n := slices.IndexFunc(lines, func(o *Line) bool { return o.VariantID() == l.Variant })
		switch {
		case n < 0:
			return nil, &Refusal{Code: NotAChange, Path: at(here, "variant"), Message: "Cet article n'est pas dans la commande ; lines donne ceux qui y sont."}
		case l.Quantity >= lines[n].Quantity:
			return nil, &Refusal{
				Code: NotAChange, Path: at(here, "quantity"),
				Message: fmt.Sprintf("La commande a %d « %s » ; proposez-en moins, ou retirez la ligne de la proposition.", lines[n].Quantity, lines[n].Name),
			}
		}
		c.Lines, c.Quantities = append(c.Lines, lines[n].Line), append(c.Quantities, l.Quantity)
	}
	if pieces(c.left(lines)) == 0 {
		return nil, &Refusal{Code: NotAChange, Path: []string{"input", "lines"}, Message: "Il ne resterait rien de la commande : refusez-la, ou annulez-la si vous l'avez acceptée."}
	}
	return c, nil
}

func pieces(lines []*Line) (n int) {
	for _, l := range lines {
		n += l.Quantity
	}
	return n
}

// errNoChange rolls back what is refused, or done already.
var errNoChange = errors.New("nothing to change")

// Propose proposes an order with less in it, in the place of an earlier proposal, until the customer
// confirms or declines. Stock and totals stay as they are until then; and who has proposed has
// answered, so that the order no longer waits for its shop. The same again changes nothing.
//
// Faults as Do's. What is not a change, or not possible for the order as it stands, is a refusal.
func (o *Ordering) Propose(ctx context.Context, v *identity.Viewer, in ProposeInput) (_ *ChangePayload, err error) {
	defer fault.Wrap(&err, "Propose(%s)", in.Order)
	if err := in.check(); err != nil {
		return nil, err
	}
	order, may, states, err := o.subject(ctx, v, in.Order, ProposeChange)
	if err != nil {
		return nil, err
	}
	var refusal *Refusal
	done := false
	err = o.DB.Pipe(ctx, may.scope().In(in.Order.Commune), func(ctx context.Context, tx *pg.Pipe) error {
		refusal, done = nil, false
		now := o.now()
		var before *Order
		var lines []*Line
		var open *stored
		first := &pgx.Batch{}
		queueLocked(first, in.Order, &before)
		queueLines(first, in.Order, &lines)
		queueOpen(first, in.Order, &open)
		if err := tx.Send(ctx, first); err != nil {
			return err
		}
		if before == nil {
			return in.Order.NotFound()
		}
		if *order = *before; !slices.Contains(states, before.stand()) {
			refusal = order.as(v).illegal(v)
			return errNoChange
		}
		var change *stored
		if change, refusal = in.of(lines); refusal != nil || open != nil && change.same(open) {
			return errNoChange
		}
		until := now.Add(time.Duration(in.Hours) * time.Hour)
		order.Version++
		order.ChangeVersion, order.ChangeUntil = &order.Version, &until
		last := &pgx.Batch{}
		last.Queue(`insert into order_changes (commune_id, order_id, version, lines, quantities, missing, text, proposed_at) values ($1, $2, $3, $4, $5, $6, $7, $8)`,
			order.CommuneID, order.Row, order.Version, change.Lines, change.Quantities, change.Missing, change.Text, now)
		last.Queue(`update orders set version = $3, change_version = $3, change_until = $4 where commune_id = $1 and id = $2`, order.CommuneID, order.Row, order.Version, until)
		o.queueEnd(last, may, ProposeChange, before, order, nil, now)
		done = true
		return tx.Commit(ctx, last)
	})
	return o.answer(v, order, done, refusal, err)
}

func (c *stored) same(as *stored) bool {
	return slices.Equal(c.Lines, as.Lines) && slices.Equal(c.Quantities, as.Quantities) && c.Missing == as.Missing &&
		(c.Text == nil) == (as.Text == nil) && (c.Text == nil || *c.Text == *as.Text)
}

// Confirm takes the proposed change on: the order's lines, totals and what it holds of the stock
// are the proposed ones from now on, and an order that the shop had not accepted is. What is left
// out comes back on sale, or where it is missing leaves the books as lost.
//
// Version is the proposal that the customer has read: another one is a refusal. One that was
// confirmed already changes nothing.
func (o *Ordering) Confirm(ctx context.Context, v *identity.Viewer, in ChangeInput) (_ *ChangePayload, err error) {
	defer fault.Wrap(&err, "Confirm(%s)", in.Order)
	order, may, states, err := o.subject(ctx, v, in.Order, ConfirmChange)
	if err != nil {
		return nil, err
	}
	var refusal *Refusal
	done := false
	err = o.DB.Pipe(ctx, may.scope().In(in.Order.Commune), func(ctx context.Context, tx *pg.Pipe) error {
		refusal, done = nil, false
		now := o.now()
		var before *Order
		var lines []*Line
		var open *stored
		var confirmed bool
		first := &pgx.Batch{}
		queueLocked(first, in.Order, &before)
		queueLines(first, in.Order, &lines)
		queueOpen(first, in.Order, &open)
		first.Queue(`select exists (select from order_events where commune_id = $1 and order_id = $2 and kind = 'CHANGE_CONFIRMED' and order_seq > $3)
			and not exists (select from order_changes where commune_id = $1 and order_id = $2 and version > $3)`,
			in.Order.Commune, in.Order.Row, in.Version).QueryRow(func(row pgx.Row) error { return row.Scan(&confirmed) })
		if err := tx.Send(ctx, first); err != nil {
			return err
		}
		if before == nil {
			return in.Order.NotFound()
		}
		*order = *before
		switch {
		case confirmed && open == nil: // said again
			return errNoChange
		case open == nil || !slices.Contains(states, before.stand()):
			refusal = order.as(v).illegal(v)
			return errNoChange
		case open.Version != in.Version:
			refusal = &Refusal{Code: ChangeReplaced, Path: []string{"input", "version"}, Message: "La boutique a fait une autre proposition depuis. Relisez-la avant de répondre."}
			return errNoChange
		}
		left := open.left(lines)
		var off []catalog.Pieces
		for i, l := range lines {
			if n := l.Quantity - left[i].Quantity; n > 0 {
				off = append(off, catalog.Pieces{Variant: l.VariantRow, Quantity: n})
			}
		}
		order.Status, order.UpdatedAt, order.ChangeVersion, order.ChangeUntil = Accepted, now, nil, nil
		order.Version++
		order.ItemsCents, order.ItemCount = totals(left, order.DeliveryCents).Items.Cents, pieces(left)
		last := &pgx.Batch{}
		last.Queue(`update order_lines l set quantity = n.quantity from unnest($3::int[], $4::int[]) n (line, quantity)
			where l.commune_id = $1 and l.order_id = $2 and l.line = n.line`, order.CommuneID, order.Row, open.Lines, open.Quantities)
		last.Queue(`update orders set status = $3, version = $4, updated_at = $5, items_cents = $6, item_count = $7, change_version = null, change_until = null
			where commune_id = $1 and id = $2`, order.CommuneID, order.Row, order.Status, order.Version, now, order.ItemsCents, order.ItemCount)
		catalog.QueueReduce(last, in.Order, off, open.Missing, now)
		o.queueEnd(last, may, ConfirmChange, before, order, nil, now)
		done = true
		return tx.Commit(ctx, last)
	})
	return o.answer(v, order, done, refusal, err)
}

// subject is the order that an action is asked for, and in which capacity and states it is possible.
func (o *Ordering) subject(ctx context.Context, v *identity.Viewer, id tenancy.ID, action Action) (*Order, capacity, []stand, error) {
	if err := id.Want(tenancy.KindOrder, "input", "order"); err != nil {
		return nil, capacity{}, nil, err
	}
	found, err := o.ByIDs(ctx, v, []tenancy.ID{id})
	if err != nil {
		return nil, capacity{}, nil, err
	}
	if found[id] == nil {
		return nil, capacity{}, nil, id.NotFound()
	}
	may, states, err := found[id].may(v, action)
	return found[id], may, states, err
}

func (o *Order) as(v *identity.Viewer) *Order {
	o.Reader = v
	return o
}

// queueEnd is what every change of an order ends with: the audit log where staff did it, what is
// told of it, and last the event.
func (o *Ordering) queueEnd(b *pgx.Batch, may capacity, action Action, before, order *Order, reason *Reason, now time.Time) {
	if may.staff() {
		identity.QueueAudit(b, identity.AuditEntry{
			By: may.as, At: now, Action: identity.AuditAction("ORDER_" + string(action)), Object: order.ID(), Before: before.state(), After: order.state(),
		})
	}
	e := Event{
		CommuneID: order.CommuneID, OrderRow: order.Row, OrderSeq: order.Version, ShopRow: order.ShopRow,
		Kind: action.kind(), Status: order.Status, Actor: may.actor, Reason: reason, At: now,
	}
	queueMessages(b, &e)
	b.Queue(appendEvent, e.appendArgs()...)
}

func (o *Ordering) answer(v *identity.Viewer, order *Order, done bool, refusal *Refusal, err error) (*ChangePayload, error) {
	if err != nil && !errors.Is(err, errNoChange) {
		return nil, err
	}
	payload := &ChangePayload{order.as(v), []Refusal{}}
	switch {
	case done:
		o.wake(order.CommuneID)
	case refusal != nil:
		payload.Refusals = []Refusal{*refusal}
	}
	return payload, nil
}

func queueLines(b *pgx.Batch, order tenancy.ID, into *[]*Line) {
	b.Queue(`select `+lineColumns+` from order_lines l where l.commune_id = $1 and l.order_id = $2 order by l.line`, order.Commune, order.Row).
		Query(func(rows pgx.Rows) (err error) {
			*into, err = pgx.CollectRows(rows, pgx.RowToAddrOfStructByName[Line])
			return err
		})
}

// queueOpen reads the change that waits, if one does.
func queueOpen(b *pgx.Batch, order tenancy.ID, into **stored) {
	b.Queue(`select `+storedColumns+` from orders o join order_changes c on c.commune_id = o.commune_id and c.order_id = o.id and c.version = o.change_version
		where o.commune_id = $1 and o.id = $2`, order.Commune, order.Row).
		Query(func(rows pgx.Rows) error {
			list, err := pgx.CollectRows(rows, pgx.RowToAddrOfStructByName[stored])
			if len(list) > 0 {
				*into = list[0]
			}
			return err
		})
}

// ChangesOf reads the changes of orders that wait for their customers.
func (o *Ordering) ChangesOf(ctx context.Context, v *identity.Viewer, orders []tenancy.ID) (map[tenancy.ID]*Change, error) {
	found, err := o.ByIDs(ctx, v, orders)
	if err != nil {
		return nil, err
	}
	ids := slices.DeleteFunc(slices.Clone(orders), func(id tenancy.ID) bool { return found[id] == nil || found[id].ChangeVersion == nil })
	as, ok := reads(v)
	if !ok || len(ids) == 0 {
		return nil, nil
	}
	communes, rows := tenancy.Columns(ids)
	list, err := pg.Select[stored](ctx, o.DB, as.Scope().In(communes...), `
		select `+storedColumns+` from unnest($1::text[], $2::uuid[]) k (commune_id, id) join orders o using (commune_id, id)
		join order_changes c on c.commune_id = o.commune_id and c.order_id = o.id and c.version = o.change_version`, communes, rows)
	if err != nil {
		return nil, err
	}
	lines, err := o.LinesOf(ctx, v, ids)
	of := map[tenancy.ID]*Change{}
	for i := range list {
		c := &list[i]
		order := found[tenancy.RowID(tenancy.KindOrder, c.CommuneID, c.OrderID)]
		of[order.ID()] = c.told(order, lines[order.ID()], v)
	}
	return of, err
}

func (c *stored) told(order *Order, lines []*Line, v *identity.Viewer) *Change {
	left := c.left(lines)
	change := &Change{Version: c.Version, Text: order.between(v, c.Text), Until: *order.ChangeUntil, Total: totals(left, order.DeliveryCents).Total}
	for i, l := range lines {
		if l.Quantity != left[i].Quantity {
			change.Lines = append(change.Lines, &ChangeLine{l.Name, l.OptionValue, l.Quantity, left[i].Quantity})
		}
	}
	return change
}

// EndChanges cancels orders whose customers have not answered a proposed change in time: nothing
// is sold to anybody that was not agreed on.
func (o *Ordering) EndChanges(ctx context.Context) error {
	scope, err := o.jobScope(ctx)
	if err != nil {
		return err
	}
	now := o.now()
	list, err := pg.Select[Order](ctx, o.DB, scope, `
		select `+orderColumns+` from orders o where o.commune_id = any($1) and o.change_until <= $2 order by o.change_until`, scope.Communes, now)
	if err != nil {
		return err
	}
	var failed []error
	for i := range list {
		if ctx.Err() != nil {
			break
		}
		reason := ChangeNotConfirmed
		order := &list[i]
		changed, err := o.change(ctx, system(order.CommuneID), order.ID(), DeclineChange, froms(DeclineChange, BySystem, order.Mode), ChangeInput{Reason: &reason, Version: *order.ChangeVersion})
		if err == nil && changed.done {
			o.wake(order.CommuneID)
		}
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}
