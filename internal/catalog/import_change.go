package catalog

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/intake"
	"github.com/audelor/halles/internal/tenancy"
)

// lockProducts locks products before their variants, as a change of status does, and variants in
// the order of their keys, as orders do.
func lockProducts(ctx context.Context, tx pgx.Tx, im *intake.Import, lines []int) error {
	var products, withAll, variants []uuid.UUID
	err := tx.QueryRow(ctx, `
		select coalesce(array_agg(product_id) filter (where kind = 'CREATED' or after ?| '{nom,description,categorie,statut}'), '{}'),
			coalesce(array_agg(product_id) filter (where kind = 'CREATED' or after ? 'statut'), '{}'), coalesce(array_agg(variant_id), '{}')
		from import_changes where commune_id = $1 and import_id = $2 and line = any($3)`, im.CommuneID, im.Row, lines).Scan(&products, &withAll, &variants)
	if err != nil {
		return err
	}
	b := &pgx.Batch{}
	b.Queue(`select from products p where p.commune_id = $1 and p.id = any($2) order by p.id for update`, im.CommuneID, products)
	b.Queue(`select from variants v where v.commune_id = $1 and v.id = any(array(
			select unnest($2::uuid[]) union select o.id from variants o where o.commune_id = $1 and o.product_id = any($3)))
		order by v.id for update`, im.CommuneID, variants, withAll)
	return tx.SendBatch(ctx, b).Close()
}

// isNow is a row as it is, under the names that the journal gives its fields; stock apart, which
// customers move.
const isNow = `jsonb_build_object('nom', p.name, 'description', p.description, 'categorie', p.category_id, 'statut', p.status, 'adresse_web', p.slug,
	'option', v.option_name, 'valeur', v.option_value, 'prix', v.price_cents, 'tva', v.vat_rate, 'retiree', v.archived)`

// elsewhere looks at the fields that the import changes, and at no others. Before, what was
// sold since the plan is no conflict; when undoing, it is.
func elsewhere(ctx context.Context, tx pgx.Tx, im *intake.Import, lines []int, undoing bool) ([]intake.Moved, error) {
	rows, err := tx.Query(ctx, `
		select c.line, c.label, $4 and c.stock_after is not null and v.stock is distinct from c.stock_after
			and exists (select from stock_moves m where m.commune_id = $1 and m.variant_id = v.id and m.kind = 'ORDERED' and m.at >= i.created_at) as sold
		from import_changes c
		join imports i on i.commune_id = c.commune_id and i.id = c.import_id
		left join variants v on v.commune_id = $1 and v.id = c.variant_id
		left join products p on p.commune_id = $1 and p.id = v.product_id
		where c.commune_id = $1 and c.import_id = $2 and c.line = any($3)
		and ((`+isNow+` @> (case when $4 then c.after else c.before end - '{stock}'::text[])) is not true
			or $4 and c.stock_after is not null and v.stock is distinct from c.stock_after)
		order by c.line`, im.CommuneID, im.Row, lines, undoing)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[intake.Moved])
}

