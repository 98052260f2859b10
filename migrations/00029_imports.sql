-- Files that people send, and the journal of imports.

-- +goose Up
create table uploads (
	commune_id text collate "C" not null,
	id         uuid not null,
	account_id uuid,
	name       text not null,
	size       bigint not null default 0,
	complete   boolean not null default false,
	created_at timestamptz not null,
	expires_at timestamptz not null,
	constraint uploads_pkey primary key (commune_id, id),
	constraint uploads_commune_fkey foreign key (commune_id) references communes (insee),
	constraint uploads_name_length check (char_length(name) between 1 and 200),
	constraint uploads_size check (size between 0 and 52428800)
);
comment on table uploads is 'owner: intake. A file that somebody sent, until it is used or expires: here and not in a folder, since servers share nothing but this database.';
comment on column uploads.account_id is 'who sent it, the only one who may use it; null: the platform itself. Accounts live outside the communes: no foreign key.';
comment on column uploads.complete is 'false while pieces arrive, and for ever when the sender went away.';
create index uploads_by_expiry on uploads (commune_id, expires_at);

create table upload_chunks (
	commune_id text collate "C" not null,
	upload_id  uuid not null,
	number     integer not null,
	account_id uuid,
	bytes      bytea not null,
	constraint upload_chunks_pkey primary key (commune_id, upload_id, number),
	constraint upload_chunks_upload_fkey foreign key (commune_id, upload_id) references uploads (commune_id, id) on delete cascade,
	constraint upload_chunks_size check (octet_length(bytes) between 1 and 1048576)
);
comment on table upload_chunks is 'owner: intake. A piece of an upload: a file is written and read in pieces of at most 1 MiB, so that none is ever in memory.';
-- Pieces are compressed by nobody: what is sent is text that is read once, or an image.
alter table upload_chunks alter column bytes set storage external;

create table imports (
	commune_id      text collate "C" not null,
	id              uuid not null,
	account_id      uuid,
	kind            text collate "C" not null,
	status          text collate "C" not null,
	file_name       text not null,
	line_count      integer not null default 0,
	created_count   integer not null default 0,
	changed_count   integer not null default 0,
	issue_count     integer not null default 0,
	issues          jsonb not null default '[]',
	done_count      integer not null default 0,
	left_count      integer not null default 0,
	created_at      timestamptz not null,
	finished_at     timestamptz,
	runner          uuid,
	lease_until     timestamptz,
	constraint imports_pkey primary key (commune_id, id),
	constraint imports_commune_fkey foreign key (commune_id) references communes (insee),
	constraint imports_kind check (kind in ('PRODUCTS', 'SHOPS')),
	constraint imports_status check (status in ('REFUSED', 'CHECKED', 'APPLYING', 'APPLIED', 'UNDOING', 'UNDONE', 'FAILED')),
	constraint imports_lease check ((status in ('APPLYING', 'UNDOING')) = (lease_until is not null)),
	constraint imports_file_name_length check (char_length(file_name) between 1 and 200)
);
comment on table imports is 'owner: intake. A file that was imported, tried or refused. What it does to each row is in import_changes.';
comment on column imports.status is 'REFUSED: something is wrong in the file. CHECKED: a dry run. APPLYING → APPLIED, or → UNDOING → FAILED when a row had changed meanwhile. APPLIED → UNDOING → UNDONE when asked.';
comment on column imports.issues is 'the first issues, [{line, column, message}]; issue_count counts all.';
comment on column imports.runner is 'the process at work; each of its steps extends lease_until, and once that is past another takes over.';
create index imports_by_lease on imports (commune_id, lease_until) where lease_until is not null;
create index imports_by_date on imports (commune_id, created_at);

create table import_changes (
	commune_id  text collate "C" not null,
	import_id   uuid not null,
	line        integer not null,
	kind        text collate "C" not null,
	state       text collate "C" not null default 'PLANNED',
	label       text not null,
	shop_id     uuid not null,
	product_id  uuid,
	variant_id  uuid,
	lock_id     uuid not null,
	move_id     uuid,
	before      jsonb not null,
	after       jsonb not null,
	moved       integer not null default 0,
	stock_after integer,
	constraint import_changes_pkey primary key (commune_id, import_id, line),
	constraint import_changes_import_fkey foreign key (commune_id, import_id) references imports (commune_id, id) on delete cascade,
	constraint import_changes_kind check (kind in ('CREATED', 'CHANGED')),
	constraint import_changes_state check (state in ('PLANNED', 'APPLIED', 'UNDONE', 'LEFT_SOLD', 'LEFT_CHANGED'))
);
comment on table import_changes is 'owner: intake. What an import does to one row: planned before anything is touched, then ticked off, so that a crash resumes and an undo knows what was there.';
comment on column import_changes.label is 'the row as its owner knows it: the article code, the shop''s name.';
comment on column import_changes.lock_id is 'variants and shops are locked in the order of their keys, as orders lock them.';
comment on column import_changes.before is 'of a CHANGED row, the values of the fields that change; after: what they become, or of a CREATED row all of them.';
comment on column import_changes.moved is 'pieces that the import moved in the ledger. Sales between the plan and its execution stay sold: the difference is applied, and never below nothing.';
comment on column import_changes.stock_after is 'the stock that it left; another one since means that somebody sold or corrected.';
-- What was made once and undone comes back when it is imported again.
create index import_changes_undone on import_changes (commune_id, product_id, variant_id) where kind = 'CREATED' and state = 'UNDONE';
create index import_changes_in_lock_order on import_changes (commune_id, import_id, lock_id);

call tenant_table('uploads');
call tenant_table('upload_chunks');
call tenant_table('imports');
call tenant_table('import_changes');

create policy own on uploads to halles_app
	using ((select halles_kind()) in ('merchant', 'agent', 'admin') and account_id is not distinct from (select halles_viewer()));
create policy own on upload_chunks to halles_app
	using ((select halles_kind()) in ('merchant', 'agent', 'admin') and account_id is not distinct from (select halles_viewer()));
create policy own on imports to halles_app
	using ((select halles_kind()) in ('merchant', 'agent', 'admin') and account_id is not distinct from (select halles_viewer()));
create policy staff on imports to halles_app
	using ((select halles_kind()) in ('agent', 'admin') and commune_id = any ((select halles_staff())::text[]));
create policy merchant on import_changes to halles_app
	using ((select halles_kind()) = 'merchant' and shop_id = any ((select halles_shops())::uuid[]));
create policy staff on import_changes to halles_app
	using ((select halles_kind()) in ('agent', 'admin') and commune_id = any ((select halles_staff())::text[]));
create policy worker on uploads to halles_worker using (true);
create policy worker on upload_chunks to halles_worker using (true);
create policy worker on imports to halles_worker using (true);
create policy worker on import_changes to halles_worker using (true);

grant select, insert, delete on uploads, upload_chunks to halles_app;
grant update (size, complete) on uploads to halles_app;
grant select, insert on imports, import_changes to halles_app;
grant update (status, line_count, created_count, changed_count, issue_count, issues, done_count, left_count, finished_at, runner, lease_until) on imports to halles_app;
grant update (state, moved, stock_after) on import_changes to halles_app;
grant select, delete on uploads, imports to halles_worker;
