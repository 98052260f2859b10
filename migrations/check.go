package migrations

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// acting are the roles that the program logs in as. What holds tenants apart holds for them.
var acting = []string{"halles_public", "halles_app", "halles_identity", "halles_stats", "halles_worker", "halles_listen"}

// exception is a table without the tenants' locks: why, and what each role may read of it. All
// of it must be true to the letter; a table that is gone may not stay here.
type exception struct {
	reason   string
	readable map[string]string // role → columns in alphabetical order, "*" for all
	shared   bool              // reference data: tenant tables may refer to it
}

var exceptions = map[string]exception{
	"public.communes": {
		reason: "the tenants themselves: reference data, public", shared: true,
		readable: map[string]string{"halles_public": "*", "halles_app": "*", "halles_identity": "*", "halles_worker": "*"},
	},
	"public.categories": {
		reason: "one tree for all communes: reference data, public", shared: true,
		readable: map[string]string{"halles_public": "*", "halles_app": "*", "halles_worker": "*"},
	},
	"public.published_changes": {
		reason:   "that something published changed, in which commune and transaction; some are all communes'",
		readable: map[string]string{"halles_worker": "*", "halles_app": "commune_id,part,xid"},
	},
	"public.vat_rates": {
		reason: "French law: reference data, public", shared: true,
		readable: map[string]string{"halles_public": "*", "halles_app": "*", "halles_worker": "*"},
	},
	"public.catalog_search": {
		reason:   "published words and names only; RLS would keep its index from being used, since @@ is not leakproof",
		readable: map[string]string{"halles_public": "*", "halles_app": "*", "halles_worker": "*"},
	},
	"public.search_terms": {
		reason:   "words of what is published only; RLS would keep its index from being used, since % is not leakproof",
		readable: map[string]string{"halles_public": "*", "halles_app": "*", "halles_worker": "*"},
	},
	"public.search_misses": {
		reason:   "counts only, of nobody; those of searches over several communes are no commune's",
		readable: map[string]string{"halles_app": "*", "halles_worker": "*"},
	},
	"public.search_miss_terms": {
		reason:   "words that three sessions searched, of nobody; those of searches over several communes are no commune's",
		readable: map[string]string{"halles_app": "*", "halles_worker": "*"},
	},
	"public.search_salts": {
		reason:   "keys of digests, a day's each; no commune's",
		readable: map[string]string{"halles_app": "*", "halles_worker": "*"},
	},
	"public.search_sightings": {
		reason:   "digests only; those of searches over several communes are no commune's",
		readable: map[string]string{"halles_app": "*"},
	},
	"public.search_thesaurus": {
		reason:   "words that mean the same: reference data, public",
		readable: map[string]string{"halles_public": "*", "halles_app": "*", "halles_worker": "*"},
	},
	"public.accounts": {
		reason:   "global: read before the commune of a request is known",
		readable: map[string]string{"halles_identity": "email,id,issuer,name,subject", "halles_worker": "id"},
	},
	"public.grants": {
		reason:   "global: read before the commune of a request is known",
		readable: map[string]string{"halles_identity": "*", "halles_worker": "account_id"},
	},
	"public.guest_links": {
		reason:   "global: read before the commune of a request is known",
		readable: map[string]string{"halles_identity": "*", "halles_worker": "commune_id,expires_at,order_id"},
	},
	"public.code_failures": {
		reason:   "global: wrong codes of accounts, which belong to no commune",
		readable: map[string]string{"halles_identity": "*"},
	},
	"public.invitations": {
		reason:   "global: read before the commune of a request is known",
		readable: map[string]string{"halles_identity": "*"},
	},
	"public.sessions": {
		reason:   "global: read before the viewer of a request is known",
		readable: map[string]string{"halles_identity": "*"},
	},
	"public.widget_keys": {
		reason:   "global: read before the commune of a request is known",
		readable: map[string]string{"halles_identity": "*"},
	},
	"public.erasures": {
		reason:   "global: ids only, of accounts too, which belong to no commune; who asks writes its own and reads none",
		readable: map[string]string{"halles_worker": "*"},
	},
	"public.privacy_runs": {
		reason:   "counts over all communes, of nobody",
		readable: map[string]string{"halles_app": "*", "halles_worker": "*"},
	},
	"public.siret_holders": {
		reason:   "global: one SIRET has one holder over all communes, which no key with the commune first can hold",
		readable: map[string]string{"halles_app": "*"},
	},
	"public.feed_epoch": {
		reason:   "one row for the whole database, no tenant's",
		readable: map[string]string{"halles_app": "*", "halles_worker": "*"},
	},
	"public.messages": {
		reason:   "ids only; some of no commune",
		readable: map[string]string{"halles_worker": "*"},
	},
	"insight.versions": {
		reason:   "published for all communes: which versions there are",
		readable: map[string]string{"halles_stats": "*", "halles_worker": "*"},
	},
	"insight.cells": {
		reason:   "published for all communes, under statistical secrecy; a hidden cell has no value",
		readable: map[string]string{"halles_stats": "*", "halles_worker": "*"},
	},
	"insight.figures": {
		reason:   "published for all communes, under statistical secrecy; a hidden figure has no value",
		readable: map[string]string{"halles_stats": "*", "halles_worker": "*"},
	},
	"river.river_job": {
		reason:   "River's: ids only, of every commune; who queues a job reads none",
		readable: map[string]string{"halles_worker": "*"},
	},
	"river.river_leader": {
		reason:   "River's: no tenant's",
		readable: map[string]string{"halles_worker": "*"},
	},
	"river.river_queue": {
		reason:   "River's: no tenant's",
		readable: map[string]string{"halles_worker": "*"},
	},
	"river.river_notification": {reason: "River's: unused"},
	"river.river_migration":    {reason: "River's own"},
	"public.goose_db_version": {
		reason:   "the migrations' own",
		readable: map[string]string{"halles_worker": "is_applied,version_id"},
	},
}

