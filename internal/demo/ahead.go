package demo

import (
	"slices"

	"github.com/audelor/halles/migrations"
)

// ahead is the rows of a small plan, made while Postgres is being set up: initdb and the
// migrations keep one processor busy, and the generator, which asks no database, takes the other.
// It takes the communes from the migration that writes them; were they others in the database
// in the end, all of it would be thrown away.
type ahead struct {
	plan    Plan
	world   *world
	shops   map[*commune]*batch
	sellers []*seller
	orders  map[*seller]madeOrders
	done    chan struct{} // closed when the rest may be read
}

type madeOrders struct {
	batch  *batch
	orders int
	seq    int // of the last event
}

// small tells whether all rows may lie in memory at once: 50 MB for 20,000 orders.
func (p Plan) small() bool { return p.Shops <= 1000 && p.Orders <= 50_000 }

// makeAhead begins to make the plan's rows. It returns nil for a plan that is too large or that
// Fill refuses.
func makeAhead(p Plan) *ahead {
	rows, err := migrations.Communes()
	if err != nil || !p.small() || len(p.Mistakes()) > 0 {
		return nil
	}
	a := &ahead{plan: p, shops: map[*commune]*batch{}, orders: map[*seller]madeOrders{}, done: make(chan struct{})}
	go func() {
		defer close(a.done)
		var communes []*commune
		for _, r := range rows {
			communes = append(communes, &commune{
				Insee: r.Insee, Slug: r.Slug, Name: r.Name, Postcodes: r.Postcodes, Population: r.Population, Latitude: r.Latitude, Longitude: r.Longitude,
			})
		}
		a.world = newWorld(p, communes)
		for _, c := range communes {
			a.shops[c] = newBatch()
			c.makeShops(a.shops[c])
			c.makeDossiers(a.shops[c])
		}
		a.sellers = a.world.sellers()
		for _, s := range a.sellers {
			var made madeOrders
			made.seq, _ = s.orders(func(b *batch, n int) error { // fails with its callback only
				made.batch = b
				made.orders += n
				return nil
			})
			a.orders[s] = made
		}
	}()
	return a
}

// worldOf is the world that was made, or nil when it is not one of this plan and these communes.
func (a *ahead) worldOf(p Plan, communes []*commune) *world {
	if a == nil {
		return nil
	}
	<-a.done
	same := func(x, y *commune) bool {
		return x.Insee == y.Insee && x.Slug == y.Slug && x.Name == y.Name && slices.Equal(x.Postcodes, y.Postcodes) &&
			x.Population == y.Population && x.Latitude == y.Latitude && x.Longitude == y.Longitude
	}
	if a.plan != p || !slices.EqualFunc(a.world.communes, communes, same) {
		return nil
	}
	return a.world
}

// shopsOf are a commune's shops and products.
func (a *ahead) shopsOf(c *commune) *batch {
	if a != nil {
		return a.shops[c]
	}
	b := newBatch()
	c.makeShops(b)
	c.makeDossiers(b)
	return b
}

// sellersOf are the world's sellers. All shops must have been made.
func (a *ahead) sellersOf(w *world) []*seller {
	if a != nil {
		return slices.Clone(a.sellers)
	}
	return w.sellers()
}

// ordersOf hands a seller's orders over: those made, or in chunks as they are made.
func (a *ahead) ordersOf(s *seller, take func(b *batch, orders int) error) (seq int, err error) {
	if a != nil {
		made := a.orders[s]
		return made.seq, take(made.batch, made.orders)
	}
	return s.orders(take)
}
