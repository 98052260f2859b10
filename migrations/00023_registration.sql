-- Registration: a shop's dossier, from the first call until it is public, and who holds a SIRET.

-- +goose Up
create extension if not exists pg_trgm;

-- What of a street is compared: without accents, capitals, articles and the usual abbreviations,
-- so that "12, bd. de l'Église" and "12 boulevard Eglise" are one. translate() and not unaccent(),
-- which depends on a dictionary and so is not immutable.
create function street_key(street text) returns text language sql immutable parallel safe
	return btrim(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(
		translate(lower(street), 'àâäáãçéèêëîïíìôöóòõùûüúÿñœæ', 'aaaaaceeeeiiiiooooouuuuynoa'),
		'[^a-z0-9]+', ' ', 'g'),
		'\mbd\M|\mbld\M|\mboul\M|\mbvd\M', 'boulevard', 'g'), '\mav\M|\mave\M', 'avenue', 'g'), '\mpl\M', 'place', 'g'),
		'\mrte\M', 'route', 'g'), '\mche\M|\mchem\M', 'chemin', 'g'), '^([0-9]+ ?(bis|ter)? )?r\M', '\1rue', 'g'),
		'\m(de|du|des|la|le|les|l|d|et|a|au|aux)\M ?', '', 'g'));

-- The number in the street: two neighbours have the same words.
create function street_number(street text) returns text language sql immutable parallel safe
	return coalesce(substring(lower(street) from '^\s*([0-9]+)') || coalesce(substring(lower(street) from '^\s*[0-9]+\s*(bis|ter|quater)\M'), ''), '');

