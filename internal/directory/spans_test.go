package directory_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/calendar"
	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

// paris is an instant of local time: "2020-10-30 09:00".
func paris(text string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04", text, calendar.Paris)
	if err != nil {
		panic(err)
	}
	return t
}

// farAway puts a database in a zone on the other side of the world, before anybody connects to it.
func farAway(t *testing.T, d *pgtest.Database) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), d.AdminURL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	if _, err := conn.Exec(t.Context(), fmt.Sprintf("alter database %s set timezone = 'Pacific/Kiritimati'", pgx.Identifier{d.Name()}.Sanitize())); err != nil {
		t.Fatal(err)
	}
}

// randomDay is the openings of a day that do not overlap; now and then past midnight.
func randomDay(g *rand.Rand) []calendar.Opening {
	var day []calendar.Opening
	at := 0
	for range g.IntN(4) {
		opens := at + 15*g.IntN(40)
		closes := opens + 15*(1+g.IntN(30))
		if opens >= 1440 {
			break
		}
		day, at = append(day, calendar.Opening{Opens: calendar.Clock(opens), Closes: calendar.Clock(closes)}), closes+15*g.IntN(8)
	}
	return day
}

// randomShop gives a shop of the database hours, closures and so on, and returns what the calendar
// must know of it.
func randomShop(t *testing.T, g *rand.Rand, d *pgtest.Database, id tenancy.ID, today calendar.Date) *calendar.Shop {
	t.Helper()
	s := &calendar.Shop{Place: calendar.Place{Commune: id.Commune, Categories: []string{"librairie", "culture"}, Nafs: []calendar.Naf{{Code: "47.61Z", Version: "REV2"}}, SalesArea: g.IntN(800)}}
	d.Exec(t, `update shops set sales_area_m2 = $3 where commune_id = $1 and id = $2`, id.Commune, id.Row, s.SalesArea)
	d.Exec(t, `delete from opening_hours where commune_id = $1 and shop_id = $2`, id.Commune, id.Row)
	for i := range s.Week {
		s.Week[i] = randomDay(g)
		for _, o := range s.Week[i] {
			// The database keeps one opening for each minute of a day.
			d.Exec(t, `insert into opening_hours (commune_id, shop_id, weekday, opens, closes) values ($1, $2, $3, $4, $5)`, id.Commune, id.Row, i+1, int(o.Opens), int(o.Closes))
		}
	}
	for n := range 1 + g.IntN(5) {
		x := calendar.Special{Date: today - 1 + calendar.Date(3*n+g.IntN(3)), Openings: randomDay(g)}
		opens, closes := []int16{}, []int16{}
		for _, o := range x.Openings {
			opens, closes = append(opens, int16(o.Opens)), append(closes, int16(o.Closes))
		}
		d.Exec(t, `insert into special_hours (commune_id, shop_id, day, opens, closes) values ($1, $2, $3::date, $4, $5)`, id.Commune, id.Row, x.Date.String(), opens, closes)
		s.Special = append(s.Special, x)
	}
	for _, h := range []calendar.Holiday{calendar.AllSaints, calendar.Armistice, calendar.EasterMonday} {
		if g.IntN(2) == 0 {
			s.OpenOn = append(s.OpenOn, h)
			d.Exec(t, `insert into holiday_openings (commune_id, shop_id, holiday) values ($1, $2, $3)`, id.Commune, id.Row, string(h))
		}
	}
	for range g.IntN(3) {
		c := calendar.Closure{From: (today - 3).At(0).Add(time.Duration(g.IntN(20*1440)) * time.Minute)}
		var until *time.Time
		if g.IntN(8) > 0 {
			c.Until = c.From.Add(time.Duration(1+g.IntN(4000)) * time.Minute)
			until = &c.Until
		}
		d.Exec(t, `insert into closures (commune_id, id, shop_id, starts_at, ends_at, created_at) values ($1, $2, $3, $4, $5, now())`, id.Commune, tenancy.NewRow(), id.Row, c.From, until)
		s.Closures = append(s.Closures, c)
	}
	for _, m := range []calendar.Mode{calendar.Pickup, calendar.Delivery} {
		if g.IntN(3) > 0 {
			s.Offers = append(s.Offers, calendar.Offer{Mode: m, Lead: time.Hour, Slot: 30 * time.Minute})
			continue
		}
		d.Exec(t, `delete from fulfilments where commune_id = $1 and shop_id = $2 and mode = $3`, id.Commune, id.Row, string(m))
	}
	return s
}

