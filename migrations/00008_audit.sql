-- The audit log: every privileged change, written in the transaction that makes it.

-- +goose Up
-- What holds the events of a commune together: each carries a hash of its own content and of the
-- one before it, so that none can be altered, taken out or slipped in unseen. Who may compute it
-- again needs nothing but this function and the table.
create function audit_hash(previous bytea, commune text, seq bigint, at timestamptz, account uuid, kind text, action text, object text, was bytea, became bytea)
	returns bytea language sql stable parallel safe
	return sha256(previous || convert_to(concat_ws(E'\n', commune, seq, floor(extract(epoch from at) * 1000000)::bigint,
		coalesce(account::text, ''), kind, action, object, coalesce(encode(was, 'hex'), ''), coalesce(encode(became, 'hex'), '')), 'UTF8'));

create table audit_heads (
	commune_id text collate "C" not null,
	seq        bigint not null,
	hash       bytea not null,
	constraint audit_heads_pkey primary key (commune_id),
	constraint audit_heads_commune_fkey foreign key (commune_id) references communes (insee)
);
comment on table audit_heads is 'owner: identity. The last event of each commune''s audit log; its row lock makes the log gap-free, and is taken last, but for that of stream_heads.';

create table audit_events (
	commune_id  text collate "C" not null,
	seq         bigint not null,
	at          timestamptz not null,
	account_id  uuid,
	kind        text collate "C" not null,
	action      text collate "C" not null,
	object      text collate "C" not null,
	before_hash bytea,
	after_hash  bytea,
	hash        bytea not null,
	constraint audit_events_pkey primary key (commune_id, seq),
	constraint audit_events_commune_fkey foreign key (commune_id) references communes (insee),
	constraint audit_events_kind check (kind in ('CUSTOMER', 'MERCHANT', 'AGENT', 'HOTLINE', 'ANALYST', 'ADMIN', 'SYSTEM')),
	-- Features name their own actions; a list here would have to change with each of them.
	constraint audit_events_action check (action ~ '^[A-Z][A-Z_]{2,39}$'),
	constraint audit_events_object check (object !~ '[\n\r]' and char_length(object) between 1 and 200),
	constraint audit_events_hashes check (octet_length(hash) = 32 and octet_length(before_hash) = 32 and octet_length(after_hash) = 32)
);
comment on table audit_events is 'owner: identity. Every privileged change: who, what, to what, when. Append-only: nobody may change or delete a row. Ids and hashes only, so that it may be kept for ever.';
comment on column audit_events.account_id is 'no foreign key: accounts live outside the communes, and the log outlives them. Null for the platform itself.';
comment on column audit_events.object is 'the global id of what was changed.';
comment on column audit_events.before_hash is 'SHA-256 of the object''s state before, as JSON; null when it was made. after_hash: of the state after.';
comment on column audit_events.hash is 'audit_hash of the hash before it and this row.';

call tenant_table('audit_heads');
call tenant_table('audit_events');

-- Staff changes orders as halles_app; all else that is privileged is identity's own.
create policy staff_writes on audit_events for insert to halles_app
	with check ((select halles_kind()) in ('agent', 'hotline', 'admin') and commune_id = any ((select halles_staff())::text[]));
create policy identity_writes on audit_events for insert to halles_identity with check (true);
create policy staff_reads on audit_events for select to halles_identity
	using ((select halles_kind()) in ('agent', 'admin') and commune_id = any ((select halles_staff())::text[]));
create policy staff on audit_heads to halles_app
	using ((select halles_kind()) in ('agent', 'hotline', 'admin') and commune_id = any ((select halles_staff())::text[]));
create policy writers on audit_heads to halles_identity using (true);
create policy worker on audit_heads for select to halles_worker using (true);
create policy worker on audit_events for select to halles_worker using (true);

grant insert on audit_events to halles_app, halles_identity;
grant select on audit_events to halles_identity, halles_worker;
grant select, insert, update (seq, hash) on audit_heads to halles_app, halles_identity;
grant select on audit_heads to halles_worker;
