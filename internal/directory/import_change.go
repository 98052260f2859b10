package directory

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/intake"
)

// matchShops finds the shops that rows name by their SIRET, fills in of new ones what their
// commune says, and finds them an address: the name, and where that is taken the end of the SIRET
// too.
const matchShops = `
	update import_shops r set shop_id = s.id from shops s where s.commune_id = $1 and s.siret = r.siret;
	update import_shops r set given = jsonb_build_object('ville', c.name)
		|| case when cardinality(c.postcodes) = 1 then jsonb_build_object('code_postal', c.postcodes[1]) else '{}' end || r.given
	from communes c where c.insee = $1 and r.shop_id is null;
	update import_shops r set slug = case when n.taken then left(r.slug, 50) || '-' || r.siret else r.slug end
	from (select line, row_number() over (partition by slug order by line) > 1
			or exists (select from shops s where s.commune_id = $1 and s.slug = f.slug) as taken
		from import_shops f where shop_id is null) n
	where r.line = n.line;
	` + mergeModes

// wrongShops are the rows that are wrong beside others, or beside what there is.
const wrongShops = `
	select line, "column", message, count(*) over () as all_of from (
		select line, 'siret' as "column", format('Le SIRET %s est déjà à la ligne %s.', siret, first) as message
		from (select line, siret, min(line) over (partition by siret) as first from import_shops) r where first < line
		union all
		select r.line, 'siret', format('Le SIRET %s est celui d''une boutique d''une autre commune ou d''un dossier en cours. Le numéro vert, le %s, dit lequel ; retirez la ligne.', r.siret, $2::text)
		from import_shops r join siret_held(array(select siret from import_shops where shop_id is null)) h on h.siret = r.siret
		where r.shop_id is null
		union all
		select line, missing, format('Le SIRET %s est celui d''une nouvelle boutique : il lui faut un nom, une catégorie, un code NAF, une adresse, un code postal et un point.', siret)
		from import_shops, unnest('{nom,categorie,naf,adresse,code_postal,latitude}'::text[]) missing
		where shop_id is null and not given ? missing
		union all ` + wrongModes + `
	) w order by line, "column" limit $1`

// shopIsNow is a shop s as it is, under the names that the journal gives its fields.
const shopIsNow = `jsonb_build_object('nom', s.name, 'description', s.description, 'categorie', s.category_id, 'naf', s.naf_code, 'naf_version', s.naf_version,
	'adresse', s.street, 'code_postal', s.postcode, 'ville', s.city, 'latitude', s.latitude, 'longitude', s.longitude, 'telephone', s.phone,
	'courriel', s.email, 'site', s.website, 'services', to_jsonb(s.services), 'accessibilite', to_jsonb(s.accessibility),
	'surface', s.sales_area_m2, 'effectif', s.headcount)
	|| ` + hoursNow + ` || jsonb_build_object('modes', ` + modesNow + `)`

// journalShops writes what the rows change. A code of an activity is told with its nomenclature,
// and that alone is no change.
const journalShops = `
	with change as (
		select r.line, r.siret, coalesce(r.shop_id, r.new_shop) as shop_id, r.shop_id is null as new, r.slug, r.given - ` + rawModes + ` as given, ` + shopIsNow + ` as before, s.name
		from import_shops r left join shops s on s.commune_id = $1 and s.id = r.shop_id),
	told as (
		select c.*, coalesce((select jsonb_object_agg(key, value) from jsonb_each(c.given)
			where value is distinct from c.before -> key and (key <> 'naf_version' or c.given -> 'naf' is distinct from c.before -> 'naf')), '{}') as after
		from change c)
	insert into import_changes (commune_id, import_id, line, kind, label, shop_id, lock_id, before, after)
	select $1, $2, line, case when new then 'CREATED' else 'CHANGED' end, left(coalesce(name, given ->> 'nom') || ' (' || siret || ')', 200), shop_id, shop_id,
		case when new then '{}' else (select jsonb_object_agg(k, before -> k) from jsonb_object_keys(after) k) end,
		case when new then given || jsonb_build_object('siret', siret, 'adresse_web', slug) else after end
	from told where new or after <> '{}'
	order by line`

func lockShops(ctx context.Context, tx pgx.Tx, im *intake.Import, lines []int) error {
	_, err := tx.Exec(ctx, `select from shops s where s.commune_id = $1 and s.id = any(array(
		select shop_id from import_changes where commune_id = $1 and import_id = $2 and line = any($3))) order by s.id for update`, im.CommuneID, im.Row, lines)
	return err
}

// shopsElsewhere looks at the fields that the import changes, and at no others. What it made is as
// it left it while it waits to be published and nothing hangs on it.
func shopsElsewhere(ctx context.Context, tx pgx.Tx, im *intake.Import, lines []int, undoing bool) ([]intake.Moved, error) {
	rows, err := tx.Query(ctx, `
		select c.line, c.label, false as sold
		from import_changes c left join shops s on s.commune_id = $1 and s.id = c.shop_id
		where c.commune_id = $1 and c.import_id = $2 and c.line = any($3)
		and (s.id is null
			or exists (select from jsonb_each(case when $4 then c.after else c.before end - '{siret,adresse_web}'::text[]) w
				where w.value is distinct from (select now.fields from (select `+shopIsNow+`) now (fields)) -> w.key)
			or $4 and c.kind = 'CREATED' and (s.status <> 'PENDING' or s.version <> 1
				or exists (select from products p where p.commune_id = $1 and p.shop_id = s.id)
				or exists (select from unnest($5::text[]) k where `+shopIsNow+` -> k is distinct from coalesce(c.after -> k, '[]'))
				or exists (select from special_hours o where o.commune_id = $1 and o.shop_id = s.id)
				or exists (select from closures o where o.commune_id = $1 and o.shop_id = s.id)
				or exists (select from photos o where o.commune_id = $1 and o.shop_id = s.id)))
		order by c.line`, im.CommuneID, im.Row, lines, undoing, importCalendar)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[intake.Moved])
}

