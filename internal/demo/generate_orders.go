package demo

import (
	"sort"

	"github.com/google/uuid"

	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/ordering"
)

// contactsKept is how long an order's contact survives its end.
const contactsKept = 3 // months

// seller is how one commune's orders are spread over its days and shops.
type seller struct {
	commune *commune
	shops   []*shop // that sell
	demand  []float64
	quota   []int // orders of each day, the scripted ones not counted
	script  map[int][]scripted
}

// share spreads the plan's orders over communes and days, in proportion to what their shops
// sell, so that the numbers add up to the plan's exactly.
func (w *world) sellers() []*seller {
	var list []*seller
	total, left := 0.0, w.plan.Orders
	scripts := w.scripts()
	for _, c := range w.communes {
		s := &seller{commune: c, demand: make([]float64, w.today+1), quota: make([]int, w.today+1), script: map[int][]scripted{}}
		for _, sh := range c.shops {
			if sh.status == directory.Published && len(sh.onSale) > 0 {
				s.shops = append(s.shops, sh)
			}
		}
		for n := range s.demand {
			weights := s.weights(n)
			if len(weights) > 0 {
				s.demand[n] = weights[len(weights)-1]
			}
			total += s.demand[n]
		}
		for _, o := range scripts {
			if o.shop.commune == c && w.plan.Orders > 0 {
				n := w.dayOf(o.placed(w))
				s.script[n] = append(s.script[n], o)
				left--
			}
		}
		list = append(list, s)
	}
	sum, given := 0.0, 0
	for _, s := range list {
		for n, d := range s.demand {
			if sum += d; total > 0 {
				s.quota[n] = int(sum/total*float64(left)+1e-6) - given
				given += s.quota[n]
			}
		}
	}
	return list
}

// weights are what the shops sell on a day, summed up one after the other.
func (s *seller) weights(n int) []float64 {
	w := s.commune.world
	d := &w.days[n]
	part := 1.0
	if n == w.today {
		part = .4 // a morning
	}
	var ofSeason [flowers + 1]float64
	for i := range ofSeason {
		ofSeason[i] = season(i).weight(d, s.commune.Insee) * part
	}
	sums, sum := make([]float64, len(s.shops)), 0.0
	for i, sh := range s.shops {
		if n >= sh.opensDay {
			x := sh.weight * ofSeason[sh.trade.season]
			if len(sh.hours[d.weekday]) == 0 {
				x *= .35 // people order from closed shops, too
			}
			sum += x
		}
		sums[i] = sum
	}
	return sums
}

// dayOf is the day on which an instant falls.
func (w *world) dayOf(at instant) int {
	return sort.Search(len(w.days), func(i int) bool { return w.midnight(i) > at }) - 1
}

// midnight is the first instant of a day.
func (w *world) midnight(n int) instant { return instantOf(w.days[n].date) }

// clock is the instant of a local minute counted from the first midnight, 1440 a day.
func (w *world) clock(minutes int) instant {
	return instant(w.days[minutes/1440].at(minutes%1440)) * second
}

// order is an order in the making.
type order struct {
	shop     *shop
	id       uuid.UUID
	channel  ordering.Channel
	mode     directory.FulfilmentMode
	customer bool // the demo's customer
	minute   int  // local, when placed
	life     []event
}

type event struct {
	order  *order
	seq    int // of the order
	at     instant
	status ordering.Status
	actor  ordering.Actor
	reason ordering.Reason
}

func (o *order) last() *event { return &o.life[len(o.life)-1] }

func (o *order) final() bool {
	switch o.last().status {
	case ordering.Placed, ordering.Accepted, ordering.Ready, ordering.OutForDelivery:
		return false
	}
	return true
}

// natural makes an order of one day as people place them.
func (s *seller) natural(g *rng, n int, weights []float64) *order {
	w := s.commune.world
	at := g.Float64() * weights[len(weights)-1]
	o := &order{shop: s.shops[min(sort.SearchFloat64s(weights, at), len(s.shops)-1)]}
	o.mode = directory.Pickup
	if o.shop.pickup == nil || o.shop.delivery != nil && g.chance(38) {
		o.mode = directory.Delivery
	}
	switch x := g.IntN(100); {
	case x < 47:
		o.channel = ordering.Web
	case x < 74:
		o.channel = ordering.Widget
	case x < 89:
		o.channel = ordering.Phone
	default:
		o.channel = ordering.Counter
	}
	until := 22*60 + 30
	if n == w.today {
		until = 12*60 - 2
	}
	o.minute = o.timeOfDay(g, n, until)
	return o
}

