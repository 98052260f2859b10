-- The entries that are there get their names, five hundred at a time, so that no merchant's change waits
-- for all of them.

-- +goose NO TRANSACTION
-- +goose Up
-- +goose StatementBegin
do $$
declare
	to_commune text := '';
	to_kind text := '';
	to_id uuid := '00000000-0000-0000-0000-000000000000';
begin
	loop
		set local role halles_migrate; -- a forced owner sees no row
		with few as materialized (
			select commune_id, kind, id, shop_id from catalog_search
			where (commune_id, kind, id) > (to_commune, to_kind, to_id) order by commune_id, kind, id limit 500),
		-- Whoever has changed one meanwhile has written its names.
		written as (
			update catalog_search w set name = coalesce(p.name, s.name), slug = coalesce(p.slug, s.slug), shop_name = s.name, shop_slug = s.slug
			from few k join shops s on s.commune_id = k.commune_id and s.id = k.shop_id
			left join products p on k.kind = 'PRODUCT' and p.commune_id = k.commune_id and p.id = k.id
			where w.commune_id = k.commune_id and w.kind = k.kind and w.id = k.id and w.name = '' and (k.kind = 'SHOP' or p.id is not null))
		select commune_id, kind, id into to_commune, to_kind, to_id from few order by commune_id desc, kind desc, id desc limit 1;
		exit when not found;
		perform search_settle();
		commit;
	end loop;
end $$;
-- +goose StatementEnd

-- +goose Down
select 1; -- they go with their columns
