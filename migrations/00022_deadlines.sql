-- How long orders may wait, and what the jobs that see to it may change.

-- +goose Up
create table order_escalations (
	commune_id text collate "C" not null,
	order_id   uuid not null,
	step       text collate "C" not null,
	at         timestamptz not null,
	constraint order_escalations_pkey primary key (commune_id, order_id, step),
	constraint order_escalations_order_fkey foreign key (commune_id, order_id) references orders (commune_id, id),
	constraint order_escalations_step check (step in ('REMINDED', 'CALL'))
);
comment on table order_escalations is 'owner: ordering. What was done for an order that its shop does not answer; each step once.';
comment on column order_escalations.step is 'REMINDED: the shop was told again; CALL: on the hotline''s call list while the order is PLACED.';
call tenant_table('order_escalations');
create policy staff_reads on order_escalations for select to halles_app
	using ((select halles_kind()) in ('hotline', 'admin') and commune_id = any ((select halles_staff())::text[]));
create policy worker on order_escalations to halles_worker using (true);
grant select on order_escalations to halles_app;
grant select, insert on order_escalations to halles_worker;

-- A shop keeps what is ready for a week, unless it says otherwise.
alter table fulfilments add column kept_days smallint not null default 7
	constraint fulfilments_kept check (kept_days between 1 and 60);
comment on column fulfilments.kept_days is 'days that an order waits at the shop once it is ready; then it is closed as not collected. PICKUP only.';

-- A job cancels what nobody answers, and closes what nobody collects: the same changes as a
-- merchant's, with the same events and moves of stock.
grant update (status, version, reason, reason_text, updated_at) on orders to halles_worker;
grant insert on order_events to halles_worker;
grant update (seq, pruned) on stream_heads to halles_worker;

-- Retention. A key is kept for 72 h, a guest's link until it has expired.
grant select, delete on idempotency_keys to halles_worker;
grant select (expires_at), delete on guest_links to halles_worker;
comment on column stream_heads.pruned is 'a cursor before this event has expired: it lies further back than a subscription may resume. The events themselves stay.';
