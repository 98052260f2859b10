-- What names a person can be emptied, and slots of long ago go.

-- +goose Up
-- Retention and erasure empty contacts, and what people wrote beside an order; its lines stay.
grant update (name, phone, email, street, postcode, city, latitude, longitude) on order_contacts to halles_worker;
grant update (note, reason_text) on orders to halles_worker;
grant update (text) on order_changes to halles_worker;

grant delete on slots to halles_worker;
comment on table slots is 'owner: ordering. A slot of the calendar from its first booking on, or since its shop closed it or gave it a capacity of its own; all others are free. The row''s lock is what bookings queue for. Kept for 400 days after it began.';
