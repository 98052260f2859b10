package ordering

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/tenancy"
)

// EventKind is what happened to an order: named after the status that it led to, or one of these.
type EventKind string

// What leaves an order where it stands.
const (
	ChangeProposed  EventKind = "CHANGE_PROPOSED"
	ChangeConfirmed EventKind = "CHANGE_CONFIRMED" // and accepts an order that was not
)

// Actor is the capacity in which somebody changed an order; never who.
type Actor string

// The actors. A customer with an account and one without are the same.
const (
	ByCustomer Actor = "CUSTOMER"
	ByMerchant Actor = "MERCHANT"
	ByAgent    Actor = "AGENT"
	ByHotline  Actor = "HOTLINE"
	ByAdmin    Actor = "ADMIN"
	BySystem   Actor = "SYSTEM"
)

// Event is one change of an order: ids and states only, so that it may be kept for ever.
type Event struct {
	CommuneID string
	Seq       int64     // gap-free in the commune
	OrderRow  uuid.UUID `db:"order_id"`
	OrderSeq  int       // gap-free in the order: its version
	ShopRow   uuid.UUID `db:"shop_id"`
	Kind      EventKind
	Status    Status // after the change
	Actor     Actor
	Reason    *Reason
	At        time.Time

	// Cursor is where to go on after this event in the list that it was read from: each
	// subscription seals its own, and so may an order's history.
	Cursor string `db:"-"`

	// Reader is as whom the event was read and its order is; nil for the request's viewer.
	Reader *identity.Viewer `db:"-"`
}

const eventColumns = `e.commune_id, e.seq, e.order_id, e.order_seq, e.shop_id, e.kind, e.status, e.actor, e.reason, e.at`

// OrderID is the ID of the order that changed.
func (e *Event) OrderID() tenancy.ID {
	return tenancy.RowID(tenancy.KindOrder, e.CommuneID, e.OrderRow)
}

// ShopID is the ID of the order's shop.
func (e *Event) ShopID() tenancy.ID {
	return tenancy.RowID(tenancy.KindShop, e.CommuneID, e.ShopRow)
}

// appendEvent locks the commune's head of the log until commit, and writes at the place after
// it: whoever sees an event sees all before it. The lock is what makes the log gap-free and
// what a commune's orders queue for, so it is the last that a transaction takes, whatever
// else it does; every transaction that takes it so cannot be part of a cycle through it.
const appendEvent = `
	with head as (update stream_heads set seq = seq + 1 where commune_id = $1 returning seq)
	insert into order_events (commune_id, seq, order_id, order_seq, shop_id, kind, status, actor, reason, at)
	select $1, head.seq, $2, $3, $4, $5, $6, $7, $8, $9 from head`

func (e *Event) appendArgs() []any {
	return []any{e.CommuneID, e.OrderRow, e.OrderSeq, e.ShopRow, e.Kind, e.Status, e.Actor, e.Reason, e.At}
}

// appendEventTx writes an event and sets its Seq. It must be the last statement of its
// transaction; after the commit, wake the commune.
func appendEventTx(ctx context.Context, tx pgx.Tx, e *Event) error {
	return tx.QueryRow(ctx, appendEvent+" returning seq", e.appendArgs()...).Scan(&e.Seq)
}

// NewEpoch begins another life of the event log, after a restore: what was seen of the old one may
// never have been, so cursors from before answer CURSOR_EXPIRED. db is halles_migrate's or the
// worker's, a transaction as well as a connection.
func NewEpoch(ctx context.Context, db executor) error {
	_, err := db.Exec(ctx, `update feed_epoch set epoch = gen_random_uuid()`)
	return err
}

// executor is a connection or a transaction.
type executor interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}