create table registrations (
	commune_id           text collate "C" not null,
	id                   uuid not null,
	status               text collate "C" not null,
	channel              text collate "C" not null,
	account_id           uuid,
	resume_key           uuid,
	resume_until         timestamptz,
	siret                text collate "C",
	name                 text collate french,
	description          text,
	category_id          text collate "C",
	naf_code             text collate "C",
	street               text,
	postcode             text collate "C",
	city                 text,
	latitude             double precision,
	longitude            double precision,
	phone                text collate "C",
	email                text,
	website              text,
	services             text[] not null default '{}',
	accessibility        text[] not null default '{}',
	sales_area_m2        integer,
	headcount            integer,
	contact_name         text,
	contact_phone        text collate "C",
	contact_email        text,
	consent_version      text collate "C",
	consent_at           timestamptz,
	consent_channel      text collate "C",
	call_back_at         timestamptz,
	reason               text collate "C",
	reason_text          text,
	moved_commune        text collate "C",
	moved_id             uuid,
	register_state       text collate "C" not null default 'NONE',
	register_asked_at    timestamptz,
	register_answered_at timestamptz,
	register_name        text,
	register_naf         text collate "C",
	register_address     text,
	register_commune     text collate "C",
	register_latitude    double precision,
	register_longitude   double precision,
	register_closed_on   date,
	submitted_at         timestamptz,
	decided_at           timestamptz,
	created_at           timestamptz not null,
	updated_at           timestamptz not null,
	version              integer not null default 1,
	constraint registrations_pkey primary key (commune_id, id),
	constraint registrations_commune_fkey foreign key (commune_id) references communes (insee),
	constraint registrations_category_fkey foreign key (category_id) references categories (id),
	constraint registrations_status check (status in ('STARTED', 'SUBMITTED', 'VERIFIED', 'REJECTED', 'MOVED')),
	constraint registrations_channel check (channel in ('WEB', 'HOTLINE')),
	constraint registrations_holder check (channel = 'HOTLINE' or account_id is not null or resume_key is not null),
	constraint registrations_resume check ((resume_key is null) = (resume_until is null)),
	constraint registrations_siret_form check (siret ~ '^[0-9]{14}$' and siret <> '00000000000000'),
	constraint registrations_naf_form check (naf_code ~ '^[0-9]{2}\.[0-9]{2}[A-Z]$'),
	constraint registrations_point check ((latitude is null) = (longitude is null) and latitude between -90 and 90 and longitude between -180 and 180),
	constraint registrations_consent check ((consent_version is null) = (consent_at is null) and (consent_version is null) = (consent_channel is null)),
	constraint registrations_consent_channel check (consent_channel in ('WEB', 'PHONE')),
	constraint registrations_moved check ((status = 'MOVED') = (moved_commune is not null) and (moved_commune is null) = (moved_id is null)),
	constraint registrations_reason check ((status = 'REJECTED') = (reason is not null)),
	constraint registrations_register_state check (register_state in ('NONE', 'WAITING', 'ACTIVE', 'CLOSED', 'UNKNOWN')),
	constraint registrations_name_length check (char_length(name) between 1 and 200)
);
comment on table registrations is 'owner: directory. A dossier: what a shop told about itself before it was one. The shop that is made of it has the same id.';
comment on column registrations.account_id is 'who entered it signed in; no foreign key: accounts live outside the communes.';
comment on column registrations.resume_key is 'for who entered it without an account: a UUID made of the secret that resumes it (HMAC), which alone finds the row.';
comment on column registrations.contact_name is 'contact_*: the person to speak to about the dossier; never published.';
comment on column registrations.consent_version is 'which text was agreed to; the texts are the program''s.';
comment on column registrations.moved_id is 'the dossier that goes on in moved_commune, once the first answer was another commune.';
comment on column registrations.register_state is 'what the national register says of the SIRET: NONE without one, WAITING until it has answered.';
create index registrations_by_age on registrations (commune_id, created_at desc, id desc);
create index registrations_to_call on registrations (commune_id, call_back_at, id) where call_back_at is not null;
create index registrations_by_key on registrations (commune_id, resume_key) where resume_key is not null;
create index registrations_by_phone on registrations (commune_id, phone) where status in ('STARTED', 'SUBMITTED');
create index registrations_by_postcode on registrations (commune_id, postcode) where status in ('STARTED', 'SUBMITTED');
create index shops_by_phone on shops (commune_id, phone);
create index shops_by_postcode on shops (commune_id, postcode);
call tenant_table('registrations');
create policy applicant on registrations to halles_app
	using ((select halles_kind()) = 'applicant' and resume_key = (select halles_viewer()));
create policy customer on registrations to halles_app
	using ((select halles_kind()) = 'customer' and account_id = (select halles_viewer()));
create policy staff on registrations to halles_app
	using ((select halles_kind()) in ('agent', 'hotline', 'admin') and commune_id = any ((select halles_staff())::text[]));
create policy worker on registrations to halles_worker using (true);
grant select, insert, update on registrations to halles_app;
grant select, delete, update (register_state, register_asked_at, register_answered_at, register_name, register_naf, register_address,
	register_commune, register_latitude, register_longitude, register_closed_on) on registrations to halles_worker;

create table shop_steps (
	commune_id  text collate "C" not null,
	shop_id     uuid not null,
	id          uuid not null,
	kind        text collate "C" not null,
	at          timestamptz not null,
	actor       text collate "C" not null,
	account_id  uuid,
	reason      text collate "C",
	reason_text text,
	constraint shop_steps_pkey primary key (commune_id, shop_id, id),
	constraint shop_steps_commune_fkey foreign key (commune_id) references communes (insee),
	constraint shop_steps_kind check (kind in ('STARTED', 'SUBMITTED', 'CALL_BACK', 'CALLED', 'MOVED', 'VERIFIED', 'REJECTED', 'PUBLISHED', 'SUSPENDED', 'REINSTATED')),
	constraint shop_steps_actor check (actor in ('VISITOR', 'CUSTOMER', 'MERCHANT', 'AGENT', 'HOTLINE', 'ADMIN', 'SYSTEM'))
);
comment on table shop_steps is 'owner: directory. What happened to a shop, from the first call on. Append-only.';
comment on column shop_steps.shop_id is 'the shop''s id, which its dossier had before it; no foreign key, since it may never become one.';
comment on column shop_steps.reason_text is 'what was told the merchant beside the reason''s code.';
call tenant_table('shop_steps');
create policy append on shop_steps for insert to halles_app with check (true);
create policy merchant_reads on shop_steps for select to halles_app
	using ((select halles_kind()) = 'merchant' and shop_id = any ((select halles_shops())::uuid[]));
