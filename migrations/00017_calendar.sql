-- When shops are open beyond the usual week, what a law or an order imposes on them, and the
-- spans that come of it, for what SQL filters and counts by.

-- +goose Up
create table closures (
	commune_id text collate "C" not null,
	id         uuid not null,
	shop_id    uuid not null,
	starts_at  timestamptz not null,
	ends_at    timestamptz,
	reason     text not null default '',
	created_at timestamptz not null,
	published  boolean not null default false,
	constraint closures_pkey primary key (commune_id, id),
	constraint closures_shop_fkey foreign key (commune_id, shop_id) references shops (commune_id, id),
	-- Equal: called off before it began.
	constraint closures_order check (ends_at >= starts_at),
	constraint closures_reason_length check (char_length(reason) <= 200)
);
comment on table closures is 'owner: directory. When a shop closes of its own accord, whatever its hours say: holidays, works, illness.';
comment on column closures.ends_at is 'the first instant after it; null: until further notice.';
comment on column closures.reason is 'in French, for customers; may be empty.';
comment on column closures.published is 'the shop is PUBLISHED, kept by follow_shop() and shops_publish_calendar(): policies may not join.';
create index closures_by_shop on closures (commune_id, shop_id, ends_at);

create table special_hours (
	commune_id text collate "C" not null,
	shop_id    uuid not null,
	day        date not null,
	opens      smallint[] not null,
	closes     smallint[] not null,
	reason     text not null default '',
	published  boolean not null default false,
	constraint special_hours_pkey primary key (commune_id, shop_id, day),
	constraint special_hours_shop_fkey foreign key (commune_id, shop_id) references shops (commune_id, id),
	constraint special_hours_pairs check (cardinality(opens) = cardinality(closes) and cardinality(opens) <= 8
		and array_position(opens, null) is null and array_position(closes, null) is null),
	constraint special_hours_minutes check (0 <= all (opens) and 1440 > all (opens) and 0 < all (closes) and 2880 >= all (closes)),
	constraint special_hours_reason_length check (char_length(reason) <= 200)
);
comment on table special_hours is 'owner: directory. Hours of one date in place of the week''s and of a holiday''s.';
comment on column special_hours.opens is 'minutes after local midnight, one for each opening of the date; none: closed.';
comment on column special_hours.closes is 'minutes after the same midnight, of the opening at the same place; over 1440 runs into the next day.';
comment on column special_hours.published is 'see closures.published.';

create table holiday_openings (
	commune_id text collate "C" not null,
	shop_id    uuid not null,
	holiday    text collate "C" not null,
	published  boolean not null default false,
	constraint holiday_openings_pkey primary key (commune_id, shop_id, holiday),
	constraint holiday_openings_shop_fkey foreign key (commune_id, shop_id) references shops (commune_id, id),
	constraint holiday_openings_holiday check (holiday in ('NEW_YEAR', 'EASTER_MONDAY', 'LABOUR_DAY', 'VICTORY_DAY', 'ASCENSION',
		'WHIT_MONDAY', 'NATIONAL_DAY', 'ASSUMPTION', 'ALL_SAINTS', 'ARMISTICE', 'CHRISTMAS'))
);
comment on table holiday_openings is 'owner: directory. The statutory holidays (Code du travail, art. L3133-1) on which a shop keeps its usual hours; it is closed on the others.';
comment on column holiday_openings.published is 'see closures.published.';

