-- Who signs in for the first time gets an account: a customer's, since it has no grant.

-- +goose Up
grant insert (id, issuer, subject, name, email, created_at) on accounts to halles_identity;

-- +goose Down
revoke insert (id, issuer, subject, name, email, created_at) on accounts from halles_identity;
