package migrations_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/migrations"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// The migrated schema keeps every rule, as the program's own role sees it.
func TestCatalogueIsClean(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	found, err := migrations.Check(t.Context(), d.DB.Pool(pg.App))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		t.Error(f)
	}
}

// tenant is a table that keeps all rules; each case below breaks one.
const tenant = `
	create table stalls (
		commune_id text collate "C" not null, id uuid not null, shop_id uuid, slug text,
		constraint stalls_pkey primary key (commune_id, id),
		constraint stalls_shop_fkey foreign key (commune_id, shop_id) references shops (commune_id, id),
		constraint stalls_slug_unique unique (commune_id, slug));
	comment on table stalls is 'owner: directory. A table of the test.';
	call tenant_table('stalls');`

func TestCatalogueTurnsRed(t *testing.T) {
	t.Parallel()
	admin, err := pgx.Connect(t.Context(), pgtest.New(t).AdminURL())
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close(context.WithoutCancel(t.Context()))
	// sql runs as the owner behind the table above; admin as a superuser. A finding about object
	// must say want.
	for name, c := range map[string]struct{ sql, admin, object, want string }{
		"NothingWrong":            {},
		"NoCommune":               {sql: `create table loose (id uuid primary key)`, object: "public.loose", want: "has no commune_id"},
		"CommuneOfAnotherType":    {sql: `create table loose (commune_id text, id uuid, primary key (commune_id, id))`, object: "public.loose", want: `not text collate "C"`},
		"CommuneNotFirstInKey":    {sql: `alter table stalls drop constraint stalls_pkey, add primary key (id, commune_id)`, object: "public.stalls", want: "unique stalls_pkey does not begin"},
		"NoKey":                   {sql: `alter table stalls drop constraint stalls_pkey`, object: "public.stalls", want: "no primary key"},
		"UniqueOnSlugAlone":       {sql: `alter table stalls add constraint slug_alone unique (slug)`, object: "public.stalls", want: "unique slug_alone does not begin"},
		"UniqueIndexOnSlugAlone":  {sql: `create unique index slug_alone on stalls (lower(slug), commune_id)`, object: "public.stalls", want: "unique slug_alone does not begin"},
		"ForeignKeyOnIDAlone":     {sql: `alter table shops add constraint id_alone unique (id); alter table stalls add constraint by_id foreign key (shop_id) references shops (id)`, object: "public.stalls", want: "foreign key by_id to public.shops does not begin"},
		"ForeignKeyCrossed":       {sql: `alter table shops add constraint crossed unique (id, commune_id); alter table stalls add constraint by_id foreign key (shop_id, commune_id) references shops (id, commune_id)`, object: "public.stalls", want: "foreign key by_id"},
		"ForeignKeyToGlobal":      {sql: `alter table stalls add account_id uuid, add constraint person foreign key (account_id) references accounts (id)`, object: "public.stalls", want: "neither a tenant table nor reference data"},
		"NoRLS":                   {sql: `alter table stalls disable row level security`, object: "public.stalls", want: "not enabled"},
		"NoForce":                 {sql: `alter table stalls no force row level security`, object: "public.stalls", want: "not forced"},
		"NoTenantPolicy":          {sql: `drop policy tenant on stalls`, object: "public.stalls", want: "no tenant policy"},
		"PermissiveTenantPolicy":  {sql: `drop policy tenant on stalls; create policy tenant on stalls to halles_public, halles_app, halles_identity, halles_stats, halles_worker, halles_listen using (commune_id = any ((select halles_communes())::text[]))`, object: "public.stalls", want: "permissive"},
		"TenantPolicyForSelect":   {sql: `drop policy tenant on stalls; create policy tenant on stalls as restrictive for select to halles_public, halles_app, halles_identity, halles_stats, halles_worker, halles_listen using (commune_id = any ((select halles_communes())::text[]))`, object: "public.stalls", want: "all commands"},
		"TenantPolicyForgetsRole": {sql: `alter policy tenant on stalls to halles_public, halles_app`, object: "public.stalls", want: "exactly the acting roles"},
		"TenantPolicySaysYes":     {sql: `alter policy tenant on stalls using (true)`, object: "public.stalls", want: "says something else"},
		"TenantPolicyChecksLess":  {sql: `alter policy tenant on stalls with check (true)`, object: "public.stalls", want: "says something else"},
		"SettingForEachRow":       {sql: `create policy p on stalls to halles_app using (halles_kind() = 'admin')`, object: "public.stalls", want: "for each row"},
		"NoComment":               {sql: `comment on table stalls is null`, object: "public.stalls", want: "no comment"},
		"Enum":                    {sql: `create type colour as enum ('red'); alter table stalls add colour colour`, object: "public.stalls", want: "colour is an enum"},
		"EnumArray":               {sql: `create type colour as enum ('red'); alter table stalls add colours colour[]`, object: "public.stalls", want: "colours is an enum"},
		"ViewWithOwnersRights":    {sql: `create view peek as select id from shops`, object: "public.peek", want: "security_invoker"},
		"ViewInAnotherSchema":     {admin: `create schema side; create view side.peek as select id from public.shops; alter view side.peek owner to halles_owner`, object: "side.peek", want: "security_invoker"},
		"MaterializedView":        {sql: `create materialized view peek as select 1 as one`, object: "public.peek", want: "materialized"},
		"DefinerFunction":         {sql: `create function peek() returns bigint language sql security definer as 'select count(*) from shops'`, object: "function peek()", want: "search_path"},
		"AnotherOwner":            {admin: `alter table stalls owner to halles_app`, object: "public.stalls", want: "belongs to halles_app"},
		"TableInAnotherSchema":    {admin: `create schema side; create table side.loose (id int)`, object: "side.loose", want: "has no commune_id"},
		"GrantOfHeadcount":        {sql: `grant select (headcount) on shops to halles_public`, object: "public.shops", want: "halles_public is denied (created_at)"},
		"GrantTakenAway":          {sql: `revoke select (name) on shops from halles_public`, object: "public.shops", want: "halles_public is denied (created_at,headcount,name)"},
		"GrantOfOrders":           {sql: `grant select on orders to halles_public`, object: "public.orders", want: "not published"},
		"GrantToWritePublic":      {sql: `grant update on shops to halles_public`, object: "public.shops", want: "halles_public may UPDATE"},
		"GrantOfAccounts":         {sql: `grant select (created_at) on accounts to halles_identity`, object: "public.accounts", want: "halles_identity reads (created_at,email,id"},
		"GrantOfAccountsToApp":    {sql: `grant select on accounts to halles_app`, object: "public.accounts", want: "halles_app reads"},
		"Truncate":                {sql: `grant truncate on stalls to halles_app`, object: "public.stalls", want: "halles_app may TRUNCATE"},
		"DeleteOrders":            {sql: `grant delete on orders to halles_app`, object: "public.orders", want: "halles_app may DELETE"},
		"UpdateAudit":             {sql: `grant update on audit_events to halles_app`, object: "public.audit_events", want: "halles_app may UPDATE"},
		"UpdateOneColumnOfAudit":  {sql: `grant update (action) on audit_events to halles_worker`, object: "public.audit_events", want: "halles_worker may UPDATE"},
		"UpdateAuditElsewhere":    {admin: `create role auditor; grant update (at) on audit_events to auditor`, object: "public.audit_events", want: "auditor may UPDATE"},
		"UpdateEvents":            {sql: `grant update (reason) on order_events to halles_app`, object: "public.order_events", want: "halles_app may UPDATE"},
		"DeleteAudit":             {sql: `grant delete on audit_events to halles_worker`, object: "public.audit_events", want: "halles_worker may DELETE"},
		"GrantToEverybody":        {sql: `grant select on stalls to public`, object: "public.stalls", want: "PUBLIC may SELECT"},
		"ExceptionGone":           {sql: `drop table feed_epoch`, object: "public.feed_epoch", want: "no such table exists"},
		"PublishedTableGone":      {sql: `drop table opening_hours`, object: "public.opening_hours", want: "no such table exists"},
	} {
		t.Run(name, func(t *testing.T) {
			// One database for all: what a case does is rolled back.
			tx, err := admin.Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) }()
			if _, err := tx.Exec(t.Context(), "set local role halles_owner; "+tenant+c.sql+"; reset role; "+c.admin); err != nil {
				t.Fatal(err)
			}
			found, err := migrations.Check(t.Context(), tx)
			if err != nil {
				t.Fatal(err)
			}
			red := c.want == ""
			for _, f := range found {
				if c.want == "" {
					t.Error(f)
				}
				red = red || f.Object == c.object && strings.Contains(f.Problem, c.want)
			}
			if !red {
				t.Errorf("no finding that %s %s; found %v", c.object, c.want, found)
			}
		})
	}
}

// The list of exceptions is exact: each is a table that would be refused without being on it, and
// says why it is there. That none is there for nothing, and none is read more than it says, is
// ExceptionGone and the grants above.
func TestExceptionsAreExact(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	reasons := migrations.Exceptions()
	names := slices.Sorted(maps.Keys(reasons))
	without := func(names ...string) []migrations.Finding {
		found, err := migrations.CheckWithout(t.Context(), d.DB.Pool(pg.App), names...)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	all := without(names...) // at once: by one each it would be thirty checks
	for _, name := range names {
		if len(reasons[name]) < 10 {
			t.Errorf("%s is an exception because %q", name, reasons[name])
		}
		red := false
		for _, f := range all { // what is found of a table by itself, not of it and another exception
			red = red || f.Object == name && !f.Warning && !strings.Contains(f.Problem, "foreign key")
		}
		if !red && !slices.ContainsFunc(without(name), func(f migrations.Finding) bool { return f.Object == name && !f.Warning }) {
			t.Errorf("%s needs no exception: the check finds nothing without it", name)
		}
	}
	t.Logf("%d exceptions", len(names))
}
