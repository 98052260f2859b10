-- Products, their variants and the stock ledger; the search index.

-- +goose Up
create table products (
	commune_id  text collate "C" not null,
	id          uuid not null,
	shop_id     uuid not null,
	slug        text collate "C" not null,
	name        text collate french not null,
	description text not null default '',
	category_id text collate "C" not null,
	status      text collate "C" not null,
	published   boolean not null,
	created_at  timestamptz not null,
	updated_at  timestamptz not null,
	version     integer not null default 1,
	constraint products_pkey primary key (commune_id, id),
	constraint products_shop_fkey foreign key (commune_id, shop_id) references shops (commune_id, id),
	constraint products_category_fkey foreign key (category_id) references categories (id),
	constraint products_slug_unique unique (commune_id, shop_id, slug),
	constraint products_status check (status in ('DRAFT', 'ACTIVE', 'ARCHIVED')),
	constraint products_name_length check (char_length(name) between 1 and 200)
);
comment on table products is 'owner: catalog. What a shop sells.';
comment on column products.published is 'ACTIVE in a PUBLISHED shop, kept by products_publish() and shops_publish(): policies may not join.';
create index products_by_shop on products (commune_id, shop_id, name, id) where published;
create index products_by_name on products (commune_id, name, id) where published;
-- A page over all communes is one scan of this.
create index products_by_name_everywhere on products (name, id) where published;
create index products_by_category on products (commune_id, category_id, name, id) where published;

create table variants (
	commune_id  text collate "C" not null,
	id          uuid not null,
	product_id  uuid not null,
	shop_id     uuid not null,
	position    smallint not null,
	sku         text collate "C" not null,
	option_name  text not null default '',
	option_value text not null default '',
	price_cents bigint not null,
	vat_rate    integer not null,
	stock       integer not null,
	available   smallint not null generated always as (least(stock, 5)) stored,
	published   boolean not null,
	version     integer not null default 1,
	constraint variants_pkey primary key (commune_id, id),
	constraint variants_product_fkey foreign key (commune_id, product_id) references products (commune_id, id),
	constraint variants_shop_fkey foreign key (commune_id, shop_id) references shops (commune_id, id),
	constraint variants_vat_fkey foreign key (vat_rate) references vat_rates (basis_points),
	constraint variants_position_unique unique (commune_id, product_id, position),
	constraint variants_sku_unique unique (commune_id, shop_id, sku),
	constraint variants_price_positive check (price_cents between 0 and 100000000),
	constraint variants_stock_not_negative check (stock >= 0)
);
comment on table variants is 'owner: catalog. One orderable form of a product: a size, a colour, or the product itself.';
comment on column variants.price_cents is 'euro cents, VAT included.';
comment on column variants.available is 'the stock as the public sees it: 5 means 5 or more, so that nobody reads a rival''s sales from it.';
comment on column variants.stock is 'pieces left to order; equals the sum of stock_moves.quantity of the variant.';

create table stock_moves (
	commune_id text collate "C" not null,
	id         uuid not null,
	variant_id uuid not null,
	order_id   uuid,
	kind       text collate "C" not null,
	quantity   integer not null,
	at         timestamptz not null,
	constraint stock_moves_pkey primary key (commune_id, id),
	constraint stock_moves_variant_fkey foreign key (commune_id, variant_id) references variants (commune_id, id),
	constraint stock_moves_kind check (kind in ('RECEIVED', 'CORRECTED', 'ORDERED', 'RETURNED')),
	constraint stock_moves_sign check (case kind when 'ORDERED' then quantity < 0 when 'CORRECTED' then quantity <> 0 else quantity > 0 end),
	constraint stock_moves_order check ((kind in ('ORDERED', 'RETURNED')) = (order_id is not null))
);
comment on table stock_moves is 'owner: catalog. The ledger: every change of a variant''s stock, append-only.';
-- An order takes a variant once and gives it back once, whatever the number of cancels that race.
create unique index stock_moves_once_per_order on stock_moves (commune_id, order_id, variant_id, kind) where order_id is not null;
create index stock_moves_by_variant on stock_moves (commune_id, variant_id, at);

-- +goose StatementBegin
create function products_publish() returns trigger language plpgsql as $$
begin
	new.published := new.status = 'ACTIVE' and exists (
		select from shops s where s.commune_id = new.commune_id and s.id = new.shop_id and s.status = 'PUBLISHED');
	return new;
