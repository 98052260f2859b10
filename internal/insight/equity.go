package insight

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/insight/secrecy"
)

// Communes by size. From 3,500 inhabitants on the law asks more of one (open data, among others).
var sizes = []string{"SMALL", "MIDDLE", "LARGE"}

// size is the group of a commune.
const sizeSQL = `case when c.population < 3500 then 'SMALL' when c.population < 10000 then 'MIDDLE' else 'LARGE' end`

// equity compares shops of small and large communes: how many there are for the people who live
// there, and what the one in the middle sells. There are no sums in it: with those of the cube they
// would tell what a commune hides.
func (p *publisher) equity(ctx context.Context, tx pgx.Tx, from, until string) ([]figure, error) {
	type group struct {
		Key    string
		People int64
		Shops  int64
		Owners int
	}
	rows, err := tx.Query(ctx, `
		select `+sizeSQL+` as key, sum(c.population)::bigint as people, coalesce(sum(s.shops), 0)::bigint as shops, coalesce(sum(s.owners), 0)::int as owners
		from communes c left join lateral (select count(*) as shops, count(distinct left(siret, 9)) as owners from shops s
			where s.commune_id = c.insee and s.status in ('PUBLISHED', 'SUSPENDED') and s.created_at < $2::date::timestamp at time zone 'Europe/Paris') s on true
		where c.insee = any($1) group by 1`, p.scope.Communes, until)
	if err != nil {
		return nil, err
	}
	groups, err := pgx.CollectRows(rows, pgx.RowToStructByName[group])
	if err != nil {
		return nil, err
	}
	rows, err = tx.Query(ctx, `
		select `+sizeSQL+` as key, f.shop_id::text as other, left(s.siret, 9) as siren, array[sum(f.orders), sum(f.gross_cents)]::bigint[] as values
		from shop_facts f join communes c on c.insee = f.commune_id join shops s on s.commune_id = f.commune_id and s.id = f.shop_id
		where f.commune_id = any($1) and f.day >= $2::date and f.day < $3::date and f.orders > 0 group by 1, 2, 3`, p.scope.Communes, from, until)
	if err != nil {
		return nil, err
	}
	sold, err := pgx.CollectRows(rows, pgx.RowToStructByName[linked])
	if err != nil {
		return nil, err
	}
	var list []figure
	for _, size := range sizes {
		var orders, revenue []int64
		by := map[string][]int64{}
		for _, s := range sold {
			if s.Key != size {
				continue
			}
			orders, revenue = append(orders, s.Values[0]), append(revenue, s.Values[1])
			if by[s.Siren] == nil {
				by[s.Siren] = []int64{0, 0}
			}
			by[s.Siren][0], by[s.Siren][1] = by[s.Siren][0]+s.Values[0], by[s.Siren][1]+s.Values[1]
		}
		for _, g := range groups {
			if g.Key != size {
				continue
			}
			f := figure{byEquity, size, "shops_per_10000_tenths", secrecy.None, 0}
			if g.Owners > 0 && g.Owners < secrecy.MinUnits {
				f.hidden = secrecy.FewerThanThree
			} else if g.People > 0 {
				f.value = (g.Shops*100_000 + g.People/2) / g.People
			}
			list = append(list, f)
		}
		c := judged(2, by)
		if c.Hidden == secrecy.None && len(orders) < medianShops {
			c.Hidden = secrecy.FewerThanThree
		}
		middle := []figure{{byEquity, size, "median_orders_tenths", c.Hidden, 0}, {byEquity, size, "median_gross_cents", c.Hidden, 0}}
		if c.Hidden == secrecy.None {
			middle[0].value = 5 * twiceMedian(orders)
			middle[1].value = (twiceMedian(revenue)/2 + 500) / 1000 * 1000 // to 10 €: of an odd number it is one shop's own
		}
		list = append(list, middle...)
	}
	return list, nil
}

// twiceMedian is the sum of the two in the middle; of an odd number, that one twice.
func twiceMedian(values []int64) int64 {
	slices.Sort(values)
	return values[(len(values)-1)/2] + values[len(values)/2]
}
