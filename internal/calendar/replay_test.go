package calendar_test

import (
	"slices"
	"testing"
	"time"

	"github.com/audelor/halles/internal/calendar"
)

// autumn2020 is article 37 of the decree of 29 October 2020 for shops of category M ("magasins
// de vente"), in its versions of 30 October (décret n° 2020-1310), 3 November (n° 2020-1331)
// and 28 November (n° 2020-1454). The list of activities is cut down to some.
func autumn2020() []calendar.Restriction {
	rev2 := func(codes ...string) calendar.Activities {
		var a calendar.Activities
		for _, c := range codes {
			a.Nafs = append(a.Nafs, calendar.Naf{Code: c, Version: "REV2"})
		}
		return a
	}
	listed := rev2(
		"47.11", "47.2", // general food shops to hypermarkets; food, bakeries, drinks, tobacco
		"47.3",           // fuel
		"47.4",           // computers and telephones
		"47.52",          // hardware, paint, glass
		"47.62",          // newspapers and stationery
		"47.73", "47.74", // pharmacies, medical goods
		"47.78A", // opticians
	)
	october, november, reopening := paris("2020-10-30 00:00"), paris("2020-11-03 00:00"), paris("2020-11-28 00:00")
	return []calendar.Restriction{{
		ID: "closed", Rank: calendar.National, Title: "décret n° 2020-1310", From: october, Until: reopening,
		Of: rev2("47"), Except: listed, Pickup: true, Delivery: true,
	}, {
		ID: "4m2", Rank: calendar.National, Title: "décret n° 2020-1331", From: november, Until: reopening,
		Of: rev2("47"), Visitors: true, SquareMetres: 4, Pickup: true, Delivery: true,
	}, {
		ID: "400m2", Rank: calendar.National, Title: "décret n° 2020-1331", From: november, Until: reopening,
		Of: rev2("47"), AreaOver: 400, Except: rev2("47.11A", "47.11B", "47.11C"), // "magasins d'alimentation générale et supérettes"
		Visitors: true, Condition: "rayons de première nécessité seulement", Pickup: true, Delivery: true,
	}, {
		ID: "8m2", Rank: calendar.National, Title: "décret n° 2020-1454", From: reopening,
		Of: rev2("47"), Visitors: true, SquareMetres: 8, Pickup: true, Delivery: true,
	}}
}

// The switches of autumn 2020, minute by minute around each, for six shops.
func TestAutumn2020(t *testing.T) {
	t.Parallel()
	type state struct {
		visitors         bool
		m2               int
		essential        bool
		pickup, delivery bool
	}
	free := state{visitors: true, pickup: true, delivery: true}
	collect := state{pickup: true, delivery: true}
	collect4 := state{m2: 4, pickup: true, delivery: true}
	open4 := state{visitors: true, m2: 4, pickup: true, delivery: true}
	essential4 := state{visitors: true, m2: 4, essential: true, pickup: true, delivery: true}
	large4 := state{m2: 4, essential: true, pickup: true, delivery: true}
	open8 := state{visitors: true, m2: 8, pickup: true, delivery: true}
	phases := []time.Time{paris("2020-10-30 00:00"), paris("2020-11-03 00:00"), paris("2020-11-28 00:00")}
	for name, c := range map[string]struct {
		naf  string
		area int
		want [4]state // until 30 October, 3 November, 28 November, after
	}{
		"Bookshop":              {"47.61Z", 90, [4]state{free, collect, collect4, open8}},
		"ClothesShop":           {"47.71Z", 120, [4]state{free, collect, collect4, open8}},
		"LargeClothesShop":      {"47.71Z", 900, [4]state{free, collect, large4, open8}},
		"Bakery":                {"47.24Z", 40, [4]state{free, free, open4, open8}},
		"SmallGeneralFoodShop":  {"47.11B", 100, [4]state{free, free, open4, open8}},
		"Hypermarket":           {"47.11F", 6000, [4]state{free, free, essential4, open8}},
		"MultiCommerceAt400m2":  {"47.11E", 400, [4]state{free, free, open4, open8}},
		"MultiCommerceOver400":  {"47.11E", 401, [4]state{free, free, essential4, open8}},
		"Craftsman":             {"95.23Z", 30, [4]state{free, free, free, free}}, // no "magasin de vente"
		"ClothesShopUnknownM2":  {"47.71Z", 0, [4]state{free, collect, collect4, open8}},
		"HardwareShopOver400m2": {"47.52B", 2000, [4]state{free, free, essential4, open8}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := calendar.Shop{
				Hours: calendar.Hours{Week: daily(0, calendar.Hm(24, 0)), OpenOn: calendar.Holidays},
				Place: calendar.Place{Commune: "56121", Nafs: []calendar.Naf{{Code: c.naf, Version: "REV2"}}, SalesArea: c.area},
				Offers: []calendar.Offer{
					{Mode: calendar.Pickup, Slot: 30 * time.Minute},
					{Mode: calendar.Delivery, Slot: time.Hour},
				},
				Restrictions: autumn2020(),
			}
			for i, phase := range phases {
				for u := phase.Add(-2 * time.Hour); u.Before(phase.Add(2 * time.Hour)); u = u.Add(time.Minute) {
					want := c.want[i]
					if !u.Before(phase) {
						want = c.want[i+1]
					}
					g := s.RegimeAt(u)
					if got := (state{g.Visitors, g.SquareMetres, len(g.Conditions) > 0, g.Pickup, g.Delivery}); got != want {
						t.Fatalf("%s: got %+v, want %+v", u.In(calendar.Paris), got, want)
					}
					if got := [3]bool{s.OpenAt(calendar.Visit, u), s.OpenAt(calendar.Pickup, u), s.OpenAt(calendar.Delivery, u)}; got != [3]bool{want.visitors, true, true} {
						t.Fatalf("%s: the doors say %v, the regime %+v", u.In(calendar.Paris), got, want)
					}
				}
			}
		})
	}
}

