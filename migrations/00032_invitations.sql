-- Invitations that are sent by mail or text message: they have an id of their own, since their code
-- is made when it is sent.

-- +goose Up
alter table invitations
	add column id uuid not null default gen_random_uuid(), -- for the version before, which names none
	add column email text,
	add column phone text,
	add column sent_at timestamptz,
	add column revoked_at timestamptz,
	add column revoked_by uuid,
	drop constraint invitations_pkey,
	add constraint invitations_pkey primary key (id),
	add constraint invitations_digest_unique unique (digest),
	alter column digest drop not null,
	add constraint invitations_sent_to check (email is null or phone is null),
	add constraint invitations_email check (char_length(email) between 3 and 254),
	add constraint invitations_phone check (phone ~ '^\+[1-9][0-9]{6,14}$'),
	add constraint invitations_revoked check (revoked_at is null or accepted_at is null);
comment on column invitations.digest is 'HMAC of the code; null until the sender has made one. The code itself is shown once, or sent, and not kept.';
comment on column invitations.email is 'whom it is sent to; null once it served or was revoked, and where the code is handed over. phone likewise, E.164.';
create index invitations_by_scope on invitations (commune_id, shop_id, role);
grant update (digest, email, phone, sent_at, revoked_at, revoked_by, expires_at) on invitations to halles_identity;

create table code_failures (
	account_id uuid not null,
	at         timestamptz not null,
	constraint code_failures_account_fkey foreign key (account_id) references accounts (id) on delete cascade
);
comment on table code_failures is 'owner: identity. Wrong codes that an account gave within the last hour: whoever guesses is stopped. Global: written before a commune is known.';
create index code_failures_by_account on code_failures (account_id, at);
grant select, insert, delete on code_failures to halles_identity;

-- +goose Down
drop table code_failures;
delete from invitations where digest is null;
alter table invitations drop constraint invitations_pkey, drop constraint invitations_digest_unique, alter column digest set not null,
	add constraint invitations_pkey primary key (digest),
	drop column id, drop column email, drop column phone, drop column sent_at, drop column revoked_at, drop column revoked_by;
drop index invitations_by_scope;
