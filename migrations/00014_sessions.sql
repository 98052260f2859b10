-- Sessions of our own pages: who signed in, in which browser.

-- +goose Up
create table sessions (
	digest     bytea not null,
	account_id uuid not null,
	issuer     text not null,
	hint       bytea not null,
	created_at timestamptz not null,
	good_until timestamptz not null,
	ends_at    timestamptz not null,
	constraint sessions_pkey primary key (digest),
	constraint sessions_account_fkey foreign key (account_id) references accounts (id) on delete cascade,
	constraint sessions_digest check (octet_length(digest) = 32),
	constraint sessions_ends check (created_at < good_until and good_until <= ends_at)
);
comment on table sessions is 'owner: identity. A browser that somebody signed in with on our pages. Global: read by halles_identity only, before the viewer is known.';
comment on column sessions.digest is 'HMAC of the cookie, which only the browser has.';
comment on column sessions.issuer is 'the URL of who signed the person in, and is told when the person signs out.';
comment on column sessions.hint is 'the issuer''s ID token, sealed: shown to it at sign-out (OpenID Connect RP-Initiated Logout 1.0, id_token_hint). Empty where the issuer is not told.';
comment on column sessions.good_until is 'when it ends unless it is used; moved on by use, never past ends_at.';
create index sessions_by_account on sessions (account_id);
create index sessions_by_end on sessions (good_until);
grant select, insert, delete, update (good_until) on sessions to halles_identity;

-- +goose Down
drop table sessions;
