-- What a list shows of a thing that was found, its name and its shop's and where both are, is in its
-- entry. To look the twenty products of a page up by their keys, and their shops, took as long as the
-- search itself: 0.2 of 0.4 ms.

-- +goose Up
alter table catalog_search
	add column name text not null default '',
	add column slug text collate "C" not null default '',
	add column shop_name text not null default '',
	add column shop_slug text collate "C" not null default '';
comment on column catalog_search.name is 'of the product or shop, with its slug; shop_name: of its shop, or its own. Empty in an entry that was written before they were kept here: it is looked up.';
-- +goose StatementBegin
create or replace function search_write(rows products[]) returns void language plpgsql as $$
begin
	with changed as materialized (
		select p.commune_id, p.id, p.shop_id, p.category_id, p.name, p.slug, p.description from unnest(rows) p),
	trade as materialized (select category_id, trade_words(category_id) as words from changed group by category_id),
	shop as materialized (
		select s.commune_id, s.id, s.name, s.slug, search_words(s.name) as words, s.latitude, s.longitude,
			exists (select from fulfilments f where f.commune_id = s.commune_id and f.shop_id = s.id and f.mode = 'PICKUP') as pickup,
			exists (select from fulfilments f where f.commune_id = s.commune_id and f.shop_id = s.id and f.mode = 'DELIVERY') as delivery
		from shops s where (s.commune_id, s.id) in (select commune_id, shop_id from changed))
	insert into catalog_search as w (commune_id, kind, id, shop_id, category_id, words, latitude, longitude, pickup, delivery, length, name, slug, shop_name, shop_slug)
	select c.commune_id, 'PRODUCT', c.id, c.shop_id, c.category_id, catalog_words(search_words(c.name), t.words, s.words, search_words(c.description)),
		s.latitude, s.longitude, s.pickup, s.delivery, length(search_words(c.name)), c.name, c.slug, s.name, s.slug
	from changed c join trade t using (category_id) join shop s on s.commune_id = c.commune_id and s.id = c.shop_id
	order by c.commune_id, c.id
	on conflict (commune_id, kind, id) do update set category_id = excluded.category_id, words = excluded.words,
		latitude = excluded.latitude, longitude = excluded.longitude, pickup = excluded.pickup, delivery = excluded.delivery, length = excluded.length,
		name = excluded.name, slug = excluded.slug, shop_name = excluded.shop_name, shop_slug = excluded.shop_slug
	where (w.category_id, w.words, w.latitude, w.longitude, w.pickup, w.delivery, w.name, w.slug, w.shop_name, w.shop_slug)
		is distinct from (excluded.category_id, excluded.words, excluded.latitude, excluded.longitude, excluded.pickup, excluded.delivery,
			excluded.name, excluded.slug, excluded.shop_name, excluded.shop_slug);
	perform search_known(array_agg(p.commune_id), array_agg(p.name::text)) from unnest(rows) p;
	perform search_settle();
end $$;

create or replace function search_shops(communes text[], ids uuid[]) returns void language plpgsql as $$
begin
	delete from catalog_search w using unnest(communes, ids) k (commune_id, id)
	where w.commune_id = k.commune_id and w.kind = 'SHOP' and w.id = k.id
	and not exists (select from shops s where s.commune_id = k.commune_id and s.id = k.id and s.status = 'PUBLISHED');
	with changed as materialized (
		select s.commune_id, s.id, s.category_id, s.name, s.slug, s.description, s.latitude, s.longitude
		from unnest(communes, ids) k (commune_id, id) join shops s using (commune_id, id) where s.status = 'PUBLISHED'),
	trade as materialized (select category_id, trade_words(category_id) as words from changed group by category_id)
	insert into catalog_search as w (commune_id, kind, id, shop_id, category_id, words, latitude, longitude, pickup, delivery, length, name, slug, shop_name, shop_slug)
	select c.commune_id, 'SHOP', c.id, c.id, c.category_id, catalog_words(search_words(c.name), t.words, '', search_words(c.description)), c.latitude, c.longitude,
		exists (select from fulfilments f where f.commune_id = c.commune_id and f.shop_id = c.id and f.mode = 'PICKUP'),
		exists (select from fulfilments f where f.commune_id = c.commune_id and f.shop_id = c.id and f.mode = 'DELIVERY'),
		length(search_words(c.name)), c.name, c.slug, c.name, c.slug
	from changed c join trade t using (category_id)
	order by c.commune_id, c.id
	on conflict (commune_id, kind, id) do update set category_id = excluded.category_id, words = excluded.words,
		latitude = excluded.latitude, longitude = excluded.longitude, pickup = excluded.pickup, delivery = excluded.delivery, length = excluded.length,
		name = excluded.name, slug = excluded.slug, shop_name = excluded.shop_name, shop_slug = excluded.shop_slug
	where (w.category_id, w.words, w.latitude, w.longitude, w.pickup, w.delivery, w.name, w.slug)
		is distinct from (excluded.category_id, excluded.words, excluded.latitude, excluded.longitude, excluded.pickup, excluded.delivery, excluded.name, excluded.slug);
	perform search_known(array_agg(k.commune_id), array_agg(n.name))
	from unnest(communes, ids) k (commune_id, id) join shops s using (commune_id, id) join categories c on c.id = s.category_id,
		lateral (values (s.name::text), (c.name::text)) n (name) where s.status = 'PUBLISHED';
	perform search_settle();
