-- An order that moves to another slot, and where one is brought to.

-- +goose Up
alter table order_events drop constraint order_events_kind;
alter table order_events add constraint order_events_kind check (kind in ('PLACED', 'ACCEPTED', 'READY', 'OUT_FOR_DELIVERY', 'COLLECTED',
	'DELIVERED', 'REJECTED', 'CANCELLED', 'NO_SHOW', 'MOVED'));

alter table order_contacts
	add column street text,
	add column postcode text collate "C",
	add column city text,
	add column latitude double precision,
	add column longitude double precision,
	add constraint order_contacts_point check (latitude between -90 and 90 and longitude between -180 and 180 and (latitude is null) = (longitude is null));
comment on column order_contacts.street is 'where the order is brought to, with postcode and city; DELIVERY only. It names a person as much as the telephone does, and goes with it.';
comment on column order_contacts.latitude is 'WGS84, where the client gave it; the perimeter was judged by it, or else by the centre of the address''s commune.';
