package demo

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/calendar"
)

// loaded are the tables that the generator writes and their columns in the order in which it
// writes them: the one place to touch when a migration changes a column. The longest tables
// come first, so that the work on them starts first.
var loaded = []struct{ table, columns string }{
	{"catalog_search", ""}, // filled by Postgres from others, and
	{"search_terms", ""},   // this one too
	{"order_events", "commune_id, seq, order_id, order_seq, shop_id, kind, status, actor, reason, at"},
	{"stock_moves", "commune_id, id, variant_id, order_id, kind, quantity, at"},
	{"order_lines", "commune_id, order_id, line, variant_id, name, option_value, quantity, unit_cents, vat_rate"},
	{"orders", `commune_id, id, shop_id, number, channel, mode, status, version, customer_id, scope, idempotency_key,
		items_cents, delivery_cents, item_count, pickup_code, reason, note, placed_at, updated_at, slot_starts_at, slot_ends_at, buyer_commune`},
	{"order_contacts", "commune_id, order_id, name, phone, email, street, postcode, city, latitude, longitude"},
	{"variants", `commune_id, id, product_id, shop_id, position, sku, option_name, option_value, price_cents, vat_rate,
		stock, published, version`},
	{"products", "commune_id, id, shop_id, slug, name, description, category_id, status, published, created_at, updated_at, version"},
	{"opening_spans", "commune_id, shop_id, mode, starts_at, ends_at, published"},
	{"opening_hours", "commune_id, shop_id, weekday, opens, closes, published"},
	{"fulfilments", "commune_id, shop_id, mode, lead_minutes, minimum_cents, fee_cents, perimeter_m, published, slot_capacity"},
	{"slots", "commune_id, shop_id, mode, starts_at, capacity, booked, published"},
	{"shops", `commune_id, id, slug, name, description, category_id, naf_code, naf_version, siret, status, street, postcode,
		city, latitude, longitude, phone, email, website, services, accessibility, sales_area_m2, headcount,
		last_confirmed_at, created_at, updated_at, version`},
	{"closures", "commune_id, id, shop_id, starts_at, ends_at, reason, created_at, published"},
	{"special_hours", "commune_id, shop_id, day, opens, closes, reason, published"},
	{"holiday_openings", "commune_id, shop_id, holiday, published"},
	{"restrictions", `commune_id, id, rank, title, reference, url, starts_at, ends_at, naf_codes, except_naf_codes, naf_version, area_over_m2,
		visitors, square_metres, condition, pickup, delivery, declared_as, declared_at`},
	{"shop_steps", "commune_id, shop_id, id, kind, at, actor, reason, reason_text"},
	{"calls", "commune_id, id, at, operator_id, reason, outcome, seconds, registration_id"},
	{"registrations", `commune_id, id, status, channel, account_id, siret, name, category_id, street, postcode, city, contact_name, contact_phone,
		consent_version, consent_at, consent_channel, call_back_at, reason, reason_text, submitted_at, decided_at, created_at, updated_at, version`},
	{"grants", "account_id, role, commune_id, shop_id, granted_at"},
	{"accounts", "id, issuer, subject, name, email, created_at"},
}

// rows are rows of one table in the form of COPY … (format binary), written as they are made:
// a million orders are twelve million rows, and pgx.CopyFrom would box each of their values.
type rows struct {
	table, columns string
	width          int
	buf            []byte
	starts         []int // of each row in buf
}

// copyHeader is the signature, no flags, no extension (PostgreSQL, COPY, Binary Format).
var copyHeader = []byte("PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00")

// copyEnd is the width of no row.
var copyEnd = []byte{0xff, 0xff}

// into starts rows of a loaded table.
func into(table string) *rows {
	for _, l := range loaded {
		if l.table == table {
			return &rows{table: table, columns: l.columns, width: strings.Count(l.columns, ",") + 1, buf: bytes.Clone(copyHeader)}
		}
	}
	panic("not a loaded table: " + table)
}

func (r *rows) row() *rows {
	r.starts = append(r.starts, len(r.buf))
	r.buf = binary.BigEndian.AppendUint16(r.buf, uint16(r.width))
	return r
}

func (r *rows) size(n int) { r.buf = binary.BigEndian.AppendUint32(r.buf, uint32(n)) }

func (r *rows) null() *rows { r.size(-1); return r }

func (r *rows) text(s string) *rows {
	r.size(len(s))
	r.buf = append(r.buf, s...)
	return r
}

// some is a text that is null when empty.
func (r *rows) some(s string) *rows {
	if s == "" {
		return r.null()
	}
	return r.text(s)
}

func (r *rows) uuid(id uuid.UUID) *rows {
	r.size(len(id))
	r.buf = append(r.buf, id[:]...)
	return r
}

func (r *rows) bool(b bool) *rows {
	r.size(1)
	if b {
		r.buf = append(r.buf, 1)
	} else {
		r.buf = append(r.buf, 0)
	}
	return r
}

