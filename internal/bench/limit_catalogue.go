package bench

import (
	"bytes"
	"net/http"

	"github.com/google/uuid"

	"github.com/audelor/halles/internal/tenancy"
)

// shops is W1.
func (l *Limit) shops(r *http.Request, b []byte) ([]byte, error) {
	began := false
	err := l.read(r.Context(), func(v [][]byte) {
		if !began {
			b = append(text(append(b, `{"data":{"commune":{"name":`...), v[1]), `,"shops":{"nodes":[`...)
			began = true
		} else {
			b = append(b, ',')
		}
		b = id(append(b, `{"id":`...), "shop_", v[0], v[2])
		b = text(append(b, `,"name":`...), v[3])
		b = text(append(b, `,"slug":`...), v[4])
		b = texts(append(b, `,"services":`...), v[5])
		b = text(append(b, `,"address":{"street":`...), v[6])
		b = text(append(b, `,"postcode":`...), v[7])
		b = text(append(b, `,"city":`...), v[8])
		b = text(append(b, `},"category":{"slug":`...), v[9])
		b = append(text(append(b, `,"name":`...), v[10]), `}}`...)
	}, `select c.insee, c.name, s.id, s.name, s.slug, s.services, s.street, s.postcode, s.city, g.id, g.name
		from communes c cross join lateral (select * from shops where commune_id = c.insee and status = 'PUBLISHED' order by name, id limit 20) s
		join categories g on g.id = s.category_id
		where c.slug = $1 order by s.name, s.id`, r.URL.Query().Get("commune"))
	return append(b, `]}}}}`...), err
}

// window is W2. Its first statement has the products with their shops; the second, with the keys of
// the first, all variants: joined to the first, each would be looked up from the top of the index,
// which is half as fast. The categories are few: a subquery for each product cost three times the
// rest of the statement, a join a tenth.
func (l *Limit) window(r *http.Request, b []byte) ([]byte, error) {
	type product struct{ from, to int } // where its variants are written
	type line struct {
		shop bool // the first of its shop
		at   int  // where what is before its variants ends
		id   uuid.UUID
	}
	var head []byte
	var lines []line
	keys := make([][16]byte, 0, shopsAPage*productsAShop)
	commune, shop := "", uuid.UUID{}
	err := l.read(r.Context(), func(v [][]byte) {
		next := line{id: uuid.UUID(v[5])}
		if commune == "" {
			commune = string(v[0])
			b = append(text(append(b, `{"data":{"commune":{"name":`...), v[1]), `,"shops":{"nodes":[`...)
		}
		if next.shop = !bytes.Equal(shop[:], v[2]); next.shop {
			shop = uuid.UUID(v[2])
			head = id(append(head, `{"id":`...), "shop_", v[0], v[2])
			head = text(append(head, `,"name":`...), v[3])
			head = append(text(append(head, `,"slug":`...), v[4]), `,"products":{"nodes":[`...)
		}
		if v[5] != nil {
			head = id(append(head, `{"id":`...), "product_", v[0], v[5])
			head = text(append(head, `,"name":`...), v[6])
			head = text(append(head, `,"slug":`...), v[7])
			head = text(append(head, `,"category":{"slug":`...), v[8])
			head = append(text(append(head, `,"name":`...), v[9]), `},"variants":[`...)
			keys = append(keys, next.id)
		}
		next.at = len(head)
		lines = append(lines, next)
	}, `select c.insee, c.name, s.id, s.name, s.slug, p.id, p.name, p.slug, g.id, g.name
		from communes c
		cross join lateral (select id, commune_id, name, slug from shops where commune_id = c.insee and status = 'PUBLISHED' order by name, id limit 20) s
		left join lateral (select id, name, slug, category_id from products
			where commune_id = s.commune_id and shop_id = s.id and published order by name, id limit 10) p on true
		left join categories g on g.id = p.category_id
		where c.slug = $1 order by s.name, s.id, p.name, p.id`, r.URL.Query().Get("commune"))
	if err != nil {
		return nil, err
	}
	var variants []byte
	of := make(map[uuid.UUID]product, len(keys))
	err = l.read(r.Context(), func(v [][]byte) {
		p, own := of[uuid.UUID(v[0])], len(variants)
		if p.to == 0 {
			p.from = own
		} else {
			variants = append(variants, ',')
		}
		variants = id(append(variants, `{"id":`...), "variant_", []byte(commune), v[1])
		variants = text(append(variants, `,"sku":`...), v[2])
		variants = option(variants, v[3], v[4])
		variants = append(number(append(variants, `,"price":{"cents":`...), int8of(v[5])), '}')
		variants = append(availability(variants, int2of(v[6])), '}')
		p.to = len(variants)
		of[uuid.UUID(v[0])] = p
	}, `select product_id, id, sku, option_name, option_value, price_cents, available from variants
		where commune_id = $1 and product_id = any($2) and published order by product_id, position`, commune, keys)
	if err != nil {
		return nil, err
	}
	from := 0
	for i, one := range lines {
		switch {
		case i == 0:
		case one.shop:
			b = append(b, `]}},`...)
		default:
			b = append(b, ',')
		}
		b = append(b, head[from:one.at]...)
		from = one.at
		if one.id != uuid.Nil {
			p := of[one.id]
			b = append(append(b, variants[p.from:p.to]...), `]}`...)
		}
	}
	return append(b, `]}}]}}}}`...), nil
}

