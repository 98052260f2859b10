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
		with q as materialized (select search_meant($2) as meant),
		named as materialized (
			select w.id, search_score(w.words, (select meant from q), w.kind, w.length, null) as score from catalog_search w
			where w.kind = 'PRODUCT' and search_local(w.commune_id, w.words) @@ (select search_named(array[$1::text], meant) from q) limit 500),
		eighth as materialized (
			select w.id, search_score(w.words, (select meant from q), w.kind, w.length, null) as score from catalog_search w
			where w.kind = 'PRODUCT' and search_local(w.commune_id, w.words) @@ (select search_in(array[$1::text], meant) from q)
				and get_byte(uuid_send(w.id), 15) & 7 = 0 and w.id not in (select id from named)
			limit 500 - (select count(*) from named)),
		others as materialized (
			select w.id, search_score(w.words, (select meant from q), w.kind, w.length, null) as score from catalog_search w
			where w.kind = 'PRODUCT' and search_local(w.commune_id, w.words) @@ (select search_in(array[$1::text], meant) from q)
				and w.id not in (select id from named) and w.id not in (select id from eighth)
				and (select count(*) from named) + (select count(*) from eighth) < 500
			limit 500 - (select count(*) from named) - (select count(*) from eighth)),
		best as materialized (select * from (select * from named union all select * from eighth union all select * from others) f order by score desc, id limit 20)
		select p.id, p.name, p.slug, s.id, s.name, s.slug, f.score
		from best f join products p on p.commune_id = $1 and p.id = f.id join shops s on s.commune_id = p.commune_id and s.id = p.shop_id
		order by f.score desc, f.id`)
}

// plain is the schema that somebody would begin with: the words of a product in a column with a GIN
// index, the commune and what is published elsewhere. It is the bench's own, beside ours.
const plain = "bench_plain"

// preparePlain makes the plain schema, once for a database.
func (l *Limit) preparePlain(ctx context.Context) error {
	var there bool
	if err := l.db.QueryRow(ctx, `select to_regclass($1) is not null`, plain+".products").Scan(&there); err != nil || there {
		return err
	}
	_, err := l.db.Exec(ctx, fmt.Sprintf(`
		create schema if not exists %[1]s;
		create unlogged table %[1]s.products as
			select commune_id, id, shop_id, name, slug, published, to_tsvector('french', name || ' ' || description) as words from products;
		alter table %[1]s.products add primary key (id);
		create index products_words on %[1]s.products using gin (words);
		create unlogged table %[1]s.shops as select commune_id, id, name, slug, status from shops;
		alter table %[1]s.shops add primary key (id);
		analyze %[1]s.products; analyze %[1]s.shops`, plain))
	if err != nil {
		return fmt.Errorf("make the plain schema: %w", err)
	}
	return nil
}

// searchPlain is W4 on the plain schema. It ranks as Postgres does, so that its answer is another
// order of products, of which each must be what halles says of it.
func (l *Limit) searchPlain(r *http.Request, b []byte) ([]byte, error) {
	return l.found(r, b, false, `
		select p.id, p.name, p.slug, s.id, s.name, s.slug
		from `+plain+`.products p join `+plain+`.shops s on s.id = p.shop_id, websearch_to_tsquery('french', $2) q
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
