-- Times of hand-over that customers book: how many orders each takes, and how many it has.

-- +goose Up
alter table fulfilments add column slot_capacity integer
	constraint fulfilments_slot_capacity check (slot_capacity between 1 and 9999);
comment on column fulfilments.slot_capacity is 'orders that a slot takes; whoever orders then chooses one. null: as many as come, and none need be chosen.';

create table slots (
	commune_id text collate "C" not null,
	shop_id    uuid not null,
	mode       text collate "C" not null,
	starts_at  timestamptz not null,
	capacity   integer,
	usual      boolean not null default true,
	booked     integer not null default 0,
	closed     boolean not null default false,
	taken      boolean not null generated always as (booked >= coalesce(capacity, 2147483647)) stored,
	published  boolean not null default false,
	constraint slots_pkey primary key (commune_id, shop_id, mode, starts_at),
	constraint slots_shop_fkey foreign key (commune_id, shop_id) references shops (commune_id, id),
	constraint slots_mode check (mode in ('PICKUP', 'DELIVERY')),
	constraint slots_capacity check (capacity between 1 and 9999),
	constraint slots_booked_not_negative check (booked >= 0)
);
comment on table slots is 'owner: ordering. A slot of the calendar from its first booking on, or since its shop closed it or gave it a capacity of its own; all others are free. The row''s lock is what bookings queue for.';
comment on column slots.capacity is 'orders that it takes; null: as many as come. May lie below booked once the shop has lowered it.';
comment on column slots.usual is 'the capacity is the shop''s for the mode and follows it; false: it was given to this slot.';
comment on column slots.booked is 'orders that hold it: all of its orders but those rejected, cancelled or not collected.';
comment on column slots.closed is 'by the shop: it takes no more orders; those that it has keep their promise until somebody moves them.';
comment on column slots.taken is 'what the public may know of the two numbers.';
comment on column slots.published is 'the shop is PUBLISHED, kept by follow_shop() and shops_publish_slots(): policies may not join.';

alter table orders
	add column slot_starts_at timestamptz,
	add column slot_ends_at timestamptz,
	add constraint orders_slot check (slot_ends_at > slot_starts_at and (slot_starts_at is null) = (slot_ends_at is null));
comment on column orders.slot_starts_at is 'when it is handed over, as promised; null: when it is ready. No foreign key: a slot''s row is kept for a while only.';
create index orders_by_slot on orders (commune_id, shop_id, mode, slot_starts_at) where slot_starts_at is not null;

create trigger follow_shop before insert on slots for each row execute function follow_shop();
-- +goose StatementBegin
create function shops_publish_slots() returns trigger language plpgsql as $$
begin
	perform from slots t where t.commune_id = new.commune_id and t.shop_id = new.id order by t.mode, t.starts_at for update;
	update slots t set published = (new.status = 'PUBLISHED')
	where t.commune_id = new.commune_id and t.shop_id = new.id and t.published <> (new.status = 'PUBLISHED');
	return null;
end $$;
-- +goose StatementEnd
-- Named to come after the trigger that locks variants: who places an order locks them first, too.
create trigger shops_then_publish_slots after update of status on shops for each row
	when (old.status is distinct from new.status) execute function shops_publish_slots();

-- Who makes a slot reads the usual capacity under the shared lock, who changes that waits for all
-- who did: a slot has the capacity that its mode has.
create function slots_lock(commune_id text, shop_id uuid, mode text) returns bigint language sql immutable parallel safe
	return hashtextextended('slots ' || commune_id || shop_id::text || mode, 0);
-- +goose StatementBegin
create function fulfilments_slots() returns trigger language plpgsql as $$
begin
	perform pg_advisory_xact_lock(slots_lock(new.commune_id, new.shop_id, new.mode));
	perform from slots t where t.commune_id = new.commune_id and t.shop_id = new.shop_id and t.mode = new.mode
		and t.usual and t.capacity is distinct from new.slot_capacity order by t.starts_at for update;
	update slots t set capacity = new.slot_capacity where t.commune_id = new.commune_id and t.shop_id = new.shop_id and t.mode = new.mode
		and t.usual and t.capacity is distinct from new.slot_capacity;
	return null;
end $$;
-- +goose StatementEnd
create trigger fulfilments_slots_insert after insert on fulfilments for each row execute function fulfilments_slots();
create trigger fulfilments_slots_update after update of slot_capacity on fulfilments for each row
	when (old.slot_capacity is distinct from new.slot_capacity) execute function fulfilments_slots();

call tenant_table('slots');
create policy public_reads on slots for select to halles_public using (published);
-- The counts are the shop's: see variants.
create policy public_reads_with_rights on slots for select to halles_app using (published and (select halles_own()) is null);
create policy order_books on slots for insert to halles_app
	with check ((select halles_kind()) in ('guest', 'customer') and published);
-- Who calls an order off gives its place back, also of a shop that was withdrawn since: orders'
-- own policies say which orders are its.
create policy order_sees on slots for select to halles_app
	using ((select halles_kind()) in ('guest', 'customer') and exists (select from orders o where o.commune_id = slots.commune_id
		and o.shop_id = slots.shop_id and o.mode = slots.mode and o.slot_starts_at = slots.starts_at));
create policy order_moves on slots for update to halles_app
	using ((select halles_kind()) in ('guest', 'customer') and (published or exists (select from orders o where o.commune_id = slots.commune_id
		and o.shop_id = slots.shop_id and o.mode = slots.mode and o.slot_starts_at = slots.starts_at)));
create policy own_shop on slots to halles_app
	using ((select halles_kind()) = 'merchant' and shop_id = any ((select halles_shops())::uuid[]));
create policy own_commune on slots to halles_app
	using ((select halles_kind()) in ('agent', 'hotline', 'admin') and commune_id = any ((select halles_staff())::text[]));
create policy worker on slots to halles_worker using (true);

grant select (commune_id, shop_id, mode, starts_at, closed, taken, published) on slots to halles_public;
grant select, insert on slots to halles_app;
grant update (capacity, usual, booked, closed, published) on slots to halles_app;
grant select on slots to halles_worker;
grant update (booked) on slots to halles_worker;
grant update (slot_starts_at, slot_ends_at) on orders to halles_app;
