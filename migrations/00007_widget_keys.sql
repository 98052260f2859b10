-- The keys of the communes' widgets.

-- +goose Up
create table widget_keys (
	commune_id  text collate "C" not null,
	id          uuid not null,
	key         text collate "C" not null,
	name        text not null,
	origins     text[] not null,
	created_at  timestamptz not null,
	valid_until timestamptz,
	revoked_at  timestamptz,
	constraint widget_keys_pkey primary key (commune_id, id),
	constraint widget_keys_key_unique unique (key),
	constraint widget_keys_commune_fkey foreign key (commune_id) references communes (insee),
	constraint widget_keys_key_form check (key ~ '^pk_[a-z0-9-]{1,60}_[A-Za-z0-9_-]{22}$'),
	constraint widget_keys_name check (char_length(name) between 1 and 100),
	constraint widget_keys_origins check (cardinality(origins) between 1 and 20 and array_position(origins, null) is null)
);
comment on table widget_keys is 'owner: identity. What a commune''s website shows to read that commune''s catalogue and to order there. Global: read by halles_identity only, before the commune is known.';
comment on column widget_keys.key is 'published in the pages that use it, so kept as it is: it narrows what a visitor may do and grants nothing.';
comment on column widget_keys.origins is 'scheme, host and port, as browsers write them; compared byte for byte.';
comment on column widget_keys.valid_until is 'set when another key took over; null: until it is revoked.';

grant select, insert on widget_keys to halles_identity;
grant update (valid_until, revoked_at) on widget_keys to halles_identity;