// restrict imposes random restrictions on a commune.
func restrict(t *testing.T, g *rand.Rand, d *pgtest.Database, commune string, today calendar.Date) []calendar.Restriction {
	t.Helper()
	var list []calendar.Restriction
	for range 1 + g.IntN(4) {
		r := calendar.Restriction{
			From:     (today - 3).At(0).Add(time.Duration(g.IntN(18*1440)) * time.Minute),
			Visitors: g.IntN(3) == 0, Pickup: g.IntN(3) > 0, Delivery: g.IntN(3) > 0, AreaOver: []int{0, 400}[g.IntN(2)],
		}
		var until *time.Time
		if g.IntN(6) > 0 {
			r.Until = r.From.Add(time.Duration(1+g.IntN(6000)) * time.Minute)
			until = &r.Until
		}
		codes, excepted := [][]string{{}, {"47"}, {"47.61Z"}, {"10"}}[g.IntN(4)], [][]string{{}, {"47.2"}, {"47.61"}}[g.IntN(3)]
		for _, c := range codes {
			r.Of.Nafs = append(r.Of.Nafs, calendar.Naf{Code: c, Version: "REV2"})
		}
		for _, c := range excepted {
			r.Except.Nafs = append(r.Except.Nafs, calendar.Naf{Code: c, Version: "REV2"})
		}
		d.Exec(t, `insert into restrictions (commune_id, id, rank, title, starts_at, ends_at, naf_codes, except_naf_codes, naf_version, area_over_m2, visitors, pickup, delivery, declared_as, declared_at)
			values ($1, $2, 'PREFECT', 'Essai', $3, $4, $5, $6, 'REV2', nullif($7, 0), $8, $9, $10, 'ADMIN', now())`,
			commune, tenancy.NewRow(), r.From, until, codes, excepted, r.AreaOver, r.Visitors, r.Pickup, r.Delivery)
		list = append(list, r)
	}
	return list
}

// The spans in SQL, the filter that asks them, and the calendar that is read from the tables say
// the same as the calendar of the same hours made here: for random shops, over the days on which
// the clocks change, on a server of another zone.
func TestSpansAreTheCalendar(t *testing.T) {
	t.Parallel()
	for _, now := range []time.Time{paris("2020-10-20 08:17"), paris("2021-03-24 23:45")} {
		t.Run(now.Format(time.DateOnly), func(t *testing.T) {
			t.Parallel()
			d := pgtest.New(t)
			farAway(t, d)
			g := rand.New(rand.NewPCG(1, uint64(now.Unix())))
			dir := newDirectory(d)
			dir.Now = func() time.Time { return now }
			visitor := fixture.Viewer(t, d, identity.Visitor)
			today := calendar.DateOf(now)
			model := map[tenancy.ID]*calendar.Shop{}
			var ids []tenancy.ID
			for _, commune := range []string{fixture.Lorient, fixture.Groix} {
				restrictions := restrict(t, g, d, commune, today)
				for range 8 {
					id := fixture.Shop(t, d, fixture.ShopOpts{Commune: commune, Modes: []directory.FulfilmentMode{directory.Pickup, directory.Delivery}})
					model[id] = randomShop(t, g, d, id, today)
					model[id].Restrictions = restrictions
					ids = append(ids, id)
				}
			}
			for try := range 2 { // the second finds what the first wrote, and leaves it
				if err := dir.Refresh(t.Context()); err != nil {
					t.Fatal(try, err)
				}
			}
			from, to := directory.SpanWindow(now)
			read, err := dir.Calendars(t.Context(), visitor, ids, now)
			if err != nil || len(read) != len(ids) {
				t.Fatal(len(read), err)
			}
			total := 0
			for _, id := range ids {
				for _, m := range calendar.Modes {
					want := model[id].Spans(m, from, to)
					total += len(want)
					if diff := cmp.Diff(want, spansOf(t, d, id, m)); diff != "" {
						t.Fatalf("%s %s: rows differ from the calendar: %s", id, m, diff)
					}
					if diff := cmp.Diff(want, read[id].Spans(m, from, to)); diff != "" {
						t.Fatalf("%s %s: what is read differs: %s", id, m, diff)
					}
				}
			}
			if total < 300 {
				t.Errorf("%d spans only", total)
			}
			// The filter, around every switch of some shops and at random minutes.
			var instants []time.Time
			for _, id := range ids[:6] {
				for _, s := range model[id].Spans(calendar.Visit, from, to) {
					instants = append(instants, s.Start.Add(-time.Second), s.Start, s.End.Add(-time.Second), s.End)
				}
			}
			for range 20 {
				instants = append(instants, from.Add(time.Duration(g.IntN(int(to.Sub(from).Minutes())))*time.Minute))
			}
			yes := true
			for i, at := range instants {
				if i%5 > 0 && i < len(instants)-20 || at.Before(from) || !at.Before(to) {
					continue
				}
				dir.Now = func() time.Time { return at }
				for _, m := range calendar.Modes {
					f := &directory.ShopFilter{OpenNow: &yes}
					if m != calendar.Visit {
						mode := directory.FulfilmentMode(m)
						f.Fulfilment = &mode
					}
					list, err := dir.List(t.Context(), visitor, directory.ShopQuery{Filter: f}, 100, nil)
					if err != nil {
						t.Fatal(err)
					}
					open := map[tenancy.ID]bool{}
					for _, s := range list.Nodes() {
						open[s.ID()] = true
					}
					for _, id := range ids {
						if want := model[id].OpenAt(m, at); open[id] != want {
							t.Fatalf("%s %s at %s: open %t, want %t", id, m, at, open[id], want)
						}
					}
				}
			}
		})
	}
}

