-- Retention and erasure of what names persons: who asked for it, what the daily rules deleted, and
-- what the jobs that do it may change.

-- +goose Up
create table erasures (
	id         uuid not null,
	subject    text collate "C" not null,
	commune_id text collate "C",
	subject_id uuid not null,
	by_kind    text collate "C" not null,
	asked_at   timestamptz not null,
	done_at    timestamptz,
	constraint erasures_pkey primary key (id),
	constraint erasures_once unique nulls not distinct (subject, commune_id, subject_id),
	constraint erasures_subject check (subject in ('ORDER', 'ACCOUNT') and (subject = 'ORDER') = (commune_id is not null)),
	constraint erasures_commune_fkey foreign key (commune_id) references communes (insee),
	constraint erasures_by_kind check (by_kind in ('GUEST', 'CUSTOMER', 'HOTLINE'))
);
comment on table erasures is 'owner: privacy. The ledger of erasures: whose data was asked to be erased, as ids only. It is kept, and replayed after a restore from a backup, which would bring the person back. Accounts are of no commune: row-level security is on, and not forced, for whoever asks.';
comment on column erasures.subject_id is 'the order or the account.';
comment on column erasures.done_at is 'null: yet to be carried out, within some minutes.';
create index erasures_to_do on erasures (id) where done_at is null;
alter table erasures enable row level security;
create policy asks_for_order on erasures for insert to halles_app with check (subject = 'ORDER'
	and (select halles_kind()) in ('guest', 'customer', 'hotline')
	and exists (select from orders o where o.commune_id = erasures.commune_id and o.id = erasures.subject_id));
create policy asks_for_account on erasures for insert to halles_app
	with check (subject = 'ACCOUNT' and (select halles_kind()) = 'customer' and subject_id = (select halles_viewer()));
create policy worker on erasures to halles_worker using (true);
grant insert on erasures to halles_app;
grant select, insert, update (done_at) on erasures to halles_worker;

create table privacy_runs (
	at   timestamptz not null,
	rule text collate "C" not null,
	rows integer not null,
	constraint privacy_runs_pkey primary key (at, rule),
	constraint privacy_runs_rows check (rows >= 0)
);
comment on table privacy_runs is 'owner: privacy. What each daily round of the retention rules made forget: rule and count, of nobody, over all communes. Kept two years.';
comment on column privacy_runs.rows is 'how many orders, dossiers or accounts lost a person.';
grant select on privacy_runs to halles_app;
grant select, insert, delete on privacy_runs to halles_worker;

-- What empties an order, a dossier and an account of their person. Lines, amounts and events stay.
grant update (customer_id, scope) on orders to halles_worker;
grant select (commune_id, order_id) on guest_links to halles_worker;
grant update (contact_name, contact_phone, contact_email, account_id, resume_key, resume_until, reason_text) on registrations to halles_worker;
grant select (id), delete on accounts to halles_worker;
grant select (account_id) on grants to halles_worker;
grant select (email) on accounts to halles_identity; -- a person may read all that is kept of it
-- Cursors of before a restore lead nowhere.
grant update (epoch) on feed_epoch to halles_worker;

-- +goose Down
revoke update (epoch) on feed_epoch from halles_worker;
revoke select (email) on accounts from halles_identity;
revoke select (account_id) on grants from halles_worker;
revoke select (id), delete on accounts from halles_worker;
revoke update (contact_name, contact_phone, contact_email, account_id, resume_key, resume_until, reason_text) on registrations from halles_worker;
revoke select (commune_id, order_id) on guest_links from halles_worker;
revoke update (customer_id, scope) on orders from halles_worker;
drop table privacy_runs;
drop table erasures;
