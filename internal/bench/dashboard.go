package bench

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	townsFigures = `query ($from: Month!, $to: Month!) {
  dashboard(input: {from: $from, to: $to}) {
    series { key figures { indicator value { number } } }
    byCommune { key figures { indicator value { number } } }
  }
}`
	communesFigures = `query ($commune: InseeCode!, $from: Month!, $to: Month!) {
  dashboard(input: {communes: [$commune], from: $from, to: $to}) {
    series { key figures { indicator value { number } } }
  }
}`
)

// Year is the twelve months that were published last, and the communes of W5c.
type Year struct {
	From, To string // "2026-10"
	Communes []string
}

// LastYear finds out what was published; nil where nothing was.
func (l *Limit) LastYear(ctx context.Context) (*Year, error) {
	var last *time.Time
	if err := l.db.QueryRow(ctx, `select max(month) from insight.versions where kind <> 'RUNNING'`).Scan(&last); err != nil {
		return nil, err
	}
	if last == nil {
		return nil, fmt.Errorf("no month's figures were published")
	}
	rows, err := l.db.Query(ctx, `select insee from communes order by population desc limit 10`)
	if err != nil {
		return nil, err
	}
	y := &Year{From: last.AddDate(0, -11, 0).Format("2006-01"), To: last.Format("2006-01")}
	y.Communes, err = pgx.CollectRows(rows, pgx.RowTo[string])
	return y, err
}

// Dashboards are W5 and W5c: an analyst's year, from published figures, beside the same counted from
// the orders each time. halles leaves out what statistical secrecy hides.
func (y *Year) Dashboards(analyst string) []Workload {
	w5 := Workload{Name: "W5", Title: "a year's figures by month and by commune, beside their live count", Staff: true}
	w5c := Workload{Name: "W5c", Title: "the year of one commune", Staff: true}
	token := "Authorization: Bearer " + analyst
	period := map[string]string{"from": y.From, "to": y.To}
	var one, limitOne [][]byte
	for _, c := range y.Communes {
		one = append(one, post(communesFigures, map[string]string{"from": y.From, "to": y.To, "commune": c}, token))
		limitOne = append(limitOne, get("/w5?"+url.Values{"from": {y.From}, "to": {y.To}, "commune": {c}}.Encode()))
	}
	w5.Halles, w5.Limit = inTurn([][]byte{post(townsFigures, period, token)}), inTurn([][]byte{get("/w5?" + url.Values{"from": {y.From}, "to": {y.To}}.Encode())})
	w5c.Halles, w5c.Limit = inTurn(one), inTurn(limitOne)
	return []Workload{w5, w5c}
}

// dashboard is W5 and W5c: the live aggregation, one pass over the year's orders.
func (l *Limit) dashboard(r *http.Request, b []byte) ([]byte, error) {
	query := r.URL.Query()
	from, err := time.Parse("2006-01", query.Get("from"))
	if err != nil {
		return nil, err
	}
	to, err := time.Parse("2006-01", query.Get("to"))
	if err != nil {
		return nil, err
	}
	where, groups, column, args := "", "(month), (commune_id)", "commune_id", []any{from, to.AddDate(0, 1, 0)}
	if commune := query.Get("commune"); commune != "" {
		where, groups, column, args = " and commune_id = $3", "(month)", "null::text", append(args, commune)
	}
	b = append(b, `{"data":{"dashboard":{"series":[`...)
	months, n := true, 0
	err = l.read(r.Context(), func(v [][]byte) {
		key := v[0]
		if v[0] == nil {
			if key = v[1]; months {
				months, n = false, 0
				b = append(b, `],"byCommune":[`...)
			}
		}
		if n++; n > 1 {
			b = append(b, ',')
		}
		orders, revenue := int8of(v[2]), int8of(v[3])
		b = text(append(b, `{"key":`...), key)
		b = number(append(b, `,"ORDERS":`...), orders)
		b = number(append(b, `,"REVENUE":`...), revenue)
		b = number(append(b, `,"BASKET":`...), (2*revenue+orders)/(2*orders))
		b = append(number(append(b, `,"ACTIVE_SHOPS":`...), int8of(v[4])), '}')
	}, `select to_char(month, 'YYYY-MM'), `+column+`, count(*), sum(items_cents + delivery_cents)::bigint, count(distinct shop_id) from (
			select date_trunc('month', placed_at at time zone 'Europe/Paris') as month, commune_id, shop_id, items_cents, delivery_cents
			from orders where placed_at >= $1::timestamp at time zone 'Europe/Paris' and placed_at < $2::timestamp at time zone 'Europe/Paris'
				and status not in ('REJECTED', 'CANCELLED', 'NO_SHOW')`+where+`) o
		group by grouping sets (`+groups+`) order by month nulls last, 2`, args...)
	return append(b, `]}}}`...), err
}