// published are the tenant tables of which halles_public reads anything, with the columns that
// it may not. Of all others it reads nothing.
var published = map[string]string{
	"public.shops":            "created_at,headcount",
	"public.photos":           "",
	"public.media_files":      "",
	"public.commune_settings": "office_email,office_name,office_phone,updated_at,version",
	"public.opening_hours":    "",
	"public.special_hours":    "",
	"public.holiday_openings": "",
	"public.closures":         "created_at",
	"public.restrictions":     "declared_by",
	"public.opening_spans":    "",
	"public.fulfilments":      "",
	"public.slots":            "booked,capacity,usual",
	"public.products":         "key",
	"public.variants":         "stock",
}

// kept are tables whose rows nobody may delete.
var kept = []string{"public.orders", "public.order_events", "public.stock_moves", "public.audit_events", "public.audit_heads", "public.shop_steps", "insight.versions", "insight.cells", "insight.figures"}

// sealed are tables whose rows nobody may change either.
var sealed = []string{"public.order_events", "public.stock_moves", "public.audit_events", "public.shop_steps", "insight.versions", "insight.cells", "insight.figures"}

// Finding is something in the database that breaks a rule of ours.
type Finding struct {
	Object  string // "public.shops", "role halles_app"
	Problem string
	Warning bool // worth an operator's attention, no reason not to start
}

func (f Finding) String() string { return f.Object + ": " + f.Problem }

// querier is a connection, a pool or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// Check asks the catalogue whether every table, view, function and role keeps the rules that
// hold the communes apart. Any role may run it.
func Check(ctx context.Context, db querier) ([]Finding, error) { return CheckWithout(ctx, db) }

// Exceptions are the tables without the tenants' locks, and why.
func Exceptions() map[string]string {
	reasons := map[string]string{}
	for name, e := range exceptions {
		reasons[name] = e.reason
	}
	return reasons
}

// CheckWithout is Check with some exceptions less: what it finds of them is what they are needed for.
func CheckWithout(ctx context.Context, db querier, exceptional ...string) ([]Finding, error) {
	exceptions := maps.Clone(exceptions)
	for _, name := range exceptional {
		delete(exceptions, name)
	}
	names, shared := []string{}, []string{} // not null, which no name differs from
	for name, e := range exceptions {
		if names = append(names, name); e.shared {
			shared = append(shared, name)
		}
	}
	var found []Finding
	for _, rule := range rules {
		rows, err := db.Query(ctx, ours+rule, names, shared, acting, kept, sealed)
		if err != nil {
			return nil, fmt.Errorf("check the catalogue: %w", err)
		}
		list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (f Finding, err error) {
			err = row.Scan(&f.Object, &f.Problem)
			return f, err
		})
		if err != nil {
			return nil, fmt.Errorf("check the catalogue: %w in %s", err, rule)
		}
		found = append(found, list...)
	}
	rights, err := checkRights(ctx, db, exceptions)
	found = append(found, rights...)
	slices.SortFunc(found, func(a, b Finding) int { return strings.Compare(a.String(), b.String()) })
	return found, err
}

