package demo

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/audelor/halles/internal/calendar"
	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/tenancy"
)

// shop is what orders need to know of a shop.
type shop struct {
	commune  *commune
	trade    *trade
	id       uuid.UUID
	name     string
	siren    string
	nic      int
	status   directory.ShopStatus
	created  instant
	opensDay int // index of the first day on which it may sell
	hours    week
	pickup   *offer
	delivery *offer
	exempt   bool    // franchise en base: sells without VAT
	weight   float64 // how much it sells
	area     int     // m²
	variants []*variant
	onSale   []*variant

	calendar *calendar.Shop

	latitude, longitude float64
}

// offer is a fulfilment.
type offer struct {
	lead, minimum, fee, perimeter int

	slots int // orders that a slot takes; 0: none need be chosen
}

// makeShops makes the shops of a commune and their products.
func (c *commune) makeShops(b *batch) {
	g := c.world.plan.rng("shops", c.number())
	town := c.Population > 8000
	c.restrict(b)
	rules := c.world.rules()
	named, slugs := map[string]bool{}, map[string]bool{}
	for n := range c.quota {
		s := &shop{commune: c, trade: c.chooseTrade(g, n, town)}
		c.shops = append(c.shops, s)
		s.identify(c.world.plan.rng("shop", c.number(), uint64(n)), n, town)
		s.count(c.world.plan.rng("shop slots", c.number(), uint64(n)), c.Insee == lorient && n < 2)
		sg := c.world.plan.rng("shop rows", c.number(), uint64(n))
		s.call(sg, named)
		s.write(sg, b, unique(slug(s.name), slugs))
		s.schedule(c.world.plan.rng("shop calendar", c.number(), uint64(n)), b, rules)
		s.stock(sg, b)
	}
}

// chooseTrade gives the first shop of Lorient a bakery and the second a bookshop, which the
// demo's merchant runs; then a town has each trade once before it has one twice.
func (c *commune) chooseTrade(g *rng, n int, town bool) *trade {
	all := trades()
	if c.Insee == lorient {
		switch n {
		case 0:
			return tradeOf("boulangerie")
		case 1:
			return tradeOf("librairie")
		}
		if c.quota > 2*len(all) && n-2 < len(all) {
			return all[n-2]
		}
	}
	if n == 0 {
		return tradeOf("boulangerie")
	}
	sum := 0
	for _, t := range all {
		if town || t.village {
			sum += t.weight
		}
	}
	at := g.IntN(sum)
	for _, t := range all {
		if town || t.village {
			if at -= t.weight; at < 0 {
				return t
			}
		}
	}
	panic("weights do not add up")
}

func tradeOf(category string) *trade {
	for _, t := range trades() {
		if t.category == category {
			return t
		}
	}
	panic("no trade " + category)
}

// identify decides what a shop is; what it is called and sells comes after.
func (s *shop) identify(g *rng, n int, town bool) {
	c, w := s.commune, s.commune.world
	own := c.Insee == lorient && n < 2
	s.siren, s.nic = siren(c.first+n), 1
	if before := n - 1; n == 1 && own || n > 2 && g.chance(5) { // an enterprise with several shops
		s.siren, s.nic = c.shops[before].siren, c.shops[before].nic+1
	}
	// Nearly half came in the first month, the others over time; a young shop has no orders yet.
	opened := g.IntN(30)
	if !g.chance(45) {
		opened = g.IntN(w.today - 10)
	}
	s.status = directory.Published
	switch x := g.IntN(100); {
	case own:
		opened = 0
	case n == 0: // every commune shows something
	case x < 3:
		s.status, opened = directory.Draft, w.today-g.IntN(20)
	case x < 6:
		s.status, opened = directory.Pending, w.today-g.IntN(10)
	case x < 8:
		s.status = directory.Suspended
	}
	s.created = instant(w.days[opened].at(g.between(9*60, 11*60)))*second + g.within(0, minute)
	s.opensDay = opened + 7
	s.hours = s.trade.hours.open(g, c.Insee, town)
	s.exempt = !own && g.chance(4)
	s.weight = math.Exp(g.NormFloat64() * .8)
	s.fulfil(g, own)
	s.id = g.row(s.created)
}

func (s *shop) fulfil(g *rng, own bool) {
	t := s.trade
	lead := func(factor int) int { return max(10, g.between(t.lead[0], t.lead[1])*factor/10*10) }
	if delivers := own || g.chance(t.delivers); !delivers || g.chance(94) || own {
		s.pickup = &offer{lead: lead(1)}
		if g.chance(5) {
			s.pickup.minimum = 500
		}
		if !delivers {
			return
		}
	}
	s.delivery = &offer{
		lead: min(lead(2), 14*1440), minimum: 500 * g.between(2, 8),
		fee: pick(g, []int{0, 0, 190, 250, 290, 350, 390, 490, 590}), perimeter: 500 * g.between(4, 30),
	}
}

// count has some shops count their orders by slot; the merchant's own, those that they deliver.
func (s *shop) count(g *rng, own bool) {
	for _, o := range []*offer{s.pickup, s.delivery} {
		if n, some := g.between(2, 8), g.chance(30); o != nil && (own && o == s.delivery || !own && some) {
			o.slots = n
		}
	}
}

// call finds a name that no other shop of the commune has.
func (s *shop) call(g *rng, taken map[string]bool) {
	for try := 0; ; try++ {
		name := s.trade.called(g)
		if try > 5 {
			name += " – " + pick(g, places)
		}
		if try > 20 {
			name += fmt.Sprintf(" %d", try)
		}
		if !taken[name] {
			taken[name], s.name = true, name
			return
		}
	}
}

