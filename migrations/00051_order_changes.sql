-- A line that is short: the shop proposes the order without it, the customer has the word.

-- +goose Up
alter table orders add column change_version integer, add column change_until timestamptz;
alter table orders add constraint orders_change check ((change_version is null) = (change_until is null)
	and (change_version is null or change_version <= version and status in ('PLACED', 'ACCEPTED'))) not valid;
comment on column orders.change_version is 'the order_changes that waits for the customer; null for none.';
comment on column orders.change_until is 'when the order is cancelled if the customer has not answered.';
-- The few that wait for a customer.
create index orders_with_change on orders (commune_id, change_until) where change_until is not null;

create table order_changes (
	commune_id  text collate "C" not null,
	order_id    uuid not null,
	version     integer not null,
	lines       integer[] not null,
	quantities  integer[] not null,
	missing     boolean not null,
	text        text,
	proposed_at timestamptz not null,
	constraint order_changes_pkey primary key (commune_id, order_id, version),
	constraint order_changes_order_fkey foreign key (commune_id, order_id) references orders (commune_id, id),
	constraint order_changes_lines check (cardinality(lines) between 1 and 100 and cardinality(lines) = cardinality(quantities) and 0 <= all (quantities)),
	constraint order_changes_text check (char_length(text) <= 500)
);
comment on table order_changes is 'owner: ordering. What a shop proposed to leave out of an order; the one that waits is the order''s change_version, the log says what became of the others.';
comment on column order_changes.version is 'the order''s version after it was proposed.';
comment on column order_changes.quantities is 'pieces of each of the lines that the shop can give, fewer than were ordered.';
comment on column order_changes.missing is 'the pieces left out are not there: confirmed, they leave the stock as lost instead of coming back on sale.';
call tenant_table('order_changes');
create policy follow_order on order_changes for select to halles_app
	using (exists (select from orders o where o.commune_id = order_changes.commune_id and o.id = order_changes.order_id));
create policy shop_proposes on order_changes for insert to halles_app
	with check ((select halles_kind()) in ('merchant', 'hotline')
		and exists (select from orders o where o.commune_id = order_changes.commune_id and o.id = order_changes.order_id));
create policy worker on order_changes to halles_worker using (true);
grant select, insert on order_changes to halles_app;
grant select on order_changes to halles_worker;

-- A line of which nothing is left stays, with no piece: it was ordered.
alter table order_lines drop constraint order_lines_quantity;
alter table order_lines add constraint order_lines_quantity check (quantity between 0 and 9999) not valid;
create policy change_is_confirmed on order_lines for update to halles_app
	using ((select halles_kind()) in ('guest', 'customer', 'hotline')
		and exists (select from orders o where o.commune_id = order_lines.commune_id and o.id = order_lines.order_id and o.change_version is not null));
grant update (quantity) on order_lines to halles_app;
grant update (items_cents, item_count, change_version, change_until) on orders to halles_app;
grant update (change_version, change_until) on orders to halles_worker;

-- What is left out of an order comes back as REDUCED: RETURNED is what it gives back at its end, once.
alter table stock_moves drop constraint stock_moves_kind, drop constraint stock_moves_order;
alter table stock_moves
	add constraint stock_moves_kind check (kind in ('RECEIVED', 'CORRECTED', 'ORDERED', 'RETURNED', 'REDUCED')) not valid,
	add constraint stock_moves_order check ((kind in ('ORDERED', 'RETURNED', 'REDUCED')) = (order_id is not null)) not valid;
drop index stock_moves_once_per_order;
create unique index stock_moves_once_per_order on stock_moves (commune_id, order_id, variant_id, kind) where order_id is not null and kind <> 'REDUCED';
create unique index stock_moves_once_per_change on stock_moves (commune_id, order_id, variant_id, at) where kind = 'REDUCED';

alter table order_events drop constraint order_events_kind, drop constraint order_events_reason;
alter table order_events
	add constraint order_events_kind check (kind in ('PLACED', 'ACCEPTED', 'READY', 'OUT_FOR_DELIVERY', 'COLLECTED',
		'DELIVERED', 'REJECTED', 'CANCELLED', 'NO_SHOW', 'MOVED', 'CHANGE_PROPOSED', 'CHANGE_CONFIRMED')) not valid,
	add constraint order_events_reason check (reason in ('OUT_OF_STOCK', 'SHOP_CLOSED', 'TOO_BUSY', 'CHANGED_MIND', 'ORDERED_TWICE',
		'UNREACHABLE', 'NOT_COLLECTED', 'NOT_ACKNOWLEDGED', 'CHANGE_NOT_CONFIRMED', 'OTHER')) not valid;
alter table orders drop constraint orders_reason;
alter table orders add constraint orders_reason check (reason in ('OUT_OF_STOCK', 'SHOP_CLOSED', 'TOO_BUSY', 'CHANGED_MIND', 'ORDERED_TWICE',
	'UNREACHABLE', 'NOT_COLLECTED', 'NOT_ACKNOWLEDGED', 'CHANGE_NOT_CONFIRMED', 'OTHER')) not valid;
