-- A transaction that places an order asks whether anything published of its commune has changed since
-- the shop's calendar was read last, and need not read it again: see internal/ordering/known.go.

-- +goose Up
grant select (commune_id, part, xid) on published_changes to halles_app;

-- +goose Down
revoke select (commune_id, part, xid) on published_changes from halles_app;