// The clothes shop of the first lockdown night, as its customers read it.
func TestAClothesShopInNovember2020(t *testing.T) {
	t.Parallel()
	s := calendar.Shop{
		Hours:  calendar.Hours{Week: weekly},
		Place:  calendar.Place{Commune: "56121", Nafs: []calendar.Naf{{Code: "47.71Z", Version: "REV2"}}, SalesArea: 120},
		Offers: []calendar.Offer{{Mode: calendar.Pickup, Lead: time.Hour, Slot: 30 * time.Minute}}, Restrictions: autumn2020(),
	}
	st := s.StatusAt(calendar.Visit, paris("2020-10-30 10:00"))
	if st.Open || st.Refusal.Code != calendar.Restricted || st.Refusal.Restriction.ID != "closed" {
		t.Fatalf("got %+v", st)
	}
	if want := "Fermé au public jusqu'au 27 novembre inclus (décret n° 2020-1310), retrait assuré, ouvre le 28 novembre à 9 h 30"; plain(st.Text) != want {
		t.Fatalf("the door says %q", plain(st.Text))
	}
	if st := s.StatusAt(calendar.Pickup, paris("2020-10-30 10:00")); plain(st.Text) != "Retrait possible jusqu'à 12 h 30" {
		t.Fatalf("the hatch says %q", plain(st.Text))
	}
	if r := s.Verdict(calendar.Pickup, paris("2020-10-30 14:00"), paris("2020-10-30 10:00"), nil); r != nil {
		t.Fatalf("click & collect refused: %+v", r)
	}
	// Mayors ordered bookshops and clothes shops to open; the decree stood.
	s.Restrictions = append(s.Restrictions, calendar.Restriction{
		ID: "mayor", Rank: calendar.Mayor, Title: "arrêté du maire", From: paris("2020-10-30 12:00"),
		Visitors: true, Pickup: true, Delivery: true,
	})
	if s.OpenAt(calendar.Visit, paris("2020-10-31 10:00")) {
		t.Fatal("a mayor's order opened what a decree closes")
	}
	regime := s.RegimeAt(paris("2020-11-05 10:00"))
	var ids []string
	for _, r := range regime.Because {
		ids = append(ids, r.ID)
	}
	if !slices.Equal(ids, []string{"closed", "4m2", "mayor"}) {
		t.Fatalf("because of %v", ids)
	}
}
