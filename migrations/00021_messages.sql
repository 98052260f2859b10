-- What was sent to people, and what the jobs that write to them read.

-- +goose Up
create table messages (
	message_id text collate "C" not null,
	commune_id text collate "C",
	channel    text collate "C" not null,
	template   text collate "C" not null,
	object_id  uuid not null,
	sent_at    timestamptz not null,
	constraint messages_pkey primary key (message_id),
	constraint messages_channel check (channel in ('MAIL', 'TEXT')),
	constraint messages_template check (template ~ '^[a-z][a-z_]{2,59}$')
);
comment on table messages is 'owner: notice. Each mail and text message that was sent: when, and about which row; not to whom, nor what it said. Global: some are of no commune, and only the worker reads it.';
comment on column messages.message_id is 'the mail''s Message-ID: a try that finds it here has nothing left to do.';
comment on column messages.commune_id is 'null for messages of no commune, an invitation of the platform''s staff.';
create index messages_by_time on messages (sent_at);
grant select, insert, delete on messages to halles_worker;

-- To write to whoever ordered. Nothing else of a job's reads a person.
grant select on order_contacts to halles_worker;
