package bench

import (
	"context"
	"fmt"
	"net/http"
)

// search is W4 on our own schema: the same index, ranked by the same function. One statement more
// than the limit's other ones could not be faster, so this is the search itself without GraphQL.
func (l *Limit) search(r *http.Request, b []byte) ([]byte, error) {
	return l.found(r, b, true, `
		with q as materialized (select search_meant($2) as meant), h as materialized (select search_in(array[$1::text], meant) as has from q),
		named as materialized (
			select w.id, w.name, w.slug, w.shop_id, w.shop_name, w.shop_slug, 0 as rest, search_score(w.words, (select meant from q), w.kind, w.length, null) as score from catalog_search w
			where w.kind = 'PRODUCT' and search_local(w.commune_id, w.words) @@ (select search_named(array[$1::text], meant) from q) limit 300),
		eighth as materialized (
			select w.id, w.name, w.slug, w.shop_id, w.shop_name, w.shop_slug, 1 as rest, search_score(w.words, (select meant from q), w.kind, w.length, null) as score from catalog_search w
			where w.kind = 'PRODUCT' and search_local(w.commune_id, w.words) @@ (select has from h)
				and get_byte(uuid_send(w.id), 15) & 7 = 0 and w.id not in (select id from named) and (select count(*) from named) < 20
			limit 300 - (select count(*) from named)),
		others as materialized (
			select w.id, w.name, w.slug, w.shop_id, w.shop_name, w.shop_slug, 1 as rest, search_score(w.words, (select meant from q), w.kind, w.length, null) as score from catalog_search w
			where w.kind = 'PRODUCT' and search_local(w.commune_id, w.words) @@ (select has from h)
				and w.id not in (select id from named) and w.id not in (select id from eighth)
				and (select count(*) from named) < 20 and (select count(*) from named) + (select count(*) from eighth) < 300
			limit 300 - (select count(*) from named) - (select count(*) from eighth))
		select f.id, f.name, f.slug, f.shop_id, f.shop_name, f.shop_slug, f.score
		from (select * from named union all select * from eighth union all select * from others) f
		order by f.rest, f.score desc, f.id limit 20`)
}

// plain is the schema that somebody would begin with, beside ours: products and shops with all their
// columns, the words of a product in one more of its own with a GIN index, keys, and an index for each
// relation. It is fair to both: the rows, columns and words are ours, so that each text matches the same
// products (see SameMatches); and it is logged, vacuumed and analysed as ours is. It lacks what ours was
// made for: an index that knows the commune, names apart from trades and descriptions, and samples; so
// it reads and ranks whatever has the words. Its rows are not held back by policies or triggers.
const plain = "bench_ordinary"

// preparePlain makes the plain schema, once for a database.
func (l *Limit) preparePlain(ctx context.Context) error {
	var there bool
	if err := l.db.QueryRow(ctx, `select to_regclass($1) is not null`, plain+".products").Scan(&there); err != nil || there {
		return err
	}
	return l.makePlain(ctx)
}

func (l *Limit) makePlain(ctx context.Context) error {
	_, err := l.db.Exec(ctx, fmt.Sprintf(`
		drop schema if exists bench_plain cascade; -- an earlier one, of fewer columns and other words
		drop schema if exists %[1]s cascade;
		create schema %[1]s;
		create table %[1]s.shops (like shops including defaults);
		insert into %[1]s.shops select * from shops;
		alter table %[1]s.shops add primary key (id);
		create index on %[1]s.shops (commune_id);
		create table %[1]s.products (like products including defaults, words tsvector not null);
		insert into %[1]s.products select p.*, coalesce(w.words, '') from products p
			left join catalog_search w on w.commune_id = p.commune_id and w.kind = 'PRODUCT' and w.id = p.id;
		alter table %[1]s.products add primary key (id), add foreign key (shop_id) references %[1]s.shops (id);
		create index on %[1]s.products (commune_id);
		create index on %[1]s.products (shop_id);
		create index on %[1]s.products (category_id);
		create index on %[1]s.products using gin (words)`, plain))
	if err == nil {
		_, err = l.db.Exec(ctx, `vacuum (analyze) `+plain+`.products, `+plain+`.shops`)
	}
	if err != nil {
		return fmt.Errorf("make the plain schema: %w", err)
	}
	return nil
}

// SameMatches makes sure that each text finds as many products in its commune on the plain schema as on
// ours, and returns how many that is on average. A plain schema of other rows, since products have
// changed, is made anew.
func (l *Limit) SameMatches(ctx context.Context, texts []Words) (mean float64, err error) {
	communes, words := make([]string, len(texts)), make([]string, len(texts))
	for i, w := range texts {
		communes[i], words[i] = w.Commune, w.Text
	}
	differ := func() (text string, own, other int, err error) {
		err = l.db.QueryRow(ctx, `
			with counted as materialized (
				select t.text,
					(select count(*) from catalog_search w where w.kind = 'PRODUCT' and w.commune_id = t.commune and w.words @@ t.meant) as own,
					(select count(*) from `+plain+`.products p join `+plain+`.shops s on s.id = p.shop_id
						where p.words @@ t.meant and p.commune_id = t.commune and p.published and s.status = 'PUBLISHED') as other
				from (select commune, text, search_meant(text) as meant from unnest($1::text[], $2::text[]) u (commune, text)) t)
			select coalesce(d.text, ''), coalesce(d.own, 0), coalesce(d.other, 0), (select avg(own)::float8 from counted)
			from (values (1)) one left join lateral (select * from counted where own <> other limit 1) d on true`, communes, words).Scan(&text, &own, &other, &mean)
		return text, own, other, err
	}
	text, _, _, err := differ()
	if err == nil && text != "" {
		if err = l.makePlain(ctx); err != nil {
			return 0, err
		}
		var own, other int
		if text, own, other, err = differ(); err == nil && text != "" {
			err = fmt.Errorf("%q finds %d products, and %d on the plain schema", text, own, other)
		}
	}
	return mean, err
}

// searchPlain is W4 on the plain schema. It ranks as Postgres does, so that its answer is another
// order of products, of which each must be what halles says of it.
func (l *Limit) searchPlain(r *http.Request, b []byte) ([]byte, error) {
	return l.found(r, b, false, `
		select p.id, p.name, p.slug, s.id, s.name, s.slug
		from search_meant($2) q, `+plain+`.products p join `+plain+`.shops s on s.id = p.shop_id
		where p.words @@ q and p.commune_id = $1 and p.published and s.status = 'PUBLISHED'
		order by ts_rank(p.words, q) desc, p.id limit 20`)
}

func (l *Limit) found(r *http.Request, b []byte, scored bool, sql string) ([]byte, error) {
	query := r.URL.Query()
	commune := []byte(query.Get("commune"))
	b = append(b, `{"data":{"search":{"edges":[`...)
	n := 0
	err := l.read(r.Context(), func(v [][]byte) {
		if n++; n > 1 {
			b = append(b, ',')
		}
		b = append(b, '{')
		if scored {
			b = append(number(append(b, `"score":`...), int4of(v[6])), ',')
		}
		b = id(append(b, `"node":{"id":`...), "product_", commune, v[0])
		b = text(append(b, `,"name":`...), v[1])
		b = text(append(b, `,"slug":`...), v[2])
		b = id(append(b, `,"shop":{"id":`...), "shop_", commune, v[3])
		b = text(append(b, `,"name":`...), v[4])
		b = append(text(append(b, `,"slug":`...), v[5]), `}}}`...)
	}, sql, string(commune), query.Get("text"))
	return append(b, `]}}}`...), err
}
