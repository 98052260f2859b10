-- An agent acts for a merchant, with the merchant's consent and for a while.

-- +goose Up
create table delegations (
	commune_id   text collate "C" not null,
	id           uuid not null,
	shop_id      uuid not null,
	agent_id     uuid not null,
	reason       text not null,
	days         smallint not null,
	asked_at     timestamptz not null,
	consented_at timestamptz,
	consented_by uuid,
	ends_at      timestamptz,
	ended_at     timestamptz,
	ended_by     uuid,
	code_digest  bytea,
	code_until   timestamptz,
	attempts     smallint not null default 0,
	constraint delegations_pkey primary key (commune_id, id),
	constraint delegations_shop_fkey foreign key (commune_id, shop_id) references shops (commune_id, id),
	constraint delegations_reason check (char_length(reason) between 1 and 300),
	constraint delegations_days check (days between 1 and 30),
	constraint delegations_consented check ((consented_at is null) = (ends_at is null) and (consented_at is not null or consented_by is null)),
	constraint delegations_ends check (ends_at <= consented_at + interval '30 days'),
	constraint delegations_ended check (ended_at is not null or ended_by is null),
	constraint delegations_code check ((code_digest is null) = (code_until is null) and octet_length(code_digest) = 32)
);
comment on table delegations is 'owner: identity. An agent who may act for a shop: asked by the agent, consented to by the merchant, over on its day or when either ends it.';
comment on column delegations.agent_id is 'an account; no foreign key, as accounts live outside the communes.';
comment on column delegations.consented_by is 'the merchant''s account; null with consent where the merchant read the code out that was sent to the shop.';
comment on column delegations.code_digest is 'HMAC of that code, which the sender makes and nobody keeps.';
comment on column delegations.attempts is 'wrong codes given: after five there is no consent by code.';
create index delegations_by_shop on delegations (commune_id, shop_id, asked_at);
create index delegations_by_agent on delegations (commune_id, agent_id, shop_id);

call tenant_table('delegations');
create policy own_shop on delegations to halles_identity
	using ((select halles_kind()) = 'merchant' and shop_id = any ((select halles_shops())::uuid[]));
create policy own_commune on delegations to halles_identity
	using ((select halles_kind()) in ('agent', 'admin') and commune_id = any ((select halles_staff())::text[]));
create policy worker on delegations to halles_worker using (true);
grant select, insert on delegations to halles_identity;
grant update (consented_at, consented_by, ends_at, ended_at, ended_by, attempts) on delegations to halles_identity;
grant select, update (code_digest, code_until) on delegations to halles_worker;

-- What an agent does for a merchant it does with the merchant's rights, and in the audit log. Only
-- such a viewer is a merchant with a commune among those that its staff serves.
create policy delegate_writes on audit_events for insert to halles_app
	with check ((select halles_kind()) = 'merchant' and commune_id = any ((select halles_staff())::text[])
		and kind = 'AGENT' and action like 'DELEGATED\_%' and account_id = (select halles_viewer()));
create policy delegate on audit_heads to halles_app
	using ((select halles_kind()) = 'merchant' and commune_id = any ((select halles_staff())::text[]));

-- +goose Down
drop policy delegate on audit_heads;
drop policy delegate_writes on audit_events;
drop table delegations;
