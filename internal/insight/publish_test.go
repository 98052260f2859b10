package insight_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/insight"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

func TestMonthIsClosedOnThe5thAndFrozen(t *testing.T) {
	t.Parallel()
	m := filled(t, "2026-09-10", "2026-10-10")
	m.publish("2026-11-04")
	m.wanted("on the 4th", m.versions(), "2026-09 1 CLOSED")
	m.publish("2026-11-05")
	m.wanted("on the 5th", m.versions(), "2026-09 1 CLOSED, 2026-10 1 CLOSED")
	m.wanted("two bookshops", m.cell("2026-10", 1, fixture.Groix, "culture", "*"), "FEWER_THAN_THREE")
	m.wanted("what would tell them", m.cell("2026-10", 1, fixture.Groix, "alimentation", "*"), "SECONDARY")
	m.wanted("no bookshop there", m.cell("2026-10", 1, fixture.Lanester, "culture", "PICKUP"), "0 of 0")
	m.wanted("all", m.cell("2026-10", 1, "*", "*", "*"), fmt.Sprint(pgtest.Scan[int](t, m.d, `select sum(orders)::int from shop_facts where day = '2026-10-10'`), " of 43"))
	m.sell(m.shops[fixture.Lorient+" librairie"][0], "2026-10-10", "PICKUP", 4)
	m.publish("2026-11-06")
	m.wanted("after a late order", m.versions(), "2026-09 1 CLOSED, 2026-10 1 CLOSED")
	if n := pgtest.Scan[int](t, m.d, `select count(*) from insight.cells where hidden is not null and (orders is not null or gross_cents is not null or shops is not null)`); n > 0 {
		t.Errorf("%d hidden cells have a value", n)
	}
}

func TestRevisionTellsOfThreeOrNotAtAll(t *testing.T) {
	t.Parallel()
	m := filled(t, "2026-10-10")
	m.publish("2026-11-05")
	before := m.cell("2026-10", 1, fixture.Hennebont, "culture", "PICKUP")
	m.sell(m.shops[fixture.Hennebont+" librairie"][0], "2026-10-11", "PICKUP", 4) // one
	for _, shop := range m.shops[fixture.Lorient+" boulangerie"][:4] {            // four
		m.sell(shop, "2026-10-11", "PICKUP", 1)
	}
	m.publish("2027-01-04")
	if strings.Contains(m.versions(), "REVISED") {
		t.Errorf("revised before the quarter's 5th: %s", m.versions())
	}
	m.publish("2027-01-05")
	if !strings.Contains(m.versions(), "2026-10 2 REVISED") {
		t.Fatalf("not revised: %s", m.versions())
	}
	m.wanted("where one sold more", m.cell("2026-10", 2, fixture.Hennebont, "culture", "PICKUP"), before)
	m.wanted("where four did", m.cell("2026-10", 2, fixture.Lorient, "alimentation", "PICKUP"), "51 of 8")
	m.wanted("the pattern's difference", pgtest.Scan[string](t, m.d, `select count(*)::text from insight.cells a join insight.cells b using (month, commune, sector, mode)
		where a.month = '2026-10-01' and a.version = 1 and b.version = 2 and a.hidden is distinct from b.hidden`), "0")
	list := m.versions()
	m.publish("2027-01-06")
	m.wanted("a day later", m.versions(), list)
}

func TestRunningMonthTellsTheTotalOnly(t *testing.T) {
	t.Parallel()
	m := filled(t, "2026-10-10")
	lorient := m.shops[fixture.Lorient+" librairie"]
	for _, shop := range lorient[:2] {
		m.sell(shop, "2026-11-05", "PICKUP", 3)
	}
	m.publish("2026-11-06")
	m.wanted("two sold", m.versions(), "2026-10 1 CLOSED")
	m.sell(lorient[2], "2026-11-06", "PICKUP", 3)
	m.publish("2026-11-07")
	m.wanted("three sold", m.versions(), "2026-10 1 CLOSED, 2026-11 1 RUNNING")
	m.wanted("one cell", pgtest.Scan[string](t, m.d, `select string_agg(commune || sector || mode || orders, ' ') from insight.cells where month = '2026-11-01'`), "***9")
	for _, shop := range lorient[3:9] {
		m.sell(shop, "2026-11-07", "PICKUP", 2)
	}
	m.publish("2026-11-07")
	m.wanted("the same day again", m.versions(), "2026-10 1 CLOSED, 2026-11 1 RUNNING")
	m.publish("2026-11-08")
	m.wanted("the next day", m.versions(), "2026-10 1 CLOSED, 2026-11 1 RUNNING, 2026-11 2 RUNNING")
	m.sell(lorient[0], "2026-11-08", "PICKUP", 50)
	m.publish("2026-11-09")
	m.wanted("one sold more", m.versions(), "2026-10 1 CLOSED, 2026-11 1 RUNNING, 2026-11 2 RUNNING")
	// Closed, the month's total would tell what that one sold since.
	m.publish("2026-12-05")
	m.wanted("closed", m.cell("2026-11", 3, "*", "*", "*"), "FEWER_THAN_THREE")
}