// called is a name that a shop of the trade may have.
func (t *trade) called(g *rng) string {
	name := pick(g, t.names)
	for strings.Contains(name, "{prenom}") {
		name = strings.Replace(name, "{prenom}", pick(g, firstNames), 1)
	}
	name = strings.ReplaceAll(name, "{nom}", pick(g, surnames))
	return contract(strings.ReplaceAll(name, "{lieu}", pick(g, places)))
}

// contractions are what French makes of a preposition before an article or a vowel.
var contractions = strings.NewReplacer(
	"de le ", "du ", " de Église", " de l'Église", "de Anaïg", "d'Anaïg", "de Annick", "d'Annick", "de Armelle", "d'Armelle", "de Aziliz", "d'Aziliz",
	"de Élouan", "d'Élouan", "de Enora", "d'Enora", "de Erwan", "d'Erwan", "de Yann", "de Yann", "de Œ", "d'Œ",
)

func contract(name string) string { return contractions.Replace(name) }

// siren is the nth fictitious SIREN: 000 000 000 to 000 999 999, which were never given out
// (those of Sirene begin at 005), with the right check digit.
func siren(n int) string { return luhn(fmt.Sprintf("000%05d", n+1)) }

// siret adds the NIC, the establishment's number in its enterprise.
func (s *shop) siret() string { return luhn(fmt.Sprintf("%s%04d", s.siren, s.nic)) }

// luhn appends the check digit.
func luhn(digits string) string {
	sum := 0
	for i := range digits {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 0 {
			d = d*2/10 + d*2%10
		}
		sum += d
	}
	return digits + string(rune('0'+(10-sum%10)%10))
}

// write writes the shop with its hours and fulfilments.
func (s *shop) write(g *rng, b *batch, slug string) {
	c, w, t := s.commune, s.commune.world, s.trade
	updated := g.within(s.created, w.now)
	// Two thirds within some 500 m of the town point, east and west further than north and south.
	east, north := max(-2, min(2, g.NormFloat64())), max(-2, min(2, g.NormFloat64()))
	s.latitude, s.longitude = round5(c.Latitude+north*.0045), round5(c.Longitude+east*.0065)
	b.shops.row().text(c.Insee).uuid(s.id).text(slug).text(s.name).
		text(strings.ReplaceAll(pick(g, t.about), "{commune}", c.Name)).
		text(t.category).text(t.naf).text("REV2").text(s.siret()).text(string(s.status)).
		text(fmt.Sprintf("%d %s", g.between(1, 88), pick(g, streets))).text(c.Postcodes[0]).text(c.Name).
		float8(s.latitude).float8(s.longitude)
	// Ranges that ARCEP keeps for fiction: 02 61 91 and 06 39 98 (plan national de numérotation).
	if g.chance(80) {
		b.shops.text(fmt.Sprintf("+3326191%04d", g.IntN(10000)))
	} else {
		b.shops.text(fmt.Sprintf("+3363998%04d", g.IntN(10000)))
	}
	host := slug + "." + c.Slug + ".example.org"
	b.shops.text("contact@" + host)
	if g.chance(45) {
		b.shops.text("https://" + host)
	} else {
		b.shops.null()
	}
	services := append([]string{"card"}, t.services[:g.IntN(len(t.services)+1)]...)
	if g.chance(30) {
		services = append(services, "loyalty-card")
	}
	var access []string
	for _, a := range []string{"step-free", "assistance-dog", "parking-nearby", "large-print", "hearing-loop", "accessible-toilet"} {
		if g.chance(35) {
			access = append(access, a)
		}
	}
	confirmed := s.status == directory.Published && g.chance(85)
	s.area = g.between(t.area[0], t.area[1])
	b.shops.texts(services).texts(access).int4(s.area).int4(g.between(t.jobs[0], t.jobs[1]))
	if confirmed {
		b.shops.at(g.within(updated, w.now))
	} else {
		b.shops.null()
	}
	b.shops.at(s.created).at(updated).int4(1)
	published := s.status == directory.Published
	for d, list := range s.hours {
		for _, i := range list {
			b.hours.row().text(c.Insee).uuid(s.id).int2(isoWeekday(time.Weekday(d))).int2(i.opens).int2(i.closes).bool(published)
		}
	}
	if o := s.pickup; o != nil {
		b.fulfilments.row().text(c.Insee).uuid(s.id).text(string(directory.Pickup)).int4(o.lead).int8(o.minimum).int8(0).null().bool(published).few(o.slots)
	}
	if o := s.delivery; o != nil {
		b.fulfilments.row().text(c.Insee).uuid(s.id).text(string(directory.Delivery)).int4(o.lead).int8(o.minimum).int8(o.fee).int4(o.perimeter).bool(published).few(o.slots)
	}
}

func isoWeekday(d time.Weekday) int { return (int(d)+6)%7 + 1 }

func round5(f float64) float64 { return math.Round(f*1e5) / 1e5 }

// slug is a name as part of a web address; all names of the generator have a letter.
func slug(name string) string { return tenancy.Slug(name, "") }

// unique adds a number to a slug that is taken.
func unique(slug string, taken map[string]bool) string {
	s := slug
	for n := 2; taken[s]; n++ {
		s = fmt.Sprintf("%s-%d", slug, n)
	}
	taken[s] = true
	return s
}
