package demo

import (
	"fmt"

	"github.com/google/uuid"

	"github.com/audelor/halles/internal/catalog"
	"github.com/audelor/halles/internal/directory"
)

// variant is what orders need to know of a variant, and what they did to its stock.
type variant struct {
	id       uuid.UUID
	name     string // of the product
	option   string
	cents    int
	vat      int
	stock    int // at the end
	sold     int // taken by orders and not given back
	returned int // taken and given back
	created  instant
}

// stock makes the products of a shop: some 40 of its trade's catalogue, at its own prices.
func (s *shop) stock(g *rng, b *batch) {
	c, w, t := s.commune, s.commune.world, s.trade
	number := min(g.between(36, 46), len(t.products))
	slugs := map[string]bool{}
	level := .92 + g.Float64()*.2 // dear or cheap
	for n, at := range g.Perm(len(t.products))[:number] {
		p := &t.products[at]
		created := g.within(s.created, min(s.created+3*24*hour, w.now))
		id := g.row(created)
		status := catalog.Active
		switch x := g.IntN(100); {
		case n < 6: // every shop sells something
		case x < 3:
			status = catalog.Draft
		case x < 7:
			status = catalog.Archived
		}
		published := status == catalog.Active && s.status == directory.Published
		name := p.name
		if g.IntN(400) == 0 {
			name += pick(g, []string{" 🎁", " ❤️", " 🌊", " ✨"})
		}
		b.products.row().text(c.Insee).uuid(id).uuid(s.id).text(unique(slug(name), slugs)).text(name).text(pick(g, t.words)).
			text(t.category).text(string(status)).bool(published).at(created).at(g.within(created, w.now)).int4(1)
		for i, f := range p.forms {
			v := &variant{id: g.row(created), name: name, option: f.value, cents: price(f.cents, level), vat: p.vat, created: created}
			if s.exempt {
				v.vat = 0
			}
			if !g.chance(4) {
				v.stock = g.between(t.stock[0], t.stock[1])
			}
			b.variants.row().text(c.Insee).uuid(v.id).uuid(id).uuid(s.id).int2(i + 1).
				text(fmt.Sprintf("%.3s-%03d-%d", slug(t.category), n+1, i+1)).text(p.option).text(f.value).
				int8(v.cents).int4(v.vat).int4(v.stock).bool(published).int4(1)
			s.variants = append(s.variants, v)
			if published {
				s.onSale = append(s.onSale, v)
			}
		}
	}
}

// price is a catalogue price at a shop's level, rounded as shops round: to 5 cents, then to
// 10, then to the euro less ten cents or to the euro, as the catalogue has it.
func price(cents int, level float64) int {
	c := int(float64(cents)*level + .5)
	switch {
	case cents%500 == 0 && cents >= 3000 || c >= 20000:
		return (c + 50) / 100 * 100
	case c < 200:
		return max(5, (c+2)/5*5)
	case c < 2000:
		return (c + 5) / 10 * 10
	}
	return (c+50)/100*100 - 10
}

// ledger writes how the stock came to be what it is: received when the product was made, for
// all orders since; and where orders that were given back would have taken more than there
// was, received too, and written off at an inventory.
func (s *shop) ledger(g *rng, b *batch) {
	c, w := s.commune, s.commune.world
	for _, v := range s.variants {
		lost := 0
		if v.returned > v.stock {
			lost = v.returned
		}
		if n := v.stock + v.sold + lost; n > 0 {
			b.moves.row().text(c.Insee).uuid(g.row(v.created)).uuid(v.id).null().text("RECEIVED").int4(n).at(v.created)
		}
		if lost > 0 {
			b.moves.row().text(c.Insee).uuid(g.row(w.now)).uuid(v.id).null().text("CORRECTED").int4(-lost).at(w.now)
		}
	}
}