// TestAnalystsRoleReadsPublishedFiguresOnly asks the catalogue.
func TestAnalystsRoleReadsPublishedFiguresOnly(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	rows, err := d.Migrate.Query(t.Context(), `
		select n.nspname || '.' || c.relname || ' ' || p
		from pg_class c join pg_namespace n on n.oid = c.relnamespace, unnest('{SELECT,INSERT,UPDATE,REFERENCES}'::text[]) p
		where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname not like 'pg\_%'
		and has_any_column_privilege('halles_stats', c.oid, p)
		union all
		select n.nspname || '.' || c.relname || ' ' || p
		from pg_class c join pg_namespace n on n.oid = c.relnamespace, unnest('{DELETE,TRUNCATE,TRIGGER}'::text[]) p
		where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname not in ('pg_catalog', 'information_schema') and has_table_privilege('halles_stats', c.oid, p)
		union all
		select 'sequence ' || c.relname from pg_class c where case when c.relkind = 'S' then has_sequence_privilege('halles_stats', c.oid, 'USAGE, SELECT, UPDATE') end
		union all
		select 'definer ' || f.proname from pg_proc f join pg_namespace n on n.oid = f.pronamespace
		where f.prosecdef and f.prorettype <> 'trigger'::regtype and n.nspname not in ('pg_catalog', 'information_schema') and has_function_privilege('halles_stats', f.oid, 'EXECUTE')
		order by 1`)
	if err != nil {
		t.Fatal(err)
	}
	got, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"insight.cells SELECT", "insight.figures SELECT", "insight.versions SELECT"}; !slices.Equal(got, want) {
		t.Errorf("halles_stats may %v, and should %v", got, want)
	}
}

