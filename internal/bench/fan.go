package bench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/tidwall/gjson"

	"github.com/audelor/halles/internal/tenancy"
)

// Fan is W7: from the sending of one change of an order to its arrival at the last of those who follow
// the shop, in milliseconds, the change itself included; without the first after they came.
type Fan struct {
	Subscribers int     `json:"subscribers"`
	Changes     int     `json:"changes"`
	HallesP50   float64 `json:"hallesP50ms"`
	HallesP99   float64 `json:"hallesP99ms"`
	LimitP50    float64 `json:"limitP50ms"`
	LimitP99    float64 `json:"limitP99ms"`

	// Heard is what one of those who follow was told, by halles and by the limit, an event each.
	Heard [2][][]byte `json:"-"`
}

// fanFor bounds how long one side changes its orders: on a busy machine a few changes must do.
const fanFor = 20 * time.Second

const (
	followed       = `subscription ($shops: [ID!]!, $after: String) { shopOrders(shops: $shops, after: $after) { cursor kind status at by } }`
	followedOrders = `subscription ($shops: [ID!]!) { shopOrders(shops: $shops) { cursor order { id } } }`

	accepted  = `mutation ($id: ID!) { acceptOrder(input: {order: $id}) { order { status } refusals { code } } }`
	ready     = `mutation ($id: ID!) { markOrderReady(input: {order: $id}) { order { status } refusals { code } } }`
	collected = `mutation ($id: ID!) { markOrderCollected(input: {order: $id}) { order { status } refusals { code } } }`
)

// steps are an order's way in halles and in the limit.
var steps = []struct{ document, to string }{{accepted, "ACCEPTED"}, {ready, "READY"}, {collected, "COLLECTED"}}

// FanOut follows a shop of the merchant's many times and changes its orders. Each order is placed and
// walked to its end, so that a change is one event.
func FanOut(ctx context.Context, o Options, limit *Limit, merchant string, subscribers, orders int) (*Fan, error) {
	token := "Authorization: Bearer " + merchant
	c, err := Dial(ctx, o.Halles)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	ask := func(request []byte) (gjson.Result, error) {
		status, answer, err := c.Ask(request)
		if err == nil {
			err = answered(status, answer)
		}
		return gjson.GetBytes(answer, "data"), err
	}
	found, err := ask(post(`{ viewer { shops { id } } }`, nil, token))
	if err != nil {
		return nil, err
	}
	shop, err := tenancy.ParseID(found.Get("viewer.shops.0.id").String())
	if err != nil {
		return nil, fmt.Errorf("the merchant has no shop: %w", err)
	}
	basket, err := limit.receiveAt(ctx, shop)
	if err != nil {
		return nil, err
	}
	// Both sides begin with the orders placed: the limit changes those that halles did not.
	place := Orders([]Basket{basket})
	var ids [2][]string
	for n := range 2 * orders {
		found, err := ask(place.Halles(n))
		if err != nil {
			return nil, err
		}
		ids[n%2] = append(ids[n%2], found.Get("placeOrders.results.0.order.id").String())
	}
	cursor, err := lastCursor(ctx, o.Halles, shop, token, ids[1][len(ids[1])-1])
	if err != nil {
		return nil, err
	}
	f := &Fan{Subscribers: subscribers}
	following := post(followed, map[string]any{"shops": []string{shop.String()}, "after": cursor}, token, "Accept: text/event-stream")
	ours, err := fan(ctx, o, o.Halles, subscribers, following, ids[0], func(id string, step int) []byte {
		return post(steps[step].document, map[string]string{"id": id}, token)
	})
	if err != nil {
		return nil, fmt.Errorf("W7, halles: %w", err)
	}
	f.HallesP50, f.HallesP99, f.Heard[0] = milliseconds(ours.took.At(0.5)), milliseconds(ours.took.At(0.99)), ours.heard
	theirs, err := fan(ctx, o, o.Limit, subscribers, get("/w7/follow?shop="+shop.String()), ids[1], func(id string, step int) []byte {
		return request("POST /w7/change?shop="+shop.String()+"&order="+id+"&to="+steps[step].to, []byte(`{}`))
	})
	if err != nil {
		return nil, fmt.Errorf("W7, limit: %w", err)
	}
	f.LimitP50, f.LimitP99, f.Heard[1] = milliseconds(theirs.took.At(0.5)), milliseconds(theirs.took.At(0.99)), theirs.heard
	f.Changes = min(len(ours.took.times), len(theirs.took.times))
	return f, nil
}

// receiveAt has a shop take orders without a slot and gives it stock.
func (l *Limit) receiveAt(ctx context.Context, shop tenancy.ID) (b Basket, err error) {
	b.Shop = shop
	_, err = l.db.Exec(ctx, `update fulfilments set slot_capacity = null, minimum_cents = 0 where commune_id = $1 and shop_id = $2 and mode = 'PICKUP'`, shop.Commune, shop.Row)
	if err != nil {
		return b, err
	}
	var rows []uuid.UUID
	if err := l.db.QueryRow(ctx, `select array_agg(id order by id) from (
		select distinct on (product_id) id from variants where commune_id = $1 and shop_id = $2 and published order by product_id, position limit 2) v`,
		shop.Commune, shop.Row).Scan(&rows); err != nil {
		return b, err
	}
	if len(rows) < 2 {
		return b, errors.New("the merchant's shop has fewer than two products")
	}
	for i := range b.Variants {
		b.Variants[i] = tenancy.RowID(tenancy.KindVariant, shop.Commune, rows[i])
		if err := l.raise(ctx, b.Variants[i]); err != nil {
			return b, err
		}
	}
	return b, nil
}