create policy staff_reads on shop_steps for select to halles_app
	using ((select halles_kind()) in ('agent', 'hotline', 'admin') and commune_id = any ((select halles_staff())::text[]));
create policy worker on shop_steps to halles_worker using (true);
grant select, insert on shop_steps to halles_app, halles_worker;

-- One SIRET has one holder over all communes: no key that begins with the commune can hold that,
-- so the table is global. Nobody writes it but the trigger below, as the owner; row-level security
-- is on, and not forced, for whoever reads.
create table siret_holders (
	siret      text collate "C" not null,
	commune_id text collate "C" not null,
	holder_id  uuid not null,
	since      timestamptz not null,
	constraint siret_holders_pkey primary key (siret),
	constraint siret_holders_commune_fkey foreign key (commune_id) references communes (insee)
);
comment on table siret_holders is 'owner: directory. Which shop or dossier has a SIRET, over all communes. Read by the hotline and admins; written by hold_siret() only.';
comment on column siret_holders.holder_id is 'of the dossier, which the shop made of it keeps.';
alter table siret_holders enable row level security;
create policy staff_reads on siret_holders for select to halles_app using ((select halles_kind()) in ('hotline', 'admin'));
grant select on siret_holders to halles_app;

-- +goose StatementBegin
create function hold_siret() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
declare
	was text;
	is_now text;
begin
	if tg_op <> 'INSERT' then
		was := old.siret;
		if tg_table_name = 'registrations' and old.status not in ('STARTED', 'SUBMITTED', 'VERIFIED') then
			was := null;
		end if;
	end if;
	if tg_op <> 'DELETE' then
		is_now := new.siret;
		if tg_table_name = 'registrations' and new.status not in ('STARTED', 'SUBMITTED', 'VERIFIED') then
			is_now := null;
		end if;
	end if;
	if was is not distinct from is_now then
		return null;
	end if;
	if was is not null then
		delete from siret_holders where siret = was and commune_id = old.commune_id and holder_id = old.id;
	end if;
	if is_now is not null then
		-- Who comes second waits here until the first has committed, and then finds it.
		insert into siret_holders as h (siret, commune_id, holder_id, since) values (is_now, new.commune_id, new.id, new.created_at)
		on conflict (siret) do update set since = h.since where h.commune_id = excluded.commune_id and h.holder_id = excluded.holder_id;
		if not found then
			raise unique_violation using constraint = 'siret_holders_pkey', message = 'the SIRET has another holder';
		end if;
	end if;
	return null;
end $$;
-- +goose StatementEnd
create trigger hold_siret after insert or delete or update of siret, status on registrations for each row execute function hold_siret();
create trigger hold_siret after insert or delete or update of siret on shops for each row execute function hold_siret();

-- A forced owner sees no row: data steps run as halles_migrate itself. Of two shops that had one
-- SIRET before, the older holds it.
set local role halles_migrate;
insert into siret_holders (siret, commune_id, holder_id, since) select siret, commune_id, id, created_at from shops order by created_at on conflict do nothing;
set local role halles_owner;

-- A dossier becomes a shop by the hand of those who verify it.
create policy staff_makes on shops for insert to halles_app
	with check ((select halles_kind()) in ('agent', 'admin') and commune_id = any ((select halles_staff())::text[]));
grant insert on shops to halles_app;