func TestDashboard(t *testing.T) {
	t.Parallel()
	m := filled(t, "2025-10-10", "2026-09-10", "2026-10-10")
	for _, shop := range m.shops[fixture.Lorient+" librairie"] {
		m.sell(shop, "2026-10-12", "PICKUP", 10)
	}
	m.publish("2026-11-05")
	analyst, agent := fixture.Viewer(t, m.d, identity.Analyst), fixture.Viewer(t, m.d, identity.Agent, tenancy.ID{Kind: tenancy.KindCommune, Commune: fixture.Groix}, tenancy.ID{Kind: tenancy.KindCommune, Commune: fixture.Lorient})
	ask := func(v *identity.Viewer, in insight.DashboardInput) *insight.Dashboard {
		t.Helper()
		d, err := m.Dashboard(t.Context(), v, in)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	d := ask(analyst, insight.DashboardInput{})
	m.wanted("the last closed month", d.From.String()+" "+d.To.String(), "2026-10 2026-10")
	m.wanted("orders", orders(d.Figures), "523")
	m.wanted("change from September", insight.Percent(*d.Figures[2].Change()), "+29,8\u00a0%")
	m.wanted("change from last year", insight.Percent(*d.Figures[2].ChangeOnYear()), "+29,8\u00a0%")
	if len(d.ByCommune) != 25 || len(d.BySector) != 7 || len(d.ByMode) != 2 || len(d.Steps) != 6 || len(d.Channels) != 5 {
		t.Errorf("%d communes, %d sectors, %d modes, %d steps, %d channels", len(d.ByCommune), len(d.BySector), len(d.ByMode), len(d.Steps), len(d.Channels))
	}
	d = ask(analyst, insight.DashboardInput{Communes: []string{fixture.Groix}})
	for _, r := range d.BySector {
		if want := map[string]string{"culture": "FEWER_THAN_THREE", "alimentation": "SECONDARY"}[r.Key]; want != "" {
			m.wanted(r.Key, orders(r.Figures), want)
		}
	}
	m.wanted("a period", orders(ask(analyst, insight.DashboardInput{From: month(t, "2026-09"), To: month(t, "2026-10")}).Figures), "926")
	m.wanted("before the first order", orders(ask(analyst, insight.DashboardInput{From: month(t, "2024-01"), To: month(t, "2024-01")}).Figures), "NOT_PUBLISHED")
	m.wanted("a month without orders", orders(ask(analyst, insight.DashboardInput{From: month(t, "2026-03"), To: month(t, "2026-03")}).Figures), "FEWER_THAN_THREE")
	m.wanted("the running month", orders(ask(analyst, insight.DashboardInput{Communes: []string{fixture.Lorient}, To: month(t, "2026-11")}).Figures), "NOT_PUBLISHED")

	d = ask(agent, insight.DashboardInput{})
	if len(d.ByCommune) != 2 || len(d.Channels)+len(d.Steps) > 0 || !slices.Equal(d.Selection.Communes, []string{fixture.Groix, fixture.Lorient}) {
		t.Errorf("the agent of two communes sees %d, chosen %v", len(d.ByCommune), d.Selection.Communes)
	}
	same := ask(analyst, insight.DashboardInput{Communes: []string{fixture.Lorient}})
	m.wanted("the same cube", orders(ask(agent, insight.DashboardInput{Communes: []string{fixture.Lorient}}).Figures), orders(same.Figures))

	for name, c := range map[string]struct {
		v    *identity.Viewer
		in   insight.DashboardInput
		kind fault.Kind
		says string
	}{
		"Merchant":         {fixture.Viewer(t, m.d, identity.Merchant, m.shops[fixture.Lorient+" librairie"][0]), insight.DashboardInput{}, fault.Forbidden, "Shop.dashboard"},
		"Visitor":          {fixture.Viewer(t, m.d, identity.Visitor), insight.DashboardInput{}, fault.Forbidden, "analystes"},
		"Hotline":          {fixture.Viewer(t, m.d, identity.Hotline), insight.DashboardInput{}, fault.Forbidden, "analystes"},
		"FromAfterTo":      {analyst, insight.DashboardInput{From: month(t, "2026-10"), To: month(t, "2026-09")}, fault.Invalid, "échangez"},
		"Future":           {analyst, insight.DashboardInput{To: month(t, "2027-02")}, fault.Invalid, "n'a pas commencé"},
		"TooLong":          {analyst, insight.DashboardInput{From: month(t, "2020-01"), To: month(t, "2026-09")}, fault.Invalid, "36"},
		"UnknownCommune":   {analyst, insight.DashboardInput{Communes: []string{"99999"}}, fault.NotFound, "code INSEE"},
		"NoCommune":        {analyst, insight.DashboardInput{Communes: []string{}}, fault.Invalid, "vide"},
		"UnknownSector":    {analyst, insight.DashboardInput{Sectors: []tenancy.ID{{Kind: tenancy.KindCategory, Name: "librairie"}}}, fault.NotFound, "secteur"},
		"AnothersCommune":  {agent, insight.DashboardInput{Communes: []string{fixture.Hennebont}}, fault.NotFound, "des vôtres"},
		"SameCommuneTwice": {analyst, insight.DashboardInput{Communes: []string{fixture.Groix, fixture.Groix}}, fault.Invalid, "deux fois"},
	} {
		_, err := m.Dashboard(t.Context(), c.v, c.in)
		if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %s that says %q", name, err, c.kind, c.says)
		}
	}
}

