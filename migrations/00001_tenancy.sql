-- The tenants, the reference data that they share, and the two tools that every later
-- migration uses: the viewer's settings as functions, and tenant_table().
--
-- Roles are cluster-wide and are made beforehand by `halles migrate --roles`; a
-- migration only grants. Every object is owned by halles_owner, which cannot log in.

-- +goose Up
-- French alphabetical order: é beside e, œ beside oe. Lists sort and cursors compare with it.
create collation french (provider = icu, locale = 'fr-FR');

create extension if not exists unaccent;

-- French stemming on words without their accents: "crêpes" finds "crepe".
create text search configuration french_unaccent (copy = french);
alter text search configuration french_unaccent
	alter mapping for hword, hword_part, word with unaccent, french_stem;

-- goose's own table: a server looks whether all of its steps are there.
grant select (version_id, is_applied) on goose_db_version to halles_worker;

-- The viewer, as the program sets it for one transaction (set_config(…, is_local => true)).
-- nullif: after its transaction a local setting reads '' and not NULL. Unset means no rows.
create function halles_communes() returns text[] language sql stable parallel safe
	return nullif(pg_catalog.current_setting('halles.communes', true), '')::text[];
create function halles_kind() returns text language sql stable parallel safe
	return nullif(pg_catalog.current_setting('halles.kind', true), '');
create function halles_viewer() returns uuid language sql stable parallel safe
	return nullif(pg_catalog.current_setting('halles.viewer', true), '')::uuid;
create function halles_staff() returns text[] language sql stable parallel safe
	return nullif(pg_catalog.current_setting('halles.staff', true), '')::text[];
create function halles_shops() returns uuid[] language sql stable parallel safe
	return nullif(pg_catalog.current_setting('halles.shops', true), '')::uuid[];
create function halles_orders() returns uuid[] language sql stable parallel safe
	return nullif(pg_catalog.current_setting('halles.orders', true), '')::uuid[];

-- +goose StatementBegin
-- tenant_table puts a table behind the second lock: row-level security, forced on its owner
-- too; one restrictive policy that no permissive one can widen; and halles_migrate's own door,
-- for platforms whose administrator may not hand out BYPASSRLS. Policies for the audiences are
-- created by the table's own migration: without one, nobody sees a row.
create procedure tenant_table(t regclass) language plpgsql as $$
begin
	execute format('alter table %s enable row level security', t);
	execute format('alter table %s force row level security', t);
	execute format('create policy tenant on %s as restrictive
		to halles_public, halles_app, halles_identity, halles_stats, halles_worker, halles_listen
		using (commune_id = any ((select halles_communes())::text[]))', t);
	execute format('create policy migrate on %s to halles_migrate using (true) with check (true)', t);
end $$;
-- +goose StatementEnd
revoke execute on procedure tenant_table(regclass) from public;

create table communes (
	insee         text collate "C" not null,
	slug          text collate "C" not null,
	name          text collate french not null,
	postcodes     text[] not null,
	siren         text collate "C" not null,
	population    integer not null,
	latitude      double precision not null,
	longitude     double precision not null,
	current_insee text collate "C",
	constraint communes_pkey primary key (insee),
	constraint communes_slug_unique unique (slug),
	constraint communes_insee_form check (insee ~ '^[0-9][0-9AB][0-9]{3}$'),
	constraint communes_current_insee_form check (current_insee ~ '^[0-9][0-9AB][0-9]{3}$')
);
comment on table communes is 'owner: tenancy. The tenants. Reference data: readable by all, no RLS.';
comment on column communes.insee is 'INSEE code at entry; it stays the tenant''s key when communes merge.';
comment on column communes.current_insee is 'INSEE code of the successor after a merger; null while the commune exists as it entered.';
comment on column communes.population is 'population municipale; the census vintage is not stated by the source (DGCL).';
grant select on communes to halles_public, halles_app, halles_identity, halles_worker;

create table categories (
	id        text collate "C" not null,
	parent_id text collate "C",
	name      text collate french not null,
	position  smallint not null,
	constraint categories_pkey primary key (id),
	constraint categories_parent_fkey foreign key (parent_id) references categories (id),
	constraint categories_id_form check (id ~ '^[a-z0-9-]{1,40}$')
);
comment on table categories is 'owner: catalog. One tree of trades and goods for all communes. Reference data: readable by all, no RLS.';
grant select on categories to halles_public, halles_app, halles_worker;

create table vat_rates (
	basis_points integer not null,
	name         text not null,
	valid_from   date not null,
	valid_until  date,
	constraint vat_rates_pkey primary key (basis_points)
);
comment on table vat_rates is 'owner: catalog. French VAT rates (CGI art. 278 to 281 nonies; 0: franchise en base, art. 293 B). Reference data: readable by all, no RLS.';
insert into vat_rates values
	(2000, 'taux normal', '2014-01-01', null),
	(1000, 'taux intermédiaire', '2014-01-01', null),
	(550, 'taux réduit', '2014-01-01', null),
	(210, 'taux particulier', '2014-01-01', null),
	(0, 'TVA non applicable, art. 293 B du CGI', '2014-01-01', null);
grant select on vat_rates to halles_public, halles_app, halles_worker;

-- Great-circle distance in metres on a sphere of 6,371 km (haversine): within 0.5 % of the
-- ellipsoid, which is nothing at the 30 km of an agglomeration. Not STRICT: least() is not, so
-- the planner would not inline it, and a call costs thirty times the arithmetic.
create function distance_metres(lat1 double precision, lon1 double precision, lat2 double precision, lon2 double precision)
	returns double precision language sql immutable parallel safe
	return 2 * 6371000 * asin(least(1, sqrt(
		sin(radians(lat2 - lat1) / 2) ^ 2
		+ cos(radians(lat1)) * cos(radians(lat2)) * sin(radians(lon2 - lon1) / 2) ^ 2)));