// option appends what tells a variant from its siblings.
func option(b, name, value []byte) []byte {
	if len(name) == 0 {
		return append(b, `,"option":null`...)
	}
	b = text(append(b, `,"option":{"name":`...), name)
	return append(text(append(b, `,"value":`...), value), '}')
}

// availability appends whether a variant can be ordered. (The demo pauses none.)
func availability(b []byte, pieces int64) []byte {
	if pieces < 1 {
		return append(b, `,"availability":{"orderable":false,"quantityUpTo":null}`...)
	}
	return append(number(append(b, `,"availability":{"orderable":true,"quantityUpTo":`...), pieces), '}')
}

// product is W3.
func (l *Limit) product(r *http.Request, b []byte) ([]byte, error) {
	asked, err := tenancy.ParseID(r.URL.Query().Get("product"))
	if err != nil {
		return nil, err
	}
	began, commune := false, []byte(asked.Commune)
	err = l.read(r.Context(), func(v [][]byte) {
		if began {
			b = append(b, ',')
		} else {
			began = true
			b = id(append(b, `{"data":{"product":{"id":`...), "product_", commune, asked.Row[:])
			b = text(append(b, `,"name":`...), v[0])
			b = text(append(b, `,"slug":`...), v[1])
			b = text(append(b, `,"description":`...), v[2])
			b = id(append(b, `,"shop":{"id":`...), "shop_", commune, v[3])
			b = text(append(b, `,"name":`...), v[4])
			b = text(append(b, `,"slug":`...), v[5])
			b = text(append(b, `,"commune":{"insee":`...), commune)
			b = text(append(b, `,"name":`...), v[6])
			b = append(text(append(b, `,"slug":`...), v[7]), `}},"variants":[`...)
		}
		if v[8] == nil { // none
			return
		}
		b = id(append(b, `{"id":`...), "variant_", commune, v[8])
		b = text(append(b, `,"sku":`...), v[9])
		b = option(b, v[10], v[11])
		b = number(append(b, `,"price":{"cents":`...), int8of(v[12]))
		b = append(euros(append(b, `,"formatted":"`...), int8of(v[12])), `"}`...)
		b = number(append(b, `,"vatRate":`...), int4of(v[13]))
		b = append(availability(b, int2of(v[14])), '}')
	}, `select p.name, p.slug, p.description, s.id, s.name, s.slug, c.name, c.slug,
			v.id, v.sku, v.option_name, v.option_value, v.price_cents, v.vat_rate, v.available
		from products p join shops s on s.commune_id = p.commune_id and s.id = p.shop_id join communes c on c.insee = p.commune_id
		left join variants v on v.commune_id = p.commune_id and v.product_id = p.id and v.published
		where p.commune_id = $1 and p.id = $2 and p.published order by v.position`, asked.Commune, asked.Row)
	return append(b, `]}}}`...), err
}
