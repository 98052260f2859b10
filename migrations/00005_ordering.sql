-- Orders, their lines and people, and the event log that every subscriber reads.

-- +goose Up
create table orders (
	commune_id      text collate "C" not null,
	id              uuid not null,
	shop_id         uuid not null,
	number          text collate "C" not null,
	channel         text collate "C" not null,
	mode            text collate "C" not null,
	status          text collate "C" not null,
	version         integer not null,
	customer_id     uuid,
	scope           text collate "C" not null,
	idempotency_key text collate "C" not null,
	items_cents     bigint not null,
	delivery_cents  bigint not null,
	item_count      integer not null,
	pickup_code     text collate "C" not null,
	reason          text collate "C",
	reason_text     text,
	note            text,
	placed_at       timestamptz not null,
	updated_at      timestamptz not null,
	constraint orders_pkey primary key (commune_id, id),
	constraint orders_shop_fkey foreign key (commune_id, shop_id) references shops (commune_id, id),
	constraint orders_number_unique unique (commune_id, number),
	constraint orders_key_unique unique (commune_id, scope, idempotency_key),
	constraint orders_channel check (channel in ('WEB', 'WIDGET', 'PHONE', 'COUNTER')),
	constraint orders_mode check (mode in ('PICKUP', 'DELIVERY')),
	constraint orders_status check (status in ('PLACED', 'ACCEPTED', 'READY', 'OUT_FOR_DELIVERY', 'COLLECTED',
		'DELIVERED', 'REJECTED', 'CANCELLED', 'NO_SHOW')),
	constraint orders_amounts check (items_cents >= 0 and delivery_cents >= 0 and item_count > 0),
	constraint orders_version check (version >= 1),
	constraint orders_reason check (reason in ('OUT_OF_STOCK', 'SHOP_CLOSED', 'TOO_BUSY', 'CHANGED_MIND', 'ORDERED_TWICE',
		'UNREACHABLE', 'NOT_COLLECTED', 'NOT_ACKNOWLEDGED', 'OTHER')),
	constraint orders_texts check (char_length(reason_text) <= 500 and char_length(note) <= 1000)
);
comment on table orders is 'owner: ordering. One order at one shop; a basket over three shops is three orders.';
comment on column orders.number is 'what people say on the telephone; random, so that it tells nothing of the volume.';
comment on column orders.version is 'the order''s own event sequence: the order_seq of its last event.';
comment on column orders.customer_id is 'account, when signed in; no foreign key, accounts live outside the communes.';
comment on column orders.reason_text is 'what the person who ended it added; never in the event log.';
comment on column orders.pickup_code is 'said at the door: three consonants without look-alikes and three digits.';
-- A code is spoken at one shop and tells its open orders apart; afterwards it may come again.
-- A merchant's counter also opens by this index, past years of closed orders.
create unique index orders_open_pickup_code on orders (commune_id, shop_id, pickup_code)
	where status in ('PLACED', 'ACCEPTED', 'READY', 'OUT_FOR_DELIVERY');
create index orders_by_shop on orders (commune_id, shop_id, placed_at desc, id desc);
create index orders_by_customer on orders (commune_id, customer_id, placed_at desc, id desc) where customer_id is not null;

create table order_lines (
	commune_id   text collate "C" not null,
	order_id     uuid not null,
	line         smallint not null,
	variant_id   uuid not null,
	name         text not null,
	option_value text not null,
	quantity     integer not null,
	unit_cents   bigint not null,
	vat_rate     integer not null,
	constraint order_lines_pkey primary key (commune_id, order_id, line),
	constraint order_lines_order_fkey foreign key (commune_id, order_id) references orders (commune_id, id),
	constraint order_lines_variant_fkey foreign key (commune_id, variant_id) references variants (commune_id, id),
	constraint order_lines_variant_once unique (commune_id, order_id, variant_id),
	constraint order_lines_quantity check (quantity between 1 and 9999),
	constraint order_lines_price check (unit_cents >= 0)
);
comment on table order_lines is 'owner: ordering. Name, price and VAT as they were when the order was placed.';

