package catalog

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/intake"
	"github.com/audelor/halles/internal/sheet"
)

// matchProducts finds the article that each row names, and for new ones the product that they
// become part of: one of the shop, one of the file, or one of their own.
const matchProducts = `
	update import_rows r set variant_id = v.id, product_id = v.product_id
	from variants v where v.commune_id = $1 and v.shop_id = r.shop_id and v.sku = r.sku;
	update import_rows r set product_id = p.id
	from products p where r.variant_id is null and p.commune_id = $1 and p.shop_id = r.shop_id and p.slug = r.same;
	update import_rows r set product_id = g.product_id, leads = g.leads
	from (select line, first_value(new_product) over w as product_id, row_number() over w = 1 as leads
		from import_rows where product_id is null
		window w as (partition by shop_id, coalesce(same, line::text) order by line)) g
	where r.line = g.line;
	-- The address is made of the name, and of the article code too where the name is taken.
	update import_rows r set slug = case when n.taken then left(r.slug, 50) || '-' || n.code else n.slug end
	from (select line, coalesce(same, slug, 'produit') as slug, trim(both '-' from regexp_replace(lower(sku), '[^a-z0-9]+', '-', 'g')) as code,
			row_number() over (partition by shop_id, coalesce(same, slug, 'produit') order by line) > 1
			or exists (select from products p where p.commune_id = $1 and p.shop_id = f.shop_id and p.slug = coalesce(f.same, f.slug, 'produit')) as taken
		from import_rows f where leads) n
	where r.line = n.line`

// wrongRows are the rows that are wrong beside others, or beside what the shop has: the line, the
// column and a sentence. One row may be there several times.
const wrongRows = `
	select line, 'reference' as "column", format('La référence « %s » est déjà à la ligne %s.', sku, first) as message
	from (select line, sku, min(line) over (partition by shop_id, sku) as first from import_rows) r where first < line
	union all
	select r.line, 'reference', format('La référence « %s » est archivée : remettez-la en vente d''abord, ou retirez la ligne.', r.sku)
	from import_rows r join variants v on v.commune_id = $1 and v.id = r.variant_id and v.archived
	where not exists (select from import_changes c where c.commune_id = $1 and c.product_id = v.product_id and c.variant_id = v.id and c.kind = 'CREATED' and c.state = 'UNDONE')
	union all
	select r.line, 'produit', format('La référence « %s » est celle d''une déclinaison de « %s » ; elle ne peut pas changer de produit.', r.sku, p.slug)
	from import_rows r join products p on p.commune_id = $1 and p.id = r.product_id
	where r.variant_id is not null and r.key <> p.slug
	union all
	select line, missing, 'La référence « ' || sku || ' » est nouvelle : il lui faut un nom, un prix et un taux de TVA.'
	from import_rows, unnest(array[case when leads and name is null then 'nom' end, case when price is null then 'prix' end, case when vat is null then 'tva' end]) missing
	where variant_id is null and missing is not null
	union all
	select r.line, d.named, format('La ligne %s donne une autre valeur pour le même produit.', d.first)
	from (select line, product_id,
			first_value(line) over n as name_line, first_value(name) over n as name,
			first_value(line) over c as category_line, first_value(category_id) over c as category_id,
			first_value(line) over s as status_line, first_value(status) over s as status,
			first_value(line) over d as description_line, first_value(nullif(description, '')) over d as description
		from import_rows
		window n as (partition by product_id order by name is null, line), c as (partition by product_id order by category_id is null, line),
			s as (partition by product_id order by status is null, line), d as (partition by product_id order by nullif(description, '') is null, line)) f
	join import_rows r using (line),
	lateral (values ('nom', f.name_line, r.name <> f.name), ('categorie', f.category_line, r.category_id <> f.category_id),
		('statut', f.status_line, r.status <> f.status), ('description', f.description_line, nullif(r.description, '') <> f.description)) d (named, first, differs)
	where d.differs
	union all
	select r.line, d.named, format('Le produit « %s » existe et a une autre valeur. Changez-la à la ligne d''une de ses références.', p.name)
	from import_rows r join products p on p.commune_id = $1 and p.id = r.product_id,
	lateral (values ('nom', r.name <> p.name), ('categorie', r.category_id <> p.category_id), ('statut', r.status <> p.status),
		('description', nullif(r.description, '') <> p.description)) d (named, differs)
	where r.variant_id is null and d.differs and not exists (select from import_rows o where o.product_id = r.product_id and o.variant_id is not null)
	union all
	select r.line, 'valeur', 'Ce produit a plusieurs déclinaisons : dites en quoi celle-ci diffère, dans option et valeur.'
	from (select line, product_id, variant_id, option_value, count(*) filter (where variant_id is null) over (partition by product_id) as fresh from import_rows) r
	where r.variant_id is null and r.option_value is null
	and (r.fresh > 1 or exists (select from variants v where v.commune_id = $1 and v.product_id = r.product_id))
	union all
	select line, 'valeur', format('La déclinaison « %s » est déjà à la ligne %s.', option_value, first)
	from (select line, variant_id, option_value, min(line) over (partition by product_id, option_name, option_value) as first
		from import_rows where option_value is not null) r where first < line
	union all
	select r.line, 'valeur', format('Le produit a déjà la déclinaison « %s », sous la référence « %s ».', r.option_value, v.sku)
	from import_rows r join variants v on v.commune_id = $1 and v.product_id = r.product_id and v.option_name = r.option_name and v.option_value = r.option_value
	where r.variant_id is distinct from v.id and not exists (select from import_rows o where o.variant_id = v.id and o.option_value is not null)
	union all
	select line, 'reference', 'L''adresse web « ' || slug || ' » est prise par un autre produit : changez le nom ou la référence.'
	from (select line, shop_id, slug, row_number() over (partition by shop_id, slug order by line) as n from import_rows where leads) r
	where n > 1 or exists (select from products p where p.commune_id = $1 and p.shop_id = r.shop_id and p.slug = r.slug)`