end $$;

create or replace function products_search() returns trigger language plpgsql as $$
begin
	if tg_op = 'DELETE' then
		perform search_products(array_agg(o.commune_id), array_agg(o.id)) from old_rows o having count(*) > 0;
	elsif tg_op = 'INSERT' then
		perform search_write(array_agg(row(n.*)::products)) from new_rows n where n.published having count(*) > 0;
	else
		delete from catalog_search w using new_rows n join old_rows o using (commune_id, id)
		where o.published and not n.published and w.commune_id = n.commune_id and w.kind = 'PRODUCT' and w.id = n.id;
		perform search_write(array_agg(row(n.*)::products))
		from new_rows n join old_rows o using (commune_id, id)
		where (n.published, n.name, n.slug, n.description, n.category_id) is distinct from (o.published, o.name, o.slug, o.description, o.category_id)
		and n.published having count(*) > 0;
	end if;
	return null;
end $$;

create or replace function shops_search() returns trigger language plpgsql as $$
begin
	if tg_op = 'DELETE' then
		perform search_shops(array_agg(o.commune_id), array_agg(o.id)) from old_rows o having count(*) > 0;
	elsif tg_op = 'INSERT' then
		perform search_shops(array_agg(n.commune_id), array_agg(n.id)) from new_rows n where n.status = 'PUBLISHED' having count(*) > 0;
	else
		perform search_shops(array_agg(n.commune_id), array_agg(n.id))
		from new_rows n join old_rows o using (commune_id, id)
		where (n.status, n.name, n.slug, n.description, n.category_id, n.latitude, n.longitude)
			is distinct from (o.status, o.name, o.slug, o.description, o.category_id, o.latitude, o.longitude) having count(*) > 0;
		-- Its products are found by its name and its place too.
		perform search_write(array_agg(p))
		from new_rows n join old_rows o using (commune_id, id) join products p on p.commune_id = n.commune_id and p.shop_id = n.id and p.published
		where (n.name, n.slug, n.latitude, n.longitude) is distinct from (o.name, o.slug, o.latitude, o.longitude) having count(*) > 0;
	end if;
	return null;
end $$;
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
create or replace function search_write(rows products[]) returns void language plpgsql as $$
begin
	with changed as materialized (
		select p.commune_id, p.id, p.shop_id, p.category_id, p.name, p.description from unnest(rows) p),
	trade as materialized (select category_id, trade_words(category_id) as words from changed group by category_id),
	shop as materialized (
		select s.commune_id, s.id, search_words(s.name) as words, s.latitude, s.longitude,
			exists (select from fulfilments f where f.commune_id = s.commune_id and f.shop_id = s.id and f.mode = 'PICKUP') as pickup,
			exists (select from fulfilments f where f.commune_id = s.commune_id and f.shop_id = s.id and f.mode = 'DELIVERY') as delivery
		from shops s where (s.commune_id, s.id) in (select commune_id, shop_id from changed))
	insert into catalog_search as w (commune_id, kind, id, shop_id, category_id, words, latitude, longitude, pickup, delivery, length)
	select c.commune_id, 'PRODUCT', c.id, c.shop_id, c.category_id, catalog_words(search_words(c.name), t.words, s.words, search_words(c.description)),
		s.latitude, s.longitude, s.pickup, s.delivery, length(search_words(c.name))
	from changed c join trade t using (category_id) join shop s on s.commune_id = c.commune_id and s.id = c.shop_id
	order by c.commune_id, c.id
	on conflict (commune_id, kind, id) do update set category_id = excluded.category_id, words = excluded.words,
		latitude = excluded.latitude, longitude = excluded.longitude, pickup = excluded.pickup, delivery = excluded.delivery, length = excluded.length
	where (w.category_id, w.words, w.latitude, w.longitude, w.pickup, w.delivery)
		is distinct from (excluded.category_id, excluded.words, excluded.latitude, excluded.longitude, excluded.pickup, excluded.delivery);
	perform search_known(array_agg(p.commune_id), array_agg(p.name::text)) from unnest(rows) p;
	perform search_settle();
