-- What the hotline was called for, and whom a reminder reached.

-- +goose Up
create table calls (
	commune_id      text collate "C" not null,
	id              uuid not null,
	at              timestamptz not null,
	operator_id     uuid not null,
	reason          text collate "C" not null,
	outcome         text collate "C" not null,
	seconds         integer not null,
	registration_id uuid,
	order_id        uuid,
	constraint calls_pkey primary key (commune_id, id),
	constraint calls_commune_fkey foreign key (commune_id) references communes (insee),
	constraint calls_registration_fkey foreign key (commune_id, registration_id) references registrations (commune_id, id),
	constraint calls_order_fkey foreign key (commune_id, order_id) references orders (commune_id, id),
	constraint calls_reason check (reason in ('REGISTRATION', 'SHOP_HELP', 'PHONE_ORDER', 'ORDER_QUESTION', 'RULES', 'OTHER')),
	constraint calls_outcome check (outcome in ('DONE', 'CALL_BACK', 'HANDED_OVER', 'NO_ANSWER')),
	constraint calls_seconds check (seconds between 0 and 14400)
);
comment on table calls is 'owner: directory. Each call to or from the hotline: why and how it ended. Who called is not in it.';
comment on column calls.operator_id is 'the account; no foreign key: accounts live outside the communes.';
comment on column calls.seconds is 'how long it took; at most 4 hours.';
create index calls_by_time on calls (commune_id, at desc, id desc);
call tenant_table('calls');
create policy hotline on calls to halles_app
	using ((select halles_kind()) in ('hotline', 'admin') and commune_id = any ((select halles_staff())::text[]));
create policy worker on calls to halles_worker using (true);
grant select, insert on calls to halles_app;
grant select on calls to halles_worker;

create table shop_reminders (
	commune_id  text collate "C" not null,
	shop_id     uuid not null,
	reminded_at timestamptz not null,
	constraint shop_reminders_pkey primary key (commune_id, shop_id),
	constraint shop_reminders_shop_fkey foreign key (commune_id, shop_id) references shops (commune_id, id)
);
comment on table shop_reminders is 'owner: directory. When a shop''s merchant was last asked to confirm its profile.';
call tenant_table('shop_reminders');
create policy worker on shop_reminders to halles_worker using (true);
grant select, insert, update on shop_reminders to halles_worker;
