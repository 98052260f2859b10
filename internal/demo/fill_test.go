package demo

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// small is a plan that has one of everything and takes a second.
var small = Plan{Shops: 60, Orders: 1500, Seed: 1, Today: time.Date(2026, 11, 24, 0, 0, 0, 0, paris()), Issuer: "https://issuer.test"}

// filledBy fills a new database.
func filledBy(t *testing.T, plan Plan) *pgtest.Database {
	t.Helper()
	d := pgtest.New(t)
	if _, err := Fill(t.Context(), d.MigrateURL(), plan, nil); err != nil {
		t.Fatal(err)
	}
	return d
}

// hashes are a hash over all rows of each loaded table.
func hashes(t *testing.T, pool *pgxpool.Pool) map[string]string {
	t.Helper()
	of := map[string]string{}
	for _, table := range append([]string{"stream_heads"}, tablesOf(t, pool)...) {
		var hash string
		err := pool.QueryRow(t.Context(), fmt.Sprintf(
			`select count(*) || ' ' || md5(coalesce(string_agg(md5(r::text), '' order by md5(r::text)), '')) from %s r`, table)).Scan(&hash)
		if err != nil {
			t.Fatal(err)
		}
		of[table] = hash
	}
	return of
}

// tablesOf are all tables but those that the migrations themselves fill by chance or by clock.
func tablesOf(t *testing.T, pool *pgxpool.Pool) []string {
	t.Helper()
	return column[string](t, pool, `select relname::text from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace
		and relname not in ('feed_epoch', 'goose_db_version', 'published_changes') order by 1`)
}

