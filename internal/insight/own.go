package insight

import (
	"context"

	"github.com/audelor/halles/internal/calendar"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/money"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// Fact is what a shop sold on a day, by mode and channel.
type Fact struct {
	Day       string // "2026-11-24", in Europe/Paris
	Mode      string
	Channel   string
	Placed    int         // all orders
	Orders    int         // those that stand: neither rejected nor cancelled nor left
	Items     int         // theirs
	Gross     money.Cents `db:"gross_cents"` // what they cost, VAT and delivery included
	VAT       money.Cents `db:"vat_cents"`   // contained in Gross
	Rejected  int
	Cancelled int
	NoShows   int `db:"no_shows"`
}

const factColumns = `day::text as day, mode, channel, placed, orders, items, gross_cents, vat_cents, rejected, cancelled, no_shows`

// OwnFacts are a merchant's own shop's days from one to another, both included, exactly as its
// orders are now: the facts, and for days with events after the watermark the orders themselves.
// It is one statement, and so one moment. No rows for whoever does not run the shop.
func (n *Insight) OwnFacts(ctx context.Context, v *identity.Viewer, shop tenancy.ID, from, to calendar.Date) ([]Fact, error) {
	if !v.Runs(shop) {
		return nil, nil
	}
	return pg.Select[Fact](ctx, n.DB, v.Scope().In(shop.Commune), counted(`
		from orders o join (
			select distinct `+localDay+` as day from order_events e join orders o on o.commune_id = e.commune_id and o.id = e.order_id
			where e.commune_id = $1 and e.shop_id = $2 and e.seq > coalesce((select seq from fact_heads where commune_id = $1), 0)) d
			on o.placed_at >= d.day::timestamp at time zone 'Europe/Paris' and o.placed_at < (d.day + 1)::timestamp at time zone 'Europe/Paris'
		where o.commune_id = $1 and o.shop_id = $2 and d.day between $3::date and $4::date`)+`,
		tail as (
			select distinct `+localDay+` as day from order_events e join orders o on o.commune_id = e.commune_id and o.id = e.order_id
			where e.commune_id = $1 and e.shop_id = $2 and e.seq > coalesce((select seq from fact_heads where commune_id = $1), 0))
		select `+factColumns+` from shop_facts
		where commune_id = $1 and shop_id = $2 and day between $3::date and $4::date and day not in (select day from tail)
		union all
		select `+factColumns+` from sums
		order by day, mode, channel`, shop.Commune, shop.Row, from.String(), to.String())
}
