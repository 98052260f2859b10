-- That something published has changed, told for whoever keeps answers made of it: a row for each
-- transaction, commune and part, written by triggers, so that no feature can forget it.
--
-- Rows are only added, and nobody waits for anybody: a counter for each commune would be a row that
-- its orders queue for until commit. Whoever reads them remembers the oldest transaction that was
-- under way, and asks next time for what this one or a later one wrote: see internal/versions.

-- +goose Up
create table published_changes (
	id         bigint generated always as identity,
	commune_id text collate "C" not null,
	part       text collate "C" not null,
	xid        xid8 not null default pg_current_xact_id(),
	noticed_at timestamptz,
	constraint published_changes_pkey primary key (id),
	constraint published_changes_part check (part in ('PROFILE', 'AVAILABILITY'))
);
comment on table published_changes is 'owner: versions. That something published of a commune has changed, and in which transaction; deleted after some minutes. Of no commune''s rows and, where commune_id is empty, of all communes: no RLS.';
comment on column published_changes.part is 'AVAILABILITY: the pieces that the public sees of a variant, or whether a slot takes orders; PROFILE: all else.';
comment on column published_changes.noticed_at is 'when the sweep first saw it, which is after it was committed: from then on its age counts.';
create index published_changes_by_xid on published_changes (xid);
grant insert on published_changes to halles_app, halles_identity, halles_worker;
grant select, delete on published_changes to halles_worker;
grant update (noticed_at) on published_changes to halles_worker;

-- +goose StatementBegin
-- note_change adds the row of a transaction, once: halles.noted lists what it has, and ends with it
-- or with the savepoint.
create function note_change(commune text, what text) returns void language plpgsql as $$
declare
	noted text := coalesce(current_setting('halles.noted', true), '');
begin
	if position(' ' || what || commune || ' ' in noted) = 0 then
		insert into published_changes (commune_id, part) values (commune, what);
		perform set_config('halles.noted', noted || ' ' || what || commune || ' ', true);
	end if;
end $$;

-- note_rows is for each statement that adds or removes rows, note_updates for each that changes some,
-- and note_all where a row is all communes'.
create function note_rows() returns trigger language plpgsql as $$
begin
	perform note_change(c.commune_id, 'PROFILE') from (select distinct commune_id from changed_rows) c;
	return null;
end $$;
create function note_updates() returns trigger language plpgsql as $$
begin
	perform note_change(c.commune_id, 'PROFILE') from (select distinct commune_id from (select * from new_rows except select * from old_rows) r) c;
	return null;
end $$;
create function note_all() returns trigger language plpgsql as $$
begin
	perform note_change('', 'PROFILE');
	return null;
end $$;
-- note_row is for a row whose WHEN says that it matters. An order changes variants and slots: what
-- nobody sees of it, as a stock that goes from 50 to 49, must cost nothing.
create function note_row() returns trigger language plpgsql as $$
begin
	perform note_change(coalesce(new.commune_id, old.commune_id), tg_argv[0]);
	return null;
end $$;

do $$
declare t regclass;
begin
	foreach t in array '{shops, opening_hours, fulfilments, closures, special_hours, holiday_openings, restrictions, opening_spans,
		products, photos, commune_settings, catalog_search, search_terms}'::regclass[] loop
		execute format('create trigger note_inserts after insert on %s referencing new table as changed_rows for each statement execute function note_rows()', t);
		execute format('create trigger note_deletes after delete on %s referencing old table as changed_rows for each statement execute function note_rows()', t);
		execute format('create trigger note_updates after update on %s referencing old table as old_rows new table as new_rows for each statement execute function note_updates()', t);
	end loop;
	foreach t in array '{communes, categories, vat_rates, search_thesaurus}'::regclass[] loop
		execute format('create trigger note_all after insert or update or delete on %s for each statement execute function note_all()', t);
	end loop;
end $$;
-- +goose StatementEnd

create trigger note_inserts after insert on variants referencing new table as changed_rows for each statement execute function note_rows();
create trigger note_deletes after delete on variants referencing old table as changed_rows for each statement execute function note_rows();
create trigger note_updates after update on variants for each row
	when ((old.commune_id, old.id, old.product_id, old.shop_id, old.position, old.sku, old.option_name, old.option_value, old.price_cents, old.vat_rate,
			old.published, old.version, old.archived, old.paused, old.paused_until)
		is distinct from (new.commune_id, new.id, new.product_id, new.shop_id, new.position, new.sku, new.option_name, new.option_value, new.price_cents, new.vat_rate,
			new.published, new.version, new.archived, new.paused, new.paused_until))
	execute function note_row('PROFILE');
create trigger note_availability after update on variants for each row
	when (old.available is distinct from new.available) execute function note_row('AVAILABILITY');

-- A slot that has no row, or one that takes orders, are the same to the public.
create trigger note_inserts after insert on slots for each row when (new.closed or new.taken) execute function note_row('AVAILABILITY');
create trigger note_deletes after delete on slots for each row when (old.closed or old.taken) execute function note_row('AVAILABILITY');
create trigger note_updates after update on slots for each row
	when ((old.commune_id, old.shop_id, old.mode, old.starts_at, old.closed, old.taken, old.published)
		is distinct from (new.commune_id, new.shop_id, new.mode, new.starts_at, new.closed, new.taken, new.published))
	execute function note_row('AVAILABILITY');

-- Pauses that end by themselves soon: what changes then, without anybody changing it.
create index variants_by_pause on variants (paused_until) where paused_until is not null;

-- +goose Down
drop index variants_by_pause;
drop trigger note_updates on slots;
drop trigger note_deletes on slots;
drop trigger note_inserts on slots;
drop trigger note_availability on variants;
drop trigger note_updates on variants;
drop trigger note_deletes on variants;
drop trigger note_inserts on variants;
-- +goose StatementBegin
do $$
declare t regclass;
begin
	foreach t in array '{communes, categories, vat_rates, search_thesaurus}'::regclass[] loop
		execute format('drop trigger note_all on %s', t);
	end loop;
	foreach t in array '{shops, opening_hours, fulfilments, closures, special_hours, holiday_openings, restrictions, opening_spans,
		products, photos, commune_settings, catalog_search, search_terms}'::regclass[] loop
		execute format('drop trigger note_inserts on %s', t);
		execute format('drop trigger note_deletes on %s', t);
		execute format('drop trigger note_updates on %s', t);
	end loop;
end $$;
-- +goose StatementEnd
drop function note_row();
drop function note_all();
drop function note_updates();
drop function note_rows();
drop function note_change(text, text);
drop table published_changes;