create table restrictions (
	commune_id        text collate "C" not null,
	id                uuid not null,
	rank              text collate "C" not null,
	title             text not null,
	reference         text,
	url               text,
	starts_at         timestamptz not null,
	ends_at           timestamptz,
	categories        text[] not null default '{}',
	naf_codes         text[] not null default '{}',
	except_categories text[] not null default '{}',
	except_naf_codes  text[] not null default '{}',
	naf_version       text collate "C" not null,
	area_over_m2      integer,
	visitors          boolean not null,
	square_metres     integer,
	condition         text not null default '',
	pickup            boolean not null,
	delivery          boolean not null,
	declared_as       text collate "C" not null,
	declared_by       uuid,
	declared_at       timestamptz not null,
	version           integer not null default 1,
	constraint restrictions_pkey primary key (commune_id, id),
	constraint restrictions_commune_fkey foreign key (commune_id) references communes (insee),
	constraint restrictions_rank check (rank in ('NATIONAL', 'PREFECT', 'MAYOR')),
	-- Equal: withdrawn before it began.
	constraint restrictions_order check (ends_at >= starts_at),
	constraint restrictions_naf_version check (naf_version in ('REV2', '2025')),
	constraint restrictions_area check (area_over_m2 > 0),
	constraint restrictions_density check (square_metres is null or square_metres > 0 and visitors),
	constraint restrictions_declared_as check (declared_as in ('AGENT', 'ADMIN')),
	constraint restrictions_texts check (char_length(title) between 1 and 200 and char_length(reference) <= 200 and char_length(url) <= 500
		and char_length(condition) <= 200)
);
comment on table restrictions is 'owner: directory. A law or an order imposed on many shops. A row for each commune in its scope, all with the same id: a commune''s agent and its shops meet their own row only.';
comment on column restrictions.ends_at is 'the first instant after it; null: until further notice.';
comment on column restrictions.categories is 'the trades concerned, with those below them, or naf_codes; both empty: all. except_…: trades that it leaves free.';
comment on column restrictions.naf_codes is 'codes of naf_version or beginnings of codes: 47 is all retail.';
comment on column restrictions.area_over_m2 is 'only shops with more sales area; null: whatever the area. A shop whose area is not known is taken for small.';
comment on column restrictions.square_metres is 'for each visitor; null: no limit.';
comment on column restrictions.declared_as is 'the capacity of who declared it: what an admin declares, a commune''s agent does not end.';
comment on column restrictions.declared_by is 'the account; no foreign key, accounts live outside the communes. Written here and read by nobody: the audit log tells.';
create index restrictions_by_end on restrictions (commune_id, ends_at);

create table opening_spans (
	commune_id text collate "C" not null,
	shop_id    uuid not null,
	mode       text collate "C" not null,
	starts_at  timestamptz not null,
	ends_at    timestamptz not null,
	published  boolean not null,
	constraint opening_spans_pkey primary key (commune_id, shop_id, mode, starts_at),
	constraint opening_spans_shop_fkey foreign key (commune_id, shop_id) references shops (commune_id, id),
	constraint opening_spans_mode check (mode in ('VISIT', 'PICKUP', 'DELIVERY')),
	constraint opening_spans_order check (ends_at > starts_at)
);
comment on table opening_spans is 'owner: directory. When each shop serves each mode, today and 14 days on: what the calendar says of hours, closures, holidays and restrictions, written by it in the transaction that changes any of them, and nightly.';
comment on column opening_spans.starts_at is 'spans of a shop and mode lie apart: the last that starts by an instant is the only one that may hold it. Two columns and no tstzrange: the operators of ranges are not leakproof, and row-level security would keep them from an index.';
comment on column opening_spans.published is 'the shop is PUBLISHED, kept by who writes the span and by shops_publish_calendar().';

-- How orders are handed over, slot by slot.
alter table fulfilments
	add column slot_minutes smallint not null default 30,
	add column cut_off smallint,
	add constraint fulfilments_slot check (slot_minutes = 0 or slot_minutes between 5 and 1440),
	add constraint fulfilments_cut_off check (cut_off between -20160 and 1440);
comment on column fulfilments.slot_minutes is 'how long a slot lasts; 0: each opening is one.';
comment on column fulfilments.cut_off is 'orders for a day are taken until this minute of that day; below 0 of the days before; null: no such limit.';

