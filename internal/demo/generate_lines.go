package demo

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/ordering"
)

// day makes a commune's orders of one day and returns their events, unsorted.
func (s *seller) day(n int, b *batch, events []event, numbers *numbers) []event {
	w := s.commune.world
	g := w.plan.rng("orders", s.commune.number(), uint64(n))
	for _, o := range s.script[n] {
		made := o.order(g, w)
		made.write(g, b, numbers)
		events = append(events, made.life...)
	}
	if s.quota[n] == 0 {
		return events
	}
	weights := s.weights(n)
	for range s.quota[n] {
		o := s.natural(g, n, weights)
		o.live(g)
		o.write(g, b, numbers)
		events = append(events, o.life...)
	}
	return events
}

// lineCounts is how often an order has 1, 2 … 6 lines, in percent: 2.5 on average.
var lineCounts = [...]int{28, 30, 20, 12, 6, 4}

type line struct {
	*variant
	quantity int
}

// fill puts goods into an order: what is dear once, bread and oranges by the handful.
func (o *order) fill(g *rng) []line {
	s := o.shop
	want, x := 1, g.IntN(100)
	for x >= lineCounts[want-1] {
		x -= lineCounts[want-1]
		want++
	}
	want = min(want, len(s.onSale))
	lines := make([]line, 0, want)
next:
	for len(lines) < want {
		x := g.Float64()
		v := s.onSale[int(x*x*float64(len(s.onSale)))] // the first ones sell best
		for _, l := range lines {
			if l.variant == v {
				continue next
			}
		}
		quantity := 1
		if v.cents < 1500 {
			quantity += int(3.5 * cube(g.Float64()))
		}
		lines = append(lines, line{v, quantity})
	}
	return lines
}

func total(lines []line) (cents, pieces int) {
	for _, l := range lines {
		cents += l.quantity * l.cents
		pieces += l.quantity
	}
	return cents, pieces
}

// buyer is the commune where the customer lives: most buy where they live or nearby, some come from
// Vannes, and some do not say. It is drawn from the order's id, so that it moves nothing else.
func (o *order) buyer() string {
	communes := o.shop.commune.world.communes
	switch draw := o.id[15] % 20; {
	case draw < 12:
		return o.shop.commune.Insee
	case draw < 17:
		return communes[int(o.id[14])%len(communes)].Insee
	case draw < 18:
		return "56260"
	}
	return ""
}

// write writes an order with its lines, contact and stock moves.
func (o *order) write(g *rng, b *batch, numbers *numbers) {
	s := o.shop
	c, w := s.commune, s.commune.world
	placed, last := o.life[0].at, o.last()
	o.id = g.row(placed)
	lines := o.fill(g)
	for {
		cents, _ := total(lines)
		if cents >= o.offer().minimum {
			break
		}
		lines[0].quantity++
	}
	cents, pieces := total(lines)
	fee := 0
	if o.mode == directory.Delivery {
		fee = o.offer().fee
	}
	forgotten := o.final() && last.at < monthsBefore(w, contactsKept)
	b.orders.row().text(c.Insee).uuid(o.id).uuid(s.id).text(numbers.next()).text(string(o.channel)).text(string(o.mode)).
		text(string(last.status)).int4(len(o.life))
	if o.customer {
		b.orders.uuid(cast[0].account()).text(cast[0].account().String())
	} else {
		b.orders.null().text("guest")
	}
	b.orders.text(fmt.Sprintf("%016x%016x", g.Uint64(), g.Uint64())).int8(cents).int8(fee).int4(pieces).
		text(pickupCode(g)).some(string(last.reason))
	if !forgotten && g.chance(5) {
		b.orders.text(pick(g, notes))
	} else {
		b.orders.null()
	}
	b.orders.at(placed).at(last.at)
	if slot := o.slot(); slot != nil {
		b.orders.at(instantOf(slot.Start)).at(instantOf(slot.End))
	} else {
		b.orders.null().null()
	}
	b.orders.some(o.buyer())

	returned := last.status == ordering.Rejected || last.status == ordering.Cancelled || last.status == ordering.NoShow
	for i, l := range lines {
		b.lines.row().text(c.Insee).uuid(o.id).int2(i + 1).uuid(l.id).text(l.name).text(l.option).
			int4(l.quantity).int8(l.cents).int4(l.vat)
		b.moves.row().text(c.Insee).uuid(g.row(placed)).uuid(l.id).uuid(o.id).text("ORDERED").int4(-l.quantity).at(placed)
		if returned {
			b.moves.row().text(c.Insee).uuid(g.row(last.at)).uuid(l.id).uuid(o.id).text("RETURNED").int4(l.quantity).at(last.at)
			l.returned += l.quantity
		} else {
			l.sold += l.quantity
		}
	}
	o.writeContact(g, b, forgotten)
}