func (r *rows) int2(n int) *rows {
	r.size(2)
	r.buf = binary.BigEndian.AppendUint16(r.buf, uint16(n))
	return r
}

func (r *rows) int4(n int) *rows {
	r.size(4)
	r.buf = binary.BigEndian.AppendUint32(r.buf, uint32(n))
	return r
}

// few is a number, or null for 0.
func (r *rows) few(n int) *rows {
	if n == 0 {
		return r.null()
	}
	return r.int4(n)
}

func (r *rows) int8(n int) *rows {
	r.size(8)
	r.buf = binary.BigEndian.AppendUint64(r.buf, uint64(n))
	return r
}

func (r *rows) float8(f float64) *rows {
	r.size(8)
	r.buf = binary.BigEndian.AppendUint64(r.buf, math.Float64bits(f))
	return r
}

// at is a timestamptz.
func (r *rows) at(i instant) *rows {
	const since2000 = 946684800 * second
	return r.int8(int(i - since2000))
}

// date is a date.
func (r *rows) date(d calendar.Date) *rows {
	const days2000 = 10957
	return r.int4(int(d) - days2000)
}

// texts is a text[].
func (r *rows) texts(list []string) *rows {
	const oidText = 25
	return r.array(oidText, len(list), func(i int) { r.text(list[i]) })
}

// int2s is a smallint[].
func (r *rows) int2s(list []int) *rows {
	const oidInt2 = 21
	return r.array(oidInt2, len(list), func(i int) { r.int2(list[i]) })
}

// array is an array of n elements, each written by its place.
func (r *rows) array(oid, n int, element func(i int)) *rows {
	start := len(r.buf)
	r.size(0)
	r.size(min(n, 1)) // dimensions
	r.size(0)
	r.size(oid)
	if n > 0 {
		r.size(n)
		r.size(1) // lower bound
		for i := range n {
			element(i)
		}
	}
	binary.BigEndian.PutUint32(r.buf[start:], uint32(len(r.buf)-start-4))
	return r
}

// sort puts the rows in the order of their bytes, which is that of their primary key where this comes
// first: a commune's code has five characters always, and numbers and UUIDs are written from the left.
func (r *rows) sort() {
	ends := append(r.starts, len(r.buf))
	type place struct{ from, to int }
	places := make([]place, len(r.starts))
	for i, from := range r.starts {
		places[i] = place{from, ends[i+1]}
	}
	of := func(p place) []byte { return r.buf[p.from:p.to] }
	byBytes := func(a, b place) int { return bytes.Compare(of(a), of(b)) }
	if slices.IsSortedFunc(places, byBytes) {
		return
	}
	slices.SortFunc(places, byBytes)
	sorted := append(make([]byte, 0, len(r.buf)+len(copyEnd)), copyHeader...)
	for i, p := range places {
		r.starts[i] = len(sorted)
		sorted = append(sorted, of(p)...)
	}
	r.buf = sorted
}

// forget starts again.
func (r *rows) forget() { r.buf, r.starts = r.buf[:len(copyHeader)], r.starts[:0] }

// send copies the rows to the server and starts again. Straight where the role bypasses
// row-level security; else by way of a temporary table, since COPY FROM refuses a table with
// policies.
func (r *rows) send(ctx context.Context, conn *pgx.Conn, straight bool) error {
	return sendAll(ctx, conn, straight, []*rows{r})
}

// sendAll is send for rows of one table, one after the other.
func sendAll(ctx context.Context, conn *pgx.Conn, straight bool, parts []*rows) error {
	readers, some := []io.Reader{bytes.NewReader(copyHeader)}, false
	for _, r := range parts {
		readers = append(readers, bytes.NewReader(r.buf[len(copyHeader):]))
		some = some || len(r.starts) > 0
	}
	if !some {
		return nil
	}
	r := parts[0]
	target := r.table
	if !straight {
		target = "loading_" + r.table
		if _, err := conn.Exec(ctx, fmt.Sprintf("create temporary table %s as select %s from %s with no data", target, r.columns, r.table)); err != nil {
			return err
		}
	}
	in := io.MultiReader(append(readers, bytes.NewReader(copyEnd))...)
	if _, err := conn.PgConn().CopyFrom(ctx, in, fmt.Sprintf("copy %s (%s) from stdin (format binary)", target, r.columns)); err != nil {
		return fmt.Errorf("copy %s: %w", r.table, err)
	}
	if !straight {
		if _, err := conn.Exec(ctx, fmt.Sprintf("insert into %[1]s (%[2]s) select %[2]s from %[3]s; drop table %[3]s", r.table, r.columns, target)); err != nil {
			return fmt.Errorf("insert into %s: %w", r.table, err)
		}
	}
	for _, r := range parts {
		r.forget()
	}
	return nil
}
