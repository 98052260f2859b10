-- What is published of all shops' sales, under statistical secrecy: a schema of its own, which is all
-- that the analysts' role reads. A hidden cell has no value here, so that none can be asked for.

-- +goose Up
create schema insight;
comment on schema insight is 'owner: insight. Published versions, never changed. The only thing that halles_stats reads.';

create table insight.versions (
	month        date not null,
	version      integer not null,
	kind         text collate "C" not null,
	published_at timestamptz not null,
	constraint versions_pkey primary key (month, version),
	constraint versions_month check (extract(day from month) = 1),
	constraint versions_number check (version >= 1),
	constraint versions_kind check (kind in ('RUNNING', 'CLOSED', 'REVISED'))
);
comment on table insight.versions is 'owner: insight. Each publication of a month; the highest counts, the others are kept.';
comment on column insight.versions.kind is 'RUNNING: while the month goes on, the total of all only; CLOSED: on the 5th of the next; REVISED: at a later quarter, with what changed at three enterprises or more.';

create table insight.cells (
	month       date not null,
	version     integer not null,
	commune     text collate "C" not null,
	sector      text collate "C" not null,
	mode        text collate "C" not null,
	hidden      text collate "C",
	orders      integer,
	gross_cents bigint,
	net_cents   bigint,
	items       integer,
	shops       integer,
	enterprises integer,
	median_orders_tenths integer,
	constraint cells_pkey primary key (month, version, commune, sector, mode),
	constraint cells_version_fkey foreign key (month, version) references insight.versions (month, version),
	constraint cells_hidden check (hidden in ('FEWER_THAN_THREE', 'DOMINANCE', 'SECONDARY')),
	constraint cells_hidden_have_no_value check (case when hidden is null
		then orders is not null and gross_cents is not null and net_cents is not null and items is not null and shops is not null and enterprises is not null
		else coalesce(orders, gross_cents, net_cents, items, shops, enterprises, median_orders_tenths) is null end),
	constraint cells_rule check (enterprises = 0 and orders = 0 or enterprises >= 3)
);
comment on table insight.cells is 'owner: insight. The cube of each version: commune × sector × mode, * for all of them.';
comment on column insight.cells.hidden is 'why there is no value; null where there is one.';
comment on column insight.cells.median_orders_tenths is 'median of orders by active shop, in tenths; from 10 active shops on, since a median of few is one shop''s own figure.';

create table insight.figures (
	month   date not null,
	version integer not null,
	subject text collate "C" not null,
	key     text collate "C" not null,
	measure text collate "C" not null,
	hidden  text collate "C",
	value   bigint,
	constraint figures_pkey primary key (month, version, subject, key, measure),
	constraint figures_version_fkey foreign key (month, version) references insight.versions (month, version),
	constraint figures_hidden check (hidden in ('FEWER_THAN_THREE', 'DOMINANCE', 'SECONDARY')),
	constraint figures_hidden_have_no_value check ((hidden is null) = (value is not null))
);
comment on table insight.figures is 'owner: insight. What is not of the cube, over all communes and a month: channels, reasons, steps, times. Never crossed with one another.';

grant usage on schema insight to halles_stats, halles_worker;
grant select on insight.versions, insight.cells, insight.figures to halles_stats;
grant select, insert on insight.versions, insight.cells, insight.figures to halles_worker;

-- Of what the latest version of a month is made: a revision publishes differences, and whose they are
-- must be known. Nobody reads it but the job.
create table published_contributions (
	commune_id  text collate "C" not null,
	month       date not null,
	shop_id     uuid not null,
	mode        text collate "C" not null,
	sector      text collate "C" not null,
	siren       text collate "C" not null,
	orders      integer not null,
	items       integer not null,
	gross_cents bigint not null,
	vat_cents   bigint not null,
	constraint published_contributions_pkey primary key (commune_id, month, shop_id, mode),
	constraint published_contributions_shop_fkey foreign key (commune_id, shop_id) references shops (commune_id, id)
);
comment on table published_contributions is 'owner: insight. What each shop contributes to the latest published version of a month.';
create index published_contributions_by_month on published_contributions (commune_id, month);
call tenant_table('published_contributions');
create policy worker on published_contributions to halles_worker using (true);
grant select, insert, delete on published_contributions to halles_worker;