func column[T any](t *testing.T, pool *pgxpool.Pool, sql string, args ...any) []T {
	t.Helper()
	rows, err := pool.Query(t.Context(), sql, args...)
	if err != nil {
		t.Fatal(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[T])
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestSamePlanGivesSameRows(t *testing.T) {
	t.Parallel()
	plan := small
	plan.Shops, plan.Orders = 30, 300 // filled five times
	first := filledBy(t, plan).Migrate
	once := hashes(t, first)
	t.Run("AnotherSeedGivesOthers", func(t *testing.T) {
		other := plan
		other.Seed++
		for table, hash := range hashes(t, filledBy(t, other).Migrate) {
			switch table {
			case "accounts", "communes", "categories", "vat_rates", "restrictions", "search_thesaurus":
			case "idempotency_keys", "guest_links", "widget_keys", "invitations", "code_failures", "sessions", "commune_settings", "delegations", "audit_events", "audit_heads", "messages", "order_escalations", "shop_reminders", "uploads", "upload_chunks", "imports", "import_changes", "media", "media_files", "photos", "shop_facts", "shop_fact_rates", "fact_heads", "published_contributions", "order_changes", "wrong_codes", "search_misses", "search_miss_terms", "search_salts", "search_sightings", "erasures", "privacy_runs": // of things that the generator does not make
			default:
				if once[table] == hash {
					t.Errorf("%s is the same under another seed", table)
				}
			}
		}
	})
	t.Run("OtherCommunesThanThoseMadeAheadForCount", func(t *testing.T) {
		var changed [2]map[string]string
		for i, made := range []*ahead{nil, makeAhead(plan)} {
			d := pgtest.New(t)
			d.Exec(t, "update communes set population = 90000 where slug = 'groix'")
			if _, err := fill(t.Context(), d.MigrateURL(), plan, made, nil); err != nil {
				t.Fatal(err)
			}
			changed[i] = hashes(t, d.Migrate)
		}
		if diff := cmp.Diff(changed[0], changed[1]); diff != "" || changed[0]["shops"] == once["shops"] {
			t.Errorf("rows of another world were taken:\n%s", diff)
		}
	})
	t.Run("MadeAheadAndWithoutBypassRLSTheSame", func(t *testing.T) {
		made := makeAhead(plan)
		d := managed(t, plan, made)
		if diff := cmp.Diff(once, hashes(t, d.Migrate)); diff != "" {
			t.Errorf("made ahead, and by way of temporary tables, it differs:\n%s", diff)
		}
		if left := column[string](t, d.Migrate, unvalidated); len(left) < 20 {
			t.Errorf("waited for the foreign keys: %v are left", left)
		}
		if err := validate(t.Context(), d.Cluster.URL("halles_managed", d.Name())); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(column[string](t, first, catalogue), column[string](t, d.Migrate, catalogue)); diff != "" {
			t.Errorf("keys, triggers or policies differ:\n%s", diff)
		}
		for _, r := range made.rows["shops"] {
			if len(r.starts) > 0 { // it was not sent
				t.Fatal("what was made ahead was thrown away: the communes are others")
			}
		}
	})
}

// managed fills a database as a managed Postgres has it: by a role without BYPASSRLS. Roles
// are the cluster's, which other tests use meanwhile, so it is a role like halles_migrate but
// for that.
func managed(t *testing.T, plan Plan, made *ahead) *pgtest.Database {
	t.Helper()
	d := pgtest.New(t)
	admin, err := pgx.Connect(t.Context(), d.AdminURL())
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close(context.WithoutCancel(t.Context()))
	if _, err := admin.Exec(t.Context(), `
		create role halles_managed login nobypassrls;
		grant halles_migrate to halles_managed;
		alter role halles_managed set lock_timeout = '2s'`); err != nil {
		t.Fatal(err)
	}
	if _, err := admin.Exec(t.Context(), fmt.Sprintf("grant connect, temporary on database %s to halles_managed", d.Name())); err != nil {
		t.Fatal(err)
	}
	if _, err := fill(t.Context(), d.Cluster.URL("halles_managed", d.Name()), plan, made, nil); err != nil {
		t.Fatal(err)
	}
	return d
}

// unvalidated are foreign keys that a load left to be validated.
const unvalidated = `select conname from pg_constraint where contype = 'f' and not convalidated order by 1`

// catalogue is what keys, triggers and row security look like, in words.
const catalogue = `
	select format('%s %s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid), convalidated) from pg_constraint
	where connamespace = 'public'::regnamespace and conrelid <> 0
	union all
	select pg_get_indexdef(i.indexrelid) || format(' %s %s %s', indisvalid, indisready, indisprimary) from pg_index i
	join pg_class c on c.oid = i.indexrelid where c.relnamespace = 'public'::regnamespace
	union all
	select format('%s %s %s', tgrelid::regclass, tgname, tgenabled) from pg_trigger where not tgisinternal
	union all
	select format('%s %s %s', oid::regclass, relrowsecurity, relforcerowsecurity) from pg_class
	where relkind = 'r' and relnamespace = 'public'::regnamespace
	order by 1`

func TestFilled(t *testing.T) {
	t.Parallel()
	d := filledBy(t, small)
	none := func(name, what, sql string) {
		t.Run(name, func(t *testing.T) {
			if rows := column[string](t, d.Migrate, sql); len(rows) > 0 {
				t.Errorf("%d %s, first %s", len(rows), what, rows[0])
			}
		})
	}

	t.Run("KeysAsBefore", func(t *testing.T) {
		before := column[string](t, pgtest.New(t).Migrate, catalogue)
		if diff := cmp.Diff(before, column[string](t, d.Migrate, catalogue)); diff != "" {
			t.Errorf("the catalogue differs from a database never filled:\n%s", diff)
		}
		if len(before) < 100 {
			t.Errorf("the catalogue has %d entries: is the query right?", len(before))
		}
	})
	t.Run("AsManyAsPlanned", func(t *testing.T) {
		want := []string{"60 shops", "1500 orders"}
		got := column[string](t, d.Migrate, `select count(*) || ' shops' from shops union all select count(*) || ' orders' from orders`)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
	none("EveryCommuneHasAShop", "communes without", `select name from communes c where not exists (select from shops s where s.commune_id = c.insee)`)
	none("SiretsPassLuhnAndAreFictitious", "SIRETs wrong", `
		select siret from shops where siret !~ '^000[0-9]{11}$' or 0 <> (
			select sum(case when n % 2 = 0 then d else d * 2 / 10 + d * 2 % 10 end) % 10
			from generate_series(0, 13) n, lateral (select substr(siret, 14 - n, 1)::int as d) x)`)
	none("SiretsAreUnique", "SIRETs twice", `select siret from shops group by siret having count(*) > 1`)
	none("PhonesAreKeptForFiction", "telephone numbers that may be somebody's", `
		select phone from (select phone from shops union all select phone from order_contacts) x where phone !~ '^[+]33(26191|63998)[0-9]{4}$'`)
	none("LedgerAddsUpToStock", "variants off", `
		select v.id::text from variants v left join (select commune_id, variant_id, sum(quantity) n from stock_moves group by 1, 2) m
		on m.commune_id = v.commune_id and m.variant_id = v.id where v.stock <> coalesce(m.n, 0)`)
	none("LedgerIsNeverBelowZero", "moves", `
		select id::text from (select id, sum(quantity) over (partition by commune_id, variant_id order by at, quantity desc) n from stock_moves) x where n < 0`)
	none("EachLineTookItsStock", "lines without their moves", `
		select l.order_id::text from order_lines l join orders o on o.commune_id = l.commune_id and o.id = l.order_id
		left join stock_moves m on m.commune_id = l.commune_id and m.order_id = l.order_id and m.variant_id = l.variant_id
		group by l.commune_id, l.order_id, l.line, l.quantity, o.status
		having sum(m.quantity) is distinct from case when o.status in ('REJECTED', 'CANCELLED', 'NO_SHOW') then 0 else -l.quantity end
			or min(m.quantity) is distinct from -l.quantity`)
	none("EventsAreGapFreeInCommunes", "gaps", `
		select commune_id || ' ' || seq from (
			select commune_id, seq, at, row_number() over w as n, lag(at) over w as before from order_events window w as (partition by commune_id order by seq)) x
		where seq <> n or at < before
		union all
		select h.commune_id from stream_heads h left join order_events e using (commune_id) group by h.commune_id, h.seq having h.seq <> count(e.seq)`)
	none("EventsAreGapFreeInOrders", "orders", `
		select o.id::text from orders o left join order_events e on e.commune_id = o.commune_id and e.order_id = o.id
		group by o.commune_id, o.id
		having count(*) <> o.version or max(e.order_seq) <> o.version or min(e.order_seq) <> 1
			or (array_agg(e.status order by e.order_seq desc))[1] <> o.status
			or (array_agg(e.at order by e.order_seq desc))[1] <> o.updated_at
			or (array_agg(e.at order by e.order_seq))[1] <> o.placed_at
			or (array_agg(e.kind order by e.order_seq))[1] <> 'PLACED'
			or array_agg(e.at order by e.order_seq) <> array_agg(e.at order by e.at)
			or (array_agg(e.reason order by e.order_seq desc))[1] is distinct from o.reason`)
	none("TotalsAreTheLines", "orders", `
		select o.id::text from orders o join order_lines l on l.commune_id = o.commune_id and l.order_id = o.id
		group by o.commune_id, o.id having sum(l.quantity) <> o.item_count or sum(l.quantity * l.unit_cents) <> o.items_cents or count(*) > 6`)
	none("EveryStatusOccurs", "statuses missing", `
		select s from unnest(array['PLACED', 'ACCEPTED', 'READY', 'OUT_FOR_DELIVERY', 'COLLECTED', 'DELIVERED', 'REJECTED', 'CANCELLED', 'NO_SHOW']) s
		where not exists (select from orders where status = s)`)
	none("LifeFollowsTheTable", "steps that no action makes", `
		select format('%s -> %s %s by %s', a.status, b.status, o.mode, b.actor) from order_events a
		join order_events b on b.commune_id = a.commune_id and b.order_id = a.order_id and b.order_seq = a.order_seq + 1
		join orders o on o.commune_id = a.commune_id and o.id = a.order_id
		where (a.status, b.status, b.actor) not in (
			('PLACED', 'ACCEPTED', 'MERCHANT'), ('PLACED', 'REJECTED', 'MERCHANT'), ('PLACED', 'CANCELLED', 'CUSTOMER'), ('PLACED', 'CANCELLED', 'SYSTEM'),
			('ACCEPTED', 'READY', 'MERCHANT'), ('ACCEPTED', 'CANCELLED', 'CUSTOMER'), ('ACCEPTED', 'CANCELLED', 'MERCHANT'),
			('READY', 'COLLECTED', 'MERCHANT'), ('READY', 'OUT_FOR_DELIVERY', 'MERCHANT'), ('READY', 'NO_SHOW', 'MERCHANT'), ('READY', 'NO_SHOW', 'SYSTEM'),
			('OUT_FOR_DELIVERY', 'DELIVERED', 'MERCHANT'))
		or b.status = 'COLLECTED' and o.mode <> 'PICKUP' or b.status in ('OUT_FOR_DELIVERY', 'DELIVERED') and o.mode <> 'DELIVERY'`)
	none("OpenOrdersAreOfTheLastDay", "open orders older, or not yet placed", `
		select id::text from orders where status in ('PLACED', 'ACCEPTED', 'READY', 'OUT_FOR_DELIVERY')
		and placed_at not between '2026-11-23 12:00 Europe/Paris' and '2026-11-24 12:00 Europe/Paris'`)
	none("NothingHappensLater", "rows after now", `
		select 'event' from order_events where at > '2026-11-24 12:00 Europe/Paris' union all select 'shop' from shops where greatest(updated_at, created_at, last_confirmed_at) > '2026-11-24 12:00 Europe/Paris'
		union all select 'product' from products where updated_at > '2026-11-24 12:00 Europe/Paris' or updated_at < created_at`)
	none("OrdersOfferedByTheShop", "orders in a mode, below a minimum or before the goods", `
		select o.id::text from orders o left join fulfilments f on f.commune_id = o.commune_id and f.shop_id = o.shop_id and f.mode = o.mode
		where f.mode is null or o.items_cents < f.minimum_cents or o.delivery_cents <> f.fee_cents
		union all
		select l.order_id::text from order_lines l join orders o on o.commune_id = l.commune_id and o.id = l.order_id
		join variants v on v.commune_id = l.commune_id and v.id = l.variant_id join products p on p.commune_id = v.commune_id and p.id = v.product_id
		where p.created_at > o.placed_at or p.shop_id <> o.shop_id`)
	none("PublishedAsTheTriggersSay", "products and variants", `
		select p.id::text from products p join shops s on s.commune_id = p.commune_id and s.id = p.shop_id
		where p.published <> (p.status = 'ACTIVE' and s.status = 'PUBLISHED')
		union all select v.id::text from variants v join products p on p.commune_id = v.commune_id and p.id = v.product_id where v.published <> p.published
		union all select h.shop_id::text from opening_hours h join shops s on s.commune_id = h.commune_id and s.id = h.shop_id where h.published <> (s.status = 'PUBLISHED')
		union all select x.shop_id::text from (select commune_id, shop_id, published from closures union all select commune_id, shop_id, published from special_hours
			union all select commune_id, shop_id, published from holiday_openings union all select commune_id, shop_id, published from opening_spans) x
			join shops s on s.commune_id = x.commune_id and s.id = x.shop_id where x.published <> (s.status = 'PUBLISHED')
		union all select f.shop_id::text from fulfilments f join shops s on s.commune_id = f.commune_id and s.id = f.shop_id where f.published <> (s.status = 'PUBLISHED')`)
	none("SlotsAreTheirOrders", "slots that differ from their orders, are overbooked, or of another time than the calendar's", `
		select t.shop_id::text from slots t where t.booked <> (select count(*) from orders o
			where (o.commune_id, o.shop_id, o.mode, o.slot_starts_at) = (t.commune_id, t.shop_id, t.mode, t.starts_at)) or t.booked > t.capacity
		union all select o.id::text from orders o where o.slot_starts_at is not null and not exists (select from opening_spans s
			where (s.commune_id, s.shop_id, s.mode) = (o.commune_id, o.shop_id, o.mode) and s.starts_at <= o.slot_starts_at and s.ends_at >= o.slot_ends_at)
		union all select 'none is booked' where not exists (select from slots where booked > 0 and published)`)
	none("SearchHoldsThePublished", "rows missing or too many", `
		select coalesce(a.id, b.id)::text from catalog_search a full join (
			select 'SHOP' as kind, id from shops where status = 'PUBLISHED' union all select 'PRODUCT', id from products where published) b
		on a.kind = b.kind and a.id = b.id where a.id is null or b.id is null`)
	t.Run("SearchIsAsTheTriggersWriteIt", func(t *testing.T) {
		const hash = `select md5(string_agg(w::text, ',' order by w.kind, w.id)) from catalog_search w`
		loaded := column[string](t, d.Migrate, hash)
		column[int](t, d.Migrate, `with gone as (delete from catalog_search returning 1) select count(*) from gone`)
		column[any](t, d.Migrate, `select search_shops(array_agg(commune_id), array_agg(id))::text from shops
			union all select search_products(array_agg(commune_id), array_agg(id))::text from products`)
		if written := column[string](t, d.Migrate, hash); loaded[0] != written[0] {
			t.Error("the load writes other entries than the triggers")
		}
	})
	t.Run("KnownWordsAreAsTheTriggersWriteThem", func(t *testing.T) {
		const hash = `select count(*) || md5(string_agg(t::text, ',' order by commune_id, term)) from search_terms t`
		loaded := column[string](t, d.Migrate, hash)
		column[int](t, d.Migrate, `with gone as (delete from search_terms returning 1) select count(*) from gone`)
		column[any](t, d.Migrate, `select search_known(array_agg(commune_id), array_agg(name))::text from (
			select commune_id, name::text from products where published
			union all select s.commune_id, n.name from shops s join categories c on c.id = s.category_id, lateral (values (s.name::text), (c.name::text)) n (name)
			where s.status = 'PUBLISHED') n`)
		if written := column[string](t, d.Migrate, hash); loaded[0] != written[0] {
			t.Errorf("the load writes other words than the triggers: %s, %s", loaded[0], written[0])
		}
	})
	none("ContactsAreForgottenAfterThreeMonths", "contacts", `
		select o.id::text from orders o join order_contacts c on c.commune_id = o.commune_id and c.order_id = o.id
		where (c.name is null) <> (o.updated_at < '2026-08-24 12:00 Europe/Paris') or c.name is null and (c.phone, c.email, o.note, c.street, c.postcode, c.city, c.latitude, c.longitude) is distinct from (null, null, null, null, null, null, null, null)`)
	none("DeliveriesHaveAnAddressWithinThePerimeter", "deliveries", `
		select o.id::text from orders o join order_contacts c on c.commune_id = o.commune_id and c.order_id = o.id
		join shops s on s.commune_id = o.commune_id and s.id = o.shop_id
		join communes m on m.insee = o.commune_id
		left join fulfilments f on f.commune_id = o.commune_id and f.shop_id = o.shop_id and f.mode = o.mode
		where c.name is not null and (o.mode = 'DELIVERY') <> (c.street is not null)
		or c.street is not null and not (c.postcode = any(m.postcodes) and c.city = m.name and distance_metres(s.latitude, s.longitude, c.latitude, c.longitude) <= f.perimeter_m)
		union all select 'none is delivered' where not exists (select from order_contacts where street is not null)`)
	none("CodesAreAsOrderingDrawsThem", "pickup codes or numbers", `
		select id::text from orders where pickup_code !~ '^[CDFGHJKLMNPRTVWX]{3}[0-9]{3}$' or number !~ '^[0-9A-HJKMNP-TV-Z]{8}$'`)
	none("IdsTellTheInstant", "orders", `
		select id::text from orders where substr(id::text, 15, 1) <> '7'
		or ('x' || replace(substr(id::text, 1, 13), '-', ''))::bit(48)::bigint <> floor(extract(epoch from placed_at) * 1000)`)
	none("CounterAndTelephoneKeepTheHours", "orders while the shop was closed", `
		select o.id::text || (o.placed_at at time zone 'Europe/Paris') from orders o, lateral (select o.placed_at at time zone 'Europe/Paris' as local) l
		where o.channel in ('COUNTER') and not exists (
			select from opening_hours h, lateral (select extract(isodow from l.local)::int as d, extract(hour from l.local) * 60 + extract(minute from l.local) as m) n
			where h.commune_id = o.commune_id and h.shop_id = o.shop_id
			and (h.weekday = n.d and n.m >= h.opens and n.m < h.closes or h.weekday % 7 + 1 = n.d and n.m < h.closes - 1440))`)

	t.Run("MerchantHasOpenOrdersInBothShops", func(t *testing.T) {
		got := column[string](t, d.Migrate, `
			select string_agg(distinct o.status, ' ' order by o.status) from accounts a join grants g on g.account_id = a.id and g.role = 'MERCHANT'
			join orders o on o.commune_id = g.commune_id and o.shop_id = g.shop_id
			where a.issuer = $1 and a.subject = $2 and o.status in ('PLACED', 'ACCEPTED', 'READY', 'OUT_FOR_DELIVERY') group by o.shop_id`,
			small.Issuer, string(peopleOf(small).Accounts["merchant"]))
		want := "ACCEPTED OUT_FOR_DELIVERY PLACED READY"
		if diff := cmp.Diff([]string{want, want}, got); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("CustomerOrderedInTwoCommunes", func(t *testing.T) {
		got := column[bool](t, d.Migrate, `
			select count(distinct o.commune_id) >= 2 and count(*) filter (where status in ('PLACED', 'ACCEPTED', 'READY')) >= 1
			from accounts a join orders o on o.customer_id = a.id where a.subject = $1`, string(peopleOf(small).Accounts["customer"]))
		if !got[0] {
			t.Error("the customer has no orders in two communes, or none open")
		}
	})
	t.Run("AgentServesLorientAndLarmorPlage", func(t *testing.T) {
		got := column[string](t, d.Migrate, `
			select c.slug from grants g join accounts a on a.id = g.account_id join communes c on c.insee = g.commune_id
			where g.role = 'AGENT' and a.subject = $1 order by 1`, string(peopleOf(small).Accounts["agent"]))
		if diff := cmp.Diff([]string{"larmor-plage", "lorient"}, got); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("SpansAreTheCalendars", func(t *testing.T) {
		const rows = `select count(*) || ' ' || count(distinct mode) || ' ' || md5(string_agg(o.xmin::text || o::text, '' order by o::text)) from opening_spans o`
		before := column[string](t, d.Migrate, rows)
		dir := &directory.Directory{DB: d.DB, Communes: tenancy.NewRegister(d.DB), Now: small.now}
		if err := dir.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		if after := column[string](t, d.Migrate, rows); after[0] != before[0] || !strings.Contains(before[0], " 3 ") {
			t.Errorf("the generator wrote %v, the calendar %v", before, after)
		}
		got := column[string](t, d.Migrate, `select concat_ws(' ', (select count(*) from restrictions) / 25, exists (select from closures where starts_at > $1), exists (select from special_hours), exists (select from holiday_openings))`, small.now())
		if got[0] != "2 t t t" {
			t.Errorf("restrictions in a commune, closures to come, special hours, holidays: %s", got[0])
		}
	})
	t.Run("SearchFindsByNameTradeAndShop", func(t *testing.T) {
		for _, typed := range []string{"kouign", "boulangerie", "creperie", "marin"} {
			found := column[int](t, d.Migrate, `select count(*) from catalog_search where words @@ search_query($1)`, typed)
			if found[0] == 0 {
				t.Errorf("%q finds nothing", typed)
			}
		}
	})
	t.Run("SecondFillIsRefused", func(t *testing.T) {
		if _, err := Fill(t.Context(), d.MigrateURL(), small, nil); err == nil {
			t.Error("a database with shops was filled again")
		}
	})
	t.Run("PublicReadsThroughItsPolicies", func(t *testing.T) {
		n, err := pg.SelectScalars[int](t.Context(), d.DB, pg.Scope{Role: pg.Public, Kind: "visitor", Communes: []string{lorient}},
			`select count(*) from products`)
		want := column[int](t, d.Migrate, `select count(*) from products where commune_id = $1 and published`, lorient)
		if err != nil || n[0] != want[0] || n[0] == 0 {
			t.Errorf("the public sees %v products of Lorient, want %v (%v)", n, want, err)
		}
	})
	// A load that breaks a foreign key must fail: VALIDATE run by a role that sees no row would find
	// nothing wrong. Last, since it breaks one.
	t.Run("BrokenForeignKeyIsFound", func(t *testing.T) {
		tables := []string{"orders", "order_lines", "variants"}
		err := run(t.Context(), d.Migrate, []job{func(ctx context.Context, conn *pgx.Conn) error {
			k, err := takeKeys(ctx, conn, tables)
			if err != nil {
				return err
			}
			if _, err := conn.Exec(ctx, `update order_lines set variant_id = gen_random_uuid() where line = 1 and (commune_id, order_id) = (select commune_id, id from orders limit 1)`); err != nil {
				return err
			}
			return k.giveBack(ctx, d.Migrate, func() {})
		}})
		if pg.Code(err) != "23503" || pg.Constraint(err) != "order_lines_variant_fkey" {
			t.Errorf("a line of an unknown variant went through: %v", err)
		}
	})
}

func TestPlanRefused(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Plan){
		"TooFewShops":  func(p *Plan) { p.Shops = 9 },
		"TooFewOrders": func(p *Plan) { p.Orders = 99 },
		"NoIssuer":     func(p *Plan) { p.Issuer = "" },
		"NoDay":        func(p *Plan) { p.Today = time.Time{} },
	} {
		p := small
		change(&p)
		if _, err := Fill(t.Context(), "postgres://127.0.0.1:1/none", p, nil); err == nil || !strings.Contains(err.Error(), "a plan needs") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCatalogue(t *testing.T) {
	t.Parallel()
	vat := map[int]int{}
	for _, tr := range trades() {
		names := map[string]bool{}
		forms := 0
		for _, p := range tr.products {
			if names[p.name] {
				t.Errorf("%s sells %q twice", tr.category, p.name)
			}
			names[p.name] = true
			vat[p.vat]++
			forms += len(p.forms)
		}
		if len(tr.products) < 36 {
			t.Errorf("%s has %d products only", tr.category, len(tr.products))
		}
		t.Logf("%-18s %d products, %.2f forms", tr.category, len(tr.products), float64(forms)/float64(len(tr.products)))
	}
	for rate := range maps.Keys(vat) {
		switch rate {
		case 2000, 1000, 550, 210:
		default:
			t.Errorf("no such VAT rate: %d", rate)
		}
	}
}

// Dates from the tables of the Bureau des longitudes.
func TestHolidays(t *testing.T) {
	t.Parallel()
	for date, want := range map[string]bool{
		"2025-04-21": true, "2025-05-29": true, "2025-06-09": true, "2026-04-06": true, "2026-05-14": true, "2026-05-25": true,
		"2026-07-14": true, "2026-04-05": false, "2026-11-24": false, "2027-03-29": true,
	} {
		at, err := time.ParseInLocation(time.DateOnly, date, paris())
		if err != nil {
			t.Fatal(err)
		}
		if holiday(at) != want {
			t.Errorf("holiday(%s) = %v", date, !want)
		}
	}
}

// Orders of the days on which the clocks change carry local times that exist.
func TestDaysOfClockChanges(t *testing.T) {
	t.Parallel()
	list := days(time.Date(2026, 3, 28, 0, 0, 0, 0, paris()), time.Date(2026, 3, 30, 0, 0, 0, 0, paris()))
	for n, want := range []string{"2026-03-28T08:30:00+01:00", "2026-03-29T08:30:00+02:00", "2026-03-30T08:30:00+02:00"} {
		if got := time.Unix(list[n].at(8*60+30), 0).In(paris()).Format(time.RFC3339); got != want {
			t.Errorf("8:30 of day %d is %s, want %s", n, got, want)
		}
	}
}
