package catalog

import (
	"context"
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

// madeAtOnce is how many lines of a file one statement makes: a few seconds' work on a machine that
// has much else to do. All hundred thousand in one took longer there than any statement may.
const madeAtOnce = 2000

// createProducts makes what is new, all of it in this transaction. Whoever publishes or suspends a
// shop meanwhile does not see these products yet: at the end its status is looked at again, and
// held to commit.
func (c *Catalog) createProducts(ctx context.Context, tx pgx.Tx, im *intake.Import, now time.Time, tell func(done int)) error {
	var last int
	if err := tx.QueryRow(ctx, `select coalesce(max(line), 0) from import_changes where commune_id = $1 and import_id = $2 and kind = 'CREATED'`, im.CommuneID, im.Row).Scan(&last); err != nil {
		return err
	}
	args := []any{im.CommuneID, im.Row}
	for from := 1; from <= last; from += c.madeAtOnce {
		if err := createLines(ctx, tx, now, append(args[:2:2], from, from+c.madeAtOnce-1)); err != nil {
			return err
		}
		tell(min(from+c.madeAtOnce-1, im.CreatedCount))
	}
	if err := one(ctx, tx, "shops", `select from shops s where s.commune_id = $1 and s.id in (
		select c.shop_id from import_changes c where c.commune_id = $1 and c.import_id = $2 and c.kind = 'CREATED') order by s.id for share`, args...); err != nil {
		return err
	}
	return one(ctx, tx, "published", `update products p set status = p.status from shops s
		where p.commune_id = $1 and s.commune_id = $1 and s.id = p.shop_id and p.published <> (p.status = 'ACTIVE' and s.status = 'PUBLISHED')
		and p.id in (select c.product_id from import_changes c where c.commune_id = $1 and c.import_id = $2 and c.kind = 'CREATED')`, args...)
}

// createLines makes what is new in the lines $3 to $4. A product stands in its first one; articles of
// it that come in later ones find those before them there.
func createLines(ctx context.Context, tx pgx.Tx, now time.Time, args []any) error {
	const of = `c.commune_id = $1 and c.import_id = $2 and c.line between $3 and $4 and c.kind = 'CREATED'`
	if err := one(ctx, tx, "products", `
		insert into products (commune_id, id, shop_id, slug, name, description, category_id, status, published, created_at, updated_at)
		select c.commune_id, c.product_id, c.shop_id, c.after ->> 'adresse_web', c.after ->> 'nom', coalesce(c.after ->> 'description', ''),
			c.after ->> 'categorie', c.after ->> 'statut', false, $5, $5
		from import_changes c where `+of+` and c.after ? 'adresse_web' order by c.line`,
		append(args, now)...); err != nil {
		return err
	}
	if err := one(ctx, tx, "variants", `
		with new as materialized (
			select c.*, row_number() over (partition by c.product_id order by c.line) as n
			from import_changes c where `+of+`),
		last as materialized (
			select v.product_id, max(v.position) as position from variants v
			where v.commune_id = $1 and v.product_id in (select product_id from new) group by v.product_id)
		insert into variants (commune_id, id, product_id, shop_id, position, sku, option_name, option_value, price_cents, vat_rate, stock, published)
		select n.commune_id, n.variant_id, n.product_id, n.shop_id, coalesce(l.position + n.n, n.n - 1), n.label,
			coalesce(n.after ->> 'option', ''), coalesce(n.after ->> 'valeur', ''), (n.after ->> 'prix')::bigint, (n.after ->> 'tva')::int,
			(n.after ->> 'stock')::int, p.published
		from new n join products p on p.commune_id = n.commune_id and p.id = n.product_id left join last l on l.product_id = n.product_id
		order by n.line`, args...); err != nil {
		return err
	}
	if err := one(ctx, tx, "ledger", `
		insert into stock_moves (commune_id, id, variant_id, kind, quantity, at, reason)
		select c.commune_id, c.move_id, c.variant_id, 'RECEIVED', (c.after ->> 'stock')::int, $5, 'RECEIVED'
		from import_changes c where `+of+` and (c.after ->> 'stock')::int > 0 order by c.line`,
		append(args, now)...); err != nil {
		return err
	}
	return one(ctx, tx, "journal", `update import_changes c set stock_after = (c.after ->> 'stock')::int, moved = (c.after ->> 'stock')::int where `+of, args...)
}
