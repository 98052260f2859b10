package demo

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/audelor/halles/internal/identity"
)

// Plan says what to make. The same plan gives the same rows, byte for byte, on any number of
// connections: nothing else is read, no clock and no chance.
type Plan struct {
	Shops  int // over all communes; 10 or more
	Orders int // over the 24 months before Today; none, or 100 or more
	Seed   uint64
	Today  time.Time // the day in Europe/Paris; it is noon there
	Issuer string    // who names the accounts
}

// minShops and minOrders are what the demo's people need to have something to do.
const minShops, minOrders = 10, 100

// Mistakes says what is wrong with the plan, a sentence each.
func (p Plan) Mistakes() (wrong []string) {
	if p.Shops < minShops || p.Shops > 50_000 {
		wrong = append(wrong, fmt.Sprintf("%d shops: ask for %d to 50,000.", p.Shops, minShops))
	}
	if p.Orders != 0 && p.Orders < minOrders || p.Orders > 50_000_000 {
		wrong = append(wrong, fmt.Sprintf("%d orders: ask for none, or for %d to 50,000,000.", p.Orders, minOrders))
	}
	return wrong
}

// now is the instant at which the demo's world stands.
func (p Plan) now() time.Time {
	y, m, d := p.Today.In(paris()).Date()
	return time.Date(y, m, d, 12, 0, 0, 0, paris())
}

// start is the day on which the platform opened.
func (p Plan) start() time.Time {
	y, m, d := p.Today.In(paris()).Date()
	return time.Date(y, m-24, d, 0, 0, 0, 0, paris())
}

// People are the demo's accounts.
type People struct {
	Accounts map[string]Subject // of customer, merchant, agent, hotline, analyst, admin
}

// Subject is an account's name at the issuer (claim "sub").
type Subject string

// person is one of the demo's accounts.
type person struct {
	who   string
	name  string
	grant identity.Kind // none for the customer
	label string
}

// cast are the demo's people: the merchant runs two shops of Lorient, the agent works for
// Lorient and Larmor-Plage.
var cast = []person{
	{"customer", "Soizic Le Nœud", "", "Cliente avec un compte"},
	{"merchant", "Erwan Kerloc'h", identity.Merchant, "Commerçant de deux boutiques de Lorient"},
	{"agent", "Katell Évanno", identity.Agent, "Agente de Lorient et de Larmor-Plage"},
	{"hotline", "Samir Daniélou", identity.Hotline, "Opérateur du numéro vert"},
	{"analyst", "Mathilde Jégo", identity.Analyst, "Analyste d’AudéLor"},
	{"admin", "Yann Trébuil", identity.Admin, "Administrateur de la plateforme"},
}

const (
	lorient     = "56121"
	larmorPlage = "56107"
)

func (p person) subject() Subject { return Subject("demo-" + p.who) }

func (p person) email() string { return slug(p.name) + "@example.org" }

// account is the person's key: no chance in it, so that it is the same for every plan.
func (p person) account() uuid.UUID {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte("halles demo account "+p.who))
}

// Role is one of the demo's people, as a menu offers it.
type Role struct {
	Who     string // a key of People.Accounts
	Subject Subject
	Name    string
	Email   string
	Label   string // in French: what the person does here
}

// Roles are the demo's people, in the order of a menu.
func Roles() []Role {
	var roles []Role
	for _, p := range cast {
		roles = append(roles, Role{p.who, p.subject(), p.name, p.email(), p.label})
	}
	return roles
}

// peopleOf are the accounts that Fill makes.
func peopleOf(Plan) People {
	people := People{Accounts: map[string]Subject{}}
	for _, p := range cast {
		people.Accounts[p.who] = p.subject()
	}
	return people
}

// instant is microseconds since 1970, as exact as Postgres keeps time.
type instant int64

const (
	second instant = 1_000_000
	minute         = 60 * second
	hour           = 60 * minute
)

func instantOf(t time.Time) instant { return instant(t.UnixMicro()) }

// rng is chance that repeats: one for each commune, shop or day of a commune, so that the order
// in which they are made does not matter.
type rng struct{ *rand.Rand }

// rng draws from the seed and what the numbers are for.
func (p Plan) rng(purpose string, of ...uint64) *rng {
	x := p.Seed
	for _, c := range []byte(purpose) {
		x = mix(x ^ uint64(c))
	}
	for _, n := range of {
		x = mix(x ^ n)
	}
	return &rng{rand.New(rand.NewPCG(x, mix(x)))}
}

// mix is the finaliser of splitmix64: near seeds give far numbers.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func (g *rng) chance(percent int) bool { return g.IntN(100) < percent }

// between includes both ends.
func (g *rng) between(from, to int) int { return from + g.IntN(to-from+1) }

func pick[T any](g *rng, list []T) T { return list[g.IntN(len(list))] }

// within is an instant of a span.
func (g *rng) within(from, to instant) instant {
	if to <= from {
		return from
	}
	return from + instant(g.Int64N(int64(to-from)))
}

// row is the key of a row made at an instant: a UUIDv7 (RFC 9562, 5.7).
func (g *rng) row(at instant) uuid.UUID {
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[:8], uint64(at/1000)<<16|0x7000|g.Uint64()>>52)
	binary.BigEndian.PutUint64(id[8:], g.Uint64()>>2|1<<63)
	return id
}

// commune is a commune as the database has it, with its part of the plan.
type commune struct {
	Insee      string
	Slug       string
	Name       string
	Postcodes  []string
	Population int
	Latitude   float64
	Longitude  float64
	first      int // number of its first shop, over all communes
	quota      int // of shops
	shops      []*shop
	world      *world
}

func (c *commune) number() uint64 {
	var n uint64
	for _, d := range []byte(c.Insee) {
		n = n<<8 | uint64(d)
	}
	return n
}

// world is all that is made, but for what is written and forgotten.
type world struct {
	plan     Plan
	now      instant
	days     []day
	today    int // index of Today
	communes []*commune
}

func newWorld(p Plan, communes []*commune) *world {
	start := p.start()
	w := &world{plan: p, now: instantOf(p.now()), communes: communes, days: days(start, p.now())}
	w.today = slices.IndexFunc(w.days, func(d day) bool { return sameDay(d.date, p.now()) })
	w.share()
	return w
}

// share gives each commune its number of shops: one each while there are enough, the rest by
// population, to the largest remainders.
func (w *world) share() {
	people := 0
	bySize := slices.Clone(w.communes)
	slices.SortStableFunc(bySize, func(a, b *commune) int { return b.Population - a.Population })
	for _, c := range bySize {
		people += c.Population
		c.world = w
	}
	rest := w.plan.Shops
	if rest >= len(bySize) {
		for _, c := range bySize {
			c.quota = 1
		}
		rest -= len(bySize)
	}
	given := 0
	for _, c := range bySize {
		n := rest * c.Population / people
		c.quota += n
		given += n
	}
	slices.SortStableFunc(bySize, func(a, b *commune) int {
		return rest*b.Population%people - rest*a.Population%people
	})
	for i := range rest - given {
		bySize[i%len(bySize)].quota++
	}
	first := 0
	for _, c := range w.communes {
		c.first = first
		first += c.quota
	}
}

func (w *world) commune(insee string) *commune {
	for _, c := range w.communes {
		if c.Insee == insee {
			return c
		}
	}
	return nil
}