// ours is in front of every rule. $1 exceptions, $2 shared ones, $3 acting roles, $4 kept and
// $5 sealed tables; each rule returns an object and what is wrong with it.
const ours = `
with asked as (select $1::text[] exceptions, $2::text[] shared, $3::text[] acting, $4::text[] kept, $5::text[] sealed),
relations as (
	select c.*, n.nspname || '.' || c.relname as name
	from pg_class c join pg_namespace n on n.oid = c.relnamespace
	where n.nspname not in ('pg_catalog', 'information_schema') and n.nspname not like 'pg\_toast%' and n.nspname not like 'pg\_temp%'
	and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
),
tables as (select * from relations where relkind in ('r', 'p')),
tenants as (select t.*, k.attnum as commune, k.atttypid, k.attcollation, k.attnotnull
	from tables t left join pg_attribute k on k.attrelid = t.oid and k.attname = 'commune_id' and not k.attisdropped
	where t.name <> all ((select exceptions from asked)::text[])),
policies as (
	select p.*, t.name, coalesce(pg_get_expr(p.polqual, p.polrelid), '') as expression, coalesce(pg_get_expr(p.polwithcheck, p.polrelid), '') as checking
	from pg_policy p join tables t on t.oid = p.polrelid
)
`

// rules are what must hold. A rule returns a row for each object that breaks it.
var rules = []string{
	// The list of exceptions is exact.
	`select e, 'is an exception, but no such table exists' from asked, unnest(exceptions) e where not exists (select from tables where name = e)`,

	// commune_id is there and comes first in every key.
	`select name, 'has no commune_id and is no exception' from tenants where commune is null`,
	`select name, 'commune_id is not text collate "C" not null' from tenants
		where commune is not null and not (atttypid = 'text'::regtype and attcollation = '"C"'::regcollation and attnotnull)`,
	`select name, 'has no primary key' from tenants t where not exists (select from pg_index i where i.indrelid = t.oid and i.indisprimary)`,
	`select t.name, format('unique %s does not begin with commune_id', i.indexrelid::regclass) from tenants t join pg_index i on i.indrelid = t.oid
		where i.indisunique and i.indkey[0] is distinct from t.commune`,
	`select t.name, format('exclusion %s does not begin with commune_id', x.conname) from tenants t join pg_constraint x on x.conrelid = t.oid
		where x.contype = 'x' and x.conkey[1] is distinct from t.commune`,
	`select t.name, format('foreign key %s to %s does not begin with commune_id on both sides', f.conname, other.name)
		from tenants t join pg_constraint f on f.conrelid = t.oid and f.contype = 'f' join tenants other on other.oid = f.confrelid
		where f.conkey[1] is distinct from t.commune or f.confkey[1] is distinct from other.commune`,
	`select t.name, format('foreign key %s to %s, which is neither a tenant table nor reference data', f.conname, other.name)
		from tenants t join pg_constraint f on f.conrelid = t.oid and f.contype = 'f' join tables other on other.oid = f.confrelid, asked
		where other.name = any (exceptions) and other.name <> all (shared)`,

	// Row-level security.
	`select name, 'row-level security is not enabled' from tenants where not relrowsecurity`,
	`select name, 'row-level security is not forced on the owner' from tenants where not relforcerowsecurity`,
	`select t.name, case
			when p.polname is null then 'has no tenant policy'
			when p.polpermissive then 'the tenant policy is permissive: any other policy widens it'
			when p.polcmd <> '*' then 'the tenant policy does not hold for all commands'
			when translate(p.expression, ' ()', '') <> 'commune_id=ANYSELECThalles_communesAShalles_communes::text[]' or p.checking <> ''
				then 'the tenant policy says something else: ' || p.expression || ' ' || p.checking
			else 'the tenant policy is not for exactly the acting roles' end
		from tenants t cross join asked left join policies p on p.polrelid = t.oid and p.polname = 'tenant'
		where p.polname is null or p.polpermissive or p.polcmd <> '*' or p.checking <> ''
		or translate(p.expression, ' ()', '') <> 'commune_id=ANYSELECThalles_communesAShalles_communes::text[]'
		or (select array_agg(r.rolname::text order by r.rolname) from pg_roles r where r.oid = any (p.polroles))
			is distinct from (select array_agg(a order by a) from unnest(acting) a)`,
	`select name, format('policy %s reads the viewer for each row: ask it in a scalar sub-select', polname) from policies,
		lateral (select expression || ' ' || checking as text) e
		where regexp_count(text, '(halles_\w+|current_setting)\(') <> regexp_count(text, 'SELECT (halles_\w+|current_setting)\(')`,

	// Owners and comments.
	`select name, format('belongs to %s and not to halles_owner', pg_get_userbyid(relowner)) from relations
		where relkind in ('r', 'p', 'v', 'm', 'S') and pg_get_userbyid(relowner) <> 'halles_owner'`,
	`select name, 'has no comment "owner: package."' from tables
		where coalesce(obj_description(oid, 'pg_class'), '') !~ '^owner: [a-z]+\.' and name <> 'public.goose_db_version'`,

	// What would go round row-level security, or round its indexes.
	`select name, 'is a view with its owner''s rights: set security_invoker' from relations
		where relkind = 'v' and not coalesce(reloptions && '{security_invoker=true,security_invoker=on}', false)`,
	`select name, 'is a materialized view: row-level security does not hold there' from relations where relkind = 'm'`,
	`select format('function %s', p.oid::regprocedure), 'is a definer function without a fixed search_path' from pg_proc p join pg_namespace n on n.oid = p.pronamespace
		where p.prosecdef and n.nspname not in ('pg_catalog', 'information_schema')
		and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
		and not exists (select from unnest(p.proconfig) c where c like 'search\_path=%')`,
	`select t.name, format('%s is an enum, whose operators are not leakproof: text and a CHECK', a.attname) from tenants t
		join pg_attribute a on a.attrelid = t.oid and not a.attisdropped join pg_type y on y.oid = a.atttypid left join pg_type e on e.oid = y.typelem
		where 'e' in (y.typtype, e.typtype)`,

	// Roles.
	`select 'role ' || a, 'does not exist' from asked, unnest(acting || 'halles_owner'::text) a where not exists (select from pg_roles where rolname = a)`,
	`select 'role ' || rolname, 'may do more than log in: superuser, BYPASSRLS, CREATEROLE, CREATEDB or REPLICATION' from pg_roles, asked
		where rolname = any (acting) and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication)`,
	`select 'role ' || r.rolname, format('is a member of %s', pg_get_userbyid(m.roleid)) from pg_roles r join pg_auth_members m on m.member = r.oid, asked
		where r.rolname = any (acting)`,
	`select 'role halles_owner', 'may log in or bypass row-level security' from pg_roles
		where rolname = 'halles_owner' and (rolcanlogin or rolsuper or rolbypassrls)`,

	// Grants on whole tables, whatever the role but the owner.
	`select t.name, format('%s may %s', coalesce(nullif(x.grantee, 0)::regrole::text, 'PUBLIC'), x.privilege_type) from relations t, aclexplode(t.relacl) x, asked
		where x.grantee <> t.relowner and (x.grantee = 0 or x.privilege_type in ('TRUNCATE', 'REFERENCES', 'TRIGGER')
			or x.privilege_type = 'DELETE' and t.name = any (kept))`,
	// One column is enough to change what is sealed.
	`select distinct t.name, format('%s may %s', coalesce(nullif(x.grantee, 0)::regrole::text, 'PUBLIC'), x.privilege_type) from tables t
		join asked on t.name = any (sealed) left join pg_attribute a on a.attrelid = t.oid and a.attacl is not null
		cross join lateral (select * from aclexplode(t.relacl) union all select * from aclexplode(a.attacl)) x
		where x.grantee <> t.relowner and x.privilege_type in ('UPDATE', 'DELETE')`,
	`select t.name, format('halles_public may %s', p) from relations t, unnest('{INSERT,UPDATE,DELETE}'::text[]) p
		where t.relkind in ('r', 'p', 'v') and has_table_privilege('halles_public', t.oid, p)`,
}