// changeProducts gives rows the values after or, when undoing, before. What the import made is
// archived and its stock taken out: see the package intake. Moves of stock go into the ledger.
func changeProducts(ctx context.Context, tx pgx.Tx, im *intake.Import, lines []int, undoing bool, now time.Time) error {
	ids := make([]uuid.UUID, len(lines))
	for i := range ids {
		ids[i] = tenancy.NewRow()
	}
	b := &pgx.Batch{}
	b.Queue(`
		with change as materialized (
			select product_id, case when not $4 then after when kind = 'CHANGED' then before else '{"statut": "ARCHIVED"}' end as want
			from import_changes where commune_id = $1 and import_id = $2 and line = any($3)
			and (after ?| '{nom,description,categorie,statut}'))
		update products p set name = coalesce(c.want ->> 'nom', p.name), description = coalesce(c.want ->> 'description', p.description),
			category_id = coalesce(c.want ->> 'categorie', p.category_id), updated_at = $5, version = p.version + 1
		from change c where p.commune_id = $1 and p.id = c.product_id and c.want ?| '{nom,description,categorie}'`,
		im.CommuneID, im.Row, lines, undoing, now)
	// A status is set for itself: a trigger follows it, whatever its value.
	b.Queue(`
		with change as materialized (
			select product_id, case when not $4 then after ->> 'statut' when kind = 'CHANGED' then before ->> 'statut' else 'ARCHIVED' end as want
			from import_changes where commune_id = $1 and import_id = $2 and line = any($3) and after ? 'statut')
		update products p set status = c.want, updated_at = $5, version = p.version + 1
		from change c where p.commune_id = $1 and p.id = c.product_id and p.status <> c.want`,
		im.CommuneID, im.Row, lines, undoing, now)
	b.Queue(`
		update import_changes c set moved = case when not $4 then greatest(v.stock + (c.after ->> 'stock')::int - (c.before ->> 'stock')::int, 0) - v.stock
				when c.kind = 'CREATED' then -v.stock else greatest(v.stock - c.moved, 0) - v.stock end,
			stock_after = case when not $4 then greatest(v.stock + (c.after ->> 'stock')::int - (c.before ->> 'stock')::int, 0) end
		from variants v where v.commune_id = $1 and v.id = c.variant_id
		and c.commune_id = $1 and c.import_id = $2 and c.line = any($3) and c.after ? 'stock'`,
		im.CommuneID, im.Row, lines, undoing)
	b.Queue(`
		with change as materialized (
			select variant_id, moved, case when not $4 then after when kind = 'CHANGED' then before else '{"retiree": true}' end as want
			from import_changes where commune_id = $1 and import_id = $2 and line = any($3)
			and (moved <> 0 or after ?| '{option,valeur,prix,tva,retiree}'))
		update variants v set option_name = coalesce(c.want ->> 'option', v.option_name), option_value = coalesce(c.want ->> 'valeur', v.option_value),
			price_cents = coalesce((c.want ->> 'prix')::bigint, v.price_cents), vat_rate = coalesce((c.want ->> 'tva')::int, v.vat_rate),
			stock = v.stock + c.moved, version = v.version + 1, archived = coalesce((c.want ->> 'retiree')::boolean, v.archived),
			published = not coalesce((c.want ->> 'retiree')::boolean, v.archived) and exists (
				select from products p where p.commune_id = $1 and p.id = v.product_id and p.published)
		from change c where v.commune_id = $1 and v.id = c.variant_id`,
		im.CommuneID, im.Row, lines, undoing)
	b.Queue(`
		insert into stock_moves (commune_id, id, variant_id, kind, quantity, at, reason)
		select $1, k.id, c.variant_id, 'CORRECTED', c.moved, $5, case when $6 then 'OTHER' else 'COUNTED' end
		from unnest($3::int[], $4::uuid[]) k (line, id) join import_changes c on c.commune_id = $1 and c.import_id = $2 and c.line = k.line
		where c.moved <> 0`, im.CommuneID, im.Row, lines, ids, now, undoing)
	return tx.SendBatch(ctx, b).Close()
}

// madeAtOnce is how many products of a file one statement makes: a second's work, or a few on a machine
// that has much else to do. All hundred thousand in one took longer there than any statement may.
const madeAtOnce = 2000

// createProducts makes what is new, all of it in this transaction. Whoever publishes or suspends a
// shop or a product meanwhile does not see these rows yet: at the end its status is looked at again,
// and held to commit.
//
// The rows to be made are first brought together in a table of their own, whose statistics are made at
// once. From the journal they were read by plans for the one row that it seemed to have, as the tables
// of a young town do too: each 2,000 took longer than those before, and 100,000 had no end.
func (c *Catalog) createProducts(ctx context.Context, tx pgx.Tx, im *intake.Import, now time.Time, tell func(done int)) error {
	parts, err := gatherNew(ctx, tx, im, c.madeAtOnce)
	if err != nil {
		return err
	}
	done := 0
	for part := range parts {
		if part < 2 { // what checks foreign keys keeps its plan for as long as the session, one made for an empty table too
			if err := one(ctx, tx, "plans", `discard plans`); err != nil {
				return err
			}
		}
		made, err := createPart(ctx, tx, im.CommuneID, part, now)
		if err != nil {
			return err
		}
		done += made
		tell(done)
	}
	if err := one(ctx, tx, "plans", inBulk); err != nil {
		return err
	}
	if err := one(ctx, tx, "shops", `select from shops s where s.commune_id = $1 and s.id in (select shop_id from import_new) order by s.id for share`, im.CommuneID); err != nil {
		return err
	}
	if err := one(ctx, tx, "extended", `select from products p where p.commune_id = $1 and p.id in (select product_id from import_new where extends) order by p.id for share`, im.CommuneID); err != nil {
		return err
	}
	if err := one(ctx, tx, "published", `update products p set status = p.status from shops s
		where p.commune_id = $1 and s.commune_id = $1 and s.id = p.shop_id and p.published <> (p.status = 'ACTIVE' and s.status = 'PUBLISHED')
		and p.id in (select product_id from import_new where leads)`, im.CommuneID); err != nil {
		return err
	}
	return one(ctx, tx, "variants", `update variants v set published = p.published from import_new n join products p on p.commune_id = $1 and p.id = n.product_id
		where n.extends and v.commune_id = $1 and v.id = n.variant_id and v.published <> p.published`, im.CommuneID)
}

