-- Orders that the shop or the hotline enters for somebody else, and where buyers live.

-- +goose Up
alter table orders add column buyer_commune text collate "C";
alter table orders add constraint orders_buyer_commune check (buyer_commune ~ '^[0-9][0-9AB][0-9]{3}$') not valid;
comment on column orders.buyer_commune is 'INSEE code of where the customer lives, when it said so; for figures of flows, shown to nobody.';

-- A merchant's policies on its shop's orders let it insert; of lines and contacts, and of the hotline, it is said here.
create policy hotline_enters on orders for insert to halles_app
	with check ((select halles_kind()) = 'hotline' and channel = 'PHONE' and commune_id = any ((select halles_staff())::text[]));
create policy order_is_entered on order_lines for insert to halles_app
	with check ((select halles_kind()) in ('merchant', 'hotline')
		and exists (select from orders o where o.commune_id = order_lines.commune_id and o.id = order_lines.order_id and o.channel in ('PHONE', 'COUNTER')));
create policy order_is_entered on order_contacts for insert to halles_app
	with check ((select halles_kind()) in ('merchant', 'hotline')
		and exists (select from orders o where o.commune_id = order_contacts.commune_id and o.id = order_contacts.order_id and o.channel in ('PHONE', 'COUNTER')));

-- Who telephones says a number.
create index order_contacts_by_phone on order_contacts (commune_id, phone) where phone is not null;
create index calls_by_order on calls (commune_id, order_id, at) where order_id is not null;