// raise gives a variant a million pieces, in its ledger too.
func (l *Limit) raise(ctx context.Context, variant tenancy.ID) error {
	_, err := l.db.Exec(ctx, `
		with raised as (update variants set stock = stock + 1000000 where commune_id = $1 and id = $2 and stock < 500000 returning id)
		insert into stock_moves (commune_id, id, variant_id, kind, quantity, at) select $1, gen_random_uuid(), id, 'RECEIVED', 1000000, now() from raised`,
		variant.Commune, variant.Row)
	return err
}

// lastCursor reads the shop's open orders, oldest first, up to the one that was placed last, and returns
// where the log ends with it: those who follow begin with what is new.
func lastCursor(ctx context.Context, address string, shop tenancy.ID, token, order string) (string, error) {
	s, err := follow(ctx, address, post(followedOrders, map[string]any{"shops": []string{shop.String()}}, token, "Accept: text/event-stream"))
	if err != nil {
		return "", err
	}
	defer s.conn.Close()
	_ = s.conn.SetReadDeadline(time.Now().Add(time.Minute))
	for {
		data, err := s.next()
		if err != nil {
			return "", fmt.Errorf("follow the shop: %w", err)
		}
		if e := gjson.GetBytes(data, "data.shopOrders"); e.Get("order.id").String() == order {
			return e.Get("cursor").String(), nil
		}
	}
}

// stream is one who follows, by server-sent events.
type stream struct {
	conn net.Conn
	read *bufio.Reader
}

func follow(ctx context.Context, address string, request []byte) (*stream, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	s := &stream{conn: conn, read: bufio.NewReaderSize(conn, 1<<10)}
	_, err = conn.Write(request)
	for n := 0; err == nil; n++ {
		var line []byte
		line, err = s.read.ReadSlice('\n')
		if n == 0 && !bytes.Contains(line, []byte(" 200 ")) {
			err = fmt.Errorf("cannot follow: %s", line)
		}
		if len(bytes.TrimSpace(line)) == 0 {
			return s, nil
		}
	}
	_ = conn.Close()
	return nil, err
}

// next is the data of the next event. Each is sent at once, so that a chunk begins with a line.
func (s *stream) next() ([]byte, error) {
	for {
		line, err := s.read.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return nil, err
		}
		if data, ok := bytes.CutPrefix(line, []byte("data: ")); ok && len(data) > 1 {
			return data, nil
		}
	}
}

// fanned is what came of changes: how long each took to reach everybody, and what one was told.
type fanned struct {
	took  Load
	heard [][]byte
}

// fan has so many follow, makes each change and waits until it has reached everybody.
func fan(ctx context.Context, o Options, address string, subscribers int, following []byte, ids []string, change func(id string, step int) []byte) (*fanned, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var arrived atomic.Int64 // over all
	var last atomic.Int64    // when the last of them came
	reached := make(chan struct{}, 1)
	var target atomic.Int64
	target.Store(int64(subscribers))
	var mu sync.Mutex
	var failed error
	var streams []*stream
	var heard [][]byte // by the first of the streams; read once all have it
	defer func() {
		for _, s := range streams {
			_ = s.conn.Close()
		}
	}()
	var opening sync.WaitGroup
	places := make(chan struct{}, 32)
	for range subscribers {
		places <- struct{}{}
		opening.Go(func() {
			defer func() { <-places }()
			s, err := follow(ctx, address, following)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed = err
				return
			}
			first := len(streams) == 0
			streams = append(streams, s)
			go func() {
				for {
					data, err := s.next()
					if err != nil {
						if ctx.Err() == nil && !errors.Is(err, net.ErrClosed) && !errors.Is(err, io.EOF) {
							cancel()
						}
						return
					}
					if first {
						heard = append(heard, bytes.Clone(data))
					}
					last.Store(time.Now().UnixNano())
					if arrived.Add(1) == target.Load() {
						reached <- struct{}{}
					}
				}
			}()
		})
	}
	opening.Wait()
	if failed != nil {
		return nil, failed
	}
	c, err := Dial(ctx, address)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if o.Following != nil {
		o.Following()
	}
	var took Load
	end := time.Now().Add(fanFor)
	for i, id := range ids {
		if i > 0 && time.Now().After(end) {
			break
		}
		for step := range steps {
			began := time.Now()
			status, answer, err := c.Ask(change(id, step))
			if err == nil {
				err = answered(status, answer)
			}
			if err != nil {
				return nil, err
			}
			select {
			case <-reached:
			case <-ctx.Done():
				return nil, errors.New("one who followed was cut off")
			case <-time.After(time.Minute):
				return nil, fmt.Errorf("a change reached %d of %d within a minute", arrived.Load()-target.Load()+int64(subscribers), subscribers)
			}
			if i+step > 0 { // at the first, connections are still being opened: halles takes 6 × as long, the limit 3 ×
				took.times = append(took.times, time.Duration(last.Load()-began.UnixNano()))
			}
			target.Add(int64(subscribers))
			time.Sleep(50 * time.Millisecond) // 20 changes a second, as in a town on a Saturday
		}
	}
	slices.Sort(took.times)
	return &fanned{took, heard}, nil
}
