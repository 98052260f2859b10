package insight

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/insight/secrecy"
)

// The subjects of figures outside the cube: each a table of its own over all communes and a month,
// never crossed with another.
const (
	byChannel = "CHANNEL" // orders and revenue by channel
	byEnd     = "END"     // orders that came to nothing, by how
	byReason  = "REASON"  // the same, by the reason that was given
	byStep    = "STEP"    // shops by how far they have come
	byTime    = "TIME"    // minutes until an answer, until ready
	bySlot    = "SLOT"    // how full times of hand-over were, by mode

	byFlow        = "FLOW"        // orders and revenue by the buyer's commune and the shop's
	byMissed      = "MISSED"      // searches that found nothing
	byOutreach    = "OUTREACH"    // what calls about a registration came to
	byEquity      = "EQUITY"      // shops of small and large communes
	byRestriction = "RESTRICTION" // before and after one began
)

// figure is a row of insight.figures.
type figure struct {
	subject, key, measure string
	hidden                secrecy.Reason
	value                 int64
}

var (
	channels = []string{"WEB", "WIDGET", "PHONE", "COUNTER"}
	ends     = []string{"REJECTED", "CANCELLED", "NO_SHOW"}
	reasons  = []string{"OUT_OF_STOCK", "SHOP_CLOSED", "TOO_BUSY", "CHANGED_MIND", "ORDERED_TWICE", "UNREACHABLE", "NOT_COLLECTED", "NOT_ACKNOWLEDGED", "OTHER", notGiven}
)

// notGiven is the key of orders that ended without a reason.
const notGiven = "NONE"

// part is what an enterprise has in a row of a figures' table.
type part struct {
	Key    string
	Siren  string
	Values []int64
}

// figures are all that is published of a month beside the cube.
func (p *publisher) figures(ctx context.Context, tx pgx.Tx, m Month, c *cube) ([]figure, error) {
	from, until := m.First().String(), m.Next().First().String()
	parts := func(sql string) ([]part, error) {
		rows, err := tx.Query(ctx, sql, p.scope.Communes, from, until)
		if err != nil {
			return nil, err
		}
		return pgx.CollectRows(rows, pgx.RowToStructByName[part])
	}
	var list []figure
	sold, err := parts(`
		select f.channel as key, left(s.siret, 9) as siren, array[sum(f.gross_cents), sum(f.orders)]::bigint[] as values
		from shop_facts f join shops s on s.commune_id = f.commune_id and s.id = f.shop_id
		where f.commune_id = any($1) and f.day >= $2::date and f.day < $3::date group by 1, 2`)
	if err != nil {
		return nil, err
	}
	list = append(list, row(byChannel, channels, []string{"gross_cents", "orders"}, sold, c.table.At(secrecy.Total, secrecy.Total, secrecy.Total))...)
	steps, err := parts(stepsSQL)
	if err != nil {
		return nil, err
	}
	list = append(list, nested(byStep, shopSteps, []string{"shops", "headcount"}, steps)...)
	called, err := parts(outreachSQL)
	if err != nil {
		return nil, err
	}
	list = append(list, nested(byOutreach, outreachSteps, []string{"count"}, called)...)
	filled, err := parts(`
		select t.mode as key, left(s.siret, 9) as siren, array[sum(t.booked), sum(t.capacity)]::bigint[] as values
		from slots t join shops s on s.commune_id = t.commune_id and s.id = t.shop_id
		where t.commune_id = any($1) and t.capacity is not null and not t.closed
		and t.starts_at >= $2::date::timestamp at time zone 'Europe/Paris' and t.starts_at < $3::date::timestamp at time zone 'Europe/Paris' group by 1, 2`)
	if err != nil {
		return nil, err
	}
	list = append(list, apart(bySlot, modes, []string{"booked", "capacity"}, filled)...)
	for _, more := range []func() ([]figure, error){
		func() ([]figure, error) { return p.lost(ctx, tx, from, until) },
		func() ([]figure, error) { return p.flows(ctx, tx, from, until, c) },
		func() ([]figure, error) { return p.missed(ctx, tx, from, until) },
		func() ([]figure, error) { return p.equity(ctx, tx, from, until) },
		func() ([]figure, error) { return p.restricted(ctx, tx, m) },
		func() ([]figure, error) { return p.times(ctx, tx, from, until) },
	} {
		found, err := more()
		if err != nil {
			return nil, err
		}
		list = append(list, found...)
	}
	return list, nil
}

// row is a table of one dimension whose total is the cube's, told or hidden there.
func row(subject string, keys, measures []string, parts []part, total *secrecy.Cell) []figure {
	at := map[string]int{all: secrecy.Total}
	for i, k := range keys {
		at[k] = i
	}
	t := secrecy.New(len(measures), len(keys))
	for i := range keys {
		t.Exist(i)
	}
	for _, p := range parts {
		t.Add(p.Siren, p.Values, at[p.Key])
	}
	linkedTo(t, total, secrecy.Total)
	t.Protect()
	var list []figure
	for _, k := range append(keys[:len(keys):len(keys)], all) {
		list = append(list, figuresAt(subject, k, measures, t.At(at[k]))...)
	}
	return list
}

// figuresAt is what is told of a cell: a figure for each measure, or why it has none.
func figuresAt(subject, key string, measures []string, c *secrecy.Cell) []figure {
	var list []figure
	for m, name := range measures {
		f := figure{subject: subject, key: key, measure: name, hidden: c.Hidden}
		if c.Hidden == secrecy.None {
			f.value = c.Values[m]
		}
		list = append(list, f)
	}
	return list
}

