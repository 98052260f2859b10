-- What a commune decides for itself.

-- +goose Up
create table commune_settings (
	commune_id   text collate "C" not null,
	version      integer not null,
	office_name  text,
	office_email text,
	office_phone text,
	opening_text text,
	website      text,
	paused_at    timestamptz,
	pause_text   text,
	updated_at   timestamptz not null,
	constraint commune_settings_pkey primary key (commune_id),
	constraint commune_settings_commune_fkey foreign key (commune_id) references communes (insee),
	constraint commune_settings_version check (version > 0),
	constraint commune_settings_office_name check (char_length(office_name) between 1 and 100),
	constraint commune_settings_office_email check (char_length(office_email) between 3 and 254),
	constraint commune_settings_office_phone check (char_length(office_phone) between 3 and 16),
	constraint commune_settings_opening_text check (char_length(opening_text) between 1 and 1000),
	constraint commune_settings_website check (char_length(website) between 1 and 300),
	constraint commune_settings_pause_text check (char_length(pause_text) between 1 and 300),
	constraint commune_settings_paused check (paused_at is null or pause_text is not null)
);
comment on table commune_settings is 'owner: identity. What a commune decides for itself; no row until it decided something.';
comment on column commune_settings.version is 'counts changes: who changes says which it has seen.';
comment on column commune_settings.office_email is 'where registrations that the hotline hands over go; office_name and office_phone likewise. For staff.';
comment on column commune_settings.opening_text is 'the widget''s first words, plain text.';
comment on column commune_settings.paused_at is 'since when its shops take no orders; pause_text says why, to customers.';

call tenant_table('commune_settings');
create policy public_reads on commune_settings for select to halles_public, halles_app using (true);
create policy staff on commune_settings to halles_identity
	using ((select halles_kind()) in ('agent', 'hotline', 'admin') and commune_id = any ((select halles_staff())::text[]));
create policy worker on commune_settings for select to halles_worker using (true);
grant select (commune_id, opening_text, website, paused_at, pause_text) on commune_settings to halles_public, halles_app;
grant select, insert on commune_settings to halles_identity;
grant update (version, office_name, office_email, office_phone, opening_text, website, paused_at, pause_text, updated_at) on commune_settings to halles_identity;
grant select on commune_settings to halles_worker;

-- A merger: the commune's key stays, its successor is told.
grant update (current_insee) on communes to halles_identity;

-- +goose Down
revoke update (current_insee) on communes from halles_identity;
drop table commune_settings;