func (o *order) writeContact(g *rng, b *batch, forgotten bool) {
	b.contacts.row().text(o.shop.commune.Insee).uuid(o.id)
	name := pick(g, firstNames) + " " + pick(g, surnames)
	phone := fmt.Sprintf("+3363998%04d", g.IntN(10000)) // kept for fiction, as the shops' are
	email := slug(name) + "@example.org"
	switch {
	case forgotten:
		b.contacts.null().null().null()
	case o.customer:
		b.contacts.text(cast[0].name).text("+33639981234").text(cast[0].email())
	case o.channel == ordering.Counter || o.channel == ordering.Phone:
		b.contacts.text(name).text(phone).null()
	default:
		b.contacts.text(name).text(phone).text(email)
	}
	if forgotten || o.mode != directory.Delivery {
		b.contacts.null().null().null().null().null()
		return
	}
	// A door within the perimeter and, as the city is the shop's, not far from it. Drawn apart, so
	// that it changes nothing of the orders that follow.
	c := o.shop.commune
	door := c.world.plan.rng("door", binary.BigEndian.Uint64(o.id[:8]), binary.BigEndian.Uint64(o.id[8:]))
	metres, angle := float64(min(o.offer().perimeter*9/10, 1500))*math.Sqrt(door.Float64()), 2*math.Pi*door.Float64()
	const degree = 111_320. // metres, of latitude
	b.contacts.text(fmt.Sprintf("%d %s", door.between(1, 88), pick(door, streets))).text(c.Postcodes[0]).text(c.Name).
		float8(round5(o.shop.latitude + metres*math.Cos(angle)/degree)).
		float8(round5(o.shop.longitude + metres*math.Sin(angle)/degree/math.Cos(o.shop.latitude*math.Pi/180)))
}

func monthsBefore(w *world, n int) instant {
	y, m, d := w.days[w.today].date.Date()
	return instantOf(time.Date(y, m-time.Month(n), d, 12, 0, 0, 0, paris()))
}

// pickupCode is three consonants and three digits, as ordering draws them.
func pickupCode(g *rng) string {
	const consonants = "CDFGHJKLMNPRTVWX"
	c := func() byte { return consonants[g.IntN(len(consonants))] }
	return fmt.Sprintf("%c%c%c%03d", c(), c(), c(), g.IntN(1000))
}

// numbers gives a commune's orders eight letters each that tell nothing of how many there
// are and never come twice: a counter, put through a permutation of 40 bits.
type numbers struct{ key, count uint64 }

func (n *numbers) next() string {
	const (
		bits    = 40
		mask    = 1<<bits - 1
		letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ" // Crockford's
	)
	x := n.count
	n.count++
	for range 3 { // each step can be undone: no two numbers meet
		x = (x + n.key) & mask
		x = x * 0x9e3779b97f4a7c15 & mask
		x ^= x >> 19
	}
	var s [bits / 5]byte
	for i := range s {
		s[i] = letters[x>>(5*i)&31]
	}
	return string(s[:])
}