// apart is cells that do not add up to anything: each is judged by itself.
func apart(subject string, keys, measures []string, parts []part) []figure {
	var list []figure
	for _, k := range keys {
		t := secrecy.New(len(measures), 1)
		t.Exist(0)
		for _, p := range parts {
			if p.Key == k {
				t.Add(p.Siren, p.Values, 0)
			}
		}
		t.Judge()
		list = append(list, figuresAt(subject, k, measures, t.At(0))...)
	}
	return list
}

// stepKeys are how far shops have come by the end of a month, and which of them need help.
var stepKeys = []string{"REGISTERED", "PUBLISHED", "TEN_PRODUCTS", "FIRST_ORDER", "ACTIVE", "AT_RISK"}

// shopSteps are the same with what they are part of, those first that are told rather than others.
var shopSteps = []step{
	{"PUBLISHED", []string{"REGISTERED"}},
	{"ACTIVE", []string{"REGISTERED", "FIRST_ORDER"}},
	{"AT_RISK", []string{"REGISTERED", "PUBLISHED"}},
	{"REGISTERED", nil},
	{"FIRST_ORDER", []string{"REGISTERED"}},
	{"TEN_PRODUCTS", []string{"REGISTERED", "PUBLISHED"}},
}

// stepsSQL counts shops of each enterprise, and the jobs in them, by step.
const stepsSQL = `
	with shop as (
		select s.commune_id, s.id, left(s.siret, 9) as siren, coalesce(s.headcount, 0) as headcount, s.status,
			s.status in ('PUBLISHED', 'SUSPENDED') as published,
			(select count(*) from (select from products p where p.commune_id = s.commune_id and p.shop_id = s.id and p.status = 'ACTIVE'
				and p.created_at < $3::date::timestamp at time zone 'Europe/Paris' limit 10) x) >= 10 as stocked,
			(select max(f.day) from shop_facts f where f.commune_id = s.commune_id and f.shop_id = s.id and f.day < $3::date) as last_placed,
			exists (select from shop_facts f where f.commune_id = s.commune_id and f.shop_id = s.id and f.day >= $2::date and f.day < $3::date and f.orders > 0) as active
		from shops s where s.commune_id = any($1) and s.created_at < $3::date::timestamp at time zone 'Europe/Paris')
	select key, siren, array[count(*), sum(headcount)]::bigint[] as values
	from shop, lateral (values ('REGISTERED', true), ('PUBLISHED', published), ('TEN_PRODUCTS', published and stocked),
		('FIRST_ORDER', last_placed is not null), ('ACTIVE', active),
		('AT_RISK', status = 'PUBLISHED' and (last_placed is null or last_placed < $3::date - 30))) step (key, here)
	where here group by key, siren`

// times are the median and the 9th decile of the minutes that orders waited. A quantile of few
// shops is one shop's, so that ten are asked for, beside the rules.
func (p *publisher) times(ctx context.Context, tx pgx.Tx, from, until string) ([]figure, error) {
	type waited struct {
		Key         string
		Shops       int
		Enterprises int
		Most        int64
		Orders      int64
		Median, P90 int64
	}
	rows, err := tx.Query(ctx, `
		with placed as (
			select o.commune_id, o.id, o.shop_id, o.placed_at, left(s.siret, 9) as siren from orders o join shops s on s.commune_id = o.commune_id and s.id = o.shop_id
			where o.commune_id = any($1) and o.placed_at >= $2::date::timestamp at time zone 'Europe/Paris' and o.placed_at < $3::date::timestamp at time zone 'Europe/Paris'),
		waited as (
			select e.kind as key, p.shop_id, p.siren, extract(epoch from e.at - p.placed_at) / 60 as minutes
			from placed p join order_events e on e.commune_id = p.commune_id and e.order_id = p.id and e.kind in ('ACCEPTED', 'READY')),
		biggest as (select key, max(n) as most from (select key, siren, count(*) as n from waited group by key, siren) x group by key)
		select key, count(distinct shop_id)::int as shops, count(distinct siren)::int as enterprises, most, count(*) as orders,
			round(percentile_cont(0.5) within group (order by minutes))::bigint as median, round(percentile_cont(0.9) within group (order by minutes))::bigint as p90
		from waited join biggest using (key) group by key, most`, p.scope.Communes, from, until)
	if err != nil {
		return nil, err
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[waited])
	if err != nil {
		return nil, err
	}
	by := map[string]waited{}
	for _, w := range found {
		by[w.Key] = w
	}
	var list []figure
	for _, k := range []string{"ACCEPTED", "READY"} {
		w := by[k]
		hidden := secrecy.None
		switch {
		case w.Enterprises < secrecy.MinUnits || w.Shops < medianShops:
			hidden, w = secrecy.FewerThanThree, waited{}
		case w.Most*100 > w.Orders*secrecy.MaxShare:
			hidden, w = secrecy.Dominance, waited{}
		}
		list = append(list, figure{byTime, k, "median_minutes", hidden, w.Median}, figure{byTime, k, "p90_minutes", hidden, w.P90})
	}
	return list, nil
}

func writeFigures(ctx context.Context, tx pgx.Tx, m Month, version int, figures []figure) error {
	var subjects, keys, measures []string
	var hidden []*string
	var values []*int64
	for _, f := range figures {
		subjects, keys, measures = append(subjects, f.subject), append(keys, f.key), append(measures, f.measure)
		if f.hidden != secrecy.None {
			why := string(f.hidden)
			hidden, values = append(hidden, &why), append(values, nil)
		} else {
			hidden, values = append(hidden, nil), append(values, &f.value)
		}
	}
	_, err := tx.Exec(ctx, `insert into insight.figures (month, version, subject, key, measure, hidden, value)
		select $1::date, $2, s, k, m, h, v from unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[]) x (s, k, m, h, v)`,
		m.First().String(), version, subjects, keys, measures, hidden, values)
	return err
}
