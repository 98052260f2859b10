-- Products as merchants manage them: variants that are no longer sold, products that pause, moves
-- of stock with their reason; and the search index follows by itself.

-- +goose Up
alter table variants
	add column archived boolean not null default false,
	add column paused boolean not null default false,
	add column paused_until timestamptz,
	add constraint variants_pause check (paused or paused_until is null);
comment on column variants.archived is 'no longer sold; kept, since orders name it.';
comment on column variants.paused is 'shown and not sold for a while; of the whole product, told on each variant, since an order looks at variants only.';
comment on column variants.paused_until is 'when the pause ends by itself; null: when the merchant says so.';
comment on column variants.published is 'the product is published and the variant not archived; kept by variants_follow() and whoever archives.';
grant select (archived, paused, paused_until) on variants to halles_public;

alter table products add column key text collate "C";
comment on column products.key is 'the client''s own, so that a retry after a lost answer makes no second product.';
create unique index products_once_per_key on products (commune_id, shop_id, key) where key is not null;
revoke select on products from halles_public;
grant select (commune_id, id, shop_id, slug, name, description, category_id, status, published, created_at, updated_at, version) on products to halles_public;

alter table stock_moves
	add column reason text collate "C",
	add column key text collate "C",
	-- Not validated: all rows before this step have no reason, and there may be millions.
	add constraint stock_moves_reason check (reason is null
		or kind = 'RECEIVED' and reason in ('RECEIVED', 'FOUND')
		or kind = 'CORRECTED' and reason in ('COUNTED', 'SOLD_IN_SHOP', 'DAMAGED', 'LOST', 'OTHER')) not valid,
	add constraint stock_moves_key check (key is null or reason is not null) not valid;
comment on column stock_moves.reason is 'why a person moved stock; null for orders, and for what a generator made.';
comment on column stock_moves.key is 'the client''s own, so that a retry after a lost answer moves nothing twice.';
create unique index stock_moves_once_per_key on stock_moves (commune_id, variant_id, key) where key is not null;

-- Until now a trigger on "update of published", which a BEFORE trigger's change does not fire: a
-- product that was archived by its status left its variants for sale. And once for a statement,
-- so that a change of many products locks all their variants in order, and quickly.
drop trigger variants_follow on products;
-- +goose StatementBegin
create or replace function variants_follow() returns trigger language plpgsql as $$
begin
	perform from new_rows n join old_rows o using (commune_id, id) join variants v on v.commune_id = n.commune_id and v.product_id = n.id
	where n.published <> o.published order by v.commune_id, v.id for update of v; -- see shops_publish
	update variants v set published = n.published and not v.archived
	from new_rows n join old_rows o using (commune_id, id)
	where n.published <> o.published and v.commune_id = n.commune_id and v.product_id = n.id and v.published <> (n.published and not v.archived);
	return null;
end $$;
-- +goose StatementEnd
create trigger variants_follow after update on products referencing old table as old_rows new table as new_rows for each statement execute function variants_follow();

-- The words of catalog_search: the name counts most (A), then the trade (B), the shop of a
-- product (C), what is said of it (D).
create function trade_words(category text) returns tsvector language sql stable parallel safe
	return (select setweight(search_words(concat_ws(' ', c.name, p.name)), 'B')
		from categories c left join categories p on p.id = c.parent_id where c.id = category);
create function catalog_words(name tsvector, trade tsvector, shop tsvector, description tsvector) returns tsvector language sql stable parallel safe
	return setweight(name, 'A') || trade || setweight(shop, 'C') || setweight(description, 'D');

-- +goose StatementBegin
-- search_products writes the entries of products as they are now, and removes those of products
-- that are not published. It reads as whoever changed them.
create function search_products(communes text[], ids uuid[]) returns void language plpgsql as $$
begin
	delete from catalog_search w using unnest(communes, ids) k (commune_id, id)
	where w.commune_id = k.commune_id and w.kind = 'PRODUCT' and w.id = k.id
	and not exists (select from products p where p.commune_id = k.commune_id and p.id = k.id and p.published);
	with changed as materialized (
		select p.commune_id, p.id, p.shop_id, p.category_id, p.name, p.description
		from unnest(communes, ids) k (commune_id, id) join products p using (commune_id, id) where p.published),
	trade as materialized (select category_id, trade_words(category_id) as words from changed group by category_id)
	insert into catalog_search as w (commune_id, kind, id, shop_id, category_id, words)
	select c.commune_id, 'PRODUCT', c.id, c.shop_id, c.category_id, catalog_words(search_words(c.name), t.words, search_words(s.name), search_words(c.description))
	from changed c join trade t using (category_id) join shops s on s.commune_id = c.commune_id and s.id = c.shop_id
	order by c.commune_id, c.id
	on conflict (commune_id, kind, id) do update set category_id = excluded.category_id, words = excluded.words
	where (w.category_id, w.words) is distinct from (excluded.category_id, excluded.words);
