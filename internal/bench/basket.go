package bench

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"strconv"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/tenancy"
)

// Basket is what W6 orders: a piece of each of two products of a shop.
type Basket struct {
	Shop     tenancy.ID
	Variants [2]tenancy.ID
}

// Receive chooses shops that hand over without a slot and raises the stock of two of their variants
// by a million pieces, ledger included, so that nothing is sold out while it is measured. It changes
// the database.
func (l *Limit) Receive(ctx context.Context, shops int) ([]Basket, error) {
	rows, err := l.db.Query(ctx, `
		with chosen as (
			select s.commune_id, s.id as shop_id, v.ids from shops s
			join fulfilments f on f.commune_id = s.commune_id and f.shop_id = s.id and f.mode = 'PICKUP' and f.slot_capacity is null and f.minimum_cents = 0
			cross join lateral (select array_agg(id order by id) as ids from (
				select distinct on (product_id) id from variants
				where commune_id = s.commune_id and shop_id = s.id and published and not paused order by product_id, position limit 2) v) v
			where s.status = 'PUBLISHED' and cardinality(v.ids) = 2 order by md5(s.id::text) limit $1),
		raised as (
			update variants v set stock = 1000000 from chosen c
			where v.commune_id = c.commune_id and v.id = any(c.ids) and v.stock < 500000
			returning v.commune_id, v.id, 1000000 - coalesce((select o.stock from variants o where o.commune_id = v.commune_id and o.id = v.id), 0) as more),
		ledger as (
			insert into stock_moves (commune_id, id, variant_id, kind, quantity, at) select commune_id, gen_random_uuid(), id, 'RECEIVED', more, now() from raised)
		select commune_id, shop_id, ids[1] as one, ids[2] as other from chosen`, shops)
	if err != nil {
		return nil, err
	}
	type row struct {
		CommuneID          string
		ShopID, One, Other uuid.UUID
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[row])
	var baskets []Basket
	for _, r := range found {
		baskets = append(baskets, Basket{
			Shop: tenancy.RowID(tenancy.KindShop, r.CommuneID, r.ShopID),
			Variants: [2]tenancy.ID{
				tenancy.RowID(tenancy.KindVariant, r.CommuneID, r.One), tenancy.RowID(tenancy.KindVariant, r.CommuneID, r.Other),
			},
		})
	}
	if err == nil && len(baskets) == 0 {
		err = fmt.Errorf("no shop hands over without a slot")
	}
	return baskets, err
}

const placed = `mutation ($in: PlaceOrdersInput!) {
  placeOrders(input: $in) {
    guestSecret
    results { order { id number status totals { total { cents } } pickupCode { text } } refusals { code } }
  }
}`

// keyPlace stands for the key in a request; keys are as long.
const keyPlace = "bench-00000000000000000000"

// Orders is W6: each request places an order under a key of its own.
func Orders(baskets []Basket) Workload {
	var ours, theirs [][]byte
	for _, b := range baskets {
		lines := []map[string]any{{"variant": b.Variants[0].String(), "quantity": 1}, {"variant": b.Variants[1].String(), "quantity": 1}}
		contact := map[string]any{"name": "Anna Le Banc", "phone": "+33639981234"}
		ours = append(ours, post(placed, map[string]any{"in": map[string]any{
			"idempotencyKey": keyPlace, "contact": contact, "orders": []any{map[string]any{"shop": b.Shop.String(), "mode": "PICKUP", "lines": lines}},
		}}))
		theirs = append(theirs, request("POST /w6", asJSON(map[string]any{"key": keyPlace, "contact": contact, "shop": b.Shop.String(), "lines": lines})))
	}
	run := rand.Text()[:8]
	keyed := func(requests [][]byte, side string) func(int) []byte {
		return func(n int) []byte {
			r := bytes.Clone(requests[n%len(requests)])
			key := append([]byte("bench-"), run+side...)
			for digits := strconv.Itoa(n); len(key)+len(digits) < len(keyPlace); {
				key = append(key, '0')
			}
			copy(r[bytes.Index(r, []byte(keyPlace)):], strconv.AppendInt(key, int64(n), 10))
			return r
		}
	}
	return Workload{
		Name: "W6", Title: "a guest's order of two lines",
		Halles: keyed(ours, "h"), Limit: keyed(theirs, "l"),
	}
}

// Accepted leaves the baskets that halles takes: a shop may be closed for the holidays.
func Accepted(ctx context.Context, address string, baskets []Basket) ([]Basket, error) {
	c, err := Dial(ctx, address)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	w := Orders(baskets)
	var taken []Basket
	for i, b := range baskets {
		status, answer, err := c.Ask(w.Halles(i))
		if err != nil {
			return nil, err
		}
		if answered(status, answer) == nil {
			taken = append(taken, b)
		}
	}
	if len(taken) == 0 {
		return nil, fmt.Errorf("no shop takes an order now")
	}
	return taken, nil
}
