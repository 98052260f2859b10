package insight

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/insight/secrecy"
)

// maxMissed bounds the words that are told of searches without result.
const maxMissed = 10

// outreachSteps are what calls to the hotline about a registration came to.
var outreachSteps = []step{
	{"CALLS", nil}, {"DOSSIERS", nil}, {"SHOPS_OPENED", []string{"DOSSIERS"}}, {"SHOPS_SELLING", []string{"DOSSIERS", "SHOPS_OPENED"}},
}

// outreachSQL counts the calls of a month about registrations, the dossiers that they were about, and
// which of those are published shops, with an order that stands, when the month is closed. An
// enterprise is a dossier's SIREN, or the dossier or call itself where there is none yet.
const outreachSQL = `
	with called as (
		select c.commune_id, c.id, c.registration_id, coalesce(left(r.siret, 9), r.id::text, c.id::text) as siren
		from calls c left join registrations r on r.commune_id = c.commune_id and r.id = c.registration_id
		where c.commune_id = any($1) and c.reason = 'REGISTRATION'
		and c.at >= $2::date::timestamp at time zone 'Europe/Paris' and c.at < $3::date::timestamp at time zone 'Europe/Paris'),
	dossier as (
		select distinct c.commune_id, c.registration_id, c.siren, s.id is not null as opened,
			s.id is not null and exists (select from shop_facts f where f.commune_id = s.commune_id and f.shop_id = s.id and f.orders > 0) as selling
		from called c left join shops s on s.commune_id = c.commune_id and s.id = c.registration_id and s.status in ('PUBLISHED', 'SUSPENDED')
		where c.registration_id is not null)
	select 'CALLS' as key, siren, array[count(*)]::bigint[] as values from called group by siren
	union all
	select key, siren, array[count(*)]::bigint[] from dossier, lateral (values ('DOSSIERS', true), ('SHOPS_OPENED', opened), ('SHOPS_SELLING', selling)) step (key, here)
	where here group by key, siren`

// missed are the searches of a month that found nothing: how many, and the words that most sessions
// looked for. No shop's figures are in them; words count from three sessions of a day on.
func (p *publisher) missed(ctx context.Context, tx pgx.Tx, from, until string) ([]figure, error) {
	rows, err := tx.Query(ctx, `
		select '`+all+`' as key, coalesce(sum(searches), 0)::bigint from search_misses where day >= $1::date and day < $2::date
		union all
		(select term, sum(sessions)::bigint from search_miss_terms where day >= $1::date and day < $2::date group by term order by 2 desc, 1 limit $3)`,
		from, until, maxMissed)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (f figure, err error) {
		f.subject, f.measure, f.hidden = byMissed, "searches", secrecy.None
		err = row.Scan(&f.key, &f.value)
		return f, err
	})
}
