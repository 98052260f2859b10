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
	plan  Plan
	world *world
	rows  map[string][]*rows // by table; those of each commune in the order of the primary key, as Postgres best builds indexes from
	heads map[string]int     // number of the last event, by commune
	done  chan struct{}      // closed when the rest may be read
}

// small tells whether all rows may lie in memory at once: 50 MB for 20,000 orders.
func (p Plan) small() bool { return p.Shops <= 1000 && p.Orders <= 50_000 }

// makeAhead begins to make the plan's rows. It returns nil for a plan that is too large or that
// Fill refuses.
func makeAhead(p Plan) *ahead {
	listed, err := migrations.Communes()
	if err != nil || !p.small() || len(p.Mistakes()) > 0 {
		return nil
	}
	a := &ahead{plan: p, rows: map[string][]*rows{}, heads: map[string]int{}, done: make(chan struct{})}
	go func() {
		defer close(a.done)
		var communes []*commune
		for _, r := range listed {
			communes = append(communes, &commune{
				Insee: r.Insee, Slug: r.Slug, Name: r.Name, Postcodes: r.Postcodes, Population: r.Population, Latitude: r.Latitude, Longitude: r.Longitude,
			})
		}
		a.world = newWorld(p, communes)
		var batches []*batch
		for _, c := range communes {
			batches = append(batches, c.makeAll())
		}
		for _, s := range a.world.sellers() {
			a.heads[s.commune.Insee], _ = s.orders(func(b *batch, _ int) error { // fails with its callback only
				batches = append(batches, b)
				return nil
			})
		}
		for _, b := range append(batches, a.world.people()) {
			a.add(b)
		}
	}()
	return a
}

func (a *ahead) add(b *batch) {
	for _, r := range b.all() {
		if len(r.starts) > 0 {
			r.sort()
			a.rows[r.table] = append(a.rows[r.table], r)
		}
	}
}

// few are the tables with so few rows that their indexes take them in one after the other: of a usual
// demo 13 of 23, with three thousand rows at most.
func (a *ahead) few() (tables []string) {
	if a == nil {
		return nil
	}
	for _, l := range loaded {
		if l.columns != "" && a.size(l.table) < 256<<10 {
			tables = append(tables, l.table)
		}
	}
	return tables
}

// size is how many bytes a table's rows have.
func (a *ahead) size(table string) (bytes int) {
	for _, r := range a.rows[table] {
		bytes += len(r.buf)
	}
	return bytes
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