create table order_contacts (
	commune_id text collate "C" not null,
	order_id   uuid not null,
	name       text,
	phone      text collate "C",
	email      text,
	constraint order_contacts_pkey primary key (commune_id, order_id),
	constraint order_contacts_order_fkey foreign key (commune_id, order_id) references orders (commune_id, id)
);
comment on table order_contacts is 'owner: ordering. The only place of an order that names a person; emptied by retention and erasure.';

create table stream_heads (
	commune_id text collate "C" not null,
	seq        bigint not null,
	pruned     bigint not null default 0,
	constraint stream_heads_pkey primary key (commune_id),
	constraint stream_heads_pruned check (pruned between 0 and seq),
	constraint stream_heads_commune_fkey foreign key (commune_id) references communes (insee)
);
comment on table stream_heads is 'owner: ordering. The last event of each commune; its row lock makes the log gap-free, and is always the last lock taken.';
comment on column stream_heads.pruned is 'events up to this one were removed by retention; a cursor before it has expired.';

create table feed_epoch (
	epoch uuid not null default gen_random_uuid(),
	one   boolean not null default true,
	constraint feed_epoch_pkey primary key (one),
	constraint feed_epoch_one_row check (one)
);
comment on table feed_epoch is 'owner: ordering. One row: the life of the event log that cursors belong to. Change it after a restore from a backup: update feed_epoch set epoch = gen_random_uuid(). Global: a number without meaning, no RLS.';
insert into feed_epoch default values;
grant select on feed_epoch to halles_app, halles_worker;

create table order_events (
	commune_id text collate "C" not null,
	seq        bigint not null,
	order_id   uuid not null,
	order_seq  integer not null,
	shop_id    uuid not null,
	kind       text collate "C" not null,
	status     text collate "C" not null,
	actor      text collate "C" not null,
	reason     text collate "C",
	at         timestamptz not null,
	constraint order_events_pkey primary key (commune_id, seq),
	constraint order_events_order_fkey foreign key (commune_id, order_id) references orders (commune_id, id),
	constraint order_events_order_seq_unique unique (commune_id, order_id, order_seq),
	constraint order_events_kind check (kind in ('PLACED', 'ACCEPTED', 'READY', 'OUT_FOR_DELIVERY', 'COLLECTED',
		'DELIVERED', 'REJECTED', 'CANCELLED', 'NO_SHOW')),
	constraint order_events_status check (status in ('PLACED', 'ACCEPTED', 'READY', 'OUT_FOR_DELIVERY', 'COLLECTED',
		'DELIVERED', 'REJECTED', 'CANCELLED', 'NO_SHOW')),
	constraint order_events_reason check (reason in ('OUT_OF_STOCK', 'SHOP_CLOSED', 'TOO_BUSY', 'CHANGED_MIND', 'ORDERED_TWICE',
		'UNREACHABLE', 'NOT_COLLECTED', 'NOT_ACKNOWLEDGED', 'OTHER')),
	constraint order_events_actor check (actor in ('CUSTOMER', 'MERCHANT', 'AGENT', 'HOTLINE', 'ADMIN', 'SYSTEM'))
);
comment on table order_events is 'owner: ordering. Every change of every order: ids and states only, append-only, gap-free per commune and per order.';
create index order_events_by_shop on order_events (commune_id, shop_id, seq);

create table idempotency_keys (
	commune_id   text collate "C" not null,
	scope        text collate "C" not null,
	key          text collate "C" not null,
	payload_hash bytea not null,
	order_id     uuid not null,
	at           timestamptz not null,
	constraint idempotency_keys_pkey primary key (commune_id, scope, key)
);
comment on column idempotency_keys.scope is 'the account, or ''guest'', where the key itself is the client''s secret.';
comment on table idempotency_keys is 'owner: ordering. Which order a client''s key made, and from what payload; kept 72 h.';

create table guest_links (
	digest     bytea not null,
	commune_id text collate "C" not null,
	order_id   uuid not null,
	created_at timestamptz not null,
	expires_at timestamptz not null,
	constraint guest_links_pkey primary key (digest, commune_id, order_id)
);
comment on table guest_links is 'owner: ordering. HMAC of a guest''s secret and the orders of its basket. Global: read by halles_identity only, before the commune is known.';
grant select on guest_links to halles_identity;
grant insert on guest_links to halles_app;

call tenant_table('orders');
call tenant_table('order_lines');
call tenant_table('order_contacts');
call tenant_table('stream_heads');
call tenant_table('order_events');
call tenant_table('idempotency_keys');