// timeOfDay is when an order is placed: by telephone and at the counter while the shop is
// open, on the web also before and after work.
func (o *order) timeOfDay(g *rng, n, until int) int {
	w := o.shop.commune.world
	if o.channel == ordering.Phone || o.channel == ordering.Counter {
		var open []interval
		for _, i := range o.shop.hours[w.days[n].weekday] {
			if i.closes = min(i.closes, until); i.opens < i.closes-5 {
				open = append(open, i)
			}
		}
		if len(open) > 0 && !w.days[n].closed {
			i := pick(g, open)
			return n*1440 + g.between(i.opens, i.closes-1)
		}
		o.channel = ordering.Web
	}
	from, to := 10*60, 18*60
	switch x := g.IntN(100); {
	case x < 12:
		from, to = 7*60, 10*60
	case x < 50:
		from, to = 18*60, until
	}
	if to > until || from >= until {
		from, to = 7*60, until
	}
	return n*1440 + g.between(from, to)
}

// waking moves a minute of the night to the next morning: nobody answers an order at 3.
func waking(g *rng, minute int) int {
	switch clock := minute % 1440; {
	case clock < 7*60:
		return minute - clock + 7*60 + 30 + g.IntN(45)
	case clock > 22*60+15:
		return minute - clock + 1440 + 7*60 + 30 + g.IntN(45)
	}
	return minute
}

// live decides what becomes of an order; what has not happened by now is cut off, so that
// today's orders are still open.
func (o *order) live(g *rng) {
	w, s := o.shop.commune.world, o.shop
	add := func(at int, status ordering.Status, actor ordering.Actor, reason ordering.Reason) {
		e := event{order: o, seq: len(o.life) + 1, status: status, actor: actor, reason: reason}
		e.at = w.clock(at) + g.within(0, minute)
		if n := len(o.life); n > 0 && e.at <= o.life[n-1].at {
			e.at = o.life[n-1].at + g.within(5*second, 50*second)
		}
		o.life = append(o.life, e)
	}
	by := ordering.ByCustomer
	switch o.channel {
	case ordering.Counter:
		by = ordering.ByMerchant
	case ordering.Phone:
		by = pick(g, []ordering.Actor{ordering.ByMerchant, ordering.ByHotline})
	}
	at := o.minute
	add(at, ordering.Placed, by, "")
	accepted := waking(g, at+2+int(88*cube(g.Float64())))
	ready := s.hours.next(w.days, accepted+max(3, o.offer().lead*g.between(4, 11)/10))
	if o.channel == ordering.Counter {
		accepted, ready = at, at+g.between(1, 15)
	}
	switch x := g.IntN(1000); {
	case x < 12:
		add(accepted, ordering.Rejected, ordering.ByMerchant, pick(g, []ordering.Reason{ordering.OutOfStockReason, ordering.OutOfStockReason, ordering.ShopClosed, ordering.TooBusy}))
	case x < 24:
		add(at+g.between(1, 8), ordering.Cancelled, ordering.ByCustomer, pick(g, []ordering.Reason{ordering.ChangedMind, ordering.ChangedMind, ordering.OrderedTwice}))
	case x < 28:
		add(waking(g, at+360), ordering.Cancelled, ordering.BySystem, ordering.NotAcknowledged)
	default:
		add(accepted, ordering.Accepted, ordering.ByMerchant, "")
		switch {
		case x < 34:
			add(accepted+g.between(5, 30), ordering.Cancelled, ordering.ByCustomer, ordering.ChangedMind)
		case x < 40:
			add(accepted+g.between(5, 60), ordering.Cancelled, ordering.ByMerchant, pick(g, []ordering.Reason{ordering.OutOfStockReason, ordering.Unreachable}))
		default:
			add(ready, ordering.Ready, ordering.ByMerchant, "")
			o.handOver(g, ready, x < 62, add)
		}
	}
	o.settle(g)
}

func (o *order) handOver(g *rng, ready int, noShow bool, add func(int, ordering.Status, ordering.Actor, ordering.Reason)) {
	w, s := o.shop.commune.world, o.shop
	switch {
	case o.mode == directory.Delivery:
		out := waking(g, ready+g.between(8, 120))
		add(out, ordering.OutForDelivery, ordering.ByMerchant, "")
		add(out+g.between(8, 70), ordering.Delivered, ordering.ByMerchant, "")
	case noShow && o.channel != ordering.Counter:
		by := ordering.ByMerchant
		if g.chance(30) {
			by = ordering.BySystem
		}
		add(s.hours.next(w.days, ready+20*60), ordering.NoShow, by, ordering.NotCollected)
	case o.channel == ordering.Counter:
		add(ready+g.between(1, 20), ordering.Collected, ordering.ByMerchant, "")
	default:
		add(s.hours.next(w.days, ready+10+int(900*cube(g.Float64()))), ordering.Collected, ordering.ByMerchant, "")
	}
}

func cube(x float64) float64 { return x * x * x }

func (o *order) offer() *offer {
	if o.mode == directory.Delivery {
		return o.shop.delivery
	}
	return o.shop.pickup
}

// openFor is how old an order can be that is still open.
const openFor = 24 * hour

