package insight

import (
	"cmp"
	"slices"

	"github.com/google/uuid"

	"github.com/audelor/halles/internal/insight/secrecy"
)

// all stands in a published row for every commune, sector or mode.
const all = "*"

// modes are the cube's.
var modes = []string{"PICKUP", "DELIVERY"}

// maxSectors bounds the cube's sectors: the more there are, the more must be hidden.
const maxSectors = 10

// medianShops is from how many active shops on their median is published: of three it is the
// figure of one.
const medianShops = 10

// contribution is what a shop sold in a month, by one mode.
type contribution struct {
	CommuneID string
	ShopID    uuid.UUID
	Mode      string
	Sector    string
	Siren     string
	Orders    int64
	Items     int64
	Gross     int64 `db:"gross_cents"`
	VAT       int64 `db:"vat_cents"`
}

// values are the measures of the cube, revenue first: what a cell weighs. One pattern hides all.
func (c contribution) values() []int64 { return []int64{c.Gross, c.Orders, c.Items, c.Gross - c.VAT} }

// place is where shops of a kind are, whether or not they sold anything.
type place struct{ CommuneID, Sector, Mode string }

// cell is a row of insight.cells. Of a hidden one only the reason is written.
type cell struct {
	commune, sector, mode string
	hidden                secrecy.Reason
	orders, gross, net    int64
	items                 int64
	shops, enterprises    int
	median                *int // orders by active shop, in tenths
}

// cube is a month's table and what its indexes stand for.
type cube struct {
	communes, sectors []string
	table             *secrecy.Table
	shops             map[[3]int]map[uuid.UUID]int64 // orders of each active shop, by cell
}

func newCube(communes, sectors []string, places []place, list []contribution) *cube {
	c := &cube{communes: communes, sectors: sectors, table: secrecy.New(4, len(communes), len(sectors), len(modes)), shops: map[[3]int]map[uuid.UUID]int64{}}
	for _, p := range places {
		c.table.Exist(c.at(p.CommuneID, p.Sector, p.Mode)...)
	}
	for _, x := range list {
		at := c.at(x.CommuneID, x.Sector, x.Mode)
		c.table.Add(x.Siren, x.values(), at...)
		if x.Orders == 0 {
			continue
		}
		for mask := range 8 {
			key := [3]int(at)
			for k := range key {
				if mask>>k&1 == 1 {
					key[k] = secrecy.Total
				}
			}
			if c.shops[key] == nil {
				c.shops[key] = map[uuid.UUID]int64{}
			}
			c.shops[key][x.ShopID] += x.Orders
		}
	}
	return c
}

// at is the indexes of a commune, a sector and a mode; of a sector that is not one of the cube's,
// those of the last, "autres".
func (c *cube) at(commune, sector, mode string) []int {
	s := slices.Index(c.sectors, sector)
	if s < 0 && sector != all {
		s = len(c.sectors) - 1
	}
	return []int{slices.Index(c.communes, commune), s, slices.Index(modes, mode)} // -1 is Total
}

// cells are the rows to publish, totals included.
func (c *cube) cells() []cell {
	var list []cell
	for _, commune := range append(slices.Clone(c.communes), all) {
		for _, sector := range append(slices.Clone(c.sectors), all) {
			for _, mode := range append(slices.Clone(modes), all) {
				at := c.at(commune, sector, mode)
				sum := c.table.At(at...)
				row := cell{commune: commune, sector: sector, mode: mode, hidden: sum.Hidden}
				if sum.Hidden == secrecy.None {
					active := c.shops[[3]int(at)]
					row.gross, row.orders, row.items, row.net = sum.Values[0], sum.Values[1], sum.Values[2], sum.Values[3]
					row.shops, row.enterprises, row.median = len(active), sum.Units, median(active)
				}
				list = append(list, row)
			}
		}
	}
	return list
}

// median is of the orders of active shops, in tenths; nil of too few.
func median(active map[uuid.UUID]int64) *int {
	if len(active) < medianShops {
		return nil
	}
	orders := make([]int64, 0, len(active))
	for _, n := range active {
		orders = append(orders, n)
	}
	slices.Sort(orders)
	m := int(5 * (orders[(len(orders)-1)/2] + orders[len(orders)/2]))
	return &m
}

// key is a contribution's place in a month.
type key struct {
	shop uuid.UUID
	mode string
}

// safe tells whether a difference may be published: who is behind it are three or more, and none is
// behind more than 85 % of it, in any measure.
func safe(before, after []contribution) bool {
	changed := map[string][4]int64{}
	sum := [4]int64{}
	old := map[key]contribution{}
	for _, c := range before {
		old[key{c.ShopID, c.Mode}] = c
	}
	count := func(siren string, a, b []int64) {
		own := changed[siren]
		some := false
		for m := range own {
			d := max(a[m]-b[m], b[m]-a[m])
			own[m], sum[m], some = own[m]+d, sum[m]+d, some || d > 0
		}
		if some {
			changed[siren] = own
		}
	}
	for _, c := range after {
		k := key{c.ShopID, c.Mode}
		count(c.Siren, c.values(), old[k].values())
		delete(old, k)
	}
	for _, c := range old {
		count(c.Siren, c.values(), contribution{}.values())
	}
	if len(changed) < secrecy.MinUnits {
		return false
	}
	for _, own := range changed {
		for m, d := range own {
			if d*100 > sum[m]*secrecy.MaxShare {
				return false
			}
		}
	}
	return true
}

// revised is the published contributions of a month with what changed since, cell by cell: in a cell
// where the difference may not be published, nothing did. Then no difference of two versions, of a
// cell or a total, tells of fewer than three.
func revised(published, now []contribution) (list []contribution, changed bool) {
	type inner struct{ commune, sector, mode string }
	sector := map[uuid.UUID]string{} // a shop stays where it was published
	for _, c := range published {
		sector[c.ShopID] = c.Sector
	}
	before, after := map[inner][]contribution{}, map[inner][]contribution{}
	for _, c := range published {
		k := inner{c.CommuneID, c.Sector, c.Mode}
		before[k] = append(before[k], c)
	}
	for _, c := range now {
		if s, ok := sector[c.ShopID]; ok {
			c.Sector = s
		}
		k := inner{c.CommuneID, c.Sector, c.Mode}
		after[k] = append(after[k], c)
	}
	cells := map[inner]bool{}
	for k := range before {
		cells[k] = true
	}
	for k := range after {
		cells[k] = true
	}
	for k := range cells {
		if safe(before[k], after[k]) {
			list, changed = append(list, after[k]...), true
		} else {
			list = append(list, before[k]...)
		}
	}
	slices.SortFunc(list, func(a, b contribution) int {
		return cmp.Or(cmp.Compare(a.CommuneID, b.CommuneID), slices.Compare(a.ShopID[:], b.ShopID[:]), cmp.Compare(a.Mode, b.Mode))
	})
	return list, changed
}
