-- Shops and what the public reads about them.

-- +goose Up
create table shops (
	commune_id        text collate "C" not null,
	id                uuid not null,
	slug              text collate "C" not null,
	name              text collate french not null,
	description       text not null default '',
	category_id       text collate "C" not null,
	naf_code          text collate "C" not null,
	naf_version       text collate "C" not null,
	siret             text collate "C" not null,
	status            text collate "C" not null,
	street            text not null,
	postcode          text collate "C" not null,
	city              text not null,
	latitude          double precision not null,
	longitude         double precision not null,
	phone             text collate "C",
	email             text,
	website           text,
	services          text[] not null default '{}',
	accessibility     text[] not null default '{}',
	sales_area_m2     integer,
	headcount         integer,
	last_confirmed_at timestamptz,
	created_at        timestamptz not null,
	updated_at        timestamptz not null,
	version           integer not null default 1,
	constraint shops_pkey primary key (commune_id, id),
	constraint shops_commune_fkey foreign key (commune_id) references communes (insee),
	constraint shops_category_fkey foreign key (category_id) references categories (id),
	constraint shops_slug_unique unique (commune_id, slug),
	constraint shops_status check (status in ('DRAFT', 'PENDING', 'PUBLISHED', 'SUSPENDED')),
	constraint shops_naf_form check (naf_code ~ '^[0-9]{2}\.[0-9]{2}[A-Z]$'),
	constraint shops_naf_version check (naf_version in ('REV2', '2025')),
	constraint shops_siret_form check (siret ~ '^[0-9]{14}$' and siret <> '00000000000000'),
	constraint shops_point_on_earth check (latitude between -90 and 90 and longitude between -180 and 180),
	constraint shops_name_length check (char_length(name) between 1 and 200)
);
comment on table shops is 'owner: directory. A boutique of one commune and its public profile.';
comment on column shops.naf_version is 'nomenclature of naf_code: REV2 until 2026-12-31, 2025 after (INSEE).';
comment on column shops.sales_area_m2 is 'surface de vente; closure orders of November 2020 had a threshold of 400 m².';
comment on column shops.headcount is 'jobs, the owner''s included; null where not told.';
create index shops_by_name on shops (commune_id, name, id) where status = 'PUBLISHED';
-- A page over all communes is one scan of this; merged from 25 pages it took nine times one page.
create index shops_by_name_everywhere on shops (name, id) where status = 'PUBLISHED';
create index shops_by_category on shops (commune_id, category_id, name, id) where status = 'PUBLISHED';
call tenant_table('shops');
create policy public_reads on shops for select to halles_public, halles_app
	using (status = 'PUBLISHED');
create policy merchant_reads on shops for select to halles_app
	using ((select halles_kind()) = 'merchant' and id = any ((select halles_shops())::uuid[]));
create policy staff_reads on shops for select to halles_app
	using ((select halles_kind()) in ('agent', 'hotline', 'admin')
		and commune_id = any ((select halles_staff())::text[]));
create policy merchant_writes on shops for update to halles_app
	using ((select halles_kind()) = 'merchant' and id = any ((select halles_shops())::uuid[]));
create policy staff_writes on shops for update to halles_app
	using ((select halles_kind()) in ('agent', 'admin')
		and commune_id = any ((select halles_staff())::text[]));
create policy worker on shops to halles_worker using (true);
grant select (commune_id, id, slug, name, description, category_id, naf_code, naf_version, siret, status,
	street, postcode, city, latitude, longitude, phone, email, website, services, accessibility,
	last_confirmed_at, updated_at, version) on shops to halles_public;
grant select, update on shops to halles_app;
grant select on shops to halles_worker;

create table opening_hours (
	commune_id text collate "C" not null,
	shop_id    uuid not null,
	weekday    smallint not null,
	opens      smallint not null,
	closes     smallint not null,
	constraint opening_hours_pkey primary key (commune_id, shop_id, weekday, opens),
	constraint opening_hours_shop_fkey foreign key (commune_id, shop_id) references shops (commune_id, id),
	constraint opening_hours_weekday check (weekday between 1 and 7),
	constraint opening_hours_order check (opens between 0 and 1439 and closes > opens and closes <= opens + 1440)
);
comment on table opening_hours is 'owner: directory. Weekly opening intervals, local time of Europe/Paris.';
comment on column opening_hours.weekday is 'ISO 8601: 1 is Monday.';
comment on column opening_hours.opens is 'minutes after local midnight.';
comment on column opening_hours.closes is 'minutes after the same midnight; over 1440 runs into the next day.';
call tenant_table('opening_hours');
create policy public_reads on opening_hours for select to halles_public, halles_app using (true);
create policy worker on opening_hours to halles_worker using (true);
grant select on opening_hours to halles_public, halles_app, halles_worker;

create table fulfilments (
	commune_id    text collate "C" not null,
	shop_id       uuid not null,
	mode          text collate "C" not null,
	lead_minutes  integer not null,
	minimum_cents bigint not null default 0,
	fee_cents     bigint not null default 0,
	perimeter_m   integer,
	constraint fulfilments_pkey primary key (commune_id, shop_id, mode),
	constraint fulfilments_shop_fkey foreign key (commune_id, shop_id) references shops (commune_id, id),
	constraint fulfilments_mode check (mode in ('PICKUP', 'DELIVERY')),
	constraint fulfilments_lead check (lead_minutes between 0 and 20160),
	constraint fulfilments_amounts check (minimum_cents >= 0 and fee_cents >= 0),
	constraint fulfilments_perimeter check ((mode = 'DELIVERY') = (perimeter_m is not null) and perimeter_m > 0)
);
comment on table fulfilments is 'owner: directory. How a shop hands its orders over: click & collect, delivery, or both.';
comment on column fulfilments.lead_minutes is 'from the order to the earliest hand-over; at most 14 days.';
comment on column fulfilments.perimeter_m is 'metres around the shop; DELIVERY only.';
call tenant_table('fulfilments');
create policy public_reads on fulfilments for select to halles_public, halles_app using (true);
create policy worker on fulfilments to halles_worker using (true);
grant select on fulfilments to halles_public, halles_app, halles_worker;
