package insight

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/insight/secrecy"
)

// Buyers' communes beside those of the agglomeration.
const (
	elsewhere = "OUTSIDE" // another commune of France
	unsaid    = "NONE"    // the customer did not say
)

// flowKey is the key of a flow: from where buyers live to where shops are.
func flowKey(buyer, shop string) string { return buyer + ">" + shop }

// linked is what an enterprise has in a cell of two dimensions.
type linked struct {
	Key    string
	Other  string
	Siren  string
	Values []int64
}

// table2 is a table of two dimensions; what is of a key that it does not have is left out.
func table2(measures int, keys, others []string, parts []linked) (t *secrecy.Table) {
	t = secrecy.New(measures, len(keys), len(others))
	for _, p := range parts {
		k, o := slices.Index(keys, p.Key), slices.Index(others, p.Other)
		if k >= 0 && o >= 0 {
			t.Add(p.Siren, p.Values, k, o)
		}
	}
	return t
}

// flows are orders by the buyer's commune and the shop's. Their totals by shops' commune are the
// cube's, told or hidden there. Of pairs only those that are told are kept: anybody may buy anywhere,
// so that of the others it is not even said that there were any.
func (p *publisher) flows(ctx context.Context, tx pgx.Tx, from, until string, c *cube) ([]figure, error) {
	rows, err := tx.Query(ctx, `
		select case when o.buyer_commune is null then '`+unsaid+`' when k.insee is null then '`+elsewhere+`' else k.insee end as key, o.commune_id as other, left(s.siret, 9) as siren,
			array[sum(o.items_cents + o.delivery_cents), count(*)]::bigint[] as values
		from orders o join shops s on s.commune_id = o.commune_id and s.id = o.shop_id left join communes k on k.insee = o.buyer_commune
		where o.commune_id = any($1) and o.status not in ('REJECTED', 'CANCELLED', 'NO_SHOW')
		and o.placed_at >= $2::date::timestamp at time zone 'Europe/Paris' and o.placed_at < $3::date::timestamp at time zone 'Europe/Paris'
		group by 1, 2, 3`, p.scope.Communes, from, until)
	if err != nil {
		return nil, err
	}
	parts, err := pgx.CollectRows(rows, pgx.RowToStructByName[linked])
	if err != nil {
		return nil, err
	}
	buyers := append(slices.Clone(p.scope.Communes), elsewhere, unsaid)
	t := table2(2, buyers, p.scope.Communes, parts)
	bought := make([]bool, len(buyers)) // of who bought nothing it is not said, and nothing hangs on it
	for b := range buyers {
		bought[b] = t.At(b, secrecy.Total).Units > 0
	}
	for s, shops := range p.scope.Communes {
		if c.table.At(s, secrecy.Total, secrecy.Total).Exists {
			for b := range buyers {
				if bought[b] {
					t.Exist(b, s)
				}
			}
		}
		linkedTo(t, c.table.At(c.at(shops, all, all)...), secrecy.Total, s)
	}
	linkedTo(t, c.table.At(secrecy.Total, secrecy.Total, secrecy.Total), secrecy.Total, secrecy.Total)
	t.Protect()
	var list []figure
	for b, buyer := range buyers {
		margin := t.At(b, secrecy.Total)
		if !bought[b] {
			margin.Hidden = secrecy.FewerThanThree
		}
		list = append(list, figuresAt(byFlow, flowKey(buyer, all), []string{"gross_cents", "orders"}, margin)...)
		for s, shops := range p.scope.Communes {
			if cell := t.At(b, s); cell.Exists && cell.Hidden == secrecy.None {
				list = append(list, figuresAt(byFlow, flowKey(buyer, shops), []string{"gross_cents", "orders"}, cell)...)
			}
		}
	}
	return list, nil
}

// linkedTo gives a total the fate that it has in the cube, where it is the same sum.
func linkedTo(t *secrecy.Table, cube *secrecy.Cell, at ...int) {
	if cube.Hidden != secrecy.None {
		t.Hide(cube.Hidden, at...)
	} else {
		t.Know(at...)
	}
}

// lost are the orders of a month that came to nothing, by how they ended and by the reason. Both lists
// are the edges of one table, whose inside nobody is told: some reasons go with one end only, so that
// each list by itself would give the other away.
func (p *publisher) lost(ctx context.Context, tx pgx.Tx, from, until string) ([]figure, error) {
	rows, err := tx.Query(ctx, `
		select o.status as key, coalesce(o.reason, '`+notGiven+`') as other, left(s.siret, 9) as siren, array[count(*)]::bigint[] as values
		from orders o join shops s on s.commune_id = o.commune_id and s.id = o.shop_id
		where o.commune_id = any($1) and o.status in ('REJECTED', 'CANCELLED', 'NO_SHOW')
		and o.placed_at >= $2::date::timestamp at time zone 'Europe/Paris' and o.placed_at < $3::date::timestamp at time zone 'Europe/Paris' group by 1, 2, 3`,
		p.scope.Communes, from, until)
	if err != nil {
		return nil, err
	}
	parts, err := pgx.CollectRows(rows, pgx.RowToStructByName[linked])
	if err != nil {
		return nil, err
	}
	return lostOf(parts), nil
}

// lostOf are the figures of orders by end and reason.
func lostOf(parts []linked) []figure {
	t := table2(1, ends, reasons, parts)
	for k := range ends {
		t.Exist(k, slices.Index(reasons, notGiven)) // each end may come without one
		for o := range reasons {
			if t.At(k, o).Exists {
				t.Hide(secrecy.Withheld, k, o)
			}
		}
	}
	for o := range reasons {
		if !t.At(secrecy.Total, o).Exists { // and each reason with one end at least
			t.Exist(0, o)
			t.Hide(secrecy.Withheld, 0, o)
		}
	}
	t.Protect()
	var list []figure
	for k, end := range ends {
		list = append(list, figuresAt(byEnd, end, []string{"orders"}, t.At(k, secrecy.Total))...)
	}
	for o, reason := range reasons {
		list = append(list, figuresAt(byReason, reason, []string{"orders"}, t.At(secrecy.Total, o))...)
	}
	total := t.At(secrecy.Total, secrecy.Total)
	list = append(list, figuresAt(byEnd, all, []string{"orders"}, total)...)
	return append(list, figuresAt(byReason, all, []string{"orders"}, total)...)
}