// checkRights compares what may be read with what the two lists say.
func checkRights(ctx context.Context, db querier, exceptions map[string]exception) ([]Finding, error) {
	type right struct {
		Name     string
		Role     string
		Readable string
		Withheld string
	}
	rows, err := db.Query(ctx, ours+`
		select t.name, r as role,
			coalesce(string_agg(a.attname, ',' order by a.attname) filter (where readable), '') as readable,
			coalesce(string_agg(a.attname, ',' order by a.attname) filter (where not readable), '') as withheld
		from tables t cross join asked cross join unnest(acting) r join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped,
			lateral (select coalesce(has_column_privilege((select oid from pg_roles where rolname = r), t.oid, a.attnum, 'SELECT'), false) as readable) p
		group by t.name, r`, []string{}, []string{}, acting, kept, sealed)
	if err != nil {
		return nil, err
	}
	rights, err := pgx.CollectRows(rows, pgx.RowToStructByName[right])
	var found []Finding
	seen := map[string]bool{}
	for _, r := range rights {
		seen[r.Name] = true
		e, excepted := exceptions[r.Name]
		switch {
		case excepted:
			want := e.readable[r.Role]
			if all := r.Withheld == ""; want != r.Readable && !(want == "*" && all) {
				found = append(found, Finding{Object: r.Name, Problem: fmt.Sprintf("%s reads (%s), and should (%s)", r.Role, r.Readable, want)})
			}
		case r.Role == "halles_public":
			withheld, some := published[r.Name]
			switch {
			case !some && r.Readable != "":
				found = append(found, Finding{Object: r.Name, Problem: "halles_public reads (" + r.Readable + ") of a table that is not published"})
			case some && withheld != r.Withheld:
				found = append(found, Finding{Object: r.Name, Problem: fmt.Sprintf("halles_public is denied (%s), and should be (%s)", r.Withheld, withheld)})
			}
		}
	}
	for name := range published {
		if !seen[name] {
			found = append(found, Finding{Object: name, Problem: "is on the list of published tables, but no such table exists"})
		}
	}
	return found, err
}

