-- What each shop sells each day, as sums that figures are made of: kept from the log of events, and
-- never read by anybody but the shop's own merchant.

-- +goose Up
create table shop_facts (
	commune_id  text collate "C" not null,
	shop_id     uuid not null,
	day         date not null,
	mode        text collate "C" not null,
	channel     text collate "C" not null,
	placed      integer not null,
	orders      integer not null,
	items       integer not null,
	gross_cents bigint not null,
	vat_cents   bigint not null,
	rejected    integer not null,
	cancelled   integer not null,
	no_shows    integer not null,
	constraint shop_facts_pkey primary key (commune_id, shop_id, day, mode, channel),
	constraint shop_facts_shop_fkey foreign key (commune_id, shop_id) references shops (commune_id, id),
	constraint shop_facts_counts check (placed > 0 and orders >= 0 and rejected >= 0 and cancelled >= 0 and no_shows >= 0
		and placed = orders + rejected + cancelled + no_shows),
	constraint shop_facts_amounts check (items >= 0 and gross_cents >= 0 and vat_cents between 0 and gross_cents)
);
comment on table shop_facts is 'owner: insight. Orders of a shop by the local day on which they were placed, as the event log stood at fact_heads.seq; a later event counts them anew.';
comment on column shop_facts.day is 'the day in Europe/Paris of orders.placed_at.';
comment on column shop_facts.placed is 'all orders, whatever became of them.';
comment on column shop_facts.orders is 'those that stand: neither REJECTED nor CANCELLED nor NO_SHOW. Items and amounts are theirs.';
comment on column shop_facts.gross_cents is 'what customers pay, VAT and delivery included.';
comment on column shop_facts.vat_cents is 'VAT contained in gross_cents, rounded once for each order and rate.';
create index shop_facts_by_day on shop_facts (commune_id, day);

create table shop_fact_rates (
	commune_id  text collate "C" not null,
	shop_id     uuid not null,
	day         date not null,
	mode        text collate "C" not null,
	channel     text collate "C" not null,
	vat_rate    integer not null,
	gross_cents bigint not null,
	vat_cents   bigint not null,
	constraint shop_fact_rates_pkey primary key (commune_id, shop_id, day, mode, channel, vat_rate),
	constraint shop_fact_rates_fact_fkey foreign key (commune_id, shop_id, day, mode, channel)
		references shop_facts (commune_id, shop_id, day, mode, channel) on delete cascade,
	constraint shop_fact_rates_amounts check (gross_cents >= 0 and vat_cents between 0 and gross_cents)
);
comment on table shop_fact_rates is 'owner: insight. The amounts of shop_facts by rate of VAT; delivery counts at the normal rate, or at 0 for a shop under the franchise en base.';

create table fact_heads (
	commune_id text collate "C" not null,
	seq        bigint not null,
	constraint fact_heads_pkey primary key (commune_id),
	constraint fact_heads_seq check (seq >= 0),
	constraint fact_heads_commune_fkey foreign key (commune_id) references communes (insee)
);
comment on table fact_heads is 'owner: insight. The event up to which a commune''s facts are counted; its row lock lets one job at a time count them.';

call tenant_table('shop_facts');
call tenant_table('shop_fact_rates');
call tenant_table('fact_heads');
-- A merchant's own, exactly. An analyst reads published versions and none of this.
create policy merchant_reads on shop_facts for select to halles_app
	using ((select halles_kind()) = 'merchant' and shop_id = any ((select halles_shops())::uuid[]));
create policy merchant_reads on shop_fact_rates for select to halles_app
	using ((select halles_kind()) = 'merchant' and shop_id = any ((select halles_shops())::uuid[]));
create policy merchant_reads on fact_heads for select to halles_app using ((select halles_kind()) = 'merchant');
create policy worker on shop_facts to halles_worker using (true);
create policy worker on shop_fact_rates to halles_worker using (true);
create policy worker on fact_heads to halles_worker using (true);
grant select on shop_facts, shop_fact_rates, fact_heads to halles_app;
grant select, insert, delete on shop_facts, shop_fact_rates to halles_worker;
grant select, insert, update on fact_heads to halles_worker;