// settle cuts off what has not happened yet; an order that would be open for longer than a
// day was brought to its end faster.
func (o *order) settle(g *rng) {
	now, placed := o.shop.commune.world.now, o.life[0].at
	if end := o.last().at; end >= now && placed < now-openFor {
		span := now - placed - g.within(minute, 3*hour)
		for i := range o.life[1:] {
			e := &o.life[i+1]
			e.at = placed + instant(float64(e.at-placed)*float64(span)/float64(end-placed))
			e.at = max(e.at, o.life[i].at+second)
		}
	}
	for i, e := range o.life {
		if e.at >= now {
			o.life = o.life[:i]
			break
		}
	}
}

// scripted is an order that the demo's people need, whatever chance makes of the others.
type scripted struct {
	shop     *shop
	status   ordering.Status
	age      instant // before now
	customer bool    // the demo's
}

func (o scripted) placed(w *world) instant { return w.now - o.age }

// ways leads to each status; what is not here ends after PLACED.
var ways = map[ordering.Status][]ordering.Status{
	ordering.Accepted:       {ordering.Accepted},
	ordering.Ready:          {ordering.Accepted, ordering.Ready},
	ordering.OutForDelivery: {ordering.Accepted, ordering.Ready, ordering.OutForDelivery},
	ordering.Collected:      {ordering.Accepted, ordering.Ready, ordering.Collected},
	ordering.Delivered:      {ordering.Accepted, ordering.Ready, ordering.OutForDelivery, ordering.Delivered},
	ordering.NoShow:         {ordering.Accepted, ordering.Ready, ordering.NoShow},
	ordering.Cancelled:      {ordering.Cancelled},
	ordering.Rejected:       {ordering.Rejected},
}

// scripts give the merchant's two shops open orders in each status and one ended in each way,
// and the customer orders in two communes, some of them open.
func (w *world) scripts() []scripted {
	const day = 24 * hour
	shops := w.commune(lorient).shops
	var list []scripted
	for _, s := range shops[:min(2, len(shops))] {
		for _, o := range []struct {
			status ordering.Status
			age    instant
		}{
			{ordering.Placed, 6 * minute},
			{ordering.Placed, 19 * minute},
			{ordering.Placed, 43 * minute},
			{ordering.Accepted, 70 * minute},
			{ordering.Accepted, 95 * minute},
			{ordering.Ready, 150 * minute},
			{ordering.Ready, 190 * minute},
			{ordering.OutForDelivery, 170 * minute},
			{ordering.Collected, 26 * hour},
			{ordering.Delivered, 2 * day},
			{ordering.Rejected, 3 * day},
			{ordering.Cancelled, 4 * day},
			{ordering.NoShow, 5 * day},
		} {
			list = append(list, scripted{shop: s, status: o.status, age: o.age})
		}
		list = append(list,
			scripted{s, ordering.Ready, 110 * minute, true}, scripted{s, ordering.Placed, 25 * minute, true},
			scripted{s, ordering.Collected, 12 * day, true}, scripted{s, ordering.Collected, 45 * day, true})
	}
	for _, c := range w.communes {
		if c.Insee == lorient || len(c.shops) == 0 || c.Population < 18000 || c.shops[0].opensDay > w.today-210 {
			continue
		}
		s := c.shops[0]
		return append(list,
			scripted{s, ordering.Accepted, 80 * minute, true}, scripted{s, ordering.Collected, 30 * day, true},
			scripted{s, ordering.Cancelled, 60 * day, true}, scripted{s, ordering.Collected, 200 * day, true})
	}
	return list
}

// order plays a script.
func (o scripted) order(g *rng, w *world) *order {
	made := &order{shop: o.shop, customer: o.customer, channel: ordering.Web, mode: directory.Pickup}
	switch {
	case o.status == ordering.Delivered || o.status == ordering.OutForDelivery || o.shop.pickup == nil:
		made.mode = directory.Delivery
	case !o.customer:
		made.channel = pick(g, []ordering.Channel{ordering.Web, ordering.Widget, ordering.Phone})
	}
	placed := o.placed(w)
	way := ways[o.status]
	step := min(45*minute, o.age/instant(len(way)+2))
	by := ordering.ByCustomer
	if made.channel == ordering.Phone {
		by = ordering.ByHotline
	}
	made.life = []event{{order: made, seq: 1, at: placed + g.within(0, second), status: ordering.Placed, actor: by}}
	for i, status := range way {
		e := event{order: made, seq: i + 2, status: status, actor: ordering.ByMerchant}
		e.at = placed + step*instant(i+1) + g.within(0, second)
		switch status {
		case ordering.Rejected:
			e.reason = ordering.OutOfStockReason
		case ordering.NoShow:
			e.reason = ordering.NotCollected
		case ordering.Cancelled:
			e.actor, e.reason = ordering.ByCustomer, ordering.ChangedMind
		}
		made.life = append(made.life, e)
	}
	return made
}