// change gives shops the values after or, when undoing, before. What the import made is taken out
// again, its SIRET with it: nobody but its staff has seen it.
func (w *shopImport) change(ctx context.Context, tx pgx.Tx, im *intake.Import, lines []int, undoing bool, now time.Time) error {
	b := &pgx.Batch{}
	b.Queue(`
		with change as materialized (
			select shop_id, case when $4 then before else after end as want
			from import_changes where commune_id = $1 and import_id = $2 and line = any($3) and kind = 'CHANGED')
		update shops s set updated_at = $5, version = s.version + 1,
			name = coalesce(c.want ->> 'nom', s.name), description = coalesce(c.want ->> 'description', s.description),
			category_id = coalesce(c.want ->> 'categorie', s.category_id),
			naf_code = coalesce(c.want ->> 'naf', s.naf_code), naf_version = coalesce(c.want ->> 'naf_version', s.naf_version),
			street = coalesce(c.want ->> 'adresse', s.street), postcode = coalesce(c.want ->> 'code_postal', s.postcode), city = coalesce(c.want ->> 'ville', s.city),
			latitude = coalesce((c.want ->> 'latitude')::float8, s.latitude), longitude = coalesce((c.want ->> 'longitude')::float8, s.longitude),
			phone = case when c.want ? 'telephone' then c.want ->> 'telephone' else s.phone end,
			email = case when c.want ? 'courriel' then c.want ->> 'courriel' else s.email end,
			website = case when c.want ? 'site' then c.want ->> 'site' else s.website end,
			services = case when c.want ? 'services' then array(select jsonb_array_elements_text(c.want -> 'services')) else s.services end,
			accessibility = case when c.want ? 'accessibilite' then array(select jsonb_array_elements_text(c.want -> 'accessibilite')) else s.accessibility end,
			sales_area_m2 = case when c.want ? 'surface' then (c.want ->> 'surface')::int else s.sales_area_m2 end,
			headcount = case when c.want ? 'effectif' then (c.want ->> 'effectif')::int else s.headcount end
		from change c where s.commune_id = $1 and s.id = c.shop_id`, im.CommuneID, im.Row, lines, undoing, now)
	queueCalendar(b, im, lines, undoing)
	if undoing {
		b.Queue(`delete from opening_spans o using import_changes c where c.commune_id = $1 and c.import_id = $2 and c.line = any($3) and c.kind = 'CREATED'
			and o.commune_id = $1 and o.shop_id = c.shop_id`, im.CommuneID, im.Row, lines)
		b.Queue(`delete from shops s using import_changes c where c.commune_id = $1 and c.import_id = $2 and c.line = any($3) and c.kind = 'CREATED'
			and s.commune_id = $1 and s.id = c.shop_id`, im.CommuneID, im.Row, lines)
	}
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return err
	}
	return w.spans(ctx, tx, im, lines, now)
}

// create makes what is new: PENDING, with the step that says who vouched for it. A SIRET that got
// another holder meanwhile ends the import.
func (w *shopImport) create(ctx context.Context, tx pgx.Tx, im *intake.Import, now time.Time, _ func(done int)) error {
	b := &pgx.Batch{}
	b.Queue(`
		insert into shops (commune_id, id, slug, name, description, category_id, naf_code, naf_version, siret, status, street, postcode, city,
			latitude, longitude, phone, email, website, services, accessibility, sales_area_m2, headcount, created_at, updated_at)
		select c.commune_id, c.shop_id, n ->> 'adresse_web', n ->> 'nom', coalesce(n ->> 'description', ''), n ->> 'categorie', n ->> 'naf', n ->> 'naf_version',
			n ->> 'siret', 'PENDING', n ->> 'adresse', n ->> 'code_postal', n ->> 'ville', (n ->> 'latitude')::float8, (n ->> 'longitude')::float8,
			n ->> 'telephone', n ->> 'courriel', n ->> 'site', array(select jsonb_array_elements_text(coalesce(n -> 'services', '[]'))),
			array(select jsonb_array_elements_text(coalesce(n -> 'accessibilite', '[]'))), (n ->> 'surface')::int, (n ->> 'effectif')::int, $3, $3
		from import_changes c, lateral (select c.after) a (n)
		where c.commune_id = $1 and c.import_id = $2 and c.kind = 'CREATED' order by c.line`, im.CommuneID, im.Row, now)
	actor, account := string(w.v.Kind), &w.v.Account
	if w.v.IsPlatform() {
		actor, account = "SYSTEM", nil
	}
	b.Queue(`
		insert into shop_steps (commune_id, shop_id, id, kind, at, actor, account_id)
		select c.commune_id, c.shop_id, gen_random_uuid(), 'VERIFIED', $3, $4, $5
		from import_changes c where c.commune_id = $1 and c.import_id = $2 and c.kind = 'CREATED'`, im.CommuneID, im.Row, now, actor, account)
	queueCalendar(b, im, nil, false)
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return err
	}
	return w.spans(ctx, tx, im, nil, now)
}
