-- How many wrong pickup codes were said at a shop.

-- +goose Up
create table wrong_codes (
	commune_id text collate "C" not null,
	shop_id    uuid not null,
	paid_until timestamptz not null,
	constraint wrong_codes_pkey primary key (commune_id, shop_id),
	constraint wrong_codes_shop_fkey foreign key (commune_id, shop_id) references shops (commune_id, id)
);
comment on table wrong_codes is 'owner: ordering. When a shop''s debt of wrong codes is paid: each costs six seconds, a minute at most (see internal/rate on the algorithm).';
call tenant_table('wrong_codes');
create policy merchant on wrong_codes to halles_app
	using ((select halles_kind()) = 'merchant' and shop_id = any ((select halles_shops())::uuid[]));
grant select, insert, update (paid_until) on wrong_codes to halles_app;