// inBulk is for statements over all that is imported: without statistics of the tables that they read, a
// row of which is thought to be all there is, they would look for each row through all others.
const inBulk = `set local enable_nestloop = off`

// importNew is where the rows of createProducts wait. leads: the first line of a new product, which has
// its fields. extends: an article of a product that was there before. part: those that are made
// together, a product's all in the same.
const importNew = `create temporary table import_new (
	line int not null, part int not null, product_id uuid not null, variant_id uuid not null, move_id uuid not null, shop_id uuid not null, sku text not null,
	leads boolean not null, extends boolean not null, published boolean not null default false, position int not null,
	slug text, name text, description text, category_id text, status text, option_name text not null, option_value text not null, price bigint not null, vat int not null, stock int not null
) on commit drop`

// gatherNew fills import_new, and says how many parts it has.
func gatherNew(ctx context.Context, tx pgx.Tx, im *intake.Import, atOnce int) (parts int, err error) {
	if err := one(ctx, tx, "table", importNew); err != nil {
		return 0, err
	}
	if err := one(ctx, tx, "new", `
		insert into import_new (line, part, product_id, variant_id, move_id, shop_id, sku, leads, extends, position,
			slug, name, description, category_id, status, option_name, option_value, price, vat, stock)
		select c.line, (dense_rank() over (order by c.first) - 1) / $3, c.product_id, c.variant_id, c.move_id, c.shop_id, c.label, c.after ? 'adresse_web', not c.made, c.nth - 1,
			c.after ->> 'adresse_web', c.after ->> 'nom', coalesce(c.after ->> 'description', ''), c.after ->> 'categorie', c.after ->> 'statut',
			coalesce(c.after ->> 'option', ''), coalesce(c.after ->> 'valeur', ''), (c.after ->> 'prix')::bigint, (c.after ->> 'tva')::int, (c.after ->> 'stock')::int
		from (select *, min(line) over (partition by product_id) as first, row_number() over (partition by product_id order by line) as nth,
				bool_or(after ? 'adresse_web') over (partition by product_id) as made
			from import_changes where commune_id = $1 and import_id = $2 and kind = 'CREATED') c
		order by c.line`, im.CommuneID, im.Row, atOnce); err != nil {
		return 0, err
	}
	if err := one(ctx, tx, "statistics", `analyze import_new`); err != nil {
		return 0, err
	}
	if err := one(ctx, tx, "plans", inBulk); err != nil {
		return 0, err
	}
	if err := one(ctx, tx, "extended", `
		update import_new n set position = n.position + p.next, published = p.published
		from (select p.id, p.published, (select coalesce(max(v.position) + 1, 0) from variants v where v.commune_id = p.commune_id and v.product_id = p.id) as next
			from products p where p.commune_id = $1 and p.id in (select product_id from import_new where extends)) p
		where n.extends and n.product_id = p.id`, im.CommuneID); err != nil {
		return 0, err
	}
	if err := one(ctx, tx, "plans", `reset enable_nestloop`); err != nil {
		return 0, err
	}
	err = tx.QueryRow(ctx, `select coalesce(max(part) + 1, 0) from import_new`).Scan(&parts)
	return parts, err
}

// createPart makes a part's products, articles and ledger, and counts its lines.
func createPart(ctx context.Context, tx pgx.Tx, commune string, part int, now time.Time) (made int, err error) {
	tag, err := tx.Exec(ctx, `
		with made as (
			insert into products (commune_id, id, shop_id, slug, name, description, category_id, status, published, created_at, updated_at)
			select $1, n.product_id, n.shop_id, n.slug, n.name, n.description, n.category_id, n.status, false, $3, $3
			from import_new n where n.part = $2 and n.leads order by n.line
			returning id, published)
		insert into variants (commune_id, id, product_id, shop_id, position, sku, option_name, option_value, price_cents, vat_rate, stock, published)
		select $1, n.variant_id, n.product_id, n.shop_id, n.position, n.sku, n.option_name, n.option_value, n.price, n.vat, n.stock, coalesce(m.published, n.published)
		from import_new n left join made m on m.id = n.product_id
		where n.part = $2 order by n.line`, commune, part, now)
	if err != nil {
		return 0, fmt.Errorf("products: %w", err)
	}
	return int(tag.RowsAffected()), one(ctx, tx, "ledger", `
		insert into stock_moves (commune_id, id, variant_id, kind, quantity, at, reason)
		select $1, n.move_id, n.variant_id, 'RECEIVED', n.stock, $3, 'RECEIVED' from import_new n where n.part = $2 and n.stock > 0 order by n.line`, commune, part, now)
}