func spansOf(t *testing.T, d *pgtest.Database, shop tenancy.ID, m calendar.Mode) []calendar.Span {
	t.Helper()
	rows, err := d.Migrate.Query(t.Context(), `select starts_at, ends_at from opening_spans where commune_id = $1 and shop_id = $2 and mode = $3 order by starts_at`,
		shop.Commune, shop.Row, string(m))
	if err != nil {
		t.Fatal(err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (s calendar.Span, err error) {
		err = row.Scan(&s.Start, &s.End)
		return calendar.Span{Start: s.Start.In(calendar.Paris), End: s.End.In(calendar.Paris)}, err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(list) == 0 {
		return nil
	}
	return list
}

// A start days later finds the spans behind and writes them; one on the same day finds nothing to
// do. What holds already keeps its row.
func TestCatchUp(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	dir := newDirectory(d)
	shop := fixture.Shop(t, d, fixture.ShopOpts{Modes: []directory.FulfilmentMode{directory.Pickup, directory.Delivery}})
	written := func() []string {
		rows, err := d.Migrate.Query(t.Context(), `select xmin || ' ' || starts_at from opening_spans where mode = 'VISIT' order by starts_at`)
		if err != nil {
			t.Fatal(err)
		}
		list, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	at := func(now string) []string {
		t.Helper()
		dir.Now = func() time.Time { return paris(now) }
		if err := dir.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		return written()
	}
	monday := at("2020-11-02 12:00") // to Monday the 16th; Wednesday 11 November is a holiday
	if len(monday) != 24 {
		t.Fatalf("%d spans: %v", len(monday), monday)
	}
	if again := at("2020-11-02 20:00"); !slices.Equal(again, monday) {
		t.Errorf("on the same day it wrote anew: %v", again)
	}
	thursday := at("2020-11-05 09:00")
	if len(thursday) != 24 || !slices.Equal(thursday[:18], monday[6:]) {
		t.Errorf("three days later: %v, before %v", thursday, monday)
	}
	// A change writes them in its own transaction, and what is rolled back is not there.
	merchant := fixture.Viewer(t, d, identity.Merchant, shop)
	if _, err := dir.SetOpeningHours(t.Context(), merchant, directory.HoursInput{Shop: shop, Version: 7}); err == nil {
		t.Error("another version was taken")
	}
	if now := written(); !slices.Equal(now, thursday) {
		t.Errorf("a refused change wrote %v", now)
	}
	if _, err := dir.SetOpeningHours(t.Context(), merchant, directory.HoursInput{Shop: shop, Version: 1, Weekly: []directory.IntervalInput{{Weekday: 4, Opens: "22:00", Closes: "02:00"}}}); err != nil {
		t.Fatal(err)
	}
	want := []calendar.Span{{Start: paris("2020-11-05 22:00"), End: paris("2020-11-06 02:00")}, {Start: paris("2020-11-12 22:00"), End: paris("2020-11-13 02:00")}, {Start: paris("2020-11-19 22:00"), End: paris("2020-11-20 00:00")}}
	if diff := cmp.Diff(want, spansOf(t, d, shop, calendar.Visit)); diff != "" {
		t.Error(diff)
	}
}

// Two who change what the spans of a shop come from at the same time: whoever is second sees what
// the first did, and the spans are those of both.
func TestSpansOfTwoChangesAtOnce(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t, pgtest.Crowd)
	dir := newDirectory(d)
	now := paris("2020-11-02 08:00")
	dir.Now = func() time.Time { return now }
	shop := fixture.Shop(t, d, fixture.ShopOpts{})
	merchant, admin := fixture.Viewer(t, d, identity.Merchant, shop), fixture.Viewer(t, d, identity.Admin)
	commune := tenancy.ID{Kind: tenancy.KindCommune, Commune: shop.Commune}
	for round := range 8 {
		done := make(chan error, 2)
		go func() {
			_, err := dir.SetOpeningHours(t.Context(), merchant, directory.HoursInput{Shop: shop, Version: 1 + round, Weekly: []directory.IntervalInput{
				{Weekday: 1 + round%7, Opens: "08:00", Closes: fmt.Sprintf("%02d:00", 9+round%10)},
			}})
			done <- err
		}()
		go func() {
			from := now.Add(time.Duration(round*20) * time.Hour)
			until := from.Add(90 * time.Minute)
			_, err := dir.DeclareRestriction(t.Context(), admin, directory.RestrictionInput{
				Communes: []tenancy.ID{commune}, Rank: calendar.Mayor, Title: "Arrêté", From: from, Until: &until, Allows: []calendar.Mode{calendar.Delivery},
			})
			done <- err
		}()
		for range 2 {
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		}
		read, err := dir.Calendars(t.Context(), admin, []tenancy.ID{shop}, now)
		if err != nil {
			t.Fatal(err)
		}
		from, to := directory.SpanWindow(now)
		if diff := cmp.Diff(read[shop].Spans(calendar.Visit, from, to), spansOf(t, d, shop, calendar.Visit)); diff != "" {
			t.Fatalf("round %d: %s", round, diff)
		}
	}
}

// Row-level security keeps operators that are not leakproof from an index: those of ranges are not,
// those of instants are, so that the filter finds a shop's span by its key.
func TestOpenNowIsFoundByItsKey(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t, pgtest.Fresh) // plans are for sizes
	leakproof := func(name, left, right string) bool {
		return pgtest.Scan[bool](t, d, `select p.proleakproof from pg_operator o join pg_proc p on p.oid = o.oprcode
			where o.oprname = $1 and o.oprleft = $2::text::regtype and o.oprright = $3::text::regtype`, name, left, right)
	}
	if !leakproof("<=", "timestamptz", "timestamptz") || leakproof("@>", "anyrange", "anyelement") {
		t.Error("the ground for two columns is gone")
	}
	plan, err := pg.SelectScalars[string](t.Context(), d.DB, fixture.Viewer(t, d, identity.Visitor).PublicScope(), `explain (costs off)
		select s.id from shops s where s.commune_id = '56121' and (select o.ends_at from opening_spans o where o.commune_id = s.commune_id and o.shop_id = s.id and o.mode = 'VISIT'
			and o.starts_at <= now() order by o.starts_at desc limit 1) > now()`)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(plan, "\n")
	if !regexp.MustCompile(`Index Scan Backward using opening_spans_pkey.*\n.*Index Cond: .*starts_at <= now`).MatchString(text) {
		t.Error(text)
	}
}

// What belongs to a shop's calendar is published with it, and taken off with it, by whoever may do
// that.
func TestTheCalendarFollowsItsShop(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	dir := newDirectory(d)
	shop := fixture.Shop(t, d, fixture.ShopOpts{Status: directory.Pending})
	merchant, agent := fixture.Viewer(t, d, identity.Merchant, shop), fixture.Viewer(t, d, identity.Agent, shop)
	until := time.Now().AddDate(0, 0, 3)
	if _, err := dir.CloseShop(t.Context(), merchant, directory.CloseShopInput{Shop: shop, Until: &until}); err != nil {
		t.Fatal(err)
	}
	if _, err := dir.SetSpecialHours(t.Context(), merchant, directory.SpecialHoursInput{Shop: shop, Version: 1, Date: calendar.DateOf(time.Now()) + 1, Intervals: []directory.TimesInput{}}); err != nil {
		t.Fatal(err)
	}
	if _, err := dir.SetOpeningHours(t.Context(), merchant, directory.HoursInput{Shop: shop, Version: 2, OpenHolidays: calendar.Holidays, Weekly: []directory.IntervalInput{{Weekday: 1, Opens: "08:00", Closes: "08:00"}}}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		status directory.ShopStatus
		seen   bool
	}{{directory.Published, true}, {directory.Suspended, false}, {directory.Published, true}} {
		if err := d.DB.Write(t.Context(), agent.Scope(), func(ctx context.Context, tx pgx.Tx) error {
			_, err := tx.Exec(ctx, `update shops set status = $3 where commune_id = $1 and id = $2`, shop.Commune, shop.Row, string(c.status))
			return err
		}); err != nil {
			t.Fatal(err)
		}
		for table, want := range map[string]int{"closures": 1, "special_hours": 1, "holiday_openings": 11, "opening_hours": 1, "opening_spans": 2} {
			for name, v := range map[string]*identity.Viewer{"the public": fixture.Viewer(t, d, identity.Visitor), "the merchant": merchant} {
				got, err := pg.SelectScalars[int](t.Context(), d.DB, v.Scope(), "select count(*) from "+table)
				if err != nil {
					t.Fatal(err)
				}
				if seen := c.seen || v == merchant; seen && got[0] < want || !seen && got[0] != 0 {
					t.Errorf("%s: %s sees %d rows of %s", c.status, name, got[0], table)
				}
			}
		}
	}
}
