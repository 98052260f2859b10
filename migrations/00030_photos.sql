-- Photos of shops and products.

-- +goose Up
create table media (
	commune_id text collate "C" not null,
	id         uuid not null,
	account_id uuid,
	width      integer not null,
	height     integer not null,
	large_hash text collate "C" not null,
	small_hash text collate "C" not null,
	expires_at timestamptz not null,
	constraint media_pkey primary key (commune_id, id),
	constraint media_commune_fkey foreign key (commune_id) references communes (insee),
	constraint media_size check (width between 1 and 4000 and height between 1 and 4000)
);
comment on table media is 'owner: media. An image that somebody sent, until it becomes a photo or expires.';
comment on column media.account_id is 'who sent it, the only one who may use it; null: the platform itself. Accounts live outside the communes: no foreign key.';
create index media_by_expiry on media (commune_id, expires_at);

create table media_files (
	commune_id text collate "C" not null,
	media_id   uuid not null,
	hash       text collate "C" not null,
	bytes      bytea not null,
	constraint media_files_pkey primary key (commune_id, media_id, hash),
	constraint media_files_media_fkey foreign key (commune_id, media_id) references media (commune_id, id) on delete cascade,
	constraint media_files_size check (octet_length(bytes) between 1 and 4194304)
);
comment on table media_files is 'owner: media. The bytes of an image in one size, always JPEG and made by us. In the database, since servers share nothing else.';
comment on column media_files.hash is 'SHA-256 of the bytes in hex, and their address: /media/<hash>.';
alter table media_files alter column bytes set storage external; -- JPEG is compressed already
create index media_files_by_hash on media_files (hash);

create table photos (
	commune_id text collate "C" not null,
	id         uuid not null,
	shop_id    uuid not null,
	product_id uuid,
	media_id   uuid not null,
	hash       text collate "C" not null,
	small_hash text collate "C" not null,
	width      integer not null,
	height     integer not null,
	alt        text not null,
	position   smallint not null,
	constraint photos_pkey primary key (commune_id, id),
	constraint photos_shop_fkey foreign key (commune_id, shop_id) references shops (commune_id, id),
	constraint photos_product_fkey foreign key (commune_id, product_id) references products (commune_id, id),
	constraint photos_media_fkey foreign key (commune_id, media_id) references media (commune_id, id),
	constraint photos_media_once unique (commune_id, media_id),
	constraint photos_alt_length check (char_length(alt) between 1 and 300)
);
comment on table photos is 'owner: media. An image of a shop or, with product_id, of one of its products.';
comment on column photos.hash is 'the large image''s; it and the size are the media''s, so that a list reads one table.';
comment on column photos.alt is 'what is to be seen, for who cannot see it (RGAA 1.1).';
create index photos_by_owner on photos (commune_id, shop_id, product_id, position, id);

call tenant_table('media');
call tenant_table('media_files');
call tenant_table('photos');
create policy own on media to halles_app
	using ((select halles_kind()) in ('merchant', 'agent', 'admin') and account_id is not distinct from (select halles_viewer()));
create policy own on media_files for insert to halles_app
	with check ((select halles_kind()) in ('merchant', 'agent', 'admin'));
-- An address that is made of the bytes is told with the photo, and to nobody else.
create policy public_reads on media_files for select to halles_public using (true);
create policy public_reads on photos for select to halles_public, halles_app using (
	exists (select from shops s where s.commune_id = photos.commune_id and s.id = photos.shop_id and s.status = 'PUBLISHED')
	and (product_id is null or exists (select from products p where p.commune_id = photos.commune_id and p.id = photos.product_id and p.published)));
create policy merchant on photos to halles_app
	using ((select halles_kind()) = 'merchant' and shop_id = any ((select halles_shops())::uuid[]));
create policy staff_reads on photos for select to halles_app
	using ((select halles_kind()) in ('agent', 'hotline', 'admin') and commune_id = any ((select halles_staff())::text[]));
create policy staff_writes on photos to halles_app
	using ((select halles_kind()) in ('agent', 'admin') and commune_id = any ((select halles_staff())::text[]));
create policy worker on media to halles_worker using (true);
create policy worker on media_files to halles_worker using (true);
create policy worker on photos to halles_worker using (true);
grant select, insert on media to halles_app;
grant insert on media_files to halles_app;
grant select on media_files to halles_public;
grant select on photos to halles_public, halles_worker;
grant select, insert, delete, update (position) on photos to halles_app;
grant select, delete on media to halles_worker;
