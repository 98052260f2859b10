package bench

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/job"
	"github.com/audelor/halles/internal/tenancy"
)

// place is W6: the writes that halles makes for a guest's order, in the same order of locks, in one
// pipeline, which is one transaction. Nothing is judged: no calendar, no price that was shown, no
// other order under the key. What is sold out, or a key that was used, ends in an error.
func (l *Limit) place(r *http.Request, b []byte) ([]byte, error) {
	var in struct {
		Key     string
		Shop    string
		Contact struct{ Name, Phone string }
		Lines   []struct {
			Variant  string
			Quantity int
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return nil, err
	}
	shop, err := tenancy.ParseID(in.Shop)
	if err != nil {
		return nil, err
	}
	n := len(in.Lines)
	lines, variants, quantities, moves, off := make([]int32, n), make([][16]byte, n), make([]int32, n), make([][16]byte, n), make([]int32, n)
	for i, line := range in.Lines {
		variant, err := tenancy.ParseID(line.Variant)
		if err != nil {
			return nil, err
		}
		lines[i], variants[i], quantities[i], moves[i], off[i] = int32(i+1), variant.Row, int32(line.Quantity), tenancy.NewRow(), int32(-line.Quantity)
	}
	turn := make([]int, n)
	for i := range turn {
		turn[i] = i
	}
	slices.SortFunc(turn, func(i, j int) int { return bytes.Compare(variants[i][:], variants[j][:]) })
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	digest, hash := sha256.Sum256(secret), sha256.Sum256([]byte(in.Shop))
	scope := uuid.NewHash(sha256.New(), uuid.NameSpaceOID, []byte(in.Key), 8).String()
	commune, order, now, random := shop.Commune, tenancy.NewRow(), time.Now(), rand.Text()
	shown, code := random[:8], random[8:14]

	var batch pgx.Batch
	var total int64
	batch.Queue(`insert into idempotency_keys (commune_id, scope, key, payload_hash, order_id, at) values ($1, $2, $3, $4, $5, $6)`,
		commune, scope, in.Key+"/"+in.Shop, hash[:], order, now)
	for _, i := range turn {
		batch.Queue(`update variants set stock = stock - $3 where commune_id = $1 and id = $2`, commune, variants[i], quantities[i])
	}
	batch.Queue(`
		insert into orders (commune_id, id, shop_id, number, channel, mode, status, version, scope, idempotency_key,
			items_cents, delivery_cents, item_count, pickup_code, placed_at, updated_at)
		select $1, $2, $3, $4, 'WEB', 'PICKUP', 'PLACED', 1, $5, $6, sum(v.price_cents * l.quantity), 0, sum(l.quantity), $7, $8, $8
		from unnest($9::uuid[], $10::int[]) l (id, quantity) join variants v on v.commune_id = $1 and v.id = l.id
		returning items_cents`,
		commune, order, shop.Row, shown, scope, in.Key+"/"+in.Shop, code, now, variants, quantities).QueryRow(func(row pgx.Row) error { return row.Scan(&total) })
	batch.Queue(`
		insert into order_lines (commune_id, order_id, line, variant_id, name, option_value, quantity, unit_cents, vat_rate)
		select $1, $2, l.line, v.id, p.name, v.option_value, l.quantity, v.price_cents, v.vat_rate
		from unnest($3::int[], $4::uuid[], $5::int[]) l (line, id, quantity)
		join variants v on v.commune_id = $1 and v.id = l.id join products p on p.commune_id = $1 and p.id = v.product_id`,
		commune, order, lines, variants, quantities)
	batch.Queue(`insert into order_contacts (commune_id, order_id, name, phone) values ($1, $2, $3, $4)`, commune, order, in.Contact.Name, in.Contact.Phone)
	batch.Queue(`
		insert into stock_moves (commune_id, id, variant_id, order_id, kind, quantity, at)
		select $1, m.id, m.variant_id, $2, 'ORDERED', m.quantity, $3 from unnest($4::uuid[], $5::uuid[], $6::int[]) m (id, variant_id, quantity)`,
		commune, order, now, moves, variants, off)
	batch.Queue(`insert into guest_links (digest, commune_id, order_id, created_at, expires_at) values ($1, $2, $3, $4, $5)`,
		digest[:], commune, order, now, now.AddDate(0, 0, 60))
	job.QueueAll(&batch, time.Time{}, job.Mail{Template: "shop_order_new", Commune: commune, ID: order}, job.Mail{Template: "order_placed", Commune: commune, ID: order})
	batch.Queue(`
		with head as (update stream_heads set seq = seq + 1 where commune_id = $1 returning seq)
		insert into order_events (commune_id, seq, order_id, order_seq, shop_id, kind, status, actor, at)
		select $1, head.seq, $2, 1, $3, 'PLACED', 'PLACED', 'CUSTOMER', $4 from head`, commune, order, shop.Row, now)
	if err := l.db.SendBatch(r.Context(), &batch).Close(); err != nil {
		return nil, err
	}
	b = append(b, `{"data":{"placeOrders":{"guestSecret":"`...)
	b = base64.RawURLEncoding.AppendEncode(b, secret)
	b = id(append(b, `","results":[{"order":{"id":`...), "order_", []byte(commune), order[:])
	b = append(append(b, `,"number":"`...), shown...)
	b = number(append(b, `","status":"PLACED","totals":{"total":{"cents":`...), total)
	b = append(append(b, `}},"pickupCode":{"text":"`...), code...)
	return append(b, `"}},"refusals":[]}]}}}`...), nil
}
