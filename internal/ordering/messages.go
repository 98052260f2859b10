package ordering

import (
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"github.com/audelor/halles/internal/job"
)

// told says whom an event is told, and by which template: the two sides of an order, but not of
// what they did themselves and see before them. A customer is told of its own cancellation: it
// may have been done by telephone.
var told = map[EventKind][]struct {
	template string
	unless   []Actor // who did it
}{
	EventKind(Placed):         {{"shop_order_new", []Actor{ByMerchant}}, {"order_placed", nil}},
	EventKind(Accepted):       {{"order_accepted", nil}},
	ChangeProposed:            {{"order_change_proposed", nil}},
	ChangeConfirmed:           {{"shop_change_confirmed", nil}},
	EventKind(Ready):          {{"order_ready", nil}},
	EventKind(OutForDelivery): {{"order_sent_out", nil}},
	EventKind(Delivered):      {{"order_delivered", nil}},
	EventKind(Rejected):       {{"order_rejected", nil}},
	EventKind(Cancelled):      {{"order_cancelled", nil}, {"shop_order_withdrawn", []Actor{ByMerchant}}},
	Moved:                     {{"order_moved", nil}, {"shop_order_moved", []Actor{ByMerchant}}},
	EventKind(NoShow):         {{"order_not_collected", nil}},
}

// queueMessages queues what is told of an event, in its transaction.
func queueMessages(b *pgx.Batch, e *Event) {
	var mails []river.JobArgs
	for _, to := range told[e.Kind] {
		if !slices.Contains(to.unless, e.Actor) {
			mails = append(mails, job.Mail{Template: to.template, Commune: e.CommuneID, ID: e.OrderRow})
		}
	}
	job.QueueAll(b, time.Time{}, mails...)
}
