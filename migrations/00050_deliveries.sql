-- An order that left for delivery, and of which its shop says no more.

-- +goose Up
alter table order_escalations drop constraint order_escalations_step;
alter table order_escalations add constraint order_escalations_step check (step in ('REMINDED', 'CALL', 'DELIVERY_ASKED'));
comment on column order_escalations.step is 'REMINDED: the shop was told again; CALL: on the hotline''s call list while the order is PLACED; DELIVERY_ASKED: the shop was asked whether the order, out since a day, was delivered.';
comment on table order_escalations is 'owner: ordering. What was done for an order of which its shop says nothing; each step once.';
-- The few that are on their way, past years of closed orders.
create index orders_out_for_delivery on orders (commune_id, updated_at) where status = 'OUT_FOR_DELIVERY';
