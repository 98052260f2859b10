-- Invitations: how a person comes by a role.

-- +goose Up
create table invitations (
	digest      bytea not null,
	role        text collate "C" not null,
	commune_id  text collate "C",
	shop_id     uuid,
	invited_by  uuid not null,
	created_at  timestamptz not null,
	expires_at  timestamptz not null,
	accepted_at timestamptz,
	accepted_by uuid,
	constraint invitations_pkey primary key (digest),
	constraint invitations_commune_fkey foreign key (commune_id) references communes (insee),
	constraint invitations_role check (role in ('MERCHANT', 'AGENT', 'HOTLINE', 'ANALYST', 'ADMIN')),
	constraint invitations_scope check (case role
		when 'MERCHANT' then commune_id is not null and shop_id is not null
		when 'AGENT' then commune_id is not null and shop_id is null
		else commune_id is null and shop_id is null end),
	constraint invitations_accepted check ((accepted_at is null) = (accepted_by is null))
);
comment on table invitations is 'owner: identity. A role that waits for the person with the code. Global: read by halles_identity only, before the commune is known.';
comment on column invitations.digest is 'HMAC of the code; the code itself is shown once and not kept.';
grant select, insert on invitations to halles_identity;
grant update (accepted_at, accepted_by) on invitations to halles_identity;

grant select (granted_at), insert, delete on grants to halles_identity;
create index grants_by_scope on grants (commune_id, shop_id, role);