// A dashboard is read once, kept until the next version, and is nobody's whose choice is another.
func TestDashboardIsKeptUntilTheNextVersion(t *testing.T) {
	t.Parallel()
	m := filled(t, "2026-10-10")
	m.publish("2026-11-05")
	analyst, agent := fixture.Viewer(t, m.d, identity.Analyst), fixture.Viewer(t, m.d, identity.Agent, tenancy.ID{Kind: tenancy.KindCommune, Commune: fixture.Lorient})
	ask := func(v *identity.Viewer, in insight.DashboardInput) *insight.Dashboard {
		t.Helper()
		d, err := m.Dashboard(t.Context(), v, in)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	october := insight.DashboardInput{From: month(t, "2026-10"), To: month(t, "2026-10")}
	first, statements := ask(analyst, october), m.d.Statements()
	if again := ask(analyst, october); again != first || statements() != 1 {
		t.Errorf("the second time it takes %d statements", statements())
	}
	if of := ask(analyst, insight.DashboardInput{}); of != first {
		t.Error("the last month is another than the same month by its name")
	}
	own := ask(agent, october)
	if own == first || len(own.ByCommune) != 1 || len(own.Channels) != 0 {
		t.Errorf("an agent of one commune is shown %d", len(own.ByCommune))
	}
	if one := ask(analyst, insight.DashboardInput{Communes: []string{fixture.Lorient}}); len(one.ByCommune) != 1 || len(one.Channels) != 0 {
		t.Errorf("of one commune %d are shown", len(one.ByCommune))
	}
	m.sell(m.shops[fixture.Lorient+" librairie"][0], "2026-11-10", "PICKUP", 5)
	m.publish("2026-12-05")
	m.wanted("the last month", ask(analyst, insight.DashboardInput{}).To.String(), "2026-11")
	if after := ask(analyst, october); after == first {
		t.Error("the dashboard of before the version is kept")
	}
}

// Two servers that publish at the same time publish each version once; the second says so, and
// neither fails.
func TestTwoServersPublishAtOnce(t *testing.T) {
	t.Parallel()
	m := filled(t, "2026-09-10", "2026-10-10")
	m.now = time.Date(2026, 11, 5, 8, 0, 0, 0, time.UTC)
	// Nobody may write a version until both have seen that there is none.
	gate, err := m.d.Migrate.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = gate.Rollback(context.WithoutCancel(t.Context())) }()
	if _, err := gate.Exec(t.Context(), `lock table insight.versions in share mode`); err != nil {
		t.Fatal(err)
	}
	var log lockedLog
	ended := make(chan error, 2)
	for range 2 {
		n := insightOn(m.d)
		n.Now, n.Log = m.Now, slog.New(slog.NewTextHandler(&log, nil))
		go func() { ended <- n.Publish(t.Context()) }()
	}
	for deadline := time.Now().Add(time.Minute); pgtest.Scan[int](t, m.d, `select count(*)::int from pg_locks where relation = 'insight.versions'::regclass and not granted`) < 2; {
		if time.Now().After(deadline) {
			t.Fatal("they do not wait for each other")
		}
		time.Sleep(5 * time.Millisecond)
	}
	if err := gate.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	m.wanted("versions", m.versions(), "2026-09 1 CLOSED, 2026-10 1 CLOSED")
	if text := log.String(); !strings.Contains(text, "another server published it at the same time") || !strings.Contains(text, "month=2026-09") {
		t.Errorf("the log says %q", text)
	}
}

// lockedLog is a log that two write to.
type lockedLog struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lockedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func TestDashboardOfAnEmptyPlatform(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	m.publish("2026-11-05")
	m.wanted("versions", m.versions(), "")
	analyst := fixture.Viewer(t, m.d, identity.Analyst)
	d, err := m.Dashboard(t.Context(), analyst, insight.DashboardInput{})
	if err != nil {
		t.Fatal(err)
	}
	m.wanted("nothing", d.To.String()+" "+orders(d.Figures), "2026-10 NOT_PUBLISHED")
	m.open(1, fixture.Lorient, "librairie")
	m.sell(m.shops[fixture.Lorient+" librairie"][0], "2026-10-10", "PICKUP", 9)
	m.publish("2026-11-05")
	if d, err = m.Dashboard(t.Context(), analyst, insight.DashboardInput{}); err != nil {
		t.Fatal(err)
	}
	m.wanted("one shop", orders(d.Figures), "FEWER_THAN_THREE")
	for _, r := range slices.Concat(d.ByCommune, d.BySector, d.ByMode, d.Series) {
		if got := orders(r.Figures); got != "0" && got != "FEWER_THAN_THREE" {
			t.Errorf("%s of one shop: %s", r.Label, got)
		}
	}
}

