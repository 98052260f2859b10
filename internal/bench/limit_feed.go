package bench

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/job"
	"github.com/audelor/halles/internal/tenancy"
)

// feed hands what was committed to all who follow a shop: no log is read again, no cursor sealed, and
// a reader that is too slow loses events.
type feed struct {
	mu        sync.Mutex
	followers map[string]map[chan []byte]bool
}

func (f *feed) follow(w http.ResponseWriter, r *http.Request) {
	shop, events := r.URL.Query().Get("shop"), make(chan []byte, 16)
	f.mu.Lock()
	if f.followers[shop] == nil {
		f.followers[shop] = map[chan []byte]bool{}
	}
	f.followers[shop][events] = true
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.followers[shop], events)
	}()
	w.Header().Set("Content-Type", "text/event-stream")
	flush := http.NewResponseController(w)
	_ = flush.Flush()
	for {
		select {
		case e := <-events:
			if _, err := w.Write(e); err != nil {
				return
			}
			_ = flush.Flush()
		case <-r.Context().Done():
			return
		}
	}
}

func (f *feed) tell(shop string, event []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for follower := range f.followers[shop] {
		select {
		case follower <- event:
		default:
		}
	}
}

// change is W7's writes, in one pipeline: the order's state, the job that tells the customer, and the
// event at its commune's counter. Whoever follows is told after the commit.
func (l *Limit) change(r *http.Request, b []byte) ([]byte, error) {
	query := r.URL.Query()
	order, err := tenancy.ParseID(query.Get("order"))
	if err != nil {
		return nil, err
	}
	to, now := query.Get("to"), time.Now()
	var batch pgx.Batch
	var seq int64
	batch.Queue(`update orders set status = $3, version = version + 1, updated_at = $4 where commune_id = $1 and id = $2`, order.Commune, order.Row, to, now)
	if to != "COLLECTED" { // of which nobody need be told
		job.QueueAll(&batch, time.Time{}, job.Mail{Template: map[string]string{"ACCEPTED": "order_accepted", "READY": "order_ready"}[to], Commune: order.Commune, ID: order.Row})
	}
	batch.Queue(`
		with head as (update stream_heads set seq = seq + 1 where commune_id = $1 returning seq)
		insert into order_events (commune_id, seq, order_id, order_seq, shop_id, kind, status, actor, at)
		select $1, head.seq, o.id, o.version, o.shop_id, $3, $3, 'MERCHANT', $4 from head, orders o where o.commune_id = $1 and o.id = $2 returning seq`,
		order.Commune, order.Row, to, now).QueryRow(func(row pgx.Row) error { return row.Scan(&seq) })
	if err := l.db.SendBatch(r.Context(), &batch).Close(); err != nil {
		return nil, err
	}
	event := fmt.Appendf(nil, "event: next\ndata: {\"data\":{\"shopOrders\":{\"cursor\":\"%d\",\"kind\":%q,\"status\":%[2]q,\"at\":%q,\"by\":\"MERCHANT\"}}}\n\n",
		seq, to, now.UTC().Format(time.RFC3339Nano))
	l.feed.tell(query.Get("shop"), event)
	return append(b, `{"data":{"changed":true}}`...), nil
}