create policy guest on orders to halles_app
	using ((select halles_kind()) = 'guest' and id = any ((select halles_orders())::uuid[]));
-- Whoever has an account reads its own orders, a merchant or an agent who buys included; they are
-- placed and cancelled as kind customer.
create policy customer_reads on orders for select to halles_app
	using (customer_id = (select halles_viewer()));
create policy customer on orders to halles_app
	using ((select halles_kind()) = 'customer' and customer_id = (select halles_viewer()));
create policy merchant on orders to halles_app
	using ((select halles_kind()) = 'merchant' and shop_id = any ((select halles_shops())::uuid[]));
create policy staff_reads on orders for select to halles_app
	using ((select halles_kind()) in ('agent', 'hotline', 'admin')
		and commune_id = any ((select halles_staff())::text[]));
-- The hotline acts for those who telephone, an admin cancels; an agent only reads.
create policy staff_writes on orders for update to halles_app
	using ((select halles_kind()) in ('hotline', 'admin')
		and commune_id = any ((select halles_staff())::text[]));

-- Lines and contacts carry no owner of their own. "No joins inside policies" is kept by asking
-- the parent through its primary key, where the parent's own policies answer.
create policy follow_order on order_lines for select to halles_app
	using (exists (select from orders o where o.commune_id = order_lines.commune_id and o.id = order_lines.order_id));
create policy order_is_placed on order_lines for insert to halles_app
	with check ((select halles_kind()) in ('guest', 'customer')
		and exists (select from orders o where o.commune_id = order_lines.commune_id and o.id = order_lines.order_id));
create policy order_is_placed on order_contacts for insert to halles_app
	with check ((select halles_kind()) in ('guest', 'customer')
		and exists (select from orders o where o.commune_id = order_contacts.commune_id and o.id = order_contacts.order_id));
create policy follow_order on order_contacts for select to halles_app
	using ((select halles_kind()) in ('guest', 'customer', 'merchant')
		and exists (select from orders o where o.commune_id = order_contacts.commune_id and o.id = order_contacts.order_id));
create policy hotline_reads on order_contacts for select to halles_app
	using ((select halles_kind()) = 'hotline');

create policy guest on order_events to halles_app
	using ((select halles_kind()) = 'guest' and order_id = any ((select halles_orders())::uuid[]));
create policy customer_reads on order_events for select to halles_app
	using ((select halles_viewer()) is not null
		and exists (select from orders o where o.commune_id = order_events.commune_id and o.id = order_events.order_id));
create policy customer_writes on order_events for insert to halles_app
	with check ((select halles_kind()) = 'customer'
		and exists (select from orders o where o.commune_id = order_events.commune_id and o.id = order_events.order_id));
create policy merchant on order_events to halles_app
	using ((select halles_kind()) = 'merchant' and shop_id = any ((select halles_shops())::uuid[]));
create policy staff_reads on order_events for select to halles_app
	using ((select halles_kind()) in ('agent', 'hotline', 'admin')
		and commune_id = any ((select halles_staff())::text[]));
create policy staff_writes on order_events for insert to halles_app
	with check ((select halles_kind()) in ('hotline', 'admin')
		and commune_id = any ((select halles_staff())::text[]));

create policy writers on stream_heads to halles_app
	using ((select halles_kind()) in ('guest', 'customer', 'merchant', 'agent', 'hotline', 'admin'));
create policy own_scope on idempotency_keys to halles_app
	using ((select halles_kind()) in ('guest', 'customer', 'merchant', 'hotline')
		and scope = coalesce((select halles_viewer())::text, 'guest'));

create policy worker on orders to halles_worker using (true);
create policy worker on order_lines to halles_worker using (true);
create policy worker on order_contacts to halles_worker using (true);
create policy worker on order_events to halles_worker using (true);
create policy worker on stream_heads to halles_worker using (true);
create policy worker on idempotency_keys to halles_worker using (true);

grant select, insert on orders to halles_app;
grant update (status, version, reason, reason_text, note, updated_at) on orders to halles_app;
grant select, insert on order_lines, order_events, order_contacts, idempotency_keys to halles_app;
grant select, update (seq) on stream_heads to halles_app;
grant select on orders, order_lines, order_events, stream_heads to halles_worker;