// patched are the minor releases without CVE-2025-8713: before them, statistics showed a role
// what row-level security hides from it.
var patched = map[int]int{15: 150014, 16: 160010, 17: 170006}

// oldest is the first server that knows security_invoker.
const oldest = 150000

// CheckSelf asks whether the role of a connection is one that row-level security holds for, and
// whether the server keeps what it promises. Only what is not a warning must keep a program
// from starting.
func CheckSelf(ctx context.Context, db querier) ([]Finding, error) {
	type self struct {
		Role    string
		Super   bool
		Bypass  bool
		Owns    int
		Member  int
		Version int
	}
	rows, err := db.Query(ctx, `
		select rolname as role, rolsuper as super, rolbypassrls as bypass,
			(select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relowner = r.oid and n.nspname !~ '^pg_') as owns,
			(select count(*) from pg_auth_members m where m.member = r.oid) as member,
			current_setting('server_version_num')::int as version
		from pg_roles r where rolname = current_user`)
	if err != nil {
		return nil, err
	}
	s, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[self])
	if err != nil {
		return nil, err
	}
	var found []Finding
	wrong := func(warning bool, object, format string, args ...any) {
		found = append(found, Finding{Object: object, Problem: fmt.Sprintf(format, args...), Warning: warning})
	}
	role := "role " + s.Role
	if s.Super {
		wrong(false, role, "is a superuser: row-level security does not hold for it")
	}
	if s.Bypass {
		wrong(false, role, "has BYPASSRLS: row-level security does not hold for it")
	}
	if s.Owns > 0 {
		wrong(false, role, "owns %d tables: it may switch row-level security off", s.Owns)
	}
	if s.Member > 0 {
		wrong(false, role, "is a member of another role and may become it")
	}
	if s.Version < oldest {
		wrong(false, "server", "is Postgres %d; %d or later is needed", s.Version/10000, oldest/10000)
	}
	if minor := patched[s.Version/10000]; s.Version < minor {
		wrong(true, "server", "is Postgres %d.%d, which has CVE-2025-8713 (statistics show hidden rows): update to %d.%d or later",
			s.Version/10000, s.Version%10000, minor/10000, minor%10000)
	}
	return found, nil
}