create trigger follow_shop before insert on closures for each row execute function follow_shop();
create trigger follow_shop before insert on special_hours for each row execute function follow_shop();
create trigger follow_shop before insert on holiday_openings for each row execute function follow_shop();
-- +goose StatementBegin
create function shops_publish_calendar() returns trigger language plpgsql as $$
declare now_published boolean := new.status = 'PUBLISHED';
begin
	update closures t set published = now_published where t.commune_id = new.commune_id and t.shop_id = new.id and t.published <> now_published;
	update special_hours t set published = now_published where t.commune_id = new.commune_id and t.shop_id = new.id and t.published <> now_published;
	update holiday_openings t set published = now_published where t.commune_id = new.commune_id and t.shop_id = new.id and t.published <> now_published;
	update opening_spans t set published = now_published where t.commune_id = new.commune_id and t.shop_id = new.id and t.published <> now_published;
	return null;
end $$;

call tenant_table('closures');
call tenant_table('special_hours');
call tenant_table('holiday_openings');
call tenant_table('restrictions');
call tenant_table('opening_spans');

-- A merchant's are its shops', an agent's and an admin's their communes'; the hotline reads.
do $$
declare t regclass;
begin
	foreach t in array '{closures, special_hours, holiday_openings, opening_spans}'::regclass[] loop
		execute format('create policy public_reads on %s for select to halles_public, halles_app using (published)', t);
		execute format('create policy own_shop on %s to halles_app
			using ((select halles_kind()) = ''merchant'' and shop_id = any ((select halles_shops())::uuid[]))', t);
		execute format('create policy own_commune on %s to halles_app
			using ((select halles_kind()) in (''agent'', ''admin'') and commune_id = any ((select halles_staff())::text[]))', t);
		execute format('create policy hotline_reads on %s for select to halles_app
			using ((select halles_kind()) = ''hotline'' and commune_id = any ((select halles_staff())::text[]))', t);
		execute format('create policy worker on %s to halles_worker using (true)', t);
	end loop;
end $$;
-- +goose StatementEnd
create trigger shops_publish_calendar after update of status on shops for each row
	when (old.status is distinct from new.status) execute function shops_publish_calendar();

-- What the public must obey, everybody reads.
create policy public_reads on restrictions for select to halles_public, halles_app using (true);
create policy agent_writes on restrictions to halles_app
	using ((select halles_kind()) = 'agent' and declared_as = 'AGENT' and commune_id = any ((select halles_staff())::text[]));
create policy admin_writes on restrictions to halles_app
	using ((select halles_kind()) = 'admin' and commune_id = any ((select halles_staff())::text[]));
create policy worker on restrictions for select to halles_worker using (true);

grant select (commune_id, id, shop_id, starts_at, ends_at, reason, published) on closures to halles_public;
grant select on special_hours, holiday_openings, opening_spans to halles_public;
grant select (commune_id, id, rank, title, reference, url, starts_at, ends_at, categories, naf_codes, except_categories, except_naf_codes,
	naf_version, area_over_m2, visitors, square_metres, condition, pickup, delivery, declared_as, declared_at, version)
	on restrictions to halles_public, halles_app, halles_worker;
grant select, insert, update on closures to halles_app;
grant select, insert, update, delete on special_hours to halles_app;
grant select, insert, delete on holiday_openings to halles_app;
grant insert on restrictions to halles_app;
grant update (ends_at, version) on restrictions to halles_app;
grant select, insert, delete on opening_spans to halles_app, halles_worker;
grant update (published) on holiday_openings, opening_spans to halles_app;
grant update (ends_at, published) on opening_spans to halles_app, halles_worker;
grant select on closures, special_hours, holiday_openings to halles_worker;
grant insert, update, delete on opening_hours, fulfilments to halles_app;
-- Which restrictions touch a shop depends on its area; it is what a visitor sees, and the API does not tell it.
grant select (sales_area_m2) on shops to halles_public;