end $$;

create or replace function search_shops(communes text[], ids uuid[]) returns void language plpgsql as $$
begin
	delete from catalog_search w using unnest(communes, ids) k (commune_id, id)
	where w.commune_id = k.commune_id and w.kind = 'SHOP' and w.id = k.id
	and not exists (select from shops s where s.commune_id = k.commune_id and s.id = k.id and s.status = 'PUBLISHED');
	with changed as materialized (
		select s.commune_id, s.id, s.category_id, s.name, s.description, s.latitude, s.longitude
		from unnest(communes, ids) k (commune_id, id) join shops s using (commune_id, id) where s.status = 'PUBLISHED'),
	trade as materialized (select category_id, trade_words(category_id) as words from changed group by category_id)
	insert into catalog_search as w (commune_id, kind, id, shop_id, category_id, words, latitude, longitude, pickup, delivery, length)
	select c.commune_id, 'SHOP', c.id, c.id, c.category_id, catalog_words(search_words(c.name), t.words, '', search_words(c.description)), c.latitude, c.longitude,
		exists (select from fulfilments f where f.commune_id = c.commune_id and f.shop_id = c.id and f.mode = 'PICKUP'),
		exists (select from fulfilments f where f.commune_id = c.commune_id and f.shop_id = c.id and f.mode = 'DELIVERY'),
		length(search_words(c.name))
	from changed c join trade t using (category_id)
	order by c.commune_id, c.id
	on conflict (commune_id, kind, id) do update set category_id = excluded.category_id, words = excluded.words,
		latitude = excluded.latitude, longitude = excluded.longitude, pickup = excluded.pickup, delivery = excluded.delivery, length = excluded.length
	where (w.category_id, w.words, w.latitude, w.longitude, w.pickup, w.delivery)
		is distinct from (excluded.category_id, excluded.words, excluded.latitude, excluded.longitude, excluded.pickup, excluded.delivery);
	perform search_known(array_agg(k.commune_id), array_agg(n.name))
	from unnest(communes, ids) k (commune_id, id) join shops s using (commune_id, id) join categories c on c.id = s.category_id,
		lateral (values (s.name::text), (c.name::text)) n (name) where s.status = 'PUBLISHED';
	perform search_settle();
end $$;

create or replace function products_search() returns trigger language plpgsql as $$
begin
	if tg_op = 'DELETE' then
		perform search_products(array_agg(o.commune_id), array_agg(o.id)) from old_rows o having count(*) > 0;
	elsif tg_op = 'INSERT' then
		perform search_write(array_agg(row(n.*)::products)) from new_rows n where n.published having count(*) > 0;
	else
		delete from catalog_search w using new_rows n join old_rows o using (commune_id, id)
		where o.published and not n.published and w.commune_id = n.commune_id and w.kind = 'PRODUCT' and w.id = n.id;
		perform search_write(array_agg(row(n.*)::products))
		from new_rows n join old_rows o using (commune_id, id)
		where (n.published, n.name, n.description, n.category_id) is distinct from (o.published, o.name, o.description, o.category_id)
		and n.published having count(*) > 0;
	end if;
	return null;
end $$;

create or replace function shops_search() returns trigger language plpgsql as $$
begin
	if tg_op = 'DELETE' then
		perform search_shops(array_agg(o.commune_id), array_agg(o.id)) from old_rows o having count(*) > 0;
	elsif tg_op = 'INSERT' then
		perform search_shops(array_agg(n.commune_id), array_agg(n.id)) from new_rows n where n.status = 'PUBLISHED' having count(*) > 0;
	else
		perform search_shops(array_agg(n.commune_id), array_agg(n.id))
		from new_rows n join old_rows o using (commune_id, id)
		where (n.status, n.name, n.description, n.category_id, n.latitude, n.longitude)
			is distinct from (o.status, o.name, o.description, o.category_id, o.latitude, o.longitude) having count(*) > 0;
		-- Its products are found by its name and its place too.
		perform search_write(array_agg(p))
		from new_rows n join old_rows o using (commune_id, id) join products p on p.commune_id = n.commune_id and p.shop_id = n.id and p.published
		where (n.name, n.latitude, n.longitude) is distinct from (o.name, o.latitude, o.longitude) having count(*) > 0;
	end if;
	return null;
end $$;
-- +goose StatementEnd
alter table catalog_search drop column shop_slug, drop column shop_name, drop column slug, drop column name;
