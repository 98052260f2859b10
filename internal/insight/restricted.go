package insight

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/calendar"
	"github.com/audelor/halles/internal/insight/secrecy"
)

// A restriction is looked at when it has held for window days, or has ended before; one that held for
// less than shortest tells nothing.
const (
	window   = 28
	shortest = 7
)

var restrictedMeasures = []string{"shops", "headcount", "orders_change", "others_change"}

// imposed is a restriction of a commune with what a calendar needs of it.
type imposed struct {
	CommuneID string
	Row       uuid.UUID `db:"id"`
	calendar.Restriction
}

// restrictedShop is a shop that a restriction may touch.
type restrictedShop struct {
	CommuneID string
	ID        uuid.UUID
	Siren     string
	Headcount int64
	place     calendar.Place
}

// restricted are the restrictions whose window of days ends in a month: how many shops and jobs they
// touched, and how much orders changed from as many days before to the days after it began, at the
// shops that it touched and at the others. Changes are whole percents and no sums: windows overlap
// months, and the difference of two sums would be the sales of a few days.
func (p *publisher) restricted(ctx context.Context, tx pgx.Tx, m Month) ([]figure, error) {
	from, until := m.First(), m.Next().First()
	rows, err := tx.Query(ctx, `
		select r.commune_id, r.id, r.title, r.starts_at, r.ends_at, r.naf_version, r.categories, r.naf_codes, r.except_categories, r.except_naf_codes, coalesce(r.area_over_m2, 0)
		from restrictions r where r.commune_id = any($1) and r.starts_at >= $2 and r.starts_at < $3 and (r.ends_at is null or r.ends_at > r.starts_at)
		order by r.starts_at, r.id, r.commune_id`, p.scope.Communes, (from - window).At(0), until.At(0))
	if err != nil {
		return nil, err
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r imposed, err error) {
		var version string
		var ends *time.Time
		var nafs, except []string
		err = row.Scan(&r.CommuneID, &r.Row, &r.Title, &r.From, &ends, &version, &r.Of.Categories, &nafs, &r.Except.Categories, &except, &r.AreaOver)
		if ends != nil {
			r.Until = *ends
		}
		for _, c := range nafs {
			r.Of.Nafs = append(r.Of.Nafs, calendar.Naf{Code: c, Version: version})
		}
		for _, c := range except {
			r.Except.Nafs = append(r.Except.Nafs, calendar.Naf{Code: c, Version: version})
		}
		return r, err
	})
	if err != nil {
		return nil, err
	}
	var figures []figure
	for len(list) > 0 {
		n := 1 // of one restriction, a row for each commune
		for n < len(list) && list[n].Row == list[0].Row {
			n++
		}
		one := list[:n]
		list = list[n:]
		began := calendar.DateOf(one[0].From)
		days := calendar.Date(window)
		if !one[0].Until.IsZero() {
			days = min(days, calendar.DateOf(one[0].Until)-began)
		}
		if ends := began + days; days < shortest || ends <= from || ends > until {
			continue
		}
		found, err := p.effect(ctx, tx, one, began, days)
		if err != nil {
			return nil, err
		}
		figures = append(figures, found...)
	}
	return figures, nil
}

// effect is what one restriction did, from as many days before it began as it is looked at.
func (p *publisher) effect(ctx context.Context, tx pgx.Tx, one []imposed, began, days calendar.Date) ([]figure, error) {
	shops, err := p.restrictable(ctx, tx, began)
	if err != nil {
		return nil, err
	}
	rows, err := tx.Query(ctx, `
		select commune_id, shop_id, coalesce(sum(orders) filter (where day < $3::date), 0)::bigint, coalesce(sum(orders) filter (where day >= $3::date), 0)::bigint
		from shop_facts where commune_id = any($1) and day >= $2::date and day < $4::date group by commune_id, shop_id`,
		p.scope.Communes, (began - days).String(), began.String(), (began + days).String())
	if err != nil {
		return nil, err
	}
	sold := map[uuid.UUID][2]int64{}
	var commune string
	var shop uuid.UUID
	var before, after int64
	if _, err := pgx.ForEachRow(rows, []any{&commune, &shop, &before, &after}, func() error {
		sold[shop] = [2]int64{before, after}
		return nil
	}); err != nil {
		return nil, err
	}
	// Shops and jobs, and orders before and after: of those it touched, then of the others.
	var people, orders [2]map[string][]int64
	for side := range 2 {
		people[side], orders[side] = map[string][]int64{}, map[string][]int64{}
	}
	for i := range shops {
		s := &shops[i]
		side := 1
		for j := range one {
			if one[j].CommuneID == s.CommuneID && one[j].Touches(&s.place) {
				side = 0
			}
		}
		add(people[side], s.Siren, 1, s.Headcount)
		add(orders[side], s.Siren, sold[s.ID][0], sold[s.ID][1])
	}
	key := began.String() + " " + one[0].Title
	touched := judged(2, people[0])
	// All shops are told among the steps, and so are the others.
	if others := judged(2, people[1]); touched.Hidden == secrecy.None && others.Units > 0 && others.Hidden != secrecy.None {
		touched.Hidden = secrecy.Secondary
	}
	list := figuresAt(byRestriction, key, restrictedMeasures[:2], touched)
	for side, measure := range restrictedMeasures[2:] {
		c := judged(2, orders[side])
		f := figure{byRestriction, key, measure, c.Hidden, 0}
		switch {
		case c.Hidden != secrecy.None:
		case c.Values[0] == 0:
			f.hidden = secrecy.FewerThanThree
		default:
			f.value = percent(c.Values[0], c.Values[1])
		}
		list = append(list, f)
	}
	return list, nil
}

// restrictable are the shops that were published when a restriction began.
func (p *publisher) restrictable(ctx context.Context, tx pgx.Tx, began calendar.Date) ([]restrictedShop, error) {
	rows, err := tx.Query(ctx, `
		select s.commune_id, s.id, left(s.siret, 9), coalesce(s.headcount, 0)::bigint, array_remove(array[k.id, k.parent_id], null), s.naf_code, s.naf_version, coalesce(s.sales_area_m2, 0)
		from shops s join categories k on k.id = s.category_id
		where s.commune_id = any($1) and s.status in ('PUBLISHED', 'SUSPENDED') and s.created_at < $2`, p.scope.Communes, began.At(0))
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (s restrictedShop, err error) {
		naf := calendar.Naf{}
		err = row.Scan(&s.CommuneID, &s.ID, &s.Siren, &s.Headcount, &s.place.Categories, &naf.Code, &naf.Version, &s.place.SalesArea)
		s.place.Commune, s.place.Nafs = s.CommuneID, []calendar.Naf{naf}
		return s, err
	})
}

func add(by map[string][]int64, siren string, a, b int64) {
	if by[siren] == nil {
		by[siren] = []int64{0, 0}
	}
	by[siren][0], by[siren][1] = by[siren][0]+a, by[siren][1]+b
}

// percent is the change from before to after in whole percents, rounded half away from zero.
func percent(before, after int64) int64 {
	d := after - before
	return (d*200 + sign(d)*before) / (2 * before)
}