// TestSlotsAreCounted publishes how full slots were: those with a capacity, from three enterprises on.
func TestSlotsAreCounted(t *testing.T) {
	t.Parallel()
	m := filled(t, "2026-10-10")
	for i, shop := range m.shops[fixture.Lorient+" librairie"][:4] {
		mode := "PICKUP"
		if i > 2 {
			mode = "DELIVERY" // one shop's
		}
		m.d.Exec(t, `insert into slots (commune_id, shop_id, mode, starts_at, capacity, booked) values
			($1, $2, $3, '2026-10-10 09:00+02', 4, 3), ($1, $2, $3, '2026-10-10 10:00+02', null, 9), ($1, $2, $3, '2026-11-10 10:00+01', 4, 4)`, shop.Commune, shop.Row, mode)
	}
	m.publish("2026-11-05")
	m.wanted("slots", pgtest.Scan[string](t, m.d, `select string_agg(key || ' ' || measure || ' ' || coalesce(hidden, value::text), ', ' order by key, measure) from insight.figures where subject = 'SLOT'`),
		"DELIVERY booked FEWER_THAN_THREE, DELIVERY capacity FEWER_THAN_THREE, PICKUP booked 9, PICKUP capacity 12")
}

// TestPeriodsTellNoMoreThanTheirMonths holds that a figure of any period and choice is the sum of
// published cells, and hidden where one of them is: a year, or two communes together, betray nothing
// that the months and communes do not.
func TestPeriodsTellNoMoreThanTheirMonths(t *testing.T) {
	t.Parallel()
	m := filled(t, "2025-10-10", "2026-05-10", "2026-09-10", "2026-10-10")
	m.publish("2026-11-05")
	analyst := fixture.Viewer(t, m.d, identity.Analyst)
	from, to := *month(t, "2025-10"), *month(t, "2026-10")
	random := rand.New(rand.NewPCG(7, 7))
	shown, hidden := 0, 0
	for range 60 {
		in := insight.DashboardInput{From: new(insight.Month), To: new(insight.Month)}
		*in.From = from + insight.Month(random.IntN(int(to-from)+1))
		*in.To = *in.From + insight.Month(random.IntN(int(to-*in.From)+1))
		communes, sectors, mode := []string{"*"}, []string{"*"}, "*"
		if random.IntN(3) > 0 {
			communes = []string{fixture.Lorient, fixture.Hennebont, fixture.Groix}[:1+random.IntN(3)]
			in.Communes = communes
		}
		if random.IntN(3) == 0 {
			sectors = []string{"culture", "alimentation"}[:1+random.IntN(2)]
			for _, s := range sectors {
				in.Sectors = append(in.Sectors, tenancy.ID{Kind: tenancy.KindCategory, Name: s})
			}
		}
		if random.IntN(3) == 0 {
			mode = "PICKUP"
			pickup := directory.Pickup
			in.Mode = &pickup
		}
		d, err := m.Dashboard(t.Context(), analyst, in)
		if err != nil {
			t.Fatal(err)
		}
		want := pgtest.Scan[string](t, m.d, `
			select case when count(*) < $6 or bool_or(c.hidden is not null) then 'hidden' else sum(c.orders)::text end
			from insight.cells c join insight.versions v using (month, version)
			where month between ($1 || '-01')::date and ($2 || '-01')::date and commune = any($3) and sector = any($4) and mode = $5
			and version = (select max(w.version) from insight.versions w where w.month = c.month)`,
			in.From.String(), in.To.String(), communes, sectors, mode, (int(*in.To-*in.From)+1)*len(communes)*len(sectors))
		got := "hidden"
		for _, f := range d.Figures {
			if f.Indicator == insight.Orders && f.Value.Number != nil {
				got = strconv.Itoa(*f.Value.Number)
			}
		}
		if got != want {
			t.Errorf("%s to %s, %v %v %s: %s, the cells say %s", in.From, in.To, communes, sectors, mode, got, want)
		}
		if want == "hidden" {
			hidden++
		} else {
			shown++
		}
	}
	if shown < 5 || hidden < 5 {
		t.Errorf("%d shown and %d hidden: the choices prove little", shown, hidden)
	}
}
