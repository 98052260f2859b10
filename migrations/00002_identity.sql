-- Who is who. These tables are global: they are read before the commune of a request is
-- known, by one role (halles_identity) with column grants, and no tenant table refers to them.

-- +goose Up
create table accounts (
	id         uuid not null,
	issuer     text not null,
	subject    text not null,
	name       text not null,
	email      text,
	created_at timestamptz not null,
	constraint accounts_pkey primary key (id),
	constraint accounts_issuer_subject_unique unique (issuer, subject)
);
comment on table accounts is 'owner: identity. A person who signs in, as its issuer knows it. Global: read by halles_identity only.';
comment on column accounts.subject is 'the issuer''s own name for the person (claim "sub").';

create table grants (
	account_id uuid not null,
	role       text not null,
	commune_id text collate "C",
	shop_id    uuid,
	granted_at timestamptz not null,
	constraint grants_account_fkey foreign key (account_id) references accounts (id),
	constraint grants_commune_fkey foreign key (commune_id) references communes (insee),
	constraint grants_unique unique nulls not distinct (account_id, role, commune_id, shop_id),
	constraint grants_role check (role in ('MERCHANT', 'AGENT', 'HOTLINE', 'ANALYST', 'ADMIN')),
	constraint grants_scope check (case role
		when 'MERCHANT' then commune_id is not null and shop_id is not null
		when 'AGENT' then commune_id is not null and shop_id is null
		else commune_id is null and shop_id is null end)
);
comment on table grants is 'owner: identity. What an account may act for. Global: read by halles_identity only.';

grant select (id, issuer, subject, name) on accounts to halles_identity;
grant select (account_id, role, commune_id, shop_id) on grants to halles_identity;