end $$;
-- search_shops does so for shops.
create function search_shops(communes text[], ids uuid[]) returns void language plpgsql as $$
begin
	delete from catalog_search w using unnest(communes, ids) k (commune_id, id)
	where w.commune_id = k.commune_id and w.kind = 'SHOP' and w.id = k.id
	and not exists (select from shops s where s.commune_id = k.commune_id and s.id = k.id and s.status = 'PUBLISHED');
	with changed as materialized (
		select s.commune_id, s.id, s.category_id, s.name, s.description
		from unnest(communes, ids) k (commune_id, id) join shops s using (commune_id, id) where s.status = 'PUBLISHED'),
	trade as materialized (select category_id, trade_words(category_id) as words from changed group by category_id)
	insert into catalog_search as w (commune_id, kind, id, shop_id, category_id, words)
	select c.commune_id, 'SHOP', c.id, c.id, c.category_id, catalog_words(search_words(c.name), t.words, '', search_words(c.description))
	from changed c join trade t using (category_id)
	order by c.commune_id, c.id
	on conflict (commune_id, kind, id) do update set category_id = excluded.category_id, words = excluded.words
	where (w.category_id, w.words) is distinct from (excluded.category_id, excluded.words);
end $$;

-- Statements, not rows: an import of a hundred thousand products writes its entries at once.
create function products_search() returns trigger language plpgsql as $$
begin
	if tg_op = 'DELETE' then
		perform search_products(array_agg(o.commune_id), array_agg(o.id)) from old_rows o having count(*) > 0;
	elsif tg_op = 'INSERT' then
		perform search_products(array_agg(n.commune_id), array_agg(n.id)) from new_rows n where n.published having count(*) > 0;
	else
		perform search_products(array_agg(n.commune_id), array_agg(n.id))
		from new_rows n join old_rows o using (commune_id, id)
		where (n.published, n.name, n.description, n.category_id) is distinct from (o.published, o.name, o.description, o.category_id)
		and (n.published or o.published) having count(*) > 0;
	end if;
	return null;
end $$;
create function shops_search() returns trigger language plpgsql as $$
begin
	if tg_op = 'DELETE' then
		perform search_shops(array_agg(o.commune_id), array_agg(o.id)) from old_rows o having count(*) > 0;
	elsif tg_op = 'INSERT' then
		perform search_shops(array_agg(n.commune_id), array_agg(n.id)) from new_rows n where n.status = 'PUBLISHED' having count(*) > 0;
	else
		perform search_shops(array_agg(n.commune_id), array_agg(n.id))
		from new_rows n join old_rows o using (commune_id, id)
		where (n.status, n.name, n.description, n.category_id) is distinct from (o.status, o.name, o.description, o.category_id) having count(*) > 0;
		-- Its products are found by its name too.
		perform search_products(array_agg(p.commune_id), array_agg(p.id))
		from new_rows n join old_rows o using (commune_id, id) join products p on p.commune_id = n.commune_id and p.shop_id = n.id and p.published
		where n.name <> o.name having count(*) > 0;
	end if;
	return null;
end $$;
-- +goose StatementEnd
create trigger products_search_insert after insert on products referencing new table as new_rows for each statement execute function products_search();
create trigger products_search_update after update on products referencing old table as old_rows new table as new_rows for each statement execute function products_search();
create trigger products_search_delete after delete on products referencing old table as old_rows for each statement execute function products_search();
create trigger shops_search_insert after insert on shops referencing new table as new_rows for each statement execute function shops_search();
create trigger shops_search_update after update on shops referencing old table as old_rows new table as new_rows for each statement execute function shops_search();
create trigger shops_search_delete after delete on shops referencing old table as old_rows for each statement execute function shops_search();
-- Jobs publish and import too.
grant insert, update, delete on catalog_search to halles_worker;