// journalProducts writes what the rows change. A product's own fields are told once, on the first
// of its lines.
const journalProducts = `
	with product as materialized (
		select r.product_id, min(line) filter (where r.variant_id is not null or leads) as line, max(name) as name, max(description) as description, max(r.category_id) as category_id,
			coalesce(max(status), case when exists (select from import_changes c -- made once, and undone: as if it had never been
				where c.commune_id = $1 and c.product_id = r.product_id and c.kind = 'CREATED' and c.state = 'UNDONE' and c.after ? 'statut') then 'ACTIVE' end) as status
		from import_rows r group by r.product_id),
	change as (
		select r.line, r.shop_id, r.sku, r.product_id, coalesce(r.variant_id, r.new_variant) as variant_id, r.new_move, r.variant_id is null as new,
			jsonb_strip_nulls(jsonb_build_object(
				'nom', case when g.name <> p.name then g.name end,
				'description', case when g.description <> p.description then g.description end,
				'categorie', case when g.category_id <> p.category_id then g.category_id end,
				'statut', case when g.status <> p.status then g.status end,
				'option', case when r.option_name <> v.option_name then r.option_name end,
				'valeur', case when r.option_value <> v.option_value then r.option_value end,
				'prix', case when r.price <> v.price_cents then r.price end,
				'tva', case when r.vat <> v.vat_rate then r.vat end,
				'stock', case when r.stock <> v.stock then r.stock end,
				'retiree', case when v.archived then false end)) as after,
			jsonb_build_object('nom', p.name, 'description', p.description, 'categorie', p.category_id, 'statut', p.status,
				'option', v.option_name, 'valeur', v.option_value, 'prix', v.price_cents, 'tva', v.vat_rate, 'stock', v.stock, 'retiree', v.archived) as before,
			case when r.variant_id is null then jsonb_strip_nulls(jsonb_build_object(
				'nom', case when r.leads then g.name end, 'adresse_web', case when r.leads then r.slug end,
				'description', case when r.leads then nullif(g.description, '') end,
				'categorie', case when r.leads then coalesce(g.category_id, r.shop_category) end, 'statut', case when r.leads then coalesce(g.status, 'ACTIVE') end,
				'option', r.option_name, 'valeur', r.option_value, 'prix', r.price, 'tva', r.vat, 'stock', coalesce(r.stock, 0))) end as made
		from import_rows r
		left join variants v on v.commune_id = $1 and v.id = r.variant_id
		left join product g on g.product_id = r.product_id and g.line = r.line
		left join products p on p.commune_id = $1 and p.id = r.product_id)
	insert into import_changes (commune_id, import_id, line, kind, label, shop_id, product_id, variant_id, lock_id, move_id, before, after, moved, stock_after)
	select $1, $2, line, case when new then 'CREATED' else 'CHANGED' end, sku, shop_id, product_id, variant_id, variant_id, new_move,
		case when new then '{}' else (select jsonb_object_agg(k, before -> k) from jsonb_object_keys(after) k) end, coalesce(made, after),
		coalesce((made ->> 'stock')::int, 0), (made ->> 'stock')::int
	from change where new or after <> '{}'
	order by line`

func planProducts(ctx context.Context, tx pgx.Tx, im *intake.Import, report *sheet.Report) error {
	if _, err := tx.Exec(ctx, matchProducts, pgx.QueryExecModeSimpleProtocol, im.CommuneID); err != nil {
		return err
	}
	rows, err := tx.Query(ctx, `select line, "column", message, count(*) over () as all_of from (`+wrongRows+`) w order by line, "column" limit $2`, im.CommuneID, sheet.Listed)
	if err != nil {
		return err
	}
	if err := intake.Complain(rows, report); err != nil || report.Count > 0 {
		return err
	}
	_, err = tx.Exec(ctx, journalProducts, im.CommuneID, im.Row)
	return err
}