end $$;
create function variants_follow() returns trigger language plpgsql as $$
begin
	perform from variants v where v.commune_id = new.commune_id and v.product_id = new.id order by v.id for update; -- see shops_publish
	update variants v set published = new.published
	where v.commune_id = new.commune_id and v.product_id = new.id and v.published <> new.published;
	return null;
end $$;
create function shops_publish() returns trigger language plpgsql as $$
begin
	-- Orders lock variants in the order of their keys; who locks several otherwise may wait for
	-- an order that waits for it.
	perform from variants v where v.commune_id = new.commune_id and v.shop_id = new.id order by v.id for update;
	update products p set published = (p.status = 'ACTIVE' and new.status = 'PUBLISHED')
	where p.commune_id = new.commune_id and p.shop_id = new.id
	and p.published <> (p.status = 'ACTIVE' and new.status = 'PUBLISHED');
	return null;
end $$;
-- +goose StatementEnd
create trigger products_publish before insert or update of status on products for each row execute function products_publish();
create trigger variants_follow after update of published on products for each row execute function variants_follow();
create trigger shops_publish after update of status on shops for each row when (old.status is distinct from new.status) execute function shops_publish();

call tenant_table('products');
call tenant_table('variants');
call tenant_table('stock_moves');
create policy public_reads on products for select to halles_public, halles_app using (published);
create policy public_reads on variants for select to halles_public, halles_app using (published);
create policy merchant on products to halles_app
	using ((select halles_kind()) = 'merchant' and shop_id = any ((select halles_shops())::uuid[]));
create policy merchant on variants to halles_app
	using ((select halles_kind()) = 'merchant' and shop_id = any ((select halles_shops())::uuid[]));
create policy staff on products to halles_app using ((select halles_kind()) in ('agent', 'hotline', 'admin')
		and commune_id = any ((select halles_staff())::text[]));
create policy staff on variants to halles_app using ((select halles_kind()) in ('agent', 'hotline', 'admin')
		and commune_id = any ((select halles_staff())::text[]));
-- Whoever places or ends an order moves stock; which rows, the order's own statements say.
create policy order_takes_stock on variants for update to halles_app
	using ((select halles_kind()) in ('guest', 'customer'));
create policy order_sees_stock on variants for select to halles_app
	using ((select halles_kind()) in ('guest', 'customer'));
create policy append on stock_moves for insert to halles_app
	with check ((select halles_kind()) in ('guest', 'customer', 'merchant', 'agent', 'hotline', 'admin'));
create policy merchant_reads on stock_moves for select to halles_app
	using ((select halles_kind()) in ('merchant', 'agent', 'hotline', 'admin'));
create policy worker on products to halles_worker using (true);
create policy worker on variants to halles_worker using (true);
create policy worker on stock_moves to halles_worker using (true);
grant select on products to halles_public, halles_worker;
grant select (commune_id, id, product_id, shop_id, position, sku, option_name, option_value, price_cents, vat_rate, available, published, version)
	on variants to halles_public;
grant select, insert, update on products, variants to halles_app;
grant select, update on variants to halles_worker;
grant select, insert on stock_moves to halles_app, halles_worker;

create table catalog_search (
	commune_id  text collate "C" not null,
	kind        text collate "C" not null,
	id          uuid not null,
	shop_id     uuid not null,
	category_id text collate "C" not null,
	words       tsvector not null,
	constraint catalog_search_pkey primary key (commune_id, kind, id),
	constraint catalog_search_kind check (kind in ('SHOP', 'PRODUCT'))
);
comment on table catalog_search is 'owner: catalog. Full-text index of published shops and products, public words only. No RLS: @@ is not leakproof, so RLS would keep its index from being used.';
create index catalog_search_words on catalog_search using gin (words);
grant select on catalog_search to halles_public, halles_app, halles_worker;
grant insert, update, delete on catalog_search to halles_app;

-- The words of a text, for catalog_search. The parser takes the typographic apostrophe for a
-- letter: "l’œuf" would be one word, found by neither "œuf" nor "l'œuf".
create function search_words(told text) returns tsvector language sql stable parallel safe
	return to_tsvector('french_unaccent', translate(told, '’ʼ', ''''''));

-- What a person typed, as a query: every word must occur, the last one perhaps unfinished.
-- A text of stop words only ("le", "de la") finds nothing.
create function search_query(typed text) returns tsquery language sql stable parallel safe strict
	return case
		when plainto_tsquery('french_unaccent', translate(typed, '’ʼ', ''''''))::text = '' then ''::tsquery
		else (plainto_tsquery('french_unaccent', translate(typed, '’ʼ', ''''''))::text || ':*')::tsquery
	end;
