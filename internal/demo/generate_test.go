package demo

import (
	"testing"
	"time"
)

// tiny is a world of two communes, busy enough that every turn of an order's life occurs often.
func tiny(t *testing.T) (*world, []*seller) {
	t.Helper()
	p := small
	p.Shops, p.Orders = 120, 40_000
	w := newWorld(p, []*commune{
		{Insee: "56098", Slug: "lanester", Name: "Lanester", Postcodes: []string{"56600"}, Population: 23188, Latitude: 47.76, Longitude: -3.34},
		{Insee: lorient, Slug: "lorient", Name: "Lorient", Postcodes: []string{"56100"}, Population: 58202, Latitude: 47.75, Longitude: -3.37},
	})
	for _, c := range w.communes {
		c.makeShops(newBatch())
	}
	return w, w.sellers()
}

func TestLives(t *testing.T) {
	t.Parallel()
	w, sellers := tiny(t)
	orders, open, compressed := 0, 0, 0
	months := map[season]map[time.Month]int{gifts: {}, summer: {}}
	onMayDay := 0
	for _, s := range sellers {
		numbers := &numbers{key: 7}
		for n := range w.today + 1 {
			for _, e := range s.day(n, newBatch(), nil, numbers) {
				if e.at >= w.now || e.at < w.midnight(n) {
					t.Fatalf("an event of day %d at %d, now is %d", n, e.at, w.now)
				}
				if e.seq > 1 {
					before := e.order.life[e.seq-2]
					if e.at <= before.at {
						t.Fatalf("%s at %d, before its %s at %d", e.status, e.at, before.status, before.at)
					}
					continue
				}
				orders++
				o := e.order
				_, m, d := w.days[n].date.Date()
				if of := months[o.shop.trade.season]; of != nil {
					of[m]++
				}
				if m == time.May && d == 1 {
					onMayDay++
				}
				if !o.final() {
					open++
					if e.at < w.now-openFor {
						t.Fatalf("an order %s is open since %d hours", o.last().status, (w.now-e.at)/hour)
					}
				} else if e.at >= w.now-5*24*hour && o.last().at > w.now-3*hour {
					compressed++
				}
			}
		}
	}
	if orders != w.plan.Orders {
		t.Errorf("%d orders, want %d", orders, w.plan.Orders)
	}
	if open < 40 || compressed < 10 {
		t.Errorf("%d open orders and %d lately ended: too few to show anything", open, compressed)
	}
	// What the year does to trade.
	if dec, may := months[gifts][time.December], months[gifts][time.May]; dec < may*3/2 || dec == 0 {
		t.Errorf("gifts: %d orders in December, %d in May", dec, may)
	}
	if aug, oct := months[summer][time.August], months[summer][time.October]; aug < oct*3/2 || aug == 0 {
		t.Errorf("summer trades: %d orders in August, %d in October", aug, oct)
	}
	if onMayDay > 0 {
		t.Errorf("%d orders on 1 May", onMayDay)
	}
}

func TestNumbersNeverComeTwice(t *testing.T) {
	t.Parallel()
	n := &numbers{key: 42}
	seen := map[string]bool{}
	for range 200_000 {
		s := n.next()
		if seen[s] || len(s) != 8 {
			t.Fatalf("%q comes twice or is not of eight letters", s)
		}
		seen[s] = true
	}
}
